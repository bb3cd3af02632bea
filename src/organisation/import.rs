//! Organisations in bulk: from comma-separated values with a header, or a JSON object a line; and the same lines out again.
//!
//! Columns: `kind` and `name`; and, where known, `cvr`, `country`, `nuts` (or `nuts3`), `valid_from`, `valid_to` and
//! `successor`, the name of an organisation that the file or the service knows. `short_name`, `authority_code` and
//! `region` are taken and not kept: the region follows from the NUTS code. A row that is refused harms no other.

use std::collections::HashSet;

use chrono::{NaiveDate, TimeDelta};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::actions::{require_free, require_known_place};
use super::{Organisation, OrganisationBody, store};
use crate::db::{AnyConnection, Tx};
use crate::kernel::{Fit, Id, Instant, Language, OrganisationId, csv, fold, text};
use crate::outbox::{Actor, Fact, Subject, record};
use crate::web::lines::{LineResult, Lines, not_utf8};
use crate::web::{Problem, read_json, read_value};

/// How the rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    Ndjson,
}

/// One row: the organisation, and the name of its successor.
struct Told {
    body: Fit<OrganisationBody>,
    successor: Option<String>,
}

/// The columns of a table, as they are written.
const COLUMNS: [&str; 8] = ["kind", "name", "cvr", "country", "nuts", "valid_from", "valid_to", "successor"];

/// An organisation as a line that an import takes.
#[derive(Serialize, ToSchema)]
#[schema(as = OrganisationLine)]
pub(super) struct ExportLine {
    #[serde(flatten)]
    body: OrganisationBody,
    /// The name of who carries on what it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    successor: Option<String>,
}

impl ExportLine {
    fn row(&self) -> String {
        let Self { body, successor } = self;
        let day = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
        let word = |word: &Option<String>| word.clone().unwrap_or_default();
        let fields = [
            body.kind.word().to_owned(),
            body.name.clone(),
            word(&body.cvr),
            body.country.clone(),
            word(&body.nuts),
            day(body.valid_from),
            day(body.valid_to),
            word(successor),
        ];
        fields.map(|written| csv::field(&written)).join(",") + "\r\n"
    }
}

/// The first line of a table.
pub(super) fn header() -> String {
    COLUMNS.join(",") + "\r\n"
}

/// Organisations as lines that an import takes.
///
/// # Errors
/// Those of the database.
pub(super) fn lines_of(
    connection: &mut AnyConnection,
    format: Format,
    organisations: Vec<Organisation>,
) -> Result<String, Problem> {
    let successors: Vec<OrganisationId> = organisations.iter().filter_map(|one| one.body.successor_id).collect();
    let names = store::names(connection, &successors)?;
    let line = |organisation: Organisation| {
        let successor = organisation.body.successor_id.and_then(|id| names.get(&id).cloned());
        let line = ExportLine { body: OrganisationBody { successor_id: None, ..organisation.body }, successor };
        match format {
            Format::Csv => Ok(line.row()),
            Format::Ndjson => serde_json::to_string(&line).map(|line| line + "\n"),
        }
    };
    organisations.into_iter().map(line).collect::<Result<_, _>>().map_err(|error| Problem::internal(&error))
}

type Rows = Vec<(u64, Result<Told, Problem>)>;

/// What is to be imported, read and checked by itself.
pub struct Import(Rows);

impl Import {
    /// Reads a whole file.
    ///
    /// # Errors
    /// 400 for another encoding than UTF-8, 422 for a header without a needed column or with an unknown one.
    pub fn read(format: Format, bytes: &[u8]) -> Result<Self, Problem> {
        let rows = match format {
            Format::Ndjson => {
                let mut lines = Lines::default();
                let mut read = lines.feed(bytes);
                read.extend(lines.end(true));
                let told = |text: String| read_json::<Value>(text.as_bytes()).and_then(tell);
                read.into_iter().map(|line| (line.number, line.text.map_err(one).and_then(told))).collect()
            }
            Format::Csv => {
                let text = std::str::from_utf8(bytes).map_err(|_| Problem::unreadable(not_utf8()))?;
                let known = ["cvr", "country", "nuts", "nuts3", "valid_from", "valid_to", "successor"];
                let ignored = ["short_name", "authority_code", "region"];
                let rows = csv::read(text, &["kind", "name"], &[known.as_slice(), &ignored].concat())?;
                let field = |(name, value): (String, String)| {
                    let name = if name == "nuts3" { "nuts".to_owned() } else { name };
                    (!ignored.contains(&name.as_str())).then(|| (name, json!(value.trim())))
                };
                let object = |row: Vec<_>| Value::Object(row.into_iter().filter_map(field).collect::<Map<_, _>>());
                let told = |row: Result<Vec<_>, _>| row.map_err(one).map(object).and_then(tell);
                rows.into_iter().map(|(line, row)| (line, told(row))).collect()
            }
        };
        Ok(Self(rows))
    }

