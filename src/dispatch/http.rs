//! What tells the market, what was told, and what a filter would bring.

use std::collections::HashMap;

use actix_web::{get, patch, post};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::actions::Wanted;
use super::preview::{Preview, preview};
use super::{Dispatch, Status, actions, store};
use crate::access::{Context, Scope};
use crate::db::{AnyConnection, DbError};
use crate::dialogue::http::questions::QuestionView;
use crate::dialogue::http::view::{self, DialogueView};
use crate::dialogue::{self, Dialogue, Question, Version};
use crate::kernel::{Fit, Fitting, Flaws, Id, Language, Text, text};
use crate::post;
use crate::subscription::{Filter, Hint, HintKind, Reason, Why};
use crate::web::{Body, IfMatch, OptionalBody, Patch, PathId, Problem, Reply, Routes};

/// Mounts the slice.
pub fn routes(config: &mut impl Routes) {
    config
        .service(publish_dialogue)
        .service(unschedule_dialogue)
        .service(change_dialogue)
        .service(cancel_dialogue)
        .service(close_dialogue)
        .service(answer_question)
        .service(get_ledger)
        .service(super::report::get_dialogue_report)
        .service(super::report::show_dialogue_report)
        .service(super::report::get_ledger_head)
        .service(get_dispatch)
        .service(pause_dispatch)
        .service(resume_dispatch)
        .service(preview_subscription);
}

/// What was published, or will be.
#[derive(Serialize, ToSchema)]
struct Publication {
    version: i32,
    /// The moment from which everybody sees it; lies ahead when it is scheduled.
    published_at: DateTime<Utc>,
    #[schema(value_type = String, format = "uuid")]
    dispatch_id: Id<Dispatch>,
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DialoguePublication, example = json!({"publish_at": "2026-12-01T07:00:00Z"}))]
struct PublishBody {
    /// When it becomes public by itself, on every node at that second; at once when left out.
    #[serde(default)]
    publish_at: Option<DateTime<Utc>>,
}
impl Fitting for PublishBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.date("/publish_at", self.publish_at.map(|at| at.date_naive()));
    }
}

/// Publishes a draft: page, feeds and dispatch at one moment, now or at `publish_at`; by CO-PI's staff. What is
/// scheduled can be published at another moment, changed and taken back until its last second.
#[utoipa::path(tag = "dialogues", request_body = PublishBody, responses((status = 200, body = Publication)))]
#[post("/dialogues/{id}/publish")]
async fn publish_dialogue(
    context: Context,
    id: PathId<Dialogue>,
    body: OptionalBody<PublishBody>,
) -> Result<Reply<Publication>, Problem> {
    let staff = context.caller.staff(Scope::DialoguesWrite)?;
    let publish_at = body.0.map(Fit::into_inner).unwrap_or_default().publish_at;
    let now = context.now;
    let published = context.db.write(move |tx| actions::publish(tx, now, &staff, id.0, publish_at));
    let (_, version, dispatch_id) = published.await?;
    Ok(Reply::ok(Publication { version: version.number, published_at: version.published_at, dispatch_id }))
}

/// Takes a scheduled publication back: a draft again; by CO-PI's staff.
#[utoipa::path(tag = "dialogues", responses((status = 200, body = DialogueView)))]
#[post("/dialogues/{id}/unschedule")]
async fn unschedule_dialogue(context: Context, id: PathId<Dialogue>) -> Result<Reply<DialogueView>, Problem> {
    let staff = context.caller.staff(Scope::DialoguesWrite)?;
    let (now, language) = (context.now, context.language);
    let draft = context
        .db
        .write(move |tx| {
            let dialogue = actions::unschedule(tx, now, &staff, id.0)?;
            view::show(tx.connection, dialogue, language)
        })
        .await?;
    Ok(tagged(draft, language))
}

