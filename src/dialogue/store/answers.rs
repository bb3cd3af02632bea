//! Written answers in the database.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::schema::written_answer;
use crate::db::{AnyConnection, DbError, Lift, Tx, optional};
use crate::dialogue::{Dialogue, WrittenAnswer};
use crate::kernel::{Id, Language};

#[derive(Queryable, Insertable)]
#[diesel(table_name = written_answer, treat_none_as_default_value = false)]
struct Row {
    id: String,
    dialogue_id: String,
    company: String,
    cvr: Option<String>,
    name: String,
    email: String,
    answers: String,
    confidential: Option<String>,
    receipt: String,
    late: i32,
    received_at: NaiveDateTime,
}

impl TryFrom<Row> for WrittenAnswer {
    type Error = DbError;
    fn try_from(row: Row) -> Result<Self, DbError> {
        let lift = Lift::new("written_answer", &row.id);
        Ok(Self {
            id: lift.id("id", &row.id)?,
            dialogue_id: lift.id("dialogue_id", &row.dialogue_id)?,
            answers: lift.json("answers", &row.answers)?,
            company: row.company,
            cvr: row.cvr,
            name: row.name,
            email: row.email,
            confidential: row.confidential,
            received_at: row.received_at.and_utc(),
            late: row.late == 1,
            language: Language::default(),
        })
    }
}

/// The written answers to a dialogue, in the order in which they came.
///
/// # Errors
/// [`DbError`].
pub fn written_answers(connection: &mut AnyConnection, id: Id<Dialogue>) -> Result<Vec<WrittenAnswer>, DbError> {
    let rows: Vec<Row> = written_answer::table
        .filter(written_answer::dialogue_id.eq(id.to_string()))
        .order((written_answer::received_at, written_answer::id))
        .load(connection)?;
    rows.into_iter().map(WrittenAnswer::try_from).collect()
}

/// The written answer to this dialogue with this receipt.
///
/// # Errors
/// [`DbError`].
pub fn written_answer_of(
    connection: &mut AnyConnection,
    id: Id<Dialogue>,
    receipt: &str,
) -> Result<Option<WrittenAnswer>, DbError> {
    let row: Option<Row> = optional(
        written_answer::table
            .filter(written_answer::dialogue_id.eq(id.to_string()).and(written_answer::receipt.eq(receipt)))
            .first(connection),
    )?;
    row.map(WrittenAnswer::try_from).transpose()
}

/// Adds a written answer.
///
/// # Errors
/// [`DbError`].
pub fn insert_written_answer(tx: &mut Tx<'_>, answer: &WrittenAnswer) -> Result<(), DbError> {
    let row = Row {
        id: answer.id.to_string(),
        dialogue_id: answer.dialogue_id.to_string(),
        company: answer.company.clone(),
        cvr: answer.cvr.clone(),
        name: answer.name.clone(),
        email: answer.email.clone(),
        answers: serde_json::to_string(&answer.answers).map_err(|error| DbError::Refused(error.to_string()))?,
        confidential: answer.confidential.clone(),
        receipt: answer.receipt(),
        late: i32::from(answer.late),
        received_at: answer.received_at.naive_utc(),
    };
    diesel::insert_into(written_answer::table).values(row).execute(tx.connection)?;
    Ok(())
}
