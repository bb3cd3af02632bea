//! Rows of any table as text, told alike by both engines: what moving and publishing a database need.

use chrono::{DateTime, NaiveDateTime};
use diesel::connection::DefaultLoadingMode;
use diesel::pg::PgRowByRowLoadingMode;
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{AnyConnection, DbError, Rows};

/// The values of one row in the order of its columns; `None` is NULL.
pub type Cells = Vec<Option<String>>;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Boolean,
    Date,
    Double,
    Integer,
    Text,
    Timestamp,
}

/// A column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    pub name: String,
    pub(super) kind: Kind,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Declared {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Every table but the record of migrations, by name.
pub(super) fn tables(connection: &mut AnyConnection) -> Result<Vec<String>, DbError> {
    let query = match connection {
        AnyConnection::Sqlite(_) => {
            "SELECT name FROM sqlite_master WHERE type = 'table' \
             AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> '__diesel_schema_migrations'"
        }
        AnyConnection::Postgres(_) => {
            "SELECT relname::text AS name FROM pg_class WHERE relnamespace = current_schema()::regnamespace \
             AND relkind IN ('r', 'p') AND relname <> '__diesel_schema_migrations'"
        }
    };
    let names: Vec<Name> = diesel::sql_query(query).load(connection)?;
    let mut names: Vec<String> = names.into_iter().map(|row| row.name).collect();
    names.sort();
    Ok(names)
}

/// The columns of a table, in their order.
pub(super) fn columns(connection: &mut AnyConnection, table: &str) -> Result<Vec<Column>, DbError> {
    let query = match connection {
        AnyConnection::Sqlite(_) => {
            format!("SELECT name, lower(type) AS kind FROM pragma_table_info('{table}') ORDER BY cid")
        }
        AnyConnection::Postgres(_) => format!(
            "SELECT column_name::text AS name, data_type::text AS kind FROM information_schema.columns \
             WHERE table_schema = current_schema() AND table_name = '{table}' ORDER BY ordinal_position"
        ),
    };
    let declared: Vec<Declared> = diesel::sql_query(query).load(connection)?;
    let known = |Declared { name, kind }: Declared| {
        let kind = match kind.as_str() {
            "text" => Kind::Text,
            "integer" | "bigint" => Kind::Integer,
            "date" => Kind::Date,
            "boolean" => Kind::Boolean,
            "double" | "double precision" => Kind::Double,
            "timestamp" | "timestamp without time zone" => Kind::Timestamp,
            other => return Err(DbError::Refused(format!("{table}.{name} is of the unknown type {other}"))),
        };
        Ok(Column { name, kind })
    };
    declared.into_iter().map(known).collect()
}

/// Hands over every row of a table, one after another; the table need not fit into memory. `tail` is what follows the
/// table's name: which rows, and in which order.
pub(super) fn each(
    connection: &mut AnyConnection,
    table: &str,
    columns: &[Column],
    tail: &str,
    mut take: impl FnMut(Cells) -> Result<(), DbError>,
) -> Result<(), DbError> {
    let impossible = |column: &str| DbError::Refused(format!("{table}.{column} holds what its type does not allow"));
    let mut lift = |line: QueryResult<Line>| {
        let told: Cells = serde_json::from_str(&line?.line).map_err(|_| impossible("*"))?;
        let cell = |(column, value): (&Column, Option<String>)| match value {
            None => Ok(None),
            Some(value) => column.kind.canonical(value).map(Some).ok_or_else(|| impossible(&column.name)),
        };
        take(columns.iter().zip(told).map(cell).collect::<Result<_, _>>()?)
    };
    match connection {
        AnyConnection::Sqlite(connection) => {
            let cells = columns.iter().map(|column| match column.kind {
                // As text SQLite gives only 15 digits.
                Kind::Double => format!("iif(\"{0}\" IS NULL, NULL, printf('%!.17g', \"{0}\"))", column.name),
                _ => format!("CAST(\"{}\" AS TEXT)", column.name),
            });
            let query =
                format!("SELECT json_array({}) AS line FROM \"{table}\"{tail}", cells.collect::<Vec<_>>().join(", "));
            let mut lines = diesel::sql_query(query).load_iter::<Line, DefaultLoadingMode>(connection)?;
            lines.try_for_each(&mut lift)
        }
        AnyConnection::Postgres(connection) => {
            let cells = columns.iter().map(|column| format!("\"{}\"::text", column.name));
            let cells = cells.collect::<Vec<_>>().join(", ");
            let query = format!("SELECT json_build_array({cells})::text AS line FROM \"{table}\"{tail}");
            let mut lines = diesel::sql_query(query).load_iter::<Line, PgRowByRowLoadingMode>(connection)?;
            lines.try_for_each(&mut lift)
        }
    }
}

impl Kind {
    /// The one way to write this value; `None` when it is none of this kind.
    fn canonical(self, value: String) -> Option<String> {
        Some(match self {
            Self::Text | Self::Integer | Self::Date => value,
            Self::Boolean => matches!(value.as_str(), "1" | "true").to_string(),
            Self::Double => value.parse::<f64>().ok()?.to_string(),
            Self::Timestamp => {
                let at = NaiveDateTime::parse_from_str(&value.replacen('T', " ", 1), "%Y-%m-%d %H:%M:%S%.f").ok()?;
                at.format("%Y-%m-%d %H:%M:%S%.6f").to_string()
            }
        })
    }

    /// The type in the words of Table Schema.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Double => "number",
            Self::Integer => "integer",
            Self::Text => "string",
            Self::Timestamp => "datetime",
        }
    }

    /// A canonical value as JSON has it; moments as RFC 3339 does.
    pub(super) fn told(self, cell: String) -> Option<Value> {
        Some(match self {
            Self::Text | Self::Date => Value::from(cell),
            Self::Boolean => Value::from(cell == "true"),
            Self::Integer => Value::from(cell.parse::<i64>().ok()?),
            Self::Double => Value::from(cell.parse::<f64>().ok()?),
            Self::Timestamp => Value::from(format!("{}Z", cell.replacen(' ', "T", 1))),
        })
    }

    /// A value that was told so, as the databases keep it.
    pub(super) fn stored(self, value: Value) -> Option<Value> {
        match (self, &value) {
            (_, Value::Null)
            | (Self::Text | Self::Date, Value::String(_))
            | (Self::Boolean, Value::Bool(_))
            | (Self::Integer | Self::Double, Value::Number(_)) => Some(value),
            (Self::Timestamp, Value::String(told)) => {
                let at = DateTime::parse_from_rfc3339(told).ok()?.naive_utc();
                Some(Value::from(Rows::moment(at)))
            }
            _ => None,
        }
    }
}

