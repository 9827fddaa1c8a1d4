//! Loads of the real engine: first until something answers, then by the plan.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;

use super::load::{End, Load, Loads, Stage, Standing, Start};
use super::ready::{NotReady, ready, settled};
use crate::load::{Engine, Ledger, Running, Stopper, Terms, Windows};
use crate::plan::Plan;
use crate::stats::{Detail, Measures, Stopped, Summary};

/// The engine, for a board.
#[derive(Clone, Debug)]
pub struct Live {
    engine: Arc<Engine>,
    /// Where probes and ends are waited for; not the engine's own threads.
    runtime: Handle,
}

impl Live {
    /// Loads of `engine`, waited for on `runtime`.
    #[must_use]
    pub const fn new(engine: Arc<Engine>, runtime: Handle) -> Self {
        Self { engine, runtime }
    }
}

impl Loads for Live {
    type Load = LiveLoad;

    fn start(&self, start: Start) -> Result<LiveLoad, String> {
        let (stopping, stopped) = watch::channel(false);
        let state = State { phase: Phase::Probing, further: Vec::new() };
        let load = LiveLoad(Arc::new(Inner { state: Mutex::new(state), warmup: start.plan.schedule.warmup, stopping }));
        if start.ready_wait.is_zero() && !start.plan.asks() {
            // Nothing to wait for: what cannot be sent at all is known at once.
            let running = self.begin(&start, &start.plan, &load)?;
            self.runtime.spawn(ended(running, load.clone()));
        } else {
            self.runtime.spawn(self.clone().carry(start, load.clone(), stopped));
        }
        Ok(load)
    }
}

impl Live {
    /// Begins the load itself, by the plan as its servers have it.
    fn begin(&self, start: &Start, plan: &Arc<Plan>, load: &LiveLoad) -> Result<Running, String> {
        // A target that has answered and then refuses is failing, and no longer out of reach.
        let patient = !start.ready_wait.is_zero();
        let terms = |ledger: &Arc<Ledger>| {
            let ledger = Some(Arc::clone(ledger));
            Terms { patient, ledger, ..Terms::usual(Detail::Window) }
        };
        let own = terms(&start.ledger);
        let running = match &start.primary {
            None => self.engine.run_on(plan, &start.measures, &own).map(Running::Alone),
            Some((primary, ledger)) => {
                // The primary is in service: what does not reach it is a finding, and no reason to wait.
                let beside = Terms { patient: true, ..terms(ledger) };
                self.engine.run_beside_on((plan, &own), (primary, &beside), &start.measures).map(Running::Beside)
            }
        };
        let running = running.map_err(|error| error.to_string())?;
        let windows = running.windows().ok_or("the load keeps no windows")?;
        let mut state = load.lock();
        state.further.iter().for_each(|measures| windows.iter().for_each(|one| one.count(measures)));
        state.phase = Phase::Running { windows, stoppers: running.stoppers(), answered: patient };
        Ok(running)
    }

    async fn carry(self, mut start: Start, load: LiveLoad, mut stopped: watch::Receiver<bool>) {
        let asked = tokio::select! {
            // Boxed, their room is given back while the load runs.
            asked = Box::pin(settled(&self.engine, &start.plan)), if start.ready_wait.is_zero() => asked,
            asked = Box::pin(ready(&self.engine, &start.plan, start.ready_wait)), if !start.ready_wait.is_zero() => asked,
            _ = stopped.wait_for(|stopped| *stopped) => return load.over(End::Done),
        };
        if let Some((primary, _)) = &mut start.primary
            && primary.asks()
        {
            match Box::pin(settled(&self.engine, primary)).await {
                Ok(plan) => *primary = plan,
                Err(NotReady::Silent(why) | NotReady::Impossible(why)) => {
                    return load.over(End::Broken(format!("primary: {why}")));
                }
            }
        }
        let begun = match asked {
            Ok(plan) => self.begin(&start, &plan, &load),
            Err(NotReady::Silent(why)) => return load.over(End::Unreachable(why)),
            Err(NotReady::Impossible(why)) => Err(why),
        };
        match begun {
            Err(why) => load.over(End::Broken(why)),
            Ok(running) => {
                // Stopped in the moment in which it began.
                if *stopped.borrow() {
                    running.stoppers().iter().for_each(Stopper::stop);
                }
                ended(running, load).await;
            }
        }
    }
}

