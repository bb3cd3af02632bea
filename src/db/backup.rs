//! A copy of a SQLite database that is being written: whole, as of one moment, and in its place only when it is on disk.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::{DatabaseUrl, DbError, Engine, cells};

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error(
        "this database is PostgreSQL's, which has its own tools: `pg_dump --format=custom --file=FILE NAME` while it \
         serves, and WAL archiving to come back to any moment"
    )]
    Postgres,
    #[error("there is no database at {0}")]
    NoSource(String),
    #[error("{0} is already there; a backup never replaces a file")]
    Taken(PathBuf),
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    /// What was copied is not sound: look at the original before anything else.
    #[error("the copy is damaged, and so may be the original: {0}")]
    Damaged(String),
    #[error(transparent)]
    Database(#[from] DbError),
}

/// What was copied.
#[derive(Debug)]
pub struct Backup {
    pub bytes: u64,
    pub tables: usize,
}

#[derive(QueryableByName)]
struct Check {
    #[diesel(sql_type = Text)]
    quick_check: String,
}

/// Copies the database to a new file. Whoever reads or writes meanwhile goes on; the copy is of one moment.
///
/// # Errors
/// [`BackupError`]; then there is no new file.
pub fn backup(url: &DatabaseUrl, file: &Path) -> Result<Backup, BackupError> {
    if url.engine == Engine::Postgres {
        return Err(BackupError::Postgres);
    }
    // Opening a file that is not there would make one.
    if !Path::new(&url.target).exists() {
        return Err(BackupError::NoSource(url.target.clone()));
    }
    if file.symlink_metadata().is_ok() {
        return Err(BackupError::Taken(file.to_owned()));
    }
    let mut partial = file.as_os_str().to_owned();
    partial.push(format!(".{}.partial", std::process::id()));
    let partial = PathBuf::from(partial);
    let done = copy(url, &partial, file);
    fs::remove_file(&partial).ok();
    done
}

fn copy(url: &DatabaseUrl, partial: &Path, file: &Path) -> Result<Backup, BackupError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error| BackupError::File(path, error)
    };
    let unavailable = |error: diesel::ConnectionError| DbError::Unavailable(error.to_string());
    let mut source = SqliteConnection::establish(&url.target).map_err(unavailable)?;
    source.batch_execute("PRAGMA busy_timeout = 5000").map_err(DbError::from)?;
    // Made beforehand, so that it is nobody else's to read.
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(partial).map_err(at(partial))?;
    let target = partial.to_string_lossy().into_owned();
    diesel::sql_query("VACUUM INTO ?").bind::<Text, _>(&target).execute(&mut source).map_err(DbError::from)?;

    let mut copied = SqliteConnection::establish(&target).map_err(unavailable)?;
    let checks: Vec<Check> = diesel::sql_query("PRAGMA quick_check").load(&mut copied).map_err(DbError::from)?;
    if let Some(flaw) = checks.iter().find(|line| line.quick_check != "ok") {
        return Err(BackupError::Damaged(flaw.quick_check.clone()));
    }
    let tables = cells::tables(&mut super::AnyConnection::Sqlite(copied))?.len();

    let written = File::open(partial).map_err(at(partial))?;
    written.sync_all().map_err(at(partial))?;
    let bytes = written.metadata().map_err(at(partial))?.len();
    // A link, unlike a rename, fails when somebody took the name meanwhile.
    fs::hard_link(partial, file).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Taken(file.to_owned()),
        _ => BackupError::File(file.to_owned(), error),
    })?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))?;
    Ok(Backup { bytes, tables })
}
