//! Counts what one worker saw of one load. Recorders merge in any order into one summary.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::newest::Newest;
use super::slices::Slices;
use super::sparse::Sparse;
use super::timeline::Timeline;
use super::values::Values;
use super::window::Window;
use super::{
    Counted, DialTimes, Distribution, Fault, Generator, Groups, Key, Measures, Membership, Ns, Outcomes, Reading, Said,
    Sample, Second, Series, Stopped, Summary, membership,
};

/// How much a recorder keeps for display. Verdicts are as exact with either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Full histograms of every series and a timeline over the whole run: one load in a terminal.
    Run,
    /// The newest ten minutes only, in little memory: one of a thousand loads in a service.
    Window,
}

/// Counters and histograms of one load on one worker.
#[derive(Clone, Debug)]
pub struct Recorder {
    measures: Arc<Measures>,
    /// Requests due earlier are warm-up.
    judged_from: Ns,
    finished: u64,
    succeeded: u64,
    outcomes: Outcomes,
    resent: u64,
    bytes: u64,
    tainted: u64,
    local: u64,
    last_done: Ns,
    warmup_finished: u64,
    /// Requests answered by somebody else, and those of them that failed.
    elsewhere: (u64, u64),
    readings: Vec<Reading>,
    apart: BTreeMap<usize, Values>,
    by_second: BTreeMap<usize, Slices>,
    scheduled: u64,
    late: u64,
    lag: Sparse,
    lag_max: u64,
    connections: u64,
    failed_dials: u64,
    keep: Keep,
}

#[derive(Clone, Debug)]
enum Keep {
    Run(Box<Run>),
    Window(Box<Newest>),
}

#[derive(Clone, Debug, Default)]
struct Run {
    values: [Option<Values>; Series::ALL.len()],
    /// Service times over the lanes asked for, and whether there were any others.
    first_lanes: Option<Values>,
    extra_lanes: bool,
    timeline: Timeline,
    /// One for each way to tell requests apart.
    splits: Vec<Groups>,
}

impl Recorder {
    /// An empty recorder. Requests due before `judged_from` are warm-up: counted apart, not judged.
    #[must_use]
    pub fn new(measures: Arc<Measures>, judged_from: Ns, detail: Detail) -> Self {
        let keep = match detail {
            Detail::Run => Keep::Run(Box::default()),
            Detail::Window => Keep::Window(Box::new(Newest::new(&measures, judged_from))),
        };
        Self {
            readings: measures.meters.iter().map(|meter| Reading::empty(meter.test)).collect(),
            measures,
            judged_from,
            finished: 0,
            succeeded: 0,
            outcomes: Outcomes::default(),
            resent: 0,
            bytes: 0,
            tainted: 0,
            local: 0,
            last_done: Ns::ZERO,
            warmup_finished: 0,
            elsewhere: (0, 0),
            apart: BTreeMap::new(),
            by_second: BTreeMap::new(),
            scheduled: 0,
            late: 0,
            lag: Sparse::default(),
            lag_max: 0,
            connections: 0,
            failed_dials: 0,
            keep,
        }
    }

    /// Counts one finished request.
    pub fn record(&mut self, sample: &Sample) {
        let success = self.measures.success.accepts(sample.outcome);
        if let Keep::Run(run) = &mut self.keep {
            let latency = match membership(Series::Latency, sample, success) {
                Membership::Value(latency) => Some(Ns(latency)),
                Membership::Beyond => Some(sample.latency()),
                Membership::Outside => None,
            };
            run.timeline.record(sample.done, success, latency);
        }
        if self.is_warmup(sample.due) {
            self.warmup_finished += 1;
            return;
        }
        if sample.elsewhere {
            self.elsewhere.0 += 1;
            self.elsewhere.1 += u64::from(!success);
            return;
        }
        self.count(sample, success);
        self.meter(sample, success);
        match &mut self.keep {
            Keep::Window(newest) => newest.record(sample, success),
            Keep::Run(run) => run.record(sample, success),
        }
    }

