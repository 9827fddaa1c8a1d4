//! What happens when a call comes in: is it one that makes sense, which run is it about, what does it start?

use std::sync::Arc;
use std::time::Duration;

use super::super::answer::{Answer, Finding, Kind};
use super::super::call::{Call, Role, Signal};
use super::super::load::{Load, Loads, Start};
use super::super::track::{MOST_ASKED, Track};
use super::{Aim, Desk, Event, Goal, MOST_CANARIES, Visit, refused};
use crate::canary::{Canary, Phase, Stage};
use crate::plan::Plan;
use crate::spec::{Objective, Order, Whose};
use crate::stats::Measures;

/// What a call without a run of its own gets.
const NO_LOAD: &str = "no load in this run: add cmd, or a /pre-rollout hook";
/// How long a Prometheus may take to answer, also where a hook does not wait.
const OUTSIDE: Duration = Duration::from_secs(1);
/// Why load that users' service answers cannot decide before the first step of weight.
const APEX: &str = "the target is the service that users reach, where the old release answers: before the first weight \
                    step the canary is not asked at all. Use the -canary service, or set apex: allow";

impl<F: Loads> Desk<F> {
    /// Takes a call in: what it is to be answered by, or its answer where nothing need be waited for.
    pub(in super::super) fn arrive(&mut self, call: Call, now: Duration) -> Result<Visit, Answer> {
        let whose = call.order.plan.as_deref().map_or(Whose::Canary, |plan| Whose::of(plan, &call.canary.name));
        match self.receive(&call, whose, now) {
            Ok((run, goal, deadline)) => {
                let whose = self.whose(&call.canary, &goal).unwrap_or(whose);
                let ruled = self.entries.get(&call.canary).is_some_and(|entry| entry.ruling.is_some());
                let deadline = if ruled { Some(now) } else { deadline };
                let (deadline, patience) = patience(&call, deadline, now);
                Ok(Visit { call, run, goal, deadline, patience, whose })
            }
            Err(Early::Finding(finding)) => Err(self.settle(&call, None, whose, *finding, now)),
            Err(Early::Answer(answer)) => Err(*answer),
        }
    }

    /// Whose answers the loads of a goal see, where the call itself names none.
    fn whose(&self, canary: &Canary, goal: &Goal) -> Option<Whose> {
        let (Goal::Every(aims) | Goal::Rollback(aims)) = goal else { return None };
        let run = self.entries.get(canary)?.run.as_ref()?;
        let plans =
            aims.iter().filter_map(|aim| run.track(aim.track)).map(|track| Whose::of(&track.plan, &canary.name));
        plans.reduce(Whose::and)
    }

    fn receive(&mut self, call: &Call, whose: Whose, now: Duration) -> Result<(u64, Goal, Option<Duration>), Early> {
        self.expire_one(&call.canary, now);
        if self.place_for(&call.canary).is_none() {
            let said = format!("tollgate is full: {MOST_CANARIES} of {MOST_CANARIES} canaries");
            return Err(Finding::new(Kind::Full, said).into());
        }
        if call.role == Role::Plain && call.order.objective.is_none() {
            return Err(self.loose(call, now));
        }
        self.check_phase(call, now)?;
        let run = self.run_mut(&call.canary).filter(|run| run.checksum == call.checksum);
        let known = run.is_some();
        if let Some(answer) = run.and_then(|run| run.kept(call, now)) {
            return Err(Early::Answer(Box::new(answer)));
        }
        if call.role == Role::Rollback {
            return self.rollback(call, known, now);
        }
        let target = call.order.plan.as_ref().zip(call.order.objective.as_ref());
        let Some((plan, objective)) = target else {
            return self.without_target(call, known, now);
        };
        if call.role == Role::PreRollout && whose == Whose::Apex && !call.order.apex {
            return Err(refused(APEX).into());
        }
        if !known {
            self.begin(call, now);
        }
        let run = self.run_mut(&call.canary).ok_or_else(|| refused(NO_LOAD))?;
        run.heard = now;
        let number = run.id;
        let goal = self.aim(call, plan, objective, now)?;
        let wait = match (call.role, call.order.wait) {
            (Role::Confirm | Role::Rollback, _) => Some(Duration::ZERO),
            (_, Some(wait)) => Some(wait),
            (Role::Rollout | Role::Plain, None) => Some(self.wait),
            (Role::PreRollout, None) => None,
        };
        Ok((number, goal, wait.map(|wait| now + wait)))
    }

