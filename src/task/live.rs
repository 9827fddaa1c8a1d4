//! Loads of the real engine: first until something answers, then by the plan.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;

use super::load::{End, Load, Loads, Stage, Standing, Start};
use super::ready::{NotReady, ready, settled};
use crate::load::{Engine, Stopper, Terms, Windows};
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
            self.runtime.spawn(end(running, load.clone()));
        } else {
            self.runtime.spawn(self.clone().carry(start, load.clone(), stopped));
        }
        Ok(load)
    }
}

impl Live {
    /// Begins the load itself, by the plan as its servers have it.
    fn begin(&self, start: &Start, plan: &Arc<Plan>, load: &LiveLoad) -> Result<crate::load::Load, String> {
        // A target that has answered and then refuses is failing, and no longer out of reach.
        let patient = !start.ready_wait.is_zero();
        let ledger = Some(Arc::clone(&start.ledger));
        let terms = Terms { patient, ledger, ..Terms::usual(Detail::Window) };
        let running = self.engine.run_on(plan, &start.measures, &terms).map_err(|error| error.to_string())?;
        let windows = running.windows().ok_or("the load keeps no windows")?;
        let mut state = load.lock();
        state.further.iter().for_each(|measures| windows.count(measures));
        let stopper = running.stopper();
        state.phase = Phase::Running { windows, stopper, answered: patient };
        Ok(running)
    }

    async fn carry(self, start: Start, load: LiveLoad, mut stopped: watch::Receiver<bool>) {
        let asked = tokio::select! {
            asked = settled(&self.engine, &start.plan), if start.ready_wait.is_zero() => asked,
            asked = ready(&self.engine, &start.plan, start.ready_wait), if !start.ready_wait.is_zero() => asked,
            _ = stopped.wait_for(|stopped| *stopped) => return load.over(End::Done),
        };
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
                    running.stopper().stop();
                }
                end(running, load).await;
            }
        }
    }
}

/// Waits for the end of a load.
async fn end(running: crate::load::Load, load: LiveLoad) {
    let watcher = running.watcher();
    let summary = running.finish().await;
    let end = match (summary.error, summary.stopped) {
        (Some(error), _) => End::Broken(error),
        (None, Some(Stopped::Unreachable)) => {
            End::Unreachable(summary.first_error.unwrap_or_else(|| "no connection was made".to_owned()))
        }
        _ => End::Done,
    };
    let lasted = watcher.elapsed();
    load.over_after(end, lasted);
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
    Running {
        windows: Windows,
        stopper: Stopper,
        answered: bool,
    },
    /// The windows can still be asked; `None` where there was no load.
    Over {
        windows: Option<(Windows, bool)>,
        end: End,
        judged: Duration,
    },
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
        let windows = match &state.phase {
            Phase::Running { windows, answered, .. } => Some((windows.clone(), *answered)),
            _ => None,
        };
        state.phase = Phase::Over { windows, end, judged: lasted.saturating_sub(self.0.warmup) };
    }
}

impl Load for LiveLoad {
    fn standing(&self) -> Standing {
        let (stage, judged) = match &self.lock().phase {
            Phase::Probing => (Stage::Reaching, Duration::ZERO),
            Phase::Running { windows, .. } => match windows.judged() {
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
            Phase::Running { windows, .. } => windows.count(measures),
            Phase::Probing if !state.further.iter().any(|known| Arc::ptr_eq(known, measures)) => {
                state.further.push(Arc::clone(measures));
            }
            _ => {}
        }
    }

    async fn look(&self, measures: &Arc<Measures>, seconds: Range<u64>) -> Summary {
        let windows = match &self.lock().phase {
            Phase::Probing => None,
            Phase::Running { windows, answered, .. } => Some((windows.clone(), *answered)),
            Phase::Over { windows, .. } => windows.clone(),
        };
        let Some((windows, answered)) = windows else { return Summary::default() };
        let summary = windows.look(measures, seconds).await;
        Summary { reached: summary.reached || answered, ..summary }
    }

    fn stop(&self) {
        self.0.stopping.send_replace(true);
        if let Phase::Running { stopper, .. } = &self.lock().phase {
            stopper.stop();
        }
    }
}
