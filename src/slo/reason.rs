//! The one line that says why.

use crate::stats::Summary;

use super::verdict::{Decision, Finding, Value};

/// Longest reason, in characters: it becomes an event and a log line.
const LONGEST: usize = 240;

impl Finding {
    /// The clause with its value and what supports it, or why there is none, in one line.
    #[must_use]
    pub fn reason(&self) -> String {
        phrase(&self.clause, self)
    }
}

/// What decided first, the other clauses behind it as far as there is room.
pub(super) fn reason(
    decision: Decision,
    heads: &[String],
    findings: &[Finding],
    summary: &Summary,
    saturated: bool,
) -> String {
    let mut parts = Vec::new();
    if decision == Decision::Unreachable {
        parts.push(unreachable(summary));
    } else {
        if decision == Decision::Saturated && saturated {
            parts.push(off_schedule(summary));
        }
        let pairs: Vec<(&String, &Finding)> = heads.iter().zip(findings).collect();
        let decided = |finding: &Finding| !finding.advisory && finding.decision == decision;
        let hidden = |finding: &Finding| saturated && finding.decision == Decision::Saturated;
        parts.extend(pairs.iter().filter(|(_, f)| decided(f) && !hidden(f)).map(|(head, f)| phrase(head, f)));
        if decision == Decision::Saturated && !saturated {
            parts.extend(throttled(summary));
        }
        let rest = pairs.iter().filter(|(_, f)| !decided(f) && !f.advisory && !hidden(f));
        parts.extend(rest.map(|(head, f)| if f.decision == Decision::Pass { brief(head, f) } else { phrase(head, f) }));
        let warned = pairs.iter().filter(|(_, f)| f.advisory && f.decision != Decision::Pass && !hidden(f));
        parts.extend(warned.map(|(head, f)| format!("warn: {}", phrase(head, f))));
        if parts.is_empty() {
            parts.push(if summary.finished > 0 { "no clause counts" } else { "no request was finished" }.to_owned());
        }
    }
    join(&parts)
}

fn join(parts: &[String]) -> String {
    let mut line = String::new();
    for part in parts {
        let part: String = part.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let room = LONGEST - line.chars().count();
        if line.is_empty() && part.chars().count() > room {
            line = part.chars().take(room - 1).chain(['…']).collect();
        } else if line.is_empty() {
            line = part;
        } else if part.chars().count() + 2 <= room {
            line.push_str("; ");
            line.push_str(&part);
        }
    }
    line
}

/// The clause with its value and everything that supports it.
fn phrase(head: &str, finding: &Finding) -> String {
    let note = finding.note.as_deref();
    let with = |word: &str| match finding.value {
        Some(value) => {
            let behind = note.map_or_else(String::new, |note| format!("; {note}"));
            format!("{head} {word} {} ({}){behind}", shown(value, finding), support(finding))
        }
        None => format!("{head}: {}", note.unwrap_or("nothing was measured")),
    };
    match finding.decision {
        Decision::Pass => with("ok"),
        Decision::Fail => with("was"),
        Decision::Inconclusive => with("undecided at"),
        Decision::Saturated if note.is_none() => with("not judged at"),
        _ => match note {
            Some(note) if finding.decision == Decision::Error => note.to_owned(),
            Some(note) => format!("{head}: {note}"),
            None => head.to_owned(),
        },
    }
}

fn brief(head: &str, finding: &Finding) -> String {
    match (finding.value, &finding.note) {
        (Some(value), None) => format!("{head} ok {}", shown(value, finding)),
        _ => phrase(head, finding),
    }
}

/// The measured value, in full where otherwise it would look like a bound that it differs from.
fn shown(value: Value, finding: &Finding) -> String {
    let short = value.among(finding.n);
    if value != finding.bound && short == finding.bound.among(finding.n) { value.in_full() } else { short }
}

fn support(finding: &Finding) -> String {
    let n = finding.n;
    let interval = match finding.interval {
        Some((Value::Beyond, _)) => "95% among the timeouts, ".to_owned(),
        Some((low, Value::Beyond)) => format!("95% ≥ {low}, "),
        Some((low, high)) => format!("95% {low}..{high}, "),
        None => String::new(),
    };
    let population = if n > 0 { format!("n={n}") } else { "from outside".to_owned() };
    let beside = finding.reference.map_or_else(String::new, |value| format!(", against {value}"));
    format!("{interval}{population}{beside}{}", if finding.thin { ", thin" } else { "" })
}

/// The cause that a CPU quota is.
fn throttled(summary: &Summary) -> Option<String> {
    let held = summary.generator.throttled.filter(|held| !held.is_zero())?;
    Some(format!("CPU throttled {}", Value::Time(held.as_nanos() as f64)))
}

fn off_schedule(summary: &Summary) -> String {
    let own = &summary.generator;
    // Rounded down, so that what is too little never looks like enough.
    let share = (summary.achieved() * 1000.0).floor() / 10.0;
    let of = match own.rate {
        Some(rate) => Value::PerSecond(rate).to_string(),
        None => format!("{} requests", own.scheduled),
    };
    let mut causes: Vec<String> = throttled(summary).into_iter().collect();
    if own.local > 0 {
        causes.push(format!("{} failed here", own.local));
    }
    let causes = if causes.is_empty() { String::new() } else { format!(" ({})", causes.join(", ")) };
    format!("sent {share}% of {of} on schedule{causes}: the times are our own, not the target's")
}

fn unreachable(summary: &Summary) -> String {
    let mut faults: Vec<String> = summary.faults.iter().map(|(fault, n)| format!("{n} {fault}")).collect();
    faults.truncate(3);
    let faults = if faults.is_empty() { String::new() } else { format!(" ({})", faults.join(", ")) };
    match &summary.first_error {
        Some(error) => format!("no connection to the target was made{faults}: {error}"),
        None => format!("no connection to the target was made{faults}"),
    }
}
