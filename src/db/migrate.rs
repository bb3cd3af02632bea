//! Tables are made and changed by numbered migrations that are built into the program.

use std::collections::BTreeSet;

use diesel::RunQueryDsl;
use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{AnyConnection, DbError};

/// The advisory lock under which PostgreSQL's tables are changed.
pub(super) const LOCK: i64 = 7_305_131;

/// Deliveries change twice soon after they are queued. With half of each page left free a lease stays in its page, and no
/// index hears of it. How PostgreSQL lays its pages out is no change to the tables, and so no migration; whoever may not
/// say it does without.
const LEAVE_ROOM: &str = "DO $$ BEGIN \
     IF NOT EXISTS (SELECT FROM pg_class WHERE oid = 'delivery'::regclass AND reloptions @> ARRAY['fillfactor=50']) THEN \
     ALTER TABLE delivery SET (fillfactor = 50); END IF; \
     EXCEPTION WHEN insufficient_privilege OR read_only_sql_transaction THEN NULL; END $$";

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/portable");

/// Why the tables cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    #[error(transparent)]
    Database(#[from] DbError),
    /// The database was written by a newer version of the service: this one could corrupt what it does not know.
    #[error("the database has migrations that this version does not know ({0}); start a newer version of skala")]
    Newer(String),
    /// Migrations are missing.
    #[error("the database lacks migrations ({0}); run `skala migrate`")]
    Older(String),
    /// A migration failed and was taken back.
    #[error("a migration failed: {0}")]
    Failed(String),
}

impl From<diesel::result::Error> for MigrateError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

/// Which migrations the database lacks, and which it has that we do not know.
struct Difference {
    missing: BTreeSet<String>,
    unknown: BTreeSet<String>,
}

impl Difference {
    fn between(applied: impl Iterator<Item = String>, known: &BTreeSet<String>) -> Self {
        let applied: BTreeSet<String> = applied.collect();
        Self { missing: known - &applied, unknown: &applied - known }
    }
}

/// Brings the tables up to date; one process does it while the others that start wait.
pub(super) fn to_latest(connection: &mut AnyConnection) -> Result<(), MigrateError> {
    match connection {
        AnyConnection::Postgres(connection) => {
            connection.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})"))?;
            let run = run_pending(connection).and_then(|()| Ok(connection.batch_execute(LEAVE_ROOM)?));
            connection.batch_execute(&format!("SELECT pg_advisory_unlock({LOCK})"))?;
            run
        }
        AnyConnection::Sqlite(connection) => {
            // All in one transaction, whose lock the others wait for: as long as a busy machine may take, not a write.
            connection.batch_execute("PRAGMA busy_timeout = 60000")?;
            connection.immediate_transaction(|connection| {
                run_pending(connection)?;
                // A transaction on a read-only file begins all the same; a statement that writes does not.
                Ok(connection.batch_execute("DELETE FROM __diesel_schema_migrations WHERE 0")?)
            })
        }
    }
}

/// The newest migration that is built into the program: a database with a newer one is another version's.
pub(super) fn newest() -> Result<String, MigrateError> {
    Ok(known::<Sqlite>()?.pop_last().unwrap_or_default())
}

/// Looks without changing anything: Diesel's own look would first make its table, which a reader may not.
pub(super) fn check(connection: &mut AnyConnection) -> Result<(), MigrateError> {
    let applied: Vec<Applied> = diesel::sql_query("SELECT version FROM __diesel_schema_migrations").load(connection)?;
    let difference = Difference::between(applied.into_iter().map(|row| row.version), &known::<Sqlite>()?);
    refuse_newer(&difference)?;
    if difference.missing.is_empty() { Ok(()) } else { Err(MigrateError::Older(list(&difference.missing))) }
}

#[derive(diesel::QueryableByName)]
struct Applied {
    #[diesel(sql_type = Text)]
    version: String,
}

fn run_pending<C, DB>(connection: &mut C) -> Result<(), MigrateError>
where
    C: MigrationHarness<DB>,
    DB: Backend,
{
    refuse_newer(&compare(connection)?)?;
    connection.run_pending_migrations(MIGRATIONS).map_err(|error| MigrateError::Failed(error.to_string()))?;
    Ok(())
}

fn compare<C, DB>(connection: &mut C) -> Result<Difference, MigrateError>
where
    C: MigrationHarness<DB>,
    DB: Backend,
{
    let applied: Vec<MigrationVersion<'_>> = connection.applied_migrations().map_err(failed)?;
    Ok(Difference::between(applied.iter().map(ToString::to_string), &known::<DB>()?))
}

/// The versions that are built into the program.
fn known<DB: Backend>() -> Result<BTreeSet<String>, DbError> {
    let known: Vec<Box<dyn Migration<DB>>> = MIGRATIONS.migrations().map_err(failed)?;
    Ok(known.iter().map(|migration| migration.name().version().to_string()).collect())
}

fn failed(error: Box<dyn std::error::Error + Send + Sync>) -> DbError {
    DbError::Unavailable(error.to_string())
}

fn refuse_newer(difference: &Difference) -> Result<(), MigrateError> {
    if difference.unknown.is_empty() { Ok(()) } else { Err(MigrateError::Newer(list(&difference.unknown))) }
}

fn list(versions: &BTreeSet<String>) -> String {
    versions.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
