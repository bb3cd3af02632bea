//! The ready-made ways to rank texts, to be printed beside our own.

use std::collections::{BTreeMap, HashMap};

use crate::matching::number::float;
use crate::matching::text::language::Language;
use crate::matching::text::stem::Stems;
use crate::matching::text::{plain, words};

/// How each text scores each other, as rows.
pub type Matrix = Vec<Vec<f32>>;

/// BM25 (k₁ 1.2, b 0.75) over Danish stems.
pub fn bm25(texts: &[String]) -> Matrix {
    let stems = Stems::default();
    let stemmed = texts.iter().map(|text| {
        let plain = plain(text);
        words(&plain).map(|word| stems.stem(word, Language::Danish)).collect::<Vec<_>>()
    });
    let counted: Vec<(BTreeMap<String, f32>, f32)> =
        stemmed.map(|words| (counts(words.iter().cloned()), float(words.len()))).collect();
    let spread = spread(counted.iter().map(|(counts, _)| counts));
    let all = float(texts.len());
    let mean = counted.iter().map(|(_, length)| length).sum::<f32>() / all.max(1.0);
    let score = |query: &BTreeMap<String, f32>, text: &BTreeMap<String, f32>, length: f32| -> f32 {
        let terms = query.keys().filter_map(|word| Some((word, text.get(word)?)));
        terms
            .map(|(word, count)| {
                let n = spread.get(word).copied().unwrap_or(0.0);
                let idf = (1.0 + (all - n + 0.5) / (n + 0.5)).ln();
                idf * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * length / mean))
            })
            .sum()
    };
    counted
        .iter()
        .map(|(query, _)| counted.iter().map(|(text, length)| score(query, text, *length)).collect())
        .collect()
}

/// The cosine of runs of three to five letters, weighted by how rare they are.
pub fn letter_runs(texts: &[String]) -> Matrix {
    let counted: Vec<BTreeMap<String, f32>> =
        texts
            .iter()
            .map(|text| {
                let letters: Vec<char> = plain(text).chars().collect();
                counts((3..=5).flat_map(|length| {
                    letters.windows(length).map(|run| run.iter().collect()).collect::<Vec<String>>()
                }))
            })
            .collect();
    let spread = spread(counted.iter());
    let all = float(texts.len());
    let weighed: Vec<BTreeMap<&str, f32>> = counted
        .iter()
        .map(|counts| {
            let mut weighed: BTreeMap<&str, f32> = counts
                .iter()
                .map(|(run, count)| {
                    let n = spread.get(run).copied().unwrap_or(1.0);
                    (run.as_str(), (1.0 + count.ln()) * ((1.0 + all) / (1.0 + n)).ln())
                })
                .collect();
            let norm = weighed.values().map(|w| w * w).sum::<f32>().sqrt().max(f32::EPSILON);
            weighed.values_mut().for_each(|w| *w /= norm);
            weighed
        })
        .collect();
    let mut holders: HashMap<&str, Vec<(usize, f32)>> = HashMap::new();
    for (text, runs) in weighed.iter().enumerate() {
        for (run, weight) in runs {
            holders.entry(run).or_default().push((text, *weight));
        }
    }
    let row = |runs: &BTreeMap<&str, f32>| {
        let mut row = vec![0.0; texts.len()];
        for (run, weight) in runs {
            for (text, other) in holders.get(run).into_iter().flatten() {
                if let Some(cell) = row.get_mut(*text) {
                    *cell += weight * other;
                }
            }
        }
        row
    };
    weighed.iter().map(row).collect()
}

fn counts(items: impl Iterator<Item = String>) -> BTreeMap<String, f32> {
    let mut counts = BTreeMap::new();
    for item in items {
        *counts.entry(item).or_insert(0.0) += 1.0;
    }
    counts
}

fn spread<'a>(all: impl Iterator<Item = &'a BTreeMap<String, f32>>) -> HashMap<String, f32> {
    let mut spread = HashMap::new();
    for key in all.flat_map(BTreeMap::keys) {
        *spread.entry(key.clone()).or_insert(0.0) += 1.0;
    }
    spread
}
