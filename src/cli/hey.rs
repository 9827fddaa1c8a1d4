//! `tollgate hey`, and tollgate under the name of hey: hey's flags, output and exit codes over our engine.
//!
//! As in hey, the exit code says whether there was a load, not how it went: 0 when every request failed, too.

use std::ffi::OsString;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Command;

use super::flags::read_body;
use super::run::too_few_descriptors;
use super::signals::Signals;
use super::{Exit, say, warn};
use crate::load::{Engine, Load, Terms};
use crate::plan::Plan;
use crate::report::{self, Hey as Report};
use crate::spec::Spec;
use crate::spec::goflag::FlagError;
use crate::spec::hey::{self, Hey, Refusal};
use crate::stats::{Detail, Log, Measures, Stopped, Summary};

/// Requests that are kept one by one; hey's number.
const ROWS: usize = 1_000_000;

/// The command as others describe it. Its flags are Go's, with one dash, and cannot be told one by one here.
pub(super) fn command() -> Command {
    let options = hey::USAGE.split_once("\n\n").map_or(hey::USAGE, |(_, options)| options);
    Command::new("hey")
        .about("Takes the place of hey: its flags, its summary, its exit codes")
        .override_usage("tollgate hey [options...] <url>")
        .disable_help_flag(true)
        .after_help(options)
}

/// Runs the command.
pub(super) fn main(args: impl Iterator<Item = OsString>) -> Exit {
    let hey = match read(args) {
        Ok(hey) => hey,
        Err(refusal) => {
            warn(&refusal.printed());
            return exit(&refusal);
        }
    };
    match run(&hey) {
        Ok(exit) => exit,
        Err(problem) => {
            warn(&format!("tollgate hey: {problem:#}\n"));
            Exit::Saturated
        }
    }
}

fn read(args: impl Iterator<Item = OsString>) -> Result<Hey, Refusal> {
    hey::read(&utf8(args).map_err(Refusal::Line)?, &read_body)
}

/// The words as text.
///
/// # Errors
/// The first word that is none.
pub(super) fn utf8(args: impl Iterator<Item = OsString>) -> Result<Vec<String>, String> {
    let unreadable = |word: OsString| format!("'{}' is not UTF-8", word.to_string_lossy());
    args.map(|word| word.into_string().map_err(unreadable)).collect()
}

/// hey's exit codes.
fn exit(refusal: &Refusal) -> Exit {
    match refusal {
        Refusal::Flag(FlagError::Help) => Exit::Pass,
        Refusal::Flag(_) => Exit::Usage,
        Refusal::Line(_) | Refusal::Check(_) | Refusal::File(_) => Exit::Refused,
    }
}

fn run(hey: &Hey) -> anyhow::Result<Exit> {
    let plan = Arc::new(hey.kept());
    if let Some(problem) = too_few_descriptors(&plan, false) {
        warn(&problem);
        return Ok(Exit::Refused);
    }
    let Some((summary, log)) = measured(&plan, hey.spec())? else { return Ok(Exit::Interrupted) };
    print(hey.csv(), &plan, &summary, &log);
    match summary.error {
        Some(error) => Err(anyhow::anyhow!(error)),
        None => Ok(Exit::Pass),
    }
}

/// Makes the load and keeps each of its requests; `None` when a second signal would not wait for its end.
pub(super) fn measured(plan: &Arc<Plan>, spec: &Spec) -> anyhow::Result<Option<(Summary, Log)>> {
    let engine = Engine::start(spec.workers.unwrap_or(0) as usize).context("cannot start the load's threads")?;
    let measures = Arc::new(Measures { success: spec.success, ..Measures::default() });
    // Only a count could take for ever against a dead port: lanes without a pace ask it ever more seldom.
    let patient = plan.schedule.stop.duration.is_some();
    let terms = Terms { rows: Some(ROWS), patient, resends_early: true, ..Terms::usual(Detail::Run) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut signals = Signals::catch()?;
        let load = engine.run_on(plan, &measures, &terms)?;
        let stopper = load.stopper();
        anyhow::Ok(signals.until_done(Load::finish_with_log(load), || stopper.stop()).await)
    })
}

fn print(csv: bool, plan: &Plan, summary: &Summary, log: &Log) {
    let target = &plan.targets[0];
    if csv {
        say(&report::hey_csv(log));
    } else {
        let server = target.origin.to_string();
        let (method, url) = (target.request.method.as_str(), target.url.as_str());
        say(&report::hey(&Report { log, wall: summary.wall, method, url, server: &server }));
    }
    let why = summary.first_error.as_deref().filter(|_| log.answered() == 0);
    if let Some(why) = why {
        warn(&format!("note: nothing was answered: {why}\n"));
    }
    if summary.stopped == Some(Stopped::Unreachable) {
        warn("note: the load was given up, because nothing was ever reached\n");
    }
    if log.without_row() > 0 {
        warn(&format!(
            "note: histogram, percentiles and CSV are of the first {ROWS} requests; {} more are in the other numbers\n",
            log.without_row()
        ));
    }
}
