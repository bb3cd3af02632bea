//! Taking letters on lease, and settling them.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;
use diesel::sql_types::Timestamp;

use super::{Postmark, STILL_WAITS, still_waits, waiting};
use crate::db::schema::delivery;
use crate::db::{AnyConnection, DbError, Lift, Rows, Statement, Tx, optional};
use crate::kernel::{Clock, Email, Instant};
use crate::post::{Content, Held, Outcome, Told, Urgency};

/// How many digests' other deliveries are looked for at once, and how many deliveries are put back at once.
const PAGE: i64 = 1000;

/// For how many letters of each urgency there is room, in the order of [`Urgency::IN_ORDER`].
pub type Room = [usize; 3];

#[derive(Queryable, QueryableByName)]
#[diesel(table_name = delivery)]
struct Row {
    id: String,
    urgency: i32,
    recipient: String,
    attempts: i32,
    queued_at: NaiveDateTime,
    letter: Option<String>,
    notice_version_id: Option<String>,
    dispatch_id: Option<String>,
    subscription_id: Option<String>,
    why: Option<String>,
    digest: Option<String>,
}

const COLUMNS: (
    delivery::id,
    delivery::urgency,
    delivery::recipient,
    delivery::attempts,
    delivery::queued_at,
    delivery::letter,
    delivery::notice_version_id,
    delivery::dispatch_id,
    delivery::subscription_id,
    delivery::why,
    delivery::digest,
) = (
    delivery::id,
    delivery::urgency,
    delivery::recipient,
    delivery::attempts,
    delivery::queued_at,
    delivery::letter,
    delivery::notice_version_id,
    delivery::dispatch_id,
    delivery::subscription_id,
    delivery::why,
    delivery::digest,
);

/// For how long what is taken is held, reckoned by one clock for all workers: the database's, since those of several
/// machines may differ by more than a lease is long. All that share a SQLite file stand on one machine.
#[derive(Clone, Copy, Debug)]
pub struct Term {
    now: Instant,
    length: TimeDelta,
}

impl Term {
    /// One that begins now.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn of(length: TimeDelta, clock: &Clock, connection: &mut AnyConnection) -> Result<Self, DbError> {
        #[derive(QueryableByName)]
        struct Now {
            #[diesel(sql_type = Timestamp)]
            at: NaiveDateTime,
        }
        let now = match (clock, &connection) {
            (Clock::System, AnyConnection::Postgres(_)) => {
                let ask = "SELECT clock_timestamp() AT TIME ZONE 'UTC' AS at".to_owned();
                Statement::<Now>::new(ask, Vec::new()).get_result::<Now>(connection)?.at.and_utc()
            }
            _ => clock.now(),
        };
        Ok(Self { now, length })
    }

    fn end(self) -> NaiveDateTime {
        (self.now + self.length).naive_utc()
    }

    /// No lease that was granted by now runs for longer.
    fn never(self) -> NaiveDateTime {
        (self.now + self.length * 2).naive_utc()
    }
}

/// What was taken on lease, and what could not be read and was given up.
#[derive(Debug, Default)]
pub struct Leased {
    pub held: Vec<Held>,
    pub unfit: Vec<Unfit>,
}

/// A delivery whose row cannot be read.
#[derive(Debug)]
pub struct Unfit {
    pub id: String,
    pub notice_version_id: Option<String>,
    pub why: String,
}

/// Takes due letters on lease, the most urgent and longest due first. All that one digest holds is taken together.
///
/// A row that cannot be read is given up alone: the others go.
///
/// What belongs to a paused dispatch is laid aside; what `put_off` says must wait (asked with the domain and how many are
/// taken to it already) becomes due later. So neither stands in the way of what can go, however much of it there is.
///
/// # Errors
/// [`DbError`].
pub fn lease(
    tx: &mut Tx<'_>,
    room: Room,
    term: Term,
    paused: &[String],
    put_off_by: impl Fn(&str, usize) -> Option<Duration>,
    now: Instant,
) -> Result<Leased, DbError> {
    let mut due = due(tx, room, term, now)?;
    if due.is_empty() {
        return Ok(Leased::default());
    }
    due.extend(rest_of_digests(tx, &due)?);
    let (aside, due): (Vec<Row>, Vec<Row>) =
        due.into_iter().partition(|row| row.dispatch_id.as_ref().is_some_and(|id| paused.contains(id)));
    lay_aside(tx, &aside.into_iter().map(|row| row.id).collect::<Vec<_>>())?;

    let mut taken: Vec<Held> = Vec::with_capacity(due.len());
    let mut later: Vec<(Held, Duration)> = Vec::new();
    let mut by_domain: HashMap<String, usize> = HashMap::new();
    let (gathered, unfit) = gathered(due);
    give_up(tx, &unfit, now)?;
    for held in gathered {
        let count = by_domain.entry(held.domain.clone()).or_default();
        match put_off_by(&held.domain, *count) {
            None => {
                *count += 1;
                taken.push(held);
            }
            Some(by) => later.push((held, by)),
        }
    }
    put_off(tx, &later, now)?;
    renew(tx, &taken, term)?;
    Ok(Leased { held: taken, unfit })
}

