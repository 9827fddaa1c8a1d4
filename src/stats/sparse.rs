//! A histogram small enough to keep one per second and per task.
//!
//! Log-linear buckets, to the microsecond below 128 µs and within 0.8 % above; only buckets that were hit take memory,
//! four bytes each, until there are so many that a dense array is smaller. A thousand tasks keep ten minutes of these.

/// Values up to this many microseconds have a bucket of their own.
const EXACT: u64 = 128;
/// Buckets an octave above that.
const SUB: u64 = EXACT / 2;
/// Octaves above the exact part: up to 2⁴⁰ µs, twelve days.
const OCTAVES: u64 = 33;
/// All buckets.
const BUCKETS: usize = (EXACT + OCTAVES * SUB) as usize;
/// More entries than this and the dense form is used.
const DENSE_ABOVE: usize = 512;

/// Counts of values given in nanoseconds, kept in microseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sparse {
    counts: Counts,
    total: u64,
}

#[derive(Clone, Debug, PartialEq)]
enum Counts {
    Sparse(Vec<(u16, u16)>),
    Dense(Box<[u32]>),
}

impl Default for Counts {
    fn default() -> Self {
        Self::Sparse(Vec::new())
    }
}

fn bucket(nanos: u64) -> u16 {
    let micros = (nanos + 500) / 1_000;
    if micros < EXACT {
        return micros as u16;
    }
    let shift = u64::from(63 - micros.leading_zeros()) - 6;
    let index = EXACT + (shift - 1) * SUB + ((micros >> shift) - SUB);
    index.min(BUCKETS as u64 - 1) as u16
}

/// The middle of a bucket, in nanoseconds.
fn middle(bucket: u16) -> u64 {
    let index = u64::from(bucket);
    if index < EXACT {
        return index * 1_000;
    }
    let shift = (index - EXACT) / SUB + 1;
    let low = ((index - EXACT) % SUB + SUB) << shift;
    (low + (1 << shift) / 2) * 1_000
}

impl Sparse {
    /// Counts one value.
    pub fn record(&mut self, nanos: u64) {
        self.add(bucket(nanos), 1);
    }

    /// Adds another histogram's counts.
    pub fn merge(&mut self, other: &Self) {
        other.for_each(|bucket, count| self.add(bucket, count));
    }

