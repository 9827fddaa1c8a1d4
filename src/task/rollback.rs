//! Whether what was seen is bad and lasting enough to give a release up.
//!
//! A rollback hook is asked on every tick, dozens of times in an analysis, and one wrong yes rolls a good release back. So
//! the chance of a wrong yes, 5 %, is spent over all looks and clauses together: the *j*-th look at new evidence, with *m*
//! clauses, tests at 0.05 / (m · j · (j + 1)), and these add up to 5 % however often it is asked. A call without new
//! evidence is no look: it gets the answer of the last one. And what is over does not count: the newest ten seconds must
//! still be worse than the bound.

use std::time::Duration;

use super::answer::{Finding, Kind};
use super::board::Board;
use super::desk::{Aim, Visit};
use super::load::Loads;
use super::run::Spent;
use super::track::{Track, View};
use crate::slo::{self, Decision};
use crate::spec::Whose;

/// The chance of rolling back a release that is just good enough, over all looks of a run.
const ALPHA: f64 = 0.05;
/// Least load to judge, in seconds; and how much of the newest must still be bad.
const LEAST: u64 = 10;
/// A call sooner than this after a look is none of its own: Flagger's shortest interval is 10 s.
const APART: Duration = Duration::from_secs(8);

impl Spent {
    /// Whether there is anything new to look at since the last look: at least one second of one track.
    fn is_due(&self, ends: &[(u64, u64)], now: Duration) -> bool {
        if self.looks == 0 {
            return true;
        }
        let before = |track: u64| self.upto.iter().find(|(id, _)| *id == track).map_or(0, |(_, end)| *end);
        now.saturating_sub(self.at) >= APART && ends.iter().any(|(track, end)| *end > before(*track))
    }

    /// The chance that each of `clauses` may take at look `looks`, counted from 1.
    fn share(looks: u32, clauses: usize) -> f64 {
        let j = f64::from(looks);
        ALPHA / (clauses.max(1) as f64 * j * (j + 1.0))
    }
}

impl<F: Loads> Board<F> {
    /// 200 only where every condition holds.
    pub(super) async fn rollback(&self, visit: &Visit, aims: &[Aim]) -> Option<Finding> {
        let (mut own, mut ends) = (Vec::new(), Vec::new());
        for aim in aims {
            let (whose, end) =
                self.track(visit, aim, |track| (Whose::of(&track.plan, &visit.call.canary.name), track.end()))?;
            if whose == Whose::Canary {
                own.push(*aim);
                ends.push((aim.track, end));
            }
        }
        if own.is_empty() {
            let said = "no load of this run goes to the canary alone, so none can give it up: use the -canary service";
            return Some(Finding::new(Kind::Stay, said));
        }
        ends.retain(|(_, end)| *end >= LEAST);
        if ends.is_empty() {
            return Some(Finding::new(Kind::NotYet, format!("fewer than {LEAST} s of load were judged so far")));
        }
        let now = self.now();
        let (due, looks, upto, last) = {
            let mut desk = self.lock();
            let run = desk.run_mut(&visit.call.canary).filter(|run| run.id == visit.run)?;
            let due = run.spent.is_due(&ends, now);
            let (upto, last) = (run.spent.upto.clone(), run.spent.last.clone());
            if due {
                run.spent.looks = run.spent.looks.saturating_add(1);
                (run.spent.at, run.spent.upto, run.spent.last) = (now, ends.clone(), None);
            }
            (due, run.spent.looks, upto, last)
        };
        if let Some(last) = last.filter(|_| !due) {
            return Some(last);
        }
        let finding = self.look(visit, &own, looks, &upto).await?;
        let mut desk = self.lock();
        let run = desk.run_mut(&visit.call.canary).filter(|run| run.id == visit.run)?;
        if run.spent.looks == looks {
            run.spent.last = Some(finding.clone());
        }
        Some(finding)
    }

    /// One look: the evidence since the last one, at least ten seconds of it, extended backwards to the minimum.
    async fn look(&self, visit: &Visit, aims: &[Aim], looks: u32, upto: &[(u64, u64)]) -> Option<Finding> {
        let mut clauses = 0;
        for aim in aims {
            let line = self.track(visit, aim, |track| track.asked[aim.asked].objective.clone())?;
            clauses += line.line.clauses.iter().filter(|clause| !clause.options.warn).count();
        }
        let alpha = Spent::share(looks, clauses);
        let mut gravest: Option<(Decision, Finding)> = None;
        for aim in aims {
            let end = self.track(visit, aim, Track::end)?;
            let before = upto.iter().find(|(track, _)| *track == aim.track).map_or(0, |(_, end)| *end);
            let from = before.min(end.saturating_sub(LEAST)).max(aim.view.floor);
            let view = View { from, fixed: false, ..aim.view };
            let judged = self.judge(visit, aim, view, Some(end)).await?;
            let decision = judged.verdict.decision;
            let (kind, said) = if end < LEAST {
                (Kind::NotYet, judged.verdict.reason.clone())
            } else {
                let newest = self.shown(visit, aim, end - LEAST, end).await?;
                let objective = self.track(visit, aim, |track| track.asked[aim.asked].objective.clone())?;
                let lasting = slo::lasting(&objective.line, &judged.summary, &newest, alpha);
                match (decision, lasting) {
                    (Decision::Fail, true) => (Kind::RollBack, judged.verdict.reason.clone()),
                    (Decision::Fail, false) => {
                        let reason = &judged.verdict.reason;
                        (Kind::Stay, format!("bad, but not clearly and lastingly so: {reason}"))
                    }
                    (Decision::Pass | Decision::Unreachable, _) => (Kind::Stay, judged.verdict.reason.clone()),
                    _ => (Kind::NotYet, judged.verdict.reason.clone()),
                }
            };
            let seconds = judged.to.saturating_sub(judged.view.from);
            let finding = Finding { kind, said, ..Finding::of(judged.verdict, seconds) };
            if kind == Kind::RollBack {
                return Some(finding);
            }
            if gravest.as_ref().is_none_or(|(other, _)| decision > *other) {
                gravest = Some((decision, finding));
            }
        }
        gravest.map(|(_, finding)| finding)
    }
}
