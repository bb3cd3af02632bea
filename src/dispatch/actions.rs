//! The deeds that tell the market something: the version and its dispatch come into being together.

use serde_json::json;

use super::{Dispatch, Status, ledger, store};
use crate::access::Staff;
use crate::db::Tx;
use crate::dialogue::{self, Dialogue, Notice, Version};
use crate::kernel::{Fit, Id, Instant, digest, text};
use crate::outbox::{Fact, Subject, record};
use crate::web::{IfMatch, Patch, Problem};

/// Publishes a draft: page, feeds and dispatch at once.
///
/// # Errors
/// See [`dialogue::actions::publish`].
pub fn publish(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    id: Id<Dialogue>,
) -> Result<(Dialogue, Version, Id<Dispatch>), Problem> {
    let (dialogue, version) = dialogue::actions::publish(tx, now, staff, id)?;
    let dispatch = open(tx, &version)?;
    Ok((dialogue, version, dispatch))
}

/// Changes a notice; where the market has seen it, the new version is dispatched.
///
/// # Errors
/// See [`dialogue::actions::change`].
pub fn change(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    id: Id<Dialogue>,
    seen: &IfMatch,
    patch: &Patch,
    reason: Option<String>,
) -> Result<Dialogue, Problem> {
    let dialogue = dialogue::actions::seen(tx.connection, id, seen)?;
    let notice: Fit<Notice> = patch.apply(&dialogue.notice)?;
    let (dialogue, version) = dialogue::actions::change(tx, now, staff, dialogue, notice, reason)?;
    version.map(|version| open(tx, &version)).transpose()?;
    Ok(dialogue)
}

/// Cancels a dialogue, and tells everybody who was told of it.
///
/// # Errors
/// See [`dialogue::actions::cancel`].
pub fn cancel(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    id: Id<Dialogue>,
    reason: String,
) -> Result<Dialogue, Problem> {
    let (dialogue, version) = dialogue::actions::cancel(tx, now, staff, id, reason)?;
    version.map(|version| open(tx, &version)).transpose()?;
    Ok(dialogue)
}

/// Closes a dialogue, and tells everybody who was told of it what was heard.
///
/// # Errors
/// See [`dialogue::actions::close`].
pub fn close(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    id: Id<Dialogue>,
    summary: String,
) -> Result<Dialogue, Problem> {
    let (dialogue, version) = dialogue::actions::close(tx, now, staff, id, summary)?;
    open(tx, &version)?;
    Ok(dialogue)
}

/// Pauses a dispatch that is not done: what has not gone waits.
///
/// # Errors
/// 404; 409 for one that is done.
pub fn pause(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    id: Id<Dispatch>,
    reason: String,
) -> Result<Dispatch, Problem> {
    let dispatch = store::find(tx.connection, id)?.ok_or_else(Problem::not_found)?;
    if dispatch.status == Status::Done {
        let detail = text!("Udsendelsen er afsluttet", "The dispatch is done");
        return Err(Problem::conflict("dispatch_done", detail));
    }
    if store::paused_at(tx.connection, id)?.is_none() {
        store::pause(tx, id, now)?;
        let fact = Fact::new(Subject::Dialogue, dispatch.dialogue_id, "dispatch_paused", staff.actor(), now);
        record(tx, fact.because(reason).with(json!({"dispatch_id": id})))?;
    }
    Ok(dispatch)
}

/// Lets a paused dispatch go on.
///
/// # Errors
/// 404.
pub fn resume(tx: &mut Tx<'_>, now: Instant, staff: &Staff, id: Id<Dispatch>) -> Result<Dispatch, Problem> {
    let dispatch = store::find(tx.connection, id)?.ok_or_else(Problem::not_found)?;
    if store::paused_at(tx.connection, id)?.is_some() {
        store::resume(tx, id)?;
        let fact = Fact::new(Subject::Dialogue, dispatch.dialogue_id, "dispatch_resumed", staff.actor(), now);
        record(tx, fact.with(json!({"dispatch_id": id})))?;
    }
    Ok(dispatch)
}

fn open(tx: &mut Tx<'_>, version: &Version) -> Result<Id<Dispatch>, Problem> {
    let dispatch = Dispatch::of(version);
    store::insert(tx, &dispatch)?;
    let notice = serde_json::to_string(&version.notice).map_err(|error| Problem::internal(&error))?;
    let told = json!({"version": version.number, "kind": version.kind, "version_id": version.id,
                      "dispatch_id": dispatch.id, "notice_sha256": digest(notice.as_bytes()), "words": version.words});
    ledger::append(tx, version.published_at, version.dialogue_id.to_string(), "published", &told)?;
    Ok(dispatch.id)
}
