//! Out: a folder of files, in its place only when it is whole.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{ArchiveError, FORMAT, sheets};
use crate::db::{AnyConnection, DbError, Field, Row};
use crate::kernel::{Id, Instant, Language};
use crate::process::{self, Process};

/// One sheet that was written.
#[derive(Debug)]
pub struct Exported {
    pub name: &'static str,
    pub rows: usize,
}

/// Writes everything public into a folder that is not there yet, as it was at one moment.
///
/// # Errors
/// [`ArchiveError`]; then there is no folder.
pub fn export(connection: &mut AnyConnection, folder: &Path, now: Instant) -> Result<Vec<Exported>, ArchiveError> {
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) || folder.is_file() {
        return Err(ArchiveError::Taken(folder.to_owned()));
    }
    let mut partial = folder.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    fs::remove_dir_all(&partial).ok();
    fs::create_dir_all(&partial).map_err(|error| ArchiveError::File(partial.clone(), error))?;
    let one_moment = match connection {
        AnyConnection::Sqlite(_) => "BEGIN",
        AnyConnection::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ",
    };
    connection.batch_execute(one_moment).map_err(DbError::from)?;
    let written = write_all(connection, &partial, now);
    connection.batch_execute("ROLLBACK").map_err(DbError::from)?;
    let done = written.and_then(|written| {
        fs::rename(&partial, folder).map_err(|error| ArchiveError::File(folder.to_owned(), error))?;
        Ok(written)
    });
    if done.is_err() {
        fs::remove_dir_all(&partial).ok();
    }
    done
}

fn write_all(connection: &mut AnyConnection, folder: &Path, now: Instant) -> Result<Vec<Exported>, ArchiveError> {
    let (mut exported, mut resources, mut told) = (Vec::new(), Vec::new(), String::new());
    let mut processes = Vec::new();
    for (sheet, _) in sheets() {
        let fields = sheet.fields(connection)?;
        let mut files = Files::create(folder, sheet.name, &fields)?;
        let mut failed = None;
        let read = sheet.read(connection, |row| {
            if sheet.name == "processes" {
                let id = row.get("id").and_then(Value::as_str).and_then(|id| id.parse::<Id<Process>>().ok());
                processes.extend(id);
            }
            files.add(&row).map_err(|error| {
                let shown = DbError::Unavailable(error.to_string());
                failed = Some(error);
                shown
            })
        });
        match (failed, read) {
            (Some(error), _) => return Err(error),
            (None, read) => read?,
        }
        let files = files.finish()?;
        describe(&mut told, sheet.name, sheet.about, &fields);
        resources.extend(files.resources(sheet.name, sheet.about, sheet.key, &fields));
        exported.push(Exported { name: sheet.name, rows: files.rows });
    }
    let files = demand(connection, folder, processes, now)?;
    describe(&mut told, "demand", DEMAND.0, &DEMAND.1);
    resources.extend(files.resources("demand", DEMAND.0, &["process_id"], &DEMAND.1));
    exported.push(Exported { name: "demand", rows: files.rows });

    let package = json!({
        "name": "skala-export", "title": "Skala: skaleringsprocesser og markedsdialoger",
        "description": "Everything public in one installation of Skala. No personal data.",
        "created": now.to_rfc3339(), "skala_format": FORMAT, "skala_version": env!("CARGO_PKG_VERSION"),
        "resources": resources,
    });
    let package = serde_json::to_vec_pretty(&package).unwrap_or_default();
    put(&folder.join("datapackage.json"), &package)?;
    put(&folder.join("README.md"), format!("{ABOUT}{told}").as_bytes())?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|e| ArchiveError::File(folder.to_owned(), e))?;
    Ok(exported)
}

const ABOUT: &str = "# Everything public in Skala\n\n\
    Each sheet is there twice: as `.ndjson` (UTF-8, a JSON object a line; `skala import export FOLDER` reads these into an \
    empty Skala) and as `.csv` (RFC 4180, UTF-8, comma, a header; what is no plain value is written as JSON). Times are UTC \
    (RFC 3339), ids are UUIDs. `datapackage.json` describes the same for programs, with the SHA-256 of each file.\n\n\
    No personal data is in it: contacts of dialogues, and the names of those who published, signed or asked, are left out. \
    Challenges and single commitments are not public; `demand` is what they come to, and is not read back.\n";

const DEMAND: (&str, [Field; 10]) = (
    "What the participants of a process together want; derived",
    [
        field("process_id", "string", "The process"),
        field("as_of", "datetime", "When it was counted"),
        field("bodies", "integer", "Distinct bodies, at whatever level"),
        field("by_level", "object", "Bodies, volume and yearly value by commitment level"),
        field("by_year", "array", "Volumes by the year they are wanted in"),
        field("by_region", "array", "By where the bodies are (NUTS)"),
        field("hours_saved_per_year", "number", "Hours"),
        field("full_time_equivalents", "number", "At the hours that each criteria set holds for one"),
        field("option_sum", "object", "The sum of the purchase options; excl. VAT"),
        field("option_cap", "object", "What it may come to at most; excl. VAT"),
    ],
);

const fn field(name: &'static str, kind: &'static str, about: &'static str) -> Field {
    Field { name, about, kind }
}

