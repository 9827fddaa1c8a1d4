//! `tollgate demo`: a good and a bad canary on this machine, the same load against both, and what tollgate says of each.

use std::ffi::OsString;
use std::io;

use anyhow::Context as _;
use clap::Command;

use super::flags::{Invocation, parse_run};
use super::references::References;
use super::run::{Ran, measure};
use super::style::style;
use super::{Exit, complain, say, warn};
use crate::load::Engine;
use crate::practice::{Behaviour, Practice};
use crate::report;
use crate::spec::Spec;

/// The load of both, as a user would write it; short, because somebody is watching.
const LOAD: [&str; 6] = ["-z", "6s", "-q", "20", "-c", "4"];
/// The objective of both: the two numbers most canaries are judged by.
const SLO: &str = "success>=99%, p99<500ms";

/// A release to be judged.
struct Release {
    name: &'static str,
    story: &'static str,
    /// Flags of `tollgate canary`.
    behaviour: &'static [(&'static str, &'static str)],
    expected: Exit,
}

const RELEASES: [Release; 2] = [
    Release {
        name: "good",
        story: "answers in about 20 ms",
        behaviour: &[("latency", "lognormal:20ms,0.3")],
        expected: Exit::Pass,
    },
    Release {
        name: "bad",
        story: "is as fast, but one request in thirty is a 500,\nand it freezes for one second in every three",
        behaviour: &[("latency", "lognormal:20ms,0.3"), ("errors", "3.4%"), ("stall", "1s/3s")],
        expected: Exit::Fail,
    },
];

const HELP: &str = "Shows a good and a bad canary judged, all on this machine, in about a quarter of a minute

Usage: tollgate demo

Starts two practice canaries on free ports of 127.0.0.1, makes the same load against each and prints both reports.
Exit codes: 0 when the good one passes and the bad one fails · 1 when not · 2 usage · 130 interrupted
";

/// The command, for those who describe them all.
pub(super) fn command() -> Command {
    let (about, more) = HELP.split_once("\n\nUsage: tollgate demo\n\n").unwrap_or((HELP, ""));
    Command::new("demo").about(about).after_help(more)
}

/// Runs the command.
pub(super) fn main(mut args: impl Iterator<Item = OsString>) -> Exit {
    match args.next() {
        None => {}
        Some(word) if word == "--help" || word == "-h" => return say(HELP),
        Some(word) => {
            let shown: String = word.to_string_lossy().chars().filter(|c| !c.is_control()).take(40).collect();
            return complain(&format!("argument: got '{shown}', expected none\nsee tollgate demo --help\n"));
        }
    }
    match show() {
        Ok(exit) => exit,
        Err(problem) => {
            warn(&format!("tollgate: {problem:#}\n"));
            Exit::Saturated
        }
    }
}

fn show() -> anyhow::Result<Exit> {
    let engine = Engine::start(0).context("cannot start the load's threads")?;
    let mut outcome = Vec::new();
    for release in &RELEASES {
        let Some(ran) = judge(&engine, release)? else { return Ok(Exit::Interrupted) };
        if ran.exit == Exit::Interrupted {
            return Ok(Exit::Interrupted);
        }
        outcome.push(format!("{} release: exit code {}", release.name, ran.exit.code()));
        if ran.exit != release.expected {
            say(&format!("\nThe {} release was expected to end with {}.\n", release.name, release.expected.code()));
            return Ok(Exit::Fail);
        }
    }
    say(&format!("\n{}. That code is what a pipeline acts on.\n", outcome.join(", ")));
    Ok(Exit::Pass)
}

/// One release: started, loaded, judged, reported.
fn judge(engine: &Engine, release: &Release) -> anyhow::Result<Option<Ran>> {
    let behaviour = Behaviour::parse(release.behaviour.iter().copied()).map_err(|mistakes| {
        let lines: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", lines.join("; "))
    })?;
    let practice = Practice::start(behaviour).context("cannot start a practice canary")?;
    let url = format!("http://{}/", practice.addr());
    let flags: String = release.behaviour.iter().map(|(key, value)| format!(" --{key} {value}")).collect();
    let rule = "─".repeat(72);
    say(&format!(
        "{rule}\nThe {} release {}.\n\n$ tollgate canary{flags}\n$ tollgate run {} --slo '{SLO}' {url}\n\n",
        release.name,
        release.story,
        LOAD.join(" "),
    ));
    let Some(ran) = measure(engine, &spec(&url)?, &References::new())? else { return Ok(None) };
    say(&report::text(&ran.report(), style(&io::stdout(), false)));
    Ok(Some(ran))
}

/// What the printed command line asks for, read the same way.
fn spec(url: &str) -> anyhow::Result<Spec> {
    let words = LOAD.into_iter().chain(["--slo", SLO, url]).map(OsString::from);
    match parse_run(words) {
        Ok(Invocation::Run(spec)) => Ok(*spec),
        Ok(Invocation::Show(text)) => anyhow::bail!("{text}"),
        Err(refusal) => Err(refusal.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_demo_asks_for_can_be_read() {
        for release in &RELEASES {
            assert!(Behaviour::parse(release.behaviour.iter().copied()).is_ok(), "{}", release.name);
        }
        let spec = spec("http://127.0.0.1:1/").expect("the line is right");
        assert_eq!(spec.plan.schedule.total(), Some(480));
        assert!(spec.objective.is_some_and(|objective| objective.line.shortfalls(480, Some(80.0)).is_empty()));
    }
}
