//! Chance that is the same each time.

/// Numbers that look mixed and are the same each time (SplitMix64).
pub struct Mix(u64);

impl Mix {
    pub fn of(seed: usize) -> Mix {
        Mix(u64::try_from(seed).unwrap_or(0))
    }

    /// A number below the bound; 0 where there is none.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        let bound = u64::try_from(bound.max(1)).unwrap_or(1);
        usize::try_from(z % bound).unwrap_or(0)
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }

    /// So many of these, each at most once.
    pub fn draw<T>(&mut self, mut from: Vec<T>, many: usize) -> Vec<T> {
        let mut drawn = Vec::with_capacity(many);
        while drawn.len() < many && !from.is_empty() {
            drawn.push(from.swap_remove(self.below(from.len())));
        }
        drawn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_is_drawn_once_and_the_same_each_time() {
        let draw = |seed| Mix::of(seed).draw((0..50).collect(), 20);
        let mut drawn = draw(1);
        assert_eq!(drawn, draw(1));
        assert_ne!(drawn, draw(2));
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn.len(), 20);
        assert_eq!(Mix::of(0).draw(vec![1, 2], 5).len(), 2);
    }
}
