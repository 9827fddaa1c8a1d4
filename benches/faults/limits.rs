//! Too few descriptors, too little memory, too little CPU: our own want must not be taken for the target's failure.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::claims::{Claims, NotHere};
use super::processes::{load, pause};
use super::support::cgroup::{Group, Limit};
use super::support::http::ask;
use super::support::process::{Invocation, run};
use super::support::service::{Hook, Service};
use super::support::target::Target;
use super::support::usage::{mib, resident};

pub(crate) fn descriptors(program: &Path) -> Result<Claims> {
    let target = Target::start(program, "--latency 500ms")?;
    let line = "run -z 5s --rate 500/s -c 10 --max-lanes 400 --output json --slo success>=99%,p99<2s";
    let asked = Invocation::new(program, line).arg(target.url("")).under(["prlimit", "--nofile=40"]);
    let ended = run(&asked, Duration::from_secs(20))?;
    let (refused, received) = (ended.code == Some(2), target.received()?);
    let said = ended.stderr.lines().next().unwrap_or_default().to_owned();
    let told = said.contains("open files, and the limit is 40");
    Ok(Claims::default()
        .and("it is refused, with the limit and what to do", refused && told, format!("exit {:?}: {said}", ended.code))
        .and("nothing was sent", received == 0, format!("{received} requests")))
}

pub(crate) fn descriptors_of_a_service(program: &Path) -> Result<Claims> {
    let target = Target::start(program, "--hang-all")?;
    let service =
        Service::start(program, "--log-level error", |invocation| invocation.under(["prlimit", "--nofile=64"]))?;
    let cmd = format!("hey -z 1m -q 50 -c 4 -t 30 -host hangs-canary {}", target.url(""));
    let metadata = [
        ("cmd", cmd.as_str()),
        ("slo", "success>=99%"),
        ("wait", "0s"),
        ("ready-wait", "0s"),
        ("warmup", "0s"),
        ("max-lanes", "400"),
    ];
    service.hook("/rollout", &Hook::with("hangs", &metadata))?;
    pause(4.0);
    let mut answered = 0;
    for _ in 0..20 {
        let answer = ask(service.address, "GET", "/healthz", "", Duration::from_secs(1));
        answered += usize::from(answer.is_ok_and(|answer| answer.status == 200));
    }
    let verdict = service.hook("/rollout", &Hook::with("hangs", &metadata));
    let passed = verdict.as_ref().is_ok_and(|answer| answer.status == 200);
    let seen = verdict.map_or_else(|error| format!("{error:#}"), |answer| format!("{} {}", answer.status, answer.body));
    Ok(Claims::default()
        .and("hooks and probes are answered within a second", answered == 20, format!("{answered} of 20"))
        .and("a target that hangs does not pass", !passed, seen))
}

pub(crate) fn memory(program: &Path) -> Result<Claims> {
    let group = Group::with(&Limit::Memory(64 << 20)).map_err(|error| NotHere(error.to_string()))?;
    let target = Target::start(program, "--latency 2ms")?;
    let huge = Target::start(program, "--huge-body 20MiB")?;
    let service = Service::start(program, "--log-level error", |invocation| invocation.under(group.words()))?;
    for number in 0..200 {
        load(&service, "/rollout", &format!("m{number}"), &target.url(""), &[("wait", "0s")])?;
    }
    load(&service, "/rollout", "huge", &huge.url(""), &[("wait", "0s")])?;
    let body = format!("{{\"name\":\"a\",\"namespace\":\"b\",\"metadata\":{{\"x\":\"{}\"}}}}", "y".repeat(1 << 20));
    std::thread::scope(|scope| {
        for _ in 0..50 {
            // Refused or dropped, as it pleases.
            scope.spawn(|| drop(ask(service.address, "POST", "/event", &body, Duration::from_secs(20))));
        }
    });
    pause(8.0);
    let judged = load(&service, "/rollout", "m7", &target.url(""), &[("wait", "4s")])?;
    let held = resident(service.running.pid()).unwrap_or(0);
    drop(service);
    Ok(Claims::default()
        .and("it lives, and judges as ever", judged.status == 200, format!("{} {}", judged.status, judged.body))
        .and("it stays within its limit", held > 0 && held < 64 << 20, format!("{:.1} MiB resident", mib(held))))
}

pub(crate) fn cpu(program: &Path) -> Result<Claims> {
    let target = Target::start(program, "--latency 3ms")?;
    let broken = Target::start(program, "--latency 3ms --errors 20%")?;
    let group = Group::with(&Limit::Cpu(2)).map_err(|error| NotHere(error.to_string()))?;
    let service = Service::start(program, "--log-level error", |invocation| invocation.under(group.words()))?;
    // 1600 requests a second take several times what is allowed; 200 a second do with less than that.
    let hook = |name: &str, url: &str| {
        let cmd = format!("hey -z 1m -q 400 -c 2 -host {name}-canary {url}");
        let metadata = [("cmd", cmd.as_str()), ("slo", "success>=99%, p99<50ms"), ("warmup", "0s"), ("wait", "0s")];
        service.hook("/rollout", &Hook::with(name, &metadata))
    };
    hook("fast", &target.url(""))?;
    hook("errs", &broken.url(""))?;
    pause(10.0);
    let fast = hook("fast", &target.url(""))?;
    let errs = hook("errs", &broken.url(""))?;
    drop(service);
    Ok(Claims::default()
        .and(
            "times are not the target's: saturated, never a fail",
            fast.status == 424,
            format!("{} {}", fast.status, fast.body),
        )
        .and("errors that were answered still fail", errs.status == 412, format!("{} {}", errs.status, errs.body)))
}
