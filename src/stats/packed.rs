//! What a stretch of time amounts to for display, put away in as few bytes as it takes.
//!
//! Most buckets of a load's second, or ten, were hit once or a few times and lie close to each other: such a bucket takes
//! one byte. A service keeps ten minutes of these for each of a thousand loads.

use super::sparse::Sparse;

/// Bits of an entry's first byte that hold its count; those above hold how far it is from the entry before.
const COUNT_BITS: u32 = 3;
/// The greatest count less one that fits there; it and greater ones say that the rest follows.
const MOST_COUNT: u64 = (1 << COUNT_BITS) - 1;
/// The same of the buckets skipped.
const MOST_GAP: u64 = (1 << (8 - COUNT_BITS)) - 1;

/// A histogram and a few sums, which can be read again but not added to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packed(Box<[u8]>);

impl Packed {
    /// Puts away a histogram and `sums`; whoever reads them again knows how many there are.
    pub(super) fn new(histogram: &Sparse, sums: &[u128]) -> Self {
        let mut bytes = Vec::new();
        sums.iter().for_each(|sum| put(&mut bytes, u64::try_from(*sum).unwrap_or(u64::MAX)));
        let mut next = 0;
        histogram.for_each(|bucket, count| {
            // No entry has a count of zero.
            let (gap, more) = (u64::from(bucket - next), u64::from(count) - 1);
            bytes.push((gap.min(MOST_GAP) << COUNT_BITS | more.min(MOST_COUNT)) as u8);
            if gap >= MOST_GAP {
                put(&mut bytes, gap - MOST_GAP);
            }
            if more >= MOST_COUNT {
                put(&mut bytes, more - MOST_COUNT);
            }
            next = bucket + 1;
        });
        Self(bytes.into())
    }

    /// Adds what was put away to a histogram and to as many sums as there were.
    pub(super) fn add_to(&self, histogram: &mut Sparse, sums: &mut [u128]) {
        let mut bytes = self.0.iter();
        sums.iter_mut().for_each(|sum| *sum += u128::from(take(&mut bytes)));
        let mut next = 0;
        while let Some(first) = bytes.next().map(|byte| u64::from(*byte)) {
            let (mut gap, mut more) = (first >> COUNT_BITS, first & MOST_COUNT);
            if gap == MOST_GAP {
                gap += take(&mut bytes);
            }
            if more == MOST_COUNT {
                more += take(&mut bytes);
            }
            let bucket = next + gap as u16;
            histogram.add(bucket, more as u32 + 1);
            next = bucket + 1;
        }
    }

    /// Bytes held on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        self.0.len()
    }
}

/// Appends a number, seven bits a byte, the low ones first; all bytes but the last have their eighth bit set.
fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Reads such a number.
fn take(bytes: &mut std::slice::Iter<'_, u8>) -> u64 {
    let (mut number, mut shift) = (0, 0);
    for byte in bytes {
        number |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            break;
        }
        shift += 7;
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(packed: &Packed, sums: usize) -> (Sparse, Vec<u128>) {
        let (mut histogram, mut read) = (Sparse::default(), vec![0; sums]);
        packed.add_to(&mut histogram, &mut read);
        (histogram, read)
    }

    fn counts(histogram: &Sparse) -> Vec<(u16, u32)> {
        let mut counts = Vec::new();
        histogram.for_each(|bucket, count| counts.push((bucket, count)));
        counts
    }

    #[test]
    fn gaps_and_counts_at_the_edge_of_a_byte_come_back_as_they_were() {
        for (entries, bytes, why) in [
            (&[][..], 0, "nothing"),
            (&[(0, 1)], 1, "the first bucket"),
            (&[(30, 7)], 1, "the most that one byte holds"),
            (&[(31, 1)], 2, "one bucket more"),
            (&[(0, 8)], 2, "one more in it"),
            (&[(5, 1), (6, 1), (37, 7)], 3, "each counts from the one before"),
            (&[(5, 1), (37, 8)], 4, "both at once"),
            (&[(2_239, u32::MAX)], 1 + 2 + 5, "the last bucket, as full as can be"),
        ] {
            let mut histogram = Sparse::default();
            entries.iter().for_each(|(bucket, count)| histogram.add(*bucket, *count));
            let packed = Packed::new(&histogram, &[]);
            assert_eq!((counts(&read(&packed, 0).0), packed.heap_bytes()), (entries.to_vec(), bytes), "{why}");
        }
    }

    #[test]
    fn sums_of_any_size_come_back_and_are_added() {
        let most = u128::from(u64::MAX);
        let sums = [0, 127, 128, most + 5];
        let packed = Packed::new(&Sparse::default(), &sums);
        assert_eq!(packed.heap_bytes(), 1 + 1 + 2 + 10);
        let mut all = [1, 1, 1, 1];
        packed.add_to(&mut Sparse::default(), &mut all);
        assert_eq!(all, [1, 128, 129, most + 1], "none is stored above 64 bits");
    }

    proptest! {
        #[test]
        fn a_histogram_that_was_put_away_is_the_same(values in prop::collection::vec((0u64..4_000_000_000_000, 1usize..400), 0..900), sums in prop::collection::vec(any::<u64>().prop_map(u128::from), 0..4)) {
            let mut histogram = Sparse::default();
            for (value, times) in &values {
                // Small values are the most frequent.
                (0..*times % 12).for_each(|_| histogram.record(value >> (times % 32)));
            }
            let packed = Packed::new(&histogram, &sums);
            let (again, read_sums) = read(&packed, sums.len());
            prop_assert_eq!(counts(&again), counts(&histogram));
            prop_assert_eq!((again.len(), read_sums), (histogram.len(), sums));
            prop_assert!(packed.heap_bytes() <= histogram.heap_bytes() + 10 * 4);
        }
    }
}
