//! What is told in rows: clauses, times, answers, the generator, the configuration.

use maud::{Markup, html};

use super::class;
use crate::report::json::happened;
use crate::report::text::latency::{AS_HEY, WIDE, cell, others};
use crate::report::text::{answers, load, objective};
use crate::report::tone::mark;
use crate::report::{Report, plain};
use crate::stats::number::{bytes, count, per_second, share, span};
use crate::stats::{Distribution, Fault, Series};

/// The objective, a row a clause.
pub(super) fn clauses(report: &Report<'_>) -> Markup {
    let Some(verdict) = report.verdict.filter(|verdict| !verdict.findings.is_empty()) else { return html! {} };
    let compares = verdict.findings.iter().any(|finding| finding.reference.is_some());
    html! {
        section {
            h2 { "Objective" }
            div class="wide" {
                table {
                    thead {
                        tr {
                            th { "clause" }
                            @for heading in ["measured", "95% interval", "requests"] { th class="n" { (heading) } }
                            @if compares { th class="n" { "compared with" } }
                            th { "decision" }
                        }
                    }
                    tbody {
                        @for finding in &verdict.findings {
                            @let [clause, measured, interval, n] = objective::cells(finding, report);
                            @let class = class(finding.decision, finding.advisory);
                            tr {
                                th { code { (clause) } }
                                td class="n" { (measured) }
                                td class="n" { (interval) }
                                td class="n" { (n) }
                                @if compares {
                                    td class="n" { (finding.reference.map_or_else(String::new, |r| r.to_string())) }
                                }
                                td {
                                    span class=(class) { (mark(finding.decision, true)) " " (finding.decision.name()) }
                                    span class="soft" { (remark(&objective::remark(finding), finding.decision.name())) }
                                    @if let Some(note) = &finding.note { p class="soft" { (plain(note)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What is left to say beside the decision.
fn remark(remark: &str, decision: &str) -> String {
    let rest = remark.strip_prefix(decision).unwrap_or(remark).trim_start_matches(", ");
    if rest.is_empty() { String::new() } else { format!(", {rest}") }
}

/// Quantiles of everything that was timed.
pub(super) fn times(report: &Report<'_>, latency: &Distribution) -> Markup {
    let summary = report.summary;
    let mut rows: Vec<(&str, &Distribution)> = Vec::new();
    for series in Series::ALL.into_iter().filter(|series| !series.is_bytes()) {
        let there = summary.distributions.get(&series).filter(|d| happened(series, d) && d.moments.max > 0);
        rows.extend(there.map(|d| (series.name(), d)));
        if series == Series::Service {
            rows.extend(others(summary, latency).1.map(|d| (AS_HEY, d)));
        }
    }
    html! {
        div class="wide" {
            table {
                thead {
                    tr {
                        th { "" }
                        @for (heading, _) in WIDE { th class="n" { (heading) } }
                        th class="n" { "requests" }
                    }
                }
                tbody {
                    @for (name, d) in &rows {
                        tr {
                            th { (name) }
                            @for (_, q) in WIDE { td class="n" { (cell(d, q, report.facts.timeout)) } }
                            td class="n" { (count(d.n())) }
                        }
                    }
                }
            }
        }
    }
}

/// What came back: statuses, and what went wrong.
pub(super) fn answers(report: &Report<'_>) -> Markup {
    let summary = report.summary;
    let faults = Fault::ALL.into_iter().filter_map(|fault| {
        let n = summary.faults.get(&fault).copied().filter(|n| *n > 0)?;
        Some((fault.name().to_owned(), n, answers::in_words(fault, report.facts)))
    });
    let statuses = answers::statuses(summary).into_iter().map(|row| ("status", row));
    let rows: Vec<_> = statuses.chain(faults.map(|row| ("fault", row))).collect();
    html! {
        section {
            h2 { "Answers" }
            @if rows.is_empty() { p class="soft" { "None." } } @else {
                div class="wide" {
                    table class="narrow" {
                        thead { tr { th { "" } th { "" } th class="n" { "requests" } th class="n" { "share" } th { "" } } }
                        tbody {
                            @for (kind, (name, n, why)) in &rows {
                                tr {
                                    td class="soft" { (kind) }
                                    th class=[(*kind == "fault").then_some("bad")] { (name) }
                                    td class="n" { (count(*n)) }
                                    td class="n" { (share(*n, summary.finished)) }
                                    td class="soft" { (why) }
                                }
                            }
                        }
                    }
                }
            }
            @if summary.bytes > 0 { p class="soft" { (bytes(summary.bytes as f64)) " of bodies" } }
            @for (status, words) in answers::said(summary) {
                p { span class="soft" { "grpc said: " } (status) ": " (words) }
            }
            @if let Some(error) = &summary.first_error { p { span class="soft" { "first error: " } (plain(error)) } }
        }
    }
}

/// How well our own process did.
pub(super) fn generator(report: &Report<'_>) -> Markup {
    let (summary, own) = (report.summary, &report.summary.generator);
    let tolerance = span(own.tolerance.into());
    let held = own.throttled.map_or_else(
        || "not known here".to_owned(),
        |held| {
            if held.is_zero() { "no".to_owned() } else { format!("{}, {} times", span(held), own.throttled_periods) }
        },
    );
    let rows = [
        ("in short", load::own(report)),
        ("connections", load::connections(summary)),
        ("started late", format!("{} of {}, by more than {tolerance}", count(own.late), count(own.scheduled))),
        ("in flight while tollgate stood still", count(own.tainted)),
        ("failed for want of ports or descriptors", count(own.local)),
        (
            "lanes in use at most",
            format!("{} of {} allowed", count(own.peak_lanes.into()), count(own.max_lanes.into())),
        ),
        ("held back by the CPU limit", held),
    ];
    facts("Generator", &rows)
}

/// What was asked for.
pub(super) fn configuration(report: &Report<'_>) -> Markup {
    let asked = report.facts;
    let lanes = |n: u32| count(u64::from(n));
    let none = || "none".to_owned();
    let rows = [
        ("request", format!("{} {}", asked.method, asked.target())),
        ("weights", weights(&asked.urls)),
        ("objective", asked.slo.clone().unwrap_or_else(none)),
        ("loop", asked.arrivals.name().to_owned()),
        ("rate", asked.rate.map_or_else(none, |rate| format!("{} on average", per_second(rate)))),
        ("stages", if asked.stages > 1 { asked.stages.to_string() } else { String::new() }),
        ("lanes", format!("{}, at most {}", lanes(asked.lanes), lanes(asked.max_lanes))),
        ("duration", asked.duration.map_or_else(|| "until the requests are done".to_owned(), span)),
        ("requests", asked.requests.map_or_else(|| "until the time is over".to_owned(), count)),
        ("warm-up", if asked.warmup.is_zero() { none() } else { span(asked.warmup) }),
        ("timeout", asked.timeout.map_or_else(none, span)),
        ("redirects", if asked.redirects > 0 { format!("up to {}", asked.redirects) } else { String::new() }),
        ("seed", asked.seed.map(|seed| seed.to_string()).unwrap_or_default()),
        ("started", asked.started.clone()),
        ("tollgate", asked.version.clone()),
        ("exit code", asked.exit_code.to_string()),
    ];
    facts("Configuration", &rows)
}

/// Each URL with its weight, where there are several.
fn weights(urls: &[(String, u32)]) -> String {
    let each = urls.iter().map(|(url, weight)| format!("{weight} × {url}"));
    if urls.len() > 1 { each.collect::<Vec<_>>().join(", ") } else { String::new() }
}

/// Names and values; what is empty is left out.
fn facts(title: &str, rows: &[(&str, String)]) -> Markup {
    html! {
        section {
            h2 { (title) }
            dl class="facts" {
                @for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
                    dt { (name) }
                    dd { (plain(value)) }
                }
            }
        }
    }
}
