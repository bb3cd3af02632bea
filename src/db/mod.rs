//! The database: SQLite or PostgreSQL, whichever the URL names, through one connection type.
//!
//! Reads take a connection from a pool. Writes go one after another through a single [writer](writer),
//! which commits together whatever is waiting: each deed runs in its own savepoint and is answered after
//! the commit, so a durable write costs a share of a disk flush. On PostgreSQL the writers of several
//! nodes take turns by a row lock. So on either engine a deed sees every deed before it, no two deeds
//! race, and change numbers are handed out in the order in which they become visible.
//!
//! Start reading at [`Db::write`].

mod connection;
mod lift;
mod migrate;
mod rows;
pub mod schema;
mod writer;

use std::time::Duration;

use diesel::r2d2::Pool;
use tokio::sync::{oneshot, watch};

pub use connection::{AnyConnection, DatabaseUrl, Engine, UrlError};
pub use lift::{Lift, optional};
pub use migrate::MigrateError;
pub use rows::Rows;
pub use writer::last_change;
use writer::{Deed, Writer};

/// Why the database did not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DbError {
    /// It cannot be reached, is full, or did not answer in time; the same may work later.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// It refused a statement that it should have taken.
    #[error("the database refused a statement: {0}")]
    Refused(String),
    /// A row says something that the rules make impossible.
    #[error("table {table}, row {row}: column {column} holds an impossible value")]
    Impossible { table: &'static str, column: &'static str, row: String },
}

impl From<diesel::result::Error> for DbError {
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::{DatabaseErrorKind, Error};
        match &error {
            Error::DatabaseError(
                DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::UnableToSendCommand
                | DatabaseErrorKind::ReadOnlyTransaction,
                _,
            )
            | Error::BrokenTransactionManager => Self::Unavailable(error.to_string()),
            Error::DatabaseError(DatabaseErrorKind::Unknown, info) if connection::is_outage(info.message()) => {
                Self::Unavailable(error.to_string())
            }
            _ => Self::Refused(error.to_string()),
        }
    }
}

/// The service's database.
#[derive(Clone)]
pub struct Db {
    url: DatabaseUrl,
    readers: Pool<connection::Opener>,
    writer: Writer,
    committed: watch::Receiver<i64>,
}

/// A write in progress. Only [`Db::write`] makes one: what takes a `Tx` happens wholly or not at all.
pub struct Tx<'a> {
    pub connection: &'a mut AnyConnection,
    /// This transaction's change number: larger than that of every transaction committed before it.
    pub change: i64,
}

impl Db {
    /// Opens the database and brings its tables up to date.
    ///
    /// # Errors
    /// When it cannot be reached or written, or was written by a newer version of the service.
    pub fn open(url: &DatabaseUrl) -> Result<Self, MigrateError> {
        migrate::to_latest(&mut connection::open(url, connection::Use::Write)?)?;
        let readers = Pool::builder()
            .max_size(8)
            .min_idle(Some(1))
            .test_on_check_out(false)
            .connection_timeout(Duration::from_secs(5))
            .error_handler(Box::new(connection::LogConnectErrors))
            .build(connection::Opener(url.clone()))
            .map_err(|error| DbError::Unavailable(error.to_string()))?;
        let (sender, committed) = watch::channel(0);
        let writer = Writer::start(url.clone(), sender);
        Ok(Self { url: url.clone(), readers, writer, committed })
    }

    /// Which engine the URL named.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.url.engine
    }

    /// Looks something up. The closure runs beside the event loop and changes nothing.
    ///
    /// # Errors
    /// The closure's own, or [`DbError`] when no connection is to be had.
    pub async fn read<T, E, F>(&self, look: F) -> Result<T, E>
    where
        F: FnOnce(&mut AnyConnection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let readers = self.readers.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let mut pooled = readers.get().map_err(|error| DbError::Unavailable(error.to_string()))?;
            look(&mut pooled)
        });
        looked.await.unwrap_or_else(|stopped| Err(DbError::Unavailable(stopped.to_string()).into()))
    }

    /// Does a deed in one transaction, and returns when it is committed: on disk, or not done at all.
    ///
    /// # Errors
    /// The deed's own, after which nothing of it remains; or [`DbError`] when the transaction could not be
    /// begun or committed.
    pub async fn write<T, E, F>(&self, deed: F) -> Result<T, E>
    where
        F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.writer.queue(Box::new(Deed { deed, answer })).await;
        let stopped = || DbError::Unavailable("the writer stopped before it answered".to_owned());
        answered.await.unwrap_or_else(|_| Err(stopped().into()))
    }

    /// Changes whenever this node commits: what follows a write can wait for it instead of asking.
    #[must_use]
    pub fn commits(&self) -> watch::Receiver<i64> {
        self.committed.clone()
    }

    /// The change number of the last commit of this node; 0 before its first.
    #[must_use]
    pub fn last_commit(&self) -> i64 {
        *self.committed.borrow()
    }

    /// Whether the database answers and has exactly the tables that this version knows.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn check(&self) -> Result<(), MigrateError> {
        self.read(migrate::check).await
    }
}