/// Changes the notice; by CO-PI's staff. A draft changes freely; what the market has seen becomes a new version, and
/// `change_reason` (1 to 2,000 characters) says why.
#[utoipa::path(tag = "dialogues", request_body(content = Object, content_type = "application/merge-patch+json", description = "Any fields of the notice, and `change_reason`.", example = json!({"answer_deadline": "2027-02-05T11:00:00Z", "change_reason": "Fristen er forlænget efter ønske fra flere leverandører"})), responses((status = 200, body = DialogueView)))]
#[patch("/dialogues/{id}")]
async fn change_dialogue(
    context: Context,
    id: PathId<Dialogue>,
    seen: IfMatch,
    mut patch: Patch,
) -> Result<Reply<DialogueView>, Problem> {
    let staff = context.caller.staff(Scope::DialoguesWrite)?;
    let reason = change_reason(patch.take("change_reason"))?;
    let wanted = Wanted { seen, patch, reason };
    let (node, now, language) = (context.node.clone(), context.now, context.language);
    let changed = context
        .db
        .write(move |tx| {
            let dialogue = actions::change(tx, &node, now, &staff, id.0, wanted)?;
            view::show(tx.connection, dialogue, language)
        })
        .await?;
    Ok(tagged(changed, language))
}

fn change_reason(written: Option<Value>) -> Result<Option<String>, Problem> {
    let mut reason = match written {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(reason)) => reason,
        Some(_) => {
            let detail = text!("Begrundelsen er en tekst", "The reason is a text");
            return Err(Problem::unfit("/change_reason", "wrong_type", detail));
        }
    };
    let mut flaws = Flaws::default();
    flaws.prose("/change_reason", &mut reason, 1, 2000);
    if flaws.0.is_empty() { Ok(Some(reason)) } else { Err(flaws.into()) }
}

fn tagged(dialogue: DialogueView, language: Language) -> Reply<DialogueView> {
    let version = dialogue.row_version;
    Reply::ok(dialogue).tagged(version, language)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DialogueCancellation, example = json!({"reason": "Processen er sat på pause"}))]
struct CancelBody {
    /// 1 to 2,000 characters; public when the dialogue was.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
}
impl Fitting for CancelBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.prose("/reason", &mut self.reason, 1, 2000);
    }
}

/// Cancels a dialogue, and tells everybody who was told of it; by CO-PI's staff.
#[utoipa::path(tag = "dialogues", request_body = CancelBody, responses((status = 200, body = DialogueView)))]
#[post("/dialogues/{id}/cancel")]
async fn cancel_dialogue(
    context: Context,
    id: PathId<Dialogue>,
    body: Body<CancelBody>,
) -> Result<Reply<DialogueView>, Problem> {
    let staff = context.caller.staff(Scope::DialoguesWrite)?;
    let reason = body.0.into_inner().reason;
    let (node, now, language) = (context.node.clone(), context.now, context.language);
    let cancelled = context
        .db
        .write(move |tx| {
            let dialogue = actions::cancel(tx, &node, now, &staff, id.0, reason)?;
            view::show(tx.connection, dialogue, language)
        })
        .await?;
    Ok(tagged(cancelled, language))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DialogueClosing, example = json!({"summary": "Ni leverandører svarede. De fleste mener, at …"}))]
struct CloseBody {
    /// 1 to 6,000 characters; public.
    #[schema(min_length = 1, max_length = 6000)]
    summary: String,
}
impl Fitting for CloseBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.prose("/summary", &mut self.summary, 1, 6000);
    }
}

/// Closes a dialogue with the public summary of what was heard, and tells everybody who was told of it; by CO-PI's
/// staff.
#[utoipa::path(tag = "dialogues", request_body = CloseBody, responses((status = 200, body = DialogueView)))]
#[post("/dialogues/{id}/close")]
async fn close_dialogue(
    context: Context,
    id: PathId<Dialogue>,
    body: Body<CloseBody>,
) -> Result<Reply<DialogueView>, Problem> {
    let staff = context.caller.staff(Scope::DialoguesWrite)?;
    let summary = body.0.into_inner().summary;
    let (now, language) = (context.now, context.language);
    let closed = context
        .db
        .write(move |tx| {
            let dialogue = actions::close(tx, now, &staff, id.0, summary)?;
            let shown = view::show(tx.connection, dialogue, language)?;
            view::warned(tx.connection, shown, language)
        })
        .await?;
    Ok(tagged(closed, language))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"answer": "Ja, den skal kunne bruges uden netværk i mindst 12 timer."}))]
