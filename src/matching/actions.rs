//! What people may say, and how it is written down.

use serde_json::json;

use super::store;
use super::verdict::{Rejection, Said, VerdictBody};
use crate::access::{Person, Staff};
use crate::challenge::store::Reader;
use crate::challenge::{self, Challenge};
use crate::db::Tx;
use crate::kernel::{Id, Instant, text};
use crate::outbox::{Fact, Subject, record};
use crate::web::Problem;

/// Says whether two challenges are one need: by the owner of either, or by CO-PI's staff.
///
/// # Errors
/// 404 for a challenge that the caller does not see, 403 for those who own neither, 422 for a challenge and itself.
pub fn judge(
    tx: &mut Tx<'_>,
    now: Instant,
    (person, reader): (&Person, Reader),
    (id, other): (Id<Challenge>, Id<Challenge>),
    body: VerdictBody,
) -> Result<Said, Problem> {
    let mut seen = |id| challenge::store::find(tx.connection, id).map(|found| found.filter(|c| reader.sees(c)));
    let one = seen(id)?.ok_or_else(Problem::not_found)?;
    let two = seen(other)?.filter(|c| c.stage.status().is_shared() || reader == Reader::Staff);
    let two = two.ok_or_else(Problem::not_found)?;
    if id == other {
        let detail = text!("En udfordring er altid den samme som sig selv", "A challenge is always the same as itself");
        return Err(Problem::unfit("/other_id", "same_challenge", detail));
    }
    let owns = |body| one.organisation_id == body || two.organisation_id == body;
    match reader {
        Reader::Body(body) if !owns(body) => {
            let detail = text!(
                "Det afgør de to udfordringers egne organisationer",
                "That is for the two challenges' own bodies to say"
            );
            return Err(Problem::forbidden(detail));
        }
        Reader::Body(_) | Reader::Staff => {}
    }
    let reason = body.reason.filter(|reason| !reason.is_empty());
    let said = Said { verdict: body.verdict, reason, said_by: person.name.clone(), said_at: now };
    let pair = (id, other, said);
    store::insert_verdict(tx, &pair)?;
    for (of, beside) in [(id, other), (other, id)] {
        let fact = Fact::new(Subject::Challenge, of, "judged", person.actor(), now);
        let fact = Fact { reason: pair.2.reason.clone(), ..fact };
        record(tx, fact.with(json!({"other_id": beside, "verdict": pair.2.verdict.word()})))?;
    }
    Ok(pair.2)
}

/// Turns down a suggested group; by CO-PI's staff.
///
/// # Errors
/// 422 for a challenge that does not exist.
pub fn reject(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    challenge_ids: Vec<Id<Challenge>>,
    reason: String,
) -> Result<Rejection, Problem> {
    let found = challenge::store::find_all(tx.connection, &challenge_ids)?;
    for (place, id) in challenge_ids.iter().enumerate() {
        if !found.iter().any(|challenge| challenge.id == *id) {
            let detail = text!("Udfordringen findes ikke", "The challenge does not exist");
            return Err(Problem::unfit(&format!("/challenge_ids/{place}"), "not_found", detail));
        }
    }
    let said_by = staff.actor().name;
    let rejection = Rejection { id: Id::made_at(now), challenge_ids, reason, said_by, said_at: now };
    store::insert_rejection(tx, &rejection)?;
    Ok(rejection)
}
