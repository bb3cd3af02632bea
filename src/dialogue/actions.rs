//! What CO-PI's staff do with a dialogue.

use serde_json::json;

use super::{Dialogue, Notice, Refusal, Status, Version, store, visitor};
use crate::access::Staff;
use crate::db::{AnyConnection, DbError, Tx};
use crate::kernel::privacy::{Trace, has_cpr, words_of};
use crate::kernel::{Fit, Flaws, Id, Instant, OrganisationId, text};
use crate::organisation;
use crate::outbox::{Actor, Fact, Subject, record};
use crate::process::{self, ParticipantState, Process, Role};
use crate::web::{IfMatch, Node, Problem};

pub use super::visitor::{
    Asked, Settled, SignedUp, Written, answer, ask, cancel_signup, confirm_question, confirm_signup, receive, reject,
    release_holds, sign_up,
};

/// Drafts a dialogue for a process.
///
/// # Errors
/// 404 for an unknown process, 422 for an unknown lead buyer.
pub fn draft(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    process: Id<Process>,
    notice: Fit<Notice>,
) -> Result<Dialogue, Problem> {
    process::store::find(tx.connection, process)?.ok_or_else(Problem::not_found)?;
    require_lead_exists(tx.connection, &notice)?;
    let dialogue = Dialogue::draft(process, notice, now);
    store::insert(tx, &dialogue)?;
    record(tx, Fact::new(Subject::Dialogue, dialogue.id, "drafted", staff.actor(), now))?;
    Ok(dialogue)
}

/// Changes the notice; one that the market has seen becomes a new version, and who signed up to an event that is changed
/// is told.
///
/// # Errors
/// 404, 412, 409 for one that has ended, 422 for a change without a reason or with fewer seats than are taken.
pub fn change(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    staff: &Staff,
    dialogue: Dialogue,
    notice: Fit<Notice>,
    reason: Option<String>,
) -> Result<(Dialogue, Option<Version>), Problem> {
    require_lead_exists(tx.connection, &notice)?;
    let actor = staff.actor();
    let before = dialogue.notice.events.clone();
    let (dialogue, version) = dialogue.change(notice, reason, now, &actor.name)?;
    if version.is_some() {
        lead_named(tx.connection, dialogue.clone())?;
    }
    visitor::require_room(tx.connection, &dialogue)?;
    keep(tx, &dialogue, version.as_ref(), "changed", actor, now)?;
    visitor::apply_changed_events(tx, node, now, &before, &dialogue)?;
    Ok((dialogue, version))
}

/// Publishes a draft, or lets it be published by the clock.
///
/// # Errors
/// 404, 409 unless it is unseen and its deadline lies after publication, 422 where several buy and none leads, or for
/// a moment that does not lie ahead.
pub fn publish(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    id: Id<Dialogue>,
    publish_at: Option<Instant>,
) -> Result<(Dialogue, Version), Problem> {
    let draft = required(tx.connection, id, now)?;
    let actor = staff.actor();
    let (dialogue, version) = lead_named(tx.connection, draft)?.publish(publish_at, now, &actor.name)?;
    keep(tx, &dialogue, Some(&version), if publish_at.is_some() { "scheduled" } else { "published" }, actor, now)?;
    Ok((dialogue, version))
}

/// Takes a scheduled publication back.
///
/// # Errors
/// 404, 409 unless it is scheduled.
pub fn unschedule(tx: &mut Tx<'_>, now: Instant, staff: &Staff, id: Id<Dialogue>) -> Result<Dialogue, Problem> {
    let dialogue = required(tx.connection, id, now)?.unschedule(now)?;
    keep(tx, &dialogue, None, "unscheduled", staff.actor(), now)?;
    Ok(dialogue)
}

/// Puts on record that the clock has made a scheduled version public.
///
/// # Errors
/// Those of the database.
pub fn record_publication(tx: &mut Tx<'_>, version: &Version) -> Result<(), DbError> {
    store::touch(tx, version.dialogue_id)?;
    let fact = Fact::new(Subject::Dialogue, version.dialogue_id, "published", Actor::service(), version.published_at);
    record(tx, fact.with(json!({"version": version.number})))
}

/// Cancels a dialogue, and tells who signed up to its events.
///
/// # Errors
/// 404, 409 for one that has ended.
pub fn cancel(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    staff: &Staff,
    id: Id<Dialogue>,
    reason: String,
) -> Result<(Dialogue, Option<Version>), Problem> {
    let dialogue = required(tx.connection, id, now)?;
    let actor = staff.actor();
    let (dialogue, version) = dialogue.cancel(reason, now, &actor.name)?;
    keep(tx, &dialogue, version.as_ref(), "cancelled", actor, now)?;
    visitor::tell_of_cancelled_events(tx, node, now, &dialogue)?;
    Ok((dialogue, version))
}

/// Closes a dialogue with its public summary.
///
/// # Errors
/// 404, 409 unless it is published.
pub fn close(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    id: Id<Dialogue>,
    summary: String,
) -> Result<(Dialogue, Version), Problem> {
    let dialogue = required(tx.connection, id, now)?;
    let actor = staff.actor();
    let (dialogue, version) = dialogue.close(summary, now, &actor.name)?;
    keep(tx, &dialogue, Some(&version), "closed", actor, now)?;
    Ok((dialogue, version))
}

/// The dialogue, as its last reader saw it.
///
/// # Errors
/// 404, 412.
pub fn seen(
    connection: &mut AnyConnection,
    id: Id<Dialogue>,
    seen: &IfMatch,
    now: Instant,
) -> Result<Dialogue, Problem> {
    let dialogue = required(connection, id, now)?;
    seen.require(dialogue.version)?;
    Ok(dialogue)
}

