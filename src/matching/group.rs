//! Groups that suggest themselves: needs that look like one need, bundled, never merged.
//!
//! Groups that last are made by taking the needs one by one, in the order in which they were registered; each joins the
//! group to whose needs it is on average nearest, if that is near enough, or waits alone for others. So a group is what
//! it was yesterday and the newcomers since: no need that comes later moves an earlier one, and every node sees the same
//! groups, also after it was started anew.
//!
//! Groups that are made anew each time somebody looks need not stay what they were: the two that are on average nearest
//! are joined, again and again, and which need came first is all one.

use std::collections::{BTreeMap, BTreeSet};

use super::number::float;

/// How near needs must be to be grouped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grouping {
    /// Whether a need that comes later moves no earlier one.
    pub lasts: bool,
    /// A need joins a group to whose needs it scores at least this much on average.
    pub least: f32,
    /// A need that scores at least this share of `least` with a group is a near miss.
    pub near_miss: f32,
    pub most_near_misses: usize,
}

impl Grouping {
    /// Groups that stay what they were.
    pub const LASTING: Grouping = Grouping { lasts: true, least: 0.2, near_miss: 0.4, most_near_misses: 5 };
    /// Groups that are made anew each time somebody looks. They are made of few needs told in few words, whose scores say
    /// little: in piles of twenty drawn from a labelled set 0.1 groups better than 0.2 by 0.01 to 0.05 of B-cubed F, in
    /// whole texts and in the same cut down to a sentence, of one field and of five.
    pub const PASSING: Grouping = Grouping { lasts: false, least: 0.1, ..Grouping::LASTING };
}

/// Needs that look like one.
#[derive(Debug, Clone, PartialEq)]
pub struct Group<K> {
    /// By rising key.
    pub members: Vec<K>,
    /// The average score of two members; 1 for one alone.
    pub cohesion: f32,
    /// Needs that come close and were left out, with their average score to the members, best first.
    pub near_misses: Vec<(K, f32)>,
}

/// Scores of pairs, the same in both directions; a pair not told of scores nothing.
#[derive(Debug, Clone)]
pub struct Scores<K: Ord> {
    sums: BTreeMap<(K, K), f32>,
    /// Pairs of which somebody said that they are different needs.
    apart: BTreeSet<(K, K)>,
}

impl<K: Ord> Default for Scores<K> {
    fn default() -> Self {
        Scores { sums: BTreeMap::new(), apart: BTreeSet::new() }
    }
}

impl<K: Ord + Clone> Scores<K> {
    /// Tells how `one` scored `other`; the pair's score is the mean of both
    /// tellings, where one that is not told is nothing.
    pub fn tell(&mut self, one: &K, other: &K, score: f32) {
        let pair = Self::pair(one, other);
        *self.sums.entry(pair).or_insert(0.0) += score;
    }

    /// Says what a pair scores, whatever was told of it; one that scores nothing is never in one group.
    pub fn say(&mut self, one: &K, other: &K, score: f32) {
        let pair = Self::pair(one, other);
        if score <= 0.0 {
            self.apart.insert(pair.clone());
        }
        self.sums.insert(pair, 2.0 * score);
    }

    fn pair(one: &K, other: &K) -> (K, K) {
        if one < other { (one.clone(), other.clone()) } else { (other.clone(), one.clone()) }
    }

    fn are_apart(&self, one: &K, other: &K) -> bool {
        !self.apart.is_empty() && self.apart.contains(&Self::pair(one, other))
    }

    fn pairs(&self) -> impl Iterator<Item = (&K, &K, f32)> {
        self.sums.iter().map(|((a, b), sum)| (a, b, sum / 2.0))
    }
}

/// For each need, by its place, how near others are.
type Near = Vec<BTreeMap<usize, f32>>;
/// The places of those that look like one.
type Members = BTreeSet<usize>;

/// All groups, also those of one, by their first member. The order of keys is the order of registration.
pub fn group<K: Ord + Clone>(keys: &[K], scores: &Scores<K>, grouping: &Grouping) -> Vec<Group<K>> {
    let keys: Vec<K> = keys.iter().cloned().collect::<BTreeSet<K>>().into_iter().collect();
    let place = |key: &K| keys.binary_search(key).ok();
    let mut near: Near = vec![BTreeMap::new(); keys.len()];
    for (one, other, score) in scores.pairs() {
        if let (Some(a), Some(b)) = (place(one), place(other)) {
            // Nothing makes up for it, whatever the rest of a group says.
            let score = if scores.are_apart(one, other) { f32::NEG_INFINITY } else { score };
            for (from, to) in [(a, b), (b, a)] {
                if let Some(list) = near.get_mut(from) {
                    list.insert(to, score);
                }
            }
        }
    }
    let mut groups = if grouping.lasts { admitted(&near, grouping.least) } else { joined(&near, grouping.least) };
    groups.sort_unstable();
    groups.into_iter().map(|members| told(members, &keys, &near, grouping)).collect()
}

