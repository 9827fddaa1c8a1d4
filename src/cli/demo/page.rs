//! What the demo prints: one line for each tick, and what came of a release.

use crate::canary::Phase;
use crate::cli::rehearse::Played;
use crate::cli::say;
use crate::flagger::{HookKind, Step};
use crate::rehearse::{Outcome, Ticked};
use crate::report::{Part, Style, Tone, fitted, plain};
use crate::stats::number::{counted, span};

/// Columns of the text; a terminal may have fewer.
pub(super) const WIDTH: u16 = 80;

/// Where it is printed.
#[derive(Clone, Copy)]
pub(super) struct Page(Style);

impl Page {
    pub(super) const fn new(style: Style) -> Self {
        Self(style)
    }

    fn line(self, parts: &[Part]) {
        let room = usize::from(self.0.width.min(WIDTH));
        say(&format!("{}\n", fitted(parts, room, self.0.color).text));
    }

    pub(super) fn title(self, n: u32, title: &str) {
        say("\n");
        self.line(&[(Tone::Strong, format!("{n}. {title}"))]);
    }

    pub(super) fn aside(self, text: &str) {
        self.line(&[(Tone::Faint, format!("   {text}"))]);
    }

    pub(super) fn interrupted(self, played: &Played) {
        let ticks = counted(played.record.ticks.len() as u64, "tick");
        self.line(&[(Tone::Warn, format!("   INTERRUPTED after {ticks}"))]);
    }

    /// One line for a tick: when, how much the release gets, and what tollgate said.
    pub(super) fn tick(self, tick: &Ticked) {
        let share = match tick.status.phase {
            // The old pods are replaced by new ones.
            Phase::Finalising | Phase::Succeeded => "all".to_owned(),
            _ => format!("{} %", tick.route.canary),
        };
        let (tone, said) = said(tick);
        self.line(&[(Tone::Plain, format!("{:>6.1}s  {share:>5}  ", tick.at.as_secs_f64())), (tone, said)]);
    }

    /// How it ended, and what users met.
    pub(super) fn ending(self, played: &Played) {
        let Played { setting, record, account, .. } = played;
        let (tone, word) = match record.outcome {
            Some(Outcome::Promoted) => (Tone::Good, "PROMOTED"),
            Some(Outcome::RolledBack) => (Tone::Bad, "ROLLED BACK"),
            _ => (Tone::Warn, "UNDECIDED"),
        };
        let bad = account.first_bad.zip(record.rolled_back());
        let ticks = record.ticks.iter();
        let intervals = match bad {
            Some((first, _)) => ticks.filter(|tick| tick.at > first).count(),
            None => ticks.skip(1).count(),
        } as u32;
        let real = span(setting.interval.saturating_mul(intervals));
        let after = match bad {
            Some((first, back)) => {
                format!("{:.1}s after its first bad answer", back.saturating_sub(first).as_secs_f64())
            }
            None => format!("after {}", counted(record.ticks.len() as u64, "tick")),
        };
        self.line(&[(tone, format!("   {word}")), (Tone::Plain, format!(" {after} ({real} at Flagger's own pace)"))]);
        if bad.is_some() {
            let (people, load) = (account.users_since.requests, account.load_since.requests);
            let requests = counted(people + load, "request");
            self.line(&[(
                Tone::Plain,
                format!("   and {requests} to it: {people} of users, {load} of tollgate's load"),
            )]);
        }
        let users = account.users_new;
        let all = counted(users.requests + account.users_old.requests, "request");
        let bad = format!("{} failed or took over {}", users.bad, span(setting.slow()));
        self.line(&[(Tone::Plain, format!("   of {all} of users it got {}, of which {bad}", users.requests))]);
    }
}

/// What was said in a tick, the most important of it.
fn said(tick: &Ticked) -> (Tone, String) {
    let mut said = (Tone::Faint, String::new());
    for note in &tick.notes {
        match &note.step {
            Step::Hook { kind: HookKind::Rollout, error, .. } => {
                let answer = note.said.as_ref();
                let tone = match (error, answer.and_then(|said| said.status)) {
                    (None, Some(200)) => Tone::Good,
                    (None, _) => Tone::Plain,
                    (Some(_), Some(425)) => Tone::Warn,
                    (Some(_), _) => Tone::Bad,
                };
                said = (tone, short(answer.map_or("no answer", |said| said.body.trim())));
            }
            Step::Event { warning: true, message } if of_a_metric(message) => {
                let what = message.split(" advancement ").nth(1).unwrap_or(message);
                return (Tone::Bad, format!("Flagger's own metric: {}", plain(what)));
            }
            Step::Event { message, .. } if said.1.is_empty() => said.1 = ours(message),
            _ => {}
        }
    }
    said
}

fn of_a_metric(message: &str) -> bool {
    ["success rate", "request duration"].iter().any(|what| message.contains(what))
}

/// A verdict without the name of its canary, and without its intervals.
fn short(text: &str) -> String {
    let text = plain(text).replacen(" payment-service.shop:", "", 1);
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once(" (") {
        out.push_str(before);
        rest = after.split_once(')').map_or("", |(_, rest)| rest);
    }
    out + rest
}

/// An event of Flagger's, where it says how far the release is.
fn ours(message: &str) -> String {
    let known = [
        ("New revision detected!", "Flagger has seen the new release"),
        ("Starting canary analysis", "its first users"),
        ("Routing all traffic to primary", "its pods take the place of the old ones"),
        ("Promotion completed!", "done"),
        ("Rolling back", "three failed checks: the old release gets everything back"),
    ];
    let found = known.iter().find(|(begins, _)| message.starts_with(begins));
    found.map_or_else(String::new, |(_, said)| (*said).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_told_without_its_intervals() {
        let text = "FAIL payment-service.shop: success>=99.5% was 97.8% (95% 95%..99.07%, n=231); p99<=500ms ok 42.9ms";
        assert_eq!(short(text), "FAIL success>=99.5% was 97.8%; p99<=500ms ok 42.9ms");
        assert_eq!(short("PASS a: b (c"), "PASS a: b");
    }
}
