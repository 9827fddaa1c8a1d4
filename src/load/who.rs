//! Whose answers count, and what a lane looks at while an answer comes.

use regex::bytes::Regex;

use crate::plan::Identify;
use crate::wire::{Head, Observe, Redirected};

/// Tells the answers that count from the others.
#[derive(Debug)]
pub(super) struct Who {
    header: String,
    pattern: Regex,
}

impl Who {
    /// `None` for an expression that cannot be compiled: then nobody is told apart, and the plan was not valid.
    pub(super) fn new(identify: &Identify) -> Option<Self> {
        let pattern = Regex::new(&identify.pattern).ok()?;
        Some(Self { header: identify.header.clone(), pattern })
    }

    fn answered(&self, head: Head<'_>) -> bool {
        head.fields.get(&self.header).is_some_and(|value| self.pattern.is_match(value))
    }
}

/// Notes where an answer leads, and whose it is.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    pub(super) redirected: Redirected,
    who: Option<&'a Who>,
    /// It is an answer of whom the load is to judge.
    pub(super) counts: bool,
}

impl<'a> Seen<'a> {
    pub(super) fn new(who: Option<&'a Who>) -> Self {
        Self { redirected: Redirected::default(), who, counts: who.is_none() }
    }
}

impl Observe for Seen<'_> {
    fn head(&mut self, head: Head<'_>) {
        self.redirected.head(head);
        self.counts = self.who.is_none_or(|who| who.answered(head));
    }

    fn chunk(&mut self, _: &[u8]) {}

    fn verdict(&mut self) -> bool {
        true
    }
}
