//! Keeping what there is: backups, and the move to PostgreSQL.

use std::io::Write;
use std::path::Path;

use super::CliError;
use crate::config::Settings;
use crate::db::{DatabaseUrl, TransferError, backup, transfer};
use crate::dispatch::ledger;
use crate::secret;

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
        let verdict = ledger::verify(target).map_err(CliError::from)?;
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
