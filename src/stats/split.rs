//! Results told apart: by the URL asked, the address that answered, a value drawn. For display; nothing is judged on it.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::{Code, Fault, Membership, Sample, Series, Sparse, membership};

/// Most parts kept of one split; requests that belong to none of them are counted together.
const MOST_PARTS: usize = 256;
/// A part that stands out has failed at least so often…
const LEAST_FAILED: u64 = 5;
/// …at least so many times as often as the others…
const TIMES_AS_OFTEN: f64 = 2.0;
/// …and in fewer than one in so many runs whose parts are all alike would any part do that.
const ONE_IN: f64 = 1_000.0;

/// Which part of a split a request belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// The one with this number: a URL of the plan, a value of a drawing.
    Number(u64),
    /// The requests that this address answered, or that got no further than to it.
    Address(SocketAddr),
    /// Those that reached no address.
    Unreached,
    /// Those that have no such value: another URL draws it.
    Absent,
    /// All others, where there are too many parts.
    Rest,
}

/// What came of the requests of one part.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// Finished requests.
    pub finished: u64,
    /// Of those, successes.
    pub succeeded: u64,
    /// Of those, requests that failed through us and say nothing of the target.
    pub local: u64,
    /// Finished requests by code; `Code::None` where no status arrived.
    pub codes: BTreeMap<Code, u64>,
    /// Finished requests by fault.
    pub faults: BTreeMap<Fault, u64>,
    /// Requests that got no answer in time: slower than any bound.
    pub beyond: u64,
    latency: Sparse,
}

impl Group {
    fn record(&mut self, sample: &Sample, success: bool) {
        self.finished += 1;
        self.succeeded += u64::from(success);
        self.local += u64::from(sample.outcome.fault == Some(Fault::Local));
        *self.codes.entry(sample.outcome.code).or_default() += 1;
        if let Some(fault) = sample.outcome.fault {
            *self.faults.entry(fault).or_default() += 1;
        }
        match membership(Series::Latency, sample, success) {
            Membership::Outside => {}
            Membership::Beyond => self.beyond += 1,
            Membership::Value(latency) => self.latency.record(latency),
        }
    }

    fn merge(&mut self, other: &Self) {
        self.finished += other.finished;
        self.succeeded += other.succeeded;
        self.local += other.local;
        other.codes.iter().for_each(|(code, n)| *self.codes.entry(*code).or_default() += n);
        other.faults.iter().for_each(|(fault, n)| *self.faults.entry(*fault).or_default() += n);
        self.beyond += other.beyond;
        self.latency.merge(&other.latency);
    }

    /// Requests that say something of the target.
    #[must_use]
    pub fn counted(&self) -> u64 {
        self.finished - self.local
    }

    /// Of those, failures.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.counted().saturating_sub(self.succeeded)
    }

    /// Failures ÷ requests that say something of the target, in [0, 1]; 0 without any.
    #[must_use]
    pub fn failure_ratio(&self) -> f64 {
        self.failed() as f64 / self.counted().max(1) as f64
    }

    /// Requests in the population of latencies: successes, and those that got no answer in time.
    #[must_use]
    pub fn timed(&self) -> u64 {
        self.latency.len() + self.beyond
    }

    /// The latency at quantile `q` in (0, 1], nearest rank, in nanoseconds and within 0.8 %; `None` when it falls among
    /// the requests without an answer, or there are none.
    #[must_use]
    pub fn latency(&self, q: f64) -> Option<u64> {
        let n = self.timed();
        let rank = ((q * n as f64 - 1e-9).ceil() as u64).clamp(1, n.max(1));
        self.latency.at_rank(rank)
    }
}

/// The parts of one split, as one worker saw them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Groups(BTreeMap<Key, Group>);

impl Groups {
    /// Counts one finished request of a part.
    pub fn record(&mut self, key: Key, sample: &Sample, success: bool) {
        let fits = self.0.len() + 1 < MOST_PARTS || self.0.contains_key(&key);
        self.0.entry(if fits { key } else { Key::Rest }).or_default().record(sample, success);
    }

    /// Adds another worker's parts. Associative and commutative.
    pub fn merge(&mut self, other: &Self) {
        other.0.iter().for_each(|(key, group)| self.0.entry(*key).or_default().merge(group));
    }

    /// The parts: those with most requests where workers have seen too many between them.
    #[must_use]
    pub fn parts(&self) -> Vec<(Key, Group)> {
        let mut parts: Vec<(Key, Group)> = self.0.iter().map(|(key, group)| (*key, group.clone())).collect();
        if parts.len() > MOST_PARTS {
            parts.sort_by_key(|(key, group)| (*key == Key::Rest, Reverse(group.finished)));
            let mut rest = Group::default();
            parts.drain(MOST_PARTS - 1..).for_each(|(_, group)| rest.merge(&group));
            parts.push((Key::Rest, rest));
        }
        parts
    }
}

