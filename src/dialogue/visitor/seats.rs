//! Seats at events: signed up to, kept, confirmed, waited for, given back.

use serde_json::json;

use super::{SignedUp, letters, on_the_market};
use crate::db::{AnyConnection, Tx};
use crate::dialogue::actions::required;
use crate::dialogue::model::moving_up;
use crate::dialogue::{Dialogue, Event, Signup, SignupState, State, store};
use crate::kernel::{DeadLink, Id, Instant, Seal, SealedFor, text};
use crate::outbox::{Actor, Fact, Subject, record};
use crate::post::store::queue_letter;
use crate::web::{Node, Problem, may_ask_to_confirm};

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
    let dialogue = on_the_market(tx.connection, id, now)?;
    let event = open_event(&dialogue, wish.event_id, now)?.clone();
    if wish.slot.is_some_and(|slot| !event.slots().contains(&slot)) {
        let detail = text!("Der er ingen samtale på det tidspunkt", "There is no talk at that time");
        return Err(Problem::unfit("/slot", "unknown", detail));
    }
    // Who waits goes first, where a seat that was kept has come free.
    move_up(tx, node, now, &dialogue, wish.event_id)?;
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
    let allowed = may_ask_to_confirm(tx, &wish.email, wish.network.as_ref(), now)?;
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
    let dialogue = on_the_market(tx.connection, signup.dialogue_id, now)?;
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
    let dialogue = required(tx.connection, signup.dialogue_id, now)?;
    move_up(tx, node, now, &dialogue, signup.event_id)?;
    Ok(signup)
}

/// Lets those who wait move up into seats that came free, and tells them.
fn move_up(
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

/// Gives seats free that were kept for somebody who did not confirm in time; whoever waited longest moves up.
///
/// # Errors
/// Those of the database.
pub fn release_holds(tx: &mut Tx<'_>, node: &Node, now: Instant) -> Result<(), Problem> {
    for (dialogue, event) in store::release_holds(tx, now)? {
        let dialogue = required(tx.connection, dialogue, now)?;
        if matches!(dialogue.state, State::Published { .. }) {
            move_up(tx, node, now, &dialogue, event)?;
        }
    }
    Ok(())
}

/// Whether the changed notice leaves a seat to everybody who has one.
///
/// # Errors
/// 422 for an event that would have fewer seats than are taken.
pub(in crate::dialogue) fn require_room(connection: &mut AnyConnection, dialogue: &Dialogue) -> Result<(), Problem> {
    let signups = store::signups(connection, dialogue.id)?;
    for (index, event) in dialogue.notice.events.iter().enumerate() {
        let seated = |one: &&Signup| Some(one.event_id) == event.id && one.state == SignupState::Confirmed;
        let taken = signups.iter().filter(seated).count();
        if event.capacity().is_some_and(|seats| seats < taken) {
            let detail = text!(
                "{taken} har allerede en plads; der kan ikke være færre pladser",
                "{taken} have a seat already; there cannot be fewer seats"
            );
            return Err(Problem::unfit(&format!("/events/{index}/seats"), "fewer_than_taken", detail));
        }
    }
    Ok(())
}

/// Brings the sign-ups in line with changed events, and tells everybody who signed up to one of them: it is moved, or it
/// is gone. Talks keep their order.
pub(in crate::dialogue) fn apply_changed_events(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    before: &[Event],
    dialogue: &Dialogue,
) -> Result<(), Problem> {
    let events = &dialogue.notice.events;
    let find = |events: &[Event], id| events.iter().find(|event| event.id == Some(id)).cloned();
    for signup in store::signups(tx.connection, dialogue.id)? {
        let Some(old) = find(before, signup.event_id).filter(|old| old.ends_at > now) else { continue };
        let told = matches!(signup.state, SignupState::Confirmed | SignupState::Waiting);
        match find(events, signup.event_id) {
            None if signup.state != SignupState::Cancelled => {
                let gone = Signup { state: SignupState::Cancelled, held_until: None, slot: None, ..signup };
                store::update_signup(tx, &gone)?;
                record_signup(tx, &gone, "lost_event", now)?;
                if told {
                    queue_letter(tx, &letters::event_gone(node, dialogue, &old, &gone), now)?;
                }
            }
            Some(new) if told && !old.meets_as(&new) => {
                let moved = signup.moved(&old, &new);
                store::update_signup(tx, &moved)?;
                queue_letter(tx, &letters::event_changed(node, dialogue, &new, &moved), now)?;
            }
            _ => {}
        }
    }
    for event in events {
        event.id.map_or(Ok(()), |id| move_up(tx, node, now, dialogue, id))?;
    }
    Ok(())
}

/// Tells everybody who signed up to an event of a dialogue that is cancelled.
pub(in crate::dialogue) fn tell_of_cancelled_events(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    dialogue: &Dialogue,
) -> Result<(), Problem> {
    for signup in store::signups(tx.connection, dialogue.id)? {
        let event = dialogue.notice.events.iter().find(|event| event.id == Some(signup.event_id));
        let Some(event) = event.filter(|event| event.ends_at > now) else { continue };
        if matches!(signup.state, SignupState::Confirmed | SignupState::Waiting) {
            queue_letter(tx, &letters::event_gone(node, dialogue, event, &signup), now)?;
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
