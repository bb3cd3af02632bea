//! The deeds on challenges: load, ask the model, save, record.

mod judge;
mod sponsor;

use serde_json::{Value, json};

use super::store::{self, Reader};
use super::{Challenge, Description, OutOfOrder, ReasonCode, Recognition, RecognitionBody, Status, Why};
use crate::access::store::accounts_of;
use crate::access::{Member, Staff};
use crate::criteria::Assessment;
use crate::db::Tx;
use crate::kernel::{Fit, Id, Instant, Language, OrganisationId, text};
use crate::mail::{Letter, Prose};
use crate::organisation;
use crate::outbox::{Actor, Fact, Subject, record};
use crate::post::store::queue_letter;
use crate::web::{IfMatch, Node, Patch, Problem};

pub use judge::{Judge, Support, assess};
pub use sponsor::{answer_sponsor, ask_sponsors, sponsor_of_link};

/// Registers a draft for a body.
///
/// # Errors
/// 422 for an unknown call, and for codes that a loaded list does not have.
pub fn draft(
    tx: &mut Tx<'_>,
    now: Instant,
    owner: OrganisationId,
    by: Actor,
    told: Fit<Description>,
) -> Result<Challenge, Problem> {
    let challenge = Judge::default().draft(tx.connection, now, owner, told)?;
    register(tx, now, &by, &challenge)?;
    Ok(challenge)
}

/// Stores a new challenge: a draft, or one that is handed in at once.
///
/// # Errors
/// Those of the database.
pub(super) fn register(tx: &mut Tx<'_>, now: Instant, by: &Actor, challenge: &Challenge) -> Result<(), Problem> {
    store::insert(tx, challenge)?;
    record(tx, Fact::new(Subject::Challenge, challenge.id, "drafted", by.clone(), now))?;
    if challenge.stage.status() == Status::Submitted {
        let fact = Fact::new(Subject::Challenge, challenge.id, "submitted", by.clone(), now);
        record(tx, fact.with(json!({"verdict": challenge.assessment.outcome})))?;
    }
    Ok(())
}

/// Changes a draft, or one that was returned, by a merge patch.
///
/// # Errors
/// 404 for others' challenges, 409 once submitted, 412 when stale, 422 when the result is unfit.
pub fn change(
    tx: &mut Tx<'_>,
    now: Instant,
    member: &Member,
    id: Id<Challenge>,
    seen: &IfMatch,
    patch: &Patch,
) -> Result<Challenge, Problem> {
    let challenge = own(tx, member, id)?;
    challenge.require_editable()?;
    seen.require(challenge.version)?;
    let told = patch.apply(&challenge.description)?;
    judge::require_known_codes(tx.connection, &told)?;
    let (before, after) = differences(&challenge.description, &told);
    let support = Support::of(tx.connection, id)?;
    let assessment = assess(tx.connection, now, Some(challenge.organisation_id), &told, &support)?;
    let mut particulars = json!({"before": before, "after": after});
    note_move(&mut particulars, &challenge.assessment, &assessment);
    let version = challenge.version + 1;
    let changed = Challenge { description: told.into_inner(), assessment, version, updated_at: now, ..challenge };
    store::update(tx, &changed)?;
    sponsor::let_go(tx, &changed, &support.sponsors)?;
    let fact = Fact::new(Subject::Challenge, id, "changed", member.actor(), now);
    record(tx, fact.with(particulars))?;
    Ok(changed)
}

/// Writes into a fact's particulars how the verdicts moved, if they did, and by which version.
fn note_move(particulars: &mut Value, before: &Assessment, after: &Assessment) {
    if before.verdicts() != after.verdicts() || before.version != after.version {
        let told = |assessment: &Assessment| {
            json!({"criteria_set": assessment.criteria_set, "version": assessment.version, "outcome": assessment.outcome,
                   "criteria": assessment.verdicts()})
        };
        if let Some(fields) = particulars.as_object_mut() {
            fields.insert("assessment".to_owned(), json!({"before": told(before), "after": told(after)}));
        }
    }
}

