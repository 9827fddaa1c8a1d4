//! The service as it is deployed: how soon it is there and how small it is, how soon a broken release is noticed, how fast
//! hooks are answered while load runs, and what a fleet of releases takes beside the processes of hey that Flagger's
//! loadtester starts. See `benches/README.md`.

#![expect(clippy::print_stdout, reason = "what a benchmark prints is its product")]

mod curve;
mod detect;
mod fleet;
mod hooks;
mod start;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "each benchmark uses a part of it")]
mod support;

use anyhow::{Result, bail};
use support::arguments::Arguments;
use support::goals::Goals;
use support::{machine, tollgate};

/// The parts, by the name that `--only` takes.
const PARTS: [&str; 5] = ["start", "detect", "hooks", "fleet", "curve"];

fn main() -> Result<()> {
    let valued = ["only", "tasks", "hook-seconds", "fleet-seconds", "curve-seconds", "curve"];
    let arguments = Arguments::read(&valued, &[])?;
    let only: Option<Vec<&str>> = arguments.text("only").map(|names| names.split(',').collect());
    if let Some(name) = only.iter().flatten().find(|name| !PARTS.contains(name)) {
        bail!("--only {name}: {PARTS:?} are allowed, with commas");
    }
    let wanted = |part: &str| only.as_ref().is_none_or(|only| only.contains(&part));
    let tasks = arguments.number("tasks", 1_000)?;
    println!("{}", machine::describe());
    let program = tollgate::build()?;
    println!("{}", machine::version(&program, "--version"));
    let mut goals = Goals::default();
    // A part that cannot be measured takes none of the others with it.
    let told = |part: &str, result: Result<()>| {
        if let Err(error) = result {
            println!("{part} is left out: {error:#}");
        }
    };
    if wanted("start") {
        told("start", start::measure(&program, &mut goals));
    }
    if wanted("detect") {
        told("detect", detect::measure(&program, &mut goals));
    }
    if wanted("hooks") {
        told("hooks", hooks::measure(&program, tasks, arguments.number("hook-seconds", 30)?, &mut goals));
    }
    if wanted("fleet") {
        told("fleet", fleet::measure(&program, tasks, arguments.number("fleet-seconds", 60)?, &mut goals));
    }
    if wanted("curve") {
        let sizes = arguments.text("curve").unwrap_or("1,10,100,500,1000,2000");
        told("curve", curve::measure(&program, sizes, arguments.number("curve-seconds", 10)?, &mut goals));
    }
    println!("\n{}", goals.table());
    Ok(())
}
