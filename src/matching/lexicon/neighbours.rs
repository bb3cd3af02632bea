//! The neighbours of a concept: what it is a kind of, what it is related to, and its twins in other fields.

use std::collections::BTreeMap;

use super::Concept;
use super::terms::Terms;
use crate::matching::number::{at, id};

/// How much of a concept's weight a neighbour is given.
#[derive(Debug, Clone, Copy)]
pub struct Nearness {
    /// The concept it is a kind of; what that is a kind of gets the square of this.
    pub broader: f32,
    pub related: f32,
    /// The same matter in another field.
    pub same: f32,
    /// A concept written with the same words, mostly in another field; times their likeness.
    pub twin: f32,
}

impl Default for Nearness {
    fn default() -> Self {
        Nearness { broader: 0.5, related: 0.4, same: 0.8, twin: 0.5 }
    }
}

/// Concepts that share fewer words than this are no twins.
const LEAST_LIKENESS: f32 = 0.2;
const MOST_TWINS: usize = 6;
/// A word of more concepts than this makes none of them twins.
const MOST_SHARED: usize = 60;

pub fn neighbours(concepts: &[Concept], terms: &Terms, nearness: Nearness) -> Vec<Vec<(u32, f32)>> {
    let mut near: Vec<BTreeMap<u32, f32>> = vec![BTreeMap::new(); concepts.len()];
    let mut meet = |from: usize, to: u32, weight: f32| {
        if let Some(list) = near.get_mut(from) {
            let known = list.entry(to).or_insert(0.0);
            *known = known.max(weight);
        }
    };
    let is_field = |number: u32| concepts.get(at(number)).is_none_or(|concept| concept.is_field);
    for (number, concept) in concepts.iter().enumerate() {
        meet(number, id(number), 1.0);
        for parent in concept.broader.iter().filter(|parent| !is_field(**parent)) {
            meet(number, *parent, nearness.broader);
            let above = concepts.get(at(*parent)).map_or(&[][..], |parent| &parent.broader);
            for grandparent in above.iter().filter(|above| !is_field(**above)) {
                meet(number, *grandparent, nearness.broader * nearness.broader);
            }
        }
        for other in concept.related.iter().filter(|other| !is_field(**other)) {
            meet(number, *other, nearness.related);
            meet(at(*other), id(number), nearness.related);
        }
    }
    for (number, concept) in concepts.iter().enumerate() {
        for other in &concept.same_as {
            meet(number, *other, nearness.same);
            meet(at(*other), id(number), nearness.same);
        }
    }
    for (number, list) in twins(concepts.len(), terms).into_iter().enumerate() {
        for (other, likeness) in list {
            meet(number, other, nearness.twin * likeness.sqrt());
        }
    }
    near.into_iter().map(|list| list.into_iter().collect()).collect()
}

/// For each concept the few others whose words are most like its own.
fn twins(count: usize, terms: &Terms) -> Vec<Vec<(u32, f32)>> {
    let mut likeness: Vec<BTreeMap<u32, f32>> = vec![BTreeMap::new(); count];
    for shares in terms.shares().filter(|shares| shares.len() <= MOST_SHARED) {
        for (a, share_a) in shares {
            for (b, share_b) in shares.iter().filter(|(b, _)| b != a) {
                if let Some(list) = likeness.get_mut(at(*a)) {
                    *list.entry(*b).or_insert(0.0) += share_a * share_b;
                }
            }
        }
    }
    likeness
        .into_iter()
        .map(|list| {
            let mut list: Vec<(u32, f32)> =
                list.into_iter().filter(|(_, likeness)| *likeness >= LEAST_LIKENESS).collect();
            list.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            list.truncate(MOST_TWINS);
            list
        })
        .collect()
}

/// Kin nearer than this are listed.
const LEAST_KINSHIP: f32 = 0.15;
const MOST_KIN: usize = 20;

/// For each concept those whose neighbourhoods overlap its own, with how much: the cosine of the two.
pub fn kin(near: &[Vec<(u32, f32)>]) -> Vec<Vec<(u32, f32)>> {
    let norm = |list: &[(u32, f32)]| list.iter().map(|(_, w)| w * w).sum::<f32>().sqrt();
    let mut holders: Vec<Vec<(u32, f32)>> = vec![Vec::new(); near.len()];
    for (number, list) in near.iter().enumerate() {
        let norm = norm(list).max(f32::EPSILON);
        for (neighbour, weight) in list {
            if let Some(holders) = holders.get_mut(at(*neighbour)) {
                holders.push((id(number), weight / norm));
            }
        }
    }
    near.iter()
        .map(|list| {
            let norm = norm(list).max(f32::EPSILON);
            let mut overlap: BTreeMap<u32, f32> = BTreeMap::new();
            for (neighbour, weight) in list {
                for (holder, share) in holders.get(at(*neighbour)).into_iter().flatten() {
                    *overlap.entry(*holder).or_insert(0.0) += share * weight / norm;
                }
            }
            let mut list: Vec<(u32, f32)> =
                overlap.into_iter().filter(|(_, nearness)| *nearness >= LEAST_KINSHIP).collect();
            list.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            list.truncate(MOST_KIN);
            list
        })
        .collect()
}
