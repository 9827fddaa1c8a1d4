//! The loadtester's commands: what a hook on `/` asks for besides load.

use std::collections::BTreeMap;

use super::finding::Desk;
use super::place::Path;
use super::rule::Rule;
use super::target;
use super::words::shown;
use crate::flagger::{Hook, HookKind};
use crate::spec::line::{self, Check, Line, LineError};
use crate::spec::shell::{self, go_bool};
use crate::yaml::Position;

/// What the loadtester's metadata may have.
const KEYS: [&str; 4] = ["cmd", "type", "logCmdOutput", "returnCmdOutput"];

/// What a task of type concord needs.
const CONCORD: &[&str] = &["server", "org", "project", "repo", "entrypoint", "endpoint", "apiKeyPath"];
/// What a task of type ngrinder needs.
const NGRINDER: &[&str] = &["server", "clone", "username", "passwd"];

/// The type of a task; `cmd` where none is given.
pub(super) fn kind(metadata: &BTreeMap<String, String>) -> &str {
    metadata.get("type").map_or("cmd", String::as_str)
}

/// Whether a hook on `/` asks for a command and not for load.
pub(super) fn is_command(hook: &Hook) -> bool {
    let metadata = &hook.metadata;
    if kind(metadata) != "cmd" {
        return true;
    }
    match metadata.get("cmd") {
        Some(cmd) => !matches!(line::read(cmd), Ok(Line::Load(_)) | Err(LineError::Load(_))),
        None => !metadata.contains_key("url"),
    }
}

/// Looks at a command.
pub(super) fn look(desk: &mut Desk<'_>, hook: &Hook) {
    switches(desk, hook);
    let at = hook.metadata_places.value("type");
    match kind(&hook.metadata) {
        "cmd" => command(desk, hook, "cmd"),
        "bash" => command(desk, hook, "bash"),
        "helm" | "helmv3" => program(desk, hook, "helm"),
        "kubectl" => program(desk, hook, "kubectl"),
        name @ ("concord" | "ngrinder") => service(desk, hook, name),
        other => {
            let said = format!(
                "there is no task type {}: the loadtester closes the connection, tollgate says 400",
                shown(other)
            );
            let help = match other.parse::<HookKind>() {
                Ok(kind) if !other.is_empty() => format!("type: {kind} belongs beside url, not under metadata"),
                _ => "expected cmd, bash, helm, helmv3, kubectl, concord or ngrinder".to_owned(),
            };
            desk.on(hook, Rule::TaskType, at, said, help);
        }
    }
}

/// A task that is started in another service.
fn service(desk: &mut Desk<'_>, hook: &Hook, name: &str) {
    let at = hook.metadata_places.value("type");
    let needs = if name == "concord" { CONCORD } else { NGRINDER };
    let missing: Vec<&str> = needs.iter().copied().filter(|key| !hook.metadata.contains_key(*key)).collect();
    if !missing.is_empty() {
        let said = format!("a task of type {name} needs {}, too: every call fails", missing.join(", "));
        desk.on(hook, Rule::TaskKey, at, said, "add what is missing");
    }
    if name == "concord" && !desk.settings.runs("concord") {
        let said = "concord sends a file of the pod to the server that the hook names, and has to be allowed: the answer is 400";
        desk.on(hook, Rule::NeedsProgram, at, said, "start tollgate serve with --enable-exec=concord");
    }
    if name == "ngrinder" {
        background(desk, hook, at, "the test");
    }
}

/// A line for a shell, as far as it can be done without one.
fn command(desk: &mut Desk<'_>, hook: &Hook, program: &str) {
    let places = &hook.metadata_places;
    let Some(cmd) = hook.metadata.get("cmd") else {
        let said = "the metadata have no cmd: the answer is 400";
        return desk.on(hook, Rule::NoCommand, hook.places.key("metadata"), said, "add cmd, or url for a load");
    };
    if cmd.trim().is_empty() {
        let said = "the command is empty: the loadtester passes it without doing anything, tollgate says 400";
        return desk.on(hook, Rule::NoCommand, places.value("cmd"), said, "write what is to be done");
    }
    let runs = desk.settings.runs(program);
    match line::read(cmd) {
        Ok(Line::Checks(checks)) => requests(desk, hook, &checks),
        Ok(Line::Load(_)) if !runs => {
            let said = "hey and ghz make load, and a task of type bash waits for a command";
            return desk.on(hook, Rule::Command, places.value("cmd"), said, "take type: bash out");
        }
        Err(error) if !runs => {
            let start = format!("start tollgate serve with --enable-exec={program}, in an image that has it");
            let (rule, help) = match error {
                LineError::Program(_) | LineError::Shell(_) => (Rule::NeedsProgram, start),
                _ => (Rule::Command, format!("correct the line, or {start}")),
            };
            return desk.on(hook, rule, target::inside(hook, "cmd", &error.to_string()), error.to_string(), help);
        }
        _ => {}
    }
    if program == "cmd" {
        background(desk, hook, places.value("cmd"), "the command");
    }
}