fn demand(
    connection: &mut AnyConnection,
    folder: &Path,
    processes: Vec<Id<Process>>,
    now: Instant,
) -> Result<Done, ArchiveError> {
    let mut files = Files::create(folder, "demand", &DEMAND.1)?;
    for id in processes {
        let Some(process) = process::store::find(connection, id)? else { continue };
        let demand = process::actions::demand(connection, now, &process, Language::Da)?;
        let mut row = Row::new();
        row.insert("process_id".to_owned(), Value::from(id.to_string()));
        if let Ok(Value::Object(told)) = serde_json::to_value(&demand) {
            let known = |name: &String| DEMAND.1.iter().any(|field| field.name == name);
            row.extend(told.into_iter().filter(|(name, _)| known(name)));
        }
        files.add(&row)?;
    }
    files.finish()
}

fn describe(text: &mut String, name: &str, about: &str, fields: &[Field]) {
    write!(text, "\n## {name}\n\n{about}.\n\n| column | type | what |\n|---|---|---|\n").ok();
    for Field { name, about, kind } in fields {
        writeln!(text, "| `{name}` | {kind} | {about} |").ok();
    }
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), ArchiveError> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|error| ArchiveError::File(path.to_owned(), error))
}

/// A file that is being written, and what is to be told of it.
struct Hashed {
    path: PathBuf,
    file: BufWriter<File>,
    hash: Sha256,
    bytes: u64,
}

impl Hashed {
    fn create(path: PathBuf) -> Result<Self, ArchiveError> {
        let file = File::create(&path).map_err(|error| ArchiveError::File(path.clone(), error))?;
        Ok(Self { path, file: BufWriter::new(file), hash: Sha256::new(), bytes: 0 })
    }

    fn line(&mut self, line: &str) -> Result<(), ArchiveError> {
        self.hash.update(line.as_bytes());
        self.bytes += u64::try_from(line.len()).unwrap_or_default();
        self.file.write_all(line.as_bytes()).map_err(|error| ArchiveError::File(self.path.clone(), error))
    }

    fn finish(mut self) -> Result<(String, u64), ArchiveError> {
        let on_disk = |file: &mut BufWriter<File>| -> io::Result<()> {
            file.flush()?;
            file.get_ref().sync_all()
        };
        on_disk(&mut self.file).map_err(|error| ArchiveError::File(self.path.clone(), error))?;
        let hash = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok((hash, self.bytes))
    }
}

/// The two files of a sheet.
struct Files {
    ndjson: Hashed,
    csv: Hashed,
    names: Vec<&'static str>,
    rows: usize,
}

impl Files {
    fn create(folder: &Path, name: &str, fields: &[Field]) -> Result<Self, ArchiveError> {
        let names: Vec<_> = fields.iter().map(|field| field.name).collect();
        let mut csv = Hashed::create(folder.join(format!("{name}.csv")))?;
        csv.line(&format!("{}\r\n", names.join(",")))?;
        Ok(Self { ndjson: Hashed::create(folder.join(format!("{name}.ndjson")))?, csv, names, rows: 0 })
    }

    fn add(&mut self, row: &Map<String, Value>) -> Result<(), ArchiveError> {
        self.rows += 1;
        let cells = self.names.iter().map(|name| cell(row.get(*name).unwrap_or(&Value::Null)));
        let line = cells.collect::<Vec<_>>().join(",");
        self.csv.line(&format!("{line}\r\n"))?;
        self.ndjson.line(&format!("{}\n", Value::Object(row.clone())))
    }

    fn finish(self) -> Result<Done, ArchiveError> {
        Ok(Done { rows: self.rows, ndjson: self.ndjson.finish()?, csv: self.csv.finish()? })
    }
}

/// Two files that were written: the SHA-256 and the bytes of each.
struct Done {
    rows: usize,
    ndjson: (String, u64),
    csv: (String, u64),
}

impl Done {
    fn resources(&self, name: &str, about: &str, key: &[&str], fields: &[Field]) -> [Value; 2] {
        let field = |field: &Field| json!({"name": field.name, "type": field.kind, "description": field.about});
        let fields: Vec<_> = fields.iter().map(field).collect();
        let resource = |ending: &str, media: &str, (hash, bytes): &(String, u64)| {
            json!({
                "name": format!("{name}-{ending}"), "path": format!("{name}.{ending}"), "description": about,
                "format": ending, "mediatype": media, "encoding": "utf-8", "bytes": bytes,
                "hash": format!("sha256:{hash}"), "rows": self.rows,
                "schema": {"fields": fields, "primaryKey": key},
            })
        };
        [resource("ndjson", "application/x-ndjson", &self.ndjson), resource("csv", "text/csv", &self.csv)]
    }
}

/// One field of CSV (RFC 4180).
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.contains(['"', ',', '\n', '\r']) || text.is_empty() {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_where_it_must_be_and_an_empty_text_is_not_nothing() {
        let cases = [(json!(null), ""), (json!(""), "\"\""), (json!("Ærø, \"by\"\n"), "\"Ærø, \"\"by\"\"\n\"")];
        for (value, written) in cases {
            assert_eq!(cell(&value), written);
        }
        assert_eq!(cell(&json!({"a": 1})), "\"{\"\"a\"\":1}\"");
        assert_eq!(cell(&json!(true)), "true");
    }
}
