//! Processes over HTTP.

mod commitment;

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{delete, get, patch, post, web};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::demand::Demand;
use super::{
    Participant, ParticipantBody, ParticipantState, Process, ProcessBody, Status, StepState, TimelineBody,
    TimelineEntry, actions, store,
};
use crate::access::{Context, Scope};
use crate::challenge::http::{ChallengeView, show_all};
use crate::challenge::{self, Challenge};
use crate::db::AnyConnection;
use crate::kernel::{Fitting, Flaws, Id, Language, OrganisationId, Page, copenhagen, text};
use crate::matching;
use crate::matching::http::filled;
use crate::matching::live::Live;
use crate::matching::verdict::Rejection;
use crate::need;
use crate::need::http::NeedsBehind;
use crate::outbox::{HistoryView, Subject, history};
use crate::web::{Body, IfMatch, Paging, Patch, PathId, Problem, Query, Reply, Routes};

/// Mounts the slice.
pub fn routes(config: &mut impl Routes) {
    config
        .service(list_process_suggestions)
        .service(reject_process_suggestion)
        .service(open_process)
        .service(list_processes)
        .service(get_process)
        .service(change_process)
        .service(add_challenge_to_process)
        .service(take_challenge_out_of_process)
        .service(list_process_challenges)
        .service(list_process_needs)
        .service(add_participant)
        .service(change_participant)
        .service(join_process)
        .service(step_process)
        .service(list_timeline)
        .service(add_timeline_entry)
        .service(get_process_history);
    commitment::routes(config);
}

/// A step, in the reader's language.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Step)]
struct StepView {
    #[schema(minimum = 1, maximum = 6)]
    number: u8,
    #[schema(example = "Markedsdialog")]
    title: String,
    state: StepState,
    /// Since when it stands so.
    #[schema(required, nullable)]
    since: Option<DateTime<Utc>>,
    #[schema(required, nullable)]
    reason: Option<String>,
}

