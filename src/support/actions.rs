//! Asking for support, and giving it.

use chrono::TimeDelta;
use serde_json::json;

use super::{Ask, OutOfOrder, State, SupportRequest, letters, store};
use crate::access;
use crate::access::{Person, Staff};
use crate::db::{AnyConnection, Tx};
use crate::kernel::{Email, Fit, Id, Instant, Language, Seal, SealedFor, text};
use crate::outbox::{Actor, Fact, Subject, record};
use crate::post::store::{may_be_asked, queue_letter};
use crate::web::{Node, Problem};

/// How long the link for confirming is good, and how long a request is kept that nobody confirms.
pub const CONFIRMATION_LIFETIME: TimeDelta = TimeDelta::days(7);

/// How long whoever asked may take it back by the link.
const FORGET_LIFETIME: TimeDelta = TimeDelta::days(2 * 365);

/// Takes a request from somebody without an account, and asks by mail whether it is really from there. What happens is the
/// same for every address.
///
/// # Errors
/// Those of the database.
pub fn ask(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    ask: Fit<Ask>,
    email: Email,
    language: Language,
) -> Result<(), Problem> {
    if !may_be_asked(tx, &email, now)? {
        return Ok(());
    }
    let request = new(now, ask, language);
    let request = SupportRequest { email: Some(email.clone()), ..request };
    store::insert(tx, &request)?;
    let until = Some(now + CONFIRMATION_LIFETIME);
    let token = node.seal.token(SealedFor::ConfirmSupportRequest, request.id, until, request.state.word());
    let url = node.url(&format!("/api/v1/support-requests/confirm/{token}"));
    let forget = node.seal.token(SealedFor::ForgetSupportRequest, request.id, Some(now + FORGET_LIFETIME), "");
    let forget = node.url(&format!("/api/v1/support-requests/forget/{forget}"));
    Ok(queue_letter(tx, &letters::confirm(&request, &email, (url, forget)), now)?)
}

/// The request that a link to be forgotten names.
///
/// # Errors
/// 410 for a link that is altered or expired, or whose request is gone.
pub fn forgettable(
    connection: &mut AnyConnection,
    node: &Node,
    now: Instant,
    token: &str,
) -> Result<SupportRequest, Problem> {
    let id: Id<SupportRequest> = Seal::named_by(token).ok_or_else(Problem::dead_link)?;
    if !node.seal.opens(token, SealedFor::ForgetSupportRequest, id, "", now) {
        return Err(Problem::dead_link());
    }
    store::find(connection, id)?.ok_or_else(Problem::dead_link)
}

/// Forgets the address of whoever asked; the request still counts, if it was confirmed.
///
/// # Errors
/// 410.
pub fn forget_address(tx: &mut Tx<'_>, node: &Node, now: Instant, token: &str) -> Result<(), Problem> {
    let request = forgettable(tx.connection, node, now, token)?;
    if request.state == State::Unconfirmed {
        return erase(tx, node, now, token);
    }
    let id = request.id;
    store::update(tx, &SupportRequest { email: None, version: request.version + 1, ..request })?;
    Ok(record(tx, Fact::new(Subject::SupportRequest, id, "address_forgotten", Actor::visitor(), now))?)
}

/// Forgets a request. One that was answered or closed leaves its kind and user group, which count, and no word.
///
/// # Errors
/// 410.
pub fn erase(tx: &mut Tx<'_>, node: &Node, now: Instant, token: &str) -> Result<(), Problem> {
    let request = forgettable(tx.connection, node, now, token)?;
    let id = request.id;
    if matches!(request.state, State::Unconfirmed | State::Waiting) {
        store::delete(tx, id)?;
    } else {
        let (ask, version) = (request.ask.clone().without_words(), request.version + 1);
        store::update(tx, &SupportRequest { ask, email: None, version, ..request })?;
    }
    Ok(record(tx, Fact::new(Subject::SupportRequest, id, "erased", Actor::visitor(), now))?)
}

fn new(now: Instant, ask: Fit<Ask>, language: Language) -> SupportRequest {
    SupportRequest {
        id: Id::made_at(now),
        ask: ask.into_inner(),
        organisation_id: None,
        user_id: None,
        email: None,
        language,
        state: State::Unconfirmed,
        state_at: now,
        asked_at: now,
        version: 1,
    }
}

