//! Dialogues and versions as they are shown.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::db::{AnyConnection, DbError};
use crate::dialogue::{
    Dialogue, Event, Notice, State, Status, Version, VersionKind, difference, few_suppliers, nobody_is_bound, store,
    suppliers, taking_part_is_free,
};
use crate::kernel::{Id, Instant, Language, copenhagen_text};
use crate::process::{self, Process};
use crate::web::Problem;

/// A process, where only its name is shown.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DialogueProcess)]
pub struct ProcessName {
    #[schema(value_type = String, format = "uuid")]
    pub id: Id<Process>,
    pub title: String,
}

/// Dates on Danish clocks, in words.
#[derive(Debug, Serialize, ToSchema)]
pub struct DanishTimes {
    #[schema(example = "29-01-2027 kl. 12.00 (dansk tid)")]
    pub answer_deadline: String,
    #[schema(required, nullable)]
    pub question_deadline: Option<String>,
    /// When each event begins, in the order of `events`.
    pub events: Vec<String>,
}

/// A market dialogue.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Dialogue)]
pub struct DialogueView {
    #[schema(value_type = String, format = "uuid")]
    pub id: Id<Dialogue>,
    pub process: ProcessName,
    pub status: Status,
    /// The latest version of what the market sees; null for a draft.
    #[schema(required, nullable)]
    pub version: Option<i32>,
    #[serde(flatten)]
    pub notice: Notice,
    pub danish_time: DanishTimes,
    /// What staff should know, such as that fewer than two suppliers take part; with a single dialogue, shown to staff.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub warnings: Vec<String>,
    /// What goes for every market dialogue.
    pub statements: [String; 2],
    /// When it will be published by itself; with a scheduled dialogue.
    #[schema(required, nullable)]
    pub publish_at: Option<DateTime<Utc>>,
    #[schema(required, nullable)]
    pub published_at: Option<DateTime<Utc>>,
    #[schema(required, nullable)]
    pub closed_at: Option<DateTime<Utc>>,
    /// What was heard; with a closed dialogue.
    #[schema(required, nullable)]
    pub summary: Option<String>,
    #[schema(required, nullable)]
    pub cancelled_at: Option<DateTime<Utc>>,
    /// Why it was cancelled.
    #[schema(required, nullable)]
    pub cancel_reason: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    #[serde(skip)]
    pub row_version: i64,
}

/// The dialogue, for a reader of this language.
///
/// # Errors
/// Those of the database.
pub fn show(connection: &mut AnyConnection, dialogue: Dialogue, language: Language) -> Result<DialogueView, Problem> {
    let process = process::store::find(connection, dialogue.process_id)?;
    let process = process.ok_or_else(|| Problem::internal(&"a dialogue of no process"))?;
    let (closed_at, summary) = match &dialogue.state {
        State::Closed { closed_at, summary, .. } => (Some(*closed_at), Some(summary.clone())),
        _ => (None, None),
    };
    let (cancelled_at, cancel_reason) = match &dialogue.state {
        State::Cancelled { cancelled_at, reason, .. } => (Some(*cancelled_at), Some(reason.clone())),
        _ => (None, None),
    };
    let publish_at = match &dialogue.state {
        State::Scheduled { publish_at } => Some(*publish_at),
        _ => None,
    };
    let published = dialogue.state.published();
    Ok(DialogueView {
        id: dialogue.id,
        process: ProcessName { id: process.id, title: process.body.title },
        status: dialogue.state.status(),
        version: published.map(|(_, number)| number),
        danish_time: danish_times(&dialogue.notice, language),
        notice: dialogue.notice,
        warnings: Vec::new(),
        statements: [taking_part_is_free().to(language).to_owned(), nobody_is_bound().to(language).to_owned()],
        publish_at,
        published_at: published.map(|(at, _)| at),
        closed_at,
        summary,
        cancelled_at,
        cancel_reason,
        created_at: dialogue.created_at,
        updated_at: dialogue.updated_at,
        row_version: dialogue.version,
    })
}

/// The same, with what staff should know.
///
/// # Errors
/// Those of the database.
pub fn warned(connection: &mut AnyConnection, view: DialogueView, language: Language) -> Result<DialogueView, Problem> {
    if view.published_at.is_none() {
        return Ok(view);
    }
    let signups = store::signups(connection, view.id)?;
    let answers = store::written_answers(connection, view.id)?;
    let warnings =
        few_suppliers(suppliers(&signups, &answers)).iter().map(|words| words.to(language).to_owned()).collect();
    Ok(DialogueView { warnings, ..view })
}

fn danish_times(notice: &Notice, language: Language) -> DanishTimes {
    let say = |at: Instant| copenhagen_text(at).to(language).to_owned();
    DanishTimes {
        answer_deadline: say(notice.answer_deadline),
        question_deadline: notice.question_deadline.map(say),
        events: notice.events.iter().map(|event: &Event| say(event.starts_at)).collect(),
    }
}

/// One field that a version changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeView {
    /// The field's name in the notice.
    #[schema(example = "answer_deadline")]
    pub field: &'static str,
    /// Its name in words.
    #[schema(example = "Svarfrist")]
    pub name: String,
    pub before: String,
    pub after: String,
}

/// What the market saw from one moment on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DialogueVersion)]
pub struct VersionView {
    #[schema(value_type = String, format = "uuid")]
    pub id: Id<Version>,
    /// 1, 2, 3 … within the dialogue.
    pub version: i32,
    pub kind: VersionKind,
    /// Why it was changed or cancelled, or the summary that closed it; null for the first.
    #[schema(required, nullable)]
    pub change_reason: Option<String>,
    /// What differs from the version before.
    pub changes: Vec<ChangeView>,
    pub published_at: DateTime<Utc>,
    #[serde(flatten)]
    pub notice: Notice,
}

/// All versions of a dialogue.
#[derive(Debug, Serialize, ToSchema)]
pub struct Versions {
    pub items: Vec<VersionView>,
}

/// The versions, each compared with the one before.
///
/// # Errors
/// Those of the database.
pub fn versions(
    connection: &mut AnyConnection,
    versions: Vec<Version>,
    language: Language,
) -> Result<Vec<VersionView>, DbError> {
    let names = store::lead_buyers(connection, &versions)?;
    let mut before: Option<Notice> = None;
    let show = |version: Version| {
        let old = before.replace(version.notice.clone());
        let changes = old.map(|old| difference(&old, &version.notice, &names)).unwrap_or_default();
        let change = |change: crate::dialogue::Change| ChangeView {
            field: change.field,
            name: change.name.to(language).to_owned(),
            before: change.before.to(language).to_owned(),
            after: change.after.to(language).to_owned(),
        };
        VersionView {
            id: version.id,
            version: version.number,
            kind: version.kind,
            change_reason: version.words,
            changes: changes.into_iter().map(change).collect(),
            published_at: version.published_at,
            notice: version.notice,
        }
    };
    Ok(versions.into_iter().map(show).collect())
}
