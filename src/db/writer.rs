//! The one who writes. Deeds queue up; the writer takes all that wait, runs each in a savepoint of one
//! transaction, commits once, and only then answers. A deed that fails takes only itself back.
//!
//! When the connection is lost while a commit is under way, nobody can know at once whether it holds. Each transaction
//! therefore leaves the writer's mark with its last change number: the writer connects anew, to the database's successor
//! if need be, reads its mark, and answers truly.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Nullable, Text};
use tokio::sync::{mpsc, oneshot, watch};

use super::connection::{self, AnyConnection, DatabaseUrl, Engine, Use};
use super::{DbError, Statement, Tx};
use crate::kernel::random_token;

/// How many deeds one commit may carry: enough to share a flush, few enough to keep each answer quick.
const BATCH: usize = 64;
/// How many deeds may wait before callers wait themselves.
const QUEUE: usize = 1024;
/// How long is asked what became of a commit that was cut off.
const SETTLE_WITHIN: Duration = Duration::from_secs(15);
/// Between two attempts to connect: this long at first, and twice as long each time.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The writer's front desk; its thread ends when the last desk closes.
#[derive(Clone)]
pub(super) struct Writer(mpsc::Sender<Box<dyn Job>>);

/// Something to be done in a transaction, and somebody who waits for the answer.
pub(super) struct Deed<F, T, E> {
    pub(super) deed: F,
    pub(super) answer: oneshot::Sender<Result<T, E>>,
    pub(super) turn: Turn,
}

/// Whose move it is: a deed is begun by the writer or given up by whoever waits, never both.
#[derive(Clone, Default)]
pub(super) struct Turn(Arc<AtomicBool>);

