//! The database: SQLite or PostgreSQL, whichever the URL names, through one connection type.
//!
//! Reads take a connection from a pool. Writes go one after another through a single [writer](writer),
//! which commits together whatever is waiting: each deed runs in its own savepoint and is answered after
//! the commit, so a durable write costs a share of a disk flush. On PostgreSQL the writers of several
//! nodes take turns by a row lock. So on either engine a deed sees every deed before it, no two deeds
//! race, and change numbers are handed out in the order in which they become visible. What nobody who reads sees may be
//! written [aside](Db::write_aside).
//!
//! A replica may take reads off the primary. A read goes there only when the replica has every change that the primary
//! had committed when the read began, and to the primary otherwise: so no read, by anybody through any node, is older than
//! what was acknowledged before it was asked.
//!
//! Start reading at [`Db::write`].

mod backup;
mod cells;
mod connection;
mod lift;
mod migrate;
mod newest;
mod order;
mod rows;
pub mod schema;
mod sheet;
mod transfer;
mod writer;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use diesel::r2d2::{Builder, Pool, PooledConnection};
use tokio::sync::{oneshot, watch};

pub use backup::{Backup, BackupError, backup};
pub use cells::Fingerprint;
pub use connection::{AnyConnection, DatabaseUrl, Engine, UrlError};
use connection::{Opener, Use};
pub use lift::{Lift, optional};
pub use migrate::MigrateError;
use newest::Newest;
pub(crate) use order::by_change;
pub use rows::{Rows, Statement};
pub use sheet::{Field, Row, Sheet};
pub use transfer::{Moved, Transfer, TransferError, is_in_use, transfer};
pub use writer::last_change;
use writer::{Deed, Turn, Writer, announce};

/// How long passes at most before another process's commit is heard of.
const LISTEN_EVERY: Duration = Duration::from_millis(100);

/// Why the database did not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DbError {
    /// It cannot be reached, is full, or did not answer in time; the same may work later.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// It went away while it committed, and it could not be found out whether the commit holds.
    #[error("the database was lost in a commit that may hold or not: {0}")]
    Unsettled(String),
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
                | DatabaseErrorKind::ReadOnlyTransaction
                | DatabaseErrorKind::SerializationFailure,
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
    readers: Readers,
    replica: Option<Readers>,
    writer: Writer,
    aside: Option<Arc<Mutex<Option<AnyConnection>>>>,
    newest: Newest,
    committed: Arc<watch::Sender<i64>>,
    patience: Option<Duration>,
}

type Readers = Pool<Opener>;

/// A write in progress. Only [`Db::write`] makes one: what takes a `Tx` happens wholly or not at all.
pub struct Tx<'a> {
    pub connection: &'a mut AnyConnection,
    /// This transaction's change number: larger than that of every transaction committed before it.
    pub change: i64,
    /// How many facts were recorded in it.
    pub(crate) facts: i64,
}

impl Db {
    /// Opens the database and brings its tables up to date.
    ///
    /// # Errors
    /// When it cannot be reached or written, or was written by a newer version of the service.
    pub fn open(url: &DatabaseUrl) -> Result<Self, MigrateError> {
        migrate::to_latest(&mut connection::open(url, Use::Write)?)?;
        let readers = pool().build(Opener(url.clone()));
        let readers = readers.map_err(|error| DbError::Unavailable(error.to_string()))?;
        let committed = Arc::new(watch::Sender::new(0));
        let writer = Writer::start(url.clone(), migrate::newest()?, Arc::clone(&committed));
        let aside = (url.engine == Engine::Postgres).then(Arc::default);
        let newest = Newest::start(url.clone());
        Ok(Self { url: url.clone(), readers, replica: None, writer, aside, newest, committed, patience: None })
    }

    /// … with a replica for reads. It need not be there yet.
    #[must_use]
    pub fn with_replica(self, url: &DatabaseUrl) -> Self {
        Self { replica: Some(pool().build_unchecked(Opener(url.clone()))), ..self }
    }

    /// … that answers within this time, if only that it cannot: where somebody waits at the other end.
    #[must_use]
    pub fn answering_within(self, patience: Duration) -> Self {
        Self { patience: Some(patience), ..self }
    }

    /// Waits for something no longer than whoever asked can be kept waiting; none when that is over.
    pub async fn in_time<T>(&self, awaited: impl Future<Output = T>) -> Option<T> {
        match self.patience {
            None => Some(awaited.await),
            Some(patience) => tokio::time::timeout(patience, awaited).await.ok(),
        }
    }

