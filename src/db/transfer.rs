//! From SQLite to PostgreSQL: every row of every table, in one transaction of the target.
//!
//! Either all of it is there, checked row by row and by its own rules, or nothing is: a move that was broken off leaves
//! an empty target and is begun again. The source is held alone for as long as it takes, so that nothing is written that
//! would not come along, and it is not changed. Which tables there are is asked of the source itself.

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use serde_json::{Map, Value};

use super::cells::{self, Cells, Column, Fingerprint};
use super::connection::{Use, open};
use super::{AnyConnection, DatabaseUrl, DbError, Engine, MigrateError, migrate};

/// How many rows go over at a time.
const ROWS_AT_ONCE: usize = 500;

/// Why nothing was moved.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    #[error("a move goes from sqlite://FILE to postgres://…")]
    OtherEngines,
    #[error("there is no database at {0}")]
    NoSource(String),
    #[error(
        "somebody has the source open; stop the service first (a copy made by `skala backup` can be moved meanwhile)"
    )]
    SourceInUse,
    #[error("the target is not empty: it has {0} tables; name a fresh database (`createdb`)")]
    TargetNotEmpty(i64),
    /// What the target must have is not what the source has.
    #[error("the tables of source and target differ: {0}")]
    OtherTables(String),
    #[error("{table}: {source_rows} rows in the source, {target_rows} in the target, and their hashes differ")]
    Differs { table: String, source_rows: u64, target_rows: u64 },
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<diesel::result::Error> for TransferError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

/// One table, as it stands in source and target alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    pub table: String,
    pub print: Fingerprint,
}

/// What a move did.
#[derive(Debug)]
pub struct Transfer {
    /// Whether all of it was there already, from a move that ended before it could say so.
    pub was_there: bool,
    pub tables: Vec<Moved>,
}

/// Moves all there is. `last` looks at the target and adds to it before anything of it can be seen.
///
/// # Errors
/// [`TransferError`], and those of `last`; the target is then as it was.
pub fn transfer<E: From<TransferError>>(
    from: &DatabaseUrl,
    to: &DatabaseUrl,
    last: impl FnOnce(&mut AnyConnection) -> Result<(), E>,
) -> Result<Transfer, E> {
    if (from.engine, to.engine) != (Engine::Sqlite, Engine::Postgres) {
        return Err(TransferError::OtherEngines.into());
    }
    let mut source = open_alone(from)?;
    migrate::check(&mut source).map_err(TransferError::from)?;
    let mut target = open(to, Use::Write).map_err(TransferError::from)?;
    // However long it takes.
    let patient = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0";
    target.batch_execute(patient).map_err(TransferError::from)?;
    let mut moved = None;
    let done = target.transaction(|target| {
        let transfer = fill(&mut source, target).map_err(Stop::Here)?;
        if !transfer.was_there {
            last(target).map_err(Stop::There)?;
        }
        moved = Some(transfer);
        Ok(())
    });
    match (done, moved) {
        (Ok(()), Some(transfer)) => Ok(transfer),
        (Ok(()), None) => Err(TransferError::OtherTables("none".to_owned()).into()),
        (Err(Stop::Here(error)), _) => Err(error.into()),
        (Err(Stop::There(error)), _) => Err(error),
    }
}

/// Whose error it was.
enum Stop<E> {
    Here(TransferError),
    There(E),
}

impl<E> From<diesel::result::Error> for Stop<E> {
    fn from(error: diesel::result::Error) -> Self {
        Self::Here(error.into())
    }
}

/// Whether another process has this SQLite database open.
#[must_use]
pub fn is_in_use(file: &Path) -> bool {
    let url = DatabaseUrl { engine: Engine::Sqlite, target: file.display().to_string() };
    matches!(open_alone(&url), Err(TransferError::SourceInUse))
}

/// The source, with nobody else on it: in exclusive mode SQLite refuses when another connection is open.
fn open_alone(url: &DatabaseUrl) -> Result<AnyConnection, TransferError> {
    if !Path::new(&url.target).exists() {
        return Err(TransferError::NoSource(url.target.clone()));
    }
    let unavailable = |error: diesel::ConnectionError| DbError::Unavailable(error.to_string());
    let mut source = SqliteConnection::establish(&url.target).map_err(unavailable)?;
    let alone = source.batch_execute("PRAGMA busy_timeout = 1000; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    match alone {
        Ok(()) => Ok(AnyConnection::Sqlite(source)),
        Err(error) if error.to_string().contains("locked") => Err(TransferError::SourceInUse),
        Err(error) => Err(error.into()),
    }
}

