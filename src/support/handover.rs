//! One body takes over what another waits for help with.

use serde_json::json;

use super::{SupportRequest, store};
use crate::db::Tx;
use crate::kernel::Instant;
use crate::organisation::Handover;
use crate::outbox::{Actor, Fact, Subject, record};
use crate::web::Problem;

/// Moves a body's requests that are not closed to its successor. Returns how many there were.
///
/// # Errors
/// Those of the database.
pub fn take_over(tx: &mut Tx<'_>, now: Instant, by: &Actor, handover: &Handover) -> Result<usize, Problem> {
    let (from, to) = (&handover.from, &handover.to);
    let open = store::open_of(tx.connection, from.id)?;
    let count = open.len();
    for request in open {
        let (id, version) = (request.id, request.version + 1);
        store::update(tx, &SupportRequest { organisation_id: Some(to.id), version, ..request })?;
        let told = Fact::new(Subject::SupportRequest, id, "handed_over", by.clone(), now);
        record(tx, told.with(json!({"from": from.body.name, "to": to.body.name})))?;
    }
    Ok(count)
}
