//! Texts and times as messages have them.

use std::time::Duration;

use crate::spec::GoDuration;

/// Most characters of a text that a message repeats.
const SHOWN: usize = 80;

/// The beginning of a text on one line.
pub(super) fn shown(text: &str) -> String {
    let mut plain: String = text.chars().filter(|c| !c.is_control()).take(SHOWN).collect();
    if text.chars().count() > SHOWN {
        plain.push('…');
    }
    plain
}

/// A time as people write it: `2m`, not `2m0s`.
pub(super) fn time(time: Duration) -> String {
    let mut text = GoDuration::from(time).to_string();
    for (whole, short) in [("m0s", "m"), ("h0m", "h")] {
        if text.ends_with(whole) {
            text.truncate(text.len() - whole.len());
            text.push_str(short);
        }
    }
    text
}

/// `one`, or a count with `many`.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_without_zeros() {
        for (seconds, expected) in [
            (0, "0s"),
            (10, "10s"),
            (60, "1m"),
            (90, "1m30s"),
            (3600, "1h"),
            (3660, "1h1m"),
            (3601, "1h0m1s"),
            (36000, "10h"),
        ] {
            assert_eq!(time(Duration::from_secs(seconds)), expected);
        }
    }
}
