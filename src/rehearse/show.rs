//! A rehearsal for people: how it is set up, each tick, the timeline, and what users would have felt. Pure.

use std::time::Duration;

use super::course::{Note, Outcome, Ticked};
use super::ledger::Account;
use super::record::{Record, Setting};
use crate::canary::Phase;
use crate::flagger::{Canary, HookKind, Route, Status, Step, Strategy};
use crate::report::{LiveLine, Style, Tone, fitted, plain};
use crate::stats::number::{counted, share, span, time};

/// A line as its parts, each with what it means.
type Parts = Vec<(Tone, String)>;

/// From where on what happens in a tick stands.
const INDENT: usize = 9;
/// Width of a label at the left.
const LABEL: usize = 14;

/// Lines as text: cut at the terminal's width where it is one, and as long as they are elsewhere.
fn text(lines: &[Parts], style: Style, cut: bool) -> String {
    let room = if cut { usize::from(style.width).max(20) } else { usize::MAX };
    lines.iter().map(|parts| fitted(parts, room, style.color).text + "\n").collect()
}

fn labelled(label: &str, value: &str) -> Parts {
    vec![(Tone::Faint, format!("{label:<LABEL$}")), (Tone::Plain, plain(value))]
}

/// How it is set up. Lines are cut where `cut` says so: on a terminal.
#[must_use]
pub fn heading(setting: &Setting, style: Style, cut: bool) -> String {
    let canary = &setting.canary;
    let mut lines = vec![
        vec![
            (Tone::Strong, format!("tollgate {}", env!("CARGO_PKG_VERSION"))),
            (Tone::Plain, format!("  {}", plan(canary))),
        ],
        labelled("old release", &setting.old),
        labelled("new release", &setting.new),
        labelled("users", &setting.users),
        labelled("hooks", &setting.tollgate),
    ];
    for (n, change) in setting.changes.iter().enumerate() {
        lines.push(labelled(if n == 0 { "shortened" } else { "" }, change));
    }
    for name in setting.unasked() {
        let why = "is taken to hold: there is no Prometheus here";
        lines.push(vec![(Tone::Warn, format!("{:<LABEL$}{} {why}", "metric", plain(name)))]);
    }
    for condition in canary.analysis.matches.iter().flat_map(|one| &one.others) {
        lines.push(vec![(Tone::Warn, format!("{:<LABEL$}on {} is taken to hold", "condition", plain(condition)))]);
    }
    lines.push(Parts::new());
    text(&lines, style, cut)
}

/// What Flagger is to do, in one line.
fn plan(canary: &Canary) -> String {
    let analysis = &canary.analysis;
    let how = match canary.strategy() {
        _ if canary.skip_analysis => "promoted without an analysis".to_owned(),
        Strategy::Weighted if analysis.step_weight == 0 && !analysis.step_weights.is_empty() => {
            let weights: Vec<String> = analysis.step_weights.iter().map(ToString::to_string).collect();
            format!("weights {}", weights.join(", "))
        }
        Strategy::Weighted => format!("weight up to {} by {}", analysis.max_weight, analysis.step_weight),
        Strategy::AbTest => format!("{} iterations of requests that match", canary.iterations()),
        Strategy::BlueGreen => format!("{} iterations, then all traffic", canary.iterations()),
    };
    let failed = counted(u64::from(analysis.threshold), "failed check");
    format!("{}.{}: {how}; {failed} roll back", plain(&canary.name), plain(&canary.namespace))
}

/// One tick: its status, and below it what happened.
#[must_use]
pub fn ticked(tick: &Ticked, canary: &Canary, style: Style, cut: bool) -> String {
    let mut head = vec![(Tone::Plain, format!("{:>7}  ", seconds(tick.at)))];
    head.extend(standing(tick.number, &tick.status, tick.route, canary));
    let mut lines = vec![head];
    lines.extend(notes(&tick.notes));
    text(&lines, style, cut)
}

/// What happened in a tick that did not come to its end.
#[must_use]
pub fn unfinished(record: &Record, style: Style, cut: bool) -> String {
    let Some((number, at, done)) = record.open.as_ref().filter(|(_, _, notes)| !notes.is_empty()) else {
        return String::new();
    };
    let mut lines = vec![vec![(Tone::Plain, format!("{:>7}  tick {number}, not finished", seconds(*at)))]];
    lines.extend(notes(done));
    text(&lines, style, cut)
}

fn seconds(at: Duration) -> String {
    format!("{:.1}s", at.as_secs_f64())
}

