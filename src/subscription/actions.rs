//! Subscribing, confirming, changing, leaving, being forgotten.

use chrono::TimeDelta;
use serde_json::json;

use super::{Consent, Frequency, Names, State, Subscription, SubscriptionBody, consent_text, letters, store};
use crate::db::{AnyConnection, DbError, Tx};
use crate::kernel::{Email, Fit, Id, Instant, Network, Seal, SealedFor};
use crate::outbox::{Actor, Fact, Subject, record};
use crate::post;
use crate::web::{IfMatch, Node, Problem, may_ask_to_confirm};
use crate::{dialogue, process};

/// How long the link for confirming is good, and how long an address is kept that does not use it.
pub const CONFIRMATION_LIFETIME: TimeDelta = TimeDelta::days(7);
/// How many confirmed subscriptions one address may have.
const MOST: usize = 50;

/// Takes the wish for a subscription, and asks by mail whether it really is one. What happens is the same for every
/// address, known or not: whoever asks learns nothing.
///
/// # Errors
/// 429 for a network that asked for too many confirmations.
pub fn subscribe(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    email: Email,
    body: SubscriptionBody,
    source: &str,
    network: Option<&Network>,
) -> Result<(), Problem> {
    if !may_ask_to_confirm(tx, &email, network, now)? {
        return Ok(());
    }
    let known = store::of_address(tx.connection, &email)?;
    let same =
        known.iter().find(|one| one.body.filter == body.filter && !matches!(one.state, State::Unsubscribed { .. }));
    if let Some(same) = same.filter(|same| same.is_confirmed()) {
        let names = names(tx.connection, std::slice::from_ref(same), now)?;
        post::store::queue_letter(tx, &letters::already(node, same, &names), now)?;
        return Ok(());
    }
    let consent = Consent { text: consent_text().to(body.language).to_owned(), at: now, source: source.to_owned() };
    let subscription = match same {
        Some(same) => Subscription { body, consent, updated_at: now, version: same.version + 1, ..same.clone() },
        None if known.iter().filter(|one| one.is_confirmed()).count() >= MOST => {
            let names = names(tx.connection, &known, now)?;
            post::store::queue_letter(tx, &letters::enough(node, &known, &email, body.language, &names), now)?;
            return Ok(());
        }
        None => Subscription {
            id: Id::made_at(now),
            email,
            body,
            state: State::Unconfirmed,
            consent,
            created_at: now,
            updated_at: now,
            version: 1,
        },
    };
    if same.is_some() {
        store::update(tx, &subscription)?
    } else {
        store::insert(tx, &subscription)?
    }
    let names = names(tx.connection, std::slice::from_ref(&subscription), now)?;
    post::store::queue_letter(tx, &letters::confirm(node, &subscription, now, &names), now)?;
    Ok(())
}

/// Confirms a subscription by the link in the mail.
///
/// # Errors
/// 410 for a link that is altered, expired or used.
pub fn confirm(tx: &mut Tx<'_>, node: &Node, now: Instant, token: &str) -> Result<Subscription, Problem> {
    let id: Id<Subscription> = Seal::named_by(token).ok_or_else(Problem::dead_link)?;
    let subscription = store::find(tx.connection, id)?.ok_or_else(Problem::dead_link)?;
    node.seal.examine(token, SealedFor::ConfirmSubscription, id, subscription.state.word(), now)?;
    let subscription = subscription.in_state(State::Confirmed { confirmed_at: now }, now);
    store::update(tx, &subscription)?;
    // Whatever came back from this address before: somebody reads it.
    post::store::lift_suppression(tx, &post::keyed(&node.seal, &subscription.email.key()))?;
    note(tx, id, "confirmed", now)?;
    Ok(subscription)
}

/// The subscription that a manage link names.
///
/// # Errors
/// 404 for a link that is altered or whose subscription is forgotten.
pub fn managed(
    connection: &mut AnyConnection,
    node: &Node,
    now: Instant,
    token: &str,
) -> Result<Subscription, Problem> {
    let id: Id<Subscription> = Seal::named_by(token).ok_or_else(Problem::not_found)?;
    if !node.seal.opens(token, SealedFor::ManageSubscription, id, "", now) {
        return Err(Problem::not_found());
    }
    store::find(connection, id)?.ok_or_else(Problem::not_found)
}

/// Changes a subscription by its manage link.
///
/// # Errors
/// 404, 412, 422.
pub fn change(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    token: &str,
    seen: Option<&IfMatch>,
    change: impl FnOnce(&SubscriptionBody) -> Result<Fit<SubscriptionBody>, Problem>,
) -> Result<Subscription, Problem> {
    let subscription = managed(tx.connection, node, now, token)?;
    if let Some(seen) = seen {
        seen.require(subscription.version)?;
    }
    let body = change(&subscription.body)?.into_inner();
    if body == subscription.body {
        return Ok(subscription);
    }
    let state = subscription.state.clone();
    let faster = body.frequency == Frequency::Immediate && subscription.body.frequency != Frequency::Immediate;
    let subscription = Subscription { body, ..subscription }.in_state(state, now);
    store::update(tx, &subscription)?;
    if faster {
        post::store::release_digests(tx, &subscription.email, &subscription.id.to_string(), now)?;
    }
    note(tx, subscription.id, "changed", now)?;
    Ok(subscription)
}

