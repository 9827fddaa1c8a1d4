//! A meter's counters second by second, over a run of any length in bounded memory: what shows that failures come in
//! bursts, and what `over=` is judged on.

use super::Ns;

/// More slices than this and pairs are merged, doubling the slice: a day by the second.
const MOST_SLICES: usize = 86_400;

/// `(n, k)` in slices of equal width; a slice may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slices {
    width: Ns,
    rows: Vec<(u64, u64)>,
}

impl Default for Slices {
    fn default() -> Self {
        Self { width: Ns::from_secs(1), rows: Vec::new() }
    }
}

impl Slices {
    /// One slice a second.
    #[must_use]
    pub fn by_second(rows: Vec<(u64, u64)>) -> Self {
        Self { rows, ..Self::default() }
    }

    /// The width of a slice: one second, or more in a run of more than a day.
    #[must_use]
    pub const fn width(&self) -> Ns {
        self.width
    }

    /// Population and those of it that hold, slice by slice.
    #[must_use]
    pub fn rows(&self) -> &[(u64, u64)] {
        &self.rows
    }

    /// Adds to the slice that `at` lies in, counted from where the slices begin.
    pub fn add(&mut self, at: Ns, n: u64, k: u64) {
        while at.0 / self.width.0 >= MOST_SLICES as u64 {
            self.halve();
        }
        let index = (at.0 / self.width.0) as usize;
        if index >= self.rows.len() {
            self.rows.resize(index + 1, (0, 0));
        }
        let row = &mut self.rows[index];
        *row = (row.0 + n, row.1 + k);
    }

    /// Adds those of a later stretch of load behind them. Both become as wide as the wider.
    pub fn follow(&mut self, later: &Self) {
        let mut later = later.clone();
        while self.width < later.width {
            self.halve();
        }
        while later.width < self.width {
            later.halve();
        }
        self.rows.append(&mut later.rows);
    }

    /// Adds another recorder's slices of the same meter. Associative and commutative.
    pub fn merge(&mut self, other: &Self) {
        let mut other = other.clone();
        while self.width < other.width {
            self.halve();
        }
        while other.width < self.width {
            other.halve();
        }
        if self.rows.len() < other.rows.len() {
            self.rows.resize(other.rows.len(), (0, 0));
        }
        self.rows.iter_mut().zip(&other.rows).for_each(|(mine, theirs)| *mine = (mine.0 + theirs.0, mine.1 + theirs.1));
    }

    fn halve(&mut self) {
        self.width = Ns(self.width.0 * 2);
        self.rows = self
            .rows
            .chunks(2)
            .map(|pair| pair.iter().fold((0, 0), |all, row| (all.0 + row.0, all.1 + row.1)))
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_days_keeps_every_count_in_bounded_memory() {
        let mut long = Slices::default();
        for second in (0..400_000).step_by(7) {
            long.add(Ns::from_secs(second), 2, 1);
        }
        assert_eq!(long.width(), Ns::from_secs(8));
        assert!(long.rows().len() <= MOST_SLICES);
        let mut short = Slices::default();
        short.add(Ns::from_millis(1_500), 3, 0);
        assert_eq!(short.rows(), [(0, 0), (3, 0)]);
        let mut other_way = short.clone();
        other_way.merge(&long);
        long.merge(&short);
        assert_eq!(long, other_way);
        let all = long.rows().iter().fold((0, 0), |all, row| (all.0 + row.0, all.1 + row.1));
        assert_eq!(all, (2 * 57_143 + 3, 57_143));
    }
}
