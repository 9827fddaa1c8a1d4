//! What an objective line says, as values: metric, comparison, bound and options of each clause.

use crate::stats::{Answers, Classes, Ns, Series};

use super::decimal::{Decimal, Fraction};
use super::metric::answers;
use super::needs::{Party, Query};
use super::unit::Quantity;

/// A whole objective: every clause must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The clauses, in the order written; at least one.
    pub clauses: Vec<Clause>,
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    /// What is measured.
    pub metric: Metric,
    /// Which requests it is measured on; empty means all.
    pub selectors: Vec<Selector>,
    /// How it is compared.
    pub comparison: Comparison,
    /// What it is compared with.
    pub bound: Bound,
    /// How it is judged.
    pub options: Options,
}

impl Clause {
    /// The bound as an exact number in base units (nanoseconds, bytes, a share, requests, or requests a second);
    /// `None` when it refers to another measurement.
    #[must_use]
    pub fn absolute(&self) -> Option<Fraction> {
        match &self.bound {
            Bound::Absolute(quantity) => Some(quantity.in_base_units()),
            Bound::Relative { .. } => None,
        }
    }

    /// The reference that the bound is made from, if it is.
    #[must_use]
    pub const fn reference(&self) -> Option<&Reference> {
        match &self.bound {
            Bound::Absolute(_) => None,
            Bound::Relative { base, .. } => Some(base),
        }
    }

    /// Whose requests it is about.
    #[must_use]
    pub fn party(&self) -> Party {
        match self.selected(SelectorKey::Target) {
            Some("primary") => Party::Primary,
            _ => Party::Canary,
        }
    }

    /// Which answers it is restricted to; `None` for all.
    pub(super) fn answers(&self) -> Option<Answers> {
        self.selected(SelectorKey::Status).and_then(answers)
    }

    /// Which requests it is restricted to; `None` for all. As long as nobody has said which those are, none.
    pub(super) fn classes(&self) -> Option<Classes> {
        let url = self.selectors.iter().find(|selector| selector.key == SelectorKey::Url);
        url.map(|selector| selector.classes.unwrap_or_default())
    }

    /// The value of a selector.
    pub(super) fn selected(&self, key: SelectorKey) -> Option<&str> {
        self.selectors.iter().find(|selector| selector.key == key).map(|selector| selector.value.as_str())
    }
}

/// A measured quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Metric {
    /// An aggregate of a series of times or sizes.
    Series(Series, Aggregate),
    /// A share of the requests, or a count of them where the bound says `req`.
    Share(Share),
    /// Finished requests per second of wall time.
    Rps,
    /// Finished requests.
    Count,
    /// The answer to a Prometheus query.
    Prom(Query),
}

/// How a series becomes one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// The quantile at this percentage, above 0 and below 100, by nearest rank.
    Quantile(Decimal),
    /// Least value.
    Min,
    /// Greatest value.
    Max,
    /// Arithmetic mean.
    Avg,
    /// The median: the quantile at 50 %.
    Med,
    /// Sample standard deviation.
    Stddev,
}

impl Aggregate {
    /// The quantile as a share of the requests, 1 for the maximum; `None` for aggregates that are no quantile.
    #[must_use]
    pub fn quantile(self) -> Option<Fraction> {
        match self {
            Self::Quantile(percent) => Some(percent.over(100)),
            Self::Med => Some(Decimal::whole(50).over(100)),
            Self::Max => Some(Fraction { num: 1, den: 1 }),
            Self::Min | Self::Avg | Self::Stddev => None,
        }
    }
}

/// A part of the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// Met the expectation.
    Success,
    /// Did not.
    Errors,
    /// Got no complete answer in time.
    Timeouts,
    /// Found no one to connect to.
    Refused,
    /// Lost the connection before the answer.
    Resets,
    /// Whose body and header expectations held.
    Checks,
    /// Were sent on schedule, as far as it was up to our own process.
    Achieved,
    /// Answered with such a status.
    Answered(Answers),
}

impl Share {
    /// The named shares, as written.
    pub(super) const NAMED: [(&'static str, Self); 7] = [
        ("success", Self::Success),
        ("errors", Self::Errors),
        ("timeouts", Self::Timeouts),
        ("refused", Self::Refused),
        ("resets", Self::Resets),
        ("checks", Self::Checks),
        ("achieved", Self::Achieved),
    ];

    /// Whether more of it is better, worse, or depends on what the user is after.
    #[must_use]
    pub const fn better(self) -> Better {
        match self {
            Self::Success | Self::Checks | Self::Achieved => Better::More,
            Self::Errors | Self::Timeouts | Self::Refused | Self::Resets => Better::Less,
            Self::Answered(Answers::Class(5) | Answers::Http(500..)) => Better::Less,
            Self::Answered(Answers::Grpc(0)) => Better::More,
            Self::Answered(Answers::Grpc(status)) if is_server_failure(status) => Better::Less,
            Self::Answered(_) => Better::Either,
        }
    }
}

/// Whether a gRPC status is never what a caller asked for: unknown, deadline exceeded, resource exhausted, unimplemented,
/// internal, unavailable, data loss.
const fn is_server_failure(status: u8) -> bool {
    matches!(status, 2 | 4 | 8 | 12..=15)
}

/// Which direction of a metric is the good one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Greater values.
    More,
    /// Smaller values.
    Less,
    /// Up to the user.
    Either,
}

