//! A profile: what the matching knows of one need, read from its text with the lexicon.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::alignment::{MOST_SENSES, MOST_WORDS, senses};
use super::atom::Atom;
use super::lexicon::Lexicon;
use super::need::{Cpv, Need};
use super::number::{at, id};
use super::text::reader::Word;

/// A sparse vector, by rising position.
pub type Sparse<T> = Vec<(T, f32)>;

/// How a text becomes a profile.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// A word of the title counts as this many in the text.
    pub title: f32,
    /// What a whole term says of a concept, beside the words it shares with it (1).
    pub whole_term: f32,
    /// How much the fields that a text mostly speaks of draw its other concepts to them.
    pub coherence: f32,
    /// Concepts kept for each text, strongest first.
    pub most_concepts: usize,
    /// What a compound's part counts beside the word itself.
    pub part: f32,
}

impl Default for Reading {
    fn default() -> Self {
        Reading { title: 1.5, whole_term: 0.1, coherence: 0.3, most_concepts: 48, part: 0.7 }
    }
}

/// A concept weaker than this share of the strongest is left out.
const FAINT: f32 = 0.05;

/// One need, read.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    /// Whole words, by how often they stand there (dampened).
    pub words: Sparse<Atom>,
    /// Simple words, and the parts of compounds.
    pub parts: Sparse<Atom>,
    /// Concepts spoken of, the strongest, as they were found.
    pub concepts: Sparse<u32>,
    /// The same with their neighbours.
    pub surroundings: Sparse<u32>,
    /// The fields of work, as shares.
    pub fields: Sparse<u32>,
    /// Those of the concepts of which a whole term was found: what a reason may name.
    pub named: Vec<u32>,
    /// The parts of the words for those affected.
    pub users: Sparse<Atom>,
    /// Each word with the concepts it means in this text.
    pub meanings: Vec<(Atom, [(u16, f32); MOST_SENSES])>,
    /// The words of the title, by rising stem.
    pub title: Vec<Atom>,
    pub theme: Option<Atom>,
    pub cpv: Vec<Cpv>,
    /// Each word once, the shortest way it was written.
    pub written: Vec<Arc<Word>>,
}

impl Profile {
    pub fn read(need: &Need, lexicon: &Lexicon, reading: &Reading) -> Profile {
        let reader = lexicon.reader();
        let title = reader.read(&need.title, need.language);
        let body = reader.read(&need.body, need.language);
        let users = reader.read(&need.affected_users, need.language);
        let mut words = Vec::new();
        let mut parts = Vec::new();
        for (text, weight) in [(&title, reading.title), (&body, 1.0), (&users, 1.0)] {
            count(text, weight, reading.part, &mut words, &mut parts);
        }
        let mut of_users = Vec::new();
        count(&users, 1.0, reading.part, &mut Vec::new(), &mut of_users);
        let of_title: BTreeSet<Atom> = title.iter().map(|word| word.stem).collect();
        let all: Vec<Arc<Word>> = title.into_iter().chain(body).chain(users).collect();
        let mut written = all.clone();
        written.sort_by(|a, b| (a.stem, a.written.len(), &a.written).cmp(&(b.stem, b.written.len(), &b.written)));
        written.dedup_by_key(|word| word.stem);
        let found = lexicon.find(&all);
        let whole: Vec<u32> = found.whole.iter().map(|(number, _)| *number).collect();
        let (concepts, fields) = concepts(found, lexicon, reading);
        let is_kept = |number: &u32| concepts.iter().any(|(kept, _)| kept == number);
        let named = whole.into_iter().filter(is_kept).collect();
        let surroundings = surroundings(&concepts, lexicon);
        let meanings = meanings(&all, &concepts, lexicon);
        let mut cpv: Vec<Cpv> = need.cpv.iter().filter_map(|code| Cpv::read(code)).collect();
        cpv.sort_unstable();
        cpv.dedup();
        let theme = need.theme.trim().to_lowercase();
        Profile {
            words: dampened(words),
            parts: dampened(parts),
            concepts,
            surroundings,
            fields,
            named,
            users: dampened(of_users),
            meanings,
            title: of_title.into_iter().collect(),
            theme: (!theme.is_empty()).then(|| Atom::of(&theme)),
            cpv,
            written,
        }
    }

