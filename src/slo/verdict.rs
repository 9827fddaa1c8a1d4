//! The answer: one decision for the whole line, and a finding for each clause.

use std::fmt;

use crate::stats::number;

/// What a clause, or the whole line, comes to.
///
/// Ordered by precedence: over several clauses the greatest wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decision {
    /// It holds, on enough evidence.
    Pass,
    /// The evidence straddles the bound.
    Inconclusive,
    /// There is too little evidence to pass, and none that is certain to fail.
    Insufficient,
    /// Our own process coloured the numbers: they are not the target's.
    Saturated,
    /// It does not hold.
    Fail,
    /// No connection to the target was ever made.
    Unreachable,
    /// The run itself went wrong.
    Error,
}

impl Decision {
    /// The name used in reports and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::Insufficient => "insufficient",
            Self::Saturated => "saturated",
            Self::Fail => "fail",
            Self::Unreachable => "unreachable",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A quantity with its unit, as shown to people.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// Nanoseconds.
    Time(f64),
    /// A share in [0, 1].
    Ratio(f64),
    /// Requests.
    Count(u64),
    /// Bytes.
    Bytes(f64),
    /// Requests per second.
    PerSecond(f64),
    /// A number without a unit, from elsewhere.
    Number(f64),
    /// Greater than anything measured: among requests that timed out.
    Beyond,
}

impl Value {
    /// The number in base units (nanoseconds, a share, requests, bytes, requests a second); infinite for `Beyond`.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Time(number)
            | Self::Ratio(number)
            | Self::Bytes(number)
            | Self::PerSecond(number)
            | Self::Number(number) => number,
            Self::Count(number) => number as f64,
            Self::Beyond => f64::INFINITY,
        }
    }
}

/// Three significant digits and a unit: `812ms`, `99.8%`, `1.50 MiB`, `95/s`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.among(0))
    }
}

impl Value {
    /// The value as shown where it is of `n` requests: a share then has no more digits than one of them deserves.
    /// 0 where that is not known.
    #[must_use]
    pub fn among(self, n: u64) -> String {
        match self {
            Self::Time(ns) => number::time(ns),
            Self::Bytes(bytes) => number::bytes(bytes),
            Self::PerSecond(rate) => number::per_second(rate),
            Self::Count(count) => number::count(count),
            Self::Number(value) => number::trimmed(&format!("{value:.3}")).to_owned(),
            Self::Beyond => "a timeout".to_owned(),
            Self::Ratio(share) => {
                let k = (share * n as f64).round();
                let exact = n > 0 && (share * n as f64 - k).abs() < 1e-6 * n as f64 && (0.0..=n as f64).contains(&k);
                if exact { number::share(k as u64, n) } else { number::ratio(share) }
            }
        }
    }

    /// The value with more digits than anyone wants, for where fewer would make two different values look the same.
    #[must_use]
    pub fn in_full(self) -> String {
        let (factor, unit) = match self {
            Self::Time(ns) if ns >= 1e9 => (1e9, "s"),
            Self::Time(_) => (1e6, "ms"),
            Self::Bytes(_) => (1.0, " B"),
            Self::PerSecond(_) => (1.0, "/s"),
            Self::Number(_) => (1.0, ""),
            Self::Ratio(_) => (0.01, "%"),
            Self::Count(_) | Self::Beyond => return self.among(0),
        };
        format!("{}{unit}", number::trimmed(&format!("{:.9}", self.as_f64() / factor)))
    }
}

/// How one clause came out, with everything needed to explain it.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The clause in canonical form, such as `p99<500ms`.
    pub clause: String,
    /// What was measured, such as `latency.p99` or `success`.
    pub metric: String,
    /// What it comes to.
    pub decision: Decision,
    /// `warn`: shown, but without effect on the verdict.
    pub advisory: bool,
    /// The measured value; `None` without evidence.
    pub value: Option<Value>,
    /// The comparison as written: `<`, `<=`, `>`, `>=`, `==` or `!=`.
    pub comparison: &'static str,
    /// The bound; made from the reference, where the clause compares. [`Value::Beyond`] where there is none.
    pub bound: Value,
    /// The same metric on the side that the clause compares with; `None` if it compares with none, or it is not known.
    pub reference: Option<Value>,
    /// Two-sided 95 % interval of the value, where the metric has one.
    pub interval: Option<(Value, Value)>,
    /// How much wider that is than requests that fail independently would make it, at least 1: at a confidence, where
    /// failures come in bursts.
    pub widened: f64,
    /// Requests in the clause's population.
    pub n: u64,
    /// Least population that may pass.
    pub least_n: u64,
    /// The bound lies inside the interval: the decision could have gone the other way.
    pub thin: bool,
    /// Why, in words, when the numbers alone do not say it.
    pub note: Option<String>,
}

/// The verdict on a whole line.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The decision.
    pub decision: Decision,
    /// One line that says why: the value, the bound, the interval and n of whatever decided.
    pub reason: String,
    /// One finding a clause, in the order written.
    pub findings: Vec<Finding>,
    /// What is worth knowing and decides nothing, a sentence each.
    pub advice: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_with_three_digits_and_a_unit() {
        for (value, shown) in [
            (Value::Time(812_400_000.0), "812ms"),
            (Value::Time(1_020_000_000.0), "1.02s"),
            (Value::Time(999_960_000.0), "1.00s"),
            (Value::Time(12_340_000_000.0), "12.3s"),
            (Value::Time(350_000.0), "350µs"),
            (Value::Time(0.0), "0ms"),
            (Value::Ratio(0.998), "99.8%"),
            (Value::Ratio(0.5), "50%"),
            (Value::Ratio(1.0 / 3.0), "33%"),
            (Value::Ratio(0.999_999), "99.9999%"),
            (Value::Ratio(1.0), "100%"),
            (Value::Ratio(0.0), "0%"),
            (Value::Ratio(0.958_333), "95.8%"),
            (Value::Count(1200), "1,200"),
            (Value::Bytes(1_572_864.0), "1.50 MiB"),
            (Value::Bytes(100.0), "100 B"),
            (Value::PerSecond(19.87), "19.9/s"),
            (Value::PerSecond(20_000.4), "20,000/s"),
            (Value::Number(2.0), "2"),
            (Value::Number(0.12345), "0.123"),
            (Value::Beyond, "a timeout"),
        ] {
            assert_eq!(value.to_string(), shown);
        }
    }

    #[test]
    fn the_greatest_decision_wins_over_several_clauses() {
        use Decision::{Error, Fail, Inconclusive, Insufficient, Pass, Saturated, Unreachable};
        let order = [Pass, Inconclusive, Insufficient, Saturated, Fail, Unreachable, Error];
        assert!(order.is_sorted());
    }
}
