//! Putting what two stretches of load amount to together: the end of one load and the beginning of the next, as one.

use std::collections::btree_map::Entry;

use super::{Distribution, Generator, Reading, Summary};

impl Summary {
    /// This stretch and a later one by the same meters, as one: counters add up, and what describes a load as a whole is
    /// the later one's, unless that is empty. Seconds for charts follow each other.
    #[must_use]
    pub fn followed_by(mut self, later: Self) -> Self {
        if self.readings.is_empty() {
            self.readings = later.readings;
        } else {
            self.readings
                .iter_mut()
                .zip(&later.readings)
                .for_each(|(mine, theirs): (&mut Reading, _)| mine.merge(theirs));
        }
        self.wall += later.wall;
        self.finished += later.finished;
        self.succeeded += later.succeeded;
        self.resent += later.resent;
        self.bytes += later.bytes;
        self.warmup_finished += later.warmup_finished;
        later.codes.into_iter().for_each(|(code, n)| *self.codes.entry(code).or_default() += n);
        later.faults.into_iter().for_each(|(fault, n)| *self.faults.entry(fault).or_default() += n);
        for (series, values) in later.distributions {
            join(self.distributions.entry(series).or_insert_with(|| values.emptied()), &values);
        }
        self.first_lanes = match (self.first_lanes, later.first_lanes) {
            (Some(mut mine), Some(theirs)) => {
                join(&mut mine, &theirs);
                Some(mine)
            }
            (mine, theirs) => mine.or(theirs),
        };
        for (meter, values) in later.apart {
            join(self.apart.entry(meter).or_insert_with(|| values.emptied()), &values);
        }
        for (meter, slices) in later.by_second {
            match self.by_second.entry(meter) {
                Entry::Vacant(place) => drop(place.insert(slices)),
                Entry::Occupied(mut mine) => mine.get_mut().follow(&slices),
            }
        }
        let after = self.seconds.last().map_or(0, |last| last.at + 1);
        self.seconds.extend(later.seconds.into_iter().map(|mut second| {
            second.at += after;
            second
        }));
        self.generator = self.generator.followed_by(later.generator);
        self.pending.extend(later.pending);
        self.reached |= later.reached;
        self.first_error = self.first_error.or(later.first_error);
        self.said.merge(&later.said);
        self.error = self.error.or(later.error);
        self.stopped = later.stopped;
        self
    }
}

impl Generator {
    fn followed_by(mut self, later: Self) -> Self {
        self.scheduled += later.scheduled;
        self.late += later.late;
        self.local += later.local;
        self.tainted += later.tainted;
        self.tolerance = self.tolerance.max(later.tolerance);
        self.lag = match (self.lag, later.lag) {
            (Some(mut mine), Some(theirs)) => {
                join(&mut mine, &theirs);
                Some(mine)
            }
            (mine, theirs) => mine.or(theirs),
        };
        self.throttled = self.throttled.zip(later.throttled).map(|(mine, theirs)| mine + theirs).or(later.throttled);
        self.throttled_periods += later.throttled_periods;
        self.rate = later.rate.or(self.rate);
        self.lanes = later.lanes;
        self.max_lanes = later.max_lanes;
        self.peak_lanes = self.peak_lanes.max(later.peak_lanes);
        self.connections += later.connections;
        self.failed_dials += later.failed_dials;
        self.cpu = self.cpu.zip(later.cpu).map(|(mine, theirs)| mine + theirs).or(later.cpu);
        self
    }
}

impl Distribution {
    /// The same shape without values.
    #[must_use]
    pub fn emptied(&self) -> Self {
        let histogram = hdrhistogram::Histogram::new_from(&self.histogram);
        Self { histogram, beyond: 0, moments: super::Moments::default() }
    }
}

fn join(mine: &mut Distribution, theirs: &Distribution) {
    mine.histogram.auto(true);
    mine.histogram.add(&theirs.histogram).expect("a resizing histogram takes every value");
    mine.beyond += theirs.beyond;
    mine.moments.merge(&theirs.moments);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::stats::{Code, Detail, Fault, Measures, Ns, Outcome, Recorder, Sample, Series, Slices};

    fn stretch(outcomes: &[(Outcome, u64)]) -> Summary {
        let mut recorder = Recorder::new(Arc::new(Measures::default()), Ns::ZERO, Detail::Run);
        for (i, (outcome, ms)) in outcomes.iter().enumerate() {
            let sent = Ns::from_millis(10 * i as u64);
            let done = sent + Ns::from_millis(*ms);
            recorder.due(sent, Some(Ns::ZERO));
            recorder.record(&Sample { bytes: 5, ..Sample::of(sent, done, *outcome) });
        }
        Summary { reached: !outcomes.is_empty(), ..recorder.summary() }
    }

    #[test]
    fn two_stretches_amount_to_what_they_hold_together() {
        let ok = Outcome::http(200);
        let (first, second) = (stretch(&[(ok, 3), (ok, 5)]), stretch(&[(ok, 40), (Outcome::fault(Fault::Reset), 1)]));
        let both = first.clone().followed_by(second.clone());
        assert_eq!((both.finished, both.succeeded, both.bytes), (4, 3, 20));
        assert_eq!(both.codes[&Code::Http(200)], 3);
        assert_eq!(both.faults[&Fault::Reset], 1);
        assert_eq!(both.generator.scheduled, 4);
        assert_eq!(both.wall, first.wall + second.wall);
        let latency = &both.distributions[&Series::Latency];
        assert_eq!((latency.n(), latency.moments.min, latency.moments.max), (3, 3_000_000, 40_000_000));
        let slices = |rows: &[(u64, u64)]| [(0, Slices::by_second(rows.to_vec()))].into();
        let (early, late) = (slices(&[(5, 4), (6, 6)]), slices(&[(7, 7)]));
        let early = Summary { by_second: early, ..Summary::default() };
        let late = Summary { by_second: late, ..Summary::default() };
        assert_eq!(early.followed_by(late).by_second[&0].rows(), [(5, 4), (6, 6), (7, 7)]);
        assert_eq!(both.seconds.iter().map(|second| second.at).collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn nothing_before_or_after_changes_nothing() {
        let ok = Outcome::http(200);
        let some = stretch(&[(ok, 3), (ok, 5)]);
        for both in [some.clone().followed_by(Summary::default()), Summary::default().followed_by(some.clone())] {
            assert_eq!((both.finished, both.succeeded, both.wall), (2, 2, some.wall));
            assert!(both.reached && both.wall > Duration::ZERO);
            assert_eq!(both.distributions[&Series::Latency].n(), 2);
        }
    }
}
