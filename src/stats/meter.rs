//! What an objective needs counted: plain data that `slo` writes, `load` carries and a recorder obeys.
//!
//! A clause such as `p99<500ms` is judged on two exact counters (how many samples, how many within the bound),
//! not on a histogram, so there is no bucket error at the bound and memory does not grow with the run.

use super::{Code, Fault, Ns, Sample, StatusSet};

/// A measured quantity of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Series {
    /// Intended start to last byte.
    Latency,
    /// First byte out to last byte in.
    Service,
    /// Wait for a free lane.
    Queue,
    /// First byte out to first byte in.
    Ttfb,
    /// Name resolution, only where a connection was opened.
    Dns,
    /// Connecting, only where a connection was opened.
    Connect,
    /// TLS handshake, only where a connection was opened.
    Tls,
    /// Bytes of the response body.
    Size,
}

impl Series {
    /// Every series, in the order reports list them.
    pub const ALL: [Self; 8] =
        [Self::Latency, Self::Service, Self::Queue, Self::Ttfb, Self::Dns, Self::Connect, Self::Tls, Self::Size];

    /// The name used in SLO lines, reports and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::Service => "service",
            Self::Queue => "queue",
            Self::Ttfb => "ttfb",
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Size => "size",
        }
    }

    /// Whether the series counts bytes rather than nanoseconds.
    #[must_use]
    pub const fn is_bytes(self) -> bool {
        matches!(self, Self::Size)
    }

    /// The sample's value, if it has one. Times in nanoseconds, sizes in bytes.
    #[must_use]
    pub fn of(self, sample: &Sample) -> Option<u64> {
        match self {
            Self::Latency => Some(sample.latency().0),
            Self::Service => Some(sample.service().0),
            Self::Queue => Some(sample.queue().0),
            Self::Ttfb => Some(sample.ttfb().0),
            Self::Dns => sample.dial.map(|d| d.dns.0),
            Self::Connect => sample.dial.map(|d| d.connect.0),
            Self::Tls => sample.dial.map(|d| d.tls.0),
            Self::Size => Some(sample.bytes),
        }
    }
}

/// What a sample contributes to a series' population.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    /// A finite value.
    Value(u64),
    /// Counted, and slower than any bound: a timeout.
    Beyond,
    /// Not in the population: a failure that is not a timeout, so that a fast failure cannot improve a percentile.
    Outside,
}

/// Where `sample` stands in the population of `series`.
///
/// Latency, service, queue, ttfb and size: successes, plus timeouts as slower than any bound. Dial phases: whoever
/// opened a connection.
#[must_use]
pub fn membership(series: Series, sample: &Sample, success: bool) -> Membership {
    match series {
        Series::Dns | Series::Connect | Series::Tls => series.of(sample).map_or(Membership::Outside, Membership::Value),
        Series::Size if !success => Membership::Outside,
        _ if success => series.of(sample).map_or(Membership::Outside, Membership::Value),
        _ if sample.outcome.fault == Some(Fault::Timeout) => Membership::Beyond,
        _ => Membership::Outside,
    }
}

/// One status, or a hundred of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// HTTP statuses `100·n` to `100·n + 99`.
    Class(u8),
    /// One HTTP status.
    Http(u16),
    /// One gRPC status.
    Grpc(u8),
}

impl Answers {
    /// Whether `code` is among them.
    #[must_use]
    pub fn contains(self, code: Code) -> bool {
        match self {
            Self::Class(class) => matches!(code, Code::Http(status) if status / 100 == u16::from(class)),
            Self::Http(wanted) => code == Code::Http(wanted),
            Self::Grpc(wanted) => code == Code::Grpc(wanted),
        }
    }
}

/// Which finished requests a share counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    /// Requests that met the expectation.
    Success,
    /// All others.
    Errors,
    /// Requests with this fault.
    Fault(Fault),
    /// Requests that were answered so.
    Answered(Answers),
    /// Requests whose body and header expectations held.
    Checks,
}

impl Set {
    /// Whether the sample belongs.
    #[must_use]
    pub fn contains(self, sample: &Sample, success: bool) -> bool {
        match self {
            Self::Success => success,
            Self::Errors => !success,
            Self::Fault(fault) => sample.outcome.fault == Some(fault),
            Self::Answered(answers) => answers.contains(sample.outcome.code),
            Self::Checks => sample.outcome.fault != Some(Fault::Expect),
        }
    }
}

/// What a meter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// `n` finished requests, `k` of them in the set. Requests that failed through us ([`Fault::Local`]) are left out.
    Share(Set),
    /// `n` requests in the series' population, `k` of them at or below the limit (nanoseconds or bytes, inclusive).
    AtMost(Series, u64),
    /// Sum, extremes and spread of a series.
    Moments(Series),
}

/// One thing to count over a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meter {
    /// What is counted.
    pub test: Test,
    /// Requests due earlier than this after the judged part's start do not count. Zero counts all.
    pub after: Ns,
    /// Which requests count at all.
    pub only: Only,
    /// Whether `n` and `k` are wanted second by second too, not only over the whole run.
    pub by_second: bool,
}

