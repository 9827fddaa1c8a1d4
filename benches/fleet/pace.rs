//! P5: one task, a rate, and how much of it left in time.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::support::process::{Invocation, Running};
use super::support::tollgate::Report;
use super::support::usage::{Usage, Watch};

/// A load and what is to be reached.
pub(crate) struct Goal {
    /// Its name in the table.
    pub(crate) name: &'static str,
    /// Its arguments.
    pub(crate) arguments: &'static str,
    /// Least share of the schedule that is sent.
    pub(crate) sent: f64,
    /// Most median lag, in milliseconds.
    pub(crate) lag_p50_ms: f64,
    /// Most 99th percentile of lag, in milliseconds.
    pub(crate) lag_p99_ms: f64,
}

/// The two ends: a schedule so slow that every wake-up is cold, and one so fast that timers must share wake-ups.
pub(crate) const PACES: [Goal; 2] = [
    Goal { name: "20/s", arguments: "--rate 20/s", sent: 0.999, lag_p50_ms: 0.25, lag_p99_ms: 1.0 },
    Goal {
        name: "10 000/s in one task",
        arguments: "--rate 10000/s -c 50",
        sent: 0.999,
        lag_p50_ms: 0.1,
        lag_p99_ms: 0.5,
    },
];

/// What came out.
pub(crate) struct Paced {
    /// Share of the schedule that was answered in the end, late ones not counted.
    pub(crate) sent: f64,
    /// Median lag, in milliseconds.
    pub(crate) lag_p50_ms: f64,
    /// 99th percentile of lag, in milliseconds.
    pub(crate) lag_p99_ms: f64,
    /// Memory and CPU of the process.
    pub(crate) usage: Usage,
}

impl Paced {
    /// Whether all of the goal is reached.
    pub(crate) fn reaches(&self, goal: &Goal) -> bool {
        self.sent >= goal.sent && self.lag_p50_ms <= goal.lag_p50_ms && self.lag_p99_ms <= goal.lag_p99_ms
    }
}

/// Runs one load against `url`.
pub(crate) fn measure(goal: &Goal, program: &Path, url: &str, seconds: u64) -> Result<Paced> {
    let fixed = format!("run -z {seconds}s --slo success>=99%,p99<500ms --output json {}", goal.arguments);
    let running = Running::start(&Invocation::new(program, &fixed).arg(url).on_core(0))?;
    let watch = Watch::start(running.pid());
    let ended = running.finish(Duration::from_secs(seconds + 30));
    let usage = watch.finish();
    let ended = ended?;
    let report = Report::parse(&ended.stdout).with_context(|| format!("exit {:?}: {}", ended.code, ended.stderr))?;
    let number = |path: &str| report.number(path).with_context(|| format!("the report has no {path}"));
    let due = number("/requests/scheduled")?;
    Ok(Paced {
        sent: number("/requests/finished")?.min(due) / due * number("/generator/achieved_ratio")?,
        lag_p50_ms: number("/generator/lag_ms/p50")?,
        lag_p99_ms: number("/generator/lag_ms/p99")?,
        usage,
    })
}
