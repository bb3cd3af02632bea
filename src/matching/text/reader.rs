//! The reader: turns a text into the words that carry its matter, each with its parts.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use super::compound::Dictionary;
use super::language::{self, Language};
use super::stem::{Stems, fold};
use super::{plain, sentences, spelling, words};
use crate::matching::atom::{Atom, Table};
use crate::matching::number::{at, id};

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
    /// Each known stem once, in order; below they go by their place here.
    known: Vec<Box<str>>,
    by_skeleton: Table<Atom, u32>,
    /// For each stem that may be mended to, all that it is with one letter less: by rising atom.
    by_slip: Vec<(Atom, u32)>,
    remembered: RwLock<[Table<Box<str>, Arc<Word>>; 4]>,
}

impl Reader {
    /// A reader that knows the words of these texts.
    pub fn knowing<'a>(texts: impl Iterator<Item = (Language, &'a str)>) -> Reader {
        let mut reader = Reader::default();
        let mut known: BTreeSet<Box<str>> = BTreeSet::new();
        for (language, text) in texts {
            let text = plain(text);
            for word in words(&text).filter(|word| !language::is_small(word, language)) {
                let folded = fold(word, language);
                let stem = reader.stems.stem(word, language);
                if language != Language::English {
                    reader.dictionary.add(&folded);
                    reader.dictionary.add(&stem);
                }
                known.insert(stem.into());
            }
        }
        reader.known = known.into_iter().collect();
        for (place, stem) in reader.known.iter().enumerate() {
            if stem.chars().count() + 1 < SHORTEST_MENDED {
                continue;
            }
            reader.by_skeleton.entry(Atom::of(&spelling::skeleton(stem))).or_insert(id(place));
            reader.by_slip.extend(spelling::one_letter_less(stem).map(|less| (Atom::of(&less), id(place))));
        }
        reader.by_slip.sort_unstable();
        reader.by_slip.shrink_to_fit();
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
        if !self.knows(&written) {
            let is_explained = parts.iter().all(|part| self.knows(part));
            // A word of another language is known as it is written: whoever searches tells none.
            let meant = Some(folded.as_str()).filter(|folded| self.knows(folded)).or_else(|| self.mend(&written));
            if let Some(meant) = meant.filter(|_| parts.is_empty() || !is_explained) {
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
        if let Some(place) = self.by_skeleton.get(&Atom::of(&spelling::skeleton(stem))) {
            return self.at(*place);
        }
        let near = spelling::one_letter_less(stem)
            .flat_map(|less| self.one_letter_more(Atom::of(&less)))
            .filter_map(|(_, place)| self.at(*place))
            .filter(|known| spelling::one_slip_apart(known, stem))
            .filter(|known| known.chars().next() == stem.chars().next());
        near.min()
    }

    fn knows(&self, stem: &str) -> bool {
        self.known.binary_search_by(|known| known.as_ref().cmp(stem)).is_ok()
    }

    fn at(&self, place: u32) -> Option<&str> {
        self.known.get(at(place)).map(AsRef::as_ref)
    }

    /// The stems that are this with one letter more.
    fn one_letter_more(&self, less: Atom) -> &[(Atom, u32)] {
        let first = self.by_slip.partition_point(|(known, _)| *known < less);
        let all = self.by_slip.get(first..).unwrap_or_default();
        all.get(..all.partition_point(|(known, _)| *known == less)).unwrap_or_default()
    }
}
