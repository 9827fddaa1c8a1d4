//! hey's command line, as the same [`Spec`] that flags and metadata become.
//!
//! hey's names, defaults, checks, messages and exit codes are kept, because scripts and hooks depend on them. What hey
//! gets wrong (it drops flags after the URL, sends no credentials, fails on every request of a URL without a scheme) is
//! put right; each difference stands in `docs/migrating.md`.

mod flags;
mod headers;

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;

use super::address::address;
use super::goflag::{FlagError, plain};
use super::keys::{Id, KEYS, Key};
use super::line::program;
use super::mistake::{Mistake, Mistakes};
use super::shell::{self, ShellError};
use super::{Spec, SpecBuilder};
use crate::plan::{Arrivals, Host, Plan, Target};
use flags::Given;

pub use flags::USAGE;

/// One hey command line, read and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Hey {
    spec: Spec,
    csv: bool,
}

/// Why there is no load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The line is no hey line, or needs a shell.
    Line(String),
    /// A flag that Go's `flag` package would not read, or `-help`.
    Flag(FlagError),
    /// Something that hey's own checks refuse, or would have gone wrong later: one line each, or nothing at all where
    /// the usage is enough.
    Check(String),
    /// The body file cannot be read.
    File(String),
}

/// What is wrong, without the usage; may be several lines.
impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag(error) => error.fmt(f),
            Self::Check(said) if said.is_empty() => f.write_str("the URL is missing"),
            Self::Line(said) | Self::Check(said) | Self::File(said) => f.write_str(said),
        }
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    /// What hey would print on standard error: the message, and the usage where hey adds it.
    #[must_use]
    pub fn printed(&self) -> String {
        match self {
            Self::Flag(FlagError::Help) => USAGE.to_owned(),
            Self::Flag(error) => format!("{error}\n{USAGE}"),
            Self::Check(said) if said.is_empty() => USAGE.to_owned(),
            Self::Check(said) => format!("{said}\n\n{USAGE}"),
            Self::Line(said) | Self::File(said) => format!("{said}\n"),
        }
    }
}

impl From<ShellError> for Refusal {
    fn from(error: ShellError) -> Self {
        Self::Line(error.to_string())
    }
}

impl Hey {
    /// The load as hooks and `tollgate run` make it: `-q` is kept whatever the answers do, on further lanes if need be.
    #[must_use]
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The load as hey makes it: `-c` workers and no more; `-q` holds each of them back, and what a worker misses while
    /// its answer is outstanding is not made up.
    #[must_use]
    pub fn kept(&self) -> Plan {
        let mut plan = self.spec.plan.clone();
        plan.max_lanes = plan.lanes;
        if let Arrivals::Steady(rate) = plan.schedule.arrivals {
            plan.schedule.arrivals = Arrivals::Paced(rate);
        }
        plan
    }

    /// Whether every request is to be printed instead of the summary (`-o csv`).
    #[must_use]
    pub fn csv(&self) -> bool {
        self.csv
    }
}

/// Reads the words after `hey`. `read` returns a file's content; it is asked for the body file only.
///
/// # Errors
/// The first thing that hey itself would refuse, in its words; else all that is wrong with the rest.
pub fn read(words: &[String], read: &dyn Fn(&Path) -> io::Result<Vec<u8>>) -> Result<Hey, Refusal> {
    let given = Given::read(words)?;
    given.check()?;
    let headers = headers::headers(&given)?;
    let mut wishes = SpecBuilder::new();
    // hey has no drawn values: what looks like one is text.
    wishes.verbatim();
    given.wish(&mut wishes);
    headers.wish(&mut wishes);
    let body = match given.body_file.as_str() {
        "" => Vec::new(),
        file => read(Path::new(file)).map_err(|e| Refusal::File(format!("open {}: {}", plain(file), gos(&e))))?,
    };
    let mut spec = wishes.build(&|_| Ok(body.clone())).map_err(|mistakes| Refusal::Check(told(&mistakes)))?;
    spec.plan.tls.server = named(&spec.plan.targets[0]);
    Ok(Hey { spec, csv: given.output == "csv" })
}

/// Reads a whole line as a hook or a script has it: `hey -z 1m -q 10 -c 2 http://podinfo.test/`. Files are not read.
///
/// # Errors
/// As [`read()`]; and when the line is for another program, or for a shell.
pub fn line(text: &str) -> Result<Hey, Refusal> {
    let words = shell::words(text)?;
    let rest = match program(&words) {
        None => return Err(Refusal::Line("the line is empty".to_owned())),
        Some(("hey", rest)) => rest,
        Some(_) => {
            return Err(Refusal::Line(format!(
                "'{}' is not hey",
                plain(&words[0]).chars().take(40).collect::<String>()
            )));
        }
    };
    let none = |_: &Path| Err(io::Error::other("no file is read for a line: give the body with -d"));
    self::read(rest, &none)
}

/// Who the server is asked to be in TLS: as in hey, whom the `Host` header names, where that is not the URL's own host.
fn named(target: &Target) -> Option<Host> {
    let asked = Some(&target.request.authority).filter(|asked| **asked != target.origin.authority())?;
    address(&format!("https://{asked}/")).ok().map(|address| address.origin.host)
}

/// A system's message as Go words it.
fn gos(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// Mistakes under the names that hey's flags have.
fn told(mistakes: &Mistakes) -> String {
    let heys = |key: &Key| match (key.short, key.long) {
        (Some(letter), _) => format!("-{letter}"),
        (None, Some(name)) => format!("-{name}"),
        (None, None) => key.to_string(),
    };
    let line = |mistake: &Mistake| {
        let key = KEYS.iter().find(|key| key.to_string() == mistake.key);
        let key = key.filter(|key| key.id != Id::Url).map_or_else(|| mistake.key.clone(), heys);
        Mistake { key, ..mistake.clone() }.to_string()
    };
    mistakes.as_slice().iter().map(line).collect::<Vec<_>>().join("\n")
}
