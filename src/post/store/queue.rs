//! Queueing: a letter of its own, a notice version to many; and who may be asked to confirm something.

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::db::schema::{confirmation_request, delivery};
use crate::db::{DbError, Rows, Statement, Tx};
use crate::kernel::{Email, Id, Instant, Language, Network, digest};
use crate::mail::Letter;
use crate::post::{Delivery, Urgency};

#[derive(Insertable)]
#[diesel(table_name = delivery, treat_none_as_default_value = false)]
struct NewDelivery<'a> {
    id: String,
    urgency: i32,
    recipient: &'a str,
    recipient_key: String,
    language: &'a str,
    letter: Option<String>,
    status: &'a str,
    attempts: i32,
    due_at: NaiveDateTime,
    queued_at: NaiveDateTime,
}

/// One recipient of a notice version.
#[derive(Clone, Debug)]
pub struct NoticeFor {
    pub email: Email,
    pub language: Language,
    pub subscription_id: String,
    /// Which filter matched, as JSON: the reason that the letter gives.
    pub why: String,
    /// When it goes in a digest, together with all that waits for this subscriber then; at once when none.
    pub digest_at: Option<Instant>,
}

/// How many confirmations one address can be made to get in an hour, and in a day.
const TO_ADDRESS: [(TimeDelta, i64); 2] = [(TimeDelta::hours(1), 5), (TimeDelta::days(1), 20)];
/// How many confirmations one network can cause in an hour, and in a day, whoever gets them.
const FROM_NETWORK: [(TimeDelta, i64); 2] = [(TimeDelta::hours(1), 60), (TimeDelta::days(1), 300)];

/// Whether this address may be asked by mail to confirm something; notes that it is. Nobody can be bombed with
/// confirmations that others ask for.
///
/// # Errors
/// [`DbError`].
pub fn may_be_asked(tx: &mut Tx<'_>, email: &Email, now: Instant) -> Result<bool, DbError> {
    note_request(tx, digest(email.key().as_bytes()), TO_ADDRESS, now)
}

/// Whether somebody in this network may cause one more confirmation, whoever gets it; notes that it is. No network can
/// bomb many addresses.
///
/// # Errors
/// [`DbError`].
pub fn may_cause_confirmation(tx: &mut Tx<'_>, network: &Network, now: Instant) -> Result<bool, DbError> {
    note_request(tx, network.to_string(), FROM_NETWORK, now)
}

fn note_request(tx: &mut Tx<'_>, key: String, bounds: [(TimeDelta, i64); 2], now: Instant) -> Result<bool, DbError> {
    use confirmation_request as c;
    for (span, most) in bounds {
        let since = (now - span).naive_utc();
        let asked = c::table.filter(c::recipient_key.eq(&key).and(c::asked_at.gt(since)));
        if asked.count().get_result::<i64>(tx.connection)? >= most {
            return Ok(false);
        }
    }
    let id = Id::<Delivery>::made_at(now).to_string();
    diesel::insert_into(c::table)
        .values((c::id.eq(id), c::recipient_key.eq(key), c::asked_at.eq(now.naive_utc())))
        .execute(tx.connection)?;
    Ok(true)
}

/// Forgets who was asked to confirm something, once it no longer bounds anything.
///
/// # Errors
/// [`DbError`].
pub fn forget_confirmations(tx: &mut Tx<'_>, now: Instant) -> Result<usize, DbError> {
    use confirmation_request as c;
    let before = (now - TimeDelta::days(1)).naive_utc();
    Ok(diesel::delete(c::table.filter(c::asked_at.lt(before))).execute(tx.connection)?)
}

/// Queues a letter in the transaction that makes it due.
///
/// # Errors
/// [`DbError`] when the row is refused.
pub fn queue_letter(tx: &mut Tx<'_>, letter: &Letter, now: Instant) -> Result<(), DbError> {
    queue_traced(tx, letter, now).map(drop)
}

/// Queues a letter whose delivery somebody will ask for.
///
/// # Errors
/// [`DbError`] when the row is refused.
pub fn queue_traced(tx: &mut Tx<'_>, letter: &Letter, now: Instant) -> Result<Id<Delivery>, DbError> {
    let json = serde_json::to_string(letter).map_err(|error| DbError::Refused(error.to_string()))?;
    let id = Id::<Delivery>::made_at(now);
    let row = NewDelivery {
        id: id.to_string(),
        urgency: Urgency::Personal.rank(),
        recipient: &letter.to,
        recipient_key: letter.to.to_lowercase(),
        language: letter.language.tag(),
        letter: Some(json),
        status: "queued",
        attempts: 0,
        due_at: now.naive_utc(),
        queued_at: now.naive_utc(),
    };
    diesel::insert_into(delivery::table).values(&row).execute(tx.connection)?;
    Ok(id)
}

#[derive(QueryableByName)]
struct Queued {
    #[diesel(sql_type = Text)]
    id: String,
}

/// Queues a notice version to many in one statement, each address that has it already left out: nobody gets a version
/// twice. Returns the places in `recipients` of those that are new, and the deliveries' ids.
///
/// # Errors
/// [`DbError`] when a row is refused.
pub fn queue_notices(
    tx: &mut Tx<'_>,
    dispatch_id: &str,
    notice_version_id: &str,
    recipients: &[NoticeFor],
    now: Instant,
) -> Result<Vec<(usize, String)>, DbError> {
    let mut ids = Vec::with_capacity(recipients.len());
    let mut rows = Vec::with_capacity(recipients.len());
    for one in recipients {
        let id = Id::<Delivery>::made_at(now).to_string();
        let due_at = Rows::moment(one.digest_at.unwrap_or(now).naive_utc());
        let digest = one.digest_at.map(|at| format!("{}@{}", one.subscription_id, at.timestamp()));
        let urgency = if digest.is_some() { Urgency::Digest } else { Urgency::Bulk }.rank();
        let (to, language) = (one.email.as_str(), one.language.tag());
        ids.push(id.clone());
        rows.push((id, to, one.email.key(), language, &one.subscription_id, &one.why, due_at, digest, urgency));
    }
    let sql = Rows::on(tx.connection);
    let text = |place| sql.text(place);
    // SQLite reads `ON CONFLICT` after a SELECT without WHERE as a join.
    let statement = format!(
        "INSERT INTO delivery (id, recipient, recipient_key, language, subscription_id, why, due_at, digest, \
         dispatch_id, notice_version_id, queued_at, urgency, status, attempts) \
         SELECT {}, {}, {}, {}, {}, {}, {}, {}, $1, $2, {}, {}, 'queued', 0 FROM {} WHERE TRUE \
         ON CONFLICT (notice_version_id, recipient_key) DO NOTHING RETURNING id",
        text(0),
        text(1),
        text(2),
        text(3),
        text(4),
        text(5),
        sql.time(6),
        text(7),
        sql.as_time("$3"),
        sql.number(8),
        sql.of("$4"),
    );
    let now = Rows::moment(now.naive_utc());
    let texts = vec![dispatch_id.to_owned(), notice_version_id.to_owned(), now, Rows::written(&rows)?];
    let queued: Vec<Queued> = Statement::<Queued>::new(statement, texts).load(tx.connection)?;
    let mut new: std::collections::HashSet<String> = queued.into_iter().map(|queued| queued.id).collect();
    Ok(ids.into_iter().enumerate().filter(|(_, id)| new.remove(id)).collect())
}
