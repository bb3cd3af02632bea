//! One body takes over what another was to sign.

use serde_json::json;

use super::{note, required, signing};
use crate::db::Tx;
use crate::kernel::Instant;
use crate::letter_of_intent::{Signatory, SignatoryState, kind_for, store};
use crate::organisation::Handover;
use crate::outbox::Actor;
use crate::process::{self, ParticipantState};
use crate::web::Problem;

/// Puts the successor where a body was named and has not answered. What was signed, declined or said stays with who did.
/// The successor's signatory is to be confirmed by staff, since a person signs in an office: a link that was sent opens
/// nothing any more. Where the successor is named itself, or takes no part, nothing is left of it. Returns how many there
/// were.
///
/// # Errors
/// Those of the database.
pub fn take_over(tx: &mut Tx<'_>, now: Instant, by: &Actor, handover: &Handover) -> Result<usize, Problem> {
    let (from, to) = (&handover.from, &handover.to);
    let open = store::signatories::open_of(tx.connection, from.id)?;
    let count = open.len();
    for signatory in open {
        let letter = required(tx.connection, signatory.letter_id)?;
        let participants = process::store::participants(tx.connection, letter.process_id)?;
        let heir = participants
            .iter()
            .find(|one| one.body.organisation_id == to.id && one.body.state != ParticipantState::Left);
        let known = store::signatories::of_letter(tx.connection, letter.id)?;
        match heir {
            Some(heir) if known.iter().all(|one| one.organisation_id != to.id) => {
                let kind = kind_for(&letter, to.id, heir.body.role);
                let words = signing::words_for(tx.connection, now, &letter, kind, heir)?;
                let (turn, state) = (signatory.turn + 1, SignatoryState::Named);
                let moved = Signatory { organisation_id: to.id, kind, words, turn, state, ..signatory };
                store::signatories::put(tx, &moved)?;
            }
            _ => store::signatories::forget(tx, signatory.id)?,
        }
        let letter = signing::touch(tx, now, letter)?;
        let told = json!({"from": from.body.name, "to": to.body.name});
        note(tx, now, &letter, by.clone(), "signatory_handed_over", told, None)?;
    }
    Ok(count)
}
