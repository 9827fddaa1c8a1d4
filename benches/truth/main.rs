//! The battery: targets that misbehave in known ways, under several loads; what tollgate and its peers say of each,
//! beside what its users really went through. See `benches/README.md`.

#![expect(clippy::print_stdout, reason = "what a benchmark prints is its product")]

mod cells;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "each benchmark uses a part of it")]
mod support;
mod table;
mod tools;
mod truth;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use cells::{Cell, LOADS, Load, TIMEOUT_SECONDS, WIRES, cells};
use support::arguments::Arguments;
use support::process::{Invocation, find, run};
use support::target::Target;
use support::{machine, tollgate};
use table::Run;
use tools::{OURS, TOOLS, Tool};

/// One run to be made.
type Job = (Cell, &'static Tool, PathBuf);

fn main() -> Result<()> {
    let arguments = Arguments::read(&["wire"], &["quick"])?;
    let quick = arguments.has("quick");
    let wanted = arguments.text("wire");
    let wires: Vec<_> = WIRES.iter().filter(|(_, name)| wanted.is_none_or(|wanted| wanted == *name)).collect();
    if wires.is_empty() {
        bail!("--wire: {:?} are allowed", WIRES.map(|(_, name)| name));
    }
    println!("{}", machine::describe());
    let canary = tollgate::build()?;
    let began = Instant::now();
    let tools = present(&canary);

    for (wire, name) in wires {
        let mut runs = Vec::new();
        for load in &LOADS {
            let jobs = cells(*wire, load, quick).into_iter().flat_map(|cell| {
                let able = tools.iter().filter(move |(tool, _)| (tool.can)(&cell));
                able.map(move |(tool, program)| (cell, *tool, program.clone()))
            });
            runs.extend(all(&canary, load, jobs.collect(), quick));
        }
        println!("\n{name}\n\n{}\n{}\n{}", table::cells(&runs), table::totals(&runs), table::list(&runs));
        println!("{}", table::goals(&runs, name).table());
    }
    println!("{:.0} s", began.elapsed().as_secs_f64());
    Ok(())
}

/// The tools that are on this machine.
fn present(ours: &Path) -> Vec<(&'static Tool, PathBuf)> {
    let mut present = Vec::new();
    for tool in &TOOLS {
        match if tool.name == OURS { Some(ours.to_owned()) } else { find(tool.program) } {
            Some(program) => present.push((tool, program)),
            None => println!("{} is not on this machine and is left out", tool.name),
        }
    }
    present
}

/// Makes all runs of one load, several at once where that disturbs none of them.
fn all(canary: &Path, load: &Load, jobs: VecDeque<Job>, quick: bool) -> Vec<Run> {
    let jobs = Mutex::new(jobs);
    let done = Mutex::new(Vec::new());
    let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let at_once = if quick { load.at_once * 3 / 2 } else { load.at_once };
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some((cell, tool, program)) = next() {
                    match one(canary, cell, tool, &program) {
                        Ok(run) => done.lock().unwrap_or_else(PoisonError::into_inner).push(run),
                        Err(error) => println!(
                            "{} is left out of {}, {}: {error:#}",
                            tool.name, cell.behaviour.name, cell.load.name
                        ),
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    let order = |run: &Run| {
        let target = cells::BEHAVIOURS.iter().position(|behaviour| behaviour.name == run.cell.behaviour.name);
        (target, TOOLS.iter().position(|tool| tool.name == run.tool))
    };
    done.sort_by_key(order);
    done
}

/// One tool against a target of its own.
fn one(canary: &Path, cell: Cell, tool: &'static Tool, program: &Path) -> Result<Run> {
    let target = Target::start(canary, cell.behaviour.flags)?;
    let invocation = Invocation::new(program, &(tool.arguments)(&cell)).arg(target.url(cell.wire.path()));
    let limit = Duration::from_secs(u64::from(cell.load.seconds + 3 * TIMEOUT_SECONDS + 20));
    let ended = run(&invocation, limit)?;
    let said = (tool.read)(&ended.stdout, cell.behaviour.p99_below_ms)
        .with_context(|| format!("exit {:?}: {}", ended.code, ended.stderr.lines().next().unwrap_or("no message")))?;
    let scheduled = cell.load.rate.and_then(|rate| truth::open(cell.behaviour.law, rate, cell.load.seconds));
    let truth = match scheduled {
        Some(truth) => truth,
        None => {
            let account = target.account()?;
            truth::served(&account).with_context(|| format!("/__truth says too little: {account:.300}"))?
        }
    };
    Ok(Run { cell, tool: tool.name, truth, said })
}
