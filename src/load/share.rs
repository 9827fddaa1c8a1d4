//! One worker's share of one load: what its lanes stand on, and the closed loop.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::brakes::{Brakes, Reported};
use super::link::{Backoff, Due, Fired, Link, SharedGround};
use super::pulse::Pulse;
use super::way::{Route, Ways};
use crate::plan::Plan;
use crate::stats::{Ns, Recorder, Sample};
use crate::wire::{Clock, Protocol};

/// Where finished requests go. Lanes do not know who counts them.
pub trait Sink: 'static {
    /// One request finished.
    fn record(&mut self, sample: &Sample);
    /// One request fell due; `lag` is how late our own process noticed, in an open loop.
    fn due(&mut self, due: Ns, lag: Option<Ns>);
    /// One attempt to open a connection ended.
    fn dialled(&mut self, made: bool);
    /// The counters that early ends are decided on.
    fn recorder(&self) -> &Recorder;
}

impl Sink for Recorder {
    fn record(&mut self, sample: &Sample) {
        Self::record(self, sample);
    }

    fn due(&mut self, due: Ns, lag: Option<Ns>) {
        Self::due(self, due, lag);
    }

    fn dialled(&mut self, made: bool) {
        Self::dialled(self, made);
    }

    fn recorder(&self) -> &Recorder {
        self
    }
}

/// Which part of the load this worker carries: request `i` belongs to worker `i mod workers`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) worker: u32,
    pub(super) workers: u32,
}

impl Part {
    /// This worker's part of `whole` things.
    pub(super) fn of(self, whole: u64) -> u64 {
        let (worker, workers) = (u64::from(self.worker), u64::from(self.workers));
        whole / workers + u64::from(whole % workers > worker)
    }
}

/// What all lanes of one load on one worker share.
#[derive(Debug)]
pub(super) struct Ground<P: Protocol, C, S> {
    pub(super) plan: Arc<Plan>,
    pub(super) part: Part,
    pub(super) protocol: P,
    pub(super) ways: Ways<P>,
    /// One for each target of the plan, in its order.
    pub(super) routes: Vec<Route<P>>,
    /// Counts from the load's start.
    pub(super) clock: C,
    pub(super) sink: RefCell<S>,
    pub(super) brakes: Arc<Brakes>,
    reported: RefCell<Reported>,
    pulse: Rc<Pulse>,
    /// The load's start on the heartbeat's clock.
    zero: Ns,
    tolerance: Ns,
    /// When the last request due has had its time.
    pub(super) hard_end: Ns,
}

impl<P: Protocol, C: Clock, S: Sink> Ground<P, C, S> {
    /// The ground of a load that began at `zero` on the heartbeat's clock.
    pub(super) fn new(
        (plan, part): (Arc<Plan>, Part),
        (protocol, ways): (P, Ways<P>),
        clock: C,
        sink: S,
        brakes: Arc<Brakes>,
        (pulse, zero, tolerance): (Rc<Pulse>, Ns, Ns),
    ) -> Self {
        let end = plan.schedule.end().map_or(Ns::MAX, Ns::from);
        let timeout = plan.timeout.map_or(Ns::MAX, Ns::from);
        let reported = RefCell::new(brakes.reporter());
        let sink = RefCell::new(sink);
        let routes = plan.targets.iter().map(|target| ways.route(target, &protocol)).collect();
        let hard_end = end + timeout;
        Self { plan, part, protocol, ways, routes, clock, sink, brakes, reported, pulse, zero, tolerance, hard_end }
    }

    /// Until when a request that goes out now may take.
    pub(super) fn limit(&self, now: Ns) -> Ns {
        self.plan.timeout.map_or(Ns::MAX, |timeout| now + Ns::from(timeout)).min(self.hard_end)
    }

    /// Counts one attempt to open a connection.
    pub(super) fn dialled(&self, made: bool) {
        self.sink.borrow_mut().dialled(made);
        if made {
            self.brakes.reached();
        }
    }

    /// Counts one finished request.
    pub(super) fn record(&self, mut sample: Sample) {
        sample.tainted = self.pulse.stood_still(sample.sent + self.zero, sample.done + self.zero, self.tolerance);
        let mut sink = self.sink.borrow_mut();
        sink.record(&sample);
        self.brakes.check(sink.recorder(), &mut self.reported.borrow_mut());
    }
}

/// Hands out the requests of a closed loop.
#[derive(Debug)]
struct Supply {
    /// Requests of the judged part that this worker still has to start; `None` without a count.
    left: Cell<Option<u64>>,
    next: Cell<u64>,
    warmup: Ns,
    end: Ns,
}

impl Supply {
    fn new(plan: &Plan, part: Part) -> Self {
        Self {
            left: Cell::new(plan.schedule.stop.count.map(|count| part.of(count))),
            next: Cell::new(u64::from(part.worker)),
            warmup: Ns::from(plan.schedule.warmup),
            end: plan.schedule.end().map_or(Ns::MAX, Ns::from),
        }
    }

    /// The index of the next request, if there is to be one now.
    fn take(&self, now: Ns, part: Part) -> Option<u64> {
        let warming = self.warmup > Ns::ZERO && now <= self.warmup;
        if now >= self.end {
            return None;
        }
        if let Some(left) = self.left.get()
            && !warming
        {
            self.left.set(Some(left.checked_sub(1)?));
        }
        let index = self.next.get();
        self.next.set(index + u64::from(part.workers));
        Some(index)
    }
}

/// Runs the closed loop: each lane sends as soon as its previous answer is complete.
pub(super) async fn closed<P: Protocol, C: Clock, S: Sink>(ground: SharedGround<P, C, S>) {
    let supply = Rc::new(Supply::new(&ground.plan, ground.part));
    let mut lanes = JoinSet::new();
    for lane in 0..ground.part.of(u64::from(ground.plan.lanes)) as u32 {
        let number = lane * ground.part.workers + ground.part.worker;
        lanes.spawn_local(closed_lane(Rc::clone(&ground), Rc::clone(&supply), number));
    }
    watch(&ground.brakes, &mut lanes).await;
}

async fn closed_lane<P: Protocol, C: Clock, S: Sink>(ground: SharedGround<P, C, S>, supply: Rc<Supply>, number: u32) {
    let mut link = Link::new(0, number);
    let mut backoff = Backoff::new(u64::from(number) + 1);
    loop {
        let now = ground.clock.now();
        let Some(index) = supply.take(now, ground.part) else { return };
        ground.sink.borrow_mut().due(now, None);
        let due = Due { index, due: now, origin: now };
        let Fired { sample, .. } = link.fire(&ground, &ground.routes[0].request, due).await;
        ground.record(sample);
        backoff.after(&sample, &ground.clock).await;
        link.renew(&ground).await;
    }
}

/// Waits for all lanes, or until the load is stopped; a lane that panics ends the load as an error of ours.
pub(super) async fn watch(brakes: &Brakes, lanes: &mut JoinSet<()>) {
    loop {
        tokio::select! {
            () = brakes.wait() => return,
            joined = lanes.join_next() => match joined {
                None => return,
                Some(Ok(())) => {}
                Some(Err(error)) if error.is_panic() => brakes.panicked(error.to_string()),
                Some(Err(_)) => {}
            },
        }
    }
}
