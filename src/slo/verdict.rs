//! The answer: one decision for the whole line, and a finding for each clause.

use std::fmt;

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
    /// Greater than anything measured: among requests that timed out.
    Beyond,
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
    /// The bound.
    pub bound: Value,
    /// Two-sided 95 % interval of the value, where the metric has one.
    pub interval: Option<(Value, Value)>,
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
}
