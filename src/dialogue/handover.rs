//! One body leads in another's place where the market has not seen it yet.

use serde_json::json;

use super::{Dialogue, store};
use crate::db::Tx;
use crate::kernel::Instant;
use crate::organisation::Handover;
use crate::outbox::{Actor, Fact, Subject, record};
use crate::web::Problem;

/// Names the successor as the lead buyer of drafts and of what is scheduled. What is published stays word for word: staff name
/// the new lead with the next version. Returns how many there were.
///
/// # Errors
/// Those of the database.
pub fn take_over(tx: &mut Tx<'_>, now: Instant, by: &Actor, handover: &Handover) -> Result<usize, Problem> {
    let led: Vec<Dialogue> = store::unseen_led_by(tx.connection, handover.from.id, now)?;
    let count = led.len();
    for dialogue in led {
        let dialogue = dialogue.led_by(handover.to.id, now);
        store::update(tx, &dialogue)?;
        store::amend_unseen_version(tx, &dialogue, now)?;
        let told = Fact::new(Subject::Dialogue, dialogue.id, "handed_over", by.clone(), now);
        record(tx, told.with(json!({"from": handover.from.body.name, "to": handover.to.body.name})))?;
    }
    Ok(count)
}