/// Each newcomer in the nearest group, ties in the oldest, or in one of its own.
fn admitted(near: &Near, least: f32) -> Vec<Members> {
    let mut groups: Vec<Members> = Vec::new();
    let mut group_of: Vec<usize> = Vec::new();
    for (newcomer, near) in near.iter().enumerate() {
        let mut sums: BTreeMap<usize, f32> = BTreeMap::new();
        for (other, score) in near {
            if let Some(group) = group_of.get(*other) {
                *sums.entry(*group).or_insert(0.0) += score;
            }
        }
        let size = |group: usize| float(groups.get(group).map_or(1, BTreeSet::len));
        let nearest = sums
            .into_iter()
            .map(|(group, sum)| (sum / size(group), group))
            .filter(|(average, _)| *average >= least)
            .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        let group = nearest.map_or(groups.len(), |(_, group)| group);
        group_of.push(group);
        match groups.get_mut(group) {
            Some(members) => drop(members.insert(newcomer)),
            None => groups.push(BTreeSet::from([newcomer])),
        }
    }
    groups
}

/// The two groups that are on average nearest joined, again and again, while they are near enough. Two that are each
/// other's nearest may be joined at once, whatever is nearer elsewhere, and going from each to its nearest leads to such
/// two: the nearest-neighbour chain (Murtagh 1983), which takes about as many steps as there are pairs.
fn joined(near: &Near, least: f32) -> Vec<Members> {
    let mut groups: BTreeMap<usize, (Members, BTreeMap<usize, f32>)> =
        near.iter().enumerate().map(|(place, near)| (place, (BTreeSet::from([place]), near.clone()))).collect();
    let mut done = Vec::new();
    let mut chain: Vec<usize> = Vec::new();
    while let Some(last) = chain.pop().or_else(|| groups.keys().next().copied()) {
        let Some((members, sums)) = groups.get(&last) else { continue };
        let size = |group: &usize| float(groups.get(group).map_or(1, |(members, _)| members.len()));
        let before = chain.last().copied();
        let nearest = sums
            .iter()
            .map(|(other, sum)| (sum / (float(members.len()) * size(other)), *other))
            .filter(|(average, other)| *average >= least && groups.contains_key(other))
            .max_by(|a, b| a.0.total_cmp(&b.0).then((Some(a.1) == before).cmp(&(Some(b.1) == before))));
        match nearest {
            Some((_, other)) if Some(other) == before => {
                chain.pop();
                join(&mut groups, other, last);
            }
            Some((_, other)) => chain.extend([last, other]),
            // Nothing that is joined elsewhere comes nearer than its parts were.
            None => done.extend(groups.remove(&last).map(|(members, _)| members)),
        }
    }
    done
}

/// Puts one group into another.
fn join(groups: &mut BTreeMap<usize, (Members, BTreeMap<usize, f32>)>, into: usize, gone: usize) {
    let Some((members, sums)) = groups.remove(&gone) else { return };
    for (third, sum) in &sums {
        if let Some((_, its)) = groups.get_mut(third).filter(|_| *third != into) {
            its.remove(&gone);
            *its.entry(into).or_insert(0.0) += sum;
        }
    }
    if let Some((all, its)) = groups.get_mut(&into) {
        all.extend(members);
        its.remove(&gone);
        for (third, sum) in sums.into_iter().filter(|(third, _)| *third != into) {
            *its.entry(third).or_insert(0.0) += sum;
        }
    }
}

