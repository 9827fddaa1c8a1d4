//! The objective line: parsed, compiled to counters, judged. Pure.

mod allowance;
mod asked;
mod beside;
mod beta;
mod bound;
mod bursts;
mod clause;
mod compare;
mod compile;
mod decimal;
mod error;
mod evidence;
mod exact;
mod judge;
mod lasting;
mod measured;
mod metric;
mod needs;
mod options;
mod outside;
mod over;
mod parse;
mod planner;
mod reason;
mod refused;
mod rule;
mod run;
mod score;
mod show;
mod standing;
mod suggest;
mod taint;
#[cfg(test)]
mod tests;
mod token;
mod unit;
mod verdict;

pub use crate::stats::StatusSet;
pub use asked::Asked;
pub use clause::{
    Aggregate, Better, Bound, Clause, Comparison, Line, Margin, Metric, Offset, Options, Otherwise, Reference,
    Selector, SelectorKey, Share,
};
pub use decimal::{Decimal, Fraction};
pub use error::{ParseError, ParseErrors};
pub use evidence::Evidence;
pub use judge::judge;
pub use lasting::lasting;
pub use needs::{Answer, Party, Query};
pub use parse::parse;
pub use standing::{Standing, standings};
pub use unit::{Dimension, Quantity, Unit};
pub use verdict::{Decision, Finding, Value, Verdict};
