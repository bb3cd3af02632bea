//! Search: which needs speak of the words somebody typed, in the same words, as parts of words, or in meaning.
//!
//! A search is not a need: it is a few words, and all that is asked is how many of them a need answers. So each word
//! of the search counts as much as it is rare, in full where the need has it, less where the need has it as a part of
//! another word or speaks of the same matter in other words.

use std::hash::Hash;

use super::alignment::Aligned;
use super::index::{Document, Index};
use super::number::best_first;
use super::profile::Profile;
use super::space::{Kind, Space};

/// What a word counts that a need has only as a part of another word, or has a part of.
const AS_PART: f32 = 0.8;
/// What a word counts at most that a need speaks of in other words.
const IN_MEANING: f32 = 0.8;
/// A need that answers less than this share of a search is no answer.
const LEAST: f32 = 0.5;

/// A word of a search.
struct Sought {
    word: Option<u32>,
    parts: Vec<u32>,
    meaning: usize,
    rarity: f32,
}

impl<K: Clone + Ord + Hash> Index<K> {
    /// The needs that answer at least half of what is sought, best first, each with the share that is answered.
    pub fn find(&self, sought: &Profile, limit: usize) -> Vec<(K, f32)> {
        let asked = self.weigh_profile(sought);
        let candidates = self.candidates(&asked, None);
        let compared = self.compare(&asked, candidates);
        let words = self.sought(sought);
        let mut found: Vec<(f32, (K, f32))> = compared
            .into_iter()
            .map(|(raw, document)| {
                let share = self.answered(&words, sought, document, &self.align(document));
                // Two decimals of the share; below that, how alike the texts are as a whole.
                let rank = (share * 100.0).round() + raw.min(0.99);
                (rank, (document.key.clone(), share))
            })
            .filter(|(_, (_, share))| *share >= LEAST)
            .collect();
        found.sort_by(|(a, (one, _)), (b, (other, _))| best_first((*a, one), (*b, other)));
        found.truncate(limit);
        found.into_iter().map(|(_, found)| found).collect()
    }

    fn sought(&self, profile: &Profile) -> Vec<Sought> {
        let scale = Space::scale(self.len());
        let written = profile.written.iter();
        written
            .filter_map(|word| {
                let known = self.space().known(Kind::Word, word.stem.number());
                let parts = word.atoms().filter_map(|atom| self.space().known(Kind::Part, atom.number()));
                Some(Sought {
                    word: known,
                    parts: parts.collect(),
                    meaning: profile.meanings.binary_search_by_key(&word.stem, |(stem, _)| *stem).ok()?,
                    rarity: self.rarity(Kind::Word, word.stem.number(), known, scale),
                })
            })
            .collect()
    }

    fn answered(&self, words: &[Sought], profile: &Profile, document: &Document<K>, aligned: &Aligned) -> f32 {
        let has = |kind: Kind, number: u32| {
            let vectors = Kind::ALL.into_iter().zip(&document.traits);
            vectors
                .filter(|(of, _)| *of == kind)
                .any(|(_, vector)| vector.binary_search_by_key(&number, |(n, _)| *n).is_ok())
        };
        let (mut answered, mut all) = (0.0, 0.0);
        for sought in words {
            let share = if sought.word.is_some_and(|word| has(Kind::Word, word)) {
                1.0
            } else {
                let parts = sought.parts.iter().filter(|part| has(Kind::Part, **part)).count();
                let as_part = if parts > 0 { AS_PART } else { 0.0 };
                let senses = profile.meanings.get(sought.meaning).map(|(_, senses)| senses);
                let nearness = senses.map_or(0.0, |senses| aligned.nearness_of(senses));
                (IN_MEANING * nearness.sqrt()).max(as_part)
            };
            answered += share * sought.rarity;
            all += sought.rarity;
        }
        if all > 0.0 { answered / all } else { 0.0 }
    }
}