    /// Counts one finished request again where it belongs: one key for each way to tell requests apart, always in the
    /// same order. Kept for whole runs only.
    pub fn split(&mut self, sample: &Sample, keys: &[Key]) {
        let success = self.measures.success.accepts(sample.outcome);
        let is_warmup = self.is_warmup(sample.due);
        if let Keep::Run(run) = &mut self.keep
            && !is_warmup
        {
            run.splits.resize_with(keys.len().max(run.splits.len()), Groups::default);
            run.splits.iter_mut().zip(keys).for_each(|(groups, key)| groups.record(*key, sample, success));
        }
    }

    /// What came of the requests told apart, in the order of the keys they were given with.
    #[must_use]
    pub fn splits(&self) -> &[Groups] {
        if let Keep::Run(run) = &self.keep { &run.splits } else { &[] }
    }

    /// Counts one request that fell due, and how late our own process noticed. In a closed loop a request is due
    /// whenever its lane is free, so there is nothing to be late for: `None`.
    pub fn due(&mut self, due: Ns, lag: Option<Ns>) {
        if self.is_warmup(due) {
            return;
        }
        self.scheduled += 1;
        if let Some(lag) = lag {
            self.lag.record(lag.0);
            self.lag_max = self.lag_max.max(lag.0);
        }
        let late = lag.is_some_and(|lag| lag > self.measures.tolerance());
        self.late += u64::from(late);
        if let Keep::Window(newest) = &mut self.keep {
            newest.due(due, lag, late);
        }
    }

    /// Adds the worker's own lateness in keeping its heartbeat while this load ran.
    pub fn heartbeats(&mut self, lag: &Sparse) {
        self.lag.merge(lag);
        lag.for_each_value(|value, _| self.lag_max = self.lag_max.max(value));
    }

    /// Counts one attempt to open a connection.
    pub fn dialled(&mut self, made: bool) {
        self.connections += u64::from(made);
        self.failed_dials += u64::from(!made);
    }

    /// What the meters hold so far.
    #[must_use]
    pub fn readings(&self) -> &[Reading] {
        &self.readings
    }