    /// Listens for what other processes commit, so that [`Db::commits`] tells of it within a tenth of a second. One number is
    /// asked for each time, which costs less than a notification with every commit would.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn listen(&self) -> std::io::Result<()> {
        let (readers, committed) = (self.readers.clone(), Arc::downgrade(&self.committed));
        let listen = move || {
            // As long as anybody may ask.
            while let Some(committed) = committed.upgrade() {
                // An outage is told of by those who need the database.
                if let Some(Ok(change)) = readers.try_get().map(|mut connection| last_change(&mut connection)) {
                    announce(&committed, change);
                }
                drop(committed);
                std::thread::sleep(LISTEN_EVERY);
            }
        };
        std::thread::Builder::new().name("listener".to_owned()).spawn(listen).map(drop)
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
        let (readers, replica) = (self.readers.clone(), self.replica.clone());
        self.look(move || {
            let fresh = replica.map_or(Ok(None), |replica| fresh(&replica, &readers))?;
            let mut pooled = fresh.map_or_else(|| get(&readers), Ok)?;
            look(&mut pooled)
        })
        .await
    }

    async fn look<T, E>(&self, look: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        // Boxed, so that the runtime's machinery is compiled once and not for each of hundreds of looks. Whoever
        // asked may have gone away when the answer comes.
        let job: Box<dyn FnOnce() + Send> = Box::new(move || drop(answer.send(look())));
        tokio::task::spawn_blocking(job);
        let Some(looked) = self.in_time(answered).await else { return Err(too_late().into()) };
        let stopped = || DbError::Unavailable("a reader stopped before it answered".to_owned());
        looked.unwrap_or_else(|_| Err(stopped().into()))
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
        let turn = Turn::default();
        let done = async {
            self.writer.queue(Box::new(Deed { deed, answer, turn: turn.clone() })).await;
            let stopped = || DbError::Unavailable("the writer stopped before it answered".to_owned());
            answered.await.unwrap_or_else(|_| Err(stopped().into()))
        };
        match self.in_time(done).await {
            Some(answer) => answer,
            // Not begun: then it never will be.
            None if turn.take() => Err(too_late().into()),
            None => Err(DbError::Unsettled("no answer in time".to_owned()).into()),
        }
    }

    /// Writes what nobody who reads sees, in one statement, and returns when it is on disk. Where the engine lets several
    /// write at a time, as PostgreSQL does, it takes no turn among the writers and draws no change number.
    ///
    /// # Errors
    /// Those of the statement, or [`DbError`] when no connection is to be had. One that is cut off may hold all the same.
    pub async fn write_aside<F>(&self, statement: F) -> Result<(), DbError>
    where
        F: FnOnce(&mut AnyConnection) -> Result<(), DbError> + Send + 'static,
    {
        let Some(aside) = self.aside.clone() else {
            return self.write(move |tx| statement(tx.connection)).await;
        };
        let url = self.url.clone();
        let write = move || {
            let mut kept = aside.lock().unwrap_or_else(PoisonError::into_inner);
            let open = kept.take().and_then(|mut open| connection::is_open(&mut open).is_ok().then_some(open));
            let mut connection = open.map_or_else(|| connection::open(&url, Use::Write), Ok)?;
            statement(&mut connection)?;
            *kept = Some(connection);
            Ok(())
        };
        self.look(write).await
    }

    /// Changes whenever this node commits, and where it [listens](Db::listen), whenever any does: what follows a write can
    /// wait for it instead of asking.
    #[must_use]
    pub fn commits(&self) -> watch::Receiver<i64> {
        self.committed.subscribe()
    }

    /// The newest change number that is known here: that of this node's last commit, or of another's once it was heard of;
    /// 0 before the first.
    #[must_use]
    pub fn last_commit(&self) -> i64 {
        *self.committed.borrow()
    }

    /// The newest change number: that of the last commit before this question, by whichever node.
    ///
    /// # Errors
    /// [`DbError`] when the database does not say.
    pub async fn newest_change(&self) -> Result<i64, DbError> {
        let newest = self.in_time(self.newest.ask()).await.ok_or_else(too_late)??;
        announce(&self.committed, newest);
        Ok(newest)
    }

    /// Whether the database answers and has exactly the tables that this version knows.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn check(&self) -> Result<(), MigrateError> {
        let readers = self.readers.clone();
        self.look(move || {
            let mut pooled = get(&readers)?;
            migrate::check(&mut pooled)
        })
        .await
    }
}

fn too_late() -> DbError {
    DbError::Unavailable("no answer in time".to_owned())
}

fn pool() -> Builder<Opener> {
    Pool::builder()
        .max_size(8)
        .min_idle(Some(1))
        .connection_timeout(Duration::from_secs(5))
        .error_handler(Box::new(connection::LogConnectErrors))
}

fn get(readers: &Readers) -> Result<PooledConnection<Opener>, DbError> {
    readers.get().map_err(|error| DbError::Unavailable(error.to_string()))
}

/// A connection to the replica, if it is not behind the primary as it stands now.
fn fresh(replica: &Readers, primary: &Readers) -> Result<Option<PooledConnection<Opener>>, DbError> {
    let mut asked = get(primary)?;
    let newest = last_change(&mut asked)?;
    drop(asked);
    // Never waited for: the primary knows it all.
    let Some(mut replica) = replica.try_get() else { return Ok(None) };
    Ok(last_change(&mut replica).is_ok_and(|change| change >= newest).then_some(replica))
}
