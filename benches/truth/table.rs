//! The battery as tables: every cell, then what each tool got wrong.

use std::fmt::Write;

use super::cells::Cell;
use super::support::goals::Goals;
use super::support::table::Table;
use super::tools::{Decision, OURS, Said, TOOLS, Tool};
use super::truth::{Figures, close, factor};

/// One run of one tool.
pub(crate) struct Run {
    /// Target and load.
    pub(crate) cell: Cell,
    /// The tool's name.
    pub(crate) tool: &'static str,
    /// What users went through in it.
    pub(crate) truth: Figures,
    /// What the tool said.
    pub(crate) said: Said,
}

impl Run {
    /// What the objective really comes to.
    fn right(&self) -> Decision {
        if self.truth.holds(self.cell.behaviour.p99_below_ms) { Decision::Pass } else { Decision::Fail }
    }

    fn wrong(&self) -> bool {
        self.said.decision != Decision::Open && self.said.decision != self.right()
    }

    fn quantiles_off(&self) -> usize {
        let pairs = self.said.figures.quantiles().into_iter().zip(self.truth.quantiles());
        pairs.filter(|((_, said), (_, truth))| !close(*said, *truth)).count()
    }

    fn worst_factor(&self) -> f64 {
        let pairs = self.said.figures.quantiles().into_iter().zip(self.truth.quantiles());
        pairs.map(|((_, said), (_, truth))| factor(said, truth)).fold(1.0, f64::max)
    }

    fn is(&self, other: &Self) -> bool {
        self.cell.behaviour.name == other.cell.behaviour.name && self.cell.load.name == other.cell.load.name
    }

    fn place(&self) -> String {
        format!("{}, {}, {}", self.cell.wire.name(), self.cell.behaviour.name, self.cell.load.name)
    }
}

fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Pass => "pass",
        Decision::Fail => "fail",
        Decision::Open => "open",
    }
}

/// Milliseconds; `∞` for a quantile among requests without an answer, `–` for none.
fn ms(value: f64) -> String {
    match value {
        v if v.is_nan() => "–".to_owned(),
        v if v.is_infinite() => "∞".to_owned(),
        v if v < 10.0 => format!("{v:.1}"),
        v => format!("{v:.0}"),
    }
}

fn percent(share: f64) -> String {
    if share.is_nan() { "–".to_owned() } else { format!("{:.1}", share * 100.0) }
}

/// `p50/p90/p99`, each with a `!` where it is off, and the share of successes where that is off.
fn all(figures: &Figures, truth: &Figures) -> String {
    let success = match figures.success_is_close(truth) {
        true => String::new(),
        false => format!(", {} %!", percent(figures.success)),
    };
    quantiles(figures, truth) + &success
}

/// `p50/p90/p99`, each with a `!` where it is off.
fn quantiles(figures: &Figures, truth: &Figures) -> String {
    let pairs = figures.quantiles().into_iter().zip(truth.quantiles());
    let marked = pairs.map(|((_, said), (_, truth))| {
        let mark = if close(said, truth) { "" } else { "!" };
        format!("{}{mark}", ms(said))
    });
    marked.collect::<Vec<_>>().join(" / ")
}

/// Every cell in a row: the truth, then what each tool said of it.
pub(crate) fn cells(runs: &[Run]) -> Table {
    let mut headings = vec!["target", "load", "p50/p90/p99 ms", "success %", "right"];
    let took_part = |tool: &&Tool| runs.iter().any(|run| run.tool == tool.name);
    for tool in TOOLS.iter().filter(took_part) {
        headings.extend([tool.name, "says"]);
    }
    let mut table = Table::new(&headings);
    for (position, first) in runs.iter().enumerate() {
        if runs[..position].iter().any(|earlier| earlier.is(first)) {
            continue;
        }
        let mut row = vec![
            first.cell.behaviour.name.to_owned(),
            first.cell.load.name.to_owned(),
            quantiles(&first.truth, &first.truth),
            percent(first.truth.success),
            word(first.right()).to_owned(),
        ];
        for tool in TOOLS.iter().filter(took_part) {
            match runs.iter().find(|run| run.is(first) && run.tool == tool.name) {
                Some(run) => {
                    let verdict = word(run.said.decision);
                    row.push(all(&run.said.figures, &run.truth));
                    row.push(if run.wrong() { format!("{verdict} WRONG") } else { verdict.to_owned() });
                }
                None => row.extend(["–".to_owned(), "–".to_owned()]),
            }
        }
        table.row(row);
    }
    table
}