/// A task that is answered before it is done.
fn background(desk: &mut Desk<'_>, hook: &Hook, at: Position, what: &str) {
    let kind = kind(&hook.metadata);
    let help = if kind == "cmd" { "add type: bash, which is waited for" } else { "let a hook of another type judge" };
    match hook.kind {
        HookKind::PostRollout | HookKind::Event => {}
        HookKind::Rollback => {
            let said =
                format!("a task of type {kind} is answered 202 at once: the release is given up in its first tick");
            desk.on(hook, Rule::RollsBack, at, said, "ask /rollback");
        }
        _ => {
            let said = format!("a task of type {kind} is answered 202 at once: it passes whatever {what} finds");
            desk.on(hook, Rule::AlwaysPasses, at, said, help);
        }
    }
}

fn requests(desk: &mut Desk<'_>, hook: &Hook, checks: &[Check]) {
    for check in checks {
        target::look(desk, hook, Path::Task, check.plan(), "cmd");
    }
}

/// A program with its arguments.
fn program(desk: &mut Desk<'_>, hook: &Hook, program: &'static str) {
    let Some(cmd) = hook.metadata.get("cmd").filter(|cmd| !cmd.trim().is_empty()) else {
        let said = format!("the metadata have no cmd: {program} has nothing to do");
        return desk.on(
            hook,
            Rule::NoCommand,
            hook.places.key("metadata"),
            said,
            format!("add the arguments of {program}"),
        );
    };
    let at = hook.metadata_places.value("cmd");
    if !desk.settings.runs(program) {
        let said = format!("{program} is a program that is not built in: the answer is 400");
        let help = format!("start tollgate serve with --enable-exec={program}, in an image that has it");
        desk.on(hook, Rule::NeedsProgram, at, said, help);
    }
    let words = shell::arguments(cmd);
    let helm = |index: usize| words.get(index).map(String::as_str);
    if program == "helm" && words.iter().any(|word| word == "--cleanup") {
        let said = "--cleanup was an argument of Helm 2: Helm 3 refuses it";
        desk.on(hook, Rule::Helm2, target::inside(hook, "cmd", "'--cleanup'"), said, "take it out");
    }
    if program == "helm" && (helm(0), helm(1)) == (Some("test"), Some("run")) {
        let said = "helm test takes the name of a release: 'run' would be one";
        desk.on(hook, Rule::Helm2, target::inside(hook, "cmd", "'run'"), said, "write test RELEASE");
    }
    if cmd.contains(['\'', '"']) {
        let said =
            "the loadtester splits this line at every blank, quotes or not; tollgate holds together what is quoted";
        desk.on(hook, Rule::SplitAtBlanks, at, said, "");
    }
}

/// Switches and keys of the loadtester.
fn switches(desk: &mut Desk<'_>, hook: &Hook) {
    for key in ["logCmdOutput", "returnCmdOutput"] {
        let Some(value) = hook.metadata.get(key) else { continue };
        if go_bool(value).is_none() {
            let said = format!("{key}: '{}' is neither true nor false, and counts as false", shown(value));
            desk.on(hook, Rule::SwitchValue, hook.metadata_places.value(key), said, "write \"true\" or \"false\"");
        }
    }
    if kind(&hook.metadata) == "cmd" && hook.metadata.contains_key("returnCmdOutput") {
        let said = "returnCmdOutput has no effect on a task of type cmd: it is answered before there is any output";
        desk.on(
            hook,
            Rule::NoEffect,
            hook.metadata_places.key("returnCmdOutput"),
            said,
            "add type: bash, or take it out",
        );
    }
    for key in hook.metadata.keys().filter(|key| !KEYS.contains(&key.as_str())) {
        let near =
            KEYS.iter().find(|known| strsim::damerau_levenshtein(&key.to_lowercase(), &known.to_lowercase()) <= 1);
        if let Some(near) = near {
            let said = format!("nothing reads the key {}", shown(key));
            desk.on(hook, Rule::NearKey, hook.metadata_places.key(key), said, format!("did you mean {near}?"));
        }
    }
}
