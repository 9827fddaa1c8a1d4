//! The rules: when a run begins and ends, what a call starts, and what it may be answered. Nothing here waits; time comes
//! in as an argument.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::answer::{Answer, Finding, Kind};
use super::budget::Budgets;
use super::call::{Call, Role};
use super::load::{Load as _, Loads};
use super::ruling::Override;
use super::run::{Run, SILENCE};
use super::status::{Record, RunStatus};
use super::track::View;
use crate::canary::{Canary, Checksum, Phase, Stage};
use crate::load::Ledger;
use crate::plan::Plan;
use crate::spec::Whose;

mod admit;
mod room;
mod settle;

/// Canaries that are remembered; those without a run make room.
pub(super) const MOST_CANARIES: usize = 4_096;

/// What happened, for logs, metrics, notifications and gates.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A run began.
    RunBegan {
        /// Whose.
        canary: Canary,
        /// Its revision.
        checksum: Checksum,
    },
    /// A run is over: its load was stopped, and its rollback gate is to be closed.
    RunEnded {
        /// Whose.
        canary: Canary,
        /// Its revision.
        checksum: Checksum,
        /// Why, in words.
        why: &'static str,
    },
    /// A load began.
    LoadBegan {
        /// Whose.
        canary: Canary,
        /// What it sends.
        plan: Arc<Plan>,
        /// What is sent to the release in service on the same schedule; `None` where nothing is compared.
        primary: Option<Arc<Plan>>,
    },
    /// A call was answered.
    Answered {
        /// Whose.
        canary: Canary,
        /// The revision that the call named.
        checksum: Checksum,
        /// Which hook asked.
        role: Role,
        /// What it was told.
        answer: Answer,
    },
    /// Somebody decided over a canary, or (`None`) took that back.
    Ruled {
        /// Whose.
        canary: Canary,
        /// What was decided.
        ruling: Option<Override>,
    },
    /// Load was ended by hand, or to make room.
    Stopped {
        /// Whose.
        canary: Canary,
        /// By whom and why, in words.
        why: String,
    },
}

/// What of a run outlives the process.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Memory {
    /// Whose run.
    pub(super) canary: Canary,
    /// Its revision.
    pub(super) checksum: Checksum,
    /// Its newest verdict, if there is one.
    pub(super) last: Option<String>,
    /// Who ended its load for good, in words; rows of old do not say.
    #[serde(default)]
    pub(super) stopped: Option<String>,
}

/// One canary.
#[derive(Debug)]
pub(super) struct Entry<F: Loads> {
    pub(super) run: Option<Run<F::Load>>,
    /// Loads that are not judged and belong to no run.
    pub(super) loose: Vec<(Arc<Plan>, F::Load)>,
    pub(super) ruling: Option<Override>,
    pub(super) history: VecDeque<Record>,
    /// The run before, as it ended.
    pub(super) before: Option<RunStatus>,
    /// What its loads have counted; `None` before the first, and when the last is a day ago.
    pub(super) ledger: Option<Arc<Ledger>>,
    /// The same of the loads beside them, on the release in service.
    pub(super) beside: Option<Arc<Ledger>>,
    pub(super) touched: Duration,
}

/// All canaries, and what is allowed.
#[derive(Debug)]
pub(super) struct Desk<F: Loads> {
    pub(super) loads: F,
    pub(super) budgets: Budgets,
    /// Judges and reports, and stops nothing.
    pub(super) shadow: bool,
    /// How long a rollout hook waits where its metadata say nothing.
    pub(super) wait: Duration,
    pub(super) entries: BTreeMap<Canary, Entry<F>>,
    next: u64,
    events: Vec<Event>,
}

/// One objective of one track, and the stretch of load to judge.
#[derive(Clone, Copy, Debug)]
pub(super) struct Aim {
    pub(super) track: u64,
    pub(super) asked: usize,
    pub(super) view: View,
}

/// What a call is to be answered by.
#[derive(Clone, Debug)]
pub(super) enum Goal {
    /// The first call: the load has just begun. Broken at once, or go on for now.
    First(Aim),
    /// The newest stretch.
    Newest(Aim),
    /// One whole load.
    Whole(Aim),
    /// The newest stretch of every plan.
    Every(Vec<Aim>),
    /// Whether what was seen is bad and lasting enough to give the release up.
    Rollback(Vec<Aim>),
}

/// A call that is being answered.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) call: Call,
    /// Number of the run.
    pub(super) run: u64,
    pub(super) goal: Goal,
    /// Until when it may wait; `None` for as long as it takes.
    pub(super) deadline: Option<Duration>,
    /// How long a Prometheus may take to answer.
    pub(super) patience: Duration,
    whose: Whose,
}

impl<F: Loads> Desk<F> {
    pub(super) fn new(loads: F, budgets: Budgets, shadow: bool, wait: Duration) -> Self {
        Self { loads, budgets, shadow, wait, entries: BTreeMap::new(), next: 0, events: Vec::new() }
    }

    /// What happened since it was last asked.
    pub(super) fn events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Takes up a run that an earlier process has begun: it has had its "go on for now", and has no evidence.
    pub(super) fn restore(&mut self, memory: Memory, now: Duration) {
        let id = self.number();
        let mut run = Run::new(id, memory.checksum, now);
        run.free_used = true;
        run.last = memory.last;
        run.stopped = memory.stopped;
        self.entry(&memory.canary, now).run = Some(run);
    }

    /// What of each open run is to outlive the process.
    pub(super) fn memory(&self, canary: &Canary) -> Option<Memory> {
        let run = self.entries.get(canary)?.run.as_ref()?;
        let (checksum, last, stopped) = (run.checksum.clone(), run.last.clone(), run.stopped.clone());
        Some(Memory { canary: canary.clone(), checksum, last, stopped })
    }

