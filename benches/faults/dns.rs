//! A name server of our own, which fails or changes its mind.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};

use super::claims::{Claims, NotHere};
use super::processes::{SLO, accounted, pause, run_beside, verdict};
use super::support::process::{Invocation, free_port, run};
use super::support::target::Target;

/// Where it listens; on port 53, for nothing else can be said in `resolv.conf`.
const SERVER: Ipv4Addr = Ipv4Addr::new(127, 53, 53, 53);
/// The name that is asked for.
const NAME: &str = "release-canary.bench.test";
/// How long an answer holds, in seconds.
const HOLDS: u8 = 1;
/// Answered in place of an address.
const NO_SUCH_NAME: u8 = 0;
const FAILS: u8 = 255;

/// What is answered: 127.0.0.N, or one of the codes above; and how often somebody asked.
struct Zone {
    answer: AtomicU8,
    asked: AtomicU64,
    over: AtomicBool,
}

impl Zone {
    /// Answers until it is over.
    fn serve(&self, socket: &UdpSocket) {
        let mut question = [0; 512];
        while !self.over.load(Ordering::Relaxed) {
            let Ok((length, from)) = socket.recv_from(&mut question) else { continue };
            self.asked.fetch_add(1, Ordering::Relaxed);
            if let Some(answer) = answer(&question[..length], self.answer.load(Ordering::Relaxed)) {
                // Who asked may have gone.
                let _ = socket.send_to(&answer, from);
            }
        }
    }

    fn says(&self, answer: u8) {
        self.answer.store(answer, Ordering::Relaxed);
    }
}

/// The answer to a question (RFC 1035, 4.1), without what the question has besides it.
fn answer(question: &[u8], code: u8) -> Option<Vec<u8>> {
    let name_length = question.get(12..)?.iter().position(|byte| *byte == 0)? + 1;
    let kind = question.get(12 + name_length..14 + name_length)?;
    let has_address = code != NO_SUCH_NAME && code != FAILS && kind == [0, 1];
    let status = match code {
        NO_SUCH_NAME => 3,
        FAILS => 2,
        _ => 0,
    };
    let mut answer = question.get(..2)?.to_vec();
    answer.extend([0x84, status, 0, 1, 0, u8::from(has_address), 0, 0, 0, 0]);
    answer.extend(question.get(12..16 + name_length)?);
    if has_address {
        answer.extend([0xC0, 12, 0, 1, 0, 1, 0, 0, 0, HOLDS, 0, 4, 127, 0, 0, code]);
    }
    Some(answer)
}

/// Does something beside the name server.
fn with_zone<T>(first: u8, then: impl FnOnce(&Zone, &Path) -> Result<T>) -> Result<T> {
    let socket = UdpSocket::bind(SocketAddr::from((SERVER, 53)))
        .map_err(|error| NotHere(format!("no name server at {SERVER}:53: {error}")))?;
    socket.set_read_timeout(Some(Duration::from_millis(100)))?;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let file = folder.path().join("resolv.conf");
    std::fs::write(&file, format!("nameserver {SERVER}\noptions timeout:1 attempts:1\n"))?;
    let zone = Zone { answer: AtomicU8::new(first), asked: AtomicU64::new(0), over: AtomicBool::new(false) };
    std::thread::scope(|scope| {
        scope.spawn(|| zone.serve(&socket));
        let done = then(&zone, &file);
        zone.over.store(true, Ordering::Relaxed);
        done
    })
}

/// A load of ten seconds by that name, by a program that sees that `resolv.conf` in place of the machine's.
fn asked(program: &Path, resolv: &Path, port: u16) -> Result<Invocation> {
    let line = "mount --bind \"$RESOLV\" /etc/resolv.conf || exit 77; exec \"$0\" \"$@\"";
    let words = ["unshare", "--mount", "--propagation", "private", "sh", "-c", line];
    let own =
        |program: &Path, arguments: &str| Invocation::new(program, arguments).under(words).variable("RESOLV", resolv);
    let tried = run(&own(Path::new("true"), ""), Duration::from_secs(5))?;
    if tried.code != Some(0) {
        return Err(NotHere(format!("no resolv.conf of our own: {}", tried.stderr.trim())).into());
    }
    let arguments = "run -z 10s --rate 100/s -c 4 --connection-age 500ms --output json --slo";
    Ok(own(program, arguments).arg(SLO).arg(format!("http://{NAME}:{port}/")))
}

fn target(program: &Path, last: u8, port: u16) -> Result<Target> {
    Target::on(program, SocketAddr::from(([127, 0, 0, last], port)), "--latency 2ms", |invocation| invocation)
}

pub(crate) fn fails_later(program: &Path) -> Result<Claims> {
    let port = free_port()?;
    let target = target(program, 2, port)?;
    with_zone(2, |zone, resolv| {
        let mut asked_then = 0;
        let report = run_beside(&asked(program, resolv, port)?, 40.0, || {
            pause(3.0);
            asked_then = zone.asked.load(Ordering::Relaxed);
            zone.says(FAILS);
            Ok(())
        })?;
        let asked_more = zone.asked.load(Ordering::Relaxed) - asked_then;
        let (due, done) = accounted(&report);
        let received = target.received()?;
        let passed = report.text("/verdict/decision") == Some("pass");
        Ok(Claims::default()
            .and(
                "the last address that was known is used",
                received == 1_000,
                format!("{received} of {due} arrived, {done} done"),
            )
            .and("the name is asked for again", asked_more > 0, format!("{asked_more} questions after the failure"))
            .and("the target is not blamed", passed, verdict(&report)))
    })
}

pub(crate) fn fails_always(program: &Path) -> Result<Claims> {
    with_zone(NO_SUCH_NAME, |_, resolv| {
        let ended = run(&asked(program, resolv, free_port()?)?, Duration::from_secs(40))?;
        let report = super::support::tollgate::Report::parse(&ended.stdout).context("no report")?;
        let unreachable = report.text("/verdict/decision") == Some("unreachable");
        let said = verdict(&report);
        let first = report.text("/first_error").unwrap_or("").to_owned();
        Ok(Claims::default()
            .and(
                "it is unreachable, and no pass",
                unreachable && ended.code == Some(1),
                format!("exit {:?}, {said}", ended.code),
            )
            .and("the name is said", said.contains(NAME) || first.contains(NAME), format!("{said} {first}")))
    })
}

pub(crate) fn changes(program: &Path) -> Result<Claims> {
    let port = free_port()?;
    let (old, new) = (target(program, 2, port)?, target(program, 3, port)?);
    with_zone(2, |zone, resolv| {
        let mut at_change = 0;
        let report = run_beside(&asked(program, resolv, port)?, 40.0, || {
            pause(4.0);
            zone.says(3);
            // The answer holds for a second, and connections are renewed after half of one.
            pause(3.0);
            at_change = old.received()?;
            Ok(())
        })?;
        let (late, moved) = (old.received()? - at_change, new.received()?);
        let passed = report.text("/verdict/decision") == Some("pass");
        Ok(Claims::default()
            .and(
                "load moves on within 3 s",
                late == 0 && moved >= 300,
                format!("{moved} at the new address, {late} more at the old one"),
            )
            .and(
                "nothing is lost on the way",
                passed && at_change + moved == 1_000,
                format!("{} in all; {}", at_change + moved, verdict(&report)),
            ))
    })
}