    /// The counts recorded here since `earlier`, an older copy of the same histogram.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut difference = Self::default();
        self.for_each(|bucket, count| {
            let before = earlier.count(bucket);
            if count > before {
                difference.add(bucket, count - before);
            }
        });
        difference
    }

    /// How many values.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.total
    }

    /// Whether nothing was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The value at quantile `q` in (0, 1], nearest rank, in nanoseconds; `None` without values.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<u64> {
        self.at_rank(((q * self.total as f64 - 1e-9).ceil() as u64).clamp(1, self.total.max(1)))
    }

    /// The value at a rank, 1 being the least, in nanoseconds; `None` above the number of values.
    #[must_use]
    pub fn at_rank(&self, rank: u64) -> Option<u64> {
        let mut seen = 0;
        let mut found = None;
        self.for_each(|bucket, count| {
            seen += u64::from(count);
            if found.is_none() && seen >= rank {
                found = Some(middle(bucket));
            }
        });
        found
    }

    /// Calls `visit(value in nanoseconds, count)` from the least value up.
    pub fn for_each_value(&self, mut visit: impl FnMut(u64, u32)) {
        self.for_each(|bucket, count| visit(middle(bucket), count));
    }

    /// Bytes this histogram holds on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        match &self.counts {
            Counts::Sparse(entries) => entries.capacity() * size_of::<(u16, u16)>(),
            Counts::Dense(counts) => counts.len() * size_of::<u32>(),
        }
    }

    /// Forgets all values; room for as many different ones is kept.
    pub(super) fn clear(&mut self) {
        self.total = 0;
        match &mut self.counts {
            Counts::Sparse(entries) => entries.clear(),
            Counts::Dense(_) => self.counts = Counts::default(),
        }
    }

    /// Gives back memory kept for growth: called once a slice is complete.
    pub fn shrink(&mut self) {
        if let Counts::Sparse(entries) = &mut self.counts {
            entries.shrink_to_fit();
        }
    }

    fn count(&self, bucket: u16) -> u32 {
        match &self.counts {
            Counts::Dense(counts) => counts[usize::from(bucket)],
            Counts::Sparse(entries) => {
                entries.binary_search_by_key(&bucket, |e| e.0).map_or(0, |at| u32::from(entries[at].1))
            }
        }
    }

    /// Counts so many values of a bucket.
    pub(super) fn add(&mut self, bucket: u16, count: u32) {
        self.total += u64::from(count);
        match &mut self.counts {
            Counts::Dense(counts) => {
                let slot = &mut counts[usize::from(bucket)];
                *slot = slot.saturating_add(count);
            }
            Counts::Sparse(entries) => {
                let found = entries.binary_search_by_key(&bucket, |e| e.0);
                let before = found.map_or(0, |at| u32::from(entries[at].1));
                match (found, u16::try_from(before.saturating_add(count))) {
                    (Ok(at), Ok(after)) => entries[at].1 = after,
                    (Err(at), Ok(after)) if entries.len() < DENSE_ABOVE => entries.insert(at, (bucket, after)),
                    _ => {
                        let mut dense = vec![0; BUCKETS].into_boxed_slice();
                        entries.iter().for_each(|(at, count)| dense[usize::from(*at)] = u32::from(*count));
                        dense[usize::from(bucket)] += count;
                        self.counts = Counts::Dense(dense);
                    }
                }
            }
        }
    }

    /// Calls `visit(bucket, count)` for each bucket that was hit, the least values first.
    pub(super) fn for_each(&self, mut visit: impl FnMut(u16, u32)) {
        match &self.counts {
            Counts::Sparse(entries) => entries.iter().for_each(|(bucket, count)| visit(*bucket, u32::from(*count))),
            Counts::Dense(counts) => {
                for (bucket, count) in (0u16..).zip(counts.iter()).filter(|(_, count)| **count > 0) {
                    visit(bucket, *count);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_bucket_holds_its_own_middle_and_buckets_never_go_back() {
        for index in 0..BUCKETS as u16 {
            assert_eq!(bucket(middle(index)), index, "bucket {index}");
        }
        assert_eq!(bucket(u64::MAX / 2), BUCKETS as u16 - 1);
    }

    #[test]
    fn a_bucket_hit_more_often_than_sixteen_bits_hold_keeps_its_count() {
        let mut histogram = Sparse::default();
        (0..70_000).for_each(|_| histogram.record(5_000));
        histogram.record(9_000);
        let mut counts = Vec::new();
        histogram.for_each_value(|value, count| counts.push((value, count)));
        assert_eq!(counts, [(5_000, 70_000), (9_000, 1)]);
    }

    #[test]
    fn it_turns_dense_without_losing_a_count() {
        let mut histogram = Sparse::default();
        for i in 1..=2_000u64 {
            histogram.record(i * i * 1_000);
        }
        assert_eq!(histogram.len(), 2_000);
        assert!(matches!(histogram.counts, Counts::Dense(_)));
        let p50 = histogram.quantile(0.5).expect("it has values");
        assert!(p50.abs_diff(1_000_000_000) < 10_000_000, "{p50}");
    }

    proptest! {
        #[test]
        fn quantiles_are_within_one_percent_or_a_microsecond(mut values in prop::collection::vec(0u64..100_000_000_000, 1..400), q in 0.01f64..=1.0) {
            let mut histogram = Sparse::default();
            values.iter().for_each(|v| histogram.record(*v));
            values.sort_unstable();
            let rank = ((q * values.len() as f64 - 1e-9).ceil() as usize).max(1);
            let exact = values[rank - 1];
            let shown = histogram.quantile(q).expect("it has values");
            prop_assert!(shown.abs_diff(exact) <= exact / 100 + 1_000, "{shown} for {exact}");
        }

        #[test]
        fn merging_in_any_order_gives_the_same_counts_and_since_undoes_it(a in prop::collection::vec(0u64..10_000_000_000, 0..900), b in prop::collection::vec(0u64..10_000_000_000, 0..900)) {
            let of = |values: &[u64]| { let mut h = Sparse::default(); values.iter().for_each(|v| h.record(*v)); h };
            let (mut ab, mut ba) = (of(&a), of(&b));
            ab.merge(&of(&b));
            ba.merge(&of(&a));
            prop_assert_eq!(ab.len(), ba.len());
            let counts = |h: &Sparse| { let mut v = Vec::new(); h.for_each_value(|x, c| v.push((x, c))); v };
            prop_assert_eq!(counts(&ab), counts(&ba));
            prop_assert_eq!(counts(&ab.since(&of(&a))), counts(&of(&b)));
        }
    }
}
