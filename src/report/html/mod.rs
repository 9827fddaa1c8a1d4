//! The report as one page for a browser: verdict, clauses, what was measured, what the generator itself did.
//!
//! One file that explains itself years later and can be sent around: pictures are inline SVG, there is no script, and
//! nothing is loaded from anywhere. What comes from outside (URL, objective, errors) goes through [`plain`], and the
//! template escapes it.

mod course;
mod scale;
mod splits;
mod spread;
mod tables;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::text::{header, latency, load, objective};
use super::tone::{Tone, mark, tone};
use super::{Report, plain};
use crate::slo::Decision;
use crate::stats::number::{count, per_second, share, time};
use crate::stats::{Distribution, Series};

/// How the page looks, in light, in dark and on paper.
const STYLE: &str = include_str!("style.css");

/// The page.
#[must_use]
pub fn html(report: &Report<'_>) -> String {
    let facts = report.facts;
    let what = plain(&format!("{} {}", facts.method, facts.target()));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (headline(report)) ": " (what) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (what) }
                    p class="soft" { (plain(&header::plan(report))) }
                }
                (verdict(report))
                (figures(report))
                (remarks(report))
                (tables::clauses(report))
                section { h2 { "Over time" } (course::write(report)) }
                (spread(report))
                (tables::answers(report))
                (splits::write(report))
                (tables::generator(report))
                (tables::configuration(report))
                footer { "tollgate " (plain(&facts.version)) ", started " (plain(&facts.started)) }
            }
        }
    };
    page.into_string() + "\n"
}

/// The verdict in a word.
fn headline(report: &Report<'_>) -> String {
    report.verdict.map_or_else(|| "NO VERDICT".to_owned(), |verdict| verdict.decision.name().to_uppercase())
}

/// The class that colours what a decision means.
fn class(decision: Decision, advisory: bool) -> &'static str {
    match tone(decision, advisory) {
        Tone::Good => "good",
        Tone::Bad => "bad",
        _ => "warn",
    }
}

fn verdict(report: &Report<'_>) -> Markup {
    let (class, sign, why) = match report.verdict {
        Some(verdict) => {
            let sign = mark(verdict.decision, true).to_string() + " ";
            (class(verdict.decision, false), sign, plain(&verdict.reason))
        }
        None => ("soft", String::new(), objective::unjudged(report).to_owned()),
    };
    html! {
        div class={ "verdict " (class) } {
            strong { (sign) (headline(report)) }
            p { (why) }
            @for advice in report.verdict.iter().flat_map(|verdict| &verdict.advice) { p class="soft" { (plain(advice)) } }
        }
    }
}

/// The numbers that everybody asks for first.
fn figures(report: &Report<'_>) -> Markup {
    let summary = report.summary;
    let latency = summary.distributions.get(&Series::Latency).filter(|d| d.n() > 0);
    let at = |q: f64| latency.map_or_else(|| "–".to_owned(), |d| latency::cell(d, Some(q), report.facts.timeout));
    let wanted = report.facts.rate.map(|rate| format!("of {}", per_second(rate))).unwrap_or_default();
    let failed = summary.finished.saturating_sub(summary.succeeded);
    let all = [
        ("requests", count(summary.finished), format!("in {}", time(summary.wall.as_nanos() as f64))),
        ("succeeded", share(summary.succeeded, summary.finished), format!("{} failed", count(failed))),
        ("rate", per_second(summary.throughput()), wanted),
        ("latency p50", at(0.5), String::new()),
        ("latency p99", at(0.99), String::new()),
        ("slowest", at(1.0), String::new()),
    ];
    html! {
        dl class="figures" {
            @for (name, value, detail) in &all {
                div {
                    dt { (name) }
                    dd { (value) }
                    @if !detail.is_empty() { dd class="detail" { (detail) } }
                }
            }
        }
    }
}

/// What a reader should know before believing the numbers.
fn remarks(report: &Report<'_>) -> Markup {
    let warnings = load::warnings(report);
    html! {
        @if !warnings.is_empty() {
            ul class="remarks" { @for warning in &warnings { li { (plain(warning)) } } }
        }
    }
}

/// How latencies are spread.
fn spread(report: &Report<'_>) -> Markup {
    let latency = report.summary.distributions.get(&Series::Latency);
    let answered = latency.filter(|latency| !latency.histogram.is_empty());
    html! {
        section {
            h2 { "Times" }
            @match answered {
                Some(latency) => { (times(report, latency)) }
                None => { p class="soft" { "No request was answered: there are no times." } }
            }
        }
    }
}

fn times(report: &Report<'_>, latency: &Distribution) -> Markup {
    html! {
        (tables::times(report, latency))
        @for note in latency::notes(report, latency) { p class="soft" { (plain(&note)) } }
        div class="pair" { (spread::histogram(latency)) (spread::percentiles(report, latency)) }
    }
}

#[cfg(test)]
mod tests;
