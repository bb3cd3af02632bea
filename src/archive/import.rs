//! Back in: the NDJSON files of an export, into a database that has nothing of the kind yet.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{ArchiveError, Exported, FORMAT, sheets};
use crate::db::{Row, Tx};
use crate::kernel::{Id, Instant};
use crate::outbox::{Actor, Fact, record};

/// An export that was read and found whole.
#[derive(Debug)]
pub struct Archive {
    /// In the order of the sheets.
    rows: Vec<Vec<Row>>,
    /// When it was exported.
    created: String,
}

impl Archive {
    /// Reads a folder, and holds each file against its description.
    ///
    /// # Errors
    /// [`ArchiveError`], with the file and the line.
    pub fn read(folder: &Path) -> Result<Self, ArchiveError> {
        let path = folder.join("datapackage.json");
        let no_archive = |why: String| ArchiveError::NoArchive(folder.to_owned(), why);
        let described = fs::read(&path).map_err(|error| no_archive(format!("datapackage.json: {error}")))?;
        let described: Value = serde_json::from_slice(&described).map_err(|error| no_archive(error.to_string()))?;
        match described.get("skala_format").and_then(Value::as_u64) {
            Some(FORMAT) => {}
            Some(other) => return Err(no_archive(format!("its format is {other}, not {FORMAT}"))),
            None => return Err(no_archive("it names no skala_format".to_owned())),
        }
        let resources = described.get("resources").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut rows = Vec::new();
        for (sheet, _) in sheets() {
            let name = format!("{}.ndjson", sheet.name);
            let resource = resources.iter().find(|one| one.get("path").and_then(Value::as_str) == Some(&name));
            let promised = resource.and_then(|one| one.get("hash")?.as_str()?.strip_prefix("sha256:"));
            let promised = promised.ok_or_else(|| no_archive(format!("it describes no {name}")))?;
            let path = folder.join(&name);
            let bytes = fs::read(&path).map_err(|error| ArchiveError::File(path.clone(), error))?;
            let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            if hash != promised {
                return Err(ArchiveError::Altered(path));
            }
            let lines = bytes.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty());
            let row = |(index, line): (usize, &[u8])| {
                serde_json::from_slice::<Row>(line)
                    .map_err(|error| ArchiveError::Line(path.clone(), index + 1, error.to_string()))
            };
            rows.push(lines.map(row).collect::<Result<_, _>>()?);
        }
        let created = described.get("created").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Self { rows, created })
    }

    /// Stores all of it, or nothing. Rows keep their ids and times, and count as changed now.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub fn store(self, tx: &mut Tx<'_>, now: Instant, by: &Actor) -> Result<Vec<Exported>, ArchiveError> {
        for (sheet, _) in sheets() {
            if !sheet.is_empty(tx.connection)? {
                return Err(ArchiveError::NotEmpty(sheet.name));
            }
        }
        let mut stored = Vec::new();
        for ((sheet, subject), rows) in sheets().zip(self.rows) {
            let id = |row: &Row| row.get("id").and_then(Value::as_str).and_then(|id| id.parse::<Id<Row>>().ok());
            let ids: Vec<_> = rows.iter().filter_map(id).collect();
            stored.push(Exported { name: sheet.name, rows: rows.len() });
            sheet.write(tx, rows)?;
            let Some(subject) = subject else { continue };
            for id in ids {
                let from = json!({"exported_at": self.created});
                record(tx, Fact::new(subject, id, "imported", by.clone(), now).with(from))?;
            }
        }
        Ok(stored)
    }
}
