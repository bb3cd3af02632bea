//! Tables as sheets: what of them everybody may have, as it leaves the house and comes back in.
//!
//! A sheet names its columns one by one: a column that is added to a table later stays at home until somebody says that
//! it is public.

use diesel::RunQueryDsl;
use diesel::sql_types::Text;
use serde_json::{Map, Value};

use super::cells::{self, Column};
use super::{AnyConnection, DbError, Tx};

/// One row: the columns' names and values, in the sheet's order.
pub type Row = Map<String, Value>;

/// The public part of a table.
pub struct Sheet {
    /// What it and its files are called.
    pub name: &'static str,
    /// What a row is.
    pub about: &'static str,
    pub table: &'static str,
    /// Which rows are public: a condition that both engines read.
    pub public: &'static str,
    /// What tells the rows apart, and orders them.
    pub key: &'static [&'static str],
    /// Which columns are public, and what they say.
    pub columns: &'static [(&'static str, &'static str)],
    /// Those among them that hold JSON.
    pub json: &'static [&'static str],
    /// Takes out what is somebody's own.
    pub clean: fn(&mut Row),
    /// Puts in what the table needs and a sheet does not tell; the number is that of the change which brings it back.
    pub restore: fn(&mut Row, i64),
}

/// A sheet's column, as others can read it.
pub struct Field {
    pub name: &'static str,
    pub about: &'static str,
    /// Its type in the words of Table Schema: `string`, `integer`, `datetime` …
    pub kind: &'static str,
}

impl Sheet {
    fn table_columns(&self, connection: &mut AnyConnection) -> Result<Vec<Column>, DbError> {
        let all = cells::columns(connection, self.table)?;
        let find = |name: &str| {
            let column = all.iter().find(|column| column.name == name).cloned();
            column.ok_or_else(|| DbError::Refused(format!("{} has no column {name}", self.table)))
        };
        self.columns.iter().map(|(name, _)| find(name)).collect()
    }

    /// The sheet's columns, with their types.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn fields(&self, connection: &mut AnyConnection) -> Result<Vec<Field>, DbError> {
        let columns = self.table_columns(connection)?;
        let field = |(column, (name, about)): (Column, &(&'static str, &'static str))| Field {
            name,
            about,
            kind: if self.json.contains(name) { "object" } else { column.kind.word() },
        };
        Ok(columns.into_iter().zip(self.columns).map(field).collect())
    }

    /// Hands over every public row, in the order of the key.
    ///
    /// # Errors
    /// [`DbError`], or that of `take`.
    pub fn read(
        &self,
        connection: &mut AnyConnection,
        mut take: impl FnMut(Row) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        let columns = self.table_columns(connection)?;
        let tail = format!(" WHERE {} ORDER BY \"{}\"", self.public, self.key.join("\", \""));
        cells::each(connection, self.table, &columns, &tail, |cells| {
            let mut row = Row::new();
            for (column, cell) in columns.iter().zip(cells) {
                let value = match cell {
                    None => Some(Value::Null),
                    Some(cell) if self.json.contains(&column.name.as_str()) => serde_json::from_str(&cell).ok(),
                    Some(cell) => column.kind.told(cell),
                };
                let impossible = || DbError::Refused(format!("{}.{} cannot be read", self.table, column.name));
                row.insert(column.name.clone(), value.ok_or_else(impossible)?);
            }
            (self.clean)(&mut row);
            take(row)
        })
    }

    /// Whether the table has no row at all.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn is_empty(&self, connection: &mut AnyConnection) -> Result<bool, DbError> {
        let mut empty = true;
        let columns = self.table_columns(connection)?;
        cells::each(connection, self.table, &columns, " LIMIT 1", |_| {
            empty = false;
            Ok(())
        })?;
        Ok(empty)
    }

    /// Puts rows into the table, all in one statement: rows may refer to each other.
    ///
    /// # Errors
    /// [`DbError`] when the table refuses one.
    pub fn write(&self, tx: &mut Tx<'_>, rows: Vec<Row>) -> Result<(), DbError> {
        let columns = cells::columns(tx.connection, self.table)?;
        let mut written = Vec::with_capacity(rows.len());
        for mut row in rows {
            (self.restore)(&mut row, tx.change);
            for column in &columns {
                let Some(value) = row.get_mut(&column.name) else { continue };
                let stored = if self.json.contains(&column.name.as_str()) && !value.is_null() {
                    Some(Value::from(value.to_string()))
                } else {
                    column.kind.stored(value.take())
                };
                let unfit = || DbError::Refused(format!("{}: {} is of another type", self.name, column.name));
                *value = stored.ok_or_else(unfit)?;
            }
            written.push(Value::Object(row));
        }
        let Some(Value::Object(first)) = written.first() else { return Ok(()) };
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let names: Vec<&str> = names.into_iter().filter(|name| first.contains_key(*name)).collect();
        let (table, listed) = (self.table, format!("\"{}\"", names.join("\", \"")));
        let query = match tx.connection {
            AnyConnection::Postgres(_) => format!(
                "INSERT INTO \"{table}\" ({listed}) SELECT {listed} FROM json_populate_recordset(NULL::\"{table}\", $1::json)"
            ),
            AnyConnection::Sqlite(_) => {
                let cells = names.iter().map(|name| format!("json_extract(value, '$.\"{name}\"')"));
                let cells = cells.collect::<Vec<_>>().join(", ");
                format!("INSERT INTO \"{table}\" ({listed}) SELECT {cells} FROM json_each(?)")
            }
        };
        diesel::sql_query(query).bind::<Text, _>(Value::from(written).to_string()).execute(tx.connection)?;
        Ok(())
    }
}
