//! Runs the matching over a labelled set and prints how well it does, next to ready-made ways.
//!
//! Everything that was chosen from the labels (weights, calibration, the threshold of groups) is
//! chosen five times on four fifths of the topics and measured on the fifth that was left out. Only a
//! few settings are tried, and each is one for all needs.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

use diesel::QueryResult;

use super::baseline::{self, Matrix};
use super::labelled::{Challenge, Labelled};
use super::measures::{b_cubed_of_each, ndcg_at_10};
use super::postgres::{Postgres, Way};
use super::small::{self, Small};
use crate::matching::concern::Concern;
use crate::matching::group::{self, Grouping, Scores};
use crate::matching::index::{Index, Match, Settings};
use crate::matching::lexicon::Lexicon;
use crate::matching::need::Need;
use crate::matching::number::{best_first, float};
use crate::matching::score::{Calibration, Raw, Weights};

const FOLDS: usize = 5;
/// What is asked for in each answer: all that is compared.
const ANSWERS: usize = 100;
const THRESHOLDS: [f32; 8] = [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5];

/// How well rankings agree with the labels.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ranking {
    pub ndcg_at_10: f32,
    pub precision_at_1: f32,
    pub recall_at_5: f32,
    queries: usize,
}

impl Ranking {
    fn add(&mut self, grades: &[u8], all: &[u8]) {
        let same = all.iter().filter(|grade| **grade == 2).count();
        let early = grades.iter().take(5).filter(|grade| **grade == 2).count();
        self.queries += 1;
        self.ndcg_at_10 += ndcg_at_10(grades, all);
        self.precision_at_1 += if grades.first() == Some(&2) { 1.0 } else { 0.0 };
        self.recall_at_5 += float(early) / float(same.max(1));
    }

    fn mean(self) -> Ranking {
        let n = float(self.queries.max(1));
        Ranking {
            ndcg_at_10: self.ndcg_at_10 / n,
            precision_at_1: self.precision_at_1 / n,
            recall_at_5: self.recall_at_5 / n,
            queries: self.queries,
        }
    }
}

impl Display for Ranking {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let Ranking { ndcg_at_10, precision_at_1, recall_at_5, .. } = self;
        write!(out, "nDCG@10 {ndcg_at_10:.3}  P@1 {precision_at_1:.3}  R@5 {recall_at_5:.3}")
    }
}

/// All that is measured.
#[derive(Debug, Default)]
pub struct Report {
    pub rankings: Vec<(String, Ranking)>,
    pub supplier_recall_at_20: f32,
    pub b_cubed: (f32, f32, f32),
    /// Of the look-alikes, the share that scores above 0.5 against the topic they must not be taken for.
    pub taken_for_decoy: f32,
    /// For each tenth of the score: how many pairs, their mean score, the share that is the same need.
    pub calibration: Vec<(usize, f32, f32)>,
    /// The same in small indexes drawn from the set.
    pub small: Vec<Small>,
    /// Of what a free-text subscription tells the share that is to the point, and of what is to the point the share told.
    pub told: (f32, f32),
    /// What each fold chose.
    pub chosen: Vec<Chosen>,
    /// What all topics together choose: to be written down as the default.
    pub on_all: Option<Chosen>,
}

