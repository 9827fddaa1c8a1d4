//! Requests one by one, for reports that show each: hey's summary and its CSV.
//!
//! A million rows are kept, as in hey; what is counted and averaged over all goes on beyond that.

use std::collections::BTreeMap;

use super::{Code, Fault, Ns, Sample};

/// Where one request's time went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// All of it: from when its lane took it up, connection included, to the last byte.
    Whole,
    /// Opening the connection, name and TLS included.
    Connect,
    /// Of that, resolving the name.
    Resolve,
    /// Between the connection and the first byte of the request.
    Write,
    /// From there to the first byte of the answer.
    Wait,
    /// From there to the last.
    Read,
}

impl Phase {
    /// All phases, in the order hey lists them.
    pub const ALL: [Self; 6] = [Self::Whole, Self::Connect, Self::Resolve, Self::Write, Self::Wait, Self::Read];
}

/// One request that was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// When its lane took it up, since the load's start.
    pub start: Ns,
    /// How long each phase took, in the order of [`Phase::ALL`].
    pub phases: [Ns; Phase::ALL.len()],
    /// What the server said.
    pub code: Code,
}

impl Row {
    fn of(sample: &Sample) -> Self {
        let dial = sample.dial.unwrap_or_default();
        let phases = [
            sample.latency(),
            dial.waited,
            dial.dns.min(dial.waited),
            sample.queue(),
            sample.ttfb(),
            sample.done.since(sample.first),
        ];
        Self { start: sample.origin, phases, code: sample.outcome.code }
    }

    /// How long a phase took.
    #[must_use]
    pub fn phase(&self, phase: Phase) -> Ns {
        self.phases[phase as usize]
    }
}

/// Sum and extremes of one phase over all answered requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// How many requests.
    pub n: u64,
    /// The sum, in nanoseconds.
    pub sum: u128,
    /// The shortest; zero without any.
    pub min: Ns,
    /// The longest; zero without any.
    pub max: Ns,
}

impl Spread {
    fn add(&mut self, value: Ns) {
        self.merge(&Self { n: 1, sum: value.0.into(), min: value, max: value });
    }

    fn merge(&mut self, other: &Self) {
        if self.n == 0 || other.n == 0 {
            let some = if self.n == 0 { *other } else { *self };
            *self = some;
            return;
        }
        self.n += other.n;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// The mean in seconds; not a number without any.
    #[must_use]
    pub fn mean_seconds(&self) -> f64 {
        self.sum as f64 / self.n as f64 / 1e9
    }
}

/// Requests one by one, up to a number of them, and sums over all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    most: usize,
    rows: Vec<Row>,
    spreads: [Spread; Phase::ALL.len()],
    codes: BTreeMap<Code, u64>,
    faults: BTreeMap<(Fault, bool), u64>,
    bytes: u64,
}

