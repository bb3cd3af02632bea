//! One body takes over another's needs inboxes.

use serde_json::json;

use super::{Inbox, Need, store};
use crate::db::Tx;
use crate::kernel::Instant;
use crate::organisation::Handover;
use crate::outbox::{Actor, Fact, Subject, record};
use crate::web::Problem;

/// Moves the inboxes of a body, at the addresses they have, and every need in them to its successor; and its words on
/// others' needs. What was a body is a part of one now: where its word named no department, it names the body. Returns how
/// many inboxes and how many needs there were.
///
/// # Errors
/// Those of the database.
pub fn take_over(tx: &mut Tx<'_>, now: Instant, by: &Actor, handover: &Handover) -> Result<(usize, usize), Problem> {
    let (from, to) = (&handover.from, &handover.to);
    let names = json!({"from": from.body.name, "to": to.body.name});
    let inboxes = store::inboxes(tx.connection, from.id)?;
    for inbox in inboxes.clone() {
        let id = inbox.id;
        let version = inbox.version + 1;
        store::update_inbox(tx, &Inbox { organisation_id: to.id, version, updated_at: now, ..inbox })?;
        record(tx, Fact::new(Subject::NeedsInbox, id, "handed_over", by.clone(), now).with(names.clone()))?;
    }
    let needs = store::of_body(tx.connection, from.id)?;
    let count = needs.len();
    for need in needs {
        let (id, version) = (need.id, need.version + 1);
        store::update(tx, &Need { organisation_id: to.id, version, ..need })?;
        record(tx, Fact::new(Subject::Need, id, "handed_over", by.clone(), now).with(names.clone()))?;
    }
    store::hand_over_recognitions(tx, from.id, to.id, &from.body.name)?;
    Ok((inboxes.len(), count))
}
