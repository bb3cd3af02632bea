//! Counting numbers as floats and small ids, and an order for floats, in one place.

/// A count as a float; counts here stay far below where `f32` rounds in a way that matters.
#[expect(clippy::as_conversions, reason = "usize to f32 has no From; rounding above 2^24 is harmless")]
pub fn float(count: usize) -> f32 {
    count as f32
}

/// A position as a 32-bit id; a table of more than four thousand million rows is not foreseen.
pub fn id(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

/// A 32-bit id as a position.
pub fn at(id: u32) -> usize {
    usize::try_from(id).unwrap_or(usize::MAX)
}

/// Best first: by falling score, ties by rising tie-breaker.
pub fn best_first<T: Ord>(a: (f32, &T), b: (f32, &T)) -> std::cmp::Ordering {
    b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1))
}
