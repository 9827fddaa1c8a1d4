//! What an objective needs counted: plain data that `slo` writes, `load` carries and a recorder obeys.
//!
//! A clause such as `p99<500ms` is judged on two exact counters (how many samples, how many within the bound),
//! not on a histogram, so there is no bucket error at the bound and memory does not grow with the run.

use super::reading::Reading;
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
        Self { test, after: Ns::ZERO, only: Only { answers: None, classes: None }, by_second: false }
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
    /// Requests of these classes; `None` for any.
    pub classes: Option<Classes>,
}

/// Some classes of requests, by number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Classes(u128);

impl Classes {
    /// A class of this number and all above are in no set.
    pub const MOST: u16 = 128;

    /// Whether `class` is among them.
    #[must_use]
    pub fn contains(self, class: u16) -> bool {
        class < Self::MOST && self.0 >> class & 1 == 1
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<u16> for Classes {
    fn from_iter<T: IntoIterator<Item = u16>>(classes: T) -> Self {
        Self(classes.into_iter().filter(|class| *class < Self::MOST).fold(0, |all, class| all | 1 << class))
    }
}

impl Only {
    /// Whether the meter looks at this sample.
    #[must_use]
    pub fn accepts(&self, sample: &Sample) -> bool {
        self.answers.is_none_or(|answers| answers.contains(sample.outcome.code))
            && self.classes.is_none_or(|classes| classes.contains(sample.class))
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