    /// Any hook said that the canary is in this phase: before or after an analysis its run is over. `post_rollout` is the
    /// hook that says so whatever the phase.
    pub(super) fn saw(&mut self, canary: &Canary, phase: Phase, post_rollout: bool, now: Duration) {
        let why = match phase.stage() {
            _ if post_rollout => "post-rollout",
            Stage::Settled | Stage::Waiting => "the analysis is over",
            Stage::Running | Stage::Unknown => {
                if let Some(run) = self.run_mut(canary).filter(|_| phase.stage() == Stage::Running) {
                    run.heard = now;
                }
                return;
            }
        };
        self.end(canary, why);
        if let Some(entry) = self.entries.get_mut(canary).filter(|_| post_rollout) {
            entry.loose.drain(..).for_each(|(_, load)| load.stop());
        }
    }

    /// Ends runs that nobody has spoken of for a day, and forgets loads and decisions whose time is up.
    pub(super) fn expire(&mut self, now: Duration) {
        let all: Vec<Canary> = self.entries.keys().cloned().collect();
        all.iter().for_each(|canary| self.expire_one(canary, now));
    }

    fn expire_one(&mut self, canary: &Canary, now: Duration) {
        let Some(entry) = self.entries.get_mut(canary) else { return };
        entry.loose.retain(|(_, load)| !load.standing().is_over());
        entry.ruling.take_if(|ruling| ruling.until <= now);
        if entry.run.as_ref().is_some_and(|run| now.saturating_sub(run.heard) >= SILENCE) {
            self.end(canary, "nothing was heard of it for 24 hours");
        } else if entry.run.is_none() && entry.loose.is_empty() && now.saturating_sub(entry.touched) >= SILENCE {
            (entry.ledger, entry.beside) = (None, None);
        }
    }

    /// Ends the canary's run, if there is one.
    pub(super) fn end(&mut self, canary: &Canary, why: &'static str) {
        let Some(entry) = self.entries.get_mut(canary) else { return };
        let Some(run) = entry.run.take() else { return };
        entry.before = Some(RunStatus::of(&run));
        entry.touched = entry.touched.max(run.heard);
        run.stop();
        self.events.push(Event::RunEnded { canary: canary.clone(), checksum: run.checksum, why });
    }

    /// Begins a run; whatever ran before is over.
    fn begin(&mut self, call: &Call, now: Duration) {
        self.end(&call.canary, "another revision is analysed");
        let id = self.number();
        self.entry(&call.canary, now).run = Some(Run::new(id, call.checksum.clone(), now));
        let (canary, checksum) = (call.canary.clone(), call.checksum.clone());
        self.events.push(Event::RunBegan { canary, checksum });
    }

    /// Sets or takes back what a person has decided.
    pub(super) fn rule(&mut self, canary: &Canary, ruling: Option<Override>, now: Duration) {
        self.entry(canary, now).ruling.clone_from(&ruling);
        self.events.push(Event::Ruled { canary: canary.clone(), ruling });
    }

    /// Ends the load of these canaries, or of all (`None`), until their runs are over. How many loads that were.
    pub(super) fn stop(&mut self, canary: Option<&Canary>, why: &str) -> usize {
        let mut stopped = 0;
        for (name, entry) in self.entries.iter_mut().filter(|(name, _)| canary.is_none_or(|canary| canary == *name)) {
            let before = stopped;
            if let Some(run) = &mut entry.run {
                stopped += run.tracks.iter().filter(|track| track.is_running()).count();
                run.stop();
                run.stopped = Some(why.to_owned());
            }
            stopped += entry.loose.len();
            entry.loose.drain(..).for_each(|(_, load)| load.stop());
            if entry.run.is_some() || stopped > before {
                self.events.push(Event::Stopped { canary: name.clone(), why: why.to_owned() });
            }
        }
        stopped
    }

    pub(super) fn run(&self, canary: &Canary, number: u64) -> Option<&Run<F::Load>> {
        self.entries.get(canary)?.run.as_ref().filter(|run| run.id == number)
    }

    pub(super) fn run_mut(&mut self, canary: &Canary) -> Option<&mut Run<F::Load>> {
        self.entries.get_mut(canary)?.run.as_mut()
    }

    /// The canary's place, made if it is new.
    fn entry(&mut self, canary: &Canary, now: Duration) -> &mut Entry<F> {
        if let Some(Some(idle)) = self.place_for(canary) {
            self.entries.remove(&idle);
        }
        let (loose, history) = (Vec::new(), VecDeque::new());
        let new = || Entry {
            run: None,
            loose,
            ruling: None,
            history,
            before: None,
            ledger: None,
            beside: None,
            touched: now,
        };
        let entry = self.entries.entry(canary.clone()).or_insert_with(new);
        entry.touched = now;
        entry
    }

    /// Whether there is a place for a canary, and which one must go for it; `None` where all are busy.
    fn place_for(&self, canary: &Canary) -> Option<Option<Canary>> {
        if self.entries.len() < MOST_CANARIES || self.entries.contains_key(canary) {
            return Some(None);
        }
        let idle = self.entries.iter().filter(|(_, entry)| {
            entry.run.is_none()
                && entry.ruling.is_none()
                && entry.loose.iter().all(|(_, load)| load.standing().is_over())
        });
        idle.min_by_key(|(_, entry)| entry.touched).map(|(canary, _)| Some(canary.clone()))
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

/// Refused for what the hook itself says.
fn refused(said: impl Into<String>) -> Finding {
    Finding::new(Kind::BadInput, said)
}
