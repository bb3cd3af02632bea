//! The index: every need by its key, in memory; a change is seen by the next question.
//!
//! A question is answered in three steps whose cost is bounded. The lists of the traits that tell most
//! give *candidates*; the candidates are compared by all their traits; the best of them, the *pool*, are compared
//! word by word, and with one another as well, for the company they keep. What is answered depends on the documents
//! alone, not on the order in which they came.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use super::alignment::Meaning;
use super::atom::Atom;
use super::group::{self, Group, Grouping, Scores};
use super::lexicon::Lexicon;
use super::need::{Cpv, Need};
use super::number::{at, float, id};
use super::profile::{Profile, Reading};
use super::score::{Calibration, Raw, Weights};
use super::search::Scratch;
use super::space::{Kind, Space, Vector};

/// How much work one question may cost.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Entries of lists read to find candidates.
    pub most_entries: usize,
    /// Candidates compared by their traits.
    pub most_candidates: usize,
    /// The best of these, compared word by word, and with one another; more where more are asked for.
    pub pool: usize,
}

impl Default for Effort {
    fn default() -> Self {
        Effort { most_entries: 200_000, most_candidates: 300, pool: 100 }
    }
}

/// Everything that can be set; the defaults are the ones measured.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    pub reading: Reading,
    pub weights: Weights,
    pub calibration: Calibration,
    pub effort: Effort,
}

/// A need in the index.
pub(super) struct Document<K> {
    pub key: K,
    /// The traits of each kind, in the order of [`Kind::ALL`].
    pub traits: [Vector; Kind::ALL.len()],
    pub concepts: Vector,
    pub meanings: Box<[Meaning]>,
    /// The words of the title, by rising number.
    pub title: Box<[u32]>,
    pub named: Box<[u32]>,
    pub cpv: Box<[Cpv]>,
    pub theme: Option<Atom>,
}

/// A need like the one asked about.
#[derive(Debug, Clone, PartialEq)]
pub struct Match<K> {
    pub key: K,
    /// How likely it is the same need, 0 to 1.
    pub score: f32,
    /// What the score is made from.
    pub raw: Raw,
}

pub struct Index<K> {
    lexicon: Arc<Lexicon>,
    settings: Settings,
    space: Space,
    pub(super) slots: Vec<Option<Document<K>>>,
    free: Vec<u32>,
    pub(super) by_key: HashMap<K, u32>,
    pub(super) scratch: Scratch,
}

impl<K: Clone + Ord + Hash> Index<K> {
    pub fn new(lexicon: Arc<Lexicon>, settings: Settings) -> Index<K> {
        Index {
            lexicon,
            settings,
            space: Space::default(),
            slots: Vec::new(),
            free: Vec::new(),
            by_key: HashMap::new(),
            scratch: Scratch::default(),
        }
    }

    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    pub fn contains(&self, key: &K) -> bool {
        self.by_key.contains_key(key)
    }

