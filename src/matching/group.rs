//! Groups that suggest themselves: needs that look like one need, bundled, never merged.
//!
//! Two groups join while the needs of the one are on average near enough to those of the other, the
//! nearest groups first. Groups that stood before stand again: they are where the joining starts, so
//! that a new need may join a group or found one with others, but reshuffles none.

use std::collections::{BTreeMap, BTreeSet};

use super::number::float;

/// How near needs must be to be grouped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grouping {
    /// Groups whose needs score on average at least this much together are joined.
    pub least: f32,
    /// A need that scores at least this share of `least` with a group is a near miss.
    pub near_miss: f32,
    pub most_near_misses: usize,
}

impl Default for Grouping {
    fn default() -> Self {
        Grouping { least: 0.35, near_miss: 0.4, most_near_misses: 5 }
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
}

impl<K: Ord> Default for Scores<K> {
    fn default() -> Self {
        Scores { sums: BTreeMap::new() }
    }
}

impl<K: Ord + Clone> Scores<K> {
    /// Tells how `one` scored `other`; the pair's score is the mean of both
    /// tellings, where one that is not told is nothing.
    pub fn tell(&mut self, one: &K, other: &K, score: f32) {
        let pair = if one < other { (one.clone(), other.clone()) } else { (other.clone(), one.clone()) };
        *self.sums.entry(pair).or_insert(0.0) += score;
    }

    /// Says what a pair scores, whatever was told of it.
    pub fn say(&mut self, one: &K, other: &K, score: f32) {
        let pair = if one < other { (one.clone(), other.clone()) } else { (other.clone(), one.clone()) };
        self.sums.insert(pair, 2.0 * score);
    }

    fn pairs(&self) -> impl Iterator<Item = (&K, &K, f32)> {
        self.sums.iter().map(|((a, b), sum)| (a, b, sum / 2.0))
    }
}

/// All groups, also those of one, by their first member. `earlier` are the groups that stood before;
/// what of them is no longer among `keys` is left out.
pub fn group<K: Ord + Clone>(keys: &[K], earlier: &[Vec<K>], scores: &Scores<K>, grouping: &Grouping) -> Vec<Group<K>> {
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
    let mut groups = Groups::alone(&near);
    for old in earlier {
        let mut places = old.iter().filter_map(place);
        if let Some(first) = places.next() {
            for other in places {
                groups.join(groups.of(first), groups.of(other));
            }
        }
    }
    groups.grow(grouping.least);
    groups.told(&keys, &near, grouping)
}

/// Groups while they grow: each goes by the place of its first member.
struct Groups {
    members: Vec<Vec<usize>>,
    of: Vec<usize>,
    /// The sum of scores between two groups.
    between: Vec<BTreeMap<usize, f32>>,
}

impl Groups {
    fn alone(near: &[BTreeMap<usize, f32>]) -> Groups {
        Groups {
            members: (0..near.len()).map(|place| vec![place]).collect(),
            of: (0..near.len()).collect(),
            between: near.to_vec(),
        }
    }

    fn of(&self, place: usize) -> usize {
        self.of.get(place).copied().unwrap_or(place)
    }

    fn size(&self, group: usize) -> usize {
        self.members.get(group).map_or(0, Vec::len)
    }

    fn join(&mut self, a: usize, b: usize) {
        let (into, from) = (a.min(b), a.max(b));
        if into == from {
            return;
        }
        let moved = self.members.get_mut(from).map(std::mem::take).unwrap_or_default();
        for place in &moved {
            if let Some(of) = self.of.get_mut(*place) {
                *of = into;
            }
        }
        if let Some(members) = self.members.get_mut(into) {
            members.extend(moved);
            members.sort_unstable();
        }
        let links = self.between.get_mut(from).map(std::mem::take).unwrap_or_default();
        for (other, sum) in links {
            if let Some(list) = self.between.get_mut(other) {
                list.remove(&from);
                if other != into {
                    *list.entry(into).or_insert(0.0) += sum;
                }
            }
            if other != into
                && let Some(list) = self.between.get_mut(into)
            {
                *list.entry(other).or_insert(0.0) += sum;
            }
        }
    }

