//! Worker threads: each one runtime, one clock, one heartbeat, and its share of every load it is given.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{mpsc, oneshot};

use super::Terms;
use super::board::Board;
use super::brakes::Brakes;
use super::clock::Fine;
use super::ledger::{self, Entry};
use super::pool;
use super::pulse::Pulse;
use super::share::{self, Ground, Part, Sink};
use super::watched::{self, Ask, Watched};
use super::way::Ways;
use crate::plan::{Plan, Wire};
use crate::stats::{Log, Measures, Ns, Recorder, Said};
use crate::wire::{Grpc, Http1, Http2, Protocol, Transport};

/// One worker's share of one load.
pub(super) struct Job {
    pub(super) plan: Arc<Plan>,
    pub(super) transport: Transport,
    pub(super) measures: Arc<Measures>,
    pub(super) terms: Terms,
    pub(super) part: Part,
    /// The load's start on the monotonic clock.
    pub(super) zero: Ns,
    pub(super) brakes: Arc<Brakes>,
    pub(super) board: Arc<Board>,
    pub(super) done: oneshot::Sender<Box<Share>>,
    /// What is asked about the share while it runs; `None` where nobody will ask.
    pub(super) asked: Option<mpsc::UnboundedReceiver<Ask>>,
}

/// What a worker hands back.
#[derive(Debug)]
pub(super) struct Share {
    pub(super) recorder: Recorder,
    pub(super) log: Option<Log>,
    pub(super) peak_lanes: u32,
    pub(super) first_error: Option<String>,
    pub(super) said: Said,
}

/// A running worker thread.
#[derive(Debug)]
pub(super) struct Worker {
    jobs: mpsc::UnboundedSender<Job>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("part", &self.part).finish_non_exhaustive()
    }
}

/// What every load on a worker shares.
#[derive(Clone)]
struct Floor {
    clock: Fine,
    pulse: Rc<Pulse>,
    /// Loads with a rate, and their dues a second together.
    paced: Rc<Cell<(usize, u64)>>,
}

impl Floor {
    /// Changes what the worker has to keep pace with.
    fn pace(&self, change: impl Fn(usize, u64) -> (usize, u64)) {
        let (loads, dues) = self.paced.get();
        let (loads, dues) = change(loads, dues);
        self.paced.set((loads, dues));
        self.clock.set_dues_per_second(loads, dues);
    }
}

impl Worker {
    /// Starts a thread that ends when the worker is dropped and its loads are done.
    pub(super) fn start(number: usize) -> io::Result<Self> {
        let (jobs, inbox) = mpsc::unbounded_channel();
        let (ready, started) = std::sync::mpsc::sync_channel(1);
        thread::Builder::new().name(format!("load-{number}")).spawn(move || {
            let runtime = match Builder::new_current_thread().enable_all().build_local(LocalOptions::default()) {
                Ok(runtime) => runtime,
                Err(error) => return drop(ready.send(Err(error))),
            };
            runtime.block_on(async move {
                let clock = match Fine::new() {
                    Ok(clock) => clock,
                    Err(error) => return drop(ready.send(Err(error))),
                };
                let _ = ready.send(Ok(()));
                let floor = Floor { clock, pulse: Pulse::new(), paced: Rc::default() };
                work(inbox, floor).await;
            });
        })?;
        started.recv().map_err(|_| io::Error::other("a worker thread ended before it began"))??;
        Ok(Self { jobs })
    }

    /// Hands the worker a share of a load. A worker that is gone drops it, which the load notices.
    pub(super) fn give(&self, job: Job) {
        let _ = self.jobs.send(job);
    }
}

async fn work(mut inbox: mpsc::UnboundedReceiver<Job>, floor: Floor) {
    let mut running = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            job = inbox.recv() => match job {
                Some(job) => drop(running.spawn_local(carry(job, floor.clone()))),
                None => break,
            },
            // A share that panicked has dropped its `done`: the load sees that.
            Some(_) = running.join_next(), if !running.is_empty() => {}
        }
    }
    while running.join_next().await.is_some() {}
}

