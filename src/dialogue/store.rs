//! Dialogues in the database.

mod answers;
mod published;
mod questions;
mod signups;

pub use answers::{insert_written_answer, written_answer_of, written_answers};
pub use published::PUBLISHED;
pub use questions::{
    asker_number, find_question, forget_unconfirmed_questions, insert_question, is_asked, questions, update_question,
    waiting_questions,
};
pub use signups::{
    find_signup, forget_unconfirmed_signups, insert_signup, next_hold_end, release_holds, signup_of, signups,
    update_signup,
};

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::{Dialogue, LeadBuyers, Notice, State, Status, Version, VersionKind};
use crate::db::schema::{dialogue, dialogue_version};
use crate::db::{AnyConnection, DbError, Lift, Tx, by_change, optional};
use crate::kernel::{Cursor, Direction, Id, Instant, OrganisationId, Page, PageRequest, fold};
use crate::organisation::{self, store::contains};
use crate::process::Process;

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = dialogue, treat_none_as_null = true, treat_none_as_default_value = false)]
struct Row {
    id: String,
    process_id: String,
    status: String,
    notice: String,
    words_key: String,
    published_at: Option<NaiveDateTime>,
    number: Option<i32>,
    ended_at: Option<NaiveDateTime>,
    ending: Option<String>,
    version: i64,
    changed: i64,
    created_at: NaiveDateTime,
    updated_at: NaiveDateTime,
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = dialogue_version, treat_none_as_default_value = false)]
struct VersionRow {
    id: String,
    dialogue_id: String,
    number: i32,
    kind: String,
    notice: String,
    words: Option<String>,
    published_at: NaiveDateTime,
    published_by: String,
}

impl Row {
    fn of(dialogue: &Dialogue, change: i64) -> Result<Self, DbError> {
        let published = match &dialogue.state {
            State::Scheduled { publish_at } => Some((*publish_at, 1)),
            state => state.published(),
        };
        let (ended_at, ending) = match &dialogue.state {
            State::Draft | State::Scheduled { .. } | State::Published { .. } => (None, None),
            State::Closed { closed_at, summary, .. } => (Some(closed_at), Some(summary)),
            State::Cancelled { cancelled_at, reason, .. } => (Some(cancelled_at), Some(reason)),
        };
        let notice = &dialogue.notice;
        Ok(Self {
            id: dialogue.id.to_string(),
            process_id: dialogue.process_id.to_string(),
            status: word(dialogue.state.status()).to_owned(),
            notice: written(notice)?,
            words_key: fold(&format!("{}\n{}", notice.title, notice.description)),
            published_at: published.map(|(at, _)| at.naive_utc()),
            number: published.map(|(_, number)| number),
            ended_at: ended_at.map(Instant::naive_utc),
            ending: ending.cloned(),
            version: dialogue.version,
            changed: change,
            created_at: dialogue.created_at.naive_utc(),
            updated_at: dialogue.updated_at.naive_utc(),
        })
    }
}

fn written(notice: &Notice) -> Result<String, DbError> {
    serde_json::to_string(notice).map_err(|error| DbError::Refused(error.to_string()))
}

/// The word that stands in the database. What is scheduled stands there as what it will be: only the clock parts them.
fn word(status: Status) -> &'static str {
    match status {
        Status::Draft => "draft",
        Status::Scheduled | Status::Published => "published",
        Status::Closed => "closed",
        Status::Cancelled => "cancelled",
    }
}

impl Row {
    /// What the row is at this moment.
    fn lift(self, now: Instant) -> Result<Dialogue, DbError> {
        let row = self;
        let lift = Lift::new("dialogue", &row.id);
        let published = row.published_at.map(|at| at.and_utc()).zip(row.number);
        let on_the_market = || lift.some("published_at", published);
        let ended = || lift.some("ended_at", row.ended_at.map(|at| at.and_utc()));
        let ending = || lift.some("ending", row.ending.clone());
        let state = match row.status.as_str() {
            "draft" => State::Draft,
            "published" => match on_the_market()? {
                (publish_at, _) if publish_at > now => State::Scheduled { publish_at },
                (published_at, number) => State::Published { published_at, number },
            },
            "closed" => {
                let (published_at, number) = on_the_market()?;
                State::Closed { published_at, number, closed_at: ended()?, summary: ending()? }
            }
            "cancelled" => State::Cancelled { published, cancelled_at: ended()?, reason: ending()? },
            _ => return Err(lift.impossible("status")),
        };
        Ok(Dialogue {
            id: lift.id("id", &row.id)?,
            process_id: lift.id("process_id", &row.process_id)?,
            notice: lift.json("notice", &row.notice)?,
            state,
            created_at: row.created_at.and_utc(),
            updated_at: row.updated_at.and_utc(),
            version: row.version,
        })
    }
}

