//! What follows from what happens to runs: log lines, metrics, and what belongs to a run that is over.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::runtime::Handle;

use super::alerts::Alerts;
use super::metrics::Metrics;
use super::notify::Notify;
use crate::canary::{Canary, Checksum, Phase};
use crate::gate::{Board, Sight, Source};
use crate::plan::Plan;
use crate::task::{Answer, Event, Kind, Observer, Role};

/// Watches the board of runs.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) gates: Arc<Board>,
    pub(super) alerts: Arc<Alerts>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) notify: Option<Notify>,
}

impl Observer for Watch {
    fn saw(&self, event: &Event) {
        match event {
            Event::RunBegan { canary, checksum } => tracing::info!(%canary, %checksum, "analysis begins"),
            Event::RunEnded { canary, checksum, why } => {
                tracing::info!(%canary, %checksum, why, "analysis ends");
                self.alerts.ended(canary);
                self.close(canary, checksum);
            }
            Event::LoadBegan { canary, plan, primary } => {
                let targets = |plan: &Plan| {
                    let urls: Vec<&str> = plan.targets.iter().map(|target| target.url.as_str()).collect();
                    urls.join(" ")
                };
                let primary = primary.as_deref().map(targets);
                tracing::info!(%canary, targets = targets(plan), primary, "load begins");
            }
            Event::Answered { canary, checksum, role, answer } => {
                self.metrics.judged(canary, *role, answer);
                log(canary, checksum, *role, answer);
                if let Some(notify) = &self.notify {
                    notify.tell(canary, checksum, *role, answer);
                }
            }
            Event::Ruled { canary, ruling: Some(ruling) } => {
                tracing::warn!(%canary, pass = ruling.pass, by = ruling.by, why = ruling.why, "override");
            }
            Event::Ruled { canary, ruling: None } => tracing::warn!(%canary, "override taken back"),
            Event::Stopped { canary, why } => tracing::warn!(%canary, why, "load stopped"),
        }
    }
}

impl Watch {
    /// Closes what was opened for the run that is over.
    fn close(&self, canary: &Canary, checksum: &Checksum) {
        let (gates, canary) = (Arc::clone(&self.gates), canary.clone());
        let sight = Sight { phase: Phase::Unknown, checksum: checksum.clone(), source: Source::PostRollout };
        // Without a runtime the process is at its end, and so is the run's gate at the next start.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { gates.saw(&canary, &sight, Timestamp::now()).await });
        }
    }
}

/// The one line of each verdict.
fn log(canary: &Canary, checksum: &Checksum, role: Role, answer: &Answer) {
    let (hook, kind, measured) = (role.path(), answer.kind.name(), answer.measured.name());
    let (text, seconds) = (answer.text.as_str(), answer.seconds);
    match answer.kind {
        Kind::Fail | Kind::RollBack | Kind::Broken | Kind::Saturated | Kind::Full => {
            tracing::warn!(%canary, %checksum, hook, verdict = kind, measured, seconds, text, "verdict");
        }
        _ => tracing::info!(%canary, %checksum, hook, verdict = kind, measured, seconds, text, "verdict"),
    }
}