/// A process.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Process)]
struct ProcessView {
    #[schema(value_type = String, format = "uuid")]
    id: Id<Process>,
    #[serde(flatten)]
    #[schema(inline)]
    body: ProcessBody,
    /// The steps that are open.
    current_steps: Vec<u8>,
    steps: Vec<StepView>,
    /// Who takes part, in the order of joining; with a single process.
    #[serde(skip_serializing_if = "Option::is_none")]
    participants: Option<Vec<Participant>>,
    /// How many take part now, derived and dated; with a single process.
    #[serde(skip_serializing_if = "Option::is_none")]
    participant_count: Option<Count>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// A count and the day it holds for.
#[derive(Debug, Serialize, ToSchema)]
struct Count {
    count: usize,
    as_of: NaiveDate,
}

impl ProcessView {
    fn of(process: Process, language: Language) -> Self {
        let step = |step: &super::Step| StepView {
            number: step.number,
            title: step.title(language),
            state: step.state,
            since: step.since,
            reason: step.reason.clone(),
        };
        let open = process.steps.iter().filter(|step| step.state == StepState::Open);
        Self {
            id: process.id,
            current_steps: open.map(|step| step.number).collect(),
            steps: process.steps.iter().map(step).collect(),
            body: process.body,
            participants: None,
            participant_count: None,
            created_at: process.created_at,
            updated_at: process.updated_at,
        }
    }
}

fn show(connection: &mut AnyConnection, process: Process, context: &Shown) -> Result<(i64, ProcessView), Problem> {
    let participants = store::participants(connection, process.id)?;
    let counts = |p: &&Participant| matches!(p.body.state, ParticipantState::Guest | ParticipantState::Partner);
    let count = Count { count: participants.iter().filter(counts).count(), as_of: context.today };
    let version = process.version;
    let view = ProcessView::of(process, context.language);
    Ok((version, ProcessView { participants: Some(participants), participant_count: Some(count), ..view }))
}

/// For whom, and on which day.
struct Shown {
    language: Language,
    today: NaiveDate,
}

impl Shown {
    fn to(context: &Context) -> Self {
        Self { language: context.language, today: copenhagen(context.now).date_naive() }
    }
}

/// A process that the caller may see: public ones for everybody, all for staff, those being prepared for their
/// participants too.
///
/// # Errors
/// 404.
pub fn visible(connection: &mut AnyConnection, context: &Context, id: Id<Process>) -> Result<Process, Problem> {
    let process = store::find(connection, id)?.ok_or_else(Problem::not_found)?;
    if process.is_public() || context.caller.is_staff() {
        return Ok(process);
    }
    let body = context.caller.body().ok_or_else(Problem::not_found)?;
    let inside = store::participants(connection, id)?.iter().any(|p| p.body.organisation_id == body);
    if inside { Ok(process) } else { Err(Problem::not_found()) }
}

/// Whether the caller is one of staff or acts for a body that was let into the process.
fn takes_part(connection: &mut AnyConnection, context: &Context, id: Id<Process>) -> Result<bool, Problem> {
    Ok(context.caller.is_staff() || store::is_inside(connection, id, context.caller.body())?)
}

/// Challenges that look like one process.
#[derive(Debug, Serialize, ToSchema)]
struct Suggestion {
    challenges: Vec<ChallengeView>,
    /// How much alike they are on average, 0 to 1.
    #[schema(minimum = 0, maximum = 1, example = 0.83)]
    cohesion: f32,
    /// What they share, in words.
    #[schema(example = json!(["natlige tilsyn", "søvn"]))]
    shared: Vec<String>,
    demand: Demand,
    /// Challenges that were nearly in.
    near_misses: Vec<NearMiss>,
}

/// A challenge that was nearly in a group.
#[derive(Debug, Serialize, ToSchema)]
struct NearMiss {
    #[schema(value_type = String, format = "uuid")]
    challenge_id: Id<Challenge>,
    /// How much alike it is on average, 0 to 1.
    #[schema(minimum = 0, maximum = 1, example = 0.41)]
    cohesion: f32,
}

/// Suggested processes.
#[derive(Debug, Serialize, ToSchema)]
struct Suggestions {
    items: Vec<Suggestion>,
}

/// Groups of approved challenges, in no process yet, that look like one; the most cohesive first. For CO-PI's staff.
#[utoipa::path(tag = "processes", responses((status = 200, body = Suggestions)))]
#[get("/process-suggestions")]
async fn list_process_suggestions(context: Context, live: web::Data<Arc<Live>>) -> Result<Reply<Suggestions>, Problem> {
    context.caller.staff(Scope::ProcessesRead)?;
    filled(&context, &live).await?;
    let (now, language) = (context.now, context.language);
    let items = context
        .db
        .read(move |connection| {
            let groups = live.suggest(connection)?;
            groups
                .into_iter()
                .map(|group| {
                    let challenges = challenge::store::find_all(connection, &group.members)?;
                    Ok(Suggestion {
                        demand: actions::demand_of(connection, now, &challenges, language)?,
                        challenges: show_all(connection, challenges, language)?,
                        cohesion: group.cohesion,
                        shared: live.shared(&group.members, language),
                        near_misses: group
                            .near_misses
                            .into_iter()
                            .map(|(challenge_id, cohesion)| NearMiss { challenge_id, cohesion })
                            .collect(),
                    })
                })
                .collect::<Result<Vec<_>, Problem>>()
        })
        .await?;
    Ok(Reply::ok(Suggestions { items }))
}

/// A suggestion to turn down.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"challenge_ids": ["0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e", "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4f"],
    "reason": "Det ene er brandalarmer, det andet er nødkald."}))]
struct SuggestionRejectionBody {
    /// The challenges of the suggestion, 2 to 200.
    #[schema(value_type = Vec<String>, min_items = 2, max_items = 200)]
    challenge_ids: Vec<Id<Challenge>>,
    /// 1 to 2,000 characters.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
}

