//! Processes that end, are told to end, or stand still.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use super::claims::Claims;
use super::support::http::Answer;
use super::support::process::{Invocation, Running, free_port};
use super::support::service::{Hook, Service};
use super::support::target::Target;
use super::support::tollgate::Report;

/// The objective of all loads here.
pub(crate) const SLO: &str = "success>=99%, p99<500ms";

/// Nothing happens for so long.
pub(crate) fn pause(seconds: f64) {
    let until = Instant::now() + Duration::from_secs_f64(seconds);
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        std::thread::park_timeout(left);
    }
}

/// Calls a hook that makes a load of 20 requests a second against the canary alone; it is answered at once.
pub(crate) fn load(service: &Service, path: &str, name: &str, url: &str, more: &[(&str, &str)]) -> Result<Answer> {
    let cmd = format!("hey -z 1m -q 10 -c 2 -host {name}-canary {url}");
    let metadata = [[("cmd", cmd.as_str()), ("slo", SLO), ("warmup", "0s")].as_slice(), more].concat();
    service.hook(path, &Hook::with(name, &metadata))
}

/// `tollgate run` with a report, beside which something happens.
pub(crate) fn run_beside(invocation: &Invocation, limit: f64, happens: impl FnOnce() -> Result<()>) -> Result<Report> {
    let running = Running::start(invocation)?;
    happens()?;
    let ended = running.finish(Duration::from_secs_f64(limit))?;
    Report::parse(&ended.stdout).with_context(|| format!("exit {:?}: {}", ended.code, ended.stderr))
}

/// The verdict of a report, in a few words.
pub(crate) fn verdict(report: &Report) -> String {
    let text = |path: &str| report.text(path).unwrap_or("none").to_owned();
    format!("{}: {}", text("/verdict/decision"), text("/verdict/reason"))
}

/// Requests that were due, and that have an outcome.
pub(crate) fn accounted(report: &Report) -> (f64, f64) {
    let number = |path: &str| report.number(path).unwrap_or(f64::NAN);
    (number("/requests/scheduled"), number("/requests/finished"))
}

pub(crate) fn killed(program: &Path) -> Result<Claims> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let flags = format!("--log-level error --state {}", folder.path().join("state").display());
    let target = Target::start(program, "--latency 2ms")?;
    let port = free_port()?;
    let service = Service::at(program, port, &flags, |invocation| invocation)?;
    let names: Vec<String> = (0..20).map(|number| format!("k{number}")).collect();
    let now = [("wait", "0s")];
    for name in &names {
        let first = load(&service, "/rollout", name, &target.url(""), &now)?;
        ensure!([202, 425].contains(&first.status), "{} {}", first.status, first.body);
    }
    ensure!(service.hook("/gate/open", &Hook::of("k0"))?.status == 202, "the gate does not open");
    pause(1.0);
    service.running.signal(Signal::KILL)?;
    drop(service);
    let before = target.received()?;
    pause(1.0);
    let silent = target.received()?.abs_diff(before);
    let began = Instant::now();
    let service = Service::at(program, port, &flags, |invocation| invocation)?;
    let back = began.elapsed();
    let gate = service.hook("/gate/check", &Hook::of("k0"))?;
    let mut second = Vec::new();
    for name in &names {
        second.push(load(&service, "/rollout", name, &target.url(""), &now)?.status);
    }
    pause(6.0);
    let later = load(&service, "/rollout", "k7", &target.url(""), &[("wait", "4s")])?;
    let free = second.iter().filter(|status| **status == 202).count();
    Ok(Claims::default()
        .and("its load ends with it", silent <= 2, format!("{silent} requests in the second after"))
        .and(
            "it comes back with what it knew",
            gate.status == 200,
            format!("gate {}, {} ms", gate.body, back.as_millis()),
        )
        .and("no release is told to go on a second time", free == 0, format!("{free} of 20 got another 202"))
        .and("new load passes", later.status == 200, format!("{} {}", later.status, later.body)))
}

