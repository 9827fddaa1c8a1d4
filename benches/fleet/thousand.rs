//! P4: a thousand loads of `-q 10 -c 2` in one process, with their windows, as a service holds them.
//!
//! The loads run in this very process, through the same engine that every command uses, on one worker thread on core 0.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use rustix::thread::{CpuSet, sched_setaffinity};
use tollgate::load::Engine;
use tollgate::plan::{Arrivals, Host, Origin, Plan, Rate, Request, Schedule, Stop, Target, Tls, Via, Wire};
use tollgate::slo;
use tollgate::stats::{Detail, StatusSet, Summary};

use super::support::usage::{Usage, Watch};

/// The objective of each load.
const SLO: &str = "success>=99%, p99<500ms";

/// What the whole fleet came to.
#[derive(Default)]
pub(crate) struct Fleet {
    /// Loads.
    pub(crate) tasks: u64,
    /// Requests due, all loads together.
    pub(crate) scheduled: u64,
    /// Of those, answered well.
    pub(crate) succeeded: u64,
    /// The least share of its schedule that any one load kept: answered, and not late by more than the tolerance.
    pub(crate) worst_kept: f64,
    /// Our own lateness over all loads, in nanoseconds.
    lag: Option<Histogram<u64>>,
    /// Loads whose verdict was a pass.
    pub(crate) passed: u64,
    /// Memory and CPU of this process.
    pub(crate) usage: Usage,
}

/// Runs `tasks` loads for `seconds` against nginx on `port`.
pub(crate) fn measure(tasks: u64, seconds: u64, port: u16) -> Result<Fleet> {
    let mut core = CpuSet::new();
    core.set(0);
    sched_setaffinity(None, &core).context("cannot stay on core 0")?;
    let line = slo::parse(SLO)?;
    let measures = Arc::new(line.measures(StatusSet::ok(), None));
    let plan = Arc::new(plan(seconds, port));
    let engine = Engine::start(1)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let watch = Watch::start(std::process::id());
    let fleet = runtime.block_on(async {
        let mut loads = Vec::new();
        for _ in 0..tasks {
            loads.push(engine.run(&plan, &measures, Detail::Window)?);
            // A service gets its hooks one after the other: the loads do not fall due in step.
            tokio::time::sleep(Duration::from_micros(100_000 / tasks.max(1))).await;
        }
        let mut fleet = Fleet { worst_kept: 1.0, ..Fleet::default() };
        for load in loads {
            fleet.add(&line, &load.finish().await);
        }
        Ok::<_, anyhow::Error>(fleet)
    })?;
    Ok(Fleet { usage: watch.finish(), ..fleet })
}

impl Fleet {
    /// A quantile of our own lateness, in milliseconds.
    pub(crate) fn lag_ms(&self, q: f64) -> f64 {
        self.lag.as_ref().map_or(0.0, |lag| lag.value_at_quantile(q) as f64 / 1e6)
    }

    /// Adds what one load came to.
    fn add(&mut self, line: &slo::Line, summary: &Summary) {
        let own = &summary.generator;
        let kept = summary.finished.min(own.scheduled) as f64 / own.scheduled.max(1) as f64 * summary.achieved();
        self.tasks += 1;
        self.scheduled += own.scheduled;
        self.succeeded += summary.succeeded;
        self.worst_kept = self.worst_kept.min(kept);
        match (&mut self.lag, &own.lag) {
            (Some(all), Some(lag)) => all.add(&lag.histogram).expect("an auto-resizing histogram takes every value"),
            (all, lag) => *all = all.take().or_else(|| lag.as_ref().map(|lag| lag.histogram.clone())),
        }
        self.passed += u64::from(slo::judge(line, &slo::Evidence::of(summary)).decision == slo::Decision::Pass);
    }
}

/// `-q 10 -c 2`, as a hook would ask for it.
fn plan(seconds: u64, port: u16) -> Plan {
    let authority = format!("127.0.0.1:{port}");
    Plan {
        targets: vec![Target {
            url: format!("http://{authority}/"),
            origin: Origin { secure: false, host: Host::Ip([127, 0, 0, 1].into()), port, pinned: Vec::new() },
            request: Request {
                method: "GET".into(),
                path: "/".into(),
                authority,
                headers: vec![("User-Agent".into(), "tollgate".into()), ("Accept".into(), "*/*".into())],
                body: Arc::from([]),
            },
            drawn: None,
            call: tollgate::plan::Call::default(),
            weight: 1,
        }],
        wire: Wire::Http1,
        tls: Tls::default(),
        via: Via::Direct,
        schedule: Schedule {
            arrivals: Arrivals::Steady(Rate { micro_per_second: 20_000_000 }),
            stop: Stop { count: None, duration: Some(Duration::from_secs(seconds)) },
            warmup: Duration::ZERO,
        },
        lanes: 2,
        max_lanes: 64,
        streams: 1,
        links: None,
        timeout: Some(Duration::from_secs(20)),
        keep_alive: true,
        connection_age: Some(Duration::from_secs(5)),
        identify: None,
        redirects: 0,
        seed: 0,
        split: Vec::new(),
    }
}
