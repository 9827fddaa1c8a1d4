//! One worker's share of one load: what its lanes stand on, and the closed loop.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::Turn;
use super::brakes::{Brakes, Reported};
use super::lane::{Backoff, Lane};
use super::link::{Due, Fired, SharedGround};
use super::pulse::Pulse;
use super::split::keys;
use super::watched::Watched;
use super::way::{Route, Ways};
use super::who::Who;
use crate::plan::{Arrivals, Origin, Plan, Request, Target, Turns, Wire};
use crate::stats::{Key, Log, Ns, Recorder, Sample};
use crate::wire::{Clock, Protocol};

/// Where finished requests go. Lanes do not know who counts them.
pub(super) trait Sink: 'static {
    /// One request finished.
    fn record(&mut self, sample: &Sample);
    /// The same request again, where results are told apart: a key for each way.
    fn split(&mut self, sample: &Sample, keys: &[Key]);
    /// One request fell due; `lag` is how late our own process noticed, in an open loop.
    fn due(&mut self, due: Ns, lag: Option<Ns>);
    /// One attempt to open a connection ended.
    fn dialled(&mut self, made: bool);
    /// The worker's request `number`, counted from 0, fell due.
    fn fell_due(&mut self, _number: u64, _due: &Due) {}
    /// The worker's request `number` is finished.
    fn answered(&mut self, _number: u64) {}
    /// The counters that early ends are decided on.
    fn recorder(&self) -> &Recorder;
    /// What was recorded, with each request where that was asked for. Taken at the end: lanes that were cut off record
    /// no more.
    fn take(&mut self) -> (Recorder, Option<Log>);
    /// The windows, where the load is judged while it runs.
    fn watched(&mut self) -> Option<&mut Watched> {
        None
    }
}

impl Sink for Recorder {
    fn record(&mut self, sample: &Sample) {
        Self::record(self, sample);
    }

    fn split(&mut self, sample: &Sample, keys: &[Key]) {
        Self::split(self, sample, keys);
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

    fn take(&mut self) -> (Recorder, Option<Log>) {
        (self.clone(), None)
    }
}

/// Whichever it is.
impl Sink for Box<dyn Sink> {
    fn record(&mut self, sample: &Sample) {
        (**self).record(sample);
    }

    fn split(&mut self, sample: &Sample, keys: &[Key]) {
        (**self).split(sample, keys);
    }

    fn due(&mut self, due: Ns, lag: Option<Ns>) {
        (**self).due(due, lag);
    }

    fn dialled(&mut self, made: bool) {
        (**self).dialled(made);
    }

    fn fell_due(&mut self, number: u64, due: &Due) {
        (**self).fell_due(number, due);
    }

    fn answered(&mut self, number: u64) {
        (**self).answered(number);
    }

    fn recorder(&self) -> &Recorder {
        (**self).recorder()
    }

    fn take(&mut self) -> (Recorder, Option<Log>) {
        (**self).take()
    }

    fn watched(&mut self) -> Option<&mut Watched> {
        (**self).watched()
    }
}

/// Counts, and keeps each request besides.
impl Sink for (Recorder, Log) {
    fn record(&mut self, sample: &Sample) {
        self.0.record(sample);
        self.1.record(sample);
    }

    fn split(&mut self, sample: &Sample, keys: &[Key]) {
        self.0.split(sample, keys);
    }

    fn due(&mut self, due: Ns, lag: Option<Ns>) {
        self.0.due(due, lag);
    }

    fn dialled(&mut self, made: bool) {
        self.0.dialled(made);
    }

    fn recorder(&self) -> &Recorder {
        &self.0
    }

    fn take(&mut self) -> (Recorder, Option<Log>) {
        (self.0.clone(), Some(std::mem::replace(&mut self.1, Log::new(0))))
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
    /// Which of them each request takes.
    pub(super) turns: Turns,
    /// Whose answers count; `None` for everybody's.
    pub(super) who: Option<Who>,
    /// Redirects to follow within one request.
    pub(super) redirects: u32,
    /// The servers of the load.
    pub(super) origins: Vec<Origin>,
    /// Counts from the load's start.
    pub(super) clock: C,
    pub(super) sink: RefCell<S>,
    pub(super) brakes: Arc<Brakes>,
    reported: RefCell<Reported>,
    pulse: Rc<Pulse>,
    /// The load's start on the heartbeat's clock.
    zero: Ns,
    tolerance: Cell<Ns>,
    /// When the last request due has had its time.
    pub(super) hard_end: Ns,
    /// Whether another load with the same schedule goes first.
    pub(super) turn: Turn,
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
        let origins = plan.targets.iter().map(|target| target.origin.clone()).collect();
        // gRPC knows no redirects.
        let redirects = if plan.wire == Wire::Grpc { 0 } else { plan.redirects };
        let turns = plan.turns();
        let who = plan.identify.as_ref().and_then(Who::new);
        Self {
            plan,
            part,
            protocol,
            ways,
            routes,
            turns,
            who,
            redirects,
            origins,
            clock,
            sink,
            brakes,
            reported,
            pulse,
            zero,
            tolerance: Cell::new(tolerance),
            hard_end,
            turn: Turn::Alone,
        }
    }

