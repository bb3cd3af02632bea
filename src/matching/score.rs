//! How alike two needs are: what each kind of trait says, how much each is listened to, and what a
//! score means.
//!
//! The cosines of words and of their parts, with those that follow, find the needs that are worth comparing in full. The
//! raw score of two needs is then a weighted sum of three cosines (concepts, fields, words for users), of how near their
//! words come in meaning, one by one, all of them and those of the titles, and of what CPV codes and themes say. To it
//! comes the *company* the two keep: needs that are alike are alike to the same others. The calibration then says how
//! likely both together mean the same need; the fewer needs there are, the less it listens to company, and the fewer
//! words the two tell, the less to either.
//! All numbers here are set by cross-validation over topics (see [`super::evaluate`]).

use super::alignment::{Aligned, Meaning};
use super::atom::Atom;
use super::lexicon::Lexicon;
use super::need::Cpv;
use super::number::float;
use super::space::Kind;

/// How much each kind of trait is listened to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// Whole words, where candidates are chosen.
    pub words: f32,
    /// Simple words and the parts of compounds, likewise.
    pub parts: f32,
    /// Concepts and their neighbours.
    pub concepts: f32,
    /// Fields of work.
    pub fields: f32,
    /// Words for those affected.
    pub users: f32,
    /// The nearest pair of CPV codes.
    pub cpv: f32,
    /// The same theme.
    pub theme: f32,
    /// Words that come near in meaning, word by word.
    pub alignment: f32,
    /// The same, of the titles alone: a title names the matter, where a text also tells of its setting.
    pub title: f32,
    /// Being alike to the same other needs.
    pub company: f32,
}

impl Default for Weights {
    fn default() -> Self {
        Weights {
            words: 0.24,
            parts: 0.5,
            concepts: 0.25,
            fields: 0.15,
            users: 0.03,
            cpv: 0.15,
            theme: 0.02,
            alignment: 1.0,
            title: 0.4,
            company: 1.0,
        }
    }
}

impl Weights {
    pub fn of(&self, kind: Kind) -> f32 {
        match kind {
            Kind::Word => self.words,
            Kind::Part => self.parts,
            Kind::Concept => self.concepts,
            Kind::Field => self.fields,
            Kind::User => self.users,
        }
    }
}

impl Weights {
    /// What codes and themes say.
    pub fn codes(&self, cpv: &[Cpv], theme: Option<Atom>, other: &[Cpv], its: Option<Atom>) -> f32 {
        let theme = if theme.is_some() && theme == its { self.theme } else { 0.0 };
        self.cpv * nearest(cpv, other) + theme
    }

    /// What the words say, one by one, where the whole texts are this near; it stands for a title that is missing.
    pub fn aligned(&self, whole: f32, one: &Worded, other: &Worded) -> f32 {
        let titles = match (&one.title, &other.title) {
            (Some(one), Some(other)) => one.kinship(other),
            _ => whole,
        };
        self.alignment * whole + self.title * titles
    }
}

/// A need made ready to be compared: its traits, weighted so that the products of two are how near they are by each kind,
/// as far as it is listened to.
#[derive(Debug, Clone, Default)]
pub struct Weighed {
    /// By kind, in the order of [`Kind::ALL`].
    pub traits: [Vec<(u32, f32)>; Kind::ALL.len()],
    pub cpv: Vec<Cpv>,
    pub theme: Option<Atom>,
    pub words: Worded,
    /// How widely it speaks.
    pub spread: f32,
    /// How many different words it tells.
    pub told: f32,
}

impl Weighed {
    /// What counts beside the words themselves.
    pub fn beside_words(&self) -> impl Iterator<Item = &(u32, f32)> {
        let kinds = Kind::ALL.into_iter().zip(&self.traits);
        kinds.filter(|(kind, _)| !kind.is_read_one_by_one()).flat_map(|(_, traits)| traits)
    }
}

/// The words of a need, made ready to be compared one by one.
#[derive(Debug, Clone, Default)]
pub struct Worded {
    pub text: Aligned,
    pub title: Option<Aligned>,
}

impl Worded {
    /// Of all words by rising number, each with its rarity, and those of them that stand in the title.
    pub fn new(words: &[(Meaning, f32)], in_title: impl Fn(u32) -> bool, lexicon: &Lexicon) -> Worded {
        let title: Vec<(Meaning, f32)> = words.iter().filter(|(meaning, _)| in_title(meaning.word)).copied().collect();
        Worded {
            text: Aligned::new(words.iter().copied(), lexicon),
            title: (!title.is_empty()).then(|| Aligned::new(title.into_iter(), lexicon)),
        }
    }
}

