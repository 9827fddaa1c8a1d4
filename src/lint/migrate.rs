//! Which hooks are answered otherwise when Flagger's loadtester is replaced by tollgate, everything else left as it is.

use super::finding::Desk;
use super::load;
use super::place::{self, Path};
use super::settings::Settings;
use super::task;
use super::words::shown;
use crate::flagger::{self, Canary, Hook, HookKind};
use crate::spec::line::{self, Check, Line};
use crate::spec::shell;
use crate::yaml::Position;

/// A hook whose answer changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where the hook stands.
    pub at: Position,
    /// Its Canary, `name.namespace`.
    pub canary: String,
    /// Its name.
    pub hook: String,
    /// Its type.
    pub kind: HookKind,
    /// What the loadtester answers.
    pub old: String,
    /// What tollgate answers.
    pub new: String,
    /// What to do before; `None` where nothing needs to be done.
    pub help: Option<String>,
}

/// All hooks of one text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migration {
    /// Those whose answer changes, in the order of the text.
    pub changes: Vec<Change>,
    /// How many are answered as before.
    pub same: usize,
    /// How many ask neither of the two.
    pub elsewhere: usize,
    /// Of those answered as before, how many fail with a status whose text Flagger shows.
    pub tells_more: usize,
}

impl Migration {
    /// How many hooks there are.
    #[must_use]
    pub const fn total(&self) -> usize {
        self.changes.len() + self.same + self.elsewhere
    }
}

/// What becomes of one hook.
enum Fate {
    Same,
    TellsMore,
    Elsewhere,
    Changes { old: String, new: String, help: Option<String> },
}

fn changes(old: &str, new: impl Into<String>, help: &str) -> Fate {
    let help = Some(help.to_owned()).filter(|help| !help.is_empty());
    Fate::Changes { old: old.to_owned(), new: new.into(), help }
}

/// Looks at all hooks of a stream.
#[must_use]
pub fn migrate(text: &str, settings: &Settings) -> Migration {
    let mut migration = Migration::default();
    for canary in &flagger::read(text).canaries {
        for hook in &canary.analysis.webhooks {
            match fate(canary, hook, settings) {
                Fate::Same => migration.same += 1,
                Fate::TellsMore => {
                    migration.same += 1;
                    migration.tells_more += 1;
                }
                Fate::Elsewhere => migration.elsewhere += 1,
                Fate::Changes { old, new, help } => migration.changes.push(Change {
                    at: hook.places.at,
                    canary: format!("{}.{}", canary.name, canary.namespace),
                    hook: hook.name.clone(),
                    kind: hook.kind,
                    old,
                    new,
                    help,
                }),
            }
        }
    }
    migration
}

fn fate(canary: &Canary, hook: &Hook, settings: &Settings) -> Fate {
    match Path::of(hook) {
        Path::GateCheck | Path::GateOpen | Path::GateClose | Path::GateApprove | Path::GateHalt => Fate::Same,
        Path::RollbackOpen | Path::RollbackClose => Fate::Same,
        Path::RollbackCheck => changes(
            "200 for every release, from when the gate was opened until it is closed",
            "200 until the end of the analysis that it gave up: the gate closes by itself",
            "nothing; start tollgate serve with --sticky-gates to keep the old way",
        ),
        Path::Task => of_task(canary, hook, settings),
        Path::Other if place::is_tester(hook) => match place::written(hook) {
            Some(path) if !hook.metadata.contains_key("script") => changes(
                "any path but those of gates is a task, as on /",
                format!("404: there is no path {path}"),
                "let the hook ask /",
            ),
            _ => Fate::Elsewhere,
        },
        // The loadtester has none of these paths: what asks there asks tollgate already, or somebody else.
        _ => Fate::Elsewhere,
    }
}

