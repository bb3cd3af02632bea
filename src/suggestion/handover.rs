//! One body takes over another's invitations.

use serde_json::json;

use super::{State, Suggestion, store};
use crate::db::Tx;
use crate::kernel::Instant;
use crate::organisation::Handover;
use crate::outbox::{Actor, Fact, Subject, record};
use crate::web::Problem;

/// Moves what a body was invited to own, or owns as a challenge, to its successor. A link that was mailed stays good: the
/// version does not change. Returns how many there were.
///
/// # Errors
/// Those of the database.
pub fn take_over(tx: &mut Tx<'_>, now: Instant, by: &Actor, handover: &Handover) -> Result<usize, Problem> {
    let (from, to) = (&handover.from, &handover.to);
    let with_body = store::with_body(tx.connection, from.id)?;
    let count = with_body.len();
    for suggestion in with_body {
        let id = suggestion.id;
        let state = match suggestion.state {
            State::Invited { .. } => State::Invited { organisation_id: to.id },
            State::Accepted { challenge_id, .. } => State::Accepted { organisation_id: to.id, challenge_id },
            other => other,
        };
        store::update(tx, &Suggestion { state, ..suggestion })?;
        let told = Fact::new(Subject::Suggestion, id, "handed_over", by.clone(), now);
        record(tx, told.with(json!({"from": from.body.name, "to": to.body.name})))?;
    }
    Ok(count)
}