/// A group as it is told.
fn told<K: Clone + Ord>(members: Members, keys: &[K], near: &Near, grouping: &Grouping) -> Group<K> {
    let key = |place: &usize| keys.get(*place).cloned();
    let mut sums: BTreeMap<usize, f32> = BTreeMap::new();
    for (other, score) in members.iter().filter_map(|member| near.get(*member)).flatten() {
        *sums.entry(*other).or_insert(0.0) += score;
    }
    let size = float(members.len());
    let within: f32 = members.iter().filter_map(|member| sums.get(member)).sum();
    let pairs = size * (size - 1.0);
    let mut misses: Vec<(K, f32)> = sums
        .iter()
        .filter(|(other, _)| !members.contains(other))
        .map(|(other, sum)| (other, sum / size))
        .filter(|(_, score)| *score >= grouping.near_miss * grouping.least)
        .filter_map(|(other, score)| Some((key(other)?, score)))
        .collect();
    misses.sort_by(|a, b| super::number::best_first((a.1, &a.0), (b.1, &b.0)));
    misses.truncate(grouping.most_near_misses);
    Group {
        members: members.iter().filter_map(key).collect(),
        cohesion: if pairs > 0.0 { within / pairs } else { 1.0 },
        near_misses: misses,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GROUPING: Grouping = Grouping { least: 0.4, near_miss: 0.5, ..Grouping::LASTING };
    const PASSING: Grouping = Grouping { lasts: false, ..GROUPING };

    fn scores(pairs: &[(u32, u32, f32)]) -> Scores<u32> {
        let mut scores = Scores::default();
        for (a, b, score) in pairs {
            scores.tell(a, b, *score);
            scores.tell(b, a, *score);
        }
        scores
    }

    fn members(groups: &[Group<u32>]) -> Vec<Vec<u32>> {
        groups.iter().map(|group| group.members.clone()).collect()
    }

    #[test]
    fn near_needs_are_grouped_and_near_misses_told() {
        let scores = scores(&[(1, 2, 0.9), (2, 3, 0.8), (1, 3, 0.7), (3, 4, 0.7), (2, 4, 0.2)]);
        let groups = group(&[1, 2, 3, 4, 5], &scores, &GROUPING);
        assert_eq!(members(&groups), [vec![1, 2, 3], vec![4], vec![5]]);
        assert!((groups[0].cohesion - 0.8).abs() < 1e-6);
        assert_eq!(groups[0].near_misses.first().map(|(key, _)| *key), Some(4));
    }

    #[test]
    fn two_that_somebody_told_apart_are_in_no_group_together() {
        let mut scores = scores(&[(1, 2, 0.9), (2, 3, 0.9), (1, 3, 0.9)]);
        scores.say(&3, &1, 0.0);
        assert_eq!(members(&group(&[1, 2, 3], &scores, &GROUPING)), [vec![1, 2], vec![3]]);
        assert_eq!(members(&group(&[1, 2, 3], &scores, &PASSING)), [vec![1, 2], vec![3]]);
    }

    proptest! {
        #[test]
        fn every_need_is_in_one_group_whatever_the_order(
            pairs in proptest::collection::vec((0_u32..12, 0_u32..12, 0.0_f32..1.0), 0..40),
        ) {
            let pairs: Vec<_> = pairs.into_iter().filter(|(a, b, _)| a != b).collect();
            let keys: Vec<u32> = (0..12).collect();
            let backwards: Vec<u32> = keys.iter().rev().copied().collect();
            let scores = scores(&pairs);
            let groups = group(&keys, &scores, &GROUPING);
            let mut all: Vec<u32> = groups.iter().flat_map(|group| group.members.clone()).collect();
            all.sort_unstable();
            prop_assert_eq!(&all, &keys);
            prop_assert_eq!(groups, group(&backwards, &scores, &GROUPING));
        }

        #[test]
        fn whichever_of_three_came_first_all_lie_together(order in Just(vec![1_u32, 2, 3]).prop_shuffle()) {
            let [one, two, three] = order[..] else { unreachable!() };
            let scores = scores(&[(one, two, 0.1), (two, three, 0.9), (one, three, 0.8)]);
            prop_assert_eq!(members(&group(&[1, 2, 3], &scores, &PASSING)), [vec![1, 2, 3]]);
        }

        #[test]
        fn of_groups_made_anew_no_two_are_near(
            pairs in proptest::collection::btree_map((0_u32..10, 0_u32..10), 0.0_f32..1.0, 0..40),
        ) {
            let pairs: Vec<_> = pairs.into_iter().filter(|((a, b), _)| a < b).map(|((a, b), s)| (a, b, s)).collect();
            let groups = members(&group(&(0..10).collect::<Vec<_>>(), &scores(&pairs), &PASSING));
            prop_assert_eq!(groups.iter().map(Vec::len).sum::<usize>(), 10);
            for (place, one) in groups.iter().enumerate() {
                for other in groups.iter().skip(place + 1) {
                    let is_between = |a: &u32, b: &u32| one.contains(a) && other.contains(b);
                    let between = pairs.iter().filter(|(a, b, _)| is_between(a, b) || is_between(b, a));
                    let sum: f32 = between.map(|(_, _, score)| score).sum();
                    prop_assert!(sum / float(one.len() * other.len()) < PASSING.least + 1e-5);
                }
            }
        }

        #[test]
        fn a_newcomer_joins_or_founds_a_group_and_moves_nobody(
            pairs in proptest::collection::vec((0_u32..12, 0_u32..12, 0.0_f32..1.0), 0..60),
        ) {
            let pairs: Vec<_> = pairs.into_iter().filter(|(a, b, _)| a != b).collect();
            let scores = scores(&pairs);
            let keys: Vec<u32> = (0..12).collect();
            for known in 1..12 {
                let before = members(&group(&keys[..known], &scores, &GROUPING));
                let mut after = members(&group(&keys[..=known], &scores, &GROUPING));
                let newcomer = u32::try_from(known).unwrap();
                after.iter_mut().for_each(|group| group.retain(|key| *key != newcomer));
                after.retain(|group| !group.is_empty());
                prop_assert_eq!(before, after);
            }
        }
    }
}
