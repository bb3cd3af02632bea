//! Everything public, as files that outlive the service: what the processes were, who took part, what the market was
//! asked and answered. Each sheet is there as NDJSON (a row a line, which an empty Skala reads back) and as CSV (for
//! everybody else), with a description that programs and people read ([Data Package](https://datapackage.org)).
//!
//! Nothing personal leaves: no user, subscriber, asker, signatory or contact. What is public is said by each slice, in
//! the sheets of its store; what bodies said to each other (challenges, recognitions, single commitments) is not.

mod export;
mod import;

pub use export::{Exported, export};
pub use import::Archive;

use std::io;
use std::path::PathBuf;

use crate::db::{DbError, Sheet};
use crate::outbox::Subject;
use crate::web::Problem;
use crate::{criteria, dialogue, organisation, process, spread};

/// Why nothing was exported or imported.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("{0} is already there and not empty; an export never replaces files")]
    Taken(PathBuf),
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    #[error("{0} is no export of Skala that this version reads: {1}")]
    NoArchive(PathBuf, String),
    /// Its content is not what the description says.
    #[error("{0} was changed or cut since it was exported: its SHA-256 is another")]
    Altered(PathBuf),
    #[error("{0}, line {1}: {2}")]
    Line(PathBuf, usize, String),
    #[error("the database already has {0}; an export is read into an empty one")]
    NotEmpty(&'static str),
    #[error("{}{}", .0.code, .0.cause.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default())]
    Problem(Box<Problem>),
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<Problem> for ArchiveError {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

/// The version of the files' shape.
const FORMAT: u64 = 1;

/// The sheets in the order in which they refer to each other, and of what kind their rows are, where they have a history.
fn sheets() -> impl Iterator<Item = (&'static Sheet, Option<Subject>)> {
    let of = |sheets: &'static [(Sheet, Option<Subject>)]| sheets.iter().map(|(sheet, subject)| (sheet, *subject));
    of(&organisation::store::PUBLISHED)
        .chain(of(&criteria::store::PUBLISHED))
        .chain(of(&process::store::PUBLISHED))
        .chain(of(&spread::store::PUBLISHED))
        .chain(of(&dialogue::store::PUBLISHED))
}
