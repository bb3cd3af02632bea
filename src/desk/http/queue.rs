//! The staff's queue over HTTP: all that waits for them, longest first, and who looks at what.

use std::collections::HashMap;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{delete, get, post, web};
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::access::{Context, Scope};
use crate::challenge::store::{self, Place, Reader};
use crate::challenge::{Challenge, Stage, Status, actions};
use crate::criteria::Verdict;
use crate::db::AnyConnection;
use crate::dialogue::{self, Dialogue, Question};
use crate::kernel::{Cursor, Direction, Id, Instant, Language, OrganisationId, Page, PageRequest, UserId};
use crate::letter_of_intent::{self, LetterOfIntent, SignatoryState};
use crate::matching::http::filled;
use crate::matching::live::{Likeness, Live};
use crate::organisation::store::names;
use crate::process::store::JoinRequest;
use crate::process::{self, Process};
use crate::suggestion::{self, Suggestion};
use crate::support::{self, SupportRequest};
use crate::web::{Paging, PathId, Problem, Query, Reply, Routes};

pub(super) fn routes(config: &mut impl Routes) {
    config.service(get_queue).service(take_queue_item).service(release_queue_item);
}

/// The name of the queue, which its cursors carry.
const LIST: &str = "queue";
/// How many requests to join, questions, suggestions and requests for support are looked at; they are few, and answered soon.
const FEW: i64 = 1000;
/// How long a signature that does not come stays in the queue: then whoever wanted to do something about it has.
const SEEN_TO: TimeDelta = TimeDelta::days(30);
/// From this likeness on, two challenges may be the same need: about as likely as not.
const TWIN: f32 = 0.5;

/// What waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = QueueKind)]
enum Kind {
    /// A challenge, for a decision.
    Challenge,
    /// A body that asked to join a process, for an answer.
    JoinRequest,
    /// A supplier's question to a market dialogue, for an answer to all.
    Question,
    /// A suggestion to a call, for an invitation to a body.
    Suggestion,
    /// A request for support, for an answer.
    SupportRequest,
    /// A body's comment on the draft of a letter of intent, for an answer.
    LetterComment,
    /// A signature that a body declined, or whose link ran out, within the last 30 days: for another signatory or another link.
    Signature,
}

/// A challenge that may be the same need as the one that waits.
#[derive(Debug, Serialize, ToSchema)]
struct TwinView {
    #[schema(value_type = String, format = "uuid")]
    challenge_id: Id<Challenge>,
    title: String,
    organisation: String,
    status: Status,
    /// How likely it is the same need, 0 to 1; or what people said of the two.
    #[schema(minimum = 0, maximum = 1, example = 0.87)]
    score: f64,
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
    /// Of the challenge, of the participant who asked, of the question, of the suggestion, of the request for support, of the
    /// comment or of the signatory.
    #[schema(format = "uuid")]
    id: String,
    /// Of the challenge, of the process, or of the dialogue; the first words of what was suggested or asked.
    title: String,
    /// Whose it is, or who asks: of a question, the pseudonym; empty for people without a body.
    organisation: String,
    /// Whom it waits for: the assignee, or CO-PI.
    waiting_on: String,
    waiting_since: DateTime<Utc>,
    /// The assessment's outcome, for a challenge.
    #[schema(required, nullable)]
    outcome: Option<Verdict>,
    /// The verdicts, for a challenge.
    criteria: Vec<VerdictView>,
    /// What would change the verdict, for a challenge.
    to_change: Vec<String>,
    /// Challenges that may be the same need, likeliest first, at most three.
    possible_twins: Vec<TwinView>,
    #[schema(required, nullable)]
    assignee: Option<AssigneeView>,
    /// The process, for a request to join, a comment or a signature.
    #[schema(value_type = Option<String>, required, nullable, format = "uuid")]
    process_id: Option<Id<Process>>,
    /// The market dialogue, for a question.
    #[schema(value_type = Option<String>, required, nullable, format = "uuid")]
    dialogue_id: Option<Id<Dialogue>>,
    /// The letter of intent, for a comment or a signature.
    #[schema(value_type = Option<String>, required, nullable, format = "uuid")]
    letter_id: Option<Id<LetterOfIntent>>,
}