/// Ends a subscription by the link that stands in every letter. Doing it again changes nothing, and an altered link
/// is told apart from a forgotten subscription by nobody.
///
/// # Errors
/// 410 for a link that is altered.
pub fn unsubscribe(tx: &mut Tx<'_>, node: &Node, now: Instant, token: &str) -> Result<(), Problem> {
    let id: Id<Subscription> = Seal::named_by(token).ok_or_else(Problem::dead_link)?;
    node.seal.examine(token, SealedFor::Unsubscribe, id, "", now)?;
    match store::find(tx.connection, id)? {
        Some(subscription) => leave(tx, now, subscription),
        None => Ok(()),
    }
}

/// Ends a subscription.
///
/// # Errors
/// Those of the database.
pub fn leave(tx: &mut Tx<'_>, now: Instant, subscription: Subscription) -> Result<(), Problem> {
    if matches!(subscription.state, State::Unsubscribed { .. }) {
        return Ok(());
    }
    let id = subscription.id;
    store::update(tx, &subscription.in_state(State::Unsubscribed { unsubscribed_at: now }, now))?;
    note(tx, id, "unsubscribed", now)
}

/// Begins a subscription again that its owner had ended: who holds the link to it reads the address's mail. It is consented
/// to anew.
///
/// # Errors
/// 404 for a link that is altered or whose subscription is forgotten.
pub fn resume(tx: &mut Tx<'_>, node: &Node, now: Instant, token: &str, source: &str) -> Result<(), Problem> {
    let subscription = managed(tx.connection, node, now, token)?;
    if !matches!(subscription.state, State::Unsubscribed { .. }) {
        return Ok(());
    }
    let text = consent_text().to(subscription.body.language).to_owned();
    let consent = Consent { text, at: now, source: source.to_owned() };
    let subscription = Subscription { consent, ..subscription }.in_state(State::Confirmed { confirmed_at: now }, now);
    store::update(tx, &subscription)?;
    note(tx, subscription.id, "resumed", now)
}

/// Forgets a subscription. What was sent by it stays in the ledger under a keyed hash of the address; when it was the
/// last of its address, nothing else of the address stays with the deliveries either.
///
/// # Errors
/// 404 for a link that is altered or whose subscription is forgotten.
pub fn erase(tx: &mut Tx<'_>, node: &Node, now: Instant, token: &str) -> Result<(), Problem> {
    let subscription = managed(tx.connection, node, now, token)?;
    let hash = format!("erased:{}", post::keyed(&node.seal, &subscription.email.key()));
    let id = subscription.id;
    store::delete(tx, id)?;
    if store::of_address(tx.connection, &subscription.email)?.is_empty() {
        post::store::forget_recipient(tx, &subscription.email, &hash, now)?;
    } else {
        post::store::forget_subscription(tx, &subscription.email, &id.to_string(), &hash, now)?;
    }
    note(tx, id, "erased", now)
}

/// What the processes and dialogues of these filters are called, as far as everybody may know.
///
/// # Errors
/// [`DbError`].
pub fn names(connection: &mut AnyConnection, subscriptions: &[Subscription], now: Instant) -> Result<Names, DbError> {
    let mut names = Names::new();
    for filter in subscriptions.iter().map(|subscription| &subscription.body.filter) {
        for id in &filter.process_ids {
            let found = process::store::find(connection, *id)?;
            let seen = found.filter(|process| process.body.status != process::Status::Preparing);
            names.extend(seen.map(|process| (id.to_string(), process.body.title)));
        }
        for id in &filter.dialogue_ids {
            let found = dialogue::store::find(connection, *id, now)?;
            let seen = found.filter(|dialogue| dialogue.state.published().is_some());
            names.extend(seen.map(|dialogue| (id.to_string(), dialogue.notice.title)));
        }
    }
    Ok(names)
}

/// The token by which a subscription is seen, changed and erased.
#[must_use]
pub fn manage_token(node: &Node, id: Id<Subscription>) -> String {
    node.seal.token(SealedFor::ManageSubscription, id, None, "")
}

/// The page where a subscription is seen, changed and erased.
#[must_use]
pub fn manage_url(node: &Node, id: Id<Subscription>) -> String {
    node.url(&format!("/subscriptions/{}", manage_token(node, id)))
}

/// Where one click ends it (RFC 8058).
#[must_use]
pub fn unsubscribe_url(node: &Node, id: Id<Subscription>) -> String {
    let token = node.seal.token(SealedFor::Unsubscribe, id, None, "");
    node.url(&format!("/api/v1/unsubscribe/{token}"))
}

/// History without the address: facts are kept for good.
fn note(tx: &mut Tx<'_>, id: Id<Subscription>, deed: &'static str, now: Instant) -> Result<(), Problem> {
    Ok(record(tx, Fact::new(Subject::Subscription, id, deed, Actor::visitor(), now).with(json!({})))?)
}