/// P6: verdicts and quantiles, with the peers' beside them.
pub(crate) fn goals(runs: &[Run], wire: &str) -> Goals {
    let of = |tool: &str| -> Vec<&Run> { runs.iter().filter(|run| run.tool == tool).collect() };
    let wrong = |runs: &[&Run]| runs.iter().filter(|run| run.wrong()).count();
    let off = |runs: &[&Run]| -> usize { runs.iter().map(|run| run.quantiles_off()).sum() };
    let beside = |show: &dyn Fn(&[&Run]) -> String| {
        let others = TOOLS.iter().map(|tool| (tool.name, of(tool.name))).filter(|(name, _)| *name != OURS);
        let others = others.filter(|(_, runs)| !runs.is_empty());
        others.map(|(name, runs)| format!("{name} {}", show(&runs))).collect::<Vec<_>>().join(", ")
    };
    let ours = of(OURS);
    let mut goals = Goals::default();
    let wrongs = |runs: &[&Run]| format!("{} of {}", wrong(runs), runs.len());
    let what = format!("{wire}: wrong verdicts on targets that misbehave");
    goals.beside("P6", &what, (wrongs(&ours), "none"), &beside(&wrongs), Some(wrong(&ours) == 0));
    let offs = |runs: &[&Run]| format!("{} of {}", off(runs), runs.len() * 3);
    let what = format!("{wire}: quantiles off by more than 2 % and 1 ms");
    goals.beside("P6", &what, (offs(&ours), "none"), &beside(&offs), Some(off(&ours) == 0));
    goals
}

/// One row for each tool: how often it was wrong.
pub(crate) fn totals(runs: &[Run]) -> Table {
    let mut table =
        Table::new(&["tool", "runs", "wrong verdicts", "no verdict", "success off", "quantiles off", "worst factor"]);
    for tool in &TOOLS {
        let of: Vec<_> = runs.iter().filter(|run| run.tool == tool.name).collect();
        if of.is_empty() {
            continue;
        }
        let worst = of.iter().map(|run| run.worst_factor()).filter(|factor| factor.is_finite()).fold(1.0, f64::max);
        table.row([
            tool.name.to_owned(),
            of.len().to_string(),
            of.iter().filter(|run| run.wrong()).count().to_string(),
            of.iter().filter(|run| run.said.decision == Decision::Open).count().to_string(),
            of.iter().filter(|run| !run.said.figures.success_is_close(&run.truth)).count().to_string(),
            format!("{} of {}", of.iter().map(|run| run.quantiles_off()).sum::<usize>(), of.len() * 3),
            format!("{worst:.0} ×"),
        ]);
    }
    table
}

/// Every wrong verdict in words, and every run that tollgate left open or measured wrongly.
pub(crate) fn list(runs: &[Run]) -> String {
    let mut text = String::new();
    for tool in &TOOLS {
        let notable = |run: &&Run| {
            let exact = run.worst_factor() == 1.0 && run.said.figures.success_is_close(&run.truth);
            let ours = run.tool == OURS && (run.said.decision == Decision::Open || !exact);
            run.tool == tool.name && (run.wrong() || ours)
        };
        for run in runs.iter().filter(notable) {
            let bound = run.cell.behaviour.p99_below_ms;
            let (said, truth) = (&run.said.figures, &run.truth);
            let kind = if run.wrong() { "wrong verdict" } else { "wrong or missing number" };
            let _ = writeln!(
                text,
                "- {}, {kind}: {}: said {} on {} ms, success {} %; the truth is {} ms, {} %, so {} (p99 < {bound} ms)",
                tool.name,
                run.place(),
                word(run.said.decision),
                quantiles(said, truth),
                percent(said.success),
                quantiles(truth, truth),
                percent(truth.success),
                word(run.right()),
            );
        }
    }
    text
}