/// What is due and nobody holds, of each urgency as much as there is room for, the longest due first: one urgency at a
/// time, so that the index leads straight to what is due, past all that waits for later.
fn due(tx: &mut Tx<'_>, room: Room, term: Term, now: Instant) -> Result<Vec<Row>, DbError> {
    if room == [0, 0, 0] {
        return Ok(Vec::new());
    }
    let sql = Rows::on(tx.connection);
    let moment = |place: usize| sql.as_time(&format!("${place}"));
    let mut texts = Vec::new();
    let mut of = |(urgency, room): (Urgency, usize)| {
        let first = texts.len();
        texts.extend([now.naive_utc(), term.now.naive_utc(), term.never()].map(Rows::moment));
        texts.push(room.to_string());
        format!(
            "SELECT * FROM (SELECT id, urgency, recipient, attempts, queued_at, letter, notice_version_id, dispatch_id, \
             subscription_id, why, digest, due_at FROM delivery \
             WHERE delivery.status = 'queued' AND urgency = {} AND due_at <= {} \
             AND (leased_until IS NULL OR leased_until < {} OR leased_until > {}) \
             ORDER BY due_at, id LIMIT CAST(${} AS BIGINT)) AS due",
            urgency.rank(),
            moment(first + 1),
            moment(first + 2),
            moment(first + 3),
            first + 4,
        )
    };
    let each: Vec<String> = Urgency::IN_ORDER.into_iter().zip(room).map(&mut of).collect();
    let statement = format!("{} ORDER BY due_at, id", each.join(" UNION ALL "));
    Ok(Statement::<Row>::new(statement, texts).load(tx.connection)?)
}

/// What nobody holds. A lease that runs for much longer than leases do was granted by a clock that has been set back
/// since.
#[diesel::dsl::auto_type(no_type_alias)]
fn is_free(term: Term) -> _ {
    let now: NaiveDateTime = term.now.naive_utc();
    let never: NaiveDateTime = term.never();
    delivery::leased_until.is_null().or(delivery::leased_until.lt(now)).or(delivery::leased_until.gt(never))
}

/// What else belongs to the digests of these rows.
fn rest_of_digests(tx: &mut Tx<'_>, due: &[Row]) -> Result<Vec<Row>, DbError> {
    let digests: Vec<&String> = due.iter().filter_map(|row| row.digest.as_ref()).collect();
    if digests.is_empty() {
        return Ok(Vec::new());
    }
    let known: Vec<&String> = due.iter().map(|row| &row.id).collect();
    Ok(delivery::table
        .filter(delivery::digest.eq_any(digests).and(still_waits()))
        .filter(delivery::id.ne_all(known))
        .order((delivery::due_at, delivery::id))
        .select(COLUMNS)
        .load(tx.connection)?)
}

