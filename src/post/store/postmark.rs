//! Postmarks: what became of letters, written down the moment it is known, and settled a little later and many at once.
//!
//! To settle is to touch deliveries, their indexes and the ledger, in turn with all who write. A postmark is one row that
//! nobody else looks at, and the hands wait for it alone. What has one is not posted again: whoever takes letters on lease
//! settles every postmark first, those of workers that are gone too, and none takes what its own desk still holds.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::db::schema::postmark;
use crate::db::{AnyConnection, DbError, Lift, Rows, Statement, Tx};
use crate::kernel::{Id, Instant};
use crate::post::{Delivery, Held, Outcome};

/// What became of one letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posted {
    /// What it settles, with the notice version that each tells of. The first names the letter.
    pub deliveries: Vec<(Id<Delivery>, Option<String>)>,
    pub outcome: Outcome,
    /// Where there is no such mailbox: what stands for its address.
    pub gone: Option<String>,
}

impl Posted {
    /// What became of what was held.
    #[must_use]
    pub fn of(held: &Held, outcome: &Outcome, gone: Option<String>) -> Self {
        let mut told = held.content.notices().iter().map(|told| told.notice_version_id.clone());
        let deliveries = held.deliveries.iter().map(|id| (*id, told.next())).collect();
        Self { deliveries, outcome: outcome.clone(), gone }
    }
}

/// What became of letters that were written down together.
#[derive(Clone, Debug)]
pub struct Postmark {
    pub at: Instant,
    pub letters: Vec<Posted>,
}

/// Writes a postmark, in one statement.
///
/// # Errors
/// [`DbError`]; it may stand there all the same. One that is then put twice is told twice in the ledger.
pub fn put_postmark(connection: &mut AnyConnection, mark: &Postmark) -> Result<(), DbError> {
    diesel::insert_into(postmark::table)
        .values((
            postmark::id.eq(Id::<Postmark>::made_at(mark.at).to_string()),
            postmark::marked_at.eq(mark.at.naive_utc()),
            postmark::letters.eq(Rows::written(&mark.letters)?),
        ))
        .execute(connection)?;
    Ok(())
}

#[derive(QueryableByName)]
#[diesel(table_name = postmark)]
struct Row {
    id: String,
    marked_at: NaiveDateTime,
    letters: String,
}

/// Takes all postmarks away, the oldest first, to be settled in the same transaction. The letters of one that cannot be
/// read go again when their lease is over.
///
/// # Errors
/// [`DbError`].
pub fn take_postmarks(tx: &mut Tx<'_>) -> Result<Vec<Postmark>, DbError> {
    // By the index, which passes over what was taken before; the table still holds it for a while.
    let statement = "DELETE FROM postmark WHERE id > '' RETURNING id, marked_at, letters".to_owned();
    let mut rows: Vec<Row> = Statement::<Row>::new(statement, Vec::new()).load(tx.connection)?;
    rows.sort_by(|one, other| one.id.cmp(&other.id));
    let read = |row: Row| {
        let letters = Lift::new("postmark", &row.id).json("letters", &row.letters);
        let letters = letters.inspect_err(|error| tracing::error!(%error, "letters may go twice")).ok()?;
        Some(Postmark { at: row.marked_at.and_utc(), letters })
    };
    Ok(rows.into_iter().filter_map(read).collect())
}
