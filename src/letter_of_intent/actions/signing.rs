//! Who signs, by which link, and what they answer.

use chrono::TimeDelta;
use serde_json::json;

use super::{TIME_TO_SIGN, note, of_process, required, summary, template_of};
use crate::access::Staff;
use crate::challenge::Level;
use crate::db::{AnyConnection, Tx};
use crate::kernel::{Email, Fit, Id, Instant, Language, OrganisationId, Seal, SealedFor, copenhagen, text};
use crate::letter_of_intent::model::template::figures;
use crate::letter_of_intent::{
    Kind, LetterOfIntent, Signatory, SignatoryState, Situation, Status, kind_for, letters, render, store,
};
use crate::outbox::Actor;
use crate::post::store::queue_letter;
use crate::process::{self, CommitmentBody, ParticipantState};
use crate::web::{Node, Problem};

/// How long before the end of the link somebody is reminded.
const REMINDED_BEFORE: TimeDelta = TimeDelta::days(7);
/// The longest that a link is good for.
const LONGEST: TimeDelta = TimeDelta::days(180);

/// A signatory, as staff name them.
pub struct Named {
    pub organisation_id: OrganisationId,
    pub name: String,
    pub title: String,
    pub email: Email,
    pub language: Language,
    /// Until when the link is good, where one is sent at once.
    pub until: Option<Instant>,
}

/// Until when a link is good.
///
/// # Errors
/// 422 for a moment that has passed or lies too far ahead.
pub(super) fn deadline(until: Option<Instant>, now: Instant) -> Result<Instant, Problem> {
    let until = until.unwrap_or(now + TIME_TO_SIGN);
    if until > now && until <= now + LONGEST {
        return Ok(until);
    }
    let detail =
        text!("Fristen skal ligge inden for de næste 180 dage", "The deadline must lie within the next 180 days");
    Err(Problem::unfit("/until", "out_of_range", detail))
}

/// Names who signs for a body, or names another while the signature is not given. Where the letter is out already, the link
/// is sent at once.
///
/// # Errors
/// 404, 409 when the body takes no part, has signed, or the letter is withdrawn.
pub fn name_signatory(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    staff: &Staff,
    id: Id<LetterOfIntent>,
    named: Named,
) -> Result<Signatory, Problem> {
    let until = deadline(named.until, now)?;
    let letter = required(tx.connection, id)?;
    if letter.status == Status::Withdrawn {
        return Err(Situation::Withdrawn.into());
    }
    let participants = process::store::participants(tx.connection, letter.process_id)?;
    let takes_part = |one: &&process::Participant| {
        one.body.organisation_id == named.organisation_id && one.body.state != ParticipantState::Left
    };
    let Some(participant) = participants.iter().find(takes_part) else {
        let detail = text!("Organisationen deltager ikke i processen", "The organisation takes no part in the process");
        return Err(Problem::conflict("takes_no_part", detail));
    };
    let known = store::signatories::of_letter(tx.connection, id)?;
    let known = known.into_iter().find(|one| one.organisation_id == named.organisation_id);
    if known.as_ref().is_some_and(|known| known.state.word() == "signed") {
        return Err(Situation::Settled.into());
    }
    let kind = kind_for(&letter, named.organisation_id, participant.body.role);
    let words = words_for(tx.connection, now, &letter, kind, participant)?;
    let signatory = Signatory {
        id: known.as_ref().map_or_else(|| Id::made_at(now), |known| known.id),
        letter_id: id,
        organisation_id: named.organisation_id,
        organisation: participant.organisation.clone(),
        kind,
        name: named.name,
        title: named.title,
        email: named.email.as_str().to_owned(),
        language: named.language,
        turn: known.map_or(0, |known| known.turn + 1),
        words,
        state: SignatoryState::Named,
    };
    store::signatories::put(tx, &signatory)?;
    let told = json!({"organisation": signatory.organisation, "kind": kind});
    let letter = touch(tx, now, letter)?;
    note(tx, now, &letter, staff.actor(), "named_signatory", told, None)?;
    match letter.status {
        Status::Signing => ask(tx, node, now, &letter, signatory, until),
        _ => Ok(signatory),
    }
}

/// The words of an addendum or a declaration; a letter's own need none.
pub(super) fn words_for(
    connection: &mut AnyConnection,
    now: Instant,
    letter: &LetterOfIntent,
    kind: Kind,
    participant: &process::Participant,
) -> Result<Option<String>, Problem> {
    let template = template_of(connection, letter)?;
    let words = match (kind, letter.language) {
        (Kind::Letter, _) => return Ok(None),
        (Kind::Addendum, Language::Da) => template.addendum_da,
        (Kind::Addendum, Language::En) => template.addendum_en,
        (Kind::Declaration, Language::Da) => template.declaration_da,
        (Kind::Declaration, Language::En) => template.declaration_en,
    };
    let process = of_process(connection, letter)?;
    let heard = process::actions::heard_in(connection, letter.process_id, letter.language)?;
    // Who withdrew wants nothing of what it said before.
    let said = heard.get(&participant.body.organisation_id).filter(|(level, _)| *level > Level::Withdrawn);
    let summary = summary(connection, &process)?;
    let day = |at: Instant| copenhagen(at).format("%d-%m-%Y").to_string();
    let places = [
        ("process", process.body.title),
        ("summary", summary),
        ("body", participant.organisation.clone()),
        ("figures", figures(said.map(|(_, figures)| figures), letter.language)),
        ("date", day(now)),
        ("frozen_on", letter.frozen_at.map(day).unwrap_or_default()),
        ("sha256", letter.document.sha256()),
    ];
    let places: Vec<(&str, &str)> = places.iter().map(|(name, filled)| (*name, filled.as_str())).collect();
    Ok(Some(format!("{}\n", render(&words, &places))))
}

