//! Answers a question: candidates from the lists, compared ever more closely, fewer at each step.

use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use super::alignment::{Aligned, Meaning};
use super::company::{self, Square};
use super::index::{Document, Index, Match, expected, named_traits};
use super::number::{at, best_first, float, id};
use super::profile::Profile;
use super::score::{self, Raw, Weighed, Worded};
use super::space::{Kind, Scale, Space};

/// Long rows of zeros, to be used again and given back as zeros.
#[derive(Default)]
pub(super) struct Scratch(Mutex<Vec<Vec<f32>>>);

impl Scratch {
    fn take(&self, length: usize) -> Vec<f32> {
        let mut row = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        row.resize(length, 0.0);
        row
    }

    fn give_back(&self, row: Vec<f32>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(row);
    }
}

impl<K: Clone + Ord + Hash> Index<K> {
    /// The needs most like that of a key, best first, without itself; nothing for an unknown key.
    pub fn like(&self, key: &K, limit: usize) -> Vec<Match<K>> {
        let Some(document) = self.document(key) else { return Vec::new() };
        self.best(self.weigh(document), Some(key), limit)
    }

    /// The needs most like one that need not be in the index, best first.
    pub fn like_profile(&self, profile: &Profile, except: Option<&K>, limit: usize) -> Vec<Match<K>> {
        self.best(self.weigh_profile(profile), except, limit)
    }

    fn best(&self, asked: Weighed, except: Option<&K>, limit: usize) -> Vec<Match<K>> {
        let settings = self.settings();
        let except = except.and_then(|key| self.by_key.get(key)).copied();
        let candidates = self.candidates(&asked, except);
        let mut compared = self.compare(&asked, candidates);
        compared.sort_by(|a, b| best_first((a.0, &a.1.key), (b.0, &b.1.key)));
        compared.truncate(settings.effort.pool.max(limit));
        let pool = compared.iter().map(|(_, document)| self.weigh(document));
        let (spread, told) = (asked.spread, asked.told);
        let all: Vec<Weighed> = std::iter::once(asked).chain(pool).collect();
        let scores = self.among(&all);
        let seen = company::seen(self.len());
        let raws = company::keep(&scores, settings.weights.company);
        let mut matches: Vec<(f32, Match<K>)> = compared
            .into_iter()
            .zip(raws)
            .zip(all.iter().skip(1))
            .enumerate()
            .map(|(place, (((_, document), in_company), other))| {
                let alone = scores.get(0, place + 1);
                let (spread, told) = (spread + other.spread, (told * other.told).sqrt());
                let raw = Raw { alone, spread, in_company, seen, told };
                let score = settings.calibration.score(&raw);
                (settings.calibration.log_odds(&raw), Match { key: document.key.clone(), score, raw })
            })
            .collect();
        matches.sort_by(|(a, one), (b, other)| best_first((*a, &one.key), (*b, &other.key)));
        matches.truncate(limit);
        matches.into_iter().map(|(_, found)| found).collect()
    }

    /// The raw scores of all pairs: the traits of one are laid out, and those of each other read once.
    fn among(&self, all: &[Weighed]) -> Square {
        let weights = &self.settings().weights;
        let mut scores = Square::new(all.len());
        let answered = Aligned::answered_among(&all.iter().map(|one| &one.words.text).collect::<Vec<_>>());
        let mut laid_out = self.scratch.take(self.space().size().max(self.slots.len()));
        for (row, one) in all.iter().enumerate() {
            lay_out(&mut laid_out, one.beside_words().copied());
            for (column, other) in all.iter().enumerate().take(row) {
                let shared = other.beside_words();
                let traits: f32 =
                    shared.map(|(number, weight)| weight * laid_out.get(at(*number)).unwrap_or(&0.0)).sum();
                let codes = weights.codes(&one.cpv, one.theme, &other.cpv, other.theme);
                let answered = |from: usize, by: usize| answered.get(from * all.len() + by).copied().unwrap_or(0.0);
                let nearness = answered(row, column).min(answered(column, row));
                let words = weights.aligned(nearness, &one.words, &other.words);
                scores.set(row, column, traits + codes + words);
            }
            lay_out(&mut laid_out, one.beside_words().map(|(number, _)| (*number, 0.0)));
        }
        self.scratch.give_back(laid_out);
        scores
    }

