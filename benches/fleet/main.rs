//! Schedules kept: how exactly a slow and a fast one leave this process, and what that costs.
//!
//! nginx has the other core. Lag is our own lateness alone, as the report gives it. See `benches/README.md`.

#![expect(clippy::print_stdout, reason = "what a benchmark prints is its product")]

mod pace;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "each benchmark uses a part of it")]
mod support;

use anyhow::Result;
use pace::{Goal, PACES, Paced};
use support::arguments::Arguments;
use support::nginx::Nginx;
use support::table::Table;
use support::{machine, tollgate};

fn main() -> Result<()> {
    let arguments = Arguments::read(&["seconds"], &[])?;
    let seconds = arguments.number("seconds", 20)?;
    println!("{}", machine::describe());
    let program = tollgate::build()?;
    let nginx = Nginx::start(1)?;
    println!("{}; {seconds} s each, client on core 0, nginx on core 1\n", machine::version(&program, "--version"));

    let mut table = Table::new(&["load", "sent of due", "lag p50 ms", "lag p99 ms", "cores", "peak MiB", "goal"]);
    for goal in &PACES {
        match pace::measure(goal, &program, &nginx.url, seconds) {
            Ok(paced) => table.row(row(goal, &paced)),
            Err(error) => println!("{} is left out: {error:#}", goal.name),
        }
    }
    println!("{table}");
    Ok(())
}

fn row(goal: &Goal, paced: &Paced) -> [String; 7] {
    let lag = |value: f64, limit: f64| format!("{value:.3} (≤ {limit})");
    [
        goal.name.to_owned(),
        format!("{:.3} % (≥ {} %)", paced.sent * 100.0, goal.sent * 100.0),
        lag(paced.lag_p50_ms, goal.lag_p50_ms),
        lag(paced.lag_p99_ms, goal.lag_p99_ms),
        format!("{:.3}", paced.usage.cores),
        format!("{:.1}", paced.usage.peak_resident as f64 / 1024.0 / 1024.0),
        (if paced.reaches(goal) { "reached" } else { "NOT REACHED" }).to_owned(),
    ]
}
