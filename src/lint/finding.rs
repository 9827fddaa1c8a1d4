//! One thing found, and all of one text.

use super::rule::{Rule, Severity};
use super::settings::Settings;
use crate::flagger::{Canary, Hook};
use crate::yaml::Position;

/// One thing found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// By which rule.
    pub rule: Rule,
    /// How bad, as asked for.
    pub severity: Severity,
    /// Where.
    pub at: Position,
    /// In which Canary, `name.namespace`; `None` outside one.
    pub canary: Option<String>,
    /// In which hook, by its name; `None` outside one.
    pub hook: Option<String>,
    /// What is wrong; one line.
    pub said: String,
    /// What to do; one line.
    pub help: Option<String>,
}

/// What was found in one text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Everything found, in the order of the text.
    pub findings: Vec<Finding>,
    /// Canaries that were read.
    pub canaries: usize,
    /// Hooks that were read.
    pub hooks: usize,
}

impl Report {
    /// How many findings are this bad.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}

/// Collects what is found in one Canary.
pub(super) struct Desk<'a> {
    pub(super) canary: &'a Canary,
    pub(super) settings: &'a Settings,
    pub(super) found: Vec<Finding>,
}

impl<'a> Desk<'a> {
    pub(super) fn new(canary: &'a Canary, settings: &'a Settings) -> Self {
        Self { canary, settings, found: Vec::new() }
    }

    /// Something about the Canary.
    pub(super) fn say(&mut self, rule: Rule, at: Position, said: impl Into<String>, help: impl Into<String>) {
        self.put(rule, at, None, said.into(), help.into());
    }

    /// Something about a hook.
    pub(super) fn on(
        &mut self,
        hook: &Hook,
        rule: Rule,
        at: Position,
        said: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.put(rule, at, Some(hook.name.clone()), said.into(), help.into());
    }

    fn put(&mut self, rule: Rule, at: Position, hook: Option<String>, said: String, help: String) {
        let Some(severity) = self.settings.severity(rule) else { return };
        let canary = Some(format!("{}.{}", self.canary.name, self.canary.namespace));
        let help = Some(help).filter(|help| !help.is_empty());
        self.found.push(Finding { rule, severity, at, canary, hook, said, help });
    }
}
