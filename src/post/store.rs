//! Deliveries in the database: queueing, leasing, settling.

use chrono::NaiveDateTime;
use diesel::dsl::count_star;
use diesel::prelude::*;

use super::{Delivery, LEASE, Outcome, Urgency};
use crate::db::schema::delivery;
use crate::db::{AnyConnection, DbError, Lift, Tx};
use crate::kernel::{Email, Id, Instant, Language};
use crate::mail::Letter;

#[derive(Insertable)]
#[diesel(table_name = delivery)]
struct NewDelivery<'a> {
    id: String,
    urgency: i32,
    recipient: &'a str,
    recipient_key: String,
    language: &'a str,
    letter: Option<String>,
    dispatch_id: Option<String>,
    notice_version_id: Option<String>,
    subscription_id: Option<String>,
    why: Option<String>,
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
    pub dispatch_id: String,
    pub notice_version_id: String,
    pub subscription_id: String,
    /// Which filter matched, as JSON: the reason that the letter gives.
    pub why: String,
}

/// A delivery that a worker holds on lease.
#[derive(Clone, Debug)]
pub struct Held {
    pub id: Id<Delivery>,
    pub recipient: Email,
    pub language: Language,
    pub attempts: i32,
    pub queued_at: Instant,
    pub content: Content,
}

/// What is to be said in a delivery.
#[derive(Clone, Debug)]
pub enum Content {
    /// A letter of its own, kept until it is sent.
    Letter(Box<Letter>),
    /// A notice version, to be rendered for this subscriber.
    Notice { notice_version_id: String, subscription_id: String, why: String },
}

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
}

/// Queues a letter in the transaction that makes it due.
///
/// # Errors
/// [`DbError`] when the row is refused.
pub fn queue_letter(tx: &mut Tx<'_>, letter: &Letter, now: Instant) -> Result<(), DbError> {
    let json = serde_json::to_string(letter).map_err(|error| DbError::Refused(error.to_string()))?;
    let row = NewDelivery {
        id: Id::<Delivery>::made_at(now).to_string(),
        urgency: Urgency::Personal.rank(),
        recipient: &letter.to,
        recipient_key: letter.to.to_lowercase(),
        language: letter.language.tag(),
        letter: Some(json),
        dispatch_id: None,
        notice_version_id: None,
        subscription_id: None,
        why: None,
        status: "queued",
        attempts: 0,
        due_at: now.naive_utc(),
        queued_at: now.naive_utc(),
    };
    diesel::insert_into(delivery::table).values(&row).execute(tx.connection)?;
    Ok(())
}

/// Queues a notice version to one address, unless that address has it already: nobody gets a version twice.
/// Returns whether it was new.
///
/// # Errors
/// [`DbError`] when the row is refused.
pub fn queue_notice(tx: &mut Tx<'_>, notice: &NoticeFor, now: Instant) -> Result<bool, DbError> {
    let already = delivery::table
        .filter(delivery::notice_version_id.eq(&notice.notice_version_id))
        .filter(delivery::recipient_key.eq(notice.email.key()));
    if diesel::select(diesel::dsl::exists(already)).get_result::<bool>(tx.connection)? {
        return Ok(false);
    }
    let row = NewDelivery {
        id: Id::<Delivery>::made_at(now).to_string(),
        urgency: Urgency::Bulk.rank(),
        recipient: notice.email.as_str(),
        recipient_key: notice.email.key(),
        language: notice.language.tag(),
        letter: None,
        dispatch_id: Some(notice.dispatch_id.clone()),
        notice_version_id: Some(notice.notice_version_id.clone()),
        subscription_id: Some(notice.subscription_id.clone()),
        why: Some(notice.why.clone()),
        status: "queued",
        attempts: 0,
        due_at: now.naive_utc(),
        queued_at: now.naive_utc(),
    };
    diesel::insert_into(delivery::table).values(&row).execute(tx.connection)?;
    Ok(true)
}

type HeldRow =
    (String, String, String, i32, NaiveDateTime, Option<String>, Option<String>, Option<String>, Option<String>);

/// Takes up to `count` due deliveries on lease, the most urgent and longest due first.
///
/// # Errors
/// [`DbError`].
pub fn lease(tx: &mut Tx<'_>, count: i64, now: Instant) -> Result<Vec<Held>, DbError> {
    let now_naive = now.naive_utc();
    let due: Vec<String> = delivery::table
        .filter(delivery::status.eq("queued"))
        .filter(delivery::due_at.le(now_naive))
        .filter(delivery::leased_until.is_null().or(delivery::leased_until.lt(now_naive)))
        .order((delivery::urgency, delivery::due_at, delivery::id))
        .limit(count)
        .select(delivery::id)
        .load(tx.connection)?;
    diesel::update(delivery::table.filter(delivery::id.eq_any(&due)))
        .set(delivery::leased_until.eq((now + LEASE).naive_utc()))
        .execute(tx.connection)?;
    let rows: Vec<HeldRow> = delivery::table
        .filter(delivery::id.eq_any(&due))
        .order((delivery::urgency, delivery::due_at, delivery::id))
        .select((
            delivery::id,
            delivery::recipient,
            delivery::language,
            delivery::attempts,
            delivery::queued_at,
            delivery::letter,
            delivery::notice_version_id,
            delivery::subscription_id,
            delivery::why,
        ))
        .load(tx.connection)?;
    rows.into_iter().map(lift).collect()
}

