//! The service's secret, where the environment gives none: made once and kept beside the database.

use std::io::Write;
use std::path::Path;

use diesel::prelude::*;

use crate::config::Settings;
use crate::db::schema::service_secret;
use crate::db::{AnyConnection, Db, DbError, Tx, optional};
use crate::kernel::{Seal, random_token};

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("the secret beside the database cannot be kept: {0}")]
    File(#[from] std::io::Error),
    #[error("the operating system gives no randomness: {0}")]
    Random(String),
    #[error(transparent)]
    Database(#[from] DbError),
}

/// The seal of this installation: from `SKALA_SECRET`, a file beside SQLite, or a row that the nodes on one
/// PostgreSQL share.
///
/// # Errors
/// [`SecretError`].
pub async fn seal(settings: &Settings, db: &Db) -> Result<Seal, SecretError> {
    if let Some(secret) = &settings.secret {
        return Ok(Seal::new(secret.as_bytes()));
    }
    let fresh = random_token().map_err(|error| SecretError::Random(error.to_string()))?;
    let secret = match settings.database.folder() {
        Some(folder) => in_file(&folder.join("skala.secret"), &fresh)?,
        None => db.write(move |tx| in_row(tx, fresh)).await?,
    };
    Ok(Seal::new(secret.trim().as_bytes()))
}

/// Brings the secret along that lies in a file beside SQLite, to where nodes on one PostgreSQL share it.
///
/// # Errors
/// [`SecretError`].
pub fn carry_over(settings: &Settings, target: &mut AnyConnection) -> Result<(), SecretError> {
    use service_secret as s;
    let file = settings.database.folder().unwrap_or_default().join("skala.secret");
    if file.exists() {
        let secret = std::fs::read_to_string(&file)?;
        let row = diesel::insert_into(s::table).values((s::one.eq(1), s::secret.eq(secret.trim())));
        row.execute(target).map_err(DbError::from)?;
    }
    Ok(())
}

fn in_file(file: &Path, fresh: &str) -> std::io::Result<String> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Ok(mut new) => {
            new.write_all(fresh.as_bytes())?;
            new.sync_all()?;
            Ok(fresh.to_owned())
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => std::fs::read_to_string(file),
        Err(error) => Err(error),
    }
}

fn in_row(tx: &mut Tx<'_>, fresh: String) -> Result<String, DbError> {
    use service_secret as s;
    if let Some(kept) = optional(s::table.select(s::secret).first(tx.connection))? {
        return Ok(kept);
    }
    diesel::insert_into(s::table).values((s::one.eq(1), s::secret.eq(&fresh))).execute(tx.connection)?;
    Ok(fresh)
}
