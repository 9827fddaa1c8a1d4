//! The commands, one file each, and the one table of exit codes.

mod demo;
mod flags;
mod gate;
mod ghz;
mod hey;
mod lint;
mod practice;
mod probe;
mod progress;
mod references;
mod rehearse;
mod remote;
mod run;
mod saving;
mod screen;
mod serve;
mod signals;
mod smoke;
mod steer;
mod style;
mod tree;
mod wget;
mod words;

use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use crate::slo::Decision;

/// What the program ends with, chosen by what a caller does with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The objective holds; or there was none, and at least one request succeeded. A rehearsed release was promoted.
    Pass,
    /// The objective does not hold, or nothing could be reached; or there was none, and nothing succeeded. A rehearsed
    /// release was rolled back.
    Fail,
    /// The command line is wrong; nothing was sent.
    Usage,
    /// Too little evidence, or evidence on both sides. A rehearsed release was neither promoted nor rolled back.
    Undecided,
    /// tollgate itself stood in the way: throttled, out of descriptors or ports, or broken. Ask again.
    Saturated,
    /// `tollgate hey` and `ghz` refuse what hey's and ghz's own checks refuse, with their code; nothing was sent.
    Refused,
    /// grpc_health_probe: there is no connection.
    Unconnected,
    /// grpc_health_probe: there is no answer that says how the service is.
    Unanswered,
    /// grpc_health_probe: the service does not serve.
    Unhealthy,
    /// Stopped by a signal; the report covers what was done until then.
    Interrupted,
}

impl Exit {
    /// The number the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail | Self::Refused => 1,
            Self::Usage | Self::Unconnected => 2,
            Self::Undecided | Self::Unanswered => 3,
            Self::Saturated | Self::Unhealthy => 4,
            Self::Interrupted => 130,
        }
    }
}

impl From<Decision> for Exit {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Pass => Self::Pass,
            Decision::Fail | Decision::Unreachable => Self::Fail,
            Decision::Inconclusive | Decision::Insufficient => Self::Undecided,
            Decision::Saturated | Decision::Error => Self::Saturated,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The commands there are, with one line each for the overview.
const COMMANDS: [(&str, &str); 15] = [
    ("run", "make load against a URL, measure it, and judge it by an objective"),
    ("hey", "take the place of hey: its flags, its summary, its exit codes"),
    ("ghz", "take the place of ghz: gRPC calls by its flags, its summary, its exit codes"),
    ("serve", "answer Flagger's webhooks: make the load they ask for, judge it, keep gates"),
    ("smoke", "make requests from a file, and say whether all answers are as they must be"),
    ("gate", "open, close and list the gates of a service, from a terminal or a pod without curl"),
    ("status", "show what a service is doing: analyses, load, newest verdicts"),
    ("override", "decide over a canary of a service for a while, whatever is measured"),
    ("stop", "end the load of a service, of one canary or of all"),
    ("lint", "say what is wrong with Canaries before a cluster sees them"),
    ("canary", "serve a practice canary whose latency, errors and stalls you choose"),
    ("rehearse", "play Flagger's analysis of a Canary on this machine, and see what users would have felt"),
    ("demo", "see a good and a bad canary judged, all on this machine"),
    ("completions", "print a completion script for bash, zsh, fish, elvish or PowerShell"),
    ("man", "print the manual page of the program or of a command"),
];

/// Runs the command that `args` name, program name first. Under the name of a program whose place it takes, the program
/// is that one.
pub fn main(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    let program = args.next().unwrap_or_default();
    let mut args = args.peekable();
    match Path::new(&program).file_name().and_then(OsStr::to_str) {
        Some("hey") => return hey::main(args).into(),
        // An image that starts by this name takes commands all the same.
        Some("loadtester") if !args.peek().is_some_and(|word| is_command(word)) => return serve::main(args).into(),
        Some("ghz") => return ghz::main(args).into(),
        Some("grpc_health_probe") => return probe::main(args).into(),
        Some("wget") => return wget::main(args).into(),
        _ => {}
    }
    let command = args.next().map(|command| command.to_string_lossy().into_owned());
    match command.as_deref() {
        Some("run") => run::main(args).into(),
        Some("hey") => hey::main(args).into(),
        Some("ghz") => ghz::main(args).into(),
        Some("serve") => serve::main(args).into(),
        Some("smoke") => smoke::main(args).into(),
        Some("gate") => gate::main(args).into(),
        Some("status") => steer::status(args).into(),
        Some("override") => steer::rule(args).into(),
        Some("stop") => steer::stop(args).into(),
        Some("lint") => lint::main(args).into(),
        Some("canary") => practice::main(args).into(),
        Some("rehearse") => rehearse::main(args).into(),
        Some("demo") => demo::main(args).into(),
        Some("completions") => tree::print_completions(args).into(),
        Some("man") => tree::print_man(args).into(),
        Some("--version" | "-V" | "version") => say(&format!("tollgate {}\n", env!("CARGO_PKG_VERSION"))).into(),
        Some("--help" | "-h" | "help") => say(&overview()).into(),
        None => complain(&overview()).into(),
        Some(other) => complain(&unknown(other)).into(),
    }
}

fn is_command(word: &OsStr) -> bool {
    COMMANDS.iter().any(|(name, _)| word == *name)
}

fn overview() -> String {
    let mut text = format!("{}\n\nUsage: tollgate COMMAND [OPTIONS]\n\nCommands:\n", tree::ABOUT);
    let widest = COMMANDS.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, about) in COMMANDS {
        text.push_str(&format!("  {name:<widest$}  {about}\n"));
    }
    text + &format!("\n{}\n\ntollgate COMMAND --help says more.\n", tree::EXIT_CODES)
}

fn unknown(command: &str) -> String {
    let near = COMMANDS.iter().map(|(name, _)| (strsim::damerau_levenshtein(command, name), name));
    let near = near.filter(|(distance, _)| *distance <= 2).min_by_key(|(distance, _)| *distance);
    let advice = near.map_or_else(String::new, |(_, name)| format!("; did you mean {name}?"));
    let shown: String = command.chars().filter(|c| !c.is_control()).take(40).collect();
    let names = COMMANDS.map(|(name, _)| name).join(", ");
    format!("command: got '{shown}', expected one of {names}{advice}\nsee tollgate --help\n")
}

/// Prints what was asked for. A reader who has gone (`tollgate run --help | head -1`) is no mistake.
fn say(text: &str) -> Exit {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    Exit::Pass
}

/// Prints what is wrong with the command line.
fn complain(text: &str) -> Exit {
    warn(text);
    Exit::Usage
}

/// Prints a remark where it does not disturb the report.
fn warn(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pass_ends_with_zero() {
        let codes = [
            (Decision::Pass, 0),
            (Decision::Fail, 1),
            (Decision::Unreachable, 1),
            (Decision::Inconclusive, 3),
            (Decision::Insufficient, 3),
            (Decision::Saturated, 4),
            (Decision::Error, 4),
        ];
        for (decision, code) in codes {
            assert_eq!(Exit::from(decision).code(), code, "{decision}");
        }
    }

    #[test]
    fn a_mistyped_command_is_named_with_the_nearest() {
        assert!(unknown("rnu").contains("did you mean run?"), "{}", unknown("rnu"));
        assert!(unknown("canery").contains("did you mean canary?"));
        assert!(!unknown("xyzzy").contains("did you mean"));
    }
}
