//! Whether a notice concerns somebody who described in words what they offer or look out for.
//!
//! A notice is prepared once and then asked about many descriptions; each is read and compared with this one notice
//! alone, so that the answer is the same today and tomorrow, whoever else subscribes and whatever other notices there
//! are. What was asked before is remembered: many describe themselves in the same words.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::explain::ReasonKind;
use super::index::{Index, Settings};
use super::lexicon::Lexicon;
use super::need::Need;

/// A description concerns a notice from this raw score on: rather a notice too many than one missed, for whoever is not
/// told cannot take part. `skala evaluate matching` prints how much of what is told is to the point, and how much of
/// what is to the point is told.
pub const LEAST: f32 = 0.65;
/// Descriptions that are remembered.
const MOST_REMEMBERED: usize = 10_000;

/// What a description and a notice share, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    pub danish: String,
    pub english: String,
}

/// A notice that can be asked whom it concerns.
pub struct Concern {
    index: Index<()>,
    heard: Mutex<HashMap<String, Option<Shared>>>,
}

impl Concern {
    /// Of a notice's text.
    pub fn of(lexicon: Arc<Lexicon>, notice: &Need) -> Concern {
        let mut index = Index::new(lexicon, Settings::default());
        index.put((), notice);
        Concern { index, heard: Mutex::default() }
    }

    /// What it shares with a description that it concerns.
    pub fn with(&self, description: &str) -> Option<Shared> {
        if let Some(known) = self.heard.lock().unwrap_or_else(PoisonError::into_inner).get(description) {
            return known.clone();
        }
        let shared = self.compare(description);
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.len() >= MOST_REMEMBERED {
            heard.clear();
        }
        heard.insert(description.to_owned(), shared.clone());
        shared
    }

    fn compare(&self, description: &str) -> Option<Shared> {
        let profile = self.index.read(&Need::from_text(description, None));
        let found = self.index.like_profile(&profile, None, 1);
        found.first().filter(|found| found.raw >= LEAST)?;
        let reasons = self.index.why_profile(&profile, &());
        let kinds = [ReasonKind::Concept, ReasonKind::Words, ReasonKind::RelatedConcept];
        let reason = kinds.into_iter().find_map(|kind| reasons.iter().find(|reason| reason.kind == kind))?;
        Some(Shared { danish: reason.danish.clone(), english: reason.english.clone() })
    }
}

impl fmt::Debug for Concern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Concern").finish_non_exhaustive()
    }
}