impl TryFrom<VersionRow> for Version {
    type Error = DbError;
    fn try_from(row: VersionRow) -> Result<Self, DbError> {
        let lift = Lift::new("dialogue_version", &row.id);
        Ok(Self {
            id: lift.id("id", &row.id)?,
            dialogue_id: lift.id("dialogue_id", &row.dialogue_id)?,
            number: row.number,
            kind: lift.some("kind", VersionKind::from_word(&row.kind))?,
            notice: lift.json("notice", &row.notice)?,
            words: row.words,
            published_at: row.published_at.and_utc(),
            published_by: row.published_by,
        })
    }
}

/// What a list of dialogues may be narrowed to.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub status: Option<Status>,
    pub process_id: Option<Id<Process>>,
    /// A part of the title or the description.
    pub q: Option<String>,
    /// Only what the market has seen.
    pub seen_by_the_market: bool,
}

/// The name of the list, which its cursors carry.
pub const LIST: &str = "dialogue";

/// One page of dialogues, as they are at this moment.
///
/// # Errors
/// [`DbError`].
pub fn list(
    connection: &mut AnyConnection,
    filter: Filter,
    request: &PageRequest,
    now: Instant,
) -> Result<Page<Dialogue>, DbError> {
    use dialogue as d;
    let mut query = d::table.into_boxed();
    if let Some(status) = filter.status {
        query = query.filter(d::status.eq(word(status)));
        query = match status {
            Status::Scheduled => query.filter(d::published_at.gt(now.naive_utc())),
            Status::Published => query.filter(d::published_at.le(now.naive_utc())),
            Status::Draft | Status::Closed | Status::Cancelled => query,
        };
    }
    if let Some(process) = filter.process_id {
        query = query.filter(d::process_id.eq(process.to_string()));
    }
    if let Some(q) = filter.q {
        query = query.filter(d::words_key.like(contains(&q)).escape('\\'));
    }
    if filter.seen_by_the_market {
        query = query.filter(d::published_at.le(now.naive_utc()));
    }
    query = by_change!(query, d, request.direction, request.after.as_ref());
    let rows: Vec<Row> = query.limit(request.limit + 1).load(connection)?;
    let page = Page::of(LIST, request, rows, |row| Cursor { changed: row.changed, id: row.id.clone() });
    page.try_map(|row| row.lift(now))
}

/// Up to `limit` dialogues whose newest change lies after this place and no later than `until`, oldest change first, as
/// they are at this moment; for staff, or for those who see only what the market has seen.
///
/// # Errors
/// [`DbError`].
pub fn changed_after(
    connection: &mut AnyConnection,
    staff: bool,
    after: Option<&Cursor>,
    until: i64,
    limit: i64,
    now: Instant,
) -> Result<Vec<(Cursor, Dialogue)>, DbError> {
    use dialogue as d;
    let mut query = d::table.filter(d::changed.le(until)).into_boxed();
    if !staff {
        query = query.filter(d::published_at.le(now.naive_utc()));
    }
    let query = by_change!(query, d, Direction::OldestFirst, after);
    let rows: Vec<Row> = query.limit(limit).load(connection)?;
    rows.into_iter().map(|row| Ok((Cursor { changed: row.changed, id: row.id.clone() }, row.lift(now)?))).collect()
}

/// What the market has seen published since, newest first; at most 2,000.
///
/// # Errors
/// [`DbError`].
pub fn published_since(connection: &mut AnyConnection, since: Instant, now: Instant) -> Result<Vec<Dialogue>, DbError> {
    use dialogue as d;
    let rows: Vec<Row> = d::table
        .filter(d::published_at.ge(since.naive_utc()).and(d::published_at.le(now.naive_utc())))
        .order((d::published_at.desc(), d::id.desc()))
        .limit(2000)
        .load(connection)?;
    rows.into_iter().map(|row| row.lift(now)).collect()
}

/// What the market has not seen at this moment and this body leads: drafts, and what is scheduled.
///
/// # Errors
/// [`DbError`].
pub fn unseen_led_by(
    connection: &mut AnyConnection,
    lead: OrganisationId,
    now: Instant,
) -> Result<Vec<Dialogue>, DbError> {
    use dialogue as d;
    let scheduled = d::status.eq("published").and(d::published_at.gt(now.naive_utc()).assume_not_null());
    let rows: Vec<Row> = d::table.filter(d::status.eq("draft").or(scheduled)).order(d::id).load(connection)?;
    let unseen: Vec<Dialogue> = rows.into_iter().map(|row| row.lift(now)).collect::<Result<_, _>>()?;
    Ok(unseen.into_iter().filter(|dialogue| dialogue.notice.lead_buyer_id == Some(lead)).collect())
}

/// The dialogue of this id, as it is at this moment.
///
/// # Errors
/// [`DbError`].
pub fn find(connection: &mut AnyConnection, id: Id<Dialogue>, now: Instant) -> Result<Option<Dialogue>, DbError> {
    let row: Option<Row> = optional(dialogue::table.find(id.to_string()).first(connection))?;
    row.map(|row| row.lift(now)).transpose()
}

