//! P4: a thousand releases under load at once, each begun by a hook, asked about every minute, with their windows and
//! metrics; the service on core 0, nginx on core 1. What each load really sent is nginx's word, not ours.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tollgate::slo;
use tollgate::stats::{Ns, Outcome, Sample, StatusSet, Window};

use super::support::goals::Goals;
use super::support::http::Answer;
use super::support::nginx::Nginx;
use super::support::service::{Hook, Service};
use super::support::table::Table;
use super::support::usage::{Usage, Watch, mib, resident};

const MOST_MIB: f64 = 100.0;
const MOST_CORES: f64 = 0.5;
const LEAST_KEPT: f64 = 0.999;
/// The objective of each release.
pub(crate) const SLO: &str = "success>=99%, p99<500ms";
/// Requests a second of each load: `-q 10 -c 2`.
pub(crate) const RATE: u64 = 20;
/// How often each release is asked about, and metrics are read.
const INTERVAL: Duration = Duration::from_secs(60);
const SCRAPE: Duration = Duration::from_secs(15);
/// Limits above those that a service has by default, where more is asked of it.
pub(crate) const NO_LIMITS: &str = "--max-tasks 10000 --max-rate 200000/s --max-connections 100000";

/// What a fleet came to.
pub(crate) struct Fleet {
    /// Memory and CPU of the service, from the first hook to the end of the load.
    pub(crate) usage: Usage,
    /// The share of its schedule that each load sent, in rising order.
    pub(crate) kept: Vec<f64>,
    /// How often each first word of an answer was the last verdict.
    pub(crate) verdicts: BTreeMap<String, u64>,
    /// Resident memory in bytes, and after how many seconds.
    memory: Vec<(u64, u64)>,
    /// Resident memory before the first hook.
    pub(crate) idle: u64,
}

impl Fleet {
    /// The least share of its schedule that any load kept.
    pub(crate) fn worst_kept(&self) -> f64 {
        self.kept.first().copied().unwrap_or(0.0)
    }

    /// The verdicts, in words.
    pub(crate) fn verdicts(&self) -> String {
        self.verdicts.iter().map(|(word, times)| format!("{times} {word}")).collect::<Vec<_>>().join(", ")
    }
}

/// Measures one fleet and prints it.
pub(crate) fn measure(program: &Path, tasks: u64, seconds: u64, goals: &mut Goals) -> Result<()> {
    println!(
        "\n{tasks} releases under `hey -q 10 -c 2` for {seconds} s, each begun by a hook and asked about every minute"
    );
    let nginx = Nginx::counting(1)?;
    let fleet = run(program, &nginx, tasks, seconds)?;
    let mut table = Table::new(&["after s", "resident MiB", "KiB a load"]);
    for (after, bytes) in &fleet.memory {
        let each = bytes.saturating_sub(fleet.idle) as f64 / 1024.0 / tasks as f64;
        table.row([after.to_string(), format!("{:.1}", mib(*bytes)), format!("{each:.1}")]);
    }
    println!("\n{table}");
    println!("{:.1} MiB before the first hook; last verdicts: {}", mib(fleet.idle), fleet.verdicts());
    let full = full_window();
    println!("a window of ten minutes at {RATE}/s, computed: {:.1} KiB", full as f64 / 1024.0);

    let what = |what: &str| format!("{tasks} loads by hooks, {seconds} s: {what}");
    let peak = mib(fleet.usage.peak_resident);
    let cpu = fleet.usage.cores / tasks as f64 * 1e6;
    let cores = format!("{:.3} cores ({cpu:.0} µs/s a load)", fleet.usage.cores);
    goals.add("P4", &what("resident"), (format!("{peak:.1} MiB"), "≤ 100 MiB"), Some(peak <= MOST_MIB));
    goals.add("P4", &what("CPU"), (cores, "≤ 0.5 core"), Some(fleet.usage.cores <= MOST_CORES));
    let kept = format!("{:.3} %", fleet.worst_kept() * 100.0);
    goals.add(
        "P4",
        &what("worst load kept of its schedule"),
        (kept, "≥ 99.9 %"),
        Some(fleet.worst_kept() >= LEAST_KEPT),
    );
    let passed = fleet.verdicts.get("PASS").copied().unwrap_or(0);
    goals.add("P4", &what("last verdict a pass"), (passed.to_string(), "all"), Some(passed == tasks));
    Ok(())
}

