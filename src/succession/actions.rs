//! Carrying out what was planned.

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::access::store::people_of;
use crate::db::{AnyConnection, Tx};
use crate::kernel::{Instant, OrganisationId, copenhagen};
use crate::organisation::{self, Handover, Organisation};
use crate::outbox::{Actor, Fact, Subject, record};
use crate::web::{Node, Problem};
use crate::{account, challenge, dialogue, letter_of_intent, need, process, suggestion, support};

/// How much passes on, or did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = Carried, example = json!({"challenges": 12, "recognitions": 5, "participations": 3, "commitments": 2, "users": 8,
    "needs_inboxes": 2, "needs": 31, "suggestions": 1, "support_requests": 1, "signatories": 1, "dialogues": 1}))]
pub struct Carried {
    pub challenges: usize,
    /// Its words on others' challenges that count.
    pub recognitions: usize,
    /// Processes that it takes part in.
    pub participations: usize,
    /// That count.
    pub commitments: usize,
    /// With their sessions and API keys.
    pub users: usize,
    pub needs_inboxes: usize,
    pub needs: usize,
    /// That it is invited to own, or owns as a challenge.
    pub suggestions: usize,
    /// That are not closed.
    pub support_requests: usize,
    /// Signatures under letters of intent that it has neither given nor declined.
    pub signatories: usize,
    /// Market dialogues that it is to lead and that are not published.
    pub dialogues: usize,
}

/// What would pass on today.
///
/// # Errors
/// Those of the database.
pub fn look(connection: &mut AnyConnection, body: OrganisationId, now: Instant) -> Result<Carried, Problem> {
    let (participations, commitments) = process::store::count_of(connection, body)?;
    Ok(Carried {
        challenges: challenge::store::count_of(connection, body)?,
        recognitions: challenge::store::recognised_by(connection, body)?.len(),
        participations,
        commitments,
        users: people_of(connection, body)?.len(),
        needs_inboxes: need::store::inboxes(connection, body)?.len(),
        needs: need::store::of_body(connection, body)?.len(),
        suggestions: suggestion::store::with_body(connection, body)?.len(),
        support_requests: support::store::open_of(connection, body)?.len(),
        signatories: letter_of_intent::store::signatories::open_of(connection, body)?.len(),
        dialogues: dialogue::store::unseen_led_by(connection, body, now)?.len(),
    })
}

/// Hands over all whose last day has passed, each once; the one that ended first goes first, so that what passes on twice
/// arrives in the end.
///
/// # Errors
/// Those of the database; then nothing was handed over.
pub fn carry_out_due(tx: &mut Tx<'_>, node: &Node, now: Instant) -> Result<(), Problem> {
    for from in organisation::store::due(tx.connection, copenhagen(now).date_naive())? {
        carry_out(tx, node, now, from)?;
    }
    Ok(())
}

fn carry_out(tx: &mut Tx<'_>, node: &Node, now: Instant, from: Organisation) -> Result<(), Problem> {
    let by = Actor::service();
    let Some(handover) = Handover::of(from, |id| organisation::store::find(tx.connection, id))? else { return Ok(()) };
    let users = account::take_over(tx, node, now, &by, &handover)?;
    let (challenges, recognitions) = challenge::handover::take_over(tx, now, &by, &handover)?;
    let (participations, commitments) = process::handover::take_over(tx, now, &by, &handover)?;
    let (needs_inboxes, needs) = need::handover::take_over(tx, now, &by, &handover)?;
    let carried = Carried {
        challenges,
        recognitions,
        participations,
        commitments,
        users,
        needs_inboxes,
        needs,
        suggestions: suggestion::handover::take_over(tx, now, &by, &handover)?,
        support_requests: support::handover::take_over(tx, now, &by, &handover)?,
        signatories: letter_of_intent::handover::take_over(tx, now, &by, &handover)?,
        dialogues: dialogue::handover::take_over(tx, now, &by, &handover)?,
    };
    let Handover { from, to, .. } = handover;
    let (id, heir) = (from.id, to.id);
    let (version, handed_over_at) = (from.version + 1, Some(now));
    organisation::store::update(tx, &Organisation { version, updated_at: now, handed_over_at, ..from.clone() })?;
    let told = Fact::new(Subject::Organisation, id, "handed_over", by.clone(), now);
    record(tx, told.with(json!({"to": to.body.name, "successor_id": heir, "carried": carried})))?;
    let told = Fact::new(Subject::Organisation, heir, "took_over", by, now);
    record(tx, told.with(json!({"from": from.body.name, "predecessor_id": id, "carried": carried})))?;
    tracing::info!(from = %id, to = %heir, ?carried, "handed over");
    Ok(())
}
