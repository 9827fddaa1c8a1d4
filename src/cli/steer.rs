//! `tollgate status`, `override` and `stop`: what a running service is doing, and the two ways to step in.

use std::ffi::OsString;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command};
use http::Method;
use serde_json::{Map, Value, json};

use super::remote::{self, ask, canary, cell, connection, document, path_of, plain, set, text};
use super::{Exit, say};
use crate::canary::Canary;
use crate::outbound::{Answer, Client};

/// Shows runs.
pub(super) fn status(args: impl Iterator<Item = OsString>) -> Exit {
    remote::run(status_command(), args, show)
}

/// Decides over a canary.
pub(super) fn rule(args: impl Iterator<Item = OsString>) -> Exit {
    remote::run(override_command(), args, decide)
}

/// Stops load.
pub(super) fn stop(args: impl Iterator<Item = OsString>) -> Exit {
    remote::run(stop_command(), args, end)
}

pub(super) fn status_command() -> Command {
    remote::command("status", "Shows the canaries of a running tollgate serve: analyses, load, newest verdicts")
        .arg(canary().help("One canary, with its newest answers (all)"))
        .arg(remote::json())
        .args(connection())
}

pub(super) fn override_command() -> Command {
    let verdict = Arg::new("verdict").value_name("VERDICT").required(true);
    let verdicts = PossibleValuesParser::new(["pass", "fail", "none"]);
    remote::command("override", "Decides over a canary for a while, whatever is measured; every answer shows it")
        .arg(verdict.value_parser(verdicts).help("pass lets it go on, fail stops it, none takes a decision back"))
        .arg(canary().required(true))
        .arg(text("for", "TIME", "How long it stands, up to 168h").required_if_eq_any(decided()))
        .arg(text("why", "TEXT", "Why").required_if_eq_any(decided()))
        .arg(text("by", "NAME", "Who you are (the user's name)"))
        .args(connection())
}

fn decided() -> [(&'static str, &'static str); 2] {
    [("verdict", "pass"), ("verdict", "fail")]
}

pub(super) fn stop_command() -> Command {
    let all = Arg::new("all").long("all").action(ArgAction::SetTrue).help("The load of every canary");
    remote::command("stop", "Ends the load of a canary for the rest of its analysis")
        .args([canary(), all])
        .group(ArgGroup::new("which").args(["canary", "all"]).required(true))
        .arg(text("why", "TEXT", "Why"))
        .arg(text("by", "NAME", "Who you are (the user's name)"))
        .args(connection())
}

/// The texts that were given for these flags; the user's name where nobody says who they are.
fn said(matches: &ArgMatches, flags: &[&str]) -> Map<String, Value> {
    let text = |flag: &str| {
        let given = matches.get_one::<String>(flag).cloned();
        given.or_else(|| if flag == "by" { set("USER") } else { None })
    };
    flags.iter().filter_map(|flag| Some(((*flag).to_owned(), json!(text(flag)?)))).collect()
}

fn decide(client: &Client, matches: &ArgMatches) -> anyhow::Result<Exit> {
    let canary = matches.get_one::<Canary>("canary").expect("the argument is required");
    let path = format!("/api/v1/canaries/{}/override", path_of(canary));
    let mut wish = said(matches, &["for", "why", "by"]);
    let verdict = matches.get_one::<String>("verdict").expect("the argument is required");
    let answer = if verdict == "none" {
        ask(client, Method::DELETE, &path, "")?
    } else {
        wish.insert("verdict".to_owned(), json!(verdict));
        ask(client, Method::POST, &path, &Value::from(wish).to_string())?
    };
    done(&answer)
}

fn end(client: &Client, matches: &ArgMatches) -> anyhow::Result<Exit> {
    let wish = Value::from(said(matches, &["why", "by"])).to_string();
    let path = match matches.get_one::<Canary>("canary") {
        Some(canary) => format!("/api/v1/canaries/{}/stop", path_of(canary)),
        None => "/api/v1/stop".to_owned(),
    };
    done(&ask(client, Method::POST, &path, &wish)?)
}

fn done(answer: &Answer) -> anyhow::Result<Exit> {
    let said = plain(&answer.body);
    anyhow::ensure!(answer.status == 200, "answered {}: {said}", answer.status);
    Ok(say(&format!("{said}\n")))
}

fn show(client: &Client, matches: &ArgMatches) -> anyhow::Result<Exit> {
    let asked = matches.get_one::<Canary>("canary");
    let shown = match asked {
        Some(canary) => document(client, &format!("/api/v1/canaries/{}", path_of(canary)))?,
        None => document(client, "/api/v1/canaries")?,
    };
    if matches.get_flag("json") {
        return Ok(say(&format!("{shown:#}\n")));
    }
    let canaries = shown["canaries"].as_array().map_or_else(|| vec![&shown], |all| all.iter().collect());
    if canaries.is_empty() {
        return Ok(say("no hook has spoken of any canary\n"));
    }
    let lines: Vec<String> = canaries.into_iter().flat_map(lines).collect();
    Ok(say(&(lines.join("\n") + "\n")))
}

/// One canary: its analysis, its load, what was decided and what was answered, a line each.
fn lines(canary: &Value) -> Vec<String> {
    let name = format!("{}.{}", cell(&canary["name"]), cell(&canary["namespace"]));
    let run = &canary["run"];
    let mut lines = vec![if run.is_null() {
        format!("{name}  no analysis")
    } else {
        format!("{name}  revision {} since {}", cell(&run["checksum"]), cell(&run["since"]))
    }];
    let loads = |of: &Value| of.as_array().cloned().unwrap_or_default();
    let judged = loads(&run["loads"]).into_iter().map(|load| ("load", load));
    let unjudged = loads(&canary["unjudged"]).into_iter().map(|load| ("load, not judged", load));
    lines.extend(judged.chain(unjudged).map(|(word, load)| format!("  {word}: {}", progress(&load))));
    let texts = [("stopped", &run["stopped"]), ("last", &run["last"])];
    lines.extend(
        texts.iter().filter(|(_, text)| !text.is_null()).map(|(word, text)| format!("  {word}: {}", cell(text))),
    );
    let ruling = &canary["override"];
    if !ruling.is_null() {
        let [verdict, until, by, why] = ["verdict", "until", "by", "why"].map(|key| cell(&ruling[key]));
        lines.push(format!("  override: {verdict} until {until} by {by}: {why}"));
    }
    for answer in canary["history"].as_array().into_iter().flatten() {
        let times =
            answer["times"].as_u64().filter(|times| *times > 1).map_or_else(String::new, |n| format!(" ({n} times)"));
        let [at, hook, text] = ["at", "hook", "text"].map(|key| cell(&answer[key]));
        lines.push(format!("  {at}  {hook}  {text}{times}"));
    }
    lines
}

/// `http://podinfo-canary.test/ 20/s, running, 12 of 60 s`.
fn progress(load: &Value) -> String {
    let targets: Vec<String> = load["targets"].as_array().into_iter().flatten().map(cell).collect();
    let rate = load["rate_per_second"].as_f64().map_or_else(String::new, |rate| format!(" {rate}/s"));
    let length = load["length_seconds"].as_f64().map_or_else(String::new, |length| format!(" of {length:.0}"));
    let judged = load["judged_seconds"].as_f64().unwrap_or_default();
    format!("{}{rate}, {}, {judged:.0}{length} s", targets.join(" "), cell(&load["stage"]))
}
