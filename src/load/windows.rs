//! The newest ten minutes of a running load, for whoever judges it while it runs.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::brakes::Brakes;
use super::clock;
use super::watched::{Ask, Glimpse};
use crate::plan::Plan;
use crate::stats::{Measures, Ns, Stopped, Summary};

/// How long a worker may take to say what it has seen. One that has far too much to do would let whoever asks wait as long
/// as it lasts.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is wrong where a worker does not say it.
const FAILED: &str = "a worker of tollgate's own failed";
const BUSY: &str = "tollgate has too little CPU for its loads: a worker did not say within 1 s what it has seen";

/// Shows what any seconds of a load amount to. A clone shows the same load.
#[derive(Clone, Debug)]
pub struct Windows {
    plan: Arc<Plan>,
    brakes: Arc<Brakes>,
    zero: Ns,
    /// One for each worker that carries a part of the load.
    asking: Vec<mpsc::UnboundedSender<Ask>>,
}

impl Windows {
    pub(super) fn new(plan: Arc<Plan>, brakes: Arc<Brakes>, zero: Ns, asking: Vec<mpsc::UnboundedSender<Ask>>) -> Self {
        Self { plan, brakes, zero, asking }
    }

    /// How long the judged part has been running, up to its planned length; zero during the warm-up.
    #[must_use]
    pub fn judged(&self) -> Duration {
        let so_far = Duration::from(clock::monotonic().since(self.zero)).saturating_sub(self.plan.schedule.warmup);
        let planned = self.plan.schedule.end().map(|end| end.saturating_sub(self.plan.schedule.warmup));
        planned.map_or(so_far, |planned| so_far.min(planned))
    }

    /// Counts these measures too, from now on. They are told apart by their place in memory; those that the load was
    /// started with are counted from its start.
    pub fn count(&self, measures: &Arc<Measures>) {
        for worker in &self.asking {
            // A worker that is gone has nothing to count.
            let _ = worker.send(Ask::Count(Arc::clone(measures)));
        }
    }

    /// What the seconds of the judged part, numbered from 0, amount to by measures that are counted. Seconds are those
    /// in which requests finished; requests still unanswered are in the readings as pending, as of now. Asking changes
    /// nothing.
    ///
    /// Connections, faults and the first error are those of the whole load, and so are the codes, unless all were alike:
    /// then they are the window's.
    pub async fn look(&self, measures: &Arc<Measures>, seconds: Range<u64>) -> Summary {
        let mut all: Option<Glimpse> = None;
        let mut lost = None;
        for worker in &self.asking {
            let (reply, glimpse) = oneshot::channel();
            let asked = worker.send(Ask::Look(Arc::clone(measures), seconds.clone(), reply));
            match (asked.is_ok().then_some(glimpse), &mut all) {
                (None, _) => lost = Some(FAILED),
                (Some(glimpse), all) => match timeout(PATIENCE, glimpse).await {
                    Ok(Ok(glimpse)) => merge(all, glimpse),
                    Ok(Err(_)) => lost = Some(FAILED),
                    Err(_) => lost = Some(BUSY),
                },
            }
        }
        self.summary(all.unwrap_or_default(), lost)
    }

    fn summary(&self, glimpse: Glimpse, lost: Option<&str>) -> Summary {
        let mut summary = glimpse.reach.summary();
        summary.codes = match (glimpse.codes.len(), glimpse.codes.keys().next()) {
            (1, Some(code)) => [(*code, summary.finished)].into(),
            _ => glimpse.codes,
        };
        summary.faults = glimpse.faults;
        summary.first_error = glimpse.first_error;
        summary.said = glimpse.said;
        summary.reached = glimpse.connections > 0;
        summary.stopped = self.brakes.stopped().filter(|stopped| *stopped != Stopped::Interrupted);
        summary.error = self.brakes.panic().or_else(|| lost.map(str::to_owned));
        let own = &mut summary.generator;
        own.rate = self.plan.schedule.mean_rate().map(|rate| rate.micro_per_second as f64 / 1e6);
        own.lanes = self.plan.lanes;
        own.max_lanes = self.plan.max_lanes;
        own.connections = glimpse.connections;
        own.failed_dials = glimpse.failed_dials;
        summary
    }
}

fn merge(all: &mut Option<Glimpse>, other: Glimpse) {
    let Some(all) = all else {
        *all = Some(other);
        return;
    };
    all.reach.merge(&other.reach);
    other.codes.into_iter().for_each(|(code, n)| *all.codes.entry(code).or_default() += n);
    other.faults.into_iter().for_each(|(fault, n)| *all.faults.entry(fault).or_default() += n);
    all.connections += other.connections;
    all.failed_dials += other.failed_dials;
    all.first_error = all.first_error.take().or(other.first_error);
    all.said.merge(&other.said);
}