    /// A verdict belongs to an analysis that goes on. Phases before and after one end its run.
    fn check_phase(&mut self, call: &Call, now: Duration) -> Result<(), Early> {
        self.saw(&call.canary, call.phase, false, now);
        if let (Role::Rollback, Some(Signal::Gate(why))) = (call.role, &call.signal) {
            return Err(Finding::new(Kind::RollBack, why.clone()).into());
        }
        match (call.role, call.phase) {
            (_, Phase::Progressing) | (Role::Rollback, Phase::WaitingPromotion) => Ok(()),
            (Role::Rollback, phase) if phase.stage() != Stage::Unknown => {
                Err(Finding::new(Kind::Stay, "no analysis is in progress").into())
            }
            (role, phase) => {
                let path = role.path();
                let said = format!("{path} judges an analysis in progress: its phase is Progressing, not {phase:?}");
                Err(refused(said).into())
            }
        }
    }

    /// A confirmation of whatever the run was judged by; any other hook must say where its load goes.
    fn without_target(
        &mut self,
        call: &Call,
        known: bool,
        now: Duration,
    ) -> Result<(u64, Goal, Option<Duration>), Early> {
        if call.role != Role::Confirm {
            return Err(refused("there is no target: give cmd, or url").into());
        }
        let run = self.run_mut(&call.canary).filter(|_| known);
        let run = run.ok_or_else(|| Finding::new(Kind::NotYet, NO_LOAD))?;
        run.heard = now;
        let aims: Vec<Aim> = run.tracks.iter().flat_map(|track| every(track, now)).collect();
        if aims.is_empty() {
            return Err(Finding::new(Kind::NotYet, NO_LOAD).into());
        }
        Ok((run.id, Goal::Every(aims), Some(now)))
    }

    /// Which track and objective a call is about, its load started if it is not running.
    fn aim(&mut self, call: &Call, plan: &Arc<Plan>, objective: &Arc<Objective>, now: Duration) -> Result<Goal, Early> {
        let order = &call.order;
        let (track, asked) = self.find(call, plan, objective, now)?;
        if call.role == Role::PreRollout {
            return self.whole(call, track, asked, now);
        }
        let found = self.run_mut(&call.canary).and_then(|run| run.track_mut(track));
        let found = found.ok_or_else(|| refused(NO_LOAD))?;
        let fresh = found.newest().is_none() && call.role != Role::Confirm;
        let view = found.view(now, order.window);
        if !found.is_running() {
            self.start(call, track, asked, now)?;
        }
        if let Some(found) = self.run_mut(&call.canary).and_then(|run| run.track_mut(track)) {
            // Only now: a plan that was refused its load has no evidence, and its own hook has said so.
            (found.asked[asked].confirms, found.asked[asked].windowed) = (true, true);
            found.mark(now);
        }
        let aim = Aim { track, asked, view };
        Ok(if fresh { Goal::First(aim) } else { Goal::Newest(aim) })
    }

    /// The load whose end a pre-rollout hook waits for. A pass holds for the rest of the run; after a fail that was
    /// delivered it is measured again.
    fn whole(&mut self, call: &Call, track: u64, asked: usize, now: Duration) -> Result<Goal, Early> {
        let found = self.run_mut(&call.canary).and_then(|run| run.track_mut(track));
        let found = found.ok_or_else(|| refused(NO_LOAD))?;
        let whole = &found.asked[asked].whole;
        if let Some(passed) = &whole.passed {
            let mut finding = Finding::of(passed.clone(), 0);
            finding.said = format!("passed earlier in this run: {}", finding.said);
            return Err(finding.into());
        }
        let since = whole.since;
        let newest = found.newest().filter(|newest| *newest >= since);
        let running = found.is_running();
        let waits_for = match (whole.waits_for, newest) {
            (Some(number), _) if found.stint(number).is_some() => Some(number),
            (_, Some(newest)) if running => Some(newest),
            _ => None,
        };
        let number = match waits_for {
            Some(number) => number,
            None => {
                if let Some(doomed) = found.newest_stint().filter(|_| running) {
                    doomed.load.stop();
                }
                self.start(call, track, asked, now)?
            }
        };
        let found = self.run_mut(&call.canary).and_then(|run| run.track_mut(track));
        let found = found.ok_or_else(|| refused(NO_LOAD))?;
        found.asked[asked].whole.waits_for = Some(number);
        found.mark(now);
        Ok(Goal::Whole(Aim { track, asked, view: found.whole(number, since) }))
    }

