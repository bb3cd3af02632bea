//! What is asked for, counted so that nobody can be told apart: small numbers are hidden, and as many others with them as
//! it takes that a hidden one does not follow from the sums.

/// Fewer than this many are hidden.
pub const LEAST: u32 = 3;

/// Counts with the sums of rows and columns as a last column and row, each shown or hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Row by row, the last row and column being the sums; `None` is hidden.
    pub cells: Vec<Vec<Option<u32>>>,
}

/// Counts and sums, and which of them are hidden.
struct Hiding {
    counts: Vec<Vec<u32>>,
    hidden: Vec<Vec<bool>>,
}

impl Table {
    /// Hides what is small in these rows of counts, all of the same length, and what would give it away.
    ///
    /// Every hidden small number lies at a corner of a rectangle of hidden numbers that can all be moved by one without
    /// changing a sum and without one of them becoming zero: from what is shown, at least two values are possible for it.
    #[must_use]
    pub fn of(counts: &[Vec<u32>]) -> Self {
        let mut hiding = Hiding::of(counts);
        for (row, column) in hiding.small() {
            if !hiding.is_safe(row, column) {
                hiding.cover(row, column);
            }
        }
        let show = |(counts, hidden): (&Vec<u32>, &Vec<bool>)| {
            counts.iter().zip(hidden).map(|(count, hidden)| (!hidden).then_some(*count)).collect()
        };
        Self { cells: hiding.counts.iter().zip(&hiding.hidden).map(show).collect() }
    }
}

impl Hiding {
    fn of(rows: &[Vec<u32>]) -> Self {
        let width = rows.first().map_or(0, Vec::len);
        let mut counts: Vec<Vec<u32>> = rows.iter().map(|row| with_sum(row.clone())).collect();
        let columns = (0..width).map(|column| rows.iter().filter_map(|row| row.get(column)).sum());
        counts.push(with_sum(columns.collect()));
        let hidden = counts.iter().map(|row| row.iter().map(|count| (1..LEAST).contains(count)).collect()).collect();
        Self { counts, hidden }
    }

    fn small(&self) -> Vec<(usize, usize)> {
        let rows = self.hidden.iter().enumerate();
        rows.flat_map(|(row, cells)| {
            cells.iter().enumerate().filter(|(_, hidden)| **hidden).map(move |(column, _)| (row, column))
        })
        .collect()
    }

    fn count(&self, (row, column): (usize, usize)) -> u32 {
        self.counts.get(row).and_then(|cells| cells.get(column)).copied().unwrap_or_default()
    }

    fn is_hidden(&self, (row, column): (usize, usize)) -> bool {
        self.hidden.get(row).and_then(|cells| cells.get(column)).copied().unwrap_or_default()
    }

    fn height(&self) -> usize {
        self.counts.len()
    }

    fn width(&self) -> usize {
        self.counts.first().map_or(0, Vec::len)
    }

    /// The rectangles with this corner: the other three.
    fn rectangles(&self, row: usize, column: usize) -> impl Iterator<Item = [(usize, usize); 3]> {
        let (height, width) = (self.height(), self.width());
        (0..height).filter(move |other| *other != row).flat_map(move |other_row| {
            (0..width)
                .filter(move |other| *other != column)
                .map(move |other_column| [(row, other_column), (other_row, column), (other_row, other_column)])
        })
    }

    /// Whether the four corners can move by one together, up or down at the first, and none of them to zero.
    fn moves(&self, row: usize, column: usize, [beside, below, across]: [(usize, usize); 3]) -> bool {
        let (last_row, last_column) = (self.height().saturating_sub(1), self.width().saturating_sub(1));
        // A sum moves with its part, a part against its neighbour.
        let in_row = (column == last_column) != (beside.1 == last_column);
        let in_column = (row == last_row) != (below.0 == last_row);
        let ups = [true, in_row, in_column, in_row == in_column];
        let counts = [(row, column), beside, below, across].map(|at| self.count(at));
        let may =
            |up: bool| ups.iter().zip(counts).all(|(with, count)| if *with == up { count >= 1 } else { count >= 2 });
        may(true) || may(false)
    }

