//! A command line of a hook, as what can be done without a shell: load by hey or ghz, or requests by curl and gRPC's health
//! probe, whose answers grep may look through, one after the other.

use super::curl::{self, Curl};
use super::grep::{self, Grep};
use super::probe::{self, Probe};
use super::shell::{self, Joint, ShellError};
use super::{Spec, ghz, hey};
use crate::plan::Plan;

/// Characters of a line or word that messages repeat.
const SHOWN: usize = 120;

/// What a line asks for.
#[derive(Clone, Debug)]
pub enum Line {
    /// Load.
    Load(Box<Spec>),
    /// Requests, one after the other as long as they go well; at least one.
    Checks(Vec<Check>),
}

/// One request and what must be found in its answer.
#[derive(Clone, Debug)]
pub struct Check {
    /// The request.
    pub ask: Ask,
    /// What reads its output, each what the one before it leaves.
    pub greps: Vec<Grep>,
}

/// Who makes a request.
#[derive(Clone, Debug)]
pub enum Ask {
    /// curl.
    Curl(Box<Curl>),
    /// grpc_health_probe.
    Probe(Box<Probe>),
}

impl Check {
    /// The request as a plan: where it goes.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        match &self.ask {
            Ask::Curl(curl) => &curl.plan,
            Ask::Probe(probe) => &probe.plan,
        }
    }

    /// Whether a status of 400 and above fails. Who writes the status out and greps it has an opinion of their own.
    #[must_use]
    pub fn judges_status(&self) -> bool {
        self.greps.is_empty() || !matches!(&self.ask, Ask::Curl(curl) if curl.writes_status())
    }
}

/// Why a line cannot be done without a shell.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Nothing to do.
    #[error("the command is empty")]
    Empty,
    /// More than words, pipes and `&&`.
    #[error(transparent)]
    Shell(#[from] ShellError),
    /// A program that is not ours to run.
    #[error("'{0}' is a program that is not built in; hey, ghz, curl, grep and grpc_health_probe are")]
    Program(String),
    /// Load among other commands.
    #[error("{0} makes load for as long as it is asked to: give it a hook of its own")]
    Mixed(&'static str),
    /// A program where it has nothing to read, or is not read.
    #[error("{0}")]
    Place(&'static str),
    /// What is wrong with curl's words.
    #[error("curl: {0}")]
    Curl(String),
    /// What is wrong with grep's words.
    #[error("grep: {0}")]
    Grep(String),
    /// What is wrong with a probe's words.
    #[error("grpc_health_probe: {0}")]
    Probe(String),
    /// What is wrong with hey's or ghz's words.
    #[error("{0}")]
    Load(String),
}

/// The program that words name, wherever it lies, and its own words: `tollgate ghz` is ghz.
pub(super) fn program(words: &[String]) -> Option<(&str, &[String])> {
    let (first, rest) = words.split_first()?;
    match (first.rsplit('/').next().unwrap_or_default(), rest.split_first()) {
        ("tollgate", Some((command, rest))) if command == "hey" || command == "ghz" => Some((command, rest)),
        (name, _) => Some((name, rest)),
    }
}

/// Reads a line that asks for load.
///
/// # Errors
/// What is wrong with it, on one line.
pub fn load(text: &str) -> Result<Spec, LineError> {
    let told = |said: String| LineError::Load(said.replace('\n', "; "));
    let words = shell::words(text).map_err(|error| told(error.to_string()))?;
    match program(&words) {
        Some(("ghz", _)) => ghz::line(text).map(|ghz| ghz.spec().clone()).map_err(|refusal| told(refusal.to_string())),
        _ => hey::line(text).map(|hey| hey.spec().clone()).map_err(|refusal| told(refusal.to_string())),
    }
}

/// Reads a line.
///
/// # Errors
/// What in it would need a shell or another program, or is no request.
pub fn read(text: &str) -> Result<Line, LineError> {
    let (first, others) = shell::commands(text)?;
    let alone = others.is_empty();
    let mut checks: Vec<Check> = Vec::new();
    for (joint, words) in std::iter::once((Joint::And, first)).chain(others) {
        let (name, rest) = program(&words).ok_or(LineError::Empty)?;
        let mut check = |ask| checks.push(Check { ask, greps: Vec::new() });
        match (name, joint) {
            ("hey" | "ghz", Joint::And) if alone => return load(text).map(|spec| Line::Load(Box::new(spec))),
            ("hey", _) => return Err(LineError::Mixed("hey")),
            ("ghz", _) => return Err(LineError::Mixed("ghz")),
            ("curl", Joint::And) => check(Ask::Curl(Box::new(curl::read(rest)?))),
            ("grpc_health_probe", Joint::And) => check(Ask::Probe(Box::new(probe::for_line(rest)?))),
            ("grep" | "egrep" | "fgrep", Joint::Pipe) => {
                let grep = grep::read(name, rest)?;
                checks
                    .last_mut()
                    .ok_or(LineError::Place("grep reads what curl writes: curl URL | grep WORD"))?
                    .greps
                    .push(grep);
            }
            ("grep" | "egrep" | "fgrep", Joint::And) => {
                return Err(LineError::Place("grep reads what curl writes: curl URL | grep WORD"));
            }
            ("curl", Joint::Pipe) => {
                return Err(LineError::Place("curl reads nothing from a pipe: join requests with &&"));
            }
            ("grpc_health_probe", Joint::Pipe) => {
                return Err(LineError::Place("grpc_health_probe reads nothing from a pipe: join requests with &&"));
            }
            _ => return Err(LineError::Program(shown(&words[0]))),
        }
    }
    Ok(Line::Checks(checks))
}

/// The beginning of a text, without control characters.
pub(super) fn shown(text: &str) -> String {
    let plain: String = text.chars().filter(|c| !c.is_control()).take(SHOWN + 1).collect();
    match plain.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &plain[..end]),
        None => plain,
    }
}

#[cfg(test)]
mod tests;
