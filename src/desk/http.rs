//! The desk over HTTP.

use actix_web::http::StatusCode;
use actix_web::{delete, get, post};
use chrono::{DateTime, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::access::{Context, Scope, Staff};
use crate::challenge::store::{self, Filter, Place, Reader};
use crate::challenge::{Challenge, ReasonCode, Stage, Status, Why, actions};
use crate::criteria::Verdict;
use crate::db::AnyConnection;
use crate::kernel::{
    Cursor, Direction, Fitting, Flaws, Id, Instant, Language, OrganisationId, Page, PageRequest, UserId, text,
};
use crate::organisation::store::names;
use crate::process::{self, Process};
use crate::web::lines::LineFlaw;
use crate::web::{Body, Paging, PathId, Problem, Query, Reply};

/// Mounts the desk.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(get_queue)
        .service(decide_queue)
        .service(take_queue_item)
        .service(release_queue_item)
        .service(get_todo);
}

/// The name of the queue, which its cursors carry.
const LIST: &str = "queue";
/// How many requests to join are shown at most; they are few, and answered soon.
const JOIN_REQUESTS: i64 = 200;

/// What waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = QueueKind)]
enum Kind {
    /// A challenge, for a decision.
    Challenge,
    /// A body that asked to join a process, for an answer.
    JoinRequest,
}

/// A criterion's verdict, in short.
#[derive(Debug, Serialize, ToSchema)]
struct VerdictView {
    key: String,
    verdict: Verdict,
}

/// Who looks at it.
#[derive(Debug, Serialize, ToSchema)]
struct AssigneeView {
    #[schema(value_type = String, format = "uuid")]
    id: UserId,
    name: String,
}

/// Something that waits for CO-PI's staff.
#[derive(Debug, Serialize, ToSchema)]
struct QueueItem {
    kind: Kind,
    /// Of the challenge, or of the participant who asked.
    #[schema(format = "uuid")]
    id: String,
    /// Of the challenge, or of the process.
    title: String,
    /// Whose it is, or who asks.
    organisation: String,
    /// Whom it waits for: the assignee, or CO-PI.
    waiting_on: String,
    waiting_since: DateTime<Utc>,
    /// The assessment's outcome, for a challenge.
    #[schema(required, nullable)]
    outcome: Option<Verdict>,
    /// The verdicts, for a challenge.
    criteria: Vec<VerdictView>,
    #[schema(required, nullable)]
    assignee: Option<AssigneeView>,
    /// The process, for a request to join.
    #[schema(value_type = Option<String>, required, nullable, format = "uuid")]
    process_id: Option<Id<Process>>,
}