impl Display for Report {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        for (name, ranking) in &self.rankings {
            writeln!(out, "{name:<34} {ranking}")?;
        }
        writeln!(out, "suppliers' free text               R@20 {:.3}", self.supplier_recall_at_20)?;
        let (precision, recall) = self.told;
        writeln!(out, "free text as a subscription        P {precision:.3} R {recall:.3}")?;
        let (precision, recall, f) = self.b_cubed;
        writeln!(out, "suggested groups                   B-cubed P {precision:.3} R {recall:.3} F {f:.3}")?;
        writeln!(out, "look-alikes above 0.5              {:.3}", self.taken_for_decoy)?;
        writeln!(out, "score      pairs   mean score   same need")?;
        for (tenth, (pairs, mean, same)) in self.calibration.iter().enumerate() {
            let low = float(tenth) / 10.0;
            writeln!(out, "{low:.1}–{:.1} {pairs:>8} {mean:>12.3} {same:>11.3}", low + 0.1)?;
        }
        writeln!(out, "{}", small::HEAD)?;
        for small in &self.small {
            writeln!(out, "{small}")?;
        }
        for (at, chosen) in self.chosen.iter().enumerate() {
            writeln!(out, "fold {at}: {chosen:?}")?;
        }
        if let Some(chosen) = &self.on_all {
            writeln!(out, "on all: {chosen:?}")?;
        }
        Ok(())
    }
}

/// What is chosen on a part of the set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chosen {
    pub weights: Weights,
    pub calibration: Calibration,
    /// Groups are made from this score on.
    pub least: f32,
}

/// The answers under one choice of weights.
struct Run {
    weights: Weights,
    answers: Vec<Vec<Match<usize>>>,
    suppliers: Vec<Vec<Match<usize>>>,
}

impl Run {
    fn new(set: &Labelled, lexicon: &Arc<Lexicon>, weights: Weights) -> Run {
        let settings = Settings { weights, ..Settings::default() };
        let mut index = Index::new(Arc::clone(lexicon), settings);
        for (key, challenge) in set.challenges.iter().enumerate() {
            index.put(key, &challenge.need());
        }
        let answers = (0..set.challenges.len()).map(|key| index.like(&key, ANSWERS)).collect();
        let suppliers =
            set.suppliers.iter().map(|supplier| index.like_profile(&index.read(&supplier.need()), None, ANSWERS));
        let suppliers = suppliers.collect();
        Run { weights, answers, suppliers }
    }

    fn ranking(&self, set: &Labelled, calibration: Calibration, is_asked: impl Fn(usize) -> bool) -> Ranking {
        let ranked = |key: usize| in_order(self.answers.get(key).map_or(&[], Vec::as_slice), calibration);
        ranking(set, ranked, is_asked)
    }

    fn pairs(&self, set: &Labelled, is_asked: impl Fn(usize) -> bool) -> Vec<(Raw, bool)> {
        let asked = self.answers.iter().enumerate().filter(|(key, _)| is_asked(*key));
        let pairs = asked.flat_map(|(key, answer)| {
            answer.iter().filter_map(move |found| {
                let (one, other) = (set.challenges.get(key)?, set.challenges.get(found.key)?);
                Some((found.raw, set.grade(one, other) == 2))
            })
        });
        pairs.collect()
    }

    /// The group each challenge is put in.
    fn groups(&self, calibration: Calibration, least: f32) -> Vec<usize> {
        let mut scores = Scores::default();
        for (key, answer) in self.answers.iter().enumerate() {
            for found in answer {
                scores.tell(&key, &found.key, calibration.score(&found.raw));
            }
        }
        let keys: Vec<usize> = (0..self.answers.len()).collect();
        let groups = group::group(&keys, &scores, &Grouping { least, ..Grouping::LASTING });
        let mut of = vec![0; keys.len()];
        for (number, group) in groups.iter().enumerate() {
            for member in &group.members {
                if let Some(of) = of.get_mut(*member) {
                    *of = number;
                }
            }
        }
        of
    }
}

/// The keys of an answer, best first under a calibration.
fn in_order(answer: &[Match<usize>], calibration: Calibration) -> Vec<usize> {
    let mut order: Vec<(f32, usize)> =
        answer.iter().map(|found| (calibration.log_odds(&found.raw), found.key)).collect();
    order.sort_by(|a, b| best_first((a.0, &a.1), (b.0, &b.1)));
    order.into_iter().map(|(_, key)| key).collect()
}

