//! Organisations in the database.

mod published;

pub use published::PUBLISHED;

use std::collections::{BTreeSet, HashMap};

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

use super::{Kind, Organisation, OrganisationBody};
use crate::db::schema::organisation;
use crate::db::{AnyConnection, DbError, Lift, Tx, by_change, optional};
use crate::kernel::{Cursor, Direction, OrganisationId, Page, PageRequest, fold};

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = organisation, treat_none_as_null = true, treat_none_as_default_value = false)]
struct Row {
    id: String,
    name: String,
    name_key: String,
    kind: String,
    cvr: Option<String>,
    country: String,
    nuts: Option<String>,
    valid_from: Option<NaiveDate>,
    valid_to: Option<NaiveDate>,
    successor_id: Option<String>,
    version: i64,
    changed: i64,
    created_at: NaiveDateTime,
    updated_at: NaiveDateTime,
    handed_over_at: Option<NaiveDateTime>,
}

impl Row {
    fn of(organisation: &Organisation, change: i64) -> Self {
        let body = organisation.body.clone();
        Self {
            id: organisation.id.to_string(),
            name_key: fold(&body.name),
            name: body.name,
            kind: body.kind.word().to_owned(),
            cvr: body.cvr,
            country: body.country,
            nuts: body.nuts,
            valid_from: body.valid_from,
            valid_to: body.valid_to,
            successor_id: body.successor_id.map(|id| id.to_string()),
            version: organisation.version,
            changed: change,
            created_at: organisation.created_at.naive_utc(),
            updated_at: organisation.updated_at.naive_utc(),
            handed_over_at: organisation.handed_over_at.map(|at| at.naive_utc()),
        }
    }
}

impl TryFrom<Row> for Organisation {
    type Error = DbError;
    fn try_from(row: Row) -> Result<Self, DbError> {
        let lift = Lift::new("organisation", &row.id);
        Ok(Self {
            id: lift.id("id", &row.id)?,
            body: OrganisationBody {
                kind: lift.some("kind", Kind::from_word(&row.kind))?,
                successor_id: row.successor_id.as_ref().map(|id| lift.id("successor_id", id)).transpose()?,
                name: row.name,
                cvr: row.cvr,
                country: row.country,
                nuts: row.nuts,
                valid_from: row.valid_from,
                valid_to: row.valid_to,
            },
            created_at: row.created_at.and_utc(),
            updated_at: row.updated_at.and_utc(),
            handed_over_at: row.handed_over_at.map(|at| at.and_utc()),
            version: row.version,
        })
    }
}

/// What a list of organisations may be narrowed to.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub kind: Option<Kind>,
    /// A part of the name.
    pub q: Option<String>,
}

/// The name of the list, which its cursors carry.
pub const LIST: &str = "organisation";

/// One page of organisations.
///
/// # Errors
/// [`DbError`].
pub fn list(
    connection: &mut AnyConnection,
    filter: Filter,
    request: &PageRequest,
) -> Result<Page<Organisation>, DbError> {
    use organisation as o;
    let mut query = o::table.into_boxed();
    if let Some(kind) = filter.kind {
        query = query.filter(o::kind.eq(kind.word()));
    }
    if let Some(q) = filter.q {
        query = query.filter(o::name_key.like(contains(&q)).escape('\\'));
    }
    query = by_change!(query, o, request.direction, request.after.as_ref());
    let rows: Vec<Row> = query.limit(request.limit + 1).load(connection)?;
    let page = Page::of(LIST, request, rows, |row| Cursor { changed: row.changed, id: row.id.clone() });
    page.try_map(Organisation::try_from)
}

/// Organisations in the order of change: those changed after a place and at most at `until`.
///
/// # Errors
/// [`DbError`].
pub fn changed_after(
    connection: &mut AnyConnection,
    after: Option<&Cursor>,
    until: i64,
    limit: i64,
) -> Result<Vec<(Cursor, Organisation)>, DbError> {
    use organisation as o;
    let query = o::table.filter(o::changed.le(until)).into_boxed();
    let query = by_change!(query, o, Direction::OldestFirst, after);
    let rows: Vec<Row> = query.limit(limit).load(connection)?;
    let lift = |row: Row| Ok((Cursor { changed: row.changed, id: row.id.clone() }, Organisation::try_from(row)?));
    rows.into_iter().map(lift).collect()
}

/// Organisations in the order in which they were added: for what goes through all of them.
///
/// # Errors
/// [`DbError`].
pub fn added_after(
    connection: &mut AnyConnection,
    after: Option<OrganisationId>,
    limit: i64,
) -> Result<Vec<Organisation>, DbError> {
    use organisation as o;
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let rows: Vec<Row> = o::table.filter(o::id.gt(after)).order(o::id).limit(limit).load(connection)?;
    rows.into_iter().map(Organisation::try_from).collect()
}

/// A `LIKE` pattern for texts that contain `needle`, folded as the searched columns are.
#[must_use]
pub fn contains(needle: &str) -> String {
    let needle = fold(needle).replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{needle}%")
}

