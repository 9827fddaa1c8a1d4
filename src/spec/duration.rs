//! Durations as Go writes them, because hey, Flagger and Kubernetes manifests do: `1m30s`, `1.5h`, `300ms`, and no days.
//!
//! Reading follows `time.ParseDuration` of Go 1.20 and later digit for digit, its floating-point fraction included, and
//! showing follows `Duration.String`, so that a value read from a manifest means here what it means there.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

const MICROSECOND: u64 = 1_000;
const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// The greatest magnitude, that of the most negative value.
const LIMIT: u64 = 1 << 63;

/// A span of time in whole nanoseconds, up to 292 years either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GoDuration(i64);

impl GoDuration {
    /// A span of so many nanoseconds.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// The span in nanoseconds; negative before zero.
    #[must_use]
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// The same span without a sign; `None` below zero.
    #[must_use]
    pub fn to_std(self) -> Option<Duration> {
        u64::try_from(self.0).ok().map(Duration::from_nanos)
    }
}

/// The same span, cut at the greatest that Go knows.
impl From<Duration> for GoDuration {
    fn from(duration: Duration) -> Self {
        Self(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
    }
}

/// Why a text is no duration. The texts say what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Nothing, or not of the form number-unit-number-unit.
    #[error("not a duration: write numbers with units, such as 300ms, 10s, 1m30s or 1.5h")]
    Shape,
    /// A number stands without a unit.
    #[error("the unit is missing: write {0}s for seconds, or ns, us, ms, m or h")]
    MissingUnit(String),
    /// The unit is none that Go knows.
    #[error("unknown unit '{0}': the units are ns, us, ms, s, m and h")]
    UnknownUnit(String),
    /// More than 292 years.
    #[error("too long: the longest duration is 2562047h47m16s")]
    Overflow,
}

impl FromStr for GoDuration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        if unsigned == "0" {
            return Ok(Self(0));
        }
        if unsigned.is_empty() {
            return Err(DurationError::Shape);
        }
        let (mut sum, mut rest) = (0_u64, unsigned);
        while !rest.is_empty() {
            let (part, after) = component(rest)?;
            sum = sum.checked_add(part).filter(|sum| *sum <= LIMIT).ok_or(DurationError::Overflow)?;
            rest = after;
        }
        if text.starts_with('-') {
            return Ok(Self(0_i64.wrapping_sub_unsigned(sum)));
        }
        i64::try_from(sum).map(Self).map_err(|_| DurationError::Overflow)
    }
}

/// Reads one number with its unit: its nanoseconds, and what follows it.
fn component(text: &str) -> Result<(u64, &str), DurationError> {
    if !text.starts_with(|c: char| c == '.' || c.is_ascii_digit()) {
        return Err(DurationError::Shape);
    }
    let (digits, mut rest) = leading_digits(text);
    let whole = whole_part(digits)?;
    let mut fraction = "";
    if let Some(after) = rest.strip_prefix('.') {
        (fraction, rest) = leading_digits(after);
    }
    if digits.is_empty() && fraction.is_empty() {
        return Err(DurationError::Shape);
    }
    let end = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    if name.is_empty() {
        return Err(DurationError::MissingUnit(text[..text.len() - rest.len()].to_owned()));
    }
    let unit = unit(name)?;
    let nanos = whole.checked_mul(unit).filter(|nanos| *nanos <= LIMIT).ok_or(DurationError::Overflow)?;
    let nanos = nanos.checked_add(fraction_part(fraction, unit)).filter(|nanos| *nanos <= LIMIT);
    Ok((nanos.ok_or(DurationError::Overflow)?, after))
}

fn leading_digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

fn whole_part(digits: &str) -> Result<u64, DurationError> {
    digits.bytes().try_fold(0_u64, |sum, digit| {
        let sum = sum.checked_mul(10).and_then(|sum| sum.checked_add(u64::from(digit - b'0')));
        sum.filter(|sum| *sum <= LIMIT).ok_or(DurationError::Overflow)
    })
}

