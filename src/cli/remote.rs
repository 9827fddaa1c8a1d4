//! A running service, asked by commands: where it is, whom to believe, what it says.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgMatches, Command, value_parser};
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::{Exit, complain, say, warn};
use crate::canary::Canary;
use crate::outbound::{Answer, Client, OutboundError, Trust};
use crate::server::token;

/// How long the service may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Flags about the service itself.
pub(super) fn connection() -> [Arg; 5] {
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

/// The canary that a command is about.
pub(super) fn canary() -> Arg {
    Arg::new("canary").value_name("NAME.NAMESPACE").value_parser(value_parser!(Canary)).help("The canary")
}

/// A flag with a text.
pub(super) fn text(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

/// A flag that asks for JSON.
pub(super) fn json() -> Arg {
    Arg::new("json").long("json").action(clap::ArgAction::SetTrue).help("As JSON")
}

/// A command that talks to a service.
pub(super) fn command(name: &'static str, about: &'static str) -> Command {
    Command::new(name)
        .about(about)
        .bin_name(format!("tollgate {name}"))
        .display_name("tollgate")
        .version(env!("CARGO_PKG_VERSION"))
        .max_term_width(110)
}

/// Reads a command line, and does with it and the service what is to be done.
pub(super) fn run(
    command: Command,
    args: impl Iterator<Item = std::ffi::OsString>,
    act: impl FnOnce(&Client, &ArgMatches) -> anyhow::Result<Exit>,
) -> Exit {
    let name = command.get_name().to_owned();
    let matches = match command.no_binary_name(true).try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) if error.use_stderr() => return complain(&error.to_string()),
        Err(help) => return say(&help.to_string()),
    };
    // Where there are actions, the flags are theirs.
    let (action, flags) = matches.subcommand().map_or((String::new(), &matches), |(a, m)| (format!(" {a}"), m));
    match client(flags) {
        Ok(client) => act(&client, &matches).unwrap_or_else(|error| {
            warn(&format!("tollgate {name}: {error}\n"));
            Exit::Fail
        }),
        Err(mistakes) => complain(&format!("{}\nsee tollgate {name}{action} --help\n", mistakes.join("\n"))),
    }
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

/// What the environment says, if it says anything.
pub(super) fn set(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.is_empty())
}

/// Asks once.
pub(super) fn ask(client: &Client, method: Method, path: &str, body: &str) -> anyhow::Result<Answer> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut answer = runtime.block_on(client.ask(method, path, body))?;
    // A problem is told by what it says.
    if answer.status >= 400
        && let Ok(problem) = serde_json::from_str::<Value>(&answer.body)
        && let Some(detail) = problem["detail"].as_str()
    {
        answer.body = detail.to_owned();
    }
    Ok(answer)
}

/// The document at a path of the API.
pub(super) fn document(client: &Client, path: &str) -> anyhow::Result<Value> {
    let answer = ask(client, Method::GET, path, "")?;
    anyhow::ensure!(answer.status == 200, "answered {}: {}", answer.status, plain(&answer.body));
    Ok(serde_json::from_str(&answer.body)?)
}

/// `NAMESPACE/NAME` as parts of a path.
pub(super) fn path_of(canary: &Canary) -> String {
    let part = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    format!("{}/{}", part(&canary.namespace), part(&canary.name))
}

/// A value as it may be shown on a terminal.
pub(super) fn cell(value: &Value) -> String {
    plain(value.as_str().unwrap_or_default())
}

/// A text as it may be shown on a terminal.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