impl QueueItem {
    fn place(&self) -> Place {
        (self.waiting_since, self.id.clone())
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct QueueQuery {
    /// Rows a page, 1 to 200; 50 when left out.
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Everything that waits for CO-PI's staff, longest first; for them.
#[utoipa::path(tag = "desk", params(QueueQuery), responses((status = 200, body = Page<QueueItem>)))]
#[get("/queue")]
async fn get_queue(context: Context, query: Query<QueueQuery>) -> Result<Reply<Page<QueueItem>>, Problem> {
    context.caller.staff(Scope::ChallengesRead)?;
    let Query(QueueQuery { limit, cursor }) = query;
    let request = Paging { limit, cursor, ..Paging::default() }.of(LIST)?;
    let page = context.db.read(move |connection| queue(connection, &request));
    Ok(Reply::page(page.await?))
}

fn queue(connection: &mut AnyConnection, request: &PageRequest) -> Result<Page<QueueItem>, Problem> {
    // The cursor's number is the moment since which the last row waited.
    let place = |cursor: &Cursor| Some((DateTime::from_timestamp_micros(cursor.changed)?, cursor.id.clone()));
    let after: Option<Place> = request.after.as_ref().and_then(place);
    let challenges = store::waiting(connection, after.as_ref(), request.limit + 1)?;
    let ids: Vec<_> = challenges.iter().map(|challenge| challenge.id).collect();
    let bodies: Vec<_> = challenges.iter().map(|challenge| challenge.organisation_id).collect();
    let (mut assignees, owners) = (store::assignees(connection, &ids)?, names(connection, &bodies)?);
    let mut items: Vec<QueueItem> = challenges
        .into_iter()
        .map(|challenge| {
            let assignee = assignees.remove(&challenge.id).map(|a| AssigneeView { id: a.id, name: a.name });
            QueueItem {
                kind: Kind::Challenge,
                id: challenge.id.to_string(),
                organisation: owners.get(&challenge.organisation_id).cloned().unwrap_or_default(),
                waiting_on: assignee.as_ref().map_or_else(|| "CO-PI".to_owned(), |assignee| assignee.name.clone()),
                waiting_since: since(&challenge),
                outcome: Some(challenge.assessment.outcome),
                criteria: verdicts(&challenge),
                assignee,
                process_id: None,
                title: challenge.description.title,
            }
        })
        .collect();
    for asked in process::store::join_requests(connection, JOIN_REQUESTS)? {
        let item = QueueItem {
            kind: Kind::JoinRequest,
            id: asked.participant.to_string(),
            title: asked.title,
            organisation: asked.organisation,
            waiting_on: "CO-PI".to_owned(),
            waiting_since: asked.joined_on.and_time(NaiveTime::MIN).and_utc(),
            outcome: None,
            criteria: Vec::new(),
            assignee: None,
            process_id: Some(asked.process),
        };
        if after.as_ref().is_none_or(|after| item.place() > *after) {
            items.push(item);
        }
    }
    items.sort_by_key(QueueItem::place);
    items.truncate(usize::try_from(request.limit + 1).unwrap_or(usize::MAX));
    let request = PageRequest { direction: Direction::NewestFirst, ..request.clone() };
    let cursor = |row: &QueueItem| Cursor { changed: row.waiting_since.timestamp_micros(), id: row.id.clone() };
    Ok(Page::of(LIST, &request, items, cursor))
}

fn verdicts(challenge: &Challenge) -> Vec<VerdictView> {
    let criteria = challenge.assessment.criteria.iter();
    criteria.map(|criterion| VerdictView { key: criterion.key.clone(), verdict: criterion.verdict }).collect()
}

/// Since when a challenge has been where it is.
fn since(challenge: &Challenge) -> Instant {
    match &challenge.stage {
        Stage::Draft => challenge.updated_at,
        Stage::Submitted { at } | Stage::Returned { at, .. } => *at,
        Stage::Declined { at, .. } | Stage::Withdrawn { at, .. } => *at,
        Stage::Approved(decision) | Stage::Grouped { decision, .. } => decision.at,
    }
}

/// Takes a waiting challenge upon oneself; whoever had it before no longer has.
#[utoipa::path(tag = "desk", responses((status = 204, description = "It is yours.")))]
#[post("/queue/{id}/take")]
async fn take_queue_item(context: Context, id: PathId<Challenge>) -> Result<Reply<()>, Problem> {
    let (staff, now) = (context.caller.staff(Scope::ChallengesWrite)?, context.now);
    context.db.write(move |tx| actions::assign(tx, now, &staff, id.0, true)).await?;
    Ok(Reply::ok(()).status(StatusCode::NO_CONTENT))
}

/// Lets a waiting challenge go again.
#[utoipa::path(tag = "desk", responses((status = 204, description = "It is nobody's.")))]
#[delete("/queue/{id}/take")]
async fn release_queue_item(context: Context, id: PathId<Challenge>) -> Result<Reply<()>, Problem> {
    let (staff, now) = (context.caller.staff(Scope::ChallengesWrite)?, context.now);
    context.db.write(move |tx| actions::assign(tx, now, &staff, id.0, false)).await?;
    Ok(Reply::ok(()).status(StatusCode::NO_CONTENT))
}

/// What to do with a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Verb {
    Approve,
    Return,
    Decline,
}

/// A decision on one challenge.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DecisionBody {
    #[schema(value_type = String, format = "uuid")]
    challenge_id: Id<Challenge>,
    decision: Verb,
    /// At most 2,000 characters; needed but for an approval that follows the verdict.
    #[serde(default)]
    #[schema(max_length = 2000)]
    reason: String,
    /// What kind of reason it is.
    #[serde(default)]
    #[schema(max_items = 10)]
    codes: Vec<ReasonCode>,
    /// Approve although the verdict is not met.
    #[serde(default, rename = "override")]
    overriding: bool,
}

/// Decisions, each on a challenge.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"decisions": [
    {"challenge_id": "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e", "decision": "approve"},
    {"challenge_id": "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4f", "decision": "return", "reason": "Hvor mange går runderne?", "codes": ["time_savings"]}]}))]
struct DecisionsBody {
    /// 1 to 100.
    #[schema(min_items = 1, max_items = 100)]
    decisions: Vec<DecisionBody>,
}

impl Fitting for DecisionsBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.count("/decisions", &self.decisions, 1, 100);
        for (index, decision) in self.decisions.iter_mut().enumerate() {
            let least = usize::from(decision.decision != Verb::Approve);
            flaws.prose(&format!("/decisions/{index}/reason"), &mut decision.reason, least, 2000);
            flaws.count(&format!("/decisions/{index}/codes"), &decision.codes, 0, 10);
        }
    }
}

/// Whether a decision was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Done {
    Done,
    Error,
}

/// What became of one decision.
#[derive(Debug, Serialize, ToSchema)]
struct DecisionResult {
    #[schema(value_type = String, format = "uuid")]
    challenge_id: Id<Challenge>,
    result: Done,
    /// Where the challenge stands now.
    #[schema(required, nullable)]
    status: Option<Status>,
    /// Why it was not carried out.
    errors: Vec<LineFlaw>,
}

/// What became of the decisions, in their order.
#[derive(Debug, Serialize, ToSchema)]
struct DecisionResults {
    items: Vec<DecisionResult>,
}

