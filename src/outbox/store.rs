//! Facts in the database.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Fact, Subject};
use crate::db::schema::fact;
use crate::db::{AnyConnection, DbError, Tx};
use crate::kernel::Id;

#[derive(Insertable)]
#[diesel(table_name = fact, treat_none_as_default_value = false)]
struct NewFact<'a> {
    change: i64,
    turn: i64,
    at: NaiveDateTime,
    subject: &'a str,
    subject_id: &'a str,
    deed: &'a str,
    actor_id: Option<&'a str>,
    actor_name: &'a str,
    actor_organisation_id: Option<&'a str>,
    reason: Option<&'a str>,
    data: String,
}

/// One line of a thing's history.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(title = "HistoryEntry")]
pub struct FactRow {
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What was done, as a past participle.
    #[schema(example = "submitted")]
    pub deed: String,
    /// Who did it.
    #[schema(example = "Mette Holm")]
    pub by: String,
    /// On whose behalf: the organisation's id.
    #[schema(required, nullable)]
    pub organisation_id: Option<String>,
    /// Why, where a reason was given.
    #[schema(required, nullable)]
    pub reason: Option<String>,
    /// Particulars, such as the state before and after.
    #[schema(value_type = Object)]
    pub data: serde_json::Value,
}

/// Records a fact; it becomes visible with the rest of the transaction or not at all.
///
/// # Errors
/// [`DbError`] when the row is refused.
pub fn record(tx: &mut Tx<'_>, fact: Fact) -> Result<(), DbError> {
    let row = NewFact {
        change: tx.change,
        turn: tx.facts,
        at: fact.at.naive_utc(),
        subject: fact.subject.word(),
        subject_id: &fact.subject_id,
        deed: fact.deed,
        actor_id: fact.actor.user_id.as_deref(),
        actor_name: &fact.actor.name,
        actor_organisation_id: fact.actor.organisation_id.as_deref(),
        reason: fact.reason.as_deref(),
        data: fact.data.to_string(),
    };
    diesel::insert_into(fact::table).values(&row).execute(tx.connection)?;
    tx.facts += 1;
    Ok(())
}

/// What happened to a thing, oldest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = History)]
pub struct HistoryView {
    pub items: Vec<FactRow>,
}

/// All that happened to one thing, oldest first.
///
/// # Errors
/// [`DbError`] when it cannot be read.
pub fn history<T>(connection: &mut AnyConnection, subject: Subject, id: Id<T>) -> Result<Vec<FactRow>, DbError> {
    type Row = (NaiveDateTime, String, String, Option<String>, Option<String>, String);
    let rows: Vec<Row> = fact::table
        .filter(fact::subject.eq(subject.word()).and(fact::subject_id.eq(id.to_string())))
        .order((fact::change, fact::turn))
        .select((fact::at, fact::deed, fact::actor_name, fact::actor_organisation_id, fact::reason, fact::data))
        .load(connection)?;
    let lift = |(at, deed, by, organisation_id, reason, data): Row| FactRow {
        at: at.and_utc(),
        deed,
        by,
        organisation_id,
        reason,
        data: serde_json::from_str::<serde_json::Map<_, _>>(&data).unwrap_or_default().into(),
    };
    Ok(rows.into_iter().map(lift).collect())
}
