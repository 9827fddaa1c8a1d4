//! `tollgate gate`: the gates of a running service, from a terminal or from a pod that has nothing but tollgate.

use std::ffi::OsString;
use std::fmt::Write as _;

use clap::{Arg, ArgAction, ArgMatches, Command};
use http::Method;
use serde_json::{Value, json};

use super::remote::{self, ask, canary, cell, connection, document, path_of, plain, set, text};
use super::{Exit, complain, say};
use crate::canary::Canary;
use crate::gate::Kind;
use crate::outbound::Client;

/// Runs the command.
pub(super) fn main(args: impl Iterator<Item = OsString>) -> Exit {
    remote::run(command(), args, |client, matches| match matches.subcommand() {
        Some(("list", matches)) => list(client, matches),
        Some(("status", matches)) => status(client, matches),
        Some((action, matches)) => change(client, matches, action),
        None => Ok(complain("see tollgate gate --help\n")),
    })
}

/// The command with its four actions.
pub(super) fn command() -> Command {
    let which = || {
        let rollback = Arg::new("rollback").long("rollback").action(ArgAction::SetTrue);
        [canary().required(true), rollback.help("Its rollback gate, not its confirm gate")]
    };
    let said = || {
        [
            text("by", "NAME", "Who you are, for the history (the user's name)"),
            text("why", "TEXT", "Why, for the history"),
        ]
    };
    let open = Command::new("open").about("Opens a gate").args(which()).args(said());
    let open =
        open.arg(text("ttl", "TIME", "Close it by itself after this long, such as 30m (the service's --gate-ttl)"));
    let once = Arg::new("once").long("once").action(ArgAction::SetTrue);
    let open = open.arg(once.help("Close it with the analysis that uses it (always so for rollback gates)"));
    let status =
        Command::new("status").about("Shows a gate and what happened to it; exit code 0 if it is open, 1 if not");
    let actions = [
        open,
        Command::new("close").about("Closes a gate").args(which()).args(said()),
        status.args(which()).arg(remote::json()),
        Command::new("list").about("Lists all gates that were ever opened").arg(remote::json()),
    ];
    remote::command("gate", "Opens, closes and lists the gates of a running tollgate serve")
        .subcommand_required(true)
        .disable_help_subcommand(true)
        .subcommands(actions.map(|action| action.args(connection())))
}

fn which(matches: &ArgMatches) -> (Kind, Canary) {
    let kind = if matches.get_flag("rollback") { Kind::Rollback } else { Kind::Confirm };
    let canary = matches.get_one::<Canary>("canary").cloned();
    (kind, canary.expect("the argument is required"))
}

/// Opens or closes.
fn change(client: &Client, matches: &ArgMatches, action: &str) -> anyhow::Result<Exit> {
    let (kind, canary) = which(matches);
    let mut metadata = serde_json::Map::new();
    for key in ["by", "why", "ttl"] {
        // Closing has no term.
        let given = matches.try_get_one::<String>(key).ok().flatten().cloned();
        let given = given.or_else(|| if key == "by" { set("USER") } else { None });
        metadata.extend(given.map(|value| (key.to_owned(), json!(value))));
    }
    if matches.try_get_one::<bool>("once").ok().flatten() == Some(&true) {
        metadata.insert("once".to_owned(), json!("true"));
    }
    let folder = if kind == Kind::Rollback { "rollback" } else { "gate" };
    let body = json!({"name": canary.name, "namespace": canary.namespace, "metadata": metadata});
    let answer = ask(client, Method::POST, &format!("/{folder}/{action}"), &body.to_string())?;
    let said = plain(&answer.body);
    if answer.status != 202 {
        anyhow::bail!("{kind} gate of {canary}: answered {}: {said}", answer.status);
    }
    let done = if action == "open" { "open" } else { "closed" };
    say(&format!("{kind} gate of {canary}: {}\n", if said.is_empty() { done } else { &said }));
    Ok(Exit::Pass)
}

fn status(client: &Client, matches: &ArgMatches) -> anyhow::Result<Exit> {
    let (kind, canary) = which(matches);
    let document = document(client, &format!("/api/v1/gates/{}", path_of(&canary)))?;
    let gates = document["gates"].as_array().map_or(&[][..], Vec::as_slice);
    let gate = gates.iter().find(|gate| gate["kind"] == kind.to_string());
    let gate = gate.ok_or_else(|| anyhow::anyhow!("the service says nothing about it"))?;
    if matches.get_flag("json") {
        say(&format!("{gate:#}\n"));
    } else {
        let mut text = format!("{kind} gate of {canary}: {}\n", state(gate));
        for event in gate["history"].as_array().into_iter().flatten() {
            let parts = ["at", "what", "by", "why"].map(|key| cell(&event[key]));
            let _ = writeln!(text, "  {}", parts.join("  ").trim_end());
        }
        say(&text);
    }
    Ok(if gate["open"] == true { Exit::Pass } else { Exit::Fail })
}

fn list(client: &Client, matches: &ArgMatches) -> anyhow::Result<Exit> {
    let document = document(client, "/api/v1/gates")?;
    if matches.get_flag("json") {
        return Ok(say(&format!("{document:#}\n")));
    }
    let gates = document["gates"].as_array().map_or(&[][..], Vec::as_slice);
    let rows: Vec<[String; 3]> = gates
        .iter()
        .map(|gate| [cell(&gate["kind"]), format!("{}.{}", cell(&gate["name"]), cell(&gate["namespace"])), state(gate)])
        .collect();
    let widest = rows.iter().map(|row| row[1].chars().count()).max().unwrap_or(0);
    let text: String =
        rows.iter().map(|[kind, canary, state]| format!("{kind:<8}  {canary:<widest$}  {state}\n")).collect();
    Ok(say(if text.is_empty() { "no gate was ever opened\n" } else { &text }))
}

/// `open since … by … until … for one analysis: why`, or `closed`.
fn state(gate: &Value) -> String {
    if gate["open"] != true {
        return "closed".to_owned();
    }
    let mut text = format!("open since {} by {}", cell(&gate["since"]), cell(&gate["by"]));
    if !gate["until"].is_null() {
        let _ = write!(text, " until {}", cell(&gate["until"]));
    }
    if gate["once"] == true {
        text.push_str(if gate["used"] == true { " for the analysis going on" } else { " for one analysis" });
    }
    if !gate["why"].is_null() {
        let _ = write!(text, ": {}", cell(&gate["why"]));
    }
    text
}
