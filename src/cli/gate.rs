//! `tollgate gate`: the gates of a running service, from a terminal or from a pod that has nothing but tollgate.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{Exit, complain, say, warn};
use crate::canary::Canary;
use crate::gate::Kind;
use crate::outbound::{Answer, Client, OutboundError, Trust};
use crate::server::token;

/// How long the service may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Runs the command.
pub(super) fn main(args: impl Iterator<Item = OsString>) -> Exit {
    let matches = match command().no_binary_name(true).try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) if error.use_stderr() => return complain(&error.to_string()),
        Err(help) => return say(&help.to_string()),
    };
    let Some((action, matches)) = matches.subcommand() else { return complain("see tollgate gate --help\n") };
    let client = match client(matches) {
        Ok(client) => client,
        Err(mistakes) => return complain(&format!("{}\nsee tollgate gate {action} --help\n", mistakes.join("\n"))),
    };
    let done = match action {
        "list" => list(&client, matches),
        "status" => status(&client, matches),
        "open" => change(&client, matches, "open"),
        _ => change(&client, matches, "close"),
    };
    done.unwrap_or_else(|error| {
        warn(&format!("tollgate gate: {error}\n"));
        Exit::Fail
    })
}

/// The command with its four actions.
pub(super) fn command() -> Command {
    let which = || {
        let canary = Arg::new("canary").value_name("NAME.NAMESPACE").required(true).value_parser(value_parser!(Canary));
        let rollback = Arg::new("rollback").long("rollback").action(ArgAction::SetTrue);
        [canary.help("The canary"), rollback.help("Its rollback gate, not its confirm gate")]
    };
    let text = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
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
    let json = Arg::new("json").long("json").action(ArgAction::SetTrue).help("As JSON");
    let status =
        Command::new("status").about("Shows a gate and what happened to it; exit code 0 if it is open, 1 if not");
    let actions = [
        open,
        Command::new("close").about("Closes a gate").args(which()).args(said()),
        status.args(which()).arg(json.clone()),
        Command::new("list").about("Lists all gates that were ever opened").arg(json),
    ];
    Command::new("gate")
        .about("Opens, closes and lists the gates of a running tollgate serve")
        .bin_name("tollgate gate")
        .display_name("tollgate")
        .version(env!("CARGO_PKG_VERSION"))
        .max_term_width(110)
        .subcommand_required(true)
        .disable_help_subcommand(true)
        .subcommands(actions.map(|action| action.args(connection())))
}

/// Flags about the service itself.
fn connection() -> [Arg; 5] {
    let file = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("FILE").value_parser(value_parser!(PathBuf)).help(help)
    };
    let server = Arg::new("server").long("server").value_name("URL");
    [
        server.help("The service (http://127.0.0.1 and the port of TOLLGATE_PORT, or 9090) [env: TOLLGATE_SERVER]"),
        file("token-file", "The token that the service asks for"),
        file("cacert", "Believe this authority only, PEM (well-known ones)"),
        file("cert", "Show this certificate, PEM").requires("key"),
        file("key", "Its private key, PEM").requires("cert"),
    ]
}

/// Whoever is to be asked, or every mistake on the way there.
fn client(matches: &ArgMatches) -> Result<Client, Vec<String>> {
    let mut mistakes = Vec::new();
    let server = matches.get_one::<String>("server").cloned().or_else(|| set("TOLLGATE_SERVER"));
    let server = server
        .unwrap_or_else(|| format!("http://127.0.0.1:{}", set("TOLLGATE_PORT").unwrap_or_else(|| "9090".to_owned())));
    let file = |name: &str| matches.get_one::<PathBuf>(name).cloned();
    let token = file("token-file").and_then(|path| {
        let read = token(&path);
        read.map_err(|why| mistakes.push(format!("--token-file: {}: {why}", path.display()))).ok()
    });
    let trust = Trust { cacert: file("cacert"), identity: file("cert").zip(file("key")) };
    let client = Client::new(&server, &trust, token, TIMEOUT).map_err(|error| {
        mistakes.push(match error {
            OutboundError::Address(_) => format!("--server: {error}"),
            other => other.to_string(),
        });
    });
    match client {
        Ok(client) if mistakes.is_empty() => Ok(client),
        _ => Err(mistakes),
    }
}

fn set(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.is_empty())
}

fn ask(client: &Client, method: Method, path: &str, body: &str) -> anyhow::Result<Answer> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(client.ask(method, path, body))?)
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

/// The document at a path of the API.
fn document(client: &Client, path: &str) -> anyhow::Result<Value> {
    let answer = ask(client, Method::GET, path, "")?;
    anyhow::ensure!(answer.status == 200, "answered {}: {}", answer.status, plain(&answer.body));
    Ok(serde_json::from_str(&answer.body)?)
}

fn status(client: &Client, matches: &ArgMatches) -> anyhow::Result<Exit> {
    let (kind, canary) = which(matches);
    let part = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let path = format!("/api/v1/gates/{}/{}", part(&canary.namespace), part(&canary.name));
    let document = document(client, &path)?;
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

/// A value as it may be shown on a terminal.
fn cell(value: &Value) -> String {
    plain(value.as_str().unwrap_or_default())
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
