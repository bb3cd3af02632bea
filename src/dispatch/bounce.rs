//! Mail that comes back, taken in quietly: dead addresses get no more, what comes back for other reasons counts, and
//! whoever complains is unsubscribed.

use chrono::TimeDelta;
use serde_json::json;

use super::ledger::{self, Became, OfVersion};
use crate::db::Tx;
use crate::dialogue;
use crate::kernel::{Email, Id, Instant, Seal};
use crate::mail::{Fate, Report};
use crate::outbox::{Actor, Fact, Subject, record};
use crate::post::store::Returned;
use crate::post::{self, Delivery};
use crate::subscription::{self, State};
use crate::web::Problem;

/// How many letters may come back from one address, within which time, before it gets no more.
pub const MOST_RETURNED: i64 = 5;
pub const RETURNED_WITHIN: TimeDelta = TimeDelta::days(30);
/// Why an address gets no more that a server does not know.
pub(super) const NO_MAILBOX: &str = "there is no such mailbox";

/// What was done about a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakenIn {
    /// The address gets no more.
    Suppressed,
    /// It was counted.
    Counted,
    /// So many subscriptions were ended.
    Unsubscribed(usize),
    /// Nothing follows from it: a delay, a holiday reply, a report that was taken in before.
    Nothing,
    /// It speaks of no letter that is known.
    Unknown,
}

/// Takes in a report.
///
/// # Errors
/// Those of the database.
pub fn take_in(tx: &mut Tx<'_>, seal: &Seal, report: &Report, now: Instant) -> Result<TakenIn, Problem> {
    let (letters, fate) = match report {
        Report::Automatic => return Ok(TakenIn::Nothing),
        Report::Bounce { letters, fate } => (letters, Some(fate)),
        Report::Complaint { letters, .. } => (letters, None),
    };
    let Some(returned) = known(tx, letters)? else { return Ok(TakenIn::Unknown) };
    match (report, fate) {
        (Report::Complaint { kind, .. }, _) => complaint(tx, &returned, kind, now),
        (_, Some(Fate::Dead(words))) => bounced(tx, seal, &returned, words, true, now),
        (_, Some(Fate::Returned(words))) => bounced(tx, seal, &returned, words, false, now),
        _ => Ok(TakenIn::Nothing),
    }
}

fn known(tx: &mut Tx<'_>, letters: &[String]) -> Result<Option<Returned>, Problem> {
    for letter in letters {
        let Ok(id) = letter.parse::<Id<Delivery>>() else { continue };
        if let Some(returned) = post::store::returned(tx.connection, id)? {
            return Ok(Some(returned));
        }
    }
    Ok(None)
}

fn bounced(
    tx: &mut Tx<'_>,
    seal: &Seal,
    returned: &Returned,
    words: &str,
    is_dead: bool,
    now: Instant,
) -> Result<TakenIn, Problem> {
    let hash = post::keyed(seal, &returned.recipient_key);
    let words = &post::without(words, &returned.recipient);
    let Some(count) = post::store::bounced(tx, returned.id, &hash, words, RETURNED_WITHIN, now)? else {
        return Ok(TakenIn::Nothing);
    };
    if let Some(version) = &returned.notice_version_id {
        let dialogue = dialogue::store::dialogue_of(tx.connection, version)?;
        let line = Became { id: returned.id.to_string(), outcome: "bounced", answer: words, letter: None };
        let told = OfVersion { version_id: version, deliveries: vec![line] };
        ledger::append(tx, now, dialogue.unwrap_or_default(), "bounced", &told)?;
    }
    if !is_dead && count < MOST_RETURNED {
        return Ok(TakenIn::Counted);
    }
    let reason = if is_dead { NO_MAILBOX } else { "letters keep coming back" };
    post::store::suppress(tx, &hash, reason, now)?;
    Ok(TakenIn::Suppressed)
}

/// Ends every subscription of the address: whoever calls one letter abuse wants none of the others.
fn complaint(tx: &mut Tx<'_>, returned: &Returned, kind: &str, now: Instant) -> Result<TakenIn, Problem> {
    if !["abuse", "fraud", "opt-out", "opt-out-list", "other"].contains(&kind) {
        return Ok(TakenIn::Nothing);
    }
    let Some(email) = Email::parse(&returned.recipient) else { return Ok(TakenIn::Nothing) };
    let mut ended = 0;
    for subscription in subscription::store::of_address(tx.connection, &email)? {
        if matches!(subscription.state, State::Unsubscribed { .. }) {
            continue;
        }
        let id = subscription.id;
        let data = json!({"kind": kind});
        record(tx, Fact::new(Subject::Subscription, id, "complained", Actor::service(), now).with(data))?;
        subscription::actions::leave(tx, now, subscription)?;
        ended += 1;
    }
    Ok(TakenIn::Unsubscribed(ended))
}