impl Meter {
    /// A meter of all requests, over the whole run.
    #[must_use]
    pub const fn of(test: Test) -> Self {
        Self { test, after: Ns::ZERO, only: Only { answers: None }, by_second: false }
    }

    /// Whether it leaves some requests of the run out, so that its values are not those of the whole run.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.after > Ns::ZERO || self.only != Only::default()
    }

    /// Counts one sample that is not due too early.
    pub fn count(&self, reading: &mut Reading, sample: &Sample, success: bool) {
        if self.only.accepts(sample) {
            reading.count(self.test, sample, self.only.belongs(sample, success));
        }
    }

    /// What one sample adds to `n` and `k` of its second. Where times are counted, requests during which our own process
    /// stood still add nothing: they would make a burst of their own.
    #[must_use]
    pub fn in_slice(&self, sample: &Sample, success: bool) -> (u64, u64) {
        let mut reading = Reading::empty(self.test);
        self.count(&mut reading, sample, success);
        match (reading, self.test) {
            (Reading::Tally(tally), Test::Share(_)) => (tally.n, tally.k),
            (Reading::Tally(tally), _) => (tally.n - tally.tainted_n, tally.k - tally.tainted_k),
            (Reading::Moments(_), _) => (0, 0),
        }
    }

    /// Where `sample` stands in the population of the meter's series; outside for meters that have none.
    #[must_use]
    pub fn membership(&self, sample: &Sample, success: bool) -> Membership {
        match self.test {
            Test::AtMost(series, _) | Test::Moments(series) if self.only.accepts(sample) => {
                membership(series, sample, self.only.belongs(sample, success))
            }
            _ => Membership::Outside,
        }
    }
}

/// Which requests a meter looks at; by default all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Only {
    /// Requests that were answered so; `None` for any answer or none.
    pub answers: Option<Answers>,
}

impl Only {
    /// Whether the meter looks at this sample.
    #[must_use]
    pub fn accepts(&self, sample: &Sample) -> bool {
        self.answers.is_none_or(|answers| answers.contains(sample.outcome.code))
    }

    /// Whether the sample is one whose times and size count. By default that is a success; where answers are named, it
    /// is any such answer that arrived whole.
    fn belongs(&self, sample: &Sample, success: bool) -> bool {
        match self.answers {
            None => success,
            Some(_) => matches!(sample.outcome.fault, None | Some(Fault::Expect)),
        }
    }
}

/// The counters of a [`Test::Share`] or [`Test::AtMost`] meter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests in the population.
    pub n: u64,
    /// Of those, requests that hold.
    pub k: u64,
    /// Sum of the values of those that hold (nanoseconds or bytes); zero for shares.
    pub sum: u128,
    /// Of `n`, requests during which our own process stood still.
    pub tainted_n: u64,
    /// Of `k`, requests during which our own process stood still.
    pub tainted_k: u64,
    /// Requests not in `n` yet: due longer ago than the limit and still unanswered (a live window only).
    pub pending: u64,
}

impl Tally {
    /// Adds another recorder's counters. Associative and commutative.
    pub fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.k += other.k;
        self.sum += other.sum;
        self.tainted_n += other.tainted_n;
        self.tainted_k += other.tainted_k;
        self.pending += other.pending;
    }
}

/// Sum, extremes and spread of a series; the value of a [`Test::Moments`] meter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// Finite values seen.
    pub n: u64,
    /// Requests slower than any bound (timeouts), not in `n`.
    pub beyond: u64,
    /// Sum of the values.
    pub sum: u128,
    /// Sum of the squares, in floating point: only the standard deviation reads it.
    pub sum_of_squares: f64,
    /// Least value; `u64::MAX` when `n` is 0.
    pub min: u64,
    /// Greatest value; 0 when `n` is 0.
    pub max: u64,
    /// Of `n` and `beyond`, requests during which our own process stood still.
    pub tainted: u64,
}

impl Default for Moments {
    fn default() -> Self {
        Self { n: 0, beyond: 0, sum: 0, sum_of_squares: 0.0, min: u64::MAX, max: 0, tainted: 0 }
    }
}

impl Moments {
    /// Adds one value.
    pub fn add(&mut self, value: u64) {
        self.n += 1;
        self.sum += u128::from(value);
        self.sum_of_squares += value as f64 * value as f64;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// Adds another recorder's values.
    pub fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.beyond += other.beyond;
        self.sum += other.sum;
        self.sum_of_squares += other.sum_of_squares;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.tainted += other.tainted;
    }

    /// Arithmetic mean; `None` without values.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.n > 0).then(|| self.sum as f64 / self.n as f64)
    }

    /// Sample standard deviation (n − 1 in the denominator); `None` below two values.
    #[must_use]
    pub fn stddev(&self) -> Option<f64> {
        let mean = self.mean()?;
        let n = self.n as f64;
        (self.n > 1).then(|| ((self.sum_of_squares - n * mean * mean).max(0.0) / (n - 1.0)).sqrt())
    }
}

