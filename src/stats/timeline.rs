//! Load second by second, over a whole run of any length in bounded memory.

use super::sparse::Sparse;
use super::{Ns, Second};

/// More slices than this and pairs are merged, doubling the slice: an hour at one second, then two, then four.
const MOST_SLICES: usize = 3_600;

/// One slice of time.
#[derive(Clone, Debug, Default)]
struct Slice {
    finished: u64,
    succeeded: u64,
    latency: Sparse,
    max: u64,
}

impl Slice {
    fn merge(&mut self, other: &Self) {
        self.finished += other.finished;
        self.succeeded += other.succeeded;
        self.latency.merge(&other.latency);
        self.max = self.max.max(other.max);
    }
}

/// Slices of equal width since the load began.
#[derive(Clone, Debug)]
pub(super) struct Timeline {
    width: Ns,
    slices: Vec<Slice>,
}

impl Default for Timeline {
    fn default() -> Self {
        Self { width: Ns::from_secs(1), slices: Vec::new() }
    }
}

impl Timeline {
    /// Counts one finished request: when it was done, whether it succeeded, and its latency if it was answered.
    pub(super) fn record(&mut self, done: Ns, success: bool, latency: Option<Ns>) {
        let mut index = (done.0 / self.width.0) as usize;
        while index >= MOST_SLICES {
            self.halve();
            index = (done.0 / self.width.0) as usize;
        }
        if index >= self.slices.len() {
            if let Some(last) = self.slices.last_mut() {
                last.latency.shrink();
            }
            self.slices.resize_with(index + 1, Slice::default);
        }
        let slice = &mut self.slices[index];
        slice.finished += 1;
        slice.succeeded += u64::from(success);
        if let Some(latency) = latency {
            slice.latency.record(latency.0);
            slice.max = slice.max.max(latency.0);
        }
    }

    /// Adds another recorder's slices of the same run.
    pub(super) fn merge(&mut self, other: &Self) {
        let mut other = other.clone();
        while self.width < other.width {
            self.halve();
        }
        while other.width < self.width {
            other.halve();
        }
        if self.slices.len() < other.slices.len() {
            self.slices.resize_with(other.slices.len(), Slice::default);
        }
        self.slices.iter_mut().zip(&other.slices).for_each(|(mine, theirs)| mine.merge(theirs));
    }

    /// The newest complete slice before `now`, for a live display.
    #[must_use]
    pub(super) fn newest(&self, now: Ns) -> Option<Second> {
        let index = ((now.0 / self.width.0) as usize).checked_sub(1)?;
        self.slices.get(index).map(|slice| self.second(index, slice, Ns::ZERO))
    }

    /// All slices, counted from `zero`.
    #[must_use]
    pub(super) fn seconds(&self, zero: Ns) -> Vec<Second> {
        self.slices.iter().enumerate().map(|(index, slice)| self.second(index, slice, zero)).collect()
    }

    fn second(&self, index: usize, slice: &Slice, zero: Ns) -> Second {
        let width = self.width.as_secs_f64();
        Second {
            at: (index as f64 * width - zero.as_secs_f64()).round() as i64,
            finished: slice.finished,
            succeeded: slice.succeeded,
            p50: slice.latency.quantile(0.5),
            p99: slice.latency.quantile(0.99).map(|p99| p99.min(slice.max)),
            max: (!slice.latency.is_empty()).then_some(slice.max),
        }
    }

    fn halve(&mut self) {
        self.width = Ns(self.width.0 * 2);
        self.slices = self
            .slices
            .chunks(2)
            .map(|pair| {
                let mut merged = pair[0].clone();
                pair.iter().skip(1).for_each(|other| merged.merge(other));
                merged
            })
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_many_hours_stays_within_its_slices_and_keeps_every_count() {
        let mut timeline = Timeline::default();
        for second in 0..20_000u64 {
            timeline.record(Ns::from_secs(second), second % 10 != 0, Some(Ns::from_millis(second % 100)));
        }
        assert!(timeline.slices.len() <= MOST_SLICES);
        assert_eq!(timeline.width, Ns::from_secs(8));
        let seconds = timeline.seconds(Ns::ZERO);
        assert_eq!(seconds.iter().map(|s| s.finished).sum::<u64>(), 20_000);
        assert_eq!(seconds.iter().map(|s| s.succeeded).sum::<u64>(), 18_000);
        assert_eq!(seconds[1].at, 8);
    }

    #[test]
    fn timelines_of_different_width_merge() {
        let mut long = Timeline::default();
        long.record(Ns::from_secs(9_000), true, None);
        let mut short = Timeline::default();
        short.record(Ns::from_secs(3), true, Some(Ns::from_millis(5)));
        let mut other_way = short.clone();
        other_way.merge(&long);
        long.merge(&short);
        assert_eq!(long.seconds(Ns::ZERO), other_way.seconds(Ns::ZERO));
        assert_eq!(long.seconds(Ns::ZERO)[0].finished, 1);
    }
}
