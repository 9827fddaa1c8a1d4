//! How the run went second by second: latency, and below it requests and failures.

use std::time::Duration;

use maud::{Markup, html};

use super::scale::{Frame, Scale, path, px};
use crate::report::course::{joined, whole_seconds};
use crate::report::{Report, plain};
use crate::slo::{Finding, Value};
use crate::stats::Second;
use crate::stats::number::{count, round_time, span};

/// Most points of a line: more are finer than the picture.
const MOST_POINTS: usize = 300;
/// Longest clause written into a picture, in characters.
const LONGEST_CLAUSE: usize = 40;
const LATENCY: Frame = Frame { width: 960.0, height: 260.0, left: 64.0, below: 26.0 };
const REQUESTS: Frame = Frame { width: 960.0, height: 130.0, left: 64.0, below: 26.0 };

/// Both pictures; a word where the run was too short for any.
pub(super) fn write(report: &Report<'_>) -> Markup {
    let seconds = whole_seconds(report.summary);
    if seconds.len() < 2 {
        return html! { p class="soft" { "The run was too short for a course over time." } };
    }
    let course = Course { each: seconds.len().div_ceil(MOST_POINTS), seconds };
    html! { (course.latency(report)) (course.requests()) }
}

/// The judged part's whole seconds, `each` of them joined to one point.
struct Course<'a> {
    seconds: Vec<Option<&'a Second>>,
    each: usize,
}