struct AnswerBody {
    /// 1 to 6,000 characters; published to all.
    #[schema(min_length = 1, max_length = 6000)]
    #[serde(alias = "text")]
    answer: String,
}
impl Fitting for AnswerBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.prose("/answer", &mut self.answer, 1, 6000);
    }
}

/// Answers a question: to all, and by mail to whoever asked and whoever follows the dialogue; by CO-PI's staff.
#[utoipa::path(tag = "dialogues", request_body = AnswerBody, responses((status = 200, body = QuestionView)))]
#[post("/questions/{id}/answer")]
async fn answer_question(
    context: Context,
    id: PathId<Question>,
    body: Body<AnswerBody>,
) -> Result<Reply<QuestionView>, Problem> {
    let staff = context.caller.staff(Scope::DialoguesWrite)?;
    let answer = body.0.into_inner().answer;
    let (node, now, language) = (context.node.clone(), context.now, context.language);
    let answered = context.db.write(move |tx| actions::answer(tx, &node, now, &staff, id.0, answer)).await?;
    Ok(Reply::ok(QuestionView::of(answered, language)))
}

/// What one recipient was told, and what became of it.
#[derive(Serialize, ToSchema)]
pub(super) struct LedgerEntry {
    /// The delivery; the left part of the letter's Message-ID.
    #[schema(value_type = String, format = "uuid")]
    delivery_id: String,
    pub(super) version: i32,
    /// The address, or a keyed hash of one that asked to be forgotten.
    pub(super) recipient: String,
    /// By what the filter matched.
    why: Vec<Reason>,
    /// The same in words.
    pub(super) why_text: String,
    /// queued, sent, failed or suppressed.
    #[schema(example = "sent")]
    pub(super) status: String,
    attempts: i32,
    pub(super) queued_at: DateTime<Utc>,
    #[schema(required, nullable)]
    pub(super) sent_at: Option<DateTime<Utc>>,
    /// What the mail server said last.
    #[schema(required, nullable)]
    pub(super) answer: Option<String>,
    /// When the letter came back, and with which words.
    #[schema(required, nullable)]
    pub(super) bounced_at: Option<DateTime<Utc>>,
    #[schema(required, nullable)]
    pub(super) bounce: Option<String>,
}

/// Who was told what, when and why.
#[derive(Serialize, ToSchema)]
struct Ledger {
    items: Vec<LedgerEntry>,
}

/// Who was told what of a dialogue, when, and by which filter; for CO-PI's staff.
#[utoipa::path(tag = "dialogues", responses((status = 200, body = Ledger)))]
#[get("/dialogues/{id}/ledger")]
async fn get_ledger(context: Context, id: PathId<Dialogue>) -> Result<Reply<Ledger>, Problem> {
    context.caller.staff(Scope::DialoguesWrite)?;
    let (language, now) = (context.language, context.now);
    let items = context
        .db
        .read(move |connection| {
            dialogue::store::find(connection, id.0, now)?.ok_or_else(Problem::not_found)?;
            Ok::<_, Problem>(ledger_of(connection, id.0, language, now)?)
        })
        .await?;
    Ok(Reply::ok(Ledger { items }))
}

/// Who was told what of a dialogue.
pub(super) fn ledger_of(
    connection: &mut AnyConnection,
    id: Id<Dialogue>,
    language: Language,
    now: DateTime<Utc>,
) -> Result<Vec<LedgerEntry>, DbError> {
    let versions = dialogue::store::versions(connection, id, now)?;
    let numbers: HashMap<String, i32> = versions.iter().map(|one| (one.id.to_string(), one.number)).collect();
    let ids: Vec<String> = versions.iter().map(|version: &Version| version.id.to_string()).collect();
    let entries = post::store::entries(connection, &ids)?;
    Ok(entries.into_iter().map(|entry| show_entry(entry, &numbers, language)).collect())
}

