//! What people without an account do with a dialogue, each deed confirmed by a link in a mail; and what staff answer.

mod letters;

use serde_json::json;

use super::actions::required;
use super::model::moving_up;
use super::{Dialogue, Event, Question, QuestionState, Signup, SignupState, State, WrittenAnswer, store};
use crate::access::Staff;
use crate::db::{AnyConnection, Tx};
use crate::kernel::{DeadLink, Email, Id, Instant, Language, Seal, SealedFor, text};
use crate::outbox::{Actor, Fact, Subject, record};
use crate::post::store::{may_ask_to_confirm, queue_letter};
use crate::web::{Node, Problem};

/// A question, as it comes in.
pub struct Asked {
    pub email: Email,
    pub text: String,
    pub language: Language,
}

/// A sign-up, as it comes in.
pub struct SignedUp {
    pub event_id: Id<Event>,
    pub company: String,
    pub cvr: Option<String>,
    pub name: String,
    pub email: Email,
    pub language: Language,
    pub slot: Option<Instant>,
}

/// A written answer, as it comes in.
pub struct Written {
    pub company: String,
    pub cvr: Option<String>,
    pub name: String,
    pub email: Email,
    pub answers: Vec<String>,
    pub confidential: Option<String>,
    pub language: Language,
}

/// Receives a written answer, and sends a receipt. One that comes after the deadline is kept and marked.
///
/// # Errors
/// 404, 409 for a dialogue that has ended, 422 unless every question has its answer.
pub fn receive(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    id: Id<Dialogue>,
    written: Written,
) -> Result<WrittenAnswer, Problem> {
    let dialogue = on_the_market(tx.connection, id)?;
    let asked = dialogue.notice.questions.len().max(1);
    if written.answers.len() != asked {
        let detail = text!(
            "Meddelelsen stiller {asked} spørgsmål; send lige så mange svar",
            "The notice asks {asked} question(s); send as many answers"
        );
        return Err(Problem::unfit("/answers", "wrong_number", detail));
    }
    let answer = WrittenAnswer {
        id: Id::made_at(now),
        dialogue_id: id,
        company: written.company,
        cvr: written.cvr,
        name: written.name,
        email: written.email.as_str().to_owned(),
        answers: written.answers,
        confidential: written.confidential,
        received_at: now,
        late: now > dialogue.notice.answer_deadline,
        language: written.language,
    };
    store::insert_written_answer(tx, &answer)?;
    if may_ask_to_confirm(tx, &written.email, now)? {
        queue_letter(tx, &letters::receipt(node, &dialogue, &answer, &written.email), now)?;
    }
    let particulars =
        json!({"answer_id": answer.id, "company": answer.company, "late": answer.late, "receipt": answer.receipt()});
    record(tx, Fact::new(Subject::Dialogue, id, "received_answer", Actor::visitor(), now).with(particulars))?;
    Ok(answer)
}

/// Takes a question and asks by mail whether it is really from there. The answer is the same for every address.
///
/// # Errors
/// 404, 409 when questions are not taken (any more).
pub fn ask(tx: &mut Tx<'_>, node: &Node, now: Instant, id: Id<Dialogue>, asked: Asked) -> Result<(), Problem> {
    let dialogue = on_the_market(tx.connection, id)?;
    if !dialogue.takes_questions(now) {
        let detail = text!("Fristen for spørgsmål er udløbet", "The deadline for questions has passed");
        return Err(Problem::conflict("questions_closed", detail));
    }
    if !may_ask_to_confirm(tx, &asked.email, now)? {
        return Ok(());
    }
    let key = node.seal.mac("asker", &[id.bytes(), asked.email.key().as_bytes()]);
    let question = Question {
        id: Id::made_at(now),
        dialogue_id: id,
        email: Some(asked.email.as_str().to_owned()),
        asker_key: key.iter().map(|byte| format!("{byte:02x}")).collect(),
        asker: None,
        text: asked.text,
        language: asked.language,
        state: QuestionState::Unconfirmed,
        asked_at: now,
    };
    store::insert_question(tx, &question)?;
    let letter = letters::confirm_question(node, &dialogue, &question, &asked.email, now);
    Ok(queue_letter(tx, &letter, now)?)
}

