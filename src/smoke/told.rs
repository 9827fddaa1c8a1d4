//! What came of steps.

use std::time::Duration;

use crate::slo::Decision;

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It came to this.
    Decided(Decision),
    /// It was not done; why.
    Skipped(String),
    /// It was stopped before its end.
    Interrupted,
}

/// What came of one step.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Its name.
    pub name: String,
    /// The line it stands on.
    pub line: u32,
    /// Method and URL as they are written.
    pub asks: String,
    /// How it ended.
    pub end: End,
    /// The status of the last answer; `None` without one, and for load.
    pub status: Option<u16>,
    /// How long the last try took, or the load.
    pub took: Duration,
    /// How often it was tried; 0 where it was not done.
    pub tries: u32,
    /// How long all of it took, waits between tries included.
    pub whole: Duration,
    /// What of it is not as expected, a line each; for load, what is known of it.
    pub said: Vec<String>,
    /// The names of the values it gave to later steps.
    pub captured: Vec<String>,
    /// The whole report of a load, as `tollgate run` has it; `None` for a request.
    pub report: Option<serde_json::Value>,
}

/// What came of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct ToldSuite {
    /// What the suite is called.
    pub name: String,
    /// The file as it was named.
    pub file: String,
    /// When it began, in RFC 3339 and UTC.
    pub started: String,
    /// How long it took.
    pub took: Duration,
    /// Its steps, in their order.
    pub steps: Vec<Told>,
}

impl ToldSuite {
    /// What the steps come to together; `None` where it was interrupted.
    #[must_use]
    pub fn decision(&self) -> Option<Decision> {
        let ends = || self.steps.iter().map(|step| &step.end);
        if ends().any(|end| *end == End::Interrupted) {
            return None;
        }
        let decided = ends().filter_map(|end| if let End::Decided(decision) = end { Some(*decision) } else { None });
        // Nothing done is nothing known.
        Some(decided.max().unwrap_or(Decision::Insufficient))
    }

    /// How many steps hold.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.steps.iter().filter(|step| step.end == End::Decided(Decision::Pass)).count()
    }

    /// The first step that does not hold.
    #[must_use]
    pub fn first_bad(&self) -> Option<&Told> {
        let is_bad = |step: &&Told| !matches!(step.end, End::Decided(Decision::Pass) | End::Skipped(_));
        self.steps.iter().find(is_bad)
    }
}