fn show_entry(entry: post::store::Entry, numbers: &HashMap<String, i32>, language: Language) -> LedgerEntry {
    let why: Why = serde_json::from_str(&entry.why).unwrap_or(Why(Vec::new()));
    LedgerEntry {
        delivery_id: entry.id,
        version: numbers.get(&entry.notice_version_id).copied().unwrap_or_default(),
        recipient: entry.recipient,
        why_text: why.line(language),
        why: why.0,
        sent_at: entry.settled_at.filter(|_| entry.status == "sent"),
        status: entry.status,
        attempts: entry.attempts,
        queued_at: entry.queued_at,
        answer: entry.answer,
        bounced_at: entry.bounced_at,
        bounce: entry.bounce,
    }
}

/// How far a dispatch has come.
#[derive(Serialize, ToSchema)]
#[schema(as = Dispatch)]
struct DispatchView {
    #[schema(value_type = String, format = "uuid")]
    id: Id<Dispatch>,
    #[schema(value_type = String, format = "uuid")]
    dialogue_id: Id<Dialogue>,
    status: Status,
    queued: i64,
    sent: i64,
    failed: i64,
    suppressed: i64,
    /// Letters a second, over the last minute.
    #[schema(example = 41.5)]
    rate: f64,
    /// How many seconds what waits takes at this rate; null while nothing goes.
    #[schema(required, nullable, example = 310)]
    seconds_left: Option<i64>,
    /// Since when staff has paused it; null while it goes.
    #[schema(required, nullable)]
    paused_at: Option<DateTime<Utc>>,
    opened_at: DateTime<Utc>,
    #[schema(required, nullable)]
    expanded_at: Option<DateTime<Utc>>,
    #[schema(required, nullable)]
    done_at: Option<DateTime<Utc>>,
}

/// Over how many seconds a dispatch's rate is taken.
const RATE_OVER: TimeDelta = TimeDelta::seconds(60);

fn show_dispatch(
    connection: &mut AnyConnection,
    dispatch: Dispatch,
    now: DateTime<Utc>,
) -> Result<DispatchView, DbError> {
    let id = dispatch.id.to_string();
    let counts = post::store::count_by_status(connection, Some(&id))?;
    let count = |status: &str| counts.iter().find(|(word, _)| word == status).map_or(0, |(_, count)| *count);
    let of_late = post::store::settled_since(connection, &id, now - RATE_OVER)?;
    // A dispatch that began less than a minute ago is not slower for it.
    let seconds = (now - dispatch.opened_at).clamp(TimeDelta::seconds(1), RATE_OVER).num_seconds();
    let queued = count("queued");
    Ok(DispatchView {
        id: dispatch.id,
        dialogue_id: dispatch.dialogue_id,
        status: dispatch.status,
        queued,
        sent: count("sent"),
        failed: count("failed"),
        suppressed: count("suppressed"),
        rate: f64::from(i32::try_from(of_late).unwrap_or(i32::MAX)) / f64::from(i32::try_from(seconds).unwrap_or(60)),
        seconds_left: (queued * seconds).checked_div(of_late),
        paused_at: store::paused_at(connection, dispatch.id)?,
        opened_at: dispatch.opened_at,
        expanded_at: dispatch.expanded_at,
        done_at: dispatch.done_at,
    })
}

/// How far a dispatch has come; for CO-PI's staff.
#[utoipa::path(tag = "dialogues", responses((status = 200, body = DispatchView)))]
#[get("/dispatches/{id}")]
async fn get_dispatch(context: Context, id: PathId<Dispatch>) -> Result<Reply<DispatchView>, Problem> {
    context.caller.staff(Scope::DialoguesWrite)?;
    let now = context.now;
    let look = move |connection: &mut AnyConnection| {
        let dispatch = store::find(connection, id.0)?.ok_or_else(Problem::not_found)?;
        Ok::<_, Problem>(show_dispatch(connection, dispatch, now)?)
    };
    Ok(Reply::ok(context.db.read(look).await?))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DispatchPause, example = json!({"reason": "Fristen i udgave 2 er forkert"}))]
struct PauseBody {
    /// 1 to 2,000 characters; stands in the dialogue's history.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
}
impl Fitting for PauseBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.kept_prose("/reason", &mut self.reason, 1, 2000);
    }
}

