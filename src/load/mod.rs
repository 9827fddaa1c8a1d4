//! The engine: worker threads that make load by a plan and count what comes of it.
//!
//! An [`Engine`] is a few threads; a [`Load`] is one plan running on them. Loads share nothing but the threads.

mod board;
mod brakes;
mod clock;
mod hub;
mod lane;
mod ledger;
mod limits;
mod link;
mod pair;
mod pool;
mod pulse;
mod settle;
mod share;
mod split;
mod throttle;
mod turn;
mod watched;
mod way;
mod who;
mod windows;
mod worker;

#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::sync::{mpsc, oneshot};

pub use board::Progress;
pub use clock::Fine;
pub use ledger::Ledger;
pub use limits::descriptors;
pub use pair::{Pair, Running};
pub use settle::settled;
pub use turn::Turn;
pub use windows::Windows;

pub use crate::wire::Unreflected;

use board::Board;
use brakes::Brakes;
use share::Part;
use throttle::Throttled;
use watched::Ask;
use worker::{Job, Share, Worker};

use crate::plan::{Hosts, Plan, Wire};
use crate::stats::{Detail, Log, Measures, Ns, Stopped, Summary};
use crate::wire::{Transport, TransportError};

/// Loads of fewer dues a second than this live on one worker: spreading them would only cost.
const ONE_WORKER_BELOW: u64 = 2_000;

/// What is kept of a load, and when it is given up.
#[derive(Clone, Debug)]
pub struct Terms {
    /// How much is kept for display.
    pub detail: Detail,
    /// How many requests are kept one by one, for [`Load::finish_with_log`]; `None` only counts.
    pub rows: Option<usize>,
    /// Whether a load that never reaches anything goes on to its end.
    pub patient: bool,
    /// Whether a request on a used HTTP/1 connection that ends before the answer is always sent again, as Go's client
    /// does, and not only after a second of idleness. What a server fails so is not noticed then.
    pub resends_early: bool,
    /// Who goes first where another load has the same schedule.
    pub turn: Turn,
    /// Where it is added up with other loads; for [`Detail::Window`] only.
    pub ledger: Option<Arc<Ledger>>,
}

impl Terms {
    /// Nothing but the usual.
    #[must_use]
    pub const fn usual(detail: Detail) -> Self {
        Self { detail, rows: None, patient: false, resends_early: false, turn: Turn::Alone, ledger: None }
    }
}

/// Worker threads.
#[derive(Debug)]
pub struct Engine {
    workers: Vec<Worker>,
    /// Which worker the next small load goes to.
    next: AtomicUsize,
    /// What holds for the connections of a service's loads.
    fence: Option<Fence>,
    hosts: Arc<Hosts>,
}

/// What the connections of a service's loads stay within.
#[derive(Clone, Copy, Debug)]
struct Fence {
    /// The number that their descriptors stay below; `None` for no limit.
    descriptors: Option<u64>,
}

impl Engine {
    /// Starts `workers` threads; 0 means one for each CPU this process may use.
    ///
    /// # Errors
    /// When the system gives no thread or descriptor.
    pub fn start(workers: usize) -> io::Result<Self> {
        let workers = if workers == 0 { std::thread::available_parallelism().map_or(1, usize::from) } else { workers };
        let workers = (0..workers).map(Worker::start).collect::<io::Result<_>>()?;
        Ok(Self { workers, next: AtomicUsize::new(0), fence: None, hosts: Arc::default() })
    }

    /// The same engine for a service. It makes no connection to where clouds hand out credentials unless the plan names that
    /// address itself: neither a name nor a redirect leads there. And it leaves descriptors to whoever asks the service: a
    /// target that hangs takes ever more connections.
    #[must_use]
    pub fn fenced(mut self) -> Self {
        self.fence = Some(Fence { descriptors: limits::for_loads() });
        self
    }

    /// The same engine, which asks no name server for these names.
    #[must_use]
    pub fn knowing(mut self, hosts: Hosts) -> Self {
        self.hosts = Arc::new(hosts);
        self
    }

    /// The plan with what only its servers know, as [`settled()`].
    ///
    /// # Errors
    /// As there.
    pub async fn settled(&self, plan: &Arc<Plan>) -> Result<Arc<Plan>, Unreflected> {
        settle::over(plan, || self.transport(plan)).await
    }

    /// Starts a load now.
    ///
    /// # Errors
    /// When the plan's connections cannot be made at all: a certificate, a key or a proxy that cannot work. Nothing has
    /// been sent then.
    pub fn run(&self, plan: &Arc<Plan>, measures: &Arc<Measures>, detail: Detail) -> Result<Load, TransportError> {
        self.run_on(plan, measures, &Terms::usual(detail))
    }