impl Fitting for SuggestionRejectionBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        if !(2..=200).contains(&self.challenge_ids.len()) {
            let detail = text!("Et forslag er 2 til 200 udfordringer", "A suggestion is 2 to 200 challenges");
            flaws.add("/challenge_ids", "out_of_range", detail);
        }
        flaws.kept_prose("/reason", &mut self.reason, 1, 2000);
    }
}

/// Turns down a suggested process; by CO-PI's staff. It is not suggested again until something new speaks for it: one
/// more challenge, or a body that says it is the same need.
#[utoipa::path(tag = "processes", request_body = SuggestionRejectionBody, responses((status = 201, body = Rejection)))]
#[post("/process-suggestions/reject")]
async fn reject_process_suggestion(
    context: Context,
    body: Body<SuggestionRejectionBody>,
) -> Result<Reply<Rejection>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let now = context.now;
    let SuggestionRejectionBody { challenge_ids, reason } = body.0.into_inner();
    let no = context.db.write(move |tx| matching::actions::reject(tx, now, &staff, challenge_ids, reason)).await?;
    Ok(Reply::ok(no).status(StatusCode::CREATED))
}

/// A process to open.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Sammen om natlige tilsyn", "summary": "Fire kommuner vil færre unødige tilsyn.",
    "challenge_ids": ["0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e"]}))]
struct OpeningBody {
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    title: String,
    /// At most 6,000 characters.
    #[serde(default)]
    #[schema(max_length = 6000)]
    summary: String,
    /// Approved challenges to gather; at most 200.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 200)]
    challenge_ids: Vec<Id<Challenge>>,
    /// The body that leads the others.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "uuid")]
    lead_organisation_id: Option<OrganisationId>,
}

impl Fitting for OpeningBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.line("/title", &mut self.title, 1, 200);
        flaws.no_cpr("/title", &self.title);
        flaws.kept_prose("/summary", &mut self.summary, 0, 6000);
        flaws.count("/challenge_ids", &self.challenge_ids, 0, 200);
        let mut seen = std::collections::HashSet::new();
        self.challenge_ids.retain(|id| seen.insert(*id));
    }
}

/// Opens a process around approved challenges; by CO-PI's staff. Their owners become its need owners.
#[utoipa::path(tag = "processes", request_body = OpeningBody, responses((status = 201, body = ProcessView)))]
#[post("/processes")]
async fn open_process(context: Context, body: Body<OpeningBody>) -> Result<Reply<ProcessView>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let (now, shown, language) = (context.now, Shown::to(&context), context.language);
    let OpeningBody { title, summary, challenge_ids, lead_organisation_id } = body.0.into_inner();
    let (version, view) = context
        .db
        .write(move |tx| {
            let process = actions::gather(tx, now, &staff, title, summary, &challenge_ids, lead_organisation_id)?;
            show(tx.connection, process, &shown)
        })
        .await?;
    let location = format!("/api/v1/processes/{}", view.id);
    Ok(Reply::created(view, location).tagged(version, language))
}

/// What a list of processes may be narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    status: Option<Status>,
    /// Rows a page, 1 to 200; 50 when left out.
    limit: Option<i64>,
    cursor: Option<String>,
    /// `newest` (default) or `changed`: oldest change first.
    order: Option<String>,
    since: Option<String>,
}

/// The processes; those being prepared only for staff.
#[utoipa::path(tag = "processes", security(()), params(ListQuery), responses((status = 200, body = Page<ProcessView>)))]
#[get("/processes")]
async fn list_processes(context: Context, query: Query<ListQuery>) -> Result<Reply<Page<ProcessView>>, Problem> {
    let Query(ListQuery { status, limit, cursor, order, since }) = query;
    let request = Paging { limit, cursor, order, since }.of(store::LIST)?;
    let (staff, language) = (context.caller.is_staff(), context.language);
    let page = context.db.read(move |connection| store::list(connection, staff, status, &request)).await?;
    Ok(Reply::page(page.map(|process| ProcessView::of(process, language))))
}

