//! The objective line: parsed, compiled to counters, judged. Pure.

mod verdict;

pub use verdict::{Decision, Finding, Value, Verdict};
