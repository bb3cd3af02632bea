//! Challenges in bulk over HTTP: a line a challenge, in and out.

use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse, get, post};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Status, reader, store};
use crate::access::{Context, Scope};
use crate::challenge::import::{ExportLine, Import, Importer, lines_of};
use crate::web::lines::{self, LineResult};
use crate::web::{Problem, Query, Routes, require_type};

/// How many challenges are read at a time.
const PAGE: i64 = 200;

pub(super) fn routes(config: &mut impl Routes) {
    config.service(import_challenges).service(export_challenges);
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ImportQuery {
    /// Look only, and store nothing.
    #[serde(default)]
    #[param(default = false)]
    dry_run: bool,
    /// Hand each challenge in at once.
    #[serde(default)]
    #[param(default = false)]
    submit: bool,
}

/// Registers a challenge a line, and answers a result a line while the stream is still coming. A bad line harms no other.
///
/// Each line is a challenge of at most 1 MiB in UTF-8; staff add `organisation_id` or `organisation` (its name). A byte
/// order mark and CRLF are taken off, empty lines are counted and passed over. What `GET /challenges/export` gives is
/// taken as it is. A stream that breaks off is told so in the last result; the lines before it are stored.
#[utoipa::path(tag = "challenges", params(ImportQuery),
    request_body(content = ExportLine, content_type = "application/x-ndjson"),
    responses((status = 200, body = LineResult, content_type = "application/x-ndjson", description = "A result a line.")))]
#[post("/challenges/import")]
async fn import_challenges(
    context: Context,
    query: Query<ImportQuery>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let importer = if context.caller.is_staff() {
        Importer::Staff(context.caller.staff(Scope::ChallengesWrite)?)
    } else {
        Importer::Member(context.caller.member(Scope::ChallengesWrite)?)
    };
    require_type(&request, &["application/x-ndjson"])?;
    let Query(ImportQuery { dry_run, submit }) = query;
    let (now, language) = (context.now, context.language);
    let import = Import { db: context.db.clone(), now, language, importer, dry_run, submit };
    Ok(lines::answer(payload, move |batch| import.clone().batch(batch)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExportQuery {
    /// Only those that stand so.
    status: Option<Status>,
}

/// Challenges as lines that `POST /challenges/import` takes: a body its own, staff all but drafts; in the order in
/// which they were registered.
#[utoipa::path(tag = "challenges", params(ExportQuery),
    responses((status = 200, body = ExportLine, content_type = "application/x-ndjson", description = "A challenge a line.")))]
#[get("/challenges/export")]
async fn export_challenges(context: Context, query: Query<ExportQuery>) -> Result<HttpResponse, Problem> {
    let (reader, status) = (reader(&context.caller)?, query.0.status);
    let first = page(&context, reader, status, None).await?;
    Ok(lines::pages(lines::NDJSON, first, move |last| {
        let context = context.clone();
        async move { page(&context, reader, status, Some(last)).await }
    }))
}

/// Some lines, and the last challenge among them while there may be more.
async fn page(
    context: &Context,
    reader: store::Reader,
    status: Option<Status>,
    after: Option<crate::kernel::Id<super::Challenge>>,
) -> Result<(String, Option<crate::kernel::Id<super::Challenge>>), Problem> {
    let read = context.db.read(move |connection| {
        let challenges = store::registered_after(connection, reader, status, after, PAGE)?;
        let last = challenges.last().map(|challenge| challenge.id);
        Ok((lines_of(connection, challenges)?, last))
    });
    read.await
}
