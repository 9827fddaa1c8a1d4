//! `over=10s`: no full window may be worse than the bound beyond chance either.
//!
//! The worst of six windows fails a point check in 84 % of good runs, so each window is put to the exact test, and the
//! risk of a wrong fail is shared among them. The clause must hold over the whole run besides: a window alone shows too
//! little to pass anything.

use crate::stats::{Ns, Slices};

use super::rule::AtMostBad;

/// A window that fails, or the last one asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    /// Its beginning, in seconds.
    from: u64,
    /// Its end.
    to: u64,
    n: u64,
    bad: u64,
}

/// What to say of the window that is clearly worse than the bound, the worst of them if several are; `None` if none is.
pub(super) fn worst(rule: &AtMostBad, slices: &Slices, over: Ns, alpha: f64) -> Option<String> {
    let windows = windows(rule, slices, over);
    let alpha = alpha / windows.len().max(1) as f64;
    let clearly = windows.iter().filter(|window| rule.clearly_worse(window.n, window.bad, alpha));
    let share = |window: &Window| window.bad as f64 / window.n as f64;
    let worst = clearly.max_by(|one, other| share(one).total_cmp(&share(other)))?;
    let Window { from, to, n, bad } = worst;
    Some(format!("from second {from} to {to}, {bad} of {n} were bad"))
}

/// The run in windows of `over`: windows with too few requests are joined with the next, and what is left at the end
/// with the last.
fn windows(rule: &AtMostBad, slices: &Slices, over: Ns) -> Vec<Window> {
    let width = slices.width().0;
    let each = over.0.div_ceil(width).max(1) as usize;
    let least = rule.allowed.reciprocal_ceil();
    let second = |slice: usize| slice as u64 * width / Ns::from_secs(1).0;
    let mut all: Vec<Window> = Vec::new();
    let mut open = Window { from: 0, to: 0, n: 0, bad: 0 };
    for (index, rows) in slices.rows().chunks(each).enumerate() {
        let end = index * each + rows.len();
        open.to = second(end);
        for (n, k) in rows {
            open.n += n;
            open.bad += rule.bad.of(*n, *k);
        }
        if rows.len() == each && open.n >= least {
            all.push(open);
            open = Window { from: second(end), to: second(end), n: 0, bad: 0 };
        }
    }
    match all.last_mut() {
        Some(last) if open.n > 0 => {
            last.to = open.to;
            last.n += open.n;
            last.bad += open.bad;
        }
        None if open.n > 0 => all.push(open),
        _ => {}
    }
    all
}

#[cfg(test)]
mod tests {
    use super::super::exact::Binomial;
    use super::super::tests::samples::share_rule;
    use super::*;

    /// Seconds of 20 requests, `bad` of them bad in each.
    fn seconds(bad: &[u64]) -> Slices {
        Slices::by_second(bad.iter().map(|bad| (20, 20 - bad)).collect())
    }

    #[test]
    fn short_windows_are_joined() {
        let of = |slices: &Slices, over: u64| {
            let windows = windows(&share_rule("success>=99% over=10s"), slices, Ns::from_secs(over));
            windows.iter().map(|w| (w.from, w.to, w.n)).collect::<Vec<_>>()
        };
        assert_eq!(of(&seconds(&[0; 30]), 10), [(0, 10, 200), (10, 20, 200), (20, 30, 200)]);
        assert_eq!(of(&seconds(&[0; 34]), 10), [(0, 10, 200), (10, 20, 200), (20, 34, 280)], "the rest is no window");
        assert_eq!(of(&seconds(&[0; 12]), 3), [(0, 6, 120), (6, 12, 120)], "100 are needed");
        assert_eq!(of(&seconds(&[0; 3]), 10), [(0, 3, 60)], "shorter than one window");
        assert_eq!(of(&Slices::default(), 10), []);
    }

    #[test]
    fn a_bad_window_is_found_among_good_ones_and_named() {
        let rule = share_rule("success>=99% over=10s");
        let mut bad = [0; 60];
        bad[40..50].fill(1);
        let told = worst(&rule, &seconds(&bad), Ns::from_secs(10), 0.05);
        assert_eq!(told.as_deref(), Some("from second 40 to 50, 10 of 200 were bad"));
        assert_eq!(worst(&rule, &seconds(&[0; 60]), Ns::from_secs(10), 0.05), None);
        bad[40..50].fill(0);
        bad[44] = 4;
        assert_eq!(worst(&rule, &seconds(&bad), Ns::from_secs(10), 0.05), None, "4 of 200 is within chance");
    }

    #[test]
    fn a_good_run_has_a_bad_window_no_more_often_than_wanted() {
        // A target just at the bound, six windows of 200: the chance that none is clearly worse.
        let rule = share_rule("success>=99% over=10s");
        let window = Binomial::new(200, rule.allowed);
        let fails = (0..=200).find(|bad| rule.clearly_worse(200, *bad, 0.05 / 6.0)).unwrap();
        let any = 1.0 - (1.0 - window.at_least(fails)).powi(6);
        assert!(any < 0.05, "{any}");
        let point = 1.0 - window.at_most(2).powi(6);
        assert!(point > 0.8, "the measured share of the worst window would fail {point} of them");
    }
}
