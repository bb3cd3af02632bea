//! The deeds on adoptions and outcomes.

use chrono::NaiveDate;
use serde_json::json;

use super::model::WrongStage;
use super::model::outcome::{LINK_LIFETIME, REMINDED_AFTER};
use super::{Adoption, AdoptionBody, Outcome, OutcomeState, Report, Stage, due, letters, store};
use crate::access::Staff;
use crate::db::{AnyConnection, Tx};
use crate::kernel::{DeadLink, Email, Fit, Id, Instant, OrganisationId, Seal, SealedFor, copenhagen, text};
use crate::organisation;
use crate::outbox::Actor;
use crate::post::store::queue_letter;
use crate::process::actions::touch;
use crate::process::{self, Process};
use crate::web::{Node, Problem};

fn today(now: Instant) -> NaiveDate {
    copenhagen(now).date_naive()
}

/// Writes down that a body takes the solution over; what was told of it before is replaced, and its stages are kept.
///
/// # Errors
/// 404, 422 for an unknown organisation or a stage before the one before.
pub fn adopt(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    id: Id<Process>,
    body: Fit<AdoptionBody>,
) -> Result<Adoption, Problem> {
    let process = process::store::find(tx.connection, id)?.ok_or_else(Problem::not_found)?;
    let body = body.into_inner();
    let organisation = organisation::store::find(tx.connection, body.organisation_id)?.ok_or_else(|| {
        let detail = text!("Organisationen findes ikke", "The organisation does not exist");
        Problem::unfit("/organisation_id", "unknown", detail)
    })?;
    let known = store::of_body(tx.connection, id, body.organisation_id)?;
    let fresh = known.unwrap_or_else(|| Adoption {
        id: Id::made_at(now),
        process_id: id,
        organisation_id: body.organisation_id,
        organisation: organisation.body.name,
        adopted_on: body.adopted_on,
        way: body.way,
        contact: None,
        expected: Default::default(),
        stages: Vec::new(),
    });
    let adoption = fresh.told_anew(body, today(now))?;
    save(tx, now, process, &adoption, staff.actor(), "adopted", None)?;
    Ok(adoption)
}

/// Brings an adoption to another stage; by staff, or by the body itself.
///
/// # Errors
/// 404, 403 for another body, 409 for the stage it has, 422 for a day before that of the stage before.
pub fn reach(
    tx: &mut Tx<'_>,
    now: Instant,
    by: Actor,
    own: Option<OrganisationId>,
    id: Id<Adoption>,
    (stage, since): (Stage, Option<NaiveDate>),
    reason: Option<String>,
) -> Result<Adoption, Problem> {
    let adoption = store::find(tx.connection, id)?.ok_or_else(Problem::not_found)?;
    let tells = |own| organisation::store::carries_on(tx.connection, own, adoption.organisation_id);
    if !own.map_or(Ok(true), tells)? {
        let detail = text!("I kan kun fortælle om jer selv", "You can only tell of your own body");
        return Err(Problem::forbidden(detail));
    }
    let process = of_process(tx.connection, &adoption)?;
    let adoption = adoption.reach(stage, since.unwrap_or_else(|| today(now)))?;
    save(tx, now, process, &adoption, by, "came_to_stage", reason)?;
    Ok(adoption)
}

fn save(
    tx: &mut Tx<'_>,
    now: Instant,
    process: Process,
    adoption: &Adoption,
    by: Actor,
    deed: &'static str,
    reason: Option<String>,
) -> Result<(), Problem> {
    store::put(tx, adoption, &by.name, now)?;
    // The contact is personal and can be forgotten; history cannot.
    let told = json!({"adoption_id": adoption.id, "organisation": adoption.organisation, "adopted_on": adoption.adopted_on,
        "way": adoption.way, "stages": adoption.stages});
    touch(tx, now, process, deed, by, told, reason)?;
    Ok(())
}

fn of_process(connection: &mut AnyConnection, adoption: &Adoption) -> Result<Process, Problem> {
    let process = process::store::find(connection, adoption.process_id)?;
    process.ok_or_else(|| Problem::internal(&"an adoption of no process"))
}

/// Asks the contacts for whom a term has passed what the solution brought, and reminds once those who did not answer.
///
/// # Errors
/// Those of the database.
pub fn ask_for_outcomes(tx: &mut Tx<'_>, node: &Node, now: Instant) -> Result<(), Problem> {
    let adoptions = store::with_contact(tx.connection)?;
    let ids: Vec<Id<Adoption>> = adoptions.iter().map(|adoption| adoption.id).collect();
    let mut known = store::outcomes_of(tx.connection, &ids)?;
    for adoption in adoptions {
        let outcomes = known.remove(&adoption.id).unwrap_or_default();
        let handled: Vec<i32> = outcomes.iter().map(|outcome| outcome.months).collect();
        let has_it = adoption.stage().is_some_and(|entry| entry.stage != Stage::Planned);
        let due = adoption.bought_on().filter(|_| has_it).and_then(|day| due(day, &handled, today(now)));
        if let Some(due) = due {
            for months in due.pass_over {
                let state = OutcomeState::PassedOver;
                store::put_outcome(tx, &Outcome { id: Id::made_at(now), adoption_id: adoption.id, months, state })?;
            }
            let state = OutcomeState::Asked { asked_at: now, reminded_at: None };
            let asked = Outcome { id: Id::made_at(now), adoption_id: adoption.id, months: due.ask, state };
            ask(tx, node, now, &adoption, asked)?;
        } else if let Some(waiting) = outcomes.into_iter().next_back()
            && let OutcomeState::Asked { asked_at, reminded_at: None } = waiting.state
            && now >= asked_at + REMINDED_AFTER
            && now < asked_at + LINK_LIFETIME
        {
            let state = OutcomeState::Asked { asked_at, reminded_at: Some(now) };
            ask(tx, node, now, &adoption, Outcome { state, ..waiting })?;
        }
    }
    Ok(())
}