/// Waits for the end of what runs, and puts it down.
async fn ended(running: Running, load: LiveLoad) {
    let watcher = running.watcher();
    let (canary, primary) = running.finish().await;
    let error = canary.error.or(primary.and_then(|primary| primary.error));
    let end = match (error, canary.stopped) {
        (Some(error), _) => End::Broken(error),
        (None, Some(Stopped::Unreachable)) => {
            End::Unreachable(canary.first_error.unwrap_or_else(|| "no connection was made".to_owned()))
        }
        _ => End::Done,
    };
    load.over_after(end, watcher.elapsed());
}

/// One load of the engine.
#[derive(Clone, Debug)]
pub struct LiveLoad(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    warmup: Duration,
    stopping: watch::Sender<bool>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// Measures that were asked for before the load began.
    further: Vec<Arc<Measures>>,
}

#[derive(Debug)]
enum Phase {
    Probing,
    /// The windows of the release under test come first, then those of the one in service where there is one.
    Running {
        windows: Vec<Windows>,
        stoppers: Vec<Stopper>,
        answered: bool,
    },
    /// The windows can still be asked; none where there was no load.
    Over {
        windows: Vec<Windows>,
        answered: bool,
        end: End,
        judged: Duration,
    },
}

impl Phase {
    /// What can be looked at, and whether the target had answered before it began.
    fn windows(&self) -> (Vec<Windows>, bool) {
        match self {
            Self::Probing => (Vec::new(), false),
            Self::Running { windows, answered, .. } | Self::Over { windows, answered, .. } => {
                (windows.clone(), *answered)
            }
        }
    }
}

impl LiveLoad {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It is over before it began.
    fn over(&self, end: End) {
        self.over_after(end, Duration::ZERO);
    }

    /// It is over, having lasted so long, warm-up included.
    fn over_after(&self, end: End, lasted: Duration) {
        let mut state = self.lock();
        let (windows, answered) = state.phase.windows();
        state.phase = Phase::Over { windows, answered, end, judged: lasted.saturating_sub(self.0.warmup) };
    }

    /// What one of its windows shows, and whether the target had answered before; `None` where there is no such window.
    async fn glance(&self, number: usize, measures: &Arc<Measures>, seconds: Range<u64>) -> Option<(Summary, bool)> {
        let (windows, answered) = self.lock().phase.windows();
        Some((windows.get(number)?.look(measures, seconds).await, answered))
    }
}

impl Load for LiveLoad {
    fn standing(&self) -> Standing {
        let (stage, judged) = match &self.lock().phase {
            Phase::Probing => (Stage::Reaching, Duration::ZERO),
            Phase::Running { windows, .. } => match windows.first().map_or(Duration::ZERO, Windows::judged) {
                Duration::ZERO if !self.0.warmup.is_zero() => (Stage::Warming, Duration::ZERO),
                judged => (Stage::Running, judged),
            },
            Phase::Over { end, judged, .. } => (Stage::Over(end.clone()), *judged),
        };
        Standing { stage, judged }
    }

    fn count(&self, measures: &Arc<Measures>) {
        let mut state = self.lock();
        match &state.phase {
            Phase::Running { windows, .. } => windows.iter().for_each(|one| one.count(measures)),
            Phase::Probing if !state.further.iter().any(|known| Arc::ptr_eq(known, measures)) => {
                state.further.push(Arc::clone(measures));
            }
            _ => {}
        }
    }

    async fn look(&self, measures: &Arc<Measures>, seconds: Range<u64>) -> Summary {
        let Some((summary, answered)) = self.glance(0, measures, seconds).await else { return Summary::default() };
        Summary { reached: summary.reached || answered, ..summary }
    }

    async fn look_beside(&self, measures: &Arc<Measures>, seconds: Range<u64>) -> Option<Summary> {
        self.glance(1, measures, seconds).await.map(|(summary, _)| summary)
    }

    fn stop(&self) {
        self.0.stopping.send_replace(true);
        if let Phase::Running { stoppers, .. } = &self.lock().phase {
            stoppers.iter().for_each(Stopper::stop);
        }
    }
}
