//! Made-up samples for tests: a simulated load against a simulated server, summed up as a recorder would.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::{Facts, Loop};
use crate::stats::{
    Code, DialTimes, Distribution, Fault, Membership, Moments, Ns, Outcome, Sample, Second, Series, StatusSet, Summary,
    membership,
};

pub(super) const SECOND: u64 = 1_000_000_000;

/// A distribution of values, and of some without end.
pub(super) fn distribution(values: impl IntoIterator<Item = u64>, beyond: u64) -> Distribution {
    let mut histogram = Histogram::<u64>::new(3).unwrap();
    let mut moments = Moments { beyond, ..Moments::default() };
    for value in values {
        histogram.record(value).unwrap();
        moments.add(value);
    }
    Distribution { histogram, beyond, moments }
}

/// What a recorder would make of these samples.
pub(super) fn summarize(samples: &[Sample], success: StatusSet) -> Summary {
    let mut summary = Summary { reached: true, finished: samples.len() as u64, ..Summary::default() };
    let mut seconds: BTreeMap<i64, (u64, u64, Vec<u64>)> = BTreeMap::new();
    for sample in samples {
        let good = success.accepts(sample.outcome);
        summary.succeeded += u64::from(good);
        summary.bytes += sample.bytes;
        summary.resent += u64::from(sample.resent);
        summary.generator.tainted += u64::from(sample.tainted);
        *summary.codes.entry(sample.outcome.code).or_default() += 1;
        if let Some(fault) = sample.outcome.fault {
            *summary.faults.entry(fault).or_default() += 1;
            summary.generator.local += u64::from(fault == Fault::Local);
        }
        summary.wall = summary.wall.max(sample.done.into());
        let second = seconds.entry((sample.done.0 / SECOND) as i64).or_default();
        second.0 += 1;
        second.1 += u64::from(good);
        second.2.extend(good.then_some(sample.latency().0));
    }
    for series in Series::ALL {
        let members: Vec<Membership> =
            samples.iter().map(|s| membership(series, s, success.accepts(s.outcome))).collect();
        let values = members.iter().filter_map(|m| if let Membership::Value(v) = m { Some(*v) } else { None });
        let beyond = members.iter().filter(|m| **m == Membership::Beyond).count() as u64;
        let distribution = distribution(values, beyond);
        if distribution.n() > 0 {
            summary.distributions.insert(series, distribution);
        }
    }
    let second = |(at, (finished, succeeded, values)): (i64, (u64, u64, Vec<u64>))| {
        let values = distribution(values, 0);
        let [p50, p99, max] = [0.5, 0.99, 1.0].map(|q| values.quantile(q));
        Second { at, finished, succeeded, p50, p99, max }
    };
    summary.seconds = seconds.into_iter().map(second).collect();
    summary
}

