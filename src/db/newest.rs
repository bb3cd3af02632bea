//! The one who asks for the newest change number. Those who want to know it while a question is under way share the
//! next one: a busy node asks once for many, and everybody's answer was asked for after they came.

use diesel::prelude::*;
use tokio::sync::{mpsc, oneshot};

use super::DbError;
use super::connection::{self, AnyConnection, DatabaseUrl, Use};
use super::schema::change_counter;

/// How many share one question at most.
const TOGETHER: usize = 256;

/// The door of whoever asks; the thread behind it ends when the last door closes.
#[derive(Clone)]
pub(super) struct Newest(mpsc::UnboundedSender<Question>);

type Question = oneshot::Sender<Result<i64, DbError>>;

impl Newest {
    /// One that asks this database, over a connection of its own that is opened at the first question.
    pub(super) fn start(url: DatabaseUrl) -> Self {
        let (door, mut questions) = mpsc::unbounded_channel::<Question>();
        let work = move || {
            let (mut connection, mut together) = (None, Vec::with_capacity(TOGETHER));
            while questions.blocking_recv_many(&mut together, TOGETHER) > 0 {
                let answer = ask(&url, &mut connection);
                // Whoever asked may have gone away.
                together.drain(..).for_each(|question| drop(question.send(answer.clone())));
            }
        };
        #[expect(clippy::expect_used, reason = "a process that cannot start its first threads cannot serve")]
        std::thread::Builder::new().name("newest".to_owned()).spawn(work).expect("the asker's thread");
        Self(door)
    }

    /// The newest change number, asked for from now on.
    pub(super) async fn ask(&self) -> Result<i64, DbError> {
        let stopped = |_| DbError::Unavailable("nobody asks the database any more".to_owned());
        let (question, answer) = oneshot::channel();
        self.0.send(question).map_err(|_| stopped(()))?;
        answer.await.map_err(|_| stopped(()))?
    }
}

/// Asks over the connection that is kept, or over a new one if that is gone.
fn ask(url: &DatabaseUrl, kept: &mut Option<AnyConnection>) -> Result<i64, DbError> {
    if let Some(Ok(newest)) = kept.as_mut().map(look) {
        return Ok(newest);
    }
    *kept = None;
    look(kept.insert(connection::open(url, Use::Read)?))
}

fn look(connection: &mut AnyConnection) -> Result<i64, DbError> {
    Ok(change_counter::table.select(change_counter::value).first(connection)?)
}