/// `tick 5  Progressing  weight 30  failed checks 1 of 3`.
fn standing(number: u32, status: &Status, route: Route, canary: &Canary) -> Parts {
    let mut parts =
        vec![(Tone::Strong, format!("tick {number:<3}")), (phase_tone(status.phase), status.phase.to_string())];
    parts.push((Tone::Plain, format!("  {}", traffic(status, route, canary))));
    if status.failed_checks > 0 {
        let failed = format!("  failed checks {} of {}", status.failed_checks, canary.analysis.threshold);
        parts.push((Tone::Bad, failed));
    }
    parts
}

const fn phase_tone(phase: Phase) -> Tone {
    match phase {
        Phase::Succeeded | Phase::Promoting | Phase::Finalising => Tone::Good,
        Phase::Failed => Tone::Bad,
        Phase::Waiting | Phase::WaitingPromotion => Tone::Warn,
        _ => Tone::Plain,
    }
}

/// Where traffic goes, in words.
fn traffic(status: &Status, route: Route, canary: &Canary) -> String {
    let mirrored = if route.mirrored { ", mirrored" } else { "" };
    match canary.strategy() {
        Strategy::Weighted => format!("weight {}{mirrored}", route.canary),
        Strategy::AbTest | Strategy::BlueGreen => {
            let all = i64::from(canary.iterations());
            format!("iteration {} of {all}{mirrored}", status.iterations.clamp(0, all))
        }
    }
}

/// Hooks with their answers, metrics with their values, and the events.
fn notes(notes: &[Note]) -> Vec<Parts> {
    let mut lines = Vec::new();
    let mut shown = "";
    for note in notes {
        match &note.step {
            // For every event another one: what they say is there already.
            Step::Hook { kind: HookKind::Event, error: None, .. } => {}
            Step::Hook { name, kind, error, .. } => {
                shown = error.as_deref().unwrap_or_default();
                lines.push(hook(name, *kind, error.is_none(), note));
            }
            Step::Metric { name, value, passed, asked } => lines.push(metric(name, *value, *passed, *asked)),
            Step::Event { warning, message } => {
                // The answer stands above.
                let message = message
                    .strip_suffix(shown)
                    .filter(|_| !shown.is_empty())
                    .map_or(message.clone(), |m| m.to_owned() + "…");
                let (tone, mark) = if *warning { (Tone::Warn, '!') } else { (Tone::Faint, '·') };
                lines.push(vec![(tone, format!("{:INDENT$}{mark} {}", "", plain(&message)))]);
            }
            Step::Route(_) | Step::Promote | Step::ScaleUp | Step::ScaleDown => {}
        }
    }
    lines
}

fn hook(name: &str, kind: HookKind, succeeded: bool, note: &Note) -> Parts {
    let (status, body, attempts) =
        note.said.as_ref().map_or((None, "", 0), |said| (said.status, said.body.trim(), said.attempts));
    let good = succeeded != (kind == HookKind::Rollback);
    let tone = match (good, status) {
        (true, _) => Tone::Good,
        // Nothing was decided.
        (false, Some(425)) => Tone::Warn,
        (false, _) => Tone::Bad,
    };
    let status = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    let again = if attempts > 1 { format!(" in {attempts} attempts") } else { String::new() };
    let first = body.lines().next().unwrap_or_default();
    vec![
        (Tone::Plain, format!("{:INDENT$}{} ", "", plain(name))),
        (tone, format!("{status}{again}")),
        (Tone::Plain, format!("  {}", plain(first))),
    ]
}

fn metric(name: &str, value: Option<f64>, passed: bool, asked: bool) -> Parts {
    let shown = match (value, name) {
        _ if !asked => "not asked".to_owned(),
        (None, _) => "no value".to_owned(),
        (Some(value), "request-success-rate") => format!("{value:.2}%"),
        (Some(value), "request-duration") => time(value * 1e6),
        (Some(value), _) => format!("{value:.2}"),
    };
    let tone = if passed { Tone::Good } else { Tone::Bad };
    vec![(Tone::Plain, format!("{:INDENT$}{} ", "", plain(name))), (if asked { tone } else { Tone::Warn }, shown)]
}