    /// The same ground, beside that of another load.
    pub(super) fn taking(self, turn: Turn) -> Self {
        Self { turn, ..self }
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

    /// What request `index` says to a target.
    pub(super) fn request(&self, target: usize, index: u64) -> Request {
        let Target { request, drawn, .. } = &self.plan.targets[target];
        drawn.as_ref().map_or_else(|| request.clone(), |drawn| drawn.request(request, self.plan.seed, index))
    }

    /// Counts request `index` to a target, now finished.
    pub(super) fn record(&self, target: usize, index: u64, Fired { mut sample, address, counts }: Fired) {
        sample.elsewhere = self.who.is_some() && !counts;
        sample.class = target as u16;
        sample.tainted = self.pulse.stood_still(sample.sent + self.zero, sample.done + self.zero, self.tolerance.get());
        let mut sink = self.sink.borrow_mut();
        sink.record(&sample);
        if !self.plan.split.is_empty() && !sample.elsewhere {
            sink.split(&sample, &keys(&self.plan, target, index, address));
        }
        sink.answered(index / u64::from(self.part.workers));
        self.brakes.check(sink.recorder(), &mut self.reported.borrow_mut());
    }

    /// Counts a request that fell due; `lag` is how late our own process noticed, in an open loop.
    pub(super) fn fell_due(&self, due: &Due, lag: Option<Ns>) {
        let mut sink = self.sink.borrow_mut();
        sink.due(due.due, lag);
        sink.fell_due(due.index / u64::from(self.part.workers), due);
    }

    /// Tolerates no more standing still than this from now on.
    pub(super) fn tighten(&self, tolerance: Ns) {
        self.tolerance.set(self.tolerance.get().min(tolerance));
    }
}

/// Hands out the requests of a closed loop.
#[derive(Debug)]
struct Supply {
    /// Requests of the judged part that this worker still has to start; `None` without a count.
    left: Cell<Option<u64>>,
    next: Cell<u64>,
    warmup: Ns,
    /// The last moment at which a request may be due.
    last: Ns,
}

impl Supply {
    fn new(plan: &Plan, part: Part) -> Self {
        let end = plan.schedule.end().map_or(Ns::MAX, Ns::from);
        // As in an open loop, what falls due exactly at the end is sent; a lane that is just free then is done.
        let last = if plan.schedule.arrivals == Arrivals::Closed { end - Ns(1) } else { end };
        Self {
            left: Cell::new(plan.schedule.stop.count.map(|count| part.of(count))),
            next: Cell::new(u64::from(part.worker)),
            warmup: Ns::from(plan.schedule.warmup),
            last,
        }
    }

    /// The index of the next request, if there is to be one at `at`.
    fn take(&self, at: Ns, part: Part) -> Option<u64> {
        let warming = self.warmup > Ns::ZERO && at <= self.warmup;
        if at > self.last {
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

/// Runs the closed loop: each lane sends as soon as its previous answer is complete, or, paced, when its own next time
/// has come.
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
    let mut lane = Lane::new(number);
    let mut backoff = Backoff::new(u64::from(number) + 1);
    let mut pace = ground.plan.schedule.lane_dues(u64::from(number), u64::from(ground.plan.lanes));
    loop {
        let free = ground.clock.now();
        // A time that has passed while the lane was held is good now, and no earlier.
        let at = pace.as_mut().map_or(free, |pace| Ns::from(pace.after(free.into())).max(free));
        let Some(index) = supply.take(at, ground.part) else { return };
        let mut due = Due { index, due: at, origin: at };
        let mut lag = None;
        if at > free {
            ground.clock.until(at).await;
            due.origin = ground.clock.now().max(at);
            lag = Some(due.origin.since(at));
        }
        ground.fell_due(&due, lag);
        let target = ground.turns.of(index);
        let fired = lane.fire(&ground, target, due).await;
        ground.record(target, index, fired);
        // A pace bounds how often a dead port is asked, as a rate does.
        if pace.is_none() {
            backoff.after(&fired.sample, &ground.clock).await;
        }
        lane.renew(&ground).await;
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
