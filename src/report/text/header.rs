//! What was loaded and how, and how much of it came back.

use super::page::{Page, Tone};
use crate::report::{Loop, Report, plain};
use crate::slo::Decision;
use crate::stats::number::{bytes, count, counted, per_second, share, span, time};

/// Most URLs listed one by one.
const URLS: usize = 8;

/// The title, the plan in words and the line of totals.
pub(super) fn write(report: &Report<'_>, page: &mut Page) {
    let facts = report.facts;
    let name = page.paint(Tone::Faint, &format!("tollgate {}", plain(&facts.version)));
    let what = match facts.urls.len() {
        0 | 1 => facts.url.clone(),
        n => counted(n as u64, "URL"),
    };
    let what = page.paint(Tone::Strong, &plain(&format!("{} {what}", facts.method)));
    page.line(&format!("{name}  {what}"));
    if facts.urls.len() > 1 {
        urls(&facts.urls, page);
    }
    let plan = page.paint(Tone::Faint, &plan(report));
    page.line(&plan);
    let redirects =
        (facts.redirects > 0).then(|| format!("up to {} followed", counted(u64::from(facts.redirects), "redirect")));
    let seed = facts.seed.map(|seed| format!("values drawn with seed {seed}"));
    let more: Vec<String> = redirects.into_iter().chain(seed).collect();
    if !more.is_empty() {
        let more = page.paint(Tone::Faint, &more.join(", "));
        page.line(&more);
    }
    page.blank();
    page.parts("requests", &totals(report));
    let summary = report.summary;
    if summary.elsewhere > 0 {
        let (all, failed) = (counted(summary.elsewhere, "further request"), count(summary.elsewhere_failed));
        let told = format!("{all} not answered by the release under test, {failed} of them failed: not judged");
        page.paragraph("", Tone::Faint, &told);
    }
}

/// Each URL with its weight.
fn urls(urls: &[(String, u32)], page: &mut Page) {
    let shown = if urls.len() > URLS { URLS - 1 } else { URLS };
    let widest = urls.iter().map(|(_, weight)| weight.to_string().len()).max().unwrap_or(0);
    for (number, (url, weight)) in urls.iter().take(shown).enumerate() {
        page.row(if number == 0 { "weights" } else { "" }, &format!("{weight:>widest$}  {}", plain(url)));
    }
    if urls.len() > shown {
        page.row("", &format!("and {} more", urls.len() - shown));
    }
}

/// The plan as a sentence: `open loop: 20/s on 2 lanes for 10s, timeout 20s`.
pub(in crate::report) fn plan(report: &Report<'_>) -> String {
    let facts = report.facts;
    let lanes = counted(u64::from(facts.lanes), "lane");
    let over = if facts.protocol == "http1" { String::new() } else { format!(" over {}", facts.protocol_title) };
    let mut text = match (facts.arrivals, facts.rate) {
        (Loop::Open, Some(rate)) if facts.stages > 1 => {
            format!("open loop{over}: {} stages, {} on average, on {lanes}", facts.stages, per_second(rate))
        }
        (Loop::Open, Some(rate)) => format!("open loop{over}: {} on {lanes}", per_second(rate)),
        (Loop::Open, None) => format!("open loop{over}: {lanes}"),
        (Loop::Closed, _) => format!("closed loop{over}: {lanes}"),
    };
    if let Some(n) = facts.requests {
        text += &format!(", {}", counted(n, "request"));
    }
    if let Some(duration) = facts.duration {
        let before = if facts.requests.is_some() { ", at most" } else { " for" };
        text += &format!("{before} {}", span(duration));
    }
    if !facts.warmup.is_zero() {
        let finished = report.summary.warmup_finished;
        text += &format!(" after {} of warm-up ({})", span(facts.warmup), counted(finished, "request"));
    }
    text + &facts.timeout.map_or_else(|| ", no timeout".to_owned(), |limit| format!(", timeout {}", span(limit)))
}

/// Totals of the judged part.
fn totals(report: &Report<'_>) -> Vec<(Tone, String)> {
    let (summary, facts) = (report.summary, report.facts);
    if summary.finished == 0 {
        return vec![(Tone::Plain, "none finished".to_owned())];
    }
    let wanted = facts.rate.map(|rate| format!(" of {}", per_second(rate))).unwrap_or_default();
    vec![
        (Tone::Plain, format!("{} in {}", count(summary.finished), time(summary.wall.as_nanos() as f64))),
        (success_tone(report), format!("{} succeeded", share(summary.succeeded, summary.finished))),
        (Tone::Plain, format!("{}{wanted}", per_second(summary.throughput()))),
        (Tone::Plain, bytes(summary.bytes as f64)),
    ]
}

/// Green for all, red for failures that no objective has accepted.
fn success_tone(report: &Report<'_>) -> Tone {
    let accepted = report.verdict.is_some_and(|verdict| verdict.decision == Decision::Pass);
    match report.summary.succeeded == report.summary.finished {
        true => Tone::Good,
        false if accepted => Tone::Plain,
        false => Tone::Bad,
    }
}