/// All organisations that exist on this day.
///
/// # Errors
/// [`DbError`].
pub fn existing(connection: &mut AnyConnection, day: NaiveDate) -> Result<Vec<Organisation>, DbError> {
    use organisation as o;
    let rows: Vec<Row> = o::table
        .filter(o::valid_from.is_null().or(o::valid_from.le(day)))
        .filter(o::valid_to.is_null().or(o::valid_to.ge(day)))
        .order(o::id)
        .load(connection)?;
    rows.into_iter().map(Organisation::try_from).collect()
}

/// Those that have a successor, whose last day lies before this one, and that have not handed over; the one that ended first
/// first.
///
/// # Errors
/// [`DbError`].
pub fn due(connection: &mut AnyConnection, day: NaiveDate) -> Result<Vec<Organisation>, DbError> {
    use organisation as o;
    let rows: Vec<Row> = o::table
        .filter(o::successor_id.is_not_null().and(o::handed_over_at.is_null()).and(o::valid_to.lt(day)))
        .order((o::valid_to, o::id))
        .load(connection)?;
    rows.into_iter().map(Organisation::try_from).collect()
}

/// The organisation of this id.
///
/// # Errors
/// [`DbError`].
pub fn find(connection: &mut AnyConnection, id: OrganisationId) -> Result<Option<Organisation>, DbError> {
    let row: Option<Row> = optional(organisation::table.find(id.to_string()).first(connection))?;
    row.map(Organisation::try_from).transpose()
}

/// Whether this body is that one, or carries on, at first or second hand, what that one was.
///
/// # Errors
/// [`DbError`].
pub fn carries_on(
    connection: &mut AnyConnection,
    body: OrganisationId,
    other: OrganisationId,
) -> Result<bool, DbError> {
    let mut one = other;
    while one != body {
        // Successors never go round in a circle.
        let gone = find(connection, one)?.filter(|gone| gone.handed_over_at.is_some());
        let Some(heir) = gone.and_then(|gone| gone.body.successor_id) else { return Ok(false) };
        one = heir;
    }
    Ok(true)
}

/// The organisation of this name, whatever the letter case.
///
/// # Errors
/// [`DbError`].
pub fn find_by_name(connection: &mut AnyConnection, name: &str) -> Result<Option<Organisation>, DbError> {
    let row: Option<Row> =
        optional(organisation::table.filter(organisation::name_key.eq(fold(name.trim()))).first(connection))?;
    row.map(Organisation::try_from).transpose()
}

/// The organisation of this CVR number.
///
/// # Errors
/// [`DbError`].
pub fn find_by_cvr(connection: &mut AnyConnection, cvr: &str) -> Result<Option<Organisation>, DbError> {
    let row: Option<Row> = optional(organisation::table.filter(organisation::cvr.eq(cvr)).first(connection))?;
    row.map(Organisation::try_from).transpose()
}

/// The names of these organisations.
///
/// # Errors
/// [`DbError`].
pub fn names(
    connection: &mut AnyConnection,
    ids: &[OrganisationId],
) -> Result<HashMap<OrganisationId, String>, DbError> {
    let named = organisation::table.select((organisation::id, organisation::name));
    // A list's length is part of its statement, which is then made anew each time; one is looked up the most.
    let rows: Vec<(String, String)> = match ids {
        [one] => named.filter(organisation::id.eq(one.to_string())).load(connection)?,
        many => {
            let ids: BTreeSet<String> = many.iter().map(ToString::to_string).collect();
            named.filter(organisation::id.eq_any(ids)).load(connection)?
        }
    };
    rows.into_iter().map(|(id, name)| Ok((Lift::new("organisation", &id).id("id", &id)?, name))).collect()
}

/// Where these organisations are (NUTS), for those that say so.
///
/// # Errors
/// [`DbError`].
pub fn places(
    connection: &mut AnyConnection,
    ids: &[OrganisationId],
) -> Result<HashMap<OrganisationId, String>, DbError> {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let rows: Vec<(String, Option<String>)> = organisation::table
        .filter(organisation::id.eq_any(ids).and(organisation::nuts.is_not_null()))
        .select((organisation::id, organisation::nuts))
        .load(connection)?;
    let lift = |(id, nuts): (String, Option<String>)| {
        let row = Lift::new("organisation", &id);
        Ok((row.id("id", &id)?, row.some("nuts", nuts)?))
    };
    rows.into_iter().map(lift).collect()
}

/// Adds an organisation.
///
/// # Errors
/// [`DbError`], also when its name or CVR number is taken: look first.
pub fn insert(tx: &mut Tx<'_>, organisation: &Organisation) -> Result<(), DbError> {
    diesel::insert_into(organisation::table).values(Row::of(organisation, tx.change)).execute(tx.connection)?;
    Ok(())
}

/// Stores an organisation that was changed.
///
/// # Errors
/// [`DbError`].
pub fn update(tx: &mut Tx<'_>, organisation: &Organisation) -> Result<(), DbError> {
    diesel::update(organisation::table.find(organisation.id.to_string()))
        .set(Row::of(organisation, tx.change))
        .execute(tx.connection)?;
    Ok(())
}
