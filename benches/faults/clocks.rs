//! A clock of the world that is set, as by a careless administrator; the monotonic clock goes on.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};

use super::claims::{Claims, NotHere};
use super::processes::{load, pause};
use super::support::process::{Invocation, find};
use super::support::service::{Hook, Service};
use super::support::target::Target;

/// Where Debian puts the library of faketime.
const LIBRARIES: [&str; 2] =
    ["/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1"];

pub(crate) fn steps(program: &Path) -> Result<Claims> {
    let library = LIBRARIES.iter().map(PathBuf::from).find(|path| path.is_file());
    let Some(library) = library.filter(|_| find("faketime").is_some()) else {
        return Err(NotHere("faketime is not here (Debian: apt-get install faketime)".to_owned()).into());
    };
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let offset = folder.path().join("offset");
    let set = |offset_now: &str| std::fs::write(&offset, format!("{offset_now}\n"));
    set("+0")?;
    let target = Target::start(program, "--latency 2ms")?;
    let flags = format!("--log-level error --state {}", folder.path().join("state").display());
    let faked = |invocation: Invocation| {
        invocation
            .variable("LD_PRELOAD", &library)
            .variable("FAKETIME_TIMESTAMP_FILE", &offset)
            .variable("FAKETIME_NO_CACHE", "1")
            .variable("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    };
    let service = Service::start(program, &flags, faked)?;
    let gate = |name, ttl| Ok::<_, anyhow::Error>(service.hook("/gate/open", &Hook::with(name, &[("ttl", ttl)]))?.body);
    gate("short", "10m")?;
    let long = gate("long", "5h")?;
    load(&service, "/rollout", "ticks", &target.url(""), &[("wait", "0s"), ("ready-wait", "0s")])?;
    let open = |name| Ok::<_, anyhow::Error>(service.hook("/gate/check", &Hook::of(name))?.status == 200);
    ensure!(open("short")? && open("long")?, "the gates do not open: {long}");
    pause(4.0);
    set("+3600")?;
    pause(4.0);
    let ahead = (open("short")?, open("long")?);
    set("-3600")?;
    pause(4.0);
    let back = open("long")?;
    let received = target.received()?;
    let judged = load(&service, "/rollout", "ticks", &target.url(""), &[("wait", "4s"), ("ready-wait", "0s")])?;
    let readable = service.get("/api/v1/canaries")?.status == 200 && service.get("/metrics")?.status == 200;
    let ended = service.running;
    ended.signal(rustix::process::Signal::TERM)?;
    let code = ended.finish(Duration::from_secs(20))?.code;
    Ok(Claims::default()
        .and("the schedule is kept: 20 a second for 12 s", received.abs_diff(240) <= 8, format!("{received} requests"))
        .and(
            "the load is judged as if nothing had happened",
            judged.status == 200,
            format!("{} {}", judged.status, judged.body),
        )
        .and(
            "gates lapse by the clock of the world",
            (ahead, back) == ((false, true), true),
            format!("an hour ahead: {ahead:?}, an hour back: {back}"),
        )
        .and("it still shows itself, and ends well", readable && code == Some(0), format!("{readable}, exit {code:?}")))
}
