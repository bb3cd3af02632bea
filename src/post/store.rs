//! Deliveries in the database: queueing, leasing, settling, and what became of them.

mod bounces;
mod lease;
mod postmark;
mod queue;

use std::collections::HashSet;

use chrono::NaiveDateTime;
use diesel::dsl::{count_star, sql};
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Bool;

pub use bounces::{Returned, bounced, is_suppressed, lift_suppression, returned, suppress, suppressed};
pub use lease::{Leased, Room, Term, Unfit, heed_clock, lease, next_due, pause, put_off, renew, resume, settle};
pub use postmark::{Posted, Postmark, put_postmark, take_postmarks};
pub use queue::{
    NoticeFor, forget_confirmations, may_be_asked, may_cause_confirmation, queue_letter, queue_notices, queue_traced,
};

use super::Urgency;
use crate::db::schema::delivery;
use crate::db::{AnyConnection, DbError, Tx};
use crate::kernel::{Email, Instant};

/// What waits, found by the index of what waits: written out, since neither engine takes it for that index otherwise.
fn waiting() -> SqlLiteral<Bool> {
    sql("delivery.status = 'queued'")
}

/// Whether what was found otherwise still waits: written so that no index answers it, which might be all that waits.
fn still_waits() -> SqlLiteral<Bool> {
    sql(STILL_WAITS)
}

const STILL_WAITS: &str = "delivery.status || '' = 'queued'";

/// What became of one delivery, as the ledger tells it.
#[derive(Clone, Debug)]
pub struct Entry {
    pub id: String,
    pub notice_version_id: String,
    pub recipient: String,
    pub why: String,
    pub status: String,
    pub attempts: i32,
    pub queued_at: Instant,
    pub settled_at: Option<Instant>,
    pub answer: Option<String>,
    pub bounced_at: Option<Instant>,
    pub bounce: Option<String>,
}

/// Which of these addresses were told of one of these versions, or are about to be.
///
/// # Errors
/// [`DbError`].
pub fn told(
    connection: &mut AnyConnection,
    notice_version_ids: &[String],
    recipient_keys: &[String],
) -> Result<HashSet<String>, DbError> {
    let keys: Vec<String> = delivery::table
        .filter(delivery::notice_version_id.eq_any(notice_version_ids))
        .filter(delivery::recipient_key.eq_any(recipient_keys))
        .filter(delivery::status.ne("suppressed"))
        .select(delivery::recipient_key)
        .load(connection)?;
    Ok(keys.into_iter().collect())
}

/// The next 1,000 deliveries of notices in the order of their ids, and where they stand.
///
/// # Errors
/// [`DbError`].
pub fn notices_after(connection: &mut AnyConnection, place: &str) -> Result<Vec<(String, String)>, DbError> {
    Ok(delivery::table
        .filter(delivery::id.gt(place).and(delivery::notice_version_id.is_not_null()))
        .order(delivery::id)
        .limit(1000)
        .select((delivery::id, delivery::status))
        .load(connection)?)
}

