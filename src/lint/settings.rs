//! What is looked for, and how the service is started that the hooks will ask.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::rule::{Rule, Severity};
use super::version::Version;
use crate::spec::Objective;

/// What a user may say about the rules and the service.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The service's `--default-slo`; `None` without one.
    pub default_slo: Option<Arc<Objective>>,
    /// The service's `--enable-exec`: names of programs.
    pub exec: Vec<String>,
    /// The version of Flagger that will ask; `None` for the newest.
    pub flagger: Option<Version>,
    /// How bad a rule is to be taken, where that is not its own severity; `None` leaves its findings out.
    pub levels: BTreeMap<Rule, Option<Severity>>,
    /// Whether all warnings are errors.
    pub deny_warnings: bool,
}

impl Settings {
    /// How bad a finding of the rule is; `None` leaves it out.
    #[must_use]
    pub fn severity(&self, rule: Rule) -> Option<Severity> {
        match self.levels.get(&rule) {
            Some(level) => *level,
            None if self.deny_warnings && rule.severity() == Severity::Warning => Some(Severity::Error),
            None => Some(rule.severity()),
        }
    }

    /// Whether the service may run this program.
    pub(super) fn runs(&self, program: &str) -> bool {
        self.exec.iter().any(|name| name == program)
    }
}