/// The fields that two descriptions tell differently, as each tells them.
fn differences(before: &Description, after: &Description) -> (serde_json::Value, serde_json::Value) {
    let fields =
        |told: &Description| serde_json::to_value(told).ok().and_then(|v| v.as_object().cloned()).unwrap_or_default();
    let (mut old, mut new) = (fields(before), fields(after));
    old.retain(|name, value| match new.get(name) {
        Some(same) if same == value => {
            new.shift_remove(name);
            false
        }
        _ => true,
    });
    (old.into(), new.into())
}

/// Hands a challenge to CO-PI's staff.
///
/// # Errors
/// 404 for others' challenges, 409 unless it is a draft or was returned or its call is closed, 422 with a CPR number in it.
pub fn submit(
    tx: &mut Tx<'_>,
    now: Instant,
    owner: OrganisationId,
    by: Actor,
    id: Id<Challenge>,
) -> Result<Challenge, Problem> {
    let challenge =
        store::find(tx.connection, id)?.filter(|c| c.organisation_id == owner).ok_or_else(Problem::not_found)?;
    let mut judge = Judge::default();
    judge.require_submittable(tx.connection, now, &challenge)?;
    challenge.require_editable()?;
    let assessment = judge.again(tx.connection, now, &challenge)?;
    let submitted = Challenge { assessment, ..challenge }.submit(now)?;
    save(tx, now, submitted, "submitted", by, None, &[])
}

/// Takes a challenge back.
///
/// # Errors
/// 404 for others' challenges, 409 while it is in a process and after it was decided against.
pub fn withdraw(
    tx: &mut Tx<'_>,
    now: Instant,
    member: &Member,
    id: Id<Challenge>,
    reason: Option<String>,
) -> Result<Challenge, Problem> {
    let withdrawn = own(tx, member, id)?.withdraw(member.actor().name, reason.clone(), now)?;
    save(tx, now, withdrawn, "withdrawn", member.actor(), reason, &[])
}

/// Gives a challenge back to its owner with a question, by mail too.
///
/// # Errors
/// 404 for drafts, 409 unless it is submitted.
pub fn send_back(
    tx: &mut Tx<'_>,
    now: Instant,
    node: &Node,
    staff: &Staff,
    id: Id<Challenge>,
    why: Why,
) -> Result<Challenge, Problem> {
    let returned = shown_to_staff(tx, id)?.send_back(staff.actor().name, why.reason.clone(), now)?;
    let returned = save(tx, now, returned, "returned", staff.actor(), Some(why.reason.clone()), &why.codes)?;
    tell_owner(tx, now, node, &returned, "CO-PI har et spørgsmål til jeres udfordring", &why.words())?;
    Ok(returned)
}

/// Approves a challenge; against the verdict only with an override and its reason.
///
/// # Errors
/// 404 for drafts, 409 unless it is submitted or against the verdict, 422 for an override without a reason.
pub fn approve(
    tx: &mut Tx<'_>,
    now: Instant,
    node: &Node,
    staff: &Staff,
    id: Id<Challenge>,
    reason: Option<String>,
    overriding: bool,
) -> Result<Challenge, Problem> {
    let approved = approve_untold(tx, now, staff, id, reason.clone(), overriding)?;
    let words = reason.unwrap_or_else(|| "Den kan nu samles med andres i en skaleringsproces.".to_owned());
    tell_owner(tx, now, node, &approved, "Jeres udfordring er godkendt", &words)?;
    Ok(approved)
}

/// Approves a challenge without a letter to its owner: for a world that is loaded, not lived.
///
/// # Errors
/// As [`approve`].
pub fn approve_untold(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    id: Id<Challenge>,
    reason: Option<String>,
    overriding: bool,
) -> Result<Challenge, Problem> {
    let approved = shown_to_staff(tx, id)?.approve(staff.actor().name, reason.clone(), overriding, now)?;
    save(tx, now, approved, "approved", staff.actor(), reason, &[])
}

