//! The load generator's own part: whether it kept its schedule, its connections, and what a reader should know
//! before believing the numbers.

use super::page::{Page, Tone};
use crate::report::{Loop, Report};
use crate::slo::Decision;
use crate::stats::number::{amount, count, counted, share, span, time};
use crate::stats::{Code, Distribution, Generator, Series, Stopped, Summary};

/// More than this share late, tainted or resent is worth a warning.
const NOTEWORTHY: f64 = 0.01;
/// A wait for a free lane from this on is one.
const QUEUED_NS: u64 = 1_000_000;
/// Below this many requests the 99th percentile is the slowest request.
const FEW: u64 = 100;

/// Generator and connection lines, then the warnings.
pub(super) fn write(report: &Report<'_>, page: &mut Page) {
    let summary = report.summary;
    page.blank();
    page.paragraph("generator", Tone::Faint, &own(report));
    page.paragraph("connections", Tone::Faint, &connections(summary));
    let warnings = warnings(report);
    if !warnings.is_empty() {
        page.blank();
    }
    for warning in warnings {
        page.warning(&warning);
    }
}

/// What a reader should know before believing the numbers.
pub(in crate::report) fn warnings(report: &Report<'_>) -> Vec<String> {
    let summary = report.summary;
    let all = [ourselves(summary), lanes(report), resent(summary), client_errors(summary), ending(report)];
    all.into_iter().flatten().collect()
}

fn noteworthy(k: u64, n: u64) -> bool {
    k as f64 > NOTEWORTHY * n as f64
}

/// How well our own process did, in one sentence.
pub(in crate::report) fn own(report: &Report<'_>) -> String {
    let (summary, own) = (report.summary, &report.summary.generator);
    let mut parts = Vec::new();
    if report.facts.arrivals == Loop::Open && own.scheduled > 0 {
        let kept = own.scheduled.saturating_sub(own.late + own.local);
        parts.push(format!("kept {} of its schedule", share(kept, own.scheduled)));
    }
    if let Some(lag) = own.lag.as_ref().filter(|lag| lag.n() > 0) {
        let at = |q| lag.quantile(q).map_or_else(|| "–".to_owned(), |ns| time(ns as f64));
        parts.push(format!("lag p50 {} p99 {}", at(0.5), at(0.99)));
    }
    if let Some(cpu) = own.cpu.filter(|_| !summary.wall.is_zero()) {
        parts.push(format!("{} cores", cores(cpu.as_secs_f64() / summary.wall.as_secs_f64())));
    }
    if overflowed(report) && lanes(report).is_empty() {
        parts.push(format!("up to {} lanes in use", count(u64::from(own.peak_lanes))));
    }
    for (n, what) in [(own.late, "late"), (own.tainted, "tainted")] {
        if n > 0 {
            parts.push(format!("{} {what}", count(n)));
        }
    }
    parts.join(", ")
}

/// CPU time over wall time, to a hundredth of a core.
fn cores(cores: f64) -> String {
    if cores < 0.01 { "<0.01".to_owned() } else { amount((cores * 100.0).round() / 100.0) }
}

/// Connections opened and what opening cost.
pub(in crate::report) fn connections(summary: &Summary) -> String {
    let own = &summary.generator;
    if own.connections == 0 && own.failed_dials == 0 {
        return String::new();
    }
    let mut parts = vec![format!("{} opened", count(own.connections))];
    if own.failed_dials > 0 {
        parts.push(format!("{} failed", count(own.failed_dials)));
    }
    if summary.resent > 0 {
        parts.push(format!("{} resent", counted(summary.resent, "request")));
    }
    for series in [Series::Dns, Series::Connect, Series::Tls] {
        let Some(phase) = summary.distributions.get(&series).filter(|d| d.moments.max > 0) else { continue };
        if let (Some(p50), Some(max)) = (phase.quantile(0.5), phase.quantile(1.0)) {
            parts.push(match (time(p50 as f64), time(max as f64)) {
                (p50, max) if p50 == max => format!("{} {max}", series.name()),
                (p50, max) => format!("{} p50 {p50} max {max}", series.name()),
            });
        }
    }
    parts.join(", ")
}

