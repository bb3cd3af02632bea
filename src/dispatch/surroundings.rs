//! What filters look at: a notice or a process, with what the process around it says of itself.

use std::collections::HashMap;
use std::sync::Arc;

use crate::challenge::{self, Challenge};
use crate::db::{AnyConnection, DbError};
use crate::dialogue::{self, Dialogue};
use crate::kernel::{Cpv, Id, Nuts, fold};
use crate::matching::concern::Concern;
use crate::matching::lexicon::house;
use crate::matching::need::Need;
use crate::process::{self, Process};
use crate::subscription::{Notice, words_of};

/// The processes around the notices that were looked at; each is read once.
#[derive(Default)]
pub struct Surroundings(HashMap<Id<Process>, Around>);

#[derive(Clone, Default)]
struct Around {
    title: String,
    /// Those of its challenges.
    themes: Vec<String>,
}

impl Surroundings {
    /// What filters look at, of a notice.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn notice_of(
        &mut self,
        connection: &mut AnyConnection,
        dialogue: &Dialogue,
        notice: &dialogue::Notice,
    ) -> Result<Notice, DbError> {
        let id = dialogue.process_id;
        let around = match self.0.get(&id) {
            Some(known) => known.clone(),
            None => {
                let process = process::store::find(connection, id)?;
                let title = process.map(|process| process.body.title).unwrap_or_default();
                let themes = themes(&challenge::store::in_process(connection, &id.to_string())?);
                self.0.entry(id).insert_entry(Around { title, themes }).get().clone()
            }
        };
        let themes: Vec<String> = around.themes.into_iter().chain(notice.themes.iter().cloned()).collect();
        let text = format!("{}\n{}\n{}\n{}", notice.title, notice.description, themes.join("\n"), around.title);
        Ok(Notice {
            cpv: notice.cpv.iter().filter_map(|code| Cpv::parse(code)).collect(),
            nuts: notice.nuts.iter().filter_map(|code| Nuts::parse(code)).collect(),
            themes: folded(themes),
            process_id: id,
            process_title: around.title,
            dialogue_id: Some(dialogue.id),
            title: notice.title.clone(),
            words: words_of(&text),
            concern: Some(concern(&notice.title, &text)),
        })
    }
}

/// Whom a text concerns in meaning.
fn concern(title: &str, text: &str) -> Arc<Concern> {
    // A flawed lexicon has ended the start long before.
    let lexicon = || house::lexicon().inspect_err(|flaws| tracing::error!(flaws, "no lexicon")).ok();
    let need = Need { title: title.to_owned(), ..Need::from_text(text, None) };
    Arc::new(Concern::of(lexicon, need))
}

/// What filters look at, of a process: all that its challenges say.
///
/// # Errors
/// [`DbError`].
pub fn notice_of_process(connection: &mut AnyConnection, process: &Process) -> Result<Notice, DbError> {
    let challenges = challenge::store::in_process(connection, &process.id.to_string())?;
    let themes = themes(&challenges);
    let text = format!("{}\n{}\n{}", process.body.title, process.body.summary, themes.join("\n"));
    let said = || challenges.iter().map(|challenge| &challenge.description);
    Ok(Notice {
        cpv: said().flat_map(|said| &said.cpv).filter_map(|code| Cpv::parse(code)).collect(),
        nuts: said().flat_map(|said| &said.nuts).filter_map(|code| Nuts::parse(code)).collect(),
        themes: folded(themes),
        process_id: process.id,
        process_title: process.body.title.clone(),
        dialogue_id: None,
        title: process.body.title.clone(),
        words: words_of(&text),
        concern: Some(concern(&process.body.title, &text)),
    })
}

fn themes(challenges: &[Challenge]) -> Vec<String> {
    let mut themes: Vec<String> = challenges
        .iter()
        .map(|challenge| challenge.description.theme.clone())
        .filter(|theme| !theme.is_empty())
        .collect();
    themes.sort_unstable();
    themes.dedup();
    themes
}

/// As written, and folded.
fn folded(themes: Vec<String>) -> Vec<(String, String)> {
    themes.into_iter().map(|theme| (theme.clone(), fold(&theme))).collect()
}
