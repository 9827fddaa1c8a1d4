//! The rules as scenarios: loads that are scripted second by second, on a clock that stands still until somebody waits.

mod answers;
mod beside;
mod outside;
mod people;
mod properties;
mod rollback;
mod runs;
mod windows;

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

use super::{
    Answer, Board, Call, Delivery, End, Event, Kind, Load, Loads, Observer, Role, Settings, Stage, Standing, Start,
};
use crate::canary::{Canary, Checksum, Phase};
use crate::plan::Plan;
use crate::slo;
use crate::spec::{Id, Objective, Order, SpecBuilder};
use crate::state::{Memory, Store};
use crate::stats::{Code, Fault, Measures, Reading, Set, Summary, Tally, Test};

/// What one second of load saw: answers in time, answers too late, failures, requests without any answer so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Second {
    pub(super) good: u64,
    pub(super) slow: u64,
    pub(super) bad: u64,
    pub(super) pending: u64,
}

/// Twenty requests a second, so many of them failed.
pub(super) const fn bad(bad: u64) -> Second {
    Second { good: 20 - bad, slow: 0, bad, pending: 0 }
}

/// What a target does: how long until it first answers (`None` never), and what the seconds of its *n*-th load see.
struct Target {
    reached_after: Option<Duration>,
    script: Box<dyn Fn(usize, u64) -> Second + Send>,
}

/// Everything that the scripted loads share with a test.
pub(super) struct World {
    target: Target,
    /// Every load that was started.
    pub(super) starts: Vec<Start>,
    /// What happened.
    pub(super) events: Vec<Event>,
    /// Whether our own process spoils the numbers.
    pub(super) saturated: bool,
    /// Whether the engine fails.
    pub(super) broken: bool,
    /// What each second of a load on the release in service sees.
    pub(super) primary: Second,
    /// What loads that start now tell the script in place of their number.
    pub(super) marked: Option<usize>,
}

#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<World>>);

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("World")
    }
}

impl Shared {
    pub(super) fn get(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }
}

impl Observer for Shared {
    fn saw(&self, event: &Event) {
        self.get().events.push(event.clone());
    }
}

/// One scripted load.
#[derive(Clone, Debug)]
pub(super) struct Script {
    world: Shared,
    number: usize,
    began: Instant,
    start: Start,
    stopped: Arc<Mutex<Option<Instant>>>,
}

impl Script {
    fn length(&self) -> Duration {
        let schedule = &self.start.plan.schedule;
        schedule.end().unwrap().saturating_sub(schedule.warmup)
    }

    /// How long it has been sending, up to its stop.
    fn sending(&self) -> Option<Duration> {
        let reached = self.world.get().target.reached_after?;
        let now = self.stopped.lock().unwrap().unwrap_or_else(Instant::now);
        (now - self.began).checked_sub(reached)
    }
}

impl Load for Script {
    fn standing(&self) -> Standing {
        let stopped = self.stopped.lock().unwrap().is_some();
        let standing = |stage, judged| Standing { stage, judged };
        if self.world.get().broken {
            return standing(Stage::Over(End::Broken("a worker panicked".into())), Duration::ZERO);
        }
        let Some(sending) = self.sending() else {
            let lost = Instant::now() - self.began >= self.start.ready_wait || stopped;
            let unreachable = Stage::Over(End::Unreachable("connection refused".into()));
            return standing(if lost { unreachable } else { Stage::Reaching }, Duration::ZERO);
        };
        let judged = sending.saturating_sub(self.start.plan.schedule.warmup).min(self.length());
        if judged == self.length() || stopped {
            return standing(Stage::Over(End::Done), judged);
        }
        let warming = sending < self.start.plan.schedule.warmup;
        standing(if warming { Stage::Warming } else { Stage::Running }, judged)
    }

    fn count(&self, _: &Arc<Measures>) {}

    async fn look(&self, measures: &Arc<Measures>, seconds: Range<u64>) -> Summary {
        self.seen(measures, seconds, |world, second| (world.target.script)(self.number, second))
    }

    async fn look_beside(&self, measures: &Arc<Measures>, seconds: Range<u64>) -> Option<Summary> {
        self.start.primary.as_ref()?;
        Some(self.seen(measures, seconds, |world, _| world.primary))
    }

    fn stop(&self) {
        self.stopped.lock().unwrap().get_or_insert_with(Instant::now);
    }
}

impl Script {
    fn seen(&self, measures: &Measures, seconds: Range<u64>, of: impl Fn(&World, u64) -> Second) -> Summary {
        let judged = self.standing().judged;
        let world = self.world.get();
        let mut all = Second::default();
        for second in seconds.start..seconds.end.min(judged.as_secs() + 1) {
            let seen = of(&world, second);
            // The second that is running has seen a part.
            let part = (judged.saturating_sub(Duration::from_secs(second))).as_secs_f64().min(1.0);
            let part = |n: u64| (n as f64 * part).floor() as u64;
            all.good += part(seen.good);
            all.slow += part(seen.slow);
            all.bad += part(seen.bad);
            all.pending += part(seen.pending);
        }
        summary(measures, all, world.saturated)
    }
}