fn ranking(set: &Labelled, ranked: impl Fn(usize) -> Vec<usize>, is_asked: impl Fn(usize) -> bool) -> Ranking {
    let mut sum = Ranking::default();
    for (key, challenge) in set.challenges.iter().enumerate() {
        if challenge.topic.is_none() || !is_asked(key) {
            continue;
        }
        let grade = |other: &Challenge| set.grade(challenge, other);
        let others = set.challenges.iter().enumerate().filter(|(other, _)| *other != key);
        let all: Vec<u8> = others.map(|(_, other)| grade(other)).collect();
        if all.contains(&2) {
            let found = ranked(key).into_iter().filter(|other| *other != key);
            let grades: Vec<u8> = found.filter_map(|other| set.challenges.get(other)).map(grade).collect();
            sum.add(&grades, &all);
        }
    }
    sum.mean()
}

/// The weights that are tried; few, so that nothing can be learnt by heart.
fn choices() -> Vec<Weights> {
    let base = Weights::default();
    vec![
        base,
        Weights { alignment: base.alignment * 2.0, ..base },
        Weights { alignment: base.alignment * 0.5, ..base },
        Weights { title: base.title * 0.5, ..base },
        Weights { title: base.title * 1.5, ..base },
        Weights { company: 0.7, ..base },
        Weights { words: base.words * 0.5, parts: base.parts * 0.5, ..base },
        Weights { words: base.words * 2.0, parts: base.parts * 2.0, ..base },
        Weights { concepts: base.concepts * 1.6, ..base },
        Weights { fields: base.fields * 3.0, ..base },
    ]
}

