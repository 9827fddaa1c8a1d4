//! What a recorder keeps of a load that is watched while it runs.

use super::window::Window;
use super::{Counted, Measures, Membership, Ns, Outcomes, Sample, Series, Steps, membership};

/// The newest ten minutes, and what is counted from the beginning on.
#[derive(Clone, Debug)]
pub(super) struct Newest {
    pub(super) window: Window,
    latency: Steps,
    lag: Steps,
}

impl Newest {
    pub(super) fn new(measures: &Measures, judged_from: Ns) -> Self {
        Self { window: Window::new(measures, judged_from), latency: Steps::of_latency(), lag: Steps::of_lag() }
    }

    /// Counts one finished request.
    pub(super) fn record(&mut self, sample: &Sample, success: bool) {
        self.window.record(sample, success);
        match membership(Series::Latency, sample, success) {
            Membership::Value(latency) => self.latency.record(Ns(latency)),
            Membership::Beyond => self.latency.record_beyond(sample.latency()),
            Membership::Outside => {}
        }
    }

    /// Counts one request that fell due, how late our own process noticed, and whether that was too late.
    pub(super) fn due(&mut self, due: Ns, lag: Option<Ns>, late: bool) {
        self.window.due(due, late);
        lag.into_iter().for_each(|lag| self.lag.record(lag));
    }

    /// What was counted, with these outcomes.
    pub(super) fn counted(&self, outcomes: &Outcomes) -> Counted {
        Counted { outcomes: outcomes.clone(), latency: self.latency.clone(), lag: self.lag.clone() }
    }
}
