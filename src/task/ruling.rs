//! A verdict that a person gives, for a while, whatever is measured.

use std::time::Duration;

/// Somebody's decision about one canary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Whether it lets the release go on, or stops it.
    pub pass: bool,
    /// Until when, on the board's clock.
    pub until: Duration,
    /// Who decided.
    pub by: String,
    /// Why, in their words.
    pub why: String,
}

impl Override {
    /// As every answer shows it, at `now`.
    pub(super) fn shown(&self, now: Duration) -> String {
        let left = self.until.saturating_sub(now).as_secs();
        let word = if self.pass { "pass" } else { "fail" };
        let left = match left {
            0..=119 => format!("{left}s"),
            120..=7199 => format!("{}m", left / 60),
            _ => format!("{}h", left / 3600),
        };
        format!("override {word} by {} for {left} more: {}", self.by, self.why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_is_shown_with_who_why_and_how_long_it_still_counts() {
        for (left, shown) in [(59, "59s"), (119, "119s"), (120, "2m"), (7199, "119m"), (7200, "2h"), (90_000, "25h")] {
            let (by, why) = ("ann".to_owned(), "a flaky test".to_owned());
            let ruling = Override { pass: false, until: Duration::from_secs(1000 + left), by, why };
            let expected = format!("override fail by ann for {shown} more: a flaky test");
            assert_eq!(ruling.shown(Duration::from_secs(1000)), expected);
        }
    }
}
