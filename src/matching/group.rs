//! Groups that suggest themselves: needs that look like one need, bundled, never merged.
//!
//! Needs are taken one by one, in the order in which they were registered; each joins the group to whose needs it is on
//! average nearest, if that is near enough, or waits alone for others. So a group is what it was yesterday and the
//! newcomers since: no need that comes later moves an earlier one, and every node sees the same groups, also after
//! it was started anew.

use std::collections::{BTreeMap, BTreeSet};

use super::number::float;

/// How near needs must be to be grouped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grouping {
    /// A need joins a group to whose needs it scores at least this much on average.
    pub least: f32,
    /// A need that scores at least this share of `least` with a group is a near miss.
    pub near_miss: f32,
    pub most_near_misses: usize,
}

impl Default for Grouping {
    fn default() -> Self {
        Grouping { least: 0.2, near_miss: 0.4, most_near_misses: 5 }
    }
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

/// All groups, also those of one, by their first member. The order of keys is the order of registration.
pub fn group<K: Ord + Clone>(keys: &[K], scores: &Scores<K>, grouping: &Grouping) -> Vec<Group<K>> {
    let keys: Vec<K> = keys.iter().cloned().collect::<BTreeSet<K>>().into_iter().collect();
    let place = |key: &K| keys.binary_search(key).ok();
    let mut near: Vec<BTreeMap<usize, f32>> = vec![BTreeMap::new(); keys.len()];
    for (a, b, score) in scores.pairs() {
        if let (Some(a), Some(b)) = (place(a), place(b)) {
            for (from, to) in [(a, b), (b, a)] {
                if let Some(list) = near.get_mut(from) {
                    list.insert(to, score);
                }
            }
        }
    }
    let is_apart = |one: usize, other: usize| match (keys.get(one), keys.get(other)) {
        (Some(one), Some(other)) => scores.are_apart(one, other),
        _ => false,
    };
    let mut groups = Groups::default();
    for (newcomer, near) in near.iter().enumerate() {
        groups.admit(newcomer, near, grouping.least, is_apart);
    }
    groups.told(&keys, &near, grouping)
}

/// Groups while they grow.
#[derive(Default)]
struct Groups {
    members: Vec<Vec<usize>>,
    /// The group of each place that was admitted.
    of: Vec<usize>,
}

impl Groups {
    /// Puts a newcomer into the nearest group, ties into the oldest, or into one of its own.
    fn admit(
        &mut self,
        newcomer: usize,
        near: &BTreeMap<usize, f32>,
        least: f32,
        is_apart: impl Fn(usize, usize) -> bool,
    ) {
        let mut sums: BTreeMap<usize, f32> = BTreeMap::new();
        for (other, score) in near {
            if let Some(group) = self.of.get(*other) {
                *sums.entry(*group).or_insert(0.0) += score;
            }
        }
        let members = |group: usize| self.members.get(group).map_or(&[][..], Vec::as_slice);
        let nearest = sums
            .into_iter()
            .filter(|(group, _)| !members(*group).iter().any(|member| is_apart(newcomer, *member)))
            .map(|(group, sum)| (sum / float(members(group).len().max(1)), group))
            .filter(|(average, _)| *average >= least)
            .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        let group = nearest.map_or(self.members.len(), |(_, group)| group);
        self.of.push(group);
        match self.members.get_mut(group) {
            Some(members) => members.push(newcomer),
            None => self.members.push(vec![newcomer]),
        }
    }

    fn told<K: Ord + Clone>(&self, keys: &[K], near: &[BTreeMap<usize, f32>], grouping: &Grouping) -> Vec<Group<K>> {
        let key = |place: &usize| keys.get(*place).cloned();
        self.members
            .iter()
            .map(|members| {
                let mut sums: BTreeMap<usize, f32> = BTreeMap::new();
                for member in members {
                    for (other, score) in near.get(*member).into_iter().flatten() {
                        *sums.entry(*other).or_insert(0.0) += score;
                    }
                }
                let size = float(members.len());
                let within: f32 = members.iter().filter_map(|member| sums.get(member)).sum();
                let pairs = size * (size - 1.0);
                let mut misses: Vec<(K, f32)> = sums
                    .iter()
                    .filter(|(other, _)| members.binary_search(other).is_err())
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
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GROUPING: Grouping = Grouping { least: 0.4, near_miss: 0.5, most_near_misses: 5 };

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
