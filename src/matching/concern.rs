//! Whether a notice concerns somebody who described in words what they offer or look out for.
//!
//! A notice is prepared once and then asked about many descriptions; each is read and compared with this one notice
//! alone, so that the answer is the same today and tomorrow, whoever else subscribes and whatever other notices there
//! are. What was asked before is remembered: many describe themselves in the same words.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::explain::ReasonKind;
use super::index::{Index, Settings};
use super::lexicon::Lexicon;
use super::need::Need;

/// A description concerns a notice that it is this near to by itself: rather a notice too many than one missed, for whoever is not
/// told cannot take part. `skala evaluate matching` prints how much of what is told is to the point, and how much of
/// what is to the point is told.
pub const LEAST: f32 = 0.42;
/// Descriptions that are remembered.
const MOST_REMEMBERED: usize = 10_000;

/// What a description and a notice share, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    pub danish: String,
    pub english: String,
}

/// A notice that can be asked whom it concerns. It is read when the first description is held against it: most are asked
/// about codes and regions alone, and whoever only passes codes on need not know what words mean.
pub struct Concern {
    index: LazyLock<Option<Index<()>>, Box<dyn FnOnce() -> Option<Index<()>> + Send>>,
    heard: Mutex<HashMap<String, Option<Shared>>>,
}

impl Concern {
    /// Of a notice's text, in the words of this lexicon; of nobody when there is none.
    pub fn of(lexicon: impl FnOnce() -> Option<Arc<Lexicon>> + Send + 'static, notice: Need) -> Concern {
        let read = move || {
            let mut index = Index::new(lexicon()?, Settings::default());
            index.put((), &notice);
            Some(index)
        };
        Concern { index: LazyLock::new(Box::new(read)), heard: Mutex::default() }
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
        let index = self.index.as_ref()?;
        let profile = index.read(&Need::from_text(description, None));
        let found = index.like_profile(&profile, None, 1);
        found.first().filter(|found| found.raw.alone >= LEAST)?;
        let reasons = index.why_profile(&profile, &());
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
