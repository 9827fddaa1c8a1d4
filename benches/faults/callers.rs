//! Callers that are slow, or send what is no hook.

use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::claims::Claims;
use super::processes::{load, pause};
use super::support::http::ask;
use super::support::service::Service;
use super::support::target::Target;
use super::support::usage::{mib, resident};

/// How long the service waits for a head.
const PATIENCE: f64 = 10.0;

pub(crate) fn slow(program: &Path) -> Result<Claims> {
    let target = Target::start(program, "--latency 2ms")?;
    let service = Service::start(program, "--log-level error", |invocation| invocation)?;
    load(&service, "/rollout", "beside", &target.url(""), &[("wait", "0s")])?;
    let mut callers = Vec::new();
    for _ in 0..1_100 {
        let mut caller = TcpStream::connect(service.address)?;
        caller.write_all(b"POST /gate/open HTTP/1.1\r\nHost: a\r\n")?;
        callers.push(caller);
    }
    let began = Instant::now();
    let answer = std::thread::scope(|scope| {
        let asked = scope.spawn(|| ask(service.address, "GET", "/healthz", "", Duration::from_secs(30)));
        while !asked.is_finished() && began.elapsed() < Duration::from_secs(30) {
            // Whom the service has hung up on cannot go on.
            callers.retain_mut(|caller| caller.write_all(b"x").is_ok());
            pause(0.5);
        }
        asked.join()
    });
    let waited = answer.ok().and_then(Result::ok).map(|answer| answer.took.as_secs_f64());
    drop(callers);
    let judged = load(&service, "/rollout", "beside", &target.url(""), &[("wait", "4s")])?;
    let seen = waited.map_or_else(|| "no answer".to_owned(), |waited| format!("{waited:.1} s"));
    Ok(Claims::default()
        .and(
            "others wait no longer than slow ones may take",
            waited.is_some_and(|waited| waited < PATIENCE + 2.0),
            seen,
        )
        .and("load is judged as ever", judged.status == 200, format!("{} {}", judged.status, judged.body)))
}

pub(crate) fn bad(program: &Path) -> Result<Claims> {
    let service = Service::start(program, "--log-level error", |invocation| invocation)?;
    let pid = service.running.pid();
    let before = resident(pid).unwrap_or(0);
    let keys: Vec<String> = (0..100_000).map(|number| format!("\"k{number}\":\"v\"")).collect();
    let many = format!("{{\"name\":\"a\",\"namespace\":\"b\",\"metadata\":{{{}}}}}", keys.join(","));
    let huge = "x".repeat(50 << 20);
    let deep = "[".repeat(500_000);
    let mut seen = Vec::new();
    for (path, body, status) in [
        ("/gate/open", "{\"name\":", 400),
        ("/gate/open", "\u{0}\u{1}", 400),
        ("/rollout", many.as_str(), 413),
        ("/rollout", huge.as_str(), 413),
        ("/rollout", deep.as_str(), 400),
        ("/rollbck", "{}", 404),
    ] {
        let answer = ask(service.address, "POST", path, body, Duration::from_secs(20));
        // Who is told to stop in the middle of 50 MiB may not hear why.
        let told = answer.map_or(0, |answer| answer.status);
        let right = told == status || told == 0 && body.len() > 1 << 20;
        seen.push((right, format!("{path} with {} bytes: {told}", body.len())));
    }
    let alive = service.get("/healthz")?.status == 200;
    let after = resident(pid).unwrap_or(0);
    let panics = service.get("/metrics")?.body.lines().any(|line| line == "tollgate_panics_total 0");
    let all: Vec<String> = seen.iter().map(|(_, text)| text.clone()).collect();
    Ok(Claims::default()
        .and("each is refused by its status", seen.iter().all(|(right, _)| *right), all.join("; "))
        .and("it lives, and nothing panicked", alive && panics, format!("alive {alive}, no panic {panics}"))
        .and(
            "it holds no more memory for it",
            after < before + (16 << 20),
            format!("{:.1} MiB, {:.1} before", mib(after), mib(before)),
        ))
}
