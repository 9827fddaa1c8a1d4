//! The objective clause by clause, and the verdict as the last line.

use std::time::Duration;

use super::page::{Page, Tone};
use crate::report::tone::{mark, tone};
use crate::report::{Report, plain};
use crate::slo::{Decision, Finding, Value, Verdict};
use crate::stats::Stopped;
use crate::stats::number::{beyond, count};

/// A column grows to its widest entry, but not beyond this: one long clause should not push all others out.
const WIDEST: usize = 30;

/// One line a clause, then the verdict.
pub(super) fn write(report: &Report<'_>, page: &mut Page) {
    page.blank();
    if let Some(verdict) = report.verdict {
        clauses(verdict, report, page);
        page.blank();
        let word = page.paint(tone(verdict.decision, false), &verdict.decision.name().to_uppercase());
        let word = page.paint(Tone::Strong, &word);
        page.line(&format!("{word}  {}", plain(&verdict.reason)));
        for advice in &verdict.advice {
            page.paragraph("", Tone::Faint, advice);
        }
        return;
    }
    let closing = page.paint(Tone::Faint, unjudged(report));
    page.line(&closing);
}

/// Why there is no verdict.
pub(in crate::report) fn unjudged(report: &Report<'_>) -> &'static str {
    match (&report.facts.slo, report.summary.stopped) {
        (None, _) => "no objective given: add --slo 'success>=99%, p99<500ms' for a verdict",
        (Some(_), Some(Stopped::Interrupted)) => "no verdict: the run was interrupted",
        (Some(_), _) => "no verdict: the run could not be judged",
    }
}

/// The table of clauses.
fn clauses(verdict: &Verdict, report: &Report<'_>, page: &mut Page) {
    if verdict.findings.is_empty() {
        return;
    }
    let rows: Vec<[String; 4]> = verdict.findings.iter().map(|finding| cells(finding, report)).collect();
    let headings = ["objective", "measured", "95% interval", "n"];
    let wide: Vec<usize> = headings
        .iter()
        .enumerate()
        .map(|(column, heading)| {
            let widths = rows.iter().map(|row| row[column].chars().count()).filter(|width| *width <= WIDEST);
            widths.chain([heading.len()]).max().unwrap_or(0)
        })
        .collect();
    let line = |row: [&str; 4]| {
        format!("{:<3$}  {:>4$}  {:>5$}", row[0], row[1], row[2], wide[0], wide[1], wide[2])
            + &format!("  {:>1$}", row[3], wide[3])
    };
    let heading = page.paint(Tone::Faint, &line(headings));
    page.line(&format!("  {heading}"));
    for (finding, row) in verdict.findings.iter().zip(&rows) {
        let sign =
            page.paint(tone(finding.decision, finding.advisory), &mark(finding.decision, page.unicode()).to_string());
        let remark = page.paint(Tone::Faint, &remark(finding));
        page.line(&format!("{sign} {}  {remark}", line(row.each_ref().map(String::as_str))));
        if let Some(note) = &finding.note {
            page.paragraph("", Tone::Faint, note);
        }
    }
}

/// Clause, value, interval and population of one finding.
pub(in crate::report) fn cells(finding: &Finding, report: &Report<'_>) -> [String; 4] {
    let timeout = report.facts.timeout;
    let shown = |quantity: &_| value(quantity, finding.n, timeout);
    let interval = finding.interval.map(|(least, most)| match (bound(&least, timeout), bound(&most, timeout)) {
        (low, high) if low == high => low,
        // Above the greatest rank there is nothing measured, least of all the time limit.
        (low, _) if most == Value::Beyond => format!("≥ {low}"),
        (low, high) => format!("{low}..{high}"),
    });
    [
        plain(&finding.clause),
        finding.value.as_ref().map_or_else(|| "–".to_owned(), shown),
        interval.unwrap_or_default(),
        count(finding.n),
    ]
}

/// An end of an interval: not a share of counted requests, so it has its own digits.
fn bound(end: &crate::slo::Value, timeout: Option<std::time::Duration>) -> String {
    value(end, 0, timeout)
}

/// What is left to say about a clause in a word or two.
pub(in crate::report) fn remark(finding: &Finding) -> String {
    let evidence = match finding.decision {
        Decision::Pass | Decision::Fail if finding.interval.is_some() => {
            Some(if finding.thin { "thin" } else { "clear" })
        }
        Decision::Pass | Decision::Fail => None,
        other => Some(other.name()),
    };
    let needs = (finding.decision == Decision::Insufficient).then(|| format!("needs {}", count(finding.least_n)));
    let advisory = (finding.advisory && !finding.clause.contains("warn")).then(|| "warn".to_owned());
    [evidence.map(str::to_owned), needs, advisory].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// A judged quantity of `n` requests; one among the timeouts is greater than the time limit.
fn value(value: &Value, n: u64, timeout: Option<Duration>) -> String {
    match value {
        Value::Beyond => beyond(timeout),
        value => value.among(n),
    }
}