/// One process, with its participants.
#[utoipa::path(tag = "processes", security(()), responses((status = 200, body = ProcessView, headers(("ETag")))))]
#[get("/processes/{id}")]
async fn get_process(context: Context, id: PathId<Process>) -> Result<Reply<ProcessView>, Problem> {
    let (shown, inside) = (Shown::to(&context), context.clone());
    let (version, view) = context
        .db
        .read(move |connection| {
            let process = visible(connection, &inside, id.0)?;
            show(connection, process, &shown)
        })
        .await?;
    Ok(Reply::ok(view).tagged(version, context.language))
}

/// Changes a process or moves it on; by CO-PI's staff. Pausing and abandoning take a `reason` beside the changes.
#[utoipa::path(tag = "processes", request_body(content = ProcessBody, content_type = "application/merge-patch+json"), responses((status = 200, body = ProcessView)))]
#[patch("/processes/{id}")]
async fn change_process(
    context: Context,
    id: PathId<Process>,
    seen: IfMatch,
    mut patch: Patch,
) -> Result<Reply<ProcessView>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let node = context.node.clone();
    let (now, shown) = (context.now, Shown::to(&context));
    let reason = patch.take("reason").and_then(|reason| reason.as_str().map(|reason| reason.trim().to_owned()));
    let reason = reason.filter(|reason| !reason.is_empty());
    let (version, view) = context
        .db
        .write(move |tx| {
            let process = actions::change(tx, now, &staff, id.0, &seen, &patch, reason.as_deref())?;
            actions::tell_senders(tx, &node, now, &staff, &process)?;
            show(tx.connection, process, &shown)
        })
        .await?;
    Ok(Reply::ok(view).tagged(version, context.language))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"challenge_id": "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e"}))]
struct ChallengeRef {
    #[schema(value_type = String, format = "uuid")]
    challenge_id: Id<Challenge>,
}
impl Fitting for ChallengeRef {
    fn fit(&mut self, _: &mut Flaws) {}
}

/// Adds an approved challenge to a process; by CO-PI's staff.
#[utoipa::path(tag = "processes", request_body = ChallengeRef, responses((status = 200, body = ProcessView)))]
#[post("/processes/{id}/challenges")]
async fn add_challenge_to_process(
    context: Context,
    id: PathId<Process>,
    body: Body<ChallengeRef>,
) -> Result<Reply<ProcessView>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let node = context.node.clone();
    let (now, shown) = (context.now, Shown::to(&context));
    let (version, view) = context
        .db
        .write(move |tx| {
            let process = actions::add_challenge(tx, now, &staff, id.0, body.0.challenge_id)?;
            actions::tell_senders(tx, &node, now, &staff, &process)?;
            show(tx.connection, process, &shown)
        })
        .await?;
    Ok(Reply::ok(view).tagged(version, context.language))
}

/// The challenges in a process; for members of public bodies and staff.
#[utoipa::path(tag = "processes", responses((status = 200, body = ProcessChallenges)))]
#[get("/processes/{id}/challenges")]
async fn list_process_challenges(context: Context, id: PathId<Process>) -> Result<Reply<ProcessChallenges>, Problem> {
    challenge::http::reader(&context.caller)?;
    let (inside, language) = (context.clone(), context.language);
    let items = context
        .db
        .read(move |connection| {
            visible(connection, &inside, id.0)?;
            let challenges = challenge::store::in_process(connection, &id.0.to_string())?;
            show_all(connection, challenges, language)
        })
        .await?;
    Ok(Reply::ok(ProcessChallenges { items }))
}

/// The needs behind a process, challenge by challenge.
#[derive(Debug, Serialize, ToSchema)]
struct ProcessNeeds {
    /// All of them together.
    #[schema(example = 139)]
    needs: usize,
    /// The challenges in the process, oldest first.
    challenges: Vec<NeedsBehind>,
}

