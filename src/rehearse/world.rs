//! What a tick asks, answered by what runs on this machine.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::runtime::LocalRuntime;
use tokio::sync::{mpsc, watch};

use super::caller::{Caller, Said};
use super::course::{Note, Told};
use super::router::Router;
use crate::flagger::{Call, Measured, Metric, Source, Step, World};

/// This machine.
pub(super) struct Machine {
    pub(super) router: Arc<Router>,
    pub(super) caller: Caller,
    /// The caller's.
    pub(super) runtime: LocalRuntime,
    pub(super) told: mpsc::UnboundedSender<Told>,
    /// Whether it is to end now.
    pub(super) stop: watch::Receiver<bool>,
    pub(super) said: Option<Said>,
}

impl Machine {
    /// Tells whoever watches; they may have gone.
    pub(super) fn tell(&self, told: Told) {
        let _ = self.told.send(told);
    }

    pub(super) fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }
}

impl World for Machine {
    fn call(&mut self, call: &Call<'_>) -> Result<(), String> {
        if self.is_stopped() {
            return Err(String::new());
        }
        let (caller, mut stop) = (&self.caller, self.stop.clone());
        let said = self.runtime.block_on(async {
            tokio::select! {
                said = caller.call(call.hook, &call.payload) => Some(said),
                _ = stop.wait_for(|stop| *stop) => None,
            }
        });
        let answer = said.as_ref().map_or_else(|| Err(String::new()), |said| said.error.clone().map_or(Ok(()), Err));
        self.said = said;
        answer
    }

    fn measure(&mut self, metric: &Metric, source: Source) -> Measured {
        let begin = self.router.elapsed().saturating_sub(metric.span());
        let value = self.router.read(|ledger| match source {
            Source::SuccessRate => Some(ledger.success_rate(begin)),
            Source::Duration => Some(ledger.duration(begin)),
            // Prometheus and other providers are not here.
            Source::Query | Source::Template | Source::Nothing => None,
        });
        match value {
            Some(Some(value)) => Measured::Value(value),
            Some(None) => Measured::NoValues,
            None => Measured::Unasked,
        }
    }

    fn millis(&mut self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as u64)
    }

    fn happened(&mut self, step: &Step) {
        let said = if matches!(step, Step::Hook { .. }) { self.said.take() } else { None };
        // What a tick concludes after it was told to end is not what would have happened.
        if self.is_stopped() {
            return;
        }
        match step {
            Step::Route(route) => self.router.set(*route),
            Step::Promote => self.router.promote(),
            _ => {}
        }
        self.tell(Told::Did(Note { step: step.clone(), said, at: self.router.elapsed() }));
    }
}
