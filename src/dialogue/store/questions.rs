//! Questions in the database.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::schema::question;
use crate::db::{AnyConnection, DbError, Lift, Tx, optional};
use crate::dialogue::{Dialogue, Question, QuestionState, State};
use crate::kernel::{Id, Instant, Language};

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = question, treat_none_as_null = true, treat_none_as_default_value = false)]
struct Row {
    id: String,
    dialogue_id: String,
    email: Option<String>,
    asker_key: String,
    asker: Option<i32>,
    text: String,
    language: String,
    status: String,
    answer: Option<String>,
    settled_at: Option<NaiveDateTime>,
    changed: i64,
    asked_at: NaiveDateTime,
}

impl Row {
    fn of(question: &Question, change: i64) -> Self {
        let (answer, settled_at) = match &question.state {
            QuestionState::Unconfirmed | QuestionState::Asked => (None, None),
            QuestionState::Answered { answer, answered_at } => (Some(answer), Some(answered_at)),
            QuestionState::Rejected { reason, rejected_at } => (Some(reason), Some(rejected_at)),
        };
        Self {
            id: question.id.to_string(),
            dialogue_id: question.dialogue_id.to_string(),
            email: question.email.clone(),
            asker_key: question.asker_key.clone(),
            asker: question.asker,
            text: question.text.clone(),
            language: question.language.tag().to_owned(),
            status: question.state.word().to_owned(),
            answer: answer.cloned(),
            settled_at: settled_at.map(Instant::naive_utc),
            changed: change,
            asked_at: question.asked_at.naive_utc(),
        }
    }
}

impl TryFrom<Row> for Question {
    type Error = DbError;
    fn try_from(row: Row) -> Result<Self, DbError> {
        let lift = Lift::new("question", &row.id);
        let settled = || {
            let words = lift.some("answer", row.answer.clone())?;
            Ok::<_, DbError>((words, lift.some("settled_at", row.settled_at)?.and_utc()))
        };
        let state = match row.status.as_str() {
            "unconfirmed" => QuestionState::Unconfirmed,
            "asked" => QuestionState::Asked,
            "answered" => settled().map(|(answer, answered_at)| QuestionState::Answered { answer, answered_at })?,
            "rejected" => settled().map(|(reason, rejected_at)| QuestionState::Rejected { reason, rejected_at })?,
            _ => return Err(lift.impossible("status")),
        };
        Ok(Self {
            id: lift.id("id", &row.id)?,
            dialogue_id: lift.id("dialogue_id", &row.dialogue_id)?,
            language: lift.some("language", Language::from_tag(&row.language))?,
            email: row.email,
            asker_key: row.asker_key,
            asker: row.asker,
            text: row.text,
            state,
            asked_at: row.asked_at.and_utc(),
        })
    }
}

/// The confirmed questions of a dialogue, oldest first.
///
/// # Errors
/// [`DbError`].
pub fn questions(connection: &mut AnyConnection, dialogue: Id<Dialogue>) -> Result<Vec<Question>, DbError> {
    let rows: Vec<Row> = question::table
        .filter(question::dialogue_id.eq(dialogue.to_string()))
        .filter(question::status.ne("unconfirmed"))
        .order((question::asked_at, question::id))
        .load(connection)?;
    rows.into_iter().map(Question::try_from).collect()
}

/// The questions that wait for an answer, longest first, each with its dialogue's title as it was told last.
///
/// # Errors
/// [`DbError`].
pub fn waiting_questions(connection: &mut AnyConnection, limit: i64) -> Result<Vec<(Question, String)>, DbError> {
    let rows: Vec<Row> = question::table
        .filter(question::status.eq("asked"))
        .order((question::asked_at, question::id))
        .limit(limit)
        .load(connection)?;
    let questions = rows.into_iter().map(Question::try_from).collect::<Result<Vec<_>, _>>()?;
    let mut titles: HashMap<Id<Dialogue>, Option<String>> = HashMap::new();
    let mut told = Vec::with_capacity(questions.len());
    for question in questions {
        let id = question.dialogue_id;
        let title = match titles.get(&id) {
            Some(known) => known.clone(),
            None => {
                // What was not answered before a dialogue ended is not answered any more. It was public when it was
                // asked about.
                let open = super::find(connection, id, question.asked_at)?
                    .filter(|d| matches!(d.state, State::Published { .. }));
                titles.entry(id).or_insert(open.map(|dialogue| dialogue.notice.title)).clone()
            }
        };
        told.extend(title.map(|title| (question, title)));
    }
    Ok(told)
}

/// The question of this id.
///
/// # Errors
/// [`DbError`].
pub fn find_question(connection: &mut AnyConnection, id: Id<Question>) -> Result<Option<Question>, DbError> {
    let row: Option<Row> = optional(question::table.find(id.to_string()).first(connection))?;
    row.map(Question::try_from).transpose()
}

/// The number that this asker has in the dialogue, or the next free one.
///
/// # Errors
/// [`DbError`].
pub fn asker_number(connection: &mut AnyConnection, dialogue: Id<Dialogue>, key: &str) -> Result<i32, DbError> {
    let of_dialogue = || question::table.filter(question::dialogue_id.eq(dialogue.to_string()));
    let known = of_dialogue().filter(question::asker_key.eq(key)).select(diesel::dsl::max(question::asker));
    if let Some(number) = known.first::<Option<i32>>(connection)? {
        return Ok(number);
    }
    let last: Option<i32> = of_dialogue().select(diesel::dsl::max(question::asker)).first(connection)?;
    Ok(last.unwrap_or(0) + 1)
}

/// Whether this asker has asked the same already.
///
/// # Errors
/// [`DbError`].
pub fn is_asked(
    connection: &mut AnyConnection,
    dialogue: Id<Dialogue>,
    key: &str,
    text: &str,
) -> Result<bool, DbError> {
    let same = question::table
        .filter(question::dialogue_id.eq(dialogue.to_string()).and(question::asker_key.eq(key)))
        .filter(question::text.eq(text).and(question::status.ne("unconfirmed")));
    Ok(diesel::select(diesel::dsl::exists(same)).get_result(connection)?)
}

/// Adds a question.
///
/// # Errors
/// [`DbError`].
pub fn insert_question(tx: &mut Tx<'_>, question: &Question) -> Result<(), DbError> {
    diesel::insert_into(question::table).values(Row::of(question, tx.change)).execute(tx.connection)?;
    Ok(())
}

/// Stores a question that was changed.
///
/// # Errors
/// [`DbError`].
pub fn update_question(tx: &mut Tx<'_>, question: &Question) -> Result<(), DbError> {
    diesel::update(question::table.find(question.id.to_string()))
        .set(Row::of(question, tx.change))
        .execute(tx.connection)?;
    Ok(())
}

/// Forgets questions that nobody confirmed; returns how many.
///
/// # Errors
/// [`DbError`].
pub fn forget_unconfirmed_questions(tx: &mut Tx<'_>, before: Instant) -> Result<usize, DbError> {
    let old =
        question::table.filter(question::status.eq("unconfirmed")).filter(question::asked_at.lt(before.naive_utc()));
    Ok(diesel::delete(old).execute(tx.connection)?)
}