    /// The track of a plan and the place of an objective in it, made where they are new.
    fn find(
        &mut self,
        call: &Call,
        plan: &Arc<Plan>,
        objective: &Arc<Objective>,
        now: Duration,
    ) -> Result<(u64, usize), Early> {
        let id = self.number();
        let primary = call.order.primary.as_ref();
        let run = self.run_mut(&call.canary).ok_or_else(|| refused(NO_LOAD))?;
        if !run.tracks.iter().any(|track| track.is_of(plan, primary)) {
            if !run.has_room() {
                return Err(Finding::new(Kind::Full, "tollgate is full: too many loads in one run").into());
            }
            // Most runs have one load.
            run.tracks.reserve_exact(1);
            run.tracks.push(Track::new(id, (Arc::clone(plan), primary.cloned()), now));
        }
        let track = run.tracks.iter_mut().find(|track| track.is_of(plan, primary)).ok_or_else(|| refused(NO_LOAD))?;
        track.touched = now;
        let Some(asked) = track.ask(objective, &call.order.success, call.order.window) else {
            let said = format!("tollgate is full: {MOST_ASKED} objectives on one load");
            return Err(Finding::new(Kind::Full, said).into());
        };
        if let Some(stint) = track.newest_stint() {
            stint.load.count(&track.asked[asked].measures);
        }
        Ok((track.id, asked))
    }

    /// Begins a load, if it may; its number in the track.
    fn start(&mut self, call: &Call, track: u64, asked: usize, now: Duration) -> Result<u64, Early> {
        let run = self.run_mut(&call.canary).ok_or_else(|| refused(NO_LOAD))?;
        if let Some(why) = &run.stopped {
            let said = format!("its load was stopped: {why}. It starts again with the next analysis");
            return Err(Finding::new(Kind::NotYet, said).into());
        }
        let found = run.track(track).ok_or_else(|| refused(NO_LOAD))?;
        let (plans, measures) =
            ((Arc::clone(&found.plan), found.primary.clone()), Arc::clone(&found.asked[asked].measures));
        let others: Vec<Arc<Measures>> = found.asked.iter().map(|asked| Arc::clone(&asked.measures)).collect();
        let load = self.launch(&call.canary, plans, measures, call.order.ready_wait)?;
        others.iter().for_each(|measures| load.count(measures));
        let run = self.run_mut(&call.canary).ok_or_else(|| refused(NO_LOAD))?;
        let found = run.track_mut(track).ok_or_else(|| refused(NO_LOAD))?;
        found.began(load, now);
        Ok(found.newest().unwrap_or(0))
    }

    fn launch(
        &mut self,
        canary: &Canary,
        (plan, primary): (Arc<Plan>, Option<Arc<Plan>>),
        measures: Arc<Measures>,
        ready_wait: Duration,
    ) -> Result<F::Load, Early> {
        self.room_for(canary, &plan, primary.as_deref()).map_err(|said| Finding::new(Kind::Full, said))?;
        let entry = self.entries.get_mut(canary).ok_or_else(|| refused(NO_LOAD))?;
        let ledger = Arc::clone(entry.ledger.get_or_insert_default());
        let beside = primary.clone().map(|primary| (primary, Arc::clone(entry.beside.get_or_insert_default())));
        let start = Start { plan: Arc::clone(&plan), measures, ready_wait, ledger, primary: beside };
        let load = self.loads.start(start).map_err(|why| refused(format!("the load cannot start: {why}")))?;
        self.events.push(Event::LoadBegan { canary: canary.clone(), plan, primary });
        Ok(load)
    }

