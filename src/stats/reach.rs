//! What some seconds of a running load amount to, and what is still unanswered.

use std::collections::BTreeMap;
use std::time::Duration;

use super::sparse::Sparse;
use super::values::Values;
use super::{Generator, Measures, Meter, Ns, Only, Reading, Series, Set, Slices, Summary, Test};

/// Times the tightest bound after which an unanswered request is no success any more (or its time limit, if that is
/// shorter): a target that hangs is failing, not silent.
const GIVEN_UP_AFTER: u64 = 10;

/// What a window of seconds amounts to.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// Seconds in it in which a request was due or finished.
    pub loaded_seconds: u64,
    /// Finished requests.
    pub finished: u64,
    /// Of those, successes.
    pub succeeded: u64,
    /// Requests that fell due.
    pub scheduled: u64,
    /// Of those, requests our own process started later than the tolerance.
    pub late: u64,
    /// Finished requests that failed through us.
    pub local: u64,
    /// Finished requests in flight while our own process stood still.
    pub tainted: u64,
    /// One reading a meter.
    pub readings: Vec<Reading>,
    /// For each meter that wants it, its counters second by second.
    pub by_second: BTreeMap<usize, Slices>,
    /// Latency, for display.
    pub latency: Sparse,
    /// How long each unanswered request has been waiting.
    pub pending: Vec<Ns>,
}

/// A request that is due and not answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// When it was due, from the judged part's start.
    pub due: Ns,
    /// How long its user has been waiting.
    pub age: Ns,
}

impl Reach {
    /// Adds another worker's part of the same seconds of the same load.
    pub fn merge(&mut self, other: &Self) {
        // Workers of one load are loaded in the same seconds, give or take one.
        self.loaded_seconds = self.loaded_seconds.max(other.loaded_seconds);
        self.finished += other.finished;
        self.succeeded += other.succeeded;
        self.scheduled += other.scheduled;
        self.late += other.late;
        self.local += other.local;
        self.tainted += other.tainted;
        self.readings.iter_mut().zip(&other.readings).for_each(|(mine, theirs)| mine.merge(theirs));
        for (meter, slices) in &other.by_second {
            self.by_second.entry(*meter).or_default().merge(slices);
        }
        self.latency.merge(&other.latency);
        self.pending.extend(&other.pending);
    }

    /// Counts requests that have waited longer than a meter's bound as pending: they are slower than it, whatever comes
    /// of them. `timeout` is the time limit of one request.
    pub fn wait_for(&mut self, measures: &Measures, timeout: Option<Ns>, unanswered: &[Unanswered]) {
        self.pending.extend(unanswered.iter().map(|one| one.age));
        let tightest = measures.meters.iter().filter_map(bound).min();
        let given_up =
            tightest.map(|bound| Ns(bound.0.saturating_mul(GIVEN_UP_AFTER))).into_iter().chain(timeout).min();
        for (meter, reading) in measures.meters.iter().zip(&mut self.readings) {
            let limit = match meter.test {
                Test::Share(Set::Success | Set::Errors) if meter.only == Only::default() => given_up,
                _ => bound(meter),
            };
            if let (Some(limit), Reading::Tally(tally)) = (limit, reading) {
                let slower = unanswered.iter().filter(|one| one.due >= meter.after && one.age > limit);
                tally.pending += slower.count() as u64;
            }
        }
    }

    /// These seconds as a summary. What only the whole load knows (codes, faults, connections, why it stopped) is left
    /// at its default.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let latency = Values::of(&self.latency);
        let distributions = if self.latency.is_empty() {
            BTreeMap::new()
        } else {
            BTreeMap::from([(Series::Latency, latency.distribution())])
        };
        Summary {
            wall: Duration::from_secs(self.loaded_seconds),
            finished: self.finished,
            succeeded: self.succeeded,
            distributions,
            readings: self.readings.clone(),
            pending: self.pending.clone(),
            by_second: self.by_second.clone(),
            generator: Generator {
                scheduled: self.scheduled,
                late: self.late,
                local: self.local,
                tainted: self.tainted,
                ..Generator::default()
            },
            ..Summary::default()
        }
    }
}

/// The latency above which a request is too slow for a meter of all requests.
fn bound(meter: &Meter) -> Option<Ns> {
    match meter.test {
        Test::AtMost(Series::Latency, limit) if meter.only == Only::default() => Some(Ns(limit)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Tally;

    fn measures() -> Measures {
        let late =
            Meter { after: Ns::from_secs(5), ..Meter::of(Test::AtMost(Series::Latency, Ns::from_millis(200).0)) };
        let meters = vec![
            Meter::of(Test::Share(Set::Success)),
            Meter::of(Test::AtMost(Series::Latency, Ns::from_millis(500).0)),
            late,
            Meter::of(Test::Share(Set::Checks)),
            Meter::of(Test::Moments(Series::Service)),
        ];
        Measures { meters, ..Measures::default() }
    }

    fn pending(timeout: Option<Ns>, unanswered: &[(u64, u64)]) -> [u64; 4] {
        let measures = measures();
        let readings = measures.meters.iter().map(|meter| Reading::empty(meter.test)).collect();
        let mut reach = Reach { readings, ..Reach::default() };
        let waiting = |(due, age): &(u64, u64)| Unanswered { due: Ns::from_secs(*due), age: Ns::from_millis(*age) };
        let unanswered: Vec<_> = unanswered.iter().map(waiting).collect();
        reach.wait_for(&measures, timeout, &unanswered);
        let ages: Vec<Ns> = unanswered.iter().map(|one| one.age).collect();
        assert_eq!(reach.summary().pending, ages, "how long all of them have been waiting");
        [0, 1, 2, 3].map(|meter| match reach.readings[meter] {
            Reading::Tally(Tally { pending, .. }) => pending,
            Reading::Moments(_) => panic!("a counter"),
        })
    }

    #[test]
    fn who_has_waited_longer_than_a_bound_is_too_slow_and_after_ten_times_it_no_success() {
        for (timeout, unanswered, expected, why) in [
            (None, &[(9, 200), (9, 100)][..], [0, 0, 0, 0], "nobody has waited long enough"),
            (None, &[(9, 201), (9, 501)], [0, 1, 2, 0], "each bound by itself"),
            (None, &[(1, 501)], [0, 1, 0, 0], "due before the third meter begins"),
            (None, &[(9, 2_001), (9, 2_000)], [1, 2, 2, 0], "ten times the tightest bound"),
            (Some(Ns::from_secs(1)), &[(9, 1_001)], [1, 1, 1, 0], "the time limit comes first"),
        ] {
            assert_eq!(pending(timeout, unanswered), expected, "{why}");
        }
    }

    #[test]
    fn the_parts_of_several_workers_add_up() {
        let part = |finished, latency| {
            let mut part = Reach { loaded_seconds: 3, finished, succeeded: 1, scheduled: 9, ..Reach::default() };
            part.readings = vec![Reading::Tally(Tally { n: finished, k: 1, ..Tally::default() })];
            part.latency.record(latency);
            part
        };
        let mut both = part(2, 1_000_000);
        both.merge(&part(5, 3_000_000));
        let summary = both.summary();
        assert_eq!((summary.finished, summary.succeeded, summary.generator.scheduled), (7, 2, 18));
        assert_eq!(summary.wall, Duration::from_secs(3));
        assert_eq!(summary.readings, [Reading::Tally(Tally { n: 7, k: 2, ..Tally::default() })]);
        assert_eq!(summary.distributions[&Series::Latency].n(), 2);
    }
}
