//! Values of one series as they are recorded.

use hdrhistogram::Histogram;

use super::sparse::Sparse;
use super::{Distribution, Membership, Moments};

/// One series' values: a histogram that grows only as far as its greatest value.
#[derive(Clone, Debug)]
pub(super) struct Values {
    pub(super) histogram: Histogram<u64>,
    pub(super) moments: Moments,
}

impl Values {
    pub(super) fn new() -> Self {
        Self::with_digits(3)
    }

    /// The values of a sparse histogram, which are no finer than two digits.
    pub(super) fn of(sparse: &Sparse) -> Self {
        let mut values = Self::with_digits(2);
        sparse.for_each_value(|value, count| {
            let (n, wide) = (u64::from(count), value as f64);
            values.histogram.record_n(value, n).expect("an auto-resizing histogram takes every value");
            values.moments.n += n;
            values.moments.sum += u128::from(value) * u128::from(n);
            values.moments.sum_of_squares += wide * wide * f64::from(count);
            values.moments.min = values.moments.min.min(value);
            values.moments.max = values.moments.max.max(value);
        });
        values
    }

    fn with_digits(digits: u8) -> Self {
        let histogram = Histogram::new(digits).expect("two and three are within the library's 0 to 5");
        Self { histogram, moments: Moments::default() }
    }

    pub(super) fn record(&mut self, value: Membership) {
        match value {
            Membership::Outside => {}
            Membership::Beyond => self.moments.beyond += 1,
            Membership::Value(value) => {
                self.moments.add(value);
                self.histogram.record(value).expect("an auto-resizing histogram takes every value");
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.histogram.add(&other.histogram).expect("an auto-resizing histogram takes every value");
        self.moments.merge(&other.moments);
    }

    pub(super) fn distribution(&self) -> Distribution {
        Distribution { histogram: self.histogram.clone(), beyond: self.moments.beyond, moments: self.moments }
    }
}