/// The way back from a process over its challenges to the needs that people on the floor left: counts for everybody who sees
/// the process, and the words for the body that gathered them.
#[utoipa::path(tag = "processes", security(()), responses((status = 200, body = ProcessNeeds)))]
#[get("/processes/{id}/needs")]
async fn list_process_needs(context: Context, id: PathId<Process>) -> Result<Reply<ProcessNeeds>, Problem> {
    let inside = context.clone();
    let challenges = context
        .db
        .read(move |connection| {
            visible(connection, &inside, id.0)?;
            let challenges = challenge::store::in_process(connection, &id.0.to_string())?;
            let body = inside.caller.body();
            let behind = |challenge: &Challenge| need::http::behind(connection, challenge, body);
            challenges.iter().map(behind).collect::<Result<Vec<_>, Problem>>()
        })
        .await?;
    let needs = challenges.iter().map(|behind| behind.needs).sum();
    Ok(Reply::ok(ProcessNeeds { needs, challenges }))
}

/// The challenges in a process.
#[derive(Debug, Serialize, ToSchema)]
struct ProcessChallenges {
    items: Vec<ChallengeView>,
}

/// Why, in a query.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ReasonQuery {
    /// Why it is taken out; 1 to 2,000 characters.
    #[param(required, min_length = 1, max_length = 2000)]
    reason: Option<String>,
}

/// Takes a challenge out of a process; by CO-PI's staff, with a reason. It is approved again, as before.
#[utoipa::path(tag = "processes", params(ReasonQuery), responses((status = 204, description = "It is out.")))]
#[delete("/processes/{id}/challenges/{challenge_id}")]
async fn take_challenge_out_of_process(
    context: Context,
    id: PathId<Process>,
    path: web::Path<(String, String)>,
    query: Query<ReasonQuery>,
) -> Result<Reply<()>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let challenge: Id<Challenge> = path.1.parse().map_err(|_| Problem::not_found())?;
    let mut flaws = Flaws::default();
    let mut reason = query.0.reason.unwrap_or_default();
    flaws.kept_prose("/reason", &mut reason, 1, 2000);
    if !flaws.0.is_empty() {
        return Err(flaws.into());
    }
    let now = context.now;
    context.db.write(move |tx| actions::take_out(tx, now, &staff, id.0, challenge, reason)).await?;
    Ok(Reply::ok(()).status(StatusCode::NO_CONTENT))
}

/// Adds a participant, in a role, from the day it joined; by CO-PI's staff.
#[utoipa::path(tag = "processes", request_body = ParticipantBody, responses((status = 201, body = Participant)))]
#[post("/processes/{id}/participants")]
async fn add_participant(
    context: Context,
    id: PathId<Process>,
    body: Body<ParticipantBody>,
) -> Result<Reply<Participant>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let now = context.now;
    let participant = context.db.write(move |tx| actions::add_participant(tx, now, &staff, id.0, body.0)).await?;
    Ok(Reply::ok(participant).status(StatusCode::CREATED))
}

/// Changes a participant's role, state or dates; by CO-PI's staff. `If-Match` takes the process's ETag, or `*`.
#[utoipa::path(tag = "processes", request_body(content = ParticipantBody, content_type = "application/merge-patch+json"), responses((status = 200, body = Participant)))]
#[patch("/processes/{id}/participants/{participant_id}")]
async fn change_participant(
    context: Context,
    id: PathId<Process>,
    path: web::Path<(String, String)>,
    seen: IfMatch,
    patch: Patch,
) -> Result<Reply<Participant>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let participant: Id<Participant> = path.1.parse().map_err(|_| Problem::not_found())?;
    let now = context.now;
    let changed = context.db.write(move |tx| {
        let process = store::find(tx.connection, id.0)?.ok_or_else(Problem::not_found)?;
        seen.require(process.version)?;
        actions::change_participant(tx, now, &staff, id.0, participant, &patch)
    });
    Ok(Reply::ok(changed.await?))
}

