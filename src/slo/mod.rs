//! The objective line: parsed, compiled to counters, judged. Pure.

mod bound;
mod clause;
mod compile;
mod decimal;
mod error;
mod evidence;
mod exact;
mod judge;
#[cfg(test)]
mod judge_tests;
mod measured;
mod metric;
mod options;
mod parse;
#[cfg(test)]
mod parse_tests;
mod reason;
mod show;
mod suggest;
mod token;
mod unit;
mod verdict;

pub use crate::stats::StatusSet;
pub use clause::{
    Aggregate, Better, Bound, Clause, Comparison, Line, Margin, Metric, Offset, Options, Otherwise, Reference,
    Selector, SelectorKey, Share,
};
pub use decimal::{Decimal, Fraction};
pub use error::{ParseError, ParseErrors};
pub use judge::judge;
pub use parse::parse;
pub use unit::{Dimension, Quantity, Unit};
pub use verdict::{Decision, Finding, Value, Verdict};