    /// The documents that share most of what tells most, read from the lists, most telling list first;
    /// a list that is too long for what work is left is passed over as a whole.
    pub(super) fn candidates(&self, asked: &Weighed, except: Option<u32>) -> Vec<u32> {
        let scale = Space::scale(self.len());
        let mut lists = Vec::new();
        for (number, weight) in asked.traits.iter().flatten() {
            let rarity = self.space().rarity(*number, scale);
            for list in self.space().lists(*number).filter(|list| !list.slots.is_empty()) {
                lists.push((weight * rarity * list.share, list));
            }
        }
        lists.sort_by(|a, b| best_first((a.0, &a.1.name), (b.0, &b.1.name)));
        let mut sums = self.scratch.take(self.slots.len());
        let mut touched = Vec::new();
        let mut left = self.settings().effort.most_entries;
        for (gain, list) in lists {
            if list.slots.len() > left {
                continue;
            }
            left -= list.slots.len();
            for slot in list.slots {
                if let Some(sum) = sums.get_mut(at(*slot)) {
                    if *sum == 0.0 {
                        touched.push(*slot);
                    }
                    *sum += gain;
                }
            }
        }
        let mut found: Vec<(f32, u32)> = Vec::with_capacity(touched.len());
        for slot in touched {
            if let Some(sum) = sums.get_mut(at(slot)) {
                found.push((std::mem::take(sum), slot));
            }
        }
        self.scratch.give_back(sums);
        found.retain(|(_, slot)| Some(*slot) != except);
        let most = self.settings().effort.most_candidates;
        if found.len() > most {
            let key = |slot: u32| self.slot(slot).map(|document| &document.key);
            found.select_nth_unstable_by(most, |a, b| b.0.total_cmp(&a.0).then_with(|| key(a.1).cmp(&key(b.1))));
            found.truncate(most);
        }
        found.into_iter().map(|(_, slot)| slot).collect()
    }

    /// Compares by traits and codes: the asked weights are laid out by trait, and each document read once.
    pub(super) fn compare(&self, asked: &Weighed, candidates: Vec<u32>) -> Vec<(f32, &Document<K>)> {
        let scale = Space::scale(self.len());
        let weights = &self.settings().weights;
        let mut laid_out = self.scratch.take(self.space().size().max(self.slots.len()));
        lay_out(&mut laid_out, asked.traits.iter().flatten().copied());
        let documents = candidates.into_iter().filter_map(|slot| self.slot(slot));
        let compared = documents.map(|document| {
            let mut raw = weights.codes(&asked.cpv, asked.theme, &document.cpv, document.theme);
            for (kind, vector) in Kind::ALL.into_iter().zip(&document.traits) {
                let (mut product, mut square) = (0.0, 0.0);
                for (number, weight) in vector {
                    let weight = weight * self.space().rarity(*number, scale);
                    square += weight * weight;
                    product += weight * laid_out.get(at(*number)).unwrap_or(&0.0);
                }
                raw += product * unit(weights.of(kind), square);
            }
            (raw, document)
        });
        let compared = compared.collect();
        lay_out(&mut laid_out, asked.traits.iter().flatten().map(|(number, _)| (*number, 0.0)));
        self.scratch.give_back(laid_out);
        compared
    }

    pub(super) fn align(&self, document: &Document<K>) -> Aligned {
        Aligned::new(self.rare_words(document), self.lexicon())
    }

