//! What moves on a terminal while a load runs: how far it is, how the newest second went, how the clauses stand.
//!
//! A pure function of what is known at one moment and of the terminal's width. Every line fits, so that a terminal never
//! breaks one and whoever draws the next frame over it knows how many rows there are.

use std::time::Duration;

use super::course::sparks;
use super::plain;
use super::tone::{Tone, ascii, mark, tone};
use crate::slo::{Decision, Standing};
use crate::stats::Second;
use crate::stats::number::{count, counted, per_second, share, span, time};

/// Between two parts of a line.
const GAP: &str = "   ";
/// Columns at the right edge that stay free: a terminal echoes `^C` there, and that must not break the line.
const FREE: usize = 3;
/// The bar's columns, at least and at most.
const BAR: (usize, usize) = (8, 30);
/// Most seconds in the line of sparks.
const MOST_SPARKS: usize = 40;
/// Most rows for clauses.
const CLAUSE_ROWS: usize = 3;

/// What is known at one moment of a load.
#[derive(Clone, Copy, Debug)]
pub struct Live<'a> {
    /// Time since the start, warm-up included.
    pub elapsed: Duration,
    /// The warm-up before the judged part; zero for none.
    pub warmup: Duration,
    /// When the load ends, warm-up included; `None` where a count ends it.
    pub end: Option<Duration>,
    /// How many requests end it; `None` where time does.
    pub requests: Option<u64>,
    /// Requests finished, warm-up included.
    pub finished: u64,
    /// The complete seconds so far, or the newest of them, in order; one in which nothing finished is there, and empty.
    pub seconds: &'a [Second],
    /// The clauses of the objective.
    pub standings: &'a [Standing],
}

/// One line, ready to be written: it may contain colours, and it has so many columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveLine {
    /// The text, colours included.
    pub text: String,
    /// Columns it takes.
    pub columns: usize,
}

/// The lines for a terminal of `width` columns, at least one and none of them wider.
#[must_use]
pub fn live(at: &Live<'_>, width: u16, color: bool) -> Vec<LiveLine> {
    let room = usize::from(width).saturating_sub(FREE).max(1);
    let mut lines = vec![progress(at, room)];
    lines.extend(at.seconds.last().map(|newest| pace(newest, at.seconds, room)));
    lines.extend(clauses(at.standings, room));
    lines.iter().map(|parts| fitted(parts, room, color)).collect()
}

/// Text with what it means.
pub type Part = (Tone, String);

/// The parts in their colours, cut where the room ends.
#[must_use]
pub fn fitted(parts: &[Part], room: usize, color: bool) -> LiveLine {
    let mut line = LiveLine::default();
    for (tone, text) in parts {
        let left = room - line.columns;
        let columns = text.chars().count();
        let cut = columns > left;
        let text = if cut {
            text.chars().take(left.saturating_sub(1)).chain(['…']).take(left).collect()
        } else {
            text.clone()
        };
        line.columns += columns.min(left);
        line.text.push_str(&tone.paint(color, &text));
        if cut {
            break;
        }
    }
    line
}

fn columns(parts: &[Part]) -> usize {
    parts.iter().map(|(_, text)| text.chars().count()).sum()
}

/// How far the load is: `12s ━━━━━━━─────── 1m   48s left   960 requests done`.
fn progress(at: &Live<'_>, room: usize) -> Vec<Part> {
    let whole_seconds = |time: Duration| Duration::from_secs(time.as_secs());
    let mut line = vec![(Tone::Strong, span(whole_seconds(at.elapsed)))];
    let mut rest = vec![(Tone::Plain, format!("{GAP}{} done", counted(at.finished, "request")))];
    let (share, goal) = match (at.end, at.requests) {
        (Some(end), _) => (at.elapsed.as_secs_f64() / end.as_secs_f64().max(1e-9), span(end)),
        (None, Some(requests)) => (at.finished as f64 / requests.max(1) as f64, count(requests)),
        (None, None) => (0.0, String::new()),
    };
    if at.elapsed < at.warmup {
        rest.insert(0, (Tone::Warn, format!("{GAP}warming up for {}", span(at.warmup))));
    } else if let Some(left) = left(at) {
        rest.insert(0, (Tone::Plain, format!("{GAP}{left}")));
    }
    let bar = room.saturating_sub(columns(&line) + columns(&rest) + goal.chars().count() + 2);
    if !goal.is_empty() && bar >= BAR.0 {
        let bar = bar.min(BAR.1);
        let full = ((share.clamp(0.0, 1.0) * bar as f64).floor() as usize).min(bar);
        line.push((Tone::Bar, format!(" {}", "━".repeat(full))));
        line.push((Tone::Faint, format!("{} {goal}", "─".repeat(bar - full))));
    } else if !goal.is_empty() {
        line.push((Tone::Faint, format!(" of {goal}")));
    }
    line.extend(rest);
    line
}