/// Measures the matching with this lexicon on a labelled set, beside PostgreSQL where it is given.
///
/// # Errors
/// PostgreSQL's.
pub fn evaluate(set: &Labelled, lexicon: &Arc<Lexicon>, peer: Option<&mut Postgres>) -> QueryResult<Report> {
    let runs: Vec<Run> = choices().into_iter().map(|weights| Run::new(set, lexicon, weights)).collect();
    let truth = truth(set);
    let fold_of = folds(set);
    let fold = |key: usize| fold_of.get(key).copied().unwrap_or(0);
    let mut report = Report::default();
    let mut sum = Ranking::default();
    let mut each = vec![(0.0, 0.0); set.challenges.len()];
    let mut tenths = vec![(0_usize, 0.0_f32, 0_usize); 10];
    let (mut taken, mut decoys) = (0, 0);
    let (mut recall, mut suppliers) = (0.0, 0);
    for held_out in 0..FOLDS {
        let Some((run, chosen)) = choose(set, &runs, &truth, |key| fold(key) != held_out) else { continue };
        let Chosen { calibration, least, .. } = chosen;
        let is_held_out = |key: usize| fold(key) == held_out;
        let measured = run.ranking(set, calibration, is_held_out);
        let n = float(measured.queries);
        sum.queries += measured.queries;
        sum.ndcg_at_10 += measured.ndcg_at_10 * n;
        sum.precision_at_1 += measured.precision_at_1 * n;
        sum.recall_at_5 += measured.recall_at_5 * n;
        let found = b_cubed_of_each(&truth, &run.groups(calibration, least));
        for (key, (slot, value)) in each.iter_mut().zip(found).enumerate() {
            if is_held_out(key) {
                *slot = value;
            }
        }
        for (raw, same) in run.pairs(set, is_held_out) {
            let score = calibration.score(&raw);
            let tenth = tenths.iter_mut().enumerate().rev().find(|(at, _)| score >= float(*at) / 10.0);
            if let Some((_, tenth)) = tenth {
                tenth.0 += 1;
                tenth.1 += score;
                tenth.2 += usize::from(same);
            }
        }
        for (key, challenge) in set.challenges.iter().enumerate().filter(|(key, _)| is_held_out(*key)) {
            if let Some(decoy) = set.decoys.get(&challenge.id) {
                decoys += 1;
                let is_decoy = |found: &&Match<usize>| {
                    set.challenges.get(found.key).is_some_and(|c| c.topic.as_ref() == Some(decoy))
                };
                let mut near = run.answers.get(key).into_iter().flatten().filter(is_decoy);
                taken += usize::from(near.any(|found| calibration.score(&found.raw) > 0.5));
            }
        }
        for (at, (supplier, answer)) in set.suppliers.iter().zip(&run.suppliers).enumerate() {
            if at % FOLDS == held_out {
                let is_relevant = |challenge: &Challenge| {
                    challenge.topic.as_ref().is_some_and(|t| supplier.relevant_topics.contains(t))
                };
                let all = set.challenges.iter().filter(|c| is_relevant(c)).count();
                let early = in_order(answer, calibration).into_iter().take(20);
                let early = early.filter_map(|key| set.challenges.get(key));
                recall += float(early.filter(|c| is_relevant(c)).count()) / float(all.max(1));
                suppliers += 1;
            }
        }
        report.chosen.push(chosen);
    }
    report.on_all = choose(set, &runs, &truth, |_| true).map(|(_, chosen)| chosen);
    let n = float(sum.queries.max(1));
    let cross = Ranking {
        ndcg_at_10: sum.ndcg_at_10 / n,
        precision_at_1: sum.precision_at_1 / n,
        recall_at_5: sum.recall_at_5 / n,
        queries: sum.queries,
    };
    if let Some(built_in) = runs.first() {
        report
            .rankings
            .push(("Skala, as built in".to_owned(), built_in.ranking(set, Calibration::default(), |_| true)));
    }
    report.rankings.push(("Skala, five-fold over topics".to_owned(), cross));
    report.rankings.extend(baselines(set));
    if let Some(peer) = peer {
        report.rankings.extend(by_postgres(set, peer)?);
    }
    report.small = small::measure(set, lexicon, &report.chosen, fold);
    report.told = told(set, lexicon);
    report.supplier_recall_at_20 = recall / float(suppliers.max(1));
    let all = float(each.len().max(1));
    let precision = each.iter().map(|(p, _)| p).sum::<f32>() / all;
    let recall = each.iter().map(|(_, r)| r).sum::<f32>() / all;
    report.b_cubed = (precision, recall, 2.0 * precision * recall / (precision + recall).max(f32::EPSILON));
    report.taken_for_decoy = float(taken) / float(decoys.max(1));
    report.calibration =
        tenths.into_iter().map(|(n, sum, same)| (n, sum / float(n.max(1)), float(same) / float(n.max(1)))).collect();
    Ok(report)
}

/// Each supplier's description against each challenge as if it were a notice.
fn told(set: &Labelled, lexicon: &Arc<Lexicon>) -> (f32, f32) {
    let (mut told, mut right, mut relevant) = (0, 0, 0);
    for challenge in &set.challenges {
        let lexicon = Arc::clone(lexicon);
        let concern = Concern::of(|| Some(lexicon), Need { cpv: Vec::new(), ..challenge.need() });
        for supplier in &set.suppliers {
            let is_relevant = challenge.topic.as_ref().is_some_and(|topic| supplier.relevant_topics.contains(topic));
            let is_told = concern.with(&supplier.description).is_some();
            told += usize::from(is_told);
            relevant += usize::from(is_relevant);
            right += usize::from(is_told && is_relevant);
        }
    }
    (float(right) / float(told.max(1)), float(right) / float(relevant.max(1)))
}

