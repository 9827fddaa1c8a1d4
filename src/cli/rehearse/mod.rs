//! `tollgate rehearse`: Flagger's analysis of a Canary, played on this machine.

mod flags;
mod view;

use std::ffi::OsString;
use std::io::{self, Read as _};

use anyhow::Context as _;
use tokio::runtime::Builder;

pub(super) use self::flags::{Asked, Subject, command};
use self::view::View;
use super::signals::Signals;
use super::words::{self, Read, lines};
use super::{Exit, complain, say};
use crate::flagger::{Canary, Mistake, read};
use crate::rehearse::{Account, Outcome, Record, Setting, Stage, Ticked, Wanted, paced, shortest, unknown};
use crate::stats::number::per_second;

/// Where to read on.
const SEE: &str = "see tollgate rehearse --help\n";
/// Threads of router, service and users. The load's are others.
const THREADS: usize = 2;
/// Ticks beyond those of a release of which nothing is wrong: for failed checks, and for gates that people open.
const MORE: u32 = 10;

/// Runs the command.
pub(super) fn main(args: impl Iterator<Item = OsString>) -> Exit {
    let (matches, refused) = match words::read(|| command().no_binary_name(true), flags::joined(args)) {
        Read::Show(text) => return say(&text),
        Read::Unreadable(said, refused) => {
            return complain(&format!("{}{said}\n{SEE}", lines(refused.iter().map(flags::no_such_flag))));
        }
        Read::Matches(matches, refused) => (matches, refused),
    };
    let asked = flags::read(&matches);
    let refused = refused.iter().map(flags::no_such_flag);
    let mistakes: Vec<String> = refused.chain(asked.as_ref().err().into_iter().flatten().cloned()).collect();
    match asked {
        Ok(asked) if mistakes.is_empty() => match found(&asked) {
            Ok(canary) => rehearse(&asked, &canary).unwrap_or_else(|problem| {
                super::warn(&format!("tollgate: {problem:#}\n"));
                Exit::Saturated
            }),
            Err(told) => complain(&told),
        },
        _ => complain(&format!("{}{SEE}", lines(mistakes.iter()))),
    }
}

/// The Canary that the file has.
///
/// # Errors
/// What is wrong with it, each with its place.
fn found(asked: &Asked) -> Result<Canary, String> {
    let text = content(&asked.file).map_err(|error| format!("{}: {error}\n", asked.file))?;
    let reading = read(&text);
    let placed = |mistake: &Mistake| format!("{}:{mistake}", asked.file);
    if reading.is_refused() {
        return Err(lines(reading.mistakes.iter().map(placed)));
    }
    // What the cluster drops without a word is told, and rehearsed without it.
    super::warn(&lines(reading.mistakes.iter().map(placed)));
    let canary = chosen(reading.canaries, asked)?;
    if canary.suspend {
        return Err(format!("{}: spec.suspend is true: Flagger leaves it alone; take that out\n", asked.file));
    }
    unknown(&canary, &asked.places).map_err(|mistakes| lines(mistakes.iter()))?;
    Ok(canary)
}

fn chosen(canaries: Vec<Canary>, asked: &Asked) -> Result<Canary, String> {
    let names: Vec<String> = canaries.iter().map(|canary| canary.name.clone()).collect();
    let wanted = canaries.into_iter().filter(|canary| asked.name.as_ref().is_none_or(|name| canary.name == *name));
    let mut wanted: Vec<Canary> = wanted.collect();
    match (wanted.pop(), wanted.is_empty()) {
        (Some(canary), true) => Ok(canary),
        (Some(_), false) => {
            Err(format!("{}: several Canaries: choose with --name: {}\n", asked.file, names.join(", ")))
        }
        (None, _) => {
            let given = asked.name.as_deref().unwrap_or("any");
            Err(format!("--name: got '{given}', expected one of {}\n", names.join(", ")))
        }
    }
}