/// How near the nearest two codes lie.
pub fn nearest(a: &[Cpv], b: &[Cpv]) -> f32 {
    let pairs = a.iter().flat_map(|x| b.iter().map(|y| x.nearness(*y)));
    pairs.fold(0.0, f32::max)
}

/// What the score of two needs is made from; only good for comparing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Raw {
    /// By what the two say themselves.
    pub alone: f32,
    /// How widely the two speak, together (see [`spread`]).
    pub spread: f32,
    /// With the company they keep.
    pub in_company: f32,
    /// How much of their company is seen (see [`super::company::seen`]), 0 to 1.
    pub seen: f32,
    /// How many different words the two tell: the geometric mean.
    pub told: f32,
}

impl Raw {
    /// How near the two are by themselves, had they spoken narrowly.
    fn alone_of_narrow(&self) -> f32 {
        self.alone - SPREAD * self.spread
    }

    /// How far they are to be believed, 0 to 1.
    fn trust(&self) -> f32 {
        self.told / (self.told + HALF_TOLD)
    }
}

/// So many different words are believed half. Two sentences are near to each other by chance as easily as two pages are
/// by what they tell. Set with [`UNTOLD`] and [`SPREAD`] on a set's needs in full, and cut to title and two sentences, to
/// two sentences, to one, and to the title: one curve then fits all five about as well as each one's own. From 3 to 6 do
/// about as well.
const HALF_TOLD: f32 = 4.0;
/// The logarithm of the odds that one of the nearest of a set made of topics is the same need, before a word is told.
const UNTOLD: f32 = -2.0;

/// How many of a need's strongest concepts tell how widely it speaks.
const WIDEST: usize = 10;
/// What of two needs' nearness is taken off for how widely they speak. Of the values tried the one under which the labels
/// are most likely, in whole texts and in the same cut short; from 0.5 to 1.5 do about as well.
const SPREAD: f32 = 1.0;

/// How widely a need speaks: how strongly it touches its strongest few concepts on average. Whoever speaks of the whole
/// of a field of work comes near to many in it, and nearness then tells less. Where there are many needs this shows in
/// how near the nearest are (see [`super::company`]); the lexicon knows it where there are few.
pub fn spread(concepts: impl Iterator<Item = (u32, f32)>) -> f32 {
    let mut weights: Vec<f32> = concepts.map(|(_, weight)| weight).collect();
    weights.sort_by(|a, b| b.total_cmp(a));
    weights.truncate(WIDEST);
    weights.iter().sum::<f32>() / float(WIDEST)
}

/// In a set made of topics every need has its likes. Of what people register few have, and the first few of one field are
/// easily mistaken for one another. So the odds that two needs are the same are taken to be this many times less: whoever
/// is told "likely" should seldom be told wrong.
const RARER_IN_LIFE: f32 = 3.0;

/// From how near two needs are to how likely they are the same need. What they say themselves means the same in an
/// index of five and of five thousand; what their company says is listened to as far as it is seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    pub alone: Curve,
    pub in_company: Curve,
}

impl Default for Calibration {
    fn default() -> Self {
        Calibration { alone: Curve { slope: 11.38, middle: 0.476 }, in_company: Curve { slope: 14.23, middle: 0.561 } }
    }
}

impl Calibration {
    /// The score, 0 to 1.
    pub fn score(&self, raw: &Raw) -> f32 {
        1.0 / (1.0 + (-self.log_odds(raw)).exp())
    }

    /// The same as the logarithm of the odds, in which the very likely can still be told apart.
    pub fn log_odds(&self, raw: &Raw) -> f32 {
        let alone = self.alone.log_odds(raw.alone_of_narrow());
        let both = alone + raw.seen * (self.in_company.log_odds(raw.in_company) - alone);
        UNTOLD + raw.trust() * (both - UNTOLD) - RARER_IN_LIFE.ln()
    }

    /// The curves from pairs of a set that is made of topics.
    pub fn from_topics(pairs: &[(Raw, bool)]) -> Calibration {
        let of = |part: fn(&Raw) -> f32| {
            let pairs: Vec<_> = pairs.iter().map(|(raw, same)| (part(raw), raw.trust(), *same)).collect();
            Curve::fit(&pairs)
        };
        Calibration { alone: of(Raw::alone_of_narrow), in_company: of(|raw| raw.in_company) }
    }
}

