//! Counters second by second, in 16 bits each until one needs more: a service keeps ten minutes of them for each of a
//! thousand loads, and hardly any load sends 65 536 requests in a second.

use std::collections::VecDeque;

/// `N` counters a row.
#[derive(Clone, Debug)]
pub(super) enum Rows<const N: usize> {
    /// As long as each fits.
    Narrow(VecDeque<[u16; N]>),
    /// After one did not.
    Wide(VecDeque<[u32; N]>),
}

impl<const N: usize> Rows<N> {
    pub(super) fn new() -> Self {
        Self::Narrow(VecDeque::new())
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Narrow(rows) => rows.len(),
            Self::Wide(rows) => rows.len(),
        }
    }

    pub(super) fn capacity(&self) -> usize {
        match self {
            Self::Narrow(rows) => rows.capacity(),
            Self::Wide(rows) => rows.capacity(),
        }
    }

    /// Appends a row of zeros.
    pub(super) fn push(&mut self) {
        match self {
            Self::Narrow(rows) => rows.push_back([0; N]),
            Self::Wide(rows) => rows.push_back([0; N]),
        }
    }

    /// Adds to a row that there is.
    pub(super) fn add(&mut self, row: usize, more: [u32; N]) {
        if let Self::Narrow(rows) = self {
            let mut sum = rows[row];
            let fits = sum.iter_mut().zip(more).all(|(count, more)| {
                let wider = u16::try_from(u32::from(*count).saturating_add(more));
                *count = wider.unwrap_or_default();
                wider.is_ok()
            });
            if fits {
                rows[row] = sum;
                return;
            }
            let mut wide = VecDeque::with_capacity(rows.capacity());
            wide.extend(rows.iter().map(|row| row.map(u32::from)));
            *self = Self::Wide(wide);
        }
        if let Self::Wide(rows) = self {
            rows[row].iter_mut().zip(more).for_each(|(count, more)| *count = count.saturating_add(more));
        }
    }

    /// One row; zeros where there is none.
    pub(super) fn get(&self, row: usize) -> [u64; N] {
        match self {
            Self::Narrow(rows) => rows.get(row).map_or([0; N], |row| row.map(u64::from)),
            Self::Wide(rows) => rows.get(row).map_or([0; N], |row| row.map(u64::from)),
        }
    }

    /// Forgets the first rows.
    pub(super) fn drop_front(&mut self, count: usize) {
        match self {
            Self::Narrow(rows) => drop(rows.drain(..count)),
            Self::Wide(rows) => drop(rows.drain(..count)),
        }
    }

    pub(super) fn reserve_exact(&mut self, more: usize) {
        match self {
            Self::Narrow(rows) => rows.reserve_exact(more),
            Self::Wide(rows) => rows.reserve_exact(more),
        }
    }

    /// Bytes held on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Self::Narrow(rows) => rows.capacity() * size_of::<[u16; N]>(),
            Self::Wide(rows) => rows.capacity() * size_of::<[u32; N]>(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_the_same_before_and_after_one_outgrows_sixteen_bits() {
        let mut rows = Rows::<2>::new();
        (0..3).for_each(|_| rows.push());
        rows.add(0, [1, 2]);
        rows.add(2, [65_535, 7]);
        let narrow = rows.heap_bytes();
        assert!(matches!(rows, Rows::Narrow(_)));
        rows.add(2, [1, 1]);
        assert!(matches!(rows, Rows::Wide(_)) && rows.heap_bytes() == 2 * narrow);
        rows.add(1, [70_000, 0]);
        assert_eq!([rows.get(0), rows.get(1), rows.get(2), rows.get(3)], [[1, 2], [70_000, 0], [65_536, 8], [0, 0]]);
        rows.drop_front(2);
        assert_eq!((rows.len(), rows.get(0)), (1, [65_536, 8]));
    }
}
