//! Quantities: a number always carries its unit, so that milliseconds and seconds, shares and counts never mix.

use super::decimal::{Decimal, Fraction};

/// A number with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantity {
    /// The number.
    pub number: Decimal,
    /// The unit; `None` only for a bare 0 on a share.
    pub unit: Option<Unit>,
}

impl Quantity {
    /// Exactly this much in nanoseconds, bytes, shares, requests, or requests a second.
    #[must_use]
    pub fn in_base_units(self) -> Fraction {
        match self.unit {
            None => self.number.times(1),
            Some(unit) if unit.divisor() > 1 => self.number.over(unit.divisor()),
            Some(unit) => self.number.times(unit.factor()),
        }
    }
}

/// What a quantity is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// `ns`
    Nanosecond,
    /// `us`, `µs`
    Microsecond,
    /// `ms`
    Millisecond,
    /// `s`
    Second,
    /// `m`
    Minute,
    /// `%`
    Percent,
    /// `pp`, percentage points
    Point,
    /// `/s`
    PerSecond,
    /// `/m`
    PerMinute,
    /// `req`
    Request,
    /// `B`
    Byte,
    /// `KB`, 1000 bytes
    Kilobyte,
    /// `MB`, 1000² bytes
    Megabyte,
    /// `KiB`, 1024 bytes
    Kibibyte,
    /// `MiB`, 1024² bytes
    Mebibyte,
}

/// What kind of quantity a unit measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// A time.
    Time,
    /// A share, or a relative allowance.
    Percent,
    /// An absolute allowance on a share.
    Point,
    /// A rate.
    Rate,
    /// A number of requests.
    Count,
    /// A size.
    Bytes,
}

impl Unit {
    /// Every spelling; of several for one unit, the canonical one comes first.
    pub(super) const SPELLINGS: [(&'static str, Self); 17] = [
        ("ns", Self::Nanosecond),
        ("us", Self::Microsecond),
        ("µs", Self::Microsecond),
        ("μs", Self::Microsecond),
        ("ms", Self::Millisecond),
        ("s", Self::Second),
        ("m", Self::Minute),
        ("%", Self::Percent),
        ("pp", Self::Point),
        ("/s", Self::PerSecond),
        ("/m", Self::PerMinute),
        ("req", Self::Request),
        ("B", Self::Byte),
        ("KB", Self::Kilobyte),
        ("MB", Self::Megabyte),
        ("KiB", Self::Kibibyte),
        ("MiB", Self::Mebibyte),
    ];

    /// The canonical spelling.
    #[must_use]
    pub fn spelling(self) -> &'static str {
        Self::SPELLINGS.iter().find(|(_, unit)| *unit == self).map_or("", |(spelling, _)| spelling)
    }

    /// What it measures.
    #[must_use]
    pub const fn dimension(self) -> Dimension {
        match self {
            Self::Nanosecond | Self::Microsecond | Self::Millisecond | Self::Second | Self::Minute => Dimension::Time,
            Self::Percent => Dimension::Percent,
            Self::Point => Dimension::Point,
            Self::PerSecond | Self::PerMinute => Dimension::Rate,
            Self::Request => Dimension::Count,
            Self::Byte | Self::Kilobyte | Self::Megabyte | Self::Kibibyte | Self::Mebibyte => Dimension::Bytes,
        }
    }

    /// Base units (nanoseconds, bytes, requests, requests a second) in one of these.
    #[must_use]
    pub const fn factor(self) -> u64 {
        match self {
            Self::Microsecond | Self::Kilobyte => 1_000,
            Self::Millisecond | Self::Megabyte => 1_000_000,
            Self::Second => 1_000_000_000,
            Self::Minute => 60_000_000_000,
            Self::Kibibyte => 1 << 10,
            Self::Mebibyte => 1 << 20,
            _ => 1,
        }
    }

    /// How many of these make one base unit, where the base unit is the greater: 100 % is a share of 1.
    #[must_use]
    pub const fn divisor(self) -> u64 {
        match self {
            Self::Percent | Self::Point => 100,
            Self::PerMinute => 60,
            _ => 1,
        }
    }
}
