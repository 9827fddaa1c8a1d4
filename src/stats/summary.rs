//! What a whole run, or a window of it, amounts to: the one value that reports print and the judge reads.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::{Code, Fault, Moments, Ns, Reading, Said, Series, Slices, Split};

/// Values of one series, for display. Verdicts are made on exact counters instead.
#[derive(Clone, Debug)]
pub struct Distribution {
    /// Finite values, in nanoseconds or bytes, three significant digits.
    pub histogram: Histogram<u64>,
    /// Requests slower than any bound (timeouts): they stand above every finite value.
    pub beyond: u64,
    /// Exact sum, extremes and spread of the finite values.
    pub moments: Moments,
}

impl Distribution {
    /// All requests in the population.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.histogram.len() + self.beyond
    }

    /// The value at a rank, 1 being the least; `None` when the rank falls among the timeouts or outside.
    #[must_use]
    pub fn at_rank(&self, rank: u64) -> Option<u64> {
        let finite = self.histogram.len();
        if rank == 0 || rank > finite {
            return None;
        }
        if rank == 1 {
            return Some(self.moments.min);
        }
        if rank == finite {
            return Some(self.moments.max);
        }
        let mut seen = 0;
        for step in self.histogram.iter_recorded() {
            seen += step.count_since_last_iteration();
            if seen >= rank {
                let middle = self.histogram.median_equivalent(step.value_iterated_to());
                return Some(middle.clamp(self.moments.min, self.moments.max));
            }
        }
        None
    }

    /// Between which values the one at a rank lies, both included: the histogram knows no better. `None` where
    /// [`Self::at_rank`] is.
    #[must_use]
    pub fn bracket(&self, rank: u64) -> Option<(u64, u64)> {
        let value = self.at_rank(rank)?;
        let (least, most) = (self.moments.min, self.moments.max);
        if rank == 1 || rank == self.histogram.len() {
            return Some((value, value));
        }
        let low = self.histogram.lowest_equivalent(value).clamp(least, most);
        Some((low, self.histogram.highest_equivalent(value).clamp(least, most)))
    }

    /// The quantile `q` in (0, 1] by nearest rank ⌈q·n⌉, without interpolation; `None` when it falls among the
    /// timeouts or there is nothing.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<u64> {
        let n = self.n();
        let rank = (q * n as f64 - 1e-9).ceil().max(1.0) as u64;
        self.at_rank(rank.min(n))
    }
}

/// How the load was meant to arrive and how much of it our own process kept.
#[derive(Clone, Debug, Default)]
pub struct Generator {
    /// Requests due in the judged part; in a closed loop, requests started.
    pub scheduled: u64,
    /// Of those, requests our own process started later than the tolerance.
    pub late: u64,
    /// Requests that failed through us: no ports, no descriptors, a panic.
    pub local: u64,
    /// Requests in flight while our own process stood still.
    pub tainted: u64,
    /// The tolerance that `late` and `tainted` were counted with.
    pub tolerance: Ns,
    /// Our own lateness in starting requests and in keeping a 5 ms heartbeat, nanoseconds.
    pub lag: Option<Distribution>,
    /// How long the control group held our process back during the run; `None` where the kernel does not say.
    pub throttled: Option<Duration>,
    /// How often it did.
    pub throttled_periods: u64,
    /// Arrivals per second wanted on average over the judged part; `None` in a closed loop.
    pub rate: Option<f64>,
    /// Lanes asked for.
    pub lanes: u32,
    /// Most lanes allowed when the target holds requests.
    pub max_lanes: u32,
    /// Most lanes that were in use at once.
    pub peak_lanes: u32,
    /// Connections opened.
    pub connections: u64,
    /// Connection attempts that failed.
    pub failed_dials: u64,
    /// CPU time our own process used, user and system together.
    pub cpu: Option<Duration>,
}

/// One second of load, for charts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Second {
    /// Seconds since the judged part began; negative during warm-up.
    pub at: i64,
    /// Requests finished in it.
    pub finished: u64,
    /// Of those, successes.
    pub succeeded: u64,
    /// Median latency, nanoseconds.
    pub p50: Option<u64>,
    /// 99th percentile of latency, nanoseconds.
    pub p99: Option<u64>,
    /// Greatest latency, nanoseconds.
    pub max: Option<u64>,
}