/// Lets what waits in digests for this subscription go at once.
///
/// # Errors
/// [`DbError`].
pub fn release_digests(tx: &mut Tx<'_>, email: &Email, subscription_id: &str, now: Instant) -> Result<(), DbError> {
    diesel::update(delivery::table)
        .filter(delivery::recipient_key.eq(email.key()).and(delivery::subscription_id.eq(subscription_id)))
        .filter(still_waits())
        .filter(delivery::digest.is_not_null().and(delivery::leased_until.is_null()))
        .set((
            delivery::due_at.eq(now.naive_utc()),
            delivery::digest.eq(None::<String>),
            delivery::urgency.eq(Urgency::Bulk.rank()),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// Replaces the address in the deliveries of one subscription by a keyed hash.
///
/// # Errors
/// [`DbError`].
pub fn forget_subscription(
    tx: &mut Tx<'_>,
    email: &Email,
    subscription_id: &str,
    hash: &str,
    now: Instant,
) -> Result<(), DbError> {
    let of_it = || {
        let of_its_address = delivery::table.filter(delivery::recipient_key.eq(email.key()));
        of_its_address.filter(delivery::subscription_id.eq(subscription_id))
    };
    diesel::update(of_it().filter(still_waits()))
        .set((
            delivery::status.eq("suppressed"),
            delivery::answer.eq("erased at the recipient's wish"),
            delivery::settled_at.eq(now.naive_utc()),
        ))
        .execute(tx.connection)?;
    diesel::update(of_it())
        .set((delivery::recipient.eq(hash), delivery::recipient_key.eq(hash)))
        .execute(tx.connection)?;
    Ok(())
}

/// How many deliveries stand in each state, of one dispatch or of all.
///
/// # Errors
/// [`DbError`].
pub fn count_by_status(connection: &mut AnyConnection, dispatch: Option<&str>) -> Result<Vec<(String, i64)>, DbError> {
    let mut counts = delivery::table
        .group_by(delivery::status)
        .select((delivery::status, count_star()))
        .order(delivery::status)
        .into_boxed();
    if let Some(dispatch) = dispatch {
        counts = counts.filter(delivery::dispatch_id.eq(dispatch.to_owned()));
    }
    Ok(counts.load(connection)?)
}

/// Whether a delivery of this dispatch still waits.
///
/// # Errors
/// [`DbError`].
pub fn waits(connection: &mut AnyConnection, dispatch_id: &str) -> Result<bool, DbError> {
    let waiting = delivery::table.filter(delivery::dispatch_id.eq(dispatch_id).and(delivery::status.eq("queued")));
    Ok(diesel::select(diesel::dsl::exists(waiting)).get_result(connection)?)
}

/// How many deliveries of this dispatch were settled after this moment.
///
/// # Errors
/// [`DbError`].
pub fn settled_since(connection: &mut AnyConnection, dispatch_id: &str, since: Instant) -> Result<i64, DbError> {
    Ok(delivery::table
        .filter(delivery::dispatch_id.eq(dispatch_id).and(delivery::status.eq_any(["sent", "failed"])))
        .filter(delivery::settled_at.gt(since.naive_utc()))
        .count()
        .get_result(connection)?)
}

/// How many deliveries wait, by urgency.
///
/// # Errors
/// [`DbError`].
pub fn count_waiting(connection: &mut AnyConnection) -> Result<Vec<(i32, i64)>, DbError> {
    Ok(delivery::table
        .filter(waiting())
        .group_by(delivery::urgency)
        .select((delivery::urgency, count_star()))
        .load(connection)?)
}

/// What a line of the ledger is made of.
type EntryColumns = (
    delivery::id,
    delivery::notice_version_id,
    delivery::recipient,
    delivery::why,
    delivery::status,
    delivery::attempts,
    delivery::queued_at,
    delivery::settled_at,
    delivery::answer,
    delivery::bounced_at,
    delivery::bounce,
);
const ENTRY: EntryColumns = (
    delivery::id,
    delivery::notice_version_id,
    delivery::recipient,
    delivery::why,
    delivery::status,
    delivery::attempts,
    delivery::queued_at,
    delivery::settled_at,
    delivery::answer,
    delivery::bounced_at,
    delivery::bounce,
);
type EntryRow = (
    String,
    Option<String>,
    String,
    Option<String>,
    String,
    i32,
    NaiveDateTime,
    Option<NaiveDateTime>,
    Option<String>,
    Option<NaiveDateTime>,
    Option<String>,
);

fn entry(
    (id, version, recipient, why, status, attempts, queued_at, settled_at, answer, bounced_at, bounce): EntryRow,
) -> Entry {
    Entry {
        id,
        notice_version_id: version.unwrap_or_default(),
        recipient,
        why: why.unwrap_or_default(),
        status,
        attempts,
        queued_at: queued_at.and_utc(),
        settled_at: settled_at.map(|at| at.and_utc()),
        answer,
        bounced_at: bounced_at.map(|at| at.and_utc()),
        bounce,
    }
}

/// Who was told of these notice versions, in the order in which they were queued.
///
/// # Errors
/// [`DbError`].
pub fn entries(connection: &mut AnyConnection, notice_version_ids: &[String]) -> Result<Vec<Entry>, DbError> {
    let rows: Vec<EntryRow> = delivery::table
        .filter(delivery::notice_version_id.eq_any(notice_version_ids))
        .order((delivery::queued_at, delivery::id))
        .select(ENTRY)
        .load(connection)?;
    Ok(rows.into_iter().map(entry).collect())
}

/// What became of these deliveries, in the order in which they were queued.
///
/// # Errors
/// [`DbError`].
pub fn entries_by_id(connection: &mut AnyConnection, ids: &[String]) -> Result<Vec<Entry>, DbError> {
    let rows: Vec<EntryRow> = delivery::table
        .filter(delivery::id.eq_any(ids))
        .order((delivery::queued_at, delivery::id))
        .select(ENTRY)
        .load(connection)?;
    Ok(rows.into_iter().map(entry).collect())
}

/// Replaces an address that asked to be forgotten by a keyed hash: the ledger keeps that somebody was told.
///
/// # Errors
/// [`DbError`].
pub fn forget_recipient(tx: &mut Tx<'_>, email: &Email, hash: &str, now: Instant) -> Result<(), DbError> {
    let of_this_address = || delivery::table.filter(delivery::recipient_key.eq(email.key()));
    diesel::update(of_this_address().filter(still_waits()))
        .set((
            delivery::status.eq("suppressed"),
            delivery::answer.eq("erased at the recipient's wish"),
            delivery::settled_at.eq(now.naive_utc()),
            delivery::letter.eq(None::<String>),
        ))
        .execute(tx.connection)?;
    diesel::update(of_this_address())
        .set((delivery::recipient.eq(hash), delivery::recipient_key.eq(hash)))
        .execute(tx.connection)?;
    Ok(())
}