/// How many rows a table has, and a hash over all of them that does not depend on their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint {
    pub rows: u64,
    sum: u128,
}

impl Fingerprint {
    pub(super) fn add(&mut self, cells: &Cells) {
        let mut hash = Sha256::new();
        for cell in cells {
            // The length sets neighbours apart, and NULL apart from an empty text.
            let length = cell.as_ref().map_or(-1, |text| i64::try_from(text.len()).unwrap_or(i64::MAX));
            hash.update(length.to_be_bytes());
            hash.update(cell.as_deref().unwrap_or_default());
        }
        let half = hash.finalize().first_chunk::<16>().copied().unwrap_or_default();
        self.rows += 1;
        self.sum = self.sum.wrapping_add(u128::from_be_bytes(half));
    }

    /// The fingerprint of a table as it stands.
    pub(super) fn of(connection: &mut AnyConnection, table: &str, columns: &[Column]) -> Result<Self, DbError> {
        let mut print = Self::default();
        each(connection, table, columns, "", |cells| {
            print.add(&cells);
            Ok(())
        })?;
        Ok(print)
    }

    /// The hash, as hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> String {
        format!("{:032x}", self.sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_rows_in_any_order_have_the_same_fingerprint_and_others_do_not() {
        let print = |rows: &[&[Option<&str>]]| {
            let mut print = Fingerprint::default();
            rows.iter().for_each(|row| print.add(&row.iter().map(|cell| cell.map(str::to_owned)).collect()));
            print
        };
        let (a, b): (&[_], &[_]) = (&[Some("a"), None], &[Some("b"), Some("")]);
        assert_eq!(print(&[a, b]), print(&[b, a]));
        assert_ne!(print(&[a]), print(&[&[Some("a"), Some("")]]), "NULL is not an empty text");
        assert_ne!(print(&[&[Some("ab"), Some("c")]]), print(&[&[Some("a"), Some("bc")]]));
        assert_ne!(print(&[a, a]), print(&[b, b]));
    }

    #[test]
    fn both_engines_values_are_written_one_way() {
        let canonical = |kind: Kind, value: &str| kind.canonical(value.to_owned());
        for (kind, sqlite, postgres) in [
            (Kind::Boolean, "1", "true"),
            (Kind::Boolean, "0", "false"),
            (Kind::Timestamp, "2026-11-22 08:00:00", "2026-11-22 08:00:00"),
            (Kind::Timestamp, "2026-11-22 08:00:00.120", "2026-11-22 08:00:00.12"),
            (Kind::Timestamp, "2026-11-22 08:00:00.000001", "2026-11-22 08:00:00.000001"),
            (Kind::Double, "0.10000000000000001", "0.1"),
        ] {
            assert_eq!(canonical(kind, sqlite), canonical(kind, postgres), "{sqlite}");
        }
        assert_eq!(canonical(Kind::Timestamp, "i morgen"), None);
        let told = Kind::Timestamp.told("2026-11-22 08:00:00.120000".to_owned()).unwrap();
        assert_eq!(told, "2026-11-22T08:00:00.120000Z");
        assert_eq!(Kind::Timestamp.stored(told).unwrap(), "2026-11-22 08:00:00.120");
    }
}
