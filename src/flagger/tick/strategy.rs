//! The end of a tick whose checks all passed: what each strategy does next.

use super::{TOTAL, Turn};
use crate::canary::Phase;
use crate::flagger::canary::Strategy;
use crate::flagger::world::{Route, Step, World};

impl<W: World> Turn<'_, W> {
    /// One step on.
    pub(super) fn advance(&mut self, route: Route) {
        let rollout = self.rollout;
        if rollout.is_plain_kubernetes() {
            if !rollout.analysis.matches.is_empty() {
                self.tell(true, "A/B testing is not supported when using the kubernetes provider");
            }
            if rollout.analysis.iterations < 1 {
                self.tell(true, "Progressive traffic is not supported when using the kubernetes provider");
                self.tell(true, &format!("Setting canaryAnalysis.iterations: {}", rollout.iterations()));
            }
        }
        match rollout.strategy() {
            Strategy::AbTest => self.matched(),
            Strategy::BlueGreen => self.blue_green(route),
            Strategy::Weighted => self.weighted(route),
        }
    }

    fn matched(&mut self) {
        let (done, all) = (self.held.iterations, i64::from(self.rollout.iterations()));
        if done < all {
            self.route_to(Route { primary: 0, canary: TOTAL, mirrored: false });
            self.iterate();
        } else if self.promotion_is_confirmed() && done == all {
            self.promote();
        }
    }

    fn blue_green(&mut self, route: Route) {
        let (done, all) = (self.held.iterations, i64::from(self.rollout.iterations()));
        let (mesh, mirror) = (!self.rollout.is_plain_kubernetes(), self.rollout.analysis.mirror);
        if done < all {
            if mesh && mirror && !route.mirrored {
                self.route_to(Route { primary: TOTAL, canary: 0, mirrored: true });
            }
            self.iterate();
            return;
        }
        if !self.promotion_is_confirmed() {
            return;
        }
        if done > all {
            self.promote();
            return;
        }
        if mesh {
            let stop = if mirror { "Stop traffic mirroring and route all traffic" } else { "Routing all traffic" };
            self.tell(false, &format!("{stop} to canary"));
            self.route_to(Route { primary: 0, canary: TOTAL, mirrored: false });
        }
        self.state.status.iterations = done + 1;
    }

    /// By how much a canary of this weight grows; zero when it is stuck.
    fn next_step(&self, weight: i64) -> i64 {
        i64::from(self.rollout.analysis.next_step(weight.clamp(0, TOTAL) as u32))
    }

    fn weighted(&mut self, route: Route) {
        let (rollout, step) = (self.rollout, self.next_step(route.canary));
        if step <= 0 {
            return;
        }
        let asked = !route.mirrored && self.held.phase != Phase::WaitingPromotion;
        if asked && !self.increase_is_confirmed() {
            return;
        }
        if route.canary >= i64::from(rollout.analysis.max_weight) {
            if self.promotion_is_confirmed() {
                self.promote();
            }
            return;
        }
        let next = match (rollout.analysis.mirror && route.canary == 0, route.mirrored) {
            (true, false) => Route { primary: TOTAL, canary: 0, mirrored: true },
            (true, true) => Route { primary: TOTAL - step, canary: step, mirrored: false },
            (false, mirrored) => {
                let (primary, canary) = ((route.primary - step).max(0), (route.canary + step).min(TOTAL));
                Route { primary, canary, mirrored }
            }
        };
        self.route_to(next);
        self.state.status.weight = next.canary;
        self.tell(false, &format!("Advance {} canary weight {}", self.id, next.canary));
    }

    /// One more iteration.
    fn iterate(&mut self) {
        let next = self.held.iterations + 1;
        self.state.status.iterations = next;
        let all = i64::from(self.rollout.iterations());
        self.tell(false, &format!("Advance {} canary iteration {next}/{all}", self.id));
    }

    fn promote(&mut self) {
        self.copy();
        self.state.enter(Phase::Promoting, &self.held, self.rollout);
    }

    /// Makes the primary what the canary is.
    pub(super) fn copy(&mut self) {
        let (target, namespace) = (&self.rollout.target.name, &self.rollout.namespace);
        let message = format!("Copying {target}.{namespace} template spec to {target}-primary.{namespace}");
        self.tell(false, &message);
        self.step(Step::Promote);
    }

    /// Gives the primary its traffic back.
    pub(super) fn shift(&mut self, route: Route) {
        let rollout = self.rollout;
        let step = i64::from(rollout.analysis.step_weight_promotion);
        if rollout.is_plain_kubernetes() {
            self.state.enter(Phase::Finalising, &self.held, rollout);
        } else if step == 0 {
            self.tell(false, "Routing all traffic to primary");
            self.route_to(Route { primary: TOTAL, canary: 0, mirrored: false });
            self.state.enter(Phase::Finalising, &self.held, rollout);
        } else if route.canary > 0 {
            let (primary, canary) = ((route.primary + step).min(TOTAL), (route.canary - step).max(0));
            self.route_to(Route { primary, canary, mirrored: false });
            self.tell(false, &format!("Advance {} primary weight {primary}", self.id));
            if primary == TOTAL {
                self.state.enter(Phase::Finalising, &self.held, rollout);
            } else {
                self.state.status.weight = canary;
            }
        }
    }
}
