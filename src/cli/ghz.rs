//! `tollgate ghz`, and tollgate under the name of ghz: ghz's flags, output and exit codes over our engine.
//!
//! As in ghz, the exit code says whether there was a load, not how it went.

use std::ffi::OsString;
use std::io::Write as _;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Command;

use super::flags::read_body;
use super::hey::{measured, utf8};
use super::run::{settled, too_few_descriptors};
use super::{Exit, say, warn};
use crate::report::{self, Ghz as Report};
use crate::spec::ghz::{self, Ghz, Refusal};
use crate::stats::{Log, Stopped, Summary};

/// The command as others describe it. Its flags are ghz's.
pub(super) fn command() -> Command {
    let options = ghz::USAGE.split_once("\n\n").map_or(ghz::USAGE, |(_, options)| options);
    Command::new("ghz")
        .about("Takes the place of ghz: its flags, its summary, its exit codes")
        .override_usage("tollgate ghz [<flags>] [<host>]")
        .disable_help_flag(true)
        .after_help(options)
}

/// Runs the command.
pub(super) fn main(args: impl Iterator<Item = OsString>) -> Exit {
    let read = utf8(args).map_err(Refusal::Wrong).and_then(|words| ghz::read(&words, &read_body));
    let ghz = match read {
        Ok(ghz) => ghz,
        Err(Refusal::Help) => return say(ghz::USAGE),
        Err(Refusal::Version) => return say(concat!("tollgate ", env!("CARGO_PKG_VERSION"), "\n")),
        Err(Refusal::Wrong(said)) => {
            warn(&format!("ghz: error: {said}\ntry --help\n"));
            return Exit::Refused;
        }
    };
    match run(&ghz) {
        Ok(exit) => exit,
        Err(problem) => {
            warn(&format!("tollgate ghz: {problem:#}\n"));
            Exit::Saturated
        }
    }
}

fn run(ghz: &Ghz) -> anyhow::Result<Exit> {
    for note in &ghz.spec().notes {
        warn(&format!("note: {note}\n"));
    }
    let started = jiff::Timestamp::now().to_string();
    let plan = match settled(ghz.kept().clone(), Exit::Refused) {
        Ok(plan) => Arc::new(plan),
        Err(exit) => return Ok(exit),
    };
    if let Some(problem) = too_few_descriptors(&plan, false) {
        warn(&problem);
        return Ok(Exit::Refused);
    }
    let Some((summary, log)) = measured(&plan, ghz.spec())? else { return Ok(Exit::Interrupted) };
    print(ghz, &summary, &log, &started)?;
    match summary.error {
        Some(error) => Err(anyhow::anyhow!(error)),
        None => Ok(Exit::Pass),
    }
}

fn print(ghz: &Ghz, summary: &Summary, log: &Log, started: &str) -> anyhow::Result<()> {
    let target = &ghz.kept().targets[0];
    let text = report::ghz(&Report {
        log,
        said: &summary.said,
        wall: summary.wall,
        stopped: summary.stopped,
        shown: &ghz.shown,
        call: target.request.path.trim_start_matches('/'),
        server: &target.origin.to_string(),
        workers: ghz.kept().lanes,
        started,
    });
    match &ghz.shown.output {
        None => drop(say(&text)),
        Some(file) => {
            let mut file = std::fs::File::create(file).with_context(|| format!("--output: cannot write '{file}'"))?;
            file.write_all(text.as_bytes()).context("--output: cannot write the report")?;
        }
    }
    if let Some(why) = summary.first_error.as_deref().filter(|_| log.answered() == 0) {
        warn(&format!("note: nothing was answered: {why}\n"));
    }
    if summary.stopped == Some(Stopped::Unreachable) {
        warn("note: the load was given up, because nothing was ever reached\n");
    }
    Ok(())
}
