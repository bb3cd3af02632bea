//! The library over HTTP.

use actix_web::http::StatusCode;
use actix_web::{delete, get, patch, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::access::{Context, Scope};
use crate::kernel::{Id, Page};
use crate::phase::{Actor, Entry, EntryBody, EntryKind, Phase, actions, store};
use crate::web::{Body, IfMatch, Paging, Patch, PathId, Problem, Query, Reply, Routes};

pub(super) fn routes(config: &mut impl Routes) {
    config
        .service(list_library)
        .service(add_library_entry)
        .service(get_library_entry)
        .service(change_library_entry)
        .service(remove_library_entry);
}

/// A tool or a case.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LibraryEntry)]
struct EntryView {
    #[schema(value_type = String, format = "uuid")]
    id: Id<Entry>,
    #[serde(flatten)]
    #[schema(inline)]
    body: EntryBody,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Entry> for EntryView {
    fn from(entry: Entry) -> Self {
        Self { id: entry.id, body: entry.body, created_at: entry.created_at, updated_at: entry.updated_at }
    }
}

/// What the library may be narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LibraryQuery {
    kind: Option<EntryKind>,
    phase: Option<Phase>,
    actor: Option<Actor>,
    /// Whatever the letter case.
    theme: Option<String>,
    /// The language that it is in: two letters.
    language: Option<String>,
    /// Rows a page, 1 to 200; 50 when left out.
    limit: Option<i64>,
    cursor: Option<String>,
    /// `newest` (default) or `changed`: oldest change first.
    order: Option<String>,
    since: Option<String>,
}

/// Tools and cases for a phase, an actor, a theme.
#[utoipa::path(tag = "phases", security(()), params(LibraryQuery), responses((status = 200, body = Page<EntryView>)))]
#[get("/library")]
async fn list_library(context: Context, query: Query<LibraryQuery>) -> Result<Reply<Page<EntryView>>, Problem> {
    let Query(LibraryQuery { kind, phase, actor, theme, language, limit, cursor, order, since }) = query;
    let paging = Paging { limit, cursor, order, since }.of(store::LIBRARY)?;
    let filter = store::Filter { kind, phase, actor, theme, language };
    let page = context.db.read(move |connection| store::library(connection, &filter, &paging)).await?;
    Ok(Reply::page(page.map(EntryView::from)))
}

/// Adds a tool or a case; by CO-PI's staff.
#[utoipa::path(tag = "phases", request_body = EntryBody, responses((status = 201, body = EntryView)))]
#[post("/library")]
async fn add_library_entry(context: Context, body: Body<EntryBody>) -> Result<Reply<EntryView>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let now = context.now;
    let entry = context.db.write(move |tx| actions::add_entry(tx, now, &staff, body.0)).await?;
    let (location, version) = (format!("/api/v1/library/{}", entry.id), entry.version);
    Ok(Reply::created(entry.into(), location).tagged(version, context.language))
}

/// One tool or case.
#[utoipa::path(tag = "phases", security(()), responses((status = 200, body = EntryView, headers(("ETag")))))]
#[get("/library/{id}")]
async fn get_library_entry(context: Context, id: PathId<Entry>) -> Result<Reply<EntryView>, Problem> {
    let found = context.db.read(move |connection| store::find_entry(connection, id.0)).await;
    let entry = found.map_err(|error: crate::db::DbError| Problem::from(error))?.ok_or_else(Problem::not_found)?;
    let version = entry.version;
    Ok(Reply::ok(entry.into()).tagged(version, context.language))
}

/// Changes a tool or a case; by CO-PI's staff.
#[utoipa::path(tag = "phases", request_body(content = EntryBody, content_type = "application/merge-patch+json"), responses((status = 200, body = EntryView)))]
#[patch("/library/{id}")]
async fn change_library_entry(
    context: Context,
    id: PathId<Entry>,
    seen: IfMatch,
    patch: Patch,
) -> Result<Reply<EntryView>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let now = context.now;
    let entry = context.db.write(move |tx| actions::change_entry(tx, now, &staff, id.0, &seen, &patch)).await?;
    let version = entry.version;
    Ok(Reply::ok(entry.into()).tagged(version, context.language))
}

/// Takes a tool or a case out; by CO-PI's staff.
#[utoipa::path(tag = "phases", responses((status = 204, description = "It is out.")))]
#[delete("/library/{id}")]
async fn remove_library_entry(context: Context, id: PathId<Entry>) -> Result<Reply<()>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    context.db.write(move |tx| actions::remove_entry(tx, &staff, id.0)).await?;
    Ok(Reply::ok(()).status(StatusCode::NO_CONTENT))
}