/// The letter is shown with its signatories: when one of them changes, so does its entity tag.
pub(super) fn touch(tx: &mut Tx<'_>, now: Instant, letter: LetterOfIntent) -> Result<LetterOfIntent, Problem> {
    let letter = letter.touched(now);
    store::put(tx, &letter)?;
    Ok(letter)
}

/// Sends a signatory a link.
pub(super) fn ask(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    letter: &LetterOfIntent,
    signatory: Signatory,
    until: Instant,
) -> Result<Signatory, Problem> {
    let signatory = signatory.asked(until);
    store::signatories::put(tx, &signatory)?;
    let process = of_process(tx.connection, letter)?;
    if let Some(asking) = letters::please_sign(node, &process, letter, &signatory, letters::Asking::First) {
        queue_letter(tx, &asking, now)?;
    }
    Ok(signatory)
}

/// The text has changed: those who were asked get a link to the new one, good as long as the old.
pub(super) fn ask_anew(tx: &mut Tx<'_>, node: &Node, now: Instant, letter: &LetterOfIntent) -> Result<(), Problem> {
    let process = of_process(tx.connection, letter)?;
    for one in store::signatories::of_letter(tx.connection, letter.id)? {
        let SignatoryState::Asked { until, .. } = one.state else { continue };
        if one.kind != Kind::Letter {
            continue;
        }
        let one = one.asked(until);
        store::signatories::put(tx, &one)?;
        if let Some(asking) = letters::please_sign(node, &process, letter, &one, letters::Asking::NewText) {
            queue_letter(tx, &asking, now)?;
        }
    }
    Ok(())
}

/// Sends a new link to somebody whose link has run out or went astray; the old one opens nothing.
///
/// # Errors
/// 404, 409 unless the letter is out and the answer is awaited.
pub fn send_again(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    staff: &Staff,
    id: Id<Signatory>,
    until: Option<Instant>,
) -> Result<Signatory, Problem> {
    let until = deadline(until, now)?;
    let (letter, signatory) = of_signatory(tx.connection, id)?;
    if letter.status != Status::Signing {
        return Err(Situation::Status { is: letter.status }.into());
    }
    if !signatory.is_open() {
        return Err(Situation::Settled.into());
    }
    let told = json!({"organisation": signatory.organisation});
    let letter = touch(tx, now, letter)?;
    note(tx, now, &letter, staff.actor(), "sent_again", told, None)?;
    ask(tx, node, now, &letter, signatory, until)
}

fn of_signatory(connection: &mut AnyConnection, id: Id<Signatory>) -> Result<(LetterOfIntent, Signatory), Problem> {
    let signatory = store::signatories::find(connection, id)?.ok_or_else(Problem::not_found)?;
    Ok((required(connection, signatory.letter_id)?, signatory))
}

/// Reminds, once, those whose link ends within a week.
///
/// # Errors
/// Those of the database.
pub fn remind(tx: &mut Tx<'_>, node: &Node, now: Instant) -> Result<(), Problem> {
    for one in store::signatories::to_remind(tx.connection, now, now + REMINDED_BEFORE)? {
        let letter = required(tx.connection, one.letter_id)?;
        let SignatoryState::Asked { until, .. } = one.state else { continue };
        if letter.status != Status::Signing {
            continue;
        }
        let one = Signatory { state: SignatoryState::Asked { until, reminded: true }, ..one };
        store::signatories::put(tx, &one)?;
        let process = of_process(tx.connection, &letter)?;
        if let Some(asking) = letters::please_sign(node, &process, &letter, &one, letters::Asking::Reminder) {
            queue_letter(tx, &asking, now)?;
        }
    }
    Ok(())
}

/// The token of a signatory's newest link.
///
/// # Errors
/// 404, 409 unless an answer is awaited.
pub fn token(connection: &mut AnyConnection, node: &Node, id: Id<Signatory>) -> Result<String, Problem> {
    let (letter, signatory) = of_signatory(connection, id)?;
    letters::token(node, &letter, &signatory).ok_or_else(|| Situation::Settled.into())
}