/// The caller's body asks to join, at any step; invited, it accepts.
#[utoipa::path(tag = "processes", responses((status = 201, body = Participant)))]
#[post("/processes/{id}/join")]
async fn join_process(context: Context, id: PathId<Process>) -> Result<Reply<Participant>, Problem> {
    let member = context.caller.member(Scope::ProcessesWrite)?;
    let now = context.now;
    let participant = context.db.write(move |tx| actions::join(tx, now, &member, id.0)).await?;
    Ok(Reply::ok(participant).status(StatusCode::CREATED))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"state": "open"}))]
struct StepBody {
    state: StepState,
    /// Needed to skip a step, or to set it back; at most 2,000 characters.
    #[serde(default)]
    #[schema(max_length = 2000)]
    reason: Option<String>,
}
impl Fitting for StepBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        if let Some(reason) = &mut self.reason {
            flaws.kept_prose("/reason", reason, 0, 2000);
        }
    }
}

/// Opens, finishes or skips one of the six steps; by CO-PI's staff.
#[utoipa::path(tag = "processes", params(("n" = u8, Path, minimum = 1, maximum = 6, example = 2)), request_body = StepBody, responses((status = 200, body = ProcessView)))]
#[post("/processes/{id}/steps/{n}")]
async fn step_process(
    context: Context,
    id: PathId<Process>,
    path: web::Path<(String, String)>,
    body: Body<StepBody>,
) -> Result<Reply<ProcessView>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let number: u8 = path.1.parse().map_err(|_| Problem::not_found())?;
    let (now, shown) = (context.now, Shown::to(&context));
    let StepBody { state, reason } = body.0.into_inner();
    let reason = reason.filter(|reason| !reason.is_empty());
    let (version, view) = context
        .db
        .write(move |tx| {
            let process = actions::step(tx, now, &staff, id.0, number, state, reason)?;
            show(tx.connection, process, &shown)
        })
        .await?;
    Ok(Reply::ok(view).tagged(version, context.language))
}

/// What happened in a process.
#[derive(Debug, Serialize, ToSchema)]
struct Timeline {
    items: Vec<TimelineEntry>,
}

/// The dated events and documents of a process, oldest first.
#[utoipa::path(tag = "processes", security(()), responses((status = 200, body = Timeline)))]
#[get("/processes/{id}/timeline")]
async fn list_timeline(context: Context, id: PathId<Process>) -> Result<Reply<Timeline>, Problem> {
    let inside = context.clone();
    let items = context
        .db
        .read(move |connection| {
            visible(connection, &inside, id.0)?;
            Ok::<_, Problem>(store::timeline(connection, id.0)?)
        })
        .await?;
    Ok(Reply::ok(Timeline { items }))
}

/// Adds an event or a document to the timeline; by CO-PI's staff.
#[utoipa::path(tag = "processes", request_body = TimelineBody, responses((status = 201, body = TimelineEntry)))]
#[post("/processes/{id}/timeline")]
async fn add_timeline_entry(
    context: Context,
    id: PathId<Process>,
    body: Body<TimelineBody>,
) -> Result<Reply<TimelineEntry>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let now = context.now;
    let entry = context.db.write(move |tx| actions::add_to_timeline(tx, now, &staff, id.0, body.0)).await?;
    Ok(Reply::ok(entry).status(StatusCode::CREATED))
}

/// Who did what to a process, when and why, with what was before and after; for whoever may see it. What a body committed
/// itself to is told to participants and staff alone.
#[utoipa::path(tag = "processes", responses((status = 200, body = HistoryView)))]
#[get("/processes/{id}/history")]
async fn get_process_history(context: Context, id: PathId<Process>) -> Result<Reply<HistoryView>, Problem> {
    context.caller.person(Scope::ProcessesRead)?;
    let inside = context.clone();
    let items = context
        .db
        .read(move |connection| {
            visible(connection, &inside, id.0)?;
            let mut items = history(connection, Subject::Process, id.0)?;
            if !takes_part(connection, &inside, id.0)? {
                items.iter_mut().filter(|item| item.deed == "committed").for_each(|item| item.data = json!({}));
            }
            Ok::<_, Problem>(items)
        })
        .await?;
    Ok(Reply::ok(HistoryView { items }))
}
