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