/// Confirms a question by the link in the mail: from now on it waits for its answer.
///
/// # Errors
/// 410 for a link that is altered, expired or used; 409 when the deadline has passed meanwhile.
pub fn confirm_question(tx: &mut Tx<'_>, node: &Node, now: Instant, token: &str) -> Result<Question, Problem> {
    let id: Id<Question> = Seal::named_by(token).ok_or_else(Problem::dead_link)?;
    let question = store::find_question(tx.connection, id)?.ok_or_else(Problem::dead_link)?;
    node.seal.examine(token, SealedFor::ConfirmQuestion, id, question.state.word(), now)?;
    let dialogue = on_the_market(tx.connection, question.dialogue_id)?;
    if !dialogue.takes_questions(now) {
        let detail = text!(
            "Fristen for spørgsmål udløb, før du bekræftede",
            "The deadline for questions passed before you confirmed"
        );
        return Err(Problem::conflict("questions_closed", detail));
    }
    let asker = store::asker_number(tx.connection, dialogue.id, &question.asker_key)?;
    let question = Question { asker: Some(asker), state: QuestionState::Asked, ..question };
    store::update_question(tx, &question)?;
    record(tx, Fact::new(Subject::Dialogue, dialogue.id, "asked", Actor::visitor(), now).with(about(&question)))?;
    Ok(question)
}

/// Answers a question: to all, and by mail to whoever asked.
///
/// # Errors
/// 404, 409 for one that was rejected or belongs to a dialogue that has ended.
pub fn answer(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    staff: &Staff,
    id: Id<Question>,
    answer: String,
) -> Result<Question, Problem> {
    let (dialogue, question) = open_question(tx.connection, id)?;
    let question = Question { state: QuestionState::Answered { answer: answer.clone(), answered_at: now }, ..question };
    settle(tx, node, now, staff, dialogue, question, "answered_question")
}

/// Rejects a question, with a reason that only the asker is told.
///
/// # Errors
/// As [`answer`].
pub fn reject(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    staff: &Staff,
    id: Id<Question>,
    reason: String,
) -> Result<Question, Problem> {
    let (dialogue, question) = open_question(tx.connection, id)?;
    let question = Question { state: QuestionState::Rejected { reason, rejected_at: now }, ..question };
    settle(tx, node, now, staff, dialogue, question, "rejected_question")
}

fn open_question(connection: &mut AnyConnection, id: Id<Question>) -> Result<(Dialogue, Question), Problem> {
    let found = store::find_question(connection, id)?;
    let question = found.filter(|question| question.state != QuestionState::Unconfirmed);
    let question = question.ok_or_else(Problem::not_found)?;
    if question.state != QuestionState::Asked {
        let detail =
            text!("Spørgsmålet er allerede besvaret eller afvist", "The question is answered or rejected already");
        return Err(Problem::conflict("already_settled", detail));
    }
    let dialogue = required(connection, question.dialogue_id)?;
    if !matches!(dialogue.state, State::Published { .. }) {
        let detail = text!("Markedsdialogen er slut", "The market dialogue has ended");
        return Err(Problem::conflict("out_of_order", detail));
    }
    Ok((dialogue, question))
}

fn settle(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    staff: &Staff,
    dialogue: Dialogue,
    question: Question,
    deed: &'static str,
) -> Result<Question, Problem> {
    store::update_question(tx, &question)?;
    if let Some(email) = question.email.as_deref().and_then(Email::parse) {
        queue_letter(tx, &letters::answered(node, &dialogue, &question, &email), now)?;
    }
    record(tx, Fact::new(Subject::Dialogue, dialogue.id, deed, staff.actor(), now).with(about(&question)))?;
    Ok(question)
}

fn about(question: &Question) -> serde_json::Value {
    json!({"question_id": question.id, "asker": question.asker})
}

