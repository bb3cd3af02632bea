//! The reader: turns a text into the words that carry its matter, each with its parts.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use super::compound::Dictionary;
use super::language::{self, Language};
use super::stem::{Stems, fold};
use super::{plain, sentences, spelling, words};
use crate::matching::atom::{Atom, Table};

/// How many words are remembered with their parts; then the memory begins anew.
const MOST_REMEMBERED: usize = 400_000;
/// More words than this say nothing more about a need.
pub const MOST_WORDS: usize = 3_000;
/// Shorter words are not mended: too many others lie one slip away.
const SHORTEST_MENDED: usize = 6;

/// A word that carries matter.
#[derive(Debug, PartialEq, Eq)]
pub struct Word {
    pub stem: Atom,
    /// The words it is put together from; none for a simple word.
    pub parts: Vec<Atom>,
    /// The parts of its parts.
    pub finer: Vec<Atom>,
    /// The word as it was written, in lower case.
    pub written: Box<str>,
}

impl Word {
    /// The word and all it is made of.
    pub fn atoms(&self) -> impl Iterator<Item = Atom> + '_ {
        [self.stem].into_iter().chain(self.parts.iter().copied()).chain(self.finer.iter().copied())
    }

    /// The words it is put together from, or itself.
    pub fn elements(&self) -> &[Atom] {
        if self.parts.is_empty() { std::slice::from_ref(&self.stem) } else { &self.parts }
    }
}

/// Reads texts with a dictionary; the same text always reads the same.
#[derive(Default)]
pub struct Reader {
    stems: Stems,
    dictionary: Dictionary,
    known: BTreeSet<Box<str>>,
    by_skeleton: Table<String, Box<str>>,
    by_slip: Table<String, Vec<Box<str>>>,
    remembered: RwLock<[Table<Box<str>, Arc<Word>>; 4]>,
}

impl Reader {
    /// A reader that knows the words of these texts.
    pub fn knowing<'a>(texts: impl Iterator<Item = (Language, &'a str)>) -> Reader {
        let mut reader = Reader::default();
        for (language, text) in texts {
            let text = plain(text);
            for word in words(&text).filter(|word| !language::is_small(word, language)) {
                let folded = fold(word, language);
                let stem = reader.stems.stem(word, language);
                if language != Language::English {
                    reader.dictionary.add(&folded);
                    reader.dictionary.add(&stem);
                }
                reader.known.insert(stem.into());
            }
        }
        for stem in &reader.known {
            if stem.chars().count() + 1 < SHORTEST_MENDED {
                continue;
            }
            reader.by_skeleton.entry(spelling::skeleton(stem)).or_insert_with(|| stem.clone());
            for less in spelling::one_letter_less(stem) {
                reader.by_slip.entry(less).or_default().push(stem.clone());
            }
        }
        reader
    }

    /// The words of a text that carry matter, in order, sentence by sentence in its own language.
    pub fn read(&self, text: &str, told: Option<Language>) -> Vec<Arc<Word>> {
        let text = plain(text);
        let mut found = Vec::new();
        for sentence in sentences(&text) {
            let language = language::of_sentence(sentence, told);
            for word in words(sentence) {
                if found.len() == MOST_WORDS {
                    return found;
                }
                if word.chars().nth(1).is_some() && !language::is_small(word, language) {
                    found.push(self.word(word, language));
                }
            }
        }
        found
    }

    fn word(&self, word: &str, language: Language) -> Arc<Word> {
        let shelf = match language {
            Language::Danish => 0,
            Language::Norwegian => 1,
            Language::Swedish => 2,
            Language::English => 3,
        };
        {
            let remembered = self.remembered.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(word) = remembered.get(shelf).and_then(|shelf| shelf.get(word)) {
                return Arc::clone(word);
            }
        }
        let made = Arc::new(self.take_apart(word, language));
        let mut remembered = self.remembered.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(shelf) = remembered.get_mut(shelf) {
            if shelf.len() >= MOST_REMEMBERED {
                shelf.clear();
            }
            shelf.insert(word.into(), Arc::clone(&made));
        }
        made
    }

    fn take_apart(&self, word: &str, language: Language) -> Word {
        let stem = self.stems.stem(word, language);
        let folded = fold(word, language);
        let stem_of = |piece: &str| self.stems.stem(piece, language);
        let mut parts = match language {
            Language::English => Vec::new(),
            _ => self.dictionary.split(&folded, stem_of),
        };
        let mut written = stem;
        if !self.known.contains(written.as_str()) {
            let is_explained = parts.iter().all(|part| self.known.contains(part.as_str()));
            if let Some(meant) = self.mend(&written).filter(|_| parts.is_empty() || !is_explained) {
                written = meant.to_owned();
                parts.clear();
            }
        }
        let finer = parts.iter().flat_map(|part| self.dictionary.split(part, stem_of));
        let finer: BTreeSet<Atom> = finer.map(|part| Atom::of(&part)).collect();
        Word {
            stem: Atom::of(&written),
            parts: parts.iter().map(|part| Atom::of(part)).collect(),
            finer: finer.into_iter().collect(),
            written: word.into(),
        }
    }

    /// The known word that an unknown one must mean: the same in another Nordic spelling, or one slip away.
    fn mend(&self, stem: &str) -> Option<&str> {
        if stem.chars().count() < SHORTEST_MENDED {
            return None;
        }
        if let Some(known) = self.by_skeleton.get(&spelling::skeleton(stem)) {
            return Some(known);
        }
        let near = spelling::one_letter_less(stem)
            .filter_map(|less| self.by_slip.get(&less))
            .flatten()
            .filter(|known| spelling::one_slip_apart(known, stem))
            .filter(|known| known.chars().next() == stem.chars().next());
        near.min().map(AsRef::as_ref)
    }
}
