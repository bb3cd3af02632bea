//! What people without an account do with a dialogue, each deed confirmed by a link in a mail; and what staff answer.

mod letters;
mod seats;

pub(super) use seats::{apply_changed_events, require_room, tell_of_cancelled_events};
pub use seats::{cancel_signup, confirm_signup, release_holds, sign_up};

use serde_json::json;

use super::actions::required;
use super::{Dialogue, Event, Question, QuestionState, State, WrittenAnswer, store};
use crate::access::Staff;
use crate::db::{AnyConnection, Tx};
use crate::kernel::{Email, Id, Instant, Language, Network, Seal, SealedFor, text};
use crate::outbox::{Actor, Fact, Subject, record};
use crate::post::store::{queue_letter, queue_traced};
use crate::post::{self, Delivery};
use crate::web::{Node, Problem, may_ask_to_confirm};

/// A question, as it comes in.
pub struct Asked {
    pub email: Email,
    pub text: String,
    pub language: Language,
    /// Whence it came.
    pub network: Option<Network>,
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
    pub network: Option<Network>,
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
    pub network: Option<Network>,
}

/// Receives a written answer, and sends a receipt. One that comes after the deadline is kept and marked. The same words
/// from the same address again, as by a button that is pressed twice, are the answer that is there already.
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
    let dialogue = on_the_market(tx.connection, id, now)?;
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
    let receipt = answer.receipt();
    if let Some(known) = store::written_answer_of(tx.connection, id, &receipt)? {
        return Ok(known);
    }
    store::insert_written_answer(tx, &answer)?;
    // An answer is never turned away for the letters that others asked for; its receipt is in the reply as well.
    let network = written.network.as_ref();
    let within = network.map_or(Ok(true), |network| post::store::may_cause_confirmation(tx, network, now))?;
    if within && post::store::may_be_asked(tx, &written.email, now)? {
        queue_letter(tx, &letters::receipt(node, &dialogue, &answer, &written.email), now)?;
    }
    let particulars =
        json!({"answer_id": answer.id, "company": answer.company, "late": answer.late, "receipt": receipt});
    record(tx, Fact::new(Subject::Dialogue, id, "received_answer", Actor::visitor(), now).with(particulars))?;
    Ok(answer)
}

/// Takes a question and asks by mail whether it is really from there. The answer is the same for every address.
///
/// # Errors
/// 404, 409 when questions are not taken (any more).
pub fn ask(tx: &mut Tx<'_>, node: &Node, now: Instant, id: Id<Dialogue>, asked: Asked) -> Result<(), Problem> {
    let dialogue = on_the_market(tx.connection, id, now)?;
    if !dialogue.takes_questions(now) {
        let detail = text!("Fristen for spørgsmål er udløbet", "The deadline for questions has passed");
        return Err(Problem::conflict("questions_closed", detail));
    }
    if !may_ask_to_confirm(tx, &asked.email, asked.network.as_ref(), now)? {
        return Ok(());
    }
    let key = node.seal.mac("asker", &[id.bytes(), asked.email.key().as_bytes()]);
    let asker_key: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    // A form that is sent twice is one question.
    if store::is_asked(tx.connection, id, &asker_key, &asked.text)? {
        return Ok(());
    }
    let question = Question {
        id: Id::made_at(now),
        dialogue_id: id,
        email: Some(asked.email.as_str().to_owned()),
        asker_key,
        asker: None,
        text: asked.text,
        language: asked.language,
        state: QuestionState::Unconfirmed,
        asked_at: now,
    };
    store::insert_question(tx, &question)?;
    let letter = letters::confirm_question(node, &dialogue, &question, &asked.email, now);
    queue_letter(tx, &letter, now)?;
    Ok(())
}

/// Confirms a question by the link in the mail: from now on it waits for its answer.
///
/// # Errors
/// 410 for a link that is altered, expired or used; 409 when the deadline has passed meanwhile.
pub fn confirm_question(tx: &mut Tx<'_>, node: &Node, now: Instant, token: &str) -> Result<Question, Problem> {
    let id: Id<Question> = Seal::named_by(token).ok_or_else(Problem::dead_link)?;
    let question = store::find_question(tx.connection, id)?.ok_or_else(Problem::dead_link)?;
    node.seal.examine(token, SealedFor::ConfirmQuestion, id, question.state.word(), now)?;
    let dialogue = on_the_market(tx.connection, question.dialogue_id, now)?;
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

/// A question that staff has settled.
pub struct Settled {
    pub dialogue: Dialogue,
    pub question: Question,
    /// The letter to whoever asked; none when the address was erased.
    pub letter: Option<Id<Delivery>>,
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
) -> Result<Settled, Problem> {
    let (dialogue, question) = open_question(tx.connection, id, now)?;
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
) -> Result<Settled, Problem> {
    let (dialogue, question) = open_question(tx.connection, id, now)?;
    let question = Question { state: QuestionState::Rejected { reason, rejected_at: now }, ..question };
    settle(tx, node, now, staff, dialogue, question, "rejected_question")
}

fn open_question(
    connection: &mut AnyConnection,
    id: Id<Question>,
    now: Instant,
) -> Result<(Dialogue, Question), Problem> {
    let found = store::find_question(connection, id)?;
    let question = found.filter(|question| question.state != QuestionState::Unconfirmed);
    let question = question.ok_or_else(Problem::not_found)?;
    if question.state != QuestionState::Asked {
        let detail =
            text!("Spørgsmålet er allerede besvaret eller afvist", "The question is answered or rejected already");
        return Err(Problem::conflict("already_settled", detail));
    }
    let dialogue = required(connection, question.dialogue_id, now)?;
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
) -> Result<Settled, Problem> {
    store::update_question(tx, &question)?;
    let email = question.email.as_deref().and_then(Email::parse);
    let letter = email.map(|email| letters::answered(node, &dialogue, &question, &email));
    let letter = letter.map(|letter| queue_traced(tx, &letter, now)).transpose()?;
    record(tx, Fact::new(Subject::Dialogue, dialogue.id, deed, staff.actor(), now).with(about(&question)))?;
    Ok(Settled { dialogue, question, letter })
}

fn about(question: &Question) -> serde_json::Value {
    json!({"question_id": question.id, "asker": question.asker})
}

/// A dialogue that the market may act on.
fn on_the_market(connection: &mut AnyConnection, id: Id<Dialogue>, now: Instant) -> Result<Dialogue, Problem> {
    let dialogue = required(connection, id, now)?;
    match &dialogue.state {
        State::Published { .. } => Ok(dialogue),
        state if state.published().is_none() => Err(Problem::not_found()),
        _ => {
            let detail = text!("Markedsdialogen er slut", "The market dialogue has ended");
            Err(Problem::conflict("out_of_order", detail))
        }
    }
}
