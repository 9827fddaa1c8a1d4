//! Hours of a service in minutes: releases come and go, hooks of all kinds are called, good and bad releases side by side.
//! Memory must be flat once every canary has been seen, no load lost, and metrics bounded. See `benches/README.md`.

#![expect(clippy::print_stdout, reason = "what a benchmark prints is its product")]

mod release;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "each benchmark uses a part of it")]
mod support;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use release::{Release, Told};
use rustix::process::Signal;
use support::arguments::Arguments;
use support::numbers::quantile;
use support::service::Service;
use support::table::Table;
use support::target::Target;
use support::usage::{mib, resident};
use support::{machine, tollgate};

/// Releases under analysis at once.
const AT_ONCE: usize = 40;
/// Canaries there are; each is released again and again.
const CANARIES: usize = 120;
/// Memory may differ by so much between the middle and the end, and by as many MiB.
const SHARE: f64 = 0.05;
const MIB: f64 = 2.0;
/// How often memory and metrics are looked at.
const LOOK: Duration = Duration::from_secs(5);

/// What was seen at one moment.
struct Look {
    seconds: f64,
    resident: f64,
    /// Lines of `/metrics` that are values.
    series: usize,
    loads: u64,
}

fn main() -> Result<()> {
    let arguments = Arguments::read(&["minutes"], &[])?;
    let minutes = arguments.number("minutes", 30)?;
    println!("{}", machine::describe());
    let program = tollgate::build()?;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let flags = format!("--log-level error --state {}", folder.path().join("state").display());
    let service = Service::start(&program, &flags, |invocation| invocation)?;
    let good = Target::start(&program, "--latency lognormal:2ms,0.5")?;
    let bad = Target::start(&program, "--latency 2ms --errors 10% --errors-random")?;
    println!("{AT_ONCE} releases at once of {CANARIES} canaries, every fourth bad, for {minutes} min\n");

    let end = Instant::now() + Duration::from_secs(minutes * 60);
    let (told, looks) = accompanied(&service, [&good, &bad], end)?;
    let pid = service.running.pid();
    let after = seen(&service, Instant::now())?;
    let alive = resident(pid).is_some();
    let panics = value(&service.get("/metrics")?.body, "tollgate_panics_total");
    service.running.signal(Signal::TERM)?;
    let code = service.running.finish(Duration::from_secs(40))?.code;

    println!("{}", course(&looks));
    println!("{}", answers(&told));
    let memory = |part: &[Look]| quantile(&part.iter().map(|look| look.resident).collect::<Vec<_>>(), 0.5);
    // The first half has met every canary; after it nothing may grow.
    let (middle, last) = (memory(&looks[looks.len() / 2..looks.len() * 3 / 4]), memory(&looks[looks.len() * 3 / 4..]));
    let most = looks.iter().map(|look| look.series).max().unwrap_or(0);
    let bound = series_bound();
    let odd: u64 = told.iter().map(|told| told.odd).sum();
    let lost: u64 = told.iter().map(|told| told.lost).sum();
    let claims = [
        (
            "memory is flat",
            last <= middle * (1.0 + SHARE) + MIB,
            format!("{middle:.1} MiB in the third quarter, {last:.1} in the last"),
        ),
        ("metrics are bounded", most <= bound, format!("at most {most} series, {bound} allowed")),
        ("no load is lost", lost == 0, format!("{lost} analyses whose load was not there")),
        ("no load is left", after.loads == 0, format!("{} loads after the last analysis", after.loads)),
        ("every answer is one that may be", odd == 0, format!("{odd} others")),
        (
            "no good release is told to go back, every bad one fails",
            wrong(&told) == 0,
            format!("{} wrong", wrong(&told)),
        ),
        (
            "it lives, nothing panicked, and it ends well",
            alive && panics == 0 && code == Some(0),
            format!("{panics} panics, exit {code:?}"),
        ),
    ];
    let mut table = Table::new(&["what must hold", "seen", ""]);
    for (what, held, seen) in &claims {
        table.row([*what, seen, if *held { "held" } else { "DID NOT HOLD" }]);
    }
    println!("{table}");
    let broken = claims.iter().filter(|(_, held, _)| !held).count();
    ensure!(broken == 0, "{broken} did not hold");
    Ok(())
}

/// All releases until the end, and what was seen meanwhile.
fn accompanied(service: &Service, targets: [&Target; 2], end: Instant) -> Result<(Vec<Told>, Vec<Look>)> {
    let told = Mutex::new(Vec::new());
    let began = Instant::now();
    let mut looks = Vec::new();
    std::thread::scope(|scope| {
        for place in 0..AT_ONCE {
            let told = &told;
            scope.spawn(move || {
                let mut revision = 0;
                // Each place goes through its own canaries, so that none is released twice at once.
                while Instant::now() < end {
                    let canary = place + AT_ONCE * (revision % (CANARIES / AT_ONCE));
                    let is_bad = (canary + revision) % 4 == 3;
                    let release = Release::new(canary, revision, targets[usize::from(is_bad)], is_bad);
                    let result = release.analysis(service);
                    told.lock().unwrap_or_else(PoisonError::into_inner).push(result);
                    revision += 1;
                }
            });
        }
        while Instant::now() < end {
            std::thread::park_timeout(LOOK);
            looks.push(seen(service, began)?);
        }
        Ok::<_, anyhow::Error>(())
    })?;
    let told = told.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok((told.into_iter().collect::<Result<_>>()?, looks))
}

fn seen(service: &Service, began: Instant) -> Result<Look> {
    let page = service.get("/metrics")?.body;
    let values = || page.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let loads = values().filter(|line| line.starts_with("tollgate_loads{"));
    let loads = loads.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok()).sum();
    let resident = mib(resident(service.running.pid()).context("the service has ended")?);
    Ok(Look { seconds: began.elapsed().as_secs_f64(), resident, series: values().count(), loads })
}

/// The value of a counter without labels.
fn value(page: &str, name: &str) -> u64 {
    let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or(0)
}

/// Series that there may be: some for each canary that is remembered, whatever happens to it, and those of the service.
const fn series_bound() -> usize {
    const EACH: usize = 150;
    const OWN: usize = 600;
    CANARIES * EACH + OWN
}

/// Wrong verdicts: good releases given up, bad ones passed.
fn wrong(told: &[Told]) -> usize {
    told.iter().filter(|told| if told.is_bad { told.passed && !told.failed } else { told.given_up }).count()
}

/// Memory and metrics over time, a row for about each minute.
fn course(looks: &[Look]) -> Table {
    let mut table = Table::new(&["after s", "resident MiB", "series", "loads"]);
    for look in looks.iter().step_by(looks.len().div_ceil(30).max(1)) {
        let row = [format!("{:.0}", look.seconds), format!("{:.1}", look.resident)];
        table.row(row.into_iter().chain([look.series.to_string(), look.loads.to_string()]));
    }
    table
}

/// How often each hook was answered by each status.
fn answers(told: &[Told]) -> Table {
    let mut all: BTreeMap<(&str, u16), u64> = BTreeMap::new();
    for (answer, times) in told.iter().flat_map(|told| &told.answers) {
        *all.entry(*answer).or_default() += times;
    }
    let mut table = Table::new(&["hook", "status", "answers"]);
    for ((path, status), times) in all {
        table.row([path.to_owned(), status.to_string(), times.to_string()]);
    }
    table
}
