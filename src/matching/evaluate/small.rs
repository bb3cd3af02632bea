//! How sure the scores are where there is little to compare with: in small indexes drawn from a labelled set.
//!
//! Most needs have no like in an index of five or twenty. Whoever starts with a few challenges should be told no more than
//! is known: of the pairs at 0.8 about 80 % should be the same need, in an index of five as in one of five hundred. A
//! harder draw takes all needs from one field: a topic, its neighbouring topics, and the look-alikes of these.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

use super::labelled::Labelled;
use super::mix::Mix;
use super::report::Chosen;
use crate::matching::index::{Index, Settings};
use crate::matching::lexicon::Lexicon;
use crate::matching::number::float;
use crate::matching::profile::{Profile, Reading};

/// How many needs an index has, and how many such indexes are drawn.
const DRAWS: [(usize, usize); 5] = [(5, 1_000), (10, 400), (20, 150), (50, 40), (100, 15)];
const OF_ONE_FIELD: (usize, usize) = (5, 600);
/// The scores are counted in tenths from here on.
const FROM: usize = 5;

/// What was measured in indexes of one size.
#[derive(Debug)]
pub struct Small {
    needs: usize,
    of_one_field: bool,
    /// For each tenth from 0.5 on: pairs, and how many are the same need.
    tenths: [(usize, usize); 10 - FROM],
    /// The pairs that are different needs.
    different: usize,
    /// How often a need that has a like was asked for, and answered with one first.
    first: (usize, usize),
}

/// The head of the table.
pub const HEAD: &str = "\
small indexes: of the pairs at 0.5–0.6 … 0.9–1.0 the same need (pairs); of different needs at 0.8 or more; \
a like stands first";

impl Display for Small {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let field = if self.of_one_field { ", of one field" } else { "" };
        write!(out, "{:<18}", format!("{}{field}", self.needs))?;
        for (pairs, same) in self.tenths {
            match pairs {
                0 => write!(out, "  –          ")?,
                _ => write!(out, "  {:.2} {:<6}", float(same) / float(pairs), format!("({pairs})"))?,
            }
        }
        let sure = self.tenths.iter().skip(8 - FROM).map(|(pairs, same)| pairs - same).sum();
        let (asked, first) = self.first;
        write!(out, "  {:.2} %", 100.0 * float(sure) / float(self.different.max(1)))?;
        write!(out, "  {:.3}", float(first) / float(asked.max(1)))
    }
}

/// Draws the indexes and asks in each for the likes of each; a need is judged by what was chosen without its topic.
pub fn measure(set: &Labelled, lexicon: &Arc<Lexicon>, chosen: &[Chosen], fold: impl Fn(usize) -> usize) -> Vec<Small> {
    let read = |need| Profile::read(&need, lexicon, &Reading::default());
    let profiles: Vec<Profile> = set.challenges.iter().map(|challenge| read(challenge.need())).collect();
    let small = |needs: usize, of_one_field: bool, draws: usize| {
        let mut small = Small { needs, of_one_field, tenths: Default::default(), different: 0, first: (0, 0) };
        let mut chance = Mix::of(needs);
        for _ in 0..draws {
            let from = if of_one_field { field(set, &mut chance) } else { (0..set.challenges.len()).collect() };
            let drawn = chance.draw(from, needs);
            let mut held_out = 0;
            // Folds that chose the same weights share an index.
            while let Some(first) = chosen.get(held_out) {
                let alike = chosen.iter().skip(held_out).take_while(|other| other.weights == first.weights).count();
                let mut index =
                    Index::new(Arc::clone(lexicon), Settings { weights: first.weights, ..Settings::default() });
                for key in &drawn {
                    if let Some(profile) = profiles.get(*key) {
                        index.put_read(*key, profile.clone());
                    }
                }
                for key in drawn.iter().filter(|key| (held_out..held_out + alike).contains(&fold(**key))) {
                    if let Some(chosen) = chosen.get(fold(*key)) {
                        small.ask(set, &index, *key, chosen);
                    }
                }
                held_out += alike;
            }
        }
        small
    };
    let mut all: Vec<Small> = DRAWS.into_iter().map(|(needs, draws)| small(needs, false, draws)).collect();
    all.push(small(OF_ONE_FIELD.0, true, OF_ONE_FIELD.1));
    all
}

/// A topic that has neighbours, these, and the look-alikes of all of them.
fn field(set: &Labelled, chance: &mut Mix) -> Vec<usize> {
    let topics: Vec<&String> =
        set.neighbours.iter().map(|(topic, _)| topic).collect::<BTreeSet<_>>().into_iter().collect();
    let Some(topic) = chance.pick(&topics) else { return Vec::new() };
    let is_of_it = |of: &String| of == *topic || set.neighbours.contains(&((*topic).clone(), of.clone()));
    let challenges = set.challenges.iter().enumerate();
    let of_it = challenges.filter(|(_, one)| one.topic.as_ref().or(set.decoys.get(&one.id)).is_some_and(is_of_it));
    of_it.map(|(key, _)| key).collect()
}

impl Small {
    fn ask(&mut self, set: &Labelled, index: &Index<usize>, key: usize, chosen: &Chosen) {
        let mut best: Option<(f32, bool)> = None;
        let mut has_like = false;
        for found in index.like(&key, self.needs) {
            let (Some(one), Some(other)) = (set.challenges.get(key), set.challenges.get(found.key)) else { continue };
            let is_same = set.grade(one, other) == 2;
            let score = chosen.calibration.score(&found.raw);
            let tenth = self.tenths.iter_mut().enumerate().rev().find(|(at, _)| score >= float(FROM + at) / 10.0);
            if let Some((_, (pairs, same))) = tenth {
                *pairs += 1;
                *same += usize::from(is_same);
            }
            self.different += usize::from(!is_same);
            has_like |= is_same;
            if best.is_none_or(|(known, _)| score > known) {
                best = Some((score, is_same));
            }
        }
        if has_like {
            self.first.0 += 1;
            self.first.1 += usize::from(best.is_some_and(|(_, is_same)| is_same));
        }
    }
}
