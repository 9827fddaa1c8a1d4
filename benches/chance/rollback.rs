//! Analyses of an hour in which a rollback hook is asked on every tick, through the board of the service itself.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::time::{Instant, sleep_until};
use tollgate::canary::{Canary, Checksum, Phase};
use tollgate::plan::Plan;
use tollgate::slo;
use tollgate::spec::{Id, Objective, Order, SpecBuilder};
use tollgate::state::Memory;
use tollgate::stats::{Code, Measures, Reading, Set, Summary, Tally, Test};
use tollgate::task::{Board, Call, Event, Kind, Load, Loads, Observer, Role, Settings, Stage, Standing, Start};

use super::draw::{Binomial, Dice};

/// The chance of a wrong rollback that is promised, over a whole analysis.
pub(crate) const ALPHA: f64 = 0.05;
/// Requests a second.
const RATE: u64 = 20;
/// Length of an analysis, in seconds.
const HOUR: u64 = 3_600;

/// One kind of analysis.
pub(crate) struct Scene {
    /// The objective.
    pub(crate) line: &'static str,
    /// What is true, in words.
    pub(crate) truth: &'static str,
    /// The chance of each request to fail, and of each answer to be slower than the bound.
    chances: (f64, f64),
    /// Seconds from one question to the next.
    pub(crate) tick: u64,
    /// Whether the release keeps its objective, if only just.
    pub(crate) is_good: bool,
}

const BOTH: &str = "success>=99%, p99<=500ms";

/// At the objective and beyond it.
pub(crate) const SCENES: [Scene; 6] = [
    Scene { line: "success>=99%", truth: "1 % fail", chances: (0.01, 0.0), tick: 10, is_good: true },
    Scene { line: BOTH, truth: "1 % fail, 1 % slow", chances: (0.01, 0.01), tick: 10, is_good: true },
    Scene { line: BOTH, truth: "1 % fail, 1 % slow", chances: (0.01, 0.01), tick: 60, is_good: true },
    Scene { line: BOTH, truth: "2 % fail", chances: (0.02, 0.0), tick: 10, is_good: false },
    Scene { line: BOTH, truth: "3 % fail", chances: (0.03, 0.0), tick: 10, is_good: false },
    Scene { line: BOTH, truth: "10 % slow", chances: (0.0, 0.1), tick: 10, is_good: false },
];

/// How an hour of load goes: failed and slow requests up to each second.
#[derive(Debug)]
struct Story {
    failed: Vec<u64>,
    slow: Vec<u64>,
}

impl Story {
    fn new(chances: (f64, f64), seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let (fails, lags) = (Binomial::new(RATE as u32, chances.0), Binomial::new(RATE as u32, chances.1));
        let (mut failed, mut slow) = (vec![0], vec![0]);
        for second in 0..HOUR as usize {
            failed.push(failed[second] + fails.draw(&mut dice));
            slow.push(slow[second] + lags.draw(&mut dice));
        }
        Self { failed, slow }
    }

    /// What some seconds amount to.
    fn summary(&self, measures: &Measures, seconds: Range<u64>) -> Summary {
        let (from, to) = (seconds.start.min(HOUR) as usize, seconds.end.min(HOUR) as usize);
        let n = (to - from.min(to)) as u64 * RATE;
        let failed = self.failed[to] - self.failed[from.min(to)];
        // Where more were drawn than there are answers, all are slow.
        let slow = (self.slow[to] - self.slow[from.min(to)]).min(n - failed);
        let tally = |n, k| Reading::Tally(Tally { n, k, ..Tally::default() });
        let readings = measures.meters.iter().map(|meter| match meter.test {
            Test::Share(Set::Success) => tally(n, n - failed),
            Test::AtMost(..) => tally(n - failed, n - failed - slow),
            Test::Share(_) | Test::Moments(_) => Reading::empty(meter.test),
        });
        let mut summary = Summary {
            finished: n,
            succeeded: n - failed,
            readings: readings.collect(),
            reached: true,
            codes: [(Code::Http(200), n - failed), (Code::Http(500), failed)].into(),
            ..Summary::default()
        };
        summary.generator.scheduled = n;
        summary
    }
}