/// The rows as letters: those of one digest are one. Beside them, the rows that cannot be read.
fn gathered(rows: Vec<Row>) -> (Vec<Held>, Vec<Unfit>) {
    let mut held: Vec<Held> = Vec::with_capacity(rows.len());
    let mut unfit = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for row in rows {
        let (id, notice_version_id, digest) = (row.id.clone(), row.notice_version_id.clone(), row.digest.clone());
        let one = match lift(row) {
            Ok(one) => one,
            Err(error) => {
                unfit.push(Unfit { id, notice_version_id, why: error.to_string() });
                continue;
            }
        };
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
    (held, unfit)
}

fn give_up(tx: &mut Tx<'_>, unfit: &[Unfit], now: Instant) -> Result<(), DbError> {
    for Unfit { id, why, .. } in unfit {
        diesel::update(delivery::table.find(id))
            .set((
                delivery::status.eq("failed"),
                delivery::answer.eq(why),
                delivery::settled_at.eq(now.naive_utc()),
                delivery::leased_until.eq(None::<NaiveDateTime>),
                delivery::letter.eq(None::<String>),
            ))
            .execute(tx.connection)?;
    }
    Ok(())
}

fn lift(row: Row) -> Result<Held, DbError> {
    let lift = Lift::new("delivery", &row.id);
    let content = match row.letter {
        Some(json) => Content::Letter(Box::new(lift.json("letter", &json)?)),
        None => {
            let subscription_id = lift.some("subscription_id", row.subscription_id)?;
            let notice = Told {
                notice_version_id: lift.some("notice_version_id", row.notice_version_id)?,
                dispatch_id: lift.some("dispatch_id", row.dispatch_id)?,
                why: lift.some("why", row.why)?,
            };
            match row.digest {
                Some(_) => Content::Digest { subscription_id, notices: vec![notice] },
                None => Content::Notice { subscription_id, notice },
            }
        }
    };
    let id = lift.id("id", &row.id)?;
    let recipient = lift.some("recipient", Email::parse(&row.recipient))?;
    Ok(Held {
        id,
        deliveries: vec![id],
        domain: recipient.domain(),
        recipient,
        urgency: lift.some("urgency", Urgency::from_rank(row.urgency))?,
        attempts: row.attempts,
        queued_at: row.queued_at.and_utc(),
        content,
    })
}

fn ids(held: &[Held]) -> Vec<String> {
    held.iter().flat_map(|held| &held.deliveries).map(ToString::to_string).collect()
}

/// Grants or renews the lease of what is held.
///
/// # Errors
/// [`DbError`].
pub fn renew(tx: &mut Tx<'_>, held: &[Held], term: Term) -> Result<(), DbError> {
    if held.is_empty() {
        return Ok(());
    }
    let sql = Rows::on(tx.connection);
    let until = sql.as_time("$1");
    let statement =
        format!("UPDATE delivery SET leased_until = {until} WHERE id IN {} AND {STILL_WAITS}", sql.texts("$2"));
    let texts = vec![Rows::moment(term.end()), Rows::written(&ids(held))?];
    Statement::<Renew>::new(statement, texts).execute(tx.connection)?;
    Ok(())
}

struct Renew;

/// Gives letters back that were not tried: they are due again after this time.
///
/// # Errors
/// [`DbError`].
pub fn put_off(tx: &mut Tx<'_>, back: &[(Held, Duration)], now: Instant) -> Result<(), DbError> {
    if back.is_empty() {
        return Ok(());
    }
    let mut rows = Vec::with_capacity(back.len());
    for (held, by) in back {
        let due_at = Rows::moment((now + *by).naive_utc());
        rows.extend(held.deliveries.iter().map(|id| (id, due_at.clone())));
    }
    let sql = Rows::on(tx.connection);
    let statement = format!(
        "UPDATE delivery SET due_at = later.due_at, leased_until = NULL FROM (SELECT {} AS id, {} AS due_at FROM {}) \
         AS later WHERE delivery.id = later.id AND {STILL_WAITS}",
        sql.text(0),
        sql.time(1),
        sql.of("$1"),
    );
    Statement::<PutOff>::new(statement, vec![Rows::written(&rows)?]).execute(tx.connection)?;
    Ok(())
}

struct PutOff;

fn lay_aside(tx: &mut Tx<'_>, ids: &[String]) -> Result<(), DbError> {
    if ids.is_empty() {
        return Ok(());
    }
    diesel::update(delivery::table.filter(delivery::id.eq_any(ids).and(still_waits())))
        .set((delivery::urgency.eq(Urgency::Paused.rank()), delivery::leased_until.eq(None::<NaiveDateTime>)))
        .execute(tx.connection)?;
    Ok(())
}

/// Lays letters aside whose dispatch was paused while they were held.
///
/// # Errors
/// [`DbError`].
pub fn pause(tx: &mut Tx<'_>, held: &[Held]) -> Result<(), DbError> {
    lay_aside(tx, &ids(held))
}

/// Puts a page of what was laid aside of a dispatch back among what goes; returns whether there was any.
///
/// # Errors
/// [`DbError`].
pub fn resume(tx: &mut Tx<'_>, dispatch_id: &str) -> Result<bool, DbError> {
    let aside: Vec<String> = delivery::table
        .filter(delivery::dispatch_id.eq(dispatch_id).and(delivery::status.eq("queued")))
        .filter(delivery::urgency.eq(Urgency::Paused.rank()))
        .limit(PAGE)
        .select(delivery::id)
        .load(tx.connection)?;
    let those = || delivery::table.filter(delivery::id.eq_any(&aside));
    diesel::update(those().filter(delivery::digest.is_null()))
        .set(delivery::urgency.eq(Urgency::Bulk.rank()))
        .execute(tx.connection)?;
    diesel::update(those().filter(delivery::digest.is_not_null()))
        .set(delivery::urgency.eq(Urgency::Digest.rank()))
        .execute(tx.connection)?;
    Ok(!aside.is_empty())
}

/// Settles what became of letters, in one statement. A letter of its own is forgotten once it is settled: it may hold a
/// link that is nobody else's.
///
/// # Errors
/// [`DbError`].
pub fn settle(tx: &mut Tx<'_>, marks: &[Postmark]) -> Result<(), DbError> {
    let mut rows = Vec::new();
    for (mark, posted) in marks.iter().flat_map(|mark| mark.letters.iter().map(move |posted| (mark, posted))) {
        let (status, due_at, answer) = match &posted.outcome {
            Outcome::Sent { answer } => ("sent", None, answer),
            Outcome::Retry { at, answer } => ("queued", Some(Rows::moment(at.naive_utc())), answer),
            Outcome::Failed { answer } => ("failed", None, answer),
            Outcome::Suppressed { why } => ("suppressed", None, why),
        };
        let settled_at = due_at.is_none().then(|| Rows::moment(mark.at.naive_utc()));
        let row = |id| (id, status, due_at.clone(), answer, settled_at.clone());
        rows.extend(posted.deliveries.iter().map(|(id, _)| row(id)));
    }
    let sql = Rows::on(tx.connection);
    let statement = format!(
        "UPDATE delivery SET status = done.status, due_at = COALESCE(done.due_at, delivery.due_at), \
         attempts = delivery.attempts + 1, answer = done.answer, leased_until = NULL, settled_at = done.settled_at, \
         letter = CASE WHEN done.settled_at IS NULL THEN delivery.letter END \
         FROM (SELECT {} AS id, {} AS status, {} AS due_at, {} AS answer, {} AS settled_at FROM {}) AS done \
         WHERE delivery.id = done.id AND {STILL_WAITS}",
        sql.text(0),
        sql.text(1),
        sql.time(2),
        sql.text(3),
        sql.time(4),
        sql.of("$1"),
    );
    Statement::<Settle>::new(statement, vec![Rows::written(&rows)?]).execute(tx.connection)?;
    Ok(())
}

struct Settle;

/// Lets letters go at once that a clock which was ahead, and has been put right since, put off further than anything
/// is put off: `pause` for those that are tried again, `digest` for those that wait for one.
///
/// # Errors
/// [`DbError`].
pub fn heed_clock(tx: &mut Tx<'_>, pause: TimeDelta, digest: TimeDelta, now: Instant) -> Result<usize, DbError> {
    let mut moved = 0;
    for urgency in Urgency::IN_ORDER {
        let longest = if urgency == Urgency::Digest { digest } else { pause };
        let far = delivery::table
            .filter(waiting().and(delivery::urgency.eq(urgency.rank())))
            .filter(delivery::due_at.gt((now + longest).naive_utc()));
        moved += diesel::update(far).set(delivery::due_at.eq(now.naive_utc())).execute(tx.connection)?;
    }
    Ok(moved)
}

/// When the next delivery that nobody holds is due, of those that there is room for; `None` when there is none.
///
/// # Errors
/// [`DbError`].
pub fn next_due(connection: &mut AnyConnection, room: Room, term: Term) -> Result<Option<Instant>, DbError> {
    let mut next: Option<NaiveDateTime> = None;
    for (urgency, _) in Urgency::IN_ORDER.into_iter().zip(room).filter(|(_, room)| *room > 0) {
        let due: Option<NaiveDateTime> = optional(
            delivery::table
                .filter(waiting().and(delivery::urgency.eq(urgency.rank())))
                .filter(is_free(term))
                .order((delivery::due_at, delivery::id))
                .select(delivery::due_at)
                .first(connection),
        )?;
        next = [next, due].into_iter().flatten().min();
    }
    Ok(next.map(|due| due.and_utc()))
}