    /// A load that is not judged: begun, unless an equal one is running.
    fn loose(&mut self, call: &Call, now: Duration) -> Early {
        let Some(plan) = &call.order.plan else { return refused("there is no target: give cmd, or url").into() };
        let entry = self.entry(&call.canary, now);
        entry.loose.retain(|(_, load)| !load.standing().is_over());
        let tracks = entry.run.iter().flat_map(|run| &run.tracks);
        let runs = entry.loose.iter().any(|(other, _)| other == plan)
            || tracks.filter(|track| track.is_running()).any(|track| track.plan == *plan);
        if !runs {
            match self.launch(&call.canary, (Arc::clone(plan), None), Arc::default(), call.order.ready_wait) {
                Ok(load) => self.entry(&call.canary, now).loose.push((Arc::clone(plan), load)),
                Err(early) => return early,
            }
        }
        Finding::new(Kind::Accepted, "").into()
    }

    /// What a rollback hook looks at. It starts nothing.
    fn rollback(&mut self, call: &Call, known: bool, now: Duration) -> Result<(u64, Goal, Option<Duration>), Early> {
        if let Some(Signal::Alert(why)) = call.signal.as_ref().filter(|_| known) {
            return Err(Finding::new(Kind::RollBack, why.clone()).into());
        }
        let Order { plan, primary, objective, success, .. } = &call.order;
        let run = self.run_mut(&call.canary).filter(|_| known);
        let run = run.ok_or_else(|| Finding::new(Kind::NotYet, "there is no evidence of this revision yet"))?;
        run.heard = now;
        let mut aims = Vec::new();
        // Without an objective of its own it is about whatever the load was judged by.
        let is_meant = |track: &Track<F::Load>| match (plan, objective) {
            (None, _) => true,
            (Some(plan), Some(_)) => track.is_of(plan, primary.as_ref()),
            (Some(plan), None) => track.plan == *plan,
        };
        for track in run.tracks.iter_mut().filter(|track| is_meant(track)) {
            match objective {
                Some(objective) => {
                    let Some(asked) = track.ask(objective, success, None) else { continue };
                    if let Some(stint) = track.newest_stint() {
                        stint.load.count(&track.asked[asked].measures);
                    }
                    aims.push(Aim { track: track.id, asked, view: track.view(now, None) });
                }
                None => aims.extend(every(track, now)),
            }
        }
        if aims.is_empty() {
            return Err(Finding::new(Kind::NotYet, NO_LOAD).into());
        }
        Ok((run.id, Goal::Rollback(aims), Some(now)))
    }
}

/// How long a hook waits for evidence, and a Prometheus may take after that: a quarter of a hook's wait, so that both end in
/// time, and no more than [`OUTSIDE`].
fn patience(call: &Call, deadline: Option<Duration>, now: Duration) -> (Option<Duration>, Duration) {
    let asks = call.order.objective.as_ref().is_some_and(|objective| !objective.line.queries().is_empty());
    match deadline {
        Some(deadline) if asks && deadline > now => {
            let patience = OUTSIDE.min((deadline - now) / 4);
            (Some(deadline - patience), patience)
        }
        _ => (deadline, OUTSIDE),
    }
}

/// By everything that hooks judge a track by, its newest stretch.
fn every<L: Load>(track: &Track<L>, now: Duration) -> impl Iterator<Item = Aim> {
    let judged = track.asked.iter().enumerate().filter(|(_, asked)| asked.confirms);
    judged.map(move |(asked, found)| Aim { track: track.id, asked, view: track.view(now, found.window) })
}

/// The end of a call that need not wait.
pub(in super::super) enum Early {
    /// To be settled like any other finding.
    Finding(Box<Finding>),
    /// An answer that was made before.
    Answer(Box<Answer>),
}

impl From<Finding> for Early {
    fn from(finding: Finding) -> Self {
        Self::Finding(Box::new(finding))
    }
}