/// A load that goes as a story says.
#[derive(Clone, Debug)]
struct Told {
    story: Arc<Story>,
    began: Instant,
}

impl Load for Told {
    fn standing(&self) -> Standing {
        Standing { stage: Stage::Running, judged: self.began.elapsed() }
    }

    fn count(&self, _: &Arc<Measures>) {}

    async fn look(&self, measures: &Arc<Measures>, seconds: Range<u64>) -> Summary {
        let so_far = self.began.elapsed().as_secs();
        self.story.summary(measures, seconds.start..seconds.end.min(so_far))
    }

    async fn look_beside(&self, _: &Arc<Measures>, _: Range<u64>) -> Option<Summary> {
        None
    }

    fn stop(&self) {}
}

/// Begins the one load of an analysis.
#[derive(Debug)]
struct Teller(Arc<Story>);

impl Loads for Teller {
    type Load = Told;

    fn start(&self, _: Start) -> Result<Told, String> {
        Ok(Told { story: Arc::clone(&self.0), began: Instant::now() })
    }
}

#[derive(Debug)]
struct Nobody;

impl Observer for Nobody {
    fn saw(&self, _: &Event) {}
}

/// Seconds after which those of `seeds` releases were given up that were, in rising order.
pub(crate) fn count(scene: &Scene, seeds: u64) -> Vec<u64> {
    let next = Mutex::new(0..seeds);
    let found = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
                let runtime = runtime.expect("a runtime without sockets needs nothing");
                let hooks = hooks(scene);
                let take = || next.lock().unwrap_or_else(PoisonError::into_inner).next();
                while let Some(seed) = take() {
                    let story = Arc::new(Story::new(scene.chances, seed));
                    let given_up = runtime.block_on(analysis(story, scene.tick, &hooks));
                    found.lock().unwrap_or_else(PoisonError::into_inner).extend(given_up);
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_unstable();
    found
}

/// The hook that starts the load, and the one that asks.
fn hooks(scene: &Scene) -> (Call, Call) {
    let line = slo::parse(scene.line).expect("the objectives here are sound");
    let objective = Arc::new(Objective { text: scene.line.to_owned(), line });
    let order =
        Order { plan: Some(plan()), objective: Some(objective), wait: Some(Duration::ZERO), ..Order::default() };
    let call = |role, order| Call {
        canary: Canary::new("podinfo", "test"),
        phase: Phase::Progressing,
        checksum: Checksum::new("v2"),
        role,
        order,
        signal: None,
    };
    (call(Role::Rollout, order), call(Role::Rollback, Order::default()))
}

/// An hour of load against the canary alone.
fn plan() -> Arc<Plan> {
    let mut builder = SpecBuilder::new();
    let rate = format!("{RATE}/s");
    for (id, value) in [(Id::Url, "http://podinfo-canary.test/"), (Id::Rate, &rate), (Id::Duration, "1h")] {
        builder.give(id, value);
    }
    let no_files = |_: &std::path::Path| Err(std::io::Error::other("no files"));
    Arc::new(builder.build(&no_files).expect("the load is sound").plan)
}

/// The second in which a release is given up; `None` where it is not.
async fn analysis(story: Arc<Story>, tick: u64, hooks: &(Call, Call)) -> Option<u64> {
    let board = Board::load(Teller(story), Settings::default(), Arc::new(Nobody), Arc::new(Memory));
    let board = board.expect("nothing is stored");
    board.call(hooks.0.clone()).await.arrived();
    let began = Instant::now();
    for second in (tick..=HOUR).step_by(tick as usize) {
        sleep_until(began + Duration::from_secs(second)).await;
        let delivery = board.call(hooks.1.clone()).await;
        let kind = delivery.answer().kind;
        delivery.arrived();
        if kind == Kind::RollBack {
            return Some(second);
        }
    }
    None
}
