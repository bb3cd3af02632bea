//! Keeping what there is: backups, the move to PostgreSQL, and what others may have.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::CliError;
use crate::archive::{ArchiveError, export};
use crate::config::Settings;
use crate::db::{DatabaseUrl, TransferError, backup, transfer};
use crate::dispatch::ledger;
use crate::secret;
use crate::web::Node;

pub(super) fn back_up(settings: &Settings, file: &Path) -> Result<(), CliError> {
    let made = backup(&settings.database, file).map_err(CliError::from)?;
    let mut out = std::io::stdout();
    writeln!(out, "{}: {} tables, {} bytes, sound and on disk", file.display(), made.tables, made.bytes)
        .map_err(CliError::from)?;
    let secret = settings.database.folder().unwrap_or_default().join("skala.secret");
    if settings.secret.is_none() && secret.exists() {
        let line = "keep a copy of the secret too, or sign-ins and the links in mails will no longer open:";
        writeln!(out, "{line} {}", secret.display()).map_err(CliError::from)?;
    }
    Ok(())
}

impl From<TransferError> for CliError {
    fn from(error: TransferError) -> Self {
        Self(error.to_string())
    }
}

pub(super) fn migrate_to(settings: &Settings, url: &str) -> Result<(), CliError> {
    let target: DatabaseUrl = url.parse().map_err(CliError::from)?;
    let mut out = std::io::stdout();
    let moved = transfer(&settings.database, &target, |target| {
        let verdict = ledger::verify(target, None).map_err(CliError::from)?;
        if let Some(flaw) = verdict.flaw {
            let (entries, advice) = (verdict.entries, "look at it with `skala ledger verify`");
            return Err(CliError(format!("the ledger is broken after {entries} sound entries: {flaw}; {advice}")));
        }
        secret::carry_over(settings, target).map_err(CliError::from)
    })?;
    let mut rows = 0;
    for table in &moved.tables {
        rows += table.print.rows;
        writeln!(out, "{:<24} {:>10} rows  {}", table.table, table.print.rows, table.print.hash())
            .map_err(CliError::from)?;
    }
    let was = if moved.was_there { "was there already, unchanged" } else { "has moved" };
    let next = "set SKALA_DATABASE_URL to the new address; the old file is as it was";
    writeln!(out, "everything {was}: {} tables, {rows} rows, equal on both sides; {next}", moved.tables.len())
        .map_err(CliError::from)
}

pub(super) async fn export_to(node: &Node, directory: PathBuf) -> Result<(), CliError> {
    let now = node.now();
    let exported = node.db.read(move |connection| export(connection, &directory, now)).await;
    for sheet in exported.map_err(|error: ArchiveError| CliError::from(error))? {
        writeln!(std::io::stdout(), "{:<20} {:>8} rows", sheet.name, sheet.rows).map_err(CliError::from)?;
    }
    Ok(())
}
