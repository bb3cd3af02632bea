//! From rows to rules: reading columns that the rules narrow further than SQL does.

use std::fmt::Display;

use serde::de::DeserializeOwned;

use super::DbError;
use crate::kernel::Id;

/// Lifts the columns of one row; an impossible value is an error that names its place.
pub struct Lift<'a> {
    table: &'static str,
    row: &'a dyn Display,
}

impl<'a> Lift<'a> {
    /// The row of `table` whose key is `row`.
    pub fn new(table: &'static str, row: &'a dyn Display) -> Self {
        Self { table, row }
    }

    /// The error that says the column cannot hold what it holds.
    #[must_use]
    pub fn impossible(&self, column: &'static str) -> DbError {
        DbError::Impossible { table: self.table, column, row: self.row.to_string() }
    }

    /// An id.
    ///
    /// # Errors
    /// When the column holds none.
    pub fn id<T>(&self, column: &'static str, value: &str) -> Result<Id<T>, DbError> {
        value.parse().map_err(|_| self.impossible(column))
    }

    /// A value that SQL left open and the rules require or parse.
    ///
    /// # Errors
    /// When it is not there.
    pub fn some<T>(&self, column: &'static str, value: Option<T>) -> Result<T, DbError> {
        value.ok_or_else(|| self.impossible(column))
    }

    /// A value kept as JSON.
    ///
    /// # Errors
    /// When the column holds another shape.
    pub fn json<T: DeserializeOwned>(&self, column: &'static str, value: &str) -> Result<T, DbError> {
        serde_json::from_str(value).map_err(|_| self.impossible(column))
    }
}

/// `None` for a row that is not there; every other error stays one.
///
/// # Errors
/// Any but "not found".
pub fn optional<T>(found: Result<T, diesel::result::Error>) -> Result<Option<T>, DbError> {
    use diesel::OptionalExtension;
    found.optional().map_err(DbError::from)
}