/// Takes a request from somebody who is signed in; it waits at once.
///
/// # Errors
/// Those of the database.
pub fn ask_signed_in(
    tx: &mut Tx<'_>,
    now: Instant,
    person: &Person,
    ask: Fit<Ask>,
    language: Language,
) -> Result<SupportRequest, Problem> {
    let account = access::store::account(tx.connection, person.user_id)?;
    let request = SupportRequest {
        organisation_id: person.organisation_id,
        user_id: Some(person.user_id),
        email: account.map(|account| account.email),
        state: State::Waiting,
        ..new(now, ask, language)
    };
    store::insert(tx, &request)?;
    record_asked(tx, now, &request, person.actor())?;
    Ok(request)
}

fn record_asked(tx: &mut Tx<'_>, now: Instant, request: &SupportRequest, by: Actor) -> Result<(), Problem> {
    let particulars = json!({"kind": request.ask.kind, "user_group": request.ask.user_group});
    Ok(record(tx, Fact::new(Subject::SupportRequest, request.id, "asked", by, now).with(particulars))?)
}

/// Confirms a request by the link in the mail: from now on it waits for CO-PI.
///
/// # Errors
/// 410 for a link that is altered, expired or used.
pub fn confirm(tx: &mut Tx<'_>, node: &Node, now: Instant, token: &str) -> Result<SupportRequest, Problem> {
    let id: Id<SupportRequest> = Seal::named_by(token).ok_or_else(Problem::dead_link)?;
    let request = store::find(tx.connection, id)?.ok_or_else(Problem::dead_link)?;
    if !node.seal.opens(token, SealedFor::ConfirmSupportRequest, id, request.state.word(), now) {
        return Err(Problem::dead_link());
    }
    let confirmed = request.confirm(now).map_err(|_| Problem::dead_link())?;
    store::update(tx, &confirmed)?;
    record_asked(tx, now, &confirmed, Actor::visitor())?;
    Ok(confirmed)
}

/// A request that was confirmed.
///
/// # Errors
/// 404.
pub fn confirmed(connection: &mut AnyConnection, id: Id<SupportRequest>) -> Result<SupportRequest, Problem> {
    let found = store::find(connection, id)?.filter(|request| request.state != State::Unconfirmed);
    found.ok_or_else(Problem::not_found)
}

/// Answers a request, by mail to whoever asked.
///
/// # Errors
/// 404, 409 when it is closed.
pub fn answer(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    id: Id<SupportRequest>,
    words: String,
) -> Result<SupportRequest, Problem> {
    let answered = confirmed(tx.connection, id)?.answer(words.clone(), now)?;
    store::update(tx, &answered)?;
    if let Some(email) = &answered.email {
        queue_letter(tx, &letters::answered(&answered, email, &words), now)?;
    }
    record(tx, Fact::new(Subject::SupportRequest, id, "answered", staff.actor(), now).because(words))?;
    Ok(answered)
}

/// Closes a request: one that nobody answered with a reason, which whoever asked hears. The address is forgotten.
///
/// # Errors
/// 404, 409 when it is closed, 422 without a reason where there is no answer.
pub fn close(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    id: Id<SupportRequest>,
    reason: Option<String>,
) -> Result<SupportRequest, Problem> {
    let request = confirmed(tx.connection, id)?;
    let waits = request.state == State::Waiting;
    let email = request.email.clone();
    let closed = request.close(reason.clone(), now)?;
    store::update(tx, &closed)?;
    if let (true, Some(email), Some(reason)) = (waits, email, &reason) {
        queue_letter(tx, &letters::closed(&closed, &email, reason), now)?;
    }
    let fact = Fact::new(Subject::SupportRequest, id, "closed", staff.actor(), now);
    record(tx, Fact { reason, ..fact })?;
    Ok(closed)
}

impl From<OutOfOrder> for Problem {
    fn from(situation: OutOfOrder) -> Self {
        match situation {
            OutOfOrder::State(is) => {
                let detail = text!("Det går ikke nu: spørgsmålet er »{is}«", "Not now: the request is “{is}”");
                Self::conflict("wrong_state", detail)
            }
            OutOfOrder::ClosingNeedsReason => {
                let detail = text!("Skriv, hvorfor det ikke bliver besvaret", "Say why it is not answered");
                Self::unfit("/reason", "required", detail)
            }
        }
    }
}
