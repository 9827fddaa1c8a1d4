//! What a load has counted since it began, for whoever adds up loads. Nothing in it ever goes back, so that the sum over
//! loads does not either, whether they run or are over.

use std::collections::BTreeMap;

use super::{Code, Fault, Ns, Outcome};

/// Upper ends of the steps of a latency, nanoseconds: half and double of the usual bounds, from a millisecond up.
const LATENCIES: [u64; 15] = [
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
    20_000_000_000,
    60_000_000_000,
];

/// Upper ends of the steps of our own lateness, nanoseconds.
const LAGS: [u64; 7] = [250_000, 500_000, 1_000_000, 5_000_000, 10_000_000, 100_000_000, 1_000_000_000];

/// How many values are within each of some fixed steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steps {
    bounds: &'static [u64],
    /// One a bound, each without the ones before; the last is what is above all bounds.
    counts: Box<[u64]>,
    sum: u128,
}

impl Steps {
    fn new(bounds: &'static [u64]) -> Self {
        Self { bounds, counts: vec![0; bounds.len() + 1].into(), sum: 0 }
    }

    /// Steps for latencies, all empty.
    #[must_use]
    pub fn of_latency() -> Self {
        Self::new(&LATENCIES)
    }

    /// Steps for lateness of our own, all empty.
    #[must_use]
    pub fn of_lag() -> Self {
        Self::new(&LAGS)
    }

    /// Counts a value.
    pub fn record(&mut self, value: Ns) {
        self.counts[self.bounds.partition_point(|bound| *bound < value.0)] += 1;
        self.sum += u128::from(value.0);
    }

    /// Counts a value that is above all bounds, whatever it was when nobody waited for it any longer.
    pub fn record_beyond(&mut self, at_least: Ns) {
        *self.counts.last_mut().expect("there is one more than bounds") += 1;
        self.sum += u128::from(at_least.0);
    }

    /// Each upper end in nanoseconds with the values within it that are within none before; `None` is above all.
    pub fn rows(&self) -> impl Iterator<Item = (Option<u64>, u64)> {
        let bounds = self.bounds.iter().copied().map(Some).chain([None]);
        bounds.zip(self.counts.iter().copied())
    }

    /// How many values.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Their sum, nanoseconds.
    #[must_use]
    pub const fn sum(&self) -> u128 {
        self.sum
    }

    /// Adds what `now` counts beyond `earlier`, an older copy of it.
    fn add_since(&mut self, now: &Self, earlier: &Self) {
        for (all, (now, earlier)) in self.counts.iter_mut().zip(now.counts.iter().zip(&earlier.counts)) {
            *all += now.saturating_sub(*earlier);
        }
        self.sum += now.sum.saturating_sub(earlier.sum);
    }
}

/// How requests ended: so, and whether that is a success, and how many of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcomes(Vec<(Outcome, bool, u64)>);

impl Outcomes {
    /// Adds requests that ended alike.
    pub fn add(&mut self, outcome: Outcome, success: bool, count: u64) {
        match self.0.iter_mut().find(|known| (known.0, known.1) == (outcome, success)) {
            Some((.., total)) => *total += count,
            None => self.0.push((outcome, success, count)),
        }
    }

    /// Each ending once, in the order in which they were first seen.
    pub fn iter(&self) -> impl Iterator<Item = (Outcome, bool, u64)> {
        self.0.iter().copied()
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        other.iter().for_each(|(outcome, success, count)| self.add(outcome, success, count));
    }

    /// The requests by what the server said.
    #[must_use]
    pub fn codes(&self) -> BTreeMap<Code, u64> {
        let mut codes = BTreeMap::new();
        self.iter().for_each(|(outcome, _, count)| *codes.entry(outcome.code).or_default() += count);
        codes
    }

    /// The requests with which something went wrong, by that.
    #[must_use]
    pub fn faults(&self) -> BTreeMap<Fault, u64> {
        let mut faults = BTreeMap::new();
        for (outcome, _, count) in self.iter() {
            outcome.fault.into_iter().for_each(|fault| *faults.entry(fault).or_default() += count);
        }
        faults
    }

    /// Adds what `now` has beyond `earlier`, an older copy of it.
    fn add_since(&mut self, now: &Self, earlier: &Self) {
        for (place, (outcome, success, n)) in now.iter().enumerate() {
            let more = n.saturating_sub(earlier.0.get(place).map_or(0, |before| before.2));
            if more > 0 {
                self.add(outcome, success, more);
            }
        }
    }
}

/// The requests of one load, or of several, whose answers count: neither a warm-up nor answers of somebody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// How they ended.
    pub outcomes: Outcomes,
    /// Latencies of successes; timeouts are above all bounds.
    pub latency: Steps,
    /// How late our own process noticed that a request was due, in open loops.
    pub lag: Steps,
}

impl Default for Counted {
    fn default() -> Self {
        Self { outcomes: Outcomes::default(), latency: Steps::of_latency(), lag: Steps::of_lag() }
    }
}

impl Counted {
    /// Adds what `now` counts beyond `earlier`, an older copy of it.
    pub fn add_since(&mut self, now: &Self, earlier: &Self) {
        self.outcomes.add_since(&now.outcomes, &earlier.outcomes);
        self.latency.add_since(&now.latency, &earlier.latency);
        self.lag.add_since(&now.lag, &earlier.lag);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Fault;

    #[test]
    fn a_value_at_a_bound_is_within_it_and_one_beyond_all_is_in_the_last_step() {
        let mut steps = Steps::of_latency();
        for (value, why) in [
            (0, "the first step"),
            (1_000_000, "at its bound"),
            (1_000_001, "in the next"),
            (60_000_000_001, "above all bounds"),
        ] {
            steps.record(Ns(value));
            assert!(steps.n() > 0, "{why}");
        }
        steps.record_beyond(Ns(7));
        let full: Vec<_> = steps.rows().filter(|(_, n)| *n > 0).collect();
        assert_eq!(full, [(Some(1_000_000), 2), (Some(2_500_000), 1), (None, 2)]);
        assert_eq!((steps.n(), steps.sum()), (5, 60_002_000_009));
    }

    #[test]
    fn sums_over_loads_grow_by_what_each_has_counted_since_it_was_last_told() {
        let (good, bad) = (Outcome::http(200), Outcome::fault(Fault::Timeout));
        let mut first = Counted { outcomes: Outcomes(vec![(good, true, 3)]), ..Counted::default() };
        first.latency.record(Ns::from_millis(3));
        first.lag.record(Ns(5));
        let mut second = first.clone();
        second.outcomes = Outcomes(vec![(good, true, 4), (bad, false, 2)]);
        second.latency.record_beyond(Ns::from_secs(20));
        let other = Counted { outcomes: Outcomes(vec![(bad, false, 1), (good, false, 1)]), ..Counted::default() };

        let (mut all, none) = (Counted::default(), Counted::default());
        all.add_since(&first, &none);
        all.add_since(&other, &none);
        all.add_since(&second, &first);
        all.add_since(&second, &second);
        assert_eq!(all.outcomes.0, [(good, true, 4), (bad, false, 3), (good, false, 1)]);
        assert_eq!((all.latency.n(), all.latency.sum()), (2, 20_003_000_000));
        assert_eq!((all.lag.n(), all.lag.sum()), (1, 5));
    }
}
