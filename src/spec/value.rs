//! Numbers, durations, rates and stages, each read from the text of one key.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::duration::GoDuration;
use super::mistake::{WRONG, Wrong, wrong};
use crate::plan::{Rate, RateError, Stage};

/// The slowest rate there is, a request in eleven days: what a stage's zero comes to.
const PAUSE: Rate = Rate { micro_per_second: 1 };

/// A whole number within `range`: digits only.
pub(super) fn whole(text: &str, range: RangeInclusive<u64>) -> Result<u64, Wrong> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(WRONG);
    }
    text.parse().ok().filter(|number| range.contains(number)).ok_or(WRONG)
}

/// A TCP port.
pub(super) fn port(text: &str) -> Result<u16, Wrong> {
    whole(text, 1..=u64::from(u16::MAX))
        .ok()
        .and_then(|port| u16::try_from(port).ok())
        .ok_or_else(|| wrong("a port is a number from 1 to 65535"))
}

/// Reads a duration that is not negative.
///
/// # Errors
/// What in particular is wrong, or nothing where that is plain.
pub fn read_duration(text: &str) -> Result<Duration, Option<String>> {
    span(text).map_err(|wrong| wrong.advice)
}

/// A duration that is not negative.
pub(super) fn span(text: &str) -> Result<Duration, Wrong> {
    match text.parse::<GoDuration>() {
        Ok(duration) => duration.to_std().ok_or_else(|| wrong("it cannot be negative")),
        Err(error) => Err(wrong(match days(text) {
            Some(hours) => format!("days are not known: write {hours}h"),
            None => error.to_string(),
        })),
    }
}

/// A duration that is not negative, or whole seconds.
pub(super) fn seconds_or_span(text: &str) -> Result<Duration, Wrong> {
    match whole(text, 0..=9_000_000_000) {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => span(text),
    }
}

/// `2d` in hours.
fn days(text: &str) -> Option<u64> {
    let days = whole(text.strip_suffix('d')?, 1..=100_000).ok()?;
    Some(days * 24)
}

/// A rate above zero.
pub(super) fn rate(text: &str) -> Result<Rate, Wrong> {
    text.parse().map_err(|error| match error {
        RateError::Zero => wrong("a rate of zero sends nothing: leave it out for a load without a rate"),
        other => wrong(other.to_string()),
    })
}

/// A bare rate per second; `None` for zero.
pub(super) fn rate_or_none(text: &str) -> Result<Option<Rate>, Wrong> {
    if text.contains('/') {
        return Err(wrong("it is per second, without a unit: --rate takes one"));
    }
    match text.parse() {
        Ok(rate) => Ok(Some(rate)),
        Err(RateError::Zero) => Ok(None),
        Err(error) => Err(wrong(error.to_string())),
    }
}

/// `30s:100/s`, `1m:100/s..500/s`, `10s:0`; several with commas.
pub(super) fn stages(text: &str) -> Result<Vec<Stage>, Wrong> {
    text.split(',').map(|item| stage(item.trim())).collect()
}

fn stage(item: &str) -> Result<Stage, Wrong> {
    let about = |problem: Wrong| match problem.advice {
        Some(advice) => wrong(format!("in '{item}': {advice}")),
        None => wrong(format!("'{item}' is none")),
    };
    let (length, rates) = item.split_once(':').ok_or_else(|| about(WRONG))?;
    let duration = span(length.trim()).map_err(about)?;
    if duration.is_zero() {
        return Err(about(wrong("a stage must last longer than zero")));
    }
    let (from, to) = rates.split_once("..").unwrap_or((rates, rates));
    let (from, to) = (from.trim(), to.trim());
    // `100..500/m` means both per minute.
    let unit = to.find('/').filter(|_| !from.contains('/')).map_or("", |at| &to[at..]);
    let from = pause_or_rate(&format!("{from}{unit}")).map_err(about)?;
    Ok(Stage { duration, from, to: pause_or_rate(to).map_err(about)? })
}

fn pause_or_rate(text: &str) -> Result<Rate, Wrong> {
    match text.parse() {
        Ok(rate) => Ok(rate),
        Err(RateError::Zero) => Ok(PAUSE),
        Err(error) => Err(wrong(error.to_string())),
    }
}

