//! Adding and changing organisations.

use super::{Organisation, OrganisationBody, store};
use crate::access::Staff;
use crate::db::{AnyConnection, Tx};
use crate::kernel::{Fit, Flaws, Id, Instant, OrganisationId, text};
use crate::outbox::{Fact, Subject, record};
use crate::reference;
use crate::web::Problem;

/// Adds an organisation.
///
/// # Errors
/// 409 when the name or CVR number is taken, 422 for an unknown successor or place.
pub fn add(tx: &mut Tx<'_>, now: Instant, staff: &Staff, body: Fit<OrganisationBody>) -> Result<Organisation, Problem> {
    let id: OrganisationId = Id::made_at(now);
    require_free(tx.connection, id, &body)?;
    require_known_place(tx.connection, &body)?;
    let organisation = Organisation::new(id, body.into_inner(), now);
    store::insert(tx, &organisation)?;
    record(tx, Fact::new(Subject::Organisation, id, "added", staff.actor(), now))?;
    Ok(organisation)
}

/// Changes an organisation.
///
/// # Errors
/// 409 when the name or CVR number is taken, 422 for an unknown successor or place.
pub fn change(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    organisation: Organisation,
    body: Fit<OrganisationBody>,
) -> Result<Organisation, Problem> {
    require_free(tx.connection, organisation.id, &body)?;
    require_known_place(tx.connection, &body)?;
    let before = serde_json::to_value(&organisation.body).unwrap_or_default();
    let after = serde_json::to_value(&body).unwrap_or_default();
    let changed =
        Organisation { body: body.into_inner(), updated_at: now, version: organisation.version + 1, ..organisation };
    store::update(tx, &changed)?;
    let fact = Fact::new(Subject::Organisation, changed.id, "changed", staff.actor(), now);
    record(tx, fact.with(serde_json::json!({"before": before, "after": after})))?;
    Ok(changed)
}

pub(super) fn require_free(
    connection: &mut AnyConnection,
    id: OrganisationId,
    body: &OrganisationBody,
) -> Result<(), Problem> {
    let taken = |found: Option<Organisation>| found.filter(|other| other.id != id);
    if taken(store::find_by_name(connection, &body.name)?).is_some() {
        let detail =
            text!("Der er allerede en organisation med det navn", "There is already an organisation of that name");
        return Err(Problem::conflict("name_taken", detail));
    }
    if let Some(cvr) = &body.cvr
        && let Some(other) = taken(store::find_by_cvr(connection, cvr)?)
    {
        let name = other.body.name;
        let detail = text!("CVR-nummeret tilhører {name}", "The CVR number belongs to {name}");
        return Err(Problem::conflict("cvr_taken", detail));
    }
    if let Some(successor) = body.successor_id {
        let known = successor != id && store::find(connection, successor)?.is_some();
        if !known {
            let detail = text!("Efterfølgeren findes ikke", "The successor does not exist");
            return Err(Problem::unfit("/successor_id", "unknown", detail));
        }
    }
    Ok(())
}

/// A place is one that the loaded list knows, where one is loaded.
pub(super) fn require_known_place(connection: &mut AnyConnection, body: &OrganisationBody) -> Result<(), Problem> {
    let mut flaws = Flaws::default();
    let place: Vec<String> = body.nuts.iter().cloned().collect();
    reference::check_nuts(connection, |_| "/nuts".to_owned(), &place, &mut flaws)?;
    if flaws.0.is_empty() { Ok(()) } else { Err(flaws.into()) }
}
