//! What went through the router, request by request, and what Flagger, users and we ourselves make of it.

use std::time::Duration;

use super::split::Side;

/// Buckets of Istio's `request_duration_milliseconds`, in milliseconds: Prometheus knows times no finer.
const BUCKETS: [f64; 19] =
    [0.5, 1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1e3, 2.5e3, 5e3, 1e4, 3e4, 6e4, 3e5, 6e5, 1.8e6, 3.6e6];

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// When its answer was complete, since the start.
    pub(super) at: Duration,
    /// Who answered it.
    pub(super) side: Side,
    /// Whether that was the new release: after the promotion the primary is, too.
    pub(super) new: bool,
    /// Whether somebody saw the answer: users did, a load did not, nor whoever was mirrored.
    pub(super) user: bool,
    /// A status of 500 and above, or no whole answer.
    pub(super) failed: bool,
    /// From its arrival to the end of its answer.
    pub(super) took: Duration,
}

/// All requests so far, in the order in which they ended.
#[derive(Debug, Default)]
pub(super) struct Ledger(Vec<Row>);

/// Requests and bad ones among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tally {
    /// All.
    pub requests: u64,
    /// Failed, or slower than what counts as slow.
    pub bad: u64,
}

impl Tally {
    fn add(&mut self, bad: bool) {
        self.requests += 1;
        self.bad += u64::from(bad);
    }
}

/// What users met, and when it began to be bad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Users at the old release.
    pub users_old: Tally,
    /// Users at the new release.
    pub users_new: Tally,
    /// The load of hooks at the new release.
    pub load_new: Tally,
    /// The new release's first bad answer to anybody.
    pub first_bad: Option<Duration>,
    /// From it on: users' requests to the new release.
    pub users_since: Tally,
    /// From it on: the load's.
    pub load_since: Tally,
    /// The longest that a user waited.
    pub longest: Duration,
}

impl Ledger {
    pub(super) fn add(&mut self, row: Row) {
        self.0.push(row);
    }

    /// What came to its end since then.
    fn since(&self, begin: Duration) -> impl Iterator<Item = &Row> {
        self.0.iter().rev().take_while(move |row| row.at >= begin)
    }

    /// The share of the canary's answers below 500 since then, in percent, as Prometheus would say; `None` without any.
    pub(super) fn success_rate(&self, begin: Duration) -> Option<f64> {
        let (mut all, mut good) = (0_u64, 0_u64);
        for row in self.since(begin).filter(|row| row.side == Side::Canary) {
            all += 1;
            good += u64::from(!row.failed);
        }
        (all > 0).then(|| good as f64 / all as f64 * 100.0)
    }

    /// The 99th percentile of the canary's times since then, in whole milliseconds, as Prometheus would make it out of
    /// Istio's buckets; `None` without any.
    pub(super) fn duration(&self, begin: Duration) -> Option<f64> {
        let rows = self.since(begin).filter(|row| row.side == Side::Canary);
        let times: Vec<f64> = rows.map(|row| row.took.as_secs_f64() * 1e3).collect();
        quantile(0.99, &times).map(f64::trunc)
    }

    /// The account, where answers slower than `slow` are bad. Requests up to `end` count as exposed.
    pub(super) fn account(&self, slow: Duration, end: Duration) -> Account {
        let mut account = Account::default();
        for row in self.0.iter().filter(|row| row.at <= end) {
            let bad = row.failed || row.took > slow;
            if row.user {
                account.longest = account.longest.max(row.took);
            }
            match (row.user, row.new) {
                (true, false) => account.users_old.add(bad),
                (true, true) => account.users_new.add(bad),
                (false, true) => account.load_new.add(bad),
                (false, false) => {}
            }
            if row.new {
                if bad && account.first_bad.is_none() {
                    account.first_bad = Some(row.at);
                }
                if account.first_bad.is_some() {
                    if row.user { &mut account.users_since } else { &mut account.load_since }.add(bad);
                }
            }
        }
        account
    }
}

