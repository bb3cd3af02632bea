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
    /// For each concept (by `starts`) the words that mean it or its kin, with how nearly.
    entries: Vec<(u16, f32)>,
    starts: Vec<u32>,
}

impl Aligned {
    /// Of a need's words, by rising word, with their rarity.
    pub fn new(words: impl Iterator<Item = (Meaning, f32)>) -> Aligned {
        let words: Vec<(Meaning, f32)> = words.map(|(meaning, rarity)| (meaning, rarity * rarity)).collect();
        let weight = words.iter().map(|(_, weight)| weight).sum();
        Aligned { words, weight, entries: Vec::new(), starts: Vec::new() }
    }

    /// Spreads the senses over their kin, so that others can be compared with this need.
    pub fn spread(&mut self, lexicon: &Lexicon) {
        let mut counts = vec![0_u32; lexicon.len() + 1];
        let mut loose = Vec::new();
        for (place, (meaning, _)) in self.words.iter().enumerate() {
            for (sense, weight) in meaning.senses() {
                for (kin, nearness) in lexicon.kin(u32::from(sense)) {
                    if let Some(count) = counts.get_mut(at(*kin) + 1) {
                        *count += 1;
                        loose.push((*kin, u16::try_from(place).unwrap_or(u16::MAX), weight * nearness));
                    }
                }
            }
        }
        let mut sum = 0;
        for count in &mut counts {
            sum += *count;
            *count = sum;
        }
        self.entries = vec![(0, 0.0); loose.len()];
        let mut next = counts.clone();
        for (concept, place, weight) in loose {
            if let Some(free) = next.get_mut(at(concept)) {
                if let Some(entry) = self.entries.get_mut(at(*free)) {
                    *entry = (place, weight);
                }
                *free += 1;
            }
        }
        self.starts = counts;
    }

    fn of(&self, concept: u16) -> &[(u16, f32)] {
        let concept = usize::from(concept);
        match (self.starts.get(concept), self.starts.get(concept + 1)) {
            (Some(start), Some(end)) => self.entries.get(at(*start)..at(*end)).unwrap_or(&[]),
            _ => &[],
        }
    }

    /// How near the two needs' words come, 0 to 1, the same in both directions; `self` must be spread.
    pub fn nearness(&self, other: &Aligned, sums: &mut Vec<f32>) -> f32 {
        let mut own_best = std::mem::take(sums);
        own_best.clear();
        own_best.resize(2 * self.words.len(), 0.0);
        let (best, now) = own_best.split_at_mut(self.words.len());
        let mut of_other = 0.0;
        let mut same = self.words.iter().enumerate().peekable();
        for (meaning, weight) in &other.words {
            let mut nearest = 0.0_f32;
            for (sense, share) in meaning.senses() {
                for (place, nearness) in self.of(sense) {
                    if let Some(sum) = now.get_mut(usize::from(*place)) {
                        *sum += share * nearness;
                    }
                }
            }
            // Plain comparisons, which the compiler turns into a few wide steps.
            for (sum, best) in now.iter_mut().zip(best.iter_mut()) {
                nearest = if *sum > nearest { *sum } else { nearest };
                *best = if *sum > *best { *sum } else { *best };
                *sum = 0.0;
            }
            while same.next_if(|(_, (own, _))| own.word < meaning.word).is_some() {}
            if let Some((place, _)) = same.next_if(|(_, (own, _))| own.word == meaning.word) {
                nearest = 1.0;
                if let Some(best) = best.get_mut(place) {
                    *best = 1.0;
                }
            }
            of_other += weight * nearest.min(1.0).sqrt();
        }
        let of_own: f32 = self.words.iter().zip(best.iter()).map(|((_, w), best)| w * best.min(1.0).sqrt()).sum();
        *sums = own_best;
        let share = |sum: f32, all: f32| if all > 0.0 { sum / all } else { 0.0 };
        (share(of_own, self.weight) + share(of_other, other.weight)) / 2.0
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