    fn average(&self, a: usize, b: usize, sum: f32) -> f32 {
        sum / float((self.size(a) * self.size(b)).max(1))
    }

    /// The nearest group of a group; ties go to the one that comes first.
    fn nearest(&self, group: usize) -> Option<(f32, usize)> {
        let links = self.between.get(group)?.iter();
        links
            .map(|(other, sum)| (self.average(group, *other, *sum), *other))
            .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))
    }

    fn grow(&mut self, least: f32) {
        let mut nearest: BTreeMap<usize, (f32, usize)> =
            (0..self.members.len()).filter_map(|group| Some((group, self.nearest(group)?))).collect();
        loop {
            let best = nearest
                .iter()
                .map(|(group, (average, other))| (*average, *group, *other))
                .max_by(|a, b| a.0.total_cmp(&b.0).then((b.1, b.2).cmp(&(a.1, a.2))));
            let Some((_, group, other)) = best.filter(|(average, ..)| *average >= least) else { return };
            self.join(group, other);
            let into = group.min(other);
            nearest.remove(&group.max(other));
            let mut stale: BTreeSet<usize> =
                nearest.iter().filter(|(_, (_, to))| *to == group || *to == other).map(|(from, _)| *from).collect();
            stale.insert(into);
            stale.extend(self.between.get(into).into_iter().flat_map(BTreeMap::keys));
            for from in stale {
                match self.nearest(from) {
                    Some(found) => nearest.insert(from, found),
                    None => nearest.remove(&from),
                };
            }
        }
    }

    fn told<K: Ord + Clone>(&self, keys: &[K], near: &[BTreeMap<usize, f32>], grouping: &Grouping) -> Vec<Group<K>> {
        let key = |place: &usize| keys.get(*place).cloned();
        let groups = self.members.iter().filter(|members| !members.is_empty());
        groups
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
        let groups = group(&[1, 2, 3, 4, 5], &[], &scores, &GROUPING);
        assert_eq!(members(&groups), [vec![1, 2, 3], vec![4], vec![5]]);
        assert!((groups[0].cohesion - 0.8).abs() < 1e-6);
        assert_eq!(groups[0].near_misses.first().map(|(key, _)| *key), Some(4));
    }

    #[test]
    fn a_group_that_stood_before_is_not_reshuffled_by_a_new_need() {
        let scores = scores(&[(1, 2, 0.5), (2, 3, 0.95), (3, 4, 0.9), (2, 4, 0.9)]);
        let earlier = [vec![1, 2]];
        let groups = group(&[1, 2, 3, 4], &earlier, &scores, &GROUPING);
        assert!(groups.iter().any(|group| group.members.starts_with(&[1, 2])), "{groups:?}");
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
            let groups = group(&keys, &[], &scores, &GROUPING);
            let mut all: Vec<u32> = groups.iter().flat_map(|group| group.members.clone()).collect();
            all.sort_unstable();
            prop_assert_eq!(&all, &keys);
            prop_assert_eq!(groups, group(&backwards, &[], &scores, &GROUPING));
        }

        #[test]
        fn earlier_groups_stand(
            pairs in proptest::collection::vec((0_u32..12, 0_u32..12, 0.0_f32..1.0), 0..40),
        ) {
            let pairs: Vec<_> = pairs.into_iter().filter(|(a, b, _)| a != b).collect();
            let earlier = vec![vec![0, 1, 2], vec![5, 9]];
            let keys: Vec<u32> = (0..12).collect();
            let groups = group(&keys, &earlier, &scores(&pairs), &GROUPING);
            for old in earlier {
                prop_assert!(groups.iter().any(|group| old.iter().all(|key| group.members.contains(key))));
            }
        }
    }
}
