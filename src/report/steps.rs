//! The histogram and the percentiles that hey and ghz print: eleven marks from the fastest to the slowest, and nearest
//! ranks.

use crate::stats::Ns;

/// Steps between the fastest and the slowest.
pub(super) const STEPS: usize = 10;
/// The longest bar.
pub(super) const LONGEST_BAR: usize = 40;

/// The marks in seconds, each with how many of the sorted times lie up to it and beyond the one before; nothing of nothing.
pub(super) fn steps(sorted: &[Ns], fastest: Ns, slowest: Ns) -> Vec<(f64, usize)> {
    if sorted.is_empty() {
        return Vec::new();
    }
    let (fastest, slowest) = (fastest.as_secs_f64(), slowest.as_secs_f64());
    let step = (slowest - fastest) / STEPS as f64;
    let mut marks: Vec<(f64, usize)> = (0..STEPS).map(|i| (fastest + step * i as f64, 0)).collect();
    marks.push((slowest, 0));
    let mut row = 0;
    for time in sorted {
        while time.as_secs_f64() > marks[row].0 && row + 1 < marks.len() {
            row += 1;
        }
        marks[row].1 += 1;
    }
    marks
}

/// The bars of a histogram, the longest for the greatest count.
pub(super) fn bars<'a>(steps: &'a [(f64, usize)], sign: &'a str) -> impl Iterator<Item = String> + 'a {
    let most = steps.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1);
    steps.iter().map(move |(_, count)| sign.repeat((count * LONGEST_BAR + most / 2) / most))
}

/// The nearest rank ⌈p·n⌉; `None` of nothing.
pub(super) fn ranked(sorted: &[Ns], percent: usize) -> Option<Ns> {
    sorted.get((percent * sorted.len()).div_ceil(100).max(1) - 1).copied()
}
