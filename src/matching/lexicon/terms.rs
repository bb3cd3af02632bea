//! Finds concepts in words: a whole term word for word, its parts close together, or some of its words.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Concept;
use crate::matching::atom::{Atom, Table};
use crate::matching::number::{at, float, id};
use crate::matching::text::language::Language;
use crate::matching::text::reader::{Reader, Word};

/// The words of a term may be this many words further apart than in the term itself.
const GAP: usize = 3;
/// A term found from its parts counts less than one found word for word.
const FROM_PARTS: f32 = 0.8;
/// A term of several rare words counts at most this much.
const MOST_SPECIFIC: f32 = 1.5;
/// How steeply a word's rarity counts in a concept, and in a text.
const IN_CONCEPT: f32 = 1.5;
const IN_TEXT: f32 = 3.0;

/// A word less rare than this touches no concept: it belongs to a great many.
const LEAST_RARITY: f32 = 0.3;

/// What was found in a text.
#[derive(Debug, Default)]
pub struct Found {
    /// Concepts of which a whole term was found, with its specificity, by rising number.
    pub whole: Vec<(u32, f32)>,
    /// For each concept how much of its words the text has, as a cosine: of most concepts a little.
    pub touched: Vec<f32>,
}

struct Term {
    concept: u32,
    elements: Vec<Atom>,
    specificity: f32,
}

/// All terms, by the words they are found by.
#[derive(Default)]
pub struct Terms {
    terms: Vec<Term>,
    by_word: Table<Atom, Vec<(u32, f32)>>,
    /// By a term's rarest word the next rarest and the term.
    by_rarest: Table<Atom, Vec<(Atom, u32)>>,
    known: Table<Atom, Known>,
    concepts: usize,
}

/// A word of the lexicon.
struct Known {
    /// 1 for a word of one concept, towards 0 for a word of all.
    rarity: f32,
    /// The concepts it belongs to, with its share of each.
    shares: Vec<(u32, f32)>,
}

impl Terms {
    pub fn of(concepts: &[Concept], reader: &Reader) -> Terms {
        let mut read: Vec<(u32, Vec<Arc<Word>>)> = Vec::new();
        let mut counts: Vec<BTreeMap<Atom, f32>> = Vec::with_capacity(concepts.len());
        for (number, concept) in concepts.iter().enumerate() {
            let mut count = BTreeMap::new();
            for (language, term) in &concept.terms {
                let words = reader.read(term, Some(*language));
                for atom in words.iter().flat_map(|word| word.atoms()) {
                    *count.entry(atom).or_insert(0.0) += 1.0;
                }
                if !words.is_empty() {
                    read.push((id(number), words));
                }
            }
            for word in reader.read(&concept.gloss, Some(Language::Danish)) {
                for atom in word.atoms() {
                    *count.entry(atom).or_insert(0.0) += 1.0;
                }
            }
            counts.push(count);
        }
        let mut terms = Terms { concepts: concepts.len(), ..Terms::default() };
        terms.weigh(&counts);
        for (concept, words) in read {
            terms.add(concept, &words);
        }
        terms
    }

    fn weigh(&mut self, counts: &[BTreeMap<Atom, f32>]) {
        let mut spread: Table<Atom, usize> = Table::default();
        for atom in counts.iter().flat_map(BTreeMap::keys) {
            *spread.entry(*atom).or_insert(0) += 1;
        }
        let all = float(counts.len().max(2)).ln();
        let known = |n| Known { rarity: 1.0 - float(n).ln() / all, shares: Vec::with_capacity(n) };
        self.known = spread.into_iter().map(|(atom, n)| (atom, known(n))).collect();
        for (number, count) in counts.iter().enumerate() {
            let weighed: Vec<(Atom, f32)> = count
                .iter()
                .map(|(atom, n)| (*atom, (1.0 + n).ln() * self.rarity_of(*atom).powf(IN_CONCEPT)))
                .collect();
            let norm = weighed.iter().map(|(_, w)| w * w).sum::<f32>().sqrt().max(f32::EPSILON);
            for (atom, weight) in weighed {
                if let Some(known) = self.known.get_mut(&atom) {
                    known.shares.push((id(number), weight / norm));
                }
            }
        }
    }

    fn add(&mut self, concept: u32, words: &[Arc<Word>]) {
        if let [word] = words {
            let specificity = self.specificity(&[word.stem]);
            let same = self.by_word.entry(word.stem).or_default();
            if !same.iter().any(|(known, _)| *known == concept) {
                same.push((concept, specificity));
            }
        }
        let mut elements: Vec<Atom> = words.iter().flat_map(|word| word.elements().iter().copied()).collect();
        elements.sort_unstable();
        elements.dedup();
        if elements.len() < 2 {
            return;
        }
        let specificity = self.specificity(&elements);
        let mut by_rarity = elements.clone();
        by_rarity.sort_by(|a, b| self.rarity_of(*b).total_cmp(&self.rarity_of(*a)).then(a.cmp(b)));
        if let [rarest, next, ..] = by_rarity.as_slice() {
            self.by_rarest.entry(*rarest).or_default().push((*next, id(self.terms.len())));
            self.terms.push(Term { concept, elements, specificity });
        }
    }

