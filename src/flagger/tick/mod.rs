//! One tick of Flagger's controller (v1.44), as arithmetic: what it asks, in which order, what it concludes and says.
//!
//! A tick works on the object as it was read at the tick's beginning ([`Held`]), while what it stores changes the object for
//! the next one. Where Flagger's events, hooks and counters look odd, that is why.
//!
//! `hooks`: the hooks and their conclusions. `checks`: metrics. `strategy`: what follows where all passed.

mod checks;
mod hooks;
mod strategy;
#[cfg(test)]
mod tests;

use serde::Serialize;

use super::canary::Canary;
use super::world::{NotReady, Route, Step, World};
use crate::canary::{self, Checksum, Phase};

/// All weights together.
const TOTAL: i64 = 100;

/// The object's status, as Kubernetes shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The phase.
    pub phase: Phase,
    /// The weight last stored; not always that of the route.
    pub weight: i64,
    /// Failed checks of this analysis; they are never taken back.
    pub failed_checks: i64,
    /// Iterations done; below zero while a weighted release waits for its promotion.
    pub iterations: i64,
}

/// What outlives a tick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The status.
    pub status: Status,
    /// Where traffic goes.
    pub route: Route,
    /// The revision of the workload now.
    pub target: Checksum,
    /// The revision that the object was last synchronised with.
    pub applied: Checksum,
    /// The revision that was last promoted.
    pub promoted: Checksum,
}

/// What one tick did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tick {
    /// In order.
    pub steps: Vec<Step>,
    /// The status after it.
    pub status: Status,
    /// Where traffic goes after it.
    pub route: Route,
}

impl State {
    /// An object that was set up with the revision `old`, when its workload becomes `new`.
    #[must_use]
    pub fn initialized(old: Checksum, new: Checksum) -> Self {
        Self {
            status: Status { phase: Phase::Initialized, weight: 0, failed_checks: 0, iterations: 0 },
            route: Route { primary: TOTAL, canary: 0, mirrored: false },
            target: new,
            applied: old.clone(),
            promoted: old,
        }
    }

    /// Whether the last analysis is over.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.status.phase, Phase::Succeeded | Phase::Failed)
    }

    /// Stores a phase, with what that changes besides.
    fn enter(&mut self, phase: Phase, held: &Held, rollout: &Canary) {
        self.status.phase = phase;
        if !matches!(phase, Phase::Progressing | Phase::Waiting | Phase::Promoting) {
            self.status.weight = 0;
            self.status.iterations =
                if phase == Phase::WaitingPromotion { i64::from(rollout.iterations()) - 1 } else { 0 };
        }
        if matches!(phase, Phase::Initialized | Phase::Succeeded) {
            self.promoted = held.applied.clone();
        }
    }

    /// Stores a fresh status, and that this revision of the workload was seen.
    fn sync(&mut self, phase: Phase, weight: i64) {
        self.status = Status { phase, weight, failed_checks: 0, iterations: 0 };
        self.applied = self.target.clone();
        if phase == Phase::Initialized {
            self.promoted = self.target.clone();
        }
    }
}

/// The object as it was read.
#[derive(Clone, Debug)]
struct Held {
    phase: Phase,
    failed_checks: i64,
    iterations: i64,
    applied: Checksum,
    promoted: Checksum,
}

impl Held {
    fn of(state: &State) -> Self {
        let Status { phase, failed_checks, iterations, .. } = state.status;
        Self { phase, failed_checks, iterations, applied: state.applied.clone(), promoted: state.promoted.clone() }
    }

    /// Whether the workload is another than the one seen last, and than the one promoted last.
    fn is_changed(&self, target: &Checksum) -> bool {
        self.promoted != *target && self.applied != *target
    }
}

