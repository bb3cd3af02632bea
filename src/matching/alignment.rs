//! Word by word: for each word of one need the word of the other that comes nearest in meaning here.
//!
//! What a word means is taken from its text: of the concepts a word may belong to, those that the whole
//! text speaks of most are its *senses*. Two words are as near as their senses are kin; the same word
//! is as near as can be. A need is as near to another as its words are on average, rare words first.

use super::lexicon::Lexicon;
use super::number::at;

/// The senses kept for a word.
pub const MOST_SENSES: usize = 3;
/// Words of a need that are compared at most.
pub const MOST_WORDS: usize = 80;

/// A word with the concepts it means in its text; their weights are one long together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Meaning {
    pub word: u32,
    pub senses: [(u16, f32); MOST_SENSES],
}

impl Meaning {
    fn senses(&self) -> impl Iterator<Item = (u16, f32)> {
        self.senses.into_iter().filter(|(_, weight)| *weight > 0.0)
    }
}

/// A need made ready to be compared word by word.
#[derive(Debug, Clone, Default)]
pub struct Aligned {
    /// By rising word, with how much the word counts.
    words: Vec<(Meaning, f32)>,
    weight: f32,
    /// For each concept of the lexicon how near the need's nearest word comes to it.
    reach: Vec<f32>,
}

impl Aligned {
    /// Of a need's words, by rising word, with their rarity.
    pub fn new(words: impl Iterator<Item = (Meaning, f32)>, lexicon: &Lexicon) -> Aligned {
        let words: Vec<(Meaning, f32)> = words.map(|(meaning, rarity)| (meaning, rarity * rarity)).collect();
        let weight = words.iter().map(|(_, weight)| weight).sum();
        let mut reach = vec![0.0_f32; lexicon.len()];
        let mut of_word = reach.clone();
        for (meaning, _) in &words {
            let kin = |sense: u16| lexicon.kin(u32::from(sense)).iter();
            for (sense, share) in meaning.senses() {
                for (concept, nearness) in kin(sense) {
                    let Some(sum) = of_word.get_mut(at(*concept)) else { continue };
                    *sum += share * nearness;
                    if let Some(best) = reach.get_mut(at(*concept)) {
                        *best = best.max(*sum);
                    }
                }
            }
            for (concept, _) in meaning.senses().flat_map(|(sense, _)| kin(sense)) {
                if let Some(sum) = of_word.get_mut(at(*concept)) {
                    *sum = 0.0;
                }
            }
        }
        Aligned { words, weight, reach }
    }

    /// For each two of these needs (row by row) how near, 0 to 1, the words of the one come to those of the other. Two are
    /// as near as the one that is answered less: a need that has all of another's setting and a matter of its own besides
    /// is not the same need. The words of one are marked at a time and the others held against it: so many comparisons
    /// bear no searching.
    pub fn answered_among(all: &[&Aligned]) -> Vec<f32> {
        let words = || all.iter().flat_map(|one| &one.words).map(|(meaning, _)| meaning.word);
        // Words that no other need has are numbered from above: they lie beyond the marks.
        let most = words().filter(|word| *word < u32::MAX / 2).max().map_or(0, at);
        let mut marked = vec![false; most + 1];
        let mut answered = vec![0.0; all.len() * all.len()];
        for (column, other) in all.iter().enumerate() {
            other.mark(&mut marked, true);
            for (row, one) in all.iter().enumerate().filter(|(row, _)| *row != column) {
                let nearness = |(own, weight): &(Meaning, f32)| {
                    let is_same = marked.get(at(own.word)).copied().unwrap_or(false);
                    weight * if is_same { 1.0 } else { other.nearness_of(&own.senses).sqrt() }
                };
                let sum: f32 = one.words.iter().map(nearness).sum();
                if let Some(cell) = answered.get_mut(row * all.len() + column) {
                    *cell = if one.weight > 0.0 { sum / one.weight } else { 0.0 };
                }
            }
            other.mark(&mut marked, false);
        }
        answered
    }

    fn mark(&self, marked: &mut [bool], mark: bool) {
        for (meaning, _) in &self.words {
            if let Some(place) = marked.get_mut(at(meaning.word)) {
                *place = mark;
            }
        }
    }

    /// How near the two needs' words come, 0 to 1, as they are answered on average: of a few words each counts.
    pub fn kinship(&self, other: &Aligned) -> f32 {
        f32::midpoint(self.answered_by(other), other.answered_by(self))
    }

    /// How near its words come to those of the other.
    fn answered_by(&self, other: &Aligned) -> f32 {
        let mut theirs = other.words.iter().peekable();
        let mut sum = 0.0;
        for (own, weight) in &self.words {
            while theirs.next_if(|(their, _)| their.word < own.word).is_some() {}
            let nearest = match theirs.peek() {
                Some((their, _)) if their.word == own.word => 1.0,
                _ => other.nearness_of(&own.senses),
            };
            sum += weight * nearest.sqrt();
        }
        if self.weight > 0.0 { sum / self.weight } else { 0.0 }
    }

    /// How near its nearest word comes to a word of these senses, 0 to 1.
    pub fn nearness_of(&self, senses: &[(u16, f32); MOST_SENSES]) -> f32 {
        let reach = |sense: u16| self.reach.get(usize::from(sense)).copied().unwrap_or(0.0);
        senses.iter().map(|(sense, share)| share * reach(*sense)).sum::<f32>().min(1.0)
    }
}

/// The senses of a word: the strongest few of these weighted concepts, made one long.
pub fn senses(weighted: impl Iterator<Item = (u32, f32)>) -> [(u16, f32); MOST_SENSES] {
    let mut all: Vec<(u32, f32)> = weighted.filter(|(_, weight)| *weight > 0.0).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    all.truncate(MOST_SENSES);
    let norm = all.iter().map(|(_, w)| w * w).sum::<f32>().sqrt().max(f32::EPSILON);
    let mut kept = [(0, 0.0); MOST_SENSES];
    for (place, (concept, weight)) in kept.iter_mut().zip(all) {
        if let Ok(concept) = u16::try_from(concept) {
            *place = (concept, weight / norm);
        }
    }
    kept
}
