//! What a line is judged on.

use std::collections::BTreeMap;

use crate::stats::Summary;

use super::clause::Reference;
use super::needs::{Answer, Query};

static NO_REFERENCES: BTreeMap<Reference, Summary> = BTreeMap::new();
static NO_ANSWERS: BTreeMap<Query, Answer> = BTreeMap::new();

/// Everything that was measured. What a clause needs and is not here leaves it with insufficient evidence.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The release under test. Its readings are in the order of [`super::Line::measures`]' meters.
    pub canary: &'a Summary,
    /// The release in service, loaded on the same schedule and counted by the same meters.
    pub primary: Option<&'a Summary>,
    /// Saved runs, known as a whole: their readings do not count.
    pub references: &'a BTreeMap<Reference, Summary>,
    /// Answers of Prometheus, as it gives them: seconds, bytes, shares from 0 to 1, requests, requests a second.
    pub outside: &'a BTreeMap<Query, Answer>,
}

impl<'a> Evidence<'a> {
    /// One run and nothing beside it.
    #[must_use]
    pub fn of(canary: &'a Summary) -> Self {
        Self { canary, primary: None, references: &NO_REFERENCES, outside: &NO_ANSWERS }
    }
}

impl<'a> From<&'a Summary> for Evidence<'a> {
    fn from(canary: &'a Summary) -> Self {
        Self::of(canary)
    }
}