    /// Finished and succeeded requests so far, warm-up included.
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        (self.finished + self.warmup_finished, self.succeeded)
    }

    /// The newest complete second before `now`, if this recorder keeps a timeline.
    #[must_use]
    pub fn newest_second(&self, now: Ns) -> Option<Second> {
        match &self.keep {
            Keep::Run(run) => run.timeline.newest(now),
            Keep::Window(_) => None,
        }
    }

    /// The newest ten minutes, if this recorder keeps them.
    #[must_use]
    pub fn window(&self) -> Option<&Window> {
        match &self.keep {
            Keep::Window(newest) => Some(&newest.window),
            Keep::Run(_) => None,
        }
    }

    /// What was counted since the load began, for sums over loads; `None` for a recorder that keeps whole runs.
    #[must_use]
    pub fn counted(&self) -> Option<Counted> {
        let Keep::Window(newest) = &self.keep else { return None };
        Some(newest.counted(&self.outcomes))
    }

    /// Adds another worker's recorder of the same load. Associative and commutative.
    pub fn merge(&mut self, other: &Self) {
        self.finished += other.finished;
        self.succeeded += other.succeeded;
        self.outcomes.merge(&other.outcomes);
        self.resent += other.resent;
        self.bytes += other.bytes;
        self.tainted += other.tainted;
        self.local += other.local;
        self.last_done = self.last_done.max(other.last_done);
        self.warmup_finished += other.warmup_finished;
        self.elsewhere.0 += other.elsewhere.0;
        self.elsewhere.1 += other.elsewhere.1;
        self.readings.iter_mut().zip(&other.readings).for_each(|(mine, theirs)| mine.merge(theirs));
        for (meter, values) in &other.apart {
            self.apart.entry(*meter).or_insert_with(Values::new).merge(values);
        }
        for (meter, slices) in &other.by_second {
            self.by_second.entry(*meter).or_default().merge(slices);
        }
        self.scheduled += other.scheduled;
        self.late += other.late;
        self.lag.merge(&other.lag);
        self.lag_max = self.lag_max.max(other.lag_max);
        self.connections += other.connections;
        self.failed_dials += other.failed_dials;
        if let (Keep::Run(mine), Keep::Run(theirs)) = (&mut self.keep, &other.keep) {
            mine.merge(theirs);
        }
    }

    /// What was recorded, as a summary. What only the engine knows (throttling, lanes, names, why it stopped) is left at its
    /// default for the engine to fill in.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let (distributions, first_lanes, seconds) = match &self.keep {
            Keep::Run(run) => (run.distributions(), run.first_lanes(), run.timeline.seconds(self.judged_from)),
            Keep::Window(_) => (BTreeMap::new(), None, Vec::new()),
        };
        Summary {
            wall: Duration::from(self.last_done.since(self.judged_from)),
            finished: self.finished,
            succeeded: self.succeeded,
            codes: self.outcomes.codes(),
            faults: self.outcomes.faults(),
            resent: self.resent,
            bytes: self.bytes,
            distributions,
            first_lanes,
            readings: self.readings.clone(),
            apart: self.apart.iter().map(|(meter, values)| (*meter, values.distribution())).collect(),
            by_second: self.by_second.clone(),
            generator: self.generator(),
            seconds,
            splits: Vec::new(),
            warmup_finished: self.warmup_finished,
            elsewhere: self.elsewhere.0,
            elsewhere_failed: self.elsewhere.1,
            pending: Vec::new(),
            reached: self.connections > 0,
            first_error: None,
            said: Said::default(),
            error: None,
            stopped: None::<Stopped>,
        }
    }

    /// The warm-up's last request is due exactly when the judged part begins.
    fn is_warmup(&self, due: Ns) -> bool {
        self.judged_from > Ns::ZERO && due <= self.judged_from
    }

    fn generator(&self) -> Generator {
        let mut lag = Values::of(&self.lag);
        lag.moments.max = self.lag_max;
        Generator {
            scheduled: self.scheduled,
            late: self.late,
            local: self.local,
            tainted: self.tainted,
            tolerance: self.measures.tolerance(),
            lag: (!self.lag.is_empty()).then(|| lag.distribution()),
            connections: self.connections,
            failed_dials: self.failed_dials,
            ..Generator::default()
        }
    }

    fn count(&mut self, sample: &Sample, success: bool) {
        self.finished += 1;
        self.succeeded += u64::from(success);
        self.outcomes.add(sample.outcome, success, 1);
        self.local += u64::from(sample.outcome.fault == Some(Fault::Local));
        self.resent += u64::from(sample.resent);
        self.tainted += u64::from(sample.tainted);
        self.bytes += sample.bytes;
        self.last_done = self.last_done.max(sample.done);
    }

    fn meter(&mut self, sample: &Sample, success: bool) {
        let since_judged = sample.due.since(self.judged_from);
        for (index, (meter, reading)) in self.measures.meters.iter().zip(&mut self.readings).enumerate() {
            if since_judged < meter.after {
                continue;
            }
            meter.count(reading, sample, success);
            if meter.is_partial() {
                let value = meter.membership(sample, success);
                if value != Membership::Outside {
                    self.apart.entry(index).or_insert_with(Values::new).record(value);
                }
            }
            // A window keeps every second anyhow.
            if meter.by_second && matches!(self.keep, Keep::Run(_)) {
                let (n, k) = meter.in_slice(sample, success);
                if n > 0 {
                    let at = sample.done.since(self.judged_from + meter.after);
                    self.by_second.entry(index).or_default().add(at, n, k);
                }
            }
        }
    }
}

