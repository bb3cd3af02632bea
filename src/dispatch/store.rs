//! Dispatches in the database.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::ledger::Entry;
use super::{Dispatch, Status};
use crate::db::schema::{dispatch, dispatch_pause, ledger_entry};
use crate::db::{AnyConnection, DbError, Lift, Tx, optional};
use crate::dialogue::Dialogue;
use crate::kernel::{Id, Instant};

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = dispatch, treat_none_as_null = true, treat_none_as_default_value = false)]
struct Row {
    id: String,
    dialogue_id: String,
    notice_version_id: String,
    status: String,
    place: String,
    opened_at: NaiveDateTime,
    expanded_at: Option<NaiveDateTime>,
    done_at: Option<NaiveDateTime>,
}

impl Row {
    fn of(dispatch: &Dispatch) -> Self {
        Self {
            id: dispatch.id.to_string(),
            dialogue_id: dispatch.dialogue_id.to_string(),
            notice_version_id: dispatch.notice_version_id.to_string(),
            status: dispatch.status.word().to_owned(),
            place: dispatch.place.clone(),
            opened_at: dispatch.opened_at.naive_utc(),
            expanded_at: dispatch.expanded_at.as_ref().map(Instant::naive_utc),
            done_at: dispatch.done_at.as_ref().map(Instant::naive_utc),
        }
    }
}

impl TryFrom<Row> for Dispatch {
    type Error = DbError;
    fn try_from(row: Row) -> Result<Self, DbError> {
        let lift = Lift::new("dispatch", &row.id);
        Ok(Self {
            id: lift.id("id", &row.id)?,
            dialogue_id: lift.id("dialogue_id", &row.dialogue_id)?,
            notice_version_id: lift.id("notice_version_id", &row.notice_version_id)?,
            status: lift.some("status", Status::from_word(&row.status))?,
            place: row.place,
            opened_at: row.opened_at.and_utc(),
            expanded_at: row.expanded_at.map(|at| at.and_utc()),
            done_at: row.done_at.map(|at| at.and_utc()),
        })
    }
}

/// Adds a dispatch.
///
/// # Errors
/// [`DbError`], also when the version has one already.
pub fn insert(tx: &mut Tx<'_>, dispatch: &Dispatch) -> Result<(), DbError> {
    diesel::insert_into(dispatch::table).values(Row::of(dispatch)).execute(tx.connection)?;
    Ok(())
}

/// Stores a dispatch that has come further.
///
/// # Errors
/// [`DbError`].
pub fn update(tx: &mut Tx<'_>, dispatch: &Dispatch) -> Result<(), DbError> {
    diesel::update(dispatch::table.find(dispatch.id.to_string())).set(Row::of(dispatch)).execute(tx.connection)?;
    Ok(())
}

/// The dispatch of this id.
///
/// # Errors
/// [`DbError`].
pub fn find(connection: &mut AnyConnection, id: Id<Dispatch>) -> Result<Option<Dispatch>, DbError> {
    let row: Option<Row> = optional(dispatch::table.find(id.to_string()).first(connection))?;
    row.map(Dispatch::try_from).transpose()
}

/// The dispatches that stand here and whose version the market sees at this moment, oldest first. A row that cannot be
/// read stands in no other's way.
///
/// # Errors
/// [`DbError`].
pub fn in_status(connection: &mut AnyConnection, status: Status, now: Instant) -> Result<Vec<Dispatch>, DbError> {
    let rows: Vec<Row> = dispatch::table
        .filter(dispatch::status.eq(status.word()).and(dispatch::opened_at.le(now.naive_utc())))
        .order((dispatch::opened_at, dispatch::id))
        .limit(100)
        .load(connection)?;
    let readable = |row| Dispatch::try_from(row).inspect_err(|error| tracing::error!(%error, "a dispatch waits")).ok();
    Ok(rows.into_iter().filter_map(readable).collect())
}

/// When the next scheduled version becomes public; none when there is none.
///
/// # Errors
/// [`DbError`].
pub fn next_opening(connection: &mut AnyConnection) -> Result<Option<Instant>, DbError> {
    let open = dispatch::table.filter(dispatch::status.eq(Status::Open.word()));
    let next: Option<NaiveDateTime> = open.select(diesel::dsl::min(dispatch::opened_at)).first(connection)?;
    Ok(next.map(|at| at.and_utc()))
}

/// Takes the dispatch of a version back that the market has not seen at this moment; returns its id.
///
/// # Errors
/// [`DbError`].
pub fn withdraw_unseen(tx: &mut Tx<'_>, id: Id<Dialogue>, now: Instant) -> Result<Option<Id<Dispatch>>, DbError> {
    let unseen = || {
        dispatch::table.filter(dispatch::dialogue_id.eq(id.to_string()).and(dispatch::opened_at.gt(now.naive_utc())))
    };
    let row: Option<Row> = optional(unseen().first(tx.connection))?;
    diesel::delete(unseen()).execute(tx.connection)?;
    row.map(|row| Dispatch::try_from(row).map(|dispatch| dispatch.id)).transpose()
}

