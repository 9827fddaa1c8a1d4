//! `tollgate demo`: three releases of a service, rehearsed on this machine, and what becomes of each.

mod page;

use std::ffi::OsString;
use std::io;
#[cfg(test)]
use std::time::Duration;

use anyhow::Context as _;
use clap::Command;
use tokio::runtime::Builder;

use self::page::Page;
use super::rehearse::{Asked, Seen, Subject, exit, play, prepared};
use super::signals::Signals;
use super::style::style;
use super::{Exit, complain, say, warn};
use crate::flagger::{Canary, read};
use crate::rehearse::{Outcome, Places};

/// The Canary of all three: as people write it, with the load at the canary's own service and an objective.
const CANARY: &str = include_str!("payment-service.yaml");
/// A minute is a second.
const SPEED: f64 = 60.0;
/// Users' requests a second.
const USERS: f64 = 20.0;
/// A release, and what is to become of it.
struct Release {
    title: &'static str,
    /// Flags of `tollgate canary`.
    settings: &'static str,
    expected: Outcome,
}

const RELEASES: [Release; 3] = [
    Release { title: "A good release", settings: "", expected: Outcome::Promoted },
    Release {
        title: "A release that fails 2 % of all requests",
        settings: "--errors 2%",
        expected: Outcome::RolledBack,
    },
    Release {
        title: "A release that stops for 1 s every 5 s, and says 200 all the time",
        settings: "--stall 1s/5s",
        expected: Outcome::RolledBack,
    },
];

const INTRO: &str = "\
A new release of payment-service is let in step by step: 10 % of the requests,
20 %, up to 50 %, then all. Before each step Flagger asks tollgate, which sends
the release requests of its own and judges: success>=99.5%, p99<=500ms. At three
failed checks the old release gets everything back. All of it happens on this
machine: Flagger's part is played; services, users (20/s) and load are real.
";

const HELP: &str = "Shows three releases let in step by step and judged, all on this machine, in about a minute

Usage: tollgate demo

Starts tollgate serve and practice canaries on free ports of 127.0.0.1 and rehearses the same Canary with a good release
and with two bad ones. tollgate rehearse does this with a Canary of your own.
Exit codes: 0 when the good one is promoted and the bad ones are rolled back · 1 when not · 2 usage · 130 interrupted
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
    let canary = canary()?;
    let runtime = Builder::new_multi_thread().worker_threads(2).thread_name("demo").enable_all().build()?;
    let mut signals = {
        let _inside = runtime.enter();
        Signals::catch()?
    };
    let page = Page::new(style(&io::stdout(), false));
    say(INTRO);
    let mut as_expected = true;
    for (n, release) in (1..).zip(&RELEASES) {
        page.title(n, release.title);
        let told = prepared(&canary, &asked(release)?);
        if n == 1 {
            page.aside(&format!("time runs 60 times as fast: {}", told.1.changes.join("; ")));
        }
        let played = runtime.block_on(play(told, &mut signals, |seen, _, _| {
            if let Seen::Ticked(tick) = seen {
                page.tick(tick);
            }
        }))?;
        if played.record.outcome.is_none_or(|outcome| outcome == Outcome::Interrupted) {
            page.interrupted(&played);
            runtime.shutdown_background();
            return Ok(exit(Some(Outcome::Interrupted)));
        }
        page.ending(&played);
        as_expected &= played.record.outcome == Some(release.expected);
    }
    runtime.shutdown_background();
    if !as_expected {
        say("\nThat is not what was to become of them: this machine may be too busy.\n");
        return Ok(Exit::Fail);
    }
    say("\nYour own Canary, in the same way:\n  tollgate rehearse CANARY.yaml --speed 20x --bad 'errors 2%'\n");
    Ok(Exit::Pass)
}

fn canary() -> anyhow::Result<Canary> {
    let reading = read(CANARY);
    let mistakes: Vec<String> = reading.mistakes.iter().map(ToString::to_string).collect();
    anyhow::ensure!(mistakes.is_empty(), "{}", mistakes.join("; "));
    reading.canaries.into_iter().next().context("no Canary")
}

fn asked(release: &Release) -> anyhow::Result<Asked> {
    let practice =
        |settings: &str| Subject::practice(settings).map_err(|mistakes| anyhow::anyhow!("{}", mistakes.join("; ")));
    Ok(Asked {
        file: String::new(),
        name: None,
        speed: SPEED,
        old: practice("")?,
        new: practice(release.settings)?,
        tollgate: None,
        places: Places::new(),
        users: USERS,
        path: "/".to_owned(),
        most_ticks: None,
        json: false,
        no_color: false,
    })
}

/// How long the demo may take at most, for those who wait for it.
#[cfg(test)]
const LONGEST: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_demo_rehearses_can_be_read_and_takes_less_than_two_minutes() {
        let canary = canary().unwrap();
        let mut whole = Duration::ZERO;
        for release in &RELEASES {
            let (wanted, setting) = prepared(&canary, &asked(release).unwrap());
            assert_eq!(
                (wanted.canary.analysis.interval, setting.slow()),
                (Duration::from_secs(2), Duration::from_millis(500))
            );
            let changes = ["interval 2m → 2s", "load of load-test 20/s → 160/s"];
            assert_eq!(setting.changes, changes, "{}", release.title);
            let ticks = crate::rehearse::shortest(&canary).unwrap();
            assert_eq!(ticks, 9);
            whole += wanted.canary.analysis.interval * (ticks + 3);
        }
        assert!(whole < LONGEST, "{whole:?}");
        assert!(INTRO.lines().all(|line| line.chars().count() <= usize::from(page::WIDTH)));
    }
}