/// Says no to a challenge, and why.
///
/// # Errors
/// 404 for drafts, 409 unless it is submitted.
pub fn decline(
    tx: &mut Tx<'_>,
    now: Instant,
    node: &Node,
    staff: &Staff,
    id: Id<Challenge>,
    why: Why,
) -> Result<Challenge, Problem> {
    let declined = shown_to_staff(tx, id)?.decline(staff.actor().name, why.reason.clone(), now)?;
    let declined = save(tx, now, declined, "declined", staff.actor(), Some(why.reason.clone()), &why.codes)?;
    tell_owner(tx, now, node, &declined, "Jeres udfordring er ikke blevet valgt", &why.words())?;
    Ok(declined)
}

/// One of the staff takes it upon themselves to look at a challenge that waits; or lets it go again.
///
/// # Errors
/// 404 for drafts, 409 unless it is submitted.
pub fn assign(tx: &mut Tx<'_>, now: Instant, staff: &Staff, id: Id<Challenge>, take: bool) -> Result<(), Problem> {
    shown_to_staff(tx, id)?.require_waiting()?;
    store::release(tx, id)?;
    if take {
        store::assign(tx, id, staff.person(), now)?;
    }
    let deed = if take { "taken_up" } else { "let_go" };
    Ok(record(tx, Fact::new(Subject::Challenge, id, deed, staff.actor(), now))?)
}

/// Another body says that it has the challenge too; the assessment moves at once.
///
/// # Errors
/// 404 for what the body may not see, 409 for its own challenge or one that is not shared.
pub fn recognise(
    tx: &mut Tx<'_>,
    now: Instant,
    member: &Member,
    id: Id<Challenge>,
    body: Fit<RecognitionBody>,
) -> Result<Recognition, Problem> {
    let challenge = store::find(tx.connection, id)?.filter(|c| Reader::Body(member.organisation_id()).sees(c));
    let challenge = challenge.ok_or_else(Problem::not_found)?;
    if challenge.organisation_id == member.organisation_id() {
        let detail = text!("Det er jeres egen udfordring", "This is your own challenge");
        return Err(Problem::conflict("own_challenge", detail));
    }
    let organisation =
        organisation::store::find(tx.connection, member.organisation_id())?.ok_or_else(Problem::not_found)?;
    organisation.require_existing(now)?;
    let said = Recognition {
        id: Id::made_at(now),
        organisation_id: organisation.id,
        organisation: organisation.body.name,
        body: body.into_inner(),
        said_by: member.actor().name,
        said_at: now,
    };
    let known = store::recognitions(tx.connection, id)?;
    let before = known.iter().find(|known| known.organisation_id == organisation.id).map(|known| &known.body);
    let fact = Fact::new(Subject::Challenge, id, "recognised", member.actor(), now).with(json!({
        "organisation": said.organisation, "level": said.body.level, "before": before, "after": said.body,
    }));
    store::insert_recognition(tx, id, &said)?;
    hear(tx, now, challenge, fact)?;
    Ok(said)
}

/// Assesses a challenge anew after others spoke of it, stores it, and records that they did.
fn hear(tx: &mut Tx<'_>, now: Instant, challenge: Challenge, fact: Fact) -> Result<Challenge, Problem> {
    let assessment = Judge::default().again(tx.connection, now, &challenge)?;
    let mut particulars = fact.data.clone();
    note_move(&mut particulars, &challenge.assessment, &assessment);
    let version = challenge.version + 1;
    let heard = Challenge { assessment, version, updated_at: now, ..challenge };
    store::update(tx, &heard)?;
    record(tx, fact.with(particulars))?;
    Ok(heard)
}

