//! Planning a succession over HTTP.

use actix_web::http::StatusCode;
use actix_web::{delete, get, post};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::actions::{self, Carried};
use crate::access::{Context, Scope};
use crate::db::AnyConnection;
use crate::kernel::{Fitting, Flaws, Instant, OrganisationId, of};
use crate::organisation::{self, Organisation};
use crate::outbox::{self, FactRow, Subject};
use crate::web::{Body, PathId, Problem, Reply, Routes};

/// Mounts the slice.
pub fn routes(config: &mut impl Routes) {
    config.service(plan_succession).service(get_succession).service(cancel_succession);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"successor_id": "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e", "takes_effect_on": "2027-01-01",
    "reason": "Lov om Region Østdanmark"}))]
struct SuccessionBody {
    #[schema(value_type = String, format = "uuid")]
    successor_id: OrganisationId,
    /// The successor's first day with what the body had, in Denmark; its last day is the one before.
    takes_effect_on: NaiveDate,
    /// 1 to 2,000 characters.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
}

impl Fitting for SuccessionBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.date("/takes_effect_on", Some(self.takes_effect_on));
        flaws.kept_prose("/reason", &mut self.reason, 1, 2000);
    }
}

/// How one body is followed by another.
#[derive(Debug, Serialize, ToSchema)]
struct Succession {
    #[schema(value_type = String, format = "uuid")]
    organisation_id: OrganisationId,
    organisation: String,
    #[schema(value_type = String, format = "uuid")]
    successor_id: OrganisationId,
    successor: String,
    /// None while the body has no last day: then nothing happens.
    #[schema(required, nullable)]
    takes_effect_on: Option<NaiveDate>,
    /// Why; none where the body came with its successor from a file.
    #[schema(required, nullable)]
    reason: Option<String>,
    #[schema(required, nullable)]
    planned_by: Option<String>,
    #[schema(required, nullable)]
    planned_at: Option<DateTime<Utc>>,
    #[schema(required, nullable)]
    handed_over_at: Option<DateTime<Utc>>,
    /// What passes on as it stands now, or what did.
    carries: Carried,
}

fn show(connection: &mut AnyConnection, from: Organisation, now: Instant) -> Result<Succession, Problem> {
    let successor_id = from.body.successor_id.ok_or_else(Problem::not_found)?;
    let successor = organisation::store::find(connection, successor_id)?.ok_or_else(Problem::not_found)?;
    let history = outbox::history(connection, Subject::Organisation, from.id)?;
    let newest = |deed: &str| history.iter().rev().find(|fact: &&FactRow| fact.deed == deed);
    let done = newest("handed_over").and_then(|fact| serde_json::from_value(fact.data.get("carried")?.clone()).ok());
    let carries = match done {
        Some(carried) => carried,
        None => actions::look(connection, from.id, now)?,
    };
    let plan = newest("succession_planned");
    Ok(Succession {
        organisation_id: from.id,
        organisation: from.body.name,
        successor_id,
        successor: successor.body.name,
        takes_effect_on: from.body.valid_to.map(|last_day| last_day + TimeDelta::days(1)),
        reason: plan.and_then(|fact| fact.reason.clone()),
        planned_by: plan.map(|fact| fact.by.clone()),
        planned_at: plan.map(|fact| fact.at),
        handed_over_at: from.handed_over_at,
        carries,
    })
}

/// Plans that another body carries on what this one has, from a day on; by CO-PI's staff. On that day its challenges,
/// recognitions, commitments, participations, people and everything that is open become the successor's, each with its
/// history. A day that has come takes effect at once. A plan replaces the one before it.
#[utoipa::path(tag = "organisations", request_body = SuccessionBody, responses((status = 201, body = Succession)))]
#[post("/organisations/{id}/succession")]
async fn plan_succession(
    context: Context,
    id: PathId<of::Organisation>,
    body: Body<SuccessionBody>,
) -> Result<Reply<Succession>, Problem> {
    let staff = context.caller.staff(Scope::Admin)?;
    let (node, now) = (context.node.clone(), context.now);
    let planned = context.db.write(move |tx| {
        let SuccessionBody { successor_id, takes_effect_on, reason } = body.0.into_inner();
        organisation::plan_succession(tx, now, &staff, id.0, successor_id, takes_effect_on, reason)?;
        actions::carry_out_due(tx, &node, now)?;
        let organisation = organisation::store::find(tx.connection, id.0)?.ok_or_else(Problem::not_found)?;
        show(tx.connection, organisation, now)
    });
    let planned = planned.await?;
    let location = format!("/api/v1/organisations/{}/succession", planned.organisation_id);
    Ok(Reply::created(planned, location))
}

/// Who carries on what this body has, from when, and how much that is; for CO-PI's staff.
#[utoipa::path(tag = "organisations", responses((status = 200, body = Succession)))]
#[get("/organisations/{id}/succession")]
async fn get_succession(context: Context, id: PathId<of::Organisation>) -> Result<Reply<Succession>, Problem> {
    context.caller.staff(Scope::Admin)?;
    let now = context.now;
    let found = context.db.read(move |connection| {
        let organisation = organisation::store::find(connection, id.0)?.ok_or_else(Problem::not_found)?;
        show(connection, organisation, now)
    });
    Ok(Reply::ok(found.await?))
}

/// Takes a plan back before its day: the body has neither a successor nor a last day any more; by CO-PI's staff.
#[utoipa::path(tag = "organisations", responses((status = 204, description = "The body goes on."), (status = 409, description = "It was handed over.")))]
#[delete("/organisations/{id}/succession")]
async fn cancel_succession(context: Context, id: PathId<of::Organisation>) -> Result<Reply<()>, Problem> {
    let staff = context.caller.staff(Scope::Admin)?;
    let now = context.now;
    context.db.write(move |tx| organisation::cancel_succession(tx, now, &staff, id.0)).await?;
    Ok(Reply::ok(()).status(StatusCode::NO_CONTENT))
}
