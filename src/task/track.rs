//! One plan within a run: the loads made of it, one after another, and which of their seconds a call judges.
//!
//! Seconds are seconds *of load*, numbered from the run's first on: where a load ended and the next one began later, there
//! are none between them. With an interval of two minutes and a load of one, the call at 2:00 judges the minute that ran.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::load::{End, Load, Stage, Standing};
use crate::plan::Plan;
use crate::slo::{Decision, Line, Verdict};
use crate::spec::Objective;
use crate::stats::{Measures, Reading, StatusSet, Trip};

/// A call younger than this does not begin a new window: Flagger's shortest interval is 10 s, so anything closer is a retry
/// or a curl, and sees what the call before it saw.
const SETTLED: Duration = Duration::from_secs(8);
/// Seconds of load that a call may judge at most.
pub(super) const LONGEST: u64 = 600;
/// Loads of one plan that are kept: those that nothing answers take no seconds, and would be kept for ever.
const MOST_STINTS: usize = 64;
/// Objectives by which one track may be judged.
pub(super) const MOST_ASKED: usize = 16;

/// The stretch of load that a call judges, up to now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct View {
    /// First second.
    pub(super) from: u64,
    /// The first load that belongs to it even without a second judged: one that nothing answered.
    pub(super) since: u64,
    /// Where it may be extended to.
    pub(super) floor: u64,
    /// Whether the caller has set its length.
    pub(super) fixed: bool,
}

/// By what a track is judged.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) objective: Arc<Objective>,
    pub(super) success: StatusSet,
    pub(super) window: Option<Duration>,
    pub(super) measures: Arc<Measures>,
    /// When the load can no longer pass, whether or not the line says `abort`.
    certain: Vec<Trip>,
    pub(super) whole: Whole,
    /// Whether a hook judges the newest stretch by it, not only whole loads.
    pub(super) windowed: bool,
    /// Whether a hook other than rollback judges by it, so that a bare confirmation does too.
    pub(super) confirms: bool,
}

/// What a pre-rollout hook waits for.
#[derive(Clone, Debug, Default)]
pub(super) struct Whole {
    /// It has passed, for the rest of the run: with these words.
    pub(super) passed: Option<Verdict>,
    /// The load it waits for.
    pub(super) waits_for: Option<u64>,
    /// The first load that may count: the one after the last that failed.
    pub(super) since: u64,
}

impl Asked {
    fn new(objective: Arc<Objective>, success: StatusSet, window: Option<Duration>, plan: &Plan) -> Self {
        let total = plan.schedule.total();
        let measures = Arc::new(objective.line.measures(success, total));
        let certain = certainty(&objective.line).measures(success, total).trips;
        Self {
            objective,
            success,
            window,
            measures,
            certain,
            whole: Whole::default(),
            windowed: false,
            confirms: false,
        }
    }

    /// Whether a load that counted this can no longer pass.
    pub(super) fn is_lost(&self, readings: &[Reading]) -> bool {
        self.certain.iter().any(|trip| match readings.get(trip.meter) {
            Some(Reading::Tally(tally)) => {
                let bad = if trip.bad_holds { tally.k } else { tally.n.saturating_sub(tally.k) };
                bad > trip.most_bad
            }
            _ => false,
        })
    }
}

/// The line with `abort` at every clause that counts.
fn certainty(line: &Line) -> Line {
    let mut line = line.clone();
    for clause in line.clauses.iter_mut().filter(|clause| !clause.options.warn) {
        clause.options.abort = true;
    }
    line
}

/// One load of the plan.
#[derive(Clone, Debug)]
pub(super) struct Stint<L> {
    pub(super) load: L,
    /// Its first second, in the track's numbering.
    base: u64,
    /// When it began, on the board's clock.
    pub(super) began: Duration,
}