impl Run {
    fn record(&mut self, sample: &Sample, success: bool) {
        let dialled = sample.dial.unwrap_or_default();
        if sample.extra_lane {
            self.extra_lanes = true;
        } else {
            let value = membership(Series::Service, sample, success);
            self.first_lanes.get_or_insert_with(Values::new).record(value);
        }
        for (slot, series) in self.values.iter_mut().zip(Series::ALL) {
            let value = membership(series, sample, success);
            let happened = match series {
                Series::Dns | Series::Tls => Series::of(series, sample).is_some_and(|v| v > 0),
                Series::Connect => dialled != DialTimes::default(),
                _ => true,
            };
            if happened && value != Membership::Outside {
                slot.get_or_insert_with(Values::new).record(value);
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.values.iter_mut().zip(&other.values) {
            if let Some(theirs) = theirs {
                mine.get_or_insert_with(Values::new).merge(theirs);
            }
        }
        if let Some(theirs) = &other.first_lanes {
            self.first_lanes.get_or_insert_with(Values::new).merge(theirs);
        }
        self.extra_lanes |= other.extra_lanes;
        self.timeline.merge(&other.timeline);
        self.splits.resize_with(self.splits.len().max(other.splits.len()), Groups::default);
        self.splits.iter_mut().zip(&other.splits).for_each(|(mine, theirs)| mine.merge(theirs));
    }

    fn first_lanes(&self) -> Option<Distribution> {
        self.first_lanes.as_ref().filter(|_| self.extra_lanes).map(Values::distribution)
    }

    fn distributions(&self) -> BTreeMap<Series, Distribution> {
        let named = Series::ALL.into_iter().zip(&self.values);
        named.filter_map(|(series, values)| Some((series, values.as_ref()?.distribution()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Code, Meter, Outcome, Set, Steps, Test};
    use proptest::prelude::*;

    fn any_sample() -> impl Strategy<Value = Sample> {
        (0u64..60_000, 0u64..5_000, 0u64..3_000, 0usize..14, any::<bool>()).prop_map(
            |(due, queue, service, kind, tainted)| {
                let outcome = match kind {
                    0..=9 if kind % 3 == 0 => Outcome::http(200).with(Fault::ALL[kind]),
                    0..=9 => Outcome::fault(Fault::ALL[kind]),
                    10 => Outcome::http(503),
                    _ => Outcome::http(200),
                };
                let origin = Ns::from_millis(due);
                let sent = Ns::from_millis(due + queue);
                let done = Ns::from_millis(due + queue + service);
                Sample {
                    class: 0,
                    due: origin,
                    origin,
                    sent,
                    first: done,
                    done,
                    dial: tainted.then_some(DialTimes { connect: Ns(service), ..DialTimes::default() }),
                    outcome,
                    bytes: service,
                    resent: false,
                    tainted,
                    extra_lane: tainted,
                    elsewhere: false,
                }
            },
        )
    }

    fn measures() -> Arc<Measures> {
        let meter = Meter::of;
        Arc::new(Measures {
            meters: vec![
                meter(Test::Share(Set::Success)),
                meter(Test::AtMost(Series::Latency, Ns::from_millis(800).0)),
                meter(Test::Moments(Series::Service)),
                Meter {
                    after: Ns::from_secs(9),
                    by_second: true,
                    ..Meter::of(Test::AtMost(Series::Latency, Ns::from_millis(800).0))
                },
            ],
            ..Measures::default()
        })
    }

    fn recorded(samples: &[Sample]) -> Recorder {
        let mut recorder = Recorder::new(measures(), Ns::from_secs(5), Detail::Run);
        samples.iter().for_each(|sample| {
            recorder.due(sample.due, Some(sample.queue()));
            recorder.record(sample);
        });
        recorder
    }

    fn shown(recorder: &Recorder) -> String {
        let mut summary = recorder.summary();
        for distribution in summary.distributions.values_mut().chain(summary.apart.values_mut()) {
            distribution.moments.sum_of_squares = distribution.moments.sum_of_squares.round();
        }
        let distributions: Vec<_> = summary
            .distributions
            .iter()
            .map(|(series, d)| {
                (*series, d.n(), d.beyond, d.moments.min, d.moments.max, d.quantile(0.5), d.quantile(0.99))
            })
            .collect();
        let readings: Vec<_> = summary
            .readings
            .iter()
            .map(|reading| match reading {
                Reading::Tally(tally) => format!("{tally:?}"),
                Reading::Moments(m) => format!("{} {} {} {} {}", m.n, m.beyond, m.sum, m.min, m.max),
            })
            .collect();
        format!(
            "{} {} {:?} {:?} {} {distributions:?} {readings:?} {:?} {} {} {}",
            summary.finished,
            summary.succeeded,
            summary.codes,
            summary.faults,
            summary.bytes,
            summary.seconds,
            summary.generator.scheduled,
            summary.generator.late,
            summary.warmup_finished,
        )
    }

    proptest! {
        #[test]
        fn recorders_merge_to_the_same_summary_in_any_order(samples in prop::collection::vec(any_sample(), 0..120), cut in 0usize..120, second_cut in 0usize..120) {
            let cut = cut.min(samples.len());
            let second_cut = cut + second_cut.min(samples.len() - cut);
            let parts = [&samples[..cut], &samples[cut..second_cut], &samples[second_cut..]].map(recorded);
            let whole = shown(&recorded(&samples));
            for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
                let mut merged = parts[order[0]].clone();
                merged.merge(&parts[order[1]]);
                merged.merge(&parts[order[2]]);
                prop_assert_eq!(&shown(&merged), &whole);
            }
            let mut right = parts[1].clone();
            right.merge(&parts[2]);
            let mut nested = parts[0].clone();
            nested.merge(&right);
            prop_assert_eq!(&shown(&nested), &whole);
        }

        #[test]
        fn the_histogram_and_the_exact_counters_tell_of_the_same_requests(samples in prop::collection::vec(any_sample(), 1..200)) {
            let summary = recorded(&samples).summary();
            let Reading::Tally(latency) = summary.readings[1] else { panic!("a bound has counters") };
            let shown = summary.distributions.get(&Series::Latency);
            prop_assert_eq!(latency.n, shown.map_or(0, Distribution::n));
            prop_assert_eq!(summary.codes.values().sum::<u64>(), summary.finished);
            let Reading::Tally(late_start) = summary.readings[3] else { panic!("a bound has counters") };
            prop_assert_eq!(late_start.n, summary.apart.get(&3).map_or(0, Distribution::n));
            prop_assert!(late_start.n <= latency.n);
        }
    }

    #[test]
    fn a_warm_up_is_counted_apart_and_judged_by_nobody() {
        let mut early = recorded(&[]);
        let mut sample = recorded_sample();
        sample.due = Ns::from_secs(4);
        early.record(&sample);
        let summary = early.summary();
        assert_eq!((summary.finished, summary.warmup_finished), (0, 1));
        assert_eq!(summary.readings[0], Reading::Tally(crate::stats::Tally::default()));
        assert_eq!(summary.seconds.iter().map(|s| s.finished).sum::<u64>(), 1, "the timeline shows it");
        assert_eq!(summary.seconds[0].at, -5);
    }

    #[test]
    fn what_is_counted_for_sums_over_loads_is_the_judged_part_and_agrees_with_the_summary() {
        let mut recorder = Recorder::new(measures(), Ns::from_secs(1), Detail::Window);
        let sample = |at: u64, outcome| Sample::of(Ns::from_secs(at), Ns::from_millis(at * 1_000 + 20), outcome);
        let timeout = Outcome::fault(Fault::Timeout);
        let cut = Outcome::http(200).with(Fault::Truncated);
        for (at, outcome) in [
            (1, Outcome::http(200)),
            (2, Outcome::http(200)),
            (3, cut),
            (4, timeout),
            (5, Outcome::http(500)),
            (6, cut),
        ] {
            recorder.due(Ns::from_secs(at), Some(Ns(300_000)));
            recorder.record(&sample(at, outcome));
        }
        recorder.record(&Sample { elsewhere: true, ..sample(7, Outcome::http(200)) });
        let (counted, summary) = (recorder.counted().unwrap(), recorder.summary());
        let expected =
            [(Outcome::http(200), true, 1), (cut, false, 2), (timeout, false, 1), (Outcome::http(500), false, 1)];
        assert_eq!(counted.outcomes.iter().collect::<Vec<_>>(), expected);
        assert_eq!(summary.codes, [(Code::None, 1), (Code::Http(200), 3), (Code::Http(500), 1)].into());
        assert_eq!(summary.faults, [(Fault::Timeout, 1), (Fault::Truncated, 2)].into());
        let full = |steps: &Steps| steps.rows().filter(|(_, n)| *n > 0).collect::<Vec<_>>();
        assert_eq!(full(&counted.latency), [(Some(25_000_000), 1), (None, 1)], "a success and a timeout");
        assert_eq!(full(&counted.lag), [(Some(500_000), 5)], "all but the warm-up's");
        assert_eq!(recorded(&[]).counted(), None);
    }

    fn recorded_sample() -> Sample {
        let at = Ns::from_millis(4_100);
        Sample::of(at, at, Outcome::http(200))
    }
}
