//! Numbers as people write them, kept exact: in floating point `success>=99.9%` of 1000 requests tolerates nothing.

use std::fmt;

/// Most digits a number may have; keeps every product below in range.
const MOST_DIGITS: usize = 18;
/// Most digits behind the point.
const MOST_DECIMALS: usize = 15;

/// A decimal number, zero or more: `digits` ÷ 10^`scale`, without trailing zeros behind the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    digits: u64,
    scale: u8,
}

impl Decimal {
    /// A whole number.
    #[must_use]
    pub const fn whole(number: u64) -> Self {
        Self { digits: number, scale: 0 }
    }

    /// Reads `12` or `12.5`; `None` if it is longer than 18 digits (15 behind the point) or no such number.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, behind) = text.split_once('.').unwrap_or((text, ""));
        let (whole, behind) = (whole.trim_start_matches('0'), behind.trim_end_matches('0'));
        if whole.len() + behind.len() > MOST_DIGITS || behind.len() > MOST_DECIMALS {
            return None;
        }
        let all = format!("0{whole}{behind}");
        if !all.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        Some(Self { digits: all.parse().ok()?, scale: behind.len() as u8 })
    }

    /// Whether it is nought.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.digits == 0
    }

    /// The number, if nothing stands behind the point.
    #[must_use]
    pub const fn as_whole(self) -> Option<u64> {
        if self.scale == 0 { Some(self.digits) } else { None }
    }

    /// The nearest floating-point number, for display.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        self.over(1).as_f64()
    }

    /// This number divided by `per`, exactly.
    #[must_use]
    pub fn over(self, per: u64) -> Fraction {
        Fraction { num: u128::from(self.digits), den: self.unit() * u128::from(per) }
    }

    /// This number times `factor`, exactly.
    #[must_use]
    pub fn times(self, factor: u64) -> Fraction {
        Fraction { num: u128::from(self.digits) * u128::from(factor), den: self.unit() }
    }

    /// The same share as a percentage: 0.01 gives 1.
    #[must_use]
    pub(super) fn as_percentage(self) -> String {
        let Fraction { num, den } = self.times(100);
        show(num, den)
    }

    /// The factor that adding (or taking away) this percentage amounts to: 5 gives 1.05.
    #[must_use]
    pub(super) fn as_factor(self, minus: bool) -> String {
        let Fraction { num, den } = self.over(100);
        show(if minus { den.saturating_sub(num) } else { den + num }, den)
    }

    fn unit(self) -> u128 {
        10_u128.pow(u32::from(self.scale))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&show(u128::from(self.digits), self.unit()))
    }
}

/// `num ÷ den` written out; `den` is a power of ten, or one with 100 divided out of or into it.
fn show(num: u128, den: u128) -> String {
    let width = den.ilog10() as usize;
    let text = format!("{}.{:0width$}", num / den, num % den);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// An exact ratio of whole numbers, zero or more; the denominator is never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fraction {
    /// Numerator; below 10¹⁸ times a unit's factor.
    pub num: u128,
    /// Denominator; at most 10¹⁷ for a share.
    pub den: u128,
}

impl Fraction {
    /// Nought.
    pub const ZERO: Self = Self { num: 0, den: 1 };

    /// The nearest floating-point number.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        self.num as f64 / self.den as f64
    }

    /// One minus this; nought if this is above one.
    #[must_use]
    pub const fn complement(self) -> Self {
        Self { num: self.den.saturating_sub(self.num), den: self.den }
    }

    /// ⌊this⌋.
    #[must_use]
    pub const fn floor(self) -> u128 {
        self.num / self.den
    }

    /// ⌈this⌉.
    #[must_use]
    pub const fn ceil(self) -> u128 {
        self.num.div_ceil(self.den)
    }

    /// ⌈1 ÷ this⌉, or 1 for nought.
    #[must_use]
    pub fn reciprocal_ceil(self) -> u64 {
        if self.num == 0 { 1 } else { u64::try_from(self.den.div_ceil(self.num)).unwrap_or(u64::MAX) }
    }

    /// ⌊this × n⌋ for a share, that is, a fraction of at most one.
    #[must_use]
    pub fn floor_of(self, n: u64) -> u64 {
        u64::try_from(self.num * u128::from(n) / self.den).unwrap_or(u64::MAX)
    }

    /// ⌈this × n⌉ for a share.
    #[must_use]
    pub fn ceil_of(self, n: u64) -> u64 {
        u64::try_from((self.num * u128::from(n)).div_ceil(self.den)).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_and_shown_without_their_idle_zeros() {
        for (text, shown) in
            [("300", "300"), ("0.50", "0.5"), ("007", "7"), ("99.900", "99.9"), ("0", "0"), ("10", "10"), ("00.0", "0")]
        {
            assert_eq!(Decimal::parse(text).unwrap().to_string(), shown, "{text}");
        }
        assert_eq!(Decimal::parse("99.90"), Decimal::parse("99.9"));
    }

    #[test]
    fn numbers_too_long_to_stay_exact_are_refused() {
        assert!(Decimal::parse("1234567890123456789").is_none());
        assert!(Decimal::parse("0.0000000000000001").is_none());
        assert!(Decimal::parse("1.000000000000000000000").is_some(), "idle zeros do not count");
        assert!(Decimal::parse("1x").is_none());
    }

    #[test]
    fn a_thousand_requests_at_99_9_percent_tolerate_exactly_one_failure() {
        let allowed = Decimal::parse("99.9").unwrap().over(100).complement();
        assert_eq!(allowed.floor_of(1000), 1);
        assert_eq!(allowed.floor_of(999), 0);
        assert_eq!(allowed.reciprocal_ceil(), 1000);
        assert_eq!(Fraction::ZERO.reciprocal_ceil(), 1);
    }

    #[test]
    fn the_largest_share_of_the_largest_count_does_not_overflow() {
        let share = Decimal::parse("99.999999999999999").unwrap().over(100);
        assert_eq!(share.ceil_of(u64::MAX), u64::MAX - 184);
        assert_eq!(share.complement().floor_of(u64::MAX), 184);
    }

    #[test]
    fn suggestions_are_exact_too() {
        assert_eq!(Decimal::parse("0.01").unwrap().as_percentage(), "1");
        assert_eq!(Decimal::parse("0.005").unwrap().as_percentage(), "0.5");
        assert_eq!(Decimal::parse("5").unwrap().as_factor(false), "1.05");
        assert_eq!(Decimal::parse("2.5").unwrap().as_factor(true), "0.975");
    }
}
