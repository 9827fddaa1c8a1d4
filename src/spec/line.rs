//! A command line of a hook, as what can be done without a shell: load by hey, or requests by curl whose answers grep may
//! look through, one after the other.

use super::curl::{self, Curl};
use super::grep::{self, Grep};
use super::hey::{self, Hey};
use super::shell::{self, Joint, ShellError};

/// Characters of a line or word that messages repeat.
const SHOWN: usize = 120;

/// What a line asks for.
#[derive(Clone, Debug)]
pub enum Line {
    /// Load.
    Load(Box<Hey>),
    /// Requests, one after the other as long as they go well; at least one.
    Checks(Vec<Check>),
}

/// One request and what must be found in its answer.
#[derive(Clone, Debug)]
pub struct Check {
    /// The request.
    pub curl: Curl,
    /// What reads its output, each what the one before it leaves.
    pub greps: Vec<Grep>,
}

impl Check {
    /// Whether a status of 400 and above fails. Who writes the status out and greps it has an opinion of their own.
    #[must_use]
    pub fn judges_status(&self) -> bool {
        self.greps.is_empty() || !self.curl.writes_status()
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
    #[error("'{0}' is a program that is not built in; hey, curl and grep are")]
    Program(String),
    /// gRPC's own load generator and probe.
    #[error("{0} lines are not read; give url: http://HOST:PORT and protocol: grpc, which calls the health service")]
    Grpc(String),
    /// Load among other commands.
    #[error("hey makes load for as long as it is asked to: give it a hook of its own")]
    Mixed,
    /// A program where it has nothing to read, or is not read.
    #[error("{0}")]
    Place(&'static str),
    /// What is wrong with curl's words.
    #[error("curl: {0}")]
    Curl(String),
    /// What is wrong with grep's words.
    #[error("grep: {0}")]
    Grep(String),
    /// What is wrong with hey's words.
    #[error("{0}")]
    Hey(String),
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
        let (program, rest) = words.split_first().ok_or(LineError::Empty)?;
        let name = program.rsplit('/').next().unwrap_or_default();
        match (name, joint) {
            ("hey", Joint::And) if alone => {
                return hey::line(text)
                    .map(|hey| Line::Load(Box::new(hey)))
                    .map_err(|refusal| LineError::Hey(refusal.to_string().replace('\n', "; ")));
            }
            ("hey", _) => return Err(LineError::Mixed),
            ("curl", Joint::And) => checks.push(Check { curl: curl::read(rest)?, greps: Vec::new() }),
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
            ("ghz" | "grpc_health_probe", _) => return Err(LineError::Grpc(name.to_owned())),
            _ => return Err(LineError::Program(shown(program))),
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
