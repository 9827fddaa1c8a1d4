//! How a call comes to its verdict: it looks at seconds of load, and waits where there is too little yet.

use std::sync::Arc;
use std::time::Duration;

use super::answer::{Finding, Kind};
use super::board::Board;
use super::desk::{Aim, Visit};
use super::load::{End, Load, Loads, Stage};
use super::track::{Piece, Track, View};
use crate::slo::{self, Decision, Verdict};
use crate::stats::{Code, Failing, Measures, Summary};

/// How often a first call looks.
const FIRST_LOOKS: Duration = Duration::from_millis(100);
/// How often a call that waits for more evidence looks.
const LOOKS: Duration = Duration::from_millis(500);
/// A second with so many answers, of which so many tenths failed, is beyond doubt.
const BROKEN: (u64, u64) = (10, 9);

/// Stretches of loads, and what is counted in them.
type Pieces<L> = (Vec<Piece<L>>, Arc<Measures>);

/// What a stretch of load came to.
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    pub(super) summary: Summary,
    /// The seconds that were judged.
    pub(super) view: View,
    pub(super) to: u64,
}

impl Judged {
    fn finding(self) -> Finding {
        Finding::of(self.verdict, self.to.saturating_sub(self.view.from))
    }
}

impl<F: Loads> Board<F> {
    /// The first call: 412 as soon as the canary is broken beyond doubt; else, after the wait, go on for now.
    pub(super) async fn first(&self, visit: &Visit, aim: &Aim) -> Option<Finding> {
        loop {
            if let Some(broken) = self.broken(visit, aim).await? {
                return Some(broken);
            }
            if !self.wait(FIRST_LOOKS, visit.deadline).await {
                break;
            }
        }
        if let Some(nothing) = self.nothing_yet(visit, aim)? {
            return Some(nothing);
        }
        let judged = self.judge(visit, aim, aim.view, None).await?;
        let decided = matches!(judged.verdict.decision, Decision::Pass | Decision::Fail | Decision::Error);
        let mut finding = judged.finding();
        if !decided {
            finding.kind = Kind::NotYet;
            finding.goes_on = true;
        }
        Some(finding)
    }

    /// Whether nearly all requests of a second failed, or the load can no longer pass.
    async fn broken(&self, visit: &Visit, aim: &Aim) -> Option<Option<Finding>> {
        let end = self.track(visit, aim, Track::end)?;
        for second in end.saturating_sub(2)..end {
            let summary = self.shown(visit, aim, second, second + 1).await?;
            let (n, failed) = (summary.finished, summary.finished.saturating_sub(summary.succeeded));
            if n >= BROKEN.0 && failed * 10 >= n * BROKEN.1 {
                let most = common(&summary);
                let said = format!("{failed} of {n} requests within one second failed{most}");
                return Some(Some(Finding { seconds: 1, ..Finding::new(Kind::Fail, said) }));
            }
        }
        let view = View { from: 0, floor: 0, fixed: true, ..aim.view };
        self.lost(visit, aim, view).await
    }

    /// Whether the load can no longer pass, however it goes on.
    async fn lost(&self, visit: &Visit, aim: &Aim, view: View) -> Option<Option<Finding>> {
        let end = self.track(visit, aim, Track::end)?;
        let summary = self.shown(visit, aim, view.from, end).await?;
        if !self.track(visit, aim, |track| track.asked[aim.asked].is_lost(&summary.readings))? {
            return Some(None);
        }
        let judged = self.judge(visit, aim, view, None).await?;
        let failed = judged.verdict.decision == Decision::Fail;
        let mut finding = judged.finding();
        if !failed {
            finding.kind = Kind::Fail;
            finding.said = format!("it can no longer pass: {}", finding.said);
        }
        Some(Some(finding))
    }

    /// What to say while nothing has answered; `None` once something has.
    fn nothing_yet(&self, visit: &Visit, aim: &Aim) -> Option<Option<Finding>> {
        let standing = self.track(visit, aim, Track::standing)?;
        Some(match standing.map(|standing| standing.stage) {
            Some(Stage::Over(End::Unreachable(why))) => Some(Finding::new(Kind::NotYet, format!("not reached: {why}"))),
            Some(Stage::Reaching) => Some(Finding::new(Kind::NotYet, "not reached yet: nothing has answered so far")),
            _ => None,
        })
    }

    /// The newest stretch; where it is too little, more of it until the wait is over.
    pub(super) async fn newest(&self, visit: &Visit, aim: &Aim) -> Option<Finding> {
        loop {
            let judged = self.judge(visit, aim, aim.view, None).await?;
            let too_little = matches!(judged.verdict.decision, Decision::Insufficient | Decision::Inconclusive);
            if !too_little || !self.wait(LOOKS, visit.deadline).await {
                let nothing = self.nothing_yet(visit, aim)?.filter(|_| too_little && judged.summary.finished == 0);
                return Some(nothing.unwrap_or_else(|| judged.finding()));
            }
        }
    }

