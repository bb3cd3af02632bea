//! The library: tools and cases, each for phases, actors and themes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Actor, Phase};
use crate::kernel::{Fitting, Flaws, Id, Instant, text};

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = LibraryKind)]
pub enum EntryKind {
    Tool,
    Case,
}

impl EntryKind {
    /// The word that stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Case => "case",
        }
    }
}

/// What is told of a tool or a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LibraryEntryBody, example = json!({"kind": "tool", "title": "Behovsinterview i fem trin", "url": "https://eksempel.dk/interview",
    "phases": ["idea"], "actors": ["public_body"], "themes": ["velfærdsteknologi"], "language": "da"}))]
pub struct EntryBody {
    pub kind: EntryKind,
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub title: String,
    #[schema(format = "uri", max_length = 2000)]
    pub url: String,
    /// At least one.
    #[schema(min_items = 1, max_items = 5)]
    pub phases: Vec<Phase>,
    /// At least one.
    #[schema(min_items = 1, max_items = 3)]
    pub actors: Vec<Actor>,
    /// At most 20, each at most 80 characters.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub themes: Vec<String>,
    /// The language that it is in (da, nb, sv, en …).
    #[schema(pattern = "^[a-z]{2}$")]
    pub language: String,
}

impl Fitting for EntryBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.line("/title", &mut self.title, 1, 200);
        flaws.url("/url", &mut self.url);
        self.phases.sort_unstable();
        self.phases.dedup();
        self.actors.sort_unstable();
        self.actors.dedup();
        flaws.count("/phases", &self.phases, 1, 5);
        flaws.count("/actors", &self.actors, 1, 3);
        flaws.names("/themes", &mut self.themes, 20, 80);
        self.language = self.language.trim().to_lowercase();
        if self.language.len() != 2 || !self.language.bytes().all(|b| b.is_ascii_lowercase()) {
            let words = text!("Et sprog er to bogstaver, fx da", "A language is two letters, e.g. da");
            flaws.add("/language", "not_a_language", words);
        }
    }
}

/// A tool or a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: Id<Entry>,
    pub body: EntryBody,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}