    fn specificity(&self, elements: &[Atom]) -> f32 {
        elements.iter().map(|atom| self.rarity_of(*atom).powf(IN_TEXT)).sum::<f32>().min(MOST_SPECIFIC)
    }

    fn rarity_of(&self, atom: Atom) -> f32 {
        self.rarity(atom).unwrap_or(0.0)
    }

    /// How rare a word is, and the concepts it belongs to, with its share of each.
    pub fn known(&self, atom: Atom) -> Option<(f32, &[(u32, f32)])> {
        self.known.get(&atom).map(|known| (known.rarity, known.shares.as_slice()))
    }

    pub fn rarity(&self, atom: Atom) -> Option<f32> {
        self.known.get(&atom).map(|known| known.rarity)
    }

    /// The words of each concept, with their share of it.
    pub fn shares(&self) -> impl Iterator<Item = &Vec<(u32, f32)>> {
        self.known.values().map(|known| &known.shares)
    }

    pub fn find(&self, words: &[Arc<Word>]) -> Found {
        let places = Places::of(words);
        let mut whole = Vec::new();
        for word in words {
            whole.extend(self.by_word.get(&word.stem).into_iter().flatten().copied());
        }
        for (atom, at_places) in places.each() {
            for (next, number) in self.by_rarest.get(&atom).into_iter().flatten() {
                if !places.may_hold(*next) {
                    continue;
                }
                let Some(term) = self.terms.get(at(*number)) else { continue };
                if term.stands_close(atom, at_places, &places) {
                    whole.push((term.concept, term.specificity * FROM_PARTS));
                }
            }
        }
        whole.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
        whole.dedup_by_key(|(concept, _)| *concept);
        Found { whole, touched: self.touched(&places) }
    }

    fn touched(&self, places: &Places) -> Vec<f32> {
        let mut sums = vec![0.0_f32; self.concepts];
        let mut norm = 0.0;
        for (atom, at_places) in places.each() {
            let Some((rarity, shares)) = self.known(atom) else { continue };
            let weight = (1.0 + float(at_places.len()).ln()) * rarity.powf(IN_TEXT);
            norm += weight * weight;
            if rarity < LEAST_RARITY {
                continue;
            }
            for (concept, share) in shares {
                if let Some(sum) = sums.get_mut(at(*concept)) {
                    *sum += weight * share;
                }
            }
        }
        let norm = norm.sqrt().max(f32::EPSILON);
        sums.iter_mut().for_each(|sum| *sum /= norm);
        sums
    }
}

/// Where each atom stands in a text.
struct Places {
    /// By rising atom, then place.
    list: Vec<(Atom, usize)>,
    /// A bit for each atom's last digits: most atoms that are not there are seen not to be at a glance.
    glance: [u64; 64],
}

impl Places {
    fn of(words: &[Arc<Word>]) -> Places {
        let atoms = |(place, word): (usize, &Arc<Word>)| word.atoms().map(|atom| (atom, place)).collect::<Vec<_>>();
        let mut list: Vec<(Atom, usize)> = words.iter().enumerate().flat_map(atoms).collect();
        list.sort_unstable();
        list.dedup();
        let mut glance = [0; 64];
        for (atom, _) in &list {
            let (word, bit) = Places::bit(*atom);
            if let Some(bits) = glance.get_mut(word) {
                *bits |= bit;
            }
        }
        Places { list, glance }
    }

    fn bit(atom: Atom) -> (usize, u64) {
        let digits = atom.number();
        (usize::try_from((digits >> 6) & 63).unwrap_or(0), 1 << (digits & 63))
    }

    fn may_hold(&self, atom: Atom) -> bool {
        let (word, bit) = Places::bit(atom);
        self.glance.get(word).is_some_and(|bits| bits & bit != 0)
    }

    fn each(&self) -> impl Iterator<Item = (Atom, &[(Atom, usize)])> {
        let same = self.list.chunk_by(|a, b| a.0 == b.0);
        same.filter_map(|places| Some((places.first()?.0, places)))
    }

    fn between(&self, atom: Atom, first: usize, last: usize) -> bool {
        let next = self.list.partition_point(|entry| *entry < (atom, first));
        self.list.get(next).is_some_and(|(found, place)| *found == atom && *place <= last)
    }
}

impl Term {
    /// Whether all elements stand within a few words of one place of the rarest.
    fn stands_close(&self, rarest: Atom, at_places: &[(Atom, usize)], all: &Places) -> bool {
        let reach = self.elements.len() + GAP;
        at_places.iter().any(|(_, place)| {
            let others = self.elements.iter().filter(|atom| **atom != rarest);
            others.copied().all(|atom| all.between(atom, place.saturating_sub(reach), place + reach))
        })
    }
}
