//! The company a need keeps: two needs that are alike are alike to the same others.
//!
//! Two texts may express one need without sharing a word, while a third text shares words with both.
//! So the best of an answer are compared with one another, and in a few rounds each pair's score takes
//! in how near the nearest of the one are to the other.

use super::number::float;

/// How many of the nearest are one's company.
const NEAREST: usize = 6;
/// Only what a neighbour is nearer than this share of the next one's nearness counts.
const FLOOR: f32 = 0.95;
const ROUNDS: usize = 3;
/// A need that is near to many is less near to each: of the mean of this many nearest a share is taken off, from each side
/// of a pair (the *hubs* of a neighbourhood would be everybody's company otherwise; CSLS, cross-domain similarity local
/// scaling, Conneau et al. 2018, takes a half). From 0.25 to 0.5 do about as well; less ranks better, more groups better.
const CROWD: usize = 10;
const CROWDED: f32 = 0.25;
/// Among so many needs and fewer, those that are nearest are merely those there are: they are no company. Chosen as the
/// number under which the labels of small indexes drawn from a set are most likely (all from 40 to 80 do about as well).
const STRANGERS: f32 = 60.0;

/// How much of its company a need sees among so many, 0 to 1.
pub fn seen(needs: usize) -> f32 {
    (1.0 - (STRANGERS / float(needs.max(1))).powi(2)).max(0.0)
}

/// Takes the company in: `scores` holds how near the asked (first) and the best of its answer are to each other; what
/// comes back is how near each of the answer is to the asked, with as much weight on `company` as on the score itself.
pub fn keep(scores: &Square, company: f32) -> Vec<f32> {
    let mut scores = scores.without_crowds();
    for _ in 0..ROUNDS {
        scores = scores.round(company);
    }
    let rounds = i32::try_from(ROUNDS).unwrap_or(0);
    let least = (1.0 + company).powi(-rounds);
    (1..scores.size).map(|column| scores.get(0, column) * least).collect()
}

/// How near each of a few needs is to each other.
pub struct Square {
    size: usize,
    cells: Vec<f32>,
}

impl Square {
    pub fn new(size: usize) -> Square {
        Square { size, cells: vec![0.0; size * size] }
    }

    pub fn get(&self, row: usize, column: usize) -> f32 {
        self.cells.get(row * self.size + column).copied().unwrap_or(0.0)
    }

    pub fn set(&mut self, row: usize, column: usize, value: f32) {
        for at in [row * self.size + column, column * self.size + row] {
            if let Some(cell) = self.cells.get_mut(at) {
                *cell = value;
            }
        }
    }

    fn without_crowds(&self) -> Square {
        let crowd = |row: usize| -> f32 {
            let mut nearest: Vec<f32> =
                (0..self.size).filter(|other| *other != row).map(|other| self.get(row, other)).collect();
            nearest.sort_by(|a, b| b.total_cmp(a));
            nearest.truncate(CROWD);
            nearest.iter().sum::<f32>() / float(CROWD)
        };
        let crowds: Vec<f32> = (0..self.size).map(crowd).collect();
        let mean = crowds.iter().sum::<f32>() / float(self.size.max(1));
        let off = |row: usize| crowds.get(row).map_or(0.0, |crowd| crowd - mean);
        let mut next = Square::new(self.size);
        for row in 0..self.size {
            for column in 0..row {
                next.set(row, column, self.get(row, column) - CROWDED * (off(row) + off(column)));
            }
        }
        next
    }

    fn round(&self, weight: f32) -> Square {
        let company: Vec<Vec<(usize, f32)>> = (0..self.size).map(|row| self.nearest(row)).collect();
        let heard = |one: usize, other: usize| -> f32 {
            let friends = company.get(one).into_iter().flatten();
            friends
                .map(|(friend, share)| {
                    share * if *friend == other { self.get(one, other) } else { self.get(*friend, other) }
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