/// Gives a dialogue a new change number, now that the clock has made it public: who follows the list's changes comes
/// past it.
///
/// # Errors
/// [`DbError`].
pub fn touch(tx: &mut Tx<'_>, id: Id<Dialogue>) -> Result<(), DbError> {
    let row = dialogue::table.find(id.to_string());
    diesel::update(row).set(dialogue::changed.eq(tx.change)).execute(tx.connection)?;
    Ok(())
}

/// Adds a dialogue.
///
/// # Errors
/// [`DbError`].
pub fn insert(tx: &mut Tx<'_>, dialogue: &Dialogue) -> Result<(), DbError> {
    diesel::insert_into(dialogue::table).values(Row::of(dialogue, tx.change)?).execute(tx.connection)?;
    Ok(())
}

/// Stores a dialogue that was changed.
///
/// # Errors
/// [`DbError`].
pub fn update(tx: &mut Tx<'_>, dialogue: &Dialogue) -> Result<(), DbError> {
    diesel::update(dialogue::table.find(dialogue.id.to_string()))
        .set(Row::of(dialogue, tx.change)?)
        .execute(tx.connection)?;
    Ok(())
}

/// Adds a version; what the market has seen is never changed.
///
/// # Errors
/// [`DbError`].
pub fn insert_version(tx: &mut Tx<'_>, version: &Version) -> Result<(), DbError> {
    let row = VersionRow {
        id: version.id.to_string(),
        dialogue_id: version.dialogue_id.to_string(),
        number: version.number,
        kind: version.kind.word().to_owned(),
        notice: written(&version.notice)?,
        words: version.words.clone(),
        published_at: version.published_at.naive_utc(),
        published_by: version.published_by.clone(),
    };
    diesel::insert_into(dialogue_version::table).values(row).execute(tx.connection)?;
    Ok(())
}

/// Puts the notice as it stands now into the version that the market will see, where there is one.
///
/// # Errors
/// [`DbError`].
pub fn amend_unseen_version(tx: &mut Tx<'_>, dialogue: &Dialogue, now: Instant) -> Result<(), DbError> {
    use dialogue_version as v;
    let notice = serde_json::to_string(&dialogue.notice).map_err(|error| DbError::Refused(error.to_string()))?;
    let unseen = v::table.filter(v::dialogue_id.eq(dialogue.id.to_string()).and(v::published_at.gt(now.naive_utc())));
    diesel::update(unseen).set(v::notice.eq(notice)).execute(tx.connection)?;
    Ok(())
}

/// Takes versions back that the market has not seen at this moment.
///
/// # Errors
/// [`DbError`].
pub fn forget_unseen_versions(tx: &mut Tx<'_>, id: Id<Dialogue>, now: Instant) -> Result<(), DbError> {
    use dialogue_version as v;
    let unseen = v::table.filter(v::dialogue_id.eq(id.to_string()).and(v::published_at.gt(now.naive_utc())));
    diesel::delete(unseen).execute(tx.connection)?;
    Ok(())
}

/// The versions of a dialogue that the market has seen at this moment, oldest first.
///
/// # Errors
/// [`DbError`].
pub fn versions(connection: &mut AnyConnection, id: Id<Dialogue>, now: Instant) -> Result<Vec<Version>, DbError> {
    use dialogue_version as v;
    let rows: Vec<VersionRow> = v::table
        .filter(v::dialogue_id.eq(id.to_string()).and(v::published_at.le(now.naive_utc())))
        .order(v::number)
        .load(connection)?;
    rows.into_iter().map(Version::try_from).collect()
}

/// What the lead buyers of these versions are called.
///
/// # Errors
/// [`DbError`].
pub fn lead_buyers<'a>(
    connection: &mut AnyConnection,
    versions: impl IntoIterator<Item = &'a Version>,
) -> Result<LeadBuyers, DbError> {
    let mut ids: Vec<_> = versions.into_iter().filter_map(|version| version.notice.lead_buyer_id).collect();
    ids.dedup();
    organisation::store::names(connection, &ids)
}

/// The dialogue whose version this is, whatever else its row says.
///
/// # Errors
/// [`DbError`].
pub fn dialogue_of(connection: &mut AnyConnection, version: &str) -> Result<Option<String>, DbError> {
    optional(dialogue_version::table.find(version).select(dialogue_version::dialogue_id).first(connection))
}

/// One version.
///
/// # Errors
/// [`DbError`].
pub fn find_version(connection: &mut AnyConnection, id: Id<Version>) -> Result<Option<Version>, DbError> {
    let row: Option<VersionRow> = optional(dialogue_version::table.find(id.to_string()).first(connection))?;
    row.map(Version::try_from).transpose()
}