/// Runs one fleet to its end.
pub(crate) fn run(program: &Path, nginx: &Nginx, tasks: u64, seconds: u64) -> Result<Fleet> {
    nginx.forget()?;
    let service =
        Service::start(program, &format!("--log-level warn {NO_LIMITS}"), |invocation| invocation.on_core(0))?;
    let pid = service.running.pid();
    let idle = resident(pid).context("the service has ended")?;
    let watch = Watch::start(pid);
    let began = Instant::now();
    begin(&service, nginx, tasks, seconds)?;
    let memory = accompany(&service, nginx, (tasks, seconds), began)?;
    let usage = watch.finish();
    // What is still under way is answered by then, and written to the account.
    std::thread::park_timeout(Duration::from_secs(2));
    let counts = nginx.counts()?;
    let sent = |task: u64| counts.get(&format!("/{task}")).copied().unwrap_or(0);
    let mut kept: Vec<f64> = (0..tasks).map(|task| sent(task) as f64 / (RATE * seconds) as f64).collect();
    kept.sort_by(f64::total_cmp);
    let mut verdicts = BTreeMap::new();
    for task in 0..tasks {
        let answer = service.hook("/confirm", &Hook::of(&name(task)))?;
        *verdicts.entry(word(&answer)).or_default() += 1;
    }
    Ok(Fleet { usage, kept, verdicts, memory, idle })
}

/// Calls the first hook of each release; all of them begin within about a second.
pub(crate) fn begin(service: &Service, nginx: &Nginx, tasks: u64, seconds: u64) -> Result<()> {
    for task in 0..tasks {
        let answer = rollout(service, nginx, task, seconds)?;
        ensure!([202, 425].contains(&answer.status), "{} {}", answer.status, answer.body);
    }
    Ok(())
}

/// Calls the rollout hook of one release.
pub(crate) fn rollout(service: &Service, nginx: &Nginx, task: u64, seconds: u64) -> Result<Answer> {
    let name = name(task);
    let cmd = format!("hey -z {seconds}s -q 10 -c 2 -host {name}-canary {}{task}", nginx.url());
    let at_once = [("wait", "0s"), ("ready-wait", "0s"), ("warmup", "0s")];
    let metadata = [[("cmd", cmd.as_str()), ("slo", SLO)].as_slice(), &at_once].concat();
    service.hook("/rollout", &Hook::with(&name, &metadata))
}

/// What a release is called.
pub(crate) fn name(task: u64) -> String {
    format!("c{task}")
}

fn word(answer: &Answer) -> String {
    answer.body.split(' ').next().unwrap_or_default().to_owned()
}

/// Asks about every release once a minute and reads the metrics, until the load ends; memory meanwhile.
fn accompany(service: &Service, nginx: &Nginx, fleet: (u64, u64), began: Instant) -> Result<Vec<(u64, u64)>> {
    let (tasks, seconds) = fleet;
    let pid = service.running.pid();
    let end = Duration::from_secs(seconds);
    let (mut memory, mut next_note) = (Vec::new(), 5);
    let mut next_scrape = SCRAPE;
    let mut asked = 0;
    while began.elapsed() < end {
        // A question about a load that is over would begin it again.
        let ask_at = INTERVAL.mul_f64(1.0 + asked as f64 / tasks as f64);
        if ask_at <= began.elapsed() && began.elapsed() + Duration::from_secs(3) < end {
            rollout(service, nginx, asked % tasks, seconds)?;
            asked += 1;
        }
        if next_scrape <= began.elapsed() {
            ensure!(service.get("/metrics")?.status == 200, "no metrics");
            next_scrape += SCRAPE;
        }
        if began.elapsed().as_secs() >= next_note {
            memory.push((next_note, resident(pid).context("the service has ended")?));
            next_note = if next_note < 60 { next_note * 2 } else { next_note / 60 * 60 + 60 };
        }
        let wake = ask_at.min(next_scrape).min(end).saturating_sub(began.elapsed());
        std::thread::park_timeout(wake.clamp(Duration::from_millis(1), Duration::from_secs(1)));
    }
    memory.push((seconds, resident(pid).context("the service has ended")?));
    Ok(memory)
}

/// Bytes on the heap of one load's full window, whose latencies spread over 4 ms.
fn full_window() -> usize {
    let line = slo::parse(SLO).expect("the objective is sound");
    let measures = Arc::new(line.measures(StatusSet::ok(), None));
    let mut window = Window::new(&measures, Ns::ZERO);
    for number in 0..RATE * 700 {
        let due = Ns::from_millis(number * 1_000 / RATE + 2_000);
        // The multiples of the golden ratio, modulo 1, are spread evenly.
        let spread = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 44;
        let done = due + Ns(200_000 + spread * 4_000_000 / (1 << 20));
        window.due(due, false);
        window.record(&Sample { bytes: 3, ..Sample::of(due, done, Outcome::http(200)) }, true);
    }
    window.heap_bytes()
}