/// Phases of an analysis that has begun.
const BEGUN: [Phase; 4] = [Phase::Progressing, Phase::WaitingPromotion, Phase::Promoting, Phase::Finalising];
/// Those of them in which it can still be given up.
const OPEN: [Phase; 2] = [Phase::Progressing, Phase::WaitingPromotion];
/// Those of them in which the canary is all there is of the new revision.
const ENDING: [Phase; 2] = [Phase::Promoting, Phase::Finalising];

/// Does one tick.
pub fn tick<W: World>(rollout: &Canary, state: &mut State, world: &mut W) -> Tick {
    let held = Held::of(state);
    let mut turn = Turn { id: rollout.id(), rollout, held, state, world, steps: Vec::new() };
    turn.run();
    let steps = turn.steps;
    Tick { steps, status: state.status, route: read(rollout, state) }
}

/// Where traffic goes, as Flagger reads it. The provider `kubernetes` splits none, and makes something up.
fn read(rollout: &Canary, state: &State) -> Route {
    match (rollout.is_plain_kubernetes(), state.status.iterations > 0) {
        (false, _) => state.route,
        (true, true) => Route { primary: 0, canary: TOTAL, mirrored: false },
        (true, false) => Route { primary: TOTAL, canary: 0, mirrored: false },
    }
}

struct Turn<'a, W> {
    id: canary::Canary,
    rollout: &'a Canary,
    held: Held,
    state: &'a mut State,
    world: &'a mut W,
    steps: Vec<Step>,
}