/// One part of a split, by the name that users know it under.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Which it is.
    pub key: Key,
    /// Its name: a URL, an address, a value.
    pub name: String,
    /// What came of its requests.
    pub group: Group,
}

/// The results told apart in one way.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// By what: `url`, `address` or `value`.
    pub by: &'static str,
    /// For a value, of which drawing: its name, or what was written in its place.
    pub of: Option<String>,
    /// The parts, the one that fails most first, then the slowest.
    pub parts: Vec<Part>,
}

/// A part that fails where the others do not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outlier<'a> {
    /// The part.
    pub part: &'a Part,
    /// Failures of all others, and how many requests those are of.
    pub others: (u64, u64),
}

impl Split {
    /// The results told apart by `by`, of the drawing `of`, in the order of reports.
    #[must_use]
    pub fn new(by: &'static str, of: Option<String>, mut parts: Vec<Part>) -> Self {
        let slow = |part: &Part| if part.group.timed() > 0 { part.group.latency(0.99).unwrap_or(u64::MAX) } else { 0 };
        parts.sort_by(|a, b| {
            let (worse, slower) = (b.group.failure_ratio().total_cmp(&a.group.failure_ratio()), slow(b).cmp(&slow(a)));
            worse.then(slower).then_with(|| a.key.cmp(&b.key))
        });
        Self { by, of, parts }
    }

    /// The one part that fails far more often than all others together, if there is one and chance does not explain it.
    #[must_use]
    pub fn outlier(&self) -> Option<Outlier<'_>> {
        let is_candidate =
            |part: &&Part| matches!(part.key, Key::Number(_) | Key::Address(_)) && part.group.failed() >= LEAST_FAILED;
        let mut candidates = self.parts.iter().filter(is_candidate);
        let part = candidates.next()?;
        let next = candidates.next().map_or(0.0, |next| next.group.failure_ratio());
        let sum = |count: fn(&Group) -> u64| self.parts.iter().map(|part| count(&part.group)).sum::<u64>();
        let (failed, counted) = (part.group.failed(), part.group.counted());
        let (all_failed, all_counted) = (sum(Group::failed), sum(Group::counted));
        let others = (all_failed - failed, all_counted - counted);
        if others.1 == 0 {
            return None;
        }
        let share = part.group.failure_ratio();
        let their_share = next.max(others.0 as f64 / others.1 as f64);
        let expected = all_failed as f64 / all_counted as f64;
        // Chernoff: a binomial count is this far up in at most e^(−n·divergence) of all cases.
        let surprise = counted as f64 * divergence(share, expected);
        let is_rare = surprise >= (ONE_IN * self.parts.len() as f64).ln();
        (is_rare && share >= TIMES_AS_OFTEN * their_share).then_some(Outlier { part, others })
    }
}

