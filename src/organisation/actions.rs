//! Adding and changing organisations.

use std::collections::HashSet;

use chrono::{NaiveDate, TimeDelta};

use super::{Kind, Organisation, OrganisationBody, store};
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
    let changed = put(tx, now, organisation, body.into_inner())?;
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
    require_successor(connection, id, body)
}

/// A successor exists, also on its first day with what the body had; is public if the body is (a supplier is never a need
/// owner); and does not lead back to the body.
fn require_successor(
    connection: &mut AnyConnection,
    id: OrganisationId,
    body: &OrganisationBody,
) -> Result<(), Problem> {
    let Some(successor) = body.successor_id else { return Ok(()) };
    let unfit = |code, detail| Err(Problem::unfit("/successor_id", code, detail));
    let unknown = text!("Efterfølgeren findes ikke", "The successor does not exist");
    let Some(heir) = store::find(connection, successor)?.filter(|heir| heir.id != id) else {
        return unfit("unknown", unknown);
    };
    if heir.body.kind == Kind::Company && body.kind != Kind::Company {
        let detail = text!("En leverandør kan ikke være behovsejer", "A supplier cannot be a need owner");
        return unfit("supplier_as_successor", detail);
    }
    if let Some(last_day) = body.valid_to {
        let first_day = last_day + TimeDelta::days(1);
        let there = heir.body.valid_from.is_none_or(|from| from <= first_day)
            && heir.body.valid_to.is_none_or(|to| to >= first_day);
        if !there {
            let detail =
                text!("Efterfølgeren findes ikke den {first_day}", "The successor does not exist on {first_day}");
            return unfit("not_valid_then", detail);
        }
    }
    let mut next = heir.body.successor_id;
    let mut passed = HashSet::from([successor]);
    while let Some(further) = next {
        if further == id || !passed.insert(further) {
            return unfit("circular", text!("Efterfølgerne går i ring", "The successors go round in a circle"));
        }
        next = store::find(connection, further)?.and_then(|further| further.body.successor_id);
    }
    Ok(())
}

/// Plans that another body carries on what this one has, from a day on.
///
/// # Errors
/// 404, 409 once it was handed over, 422 for a successor that is none.
pub fn plan_succession(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    id: OrganisationId,
    successor: OrganisationId,
    first_day: NaiveDate,
    reason: String,
) -> Result<(), Problem> {
    let organisation = store::find(tx.connection, id)?.ok_or_else(Problem::not_found)?;
    let last_day = first_day - TimeDelta::days(1);
    let body =
        OrganisationBody { valid_to: Some(last_day), successor_id: Some(successor), ..organisation.body.clone() };
    if body.valid_from.is_some_and(|from| from > last_day) {
        let detail = text!("Den kan ikke slutte, før den begynder", "It cannot end before it begins");
        return Err(Problem::unfit("/takes_effect_on", "before_valid_from", detail));
    }
    require_successor(tx.connection, id, &body)?;
    let told = Fact::new(Subject::Organisation, id, "succession_planned", staff.actor(), now).because(reason);
    let told = told.with(serde_json::json!({"successor_id": successor, "takes_effect_on": first_day}));
    put(tx, now, organisation, body)?;
    Ok(record(tx, told)?)
}

/// Takes a plan back before its day.
///
/// # Errors
/// 404 without a plan, 409 once it was handed over.
pub fn cancel_succession(tx: &mut Tx<'_>, now: Instant, staff: &Staff, id: OrganisationId) -> Result<(), Problem> {
    let found = store::find(tx.connection, id)?.filter(|organisation| organisation.body.successor_id.is_some());
    let organisation = found.ok_or_else(Problem::not_found)?;
    let body = OrganisationBody { valid_to: None, successor_id: None, ..organisation.body.clone() };
    put(tx, now, organisation, body)?;
    Ok(record(tx, Fact::new(Subject::Organisation, id, "succession_cancelled", staff.actor(), now))?)
}

/// Stores what is told of an organisation now. What was handed over stays so: its last day and its successor are history.
fn put(
    tx: &mut Tx<'_>,
    now: Instant,
    organisation: Organisation,
    body: OrganisationBody,
) -> Result<Organisation, Problem> {
    let before = &organisation.body;
    let moved = (before.valid_to, before.successor_id) != (body.valid_to, body.successor_id);
    if moved && organisation.handed_over_at.is_some() {
        let detail = text!(
            "Den er overdraget til sin efterfølger; det kan ikke gøres om",
            "It was handed over to its successor; that cannot be undone"
        );
        return Err(Problem::conflict("handed_over", detail));
    }
    let changed = Organisation { body, updated_at: now, version: organisation.version + 1, ..organisation };
    store::update(tx, &changed)?;
    Ok(changed)
}

/// A place is one that the loaded list knows, where one is loaded.
pub(super) fn require_known_place(connection: &mut AnyConnection, body: &OrganisationBody) -> Result<(), Problem> {
    let mut flaws = Flaws::default();
    let place: Vec<String> = body.nuts.iter().cloned().collect();
    reference::check_nuts(connection, |_| "/nuts".to_owned(), &place, &mut flaws)?;
    if flaws.0.is_empty() { Ok(()) } else { Err(flaws.into()) }
}