    /// Whether nothing at all could be read.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}

fn count(text: &[Arc<Word>], weight: f32, part_weight: f32, words: &mut Sparse<Atom>, parts: &mut Sparse<Atom>) {
    for word in text {
        words.push((word.stem, weight));
        if word.parts.is_empty() {
            parts.push((word.stem, weight));
        }
        parts.extend(word.parts.iter().map(|part| (*part, weight * part_weight)));
        parts.extend(word.finer.iter().map(|part| (*part, weight * part_weight * part_weight)));
    }
}

/// The second time a word stands in a text it says less than the first.
fn dampened(counts: Sparse<Atom>) -> Sparse<Atom> {
    let mut counts = summed(counts);
    for (_, count) in &mut counts {
        *count = if *count > 1.0 { 1.0 + count.ln() } else { *count };
    }
    counts
}

fn concepts(found: super::lexicon::Found, lexicon: &Lexicon, reading: &Reading) -> (Sparse<u32>, Sparse<u32>) {
    let mut weights = found.touched;
    for (number, strength) in found.whole {
        if let Some(weight) = weights.get_mut(at(number)) {
            *weight += reading.whole_term * strength;
        }
    }
    let mut fields = vec![0.0_f32; lexicon.field_count()];
    for (field, weight) in lexicon.field_of_each().iter().zip(&weights) {
        if let Some(sum) = fields.get_mut(at(*field)) {
            *sum += weight * weight;
        }
    }
    let most = fields.iter().copied().fold(f32::EPSILON, f32::max);
    let pull: Vec<f32> = fields.iter().map(|sum| (sum / most).powf(reading.coherence)).collect();
    for (field, weight) in lexicon.field_of_each().iter().zip(&mut weights) {
        *weight *= pull.get(at(*field)).copied().unwrap_or(0.0);
    }
    let strongest = weights.iter().copied().fold(f32::EPSILON, f32::max);
    let drawn = weights.into_iter().enumerate().filter(|(_, weight)| *weight > FAINT * strongest);
    let mut drawn: Sparse<u32> = drawn.map(|(number, weight)| (id(number), weight)).collect();
    if drawn.len() > reading.most_concepts {
        drawn.select_nth_unstable_by(reading.most_concepts, |a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        drawn.truncate(reading.most_concepts);
        drawn.sort_unstable_by_key(|(number, _)| *number);
    }
    let norm = fields.iter().map(|w| w * w).sum::<f32>().sqrt().max(f32::EPSILON);
    let fields = fields.iter().enumerate().filter(|(_, weight)| **weight > 0.0);
    let fields = fields.map(|(field, weight)| (id(field), weight / norm)).collect();
    (drawn, fields)
}

/// The concepts with their neighbours; what is faint beside the strongest is left out.
fn surroundings(concepts: &Sparse<u32>, lexicon: &Lexicon) -> Sparse<u32> {
    let near = concepts.iter().flat_map(|(number, weight)| {
        lexicon.near(*number).iter().map(move |(other, nearness)| (*other, weight * nearness))
    });
    let mut sums = summed(near.collect());
    let most = sums.iter().map(|(_, weight)| *weight).fold(0.0, f32::max);
    sums.retain(|(_, weight)| *weight >= FAINT * most);
    sums
}

/// One entry for each place, by rising place, with the sum of its weights.
fn summed<T: Ord + Copy>(mut list: Sparse<T>) -> Sparse<T> {
    list.sort_by_key(|(place, _)| *place);
    list.dedup_by(|next, kept| {
        let is_same = next.0 == kept.0;
        if is_same {
            kept.1 += next.1;
        }
        is_same
    });
    list
}

/// For each word the concepts it belongs to, as far as the whole text speaks of them.
fn meanings(words: &[Arc<Word>], concepts: &Sparse<u32>, lexicon: &Lexicon) -> Vec<(Atom, [(u16, f32); MOST_SENSES])> {
    let mut spoken = vec![0.0_f32; lexicon.len()];
    for (concept, weight) in concepts {
        if let Some(place) = spoken.get_mut(at(*concept)) {
            *place = *weight;
        }
    }
    let mut seen: BTreeSet<Atom> = BTreeSet::new();
    let mut all = Vec::new();
    for word in words.iter().filter(|word| seen.insert(word.stem)) {
        let mut senses_of = Vec::new();
        for atom in word.atoms() {
            let Some((rarity, shares)) = lexicon.known(atom) else { continue };
            for (concept, share) in shares {
                let weight = spoken.get(at(*concept)).copied().unwrap_or(0.0);
                if weight > 0.0 {
                    senses_of.push((*concept, rarity * rarity * share * weight));
                }
            }
        }
        all.push((word.stem, senses(summed(senses_of).into_iter())));
        if all.len() == MOST_WORDS {
            break;
        }
    }
    all.sort_unstable_by_key(|(stem, _)| *stem);
    all
}