/// Whether a stage's end of this rate was written as zero.
pub(super) fn is_pause(rate: Rate) -> bool {
    rate == PAUSE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice<T: std::fmt::Debug>(result: Result<T, Wrong>) -> String {
        result.unwrap_err().advice.unwrap_or_default()
    }

    #[test]
    fn whole_numbers_are_digits_within_the_range() {
        assert_eq!(whole("0042", 1..=50), Ok(42));
        assert_eq!(whole("18446744073709551615", 0..=u64::MAX), Ok(u64::MAX));
        for bad in ["", "abc", "1.5", "-1", "+1", "1e3", " 1", "0x10", "0", "51", "99999999999999999999999"] {
            assert_eq!(whole(bad, 1..=50), Err(WRONG), "{bad:?}");
        }
    }

    #[test]
    fn ports_leave_out_zero() {
        assert_eq!(port("65535"), Ok(65_535));
        for bad in ["0", "65536", "http", "", "+80"] {
            assert_eq!(advice(port(bad)), "a port is a number from 1 to 65535");
        }
    }

    #[test]
    fn durations_need_a_unit_and_cannot_be_negative() {
        assert_eq!(span("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(span("0"), Ok(Duration::ZERO));
        assert_eq!(advice(span("-1s")), "it cannot be negative");
        assert!(advice(span("60")).contains("write 60s for seconds"));
        assert_eq!(advice(span("2d")), "days are not known: write 48h");
        assert!(advice(span("1.5d")).contains("unknown unit 'd'"));
    }

    #[test]
    fn a_timeout_is_whole_seconds_or_a_duration() {
        assert_eq!(seconds_or_span("20"), Ok(Duration::from_secs(20)));
        assert_eq!(seconds_or_span("0"), Ok(Duration::ZERO));
        assert_eq!(seconds_or_span("1500ms"), Ok(Duration::from_millis(1500)));
        assert!(advice(seconds_or_span("1.5")).contains("write 1.5s"));
        assert_eq!(advice(seconds_or_span("-5s")), "it cannot be negative");
    }

    #[test]
    fn a_rate_of_a_lane_is_bare_and_zero_means_none() {
        assert_eq!(rate_or_none("10"), Ok(Rate::per_second(10)));
        assert_eq!(rate_or_none("0"), Ok(None));
        assert!(advice(rate_or_none("10/s")).contains("--rate"));
        assert!(advice(rate_or_none("-1")).contains("plain decimal"));
        assert_eq!(rate("20/s"), Ok(Rate::per_second(20).unwrap()));
        assert!(advice(rate("0/s")).contains("leave it out"));
        assert!(advice(rate("20/d")).contains("/s, /m or /h"));
    }

    #[test]
    fn stages_are_steady_ramps_or_pauses() {
        let per_second = |n| Rate::per_second(n).unwrap();
        let stage = |seconds, from, to| Stage { duration: Duration::from_secs(seconds), from, to };
        for (text, expected, why) in [
            ("30s:100/s", vec![stage(30, per_second(100), per_second(100))], "steady"),
            ("1m:100/s..500/s", vec![stage(60, per_second(100), per_second(500))], "a ramp"),
            ("1m:6000..30000/m", vec![stage(60, per_second(100), per_second(500))], "the unit of both"),
            ("1m:0..500/s", vec![stage(60, PAUSE, per_second(500))], "from nothing"),
            ("5s:0", vec![stage(5, PAUSE, PAUSE)], "a pause"),
            (
                "30s:100/s, 1m:500",
                vec![stage(30, per_second(100), per_second(100)), stage(60, per_second(500), per_second(500))],
                "two",
            ),
        ] {
            assert_eq!(stages(text), Ok(expected), "{why}");
        }
    }

    #[test]
    fn a_wrong_stage_says_which_and_why() {
        for (text, expected) in [
            ("", "'' is none"),
            ("30s", "'30s' is none"),
            ("30s:1/s,", "'' is none"),
            ("30:1/s", "in '30:1/s': the unit is missing: write 30s for seconds, or ns, us, ms, m or h"),
            ("0s:1/s", "in '0s:1/s': a stage must last longer than zero"),
            ("1s:x", "in '1s:x': the number must be a plain decimal such as 20 or 0.5"),
            ("1s:1..x/s", "in '1s:1..x/s': the number must be a plain decimal such as 20 or 0.5"),
            ("1s:1/s..2/d", "in '1s:1/s..2/d': the unit must be /s, /m or /h"),
        ] {
            assert_eq!(advice(stages(text)), expected, "{text}");
        }
    }
}
