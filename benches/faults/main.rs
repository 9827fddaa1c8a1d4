//! What goes wrong around a service, done to it on purpose: each fault is injected into the program as it is shipped, and
//! what must hold meanwhile and afterwards is looked at. See `benches/README.md`.

#![expect(clippy::print_stdout, reason = "what a benchmark prints is its product")]

mod callers;
mod claims;
mod clocks;
mod dns;
mod limits;
mod network;
mod processes;
mod storage;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "each benchmark uses a part of it")]
mod support;

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, bail};
use claims::{Claims, NotHere};
use support::arguments::Arguments;
use support::table::Table;
use support::{machine, tollgate};

/// One fault.
struct Fault {
    /// Its name, also for `--only`.
    name: &'static str,
    /// What is done.
    injected: &'static str,
    /// Does it, and says what was seen.
    run: fn(&Path) -> Result<Claims>,
}

const fn fault(name: &'static str, injected: &'static str, run: fn(&Path) -> Result<Claims>) -> Fault {
    Fault { name, injected, run }
}

const FAULTS: &[Fault] = &[
    fault("kill", "kill -9 under load, with --state; the service is started again", processes::killed),
    fault("term", "SIGTERM under load, while a pre-rollout hook waits", processes::told_to_end),
    fault("target-restart", "the target is killed under load and comes back after 2 s", processes::target_restarts),
    fault("target-stop", "the target stands still for 2 s (SIGSTOP, SIGCONT)", processes::target_stands_still),
    fault("disk", "the file system of --state is full", storage::full_disk),
    fault("clock", "the clock of the world is set an hour ahead, then two back", clocks::steps),
    fault("dns-fails", "the name server fails in the middle of a load", dns::fails_later),
    fault("dns-never", "the name server knows no such name", dns::fails_always),
    fault("dns-changes", "the name gets another address in the middle of a load", dns::changes),
    fault("half-open", "the link to the target goes down under load; nobody says so", network::half_open),
    fault("loss", "3 % of the packets to the target are dropped", network::loss),
    fault("delay", "packets are delayed by 40 ms (tc netem)", network::delay),
    fault("descriptors", "40 open files at most for 250 connections", limits::descriptors),
    fault(
        "descriptors-serve",
        "64 open files at most for a service with hanging load",
        limits::descriptors_of_a_service,
    ),
    fault("memory", "64 MiB for a service with 200 loads, huge answers and huge hooks", limits::memory),
    fault("cpu", "2 % of one CPU for a service whose target is fast", limits::cpu),
    fault("slow-callers", "1100 callers that send a byte now and then", callers::slow),
    fault("bad-callers", "broken JSON, 50 MiB, 100 000 keys, an unknown path", callers::bad),
];

fn main() -> Result<()> {
    let arguments = Arguments::read(&["only"], &[])?;
    let only: Option<Vec<&str>> = arguments.text("only").map(|names| names.split(',').collect());
    if let Some(name) = only.iter().flatten().find(|name| FAULTS.iter().all(|fault| fault.name != **name)) {
        let names: Vec<&str> = FAULTS.iter().map(|fault| fault.name).collect();
        bail!("--only {name}: {names:?} are allowed, with commas");
    }
    println!("{}", machine::describe());
    let program = tollgate::build()?;
    let began = Instant::now();
    let mut table = Table::new(&["fault", "injected", "what must hold", "seen", ""]);
    let (mut held, mut all, mut missing) = (0, 0, Vec::new());
    for fault in FAULTS.iter().filter(|fault| only.as_ref().is_none_or(|only| only.contains(&fault.name))) {
        let claims = match (fault.run)(&program) {
            Ok(claims) => claims,
            Err(error) if error.is::<NotHere>() => {
                missing.push(fault.name);
                table.row([fault.name, fault.injected, "", &error.to_string(), "not injected"]);
                continue;
            }
            Err(error) => Claims::default().and("it can be gone through", false, format!("{error:#}")),
        };
        for (number, claim) in claims.iter().enumerate() {
            let (name, injected) = if number == 0 { (fault.name, fault.injected) } else { ("", "") };
            let outcome = if claim.held { "held" } else { "DID NOT HOLD" };
            table.row([name, injected, claim.what, &claim.seen.replace('|', "/"), outcome]);
            held += usize::from(claim.held);
            all += 1;
        }
    }
    println!("\n{table}\n{held} of {all} held; not injected: {missing:?}; {:.0} s", began.elapsed().as_secs_f64());
    if held < all {
        bail!("{} did not hold", all - held);
    }
    Ok(())
}
