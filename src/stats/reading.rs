//! What meters have counted: tallies and moments, which merge in any order.

use super::meter::{Membership, Test, membership};
use super::{Fault, Sample};

/// The counters of a [`Test::Share`] or [`Test::AtMost`] meter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests in the population.
    pub n: u64,
    /// Of those, requests that hold.
    pub k: u64,
    /// Sum of the values of those that hold (nanoseconds or bytes); zero for shares.
    pub sum: u128,
    /// Of `n`, requests during which our own process stood still.
    pub tainted_n: u64,
    /// Of `k`, requests during which our own process stood still.
    pub tainted_k: u64,
    /// Requests not in `n` yet: due longer ago than the limit and still unanswered (a live window only).
    pub pending: u64,
}

impl Tally {
    /// Adds another recorder's counters. Associative and commutative.
    pub fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.k += other.k;
        self.sum += other.sum;
        self.tainted_n += other.tainted_n;
        self.tainted_k += other.tainted_k;
        self.pending += other.pending;
    }
}

/// Sum, extremes and spread of a series; the value of a [`Test::Moments`] meter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// Finite values seen.
    pub n: u64,
    /// Requests slower than any bound (timeouts), not in `n`.
    pub beyond: u64,
    /// Sum of the values.
    pub sum: u128,
    /// Sum of the squares, in floating point: only the standard deviation reads it.
    pub sum_of_squares: f64,
    /// Least value; `u64::MAX` when `n` is 0.
    pub min: u64,
    /// Greatest value; 0 when `n` is 0.
    pub max: u64,
    /// Of `n` and `beyond`, requests during which our own process stood still.
    pub tainted: u64,
}

impl Default for Moments {
    fn default() -> Self {
        Self { n: 0, beyond: 0, sum: 0, sum_of_squares: 0.0, min: u64::MAX, max: 0, tainted: 0 }
    }
}

impl Moments {
    /// Adds one value.
    pub fn add(&mut self, value: u64) {
        self.n += 1;
        self.sum += u128::from(value);
        self.sum_of_squares += value as f64 * value as f64;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// Adds another recorder's values.
    pub fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.beyond += other.beyond;
        self.sum += other.sum;
        self.sum_of_squares += other.sum_of_squares;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.tainted += other.tainted;
    }

    /// Arithmetic mean; `None` without values.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.n > 0).then(|| self.sum as f64 / self.n as f64)
    }

    /// Sample standard deviation (n − 1 in the denominator); `None` below two values.
    #[must_use]
    pub fn stddev(&self) -> Option<f64> {
        let mean = self.mean()?;
        let n = self.n as f64;
        (self.n > 1).then(|| ((self.sum_of_squares - n * mean * mean).max(0.0) / (n - 1.0)).sqrt())
    }
}

/// What a meter has counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading {
    /// Of a share or a bound.
    Tally(Tally),
    /// Of moments.
    Moments(Moments),
}

impl Reading {
    /// An empty reading of the shape that `test` needs.
    #[must_use]
    pub fn empty(test: Test) -> Self {
        match test {
            Test::Share(_) | Test::AtMost(..) => Self::Tally(Tally::default()),
            Test::Moments(_) => Self::Moments(Moments::default()),
        }
    }

    /// Counts one sample.
    pub fn count(&mut self, test: Test, sample: &Sample, success: bool) {
        let tainted = u64::from(sample.tainted);
        match (self, test) {
            (Self::Tally(_), Test::Share(_)) if sample.outcome.fault == Some(Fault::Local) => {}
            (Self::Tally(tally), Test::Share(set)) => {
                let holds = u64::from(set.contains(sample, success));
                tally.n += 1;
                tally.k += holds;
                tally.tainted_n += tainted;
                tally.tainted_k += tainted * holds;
            }
            (Self::Tally(tally), Test::AtMost(series, limit)) => {
                let value = match membership(series, sample, success) {
                    Membership::Outside => return,
                    Membership::Beyond => None,
                    Membership::Value(value) => Some(value).filter(|v| *v <= limit),
                };
                tally.n += 1;
                tally.tainted_n += tainted;
                if let Some(value) = value {
                    tally.k += 1;
                    tally.sum += u128::from(value);
                    tally.tainted_k += tainted;
                }
            }
            (Self::Moments(moments), Test::Moments(series)) => {
                match membership(series, sample, success) {
                    Membership::Outside => return,
                    Membership::Beyond => moments.beyond += 1,
                    Membership::Value(value) => moments.add(value),
                }
                moments.tainted += tainted;
            }
            _ => debug_assert!(false, "a reading is made by its own test"),
        }
    }

    /// Adds another recorder's reading of the same meter.
    pub fn merge(&mut self, other: &Self) {
        match (self, other) {
            (Self::Tally(mine), Self::Tally(theirs)) => mine.merge(theirs),
            (Self::Moments(mine), Self::Moments(theirs)) => mine.merge(theirs),
            _ => debug_assert!(false, "readings of different meters do not merge"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Ns, Outcome, Set};

    #[test]
    fn a_failure_of_our_own_is_in_no_share() {
        let sample = |outcome| Sample::of(Ns(0), Ns(1), outcome);
        let test = Test::Share(Set::Success);
        let mut reading = Reading::empty(test);
        reading.count(test, &sample(Outcome::fault(Fault::Local)), false);
        assert_eq!(reading, Reading::empty(test));
        reading.count(test, &sample(Outcome::fault(Fault::Reset)), false);
        assert_eq!(reading, Reading::Tally(Tally { n: 1, ..Tally::default() }));
    }
}
