//! Deliveries in the database: queueing, leasing, settling.

use std::collections::{HashMap, HashSet};

use chrono::{NaiveDateTime, TimeDelta};
use diesel::dsl::count_star;
use diesel::prelude::*;

use super::{Delivery, LEASE, Outcome, Urgency};
use crate::db::schema::{confirmation_request, delivery};
use crate::db::{AnyConnection, DbError, Lift, Tx, optional};
use crate::kernel::{Email, Id, Instant, Language, digest};
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
    digest: Option<String>,
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
    /// When it goes in a digest, together with all that waits for this subscriber then; at once when none.
    pub digest_at: Option<Instant>,
}

/// What a worker holds on lease: one letter to be sent, and the deliveries that it settles.
#[derive(Clone, Debug)]
pub struct Held {
    /// The first of its deliveries; names the letter in its Message-ID.
    pub id: Id<Delivery>,
    /// All that it settles: one, or a digest's.
    pub deliveries: Vec<Id<Delivery>>,
    pub recipient: Email,
    pub attempts: i32,
    pub queued_at: Instant,
    pub content: Content,
}

/// What is to be said.
#[derive(Clone, Debug)]
pub enum Content {
    /// A letter of its own, kept until it is sent.
    Letter(Box<Letter>),
    /// A notice version, to be rendered for its subscriber.
    Notice { subscription_id: String, notice: Told },
    /// All that waited for one subscriber, in one letter.
    Digest { subscription_id: String, notices: Vec<Told> },
}

/// A notice version that somebody is told of, and why, as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub notice_version_id: String,
    pub why: String,
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

/// How many confirmations one address can be made to get in an hour, and in a day.
const CONFIRMATIONS: [(TimeDelta, i64); 2] = [(TimeDelta::hours(1), 5), (TimeDelta::days(1), 20)];

/// Whether this address may be asked by mail to confirm something; notes that it is. Nobody can be bombed with
/// confirmations that others ask for.
///
/// # Errors
/// [`DbError`].
pub fn may_ask_to_confirm(tx: &mut Tx<'_>, email: &Email, now: Instant) -> Result<bool, DbError> {
    use confirmation_request as c;
    let recipient_key = digest(email.key().as_bytes());
    for (span, most) in CONFIRMATIONS {
        let since = (now - span).naive_utc();
        let asked = c::table.filter(c::recipient_key.eq(&recipient_key).and(c::asked_at.gt(since)));
        if asked.count().get_result::<i64>(tx.connection)? >= most {
            return Ok(false);
        }
    }
    let id = Id::<Delivery>::made_at(now).to_string();
    diesel::insert_into(c::table)
        .values((c::id.eq(id), c::recipient_key.eq(recipient_key), c::asked_at.eq(now.naive_utc())))
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
        digest: None,
    };
    diesel::insert_into(delivery::table).values(&row).execute(tx.connection)?;
    Ok(())
}

/// Queues a notice version to one address, unless that address has it already: nobody gets a version twice.
/// Returns the delivery if it is new.
///
/// # Errors
/// [`DbError`] when the row is refused.
pub fn queue_notice(tx: &mut Tx<'_>, notice: &NoticeFor, now: Instant) -> Result<Option<Id<Delivery>>, DbError> {
    let already = delivery::table
        .filter(delivery::notice_version_id.eq(&notice.notice_version_id))
        .filter(delivery::recipient_key.eq(notice.email.key()));
    if diesel::select(diesel::dsl::exists(already)).get_result::<bool>(tx.connection)? {
        return Ok(None);
    }
    let id = Id::<Delivery>::made_at(now);
    let row = NewDelivery {
        id: id.to_string(),
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
        due_at: notice.digest_at.unwrap_or(now).naive_utc(),
        queued_at: now.naive_utc(),
        digest: notice.digest_at.map(|at| format!("{}@{}", notice.subscription_id, at.timestamp())),
    };
    diesel::insert_into(delivery::table).values(&row).execute(tx.connection)?;
    Ok(Some(id))
}

