//! Challenges that wait for a decision, who looks at them, and what changed since.

use std::collections::HashMap;

use diesel::prelude::*;

use super::{Reader, Row, seen_by};
use crate::access::Person;
use crate::challenge::{Challenge, Status};
use crate::db::schema::{assignment, challenge};
use crate::db::{AnyConnection, DbError, Lift, Tx, by_change};
use crate::kernel::{Cursor, Direction, Id, Instant, UserId};

/// Which of the staff looks at a challenge.
#[derive(Clone, Debug)]
pub struct Assignee {
    pub id: UserId,
    pub name: String,
}

/// A place in the queue: since when something waits, and its id.
pub type Place = (Instant, String);

/// Challenges that wait for a decision, longest first, after a place in the queue.
///
/// # Errors
/// [`DbError`].
pub fn waiting(connection: &mut AnyConnection, after: Option<&Place>, limit: i64) -> Result<Vec<Challenge>, DbError> {
    use challenge as c;
    let mut query = c::table.filter(c::status.eq(Status::Submitted.word())).into_boxed();
    if let Some((since, id)) = after {
        let since = since.naive_utc();
        let before = c::status_at.eq(since).and(c::id.le(id.clone()));
        query = query.filter(c::status_at.ge(since).and(diesel::dsl::not(before)));
    }
    let rows: Vec<Row> = query.order((c::status_at, c::id)).limit(limit).load(connection)?;
    rows.into_iter().map(Challenge::try_from).collect()
}

/// Who looks at these challenges.
///
/// # Errors
/// [`DbError`].
pub fn assignees(
    connection: &mut AnyConnection,
    ids: &[Id<Challenge>],
) -> Result<HashMap<Id<Challenge>, Assignee>, DbError> {
    use assignment as a;
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let rows: Vec<(String, String, String)> = a::table
        .filter(a::challenge_id.eq_any(ids))
        .select((a::challenge_id, a::user_id, a::user_name))
        .load(connection)?;
    let lift = |(challenge, user, name): (String, String, String)| {
        let row = Lift::new("assignment", &challenge);
        Ok((row.id("challenge_id", &challenge)?, Assignee { id: row.id("user_id", &user)?, name }))
    };
    rows.into_iter().map(lift).collect()
}

/// Writes down who looks at a challenge that nobody looks at.
///
/// # Errors
/// [`DbError`].
pub fn assign(tx: &mut Tx<'_>, id: Id<Challenge>, to: &Person, now: Instant) -> Result<(), DbError> {
    use assignment as a;
    let row = (
        a::challenge_id.eq(id.to_string()),
        a::user_id.eq(to.user_id.to_string()),
        a::user_name.eq(&to.name),
        a::assigned_at.eq(now.naive_utc()),
    );
    diesel::insert_into(a::table).values(row).execute(tx.connection)?;
    Ok(())
}

/// Nobody looks at it any more.
///
/// # Errors
/// [`DbError`].
pub fn release(tx: &mut Tx<'_>, id: Id<Challenge>) -> Result<(), DbError> {
    diesel::delete(assignment::table.find(id.to_string())).execute(tx.connection)?;
    Ok(())
}

/// The titles and stages of challenges in the order of change, as this reader may see them: those changed after a place
/// and at most at `until`.
///
/// # Errors
/// [`DbError`].
pub fn changed_after(
    connection: &mut AnyConnection,
    reader: Reader,
    after: Option<&Cursor>,
    until: i64,
    limit: i64,
) -> Result<Vec<(Cursor, String, Status)>, DbError> {
    use challenge as c;
    #[derive(serde::Deserialize)]
    struct Titled {
        title: String,
    }
    let query = c::table.filter(c::changed.le(until)).into_boxed();
    let query = match reader {
        Reader::Staff => query.filter(c::status.ne(Status::Draft.word())),
        Reader::Body(body) => query.filter(seen_by(body)),
    };
    let query = by_change!(query, c, Direction::OldestFirst, after);
    let rows: Vec<(i64, String, String, String)> =
        query.select((c::changed, c::id, c::description, c::status)).limit(limit).load(connection)?;
    let lift = |(changed, id, description, status): (i64, String, String, String)| {
        let row = Lift::new("challenge", &id);
        let Titled { title } = row.json("description", &description)?;
        let status = row.some("status", Status::from_word(&status))?;
        Ok((Cursor { changed, id }, title, status))
    };
    rows.into_iter().map(lift).collect()
}
