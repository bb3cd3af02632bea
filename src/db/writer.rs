//! The one who writes. Deeds queue up; the writer takes all that wait, runs each in a savepoint of one
//! transaction, commits once, and only then answers. A deed that fails takes only itself back.

use std::panic::{AssertUnwindSafe, catch_unwind};

use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use tokio::sync::{mpsc, oneshot, watch};

use super::connection::{self, AnyConnection, DatabaseUrl, Engine, Use};
use super::{DbError, Tx};

/// How many deeds one commit may carry: enough to share a flush, few enough to keep each answer quick.
const BATCH: usize = 64;
/// How many deeds may wait before callers wait themselves.
const QUEUE: usize = 1024;

/// The writer's front desk; its thread ends when the last desk closes.
#[derive(Clone)]
pub(super) struct Writer(mpsc::Sender<Box<dyn Job>>);

/// Something to be done in a transaction, and somebody who waits for the answer.
pub(super) struct Deed<F, T, E> {
    pub(super) deed: F,
    pub(super) answer: oneshot::Sender<Result<T, E>>,
}

/// A deed whose types the writer need not know.
pub(super) trait Job: Send {
    /// Does it, and returns whether its changes are to be kept and how to answer once that is settled.
    fn run(self: Box<Self>, tx: &mut Tx<'_>) -> (bool, Answer);
    /// Answers without having done it.
    fn refuse(self: Box<Self>, error: DbError);
}

type Answer = Box<dyn FnOnce(Result<(), DbError>) + Send>;

impl<F, T, E> Job for Deed<F, T, E>
where
    F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send + 'static,
    E: From<DbError> + Send + 'static,
{
    fn run(self: Box<Self>, tx: &mut Tx<'_>) -> (bool, Answer) {
        let done = (self.deed)(tx);
        let answer = self.answer;
        // Whoever asked may have gone away meanwhile; what was done stays done.
        (done.is_ok(), Box::new(move |committed| drop(answer.send(committed.map_err(E::from).and(done)))))
    }

    fn refuse(self: Box<Self>, error: DbError) {
        drop(self.answer.send(Err(error.into())));
    }
}

impl Writer {
    pub(super) fn start(url: DatabaseUrl, committed: watch::Sender<i64>) -> Self {
        let (desk, mut jobs) = mpsc::channel::<Box<dyn Job>>(QUEUE);
        let work = move || {
            let mut connection = None;
            let mut batch = Vec::with_capacity(BATCH);
            while jobs.blocking_recv_many(&mut batch, BATCH) > 0 {
                match ready(&url, &mut connection, batch.len()) {
                    Ok((open, first_change)) => {
                        if let Err(error) = run(open, batch.drain(..), first_change, &committed) {
                            tracing::error!(%error, "a batch of writes was lost");
                            connection = None;
                        }
                    }
                    Err(error) => {
                        tracing::error!(%error, "writes were refused");
                        connection = None;
                        batch.drain(..).for_each(|job| job.refuse(error.clone()));
                    }
                }
            }
        };
        #[expect(clippy::expect_used, reason = "a process that cannot start its first thread cannot serve")]
        std::thread::Builder::new().name("writer".to_owned()).spawn(work).expect("the writer's thread");
        Self(desk)
    }

