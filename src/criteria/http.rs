//! Criteria sets and calls over HTTP.

use actix_web::{get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Call, CallBody, CriteriaSet, CriteriaSetBody, actions, store};
use crate::access::{Context, Scope};
use crate::kernel::{Page, text};
use crate::web::{Body, Paging, PathId, Problem, Query, Reply, Routes};

pub use super::model::AssessmentView;

/// Mounts the slice.
pub fn routes(config: &mut impl Routes) {
    config
        .service(list_criteria_sets)
        .service(get_criteria_set)
        .service(add_criteria_set_version)
        .service(list_calls)
        .service(announce_call)
        .service(get_call);
}

/// Versions of criteria sets.
#[derive(Serialize, ToSchema)]
struct CriteriaSets {
    items: Vec<CriteriaSet>,
}

/// The newest version of every criteria set.
#[utoipa::path(tag = "criteria", security(()), responses((status = 200, body = CriteriaSets)))]
#[get("/criteria-sets")]
async fn list_criteria_sets(context: Context) -> Result<Reply<CriteriaSets>, Problem> {
    let mut items = context.db.read(store::all).await?;
    items.dedup_by(|older, newer| older.key == newer.key);
    Ok(Reply::ok(CriteriaSets { items }))
}

/// A criteria set with all its versions, newest first.
#[derive(Serialize, ToSchema)]
struct CriteriaSetHistory {
    #[serde(flatten)]
    newest: CriteriaSet,
    versions: Vec<CriteriaSet>,
}

/// One criteria set, with all its versions.
#[utoipa::path(tag = "criteria", security(()), responses((status = 200, body = CriteriaSetHistory, headers(("ETag")))))]
#[get("/criteria-sets/{key}")]
async fn get_criteria_set(context: Context, key: web::Path<String>) -> Result<Reply<CriteriaSetHistory>, Problem> {
    let mut versions = context.db.read(store::all).await?;
    versions.retain(|set| set.key == *key);
    let newest = versions.first().cloned().ok_or_else(Problem::not_found)?;
    let version = i64::from(newest.version);
    Ok(Reply::ok(CriteriaSetHistory { newest, versions }).tagged(version, context.language))
}

/// Adds the next version of a criteria set, or the first of a new one; by an admin. Assessments made before keep theirs.
#[utoipa::path(tag = "criteria", request_body = CriteriaSetBody, responses((status = 201, body = CriteriaSet)))]
#[post("/criteria-sets/{key}/versions")]
async fn add_criteria_set_version(
    context: Context,
    key: web::Path<String>,
    body: Body<CriteriaSetBody>,
) -> Result<Reply<CriteriaSet>, Problem> {
    let admin = context.caller.admin()?;
    let key = key.into_inner();
    let sound =
        (1..=60).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !sound {
        let detail = text!("En nøgle er små bogstaver, cifre og -", "A key is small letters, digits and -");
        return Err(Problem::unfit("", "not_a_key", detail));
    }
    let now = context.now;
    let location = format!("/api/v1/criteria-sets/{key}");
    let set = context.db.write(move |tx| actions::add_version(tx, now, &admin, &key, body.0)).await?;
    let version = i64::from(set.version);
    Ok(Reply::created(set, location).tagged(version, context.language))
}

/// How a list of calls is read.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CallQuery {
    /// Rows a page, 1 to 200; 50 when left out.
    limit: Option<i64>,
    cursor: Option<String>,
    /// `newest` (default) or `changed`: oldest change first.
    order: Option<String>,
    since: Option<String>,
}

/// The calls for challenges.
#[utoipa::path(tag = "criteria", security(()), params(CallQuery), responses((status = 200, body = Page<Call>)))]
#[get("/calls")]
async fn list_calls(context: Context, query: Query<CallQuery>) -> Result<Reply<Page<Call>>, Problem> {
    let Query(CallQuery { limit, cursor, order, since }) = query;
    let request = Paging { limit, cursor, order, since }.of(store::LIST)?;
    Ok(Reply::page(context.db.read(move |connection| store::list_calls(connection, &request)).await?))
}

/// Announces a call; by CO-PI's staff.
#[utoipa::path(tag = "criteria", request_body = CallBody, responses((status = 201, body = Call)))]
#[post("/calls")]
async fn announce_call(context: Context, body: Body<CallBody>) -> Result<Reply<Call>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let now = context.now;
    let call = context.db.write(move |tx| actions::announce(tx, now, &staff, body.0)).await?;
    let location = format!("/api/v1/calls/{}", call.id);
    Ok(Reply::created(call, location).tagged(1, context.language))
}

/// One call.
#[utoipa::path(tag = "criteria", security(()), responses((status = 200, body = Call, headers(("ETag")))))]
#[get("/calls/{id}")]
async fn get_call(context: Context, id: PathId<Call>) -> Result<Reply<Call>, Problem> {
    let found = context.db.read(move |connection| store::find_call(connection, id.0)).await?;
    Ok(Reply::ok(found.ok_or_else(Problem::not_found)?).tagged(1, context.language))
}
