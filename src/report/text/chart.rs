//! Pictures: how latencies are spread, and how they went second by second.

use super::page::{Page, Tone};
use crate::report::Report;
use crate::report::buckets::{Bucket, buckets};
use crate::stats::number::{count, round_time, time};
use crate::stats::{Second, Series, Summary};

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
/// Heights of a spark, lowest first.
const SPARKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII_SPARKS: [char; 8] = ['_', '.', ':', '-', '=', '+', '*', '#'];

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

/// The whole seconds of the judged part in order, `None` where nothing finished. The last, broken second would look
/// like a slump.
fn whole_seconds(summary: &Summary) -> Vec<Option<&Second>> {
    // A day is more than a line can show; a longer run is shown up to there.
    let mut seconds = vec![None; summary.wall.as_secs().min(86_400) as usize];
    for second in &summary.seconds {
        if let Some(place) = usize::try_from(second.at).ok().and_then(|at| seconds.get_mut(at)) {
            *place = Some(second);
        }
    }
    seconds
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

/// Every `each` neighbours joined into one value; `None` where none of them has one.
fn joined<'a>(
    seconds: &[Option<&'a Second>],
    each: usize,
    of: impl Fn(&'a Second) -> Option<u64>,
    join: impl Fn(u64, u64) -> u64,
) -> Vec<Option<u64>> {
    seconds.chunks(each).map(|chunk| chunk.iter().flatten().filter_map(|s| of(s)).reduce(&join)).collect()
}

/// One sign a value, from zero at the bottom to the greatest at the top; a dot (in ASCII a blank) where there is none.
fn sparks(values: &[Option<u64>], unicode: bool) -> String {
    let most = values.iter().flatten().max().copied().unwrap_or(0).max(1) as f64;
    let (signs, none) = if unicode { (SPARKS, '·') } else { (ASCII_SPARKS, ' ') };
    let sign = |value: u64| signs[((value as f64 / most * 7.0).round() as usize).min(7)];
    values.iter().map(|value| value.map_or(none, sign)).collect()
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
    fn a_course_keeps_its_peak_when_neighbours_are_joined() {
        let second = |at| Second { at, p99: Some(if at == 61 { 900 } else { 100 }), ..Second::default() };
        let all: Vec<Second> = (0..120).map(second).collect();
        let seconds: Vec<Option<&Second>> = all.iter().map(|s| Some(s).filter(|s| !(6..9).contains(&s.at))).collect();
        let shown = joined(&seconds, 2, |s| s.p99, u64::max);
        assert_eq!(shown.len(), 60);
        assert_eq!((shown[30], shown[3], shown[4]), (Some(900), None, Some(100)));
        assert_eq!(sparks(&[Some(0), None, Some(450), Some(900)], true), "▁·▅█");
        assert_eq!(sparks(&[Some(0), None, Some(450), Some(900)], false), "_ =#");
        assert_eq!(sparks(&[], true), "");
    }

    #[test]
    fn seconds_in_which_nothing_finished_keep_their_place_and_the_broken_last_one_goes() {
        let wall = std::time::Duration::from_millis(4_200);
        let seconds = [-1, 0, 3, 4].map(|at| Second { at, ..Second::default() }).to_vec();
        let summary = Summary { wall, seconds, ..Summary::default() };
        let at: Vec<Option<i64>> = whole_seconds(&summary).iter().map(|s| s.map(|s| s.at)).collect();
        assert_eq!(at, [Some(0), None, None, Some(3)]);
    }

    #[test]
    fn even_failures_are_no_burst() {
        assert!(!comes_in_bursts(&[Some(20); 10], 20));
        assert!(!comes_in_bursts(&[Some(0), Some(1), Some(0), Some(0)], 1));
        assert!(comes_in_bursts(&[Some(0), Some(12), None, Some(1)], 12));
    }
}