    /// Starts a load now, on terms of its own.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_on(&self, plan: &Arc<Plan>, measures: &Arc<Measures>, terms: &Terms) -> Result<Load, TransportError> {
        let transport = self.transport(plan)?;
        let at = (clock::monotonic(), self.first(plan));
        Ok(self.begin((plan, transport), measures, terms, at))
    }

    /// Starts two loads on the schedule of one, now: the same moments, and nothing else in common. The primary stops
    /// when the canary has stopped early; the measures' early stops are the canary's.
    ///
    /// # Errors
    /// As [`Self::run`], for either.
    pub fn run_beside(
        &self,
        canary: &Arc<Plan>,
        primary: &Arc<Plan>,
        measures: &Arc<Measures>,
        detail: Detail,
    ) -> Result<Pair, TransportError> {
        let usual = Terms::usual(detail);
        self.run_beside_on((canary, &usual), (primary, &usual), measures)
    }

    /// The same, each on terms of its own but for who goes first.
    ///
    /// # Errors
    /// As [`Self::run`], for either.
    pub fn run_beside_on(
        &self,
        (canary, terms): (&Arc<Plan>, &Terms),
        (primary, beside): (&Arc<Plan>, &Terms),
        measures: &Arc<Measures>,
    ) -> Result<Pair, TransportError> {
        let transports = (self.transport(canary)?, self.transport(primary)?);
        let at = (clock::monotonic(), self.first(canary));
        let taking = |terms: &Terms, turn| Terms { turn, ..terms.clone() };
        Ok(Pair {
            canary: self.begin((canary, transports.0), measures, &taking(terms, Turn::Even), at),
            primary: self.begin((primary, transports.1), measures, &taking(beside, Turn::Odd), at),
        })
    }

    fn transport(&self, plan: &Plan) -> Result<Transport, TransportError> {
        let transport = Transport::new(plan.wire, &plan.tls, &plan.via)?.knowing(Arc::clone(&self.hosts));
        Ok(match self.fence {
            Some(fence) => transport.fenced(plan.addresses()).below(fence.descriptors),
            None => transport,
        })
    }

    /// Which worker gets a plan's first part.
    fn first(&self, plan: &Plan) -> usize {
        let parts = self.parts(plan);
        if parts == self.workers.len() { 0 } else { self.next.fetch_add(parts, Ordering::Relaxed) }
    }

    /// Hands a load to the workers.
    fn begin(
        &self,
        (plan, transport): (&Arc<Plan>, Transport),
        measures: &Arc<Measures>,
        terms: &Terms,
        (zero, first): (Ns, usize),
    ) -> Load {
        let parts = self.parts(plan);
        // What stops a comparison early is the canary's.
        let trips = if terms.turn == Turn::Odd { &[] } else { measures.trips.as_slice() };
        let brakes = Brakes::new(trips);
        let brakes = Arc::new(if terms.patient { brakes.patient() } else { brakes });
        let board = Arc::new(Board::new(parts));
        let throttled = Throttled::now();
        let cpu = cpu_time();
        let asked =
            |_| if terms.detail == Detail::Window { Some(mpsc::unbounded_channel()).unzip() } else { (None, None) };
        let (asking, asked): (Vec<_>, Vec<_>) = (0..parts).map(asked).unzip();
        let shares = (0..parts)
            .zip(asked)
            .map(|(part, asked)| {
                let (done, share) = oneshot::channel();
                self.workers[(first + part) % self.workers.len()].give(Job {
                    plan: Arc::clone(plan),
                    transport: transport.clone(),
                    measures: Arc::clone(measures),
                    terms: terms.clone(),
                    part: Part { worker: part as u32, workers: parts as u32 },
                    zero,
                    brakes: Arc::clone(&brakes),
                    board: Arc::clone(&board),
                    done,
                    asked,
                });
                share
            })
            .collect();
        let asking = asking.into_iter().flatten().collect();
        Load { plan: Arc::clone(plan), brakes, board, shares, asking, zero, throttled, cpu }
    }

    /// On how many workers a plan is spread.
    fn parts(&self, plan: &Plan) -> usize {
        let small = plan.schedule.peak_rate().is_some_and(|r| r.micro_per_second < ONE_WORKER_BELOW * 1_000_000);
        if small {
            return 1;
        }
        // A connection never leaves its worker: no more workers than there are connections.
        let links = if plan.wire == Wire::Http1 { plan.lanes } else { plan.lanes.div_ceil(plan.streams) };
        self.workers.len().min(links.min(plan.links.unwrap_or(u32::MAX)).max(1) as usize)
    }
}

