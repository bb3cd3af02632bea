//! OPI phases over HTTP.

mod library;

use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::actions::Marker;
use super::{Actor, Checklist, ChecklistBody, MarkState, Phase, Track, actions, store};
use crate::access::{Context, Scope};
use crate::kernel::{Fitting, Flaws, Id, Language, text};
use crate::process::http::visible;
use crate::process::{self, Process};
use crate::web::{Body, OptionalBody, PathId, Problem, Reply, Routes};

/// Mounts the slice.
pub fn routes(config: &mut impl Routes) {
    config
        .service(list_opi_checklists)
        .service(add_opi_checklist_version)
        .service(begin_opi_track)
        .service(get_opi_track)
        .service(mark_opi_item)
        .service(advance_opi_track)
        .service(renew_opi_track);
    library::routes(config);
}

/// Versions of the checklist.
#[derive(Debug, Serialize, ToSchema)]
struct Checklists {
    items: Vec<Checklist>,
}

/// Every version of the OPI checklist, the newest first; version 1 is built in.
#[utoipa::path(tag = "phases", security(()), responses((status = 200, body = Checklists)))]
#[get("/opi-checklists")]
async fn list_opi_checklists(context: Context) -> Result<Reply<Checklists>, Problem> {
    Ok(Reply::ok(Checklists { items: context.db.read(store::checklists).await? }))
}

/// Adds the next version of the OPI checklist; by CO-PI's staff. Tracks keep theirs until they are renewed.
#[utoipa::path(tag = "phases", request_body = ChecklistBody, responses((status = 201, body = Checklist)))]
#[post("/opi-checklists")]
async fn add_opi_checklist_version(context: Context, body: Body<ChecklistBody>) -> Result<Reply<Checklist>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let now = context.now;
    let added = context.db.write(move |tx| actions::add_checklist(tx, now, &staff, body.0)).await?;
    Ok(Reply::created(added, "/api/v1/opi-checklists".to_owned()))
}

/// An item, and how it stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OpiItem)]
struct ItemView {
    #[schema(example = "needs_known")]
    key: String,
    actor: Actor,
    #[schema(example = "Behovet er undersøgt hos dem, der har det")]
    text: String,
    state: MarkState,
    /// Who marked it.
    #[schema(required, nullable)]
    marked_by: Option<String>,
    #[schema(required, nullable)]
    marked_at: Option<DateTime<Utc>>,
    #[schema(required, nullable)]
    reason: Option<String>,
}

/// A phase of a track.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OpiPhaseView)]
struct PhaseView {
    phase: Phase,
    #[schema(example = "Idé")]
    title: String,
    purpose: String,
    /// How many items are open.
    open: usize,
    items: Vec<ItemView>,
}

/// How far a process has come through the phases.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OpiTrack)]
struct TrackView {
    #[schema(value_type = String, format = "uuid")]
    process_id: Id<Process>,
    checklist_version: i32,
    /// The phase that it is in.
    phase: Phase,
    #[schema(required, nullable)]
    finished_at: Option<DateTime<Utc>>,
    /// The keys of the items that are open before the next phase.
    open_before_next: Vec<String>,
    phases: Vec<PhaseView>,
    created_at: DateTime<Utc>,
    #[serde(skip)]
    version: i64,
}

impl TrackView {
    fn of(track: &Track, language: Language) -> Self {
        let item = |item: &super::Item| {
            let mark = track.mark(&item.key);
            ItemView {
                key: item.key.clone(),
                actor: item.actor,
                text: item.text(language).to_owned(),
                state: mark.map_or(MarkState::Open, |mark| mark.state),
                marked_by: mark.map(|mark| mark.by.clone()),
                marked_at: mark.map(|mark| mark.at),
                reason: mark.and_then(|mark| mark.reason.clone()),
            }
        };
        let phase = |phase: Phase| PhaseView {
            phase,
            title: phase.title().to(language).to_owned(),
            purpose: phase.purpose().to(language).to_owned(),
            open: track.open(phase).count(),
            items: track.checklist.body.items.iter().filter(|one| one.phase == phase).map(item).collect(),
        };
        let open = track.open(track.phase).filter(|_| track.finished_at.is_none());
        Self {
            process_id: track.process_id,
            checklist_version: track.checklist.version,
            phase: track.phase,
            finished_at: track.finished_at,
            open_before_next: open.map(|item| item.key.clone()).collect(),
            phases: Phase::ALL.into_iter().map(phase).collect(),
            created_at: track.created_at,
            version: track.version,
        }
    }

    fn reply(track: &Track, language: Language) -> Reply<Self> {
        let view = Self::of(track, language);
        let version = view.version;
        Reply::ok(view).tagged(version, language)
    }
}

