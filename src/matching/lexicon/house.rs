//! The lexicon of this house: the one that is built in, and what its operator adds.
//!
//! An operator's files have the form of the built-in ones (see [`super::parse`]), lie in the folder or the file that
//! `SKALA_LEXICON` names, and are read before anything else is done: a flaw ends the start with its file and line,
//! and nothing is half loaded. A file on disk, as every other setting, and no table: it reaches all nodes the way their
//! settings do, is kept with its history where they are, and takes effect when a node starts, never between two
//! questions.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, OnceLock};

use super::Lexicon;
use super::parse::Flaw;

/// The operator's files: their fields' names and their texts.
static OWN: OnceLock<Vec<(String, String)>> = OnceLock::new();

static HOUSE: LazyLock<Result<Arc<Lexicon>, String>> = LazyLock::new(|| {
    let own = OWN.get().map_or(&[][..], Vec::as_slice);
    build(own).map(Arc::new).map_err(|flaws| flaws.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
});

fn build(own: &[(String, String)]) -> Result<Lexicon, Vec<Flaw>> {
    let own: Vec<(&str, &str)> = own.iter().map(|(field, text)| (field.as_str(), text.as_str())).collect();
    Lexicon::with(&own)
}

/// The lexicon that all of this process uses, read by whoever asks first.
///
/// # Errors
/// All flaws, a line each.
pub fn lexicon() -> Result<Arc<Lexicon>, String> {
    HOUSE.clone()
}

/// Takes an operator's file, or all `.txt` files of a folder, into the lexicon; once, before it is first used.
///
/// # Errors
/// What cannot be read, or all flaws, a line each.
pub fn add(path: &Path) -> Result<Arc<Lexicon>, String> {
    OWN.set(read(path)?).map_err(|_| "the lexicon has been read already".to_owned())?;
    lexicon()
}

/// A lexicon with these files, for looking at: nothing that runs changes.
///
/// # Errors
/// As [`add`].
pub fn check(path: &Path) -> Result<Lexicon, String> {
    let flaws = |flaws: Vec<Flaw>| flaws.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    build(&read(path)?).map_err(flaws)
}

fn read(path: &Path) -> Result<Vec<(String, String)>, String> {
    let told = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let mut files: Vec<PathBuf> = if path.is_dir() {
        let entries = std::fs::read_dir(path).map_err(|error| told(path, error))?;
        let files = entries.collect::<Result<Vec<_>, _>>().map_err(|error| told(path, error))?;
        files
            .into_iter()
            .map(|entry| entry.path())
            .filter(|file| file.extension().is_some_and(|e| e == "txt"))
            .collect()
    } else {
        vec![path.to_owned()]
    };
    files.sort();
    let read = |file: PathBuf| {
        let text = std::fs::read_to_string(&file).map_err(|error| told(&file, error))?;
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        Ok((stem.trim().to_lowercase().replace(' ', "_"), text))
    };
    files.into_iter().map(read).collect()
}
