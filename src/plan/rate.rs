//! An arrival rate, exact: in floating point ten requests a second for ten seconds can come to 99.

use std::fmt;
use std::str::FromStr;

/// Millionths in one.
const MICRO: u128 = 1_000_000;

/// A rate in exact millionths of a request per second, so that `-q 10 -c 2` for 10 s is 200 requests and not 199.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate {
    /// Requests per second × 10⁶. Never zero.
    pub micro_per_second: u64,
}

impl Rate {
    /// The highest rate that text can ask for: ten million requests per second.
    pub const MAX: Self = Self { micro_per_second: 10_000_000_000_000 };

    /// A whole number of requests per second; `None` for zero, which is no rate.
    #[must_use]
    pub const fn per_second(requests: u32) -> Option<Self> {
        match requests {
            0 => None,
            n => Some(Self { micro_per_second: n as u64 * 1_000_000 }),
        }
    }

    /// The rate of `lanes` lanes that each keep this one. Zero lanes count as one; the sum saturates.
    #[must_use]
    pub const fn times(self, lanes: u32) -> Self {
        let lanes = if lanes == 0 { 1 } else { lanes as u64 };
        Self { micro_per_second: self.micro_per_second.saturating_mul(lanes) }
    }

    /// Requests per second, for display and JSON.
    #[must_use]
    pub const fn as_f64(self) -> f64 {
        self.micro_per_second as f64 / 1e6
    }
}

/// The shortest exact form, in requests per second: `20/s`, `0.5/s`.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, micro) = (self.micro_per_second / 1_000_000, self.micro_per_second % 1_000_000);
        if micro == 0 {
            return write!(f, "{whole}/s");
        }
        let fraction = format!("{micro:06}");
        write!(f, "{whole}.{}/s", fraction.trim_end_matches('0'))
    }
}

/// Why a text is no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateError {
    /// The number is not a plain decimal.
    Number,
    /// What follows the slash is none of `s`, `m`, `h`.
    Unit,
    /// The rate is zero.
    Zero,
    /// The rate is above [`Rate::MAX`].
    TooHigh,
}

impl fmt::Display for RateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number => "the number must be a plain decimal such as 20 or 0.5",
            Self::Unit => "the unit must be /s, /m or /h",
            Self::Zero => "a rate of zero sends nothing",
            Self::TooHigh => "the highest rate is 10000000/s",
        })
    }
}

impl std::error::Error for RateError {}

/// `20/s`, `1200/m`, `0.5/s`, `90/h`; a bare number is per second.
///
/// What is finer than a millionth per second is rounded up, so that `100/m` has its hundredth request within the minute.
impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let (number, seconds) = match text.split_once('/') {
            None => (text, 1),
            Some((number, "s")) => (number, 1),
            Some((number, "m")) => (number, 60),
            Some((number, "h")) => (number, 3_600),
            Some(_) => return Err(RateError::Unit),
        };
        let (digits, decimals) = decimal(number).ok_or(RateError::Number)?;
        if digits == 0 {
            return Err(RateError::Zero);
        }
        let micro = (digits * MICRO).div_ceil(10_u128.pow(decimals) * seconds);
        match u64::try_from(micro) {
            Ok(micro_per_second) if micro_per_second <= Self::MAX.micro_per_second => Ok(Self { micro_per_second }),
            _ => Err(RateError::TooHigh),
        }
    }
}

/// The digits of a plain decimal of at most 20 places, and how many of them stand after the point.
fn decimal(text: &str) -> Option<(u128, u32)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction}");
    let plain = !digits.is_empty() && digits.len() <= 20 && digits.bytes().all(|b| b.is_ascii_digit());
    let decimals = u32::try_from(fraction.len()).ok()?;
    plain.then(|| digits.parse().ok()).flatten().map(|digits| (digits, decimals))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_rate_is_read_in_every_unit() {
        for (text, micro, why) in [
            ("20/s", 20_000_000, "the usual form"),
            ("20", 20_000_000, "bare is per second"),
            ("1200/m", 20_000_000, "per minute"),
            ("0.5/s", 500_000, "one every two seconds"),
            (".5", 500_000, "no leading digit"),
            ("5.", 5_000_000, "no trailing digit"),
            ("90/h", 25_000, "per hour"),
            ("100/m", 1_666_667, "rounded up, so that the hundredth comes within the minute"),
            ("0.0000001/s", 1, "never rounded to nothing"),
            ("10000000", Rate::MAX.micro_per_second, "the highest"),
        ] {
            assert_eq!(text.parse(), Ok(Rate { micro_per_second: micro }), "{text}: {why}");
        }
    }

    #[test]
    fn what_is_no_rate_says_what_is_wrong_with_it() {
        for (text, error) in [
            ("", RateError::Number),
            (".", RateError::Number),
            ("/s", RateError::Number),
            ("-1/s", RateError::Number),
            ("+1/s", RateError::Number),
            ("1e3", RateError::Number),
            ("inf", RateError::Number),
            ("NaN", RateError::Number),
            ("1.2.3", RateError::Number),
            ("111111111111111111111", RateError::Number),
            ("20 /s", RateError::Number),
            ("20/", RateError::Unit),
            ("20/sec", RateError::Unit),
            ("20/s/s", RateError::Unit),
            ("0", RateError::Zero),
            ("0.000/m", RateError::Zero),
            ("10000000.1", RateError::TooHigh),
            ("99999999999999999999", RateError::TooHigh),
        ] {
            assert_eq!(text.parse::<Rate>(), Err(error), "{text}");
        }
    }

    #[test]
    fn lanes_multiply_a_rate() {
        let ten = Rate::per_second(10).unwrap();
        assert_eq!(ten.times(2), Rate::per_second(20).unwrap());
        assert_eq!(ten.times(0), ten);
        assert_eq!(Rate { micro_per_second: u64::MAX }.times(9).micro_per_second, u64::MAX);
        assert_eq!(Rate::per_second(0), None);
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back_the_same(micro in 1..=Rate::MAX.micro_per_second) {
            let rate = Rate { micro_per_second: micro };
            prop_assert_eq!(rate.to_string().parse(), Ok(rate));
        }

        #[test]
        fn no_text_panics(text in ".{0,24}") {
            let _ = text.parse::<Rate>();
        }
    }
}
