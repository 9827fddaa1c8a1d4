//! What a file comes to: steps that can be done one after the other.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::answer::{Answer, Failure};
use super::capture::Capture;
use super::expect::Expect;
use super::mistake::Mistake;
use super::text::{Text, Values};
use super::wishes::Wishes;
use crate::spec::Spec;
use crate::yaml::Position;

/// A file that was read.
#[derive(Clone, Debug)]
pub struct Suite {
    /// What it is called.
    pub name: String,
    /// The steps, in their order; at least one.
    pub steps: Vec<Step>,
    /// All values that are known before the first step.
    pub values: Values,
    /// Values of the environment, which nobody should read in a report.
    pub secrets: Vec<String>,
    /// What is asked for and has no effect, with its place.
    pub notes: Vec<Mistake>,
}

/// Whether a step is one request or many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One request, whose answer is looked at.
    Request,
    /// Load, which is judged by its objective.
    Load,
}

/// How long a step is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// From the first try on; above zero.
    pub for_: Duration,
    /// Wait between two tries; zero for none.
    pub every: Duration,
}

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its name, which no other step of the file has.
    pub name: String,
    /// Where it stands.
    pub at: Position,
    /// What it does.
    pub kind: Kind,
    /// Its method and URL as they are written.
    pub asks: String,
    /// Whether it is done although a step before it failed.
    pub always: bool,
    /// How long it is tried; `None` tries once.
    pub retry: Option<Retry>,
    pub(super) wishes: Wishes,
    pub(super) expect: Expect,
    pub(super) captures: Vec<Capture>,
}

impl Step {
    /// The first value that it needs and that is not there.
    #[must_use]
    pub fn lacks(&self, values: &Values) -> Option<&str> {
        self.texts().flat_map(Text::names).find(|name| !values.contains_key(*name))
    }

    /// Its plan and objective with these values. `read` reads the files that it names; `seed` is what values are drawn
    /// from where the step names none.
    ///
    /// # Errors
    /// What is wrong with the values.
    pub fn spec(
        &self,
        values: &Values,
        seed: u64,
        read: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
    ) -> Result<Spec, Vec<Mistake>> {
        self.wishes.build(values, (self.at, &self.name), (seed, self.reads_types()), read)
    }

    /// Whether the answer of a gRPC call is read, so that the types of its messages must be known.
    fn reads_types(&self) -> bool {
        let asks =
            self.wishes.names_types() || self.expect.reads_json() || self.captures.iter().any(Capture::reads_json);
        self.kind == Kind::Request && self.wishes.is_grpc() && asks
    }

    /// What the answer gives to later steps, by name.
    ///
    /// # Errors
    /// What of it is not as expected, or cannot be taken.
    pub fn check(&self, answer: &Answer, values: &Values) -> Result<Values, Vec<Failure>> {
        let mut failures = self.expect.check(answer, values);
        let mut taken = Values::new();
        if failures.is_empty() {
            for capture in &self.captures {
                match capture.take(answer) {
                    Ok(value) => _ = taken.insert(capture.name.clone(), value),
                    Err(failure) => failures.push(failure),
                }
            }
        }
        if failures.is_empty() { Ok(taken) } else { Err(failures) }
    }

    /// Words in the place of values that are not known yet.
    #[must_use]
    pub fn placeholders(&self, values: &Values) -> Values {
        let mut all = values.clone();
        for name in self.texts().flat_map(Text::names) {
            all.entry(name.to_owned()).or_insert_with(|| format!("({name})"));
        }
        all
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &Text> {
        self.wishes.texts().chain(self.expect.texts())
    }
}