/// Takes a sign-up: keeps a seat for an hour if one is free, and asks by mail whether it is really from there.
///
/// # Errors
/// 404 for an unknown event, 409 for one that has begun or a dialogue that has ended, 422 for a talk that is not offered.
pub fn sign_up(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    id: Id<Dialogue>,
    wish: SignedUp,
) -> Result<Signup, Problem> {
    let dialogue = on_the_market(tx.connection, id)?;
    let event = open_event(&dialogue, wish.event_id, now)?.clone();
    if wish.slot.is_some_and(|slot| !event.slots().contains(&slot)) {
        let detail = text!("Der er ingen samtale på det tidspunkt", "There is no talk at that time");
        return Err(Problem::unfit("/slot", "unknown", detail));
    }
    let all = store::signups(tx.connection, id)?;
    let of_event: Vec<Signup> = all.into_iter().filter(|one| one.event_id == wish.event_id).collect();
    let known = store::signup_of(tx.connection, wish.event_id, &wish.email.key())?;
    let fresh = Signup {
        id: known.as_ref().map_or_else(|| Id::made_at(now), |known| known.id),
        event_id: wish.event_id,
        dialogue_id: id,
        company: wish.company,
        cvr: wish.cvr,
        name: wish.name,
        email: wish.email.as_str().to_owned(),
        language: wish.language,
        state: SignupState::Unconfirmed,
        held_until: None,
        slot: wish.slot,
        signed_up_at: now,
        confirmed_at: None,
    };
    let others: Vec<Signup> = of_event.into_iter().filter(|one| one.id != fresh.id).collect();
    let fresh = fresh.held(&event, &others, now);
    let allowed = may_ask_to_confirm(tx, &wish.email, now)?;
    match known {
        // The one who signs up again learns nothing here; the mail says how things stand.
        Some(known) if matches!(known.state, SignupState::Confirmed | SignupState::Waiting) => {
            if allowed {
                queue_letter(tx, &letters::signed_up(node, &dialogue, &event, &known), now)?;
            }
            return Ok(fresh);
        }
        Some(_) if allowed => store::update_signup(tx, &fresh)?,
        None if allowed => store::insert_signup(tx, &fresh)?,
        _ => return Ok(fresh),
    }
    queue_letter(tx, &letters::confirm_signup(node, &dialogue, &event, &fresh, now), now)?;
    Ok(fresh)
}

/// Confirms a sign-up by the link in the mail: takes a seat, or joins the waiting list.
///
/// # Errors
/// 410 for a link that is altered, expired or used; 409 when the event has begun or the company has a talk already.
pub fn confirm_signup(tx: &mut Tx<'_>, node: &Node, now: Instant, token: &str) -> Result<Signup, Problem> {
    let id: Id<Signup> = Seal::named_by(token).ok_or_else(Problem::dead_link)?;
    let signup = store::find_signup(tx.connection, id)?.ok_or_else(Problem::dead_link)?;
    node.seal.examine(token, SealedFor::ConfirmSignup, id, signup.state.word(), now)?;
    let dialogue = on_the_market(tx.connection, signup.dialogue_id)?;
    let event = open_event(&dialogue, signup.event_id, now)?.clone();
    let others: Vec<Signup> = store::signups(tx.connection, dialogue.id)?
        .into_iter()
        .filter(|one| one.event_id == signup.event_id && one.id != id)
        .collect();
    require_first_talk(&event, &signup, &others)?;
    let signup = signup.confirmed(&event, &others, now);
    store::update_signup(tx, &signup)?;
    queue_letter(tx, &letters::signed_up(node, &dialogue, &event, &signup), now)?;
    record_signup(tx, &signup, "signed_up", now)?;
    Ok(signup)
}

/// Gives the seat back by the link in the mail; whoever waited longest moves up.
///
/// # Errors
/// 410 for a link that is altered or used.
pub fn cancel_signup(tx: &mut Tx<'_>, node: &Node, now: Instant, token: &str) -> Result<Signup, Problem> {
    let id: Id<Signup> = Seal::named_by(token).ok_or_else(Problem::dead_link)?;
    let signup = store::find_signup(tx.connection, id)?.ok_or_else(Problem::dead_link)?;
    node.seal.examine(token, SealedFor::CancelSignup, id, "", now)?;
    if !matches!(signup.state, SignupState::Confirmed | SignupState::Waiting) {
        return Err(DeadLink::Used.into());
    }
    let signup = Signup { state: SignupState::Cancelled, held_until: None, slot: None, ..signup };
    store::update_signup(tx, &signup)?;
    record_signup(tx, &signup, "gave_seat_back", now)?;
    let dialogue = required(tx.connection, signup.dialogue_id)?;
    move_up(tx, node, now, &dialogue, signup.event_id)?;
    Ok(signup)
}