impl QueueItem {
    /// Something that waits for whoever of the staff takes it.
    fn new(kind: Kind, id: String, waiting_since: Instant, title: String) -> Self {
        Self {
            kind,
            id,
            title,
            organisation: String::new(),
            waiting_on: "CO-PI".to_owned(),
            waiting_since,
            outcome: None,
            criteria: Vec::new(),
            to_change: Vec::new(),
            possible_twins: Vec::new(),
            assignee: None,
            process_id: None,
            dialogue_id: None,
            letter_id: None,
        }
    }

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
async fn get_queue(
    context: Context,
    live: web::Data<Arc<Live>>,
    query: Query<QueueQuery>,
) -> Result<Reply<Page<QueueItem>>, Problem> {
    context.caller.staff(Scope::ChallengesRead)?;
    let Query(QueueQuery { limit, cursor }) = query;
    let request = Paging { limit, cursor, ..Paging::default() }.of(LIST)?;
    filled(&context, &live).await?;
    let (language, now) = (context.language, context.now);
    let page = context.db.read(move |connection| queue(connection, &live, &request, language, now));
    Ok(Reply::page(page.await?))
}

fn queue(
    connection: &mut AnyConnection,
    live: &Live,
    request: &PageRequest,
    language: Language,
    now: Instant,
) -> Result<Page<QueueItem>, Problem> {
    // The cursor's number is the moment since which the last row waited.
    let place = |cursor: &Cursor| Some((DateTime::from_timestamp_micros(cursor.changed)?, cursor.id.clone()));
    let after: Option<Place> = request.after.as_ref().and_then(place);
    let mut items = challenges(connection, after.as_ref(), request.limit + 1, language)?;
    items.extend(process::store::join_requests(connection, FEW)?.into_iter().map(join_request));
    for (question, title) in dialogue::store::waiting_questions(connection, FEW)? {
        items.push(asked(question, title, language));
    }
    items.extend(suggestion::store::waiting(connection, FEW)?.iter().map(suggested));
    let requests = support::store::waiting(connection, FEW)?;
    let askers: Vec<_> = requests.iter().filter_map(|request| request.organisation_id).collect();
    let askers = names(connection, &askers)?;
    items.extend(requests.iter().map(|request| help_wanted(request, &askers)));
    items.extend(letters(connection, now)?);
    items.retain(|item| after.as_ref().is_none_or(|after| item.place() > *after));
    items.sort_by_key(QueueItem::place);
    items.truncate(usize::try_from(request.limit + 1).unwrap_or(usize::MAX));
    let request = PageRequest { direction: Direction::NewestFirst, ..request.clone() };
    let cursor = |row: &QueueItem| Cursor { changed: row.waiting_since.timestamp_micros(), id: row.id.clone() };
    let mut page = Page::of(LIST, &request, items, cursor);
    for item in page.items.iter_mut().filter(|item| item.kind == Kind::Challenge) {
        item.possible_twins = twins(connection, live, &item.id)?;
    }
    Ok(page)
}

/// The challenges of one page, without their twins.
fn challenges(
    connection: &mut AnyConnection,
    after: Option<&Place>,
    limit: i64,
    language: Language,
) -> Result<Vec<QueueItem>, Problem> {
    let challenges = store::waiting(connection, after, limit)?;
    let ids: Vec<_> = challenges.iter().map(|challenge| challenge.id).collect();
    let bodies: Vec<_> = challenges.iter().map(|challenge| challenge.organisation_id).collect();
    let (mut assignees, owners) = (store::assignees(connection, &ids)?, names(connection, &bodies)?);
    let item = |challenge: Challenge| {
        let assignee = assignees.remove(&challenge.id).map(|a| AssigneeView { id: a.id, name: a.name });
        let changes = challenge.assessment.criteria.iter().filter_map(|criterion| criterion.to_change.as_ref());
        QueueItem {
            organisation: owners.get(&challenge.organisation_id).cloned().unwrap_or_default(),
            waiting_on: assignee.as_ref().map_or_else(|| "CO-PI".to_owned(), |assignee| assignee.name.clone()),
            outcome: Some(challenge.assessment.outcome),
            criteria: verdicts(&challenge),
            to_change: changes.map(|words| words.to(language).to_owned()).collect(),
            assignee,
            ..QueueItem::new(Kind::Challenge, challenge.id.to_string(), since(&challenge), challenge.description.title)
        }
    };
    Ok(challenges.into_iter().map(item).collect())
}

fn join_request(asked: JoinRequest) -> QueueItem {
    let since = asked.joined_on.and_time(NaiveTime::MIN).and_utc();
    QueueItem {
        organisation: asked.organisation,
        process_id: Some(asked.process),
        ..QueueItem::new(Kind::JoinRequest, asked.participant.to_string(), since, asked.title)
    }
}

fn asked(question: Question, title: String, language: Language) -> QueueItem {
    QueueItem {
        organisation: question.pseudonym().to(language).to_owned(),
        dialogue_id: Some(question.dialogue_id),
        ..QueueItem::new(Kind::Question, question.id.to_string(), question.asked_at, title)
    }
}

fn suggested(suggestion: &Suggestion) -> QueueItem {
    let title = suggestion::actions::headline(&suggestion.told.what);
    QueueItem::new(Kind::Suggestion, suggestion.id.to_string(), suggestion.state_at, title)
}

fn help_wanted(request: &SupportRequest, askers: &HashMap<OrganisationId, String>) -> QueueItem {
    let title = suggestion::actions::headline(&request.ask.text);
    QueueItem {
        organisation: request.organisation_id.and_then(|id| askers.get(&id).cloned()).unwrap_or_default(),
        ..QueueItem::new(Kind::SupportRequest, request.id.to_string(), request.state_at, title)
    }
}

/// What waits with letters of intent, in processes that go on.
fn letters(connection: &mut AnyConnection, now: Instant) -> Result<Vec<QueueItem>, Problem> {
    let comments = letter_of_intent::store::unanswered_comments(connection, FEW)?;
    let missing = letter_of_intent::store::signatories::missing(connection, now - SEEN_TO, now)?;
    let processes = comments.iter().map(|(_, process)| *process).chain(missing.iter().map(|(_, process)| *process));
    let titles = process::store::running_titles(connection, &processes.collect::<Vec<_>>())?;
    let comments = comments.into_iter().filter_map(|(comment, process)| {
        let item =
            QueueItem::new(Kind::LetterComment, comment.id.to_string(), comment.said_at, titles.get(&process)?.clone());
        let (organisation, letter_id) = (comment.organisation, Some(comment.letter_id));
        Some(QueueItem { organisation, letter_id, process_id: Some(process), ..item })
    });
    let missing = missing.into_iter().filter_map(|(one, process)| {
        let since = match one.state {
            SignatoryState::Declined { at, .. } => at,
            SignatoryState::Asked { until, .. } => until,
            _ => return None,
        };
        let item = QueueItem::new(Kind::Signature, one.id.to_string(), since, titles.get(&process)?.clone());
        let (organisation, letter_id) = (one.organisation, Some(one.letter_id));
        Some(QueueItem { organisation, letter_id, process_id: Some(process), ..item })
    });
    Ok(comments.chain(missing).collect())
}

/// What may be the same need as a challenge that waits.
fn twins(connection: &mut AnyConnection, live: &Live, id: &str) -> Result<Vec<TwinView>, Problem> {
    let id = id.parse().map_err(|_| Problem::not_found())?;
    let Some(challenge) = store::find(connection, id)? else { return Ok(Vec::new()) };
    let mut alike = live.like_stored(connection, &challenge, 3)?;
    alike.retain(|(likeness, _)| likeness.score >= TWIN);
    alike.truncate(3);
    let ids: Vec<_> = alike.iter().map(|(likeness, _)| likeness.challenge).collect();
    let found = store::find_all(connection, &ids)?;
    let bodies: Vec<_> = found.iter().map(|twin| twin.organisation_id).collect();
    let owners = names(connection, &bodies)?;
    let view = |(likeness, _): (Likeness, _)| {
        let twin = found.iter().find(|twin| twin.id == likeness.challenge && Reader::Staff.sees(twin))?;
        Some(TwinView {
            challenge_id: twin.id,
            title: twin.description.title.clone(),
            organisation: owners.get(&twin.organisation_id).cloned().unwrap_or_default(),
            status: twin.stage.status(),
            score: (f64::from(likeness.score) * 1000.0).round() / 1000.0,
        })
    };
    Ok(alike.into_iter().filter_map(view).collect())
}

fn verdicts(challenge: &Challenge) -> Vec<VerdictView> {
    let criteria = challenge.assessment.criteria.iter();
    criteria.map(|criterion| VerdictView { key: criterion.key.clone(), verdict: criterion.verdict }).collect()
}

/// Since when a challenge has been where it is.
pub(super) fn since(challenge: &Challenge) -> Instant {
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
