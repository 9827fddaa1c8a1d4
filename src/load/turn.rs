//! Which of two loads on one schedule goes first.

use crate::stats::Ns;

/// Which of two loads on one schedule sends first. It goes back and forth, due by due, so that neither always meets the
/// network, and our own process, as the other left it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Turn {
    /// There is no other.
    #[default]
    Alone,
    /// First at even tosses.
    Even,
    /// First at odd tosses.
    Odd,
}

impl Turn {
    /// How much later than the other load this one begins with request `index`: a nanosecond is enough for an order.
    pub(super) fn after(self, index: u64) -> Ns {
        // The golden ratio's multiples fall into both halves equally often, and in no short pattern.
        let odd = index.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 63 == 1;
        match self {
            Self::Alone => Ns::ZERO,
            Self::Even => Ns(u64::from(odd)),
            Self::Odd => Ns(u64::from(!odd)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_loads_on_one_schedule_take_turns_at_being_first() {
        let first = (0..10_000).filter(|index| Turn::Even.after(*index) < Turn::Odd.after(*index)).count();
        assert!((4_900..=5_100).contains(&first), "{first} of 10000");
        let runs = (0..9_999).filter(|index| Turn::Even.after(*index) == Turn::Even.after(index + 1)).count();
        assert!((2_000..8_000).contains(&runs), "neither in blocks nor strictly one after the other: {runs}");
        assert!((0..100).all(|index| Turn::Alone.after(index) == Ns::ZERO));
    }
}