fn fill(source: &mut AnyConnection, target: &mut AnyConnection) -> Result<Transfer, TransferError> {
    // Nodes that start meanwhile wait until it is all there.
    target.batch_execute(&format!("SELECT pg_advisory_xact_lock({})", migrate::LOCK))?;
    let taken = existing(target)?;
    if taken > 0 {
        let same = migrate::check(target).is_ok().then(|| compare(source, target));
        return match same {
            Some(Ok(tables)) => Ok(Transfer { was_there: true, tables }),
            _ => Err(TransferError::TargetNotEmpty(taken)),
        };
    }
    migrate::to_latest(target)?;
    let keys = drop_foreign_keys(target)?;
    for (table, columns) in alike(source, target)? {
        target.batch_execute(&format!("DELETE FROM \"{table}\""))?;
        copy(source, target, &table, &columns)?;
    }
    // Put back, they look at every row.
    keys.iter().try_for_each(|key| target.batch_execute(key))?;
    Ok(Transfer { was_there: false, tables: compare(source, target)? })
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

fn existing(target: &mut AnyConnection) -> Result<i64, DbError> {
    let query = "SELECT count(*) AS count FROM pg_class \
                 WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm')";
    Ok(diesel::sql_query(query).get_result::<Count>(target)?.count)
}

#[derive(QueryableByName)]
struct ForeignKey {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    rule: String,
}

/// Takes the keys between tables away, so that these can be filled in any order; returns how to put them back.
fn drop_foreign_keys(target: &mut AnyConnection) -> Result<Vec<String>, DbError> {
    let query = "SELECT conrelid::regclass::text AS table_name, quote_ident(conname) AS name, \
                 pg_get_constraintdef(oid) AS rule FROM pg_constraint \
                 WHERE contype = 'f' AND connamespace = current_schema()::regnamespace";
    let keys: Vec<ForeignKey> = diesel::sql_query(query).load(target)?;
    for ForeignKey { table_name, name, .. } in &keys {
        target.batch_execute(&format!("ALTER TABLE {table_name} DROP CONSTRAINT {name}"))?;
    }
    let back = |ForeignKey { table_name, name, rule }| format!("ALTER TABLE {table_name} ADD CONSTRAINT {name} {rule}");
    Ok(keys.into_iter().map(back).collect())
}

/// Every table with its columns, which are the same on both sides.
fn alike(source: &mut AnyConnection, target: &mut AnyConnection) -> Result<Vec<(String, Vec<Column>)>, TransferError> {
    let (here, there) = (cells::tables(source)?, cells::tables(target)?);
    if here != there {
        let differing = here.iter().filter(|table| !there.contains(table));
        let differing = differing.chain(there.iter().filter(|table| !here.contains(table)));
        return Err(TransferError::OtherTables(differing.cloned().collect::<Vec<_>>().join(", ")));
    }
    let mut tables = Vec::with_capacity(here.len());
    for table in here {
        let (ours, theirs) = (cells::columns(source, &table)?, cells::columns(target, &table)?);
        if !ours.iter().map(|column| &column.name).eq(theirs.iter().map(|column| &column.name)) {
            return Err(TransferError::OtherTables(table));
        }
        tables.push((table, ours));
    }
    Ok(tables)
}

fn copy(
    source: &mut AnyConnection,
    target: &mut AnyConnection,
    table: &str,
    columns: &[Column],
) -> Result<(), DbError> {
    let mut waiting = Vec::with_capacity(ROWS_AT_ONCE);
    cells::each(source, table, columns, "", |cells| {
        waiting.push(object(columns, cells));
        if waiting.len() == ROWS_AT_ONCE { insert(target, table, columns, &mut waiting) } else { Ok(()) }
    })?;
    insert(target, table, columns, &mut waiting)
}

fn object(columns: &[Column], cells: Cells) -> Value {
    let field = |(column, cell): (&Column, Option<String>)| (column.name.clone(), Value::from(cell));
    Value::Object(columns.iter().zip(cells).map(field).collect::<Map<_, _>>())
}

/// PostgreSQL reads each value as its column's type.
fn insert(
    target: &mut AnyConnection,
    table: &str,
    columns: &[Column],
    waiting: &mut Vec<Value>,
) -> Result<(), DbError> {
    let names = columns.iter().map(|column| format!("\"{}\"", column.name)).collect::<Vec<_>>().join(", ");
    let query = format!(
        "INSERT INTO \"{table}\" ({names}) SELECT {names} FROM json_populate_recordset(NULL::\"{table}\", $1::json)"
    );
    let rows = Value::from(std::mem::take(waiting)).to_string();
    diesel::sql_query(query).bind::<Text, _>(rows).execute(target)?;
    Ok(())
}

/// Reads both sides whole, and compares counts and hashes of every table.
fn compare(source: &mut AnyConnection, target: &mut AnyConnection) -> Result<Vec<Moved>, TransferError> {
    let mut tables = Vec::new();
    for (table, _) in alike(source, target)? {
        let columns = cells::columns(source, &table)?;
        let print = Fingerprint::of(source, &table, &columns)?;
        let columns = cells::columns(target, &table)?;
        let there = Fingerprint::of(target, &table, &columns)?;
        // The secret may lie in a file beside SQLite, and comes last.
        if print != there && !(table == "service_secret" && print.rows == 0) {
            return Err(TransferError::Differs { table, source_rows: print.rows, target_rows: there.rows });
        }
        tables.push(Moved { table, print });
    }
    Ok(tables)
}
