//! Adoptions, spread and outcomes over HTTP.

mod outcomes;
mod pages;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, Responder, get, post};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Adoption, AdoptionBody, BuyerContact, Figures, Growth, Stage, StageEntry, Way, actions, growth, store};
use crate::access::{Context, Scope};
use crate::kernel::{Fitting, Flaws, Id, OrganisationId, copenhagen, text};
use crate::process::Process;
use crate::process::http::visible;
use crate::web::{Body, PathId, Problem, Query, Reply, Routes, csv, wants_csv};

/// Mounts the slice.
pub fn routes(config: &mut impl Routes) {
    config.service(add_adoption).service(list_adoptions).service(get_spread).service(reach_adoption_stage);
    outcomes::routes(config);
    pages::routes(config);
}

/// An adoption.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Adoption)]
struct AdoptionView {
    #[schema(value_type = String, format = "uuid")]
    id: Id<Adoption>,
    #[schema(value_type = String, format = "uuid")]
    organisation_id: OrganisationId,
    organisation: String,
    adopted_on: NaiveDate,
    way: Way,
    /// Whether it is really used: what counts as spread.
    in_use: bool,
    stage: Stage,
    /// From which day it stands there.
    since: NaiveDate,
    /// Every stage it came through, oldest first.
    stages: Vec<StageEntry>,
    expected: Figures,
    /// For CO-PI's staff alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<BuyerContact>,
}

impl AdoptionView {
    fn of(adoption: Adoption, staff: bool) -> Result<Self, Problem> {
        let stage = adoption.stage().ok_or_else(|| Problem::internal(&"an adoption without a stage"))?;
        Ok(Self {
            id: adoption.id,
            organisation_id: adoption.organisation_id,
            organisation: adoption.organisation,
            adopted_on: adoption.adopted_on,
            way: adoption.way,
            in_use: stage.stage.counts(),
            stage: stage.stage,
            since: stage.since,
            stages: adoption.stages,
            expected: adoption.expected,
            contact: adoption.contact.filter(|_| staff),
        })
    }
}

/// Who took the solution over.
#[derive(Debug, Serialize, ToSchema)]
struct Adoptions {
    items: Vec<AdoptionView>,
}

/// Writes down that a body takes the solution over; by CO-PI's staff. What was told of that body before is replaced, the
/// stages it came through are kept.
#[utoipa::path(tag = "spread", request_body = AdoptionBody, responses((status = 201, body = AdoptionView)))]
#[post("/processes/{id}/adoptions")]
async fn add_adoption(
    context: Context,
    id: PathId<Process>,
    body: Body<AdoptionBody>,
) -> Result<Reply<AdoptionView>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let now = context.now;
    let adoption = context.db.write(move |tx| actions::adopt(tx, now, &staff, id.0, body.0)).await?;
    Ok(Reply::ok(AdoptionView::of(adoption, true)?).status(StatusCode::CREATED))
}

/// The bodies that took the solution over, in the order of doing so.
#[utoipa::path(tag = "spread", security(()), responses((status = 200, body = Adoptions)))]
#[get("/processes/{id}/adoptions")]
async fn list_adoptions(context: Context, id: PathId<Process>) -> Result<Reply<Adoptions>, Problem> {
    let (inside, staff) = (context.clone(), context.caller.is_staff());
    let adoptions = context
        .db
        .read(move |connection| {
            visible(connection, &inside, id.0)?;
            Ok::<_, Problem>(store::of_process(connection, id.0)?)
        })
        .await?;
    let items = adoptions.into_iter().map(|adoption| AdoptionView::of(adoption, staff)).collect::<Result<_, _>>()?;
    Ok(Reply::ok(Adoptions { items }))
}

/// A stage that a body has come to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"stage": "practice_changed", "since": "2026-10-01", "reason": "Runderne er lagt om"}))]
struct StageBody {
    stage: Stage,
    /// From which day; today when left out.
    #[serde(default)]
    since: Option<NaiveDate>,
    /// At most 2,000 characters.
    #[serde(default)]
    #[schema(max_length = 2000)]
    reason: Option<String>,
}

impl Fitting for StageBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.date("/since", self.since);
        if let Some(reason) = &mut self.reason {
            flaws.kept_prose("/reason", reason, 0, 2000);
        }
    }
}

/// Says that a body has come to another stage with the solution; by its own people, or by CO-PI's staff.
#[utoipa::path(tag = "spread", request_body = StageBody, responses((status = 201, body = AdoptionView)))]
#[post("/adoptions/{id}/stages")]
async fn reach_adoption_stage(
    context: Context,
    id: PathId<Adoption>,
    body: Body<StageBody>,
) -> Result<Reply<AdoptionView>, Problem> {
    let person = context.caller.person(Scope::ProcessesWrite)?.clone();
    let staff = context.caller.is_staff();
    let own = if staff { None } else { Some(context.caller.member(Scope::ProcessesWrite)?.organisation_id()) };
    let StageBody { stage, since, reason } = body.0.into_inner();
    let (now, reason) = (context.now, reason.filter(|reason| !reason.is_empty()));
    let deed = context.db.write(move |tx| actions::reach(tx, now, person.actor(), own, id.0, (stage, since), reason));
    Ok(Reply::ok(AdoptionView::of(deed.await?, staff)?).status(StatusCode::CREATED))
}

/// As of when.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AsOf {
    /// A day from 1900 to today; today when left out.
    as_of: Option<NaiveDate>,
}

/// How the solution has spread, year by year, as of a day: only bodies that really use it count. As JSON, or as CSV by
/// `Accept: text/csv`.
#[utoipa::path(tag = "spread", security(()), params(AsOf), responses((status = 200, content((Growth = "application/json"),
    (String = "text/csv", example = "year,as_of,spread,planned,bought,in_use,practice_changed,ended\r\n")))))]
#[get("/processes/{id}/spread")]
async fn get_spread(
    context: Context,
    id: PathId<Process>,
    query: Query<AsOf>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let today = copenhagen(context.now).date_naive();
    let as_of = query.0.as_of.unwrap_or(today);
    let mut flaws = Flaws::default();
    flaws.date("/as_of", Some(as_of));
    if as_of > today {
        flaws.add("/as_of", "in_the_future", text!("Dagen er ikke kommet endnu", "The day has not come yet"));
    }
    if !flaws.0.is_empty() {
        return Err(flaws.into());
    }
    let inside = context.clone();
    let adoptions = context
        .db
        .read(move |connection| {
            visible(connection, &inside, id.0)?;
            Ok::<_, Problem>(store::of_process(connection, id.0)?)
        })
        .await?;
    let stages: Vec<(Way, &[StageEntry])> = adoptions.iter().map(|one| (one.way, one.stages.as_slice())).collect();
    let curve = growth(&stages, as_of);
    Ok(if wants_csv(&request) { csv(curve.csv()) } else { Reply::ok(curve).respond_to(&request) })
}