/// A number in [0, 1) that looks random and is always the same for the same `i`.
pub(super) fn noise(i: u64) -> f64 {
    let mut x = i.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// A service time with a body around `typical` and a tail.
fn service(i: u64, typical: u64) -> u64 {
    let spread = noise(i).powi(8).mul_add(2.5, noise(i + 7_777) * 0.5);
    (typical as f64 * (0.8 + spread)) as u64
}

/// One load against a server that takes `service(i)` once it is not frozen, and answers `outcome(i)`.
pub(super) struct Load {
    pub(super) rate: u64,
    pub(super) seconds: u64,
    pub(super) lanes: u32,
    pub(super) max_lanes: u32,
    pub(super) typical: u64,
    /// The server does nothing during the first of these nanoseconds out of every second of these.
    pub(super) freeze: Option<(u64, u64)>,
}

impl Load {
    /// Open loop: due by the clock, sent when a lane is free.
    pub(super) fn samples(&self, outcome: impl Fn(u64) -> Outcome) -> Vec<Sample> {
        let mut free = vec![0u64; self.max_lanes as usize];
        (0..self.rate * self.seconds)
            .map(|i| {
                let due = (i + 1) * SECOND / self.rate;
                let turn = |lane: usize| {
                    (lane as u64 + u64::from(self.max_lanes) - i % u64::from(self.lanes)) % u64::from(self.max_lanes)
                };
                let lane = (0..free.len()).min_by_key(|lane| (free[*lane].max(due), turn(*lane))).unwrap();
                let sample = self.sample(i, due, free[lane], outcome(i));
                free[lane] = sample.done.0;
                sample
            })
            .collect()
    }

    /// Closed loop: due when the lane's previous answer is there.
    pub(super) fn closed(&self, outcome: impl Fn(u64) -> Outcome) -> Vec<Sample> {
        let mut free = vec![0u64; self.lanes as usize];
        let next = |i| {
            let lane = (0..free.len()).min_by_key(|lane| free[*lane]).unwrap();
            let sample = self.sample(i, free[lane], free[lane], outcome(i));
            free[lane] = sample.done.0;
            Some(sample).filter(|sample| sample.due.0 < self.seconds * SECOND)
        };
        (0..).map_while(next).collect()
    }

    /// Request `i`, on a lane that is free (and connected) from `free` on, or not connected yet where that is 0.
    fn sample(&self, i: u64, due: u64, free: u64, outcome: Outcome) -> Sample {
        let connect = Ns(150_000 + (noise(i) * 90_000.0) as u64);
        let dial = (free == 0).then_some(DialTimes { connect, ..DialTimes::default() });
        let sent = due.max(free) + dial.unwrap_or_default().total().0;
        let awake = match self.freeze {
            Some((frozen, period)) if sent % period < frozen => sent - sent % period + frozen,
            _ => sent,
        };
        let took = if outcome.fault == Some(Fault::Timeout) { 2 * SECOND } else { service(i, self.typical) };
        let done = awake + took;
        Sample {
            sent: Ns(sent),
            first: Ns(done - took / 10),
            dial,
            bytes: if outcome.code == Code::None { 0 } else { 240 },
            ..Sample::of(Ns(due), Ns(done), outcome)
        }
    }

    pub(super) fn facts(&self) -> Facts {
        Facts {
            url: "http://127.0.0.1:9898/".to_owned(),
            urls: vec![("http://127.0.0.1:9898/".to_owned(), 1)],
            method: "GET".to_owned(),
            primary: None,
            protocol: "http1",
            protocol_title: "HTTP/1.1",
            arrivals: Loop::Open,
            lanes: self.lanes,
            max_lanes: self.max_lanes,
            rate: Some(self.rate as f64),
            stages: 1,
            duration: Some(Duration::from_secs(self.seconds)),
            requests: None,
            warmup: Duration::ZERO,
            timeout: Some(Duration::from_secs(20)),
            redirects: 0,
            seed: None,
            slo: Some("success>=99%, p99<500ms".to_owned()),
            started: "2025-01-07T09:30:00Z".to_owned(),
            version: "0.1.0".to_owned(),
            exit_code: 0,
        }
    }

    pub(super) fn summary(&self, samples: &[Sample]) -> Summary {
        let mut summary = summarize(samples, StatusSet::ok());
        let own = &mut summary.generator;
        own.scheduled = self.rate * self.seconds;
        own.tolerance = Ns::from_millis(50);
        own.lag = Some(distribution((0..2_000).map(|i| 30_000 + (noise(i) * 90_000.0) as u64), 0));
        own.throttled = Some(Duration::ZERO);
        own.rate = Some(self.rate as f64);
        own.lanes = self.lanes;
        own.max_lanes = self.max_lanes;
        let used = samples.iter().filter(|s| s.dial.is_some()).count();
        own.peak_lanes = used as u32;
        own.connections = used as u64;
        own.cpu = Some(Duration::from_millis(12 * self.seconds));
        summary
    }
}