/// The dispatches of a dialogue, oldest first.
///
/// # Errors
/// [`DbError`].
pub fn of_dialogue(connection: &mut AnyConnection, id: Id<Dialogue>) -> Result<Vec<Dispatch>, DbError> {
    let rows: Vec<Row> =
        dispatch::table.filter(dispatch::dialogue_id.eq(id.to_string())).order(dispatch::id).load(connection)?;
    rows.into_iter().map(Dispatch::try_from).collect()
}

/// Whether a dispatch is paused, and since when.
///
/// # Errors
/// [`DbError`].
pub fn paused_at(connection: &mut AnyConnection, id: Id<Dispatch>) -> Result<Option<Instant>, DbError> {
    let at: Option<NaiveDateTime> = optional(
        dispatch_pause::table
            .filter(dispatch_pause::dispatch_id.eq(id.to_string()).and(dispatch_pause::status.eq("paused")))
            .select(dispatch_pause::paused_at)
            .first(connection),
    )?;
    Ok(at.map(|at| at.and_utc()))
}

/// The dispatches that are paused, or whose letters are being put back among those that go.
///
/// # Errors
/// [`DbError`].
pub fn held_back(connection: &mut AnyConnection, status: &str) -> Result<Vec<String>, DbError> {
    Ok(dispatch_pause::table
        .filter(dispatch_pause::status.eq(status))
        .select(dispatch_pause::dispatch_id)
        .load(connection)?)
}

/// Pauses a dispatch.
///
/// # Errors
/// [`DbError`].
pub fn pause(tx: &mut Tx<'_>, id: Id<Dispatch>, now: Instant) -> Result<(), DbError> {
    let id = id.to_string();
    diesel::delete(dispatch_pause::table.find(&id)).execute(tx.connection)?;
    diesel::insert_into(dispatch_pause::table)
        .values((
            dispatch_pause::dispatch_id.eq(&id),
            dispatch_pause::status.eq("paused"),
            dispatch_pause::paused_at.eq(now.naive_utc()),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// Lets a paused dispatch go on: its letters are put back among those that go.
///
/// # Errors
/// [`DbError`].
pub fn resume(tx: &mut Tx<'_>, id: Id<Dispatch>) -> Result<(), DbError> {
    diesel::update(dispatch_pause::table.find(id.to_string()))
        .set(dispatch_pause::status.eq("resuming"))
        .execute(tx.connection)?;
    Ok(())
}

/// All letters of a dispatch are back among those that go.
///
/// # Errors
/// [`DbError`].
pub fn resumed(tx: &mut Tx<'_>, id: &str) -> Result<(), DbError> {
    diesel::delete(dispatch_pause::table.find(id).filter(dispatch_pause::status.eq("resuming")))
        .execute(tx.connection)?;
    Ok(())
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = ledger_entry)]
struct EntryRow {
    number: i64,
    at: NaiveDateTime,
    dialogue_id: String,
    deed: String,
    data: String,
    hash: String,
}

impl From<EntryRow> for Entry {
    fn from(row: EntryRow) -> Self {
        let EntryRow { number, at, dialogue_id, deed, data, hash } = row;
        Self { number, at: at.and_utc(), dialogue_id, deed, data, hash }
    }
}

/// The number, the moment and the hash of the ledger's last entry; not what it says, which may be much.
///
/// # Errors
/// [`DbError`].
pub fn last_entry(connection: &mut AnyConnection) -> Result<Option<(i64, Instant, String)>, DbError> {
    let columns = (ledger_entry::number, ledger_entry::at, ledger_entry::hash);
    let last = ledger_entry::table.order(ledger_entry::number.desc()).select(columns).first(connection);
    Ok(optional(last)?.map(|(number, at, hash): (i64, NaiveDateTime, String)| (number, at.and_utc(), hash)))
}

/// The next 50 entries of the ledger: each may speak of 1,000 deliveries.
///
/// # Errors
/// [`DbError`].
pub fn entries_after(connection: &mut AnyConnection, number: i64) -> Result<Vec<Entry>, DbError> {
    let rows: Vec<EntryRow> = ledger_entry::table
        .filter(ledger_entry::number.gt(number))
        .order(ledger_entry::number)
        .limit(50)
        .load(connection)?;
    Ok(rows.into_iter().map(Entry::from).collect())
}

/// The ledger's entries about a dialogue with this deed, oldest first.
///
/// # Errors
/// [`DbError`].
pub fn entries_of(connection: &mut AnyConnection, dialogue_id: &str, deed: &str) -> Result<Vec<Entry>, DbError> {
    let rows: Vec<EntryRow> = ledger_entry::table
        .filter(ledger_entry::dialogue_id.eq(dialogue_id).and(ledger_entry::deed.eq(deed)))
        .order(ledger_entry::number)
        .load(connection)?;
    Ok(rows.into_iter().map(Entry::from).collect())
}

/// Adds an entry to the ledger.
///
/// # Errors
/// [`DbError`].
pub fn insert_entry(tx: &mut Tx<'_>, entry: Entry) -> Result<(), DbError> {
    let Entry { number, at, dialogue_id, deed, data, hash } = entry;
    let row = EntryRow { number, at: at.naive_utc(), dialogue_id, deed, data, hash };
    diesel::insert_into(ledger_entry::table).values(row).execute(tx.connection)?;
    Ok(())
}
