//! What people and programs read: summary and verdict as text, as one line, as JSON, CSV, JUnit and as a page for
//! browsers. Pure.
//!
//! A report never computes anything that decides; it only says what `stats` counted and what `slo` concluded. The
//! terminal, the clock and the file belong to whoever calls.

mod buckets;
mod course;
mod csv;
mod facts;
mod ghz;
mod hey;
mod html;
mod json;
mod junit;
mod line;
mod live;
#[cfg(test)]
mod sampled;
mod saved;
#[cfg(test)]
mod situations;
mod split;
mod steps;
mod suite;
#[cfg(test)]
mod tests;
mod text;
mod tone;

pub use csv::csv;
pub use facts::{Facts, Loop};
pub use ghz::{Ghz, ghz};
pub use hey::{Hey, hey, hey_csv};
pub use html::html;
pub use json::json;
pub use junit::junit;
pub use line::line;
pub use live::{Live, LiveLine, Part, fitted, live};
pub use saved::saved;
pub use suite::{Case, Colour, Suite, suites};
pub use text::{Style, text};
pub use tone::{Tone, mark, tone};

pub use crate::stats::plain;

use crate::slo::Verdict;
use crate::stats::Summary;

/// Everything a report tells: what was asked, what was observed, what it comes to.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// What was asked.
    pub facts: &'a Facts,
    /// What was observed.
    pub summary: &'a Summary,
    /// What was observed of the release in service; `None` without one.
    pub primary: Option<&'a Summary>,
    /// What it comes to; `None` without an objective, or when the run ended before it could be judged.
    pub verdict: Option<&'a Verdict>,
}