impl<W: World> Turn<'_, W> {
    fn step(&mut self, step: Step) {
        self.world.happened(&step);
        self.steps.push(step);
    }

    fn run(&mut self) {
        if self.rollout.suspend {
            self.tell(false, "skipping canary run as object is suspended");
            return;
        }
        self.initialize();
        if !self.has_work() || !self.primary_is_ready() {
            return;
        }
        let route = read(self.rollout, self.state);
        if !self.held.is(&BEGUN) {
            self.begin();
        } else if self.held.is(&OPEN) && self.held.is_changed(&self.state.target) {
            self.restart();
        } else if self.canary_is_ready() {
            self.go_on(route);
        }
    }

    /// The rest of a tick of an analysis that has begun.
    fn go_on(&mut self, route: Route) {
        if self.rollout.skip_analysis {
            self.skip();
        } else if self.held.is(&OPEN) && self.rollback_is_wanted() {
            self.tell(true, &format!("Rolling back {} manual webhook invoked", self.id));
            self.roll_back();
        } else if self.held.phase == Phase::Promoting {
            self.shift(route);
        } else if self.held.phase == Phase::Finalising {
            self.finish();
        } else if self.held.failed_checks >= i64::from(self.rollout.analysis.threshold) {
            self.roll_back();
        } else if self.passes(route) {
            self.advance(route);
        } else {
            self.state.status.failed_checks = self.held.failed_checks + 1;
        }
    }

    /// A new object is ready with its first workload.
    fn initialize(&mut self) {
        if self.held.phase != Phase::Initializing {
            return;
        }
        self.step(Step::ScaleDown);
        self.state.sync(Phase::Initialized, 0);
        self.held.phase = Phase::Initialized;
        self.held.applied = self.state.applied.clone();
        self.tell(false, &format!("Initialization done! {}", self.id));
    }

    /// Whether there is anything to do: an analysis goes on, or there is a new revision.
    fn has_work(&mut self) -> bool {
        if self.held.is(&BEGUN) || self.held.phase == Phase::Waiting {
            return true;
        }
        let changed = self.held.is_changed(&self.state.target);
        if self.held.phase == Phase::Failed {
            // What failed is synchronised all the same, so that hooks already hear of the new revision.
            self.state.applied = self.state.target.clone();
        }
        changed
    }

    fn primary_is_ready(&mut self) -> bool {
        if self.rollout.skip_analysis {
            return true;
        }
        let Err(NotReady { text, retriable }) = self.world.primary() else { return true };
        self.tell(true, &text);
        if !retriable && self.held.is(&ENDING) {
            self.fail_promotion(&text);
        } else if !retriable {
            self.roll_back();
        }
        false
    }

    fn canary_is_ready(&mut self) -> bool {
        let Err(NotReady { text, retriable }) = self.world.canary() else { return true };
        self.tell(true, &text);
        if !retriable {
            self.roll_back();
        }
        false
    }

    /// A new revision: asked about first, then given its pods.
    fn begin(&mut self) {
        self.held = Held::of(self.state);
        if !self.rollout_is_confirmed() {
            return;
        }
        let (target, namespace) = (&self.rollout.target.name, &self.rollout.namespace);
        let message = format!("New revision detected! Scaling up {target}.{namespace}");
        self.tell_in(Phase::Progressing, false, &message);
        self.step(Step::ScaleUp);
        self.state.sync(Phase::Progressing, 0);
    }

    /// Another revision, in the middle of an analysis.
    fn restart(&mut self) {
        let (target, namespace) = (&self.rollout.target.name, &self.rollout.namespace);
        let message = format!("New revision detected! Restarting analysis for {target}.{namespace}");
        self.tell(false, &message);
        self.route_to(Route { primary: TOTAL, canary: 0, mirrored: false });
        self.state.sync(Phase::Progressing, 0);
    }

    /// The checks of one tick. While the canary has no traffic only the pre-rollout hooks are asked.
    fn passes(&mut self, route: Route) -> bool {
        let quiet = route.canary == 0 && self.held.iterations == 0 && !(self.rollout.analysis.mirror && route.mirrored);
        if !quiet {
            return self.external_checks() && self.metrics();
        }
        let (target, namespace) = (&self.rollout.target.name, &self.rollout.namespace);
        let message = format!("Starting canary analysis for {target}.{namespace}");
        self.tell(false, &message);
        self.pre_rollout()
    }

    /// Promoted without an analysis.
    fn skip(&mut self) {
        self.route_to(Route { primary: TOTAL, canary: 0, mirrored: false });
        self.copy();
        self.end("Promotion completed! Canary analysis was skipped for");
    }

    /// The canary is not needed any more.
    fn finish(&mut self) {
        self.end("Promotion completed! Scaling down");
    }

    fn end(&mut self, message: &str) {
        self.step(Step::ScaleDown);
        self.state.enter(Phase::Succeeded, &self.held, self.rollout);
        self.post_rollout(Phase::Succeeded, Phase::Succeeded);
        let (target, namespace) = (&self.rollout.target.name, &self.rollout.namespace);
        let message = format!("{message} {target}.{namespace}");
        self.tell_in(Phase::Succeeded, false, &message);
    }

    fn roll_back(&mut self) {
        let (canary, failed) = (self.id.clone(), self.held.failed_checks);
        if failed >= i64::from(self.rollout.analysis.threshold) {
            self.tell(true, &format!("Rolling back {canary} failed checks threshold reached {failed}"));
        }
        self.route_to(Route { primary: TOTAL, canary: 0, mirrored: false });
        self.tell_in(Phase::Failed, true, &format!("Canary failed! Scaling down {canary}"));
        self.step(Step::ScaleDown);
        self.state.sync(Phase::Failed, 0);
        self.post_rollout(Phase::Failed, self.held.phase);
    }

    /// The primary broke when it was made what the canary is: the canary keeps the traffic.
    fn fail_promotion(&mut self, why: &str) {
        let (target, namespace) = (&self.rollout.target.name, &self.rollout.namespace);
        let message = format!("Promotion of {target}.{namespace} failed, primary not ready: {why}");
        self.tell(true, &message);
        self.route_to(Route { primary: 0, canary: TOTAL, mirrored: false });
        self.state.sync(Phase::Failed, TOTAL);
        self.post_rollout(Phase::Failed, self.held.phase);
    }

    /// The provider `kubernetes` has no routes to store.
    fn route_to(&mut self, route: Route) {
        if !self.rollout.is_plain_kubernetes() {
            self.state.route = route;
            self.step(Step::Route(route));
        }
    }
}