/// A call, for the window of later ones.
#[derive(Clone, Copy, Debug)]
struct Mark {
    at: Duration,
    second: u64,
    /// The newest load then, with the one that the call began.
    stint: u64,
}

/// Seconds of one load, to be looked at.
#[derive(Clone, Debug)]
pub(super) struct Piece<L> {
    pub(super) load: L,
    pub(super) seconds: Range<u64>,
}

/// One plan within a run.
#[derive(Debug)]
pub(super) struct Track<L> {
    pub(super) id: u64,
    pub(super) plan: Arc<Plan>,
    /// The same load on the release in service, on the same schedule; `None` for a load alone.
    pub(super) primary: Option<Arc<Plan>>,
    stints: VecDeque<Stint<L>>,
    /// Number of the oldest load that is kept.
    oldest: u64,
    marks: VecDeque<Mark>,
    pub(super) asked: Vec<Asked>,
    /// When it was last asked about.
    pub(super) touched: Duration,
}

impl<L: Load> Track<L> {
    pub(super) fn new(id: u64, (plan, primary): (Arc<Plan>, Option<Arc<Plan>>), now: Duration) -> Self {
        let (stints, marks, asked) = (VecDeque::new(), VecDeque::new(), Vec::new());
        Self { id, plan, primary, stints, oldest: 0, marks, asked, touched: now }
    }

    /// Whether it is this load, beside this one on the release in service.
    pub(super) fn is_of(&self, plan: &Arc<Plan>, primary: Option<&Arc<Plan>>) -> bool {
        self.plan == *plan && self.primary.as_ref() == primary
    }

    /// The place of an objective, made if it is new; `None` where there are too many.
    pub(super) fn ask(
        &mut self,
        objective: &Arc<Objective>,
        success: &StatusSet,
        window: Option<Duration>,
    ) -> Option<usize> {
        let same = |asked: &Asked| {
            asked.objective.text == objective.text && asked.success == *success && asked.window == window
        };
        if let Some(place) = self.asked.iter().position(same) {
            return Some(place);
        }
        if self.asked.len() >= MOST_ASKED {
            return None;
        }
        // Most loads are judged by one.
        self.asked.reserve_exact(1);
        self.asked.push(Asked::new(Arc::clone(objective), *success, window, &self.plan));
        Some(self.asked.len() - 1)
    }

    /// Number of the newest load; `None` before the first.
    pub(super) fn newest(&self) -> Option<u64> {
        (self.oldest + self.stints.len() as u64).checked_sub(1)
    }

    pub(super) fn newest_stint(&self) -> Option<&Stint<L>> {
        self.stints.back()
    }

    pub(super) fn stint(&self, number: u64) -> Option<&Stint<L>> {
        self.stints.get(usize::try_from(number.checked_sub(self.oldest)?).ok()?)
    }

    pub(super) fn standing(&self) -> Option<Standing> {
        self.stints.back().map(|stint| stint.load.standing())
    }

    pub(super) fn is_running(&self) -> bool {
        self.standing().is_some_and(|standing| !standing.is_over())
    }

    /// Adds a load that has just begun, and forgets those that no window reaches.
    pub(super) fn began(&mut self, load: L, now: Duration) {
        let base = self.end();
        self.stints.push_back(Stint { load, base, began: now });
        while self.stints.len() > MOST_STINTS || self.stints.get(1).is_some_and(|next| next.base + LONGEST < base) {
            self.stints.pop_front();
            self.oldest += 1;
        }
    }

    /// The second that is running or comes next: what has been judged before it is complete.
    pub(super) fn second(&self) -> u64 {
        self.stints.back().map_or(0, |stint| {
            let standing = stint.load.standing();
            if standing.is_over() { self.end() } else { stint.base + standing.judged.as_secs() }
        })
    }

    /// The end of everything judged so far, the second that is running included.
    pub(super) fn end(&self) -> u64 {
        self.stints.back().map_or(0, |stint| stint.base + ceil(stint.load.standing().judged))
    }

