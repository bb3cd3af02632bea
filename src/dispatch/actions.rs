//! The deeds that tell the market something: the version and its dispatch come into being together.

use std::collections::HashSet;

use serde_json::json;

use super::{Dispatch, Status, ledger, letters, store};
use crate::access::Staff;
use crate::db::{DbError, Tx};
use crate::dialogue::actions::Settled;
use crate::dialogue::{self, Dialogue, Notice, Question, Version};
use crate::kernel::{Email, Fit, Id, Instant, digest, text};
use crate::outbox::{Fact, Subject, record};
use crate::post::store::queue_traced;
use crate::post::{self, Delivery};
use crate::subscription;
use crate::web::{IfMatch, Node, Patch, Problem};

/// Publishes a draft, now or by the clock: page, feeds and dispatch at once.
///
/// # Errors
/// See [`dialogue::actions::publish`].
pub fn publish(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    id: Id<Dialogue>,
    publish_at: Option<Instant>,
) -> Result<(Dialogue, Version, Id<Dispatch>), Problem> {
    let unseen = store::withdraw_unseen(tx, id, now)?;
    let (dialogue, version) = dialogue::actions::publish(tx, now, staff, id, publish_at)?;
    let dispatch = open(tx, &version, unseen, now)?;
    Ok((dialogue, version, dispatch))
}

/// Takes a scheduled publication back, and its dispatch with it.
///
/// # Errors
/// See [`dialogue::actions::unschedule`].
pub fn unschedule(tx: &mut Tx<'_>, now: Instant, staff: &Staff, id: Id<Dialogue>) -> Result<Dialogue, Problem> {
    store::withdraw_unseen(tx, id, now)?;
    dialogue::actions::unschedule(tx, now, staff, id)
}

/// A change that is asked for: of the version that was seen, and why.
pub struct Wanted {
    pub seen: IfMatch,
    pub patch: Patch,
    pub reason: Option<String>,
}

/// Changes a notice; where the market has seen it, the new version is dispatched.
///
/// # Errors
/// See [`dialogue::actions::change`].
pub fn change(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    staff: &Staff,
    id: Id<Dialogue>,
    wanted: Wanted,
) -> Result<Dialogue, Problem> {
    let Wanted { seen, patch, reason } = wanted;
    let dialogue = dialogue::actions::seen(tx.connection, id, &seen, now)?;
    let notice: Fit<Notice> = patch.apply(&dialogue.notice)?;
    let unseen = store::withdraw_unseen(tx, id, now)?;
    let (dialogue, version) = dialogue::actions::change(tx, node, now, staff, dialogue, notice, reason)?;
    version.map(|version| open(tx, &version, unseen, now)).transpose()?;
    Ok(dialogue)
}

/// Cancels a dialogue, and tells everybody who was told of it.
///
/// # Errors
/// See [`dialogue::actions::cancel`].
pub fn cancel(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    staff: &Staff,
    id: Id<Dialogue>,
    reason: String,
) -> Result<Dialogue, Problem> {
    store::withdraw_unseen(tx, id, now)?;
    let (dialogue, version) = dialogue::actions::cancel(tx, node, now, staff, id, reason)?;
    version.map(|version| open(tx, &version, None, now)).transpose()?;
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
    open(tx, &version, None, now)?;
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

/// Answers a question: to all on the page, and by mail to whoever asked and whoever follows the dialogue, in one moment.
///
/// # Errors
/// See [`dialogue::actions::answer`].
pub fn answer(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    staff: &Staff,
    id: Id<Question>,
    answer: String,
) -> Result<Question, Problem> {
    let sha256 = digest(answer.as_bytes());
    let Settled { dialogue, question, letter } = dialogue::actions::answer(tx, node, now, staff, id, answer)?;
    let mut told = HashSet::new();
    let mut deliveries = Vec::new();
    let mut note = |key: String, delivery: Id<Delivery>| {
        deliveries.push(json!({"id": delivery, "to": post::keyed(&node.seal, &key)}));
    };
    if let Some((email, letter)) = question.email.as_deref().and_then(Email::parse).zip(letter) {
        told.insert(email.key());
        note(email.key(), letter);
    }
    for follower in subscription::store::followers(tx.connection, dialogue.id)? {
        if told.insert(follower.email.key()) {
            let letter = letters::answer(node, &dialogue, &question, &follower);
            note(follower.email.key(), queue_traced(tx, &letter, now)?);
        }
    }
    let entry = json!({"question_id": question.id, "asker": question.asker, "answer_sha256": sha256,
                       "deliveries": deliveries});
    ledger::append(tx, now, dialogue.id.to_string(), "answered", &entry)?;
    Ok(question)
}

/// Opens the dispatch of a version, under the id that an unseen version's had. One that the clock will publish waits
/// until then.
fn open(
    tx: &mut Tx<'_>,
    version: &Version,
    unseen: Option<Id<Dispatch>>,
    now: Instant,
) -> Result<Id<Dispatch>, Problem> {
    let dispatch = Dispatch::of(version);
    let dispatch = Dispatch { id: unseen.unwrap_or(dispatch.id), ..dispatch };
    store::insert(tx, &dispatch)?;
    if version.published_at <= now {
        enter_publication(tx, version, &dispatch)?;
    }
    Ok(dispatch.id)
}

/// Puts on record that the clock has made the version public whose audience is looked for now, unless the ledger has it
/// already.
///
/// # Errors
/// Those of the database.
pub(super) fn enter_scheduled(tx: &mut Tx<'_>, version: &Version, dispatch: &Dispatch) -> Result<(), DbError> {
    if ledger::tells_of(tx.connection, version)? {
        return Ok(());
    }
    enter_publication(tx, version, dispatch)?;
    dialogue::actions::record_publication(tx, version)
}

fn enter_publication(tx: &mut Tx<'_>, version: &Version, dispatch: &Dispatch) -> Result<(), DbError> {
    let told = json!({"version": version.number, "kind": version.kind, "version_id": version.id,
                      "dispatch_id": dispatch.id, "notice_sha256": notice_sha256(version)?, "words": version.words});
    ledger::append(tx, version.published_at, version.dialogue_id.to_string(), "published", &told)
}

/// SHA-256 of a version's notice: by it two texts are known for the same.
///
/// # Errors
/// When the notice cannot be written.
pub(super) fn notice_sha256(version: &Version) -> Result<String, DbError> {
    let notice = serde_json::to_string(&version.notice).map_err(|error| DbError::Refused(error.to_string()))?;
    Ok(digest(notice.as_bytes()))
}