/// A plan that is running.
#[derive(Debug)]
pub struct Load {
    plan: Arc<Plan>,
    brakes: Arc<Brakes>,
    board: Arc<Board>,
    shares: Vec<oneshot::Receiver<Box<Share>>>,
    /// Where each worker is asked about its part; empty for [`Detail::Run`].
    asking: Vec<mpsc::UnboundedSender<Ask>>,
    zero: Ns,
    throttled: Option<Throttled>,
    cpu: Duration,
}

/// Stops a load from elsewhere.
#[derive(Clone, Debug)]
pub struct Stopper(Arc<Brakes>);

impl Stopper {
    /// Ends the load now: requests in flight are given up and not counted.
    pub fn stop(&self) {
        self.0.stop(Stopped::Interrupted);
    }
}

/// Watches a load from elsewhere.
#[derive(Clone, Debug)]
pub struct Watcher {
    board: Arc<Board>,
    zero: Ns,
}

impl Watcher {
    /// How far the load has come.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.board.read()
    }

    /// How long it has been running, warm-up included.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        Duration::from(clock::monotonic().since(self.zero))
    }
}

impl Load {
    /// A handle that stops this load.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.brakes))
    }

    /// A handle that watches this load.
    #[must_use]
    pub fn watcher(&self) -> Watcher {
        Watcher { board: Arc::clone(&self.board), zero: self.zero }
    }

    /// A handle that shows what any seconds of this load amount to, while it runs and after; `None` for a load that
    /// keeps no windows ([`Detail::Run`]).
    #[must_use]
    pub fn windows(&self) -> Option<Windows> {
        let asking = self.asking.clone();
        (!asking.is_empty()).then(|| Windows::new(Arc::clone(&self.plan), Arc::clone(&self.brakes), self.zero, asking))
    }

    /// The load's start on the system's monotonic clock.
    #[must_use]
    pub fn started(&self) -> Ns {
        self.zero
    }

    /// Waits for the end of the load and says what it amounts to.
    pub async fn finish(self) -> Summary {
        self.finish_with_log().await.0
    }

    /// The same, with the requests one by one; none where none were to be kept.
    pub async fn finish_with_log(self) -> (Summary, Log) {
        // Nothing of the shares is at hand while one of them is waited for: that would be room for it in every load.
        let mut ended = Vec::new();
        for share in self.shares {
            ended.push(share.await);
        }
        let mut all: Option<Box<Share>> = None;
        let mut lost = false;
        for share in ended {
            match (share, &mut all) {
                (Ok(share), None) => all = Some(share),
                (Ok(share), Some(all)) => {
                    all.recorder.merge(&share.recorder);
                    if let (Some(mine), Some(theirs)) = (&mut all.log, share.log) {
                        mine.merge(theirs);
                    }
                    all.peak_lanes += share.peak_lanes;
                    all.first_error = all.first_error.take().or(share.first_error);
                    all.said.merge(&share.said);
                }
                (Err(_), _) => lost = true,
            }
        }
        let mut summary = all.as_ref().map(|all| all.recorder.summary()).unwrap_or_default();
        summary.first_error = all.as_ref().and_then(|all| all.first_error.clone());
        summary.said = all.as_ref().map(|all| all.said.clone()).unwrap_or_default();
        summary.stopped = self.brakes.stopped();
        summary.error = self.brakes.panic().or_else(|| lost.then(|| "a worker of tollgate's own failed".into()));
        summary.splits = split::named(&self.plan, all.as_ref().map_or(&[], |all| all.recorder.splits()));
        let own = &mut summary.generator;
        own.rate = self.plan.schedule.mean_rate().map(|rate| rate.micro_per_second as f64 / 1e6);
        own.lanes = self.plan.lanes;
        own.max_lanes = self.plan.max_lanes;
        own.peak_lanes = all.as_ref().map_or(0, |all| all.peak_lanes);
        own.cpu = Some(cpu_time().saturating_sub(self.cpu));
        if let Some((before, after)) = self.throttled.zip(Throttled::now()) {
            own.throttled = Some(after.since(before).time);
            own.throttled_periods = after.since(before).periods;
        }
        let log = all.and_then(|all| all.log).unwrap_or_else(|| Log::new(0));
        (summary, log)
    }
}

/// User and system time of this process so far.
fn cpu_time() -> Duration {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(spent.tv_sec as u64, spent.tv_nsec as u32)
}