/// Lets a process carry an OPI track, beginning with the idea and the newest checklist; by CO-PI's staff.
#[utoipa::path(tag = "phases", responses((status = 201, body = TrackView)))]
#[post("/processes/{id}/opi-track")]
async fn begin_opi_track(context: Context, id: PathId<Process>) -> Result<Reply<TrackView>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let now = context.now;
    let track = context.db.write(move |tx| actions::begin(tx, now, &staff, id.0)).await?;
    Ok(TrackView::reply(&track, context.language).status(StatusCode::CREATED))
}

/// The OPI track of a process, with what is open before the next phase; for its participants and staff.
#[utoipa::path(tag = "phases", responses((status = 200, body = TrackView, headers(("ETag")))))]
#[get("/processes/{id}/opi-track")]
async fn get_opi_track(context: Context, id: PathId<Process>) -> Result<Reply<TrackView>, Problem> {
    context.caller.person(Scope::ProcessesRead)?;
    let inside = context.clone();
    let track = context
        .db
        .read(move |connection| {
            visible(connection, &inside, id.0)?;
            if !inside.caller.is_staff() && !process::store::is_inside(connection, id.0, inside.caller.body())? {
                let detail = text!("Kun deltagerne kan se forløbet", "Only participants see the track");
                return Err(Problem::forbidden(detail));
            }
            Ok(actions::carried(connection, id.0)?.1)
        })
        .await?;
    Ok(TrackView::reply(&track, context.language))
}

/// How an item stands.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OpiMark, example = json!({"state": "waived", "reason": "Der behandles ingen personoplysninger."}))]
struct MarkBody {
    state: MarkState,
    /// Needed to waive; at most 2,000 characters.
    #[serde(default)]
    #[schema(max_length = 2000)]
    reason: Option<String>,
}
impl Fitting for MarkBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        if let Some(reason) = &mut self.reason {
            flaws.kept_prose("/reason", reason, 0, 2000);
        }
        self.reason = self.reason.take().filter(|reason| !reason.is_empty());
    }
}

/// Marks an item of the checklist as done or waived, or opens it again; by CO-PI's staff, or by participating public bodies
/// for the public body's items.
#[utoipa::path(tag = "phases", request_body = MarkBody, responses((status = 200, body = TrackView)))]
#[post("/processes/{id}/opi-track/items/{key}")]
async fn mark_opi_item(
    context: Context,
    id: PathId<Process>,
    path: web::Path<(String, String)>,
    body: Body<MarkBody>,
) -> Result<Reply<TrackView>, Problem> {
    let by = if context.caller.is_staff() {
        Marker::Staff(context.caller.staff(Scope::ProcessesWrite)?)
    } else {
        Marker::Member(context.caller.member(Scope::ProcessesWrite)?)
    };
    let (now, key) = (context.now, path.into_inner().1);
    let MarkBody { state, reason } = body.0.into_inner();
    let track = context.db.write(move |tx| actions::mark(tx, now, &by, id.0, &key, state, reason)).await?;
    Ok(TrackView::reply(&track, context.language))
}

/// Why items may stay open.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OpiAdvance, example = json!({"reason": "Resten afklares i udbuddet."}))]
struct AdvanceBody {
    /// Needed while items of the phase are open; 1 to 2,000 characters.
    #[serde(default)]
    #[schema(max_length = 2000)]
    reason: Option<String>,
}
impl Fitting for AdvanceBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        if let Some(reason) = &mut self.reason {
            flaws.kept_prose("/reason", reason, 0, 2000);
        }
        self.reason = self.reason.take().filter(|reason| !reason.is_empty());
    }
}

/// Goes on to the next phase, or from the last to the end; by CO-PI's staff. With open items it takes a reason.
#[utoipa::path(tag = "phases", request_body = Option<AdvanceBody>, responses((status = 200, body = TrackView)))]
#[post("/processes/{id}/opi-track/advance")]
async fn advance_opi_track(
    context: Context,
    id: PathId<Process>,
    body: OptionalBody<AdvanceBody>,
) -> Result<Reply<TrackView>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let now = context.now;
    let reason = body.0.and_then(|body| body.into_inner().reason);
    let track = context.db.write(move |tx| actions::advance(tx, now, &staff, id.0, reason)).await?;
    Ok(TrackView::reply(&track, context.language))
}

/// Takes the newest checklist over; by CO-PI's staff. What was marked stays with its key.
#[utoipa::path(tag = "phases", responses((status = 200, body = TrackView)))]
#[post("/processes/{id}/opi-track/renew")]
async fn renew_opi_track(context: Context, id: PathId<Process>) -> Result<Reply<TrackView>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let now = context.now;
    let track = context.db.write(move |tx| actions::renew(tx, now, &staff, id.0)).await?;
    Ok(TrackView::reply(&track, context.language))
}
