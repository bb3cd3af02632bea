//! Organisations over HTTP.

use actix_web::{get, patch, post};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::store::{self, Filter};
use super::{Kind, Organisation, OrganisationBody, actions};
use crate::access::{Context, Scope};
use crate::kernel::{Page, fold};
use crate::web::{Body, IfMatch, Paging, Patch, PathId, Problem, Query, Reply};

/// Mounts the slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_organisations).service(add_organisation).service(get_organisation).service(change_organisation);
}

/// What a list of organisations may be narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    kind: Option<Kind>,
    /// A part of the name.
    q: Option<String>,
    /// Rows a page, 1 to 200; 50 when left out.
    limit: Option<i64>,
    cursor: Option<String>,
    /// `newest` (default) or `changed`: oldest change first.
    order: Option<String>,
    since: Option<String>,
}

/// The organisations that the service knows.
#[utoipa::path(tag = "organisations", security(()), params(ListQuery), responses((status = 200, body = Page<Organisation>)))]
#[get("/organisations")]
async fn list_organisations(context: Context, query: Query<ListQuery>) -> Result<Reply<Page<Organisation>>, Problem> {
    let Query(ListQuery { kind, q, limit, cursor, order, since }) = query;
    let request = Paging { limit, cursor, order, since }.of(store::LIST)?;
    let filter = Filter { kind, q: q.filter(|q| !fold(q).trim().is_empty()) };
    let page = context.db.read(move |connection| store::list(connection, filter, &request)).await?;
    Ok(Reply::page(page))
}

/// Adds an organisation; by CO-PI's staff.
#[utoipa::path(tag = "organisations", request_body = OrganisationBody, responses((status = 201, body = Organisation)))]
#[post("/organisations")]
async fn add_organisation(context: Context, body: Body<OrganisationBody>) -> Result<Reply<Organisation>, Problem> {
    let staff = context.caller.staff(Scope::Admin)?;
    let now = context.now;
    let added = context.db.write(move |tx| actions::add(tx, now, &staff, body.0)).await?;
    let location = format!("/api/v1/organisations/{}", added.id);
    let version = added.version;
    Ok(Reply::created(added, location).tagged(version, context.language))
}

/// One organisation.
#[utoipa::path(tag = "organisations", security(()), responses((status = 200, body = Organisation, headers(("ETag")))))]
#[get("/organisations/{id}")]
async fn get_organisation(
    context: Context,
    id: PathId<crate::kernel::of::Organisation>,
) -> Result<Reply<Organisation>, Problem> {
    let found = context.db.read(move |connection| store::find(connection, id.0)).await?;
    let organisation = found.ok_or_else(Problem::not_found)?;
    let version = organisation.version;
    Ok(Reply::ok(organisation).tagged(version, context.language))
}

/// Changes an organisation; by CO-PI's staff.
#[utoipa::path(tag = "organisations", request_body(content = OrganisationBody, content_type = "application/merge-patch+json"), responses((status = 200, body = Organisation)))]
#[patch("/organisations/{id}")]
async fn change_organisation(
    context: Context,
    id: PathId<crate::kernel::of::Organisation>,
    seen: IfMatch,
    patch: Patch,
) -> Result<Reply<Organisation>, Problem> {
    let staff = context.caller.staff(Scope::Admin)?;
    let now = context.now;
    let changed = context
        .db
        .write(move |tx| {
            let organisation = store::find(tx.connection, id.0)?.ok_or_else(Problem::not_found)?;
            seen.require(organisation.version)?;
            let body = patch.apply(&organisation.body)?;
            actions::change(tx, now, &staff, organisation, body)
        })
        .await?;
    let version = changed.version;
    Ok(Reply::ok(changed).tagged(version, context.language))
}
