//! The one line that moves while a load runs.

use std::time::Duration;

use crate::stats::Second;
use crate::stats::number::{count, share, span, time};

/// How far a load has come, in at most 79 columns: time, requests finished, and the newest complete second.
#[must_use]
pub fn live(elapsed: Duration, whole: Option<Duration>, finished: u64, second: Option<&Second>) -> String {
    let mut text = span(Duration::from_secs(elapsed.as_secs()));
    if let Some(whole) = whole {
        text.push_str(&format!(" of {}", span(whole)));
    }
    text.push_str(&format!("   {} done", count(finished)));
    if let Some(second) = second.filter(|second| second.finished > 0) {
        text.push_str(&format!("   {}/s   {} ok", count(second.finished), share(second.succeeded, second.finished)));
        if let (Some(p50), Some(p99)) = (second.p50, second.p99) {
            text.push_str(&format!("   p50 {}  p99 {}", time(p50 as f64), time(p99 as f64)));
        }
    }
    text.chars().take(79).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_where_the_load_is_and_how_the_newest_second_went() {
        let second = Second {
            at: 3,
            finished: 1_000,
            succeeded: 999,
            p50: Some(1_200_000),
            p99: Some(34_000_000),
            max: Some(40_000_000),
        };
        let seconds = Duration::from_secs;
        assert_eq!(
            live(seconds(4), Some(seconds(60)), 3_999, Some(&second)),
            "4s of 1m   3,999 done   1,000/s   99.9% ok   p50 1.20ms  p99 34.0ms"
        );
        assert_eq!(live(seconds(0), None, 0, None), "0s   0 done");
    }
}