/// Nanoseconds of a decimal fraction of `unit`, cut, not rounded. Digits that no longer fit an `i64` are dropped.
fn fraction_part(digits: &str, unit: u64) -> u64 {
    let (mut value, mut scale) = (0_u64, 1.0_f64);
    for digit in digits.bytes() {
        let next = (value <= (LIMIT - 1) / 10).then(|| value * 10 + u64::from(digit - b'0'));
        let Some(next) = next.filter(|next| *next <= LIMIT) else { break };
        value = next;
        scale *= 10.0;
    }
    (value as f64 * (unit as f64 / scale)) as u64
}

fn unit(name: &str) -> Result<u64, DurationError> {
    match name {
        "ns" => Ok(1),
        // The micro sign and the Greek letter.
        "us" | "\u{b5}s" | "\u{3bc}s" => Ok(MICROSECOND),
        "ms" => Ok(MILLISECOND),
        "s" => Ok(SECOND),
        "m" => Ok(MINUTE),
        "h" => Ok(HOUR),
        other => Err(DurationError::UnknownUnit(other.to_owned())),
    }
}

/// As Go shows it: `1m30s`, `1h0m0s`, `1.5s`, `300ms`, `2.5µs`, `0s`.
impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.unsigned_abs();
        if self.0 < 0 {
            f.write_str("-")?;
        }
        match nanos {
            0 => f.write_str("0s"),
            1..MICROSECOND => write!(f, "{nanos}ns"),
            MICROSECOND..MILLISECOND => write!(f, "{}\u{b5}s", decimal(nanos, MICROSECOND)),
            MILLISECOND..SECOND => write!(f, "{}ms", decimal(nanos, MILLISECOND)),
            SECOND..MINUTE => write!(f, "{}s", decimal(nanos, SECOND)),
            MINUTE..HOUR => write!(f, "{}m{}s", nanos / MINUTE, decimal(nanos % MINUTE, SECOND)),
            _ => {
                let (hours, rest) = (nanos / HOUR, nanos % HOUR);
                write!(f, "{hours}h{}m{}s", rest / MINUTE, decimal(rest % MINUTE, SECOND))
            }
        }
    }
}

