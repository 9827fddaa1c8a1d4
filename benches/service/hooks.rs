//! P7: how fast hooks are answered, 200 a second of all kinds, while a thousand loads make 20 000 requests a second and
//! every change of a gate goes to the disk.

use std::path::Path;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::fleet::{NO_LIMITS, begin, name, rollout};
use super::support::goals::Goals;
use super::support::http::Answer;
use super::support::nginx::Nginx;
use super::support::numbers::quantile;
use super::support::service::{Hook, Service};
use super::support::table::Table;

const MOST_P99_MS: f64 = 5.0;
/// Hooks a second.
const RATE: u64 = 200;
/// Callers; each has one question out at a time.
const CALLERS: usize = 32;
/// Seconds of load before the first hook is timed.
const SETTLES: u64 = 5;

/// A kind of hook, and its share of all in eighths.
const KINDS: [(&str, usize); 7] = [
    ("/gate/check", 2),
    ("/gate/open", 1),
    ("/gate/close", 1),
    ("/rollout", 1),
    ("/rollback", 1),
    ("/confirm", 1),
    ("/event", 1),
];

/// What is asked about.
struct Fleet {
    service: Service,
    nginx: Nginx,
    tasks: u64,
    /// Of each load, in seconds: longer than it is asked about.
    length: u64,
}

/// Measures and prints.
pub(crate) fn measure(program: &Path, tasks: u64, seconds: u64, goals: &mut Goals) -> Result<()> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let nginx = Nginx::start(1)?;
    let state = folder.path().join("state").display().to_string();
    let flags = format!("--log-level warn {NO_LIMITS} --state {state}");
    let service = Service::start(program, &flags, |invocation| invocation.on_core(0))?;
    let fleet = Fleet { service, nginx, tasks, length: SETTLES + seconds + 60 };
    begin(&fleet.service, &fleet.nginx, tasks, fleet.length)?;
    std::thread::park_timeout(Duration::from_secs(SETTLES));
    let answers = asked(&fleet, seconds)?;

    println!(
        "\n{RATE} hooks/s for {seconds} s beside {tasks} loads of 20/s, service on core 0, callers and nginx on core 1"
    );
    let mut table = Table::new(&["hook", "answers", "p50 ms", "p99 ms", "at most ms"]);
    let mut row = |name: &str, millis: &[f64]| {
        let at = |q| format!("{:.2}", quantile(millis, q));
        table.row([name.to_owned(), millis.len().to_string(), at(0.5), at(0.99), at(1.0)]);
    };
    for (kind, _) in KINDS {
        let of: Vec<f64> = answers.iter().filter(|(path, _)| *path == kind).map(|(_, millis)| *millis).collect();
        row(kind, &of);
    }
    let all: Vec<f64> = answers.iter().map(|(_, millis)| *millis).collect();
    row("all", &all);
    println!("\n{table}");
    let (p50, p99) = (quantile(&all, 0.5), quantile(&all, 0.99));
    let what = format!("{RATE} hooks/s beside {} requests/s, gates on disk", tasks * 20);
    let shown = format!("p50 {p50:.2} ms, p99 {p99:.2} ms");
    goals.add("P7", &what, (shown, "p99 ≤ 5 ms"), Some(p99 <= MOST_P99_MS));
    Ok(())
}

/// Path and milliseconds of each answer, from when its question was due.
fn asked(fleet: &Fleet, seconds: u64) -> Result<Vec<(&'static str, f64)>> {
    let order: Vec<&str> = KINDS.iter().flat_map(|(kind, share)| std::iter::repeat_n(*kind, *share)).collect();
    let (next, answers, failed) = (AtomicU64::new(0), Mutex::new(Vec::new()), Mutex::new(None));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= RATE * seconds {
                        return;
                    }
                    let due = Duration::from_secs(1) * number as u32 / RATE as u32;
                    while let Some(left) = due.checked_sub(began.elapsed()).filter(|left| !left.is_zero()) {
                        std::thread::park_timeout(left);
                    }
                    let kind = order[number as usize % order.len()];
                    // One release is asked about in every way before it is the next one's turn.
                    let release = number / order.len() as u64 * 7 % fleet.tasks;
                    match question(fleet, kind, release) {
                        Ok(_) => {
                            let took = (began.elapsed() - due).as_secs_f64() * 1e3;
                            answers.lock().unwrap_or_else(PoisonError::into_inner).push((kind, took));
                        }
                        Err(error) => {
                            failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                        }
                    }
                }
            });
        }
    });
    match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(answers.into_inner().unwrap_or_else(PoisonError::into_inner)),
    }
}

/// One hook about one release, and an answer that it may have.
fn question(fleet: &Fleet, kind: &str, task: u64) -> Result<Answer> {
    let service = &fleet.service;
    let name = name(task);
    let (answer, allowed): (Answer, &[u16]) = match kind {
        "/rollout" => (rollout(service, &fleet.nginx, task, fleet.length)?, &[200, 202, 412, 424, 425]),
        "/gate/check" => (service.hook(kind, &Hook::of(&name))?, &[200, 403]),
        "/gate/open" | "/gate/close" => (service.hook(kind, &Hook::of(&name))?, &[202]),
        "/event" => (service.hook(kind, &Hook::of(&name))?, &[200]),
        _ => (service.hook(kind, &Hook::of(&name))?, &[200, 412, 424, 425]),
    };
    ensure!(allowed.contains(&answer.status), "{kind}: {} {}", answer.status, answer.body);
    Ok(answer)
}
