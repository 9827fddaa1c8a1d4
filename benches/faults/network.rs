//! Networks that lose, delay or swallow what is sent: the target in a network namespace of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::claims::{Claims, NotHere};
use super::processes::{accounted, pause, run_beside, verdict};
use super::support::process::{Invocation, free_port};
use super::support::target::Target;
use super::support::tollgate::Report;

/// Our end and the target's, on a link of two.
const OURS: &str = "10.213.77.1/30";
const THEIRS: ([u8; 4], &str) = ([10, 213, 77, 2], "10.213.77.2/30");
const SPACE: &str = "tollgate-bench";
const LINKS: (&str, &str) = ("tollgate-b0", "tollgate-b1");
/// Taking a link away may take the kernel a moment.
const TRIES: usize = 50;

/// A namespace with a link to it; dropping it takes both away.
struct Space;

impl Space {
    fn make() -> Result<Self> {
        // A run that was killed may have left its own.
        let _ = Command::new("ip").args(["netns", "del", SPACE]).output();
        let _ = Command::new("ip").args(["link", "del", LINKS.0]).output();
        command(&format!("ip netns add {SPACE}"))?;
        let space = Self;
        let link = format!("ip link add {} type veth peer name {} netns {SPACE}", LINKS.0, LINKS.1);
        let mut made = command(&link);
        for _ in 0..TRIES {
            if made.is_ok() {
                break;
            }
            pause(0.1);
            made = command(&link);
        }
        made?;
        let steps = [
            format!("ip addr add {OURS} dev {}", LINKS.0),
            format!("ip link set {} up", LINKS.0),
            format!("ip netns exec {SPACE} ip addr add {} dev {}", THEIRS.1, LINKS.1),
            format!("ip netns exec {SPACE} ip link set {} up", LINKS.1),
        ];
        steps.iter().try_for_each(|step| command(step))?;
        Ok(space)
    }

    /// A practice canary in it.
    fn target(program: &Path) -> Result<Target> {
        let address = SocketAddr::from((THEIRS.0, free_port()?));
        Target::on(program, address, "--latency 2ms", |invocation| invocation.under(["ip", "netns", "exec", SPACE]))
    }

    /// Runs a command in it.
    fn inside(line: &str) -> Result<()> {
        command(&format!("ip netns exec {SPACE} {line}"))
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        // The link goes with it.
        let _ = Command::new("ip").args(["netns", "del", SPACE]).output();
    }
}

/// Runs a command that a machine may not permit.
fn command(line: &str) -> Result<()> {
    let mut words = line.split(' ');
    let output = Command::new(words.next().unwrap_or_default()).args(words).output();
    let output = output.map_err(|error| NotHere(format!("{line}: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    Err(NotHere(format!("{line}: {}", String::from_utf8_lossy(&output.stderr).trim())).into())
}

fn asked(program: &Path, target: &Target, line: &str) -> Invocation {
    Invocation::new(program, &format!("run --output json {line} --slo success>=99%,p99<100ms")).arg(target.url(""))
}

fn decision(report: &Report) -> &str {
    report.text("/verdict/decision").unwrap_or("none")
}

pub(crate) fn half_open(program: &Path) -> Result<Claims> {
    let _space = Space::make()?;
    let target = Space::target(program)?;
    let began = std::time::Instant::now();
    let line = asked(program, &target, "-z 6s -t 2s --rate 100/s -c 4 --max-lanes 400");
    let mut up = 0.0;
    let report = run_beside(&line, 40.0, || {
        pause(3.0);
        let done = Space::inside(&format!("ip link set {} down", LINKS.1));
        up = began.elapsed().as_secs_f64();
        done
    })?;
    let took = began.elapsed().as_secs_f64();
    let (due, done) = accounted(&report);
    // Some wait for an answer in vain, others for a connection; which fault that is depends on what the system says of it.
    let failed = done - report.number("/requests/succeeded").unwrap_or(0.0);
    let faults = report.json("/faults");
    Ok(Claims::default()
        .and("every request that was due is accounted for", due == done && due == 600.0, format!("{done} of {due}"))
        .and(
            "what is swallowed counts as failed",
            (600.0 - up * 100.0 - failed).abs() <= 20.0,
            format!("{failed} failed of {:.0} due afterwards: {faults}", 600.0 - up * 100.0),
        )
        .and("it is a fail, and not silence", decision(&report) == "fail", verdict(&report))
        .and("it ends with the last time limit", took < 10.0, format!("{took:.1} s")))
}

pub(crate) fn loss(program: &Path) -> Result<Claims> {
    let _space = Space::make()?;
    let target = Space::target(program)?;
    Space::inside(&format!("iptables -A INPUT -i {} -m statistic --mode random --probability 0.03 -j DROP", LINKS.1))?;
    let line = asked(program, &target, "-z 10s --rate 200/s -c 10 --max-lanes 400");
    let report = run_beside(&line, 60.0, || Ok(()))?;
    let (due, done) = accounted(&report);
    let answered = report.number("/requests/succeeded").unwrap_or(0.0);
    let p99 = report.number("/latency_ms/p99").unwrap_or(0.0);
    Ok(Claims::default()
        .and("every request that was due is accounted for", due == done && due == 2_000.0, format!("{done} of {due}"))
        .and("what is sent again arrives", answered >= 1_990.0, format!("{answered} succeeded"))
        .and("the wait for it is in the latency: p99 is above 200 ms", p99 >= 200.0, format!("p99 {p99:.0} ms"))
        .and("it is a fail, and not our own lateness", decision(&report) == "fail", verdict(&report)))
}

pub(crate) fn delay(program: &Path) -> Result<Claims> {
    let _space = Space::make()?;
    let target = Space::target(program)?;
    Space::inside(&format!("tc qdisc add dev {} root netem delay 40ms", LINKS.1))?;
    let line = asked(program, &target, "-z 5s --rate 100/s -c 20 --max-lanes 400");
    let report = run_beside(&line, 40.0, || Ok(()))?;
    let p50 = report.number("/latency_ms/p50").unwrap_or(0.0);
    Ok(Claims::default()
        .and("the delay is in the latency: p50 is 42 ms", (p50 - 42.0).abs() <= 2.0, format!("p50 {p50:.1} ms"))
        .and("it passes below its bound", decision(&report) == "pass", verdict(&report)))
}
