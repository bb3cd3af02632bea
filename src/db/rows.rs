//! Many rows in one statement: a list of rows travels as one JSON parameter, and SQL that either engine reads takes it
//! apart again. Diesel cannot write many rows at once through a connection that may be to either engine.
//!
//! What such a statement asks of the table besides, it asks so that no index answers (`status || '' = 'queued'`): the engine
//! might else go through all that the index holds, and SQLite take the whole list apart for each of its rows.

use std::marker::PhantomData;

use chrono::NaiveDateTime;
use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{Text, Untyped};
use diesel::{QueryResult, RunQueryDsl};
use serde::Serialize;

use super::{AnyConnection, DbError};

/// A statement with texts for parameters, written `$1`, `$2` … in that order, that each connection prepares once: what
/// Diesel's `sql_query` says is prepared anew each time. It is known by the type `Of`, and must read the same for as
/// long as the connection lives.
pub struct Statement<Of> {
    sql: String,
    texts: Vec<String>,
    of: PhantomData<Of>,
}

impl<Of> Statement<Of> {
    /// This statement with these texts.
    #[must_use]
    pub fn new(sql: String, texts: Vec<String>) -> Self {
        Self { sql, texts, of: PhantomData }
    }
}

impl<Of: 'static> QueryId for Statement<Of> {
    type QueryId = Statement<Of>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<Of, DB> QueryFragment<DB> for Statement<Of>
where
    DB: Backend,
    String: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let mut parts = self.sql.split('$');
        out.push_sql(parts.next().unwrap_or_default());
        for (part, text) in parts.zip(&self.texts) {
            out.push_bind_param::<Text, _>(text)?;
            out.push_sql(part.trim_start_matches(|c: char| c.is_ascii_digit()));
        }
        Ok(())
    }
}

impl<Of> Query for Statement<Of> {
    type SqlType = Untyped;
}

impl<Of, C> RunQueryDsl<C> for Statement<Of> {}

/// How one engine takes a list of rows apart.
#[derive(Clone, Copy, Debug)]
pub struct Rows {
    postgres: bool,
}

impl Rows {
    /// On the engine of this connection.
    #[must_use]
    pub fn on(connection: &AnyConnection) -> Self {
        Self { postgres: matches!(connection, AnyConnection::Postgres(_)) }
    }

    /// A list of rows as it travels.
    ///
    /// # Errors
    /// When a row cannot be written as JSON.
    pub fn written(rows: &[impl Serialize]) -> Result<String, DbError> {
        serde_json::to_string(rows).map_err(|error| DbError::Refused(error.to_string()))
    }

    /// What stands after `FROM`: the rows of the parameter, a JSON list of lists, as `row`.
    #[must_use]
    pub fn of(self, parameter: &str) -> String {
        if self.postgres {
            format!("jsonb_array_elements({parameter}::jsonb) AS row(value)")
        } else {
            format!("json_each({parameter}) AS row")
        }
    }

    /// What stands behind `IN`: the texts of the parameter, a JSON list. Unlike a list of parameters it reads the same
    /// however long it is.
    #[must_use]
    pub fn texts(self, parameter: &str) -> String {
        if self.postgres {
            format!("(SELECT jsonb_array_elements_text({parameter}::jsonb))")
        } else {
            format!("(SELECT value FROM json_each({parameter}))")
        }
    }

    /// The text at this place of a row, from 0.
    #[must_use]
    pub fn text(self, place: usize) -> String {
        format!("(row.value ->> {place})")
    }

    /// The whole number at this place of a row.
    #[must_use]
    pub fn number(self, place: usize) -> String {
        format!("CAST(row.value ->> {place} AS INTEGER)")
    }

    /// The moment at this place of a row, written by [`Rows::moment`].
    #[must_use]
    pub fn time(self, place: usize) -> String {
        self.as_time(&self.text(place))
    }

    /// A text, such as a parameter, as a moment.
    #[must_use]
    pub fn as_time(self, text: &str) -> String {
        if self.postgres { format!("CAST({text} AS TIMESTAMP)") } else { text.to_owned() }
    }

    /// A moment as the databases keep it: SQLite compares it as text, so there is one way to write it.
    #[must_use]
    pub fn moment(at: NaiveDateTime) -> String {
        at.format("%F %T%.f").to_string()
    }
}
