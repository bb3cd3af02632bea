//! One body's people become another's.

use serde_json::json;

use super::letters;
use crate::access::Person;
use crate::access::store::{self as people, Account};
use crate::db::Tx;
use crate::kernel::{Instant, Language};
use crate::organisation::Handover;
use crate::outbox::{Actor, Fact, Subject, record};
use crate::post::store::queue_letter;
use crate::web::{Node, Problem};

/// Moves the people of a body to its successor, in the roles they have; sessions and keys go on. Who can sign in is told by
/// mail. Returns how many there were.
///
/// # Errors
/// Those of the database.
pub fn take_over(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    by: &Actor,
    handover: &Handover,
) -> Result<usize, Problem> {
    let accounts = people::people_of(tx.connection, handover.from.id)?;
    let count = accounts.len();
    for account in accounts {
        let id = account.person.user_id;
        let person = Person { organisation_id: Some(handover.to.id), ..account.person };
        let account = Account { person, version: account.version + 1, ..account };
        people::update_account(tx, &account)?;
        let told = Fact::new(Subject::User, id, "handed_over", by.clone(), now);
        record(tx, told.with(json!({"from": handover.from.body.name, "to": handover.to.body.name})))?;
        if account.is_active() && account.password_hash.is_some() {
            queue_letter(tx, &letters::handed_over(node, &account, handover, Language::Da), now)?;
        }
    }
    Ok(count)
}
