//! P9: from the start of the process to the first answer, memory while nothing is asked, and the size of the binary.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::support::goals::Goals;
use super::support::http::ask;
use super::support::numbers::quantile;
use super::support::process::{Invocation, Running, free_port};
use super::support::usage::{mib, resident};

const MOST_BINARY_MIB: f64 = 15.0;
const MOST_IDLE_MIB: f64 = 15.0;
const MOST_START_MS: f64 = 50.0;
/// Starts that are measured.
const STARTS: usize = 21;
/// How long nothing is asked before memory is read.
const IDLE: Duration = Duration::from_secs(3);

/// Measures all three and prints them.
pub(crate) fn measure(program: &Path, goals: &mut Goals) -> Result<()> {
    let size = mib(std::fs::metadata(program)?.len());
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let mut starts = Vec::new();
    for number in 0..STARTS {
        starts.push(ready(program, &folder.path().join(number.to_string()))?.0.as_secs_f64() * 1e3);
    }
    let (_, running) = ready(program, &folder.path().join("idle"))?;
    std::thread::park_timeout(IDLE);
    let idle = mib(resident(running.pid()).context("it has ended")?);
    let (median, worst) = (quantile(&starts, 0.5), quantile(&starts, 1.0));
    let limit = |most: f64, unit: &str| format!("≤ {most} {unit}");
    goals.add(
        "P9",
        "binary",
        (format!("{size:.1} MiB"), &limit(MOST_BINARY_MIB, "MiB")),
        Some(size <= MOST_BINARY_MIB),
    );
    let what = "resident while nothing is asked, with --state";
    goals.add("P9", what, (format!("{idle:.1} MiB"), &limit(MOST_IDLE_MIB, "MiB")), Some(idle <= MOST_IDLE_MIB));
    let what = format!("from exec to the first 200 of /readyz with a new --state, median of {STARTS}");
    let shown = format!("{median:.1} ms, at most {worst:.1} ms");
    goals.add("P9", &what, (shown, &limit(MOST_START_MS, "ms")), Some(median <= MOST_START_MS));
    Ok(())
}

/// Starts a service with state in this file; how long it took until it said that it is ready.
fn ready(program: &Path, state: &Path) -> Result<(Duration, Running)> {
    let port = free_port()?;
    let invocation = Invocation::new(program, &format!("serve --listen 127.0.0.1 --port {port} --state")).arg(state);
    let began = Instant::now();
    let running = Running::start(&invocation)?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    while began.elapsed() < Duration::from_secs(5) {
        if ask(address, "GET", "/readyz", "", Duration::from_secs(1)).is_ok_and(|answer| answer.status == 200) {
            return Ok((began.elapsed(), running));
        }
        std::thread::park_timeout(Duration::from_micros(200));
    }
    anyhow::bail!("not ready after 5 s")
}
