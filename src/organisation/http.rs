//! Organisations over HTTP.

use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, HttpResponse, get, patch, post};
use serde::Deserialize;
use utoipa::IntoParams;

use super::import::{ExportLine, Format, Import, header, lines_of};
use super::store::{self, Filter};
use super::{Kind, Organisation, OrganisationBody, actions};
use crate::access::{Context, Scope};
use crate::kernel::{OrganisationId, Page, fold, text};
use crate::outbox::{HistoryView, Subject, history};
use crate::web::lines::{self, LineResult};
use crate::web::{
    Body, IfMatch, Paging, Patch, PathId, Problem, Query, RawBody, Reply, Routes, require_type, wants_csv,
};

/// How many organisations are read at a time.
const PAGE: i64 = 200;

/// Mounts the slice.
pub fn routes(config: &mut impl Routes) {
    config
        .service(import_organisations)
        .service(export_organisations)
        .service(list_organisations)
        .service(add_organisation)
        .service(get_organisation)
        .service(get_organisation_history)
        .service(change_organisation);
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

/// Who did what to an organisation, when and why, with what was before and after; oldest first. For its own
/// people and CO-PI's staff.
#[utoipa::path(tag = "organisations", responses((status = 200, body = HistoryView)))]
#[get("/organisations/{id}/history")]
async fn get_organisation_history(
    context: Context,
    id: PathId<crate::kernel::of::Organisation>,
) -> Result<Reply<HistoryView>, Problem> {
    context.caller.person(Scope::ChallengesRead)?;
    if !context.caller.is_staff() && context.caller.body() != Some(id.0) {
        let detail = text!("Kun organisationens egne folk ser dens historik", "Only its own people see its history");
        return Err(Problem::forbidden(detail));
    }
    let read = context.db.read(move |connection| {
        store::find(connection, id.0)?.ok_or_else(Problem::not_found)?;
        Ok::<_, Problem>(history(connection, Subject::Organisation, id.0)?)
    });
    Ok(Reply::ok(HistoryView { items: read.await? }))
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

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ImportQuery {
    /// Look only, and store nothing.
    #[serde(default)]
    #[param(default = false)]
    dry_run: bool,
}

/// Adds an organisation a row, and answers a result a row; by CO-PI's staff. A bad row harms no other.
///
/// Comma- or semicolon-separated values in UTF-8 with a header, or a JSON object a line; at most 1 MiB. Columns: `kind`,
/// `name`, and where known `cvr`, `country`, `nuts` (or `nuts3`), `valid_from`, `valid_to`, `successor` (a name);
/// `short_name`, `authority_code` and `region` are passed over, and any other column is an error.
#[utoipa::path(tag = "organisations", params(ImportQuery),
    request_body(content(
        (String = "text/csv", example = "kind,name,nuts3,cvr\r\nmunicipality,Odense Kommune,DK031,35209115\r\n"),
        (OrganisationBody = "application/x-ndjson"))),
    responses((status = 200, body = LineResult, content_type = "application/x-ndjson", description = "A result a row.")))]
#[post("/organisations/import")]
async fn import_organisations(
    context: Context,
    query: Query<ImportQuery>,
    request: HttpRequest,
    file: RawBody,
) -> Result<HttpResponse, Problem> {
    let staff = context.caller.staff(Scope::Admin)?;
    require_type(&request, &["text/csv", "application/x-ndjson"])?;
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let format = if kind.to_ascii_lowercase().starts_with("text/csv") { Format::Csv } else { Format::Ndjson };
    let import = Import::read(format, &file.0)?;
    let (now, language) = (context.now, context.language);
    let results = if query.0.dry_run {
        context.db.read(move |connection| import.look(connection, language)).await?
    } else {
        context.db.write(move |tx| import.store(tx, now, &staff.actor(), language)).await?
    };
    let lines: String = results.iter().map(LineResult::written).collect();
    Ok(HttpResponse::Ok().content_type("application/x-ndjson").body(lines))
}

/// All organisations as lines that `POST /organisations/import` takes, in the order in which they were added; as NDJSON, or
/// as CSV by `Accept: text/csv`.
#[utoipa::path(tag = "organisations", security(()), responses((status = 200, description = "An organisation a line.", content(
    (ExportLine = "application/x-ndjson"),
    (String = "text/csv", example = "kind,name,cvr,country,nuts,valid_from,valid_to,successor\r\n")))))]
#[get("/organisations/export")]
async fn export_organisations(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let (format, kind) =
        if wants_csv(&request) { (Format::Csv, "text/csv; charset=utf-8") } else { (Format::Ndjson, lines::NDJSON) };
    let (mut rows, last) = export_page(&context, format, None).await?;
    if format == Format::Csv {
        rows.insert_str(0, &header());
    }
    Ok(lines::pages(kind, (rows, last), move |last| {
        let context = context.clone();
        async move { export_page(&context, format, Some(last)).await }
    }))
}

/// Some lines, and the last organisation among them while there may be more.
async fn export_page(
    context: &Context,
    format: Format,
    after: Option<OrganisationId>,
) -> Result<(String, Option<OrganisationId>), Problem> {
    let read = context.db.read(move |connection| {
        let organisations = store::added_after(connection, after, PAGE)?;
        let last = organisations.last().map(|organisation| organisation.id);
        Ok((lines_of(connection, format, organisations)?, last))
    });
    read.await
}