/// From a raw score to how likely it means the same need in a set made of topics, where enough is told: a logistic curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Curve {
    pub slope: f32,
    /// The raw score at which one pair in two is the same need.
    pub middle: f32,
}

impl Curve {
    fn log_odds(&self, raw: f32) -> f32 {
        self.slope * (raw - self.middle)
    }

    /// The logistic curve under which pairs with these raw scores, believed this far, are most likely: Newton's steps, each
    /// made shorter until it is one for the better.
    fn fit(pairs: &[(f32, f32, bool)]) -> Curve {
        let untold = f64::from(UNTOLD);
        let likely = |slope: f64, shift: f64| -> f64 {
            let one = |(raw, trust, same): &(f32, f32, bool)| {
                let x = untold + f64::from(*trust) * (slope * f64::from(*raw) + shift - untold);
                -((if *same { -x } else { x }).exp().ln_1p())
            };
            pairs.iter().map(one).sum()
        };
        let (mut slope, mut shift) = (1.0_f64, 0.0_f64);
        let mut best = likely(slope, shift);
        for _ in 0..100 {
            let (mut g0, mut g1, mut h00, mut h01, mut h11) = (0.0, 0.0, 1e-6, 0.0, 1e-6);
            for (raw, trust, same) in pairs {
                let (x, trust) = (f64::from(*raw), f64::from(*trust));
                let p = 1.0 / (1.0 + (-(untold + trust * (slope * x + shift - untold))).exp());
                let miss = trust * if *same { 1.0 - p } else { -p };
                let spread = trust * trust * p * (1.0 - p);
                g0 += miss;
                g1 += miss * x;
                h00 += spread;
                h01 += spread * x;
                h11 += spread * x * x;
            }
            let det = h00 * h11 - h01 * h01;
            let (to_slope, to_shift) = ((h00 * g1 - h01 * g0) / det, (h11 * g0 - h01 * g1) / det);
            let step = (0..20).map(|halved| 0.5_f64.powi(halved)).find_map(|step| {
                let found = likely(slope + step * to_slope, shift + step * to_shift);
                (found > best + 1e-9).then_some((step, found))
            });
            let Some((step, found)) = step else { break };
            (slope, shift, best) = (slope + step * to_slope, shift + step * to_shift, found);
        }
        #[expect(clippy::as_conversions, reason = "f64 to f32 has no From; the curve needs few digits")]
        let (slope, middle) = (slope as f32, (-shift / slope) as f32);
        Curve { slope, middle }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fit_finds_the_curve_again() {
        let truth = Curve { slope: 8.0, middle: 0.4 };
        let mut pairs = Vec::new();
        for step in 0_u8..100 {
            let raw = f32::from(step) / 100.0;
            for trust in [0.4, 0.9] {
                let share = 100.0 / (1.0 + (-(UNTOLD + trust * (truth.log_odds(raw) - UNTOLD))).exp());
                pairs.extend((0_u8..100).map(|at| (raw, trust, f32::from(at) + 0.5 < share)));
            }
        }
        let found = Curve::fit(&pairs);
        assert!((found.slope - 8.0).abs() < 0.3 && (found.middle - 0.4).abs() < 0.02, "{found:?}");
    }

    fn score(raw: f32, in_company: f32, seen: f32, told: f32) -> f32 {
        Calibration::default().score(&Raw { alone: raw, spread: 0.2, in_company, seen, told })
    }

    #[test]
    fn a_higher_raw_score_is_never_a_lower_score() {
        for (seen, told) in [(0.0, 40.0), (0.4, 40.0), (1.0, 40.0), (0.4, 1.0)] {
            assert!(score(0.3, 0.3, seen, told) < score(0.31, 0.31, seen, told));
            assert!(score(-10.0, -10.0, seen, told) >= 0.0 && score(10.0, 10.0, seen, told) <= 1.0);
        }
    }

    #[test]
    fn company_that_is_not_seen_says_nothing() {
        assert_eq!(score(1.0, 0.2, 0.0, 40.0), score(1.0, 1.8, 0.0, 40.0));
    }

    #[test]
    fn few_words_make_nobody_sure() {
        assert!(score(1.0, 1.0, 0.0, 40.0) > 0.7 && score(1.0, 1.0, 0.0, 2.0) < 0.3);
        assert!(score(0.0, 0.0, 0.0, 40.0) < 0.001 && score(0.0, 0.0, 0.0, 2.0) > 0.001);
        assert_eq!(score(2.0, 2.0, 1.0, 0.0), score(0.0, 0.0, 1.0, 0.0));
    }
}
