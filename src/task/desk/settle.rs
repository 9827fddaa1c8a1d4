//! How a finding becomes an answer: what run, canary and people have to say to it.

use std::collections::VecDeque;
use std::time::Duration;

use super::super::answer::{Answer, Finding, Kind};
use super::super::call::{Call, Role, Signal};
use super::super::load::Loads;
use super::super::status::{HISTORY, Record};
use super::{Desk, Event, Goal, Visit};
use crate::slo::Decision;
use crate::spec::Whose;

/// Adds an answer to a history; what was said just before is only counted.
fn remember(history: &mut VecDeque<Record>, new: Record) {
    if let Some(last) = history.back_mut()
        && (last.role, last.kind, &last.text, &last.checksum) == (new.role, new.kind, &new.text, &new.checksum)
    {
        last.times = last.times.saturating_add(1);
        last.at = new.at;
        return;
    }
    history.push_back(new);
    if history.len() > HISTORY {
        history.pop_front();
    }
}

impl<F: Loads> Desk<F> {
    /// The answer to a visit that came to `finding`.
    pub(in super::super) fn conclude(&mut self, visit: &Visit, mut finding: Finding, now: Duration) -> Answer {
        let Visit { call, run: number, goal, whose, .. } = visit;
        if let Some(run) = self.run_mut(&call.canary).filter(|run| run.id == *number) {
            if matches!(goal, Goal::First(_)) && !std::mem::replace(&mut run.free_used, true) && finding.goes_on {
                finding.kind = Kind::Measuring;
            }
            if let Goal::Whole(aim) = goal
                && let Some(asked) = run.track_mut(aim.track).and_then(|track| track.asked.get_mut(aim.asked))
            {
                let over = finding.verdict.is_some();
                match finding.verdict.as_ref().filter(|verdict| verdict.decision == Decision::Pass) {
                    Some(passed) => {
                        asked.whole.passed = Some(passed.clone());
                        asked.confirms = true;
                    }
                    None if over => {
                        asked.confirms = true;
                        let failed = asked.whole.waits_for.take_if(|number| *number == aim.view.since);
                        let gone = matches!(finding.kind, Kind::Fail | Kind::Broken);
                        asked.whole.since = failed.filter(|_| gone).map_or(asked.whole.since, |failed| failed + 1);
                    }
                    None => {}
                }
            }
        } else {
            finding = Finding::new(Kind::NotYet, "the analysis that was asked about is over");
        }
        self.settle(call, Some(*number), *whose, finding, now)
    }

    /// The answer to a call that came to `finding`, remembered and reported.
    pub(in super::super) fn settle(
        &mut self,
        call: &Call,
        run: Option<u64>,
        whose: Whose,
        finding: Finding,
        now: Duration,
    ) -> Answer {
        let answer = self.worded(call, whose, finding, now);
        let entry = self.entries.get_mut(&call.canary);
        if let Some(entry) = entry {
            if let Some(run) = entry.run.as_mut().filter(|open| Some(open.id) == run && answer.verdict.is_some()) {
                run.last = Some(answer.text.clone());
            }
            if answer.kind != Kind::Accepted {
                remember(&mut entry.history, Record::new(call, &answer, now));
            }
        }
        let (canary, checksum, role) = (call.canary.clone(), call.checksum.clone(), call.role);
        self.events.push(Event::Answered { canary, checksum, role, answer: answer.clone() });
        answer
    }

    fn worded(&self, call: &Call, whose: Whose, mut finding: Finding, now: Duration) -> Answer {
        let canary = &call.canary;
        if finding.kind == Kind::Accepted {
            return Answer { text: String::new(), ..finding.answer(canary, &[]) };
        }
        let judged = finding.verdict.is_some();
        let mut remarks: Vec<String> = whose.remark().filter(|_| judged).map(str::to_owned).into_iter().collect();
        let by_hand = matches!(call.signal, Some(Signal::Gate(_))) && finding.kind == Kind::RollBack;
        let ruling = self.entries.get(canary).and_then(|entry| entry.ruling.as_ref());
        if let Some(ruling) = ruling.filter(|ruling| ruling.until > now) {
            remarks.push(ruling.shown(now));
            let measured = finding.kind;
            if finding.kind != Kind::BadInput && !by_hand {
                finding.kind = match (call.role, ruling.pass) {
                    (Role::Rollback, true) => Kind::Stay,
                    (Role::Rollback, false) => Kind::RollBack,
                    (_, true) => Kind::Pass,
                    (_, false) => Kind::Fail,
                };
            }
            return Answer { measured, ..finding.answer(canary, &remarks) };
        }
        if (self.shadow || !call.order.enforce) && !by_hand {
            let kind = if call.role == Role::Rollback { Kind::Stay } else { Kind::Measuring };
            return finding.shadow(kind, canary, &remarks);
        }
        finding.answer(canary, &remarks)
    }

    /// An answer did not arrive: the same request gets it again, and what it used up is not used up.
    pub(in super::super) fn undelivered(&mut self, visit: Option<&Visit>, call: &Call, answer: &Answer, now: Duration) {
        let Some(run) = self.run_mut(&call.canary).filter(|run| run.checksum == call.checksum) else { return };
        if visit.is_some_and(|visit| visit.run != run.id) {
            return;
        }
        run.keep(call, answer.clone(), now);
        let Some(Visit { goal: Goal::Whole(aim), .. }) = visit else { return };
        let since = aim.view.since;
        if let Some(asked) = run.track_mut(aim.track).and_then(|track| track.asked.get_mut(aim.asked))
            && asked.whole.passed.is_none()
            && asked.whole.waits_for.is_none()
        {
            asked.whole.waits_for = Some(since);
            asked.whole.since = asked.whole.since.min(since);
        }
    }
}