/// All ticks, one line each.
#[must_use]
pub fn timeline(record: &Record, canary: &Canary, style: Style, cut: bool) -> String {
    let mut lines = vec![vec![(
        Tone::Faint,
        format!("{:>7}  {:>4}  {:<16}  {:<9}  {:>6}  hooks", "", "tick", "phase", place(canary), "failed"),
    )]];
    for tick in &record.ticks {
        let at = match canary.strategy() {
            Strategy::Weighted => tick.route.canary.to_string() + if tick.route.mirrored { " mirror" } else { "" },
            _ => format!("{}/{}", tick.status.iterations.max(0), canary.iterations()),
        };
        let mut line = vec![
            (Tone::Plain, format!("{:>7}  {:>4}  ", seconds(tick.at), tick.number)),
            (phase_tone(tick.status.phase), format!("{:<16}", tick.status.phase.to_string())),
            (Tone::Plain, format!("  {at:<9}  {:>6}", tick.status.failed_checks)),
        ];
        for note in &tick.notes {
            if let Step::Hook { name, kind, error, .. } = &note.step
                && *kind != HookKind::Event
            {
                let good = error.is_none() != (*kind == HookKind::Rollback);
                let (tone, mark) = if good { (Tone::Good, '✓') } else { (Tone::Bad, '✗') };
                line.push((tone, format!("  {} {mark}", plain(name))));
            }
        }
        lines.push(line);
    }
    text(&lines, style, cut)
}

fn place(canary: &Canary) -> &'static str {
    if canary.strategy() == Strategy::Weighted { "weight" } else { "iteration" }
}

/// How it ended, and what users would have felt.
#[must_use]
pub fn ending(record: &Record, setting: &Setting, account: &Account, elapsed: Duration, style: Style) -> String {
    let ticks = record.ticks.len() as u32;
    let (tone, word) = match record.outcome {
        Some(Outcome::Promoted) => (Tone::Good, "PROMOTED"),
        Some(Outcome::RolledBack) => (Tone::Bad, "ROLLED BACK"),
        Some(Outcome::Undecided) => (Tone::Warn, "UNDECIDED"),
        Some(Outcome::Interrupted) | None => (Tone::Warn, "INTERRUPTED"),
    };
    let real = if setting.speed > 1.0 {
        format!("; {} as written", span(setting.interval.saturating_mul(ticks.saturating_sub(1))))
    } else {
        String::new()
    };
    let took = format!(" after {} in {}{real}", counted(u64::from(ticks), "tick"), seconds(elapsed));
    let mut lines = vec![vec![(tone, word.to_owned()), (Tone::Plain, took)]];
    lines.push(labelled("users", &met(account)));
    let waited = format!("longest wait {}", time(account.longest.as_nanos() as f64));
    lines.push(labelled("", &format!("{}; {waited}", bad(account, setting.slow()))));
    if let Some(first) = account.first_bad {
        let until = until(record, account, first);
        let labels = ["first bad", ""].into_iter();
        lines.extend(labels.zip(&until).map(|(label, line)| labelled(label, line)));
    }
    text(&lines, style, false)
}

/// How many users met the new release.
fn met(account: &Account) -> String {
    let (old, new) = (account.users_old.requests, account.users_new.requests);
    let all = old + new;
    format!("{}, {new} of them at the new release ({})", counted(all, "request"), share(new, all))
}

/// What it did to them.
fn bad(account: &Account, slow: Duration) -> String {
    format!("{} failed there or took over {}", account.users_new.bad, span(slow))
}

/// From the first bad answer to the rollback.
fn until(record: &Record, account: &Account, first: Duration) -> Vec<String> {
    let Some(back) = record.rolled_back() else {
        return vec![format!("answer of the new release at {}", seconds(first))];
    };
    let (users, load) = (account.users_since.requests, account.load_since.requests);
    vec![
        format!("answer at {}, rolled back {} later", seconds(first), seconds(back.saturating_sub(first))),
        format!("and {} later: {users} of users, {load} of the load", counted(users + load, "request")),
    ]
}

/// What moves on a terminal while it runs: where the analysis is, and what users met so far. No line is wider than `width`.
#[must_use]
pub fn live(record: &Record, setting: &Setting, account: &Account, now: Duration, style: Style) -> Vec<LiveLine> {
    let mut first = match record.ticks.last() {
        Some(tick) => standing(tick.number, &tick.status, tick.route, &setting.canary),
        None => vec![(Tone::Plain, "waiting for the first tick".to_owned())],
    };
    first.push((
        Tone::Faint,
        match &record.open {
            Some((number, at, _)) => format!("  tick {number} for {}", seconds(now.saturating_sub(*at))),
            None => format!("  next tick in {}", seconds(record.next.saturating_sub(now))),
        },
    ));
    let second = labelled("users", &format!("{}, {} bad", met(account), account.users_new.bad));
    let room = usize::from(style.width).saturating_sub(3).max(1);
    [first, second].iter().map(|parts| fitted(parts, room, style.color)).collect()
}