impl Turn {
    /// Takes the move; false when the other side already has.
    pub(super) fn take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
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
        if !self.turn.take() {
            return (false, Box::new(|_| {}));
        }
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
    /// A writer to this database, whose newest migration is `schema` as far as this program knows.
    pub(super) fn start(url: DatabaseUrl, schema: String, committed: Arc<watch::Sender<i64>>) -> Self {
        let (desk, mut jobs) = mpsc::channel::<Box<dyn Job>>(QUEUE);
        let work = move || {
            let mut line = Line::new(url, schema);
            let mut batch = Vec::with_capacity(BATCH);
            while jobs.blocking_recv_many(&mut batch, BATCH) > 0 {
                match line.begin(batch.len()) {
                    Ok((open, first_change)) => match run(open, batch.drain(..), first_change, &committed) {
                        Outcome::Settled => {}
                        Outcome::Undone(error) => {
                            tracing::error!(%error, "a batch of writes was undone");
                            line.connection = None;
                        }
                        Outcome::CutOff { last, answers, error } => {
                            tracing::error!(%error, "the connection was lost in a commit");
                            let settled = line.settle(last);
                            if settled.is_ok() {
                                announce(&committed, last);
                            }
                            answers.into_iter().for_each(|answer| answer(settled.clone()));
                        }
                    },
                    Err(error) => {
                        tracing::error!(%error, "writes were refused");
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

/// Tells those who follow that everything up to this change can be seen.
pub(super) fn announce(committed: &watch::Sender<i64>, change: i64) {
    committed.send_if_modified(|known| {
        let newer = change > *known;
        *known = change.max(*known);
        newer
    });
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

/// The writer's line to the database, opened anew when it is cut.
struct Line {
    url: DatabaseUrl,
    schema: String,
    /// What the writer's marks are known by.
    name: String,
    connection: Option<AnyConnection>,
    pause: Duration,
    not_before: Option<Instant>,
}

#[derive(diesel::QueryableByName)]
struct Begun {
    #[diesel(sql_type = BigInt)]
    value: i64,
    #[diesel(sql_type = Nullable<Text>)]
    schema: Option<String>,
}

impl Line {
    fn new(url: DatabaseUrl, schema: String) -> Self {
        // Without randomness from the system a thread's own number is as good: it is a name and no secret.
        let name =
            random_token().unwrap_or_else(|_| format!("{}-{:?}", std::process::id(), std::thread::current().id()));
        Self { url, schema, name, connection: None, pause: PAUSE, not_before: None }
    }

    /// Begins a transaction and draws its change numbers; a connection found dead is opened once more.
    fn begin(&mut self, jobs: usize) -> Result<(&mut AnyConnection, i64), DbError> {
        let kept = self.connection.is_some();
        let mut begun = self.try_begin(jobs);
        // A file that somebody holds is no freer to another connection: whoever waits is told at once.
        if kept && begun.is_err() && self.url.engine == Engine::Postgres {
            self.connection = None;
            begun = self.try_begin(jobs);
        }
        let first = match begun {
            Ok(begun) if begun.schema.as_ref().is_some_and(|schema| *schema > self.schema) => {
                Err(DbError::Unavailable(
                    "another version has changed the tables; this one writes no more and waits to be replaced"
                        .to_owned(),
                ))
            }
            Ok(begun) => Ok(begun.value - i64::try_from(jobs).unwrap_or(i64::MAX) + 1),
            Err(error) => Err(error),
        };
        match (first, &mut self.connection) {
            (Ok(first), Some(connection)) => Ok((connection, first)),
            (first, connection) => {
                *connection = None;
                Err(first.err().unwrap_or_else(|| DbError::Unavailable("no connection".to_owned())))
            }
        }
    }

    fn try_begin(&mut self, jobs: usize) -> Result<Begun, DbError> {
        let (engine, name) = (self.url.engine, self.name.clone());
        let connection = self.connect()?;
        // SQLite's deferred BEGIN would let two writers read and then collide; on PostgreSQL the counter's row is the
        // lock that nodes take turns by.
        Ok(match engine {
            Engine::Sqlite => {
                connection.batch_execute(&format!(
                    "BEGIN IMMEDIATE; UPDATE change_counter SET value = value + {jobs}; \
                     INSERT INTO write_mark (writer, change) SELECT '{name}', value FROM change_counter WHERE true \
                     ON CONFLICT (writer) DO UPDATE SET change = excluded.change"
                ))?;
                let look =
                    "SELECT value, (SELECT max(version) FROM __diesel_schema_migrations) AS schema FROM change_counter";
                Statement::<Begun>::new(look.to_owned(), Vec::new()).get_result(connection)?
            }
            Engine::Postgres => {
                connection.batch_execute("BEGIN")?;
                let take = "WITH counter AS (UPDATE change_counter SET value = value + CAST($1 AS BIGINT) \
                     RETURNING value) INSERT INTO write_mark (writer, change) SELECT $2, value FROM counter \
                     ON CONFLICT (writer) DO UPDATE SET change = excluded.change \
                     RETURNING change AS value, (SELECT max(version) FROM __diesel_schema_migrations)::text AS schema";
                Statement::<Begun>::new(take.to_owned(), vec![jobs.to_string(), name]).get_result(connection)?
            }
        })
    }

    /// The open connection, or a new one, unless the last attempt failed a moment ago.
    fn connect(&mut self) -> Result<&mut AnyConnection, DbError> {
        if self.connection.is_none() {
            if self.not_before.is_some_and(|moment| Instant::now() < moment) {
                return Err(DbError::Unavailable("it could not be reached a moment ago".to_owned()));
            }
            match connection::open(&self.url, Use::Write).and_then(forget_old_marks) {
                Ok(connection) => {
                    (self.pause, self.not_before) = (PAUSE, None);
                    self.connection = Some(connection);
                }
                Err(error) => {
                    self.not_before = Some(Instant::now() + self.pause);
                    self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                    return Err(error);
                }
            }
        }
        self.connection.as_mut().ok_or_else(|| DbError::Unavailable("no connection".to_owned()))
    }

    /// What became of the transaction whose commit was cut off: `Ok` when it holds.
    fn settle(&mut self, last: i64) -> Result<(), DbError> {
        let until = Instant::now() + SETTLE_WITHIN;
        self.connection = None;
        loop {
            let committed = connection::open(&self.url, Use::Write).and_then(|mut connection| {
                let mark = self.mark(&mut connection)?;
                self.connection = Some(connection);
                Ok(mark >= Some(last))
            });
            match committed {
                Ok(true) => return Ok(()),
                Ok(false) => return Err(DbError::Unavailable("the connection was lost before the commit".to_owned())),
                Err(error) if Instant::now() >= until => return Err(DbError::Unsettled(error.to_string())),
                Err(_) => std::thread::sleep(PAUSE),
            }
        }
    }

    /// The last change of this writer that holds. The counter's row is waited for: whoever still commits holds it.
    fn mark(&self, connection: &mut AnyConnection) -> Result<Option<i64>, DbError> {
        let begin = match self.url.engine {
            Engine::Sqlite => "BEGIN IMMEDIATE",
            Engine::Postgres => "BEGIN; SELECT value FROM change_counter FOR UPDATE",
        };
        connection.batch_execute(begin)?;
        let query = format!("SELECT change AS value FROM write_mark WHERE writer = '{}'", self.name);
        let marks: Vec<Counter> = diesel::sql_query(query).load(connection)?;
        connection.batch_execute("ROLLBACK")?;
        Ok(marks.first().map(|mark| mark.value))
    }
}

/// Takes away the marks of processes that have not written for a million changes, and are long gone.
fn forget_old_marks(mut connection: AnyConnection) -> Result<AnyConnection, DbError> {
    let old = "DELETE FROM write_mark WHERE change < (SELECT value FROM change_counter) - 1000000";
    connection.batch_execute(old)?;
    Ok(connection)
}

/// What became of a batch.
enum Outcome {
    /// What was done holds, what was refused left nothing, and everyone was told.
    Settled,
    /// Nothing of it was kept, and everyone was told.
    Undone(DbError),
    /// Nobody knows yet, and nobody was told.
    CutOff { last: i64, answers: Vec<Answer>, error: DbError },
}

/// Runs every job, commits, says so, answers.
fn run(
    connection: &mut AnyConnection,
    jobs: impl ExactSizeIterator<Item = Box<dyn Job>>,
    first_change: i64,
    committed: &watch::Sender<i64>,
) -> Outcome {
    let alone = jobs.len() == 1;
    let mut answers = Vec::with_capacity(BATCH);
    let mut broken = Ok(());
    let mut kept = false;
    let mut change = first_change;
    // What is said to the database before what comes next; a deed that is alone needs no savepoint.
    let mut before = (!alone).then_some("SAVEPOINT deed");
    for job in jobs {
        if let Err(error) = &broken {
            job.refuse(DbError::clone(error));
            continue;
        }
        broken = run_one(connection, job, change, before, &mut answers).map(|one| {
            kept |= one;
            let settle = if one { "RELEASE SAVEPOINT deed; SAVEPOINT deed" } else { "ROLLBACK TO SAVEPOINT deed" };
            before = before.map(|_| settle);
        });
        change += 1;
    }
    if broken.is_ok() && !kept {
        broken = connection.batch_execute("ROLLBACK").map_err(DbError::from);
        if broken.is_ok() {
            answers.into_iter().for_each(|answer| answer(Ok(())));
            return Outcome::Settled;
        }
    }
    if let Err(error) = broken {
        let error = DbError::Unavailable(error.to_string());
        // Already gone on most failures; the connection is dropped either way.
        connection.batch_execute("ROLLBACK").ok();
        answers.into_iter().for_each(|answer| answer(Err(error.clone())));
        return Outcome::Undone(error);
    }
    // In a transaction that an error has ended any statement fails; a bare COMMIT would take it back and call that a success.
    match connection.batch_execute(&format!("{}; COMMIT", before.unwrap_or("SELECT 1"))) {
        Ok(()) => {
            // Before anybody has an answer: whoever has it must not be shown what was at hand before.
            announce(committed, change - 1);
            answers.into_iter().for_each(|answer| answer(Ok(())));
            Outcome::Settled
        }
        Err(error) => {
            connection.batch_execute("ROLLBACK").ok();
            Outcome::CutOff { last: change - 1, answers, error: error.into() }
        }
    }
}

/// Does one deed, once this is said; returns whether anything of it is to be kept.
fn run_one(
    connection: &mut AnyConnection,
    job: Box<dyn Job>,
    change: i64,
    before: Option<&'static str>,
    answers: &mut Vec<Answer>,
) -> Result<bool, DbError> {
    if let Some(before) = before
        && let Err(error) = connection.batch_execute(before)
    {
        let error = DbError::from(error);
        job.refuse(error.clone());
        return Err(error);
    }
    let mut tx = Tx { connection, change, facts: 0 };
    // A deed that panics drops its answer, and whoever waits is told that the writer stopped.
    let ran = catch_unwind(AssertUnwindSafe(|| job.run(&mut tx)));
    let (keep, answer) = ran.map_or((false, None), |(keep, answer)| (keep, Some(answer)));
    answers.extend(answer);
    Ok(keep)
}
