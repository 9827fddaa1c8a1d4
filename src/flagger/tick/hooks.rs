//! Hooks within a tick: which are called, with what, and what follows from their answers.

use super::{Held, Turn};
use crate::canary::Phase;
use crate::flagger::hook::{Hook, HookKind};
use crate::flagger::payload::{Metadata, Payload};
use crate::flagger::world::{Call, Step, World};

impl<W: World> Turn<'_, W> {
    /// Calls one hook; the error is what Flagger shows.
    fn call(&mut self, hook: &Hook, phase: Phase, metadata: Metadata) -> Result<(), String> {
        let (canary, checksum) = (self.id.clone(), self.held.applied.clone());
        let call = Call { hook, payload: Payload { canary, phase, checksum, metadata } };
        let answer = self.world.call(&call);
        let error = answer.as_ref().err().cloned();
        self.step(Step::Hook { name: hook.name.clone(), kind: hook.kind, phase, error });
        answer
    }

    fn ask(&mut self, hook: &Hook, phase: Phase) -> Result<(), String> {
        self.call(hook, phase, hook.metadata.clone())
    }

    /// An event: first to Kubernetes, then to every hook that wants them, who hear the phase of the object in hand.
    pub(super) fn tell(&mut self, warning: bool, message: &str) {
        self.tell_in(self.held.phase, warning, message);
    }

    pub(super) fn tell_in(&mut self, phase: Phase, warning: bool, message: &str) {
        self.step(Step::Event { warning, message: message.to_owned() });
        let rollout = self.rollout;
        for hook in rollout.hooks(HookKind::Event) {
            let mut metadata = hook.metadata.clone();
            let kind = if warning { "Warning" } else { "Normal" };
            let timestamp = self.world.millis().to_string();
            metadata.extend([
                ("eventMessage".to_owned(), message.to_owned()),
                ("eventType".to_owned(), kind.to_owned()),
                ("timestamp".to_owned(), timestamp),
            ]);
            // Its failure is only logged.
            let _ = self.call(hook, phase, metadata);
        }
    }

    /// Whether a new revision may be analysed.
    pub(super) fn rollout_is_confirmed(&mut self) -> bool {
        let rollout = self.rollout;
        for hook in rollout.hooks(HookKind::ConfirmRollout) {
            if self.ask(hook, self.held.phase).is_err() {
                if self.held.phase != Phase::Waiting {
                    self.state.enter(Phase::Waiting, &self.held, rollout);
                    let whom = format!("{} advancement waiting for approval {}", self.id, hook.name);
                    self.tell(true, &format!("Halt {whom}"));
                }
                return false;
            }
            self.tell(false, &format!("Confirm-rollout check {} passed", hook.name));
        }
        true
    }

    pub(super) fn pre_rollout(&mut self) -> bool {
        let rollout = self.rollout;
        for hook in rollout.hooks(HookKind::PreRollout) {
            if let Err(why) = self.ask(hook, Phase::Progressing) {
                let halt = format!("Halt {} advancement pre-rollout check {} failed {why}", self.id, hook.name);
                self.tell(true, &halt);
                return false;
            }
            self.tell(false, &format!("Pre-rollout check {} passed", hook.name));
        }
        true
    }

    /// The hooks of each analysis, which pass in silence.
    pub(super) fn external_checks(&mut self) -> bool {
        let rollout = self.rollout;
        for hook in rollout.hooks(HookKind::Rollout) {
            if let Err(why) = self.ask(hook, Phase::Progressing) {
                let halt = format!("Halt {} advancement external check {} failed {why}", self.id, hook.name);
                self.tell(true, &halt);
                return false;
            }
        }
        true
    }

    /// Whether the weight may grow. Who waits costs no failed check, and is told of in every tick.
    pub(super) fn increase_is_confirmed(&mut self) -> bool {
        let rollout = self.rollout;
        for hook in rollout.hooks(HookKind::ConfirmTrafficIncrease) {
            if self.ask(hook, Phase::Progressing).is_err() {
                let whom = format!("{} advancement waiting for traffic increase approval", self.id);
                self.tell(true, &format!("Halt {whom} {}", hook.name));
                return false;
            }
            self.tell(false, &format!("Confirm-traffic-increase check {} passed", hook.name));
        }
        true
    }

    /// Whether the canary may be promoted. Who waits is told of once; each further tick begins an iteration anew.
    pub(super) fn promotion_is_confirmed(&mut self) -> bool {
        let rollout = self.rollout;
        for hook in rollout.hooks(HookKind::ConfirmPromotion) {
            if self.ask(hook, Phase::Progressing).is_err() {
                if self.held.phase == Phase::WaitingPromotion {
                    self.state.status.iterations = i64::from(rollout.iterations()) - 1;
                } else {
                    self.state.enter(Phase::WaitingPromotion, &self.held, rollout);
                    let whom = format!("{} advancement waiting for promotion approval", self.id);
                    self.tell(true, &format!("Halt {whom} {}", hook.name));
                }
                return false;
            }
            self.tell(false, &format!("Confirm-promotion check {} passed", hook.name));
        }
        true
    }

    /// Tells those who want to know the end. The events have the phase of the object in hand.
    pub(super) fn post_rollout(&mut self, phase: Phase, held: Phase) {
        let rollout = self.rollout;
        for hook in rollout.hooks(HookKind::PostRollout) {
            if let Err(why) = self.ask(hook, phase) {
                self.tell_in(held, true, &format!("Post-rollout hook {} failed {why}", hook.name));
                return;
            }
            self.tell_in(held, false, &format!("Post-rollout check {} passed", hook.name));
        }
    }

    /// Whether somebody wants the release given up: success is the bad news here.
    pub(super) fn rollback_is_wanted(&mut self) -> bool {
        let rollout = self.rollout;
        for hook in rollout.hooks(HookKind::Rollback) {
            if self.ask(hook, self.held.phase).is_ok() {
                self.tell(true, &format!("Rollback check {} passed", hook.name));
                return true;
            }
            self.tell(false, &format!("Rollback hook {} not signaling a rollback", hook.name));
        }
        false
    }
}

/// What a tick knows of the object: what it read at its beginning, whatever was stored since.
impl Held {
    pub(super) fn is(&self, phases: &[Phase]) -> bool {
        phases.contains(&self.phase)
    }
}