pub(super) fn required(connection: &mut AnyConnection, id: Id<Dialogue>, now: Instant) -> Result<Dialogue, Problem> {
    store::find(connection, id, now)?.ok_or_else(Problem::not_found)
}

fn keep(
    tx: &mut Tx<'_>,
    dialogue: &Dialogue,
    version: Option<&Version>,
    deed: &'static str,
    actor: Actor,
    now: Instant,
) -> Result<(), Problem> {
    store::update(tx, dialogue)?;
    store::forget_unseen_versions(tx, dialogue.id, now)?;
    let mut fact = Fact::new(Subject::Dialogue, dialogue.id, deed, actor, now);
    if let Some(version) = version {
        require_no_cpr(version)?;
        store::insert_version(tx, version)?;
        fact = fact.with(json!({"version": version.number, "published_at": version.published_at}));
        fact.reason.clone_from(&version.words);
    }
    record(tx, fact)?;
    Ok(())
}

/// A CPR number is told to nobody.
fn require_no_cpr(version: &Version) -> Result<(), Problem> {
    let told =
        words_of(&version.notice).into_iter().chain(version.words.clone().map(|words| ("/reason".to_owned(), words)));
    let mut flaws = Flaws::default();
    for (place, _) in told.filter(|(_, words)| has_cpr(words)) {
        flaws.add(&place, Trace::Cpr.word(), Trace::Cpr.words());
    }
    if flaws.0.is_empty() { Ok(()) } else { Err(flaws.into()) }
}

fn require_lead_exists(connection: &mut AnyConnection, notice: &Notice) -> Result<(), Problem> {
    match notice.lead_buyer_id {
        Some(lead) if organisation::store::find(connection, lead)?.is_none() => {
            let detail = text!("Organisationen findes ikke", "The organisation does not exist");
            Err(Problem::unfit("/lead_buyer_id", "unknown", detail))
        }
        _ => Ok(()),
    }
}

/// Where two or more buy, one of them leads and is named: in the notice, or as the process's lead.
fn lead_named(connection: &mut AnyConnection, mut dialogue: Dialogue) -> Result<Dialogue, Problem> {
    let participants = process::store::participants(connection, dialogue.process_id)?;
    let mut buyers: Vec<OrganisationId> = participants
        .iter()
        .filter(|one| one.body.role == Role::NeedOwner && one.body.state != ParticipantState::Left)
        .map(|one| one.body.organisation_id)
        .collect();
    buyers.sort_unstable();
    buyers.dedup();
    if dialogue.notice.lead_buyer_id.is_none() {
        let process = process::store::find(connection, dialogue.process_id)?;
        let lead = process.and_then(|process| process.body.lead_organisation_id);
        dialogue.notice.lead_buyer_id = lead.filter(|lead| buyers.contains(lead));
    }
    match dialogue.notice.lead_buyer_id {
        None if buyers.len() > 1 => {
            let count = buyers.len();
            let detail = text!(
                "Processen har {count} købere. Angiv, hvem af dem der er ledende køber",
                "The process has {count} buyers. Name the one that leads"
            );
            Err(Problem::unfit("/lead_buyer_id", "required", detail))
        }
        Some(lead) if buyers.len() > 1 && !buyers.contains(&lead) => {
            let detail = text!(
                "Den ledende køber skal være en af processens købere",
                "The lead buyer must be one of the process's buyers"
            );
            Err(Problem::unfit("/lead_buyer_id", "not_a_buyer", detail))
        }
        _ => Ok(dialogue),
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::OutOfOrder { from, wanted } => {
                let (da, en) = match from {
                    Status::Draft => ("en kladde", "a draft"),
                    Status::Scheduled => ("planlagt til offentliggørelse", "scheduled for publication"),
                    Status::Published => ("offentliggjort", "published"),
                    Status::Closed => ("afsluttet", "closed"),
                    Status::Cancelled => ("aflyst", "cancelled"),
                };
                let deed = match wanted {
                    "published" => "offentliggøres",
                    "unscheduled" => "tages af planen",
                    "changed" => "ændres",
                    "cancelled" => "aflyses",
                    _ => "afsluttes",
                };
                let detail = text!(
                    "Markedsdialogen er {da} og kan ikke {deed}",
                    "The market dialogue is {en} and cannot be {wanted}"
                );
                Self::conflict("out_of_order", detail)
            }
            Refusal::DeadlinePassed => {
                let detail = text!(
                    "Svarfristen skal ligge efter offentliggørelsen; ret den først",
                    "The answer deadline must lie after publication; change it first"
                );
                Self::conflict("answer_deadline_passed", detail)
            }
            Refusal::NotAhead => {
                let detail = text!(
                    "Tidspunktet for offentliggørelse skal ligge fremme i tiden",
                    "The moment for publishing must lie ahead"
                );
                Self::unfit("/publish_at", "not_ahead", detail)
            }
            Refusal::AboutToBePublished => {
                let detail = text!(
                    "Markedsdialogen offentliggøres lige nu. Prøv igen om et sekund; en ændring bliver så en ny udgave",
                    "The market dialogue is being published. Try again in a second; a change is a new version then"
                );
                Self::conflict("about_to_be_published", detail)
            }
            Refusal::ReasonMissing => {
                let detail = text!(
                    "Markedet har set meddelelsen. Skriv, hvorfor den ændres",
                    "The market has seen the notice. Say why it is changed"
                );
                Self::unfit("/change_reason", "required", detail)
            }
            Refusal::Unchanged => {
                let detail = text!("Der er ikke ændret noget", "Nothing was changed");
                Self::unfit("", "unchanged", detail)
            }
        }
    }
}
