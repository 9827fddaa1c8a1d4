//! How often chance alone decides: releases that are drawn request by request from a known truth, thousands of times,
//! through the rules that answer hooks. No socket, no waiting: an hour of analysis is some thousand draws on a clock that
//! jumps. See `benches/README.md`.

#![expect(clippy::print_stdout, reason = "what a benchmark prints is its product")]

mod draw;
mod rollback;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "each benchmark uses a part of it")]
mod support;
mod verdicts;

use std::time::Instant;

use anyhow::Result;
use rollback::{ALPHA, SCENES};
use support::arguments::Arguments;
use support::goals::Goals;
use support::machine;
use support::table::Table;
use verdicts::{LINES, LOADS, TRUTHS};

fn main() -> Result<()> {
    let arguments = Arguments::read(&["seeds"], &[])?;
    let seeds = arguments.number("seeds", 10_000)?;
    println!("{}", machine::describe());
    let began = Instant::now();
    let mut goals = Goals::default();
    rollbacks(seeds, &mut goals);
    single_verdicts(seeds, &mut goals);
    println!("{}", goals.table());
    println!("{:.0} s", began.elapsed().as_secs_f64());
    Ok(())
}

/// Releases that are given up, and when.
fn rollbacks(seeds: u64, goals: &mut Goals) {
    println!("\nAnalyses of an hour, 20 requests/s to the canary alone, `/rollback` asked on every tick\n");
    let mut table = Table::new(&["objective", "truth", "tick", "analyses", "given up", "median s until then"]);
    for scene in &SCENES {
        // What happens to nearly all of them needs no more than some hundred.
        let seeds = if scene.is_good { seeds } else { seeds.div_ceil(20) };
        let found = rollback::count(scene, seeds);
        let share = found.len() as f64 / seeds as f64;
        let median = found.get(found.len() / 2).map_or_else(|| "–".to_owned(), ToString::to_string);
        let shown = format!("{} ({:.2} %)", found.len(), share * 100.0);
        let tick = format!("{} s", scene.tick);
        table.row([scene.line, scene.truth, &tick, &seeds.to_string(), &shown, &median]);
        if scene.is_good {
            let what = format!("false rollbacks in an hour: {}, {}, every {tick}", scene.line, scene.truth);
            goals.add("P6", &what, (shown, "≤ 5 %"), Some(share <= ALPHA));
        }
    }
    println!("{table}");
}

/// Single calls of a rollout hook.
fn single_verdicts(seeds: u64, goals: &mut Goals) {
    println!("\nSingle verdicts on success>=99%, {seeds} draws each: pass / fail / open, in percent\n");
    let names = LINES.iter().map(|line| line.name);
    let headings: Vec<&str> = ["failures", "load", "right"].into_iter().chain(names).collect();
    let mut table = Table::new(&headings);
    // Of independent failures, and of bursts.
    let mut worst = [(); LINES.len()].map(|()| [0.0_f64; 2]);
    for truth in &TRUTHS {
        for load in &LOADS {
            let mut row = vec![truth.name.to_owned(), load.name.to_owned(), truth.right().to_owned()];
            for (line, worst) in LINES.iter().zip(&mut worst) {
                let shares = verdicts::count(line, truth, load, seeds);
                let worst = &mut worst[usize::from(truth.is_in_bursts())];
                *worst = worst.max(shares.wrong(truth));
                row.push(shares.to_string());
            }
            table.row(row);
        }
    }
    println!("{table}");
    for (line, [independent, bursts]) in LINES.iter().zip(worst) {
        let limit = line.at_most.map_or_else(String::new, |limit| format!("≤ {:.0} %", limit * 100.0));
        let what = |which: &str| format!("most wrong verdicts of any row, {which}: {}", line.name);
        let shown = |share: f64| format!("{:.1} %", share * 100.0);
        let reached = line.at_most.map(|limit| independent <= limit);
        goals.add("P6", &what("independent failures"), (shown(independent), &limit), reached);
        goals.add("P6", &what("bursts, where nothing is promised"), (shown(bursts), ""), None);
    }
}