    /// What would become of each row.
    ///
    /// # Errors
    /// Those of the database.
    pub fn look(self, connection: &mut AnyConnection, language: Language) -> Result<Vec<LineResult>, Problem> {
        let names = self.names();
        let mut seen = Seen::default();
        let mut results = Vec::new();
        for (line, told) in self.0 {
            let looked = told.and_then(|told| seen.require_fit(connection, &names, told));
            results.push(match looked {
                Ok(_) => LineResult::valid(line),
                Err(problem) => LineResult::error(line, &problem, language),
            });
        }
        Ok(results)
    }

    /// Adds what each row tells of. Successors are set last, since they may stand below those whom they follow.
    ///
    /// # Errors
    /// Those of the database; then nothing was added.
    pub fn store(
        self,
        tx: &mut Tx<'_>,
        now: Instant,
        by: &Actor,
        language: Language,
    ) -> Result<Vec<LineResult>, Problem> {
        let names = self.names();
        let mut seen = Seen::default();
        let (mut results, mut successions) = (Vec::new(), Vec::new());
        for (line, told) in self.0 {
            let Told { body, successor } = match told.and_then(|told| seen.require_fit(tx.connection, &names, told)) {
                Ok(told) => told,
                Err(problem) => {
                    results.push(LineResult::error(line, &problem, language));
                    continue;
                }
            };
            // Ids in the order of the file, so that an export has it too.
            let place = TimeDelta::milliseconds(i64::try_from(results.len()).unwrap_or_default());
            let organisation = Organisation::new(Id::made_at(now + place), body.into_inner(), now);
            store::insert(tx, &organisation)?;
            record(tx, Fact::new(Subject::Organisation, organisation.id, "added", by.clone(), now))?;
            results.push(LineResult::created(line, organisation.id.to_string()));
            successions.extend(successor.map(|successor| (organisation, successor)));
        }
        for (organisation, successor) in successions {
            let Some(successor) = store::find_by_name(tx.connection, &successor)? else { continue };
            let body = OrganisationBody { successor_id: Some(successor.id), ..organisation.body };
            store::update(tx, &Organisation { body, ..organisation })?;
        }
        Ok(results)
    }

    /// The names of all rows that can be read: who may follow somebody.
    fn names(&self) -> HashSet<String> {
        self.0.iter().filter_map(|(_, told)| told.as_ref().ok()).map(|told| fold(&told.body.name)).collect()
    }
}

/// What the rows before took.
#[derive(Default)]
struct Seen {
    names: HashSet<String>,
    cvr: HashSet<String>,
}

impl Seen {
    fn require_fit(
        &mut self,
        connection: &mut AnyConnection,
        names: &HashSet<String>,
        told: Told,
    ) -> Result<Told, Problem> {
        let twice = text!("Den står tidligere i filen", "It stands earlier in the file");
        if self.names.contains(&fold(&told.body.name)) {
            return Err(Problem::unfit("/name", "twice", twice));
        }
        if told.body.cvr.as_ref().is_some_and(|cvr| self.cvr.contains(cvr)) {
            return Err(Problem::unfit("/cvr", "twice", twice));
        }
        require_free(connection, Id::from_bytes([0; 16]), &told.body)?;
        require_known_place(connection, &told.body)?;
        if let Some(successor) = &told.successor {
            let itself = fold(successor) == fold(&told.body.name);
            let known = names.contains(&fold(successor)) || store::find_by_name(connection, successor)?.is_some();
            if itself || !known {
                let detail = text!("Efterfølgeren findes ikke", "The successor does not exist");
                return Err(Problem::unfit("/successor", "unknown", detail));
            }
        }
        // Only what is taken is taken: a row that was refused stands in nobody's way.
        self.names.insert(fold(&told.body.name));
        self.cvr.extend(told.body.cvr.clone());
        Ok(told)
    }
}

fn one(flaw: crate::kernel::Flaw) -> Problem {
    let mut flaws = crate::kernel::Flaws::default();
    flaws.0.push(flaw);
    flaws.into()
}

fn tell(mut value: Value) -> Result<Told, Problem> {
    let not_an_object = || Problem::unfit("", "not_an_object", text!("Forventede et objekt", "Expected an object"));
    let fields = value.as_object_mut().ok_or_else(not_an_object)?;
    let successor = match fields.shift_remove("successor") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name.trim().to_owned()),
        Some(_) => {
            let detail = text!("Efterfølgeren angives ved navn", "A successor is given by name");
            return Err(Problem::unfit("/successor", "wrong_type", detail));
        }
    };
    Ok(Told { body: Fit::check(read_value(&value)?)?, successor })
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn no_file_breaks_the_reader(bytes in proptest::collection::vec(0_u8.., 0..200), cells in "[a-z,;\"\n0-9-]{0,80}", json in "[a-z{}\":,\n]{0,80}") {
            for bytes in [bytes, format!("kind,name,cvr,valid_from\n{cells}").into_bytes(), json.into_bytes()] {
                for format in [Format::Csv, Format::Ndjson] {
                    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
                    proptest::prop_assert!(Import::read(format, &bytes).map_or(0, |import| import.0.len()) <= lines);
                }
            }
        }
    }
}