/// Lets those who wait move up into seats that came free, and tells them.
///
/// # Errors
/// Those of the database.
pub fn move_up(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    dialogue: &Dialogue,
    event_id: Id<Event>,
) -> Result<(), Problem> {
    let Ok(event) = open_event(dialogue, event_id, now) else { return Ok(()) };
    let all: Vec<Signup> =
        store::signups(tx.connection, dialogue.id)?.into_iter().filter(|one| one.event_id == event_id).collect();
    for up in moving_up(event, &all, now) {
        store::update_signup(tx, &up)?;
        queue_letter(tx, &letters::signed_up(node, dialogue, event, &up), now)?;
        record_signup(tx, &up, "moved_up", now)?;
    }
    Ok(())
}

/// Cancels the sign-ups to events that the notice no longer has; the new version's letter says that they are gone.
pub(super) fn release_seats_of_dropped_events(
    tx: &mut Tx<'_>,
    now: Instant,
    dialogue: &Dialogue,
) -> Result<(), Problem> {
    let kept = |event: Id<Event>| dialogue.notice.events.iter().any(|one| one.id == Some(event));
    for signup in store::signups(tx.connection, dialogue.id)? {
        if !kept(signup.event_id) && signup.state != SignupState::Cancelled {
            let gone = Signup { state: SignupState::Cancelled, held_until: None, slot: None, ..signup };
            store::update_signup(tx, &gone)?;
            record_signup(tx, &gone, "lost_event", now)?;
        }
    }
    Ok(())
}

fn record_signup(tx: &mut Tx<'_>, signup: &Signup, deed: &'static str, now: Instant) -> Result<(), Problem> {
    let particulars = json!({"event_id": signup.event_id, "company": signup.company, "state": signup.state.word()});
    let fact = Fact::new(Subject::Dialogue, signup.dialogue_id, deed, Actor::visitor(), now);
    Ok(record(tx, fact.with(particulars))?)
}

/// Equal treatment: a company has one talk, however many of its people sign up.
fn require_first_talk(event: &Event, signup: &Signup, others: &[Signup]) -> Result<(), Problem> {
    let key = |one: &Signup| one.cvr.clone().unwrap_or_else(|| crate::kernel::fold(&one.company));
    let has_one = others
        .iter()
        .any(|one| matches!(one.state, SignupState::Confirmed | SignupState::Waiting) && key(one) == key(signup));
    if event.slot_minutes.is_some() && has_one {
        let detail = text!("Virksomheden har allerede en samtale", "The company has a talk already");
        return Err(Problem::conflict("company_has_a_talk", detail));
    }
    Ok(())
}

/// A dialogue that the market may act on.
fn on_the_market(connection: &mut AnyConnection, id: Id<Dialogue>) -> Result<Dialogue, Problem> {
    let dialogue = required(connection, id)?;
    match &dialogue.state {
        State::Published { .. } => Ok(dialogue),
        state if state.published().is_none() => Err(Problem::not_found()),
        _ => {
            let detail = text!("Markedsdialogen er slut", "The market dialogue has ended");
            Err(Problem::conflict("out_of_order", detail))
        }
    }
}

fn open_event(dialogue: &Dialogue, id: Id<Event>, now: Instant) -> Result<&Event, Problem> {
    let event = dialogue.notice.events.iter().find(|event| event.id == Some(id));
    let event = event.ok_or_else(|| {
        Problem::unfit("/event_id", "unknown", text!("Mødet findes ikke", "The event does not exist"))
    })?;
    if event.starts_at <= now {
        let detail = text!("Mødet er begyndt", "The event has begun");
        return Err(Problem::conflict("signup_closed", detail));
    }
    Ok(event)
}
