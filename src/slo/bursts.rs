//! How much failures come in bursts. Requests of one second fail together, so that n overstates the evidence.
//!
//! The dispersion of the shares of the seconds around the share of all, divided by what independent requests would show
//! (Pearson's χ² over its degrees of freedom), is how many requests make one piece of evidence: D. A test at a confidence
//! is then made on n/D and k/D.

use crate::stats::Slices;

/// Fewer seconds than this tell nothing about their spread.
const LEAST_SLICES: usize = 10;
/// An interval that is wider by less than this is not worth a word: chance does as much over ten seconds.
const WORTH_A_WORD: f64 = 1.5;

/// D, at least 1; 1 where nothing or everything is in the share, or where too few seconds saw requests.
pub(super) fn dispersion(slices: Option<&Slices>) -> f64 {
    let rows = slices.map_or(&[][..], Slices::rows).iter().filter(|row| row.0 > 0);
    let (seconds, n, k) = rows.clone().fold((0, 0, 0), |all, row| (all.0 + 1, all.1 + row.0, all.2 + row.1));
    if seconds < LEAST_SLICES || k == 0 || k == n {
        return 1.0;
    }
    let share = k as f64 / n as f64;
    let spread: f64 = rows.map(|(m, k)| *m as f64 * (*k as f64 / *m as f64 - share).powi(2)).sum();
    (spread / ((seconds - 1) as f64 * share * (1.0 - share))).max(1.0)
}

/// What to say about a dispersion, if it is worth a word.
pub(super) fn remark(dispersion: f64, what: &str) -> Option<String> {
    let wider = dispersion.sqrt();
    (wider >= WORTH_A_WORD).then(|| format!("{what} come in bursts, interval ×{wider:.1} wider"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &[(u64, u64)]) -> f64 {
        dispersion(Some(&Slices::by_second(rows.to_vec())))
    }

    #[test]
    fn evenly_spread_failures_are_worth_their_number_and_a_burst_is_worth_one() {
        assert_eq!(of(&[(20, 19); 30]), 1.0, "more even than chance");
        // All 20 failures of 400 requests in one of 20 seconds: 20·(0.95² + 19·0.05²) = 19; 19/(19·0.05·0.95) = 21.05.
        let mut burst = vec![(20, 20); 20];
        burst[7] = (20, 0);
        assert!((of(&burst) - 1.0 / 0.0475).abs() < 1e-9, "{}", of(&burst));
        // Two half-failed seconds of ten, 20 requests each: p = 0.1, Σ = 20·(2·0.4² + 8·0.1²) = 8; 8/(9·0.09) = 9.877.
        let mut halves = vec![(20, 20); 10];
        (halves[2], halves[3]) = ((20, 10), (20, 10));
        assert!((of(&halves) - 8.0 / 0.81).abs() < 1e-9, "{}", of(&halves));
    }

    #[test]
    fn without_seconds_or_failures_or_successes_nothing_can_be_said() {
        for (rows, why) in [
            (vec![(20, 0); 9], "nine seconds"),
            ([vec![(20, 0); 5], vec![(20, 20); 4], vec![(0, 0); 9]].concat(), "empty seconds do not count"),
            (vec![(20, 0); 30], "all failed"),
            (vec![(20, 20); 30], "none failed"),
            (Vec::new(), "no seconds"),
        ] {
            assert_eq!(of(&rows), 1.0, "{why}");
        }
        assert_eq!(dispersion(None), 1.0);
        assert_eq!(remark(20.0, "errors").as_deref(), Some("errors come in bursts, interval ×4.5 wider"));
        assert_eq!(remark(2.0, "errors"), None);
    }
}
