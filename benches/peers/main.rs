//! What a request costs: tollgate beside wrk, h2load, ab, oha and hey, one nginx, the same load, the same core.
//!
//! Rounds are interleaved, so that a slow minute of the machine hits all; ratios are made within a round. Only the
//! client's own user and system time counts. See `benches/README.md`.

#![expect(clippy::print_stdout, reason = "what a benchmark prints is its product")]

mod rounds;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "each benchmark uses a part of it")]
mod support;
mod tools;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rounds::{Cost, Goal, Rounds};
use support::arguments::Arguments;
use support::nginx::Nginx;
use support::process::{Invocation, find, run};
use support::table::Table;
use support::{machine, numbers, tollgate};
use tools::{OURS, TOOLS, Tool};

const CONNECTIONS: u64 = 50;
const CLIENT_CORE: usize = 0;
const SERVER_CORE: usize = 1;

/// P1: CPU per request against each peer, as a ratio within a round.
const GOALS: [Goal; 3] = [
    Goal { peer: "wrk", median: 1.0, upper_quartile: Some(1.1) },
    Goal { peer: "oha", median: 0.7, upper_quartile: None },
    Goal { peer: "hey", median: 0.3, upper_quartile: None },
];

fn main() -> Result<()> {
    let arguments = Arguments::read(&["rounds", "seconds"], &[])?;
    let rounds = arguments.number("rounds", 9)?;
    let seconds = arguments.number("seconds", 4)?;
    println!("{}", machine::describe());
    let mut present = present()?;
    let nginx = Nginx::start(SERVER_CORE)?;
    println!(
        "{rounds} interleaved rounds of {seconds} s, {CONNECTIONS} connections, client on core {CLIENT_CORE}, nginx on core {SERVER_CORE}\n"
    );

    let mut measured = Rounds::default();
    for round in 0..rounds {
        // Another order each round: whoever always came after hey would always find the same warm caches.
        if round > 0 {
            present.rotate_left(1);
        }
        present.retain(|(tool, program)| match measure(tool, program, &nginx.url, seconds) {
            Ok(cost) => {
                measured.add(round, tool.name, cost);
                true
            }
            Err(error) => {
                println!("{} is left out from round {}: {error:#}", tool.name, round + 1);
                false
            }
        });
    }
    print(&measured);
    Ok(())
}

/// The tools that are on this machine, ours built first.
fn present() -> Result<Vec<(&'static Tool, PathBuf)>> {
    let ours = tollgate::build()?;
    let mut present = Vec::new();
    for tool in &TOOLS {
        let program = if tool.name == OURS { Some(ours.clone()) } else { find(tool.name) };
        match program {
            Some(program) => {
                let version = tool.version.map_or_else(String::new, |flag| machine::version(&program, flag));
                println!("{}: {version} ({})", tool.name, tool.from);
                present.push((tool, program));
            }
            None => println!("{} is not on this machine and is left out ({})", tool.name, tool.from),
        }
    }
    Ok(present)
}

fn measure(tool: &Tool, program: &PathBuf, url: &str, seconds: u64) -> Result<Cost> {
    let arguments = (tool.arguments)(CONNECTIONS, seconds);
    let invocation = Invocation::new(program, &arguments).arg(url).on_core(CLIENT_CORE);
    let ended = run(&invocation, Duration::from_secs(seconds + 30))?;
    let complaint = || format!("exit {:?}: {}", ended.code, ended.stderr.lines().next().unwrap_or("no message"));
    let requests = (tool.requests)(&ended.stdout).with_context(complaint)?;
    ensure!(requests > 0, "no request was answered; {}", complaint());
    Ok(Cost { requests: requests as f64, wall: ended.wall.as_secs_f64(), cpu: ended.cpu.as_secs_f64() })
}

fn print(measured: &Rounds) {
    let mut table =
        Table::new(&["tool", "rounds", "req/s", "CPU µs/request", "quartiles", "tollgate ÷ it", "upper quartile"]);
    for tool in TOOLS.iter().map(|tool| tool.name) {
        let (rate, cost) = (measured.per_second(tool), measured.cpu_micros(tool));
        if cost.is_empty() {
            continue;
        }
        let ratios = measured.ratios(OURS, tool);
        let show = |values: &[f64], q: f64| match values {
            [] => "–".to_owned(),
            values => format!("{:.2}", numbers::quantile(values, q)),
        };
        table.row([
            tool.to_owned(),
            cost.len().to_string(),
            format!("{:.0}", numbers::quantile(&rate, 0.5)),
            show(&cost, 0.5),
            format!("{}–{}", show(&cost, 0.25), show(&cost, 0.75)),
            show(&ratios, 0.5),
            show(&ratios, 0.75),
        ]);
    }
    println!("\n{table}");
    for goal in &GOALS {
        println!("P1 {}", goal.outcome(&measured.ratios(OURS, goal.peer)));
    }
    let (ours, wrk) = (measured.per_second(OURS), measured.per_second("wrk"));
    if !ours.is_empty() && !wrk.is_empty() {
        let (ours, wrk) = (numbers::quantile(&ours, 0.5), numbers::quantile(&wrk, 0.5));
        println!(
            "P2 requests per second: tollgate {ours:.0}, wrk {wrk:.0}, ratio {:.2} (shown, not required)",
            ours / wrk
        );
    }
}
