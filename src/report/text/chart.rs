//! Pictures: how latencies are spread, and how they went second by second.

use super::page::{Page, Tone};
use crate::report::Report;
use crate::report::buckets::{Bucket, buckets};
use crate::report::course::{joined, sparks, whole_seconds};
use crate::stats::number::{count, round_time, time};
use crate::stats::{Series, Summary};

/// Most rows of the histogram.
const ROWS: usize = 12;
/// Longest bar, in columns: longer ones shout.
const WIDEST: usize = 44;
/// Fewer requests than this need no picture.
const WORTH_A_PICTURE: u64 = 10;
/// A course over time is shown from this many whole seconds on.
const WORTH_A_COURSE: usize = 5;
/// Eighths of a block, from one to eight.
const BLOCKS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// Histogram and courses, each only where it says something.
pub(super) fn write(report: &Report<'_>, page: &mut Page) {
    histogram(report.summary, page);
    courses(report.summary, page);
}

fn histogram(summary: &Summary, page: &mut Page) {
    let Some(latency) = summary.distributions.get(&Series::Latency).filter(|d| d.n() >= WORTH_A_PICTURE) else {
        return;
    };
    let rows = buckets(latency, ROWS);
    if rows.len() < 2 {
        return;
    }
    let most = rows.iter().map(|row| row.count).max().unwrap_or(0);
    let digits = count(most).len();
    let label = |row: &Bucket| match row.up_to {
        Some(edge) if page.unicode() => format!("≤ {}", round_time(edge)),
        Some(edge) => format!("<= {}", round_time(edge)),
        None => "no answer".to_owned(),
    };
    let labels: Vec<String> = rows.iter().map(label).collect();
    let widest = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
    let room = page.room().saturating_sub(widest + digits + 4).min(WIDEST);
    page.blank();
    for (number, (row, label)) in rows.iter().zip(&labels).enumerate() {
        let tone = if row.up_to.is_some() { Tone::Bar } else { Tone::Bad };
        let bar = page.paint(tone, &bar(row.count, most, room, page.unicode()));
        let line = format!("{label:>widest$}  {:>digits$}  {bar}", count(row.count));
        page.row(if number == 0 { "histogram" } else { "" }, &line);
    }
}

/// A bar of at most `room` columns; any request at all leaves a mark.
fn bar(n: u64, most: u64, room: usize, unicode: bool) -> String {
    if n == 0 || most == 0 {
        return String::new();
    }
    let columns = n as f64 / most as f64 * room as f64;
    if !unicode {
        return "#".repeat((columns.round() as usize).max(1));
    }
    let eighths = ((columns * 8.0).round() as usize).max(1);
    let mut bar = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        bar.push(BLOCKS[eighths % 8 - 1]);
    }
    bar
}

/// p99 and failures second by second, where they moved.
fn courses(summary: &Summary, page: &mut Page) {
    let seconds = whole_seconds(summary);
    if seconds.len() < WORTH_A_COURSE {
        return;
    }
    let room = page.room().saturating_sub(34).min(60);
    let each = seconds.len().div_ceil(room);
    let p99: Vec<Option<u64>> = joined(&seconds, each, |s| s.p99, u64::max);
    let failures = joined(&seconds, each, |s| Some(s.finished.saturating_sub(s.succeeded)), |a, b| a + b);
    let each = if each == 1 { "per second".to_owned() } else { format!("per {each} s") };
    let mut lines = Vec::new();
    if let Some((low, high)) = extremes(&p99).filter(|(low, high)| *high >= (3 * low).max(low + 5_000_000)) {
        let none = match (p99.contains(&None), page.unicode()) {
            (false, _) => "",
            (true, true) => ", · none",
            (true, false) => ", blank none",
        };
        lines.push(("p99", &p99, Tone::Bar, format!("{}..{} {each}{none}", time(low as f64), time(high as f64))));
    }
    if let Some((low, high)) = extremes(&failures).filter(|(_, high)| comes_in_bursts(&failures, *high)) {
        lines.push(("failures", &failures, Tone::Bad, format!("{}..{} {each}", count(low), count(high))));
    }
    if !lines.is_empty() {
        page.blank();
    }
    for (label, values, tone, legend) in lines {
        let sparks = page.paint(tone, &sparks(values, page.unicode()));
        let legend = page.paint(Tone::Faint, &legend);
        page.row(label, &format!("{sparks}  {legend}"));
    }
}

/// Least and greatest of the values there are.
fn extremes(values: &[Option<u64>]) -> Option<(u64, u64)> {
    let known = || values.iter().flatten().copied();
    Some((known().min()?, known().max()?))
}

/// Whether the worst stretch holds several times its part of the failures.
fn comes_in_bursts(failures: &[Option<u64>], most: u64) -> bool {
    let total: u64 = failures.iter().flatten().sum();
    most >= 5 && most * failures.len() as u64 >= 3 * total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_proportional_to_an_eighth_of_a_column_and_one_request_leaves_a_mark() {
        assert_eq!(bar(0, 100, 10, true), "");
        assert_eq!(bar(1, 100_000, 10, true), "▏");
        assert_eq!(bar(100, 100, 10, true), "██████████");
        assert_eq!(bar(55, 100, 10, true), "█████▌");
        assert_eq!(bar(55, 100, 10, false), "######");
        assert_eq!(bar(1, 100_000, 10, false), "#");
    }

    #[test]
    fn even_failures_are_no_burst() {
        assert!(!comes_in_bursts(&[Some(20); 10], 20));
        assert!(!comes_in_bursts(&[Some(0), Some(1), Some(0), Some(0)], 1));
        assert!(comes_in_bursts(&[Some(0), Some(12), None, Some(1)], 12));
    }
}
