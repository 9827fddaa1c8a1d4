//! What a hook's metadata ask for, by the loadtester's types.

use std::collections::BTreeMap;

use super::concord::Concord;
use super::ngrinder::Ngrinder;
use super::program::{Allowed, Program};
use crate::plan::Plan;
use crate::spec::line::{self, Check, Line, LineError};
use crate::spec::shell;

/// What is to be done.
#[derive(Clone, Debug)]
pub(super) enum Work {
    /// Requests.
    Checks(Vec<Check>),
    /// A program with its arguments.
    Child(&'static str, Vec<String>),
    /// A process of Concord.
    Concord(Box<Concord>),
    /// A test of nGrinder.
    Ngrinder(Box<Ngrinder>),
}

impl Work {
    /// Whether it is a command line, which says more to its reader than what it came to.
    pub(super) const fn is_a_line(&self) -> bool {
        matches!(self, Self::Checks(_) | Self::Child(..))
    }
}

/// A task as it was asked for.
#[derive(Clone, Debug)]
pub struct Task {
    /// The loadtester's name of its type.
    pub(super) kind: String,
    /// The line as it was given.
    pub(super) line: String,
    /// What is to be done.
    pub(super) work: Work,
    /// Whether the caller waits for it.
    pub(super) waited_for: bool,
    /// Whether the caller gets its output.
    pub(super) returns_output: bool,
    /// Whether its output is logged even where nobody needs it.
    pub(super) logs_output: bool,
}

impl Task {
    /// Whether the metadata ask for load, which is no task: type `cmd` with a hey or ghz line or without any line.
    #[must_use]
    pub fn is_load(metadata: &BTreeMap<String, String>) -> bool {
        metadata.get("type").is_none_or(|kind| kind == "cmd")
            && metadata
                .get("cmd")
                .is_none_or(|cmd| matches!(line::read(cmd), Ok(Line::Load(_)) | Err(LineError::Load(_))))
    }

    /// The plans of its requests: where they go. A program's are not known.
    pub fn plans(&self) -> impl Iterator<Item = &Plan> {
        let (checks, single) = match &self.work {
            Work::Checks(checks) => (checks.as_slice(), None),
            Work::Child(..) => (&[][..], None),
            Work::Concord(process) => (&[][..], Some(process.start())),
            Work::Ngrinder(test) => (&[][..], Some(test.start())),
        };
        checks.iter().map(Check::plan).chain(single.map(|curl| &curl.plan))
    }

    /// Reads the metadata.
    ///
    /// # Errors
    /// What to change, in one line.
    pub fn read(metadata: &BTreeMap<String, String>, allowed: &Allowed) -> Result<Self, String> {
        let kind = metadata.get("type").map_or("cmd", String::as_str);
        let program = match kind {
            "cmd" => Program::Cmd,
            "bash" => Program::Bash,
            "helm" | "helmv3" => Program::Helm,
            "kubectl" => Program::Kubectl,
            "concord" => return Self::concord(metadata, allowed),
            "ngrinder" => return Self::ngrinder(metadata),
            _ => {
                let shown: String = kind.chars().filter(|c| !c.is_control()).take(40).collect();
                let known = "expected cmd, bash, helm, helmv3, kubectl, concord or ngrinder";
                return Err(format!("unknown task type {shown}; {known}"));
            }
        };
        let line = metadata.get("cmd").ok_or("cmd not found in metadata")?;
        if line.trim().is_empty() {
            return Err("cmd: the command is empty".to_owned());
        }
        let is = |name: &str| metadata.get(name).and_then(|text| shell::go_bool(text)).unwrap_or(false);
        Ok(Self {
            returns_output: is("returnCmdOutput"),
            logs_output: is("logCmdOutput"),
            ..Self::new(kind, line.clone(), work(program, line, allowed)?, program != Program::Cmd)
        })
    }

    fn new(kind: &str, line: String, work: Work, waited_for: bool) -> Self {
        Self { kind: kind.to_owned(), line, work, waited_for, returns_output: false, logs_output: false }
    }

    fn concord(metadata: &BTreeMap<String, String>, allowed: &Allowed) -> Result<Self, String> {
        if !allowed.has_concord() {
            let why = "type: concord sends the file that apiKeyPath names to the server that the hook names";
            return Err(format!("{why}; start tollgate serve with --enable-exec=concord"));
        }
        let process = Concord::read(metadata)?;
        let names = ["org", "project", "repo", "entrypoint"].map(|key| metadata.get(key).map_or("", String::as_str));
        Ok(Self::new("concord", names.join(" "), Work::Concord(Box::new(process)), true))
    }

    /// Nobody waits for it, and one that still runs is not started again.
    fn ngrinder(metadata: &BTreeMap<String, String>) -> Result<Self, String> {
        let test = Ngrinder::read(metadata)?;
        let line = test.start().plan.targets[0].url.clone();
        Ok(Self::new("ngrinder", line, Work::Ngrinder(Box::new(test)), false))
    }
}

/// How a line is done: here where that is possible, else by its program where that is allowed.
fn work(program: Program, line: &str, allowed: &Allowed) -> Result<Work, String> {
    let arguments = || shell::arguments(line);
    let refused = match program {
        Program::Helm if allowed.has(program) => return Ok(Work::Child("helm", arguments())),
        Program::Kubectl if allowed.has(program) => return Ok(Work::Child("kubectl", arguments())),
        Program::Helm | Program::Kubectl => format!("{program} is a program that is not built in"),
        Program::Bash | Program::Cmd => match line::read(line) {
            Ok(Line::Checks(checks)) => return Ok(Work::Checks(checks)),
            Ok(Line::Load(_)) => "hey and ghz make load: give it a hook of its own, without type".to_owned(),
            Err(error) => error.to_string(),
        },
    };
    match program {
        Program::Bash if allowed.has(program) => Ok(Work::Child("bash", vec!["-c".to_owned(), line.to_owned()])),
        Program::Cmd if allowed.has(program) => Ok(Work::Child("sh", vec!["-c".to_owned(), line.to_owned()])),
        _ => Err(format!("cmd: {refused}; or start tollgate serve with --enable-exec={program}")),
    }
}

#[cfg(test)]
mod tests;