fn own(tx: &mut Tx<'_>, member: &Member, id: Id<Challenge>) -> Result<Challenge, Problem> {
    let found = store::find(tx.connection, id)?;
    let seen = found.filter(|challenge| Reader::Body(member.organisation_id()).sees(challenge));
    let challenge = seen.ok_or_else(Problem::not_found)?;
    if challenge.organisation_id == member.organisation_id() {
        return Ok(challenge);
    }
    Err(Problem::forbidden(text!("Det er en anden organisations udfordring", "It is another body's challenge")))
}

fn shown_to_staff(tx: &mut Tx<'_>, id: Id<Challenge>) -> Result<Challenge, Problem> {
    store::find(tx.connection, id)?.filter(|challenge| Reader::Staff.sees(challenge)).ok_or_else(Problem::not_found)
}

/// Stores a step of a challenge's life and records it.
fn save(
    tx: &mut Tx<'_>,
    now: Instant,
    challenge: Challenge,
    deed: &'static str,
    by: Actor,
    reason: Option<String>,
    codes: &[ReasonCode],
) -> Result<Challenge, Problem> {
    let was = store::find(tx.connection, challenge.id)?.map(|before| before.stage.status());
    store::update(tx, &challenge)?;
    // Whoever looked at it has looked.
    store::release(tx, challenge.id)?;
    let fact = Fact { reason, ..Fact::new(Subject::Challenge, challenge.id, deed, by, now) };
    let (verdict, status) = (challenge.assessment.outcome, challenge.stage.status());
    let mut told = json!({"verdict": verdict, "before": {"status": was}, "after": {"status": status}});
    if let (Some(told), false) = (told.as_object_mut(), codes.is_empty()) {
        told.insert("codes".to_owned(), json!(codes));
    }
    record(tx, fact.with(told))?;
    let asked = store::sponsor_requests(tx.connection, challenge.id)?;
    sponsor::let_go(tx, &challenge, &asked)?;
    Ok(challenge)
}

fn tell_owner(
    tx: &mut Tx<'_>,
    now: Instant,
    node: &Node,
    challenge: &Challenge,
    news: &str,
    words: &str,
) -> Result<(), Problem> {
    for account in accounts_of(tx.connection, challenge.organisation_id)? {
        let prose = Prose::default()
            .heading(news)
            .fact("Udfordring", &challenge.description.title)
            .fact("Status", challenge.stage.status().name().da)
            .paragraph(words)
            .link("Se udfordringen", node.url(&format!("/api/v1/challenges/{}", challenge.id)))
            .small("Mailen er sendt, fordi I har registreret udfordringen hos Skala.");
        let letter = Letter::new(&account.email, Language::Da, news, prose);
        queue_letter(tx, &letter, now)?;
    }
    Ok(())
}

impl From<OutOfOrder> for Problem {
    fn from(situation: OutOfOrder) -> Self {
        match situation {
            OutOfOrder::Stage { is, allowed } => {
                let (is, list) = (is.name(), |pick: fn(Status) -> String| {
                    allowed.iter().map(|status| pick(*status)).collect::<Vec<_>>().join(", ")
                });
                let (da, en) = (list(|s| s.name().da), list(|s| s.name().en));
                let (is_da, is_en) = (is.da, is.en);
                Self::conflict(
                    "wrong_state",
                    text!("Udfordringen er {is_da}; det kræver: {da}", "The challenge is {is_en}; this takes: {en}"),
                )
            }
            OutOfOrder::AgainstVerdict(_) => Self::conflict(
                "against_verdict",
                text!(
                    "Vurderingen er ikke opfyldt. Godkend alligevel med \"override\": true og en begrundelse",
                    "The verdict is not met. Approve all the same with \"override\": true and a reason"
                ),
            ),
            OutOfOrder::OverrideNeedsReason => Self::unfit(
                "/reason",
                "required",
                text!("At gå imod vurderingen kræver en begrundelse", "Going against the verdict takes a reason"),
            ),
        }
    }
}