type HeldRow = (
    String,
    String,
    i32,
    NaiveDateTime,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// Takes up to `count` due letters on lease, the most urgent and longest due first. All that one digest holds is
/// taken together.
///
/// # Errors
/// [`DbError`].
pub fn lease(tx: &mut Tx<'_>, count: i64, now: Instant) -> Result<Vec<Held>, DbError> {
    let now_naive = now.naive_utc();
    let mut due: Vec<(String, Option<String>)> = Vec::new();
    for urgency in [Urgency::Personal, Urgency::Bulk] {
        let taken = i64::try_from(due.len()).unwrap_or(count);
        // One urgency at a time, so that the index leads straight to what is due, past all that waits for later.
        due.extend(
            delivery::table
                .filter(delivery::status.eq("queued").and(delivery::urgency.eq(urgency.rank())))
                .filter(delivery::due_at.le(now_naive))
                .filter(delivery::leased_until.is_null().or(delivery::leased_until.lt(now_naive)))
                .order((delivery::due_at, delivery::id))
                .limit(count - taken)
                .select((delivery::id, delivery::digest))
                .load::<(String, Option<String>)>(tx.connection)?,
        );
    }
    let digests: Vec<String> = due.iter().filter_map(|(_, digest)| digest.clone()).collect();
    let due: Vec<String> = due.into_iter().map(|(id, _)| id).collect();
    let taken = || {
        delivery::table.filter(
            delivery::status
                .eq("queued")
                .and(delivery::id.eq_any(due.clone()).or(delivery::digest.eq_any(digests.clone()))),
        )
    };
    diesel::update(taken()).set(delivery::leased_until.eq((now + LEASE).naive_utc())).execute(tx.connection)?;
    let rows: Vec<HeldRow> = taken()
        .order((delivery::urgency, delivery::due_at, delivery::id))
        .select((
            delivery::id,
            delivery::recipient,
            delivery::attempts,
            delivery::queued_at,
            delivery::letter,
            delivery::notice_version_id,
            delivery::subscription_id,
            delivery::why,
            delivery::digest,
        ))
        .load(tx.connection)?;
    let mut held: Vec<Held> = Vec::with_capacity(rows.len());
    let mut places: HashMap<String, usize> = HashMap::new();
    for row in rows {
        let digest = row.8.clone();
        let one = lift(row)?;
        let place = digest.as_ref().and_then(|digest| places.get(digest)).and_then(|place| held.get_mut(*place));
        match (place, one.content) {
            (
                Some(Held { content: Content::Digest { notices, .. }, deliveries, .. }),
                Content::Digest { notices: more, .. },
            ) => {
                deliveries.push(one.id);
                notices.extend(more);
            }
            (_, content) => {
                places.extend(digest.map(|digest| (digest, held.len())));
                held.push(Held { content, ..one });
            }
        }
    }
    Ok(held)
}

fn lift(
    (id, recipient, attempts, queued_at, letter, version, subscription, why, digest): HeldRow,
) -> Result<Held, DbError> {
    let row = Lift::new("delivery", &id);
    let content = match letter {
        Some(json) => Content::Letter(Box::new(row.json("letter", &json)?)),
        None => {
            let subscription_id = row.some("subscription_id", subscription)?;
            let notice_version_id = row.some("notice_version_id", version)?;
            let notice = Told { notice_version_id, why: row.some("why", why)? };
            match digest {
                Some(_) => Content::Digest { subscription_id, notices: vec![notice] },
                None => Content::Notice { subscription_id, notice },
            }
        }
    };
    let id = row.id("id", &id)?;
    Ok(Held {
        id,
        deliveries: vec![id],
        recipient: row.some("recipient", Email::parse(&recipient))?,
        attempts,
        queued_at: queued_at.and_utc(),
        content,
    })
}

/// Writes down what became of the deliveries of one letter. A letter of its own is forgotten once it is settled: it may hold a link
/// that is nobody else's.
///
/// # Errors
/// [`DbError`].
pub fn settle(tx: &mut Tx<'_>, ids: &[Id<Delivery>], outcome: &Outcome, now: Instant) -> Result<(), DbError> {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let (status, due_at, answer) = match outcome {
        Outcome::Sent { answer } => ("sent", None, answer),
        Outcome::Retry { at, answer } => ("queued", Some(at.naive_utc()), answer),
        Outcome::Failed { answer } => ("failed", None, answer),
        Outcome::Suppressed { why } => ("suppressed", None, why),
    };
    let target = delivery::table.filter(delivery::id.eq_any(ids)).filter(delivery::status.eq("queued"));
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

/// When the next delivery is due, or a lease runs out; `None` when nothing waits.
///
/// # Errors
/// [`DbError`].
pub fn next_due(connection: &mut AnyConnection) -> Result<Option<Instant>, DbError> {
    let mut next: Option<NaiveDateTime> = None;
    for urgency in [Urgency::Personal, Urgency::Bulk] {
        let waiting =
            || delivery::table.filter(delivery::status.eq("queued").and(delivery::urgency.eq(urgency.rank())));
        let free: Option<NaiveDateTime> = optional(
            waiting()
                .filter(delivery::leased_until.is_null())
                .order(delivery::due_at)
                .select(delivery::due_at)
                .first(connection),
        )?;
        // Leases are few, and their letters are the longest due.
        let leased: Option<NaiveDateTime> = waiting()
            .filter(delivery::leased_until.is_not_null())
            .select(diesel::dsl::min(delivery::leased_until))
            .first(connection)?;
        next = [next, free, leased].into_iter().flatten().min();
    }
    Ok(next.map(|due| due.and_utc()))
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
pub fn release_digests(tx: &mut Tx<'_>, subscription_id: &str, now: Instant) -> Result<(), DbError> {
    diesel::update(delivery::table)
        .filter(delivery::status.eq("queued").and(delivery::subscription_id.eq(subscription_id)))
        .filter(delivery::digest.is_not_null().and(delivery::leased_until.is_null()))
        .set((delivery::due_at.eq(now.naive_utc()), delivery::digest.eq(None::<String>)))
        .execute(tx.connection)?;
    Ok(())
}

/// Replaces the address in the deliveries of one subscription by a keyed hash.
///
/// # Errors
/// [`DbError`].
pub fn forget_subscription(tx: &mut Tx<'_>, subscription_id: &str, hash: &str, now: Instant) -> Result<(), DbError> {
    let of_it = || delivery::table.filter(delivery::subscription_id.eq(subscription_id.to_owned()));
    diesel::update(of_it().filter(delivery::status.eq("queued")))
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
