//! Values as people write them: durations, shares, sizes. Pure.

use std::time::Duration;

/// Nanoseconds in each unit a duration may carry, longest spelling first so that `ms` is not read as `m`.
const UNITS: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Bytes in each unit a size may carry.
const SIZES: [(&str, u64); 10] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

/// Longest duration accepted: a year, so that adding a few to a clock cannot overflow.
const LONGEST: u128 = 366 * 24 * 3_600_000_000_000;

/// A share of requests or connections: an exact fraction, so that 2 % of 1000 is 20 and never 19.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    part: u64,
    whole: u64,
}

impl Share {
    /// None of them.
    pub const NONE: Self = Self { part: 0, whole: 1 };
    /// All of them.
    pub const ALL: Self = Self { part: 1, whole: 1 };

    /// `part` of `whole`; `None` unless `part` ≤ `whole` ≤ 10¹² and `whole` > 0.
    #[must_use]
    pub const fn new(part: u64, whole: u64) -> Option<Self> {
        if whole == 0 || part > whole || whole > 1_000_000_000_000 { None } else { Some(Self { part, whole }) }
    }

    /// ⌊n·share⌋: how many of the first `n` are meant.
    #[must_use]
    pub const fn of(self, n: u64) -> u64 {
        (n as u128 * self.part as u128 / self.whole as u128) as u64
    }

    /// The share as a ratio in [0, 1].
    #[must_use]
    pub fn ratio(self) -> f64 {
        self.part as f64 / self.whole as f64
    }

    /// Whether nothing is meant.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.part == 0
    }
}

/// A share such as `2%`, `0.02`, `1/50` or `1`; `None` when it is not one or lies outside [0, 1].
#[must_use]
pub fn share(text: &str) -> Option<Share> {
    let text = text.trim();
    if let Some((part, whole)) = text.split_once('/') {
        return Share::new(whole_number(part)?, whole_number(whole)?);
    }
    let (number, scale) = text.strip_suffix('%').map_or((text, 1), |percent| (percent, 100));
    let (digits, decimals) = decimal(number)?;
    Share::new(digits, 10_u64.pow(decimals).checked_mul(scale)?)
}

/// A duration as Go writes it: `1h30m`, `20ms`, `1.5s`, `250us`; a bare `0` is zero. `None` when it is not one, is
/// negative, or is longer than a year.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    let mut total: u128 = 0;
    while !rest.is_empty() || total == 0 {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(number_end);
        let (digits, decimals) = decimal(number)?;
        let (unit, factor) = UNITS.iter().find(|(unit, _)| unit_of(tail) == *unit)?;
        total += u128::from(digits) * u128::from(*factor) / u128::from(10_u64.pow(decimals));
        if total > LONGEST {
            return None;
        }
        rest = &tail[unit.len()..];
        if rest.is_empty() {
            break;
        }
    }
    Some(Duration::from_nanos(u64::try_from(total).ok()?))
}

/// The letters at the beginning of `text`.
fn unit_of(text: &str) -> &str {
    let end = text.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(text.len());
    &text[..end]
}

/// A size such as `100`, `1KiB`, `10GiB`, `5MB`, in bytes; `None` when it is not one.
#[must_use]
pub fn size(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number = whole_number(&text[..end])?;
    match &text[end..] {
        "" => Some(number),
        unit => number.checked_mul(SIZES.iter().find(|(name, _)| *name == unit)?.1),
    }
}

/// A whole number without sign or separators.
pub(super) fn whole_number(text: &str) -> Option<u64> {
    let text = text.trim();
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// A positive decimal number as a float, for shape parameters.
pub(super) fn positive(text: &str) -> Option<f64> {
    let (digits, decimals) = decimal(text.trim())?;
    let value = digits as f64 / 10_f64.powi(i32::try_from(decimals).ok()?);
    (value > 0.0).then_some(value)
}

/// A decimal number as (digits, decimals), at most nine decimals: `1.25` is (125, 2).
fn decimal(text: &str) -> Option<(u64, u32)> {
    let (integer, fraction) = text.split_once('.').unwrap_or((text, ""));
    if integer.is_empty() && fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let digits = format!("{integer}{fraction}");
    Some((whole_number(&digits)?, fraction.len() as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        for (text, nanos) in [
            ("20ms", Some(20_000_000)),
            ("1.5s", Some(1_500_000_000)),
            ("1h30m", Some(5_400_000_000_000)),
            ("2m0.5s", Some(120_500_000_000)),
            ("250us", Some(250_000)),
            ("250µs", Some(250_000)),
            ("7ns", Some(7)),
            ("0", Some(0)),
            ("0s", Some(0)),
            (".5s", Some(500_000_000)),
            (" 5s ", Some(5_000_000_000)),
            ("20", None),
            ("", None),
            ("ms", None),
            ("-5s", None),
            ("5 s", None),
            ("1s2", None),
            ("1.2.3s", None),
            ("5sm", None),
            ("5d", None),
            (".s", None),
            ("99999h", None),
            ("99999999999999999999s", None),
            ("1.0000000000s", None),
        ] {
            assert_eq!(duration(text), nanos.map(Duration::from_nanos), "{text:?}");
        }
    }

    #[test]
    fn shares_are_exact_fractions_between_none_and_all() {
        for (text, of_a_thousand) in [
            ("2%", Some(20)),
            ("0.5%", Some(5)),
            ("100%", Some(1000)),
            ("0%", Some(0)),
            ("0", Some(0)),
            ("0.02", Some(20)),
            ("1/50", Some(20)),
            ("1/3", Some(333)),
            ("1", Some(1000)),
            ("0.0000001%", Some(0)),
            ("101%", None),
            ("1.1", None),
            ("2/1", None),
            ("0/0", None),
            ("-1%", None),
            ("two", None),
            ("", None),
            ("%", None),
            ("1e-2", None),
        ] {
            assert_eq!(share(text).map(|s| s.of(1000)), of_a_thousand, "{text:?}");
        }
        assert_eq!(share("1/3").map(|s| s.of(3)), Some(1));
        assert_eq!(Share::ALL.of(u64::MAX), u64::MAX);
    }

    #[test]
    fn sizes_take_binary_and_decimal_units() {
        for (text, bytes) in [
            ("0", Some(0)),
            ("100", Some(100)),
            ("1B", Some(1)),
            ("1KiB", Some(1024)),
            ("1kB", Some(1000)),
            ("10GiB", Some(10_737_418_240)),
            ("2MB", Some(2_000_000)),
            ("1.5MiB", None),
            ("-1", None),
            ("KiB", None),
            ("1 KiB", None),
            ("99999999TiB", None),
        ] {
            assert_eq!(size(text), bytes, "{text:?}");
        }
    }
}
