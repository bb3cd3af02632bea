//! Criteria sets and calls in the database. The built-in sets are version 1 of themselves and need no row.

mod published;

pub use published::PUBLISHED;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::{Call, CallBody, CriteriaSet, built_in};
use crate::db::schema::{call, criteria_set};
use crate::db::{AnyConnection, DbError, Lift, Tx, by_change, optional};
use crate::kernel::{Cursor, Direction, Id, Instant, Page, PageRequest};

type SetRow = (String, i32, String);

fn lift_set((key, version, body): SetRow) -> Result<CriteriaSet, DbError> {
    let body = Lift::new("criteria_set", &key).json("body", &body)?;
    Ok(CriteriaSet { key, version, body })
}

/// Every version of every set, by key and then newest first.
///
/// # Errors
/// [`DbError`].
pub fn all(connection: &mut AnyConnection) -> Result<Vec<CriteriaSet>, DbError> {
    use criteria_set as s;
    let rows: Vec<SetRow> = s::table.select((s::key, s::version, s::body)).load(connection)?;
    let mut sets = rows.into_iter().map(lift_set).collect::<Result<Vec<_>, _>>()?;
    sets.extend(built_in());
    sets.sort_by(|a, b| a.key.cmp(&b.key).then(b.version.cmp(&a.version)));
    Ok(sets)
}

/// The newest version of a set.
///
/// # Errors
/// [`DbError`].
pub fn newest(connection: &mut AnyConnection, key: &str) -> Result<Option<CriteriaSet>, DbError> {
    use criteria_set as s;
    let row: Option<SetRow> = optional(
        s::table
            .filter(s::key.eq(key))
            .order(s::version.desc())
            .select((s::key, s::version, s::body))
            .first(connection),
    )?;
    match row {
        Some(row) => lift_set(row).map(Some),
        None => Ok(built_in().into_iter().find(|set| set.key == key)),
    }
}

/// One version of a set.
///
/// # Errors
/// [`DbError`].
pub fn find_version(connection: &mut AnyConnection, key: &str, version: i32) -> Result<Option<CriteriaSet>, DbError> {
    use criteria_set as s;
    let row: Option<SetRow> =
        optional(s::table.find((key, version)).select((s::key, s::version, s::body)).first(connection))?;
    match row {
        Some(row) => lift_set(row).map(Some),
        None => Ok(built_in().into_iter().find(|set| set.key == key && set.version == version)),
    }
}

/// Adds a version.
///
/// # Errors
/// [`DbError`].
pub fn insert_version(tx: &mut Tx<'_>, set: &CriteriaSet, now: Instant) -> Result<(), DbError> {
    use criteria_set as s;
    let body = serde_json::to_string(&set.body).map_err(|error| DbError::Refused(error.to_string()))?;
    diesel::insert_into(s::table)
        .values((s::key.eq(&set.key), s::version.eq(set.version), s::body.eq(body), s::created_at.eq(now.naive_utc())))
        .execute(tx.connection)?;
    Ok(())
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = call, treat_none_as_default_value = false)]
struct CallRow {
    id: String,
    title: String,
    theme: String,
    description: String,
    criteria_set: String,
    opens_at: NaiveDateTime,
    closes_at: Option<NaiveDateTime>,
    changed: i64,
    created_at: NaiveDateTime,
}

impl TryFrom<CallRow> for Call {
    type Error = DbError;
    fn try_from(row: CallRow) -> Result<Self, DbError> {
        Ok(Self {
            id: Lift::new("call", &row.id).id("id", &row.id)?,
            body: CallBody {
                title: row.title,
                theme: row.theme,
                description: row.description,
                criteria_set: row.criteria_set,
                opens_at: row.opens_at.and_utc(),
                closes_at: row.closes_at.map(|at| at.and_utc()),
            },
            created_at: row.created_at.and_utc(),
        })
    }
}

/// The name of the list of calls, which its cursors carry.
pub const LIST: &str = "call";

/// One page of calls.
///
/// # Errors
/// [`DbError`].
pub fn list_calls(connection: &mut AnyConnection, request: &PageRequest) -> Result<Page<Call>, DbError> {
    let mut query = call::table.into_boxed();
    query = by_change!(query, call, request.direction, request.after.as_ref());
    let rows: Vec<CallRow> = query.limit(request.limit + 1).load(connection)?;
    Page::of(LIST, request, rows, |row| Cursor { changed: row.changed, id: row.id.clone() }).try_map(Call::try_from)
}

/// Calls in the order of change: those changed after a place and at most at `until`.
///
/// # Errors
/// [`DbError`].
pub fn changed_after(
    connection: &mut AnyConnection,
    after: Option<&Cursor>,
    until: i64,
    limit: i64,
) -> Result<Vec<(Cursor, Call)>, DbError> {
    let query = call::table.filter(call::changed.le(until)).into_boxed();
    let query = by_change!(query, call, Direction::OldestFirst, after);
    let rows: Vec<CallRow> = query.limit(limit).load(connection)?;
    rows.into_iter()
        .map(|row| Ok((Cursor { changed: row.changed, id: row.id.clone() }, Call::try_from(row)?)))
        .collect()
}

/// The call of this id.
///
/// # Errors
/// [`DbError`].
pub fn find_call(connection: &mut AnyConnection, id: Id<Call>) -> Result<Option<Call>, DbError> {
    let row: Option<CallRow> = optional(call::table.find(id.to_string()).first(connection))?;
    row.map(Call::try_from).transpose()
}

/// Adds a call.
///
/// # Errors
/// [`DbError`].
pub fn insert_call(tx: &mut Tx<'_>, call: &Call) -> Result<(), DbError> {
    let body = call.body.clone();
    let row = CallRow {
        id: call.id.to_string(),
        title: body.title,
        theme: body.theme,
        description: body.description,
        criteria_set: body.criteria_set,
        opens_at: body.opens_at.naive_utc(),
        closes_at: body.closes_at.map(|at| at.naive_utc()),
        changed: tx.change,
        created_at: call.created_at.naive_utc(),
    };
    diesel::insert_into(call::table).values(&row).execute(tx.connection)?;
    Ok(())
}
