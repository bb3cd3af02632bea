//! One body takes another's place in processes: as participant, with its commitments, as the lead.

use chrono::TimeDelta;
use serde_json::json;

use super::{Commitment, CommitmentBody, Participant, ParticipantBody, ParticipantState, Process, ProcessBody, store};
use crate::db::Tx;
use crate::kernel::{Id, Instant, Language};
use crate::organisation::Handover;
use crate::outbox::{Actor, Fact, Subject, record};
use crate::web::Problem;

/// Puts the successor into every process where a body is, also those that are over: the body was a participant up to
/// its last day, and the successor is one from its first, so that a count is right as of either day. A body counts once:
/// where the successor is there already, the two become one in the further state, and their commitments one
/// ([`CommitmentBody::together`]). Adoptions stay with the body that adopted. Returns how many participations and how
/// many commitments there were.
///
/// # Errors
/// Those of the database.
pub fn take_over(tx: &mut Tx<'_>, now: Instant, by: &Actor, handover: &Handover) -> Result<(usize, usize), Problem> {
    let (mut participations, mut commitments) = (0, 0);
    for id in store::processes_of(tx.connection, handover.from.id)? {
        let process = store::find(tx.connection, id)?.ok_or_else(Problem::not_found)?;
        participations += usize::from(take_place(tx, now, id, handover)?);
        commitments += usize::from(take_commitment(tx, now, id, handover)?);
        let lead = process.body.lead_organisation_id;
        let lead = if lead == Some(handover.from.id) { Some(handover.to.id) } else { lead };
        let body = ProcessBody { lead_organisation_id: lead, ..process.body };
        store::update(tx, &Process { body, version: process.version + 1, updated_at: now, ..process })?;
        let told = Fact::new(Subject::Process, id, "handed_over", by.clone(), now);
        record(tx, told.with(json!({"from": handover.from.body.name, "to": handover.to.body.name})))?;
    }
    Ok((participations, commitments))
}

fn take_place(tx: &mut Tx<'_>, now: Instant, id: Id<Process>, handover: &Handover) -> Result<bool, Problem> {
    let known = store::participants(tx.connection, id)?;
    let of = |body| known.iter().find(|one| one.body.organisation_id == body).cloned();
    let stays = |one: &Participant| one.body.state != ParticipantState::Left;
    let Some(before) = of(handover.from.id).filter(stays) else { return Ok(false) };
    let last_day = (handover.first_day - TimeDelta::days(1)).max(before.body.joined_on);
    let left = ParticipantBody { state: ParticipantState::Left, left_on: Some(last_day), ..before.body.clone() };
    store::update_participant(tx, before.id, &left)?;
    let after = ParticipantBody {
        organisation_id: handover.to.id,
        joined_on: handover.first_day.max(before.body.joined_on),
        ..before.body.clone()
    };
    match of(handover.to.id) {
        None => store::insert_participant(tx, id, Id::made_at(now), &after)?,
        Some(own) if !stays(&own) => store::update_participant(tx, own.id, &after)?,
        Some(own) if own.body.state < before.body.state => {
            let further = ParticipantBody { state: before.body.state, role: before.body.role, ..own.body };
            store::update_participant(tx, own.id, &further)?;
        }
        Some(_) => {}
    }
    Ok(true)
}

fn take_commitment(tx: &mut Tx<'_>, now: Instant, id: Id<Process>, handover: &Handover) -> Result<bool, Problem> {
    let said = store::commitments(tx.connection, id, Language::Da)?;
    let of = |body| said.iter().find(|said| said.body.organisation_id == body).cloned();
    let (Some(word), own) = (of(handover.from.id), of(handover.to.id)) else { return Ok(false) };
    store::retire_commitment(tx, id, handover.from.id)?;
    let (first, last) = match own {
        None => (None, word),
        Some(own) if own.said_at <= word.said_at => (Some(own), word),
        Some(own) => (Some(word), own),
    };
    let body = match first {
        None => last.body,
        Some(first) => CommitmentBody::together(first.body, last.body),
    };
    let together = Commitment {
        id: Id::made_at(now),
        organisation: handover.to.body.name.clone(),
        body: CommitmentBody { organisation_id: handover.to.id, ..body },
        ..last
    };
    store::insert_commitment(tx, id, &together)?;
    Ok(true)
}
