//! A database that is looked into beside the service.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

/// A database of either engine.
pub struct Database {
    pub url: String,
}

#[derive(QueryableByName)]
struct Cell {
    #[diesel(sql_type = Text)]
    value: String,
}

impl Database {
    pub fn new(url: String) -> Self {
        Self { url }
    }

    /// The file, when it is one.
    pub fn file(&self) -> Option<&str> {
        self.url.strip_prefix("sqlite://")
    }

    pub fn execute(&self, sql: &str) {
        match self.file() {
            Some(file) => SqliteConnection::establish(file).unwrap().batch_execute(sql).unwrap(),
            None => PgConnection::establish(&self.url).unwrap().batch_execute(sql).unwrap(),
        }
    }

    /// What a query finds: texts, in a column named `value`.
    pub fn column(&self, sql: &str) -> Vec<String> {
        let query = diesel::sql_query(sql);
        let cells: Vec<Cell> = match self.file() {
            Some(file) => query.load(&mut SqliteConnection::establish(file).unwrap()).unwrap(),
            None => query.load(&mut PgConnection::establish(&self.url).unwrap()).unwrap(),
        };
        cells.into_iter().map(|cell| cell.value).collect()
    }
}