    /// One whole load: its end, unless it is lost before.
    pub(super) async fn whole(&self, visit: &Visit, aim: &Aim) -> Option<Finding> {
        let number = aim.view.since;
        loop {
            let standing = self.track(visit, aim, |track| track.stint(number).map(|stint| stint.load.standing()))??;
            if standing.is_over() {
                let to = self.track(visit, aim, |track| track.end_of(number))?;
                return Some(self.judge(visit, aim, aim.view, Some(to)).await?.finding());
            }
            if let Some(lost) = self.lost(visit, aim, View { fixed: true, ..aim.view }).await? {
                return Some(lost);
            }
            if !self.wait(LOOKS, visit.deadline).await {
                let length = self.track(visit, aim, |track| track.plan.schedule.end())?;
                let done = standing.judged.as_secs();
                let warmup = self.track(visit, aim, |track| track.plan.schedule.warmup)?;
                let of = length.map(|length| format!(" of {}", length.saturating_sub(warmup).as_secs()));
                let said = format!("{done}{} s of the load are done", of.unwrap_or_default());
                return Some(Finding::new(Kind::NotYet, said));
            }
        }
    }

    /// Every plan of the run: any fail fails, all must pass.
    pub(super) async fn every(&self, visit: &Visit, aims: &[Aim]) -> Option<Finding> {
        let mut worst: Option<Finding> = None;
        let mut gravest = None;
        for aim in aims {
            let passed = self.track(visit, aim, |track| track.asked[aim.asked].whole.passed.clone())?;
            let windowed = self.track(visit, aim, |track| track.asked[aim.asked].windowed)?;
            let finding = match passed.filter(|_| !windowed) {
                Some(passed) => Finding::of(passed, 0),
                None => self.judge(visit, aim, aim.view, None).await?.finding(),
            };
            let decision = finding.verdict.as_ref().map(|verdict| verdict.decision);
            if worst.is_none() || decision > gravest {
                (worst, gravest) = (Some(finding), decision);
            }
        }
        worst
    }

    /// The verdict on a stretch of load up to `to` (`None`: up to now), extended backwards where it holds too little.
    pub(super) async fn judge(&self, visit: &Visit, aim: &Aim, mut view: View, to: Option<u64>) -> Option<Judged> {
        let objective = self.track(visit, aim, |track| track.asked[aim.asked].objective.clone())?;
        let outside = self.outside(&objective.line, visit.patience).await;
        loop {
            let (end, never) = self.track(visit, aim, |track| (track.end(), track.never_reached(&view)))?;
            let to = to.unwrap_or(end);
            let summary = self.shown(visit, aim, view.from, to).await?;
            let primary =
                if objective.line.needs_primary() { self.beside(visit, aim, view.from, to).await? } else { None };
            let evidence =
                slo::Evidence { outside: &outside, primary: primary.as_ref(), ..slo::Evidence::of(&summary) };
            let mut verdict = slo::judge(&objective.line, &evidence);
            match never {
                Some(End::Unreachable(why)) if summary.finished == 0 => {
                    verdict.decision = Decision::Unreachable;
                    verdict.reason = format!("nothing was reached: {why}");
                }
                Some(End::Broken(why)) => {
                    verdict.decision = Decision::Error;
                    verdict.reason = why;
                }
                _ => {}
            }
            match view.longer(to, &verdict) {
                Some(longer) => view = longer,
                None => return Some(Judged { verdict, summary, view, to }),
            }
        }
    }

    /// What the seconds `from..to` of a track amount to.
    pub(super) async fn shown(&self, visit: &Visit, aim: &Aim, from: u64, to: u64) -> Option<Summary> {
        let (pieces, measures) = self.pieces(visit, aim, from, to)?;
        let mut all: Option<Summary> = None;
        for piece in pieces {
            let part = piece.load.look(&measures, piece.seconds).await;
            all = Some(match all {
                Some(all) => all.followed_by(part),
                None => part,
            });
        }
        Some(all.unwrap_or_default())
    }

    /// What the same seconds amount to on the release in service; the inner `None` where nothing is loaded beside.
    async fn beside(&self, visit: &Visit, aim: &Aim, from: u64, to: u64) -> Option<Option<Summary>> {
        let (pieces, measures) = self.pieces(visit, aim, from, to)?;
        let mut all: Option<Summary> = None;
        for piece in pieces {
            let Some(part) = piece.load.look_beside(&measures, piece.seconds).await else { continue };
            all = Some(match all {
                Some(all) => all.followed_by(part),
                None => part,
            });
        }
        Some(all)
    }

    /// The seconds `from..to` of a track, load by load, and what is counted in them.
    fn pieces(&self, visit: &Visit, aim: &Aim, from: u64, to: u64) -> Option<Pieces<F::Load>> {
        self.track(visit, aim, |track| (track.pieces(from, to), Arc::clone(&track.asked[aim.asked].measures)))
    }

    /// Asks the track that an aim is about; `None` when its run is over.
    pub(super) fn track<T>(&self, visit: &Visit, aim: &Aim, ask: impl FnOnce(&Track<F::Load>) -> T) -> Option<T> {
        let desk = self.lock();
        let track = desk.run(&visit.call.canary, visit.run)?.track(aim.track)?;
        Some(ask(track))
    }
}

/// What most of the failures were, for people.
fn common(summary: &Summary) -> String {
    let Some((n, failing)) = summary.commonest_failure() else { return String::new() };
    match failing {
        Failing::Answer(Code::Grpc(status)) => format!(" ({n} answered {})", summary.said.in_short(status)),
        Failing::Answer(Code::Http(status)) => format!(" ({n} answered {status})"),
        Failing::Answer(Code::None) => String::new(),
        Failing::Fault(fault) => format!(" ({n} {})", fault.name()),
    }
}
