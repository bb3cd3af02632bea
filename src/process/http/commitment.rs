//! What bodies commit themselves to, and what it adds up to, over HTTP.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, Responder, get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{takes_part, visible};
use crate::access::{Context, Scope};
use crate::kernel::text;
use crate::process::demand::{By, Demand};
use crate::process::{Commitment, CommitmentBody, Process, actions, store};
use crate::web::{Body, PathId, Problem, Query, Reply, Routes, csv, wants_csv};

pub(super) fn routes(config: &mut impl Routes) {
    config.service(commit_to_process).service(list_commitments).service(get_demand);
}

/// Says what a body wants; by the body itself, or by CO-PI's staff for it. Options together stay under the cap.
#[utoipa::path(tag = "processes", request_body = CommitmentBody, responses((status = 201, body = Commitment)))]
#[post("/processes/{id}/commitments")]
async fn commit_to_process(
    context: Context,
    id: PathId<Process>,
    body: Body<CommitmentBody>,
) -> Result<Reply<Commitment>, Problem> {
    let person = context.caller.person(Scope::ProcessesWrite)?.clone();
    if !context.caller.is_staff()
        && context.caller.member(Scope::ProcessesWrite)?.organisation_id() != body.0.organisation_id
    {
        let detail = text!("I kan kun forpligte jer selv", "You can only commit your own body");
        return Err(Problem::forbidden(detail));
    }
    let (now, language) = (context.now, context.language);
    let said = context.db.write(move |tx| actions::commit(tx, now, person.actor(), id.0, body.0, language)).await?;
    Ok(Reply::ok(said).status(StatusCode::CREATED))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CommitmentsQuery {
    /// Also what was said before and no longer counts.
    #[serde(default)]
    #[param(default = false)]
    all: bool,
}

/// The commitments that count, one a body, or with `all` everything that was ever said, oldest first; for participants
/// and staff.
#[utoipa::path(tag = "processes", params(CommitmentsQuery), responses((status = 200, body = Commitments)))]
#[get("/processes/{id}/commitments")]
async fn list_commitments(
    context: Context,
    id: PathId<Process>,
    query: Query<CommitmentsQuery>,
) -> Result<Reply<Commitments>, Problem> {
    context.caller.person(Scope::ProcessesRead)?;
    let (inside, language, all) = (context.clone(), context.language, query.0.all);
    let items = context
        .db
        .read(move |connection| {
            visible(connection, &inside, id.0)?;
            if !takes_part(connection, &inside, id.0)? {
                let detail =
                    text!("Kun deltagerne kan se hinandens tilsagn", "Only participants see each other's commitments");
                return Err(Problem::forbidden(detail));
            }
            let read = if all { store::all_commitments } else { store::commitments };
            Ok(read(connection, id.0, language)?)
        })
        .await?;
    Ok(Reply::ok(Commitments { items }))
}

/// Commitments.
#[derive(Debug, Serialize, ToSchema)]
struct Commitments {
    items: Vec<Commitment>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DemandQuery {
    /// What the lines of the CSV are of: `level` (default), `year` or `region`. JSON has all three.
    #[serde(default)]
    #[param(inline, required = false)]
    by: By,
}

/// What the participants together want: by commitment level, by year and by region (NUTS 2); each body once. As JSON, or
/// as CSV by `Accept: text/csv`.
#[utoipa::path(tag = "processes", security(()), params(DemandQuery), responses(
    (status = 200, content((Demand = "application/json"), (String = "text/csv", example = "as_of,level,bodies,quantity,unit,annual_value,currency\r\n")))))]
#[get("/processes/{id}/demand")]
async fn get_demand(
    context: Context,
    id: PathId<Process>,
    query: Query<DemandQuery>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let inside = context.clone();
    let demand = context
        .db
        .read(move |connection| {
            let process = visible(connection, &inside, id.0)?;
            actions::demand(connection, inside.now, &process, inside.language)
        })
        .await?;
    Ok(if wants_csv(&request) { csv(demand.csv(query.0.by)) } else { Reply::ok(demand).respond_to(&request) })
}