/// What a meter has counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading {
    /// Of a share or a bound.
    Tally(Tally),
    /// Of moments.
    Moments(Moments),
}

impl Reading {
    /// An empty reading of the shape that `test` needs.
    #[must_use]
    pub fn empty(test: Test) -> Self {
        match test {
            Test::Share(_) | Test::AtMost(..) => Self::Tally(Tally::default()),
            Test::Moments(_) => Self::Moments(Moments::default()),
        }
    }

    /// Counts one sample.
    pub fn count(&mut self, test: Test, sample: &Sample, success: bool) {
        let tainted = u64::from(sample.tainted);
        match (self, test) {
            (Self::Tally(_), Test::Share(_)) if sample.outcome.fault == Some(Fault::Local) => {}
            (Self::Tally(tally), Test::Share(set)) => {
                let holds = u64::from(set.contains(sample, success));
                tally.n += 1;
                tally.k += holds;
                tally.tainted_n += tainted;
                tally.tainted_k += tainted * holds;
            }
            (Self::Tally(tally), Test::AtMost(series, limit)) => {
                let value = match membership(series, sample, success) {
                    Membership::Outside => return,
                    Membership::Beyond => None,
                    Membership::Value(value) => Some(value).filter(|v| *v <= limit),
                };
                tally.n += 1;
                tally.tainted_n += tainted;
                if let Some(value) = value {
                    tally.k += 1;
                    tally.sum += u128::from(value);
                    tally.tainted_k += tainted;
                }
            }
            (Self::Moments(moments), Test::Moments(series)) => {
                match membership(series, sample, success) {
                    Membership::Outside => return,
                    Membership::Beyond => moments.beyond += 1,
                    Membership::Value(value) => moments.add(value),
                }
                moments.tainted += tainted;
            }
            _ => debug_assert!(false, "a reading is made by its own test"),
        }
    }

    /// Adds another recorder's reading of the same meter.
    pub fn merge(&mut self, other: &Self) {
        match (self, other) {
            (Self::Tally(mine), Self::Tally(theirs)) => mine.merge(theirs),
            (Self::Moments(mine), Self::Moments(theirs)) => mine.merge(theirs),
            _ => debug_assert!(false, "readings of different meters do not merge"),
        }
    }
}

/// Stop the load once too many of a meter's samples are bad: those that do not hold, or those that do where
/// `bad_holds`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trip {
    /// Index of the meter.
    pub meter: usize,
    /// Whether a sample that holds is the bad one (`5xx<1%`), rather than one that does not (`success>=99%`).
    pub bad_holds: bool,
    /// More bad samples than this and the clause can no longer pass; `u64::MAX` if that is never certain.
    pub most_bad: u64,
    /// Stop earlier, where the evidence is strong enough; with ascending `n`, empty for never.
    pub looks: Vec<Look>,
}

/// While no more than `n` samples were counted, more than `most_bad` bad ones among them are evidence enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Samples counted, at most.
    pub n: u64,
    /// Bad samples that are not enough yet.
    pub most_bad: u64,
}

impl Trip {
    /// Whether `bad` of `n` samples stop the load.
    #[must_use]
    pub fn fires(&self, n: u64, bad: u64) -> bool {
        let look = self.looks.iter().find(|look| n <= look.n);
        bad > self.most_bad || look.is_some_and(|look| bad > look.most_bad)
    }
}

/// Everything a run has to count, and when to stop early.
#[derive(Clone, Debug, Default)]
pub struct Measures {
    /// Which outcomes are successes.
    pub success: StatusSet,
    /// What to count for the objective, in the order the judge expects.
    pub meters: Vec<Meter>,
    /// Early ends.
    pub trips: Vec<Trip>,
    /// The tightest time bound of the objective: sets how late our own process may be before it matters.
    pub tightest: Option<Ns>,
}

impl Measures {
    /// Our own lateness up to this does not colour the verdict: `max(1 ms, 10 % of the tightest time bound)`;
    /// 50 ms where no clause reads a time.
    #[must_use]
    pub fn tolerance(&self) -> Ns {
        self.tightest.map_or(Ns::from_millis(50), |bound| Ns((bound.0 / 10).max(1_000_000)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Outcome;

    #[test]
    fn a_failure_of_our_own_is_in_no_share() {
        let sample = |outcome| Sample {
            class: 0,
            due: Ns(0),
            origin: Ns(0),
            sent: Ns(0),
            first: Ns(1),
            done: Ns(1),
            dial: None,
            outcome,
            bytes: 0,
            resent: false,
            tainted: false,
            extra_lane: false,
        };
        let test = Test::Share(Set::Success);
        let mut reading = Reading::empty(test);
        reading.count(test, &sample(Outcome::fault(Fault::Local)), false);
        assert_eq!(reading, Reading::empty(test));
        reading.count(test, &sample(Outcome::fault(Fault::Reset)), false);
        assert_eq!(reading, Reading::Tally(Tally { n: 1, ..Tally::default() }));
    }
}
