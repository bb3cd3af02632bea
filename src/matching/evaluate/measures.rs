//! The measures: how well a ranking or a grouping agrees with the labels.

use crate::matching::number::float;

/// nDCG at ten, with the gain 2^grade − 1; `all` holds every grade there is to find.
pub fn ndcg_at_10(ranked: &[u8], all: &[u8]) -> f32 {
    let mut ideal = all.to_vec();
    ideal.sort_unstable_by(|a, b| b.cmp(a));
    let best = gain(&ideal);
    if best > 0.0 { gain(ranked) / best } else { 0.0 }
}

fn gain(grades: &[u8]) -> f32 {
    let gains = grades.iter().take(10).enumerate();
    gains.map(|(at, grade)| (float(1 << grade) - 1.0) / float(at + 2).log2()).sum()
}

/// Precision and recall of each element's own group, as B-cubed asks: how much of it belongs to the
/// element, and how much of what belongs to the element is in it.
pub fn b_cubed_of_each(truth: &[usize], found: &[usize]) -> Vec<(f32, f32)> {
    let pairs = || truth.iter().zip(found);
    pairs()
        .map(|(t, f)| {
            let both = pairs().filter(|(t2, f2)| *t2 == t && *f2 == f).count();
            let in_found = found.iter().filter(|f2| *f2 == f).count();
            let in_truth = truth.iter().filter(|t2| *t2 == t).count();
            (float(both) / float(in_found.max(1)), float(both) / float(in_truth.max(1)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perfect_ranking_is_one() {
        assert!((ndcg_at_10(&[2, 2, 1, 0], &[0, 1, 2, 2]) - 1.0).abs() < 1e-6);
        assert!(ndcg_at_10(&[0, 1, 2, 2], &[0, 1, 2, 2]) < 0.7);
        assert_eq!(ndcg_at_10(&[], &[]), 0.0);
    }

    #[test]
    fn b_cubed_sees_what_is_mixed_and_what_is_torn_apart() {
        assert_eq!(b_cubed_of_each(&[0, 0], &[5, 5]), [(1.0, 1.0), (1.0, 1.0)]);
        assert_eq!(b_cubed_of_each(&[0, 1], &[5, 5]), [(0.5, 1.0), (0.5, 1.0)]);
        assert_eq!(b_cubed_of_each(&[0, 0], &[5, 6]), [(1.0, 0.5), (1.0, 0.5)]);
    }
}