    /// A need's words by rising number, each with its rarity.
    fn rare_words<'a>(&'a self, document: &'a Document<K>) -> impl Iterator<Item = (Meaning, f32)> + 'a {
        let scale = Space::scale(self.len());
        document.meanings.iter().map(move |meaning| (*meaning, self.space().rarity(meaning.word, scale)))
    }

    fn weigh(&self, document: &Document<K>) -> Weighed {
        let scale = Space::scale(self.len());
        let mut traits = document.traits.each_ref().map(|vector| {
            let weighed = vector.iter();
            weighed.map(|(number, weight)| (*number, weight * self.space().rarity(*number, scale))).collect::<Vec<_>>()
        });
        for (kind, vector) in Kind::ALL.into_iter().zip(&mut traits) {
            let square = vector.iter().map(|(_, weight)| weight * weight).sum();
            self.make_unit(kind, vector, square);
        }
        let words: Vec<(Meaning, f32)> = self.rare_words(document).collect();
        let in_title = |word: u32| document.title.binary_search(&word).is_ok();
        let words = Worded::new(&words, in_title, self.lexicon());
        let spread = score::spread(document.concepts.iter().copied());
        let told = float(document.meanings.len());
        Weighed { traits, cpv: document.cpv.to_vec(), theme: document.theme, words, spread, told }
    }

    pub(super) fn weigh_profile(&self, profile: &Profile) -> Weighed {
        let scale = Space::scale(self.len());
        let spread = score::spread(profile.concepts.iter().copied());
        let told = float(profile.meanings.len());
        let mut weighed =
            Weighed { theme: profile.theme, cpv: profile.cpv.clone(), spread, told, ..Weighed::default() };
        let lists = named_traits(profile);
        for ((kind, list), vector) in Kind::ALL.into_iter().zip(lists).zip(&mut weighed.traits) {
            let mut square = 0.0;
            for (_, number, weight) in list {
                let known = self.space().known(kind, number);
                let weight = weight * self.rarity(kind, number, known, scale);
                square += weight * weight;
                vector.extend(known.map(|known| (known, weight)));
            }
            vector.sort_unstable_by_key(|(number, _)| *number);
            self.make_unit(kind, vector, square);
        }
        let mut title: Vec<u32> = Vec::new();
        let words = profile.meanings.iter().enumerate().map(|(place, (stem, senses))| {
            let known = self.space().known(Kind::Word, stem.number());
            let rarity = self.rarity(Kind::Word, stem.number(), known, scale);
            // A word that no document has is given a number that none has.
            let word = known.unwrap_or_else(|| u32::MAX - id(place));
            if profile.title.binary_search(stem).is_ok() {
                title.push(word);
            }
            (Meaning { word, senses: *senses }, rarity)
        });
        let mut words: Vec<(Meaning, f32)> = words.collect();
        words.sort_unstable_by_key(|(meaning, _)| meaning.word);
        weighed.words = Worded::new(&words, |word| title.contains(&word), self.lexicon());
        weighed
    }

    pub(super) fn rarity(&self, kind: Kind, number: u64, known: Option<u32>, scale: Scale) -> f32 {
        match known {
            Some(known) => self.space().rarity(known, scale),
            None => Space::rarity_of_new(kind, expected(self.lexicon(), kind, number), scale),
        }
    }

    fn make_unit(&self, kind: Kind, vector: &mut [(u32, f32)], square: f32) {
        let factor = unit(self.settings().weights.of(kind), square);
        for (_, weight) in vector {
            *weight *= factor;
        }
    }
}

fn lay_out(row: &mut [f32], weights: impl Iterator<Item = (u32, f32)>) {
    for (number, weight) in weights {
        if let Some(place) = row.get_mut(at(number)) {
            *place = weight;
        }
    }
}

/// What makes a vector of this square as long as the root of its kind's weight.
fn unit(weight: f32, square: f32) -> f32 {
    weight.max(0.0).sqrt() / square.sqrt().max(f32::EPSILON)
}