impl Metric {
    /// Which direction is the good one.
    #[must_use]
    pub const fn better(&self) -> Better {
        match self {
            Self::Series(Series::Size, _) | Self::Count | Self::Prom(_) | Self::Rps => Better::Either,
            Self::Series(..) => Better::Less,
            Self::Share(share) => share.better(),
        }
    }

    /// Whether it is a time, so that our own lateness colours it.
    #[must_use]
    pub const fn is_time(&self) -> bool {
        matches!(self, Self::Series(series, _) if !series.is_bytes())
    }
}

/// What requests a clause is restricted to: `{step=checkout}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// The property.
    pub key: SelectorKey,
    /// Its value, as written; never empty.
    pub value: String,
    /// The requests of the run that have it; `None` until [`Line::ask`] says, and for what is no property of a request
    /// before it is sent.
    pub classes: Option<Classes>,
}

/// A property of a request that a selector can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelectorKey {
    /// Step of a scenario.
    Step,
    /// URL.
    Url,
    /// Request method.
    Method,
    /// Status of the answer.
    Status,
    /// Canary or primary.
    Target,
    /// The pod that answered.
    Pod,
    /// Protocol.
    Proto,
}

impl SelectorKey {
    /// Every key, as written.
    pub(super) const NAMED: [(&'static str, Self); 7] = [
        ("step", Self::Step),
        ("url", Self::Url),
        ("method", Self::Method),
        ("status", Self::Status),
        ("target", Self::Target),
        ("pod", Self::Pod),
        ("proto", Self::Proto),
    ];
}

/// How value and bound are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `==`
    Eq,
    /// `!=`
    Ne,
}

impl Comparison {
    /// All of them, longer spellings first, so that `<=` is not read as `<`.
    pub(super) const ALL: [Self; 6] = [Self::Le, Self::Ge, Self::Eq, Self::Ne, Self::Lt, Self::Gt];

    /// As written.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::Eq => "==",
            Self::Ne => "!=",
        }
    }

    /// Whether it sets an upper limit.
    #[must_use]
    pub const fn is_upper(self) -> bool {
        matches!(self, Self::Lt | Self::Le)
    }

    /// Whether it sets a lower limit.
    #[must_use]
    pub const fn is_lower(self) -> bool {
        matches!(self, Self::Gt | Self::Ge)
    }

    /// Whether it asks for one value, or for any but one.
    #[must_use]
    pub const fn is_exact(self) -> bool {
        matches!(self, Self::Eq | Self::Ne)
    }

    /// Whether it holds for this ordering of value and bound.
    #[must_use]
    pub const fn accepts(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Lt => order.is_lt(),
            Self::Le => order.is_le(),
            Self::Gt => order.is_gt(),
            Self::Ge => order.is_ge(),
            Self::Eq => order.is_eq(),
            Self::Ne => order.is_ne(),
        }
    }
}

/// What a metric is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// A number.
    Absolute(Quantity),
    /// The same metric measured elsewhere, perhaps with an allowance.
    Relative {
        /// Where.
        base: Reference,
        /// The allowance.
        offset: Option<Offset>,
    },
}

/// Another measurement of the same metric.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// The primary, loaded on the same schedule.
    Primary,
    /// The run before.
    Last,
    /// A stored run of this name.
    Baseline(String),
}

/// An allowance on a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offset {
    /// More by this much.
    Plus(Margin),
    /// Less by this much.
    Minus(Margin),
    /// Times this factor.
    Times(Decimal),
}

/// How much more or less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Margin {
    /// This much.
    One(Quantity),
    /// Whichever of the two is looser.
    Max(Quantity, Quantity),
}

/// How a clause is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `@c`: one-sided confidence in percent, above 50 and at most 99.99. Without it the measured value decides.
    pub confidence: Option<Decimal>,
    /// `min=`: least number of requests that may pass, 1 or more. Without it the clause's own minimum.
    pub min: Option<u64>,
    /// `after=`: leave out requests due earlier than this.
    pub after: Option<Ns>,
    /// `over=`: no full window of this length may be worse than the bound beyond chance either.
    pub over: Option<Ns>,
    /// `else=`: what too little evidence comes to.
    pub otherwise: Option<Otherwise>,
    /// `abort`: stop the load once the clause can no longer pass, or at a confidence once it has clearly failed.
    pub abort: bool,
    /// `warn`: show, without effect on the verdict.
    pub warn: bool,
}

/// What too little evidence comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Otherwise {
    /// A pass.
    Pass,
    /// A fail.
    Fail,
    /// Neither: ask again. The default.
    Retry,
}

impl Otherwise {
    /// Every value, as written.
    pub(super) const NAMED: [(&'static str, Self); 3] =
        [("pass", Self::Pass), ("fail", Self::Fail), ("retry", Self::Retry)];
}

/// The name of `wanted` in a table of names.
pub(super) fn name_of<T: PartialEq>(table: &[(&'static str, T)], wanted: &T) -> &'static str {
    table.iter().find(|(_, entry)| entry == wanted).map_or("", |(name, _)| name)
}