/// Runs one share over the protocol that its plan asks for.
async fn carry(job: Job, floor: Floor) {
    let carried = match job.plan.wire {
        Wire::Http1 => {
            let protocol =
                Http1::new(job.plan.keep_alive).through(&job.plan.via).resending_early(job.terms.resends_early);
            carry_over(protocol, job, floor)
        }
        Wire::Http2 => carry_over(Http2, job, floor),
        Wire::Grpc => {
            let protocol = Grpc::of(&job.plan);
            carry_over(protocol, job, floor)
        }
    };
    carried.await;
}

/// Runs one share and counts it, or keeps each of its requests besides. Boxed, it takes no more room than this protocol
/// needs; and the engine is compiled once for each protocol, whoever counts.
fn carry_over<P: Protocol>(protocol: P, job: Job, floor: Floor) -> Pin<Box<dyn Future<Output = ()>>> {
    let recorder = Recorder::new(Arc::clone(&job.measures), Ns::from(job.plan.schedule.warmup), job.terms.detail);
    let sink: Box<dyn Sink> = match job.terms.rows {
        None if job.asked.is_some() => {
            let judged_from = Ns::from(job.plan.schedule.warmup);
            Box::new(Watched::new(recorder, Arc::clone(&job.measures), judged_from))
        }
        None => Box::new(recorder),
        Some(most) => Box::new((recorder, Log::new(most))),
    };
    Box::pin(carry_into(sink, protocol, job, floor))
}

/// Runs one share and hands it back.
async fn carry_into<P: Protocol, S: Sink>(sink: S, protocol: P, job: Job, floor: Floor) {
    let turn = job.terms.turn;
    let entry = job.terms.ledger.clone().map(|ledger| Rc::new(Entry::new(ledger)));
    let Job { plan, transport, measures, part, zero, brakes, board, done, asked, .. } = job;
    let beating = floor.pulse.beat(&floor.clock);
    let beats_before = floor.pulse.lag();
    let dues = plan.schedule.peak_rate().map_or(0, |rate| rate.micro_per_second / 1_000_000 / u64::from(part.workers));
    floor.pace(|loads, all| (loads + usize::from(dues > 0), all + dues));

    let ways = Ways::new(transport, part.worker as usize, &plan);
    let clock = floor.clock.starting_at(zero);
    let pulse = (Rc::clone(&floor.pulse), zero, measures.tolerance());
    let closed = plan.schedule.is_closed();
    let lanes = part.of(u64::from(plan.lanes)) as u32;
    let ground = Ground::new((plan, part), (protocol, ways), clock.clone(), sink, brakes, pulse);
    let ground = Rc::new(ground.taking(turn));

    if let Some(asked) = asked {
        tokio::task::spawn_local(watched::answer(Rc::clone(&ground), asked));
    }
    let publisher = tokio::task::spawn_local(publish(Rc::clone(&ground), board, part, entry.clone()));
    let peak_lanes = if closed {
        share::closed(Rc::clone(&ground)).await;
        lanes
    } else {
        pool::open(Rc::clone(&ground)).await
    };
    publisher.abort();
    ledger::add(entry.as_deref(), &ground);

    floor.pace(|loads, all| (loads - usize::from(dues > 0), all - dues));
    let beats = floor.pulse.lag().since(&beats_before);
    drop(beating);
    let (mut recorder, log) = ground.sink.borrow_mut().take();
    recorder.heartbeats(&beats);
    let (first_error, said) = (ground.ways.first_error(), ground.protocol.said());
    // A receiver that is gone no longer wants the share.
    let _ = done.send(Box::new(Share { recorder, log, peak_lanes, first_error, said }));
    // Whoever still asks about the load needs its numbers and not its connections.
    ground.ways.close();
}

/// Puts progress on the board, and what is new into the ledger, while the load runs.
async fn publish<P: Protocol, C: crate::wire::Clock, S: Sink>(
    ground: Rc<Ground<P, C, S>>,
    board: Arc<Board>,
    part: Part,
    entry: Option<Rc<Entry>>,
) {
    loop {
        tokio::time::sleep(board.period()).await;
        let now = ground.clock.now();
        board.put(part.worker as usize, ground.sink.borrow().recorder(), now);
        ledger::add(entry.as_deref(), &ground);
    }
}