/// Kullback and Leibler's divergence of a coin with chance `p` from one with chance `q` in (0, 1]; 0 unless `p` > `q`.
fn divergence(p: f64, q: f64) -> f64 {
    let part = |p: f64, q: f64| if p > 0.0 { p * (p / q).ln() } else { 0.0 };
    if p > q { part(p, q) + part(1.0 - p, 1.0 - q) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::{Ns, Outcome};

    fn sample(outcome: Outcome, ms: u64) -> Sample {
        let (at, done) = (Ns::from_secs(1), Ns::from_secs(1) + Ns::from_millis(ms));
        Sample::of(at, done, outcome)
    }

    /// Parts by number, each with its failures and its requests.
    fn split(parts: &[(u64, u64)]) -> Split {
        let mut groups = Groups::default();
        for (number, (failed, n)) in (0..).zip(parts) {
            for i in 0..*n {
                let status = if i < *failed { 503 } else { 200 };
                groups.record(Key::Number(number), &sample(Outcome::http(status), 3), status == 200);
            }
        }
        let part = |(key, group): (Key, Group)| Part { key, name: format!("{key:?}"), group };
        Split::new("url", None, groups.parts().into_iter().map(part).collect())
    }

    #[test]
    fn the_part_that_fails_most_comes_first_then_the_slowest() {
        let mut groups = Groups::default();
        for (number, status, ms) in [(0, 200, 5), (1, 200, 90), (2, 503, 1), (3, 200, 90)] {
            groups.record(Key::Number(number), &sample(Outcome::http(status), ms), status == 200);
        }
        groups.record(Key::Unreached, &sample(Outcome::fault(Fault::Timeout), 20), false);
        let part = |(key, group): (Key, Group)| Part { key, name: String::new(), group };
        let split = Split::new("url", None, groups.parts().into_iter().map(part).collect());
        let order: Vec<Key> = split.parts.iter().map(|part| part.key).collect();
        assert_eq!(order, [Key::Unreached, Key::Number(2), Key::Number(1), Key::Number(3), Key::Number(0)]);
        let unreached = &split.parts[0].group;
        assert_eq!((unreached.timed(), unreached.latency(0.5)), (1, None), "slower than any bound");
        assert_eq!(split.parts[1].group.timed(), 0, "a failure has no latency");
    }

    #[test]
    fn a_failure_of_our_own_is_no_failure_of_a_part() {
        let mut groups = Groups::default();
        groups.record(Key::Number(0), &sample(Outcome::fault(Fault::Local), 1), false);
        let (_, group) = groups.parts().remove(0);
        assert_eq!((group.finished, group.counted(), group.failed()), (1, 0, 0));
    }

    #[test]
    fn one_part_stands_out_only_where_chance_does_not_explain_it() {
        for (parts, stands_out, why) in [
            (vec![(100, 100), (0, 100), (0, 100)], true, "one of three fails, always"),
            (vec![(30, 100), (1, 100), (0, 100)], true, "one fails often"),
            (vec![(4, 4), (0, 400)], false, "four failures are no pattern"),
            (vec![(6, 100), (5, 500)], false, "as happens in one run of some thousand, of so many parts"),
            (vec![(100, 100)], false, "there are no others"),
            (vec![(100, 100), (100, 100), (0, 100)], false, "two of them"),
            (vec![(20, 100), (150, 1_000)], false, "little more often than the others"),
            (vec![(100, 1_000), (0, 10)], false, "ten good ones are little to compare with"),
            (vec![(0, 100), (0, 100)], false, "nobody fails"),
        ] {
            assert_eq!(split(&parts).outlier().is_some(), stands_out, "{why}");
        }
        let shown = split(&[(0, 100), (100, 100)]);
        let outlier = shown.outlier().unwrap();
        assert_eq!((outlier.part.key, outlier.others), (Key::Number(1), (0, 100)));
    }

    #[test]
    fn parts_that_are_alike_never_stand_out() {
        // Two hundred runs of twenty parts that all fail one request in fifty: a fair draw, always the same.
        let mut state = 1_u64;
        let mut fails = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33).is_multiple_of(50)
        };
        let alarms = (0..200).filter(|_| {
            let parts: Vec<(u64, u64)> = (0..20).map(|_| ((0..100).filter(|_| fails()).count() as u64, 100)).collect();
            split(&parts).outlier().is_some()
        });
        assert_eq!(alarms.count(), 0);
    }

    #[test]
    fn parts_beyond_the_most_are_counted_together_and_none_is_lost() {
        let mut groups = Groups::default();
        let mut others = Groups::default();
        for number in 0..300 {
            groups.record(Key::Number(number), &sample(Outcome::http(200), 1), true);
            others.record(Key::Number(number + 200), &sample(Outcome::http(200), 1), true);
        }
        groups.merge(&others);
        let parts = groups.parts();
        assert_eq!(parts.len(), MOST_PARTS);
        assert_eq!(parts.iter().map(|(_, group)| group.finished).sum::<u64>(), 600);
        assert_eq!(parts.iter().filter(|(key, _)| *key == Key::Rest).count(), 1);
        assert!(parts.iter().filter(|(_, group)| group.finished == 2).count() >= 55, "the larger ones are kept");
    }

    fn any_groups() -> impl Strategy<Value = Groups> {
        let request = (0u64..400, 0u64..4, 0u64..3_000);
        prop::collection::vec(request, 0..300).prop_map(|requests| {
            let mut groups = Groups::default();
            for (number, kind, ms) in requests {
                let outcome = match kind {
                    0 => Outcome::fault(Fault::Timeout),
                    1 => Outcome::http(500).with(Fault::Truncated),
                    2 => Outcome::fault(Fault::Local),
                    _ => Outcome::http(200),
                };
                let key = if number == 0 { Key::Unreached } else { Key::Number(number) };
                groups.record(key, &sample(outcome, ms), kind == 3);
            }
            groups
        })
    }

    proptest! {
        #[test]
        fn groups_merge_in_any_order(a in any_groups(), b in any_groups(), c in any_groups()) {
            let joined = |x: &Groups, y: &Groups| { let mut sum = x.clone(); sum.merge(y); sum };
            let shown = |groups: &Groups| groups.parts().into_iter().map(|(key, group)| {
                (key, group.finished, group.succeeded, group.failed(), group.codes.clone(), group.faults.clone(), group.timed(), group.latency(0.5), group.latency(0.99))
            }).collect::<Vec<_>>();
            let left = joined(&joined(&a, &b), &c);
            prop_assert_eq!(shown(&left), shown(&joined(&a, &joined(&b, &c))));
            prop_assert_eq!(shown(&left), shown(&joined(&c, &joined(&b, &a))));
        }
    }
}
