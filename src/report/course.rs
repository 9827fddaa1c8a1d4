//! Second by second: the seconds of a run in their places, joined where there are too many, and as a line of sparks.

use crate::stats::{Second, Summary};

/// Heights of a spark, lowest first.
const SPARKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII_SPARKS: [char; 8] = ['_', '.', ':', '-', '=', '+', '*', '#'];

/// The whole seconds of the judged part in order, `None` where nothing finished. The last, broken second would look
/// like a slump.
pub(super) fn whole_seconds(summary: &Summary) -> Vec<Option<&Second>> {
    // A day is more than a line can show; a longer run is shown up to there.
    let mut seconds = vec![None; summary.wall.as_secs().min(86_400) as usize];
    for second in &summary.seconds {
        if let Some(place) = usize::try_from(second.at).ok().and_then(|at| seconds.get_mut(at)) {
            *place = Some(second);
        }
    }
    seconds
}

/// Every `each` neighbours joined into one value; `None` where none of them has one.
pub(super) fn joined<'a>(
    seconds: &[Option<&'a Second>],
    each: usize,
    of: impl Fn(&'a Second) -> Option<u64>,
    join: impl Fn(u64, u64) -> u64,
) -> Vec<Option<u64>> {
    seconds.chunks(each).map(|chunk| chunk.iter().flatten().filter_map(|s| of(s)).reduce(&join)).collect()
}

/// One sign a value, from zero at the bottom to the greatest at the top; a dot (in ASCII a blank) where there is none.
pub(super) fn sparks(values: &[Option<u64>], unicode: bool) -> String {
    let most = values.iter().flatten().max().copied().unwrap_or(0).max(1) as f64;
    let (signs, none) = if unicode { (SPARKS, '·') } else { (ASCII_SPARKS, ' ') };
    let sign = |value: u64| signs[((value as f64 / most * 7.0).round() as usize).min(7)];
    values.iter().map(|value| value.map_or(none, sign)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
