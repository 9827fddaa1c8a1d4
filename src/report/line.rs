//! A run in one line, for logs and for people who scroll past.

use super::{Report, plain};
use crate::stats::number::{beyond, counted, share, time};
use crate::stats::{Series, Stopped};

/// Longest line, in characters.
const LONGEST: usize = 240;
/// Longest URL in it.
const LONGEST_URL: usize = 80;

/// Decision, URL, the numbers, the reason: at most 240 characters and never a line break. Only the reason is cut.
#[must_use]
pub fn line(report: &Report<'_>) -> String {
    let summary = report.summary;
    let word = match (report.verdict, summary.stopped) {
        (Some(verdict), _) => verdict.decision.name().to_uppercase(),
        (None, None) => "DONE".to_owned(),
        (None, Some(Stopped::Interrupted)) => "INTERRUPTED".to_owned(),
        (None, Some(Stopped::Tripped(_))) => "STOPPED".to_owned(),
        (None, Some(Stopped::Unreachable)) => "UNREACHABLE".to_owned(),
    };
    let mut text = format!(
        "{word} {}: {} in {}",
        cut(&plain(&report.facts.target()), LONGEST_URL),
        counted(summary.finished, "request"),
        time(summary.wall.as_nanos() as f64)
    );
    if summary.finished > 0 {
        text += &format!(", {} ok", share(summary.succeeded, summary.finished));
    }
    if let Some(latency) = summary.distributions.get(&Series::Latency).filter(|d| d.n() > 0) {
        for (name, q) in [("p50", 0.5), ("p99", 0.99), ("max", 1.0)] {
            let shown = latency.quantile(q).map_or_else(|| beyond(report.facts.timeout), |ns| time(ns as f64));
            text += &format!(", {name} {shown}");
        }
    }
    if let Some(verdict) = report.verdict {
        text += &format!("; {}", plain(&verdict.reason));
    }
    cut(&text, LONGEST)
}

/// At most `most` characters, the last one `…` if something is missing.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::super::situations;
    use super::*;

    #[test]
    fn a_run_fits_one_line() {
        let rows = [
            (
                situations::stall(),
                "FAIL http://127.0.0.1:9898/: 4,000 requests in 21.0s, 100% ok, p50 1.11ms, p99 953ms, max 1.00s; \
                 success>=99% was 100% (n=4000); p99<500ms was 953ms (n=4000)",
            ),
            (
                situations::hung(),
                "FAIL http://127.0.0.1:9898/: 80 requests in 11.6s, 0% ok, p50 >2s, p99 >2s, max >2s; success>=99% \
                 was 0% (95% 0%..0.6%, n=80); p99<500ms: 80 of 80 got no answer in time",
            ),
            (
                situations::interrupted(),
                "INTERRUPTED http://127.0.0.1:9898/: 64 requests in 3.20s, 100% ok, p50 2.66ms, p99 7.49ms, max 7.49ms",
            ),
            (situations::empty(), "DONE http://127.0.0.1:9898/: 0 requests in 0ms"),
        ];
        for (situation, shown) in rows {
            assert_eq!(line(&situation.report()), shown);
        }
    }

    #[test]
    fn no_line_is_longer_than_240_characters_or_breaks() {
        let mut situation = situations::stall();
        situation.facts.url = format!("http://example.test/{}", "long/".repeat(100));
        situation.verdict.as_mut().unwrap().reason = "why\nand how \u{1b}[31m".repeat(40);
        let shown = line(&situation.report());
        assert_eq!(shown.chars().count(), 240);
        assert!(shown.ends_with('…') && shown.contains("4,000 requests"), "{shown}");
        assert!(!shown.chars().any(char::is_control), "{shown}");
    }
}