/// What a request came to that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failing {
    /// It was answered: with a status of HTTP's that is not 200 to 399, or one of gRPC's that is not OK.
    Answer(Code),
    /// Something else went wrong.
    Fault(Fault),
}

/// A run, or a window of it, in numbers. Only the judged part counts unless a field says otherwise.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// From the judged part's start to the last answer.
    pub wall: Duration,
    /// Finished requests.
    pub finished: u64,
    /// Of those, successes.
    pub succeeded: u64,
    /// Finished requests by code; `Code::None` where no status arrived.
    pub codes: BTreeMap<Code, u64>,
    /// Finished requests by fault.
    pub faults: BTreeMap<Fault, u64>,
    /// Requests sent a second time.
    pub resent: u64,
    /// Bytes of response bodies.
    pub bytes: u64,
    /// Distributions, for the series that have any value.
    pub distributions: BTreeMap<Series, Distribution>,
    /// Service times over the lanes asked for alone, where more had to be opened: what a load generator that waits for
    /// its lanes, such as hey, would have measured.
    pub first_lanes: Option<Distribution>,
    /// What the meters counted, in the order they were given.
    pub readings: Vec<Reading>,
    /// For each meter that leaves some requests out, its own distribution of values.
    pub apart: BTreeMap<usize, Distribution>,
    /// For each meter that wants it, its counters second by second.
    pub by_second: BTreeMap<usize, Slices>,
    /// How the generator itself did.
    pub generator: Generator,
    /// Second by second, warm-up included.
    pub seconds: Vec<Second>,
    /// The results told apart, one entry for each way asked for.
    pub splits: Vec<Split>,
    /// Requests finished during the warm-up: shown, not judged.
    pub warmup_finished: u64,
    /// Requests that were answered by somebody else than the load is to judge, or by nobody that could be told: shown,
    /// not judged.
    pub elsewhere: u64,
    /// Of those, failures.
    pub elsewhere_failed: u64,
    /// How long each request that is due and unanswered has been waiting, where a load is looked at while it runs.
    pub pending: Vec<Ns>,
    /// A connection to the target was made at least once.
    pub reached: bool,
    /// The first transport failure in words, if any: address and the system's message.
    pub first_error: Option<String>,
    /// What servers said of gRPC calls that failed, warm-up included.
    pub said: Said,
    /// The engine itself failed, in words: nothing else here can be trusted.
    pub error: Option<String>,
    /// The load was stopped before its plan was done (interrupt, abort, unreachable).
    pub stopped: Option<Stopped>,
}

/// Why a load ended before its plan did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Someone asked for it.
    Interrupted,
    /// A clause marked `abort` can no longer pass; the trip's index.
    Tripped(usize),
    /// Nothing could be reached.
    Unreachable,
}

impl Summary {
    /// The share of successes; `None` without requests.
    #[must_use]
    pub fn success_ratio(&self) -> Option<f64> {
        (self.finished > 0).then(|| self.succeeded as f64 / self.finished as f64)
    }

    /// What more of the failures were than anything else, and how many; `None` without any.
    #[must_use]
    pub fn commonest_failure(&self) -> Option<(u64, Failing)> {
        let failed = |code: &Code| !matches!(code, Code::None | Code::Http(200..=399) | Code::Grpc(0));
        let answered = self.codes.iter().filter(|(code, _)| failed(code)).map(|(code, n)| (*n, Failing::Answer(*code)));
        let faults = self.faults.iter().map(|(fault, n)| (*n, Failing::Fault(*fault)));
        answered.chain(faults).max_by_key(|(n, _)| *n)
    }

    /// Finished requests per second of wall time; 0 without time.
    #[must_use]
    pub fn throughput(&self) -> f64 {
        let wall = self.wall.as_secs_f64();
        if wall > 0.0 { self.finished as f64 / wall } else { 0.0 }
    }

    /// Requests not late by our own fault ÷ scheduled; 1 without any.
    #[must_use]
    pub fn achieved(&self) -> f64 {
        let own = &self.generator;
        if own.scheduled == 0 {
            return 1.0;
        }
        own.scheduled.saturating_sub(own.late + own.local) as f64 / own.scheduled as f64
    }
}