fn ask(tx: &mut Tx<'_>, node: &Node, now: Instant, adoption: &Adoption, outcome: Outcome) -> Result<(), Problem> {
    store::put_outcome(tx, &outcome)?;
    let Some(contact) = &adoption.contact else { return Ok(()) };
    let Some(email) = Email::parse(&contact.email) else { return Ok(()) };
    let process = of_process(tx.connection, adoption)?;
    Ok(queue_letter(tx, &letters::what_did_it_bring(node, &process, adoption, contact, &email, &outcome), now)?)
}

/// The token of the link to report by: good until the outcome is reported, for 60 days.
pub(super) fn report_token(node: &Node, outcome: &Outcome) -> String {
    let until = match outcome.state {
        OutcomeState::Asked { asked_at, .. } => Some(asked_at + LINK_LIFETIME),
        OutcomeState::PassedOver | OutcomeState::Reported { .. } => None,
    };
    node.seal.token(SealedFor::ReportOutcome, outcome.id, until, outcome.state.word())
}

/// What a link to report by is about.
pub struct AskedFor {
    pub outcome: Outcome,
    pub adoption: Adoption,
    pub process: Process,
}

/// What this link asks for.
///
/// # Errors
/// 410 for a link that is altered, expired or used; that of an answer which is given says so.
pub fn asked_for(connection: &mut AnyConnection, node: &Node, now: Instant, token: &str) -> Result<AskedFor, Problem> {
    let id: Id<Outcome> = Seal::named_by(token).ok_or_else(Problem::dead_link)?;
    let outcome = store::find_outcome(connection, id)?.ok_or_else(Problem::dead_link)?;
    match outcome.state {
        OutcomeState::Asked { .. } => {
            node.seal.examine(token, SealedFor::ReportOutcome, id, outcome.state.word(), now)?;
        }
        OutcomeState::Reported { .. } => {
            // Whoever clicks again needs no new link, and is told so even after the last day.
            return Err(match node.seal.examine(token, SealedFor::ReportOutcome, id, outcome.state.word(), now) {
                Err(DeadLink::Used) => {
                    let words = text!("I har allerede svaret. Tak", "You have already answered. Thank you");
                    Problem::gone("link_used", words)
                }
                _ => Problem::dead_link(),
            });
        }
        OutcomeState::PassedOver => return Err(Problem::dead_link()),
    }
    let adoption = store::find(connection, outcome.adoption_id)?.ok_or_else(Problem::dead_link)?;
    let process = of_process(connection, &adoption)?;
    Ok(AskedFor { outcome, adoption, process })
}

/// Takes what the contact says was realised, by the link in the mail.
///
/// # Errors
/// 410 for a link that is altered, expired or used.
pub fn report(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    token: &str,
    report: Fit<Report>,
) -> Result<(Outcome, Adoption), Problem> {
    let AskedFor { outcome, adoption, process } = asked_for(tx.connection, node, now, token)?;
    let by = Actor { organisation_id: Some(adoption.organisation_id.to_string()), ..Actor::visitor() };
    settle(tx, now, by, process, adoption, outcome, report.into_inner())
}

/// Writes down what was realised on behalf of a body, or mends what it said; by staff.
///
/// # Errors
/// 404.
pub fn report_for(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    id: Id<Adoption>,
    months: i32,
    report: Fit<Report>,
) -> Result<(Outcome, Adoption), Problem> {
    let adoption = store::find(tx.connection, id)?.ok_or_else(Problem::not_found)?;
    let process = of_process(tx.connection, &adoption)?;
    let known = store::outcomes_of(tx.connection, &[id])?.remove(&id).unwrap_or_default();
    let known = known.into_iter().find(|outcome| outcome.months == months);
    let outcome = known.unwrap_or_else(|| Outcome {
        id: Id::made_at(now),
        adoption_id: id,
        months,
        state: OutcomeState::PassedOver,
    });
    settle(tx, now, staff.actor(), process, adoption, outcome, report.into_inner())
}

fn settle(
    tx: &mut Tx<'_>,
    now: Instant,
    by: Actor,
    process: Process,
    adoption: Adoption,
    outcome: Outcome,
    report: Report,
) -> Result<(Outcome, Adoption), Problem> {
    let stands = adoption.stage();
    let adoption = match stands {
        Some(entry) if entry.stage != report.stage => {
            let since = today(now).max(entry.since);
            let adoption = adoption.reach(report.stage, since)?;
            store::put(tx, &adoption, &by.name, now)?;
            adoption
        }
        _ => adoption,
    };
    let reported_by = by.name.clone();
    let outcome = Outcome { state: OutcomeState::Reported { report, reported_at: now, reported_by }, ..outcome };
    store::put_outcome(tx, &outcome)?;
    let told = json!({"adoption_id": adoption.id, "organisation": adoption.organisation, "months": outcome.months,
        "stage": adoption.stage().map(|entry| entry.stage)});
    touch(tx, now, process, "outcome_reported", by, told, None)?;
    Ok((outcome, adoption))
}

impl From<WrongStage> for Problem {
    fn from(situation: WrongStage) -> Self {
        match situation {
            WrongStage::Same => {
                Self::conflict("same_stage", text!("Den er allerede på det stadie", "It is at that stage already"))
            }
            WrongStage::BeforePrevious { since } => Self::unfit(
                "/since",
                "before_previous_stage",
                text!("Stadiet før gælder fra {since}", "The stage before holds from {since}"),
            ),
        }
    }
}
