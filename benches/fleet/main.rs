//! Schedules kept: how exactly a slow and a fast one leave this process, what that costs, and a thousand at once.
//!
//! nginx has the other core. Lag is our own lateness alone, as the report gives it. See `benches/README.md`.

#![expect(clippy::print_stdout, reason = "what a benchmark prints is its product")]

mod pace;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "each benchmark uses a part of it")]
mod support;
mod thousand;

use anyhow::Result;
use pace::{Goal, PACES, Paced};
use support::arguments::Arguments;
use support::goals::Goals;
use support::nginx::Nginx;
use support::table::Table;
use support::{machine, tollgate};
use thousand::Fleet;

/// The allocator of the program, since the fleet runs in this process.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// P4: most memory and cores for a thousand loads, and the least share of its schedule that each must keep.
const MOST_MIB: f64 = 100.0;
const MOST_CORES: f64 = 0.5;
const LEAST_KEPT: f64 = 0.999;
/// What is said of a goal that is kept.
const REACHED: &str = "reached";
const MOST_LAG_MS: (f64, f64) = (0.5, 1.0);

fn main() -> Result<()> {
    let arguments = Arguments::read(&["seconds", "fleet-seconds", "tasks"], &[])?;
    let seconds = arguments.number("seconds", 20)?;
    let fleet_seconds = arguments.number("fleet-seconds", 60)?;
    let tasks = arguments.number("tasks", 1_000)?;
    println!("{}", machine::describe());
    let program = tollgate::build()?;
    let nginx = Nginx::start(1)?;
    println!("{}; {seconds} s each, client on core 0, nginx on core 1\n", machine::version(&program, "--version"));

    let mut table = Table::new(&["load", "sent of due", "lag p50 ms", "lag p99 ms", "cores", "peak MiB", "goal"]);
    let mut goals = Goals::default();
    for goal in &PACES {
        match pace::measure(goal, &program, &nginx.url(), seconds) {
            Ok(paced) => {
                table.row(row(goal, &paced));
                let shown = format!(
                    "{:.3} % sent, lag p50 {:.3} ms, p99 {:.3} ms",
                    paced.sent * 100.0,
                    paced.lag_p50_ms,
                    paced.lag_p99_ms
                );
                let wanted = format!("≥ 99.9 %, ≤ {} ms, ≤ {} ms", goal.lag_p50_ms, goal.lag_p99_ms);
                goals.add("P5", &format!("schedule of {}", goal.name), (shown, &wanted), Some(paced.reaches(goal)));
            }
            Err(error) => println!("{} is left out: {error:#}", goal.name),
        }
    }
    println!("{table}");
    println!("{tasks} loads of -q 10 -c 2 in one process for {fleet_seconds} s, connections renewed every 5 s");
    let fleet = thousand::measure(tasks, fleet_seconds, nginx.port)?;
    let mut table = Table::new(&["what", "measured", "goal", ""]);
    for goal in fleet_rows(&fleet) {
        let what = format!("{tasks} loads in the bare engine, {fleet_seconds} s: {}", goal[0]);
        goals.add("P4", &what, (goal[1].clone(), &goal[2]), Some(goal[3] == REACHED));
        table.row(goal);
    }
    println!("{table}\n{}", goals.table());
    Ok(())
}

/// The fleet's figures beside their goals.
fn fleet_rows(fleet: &Fleet) -> Vec<[String; 4]> {
    let mib = fleet.usage.peak_resident as f64 / 1024.0 / 1024.0;
    let row = |what: &str, measured: String, goal: String, reached: bool| {
        [what.to_owned(), measured, goal, (if reached { REACHED } else { "NOT REACHED" }).to_owned()]
    };
    let (p50, p99) = MOST_LAG_MS;
    vec![
        row("peak resident MiB", format!("{mib:.1}"), format!("≤ {MOST_MIB}"), mib <= MOST_MIB),
        row("cores", format!("{:.3}", fleet.usage.cores), format!("≤ {MOST_CORES}"), fleet.usage.cores <= MOST_CORES),
        row(
            "worst load kept of its schedule",
            format!("{:.3} %", fleet.worst_kept * 100.0),
            format!("≥ {} %", LEAST_KEPT * 100.0),
            fleet.worst_kept >= LEAST_KEPT,
        ),
        row("lag p50 ms", format!("{:.3}", fleet.lag_ms(0.5)), format!("≤ {p50}"), fleet.lag_ms(0.5) <= p50),
        row("lag p99 ms", format!("{:.3}", fleet.lag_ms(0.99)), format!("≤ {p99}"), fleet.lag_ms(0.99) <= p99),
        row(
            "answered well of due",
            format!("{} of {}", fleet.succeeded, fleet.scheduled),
            "all".to_owned(),
            fleet.succeeded == fleet.scheduled,
        ),
        row(
            "verdicts that pass",
            format!("{} of {}", fleet.passed, fleet.tasks),
            "all".to_owned(),
            fleet.passed == fleet.tasks,
        ),
    ]
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