/// How long it will still take, in words.
fn left(at: &Live<'_>) -> Option<String> {
    let up = |time: Duration| span(Duration::from_secs(time.as_secs_f64().ceil() as u64));
    match (at.end, at.requests) {
        (Some(end), _) if at.elapsed >= end => Some("waiting for the last answers".to_owned()),
        (Some(end), _) => Some(format!("{} left", up(end.saturating_sub(at.elapsed)))),
        (None, Some(requests)) if at.finished > 0 && at.elapsed >= Duration::from_secs(2) => {
            let each = at.elapsed.as_secs_f64() / at.finished as f64;
            let left = each * requests.saturating_sub(at.finished) as f64;
            Duration::try_from_secs_f64(left).ok().map(|left| format!("about {} left", up(left)))
        }
        _ => None,
    }
}

/// The newest second, and p99 over the newest ones: `80/s   98.7% ok   p50 22.1ms   p99 41.2ms   ▁▁▂█▁ ≤ 1.03s`.
fn pace(newest: &Second, seconds: &[Second], room: usize) -> Vec<Part> {
    let mut line = vec![(Tone::Strong, per_second(newest.finished as f64))];
    if newest.finished == 0 {
        line.push((Tone::Warn, format!("{GAP}no answer")));
    } else {
        let all = newest.succeeded == newest.finished;
        let ok = format!("{GAP}{} ok", share(newest.succeeded, newest.finished));
        line.push((if all { Tone::Good } else { Tone::Bad }, ok));
    }
    for (name, ns) in [("p50", newest.p50), ("p99", newest.p99)] {
        let shown = ns.map_or_else(|| "–".to_owned(), |ns| time(ns as f64));
        line.push((Tone::Faint, format!("{GAP}{name} ")));
        line.push((Tone::Plain, format!("{shown:>6}")));
    }
    let most = seconds.iter().filter_map(|second| second.p99).max();
    let legend = most.map(|most| format!(" ≤ {}", time(most as f64))).unwrap_or_default();
    let left = room.saturating_sub(columns(&line) + GAP.len() + legend.chars().count());
    let shown = left.min(MOST_SPARKS).min(seconds.len());
    if shown >= 2 {
        // The greatest of those shown is the top; the legend must mean the same.
        let seconds = &seconds[seconds.len() - shown..];
        let values: Vec<Option<u64>> = seconds.iter().map(|second| second.p99).collect();
        line.push((Tone::Bar, format!("{GAP}{}", sparks(&values, true))));
        let most = values.iter().flatten().max();
        line.extend(most.map(|most| (Tone::Faint, format!(" ≤ {}", time(*most as f64)))));
    }
    line
}

/// The clauses side by side, on as many rows as they need and may have.
fn clauses(standings: &[Standing], room: usize) -> Vec<Vec<Part>> {
    let mut rows: Vec<Vec<Part>> = Vec::new();
    for (i, standing) in standings.iter().enumerate() {
        let parts = clause(standing);
        let beside = rows.last_mut().filter(|row| columns(row) + GAP.len() + columns(&parts) <= room);
        if let Some(row) = beside {
            row.push((Tone::Plain, GAP.to_owned()));
            row.extend(parts);
        } else if rows.len() < CLAUSE_ROWS {
            rows.push(parts);
        } else {
            rows.push(vec![(Tone::Faint, format!("and {} more", count((standings.len() - i) as u64)))]);
            break;
        }
    }
    rows
}

