//! A disk that is full, and has room again.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use rustix::process::Signal;

use super::claims::{Claims, NotHere};
use super::processes::{load, pause};
use super::support::process::free_port;
use super::support::service::{Hook, Service};
use super::support::target::Target;

/// A small file system in memory; dropping it takes it away.
struct Disk(tempfile::TempDir);

impl Disk {
    fn mount() -> Result<Self> {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=6m", "tmpfs"]).arg(folder.path()).output()?;
        if !mounted.status.success() {
            let why = String::from_utf8_lossy(&mounted.stderr).trim().to_owned();
            return Err(NotHere(format!("no file system of our own: {why}")).into());
        }
        Ok(Self(folder))
    }

    /// Leaves no room on it.
    fn fill(&self) -> Result<()> {
        let mut ballast = File::create(self.0.path().join("ballast"))?;
        while ballast.write_all(&[0; 4096]).is_ok() {}
        Ok(())
    }

    fn free(&self) -> Result<()> {
        Ok(std::fs::remove_file(self.0.path().join("ballast"))?)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a process that is just ending may still have it.
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

pub(crate) fn full_disk(program: &Path) -> Result<Claims> {
    let disk = Disk::mount()?;
    let flags = format!("--log-level error --state {}", disk.0.path().join("state").display());
    let target = Target::start(program, "--latency 2ms")?;
    let port = free_port()?;
    let service = Service::at(program, port, &flags, |invocation| invocation)?;
    ensure!(service.hook("/gate/open", &Hook::of("before"))?.status == 202, "the first gate does not open");
    load(&service, "/rollout", "goes-on", &target.url(""), &[("wait", "0s")])?;
    disk.fill()?;
    // What the file has room for inside is still taken.
    let why = "x".repeat(200);
    let metadata = [("why", why.as_str())];
    let mut refused = None;
    for number in 0..20_000 {
        let name = format!("g{number}");
        let answer = service.hook("/gate/open", &Hook::with(&name, &metadata))?;
        if answer.status != 202 {
            refused = Some((name, answer));
            break;
        }
    }
    let Some((name, refusal)) = refused else { return Err(NotHere("the disk never was full".to_owned()).into()) };
    let closed = service.hook("/gate/check", &Hook::of(&name))?;
    let kept = service.hook("/gate/check", &Hook::of("before"))?;
    pause(3.0);
    let judged = load(&service, "/rollout", "goes-on", &target.url(""), &[("wait", "4s")])?;
    disk.free()?;
    let after = service.hook("/gate/open", &Hook::of("after"))?;
    service.running.signal(Signal::KILL)?;
    drop(service);
    let service = Service::at(program, port, &flags, |invocation| invocation)?;
    let open = |name: &str| Ok::<_, anyhow::Error>(service.hook("/gate/check", &Hook::of(name))?.status == 200);
    let found = (open("before")?, open("after")?, open(&name)?);
    Ok(Claims::default()
        .and(
            "the opener gets 500 with the reason",
            refusal.status == 500,
            format!("{} {}", refusal.status, refusal.body),
        )
        .and(
            "the gate is as it was, and so are others",
            (closed.status, kept.status) == (403, 200),
            format!("{}, {}", closed.body, kept.body),
        )
        .and("load is judged meanwhile", judged.status == 200, format!("{} {}", judged.status, judged.body))
        .and(
            "no restart is needed when there is room again",
            after.status == 202,
            format!("{} {}", after.status, after.body),
        )
        .and(
            "after kill -9 it knows what it answered",
            found == (true, true, false),
            format!("before, after, refused: {found:?}"),
        ))
}