impl<'a> Course<'a> {
    /// The points of one value, neighbours joined to the greatest.
    fn greatest(&self, of: impl Fn(&'a Second) -> Option<u64>) -> Vec<Option<u64>> {
        joined(&self.seconds, self.each, of, u64::max)
    }

    /// The time axis, and its ticks.
    fn time(&self, frame: &Frame) -> (Scale, Vec<(f64, String)>) {
        let (from, to) = frame.x();
        let scale = Scale::linear(0.0, self.seconds.len() as f64, from, to);
        let label = |second: &f64| (scale.at(*second), span(Duration::from_secs(*second as u64)));
        let ticks = scale.ticks(10);
        (scale, ticks.iter().filter(|tick| tick.fract() == 0.0).map(label).collect())
    }

    /// The middle of a point's stretch of time, in seconds.
    fn middle(&self, point: usize) -> f64 {
        (point as f64 + 0.5) * self.each as f64
    }

    fn latency(&self, report: &Report<'_>) -> Markup {
        let lines = [
            ("third", "greatest", self.greatest(|second| second.max)),
            ("second", "p99", self.greatest(|second| second.p99)),
            ("first", "p50", self.greatest(|second| second.p50)),
        ];
        let limits = limits(report);
        let values = lines.iter().flat_map(|(_, _, points)| points.iter().flatten().copied());
        let (bottom, top) = LATENCY.y();
        let Some(scale) = Scale::log(values.chain(limits.iter().map(|limit| limit.ns as u64)), bottom, top) else {
            return html! { p class="soft" { "Nothing succeeded: there is no latency to draw." } };
        };
        let (time, x) = self.time(&LATENCY);
        let y: Vec<_> = scale.ticks(9).iter().map(|ns| (scale.at(*ns), round_time(*ns as u64))).collect();
        let (left, right) = LATENCY.x();
        let content = html! {
            @for limit in &limits {
                (limit.line(scale.at(limit.ns), left, right))
            }
            @for (class, _, points) in &lines {
                @let points = points.iter().enumerate();
                @let line = path(points.map(|(i, ns)| ns.map(|ns| (time.at(self.middle(i)), scale.at(ns as f64)))));
                path class={ "line " (class) } d=(line) {}
            }
        };
        html! {
            figure class="wide" {
                figcaption {
                    h3 { "Latency" }
                    @for (class, name, _) in lines.iter().rev() { span class={ "key " (class) } { (name) } }
                    span { (self.grain("the slowest second")) ", logarithmic" }
                }
                (LATENCY.picture("Latency over time: p50, p99 and greatest", &x, &y, &content))
            }
        }
    }

    /// What one point stands for.
    fn grain(&self, of_several: &str) -> String {
        match self.each {
            1 => "per second".to_owned(),
            each => format!("{of_several} of every {each}"),
        }
    }

    fn requests(&self) -> Markup {
        let sum = |of: fn(&Second) -> u64| joined(&self.seconds, self.each, |s| Some(of(s)), |a, b| a + b);
        let finished = sum(|second| second.finished);
        let failed = sum(|second| second.finished.saturating_sub(second.succeeded));
        let most = finished.iter().flatten().copied().max().unwrap_or(0).max(1);
        let (bottom, top) = REQUESTS.y();
        let scale = Scale::linear(0.0, most as f64, bottom, top);
        let (time, x) = self.time(&REQUESTS);
        let y: Vec<_> = scale.ticks(4).iter().map(|n| (scale.at(*n), count(*n as u64))).collect();
        let bars = |counts: &[Option<u64>]| -> String {
            let bar = |(i, n): (usize, &Option<u64>)| {
                let n = n.filter(|n| *n > 0)?;
                let (from, to) = (time.at((i * self.each) as f64), time.at(((i + 1) * self.each) as f64));
                let gap = if to - from > 4.0 { 1.0 } else { 0.0 };
                // One failure must be seen beside a thousand successes.
                let y = scale.at(n as f64).min(bottom - 1.5);
                Some(format!("M{} {}V{}H{}V{}z", px(from), px(bottom), px(y), px(to - gap), px(bottom)))
            };
            counts.iter().enumerate().filter_map(bar).collect()
        };
        let content = html! {
            path class="bar third" d=(bars(&finished)) {}
            path class="bar bad" d=(bars(&failed)) {}
        };
        let failures: u64 = failed.iter().flatten().sum();
        let grain = match self.each {
            1 => "per second".to_owned(),
            each => format!("per {each} s"),
        };
        html! {
            figure class="wide" {
                figcaption {
                    h3 { "Requests" }
                    span class="key third" { "finished" }
                    span class="key bad" { @if failures == 0 { "failed: none" } @else { "failed" } }
                    span { (grain) }
                }
                (REQUESTS.picture("Requests finished and failed over time", &x, &y, &content))
            }
        }
    }
}

/// The bound of a clause on a latency quantile.
#[derive(Debug)]
pub(super) struct Limit {
    /// The clause.
    pub(super) clause: String,
    /// The quantile, in (0, 1).
    pub(super) q: f64,
    /// The bound, in nanoseconds, above 0.
    pub(super) ns: f64,
}

impl Limit {
    /// A dashed line at `y` from `left` to `right`, with the clause on it.
    pub(super) fn line(&self, y: f64, left: f64, right: f64) -> Markup {
        let clause = if self.clause.chars().count() > LONGEST_CLAUSE {
            self.clause.chars().take(LONGEST_CLAUSE - 1).chain(['…']).collect()
        } else {
            self.clause.clone()
        };
        html! {
            path class="bound" d=(format!("M{} {}H{}", px(left), px(y), px(right))) {}
            text class="bound" x=(px(left + 6.0)) y=(px(y - 7.0)) { (clause) }
        }
    }
}

/// The limits that the objective sets to latencies.
pub(super) fn limits(report: &Report<'_>) -> Vec<Limit> {
    let findings = report.verdict.map_or(&[][..], |verdict| &verdict.findings);
    let limit = |finding: &Finding| {
        let Value::Time(ns) = finding.bound else { return None };
        let percent: f64 = finding.metric.strip_prefix("latency.p")?.parse().ok()?;
        (ns >= 1.0).then(|| Limit { clause: plain(&finding.clause), q: percent / 100.0, ns })
    };
    findings.iter().filter_map(limit).collect()
}