/// The letter and the signatory that a link is for, whether it was answered already or not.
///
/// # Errors
/// 410 for a link that is altered, expired, for another text, or of a letter that is withdrawn.
pub fn opened(
    connection: &mut AnyConnection,
    node: &Node,
    now: Instant,
    token: &str,
) -> Result<(LetterOfIntent, Signatory), Problem> {
    let id: Id<Signatory> = Seal::named_by(token).ok_or_else(Problem::dead_link)?;
    let signatory = store::signatories::find(connection, id)?.ok_or_else(Problem::dead_link)?;
    let letter = store::find(connection, signatory.letter_id)?.ok_or_else(Problem::dead_link)?;
    let genuine = node.seal.opens(token, SealedFor::SignLetter, id, &signatory.bound_to(&letter), now);
    if !genuine || letter.status != Status::Signing {
        return Err(Problem::dead_link());
    }
    Ok((letter, signatory))
}

/// Whether the process of a letter has ended: nothing is signed any more.
///
/// # Errors
/// 409 that says so to whoever wants to sign.
pub fn require_running(connection: &mut AnyConnection, letter: &LetterOfIntent) -> Result<(), Problem> {
    let process = of_process(connection, letter)?;
    let title = &process.body.title;
    let detail = text!(
        "Processen »{title}« er slut, så der kan ikke underskrives mere. Skriv til CO-PI, hvis I stadig vil være med.",
        "The process “{title}” is over, so nothing more can be signed. Write to CO-PI if you still want to take part."
    );
    process.require_running().map_err(|_| Problem::conflict("ended", detail))
}

/// What somebody answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Sign,
    Decline { reason: String },
}

/// Signs the very text that the link shows, or declines. The first signature on the letter freezes it.
///
/// # Errors
/// 410 as [`opened`]; 409 for an answer that was given already, or a process that has ended.
pub fn answer(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    token: &str,
    answer: Answer,
) -> Result<(LetterOfIntent, Signatory), Problem> {
    let (letter, signatory) = opened(tx.connection, node, now, token)?;
    let by = Actor {
        name: signatory.name.clone(),
        organisation_id: Some(signatory.organisation_id.to_string()),
        ..Actor::visitor()
    };
    let told =
        json!({"organisation": signatory.organisation, "kind": signatory.kind, "sha256": signatory.sha256(&letter)});
    let (letter, signatory) = match answer {
        Answer::Decline { reason } => {
            let signatory = signatory.decline(reason.clone(), now)?;
            note(tx, now, &letter, by, "declined", told, Some(reason))?;
            (touch(tx, now, letter)?, signatory)
        }
        Answer::Sign => {
            let signatory = signatory.sign(&letter, now)?;
            require_running(tx.connection, &letter)?;
            note(tx, now, &letter, by.clone(), "signed", told, None)?;
            let letter = match signatory.kind {
                Kind::Letter => letter.frozen(now),
                Kind::Addendum | Kind::Declaration => letter.touched(now),
            };
            store::put(tx, &letter)?;
            follow(tx, now, by, &letter, &signatory)?;
            (letter, signatory)
        }
    };
    store::signatories::put(tx, &signatory)?;
    let process = of_process(tx.connection, &letter)?;
    if let Some(receipt) = letters::receipt(node, &process, &letter, &signatory) {
        queue_letter(tx, &receipt, now)?;
    }
    Ok((letter, signatory))
}

/// What follows from a signature: the participant has signed, and intends at least.
fn follow(
    tx: &mut Tx<'_>,
    now: Instant,
    by: Actor,
    letter: &LetterOfIntent,
    signatory: &Signatory,
) -> Result<(), Problem> {
    let today = copenhagen(now).date_naive();
    if signatory.kind == Kind::Declaration {
        return Ok(());
    }
    process::actions::mark_signed(tx, letter.process_id, signatory.organisation_id, Some(today))?;
    let said = process::store::commitments(tx.connection, letter.process_id, letter.language)?;
    let before = said.into_iter().map(|said| said.body).find(|body| body.organisation_id == signatory.organisation_id);
    let level = before.as_ref().map_or(Level::Intends, |before| before.level.max(Level::Intends));
    let silent = CommitmentBody {
        organisation_id: signatory.organisation_id,
        level,
        volume: None,
        volumes: Vec::new(),
        annual_value: None,
        option_value: None,
        signed_by: None,
        signed_on: None,
    };
    let signed_by = Some(signatory.name.chars().take(120).collect());
    let body = CommitmentBody { level, signed_by, signed_on: Some(today), ..before.unwrap_or(silent) };
    process::actions::commit(tx, now, by, letter.process_id, Fit::check(body)?, letter.language)?;
    Ok(())
}

/// Takes a signature back; by staff, at the body's word.
///
/// # Errors
/// 404, 409 unless it was given.
pub fn withdraw_signature(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    id: Id<Signatory>,
    reason: String,
) -> Result<Signatory, Problem> {
    let (letter, signatory) = of_signatory(tx.connection, id)?;
    let signatory = signatory.withdraw(reason.clone(), now)?;
    store::signatories::put(tx, &signatory)?;
    if signatory.kind != Kind::Declaration {
        process::actions::mark_signed(tx, letter.process_id, signatory.organisation_id, None)?;
    }
    let told = json!({"organisation": signatory.organisation});
    let letter = touch(tx, now, letter)?;
    note(tx, now, &letter, staff.actor(), "signature_withdrawn", told, Some(reason))?;
    Ok(signatory)
}
