//! What is done by the clock and not because somebody asks: each work by itself, so that one that fails keeps no other
//! from being done. A work finds by itself what is due: it may be called late, twice, or by several nodes.

use actix_web::web::Data;
use chrono::TimeDelta;

use crate::db::Tx;
use crate::kernel::Instant;
use crate::web::{Node, Problem, idempotency};
use crate::{
    account, challenge, dialogue, letter_of_intent, post, spread, subscription, succession, suggestion, support,
};

type Work = fn(&mut Tx<'_>, &Node, Instant) -> Result<(), Problem>;

/// The works, with the names they have in the log.
const WORKS: [(&str, Work); 5] = [
    ("clock", heed_clock),
    ("forget", forget),
    ("succession", succession::carry_out_due),
    ("signatures", letter_of_intent::actions::signing::remind),
    ("outcomes", spread::actions::ask_for_outcomes),
];

/// Does them all.
pub(super) async fn run(node: &Data<Node>) {
    let now = node.now();
    for (name, work) in WORKS {
        let inside = node.clone();
        if let Err(problem) = node.db.write(move |tx| work(tx, &inside, now)).await {
            let cause = problem.cause.unwrap_or_else(|| problem.code.to_owned());
            tracing::error!(work = name, %cause, "periodic work was not done");
        }
    }
}

/// Lets go what a clock that was ahead has put off too far: no digest is more than eight days ahead.
fn heed_clock(tx: &mut Tx<'_>, _: &Node, now: Instant) -> Result<(), Problem> {
    post::store::heed_clock(tx, post::LONGEST_WAIT, TimeDelta::days(8), now)?;
    Ok(())
}

/// Forgets what nobody confirmed, and what is kept for a day only.
fn forget(tx: &mut Tx<'_>, _: &Node, now: Instant) -> Result<(), Problem> {
    let unconfirmed = now - subscription::actions::CONFIRMATION_LIFETIME;
    subscription::store::forget_unconfirmed(tx, unconfirmed)?;
    dialogue::store::forget_unconfirmed_questions(tx, unconfirmed)?;
    dialogue::store::forget_unconfirmed_signups(tx, unconfirmed)?;
    challenge::store::forget_expired_sponsor_addresses(tx, now)?;
    suggestion::store::forget_unconfirmed(tx, unconfirmed)?;
    support::store::forget_unconfirmed(tx, unconfirmed)?;
    post::store::forget_confirmations(tx, now)?;
    account::forget_old(tx, now)?;
    idempotency::forget_old(tx, now)?;
    Ok(())
}