/// Pauses a dispatch: letters that have not gone wait until it is resumed; by CO-PI's staff. Pausing again changes
/// nothing. Equal treatment is kept by letting it go on: whoever matched still gets the version.
#[utoipa::path(tag = "dialogues", request_body = PauseBody, responses((status = 200, body = DispatchView)))]
#[post("/dispatches/{id}/pause")]
async fn pause_dispatch(
    context: Context,
    id: PathId<Dispatch>,
    body: Body<PauseBody>,
) -> Result<Reply<DispatchView>, Problem> {
    let staff = context.caller.staff(Scope::DialoguesWrite)?;
    let (now, reason) = (context.now, body.0.into_inner().reason);
    let paused = context.db.write(move |tx| {
        let dispatch = actions::pause(tx, now, &staff, id.0, reason)?;
        Ok::<_, Problem>(show_dispatch(tx.connection, dispatch, now)?)
    });
    Ok(Reply::ok(paused.await?))
}

/// Lets a paused dispatch go on; by CO-PI's staff. Resuming one that goes changes nothing.
#[utoipa::path(tag = "dialogues", responses((status = 200, body = DispatchView)))]
#[post("/dispatches/{id}/resume")]
async fn resume_dispatch(context: Context, id: PathId<Dispatch>) -> Result<Reply<DispatchView>, Problem> {
    let staff = context.caller.staff(Scope::DialoguesWrite)?;
    let now = context.now;
    let resumed = context.db.write(move |tx| {
        let dispatch = actions::resume(tx, now, &staff, id.0)?;
        Ok::<_, Problem>(show_dispatch(tx.connection, dispatch, now)?)
    });
    Ok(Reply::ok(resumed.await?))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SubscriptionPreviewBody, example = json!({"filter": {"cpv": ["33000000"], "nuts": [], "themes": [], "process_ids": [], "text": "fald"}}))]
struct PreviewBody {
    filter: Filter,
}
impl Fitting for PreviewBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        self.filter.fit_at("/filter", flaws);
    }
}

/// A dialogue that a filter would have brought.
#[derive(Serialize, ToSchema)]
struct Previewed {
    dialogue: DialogueView,
    why: Vec<Reason>,
    /// The same in words.
    why_text: String,
}

/// A code beside those of the filter that would have brought more.
#[derive(Serialize, ToSchema)]
#[schema(as = SubscriptionHint)]
struct HintView {
    kind: HintKind,
    #[schema(example = "33140000")]
    code: String,
    /// What the code is called, where a list of codes is loaded.
    #[schema(required, nullable)]
    name: Option<String>,
    /// How many market dialogues it would have added.
    adds: usize,
}

/// What a filter would have brought in the last 12 months.
#[derive(Serialize, ToSchema)]
#[schema(as = SubscriptionPreview)]
struct PreviewView {
    items: Vec<Previewed>,
    /// At most five, what adds most first.
    hints: Vec<HintView>,
}

/// What a filter would have brought in the last 12 months, newest first, each with its reason; and neighbouring codes
/// that would have added some.
#[utoipa::path(tag = "subscriptions", security(()), request_body = PreviewBody, responses((status = 200, body = PreviewView)))]
#[post("/subscriptions/preview")]
async fn preview_subscription(context: Context, body: Body<PreviewBody>) -> Result<Reply<PreviewView>, Problem> {
    let filter = body.0.into_inner().filter;
    let (now, language) = (context.now, context.language);
    let shown = context.db.read(move |connection| {
        let Preview { hits, hints } = preview(connection, &filter, now)?;
        let show = |(dialogue, why): (Dialogue, Why)| {
            let dialogue = view::show(connection, dialogue, language)?;
            Ok::<_, Problem>(Previewed { dialogue, why_text: why.line(language), why: why.0 })
        };
        let items = hits.into_iter().map(show).collect::<Result<_, _>>()?;
        let hint = |(hint, name): (Hint, Option<Text>)| {
            let Hint { kind, code, adds } = hint;
            HintView { kind, code, adds, name: name.map(|name| name.to(language).to_owned()) }
        };
        Ok::<_, Problem>(PreviewView { items, hints: hints.into_iter().map(hint).collect() })
    });
    Ok(Reply::ok(shown.await?))
}
