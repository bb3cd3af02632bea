//! Needs over HTTP: the open door, its pages for phones, and the sorting behind it.

mod clusters;
mod door;
mod follow;
mod pages;
mod shared;
mod trail;
mod triage;

use actix_web::{get, patch, post};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Inbox, InboxBody, actions, store};
use crate::access::{Context, Scope};
use crate::kernel::{Id, Language, OrganisationId};
use crate::web::{Body, IfMatch, Node, Patch, PathId, Problem, Reply, Routes};

pub use trail::{NeedsBehind, behind};

/// Mounts the slice.
pub fn routes(config: &mut impl Routes) {
    // What has a name of its own before the paths with an id, which would take the name for one.
    config
        .service(door::get_needs_inbox_at)
        .service(door::leave_need)
        .service(door::recognise_need_at_inbox)
        .service(open_needs_inbox)
        .service(list_needs_inboxes)
        .service(get_needs_inbox)
        .service(change_needs_inbox)
        .service(follow::follow_need)
        .service(follow::press_followed_need)
        .service(clusters::list_need_clusters)
        .service(triage::decide_needs)
        .service(triage::gather_needs)
        .service(triage::list_needs)
        .service(shared::list_shared_needs)
        .service(triage::get_need)
        .service(triage::change_need)
        .service(shared::recognise_need)
        .service(triage::get_need_history)
        .service(trail::list_challenge_needs);
}

/// Mounts the inboxes' own addresses, beside the API.
pub fn addresses(config: &mut impl Routes) {
    config.service(pages::show_needs_inbox).service(pages::press_needs_inbox).service(pages::press_need_recognition);
}

/// An inbox, as its body sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NeedsInbox)]
struct InboxView {
    #[schema(value_type = String, format = "uuid")]
    id: Id<Inbox>,
    #[schema(value_type = String, format = "uuid")]
    organisation_id: OrganisationId,
    #[serde(flatten)]
    #[schema(inline)]
    body: InboxBody,
    /// Its page: print it on a poster.
    #[schema(example = "https://skala.example/behov/natbehov")]
    url: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl InboxView {
    fn of(inbox: &Inbox, node: &Node) -> Self {
        Self {
            id: inbox.id,
            organisation_id: inbox.organisation_id,
            body: inbox.body(),
            url: node.url(&format!("/behov/{}", inbox.address)),
            created_at: inbox.created_at,
            updated_at: inbox.updated_at,
        }
    }
}

fn show(inbox: &Inbox, node: &Node, language: Language) -> Reply<InboxView> {
    Reply::ok(InboxView::of(inbox, node)).tagged(inbox.version, language)
}

/// Opens an inbox where the staff of the caller's body leave needs.
#[utoipa::path(tag = "needs", request_body = InboxBody, responses((status = 201, body = InboxView)))]
#[post("/needs-inboxes")]
async fn open_needs_inbox(context: Context, body: Body<InboxBody>) -> Result<Reply<InboxView>, Problem> {
    let member = context.caller.member(Scope::ChallengesWrite)?;
    let now = context.now;
    let inbox = context.db.write(move |tx| actions::open(tx, now, &member, body.0)).await?;
    let location = format!("/api/v1/needs-inboxes/{}", inbox.id);
    Ok(Reply::created(InboxView::of(&inbox, &context), location).tagged(inbox.version, context.language))
}

/// Inboxes.
#[derive(Debug, Serialize, ToSchema)]
struct NeedsInboxes {
    items: Vec<InboxView>,
}

/// The inboxes of the caller's body, oldest first.
#[utoipa::path(tag = "needs", responses((status = 200, body = NeedsInboxes)))]
#[get("/needs-inboxes")]
async fn list_needs_inboxes(context: Context) -> Result<Reply<NeedsInboxes>, Problem> {
    let body = context.caller.member(Scope::ChallengesRead)?.organisation_id();
    let inboxes = context.db.read(move |connection| store::inboxes(connection, body)).await?;
    Ok(Reply::ok(NeedsInboxes { items: inboxes.iter().map(|inbox| InboxView::of(inbox, &context)).collect() }))
}

/// One inbox of the caller's body.
#[utoipa::path(tag = "needs", responses((status = 200, body = InboxView, headers(("ETag")))))]
#[get("/needs-inboxes/{id}")]
async fn get_needs_inbox(context: Context, id: PathId<Inbox>) -> Result<Reply<InboxView>, Problem> {
    let body = context.caller.member(Scope::ChallengesRead)?.organisation_id();
    let inbox = context.db.read(move |connection| actions::own_inbox(connection, body, id.0)).await?;
    Ok(show(&inbox, &context, context.language))
}

/// Changes an inbox of the caller's body, or closes it with `{"open": false}`.
#[utoipa::path(tag = "needs", request_body(content = InboxBody, content_type = "application/merge-patch+json"), responses((status = 200, body = InboxView)))]
#[patch("/needs-inboxes/{id}")]
async fn change_needs_inbox(
    context: Context,
    id: PathId<Inbox>,
    seen: IfMatch,
    patch: Patch,
) -> Result<Reply<InboxView>, Problem> {
    let member = context.caller.member(Scope::ChallengesWrite)?;
    let now = context.now;
    let inbox = context.db.write(move |tx| actions::change_inbox(tx, now, &member, id.0, &seen, &patch)).await?;
    Ok(show(&inbox, &context, context.language))
}