/// `nanos` in `unit`s, a power of ten, without trailing zeros.
fn decimal(nanos: u64, unit: u64) -> String {
    let (whole, rest) = (nanos / unit, nanos % unit);
    if rest == 0 {
        return whole.to_string();
    }
    let width = unit.ilog10() as usize;
    format!("{whole}.{rest:0width$}").trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn nanos(text: &str) -> Result<i64, DurationError> {
        text.parse().map(GoDuration::as_nanos)
    }

    #[test]
    fn durations_are_read_as_go_reads_them() {
        let (s, m, h) = (SECOND as i64, MINUTE as i64, HOUR as i64);
        for (text, expected, why) in [
            ("0", 0, "zero needs no unit"),
            ("-0", 0, "nor does a signed one"),
            ("+5s", 5 * s, "a sign"),
            ("-1s", -s, "before zero"),
            ("1m30s", 90 * s, "two parts"),
            ("1.5h", 90 * m, "a fraction"),
            ("300ms", 300_000_000, "milliseconds"),
            ("10us", 10_000, "ASCII microseconds"),
            ("10µs", 10_000, "the micro sign"),
            ("10μs", 10_000, "the Greek letter"),
            ("5.s", 5 * s, "no digit after the point"),
            (".5s", s / 2, "no digit before the point"),
            ("1s1s", 2 * s, "a unit may come twice"),
            ("3m2h", 2 * h + 3 * m, "in any order"),
            ("00001s", s, "leading zeros"),
            ("0.3333333333333333333h", 20 * m, "more digits than fit: the fraction is cut"),
            ("0.9223372036854775807h", 3_320_413_933_267, "the greatest fraction"),
            ("0.100000000000000000000h", 6 * m, "trailing zeros"),
            ("52763797000ns", 52_763_797_000, "many nanoseconds"),
            ("9223372036854775807ns", i64::MAX, "the greatest"),
            ("-9223372036854775808ns", i64::MIN, "the least"),
            ("-2562047h47m16.854775808s", i64::MIN, "the least in parts"),
            ("1.1ns", 1, "below a nanosecond is cut"),
            ("39h9m14.425s", 140_954_425_000_000, "from Go's own examples"),
        ] {
            assert_eq!(nanos(text), Ok(expected), "{text}: {why}");
        }
    }

    #[test]
    fn what_is_no_duration_says_what_is_allowed() {
        use DurationError::{MissingUnit, Overflow, Shape, UnknownUnit};
        for (text, error) in [
            ("", Shape),
            ("-", Shape),
            ("s", Shape),
            (".", Shape),
            (".s", Shape),
            ("+.s", Shape),
            ("--1s", Shape),
            (" 1s", Shape),
            ("1 s", UnknownUnit(" s".into())),
            ("60", MissingUnit("60".into())),
            ("1.5", MissingUnit("1.5".into())),
            ("1m30", MissingUnit("30".into())),
            ("1d", UnknownUnit("d".into())),
            ("1S", UnknownUnit("S".into())),
            ("10s\n", UnknownUnit("s\n".into())),
            ("1s-1s", UnknownUnit("s-".into())),
            ("9223372036854775808ns", Overflow),
            ("9223372036854775810ns", Overflow),
            ("-9223372036854775809ns", Overflow),
            ("9223372036854775.808us", Overflow),
            ("9223372036854ms775us808ns", Overflow),
            ("3000000h", Overflow),
            ("99999999999999999999999s", Overflow),
        ] {
            assert_eq!(nanos(text), Err(error), "{text:?}");
        }
        assert_eq!(
            nanos("60").unwrap_err().to_string(),
            "the unit is missing: write 60s for seconds, or ns, us, ms, m or h"
        );
        assert_eq!(nanos("1d").unwrap_err().to_string(), "unknown unit 'd': the units are ns, us, ms, s, m and h");
    }

    #[test]
    fn durations_are_shown_as_go_shows_them() {
        for (nanos, shown) in [
            (0, "0s"),
            (1, "1ns"),
            (1_100, "1.1µs"),
            (2_200_000, "2.2ms"),
            (3_300_000_000, "3.3s"),
            (245_000_000_000, "4m5s"),
            (245_001_000_000, "4m5.001s"),
            (18_367_001_000_000, "5h6m7.001s"),
            (3_600_000_000_000, "1h0m0s"),
            (480_000_000_001, "8m0.000000001s"),
            (-90_000_000_000, "-1m30s"),
            (i64::MAX, "2562047h47m16.854775807s"),
            (i64::MIN, "-2562047h47m16.854775808s"),
        ] {
            assert_eq!(GoDuration::from_nanos(nanos).to_string(), shown);
        }
    }

    #[test]
    fn the_plain_span_has_no_sign() {
        assert_eq!(GoDuration::from_nanos(1_500).to_std(), Some(Duration::from_nanos(1_500)));
        assert_eq!(GoDuration::from_nanos(-1).to_std(), None);
        assert_eq!(GoDuration::from(Duration::MAX), GoDuration::from_nanos(i64::MAX));
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back_the_same(nanos in any::<i64>(), shift in 0_u32..63) {
            let duration = GoDuration::from_nanos(nanos >> shift);
            prop_assert_eq!(duration.to_string().parse(), Ok(duration));
        }

        #[test]
        fn parts_add_up(h in 0_i64..1_000, m in 0_i64..100_000, s in 0_i64..100_000, ms in 0_i64..100_000) {
            let expected = ((h * 60 + m) * 60 + s) * 1_000_000_000 + ms * 1_000_000;
            prop_assert_eq!(nanos(&format!("{h}h{m}m{s}s{ms}ms")), Ok(expected));
        }

        #[test]
        fn no_text_panics(text in "[-+]?[0-9.µnmsh]{0,30}|.{0,12}") {
            let _ = text.parse::<GoDuration>();
        }
    }
}
