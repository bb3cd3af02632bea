//! The company a need keeps: two needs that are alike are alike to the same others.
//!
//! Two texts may express one need without sharing a word, while a third text shares words with both.
//! So the best of an answer are compared with one another, and in a few rounds each pair's score takes
//! in how near the nearest of the one are to the other.

use super::score::{Weighed, Weights};

/// How many of the nearest are one's company.
const NEAREST: usize = 5;
/// Only what a neighbour is nearer than this share of the next one's nearness counts.
const FLOOR: f32 = 0.9;
const ROUNDS: usize = 3;
/// One that is itself among the nearest is taken to be this many times as near to itself as to the other.
const SELF: f32 = 1.5;

/// The raw scores of all candidates (falling) with the company of those in the pool, which are the first.
pub fn keep(raws: &[f32], pool: &[Weighed], weights: &Weights) -> Vec<f32> {
    let all = pool.len() + 1;
    let mut scores = Square::new(all);
    let mut sums = Vec::new();
    for (row, one) in pool.iter().enumerate() {
        scores.set(0, row + 1, raws.get(row).copied().unwrap_or(0.0));
        for (column, other) in pool.iter().enumerate().take(row) {
            scores.set(row + 1, column + 1, one.raw(other, weights, &mut sums));
        }
    }
    for _ in 0..ROUNDS {
        scores = scores.round(weights.company);
    }
    let rounds = i32::try_from(ROUNDS).unwrap_or(0);
    let least = (1.0 + weights.company).powi(-rounds);
    let with_company = (1..all).map(|column| scores.get(0, column));
    let alone = raws.iter().skip(pool.len()).copied();
    with_company.chain(alone).map(|raw| raw * least).collect()
}

/// How near each of a few needs is to each other.
struct Square {
    size: usize,
    cells: Vec<f32>,
}

impl Square {
    fn new(size: usize) -> Square {
        Square { size, cells: vec![0.0; size * size] }
    }

    fn get(&self, row: usize, column: usize) -> f32 {
        self.cells.get(row * self.size + column).copied().unwrap_or(0.0)
    }

    fn set(&mut self, row: usize, column: usize, value: f32) {
        for at in [row * self.size + column, column * self.size + row] {
            if let Some(cell) = self.cells.get_mut(at) {
                *cell = value;
            }
        }
    }

    fn round(&self, weight: f32) -> Square {
        let company: Vec<Vec<(usize, f32)>> = (0..self.size).map(|row| self.nearest(row)).collect();
        let heard = |one: usize, other: usize| -> f32 {
            let friends = company.get(one).into_iter().flatten();
            friends
                .map(|(friend, share)| {
                    share * if *friend == other { SELF * self.get(one, other) } else { self.get(*friend, other) }
                })
                .sum()
        };
        let mut next = Square::new(self.size);
        for row in 0..self.size {
            for column in 0..row {
                let both = heard(row, column) + heard(column, row);
                next.set(row, column, self.get(row, column) + weight * both / 2.0);
            }
        }
        next
    }

    /// The nearest few, each with its share of the company.
    fn nearest(&self, row: usize) -> Vec<(usize, f32)> {
        let mut all: Vec<(usize, f32)> =
            (0..self.size).filter(|other| *other != row).map(|other| (other, self.get(row, other))).collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let floor = FLOOR * all.get(NEAREST).map_or(0.0, |(_, raw)| *raw);
        all.truncate(NEAREST);
        let sum: f32 = all.iter().map(|(_, raw)| (raw - floor).max(0.0)).sum();
        for (_, raw) in &mut all {
            *raw = (*raw - floor).max(0.0) / sum.max(f32::EPSILON);
        }
        all
    }
}
