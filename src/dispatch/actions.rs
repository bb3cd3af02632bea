//! The deeds that tell the market something: the version and its dispatch come into being together.

use serde_json::json;

use super::{Dispatch, ledger, store};
use crate::access::Staff;
use crate::db::Tx;
use crate::dialogue::{self, Dialogue, Notice, Version};
use crate::kernel::{Fit, Id, Instant, digest};
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

fn open(tx: &mut Tx<'_>, version: &Version) -> Result<Id<Dispatch>, Problem> {
    let dispatch = Dispatch::of(version);
    store::insert(tx, &dispatch)?;
    let notice = serde_json::to_string(&version.notice).map_err(|error| Problem::internal(&error))?;
    let told = json!({"version": version.number, "kind": version.kind, "version_id": version.id,
                      "dispatch_id": dispatch.id, "notice_sha256": digest(notice.as_bytes()), "words": version.words});
    ledger::append(tx, version.published_at, version.dialogue_id.to_string(), "published", &told)?;
    Ok(dispatch.id)
}
