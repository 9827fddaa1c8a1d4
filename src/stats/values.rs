//! Values of one series as they are recorded.

use hdrhistogram::Histogram;

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

    pub(super) fn with_digits(digits: u8) -> Self {
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