    pub(super) async fn queue(&self, job: Box<dyn Job>) {
        if let Err(mpsc::error::SendError(job)) = self.0.send(job).await {
            job.refuse(DbError::Unavailable("the writer has stopped".to_owned()));
        }
    }
}

#[derive(diesel::QueryableByName)]
struct Counter {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

/// The newest change number that is visible. Every change up to it is visible too, since writers take turns by its row:
/// what reads several tables one after another and stops at this number misses nothing in between.
///
/// # Errors
/// [`DbError`].
pub fn last_change(connection: &mut AnyConnection) -> Result<i64, DbError> {
    let counter: Counter = diesel::sql_query("SELECT value FROM change_counter").get_result(connection)?;
    Ok(counter.value)
}

/// Begins a transaction and draws its change numbers; a connection found dead is opened once more.
fn ready<'c>(
    url: &DatabaseUrl,
    slot: &'c mut Option<AnyConnection>,
    jobs: usize,
) -> Result<(&'c mut AnyConnection, i64), DbError> {
    let jobs = i64::try_from(jobs).unwrap_or(i64::MAX);
    if let Some(connection) = slot.as_mut()
        && let Err(error) = begin(url.engine, connection, jobs)
    {
        // A file that somebody holds is no freer to another connection: whoever waits is told at once.
        if url.engine == Engine::Sqlite {
            return Err(error);
        }
        *slot = None;
    }
    let begun = slot.is_some();
    let connection = match slot {
        Some(connection) => connection,
        None => slot.insert(connection::open(url, Use::Write)?),
    };
    if !begun {
        begin(url.engine, connection, jobs)?;
    }
    let counter: Counter =
        diesel::sql_query("SELECT value FROM change_counter").get_result(connection).map_err(DbError::from)?;
    Ok((connection, counter.value - jobs + 1))
}

/// Takes the write lock and moves the change counter on. SQLite's deferred BEGIN would let two writers
/// read and then collide; on PostgreSQL the counter's row is the lock that nodes take turns by.
fn begin(engine: Engine, connection: &mut AnyConnection, jobs: i64) -> Result<(), DbError> {
    let begin = match engine {
        Engine::Sqlite => "BEGIN IMMEDIATE",
        Engine::Postgres => "BEGIN",
    };
    connection.batch_execute(begin)?;
    diesel::sql_query("UPDATE change_counter SET value = value + ")
        .sql(jobs.to_string())
        .execute(connection)
        .map_err(DbError::from)?;
    Ok(())
}

/// Runs every job, commits, says so, answers. On an error nothing was kept and everyone was told.
fn run(
    connection: &mut AnyConnection,
    jobs: impl Iterator<Item = Box<dyn Job>>,
    first_change: i64,
    committed_at: &watch::Sender<i64>,
) -> Result<(), DbError> {
    let mut answers = Vec::with_capacity(BATCH);
    let mut broken = Ok(());
    let mut change = first_change;
    for job in jobs {
        if let Err(error) = &broken {
            job.refuse(DbError::clone(error));
            continue;
        }
        broken = run_one(connection, job, change, &mut answers);
        change += 1;
    }
    let committed = broken.and_then(|()| connection.batch_execute("COMMIT").map_err(DbError::from));
    let committed = committed.map_err(|error| DbError::Unavailable(error.to_string()));
    if committed.is_err() {
        // Already gone on most failures; the connection is dropped either way.
        connection.batch_execute("ROLLBACK").ok();
    } else {
        // Before anybody has an answer: whoever has it must not be shown what was at hand before.
        committed_at.send_replace(change - 1);
    }
    answers.into_iter().for_each(|answer| answer(committed.clone()));
    committed
}

fn run_one(
    connection: &mut AnyConnection,
    job: Box<dyn Job>,
    change: i64,
    answers: &mut Vec<Answer>,
) -> Result<(), DbError> {
    if let Err(error) = connection.batch_execute("SAVEPOINT deed") {
        let error = DbError::from(error);
        job.refuse(error.clone());
        return Err(error);
    }
    let mut tx = Tx { connection, change };
    // A deed that panics drops its answer, and whoever waits is told that the writer stopped.
    let ran = catch_unwind(AssertUnwindSafe(|| job.run(&mut tx)));
    let (keep, answer) = ran.map_or((false, None), |(keep, answer)| (keep, Some(answer)));
    answers.extend(answer);
    let settle = if keep { "RELEASE SAVEPOINT deed" } else { "ROLLBACK TO SAVEPOINT deed; RELEASE SAVEPOINT deed" };
    connection.batch_execute(settle).map_err(DbError::from)
}
