//! The table of times, and why its two first rows differ when they do.

use std::time::Duration;

use super::page::{Page, Tone};
use super::primary::PRIMARY;
use crate::report::Report;
use crate::stats::number::{beyond, count, counted, span, time};
use crate::stats::{Distribution, Series, Summary};

/// Columns of the table: heading and quantile, `None` for the mean.
pub(in crate::report) const WIDE: [(&str, Option<f64>); 8] = [
    ("min", Some(0.0)),
    ("p50", Some(0.5)),
    ("p90", Some(0.9)),
    ("p95", Some(0.95)),
    ("p99", Some(0.99)),
    ("p99.9", Some(0.999)),
    ("max", Some(1.0)),
    ("mean", None),
];
/// Which of them a narrow terminal keeps.
const NARROW: [usize; 5] = [0, 1, 2, 4, 6];
/// Columns one value takes.
const CELL: usize = 8;
/// Times closer than this are the same to a reader: 1 ms, or 5 % of the greater.
const SAME_NS: f64 = 1e6;
const SAME_SHARE: f64 = 0.05;
/// The row of what a tool that waits for its lanes would have measured.
pub(in crate::report) const AS_HEY: &str = "as hey";

/// The table, and below it what a reader must know to read it rightly.
pub(super) fn write(report: &Report<'_>, page: &mut Page) {
    let summary = report.summary;
    let Some(latency) = summary.distributions.get(&Series::Latency).filter(|d| d.n() > 0) else { return };
    let columns: Vec<_> = if page.room() < WIDE.len() * CELL {
        NARROW.iter().map(|column| WIDE[*column]).collect()
    } else {
        WIDE.to_vec()
    };
    page.blank();
    if latency.histogram.is_empty() {
        page.paragraph("latency", Tone::Bad, &unanswered(latency, report.facts.timeout));
        return;
    }
    let heading: String = columns.iter().map(|(name, _)| format!("{name:>CELL$}")).collect();
    let heading = page.paint(Tone::Faint, &heading);
    page.row("", &heading);
    let mut row = |name: &str, distribution: &Distribution| {
        let is_latency = name == Series::Latency.name();
        let cells: String = columns
            .iter()
            .map(|(heading, q)| {
                let cell = format!("{:>CELL$}", cell(distribution, *q, report.facts.timeout));
                let tone = if is_latency && *heading == "p99" { Tone::Strong } else { Tone::Plain };
                page.paint(tone, &cell)
            })
            .collect();
        page.row(name, &cells);
    };
    row(Series::Latency.name(), latency);
    let (service, as_hey) = others(summary, latency);
    let ttfb = summary.distributions.get(&Series::Ttfb).filter(|d| d.n() > 0);
    for (name, distribution) in [(Series::Service.name(), service), (AS_HEY, as_hey), (Series::Ttfb.name(), ttfb)] {
        if let Some(distribution) = distribution {
            row(name, distribution);
        }
    }
    let primary = report.primary.and_then(|primary| primary.distributions.get(&Series::Latency));
    if let Some(primary) = primary.filter(|d| d.n() > 0) {
        row(PRIMARY, primary);
    }
    for note in notes(report, latency) {
        page.paragraph("", Tone::Faint, &note);
    }
}

/// Service times, and those that hey would have measured, each where they tell another story than the latencies.
pub(in crate::report) fn others<'a>(
    summary: &'a Summary,
    latency: &Distribution,
) -> (Option<&'a Distribution>, Option<&'a Distribution>) {
    let service = summary.distributions.get(&Series::Service).filter(|d| differ(latency, d));
    (service, summary.first_lanes.as_ref().filter(|d| differ(latency, d)))
}

/// There is nothing to put into a table.
fn unanswered(latency: &Distribution, timeout: Option<Duration>) -> String {
    let limit = timeout.map(|limit| format!(" within {}", span(limit))).unwrap_or_default();
    format!("none of {} was answered{limit}", counted(latency.n(), "request"))
}

/// One value of the table; the least for `q` 0, the mean without `q`.
pub(in crate::report) fn cell(distribution: &Distribution, q: Option<f64>, timeout: Option<Duration>) -> String {
    let finite = !distribution.histogram.is_empty();
    match q {
        None => distribution.moments.mean().map_or_else(|| "–".to_owned(), time),
        Some(_) if !finite => beyond(timeout),
        Some(0.0) => time(distribution.moments.min as f64),
        Some(q) => distribution.quantile(q).map_or_else(|| beyond(timeout), |ns| time(ns as f64)),
    }
}

/// Whether p50, p99 or the greatest value lie further apart than 1 ms and 5 %.
fn differ(latency: &Distribution, service: &Distribution) -> bool {
    [0.5, 0.99, 1.0].into_iter().any(|q| match (latency.quantile(q), service.quantile(q)) {
        (Some(a), Some(b)) => {
            let (a, b) = (a as f64, b as f64);
            (a - b).abs() > SAME_NS.max(SAME_SHARE * a.max(b))
        }
        (a, b) => a.is_some() != b.is_some(),
    })
}

/// Whether someone who reads the service row would be told a different story: a quantile at least twice as high,
/// and by 10 ms or more.
fn misleads(latency: &Distribution, service: &Distribution) -> bool {
    [0.5, 0.9, 0.95, 0.99].into_iter().any(|q| match (latency.quantile(q), service.quantile(q)) {
        (Some(a), Some(b)) => a >= b.saturating_mul(2).max(b.saturating_add(10_000_000)),
        _ => false,
    })
}

/// Sentences below the table.
pub(in crate::report) fn notes(report: &Report<'_>, latency: &Distribution) -> Vec<String> {
    let summary: &Summary = report.summary;
    let (service, as_hey) = others(summary, latency);
    let mut notes = Vec::new();
    if as_hey.is_some_and(|as_hey| misleads(latency, as_hey)) {
        notes.push(format!(
            "Users felt the latency row, counted from when a request was due. The {AS_HEY} row is what hey and most \
             tools would print: service times over the {} lanes asked for, which do not send while they wait.",
            report.facts.lanes
        ));
    } else if service.is_some_and(|service| misleads(latency, service)) {
        notes.push(
            "Users felt the latency row, counted from when a request was due; hey and most tools print the service \
             row, counted from the send."
                .to_owned(),
        );
    }
    if latency.beyond > 0 {
        notes.push(format!(
            "{} of {} unanswered: ranked above every value, not in the mean.",
            count(latency.beyond),
            count(latency.n())
        ));
    }
    let outside = summary.finished.saturating_sub(latency.n());
    if outside > 0 {
        notes.push(format!("{} left out: failing fast must not improve a percentile.", counted(outside, "failure")));
    }
    notes
}