fn by_postgres(set: &Labelled, peer: &mut Postgres) -> QueryResult<Vec<(String, Ranking)>> {
    let texts = texts(set);
    peer.fill(&texts)?;
    let mut ways = vec![("PostgreSQL, Danish full text", Way::FullText)];
    if peer.has_trigrams() {
        ways.push(("PostgreSQL, pg_trgm", Way::Trigrams));
    }
    let mut rankings = Vec::new();
    for (name, way) in ways {
        let mut answers = Vec::new();
        for text in &texts {
            answers.push(peer.best(way, text, ANSWERS)?);
        }
        let ranked = |key: usize| answers.get(key).cloned().unwrap_or_default();
        rankings.push((name.to_owned(), ranking(set, ranked, |_| true)));
    }
    Ok(rankings)
}

fn texts(set: &Labelled) -> Vec<String> {
    let challenges = set.challenges.iter();
    challenges.map(|c| [&*c.title, &c.problem, &c.desired_effect, &c.affected_users].join("\n")).collect()
}

/// The run that does best on a part of the set, with its calibration and threshold.
fn choose<'a>(
    set: &Labelled,
    runs: &'a [Run],
    truth: &[usize],
    is_seen: impl Fn(usize) -> bool + Copy,
) -> Option<(&'a Run, Chosen)> {
    let mut best: Option<(f32, &Run, Calibration)> = None;
    for run in runs {
        let calibration = Calibration::from_topics(&run.pairs(set, is_seen));
        let ranking = run.ranking(set, calibration, is_seen);
        let value = ranking.ndcg_at_10 + 0.3 * ranking.precision_at_1;
        if best.is_none_or(|(known, ..)| value > known) {
            best = Some((value, run, calibration));
        }
    }
    let (_, run, calibration) = best?;
    let mut least = (0.0, 0.4);
    for threshold in THRESHOLDS {
        let each = b_cubed_of_each(truth, &run.groups(calibration, threshold));
        let seen: Vec<&(f32, f32)> = each.iter().enumerate().filter(|(key, _)| is_seen(*key)).map(|(_, e)| e).collect();
        let precision: f32 = seen.iter().map(|(p, _)| p).sum();
        let recall: f32 = seen.iter().map(|(_, r)| r).sum();
        let f = precision * recall / (precision + recall).max(f32::EPSILON);
        if f > least.0 {
            least = (f, threshold);
        }
    }
    Some((run, Chosen { weights: run.weights, calibration, least: least.1 }))
}

fn baselines(set: &Labelled) -> Vec<(String, Ranking)> {
    let texts = texts(set);
    type Scorer = fn(&[String]) -> Matrix;
    let ways: [(&str, Scorer); 2] =
        [("BM25, Danish stems", baseline::bm25), ("runs of 3–5 letters", baseline::letter_runs)];
    let measured = ways.into_iter().map(|(name, way)| {
        let scores = way(&texts);
        let ranked = |key: usize| {
            let row = scores.get(key).into_iter().flatten().copied().enumerate();
            let mut row: Vec<(usize, f32)> = row.filter(|(other, _)| *other != key).collect();
            row.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            row.into_iter().map(|(other, _)| other).collect()
        };
        (name.to_owned(), ranking(set, ranked, |_| true))
    });
    measured.collect()
}

/// The topic of each challenge as a number; one that nobody shares has its own.
fn truth(set: &Labelled) -> Vec<usize> {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    let of = set.challenges.iter().map(|challenge| {
        let name = challenge.topic.as_deref().unwrap_or(&challenge.id);
        let next = numbers.len();
        *numbers.entry(name).or_insert(next)
    });
    of.collect()
}

/// The fold of each challenge: topics go round by name, those without a topic by place.
fn folds(set: &Labelled) -> Vec<usize> {
    let mut topics: Vec<&String> = set.challenges.iter().filter_map(|c| c.topic.as_ref()).collect();
    topics.sort_unstable();
    topics.dedup();
    let fold = |(place, challenge): (usize, &Challenge)| {
        let topic = challenge.topic.as_ref().and_then(|topic| topics.binary_search(&topic).ok());
        topic.unwrap_or(place) % FOLDS
    };
    set.challenges.iter().enumerate().map(fold).collect()
}