fn summary(measures: &Measures, all: Second, saturated: bool) -> Summary {
    let ok = all.good + all.slow;
    let tally = |n, k, pending| Reading::Tally(Tally { n, k, pending, ..Tally::default() });
    let readings = measures.meters.iter().map(|meter| match meter.test {
        Test::Share(Set::Success) => tally(ok + all.bad, ok, all.pending),
        Test::Share(_) => tally(ok + all.bad, all.bad, 0),
        Test::AtMost(..) => tally(ok, all.good, all.pending),
        Test::Moments(_) => Reading::empty(meter.test),
    });
    let mut summary = Summary {
        finished: ok + all.bad,
        succeeded: ok,
        readings: readings.collect(),
        reached: true,
        ..Summary::default()
    };
    summary.codes.insert(Code::Http(200), ok);
    if all.bad > 0 {
        summary.faults.insert(Fault::Reset, all.bad);
        summary.codes.insert(Code::None, all.bad);
    }
    summary.generator.scheduled = ok + all.bad;
    summary.generator.late = if saturated { ok + all.bad } else { 0 };
    summary
}

#[derive(Clone, Debug)]
pub(super) struct Scripts(Shared);

impl Loads for Scripts {
    type Load = Script;

    fn start(&self, start: Start) -> Result<Script, String> {
        let mut world = self.0.get();
        let number = world.marked.unwrap_or(world.starts.len());
        world.starts.push(start.clone());
        Ok(Script { world: self.0.clone(), number, began: Instant::now(), start, stopped: Arc::default() })
    }
}

/// A board, its world, and a canary called podinfo.
pub(super) struct Scene {
    pub(super) board: Board<Scripts>,
    pub(super) world: Shared,
}

impl Scene {
    /// A target that answers at once and does what `script` says in each second of each load.
    pub(super) fn new(script: impl Fn(usize, u64) -> Second + Send + 'static) -> Self {
        Self::with(Settings::default(), script)
    }

    pub(super) fn with(settings: Settings, script: impl Fn(usize, u64) -> Second + Send + 'static) -> Self {
        let target = Target { reached_after: Some(Duration::ZERO), script: Box::new(script) };
        let (starts, events) = (Vec::new(), Vec::new());
        let world = World { target, starts, events, saturated: false, broken: false, primary: bad(0), marked: None };
        let world = Shared(Arc::new(Mutex::new(world)));
        Self::on(world, settings, Arc::new(Memory))
    }

    /// A service that begins with what is in `store`.
    pub(super) fn on(world: Shared, settings: Settings, store: Arc<dyn Store>) -> Self {
        let board = Board::load(Scripts(world.clone()), settings, Arc::new(world.clone()), store).unwrap();
        Self { board, world }
    }

    pub(super) fn reached_after(&self, after: Option<Duration>) {
        self.world.get().target.reached_after = after;
    }

    /// Asks, and takes the answer.
    pub(super) async fn ask(&self, call: &Call) -> Answer {
        let delivery = self.send(call).await;
        let answer = delivery.answer().clone();
        delivery.arrived();
        answer
    }

    pub(super) async fn kind(&self, call: &Call) -> Kind {
        self.ask(call).await.kind
    }

    /// Asks; whether the answer arrives is the caller's business.
    pub(super) async fn send(&self, call: &Call) -> Delivery<Scripts> {
        self.board.call(call.clone()).await
    }

    pub(super) fn loads(&self) -> usize {
        self.world.get().starts.len()
    }

    /// Loads that are not over.
    pub(super) fn running(&self) -> usize {
        let status = self.board.status();
        let loads = status.iter().flat_map(|canary| canary.run.iter().flat_map(|run| &run.loads).chain(&canary.loose));
        loads.filter(|load| !load.standing.is_over()).count()
    }
}

/// Until `seconds` after the beginning.
pub(super) async fn at(scene: &Scene, seconds: f64) {
    let now = scene.board.now();
    tokio::time::sleep(Duration::from_secs_f64(seconds).saturating_sub(now)).await;
}

pub(super) fn objective(text: &str) -> Arc<Objective> {
    Arc::new(Objective { text: text.to_owned(), line: slo::parse(text).unwrap() })
}

/// A load of 20 requests a second against `url`.
pub(super) fn plan(url: &str, wishes: &[(Id, &str)]) -> Arc<Plan> {
    let mut builder = SpecBuilder::new();
    for (id, value) in [(Id::Url, url), (Id::Rate, "20/s"), (Id::Duration, "1m")].iter().chain(wishes) {
        builder.give(*id, *value);
    }
    let none = |_: &std::path::Path| Err(std::io::Error::other("no files"));
    Arc::new(builder.build(&none).unwrap().plan)
}

pub(super) const CANARY_URL: &str = "http://podinfo-canary.test:9898/";

/// A call of that hook for revision `v2` of podinfo, by 20 requests a second for a minute against the canary alone.
pub(super) fn call(role: Role) -> Call {
    Call {
        canary: Canary::new("podinfo", "test"),
        phase: Phase::Progressing,
        checksum: Checksum::new("v2"),
        role,
        order: Order {
            plan: Some(plan(CANARY_URL, &[])),
            objective: Some(objective("success>=99%, p99<=500ms")),
            ready_wait: Duration::from_secs(15),
            ..Order::default()
        },
        signal: None,
    }
}

/// The same without a target.
pub(super) fn bare(role: Role) -> Call {
    let mut call = call(role);
    (call.order.plan, call.order.objective) = (None, None);
    call
}
