//! When a measured number agrees with the truth, and when the machine was too busy with others to tell.

use super::report::Report;

/// Attempts before a disturbed machine is given up on.
const ATTEMPTS: usize = 3;

/// Agreement is within this share of the truth…
const RATIO: f64 = 0.10;
/// …or within this many milliseconds of it.
const MS: f64 = 20.0;

/// More than this share of requests late or tainted by our own doing, or a heartbeat later than this in one of a
/// hundred, and the machine was disturbed.
const DISTURBED_RATIO: f64 = 0.01;
const DISTURBED_LAG_MS: f64 = 10.0;

/// Whether somebody else took the machine away from this run.
fn is_disturbed(report: &Report) -> bool {
    let finished = report.count("/requests/finished").max(1) as f64;
    let ours = report.count("/generator/late") + report.count("/generator/tainted");
    ours as f64 / finished > DISTURBED_RATIO || report.number("/generator/lag_ms/p99") > DISTURBED_LAG_MS
}

/// Measures until what is measured agrees. A disagreement counts only on an undisturbed machine, and only when it comes
/// twice: the target's own process may have been held up before it looked at its clock, but a wrong measurement is
/// wrong every time. Where nothing is shown in three attempts, that is said.
pub(crate) fn agrees(measure: impl Fn() -> (Report, Vec<Claim>)) {
    let mut disagreed = false;
    for attempt in 1..=ATTEMPTS {
        let (report, claims) = measure();
        let wrong: Vec<String> = claims.iter().filter_map(Claim::broken).collect();
        let disturbed = is_disturbed(&report);
        if wrong.is_empty() {
            return;
        }
        assert!(disturbed || !disagreed, "disagrees: {wrong:#?}\n{report}");
        disagreed |= !disturbed;
        eprintln!("attempt {attempt} of {ATTEMPTS}, disturbed: {disturbed}: {wrong:?}");
    }
    eprintln!("disturbed: nothing is shown");
}

/// One thing that a measurement says.
pub(crate) enum Claim {
    /// What, measured milliseconds, true ones.
    Time(&'static str, f64, f64),
    /// What, measured milliseconds, the most that would be right.
    AtMost(&'static str, f64, f64),
    /// What, measured text, the right one.
    Text(&'static str, String, &'static str),
}

impl Claim {
    /// In words, when it does not hold.
    fn broken(&self) -> Option<String> {
        let (holds, what, measured, right) = match self {
            Self::Time(what, measured, truth) => {
                let apart = (measured - truth).abs();
                let holds = apart <= MS || apart <= RATIO * truth.abs();
                (holds, what, measured.to_string(), truth.to_string())
            }
            Self::AtMost(what, measured, most) => {
                (measured <= most, what, measured.to_string(), format!("at most {most}"))
            }
            Self::Text(what, measured, right) => (measured == right, what, measured.clone(), (*right).to_owned()),
        };
        (!holds).then(|| format!("{what}: {measured}, not {right}"))
    }
}

#[test]
fn a_time_agrees_within_a_tenth_or_twenty_milliseconds() {
    for (measured, truth, agrees) in
        [(500.0, 540.0, true), (500.0, 560.0, false), (1.0, 20.5, true), (1.0, 21.5, false), (f64::NAN, 1.0, false)]
    {
        assert_eq!(Claim::Time("p50", measured, truth).broken().is_none(), agrees, "{measured} {truth}");
    }
}