impl Log {
    /// An empty log that keeps at most `most` rows.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            most,
            rows: Vec::new(),
            spreads: [Spread::default(); Phase::ALL.len()],
            codes: BTreeMap::new(),
            faults: BTreeMap::new(),
            bytes: 0,
        }
    }

    /// Notes one finished request. One that ended in a fault has no row: it is counted.
    pub fn record(&mut self, sample: &Sample) {
        if let Some(fault) = sample.outcome.fault {
            let in_body = sample.outcome.code != Code::None;
            *self.faults.entry((fault, in_body)).or_default() += 1;
            return;
        }
        let row = Row::of(sample);
        self.spreads.iter_mut().zip(row.phases).for_each(|(spread, took)| spread.add(took));
        *self.codes.entry(row.code).or_default() += 1;
        self.bytes += sample.bytes;
        if self.rows.len() < self.most {
            self.rows.push(row);
        }
    }

    /// Adds another worker's log of the same load; of the rows, those answered first are kept.
    pub fn merge(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.rows.sort_by_key(|row| row.start + row.phase(Phase::Whole));
        self.rows.truncate(self.most);
        self.spreads.iter_mut().zip(&other.spreads).for_each(|(mine, theirs)| mine.merge(theirs));
        other.codes.into_iter().for_each(|(code, n)| *self.codes.entry(code).or_default() += n);
        other.faults.into_iter().for_each(|(fault, n)| *self.faults.entry(fault).or_default() += n);
        self.bytes += other.bytes;
    }

    /// The rows that were kept, the first answered first.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// How many answered requests have no row.
    #[must_use]
    pub fn without_row(&self) -> u64 {
        self.answered() - self.rows.len() as u64
    }

    /// Answered requests.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.spreads[0].n
    }

    /// All requests, answered or not.
    #[must_use]
    pub fn finished(&self) -> u64 {
        self.answered() + self.faults.values().sum::<u64>()
    }

    /// Sum and extremes of a phase.
    #[must_use]
    pub fn spread(&self, phase: Phase) -> Spread {
        self.spreads[phase as usize]
    }

    /// Answered requests by code.
    #[must_use]
    pub fn codes(&self) -> &BTreeMap<Code, u64> {
        &self.codes
    }

    /// The others by fault, and by whether a status had arrived.
    #[must_use]
    pub fn faults(&self) -> &BTreeMap<(Fault, bool), u64> {
        &self.faults
    }

    /// Bytes of the answers' bodies.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{DialTimes, Outcome};

    fn ms(n: u64) -> Ns {
        Ns::from_millis(n)
    }

    /// A request taken up at `at` on a new connection that took 3 ms, sent 1 ms later, answered after 20 and read in 5.
    fn sample(at: u64, outcome: Outcome) -> Sample {
        Sample {
            sent: ms(at + 4),
            first: ms(at + 24),
            dial: Some(DialTimes { dns: ms(1), connect: ms(2), tls: Ns::ZERO, waited: ms(3) }),
            bytes: 100,
            ..Sample::of(ms(at), ms(at + 29), outcome)
        }
    }

    #[test]
    fn the_phases_of_a_request_come_to_the_whole() {
        let mut log = Log::new(10);
        log.record(&sample(7, Outcome::http(200)));
        let row = log.rows()[0];
        assert_eq!(row.phases, [ms(29), ms(3), ms(1), ms(1), ms(20), ms(5)]);
        assert_eq!((row.start, row.code), (ms(7), Code::Http(200)));
        let parts = [Phase::Connect, Phase::Write, Phase::Wait, Phase::Read].map(|phase| row.phase(phase).0);
        assert_eq!(parts.iter().sum::<u64>(), row.phase(Phase::Whole).0);

        log.record(&Sample { dial: None, sent: ms(9), ..sample(9, Outcome::http(500)) });
        assert_eq!(log.rows()[1].phases, [ms(29), Ns::ZERO, Ns::ZERO, Ns::ZERO, ms(24), ms(5)], "on a used connection");
        assert_eq!(log.spread(Phase::Connect), Spread { n: 2, sum: 3_000_000, min: Ns::ZERO, max: ms(3) });
    }

    #[test]
    fn what_ended_in_a_fault_is_counted_and_has_no_row() {
        let mut log = Log::new(10);
        log.record(&sample(0, Outcome::http(200)));
        log.record(&sample(1, Outcome::http(200).with(Fault::Truncated)));
        log.record(&sample(2, Outcome::fault(Fault::Reset)));
        log.record(&sample(3, Outcome::fault(Fault::Reset)));
        assert_eq!((log.answered(), log.finished(), log.rows().len(), log.bytes()), (1, 4, 1, 100));
        assert_eq!(log.codes(), &BTreeMap::from([(Code::Http(200), 1)]));
        assert_eq!(log.faults(), &BTreeMap::from([((Fault::Reset, false), 2), ((Fault::Truncated, true), 1)]));
    }

    #[test]
    fn beyond_its_rows_a_log_goes_on_counting() {
        let (mut one, mut other) = (Log::new(3), Log::new(3));
        for at in 0..5 {
            one.record(&sample(10 * at, Outcome::http(200)));
            other.record(&sample(10 * at + 5, Outcome::http(204)));
        }
        assert_eq!((one.rows().len(), one.without_row(), one.answered()), (3, 2, 5));
        one.merge(other);
        assert_eq!(one.rows().iter().map(|row| row.start).collect::<Vec<_>>(), [ms(0), ms(5), ms(10)], "the first");
        assert_eq!((one.without_row(), one.answered(), one.bytes()), (7, 10, 1_000));
        assert_eq!(one.codes(), &BTreeMap::from([(Code::Http(200), 5), (Code::Http(204), 5)]));
        let whole = one.spread(Phase::Whole);
        assert_eq!((whole.n, whole.min, whole.max), (10, ms(29), ms(29)));
        assert!((whole.mean_seconds() - 0.029).abs() < 1e-12);
    }

    #[test]
    fn an_empty_log_changes_nothing_and_has_no_mean() {
        let mut log = Log::new(2);
        log.record(&sample(0, Outcome::http(200)));
        let before = log.clone();
        log.merge(Log::new(2));
        assert_eq!(log, before);
        let mut empty = Log::new(2);
        assert!(empty.spread(Phase::Whole).mean_seconds().is_nan());
        empty.merge(before.clone());
        assert_eq!(empty, before);
    }
}
