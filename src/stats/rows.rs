//! Counters second by second, in 8 bits each until one needs 16, and in 16 until one needs 32: a service keeps ten minutes
//! of them for each of a thousand loads, and hardly any of those sends 256 requests in a second.

use std::collections::VecDeque;

/// `N` counters a row.
#[derive(Clone, Debug)]
pub(super) enum Rows<const N: usize> {
    /// As long as each fits.
    Tiny(VecDeque<[u8; N]>),
    /// After one did not.
    Narrow(VecDeque<[u16; N]>),
    /// After one did not fit there either.
    Wide(VecDeque<[u32; N]>),
}

/// The same for whatever width the rows have.
macro_rules! of_any_width {
    ($rows:expr, $name:ident => $do:expr) => {
        match $rows {
            Rows::Tiny($name) => $do,
            Rows::Narrow($name) => $do,
            Rows::Wide($name) => $do,
        }
    };
}

impl<const N: usize> Rows<N> {
    pub(super) fn new() -> Self {
        Self::Tiny(VecDeque::new())
    }

    pub(super) fn len(&self) -> usize {
        of_any_width!(self, rows => rows.len())
    }

    pub(super) fn capacity(&self) -> usize {
        of_any_width!(self, rows => rows.capacity())
    }

    /// Appends a row of zeros.
    pub(super) fn push(&mut self) {
        of_any_width!(self, rows => rows.push_back([0; N]));
    }

    /// Adds to a row that there is. No counter goes above what 32 bits hold.
    pub(super) fn add(&mut self, row: usize, more: [u32; N]) {
        loop {
            let fits = match self {
                Self::Tiny(rows) => fit(&mut rows[row], more),
                Self::Narrow(rows) => fit(&mut rows[row], more),
                Self::Wide(rows) => {
                    rows[row].iter_mut().zip(more).for_each(|(count, more)| *count = count.saturating_add(more));
                    true
                }
            };
            if fits {
                return;
            }
            self.widen();
        }
    }

    fn widen(&mut self) {
        match self {
            Self::Tiny(rows) => *self = Self::Narrow(wider(rows)),
            Self::Narrow(rows) => *self = Self::Wide(wider(rows)),
            Self::Wide(_) => {}
        }
    }

    /// One row; zeros where there is none.
    pub(super) fn get(&self, row: usize) -> [u64; N] {
        of_any_width!(self, rows => rows.get(row).map_or([0; N], |row| row.map(u64::from)))
    }

    /// Forgets the first rows.
    pub(super) fn drop_front(&mut self, count: usize) {
        of_any_width!(self, rows => drop(rows.drain(..count)));
    }

    pub(super) fn reserve_exact(&mut self, more: usize) {
        of_any_width!(self, rows => rows.reserve_exact(more));
    }

    /// Bytes held on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        let width = match self {
            Self::Tiny(_) => size_of::<u8>(),
            Self::Narrow(_) => size_of::<u16>(),
            Self::Wide(_) => size_of::<u32>(),
        };
        self.capacity() * N * width
    }
}

/// Adds to each counter, if all of them have room for it; nothing is added otherwise.
fn fit<T: Copy + Into<u32> + TryFrom<u32>, const N: usize>(row: &mut [T; N], more: [u32; N]) -> bool {
    let mut sum = *row;
    for (count, more) in sum.iter_mut().zip(more) {
        let Ok(wider) = T::try_from((*count).into().saturating_add(more)) else { return false };
        *count = wider;
    }
    *row = sum;
    true
}

/// The same rows with more room in each counter.
fn wider<T: Copy, U: From<T>, const N: usize>(rows: &VecDeque<[T; N]>) -> VecDeque<[U; N]> {
    let mut wide = VecDeque::with_capacity(rows.capacity());
    wide.extend(rows.iter().map(|row| row.map(U::from)));
    wide
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn counts_are_the_same_before_and_after_one_outgrows_its_bits() {
        let mut rows = Rows::<2>::new();
        (0..3).for_each(|_| rows.push());
        rows.add(0, [1, 2]);
        rows.add(2, [255, 7]);
        let tiny = rows.heap_bytes();
        assert!(matches!(rows, Rows::Tiny(_)));
        rows.add(2, [1, 1]);
        assert!(matches!(rows, Rows::Narrow(_)) && rows.heap_bytes() == 2 * tiny);
        assert_eq!([rows.get(0), rows.get(1), rows.get(2)], [[1, 2], [0, 0], [256, 8]]);
        rows.add(2, [65_279, 0]);
        assert!(matches!(rows, Rows::Narrow(_)));
        rows.add(1, [70_000, 0]);
        assert!(matches!(rows, Rows::Wide(_)) && rows.heap_bytes() == 4 * tiny);
        assert_eq!([rows.get(0), rows.get(1), rows.get(2), rows.get(3)], [[1, 2], [70_000, 0], [65_535, 8], [0, 0]]);
        rows.drop_front(2);
        assert_eq!((rows.len(), rows.get(0)), (1, [65_535, 8]));
        rows.add(0, [u32::MAX, 0]);
        assert_eq!(rows.get(0), [u32::MAX.into(), 8]);
    }

    proptest! {
        #[test]
        fn rows_of_any_width_hold_what_wide_numbers_would(adds in prop::collection::vec((0usize..9, 0u32..1 << 20, 0u32..20), 0..80)) {
            let (mut rows, mut plain) = (Rows::<2>::new(), [[0u64; 2]; 9]);
            (0..9).for_each(|_| rows.push());
            for (row, value, shift) in adds {
                let more = [value >> shift, 1];
                rows.add(row, more);
                plain[row] = [plain[row][0] + u64::from(more[0]), plain[row][1] + 1];
            }
            prop_assert_eq!(std::array::from_fn::<_, 9, _>(|row| rows.get(row)), plain);
        }
    }
}