fn lift(
    (id, recipient, language, attempts, queued_at, letter, version, subscription, why): HeldRow,
) -> Result<Held, DbError> {
    let row = Lift::new("delivery", &id);
    let content = match letter {
        Some(json) => Content::Letter(Box::new(row.json("letter", &json)?)),
        None => Content::Notice {
            notice_version_id: row.some("notice_version_id", version)?,
            subscription_id: row.some("subscription_id", subscription)?,
            why: row.some("why", why)?,
        },
    };
    Ok(Held {
        id: row.id("id", &id)?,
        recipient: row.some("recipient", Email::parse(&recipient))?,
        language: row.some("language", Language::from_tag(&language))?,
        attempts,
        queued_at: queued_at.and_utc(),
        content,
    })
}

/// Writes down what became of a delivery. A letter of its own is forgotten once it is settled: it may hold a link
/// that is nobody else's.
///
/// # Errors
/// [`DbError`].
pub fn settle(tx: &mut Tx<'_>, id: Id<Delivery>, outcome: &Outcome, now: Instant) -> Result<(), DbError> {
    let (status, due_at, answer) = match outcome {
        Outcome::Sent { answer } => ("sent", None, answer),
        Outcome::Retry { at, answer } => ("queued", Some(at.naive_utc()), answer),
        Outcome::Failed { answer } => ("failed", None, answer),
        Outcome::Suppressed { why } => ("suppressed", None, why),
    };
    let target = delivery::table.filter(delivery::id.eq(id.to_string())).filter(delivery::status.eq("queued"));
    let answer: String = answer.chars().take(500).collect();
    let changes = (
        delivery::status.eq(status),
        delivery::attempts.eq(delivery::attempts + 1),
        delivery::answer.eq(answer),
        delivery::leased_until.eq(None::<NaiveDateTime>),
    );
    match due_at {
        Some(due_at) => {
            diesel::update(target).set((changes, delivery::due_at.eq(due_at))).execute(tx.connection)?;
        }
        None => {
            let settled = (delivery::settled_at.eq(now.naive_utc()), delivery::letter.eq(None::<String>));
            diesel::update(target).set((changes, settled)).execute(tx.connection)?;
        }
    }
    Ok(())
}

/// When the next delivery is due; `None` when nothing waits.
///
/// # Errors
/// [`DbError`].
pub fn next_due(connection: &mut AnyConnection) -> Result<Option<Instant>, DbError> {
    let due: Option<NaiveDateTime> = delivery::table
        .filter(delivery::status.eq("queued"))
        .select(diesel::dsl::min(delivery::due_at))
        .first(connection)?;
    Ok(due.map(|due| due.and_utc()))
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

/// Who was told of these notice versions, in the order in which they were queued.
///
/// # Errors
/// [`DbError`].
pub fn entries(connection: &mut AnyConnection, notice_version_ids: &[String]) -> Result<Vec<Entry>, DbError> {
    type Row = (
        String,
        Option<String>,
        String,
        Option<String>,
        String,
        i32,
        NaiveDateTime,
        Option<NaiveDateTime>,
        Option<String>,
    );
    let rows: Vec<Row> = delivery::table
        .filter(delivery::notice_version_id.eq_any(notice_version_ids))
        .order((delivery::queued_at, delivery::id))
        .select((
            delivery::id,
            delivery::notice_version_id,
            delivery::recipient,
            delivery::why,
            delivery::status,
            delivery::attempts,
            delivery::queued_at,
            delivery::settled_at,
            delivery::answer,
        ))
        .load(connection)?;
    let entry = |(id, version, recipient, why, status, attempts, queued_at, settled_at, answer): Row| Entry {
        id,
        notice_version_id: version.unwrap_or_default(),
        recipient,
        why: why.unwrap_or_default(),
        status,
        attempts,
        queued_at: queued_at.and_utc(),
        settled_at: settled_at.map(|at| at.and_utc()),
        answer,
    };
    Ok(rows.into_iter().map(entry).collect())
}

/// Replaces an address that asked to be forgotten by a keyed hash: the ledger keeps that somebody was told.
///
/// # Errors
/// [`DbError`].
pub fn forget_recipient(tx: &mut Tx<'_>, email: &Email, hash: &str, now: Instant) -> Result<(), DbError> {
    let of_this_address = || delivery::table.filter(delivery::recipient_key.eq(email.key()));
    diesel::update(of_this_address().filter(delivery::status.eq("queued")))
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
