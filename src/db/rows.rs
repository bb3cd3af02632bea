//! Many rows in one statement: a list of rows travels as one JSON parameter, and SQL that either engine reads takes it
//! apart again. Diesel cannot write many rows at once through a connection that may be to either engine.
//!
//! What such a statement asks of the table besides, it asks so that no index answers (`NOT status <> 'queued'`): SQLite might
//! else go through that index and take the whole list apart for each of its rows.
//!
//! Parameters are written `$1`, `$2` … and must appear in that order: SQLite takes them for names.

use chrono::NaiveDateTime;

use super::AnyConnection;

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

    /// What stands after `FROM`: the rows of the parameter, a JSON list of lists, as `row`.
    #[must_use]
    pub fn of(self, parameter: &str) -> String {
        if self.postgres {
            format!("jsonb_array_elements({parameter}::jsonb) AS row(value)")
        } else {
            format!("json_each({parameter}) AS row")
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
