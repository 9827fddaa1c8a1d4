//! What is shown to people: runs, loads, verdicts.

use std::time::Duration;

use super::answer::{Answer, Kind};
use super::call::{Call, Role};
use super::desk::{Desk, Entry};
use super::load::{Load, Loads, Standing};
use super::ruling::Override;
use super::run::Run;
use super::track::Track;
use crate::canary::{Canary, Checksum};
use crate::plan::Plan;
use crate::stats::Counted;

/// Verdicts that are remembered of each canary.
pub(super) const HISTORY: usize = 50;

/// One answer of the past.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// When, on the board's clock.
    pub at: Duration,
    /// The revision that the call named.
    pub checksum: Checksum,
    /// Which hook asked.
    pub role: Role,
    /// How the answer was meant.
    pub kind: Kind,
    /// How it would have been meant, had it counted.
    pub measured: Kind,
    /// Its text.
    pub text: String,
    /// How often in a row the same was said; at least 1.
    pub times: u32,
}

impl Record {
    pub(super) fn new(call: &Call, answer: &Answer, now: Duration) -> Self {
        Self {
            at: now,
            checksum: call.checksum.clone(),
            role: call.role,
            kind: answer.kind,
            measured: answer.measured,
            text: answer.text.clone(),
            times: 1,
        }
    }
}

/// One load.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadStatus {
    /// Where it goes, as its URLs.
    pub targets: Vec<String>,
    /// Its rate at the peak, requests a second; `None` where the answers set the pace.
    pub rate: Option<f64>,
    /// How far it has come.
    pub standing: Standing,
    /// How long its judged part takes; `None` where only a count ends it.
    pub length: Option<Duration>,
}

impl LoadStatus {
    fn new(plan: &Plan, standing: Standing) -> Self {
        Self {
            targets: plan.targets.iter().map(|target| target.url.clone()).collect(),
            rate: plan.schedule.peak_rate().map(crate::plan::Rate::as_f64),
            standing,
            length: plan.schedule.end().map(|end| end.saturating_sub(plan.schedule.warmup)),
        }
    }
}

/// One run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunStatus {
    /// The revision under analysis.
    pub checksum: Checksum,
    /// Since when, on the board's clock.
    pub began: Duration,
    /// Its loads, the newest of each plan.
    pub loads: Vec<LoadStatus>,
    /// Its newest verdict.
    pub last: Option<String>,
    /// Why its load was ended by hand, if it was.
    pub stopped: Option<String>,
}

impl RunStatus {
    pub(super) fn of<L: Load>(run: &Run<L>) -> Self {
        let load = |track: &Track<L>| track.standing().map(|standing| LoadStatus::new(&track.plan, standing));
        Self {
            checksum: run.checksum.clone(),
            began: run.began,
            loads: run.tracks.iter().filter_map(load).collect(),
            last: run.last.clone(),
            stopped: run.stopped.clone(),
        }
    }
}

/// One canary.
#[derive(Clone, Debug, PartialEq)]
pub struct CanaryStatus {
    /// Who.
    pub canary: Canary,
    /// Its run, if one is open.
    pub run: Option<RunStatus>,
    /// The run before, as it ended.
    pub before: Option<RunStatus>,
    /// Loads that are not judged.
    pub loose: Vec<LoadStatus>,
    /// What a person has decided.
    pub ruling: Option<Override>,
    /// Its newest answers, the oldest first.
    pub history: Vec<Record>,
}

/// What metrics say of one canary.
#[derive(Clone, Debug, PartialEq)]
pub struct Sums {
    /// Who.
    pub canary: Canary,
    /// Loads that run now.
    pub running: usize,
    /// What its loads have counted; `None` before the first, and when the last is a day ago.
    pub counted: Option<Counted>,
    /// The same of loads beside them, on the release in service; `None` where nothing was compared.
    pub primary: Option<Counted>,
}

impl<F: Loads> Desk<F> {
    /// What metrics say.
    pub(super) fn sums(&self) -> Vec<Sums> {
        let of = |(canary, entry): (&Canary, &Entry<F>)| {
            let tracks = entry.run.iter().flat_map(|run| &run.tracks).filter(|track| track.is_running()).count();
            let loose = entry.loose.iter().filter(|(_, load)| !load.standing().is_over()).count();
            let [counted, primary] = [&entry.ledger, &entry.beside].map(|ledger| ledger.as_ref().map(|of| of.read()));
            Sums { canary: canary.clone(), running: tracks + loose, counted, primary }
        };
        self.entries.iter().map(of).collect()
    }

    /// Everything there is to know, canary by canary.
    pub(super) fn status(&self) -> Vec<CanaryStatus> {
        self.entries.iter().map(|(canary, entry)| of(canary, entry)).collect()
    }
}

fn of<F: Loads>(canary: &Canary, entry: &Entry<F>) -> CanaryStatus {
    CanaryStatus {
        canary: canary.clone(),
        run: entry.run.as_ref().map(RunStatus::of),
        before: entry.before.clone(),
        loose: entry.loose.iter().map(|(plan, load)| LoadStatus::new(plan, load.standing())).collect(),
        ruling: entry.ruling.clone(),
        history: entry.history.iter().cloned().collect(),
    }
}