/// Our own process coloured the numbers.
fn ourselves(summary: &Summary) -> Vec<String> {
    let own = &summary.generator;
    let mut warnings = Vec::new();
    if noteworthy(own.late, own.scheduled) {
        warnings.push(format!(
            "{} of {} requests ({}) started more than {} late, and that was tollgate, not the target.",
            count(own.late),
            count(own.scheduled),
            share(own.late, own.scheduled),
            span(own.tolerance.into())
        ));
    }
    if noteworthy(own.tainted, summary.finished) {
        warnings.push(format!(
            "{} ({}) were in flight while tollgate itself stood still: their times are not only the target's.",
            counted(own.tainted, "request"),
            share(own.tainted, summary.finished)
        ));
    }
    if own.local > 0 {
        warnings.push(format!("{} failed for want of local ports or descriptors.", counted(own.local, "request")));
    }
    warnings.extend(throttled(own, summary));
    warnings
}

fn throttled(own: &Generator, summary: &Summary) -> Option<String> {
    let held = own.throttled.filter(|held| held.as_secs_f64() > NOTEWORTHY * summary.wall.as_secs_f64())?;
    let times =
        if own.throttled_periods == 1 { "once".to_owned() } else { format!("{} times", count(own.throttled_periods)) };
    Some(format!(
        "The kernel held tollgate back {times}, {} in all: raise its CPU limit or lower the rate.",
        time(held.as_nanos() as f64)
    ))
}

/// More lanes than asked for were needed, because the target was still busy with the earlier ones.
fn overflowed(report: &Report<'_>) -> bool {
    let own = &report.summary.generator;
    report.facts.arrivals == Loop::Open && own.peak_lanes > own.lanes
}

/// The target kept requests so long that many more lanes were needed, or that even those ran out.
fn lanes(report: &Report<'_>) -> Vec<String> {
    let (summary, own) = (report.summary, &report.summary.generator);
    // Where we stood still ourselves, it was not the target that held the lanes.
    let ours = noteworthy(own.late, own.scheduled) || noteworthy(own.tainted, summary.finished);
    if !overflowed(report) || ours {
        return Vec::new();
    }
    let queue = summary.distributions.get(&Series::Queue);
    let longest = queue.map(|queue| queue.moments.max).filter(|ns| *ns >= QUEUED_NS);
    match longest {
        Some(ns) if own.peak_lanes >= own.max_lanes => vec![format!(
            "The target held all {} lanes (the most allowed): requests waited up to {} for a free one.",
            count(u64::from(own.max_lanes)),
            time(ns as f64)
        )],
        _ if own.peak_lanes >= 2 * own.lanes => vec![format!(
            "Up to {} lanes were in use, {} asked for: answers took longer than the time to the next request.",
            count(u64::from(own.peak_lanes)),
            count(u64::from(own.lanes))
        )],
        _ => Vec::new(),
    }
}

/// Reused connections that died under a request.
fn resent(summary: &Summary) -> Vec<String> {
    if !noteworthy(summary.resent, summary.finished) {
        return Vec::new();
    }
    vec![format!(
        "{} ({}) had to be sent again: the target closes idle connections early.",
        counted(summary.resent, "request"),
        share(summary.resent, summary.finished)
    )]
}

/// Every request got the same 4xx: more often a wrong path than a broken release.
fn client_errors(summary: &Summary) -> Vec<String> {
    match summary.codes.iter().filter(|(_, n)| **n > 0).collect::<Vec<_>>()[..] {
        [(Code::Http(status @ 400..=499), n)] if summary.succeeded == 0 && *n == summary.finished => vec![format!(
            "Every request was answered {status}. If that is right, --success {status} counts it as success."
        )],
        _ => Vec::new(),
    }
}

/// The run is not what was planned, or too short for what it shows.
fn ending(report: &Report<'_>) -> Vec<String> {
    let summary = report.summary;
    let planned = report.facts.duration.map(|planned| format!(" of {} planned", span(planned))).unwrap_or_default();
    let ran = format!("after {}{planned}", time(summary.wall.as_nanos() as f64));
    let mut warnings = Vec::new();
    match summary.stopped {
        Some(Stopped::Interrupted) => warnings.push(format!("Interrupted {ran}: this is the part that ran.")),
        Some(Stopped::Tripped(_)) => {
            warnings.push(format!("Stopped {ran}: a clause marked abort could no longer pass."));
        }
        Some(Stopped::Unreachable) => warnings.push(format!("Given up {ran}: no connection was ever made.")),
        None => {}
    }
    let answered = summary.distributions.get(&Series::Latency).map_or(0, |d| d.histogram.len());
    let n = summary.distributions.get(&Series::Latency).map_or(0, Distribution::n);
    let said = report.verdict.is_some_and(|verdict| verdict.decision == Decision::Insufficient);
    if answered > 0 && n < FEW && !said {
        warnings.push(format!("Few samples: the p99 of {} is the slowest one.", counted(n, "request")));
    }
    warnings
}