    pub fn lexicon(&self) -> &Lexicon {
        &self.lexicon
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Reads a need; this is most of the work of a change and needs no access to the index itself.
    pub fn read(&self, need: &Need) -> Profile {
        Profile::read(need, &self.lexicon, &self.settings.reading)
    }

    /// Adds a need, or puts it in the place of the one with the same key.
    pub fn put(&mut self, key: K, need: &Need) {
        let profile = self.read(need);
        self.put_read(key, profile);
    }

    /// As [`Index::put`], of a need that is read already.
    pub fn put_read(&mut self, key: K, profile: Profile) {
        self.remove(&key);
        let traits = named_traits(&profile).map(|list| self.enter(&list));
        for word in &profile.written {
            for kind in [Kind::Word, Kind::Part, Kind::User] {
                if let Some(number) = self.space.known(kind, word.stem.number()) {
                    self.space.write(number, &word.written);
                }
            }
        }
        let meanings = profile.meanings.iter().filter_map(|(stem, senses)| {
            let word = self.space.known(Kind::Word, stem.number())?;
            Some(Meaning { word, senses: *senses })
        });
        let mut meanings: Vec<Meaning> = meanings.collect();
        meanings.sort_unstable_by_key(|meaning| meaning.word);
        let title = profile.title.iter().filter_map(|stem| self.space.known(Kind::Word, stem.number()));
        let mut title: Vec<u32> = title.collect();
        title.sort_unstable();
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            id(self.slots.len() - 1)
        });
        for vector in &traits {
            self.space.post(slot, vector);
        }
        self.by_key.insert(key.clone(), slot);
        if let Some(place) = self.slots.get_mut(at(slot)) {
            *place = Some(Document {
                key,
                traits,
                concepts: profile.concepts.into(),
                meanings: meanings.into(),
                title: title.into(),
                named: profile.named.into(),
                cpv: profile.cpv.into(),
                theme: profile.theme,
            });
        }
    }

    /// Takes a need out; whether it was there.
    pub fn remove(&mut self, key: &K) -> bool {
        let Some(slot) = self.by_key.remove(key) else { return false };
        if let Some(document) = self.slots.get_mut(at(slot)).and_then(Option::take) {
            for vector in &document.traits {
                self.space.unpost(slot, vector);
            }
            self.free.push(slot);
        }
        true
    }

    /// Gives back memory held in reserve; worth it after the first filling.
    pub fn tighten(&mut self) {
        self.space.tighten();
    }

    /// Groups of these needs; what people `said` of a pair is its score (see [`group`]).
    pub fn groups(&self, keys: &[K], said: &[(K, K, f32)], grouping: &Grouping) -> Vec<Group<K>> {
        let mut scores = Scores::default();
        for key in keys {
            for found in self.like(key, self.settings.effort.pool) {
                scores.tell(key, &found.key, found.score);
            }
        }
        for (one, other, score) in said {
            scores.say(one, other, *score);
        }
        group::group(keys, &scores, grouping)
    }

    pub(super) fn document(&self, key: &K) -> Option<&Document<K>> {
        self.slot(*self.by_key.get(key)?)
    }

    /// A need as it would stand in the index, with the traits that are known there.
    pub(super) fn as_document(&self, key: K, profile: &Profile) -> Document<K> {
        let traits = named_traits(profile).map(|list| {
            let known =
                list.iter().filter_map(|(kind, number, weight)| Some((self.space.known(*kind, *number)?, *weight)));
            let mut vector: Vec<(u32, f32)> = known.collect();
            vector.sort_unstable_by_key(|(number, _)| *number);
            vector.into_boxed_slice()
        });
        Document {
            key,
            traits,
            concepts: profile.concepts.clone().into(),
            meanings: Box::default(),
            title: Box::default(),
            named: profile.named.clone().into(),
            cpv: profile.cpv.clone().into(),
            theme: profile.theme,
        }
    }

    pub(super) fn space(&self) -> &Space {
        &self.space
    }

    pub(super) fn slot(&self, slot: u32) -> Option<&Document<K>> {
        self.slots.get(at(slot))?.as_ref()
    }

    fn enter(&mut self, list: &[(Kind, u64, f32)]) -> Vector {
        let lexicon = &self.lexicon;
        let mut vector: Vec<(u32, f32)> = list
            .iter()
            .map(|(kind, number, weight)| {
                let expected = || expected(lexicon, *kind, *number);
                (self.space.enter(*kind, *number, expected), *weight)
            })
            .collect();
        vector.sort_unstable_by_key(|(number, _)| *number);
        vector.into_boxed_slice()
    }
}

/// The share of texts in which the lexicon lets expect a trait: a word of many concepts is common.
pub(super) fn expected(lexicon: &Lexicon, kind: Kind, number: u64) -> f32 {
    const MOST: f32 = 0.3;
    match kind {
        Kind::Concept | Kind::Field => 0.0,
        Kind::Word | Kind::Part | Kind::User => {
            let one = 1.0 / float(lexicon.len().max(2));
            lexicon.rarity(Atom::from_number(number)).map_or(0.0, |rarity| (2.0 * one.powf(rarity)).min(MOST))
        }
    }
}

pub(super) fn named_traits(profile: &Profile) -> [Vec<(Kind, u64, f32)>; Kind::ALL.len()] {
    let atoms = |kind, list: &[(Atom, f32)]| list.iter().map(|(atom, weight)| (kind, atom.number(), *weight)).collect();
    let numbers =
        |kind, list: &[(u32, f32)]| list.iter().map(|(number, weight)| (kind, u64::from(*number), *weight)).collect();
    Kind::ALL.map(|kind| match kind {
        Kind::Word => atoms(kind, &profile.words),
        Kind::Part => atoms(kind, &profile.parts),
        Kind::Concept => numbers(kind, &profile.surroundings),
        Kind::Field => numbers(kind, &profile.fields),
        Kind::User => atoms(kind, &profile.users),
    })
}