/// Decides on several challenges; by CO-PI's staff. Each is decided by itself: one that cannot be harms no other.
#[utoipa::path(tag = "desk", request_body = DecisionsBody, responses((status = 200, body = DecisionResults)))]
#[post("/queue/decisions")]
async fn decide_queue(context: Context, body: Body<DecisionsBody>) -> Result<Reply<DecisionResults>, Problem> {
    let staff = context.caller.staff(Scope::ChallengesWrite)?;
    let mut items = Vec::new();
    for decision in body.0.into_inner().decisions {
        let challenge_id = decision.challenge_id;
        items.push(match decide(&context, staff.clone(), decision).await {
            Ok(status) => DecisionResult { challenge_id, result: Done::Done, status: Some(status), errors: Vec::new() },
            Err(problem) if problem.status.is_server_error() => return Err(problem),
            Err(problem) => DecisionResult {
                challenge_id,
                result: Done::Error,
                status: None,
                errors: LineFlaw::all(&problem, context.language),
            },
        });
    }
    Ok(Reply::ok(DecisionResults { items }))
}

async fn decide(context: &Context, staff: Staff, decision: DecisionBody) -> Result<Status, Problem> {
    let DecisionBody { challenge_id: id, decision, reason, codes, overriding } = decision;
    let (now, node) = (context.now, context.node.clone());
    let decided = context.db.write(move |tx| match decision {
        Verb::Approve => {
            let reason = Some(reason).filter(|reason| !reason.is_empty());
            actions::approve(tx, now, &node, &staff, id, reason, overriding)
        }
        Verb::Return => actions::send_back(tx, now, &node, &staff, id, Why { reason, codes }),
        Verb::Decline => actions::decline(tx, now, &node, &staff, id, Why { reason, codes }),
    });
    Ok(decided.await?.stage.status())
}

/// What a body can do next with one of its challenges.
#[derive(Debug, Serialize, ToSchema)]
struct TodoItem {
    #[schema(value_type = String, format = "uuid")]
    challenge_id: Id<Challenge>,
    title: String,
    status: Status,
    /// `you` or `copi`.
    waiting_on: &'static str,
    waiting_since: DateTime<Utc>,
    /// improve, submit, answer or wait.
    #[schema(example = "answer")]
    action: &'static str,
    /// What to do, in words.
    what: Vec<String>,
}

/// What a body must do next: first what waits for itself, then what waits for CO-PI; longest first.
#[derive(Debug, Serialize, ToSchema)]
struct Todo {
    items: Vec<TodoItem>,
}

/// What the caller's body must do next with its challenges.
#[utoipa::path(tag = "desk", responses((status = 200, body = Todo)))]
#[get("/todo")]
async fn get_todo(context: Context) -> Result<Reply<Todo>, Problem> {
    let body = context.caller.member(Scope::ChallengesRead)?.organisation_id();
    let language = context.language;
    let items = context.db.read(move |connection| todo(connection, body, language)).await?;
    Ok(Reply::ok(Todo { items }))
}

fn todo(connection: &mut AnyConnection, body: OrganisationId, language: Language) -> Result<Vec<TodoItem>, Problem> {
    let mut items = Vec::new();
    for status in [Status::Returned, Status::Draft, Status::Submitted] {
        let filter = Filter { status: Some(status), organisation_id: Some(body), ..Filter::default() };
        let request = PageRequest { limit: 200, direction: Direction::NewestFirst, after: None };
        let own = store::list(connection, Reader::Body(body), &filter, &request)?.items;
        items.extend(own.into_iter().map(|challenge| next_step(challenge, language)));
    }
    items.sort_by_key(|item| (item.waiting_on != "you", item.waiting_since));
    Ok(items)
}

fn next_step(challenge: Challenge, language: Language) -> TodoItem {
    let words = |text: &crate::kernel::Text| text.to(language).to_owned();
    let changes = challenge.assessment.criteria.iter().filter_map(|criterion| criterion.to_change.as_ref()).map(words);
    let met = challenge.assessment.outcome == Verdict::Met;
    let (waiting_on, action, what) = match &challenge.stage {
        Stage::Returned { reason, .. } => {
            let asked = text!("CO-PI spørger: {reason}", "CO-PI asks: {reason}");
            ("you", "answer", std::iter::once(words(&asked)).chain(changes).collect())
        }
        Stage::Submitted { .. } => ("copi", "wait", vec![words(&text!("CO-PI ser på den", "CO-PI is looking at it"))]),
        _ if met => {
            ("you", "submit", vec![words(&text!("Den er klar til at blive indsendt", "It is ready to be submitted"))])
        }
        _ => ("you", "improve", changes.collect()),
    };
    TodoItem {
        challenge_id: challenge.id,
        status: challenge.stage.status(),
        waiting_on,
        waiting_since: since(&challenge),
        action,
        what,
        title: challenge.description.title,
    }
}