    fn is_safe(&self, row: usize, column: usize) -> bool {
        self.rectangles(row, column)
            .any(|corners| corners.iter().all(|at| self.is_hidden(*at)) && self.moves(row, column, corners))
    }

    /// Hides the rectangle that costs least. There is one: the sums alone can always move along.
    fn cover(&mut self, row: usize, column: usize) {
        let cost = |corners: &[(usize, usize); 3]| {
            corners.iter().filter(|at| !self.is_hidden(**at)).map(|at| u64::from(self.count(*at))).sum::<u64>()
        };
        let fit = self.rectangles(row, column).filter(|corners| self.moves(row, column, *corners));
        let Some(cheapest) = fit.min_by_key(cost) else { return };
        for (row, column) in cheapest {
            if let Some(cell) = self.hidden.get_mut(row).and_then(|cells| cells.get_mut(column)) {
                *cell = true;
            }
        }
    }
}

fn with_sum(mut row: Vec<u32>) -> Vec<u32> {
    row.push(row.iter().sum());
    row
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_small_number_does_not_follow_from_the_sums() {
        let table = Table::of(&[vec![1, 7], vec![9, 8]]);
        assert_eq!(
            table.cells,
            [vec![None, None, Some(8)], vec![None, None, Some(17)], vec![Some(10), Some(15), Some(25)]]
        );
    }

    #[test]
    fn zeros_and_large_numbers_are_shown() {
        let table = Table::of(&[vec![0, 7], vec![3, 0]]);
        assert!(table.cells.iter().flatten().all(Option::is_some));
        assert_eq!(Table::of(&[vec![0, 0]]).cells.concat(), vec![Some(0); 6]);
    }

    #[test]
    fn a_single_request_hides_its_sums() {
        let table = Table::of(&[vec![1, 0], vec![0, 0]]);
        assert_eq!(table.cells[0], [None, Some(0), None]);
        assert_eq!(table.cells[2], [None, Some(0), None]);
    }

    /// All tables of these sums and shown numbers in which what is hidden is at least one, by trying.
    fn possible(table: &Table, most: u32) -> Vec<[u32; 4]> {
        let shown = |row: usize, column: usize| table.cells[row][column];
        let mut found = Vec::new();
        let range = |row: usize, column: usize| shown(row, column).map_or(1..=most, |count| count..=count);
        for a in range(0, 0) {
            for b in range(0, 1) {
                for c in range(1, 0) {
                    for d in range(1, 1) {
                        let sums = [(0, 2, a + b), (1, 2, c + d), (2, 0, a + c), (2, 1, b + d), (2, 2, a + b + c + d)];
                        let fits = |(row, column, sum): &(usize, usize, u32)| match shown(*row, *column) {
                            Some(count) => count == *sum,
                            None => *sum >= 1,
                        };
                        if sums.iter().all(fits) {
                            found.push([a, b, c, d]);
                        }
                    }
                }
            }
        }
        found
    }

    proptest! {
        #[test]
        fn whoever_tries_all_tables_learns_no_small_number(counts in prop::array::uniform4(0_u32..7)) {
            let [a, b, c, d] = counts;
            let table = Table::of(&[vec![a, b], vec![c, d]]);
            let possible = possible(&table, 20);
            prop_assert!(possible.contains(&counts));
            for (at, count) in counts.iter().enumerate().filter(|(_, count)| (1..LEAST).contains(*count)) {
                let values: std::collections::BTreeSet<u32> = possible.iter().map(|one| one[at]).collect();
                prop_assert!(values.len() > 1, "{count} at {at} follows from {table:?}");
            }
        }

        #[test]
        fn what_is_shown_is_true(rows in prop::collection::vec(prop::collection::vec(0_u32..9, 4), 1..6)) {
            let table = Table::of(&rows);
            for (row, cells) in rows.iter().enumerate() {
                for (column, count) in cells.iter().enumerate() {
                    let shown = table.cells[row][column];
                    prop_assert!(shown.is_none_or(|shown| shown == *count));
                    prop_assert!(shown.is_none() || !(1..LEAST).contains(count));
                }
                prop_assert!(table.cells[row][4].is_none_or(|sum| sum == cells.iter().sum::<u32>()));
            }
        }
    }
}