/// `histogram_quantile` over the buckets: within a bucket values are taken for evenly spread.
fn quantile(q: f64, times: &[f64]) -> Option<f64> {
    let n = times.len() as f64;
    if times.is_empty() {
        return None;
    }
    let upto = |bound: f64| times.iter().filter(|time| **time <= bound).count() as f64;
    let rank = q * n;
    let mut below = (0.0, 0.0);
    for bound in BUCKETS {
        let within = upto(bound);
        if within >= rank {
            let (low, before) = below;
            return Some(low + (bound - low) * (rank - before) / (within - before).max(1e-9));
        }
        below = (bound, within);
    }
    // Beyond the last bucket Prometheus says its bound.
    Some(below.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn row(at: u64, side: Side, user: bool, failed: bool, took: u64) -> Row {
        Row { at: ms(at), side, new: side == Side::Canary, user, failed, took: ms(took) }
    }

    #[test]
    fn quantiles_are_what_prometheus_makes_of_istios_buckets() {
        let times = |fast: usize, slow: usize, at: f64| [vec![20.0; fast], vec![at; slow]].concat();
        for (times, expected, why) in [
            (times(100, 0, 0.0), Some(24.85), "all in the bucket from 10 to 25: 99 % of the way"),
            (times(90, 10, 700.0), Some(950.0), "rank 99 is nine tenths of the way from 500 to 1000"),
            (times(0, 1, 9e6), Some(3.6e6), "beyond the last bound"),
            (Vec::new(), None, "nothing"),
        ] {
            let found = quantile(0.99, &times);
            let close = found.zip(expected).is_none_or(|(a, b): (f64, f64)| (a - b).abs() < 1e-6);
            assert!(found.is_some() == expected.is_some() && close, "{why}: {found:?}");
        }
    }

    #[test]
    fn flagger_sees_the_canarys_answers_of_the_newest_interval_only() {
        let mut ledger = Ledger::default();
        for (at, side, failed, took) in [
            (500, Side::Canary, true, 10),
            (1_500, Side::Canary, true, 900),
            (1_600, Side::Primary, true, 10),
            (1_700, Side::Canary, false, 10),
            (1_800, Side::Canary, false, 10),
            (1_900, Side::Canary, false, 10),
        ] {
            ledger.add(row(at, side, true, failed, took));
        }
        assert_eq!(ledger.success_rate(ms(1_000)), Some(75.0));
        assert_eq!(ledger.success_rate(ms(2_000)), None);
        assert_eq!(ledger.duration(ms(1_000)), Some(980.0), "rank 3.96 of 4, in the bucket from 500 to 1000");
        assert_eq!(ledger.duration(ms(2_000)), None);
    }

    #[test]
    fn the_account_begins_with_the_first_bad_answer_and_ends_with_the_rollback() {
        let mut ledger = Ledger::default();
        let rows = [
            row(100, Side::Canary, false, false, 10),
            row(200, Side::Primary, true, true, 10),
            row(300, Side::Canary, true, false, 10),
            row(400, Side::Canary, false, false, 600),
            row(500, Side::Canary, true, true, 10),
            row(600, Side::Canary, true, false, 10),
            row(700, Side::Canary, true, false, 3_000),
        ];
        rows.into_iter().for_each(|row| ledger.add(row));
        let tally = |requests, bad| Tally { requests, bad };
        let account = ledger.account(ms(500), ms(650));
        let expected = Account {
            users_old: tally(1, 1),
            users_new: tally(3, 1),
            load_new: tally(2, 1),
            first_bad: Some(ms(400)),
            users_since: tally(2, 1),
            load_since: tally(1, 1),
            longest: ms(10),
        };
        assert_eq!(
            account, expected,
            "too slow is bad; the primary's answers are not the release's; the last came too late"
        );
        assert_eq!(ledger.account(ms(5_000), ms(450)).first_bad, None);
    }
}
