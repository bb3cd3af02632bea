//! How sure the scores are where there is little to compare: in small indexes drawn from a labelled set, and of needs
//! told in few words.
//!
//! Most needs have no like in an index of five or twenty. Whoever starts with a few challenges should be told no more than
//! is known: of the pairs at 0.8 about 80 % should be the same need, in an index of five as in one of five hundred, and
//! of a sentence as of a page. A harder draw takes all needs from one field: a topic, its neighbouring topics, and the
//! look-alikes of these.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

use super::labelled::{Challenge, Labelled};
use super::mix::Mix;
use super::report::Chosen;
use crate::matching::index::{Index, Settings};
use crate::matching::lexicon::Lexicon;
use crate::matching::need::Need;
use crate::matching::number::float;
use crate::matching::profile::{Profile, Reading};

/// What each index is drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    All,
    OneField,
    /// All, of which only this is told.
    Short(Told),
}

/// What is left of a need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    TitleAndTwoSentences,
    Title,
    Sentence,
}

/// How many needs an index has, from where they are drawn, and how many such indexes are.
const DRAWS: [(usize, Of, usize); 9] = [
    (5, Of::All, 1_000),
    (10, Of::All, 400),
    (20, Of::All, 150),
    (50, Of::All, 40),
    (100, Of::All, 15),
    (5, Of::OneField, 600),
    (100, Of::Short(Told::TitleAndTwoSentences), 15),
    (100, Of::Short(Told::Title), 15),
    (100, Of::Short(Told::Sentence), 15),
];
/// The scores are counted in tenths from here on.
const FROM: usize = 5;

/// What was measured in indexes of one kind.
#[derive(Debug)]
pub struct Small {
    needs: usize,
    of: Of,
    /// For each tenth from 0.5 on: pairs, and how many are the same need.
    tenths: [(usize, usize); 10 - FROM],
    /// The pairs that are different needs.
    different: usize,
    /// How often a need that has a like was asked for, and answered with one first.
    first: (usize, usize),
}

/// The head of the table.
pub const HEAD: &str = "\
few needs or words: of the pairs at 0.5–0.6 … 0.9–1.0 the same need (pairs); of different needs at 0.8 or more; \
a like stands first";

impl Display for Small {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let of = match self.of {
            Of::All => "",
            Of::OneField => ", of one field",
            Of::Short(Told::TitleAndTwoSentences) => ", title and two sentences",
            Of::Short(Told::Title) => ", the title",
            Of::Short(Told::Sentence) => ", one sentence",
        };
        write!(out, "{:<29}", format!("{}{of}", self.needs))?;
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
    let small = |(needs, of, draws): (usize, Of, usize)| {
        let told = |challenge: &Challenge| match of {
            Of::All | Of::OneField => challenge.need(),
            Of::Short(told) => told.of(challenge),
        };
        let read = |challenge| Profile::read(&told(challenge), lexicon, &Reading::default());
        let profiles: Vec<Profile> = set.challenges.iter().map(read).collect();
        let mut small = Small { needs, of, tenths: Default::default(), different: 0, first: (0, 0) };
        let mut chance = Mix::of(needs);
        for _ in 0..draws {
            let all = || (0..set.challenges.len()).collect();
            let from = if of == Of::OneField { field(set, &mut chance) } else { all() };
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
    DRAWS.into_iter().map(small).collect()
}

impl Told {
    fn of(self, challenge: &Challenge) -> Need {
        let sentences = |many| challenge.problem.split_inclusive(['.', '!', '?']).take(many).collect::<String>();
        let (title, body) = match self {
            Told::TitleAndTwoSentences => (challenge.title.clone(), sentences(2)),
            Told::Title => (challenge.title.clone(), String::new()),
            Told::Sentence => (String::new(), sentences(1)),
        };
        Need { title, body, language: challenge.need().language, ..Need::default() }
    }
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