fn content(file: &str) -> io::Result<String> {
    if file == "-" {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(file)
}

/// What is wanted, and how it is told, for a Canary as it was written.
pub(super) fn prepared(canary: &Canary, asked: &Asked) -> (Wanted, Setting) {
    let paced = paced(canary, asked.speed);
    let most_ticks = asked.most_ticks.or_else(|| Some(shortest(canary)?.saturating_mul(4).saturating_add(MORE)));
    let wanted = Wanted {
        canary: paced.canary.clone(),
        speed: asked.speed,
        old: asked.old.release.clone(),
        new: asked.new.release.clone(),
        tollgate: asked.tollgate.as_ref().map(|(address, _)| *address),
        places: asked.places.clone(),
        users: asked.users,
        path: asked.path.clone(),
        most_ticks: most_ticks.unwrap_or(1_000),
    };
    let setting = Setting {
        interval: canary.analysis.interval,
        canary: paced.canary,
        speed: asked.speed,
        changes: paced.changes,
        old: asked.old.shown.clone(),
        new: asked.new.shown.clone(),
        tollgate: asked.tollgate.as_ref().map_or_else(String::new, |(_, url)| format!("tollgate serve at {url}")),
        users: String::new(),
    };
    (wanted, setting)
}

/// What was seen of a rehearsal.
#[derive(Clone, Copy)]
pub(super) enum Seen<'a> {
    /// Everything is there; the first tick begins.
    Set(&'a Setting),
    /// A tick ended.
    Ticked(&'a Ticked),
    /// A moment went by.
    Beat,
}

/// All of a rehearsal that is over.
pub(super) struct Played {
    pub(super) setting: Setting,
    pub(super) record: Record,
    pub(super) account: Account,
    /// How long it took.
    pub(super) took: std::time::Duration,
}

/// Plays a rehearsal to its end, or until a signal.
pub(super) async fn play(
    (wanted, mut setting): (Wanted, Setting),
    signals: &mut Signals,
    mut seen: impl FnMut(Seen<'_>, &Record, &Stage),
) -> anyhow::Result<Played> {
    let users = wanted.users;
    let mut stage = Stage::start(wanted).await.context("cannot start the releases, the router and the service")?;
    setting.users = format!("{} at http://{}/", per_second(users), stage.entrance());
    if setting.tollgate.is_empty() {
        setting.tollgate = format!("tollgate serve in this process, http://{}/", stage.tollgate());
    }
    let mut record = Record::default();
    seen(Seen::Set(&setting), &record, &stage);
    let mut beat = tokio::time::interval(view::PERIOD);
    while record.outcome.is_none() {
        tokio::select! {
            told = stage.next() => match told {
                None => break,
                Some(told) => {
                    if record.hear(told) && let Some(tick) = record.ticks.last() {
                        seen(Seen::Ticked(tick), &record, &stage);
                    }
                }
            },
            _ = beat.tick() => seen(Seen::Beat, &record, &stage),
            () = signals.next() => stage.stop(),
        }
    }
    let took = stage.elapsed();
    let account = stage.account(setting.slow(), record.rolled_back().unwrap_or(took));
    Ok(Played { setting, record, account, took })
}

fn rehearse(asked: &Asked, canary: &Canary) -> anyhow::Result<Exit> {
    let runtime = Builder::new_multi_thread().worker_threads(THREADS).thread_name("rehearse").enable_all().build()?;
    let mut signals = {
        let _inside = runtime.enter();
        Signals::catch()?
    };
    let mut view = View::new(asked.no_color, asked.json);
    let played = runtime.block_on(play(prepared(canary, asked), &mut signals, |seen, record, stage| {
        view.show(seen, record, stage);
    }))?;
    view.end(&played);
    // Loads that are still being made end with it.
    runtime.shutdown_background();
    Ok(exit(played.record.outcome))
}

/// What the program ends with.
pub(super) const fn exit(outcome: Option<Outcome>) -> Exit {
    match outcome {
        Some(Outcome::Promoted) => Exit::Pass,
        Some(Outcome::RolledBack) => Exit::Fail,
        Some(Outcome::Undecided) => Exit::Undecided,
        Some(Outcome::Interrupted) | None => Exit::Interrupted,
    }
}