/// `✓ success>=99% 99.8%`; for a time `✗ p99<500ms 98.1% within`.
fn clause(standing: &Standing) -> Vec<Part> {
    let undecided = matches!(standing.decision, Decision::Insufficient | Decision::Inconclusive);
    let (tone, sign) = match undecided {
        true => (Tone::Faint, '…'),
        false => (tone(standing.decision, standing.advisory), mark(standing.decision, true)),
    };
    // One column a sign, whatever a query in the clause is written in.
    let name: String = plain(&standing.clause).chars().map(ascii).collect();
    let mut parts = vec![(tone, format!("{sign} ")), (Tone::Plain, name)];
    if let Some(value) = standing.value {
        let within = if standing.within { " within" } else { "" };
        parts.push((tone, format!(" {}{within}", value.among(standing.n))));
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::slo::Value;

    const fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn second(at: i64) -> Second {
        let slow = at % 6 == 5;
        Second {
            at,
            finished: if slow { 0 } else { 80 },
            succeeded: if slow { 0 } else { 79 },
            p50: (!slow).then_some(22_100_000),
            p99: (!slow).then_some(if at % 6 == 0 { 1_030_000_000 } else { 41_200_000 }),
            max: None,
        }
    }

    fn standing(clause: &str, decision: Decision, value: Option<Value>, n: u64) -> Standing {
        let within = clause.starts_with('p');
        Standing { clause: clause.to_owned(), decision, advisory: false, value, n, within }
    }

    fn standings() -> Vec<Standing> {
        vec![
            standing("success>=99%", Decision::Pass, Some(Value::Ratio(0.9979)), 960),
            standing("p99<500ms", Decision::Fail, Some(Value::Ratio(0.981_263)), 960),
            standing("p99.9<2s", Decision::Insufficient, Some(Value::Ratio(1.0)), 960),
            standing("rps>=50/s", Decision::Insufficient, None, 0),
        ]
    }

    fn shown(at: &Live<'_>, width: u16) -> String {
        live(at, width, false).into_iter().map(|line| line.text + "\n").collect()
    }

    #[test]
    fn a_load_in_its_course_reads_as_it_should_at_every_width() {
        let (seconds, standings) = ((0..23).map(second).collect::<Vec<_>>(), standings());
        let at = Live {
            elapsed: Duration::from_millis(23_400),
            warmup: secs(0),
            end: Some(secs(60)),
            requests: None,
            finished: 1_840,
            seconds: &seconds,
            standings: &standings,
        };
        for width in [200, 120, 80, 60, 40, 20] {
            insta::assert_snapshot!(format!("live_{width}"), shown(&at, width));
        }
    }

    #[test]
    fn the_stages_of_a_load_each_have_their_words() {
        let base = Live {
            elapsed: secs(1),
            warmup: secs(0),
            end: Some(secs(10)),
            requests: None,
            finished: 0,
            seconds: &[],
            standings: &[],
        };
        let quiet = [second(4), second(5)];
        let stages = [
            base,
            Live { warmup: secs(2), end: Some(secs(12)), finished: 1, ..base },
            Live { elapsed: secs(11), finished: 200, ..base },
            Live { elapsed: secs(4), end: None, requests: Some(1_000), finished: 250, ..base },
            Live { end: None, ..base },
            Live { elapsed: secs(6), seconds: &quiet, ..base },
        ];
        insta::assert_snapshot!("live_stages", stages.map(|at| shown(&at, 76)).concat());
    }

    #[test]
    fn what_a_clause_is_written_in_cannot_steer_the_terminal_and_takes_a_column_a_sign() {
        let standings = [standing("prom('漢字\u{1b}[2J')<1", Decision::Pass, None, 0)];
        let at = Live {
            elapsed: secs(1),
            warmup: secs(0),
            end: None,
            requests: None,
            finished: 0,
            seconds: &[],
            standings: &standings,
        };
        assert_eq!(live(&at, 80, false)[1].text, "✓ prom('?? [2J')<1");
    }

    #[test]
    fn more_clauses_than_rows_are_counted() {
        let many: Vec<Standing> = (0..40).flat_map(|_| standings()).collect();
        let rows = clauses(&many, 77);
        let left = rows.last().unwrap();
        assert_eq!(rows.len(), CLAUSE_ROWS + 1);
        let shown = rows[..CLAUSE_ROWS].iter().flatten().filter(|(_, text)| text.starts_with(['✓', '✗', '…'])).count();
        assert_eq!(left[0].1, format!("and {} more", 160 - shown));
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_terminal_and_colours_take_no_column(
            width in 4u16..300,
            millis in 0u64..100_000_000,
            end in prop::option::of(0u64..1_000_000),
            requests in prop::option::of(any::<u64>()),
            warmup in 0u64..100,
            finished in any::<u64>(),
            n in 0i64..200,
            clauses in 0usize..30,
        ) {
            let seconds: Vec<Second> = (0..n).map(second).collect();
            let standings: Vec<Standing> = standings().into_iter().cycle().take(clauses).collect();
            let at = Live {
                elapsed: Duration::from_millis(millis),
                warmup: secs(warmup),
                end: end.map(secs),
                requests,
                finished,
                seconds: &seconds,
                standings: &standings,
            };
            let (bare, coloured) = (live(&at, width, false), live(&at, width, true));
            prop_assert!(bare.len() <= 3 + CLAUSE_ROWS);
            for (bare, coloured) in bare.iter().zip(&coloured) {
                prop_assert_eq!(bare.text.chars().count(), bare.columns);
                prop_assert!(bare.columns < usize::from(width), "{} of {}: {}", bare.columns, width, bare.text);
                prop_assert_eq!(bare.columns, coloured.columns);
                let stripped: String =
                    coloured.text.split('\x1b').enumerate().map(|(i, part)| if i == 0 { part } else { part.split_once('m').unwrap().1 }).collect();
                prop_assert_eq!(&bare.text, &stripped);
                prop_assert!(!bare.text.contains("NaN") && !bare.text.contains('\n'));
            }
        }
    }
}