    /// The end of one load.
    pub(super) fn end_of(&self, number: u64) -> u64 {
        self.stint(number + 1).map_or_else(|| self.end(), |next| next.base)
    }

    /// Remembers a call for the windows of later ones.
    pub(super) fn mark(&mut self, now: Duration) {
        self.touched = now;
        // A call so soon after another begins no window either: what ran between the two would be judged by it alone.
        if self.marks.back().is_some_and(|last| now.saturating_sub(last.at) < SETTLED) {
            return;
        }
        let mark = Mark { at: now, second: self.second(), stint: self.newest().unwrap_or(0) };
        self.marks.push_back(mark);
        // Of the calls that may begin a window, the newest is enough.
        while self.marks.get(1).is_some_and(|second| now.saturating_sub(second.at) >= SETTLED) {
            self.marks.pop_front();
        }
    }

    /// What a call at `now` judges; ask before it is marked.
    pub(super) fn view(&self, now: Duration, window: Option<Duration>) -> View {
        let floor = self.end().saturating_sub(LONGEST);
        let earlier = self.marks.iter().rev().find(|mark| now.saturating_sub(mark.at) >= SETTLED);
        let since = earlier.map_or(0, |mark| mark.stint);
        let from = match window {
            Some(window) => self.end().saturating_sub(ceil(window)),
            None => earlier.map_or(0, |mark| mark.second),
        };
        View { from: from.max(floor), since, floor, fixed: window.is_some() }
    }

    /// What one whole load comes to, the ones before it only if it is too small.
    pub(super) fn whole(&self, number: u64, since: u64) -> View {
        let base = |number| self.stint(number).map_or(0, |stint| stint.base);
        let floor = base(since.max(self.oldest)).max(self.end().saturating_sub(LONGEST));
        View { from: base(number).max(floor), since: number, floor, fixed: false }
    }

    /// The seconds `from..to`, load by load.
    pub(super) fn pieces(&self, from: u64, to: u64) -> Vec<Piece<L>> {
        let ends = self.stints.iter().skip(1).map(|next| next.base).chain([u64::MAX]);
        let pieces = self.stints.iter().zip(ends).filter_map(|(stint, end)| {
            let (first, last) = (from.max(stint.base), to.min(end));
            let seconds = first.saturating_sub(stint.base)..last.saturating_sub(stint.base);
            (first < last).then(|| Piece { load: stint.load.clone(), seconds })
        });
        pieces.collect()
    }

    /// Why the newest load that is over and belongs to the view never got anywhere, if it did not.
    pub(super) fn never_reached(&self, view: &View) -> Option<End> {
        let over = |stint: &Stint<L>| match stint.load.standing().stage {
            Stage::Over(end) => Some(end),
            _ => None,
        };
        let numbered = (self.oldest..).zip(&self.stints).filter(|(number, _)| *number >= view.since);
        let ends = numbered.filter_map(|(_, stint)| over(stint));
        ends.last().filter(|end| *end != End::Done)
    }
}

impl View {
    /// A longer view, where this one, up to `to`, holds too little and there is more; about as long as it takes.
    pub(super) fn longer(self, to: u64, verdict: &Verdict) -> Option<Self> {
        if self.fixed || verdict.decision != Decision::Insufficient || self.from <= self.floor {
            return None;
        }
        let short = verdict.findings.iter().filter(|finding| !finding.advisory && finding.n < finding.least_n);
        let length = to.saturating_sub(self.from).max(1);
        let wanted = short.map(|finding| match finding.n {
            0 => length * 2,
            n => (u128::from(length) * u128::from(finding.least_n)).div_ceil(u128::from(n)).min(LONGEST.into()) as u64,
        });
        let wanted = wanted.max()?.max(length + 1);
        Some(Self { from: to.saturating_sub(wanted).max(self.floor), ..self })
    }
}

fn ceil(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}
