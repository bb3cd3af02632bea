//! Dialogues over HTTP: what everybody reads, what visitors do, what staff draft. The deeds that tell the market
//! something (publish, change, cancel, close) are mounted by `dispatch`.

pub mod answers;
pub mod events;
pub mod questions;
pub mod view;

use actix_web::web::Redirect;
use actix_web::{Either, get, post};
use serde::Deserialize;
use utoipa::IntoParams;

use super::store::{self, Filter};
use super::{Dialogue, Notice, Status, actions};
use crate::access::{Context, Scope};
use crate::db::AnyConnection;
use crate::kernel::{Id, Page, fold};
use crate::outbox::{HistoryView, Subject, history};
use crate::process::Process;
use crate::web::{Body, Paging, PathId, Prefers, Problem, Query, Reply, Routes};
use view::{DialogueView, VersionView, Versions};

/// Mounts the slice.
pub fn routes(config: &mut impl Routes) {
    config
        .service(draft_dialogue)
        .service(list_dialogues)
        .service(get_dialogue)
        .service(list_versions)
        .service(get_version)
        .service(get_dialogue_history);
    questions::routes(config);
    events::routes(config);
    answers::routes(config);
}

/// Drafts a market dialogue for a process; by CO-PI's staff.
#[utoipa::path(tag = "dialogues", request_body = Notice, responses((status = 201, body = DialogueView)))]
#[post("/processes/{id}/dialogues")]
async fn draft_dialogue(
    context: Context,
    process: PathId<Process>,
    body: Body<Notice>,
) -> Result<Reply<DialogueView>, Problem> {
    let staff = context.caller.staff(Scope::DialoguesWrite)?;
    let (now, language) = (context.now, context.language);
    let drafted = context
        .db
        .write(move |tx| {
            let dialogue = actions::draft(tx, now, &staff, process.0, body.0)?;
            view::show(tx.connection, dialogue, language)
        })
        .await?;
    let location = format!("/api/v1/dialogues/{}", drafted.id);
    let version = drafted.row_version;
    Ok(Reply::created(drafted, location).tagged(version, language))
}

/// What a list of dialogues may be narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    status: Option<Status>,
    #[param(value_type = Option<String>, format = "uuid")]
    process_id: Option<Id<Process>>,
    /// A part of the title or the description.
    q: Option<String>,
    /// Rows a page, 1 to 200; 50 when left out.
    limit: Option<i64>,
    cursor: Option<String>,
    /// `newest` (default) or `changed`: oldest change first.
    order: Option<String>,
    since: Option<String>,
}

/// The market dialogues; drafts are shown to CO-PI's staff alone.
#[utoipa::path(tag = "dialogues", security(()), params(ListQuery), responses((status = 200, body = Page<DialogueView>)))]
#[get("/dialogues")]
async fn list_dialogues(context: Context, query: Query<ListQuery>) -> Result<Reply<Page<DialogueView>>, Problem> {
    let Query(ListQuery { status, process_id, q, limit, cursor, order, since }) = query;
    let request = Paging { limit, cursor, order, since }.of(store::LIST)?;
    let q = q.filter(|q| !fold(q).trim().is_empty());
    let filter = Filter { status, process_id, q, seen_by_the_market: !context.caller.is_staff() };
    let (language, now) = (context.language, context.now);
    let page = context
        .db
        .read(move |connection| {
            let page = store::list(connection, filter, &request, now)?;
            page.try_map(|dialogue| view::show(connection, dialogue, language))
        })
        .await?;
    Ok(Reply::page(page))
}

/// One market dialogue; a client that would rather have HTML is led to its page.
#[utoipa::path(tag = "dialogues", security(()), responses((status = 200, body = DialogueView, headers(("ETag"))), (status = 303, description = "To the page for people.")))]
#[get("/dialogues/{id}")]
async fn get_dialogue(
    context: Context,
    id: PathId<Dialogue>,
    prefers: Prefers,
) -> Result<Either<Reply<DialogueView>, Redirect>, Problem> {
    let (staff, language, now) = (context.caller.is_staff(), context.language, context.now);
    let look = move |connection: &mut AnyConnection| {
        let dialogue = visible(store::find(connection, id.0, now)?, staff)?;
        let shown = view::show(connection, dialogue, language)?;
        if staff { view::warned(connection, shown, language) } else { Ok(shown) }
    };
    let dialogue = context.db.read(look).await?;
    if prefers == Prefers::Html && dialogue.version.is_some() {
        return Ok(Either::Right(Redirect::to(format!("/dialogues/{}", dialogue.id)).see_other()));
    }
    let version = dialogue.row_version;
    Ok(Either::Left(Reply::ok(dialogue).tagged(version, language)))
}

/// The versions of a dialogue, oldest first, each with what it changed.
#[utoipa::path(tag = "dialogues", security(()), responses((status = 200, body = Versions)))]
#[get("/dialogues/{id}/versions")]
async fn list_versions(context: Context, id: PathId<Dialogue>) -> Result<Reply<Versions>, Problem> {
    let versions = read_versions(&context, id).await?;
    Ok(Reply::ok(Versions { items: versions }))
}

/// One version, as the market saw it.
#[utoipa::path(tag = "dialogues", security(()), responses((status = 200, body = VersionView, headers(("ETag")))))]
#[get("/dialogues/{id}/versions/{n}")]
async fn get_version(
    context: Context,
    path: actix_web::web::Path<(String, String)>,
) -> Result<Reply<VersionView>, Problem> {
    let (id, number) = path.into_inner();
    let id: Id<Dialogue> = id.parse().map_err(|_| Problem::not_found())?;
    let number: i32 = number.parse().map_err(|_| Problem::not_found())?;
    let language = context.language;
    let versions = read_versions(&context, PathId(id)).await?;
    let version = versions.into_iter().find(|version| version.version == number).ok_or_else(Problem::not_found)?;
    Ok(Reply::ok(version).tagged(i64::from(number), language))
}

/// Who did what to a dialogue, when and why: drafted, changed, published, paused; who asked, signed up and answered, by
/// pseudonym or company; oldest first. For CO-PI's staff.
#[utoipa::path(tag = "dialogues", responses((status = 200, body = HistoryView)))]
#[get("/dialogues/{id}/history")]
async fn get_dialogue_history(context: Context, id: PathId<Dialogue>) -> Result<Reply<HistoryView>, Problem> {
    context.caller.staff(Scope::DialoguesWrite)?;
    let now = context.now;
    let read = context.db.read(move |connection| {
        visible(store::find(connection, id.0, now)?, true)?;
        Ok::<_, Problem>(history(connection, Subject::Dialogue, id.0)?)
    });
    Ok(Reply::ok(HistoryView { items: read.await? }))
}

async fn read_versions(context: &Context, id: PathId<Dialogue>) -> Result<Vec<VersionView>, Problem> {
    let (staff, language, now) = (context.caller.is_staff(), context.language, context.now);
    context
        .db
        .read(move |connection| {
            let dialogue = visible(store::find(connection, id.0, now)?, staff)?;
            let versions = store::versions(connection, dialogue.id, now)?;
            Ok(view::versions(connection, versions, language)?)
        })
        .await
}

/// What the market has not seen exists for staff alone.
fn visible(found: Option<Dialogue>, staff: bool) -> Result<Dialogue, Problem> {
    found.filter(|dialogue| staff || dialogue.state.published().is_some()).ok_or_else(Problem::not_found)
}
