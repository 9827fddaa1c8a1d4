//! What came of steps, as text, as JSON and as test cases.

use std::time::Duration;

use serde_json::{Value, json};

use super::told::{End, Told, ToldSuite};
use crate::report::{Case, Colour, Style, Suite, Tone, mark, plain, suites, tone};
use crate::slo::Decision;
use crate::stats::number::{counted, time};

/// The heading of a file.
#[must_use]
pub fn overview(name: &str, file: &str, style: Style) -> String {
    let heading = Tone::Strong.paint(style.color, &plain(name));
    format!("{heading} ({})\n", plain(file))
}

/// One step, with what of it is not as expected.
#[must_use]
pub fn step_line(told: &Told, widest: usize, style: Style) -> String {
    let (sign, look) = match &told.end {
        End::Decided(decision) => (mark(*decision, style.unicode), tone(*decision, false)),
        End::Skipped(_) => ('-', Tone::Faint),
        End::Interrupted => ('!', Tone::Warn),
    };
    let tries = match told.tries {
        0 | 1 => String::new(),
        tries => format!(", {tries} tries in {}", measured(told.whole)),
    };
    let what = match (&told.end, told.status) {
        (End::Skipped(why), _) => format!("skipped: {}", plain(why)),
        (End::Interrupted, _) => format!("interrupted after {}", measured(told.whole)),
        (End::Decided(_), Some(status)) => format!("{status} in {}{tries}", measured(told.took)),
        (End::Decided(decision), None) => format!("{} in {}{tries}", decision.name(), measured(told.took)),
    };
    let name = format!("{:<widest$}", plain(&told.name));
    let mut text = format!("  {} {name}  {}  {what}", look.paint(style.color, &sign.to_string()), plain(&told.asks));
    if !told.captured.is_empty() {
        text += &Tone::Faint.paint(style.color, &format!("  got {}", told.captured.join(", ")));
    }
    text.push('\n');
    for line in &told.said {
        text += &format!("      {}\n", look.paint(style.color, &plain(line)));
    }
    text
}

/// The verdict on a file, in one line.
#[must_use]
pub fn suite_line(told: &ToldSuite, style: Style) -> String {
    let (word, look) = match told.decision() {
        Some(decision) => (decision.name().to_uppercase(), tone(decision, false)),
        None => ("INTERRUPTED".to_owned(), Tone::Warn),
    };
    let (passed, all) = (told.passed(), told.steps.len());
    let reason = told.first_bad().map_or_else(String::new, |step| {
        let why = step.said.first().map_or_else(|| "it was interrupted".to_owned(), |why| plain(why));
        format!("; {}: {why}", plain(&step.name))
    });
    let word = look.paint(style.color, &word);
    format!("{word}  {passed} of {} passed in {}{reason}\n", counted(all as u64, "step"), measured(told.took))
}

fn measured(time_: Duration) -> String {
    time(time_.as_nanos() as f64)
}

/// Everything, for programs. `exit_code` is what the program ends with.
#[must_use]
pub fn json(told: &[ToldSuite], exit_code: u8) -> Value {
    let suites: Vec<Value> = told.iter().map(suite_json).collect();
    json!({"tollgate": env!("CARGO_PKG_VERSION"), "exit_code": exit_code, "suites": suites})
}

fn suite_json(told: &ToldSuite) -> Value {
    json!({
        "name": told.name,
        "file": told.file,
        "started": told.started,
        "took_ms": told.took.as_secs_f64() * 1e3,
        "decision": told.decision().map_or("interrupted", Decision::name),
        "passed": told.passed(),
        "steps": told.steps.iter().map(step_json).collect::<Vec<_>>(),
    })
}

fn step_json(told: &Told) -> Value {
    json!({
        "name": told.name,
        "line": told.line,
        "asks": told.asks,
        "decision": decision(told),
        "status": told.status,
        "took_ms": told.took.as_secs_f64() * 1e3,
        "tries": told.tries,
        "said": said(told),
        "captured": told.captured,
        "report": told.report,
    })
}

fn decision(told: &Told) -> &'static str {
    match &told.end {
        End::Decided(decision) => decision.name(),
        End::Skipped(_) => "skipped",
        End::Interrupted => "interrupted",
    }
}

fn said(told: &Told) -> Vec<String> {
    match &told.end {
        End::Skipped(why) => vec![why.clone()],
        _ => told.said.clone(),
    }
}

/// Test suites, a file each, with a test case a step. They are green exactly when the exit code is 0.
#[must_use]
pub fn junit(told: &[ToldSuite], exit_code: u8) -> String {
    let suite = |told: &ToldSuite| Suite {
        name: told.name.clone(),
        started: told.started.clone(),
        took: told.took,
        properties: vec![
            ("tollgate_version", env!("CARGO_PKG_VERSION").to_owned()),
            ("exit_code", exit_code.to_string()),
            ("file", told.file.clone()),
            ("decision", told.decision().map_or("interrupted", Decision::name).to_owned()),
        ],
        cases: told.steps.iter().map(case).collect(),
    };
    suites(&told.iter().map(suite).collect::<Vec<_>>())
}

fn case(told: &Told) -> Case {
    let colour = match &told.end {
        End::Decided(Decision::Pass) => Colour::Passed,
        End::Decided(Decision::Fail | Decision::Unreachable) => Colour::Failed,
        End::Decided(_) | End::Interrupted => Colour::Undecided,
        End::Skipped(_) => Colour::Skipped,
    };
    let said = said(told).join("; ");
    let why = match (said.is_empty(), told.status) {
        (false, _) => format!("{}: {said}", told.asks),
        (true, Some(status)) => format!("{}: {status}", told.asks),
        (true, None) => format!("{}: {}", told.asks, decision(told)),
    };
    Case { name: told.name.clone(), colour, kind: decision(told), why, took: Some(told.whole) }
}

#[cfg(test)]
mod tests;