fn of_task(canary: &Canary, hook: &Hook, settings: &Settings) -> Fate {
    let metadata = &hook.metadata;
    if metadata.is_empty() {
        return Fate::Same;
    }
    if !task::is_command(hook) {
        return of_load(canary, hook, settings);
    }
    match task::kind(metadata) {
        kind @ ("cmd" | "bash") => of_line(hook, kind, settings),
        kind @ ("helm" | "helmv3" | "kubectl") => {
            let program = if kind == "kubectl" { "kubectl" } else { "helm" };
            if !settings.runs(program) {
                return changes(
                    &format!("runs {program}"),
                    format!("400: {program} is not built in"),
                    &start_with(program),
                );
            }
            let quoted = metadata.get("cmd").is_some_and(|cmd| cmd.contains(['\'', '"']));
            match quoted {
                true => changes(
                    "the line is split at every blank, quotes or not",
                    "what is quoted is held together",
                    "take the quotes out if they are not meant",
                ),
                false => Fate::TellsMore,
            }
        }
        "ngrinder" => changes(
            "202, and the test is never looked at, or the loadtester ends with a crash: it takes pollInterval a second too often",
            "202, and the test is looked at until it is over",
            "",
        ),
        "concord" if settings.runs("concord") => Fate::TellsMore,
        "concord" => changes(
            "starts the process in Concord",
            "400: concord has to be allowed",
            "start tollgate serve with --enable-exec=concord",
        ),
        kind => changes(
            "the connection is closed without an answer",
            format!("400: unknown task type {}", shown(kind)),
            "correct type",
        ),
    }
}

/// A hey line, or a load by keys, which the loadtester does not know.
fn of_load(canary: &Canary, hook: &Hook, settings: &Settings) -> Fate {
    let desk = Desk::new(canary, settings);
    if !hook.metadata.contains_key("cmd") {
        return changes("400: there is no cmd", "the load of url, 202", "");
    }
    match load::order(&desk, hook, Path::Task) {
        Err(mistakes) => {
            let said =
                mistakes.as_slice().iter().map(|mistake| mistake.advice.clone().unwrap_or_else(|| mistake.to_string()));
            let said = said.collect::<Vec<_>>().join("; ").replace('\n', " ");
            changes(
                "202 at once; what the shell says of the line is only logged",
                format!("400: {said}"),
                "correct the line",
            )
        }
        Ok(order) if order.objective.is_some() && matches!(hook.kind, HookKind::Rollout | HookKind::PreRollout) => {
            changes(
                "202 at once; nobody looks at what comes of the load",
                "202 at first, then a verdict: 200, 412, or 425 where there is too little evidence",
                "set timeout: 5s or more, and begin with tollgate serve --shadow",
            )
        }
        Ok(_) => Fate::Same,
    }
}

/// A line that the loadtester gives to a shell.
fn of_line(hook: &Hook, kind: &str, settings: &Settings) -> Fate {
    let waited = kind == "bash";
    let Some(cmd) = hook.metadata.get("cmd") else {
        return if waited {
            changes("200: an empty line succeeds", "400: there is no cmd", "add cmd")
        } else {
            Fate::Same
        };
    };
    if cmd.trim().is_empty() {
        let old = if waited { "200: an empty line succeeds" } else { "202: an empty line succeeds" };
        return changes(old, "400: the command is empty", "take the hook out, or write what is to be done");
    }
    match line::read(cmd) {
        Ok(Line::Checks(checks)) if waited => {
            if checks.iter().any(Check::judges_status) && !fails_on_status(cmd) {
                return changes(
                    "200 whatever the status of the answer: curl is asked without -f",
                    "412 where the status is 400 or above",
                    "",
                );
            }
            Fate::TellsMore
        }
        Ok(Line::Checks(_)) => Fate::Same,
        _ if settings.runs(kind) && waited => Fate::TellsMore,
        _ if settings.runs(kind) => Fate::Same,
        Ok(Line::Load(_)) => changes(
            "waits for the load, and succeeds whatever it sees",
            "400: hey and ghz make load, and a task of type bash waits for a command",
            "take type: bash out",
        ),
        Err(error) => {
            let old = if waited { "runs the line in a shell" } else { "202, and runs the line in a shell" };
            changes(old, format!("400: {error}"), &start_with(kind))
        }
    }
}

fn start_with(program: &str) -> String {
    format!("start tollgate serve with --enable-exec={program}, in an image that has it")
}

/// Whether curl itself fails at 400 and above.
fn fails_on_status(cmd: &str) -> bool {
    let words = shell::arguments(cmd);
    words.iter().any(|word| match word.strip_prefix("--") {
        Some(long) => long == "fail" || long == "fail-with-body",
        None => word
            .strip_prefix('-')
            .is_some_and(|flags| flags.chars().take_while(|c| c.is_ascii_alphabetic()).any(|c| c == 'f')),
    })
}

#[cfg(test)]
mod tests;