pub(crate) fn told_to_end(program: &Path) -> Result<Claims> {
    let target = Target::start(program, "--latency 2ms")?;
    let service = Service::start(program, "--log-level error", |invocation| invocation)?;
    for number in 0..20 {
        load(&service, "/rollout", &format!("t{number}"), &target.url(""), &[("wait", "0s")])?;
    }
    let waiting = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| load(&service, "/pre-rollout", "waits", &target.url(""), &[]));
        pause(3.0);
        service.running.signal(Signal::TERM)?;
        waiting.join().ok().context("the caller panicked")?
    });
    let ended = service.running.finish(Duration::from_secs(30))?;
    let before = target.received()?;
    pause(1.0);
    let silent = target.received()?.abs_diff(before);
    let (answered, seen) = match &waiting {
        Ok(answer) => (answer.status == 425, format!("{} {}", answer.status, answer.body)),
        Err(error) => (false, format!("{error:#}")),
    };
    Ok(Claims::default()
        .and("who waits is told how far it came", answered, seen)
        .and("it ends well", ended.code == Some(0), format!("exit {:?} {}", ended.code, ended.stderr))
        .and("no load is left behind", silent == 0, format!("{silent} requests in the second after")))
}

pub(crate) fn target_restarts(program: &Path) -> Result<Claims> {
    let port = free_port()?;
    let mut target = Some(Target::at(program, port, "--latency 2ms")?);
    let line = "run -z 10s --rate 100/s -c 4 --output json --slo";
    let asked = Invocation::new(program, line).arg(SLO).arg(format!("http://127.0.0.1:{port}/"));
    let (mut after, mut away) = (0, 0.0);
    let report = run_beside(&asked, 40.0, || {
        pause(3.0);
        let gone = Instant::now();
        target.take();
        pause(2.0);
        let again = Target::at(program, port, "--latency 2ms")?;
        away = gone.elapsed().as_secs_f64();
        pause(6.0);
        after = again.received()?;
        Ok(())
    })?;
    let (due, done) = accounted(&report);
    let refused = report.number("/faults/refused").unwrap_or(0.0) + report.number("/faults/reset").unwrap_or(0.0);
    let failed = report.text("/verdict/decision") == Some("fail");
    Ok(Claims::default()
        .and("every request that was due is accounted for", due == done && due == 1_000.0, format!("{done} of {due}"))
        .and(
            "the failures are those of the time without it",
            // A connection attempt of its last moment may go wrong on either side of it.
            (refused - away * 100.0).abs() <= 15.0,
            format!("{refused} refused or reset in {away:.2} s"),
        )
        .and("it is a fail", failed, verdict(&report))
        .and(
            "load goes on as soon as it is back",
            after as f64 >= 1_000.0 - 300.0 - refused - 25.0,
            format!("{after} reached it afterwards"),
        ))
}

pub(crate) fn target_stands_still(program: &Path) -> Result<Claims> {
    let target = Target::start(program, "--latency 2ms")?;
    let line = "run -z 10s --rate 100/s -c 4 --max-lanes 400 --output json --slo";
    let asked = Invocation::new(program, line).arg(SLO).arg(target.url(""));
    let report = run_beside(&asked, 40.0, || {
        pause(3.0);
        target.running.signal(Signal::STOP)?;
        pause(2.0);
        target.running.signal(Signal::CONT)
    })?;
    let (due, done) = accounted(&report);
    let p99 = report.number("/latency_ms/p99").unwrap_or(f64::NAN);
    // A fifth of the users came while it stood still, evenly: one in twenty of those waited for more than 1.9 s.
    let right = (p99 - 1_900.0).abs() <= 60.0;
    Ok(Claims::default()
        .and("every request that was due is accounted for", due == done, format!("{done} of {due}"))
        .and("the users' wait is in the latency: p99 is 1900 ms", right, format!("p99 {p99:.0} ms"))
        .and(
            "it is a fail of the target, not our own lateness",
            report.text("/verdict/decision") == Some("fail"),
            verdict(&report),
        ))
}
