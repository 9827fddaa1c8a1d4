//! Requests, and what a recorder would have made of them.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::super::rule::{AtMostBad, Rule};
use super::super::*;
use crate::stats::{
    Distribution, Fault, Generator, Membership, Moments, Ns, Outcome, Reading, Sample, Series, Slices, Summary,
    membership,
};

/// What decides a line of one share.
pub(in crate::slo) fn share_rule(text: &str) -> AtMostBad {
    let line = parse(text).unwrap();
    match compile::compile(&line)[0].rule {
        Rule::Share(rule) => rule,
        other => panic!("{text}: {other:?}"),
    }
}

/// A request answered (or not) after `latency_ms`, `service_ms` of it after it was sent.
pub(super) fn request(outcome: Outcome, latency_ms: f64, service_ms: f64) -> Sample {
    let ns = |ms: f64| Ns((ms * 1e6).round() as u64);
    let done = ns(latency_ms);
    let sent = ns(latency_ms - service_ms);
    Sample { sent, bytes: 1000, ..Sample::of(Ns::ZERO, done, outcome) }
}

pub(super) fn answered(status: u16, ms: f64) -> Sample {
    request(Outcome::http(status), ms, ms)
}

pub(super) fn failed(fault: Fault) -> Sample {
    request(Outcome::fault(fault), 1000.0, 1000.0)
}

pub(super) fn tainted(sample: Sample) -> Sample {
    Sample { tainted: true, ..sample }
}

pub(super) fn times(n: usize, sample: Sample) -> Vec<Sample> {
    vec![sample; n]
}

pub(super) fn distribution(series: Series, samples: &[Sample]) -> Distribution {
    of_values(samples.iter().map(|sample| membership(series, sample, StatusSet::ok().accepts(sample.outcome))))
}

fn of_values(values: impl Iterator<Item = Membership>) -> Distribution {
    let mut histogram = Histogram::new(3).unwrap();
    let (mut moments, mut beyond) = (Moments::default(), 0);
    for value in values {
        match value {
            Membership::Value(value) => {
                histogram.record(value).unwrap();
                moments.add(value);
            }
            Membership::Beyond => beyond += 1,
            Membership::Outside => {}
        }
    }
    Distribution { histogram, beyond, moments }
}

/// What a recorder would have made of the samples.
pub(super) fn summary(line: &Line, samples: &[Sample]) -> Summary {
    let measures = line.measures(StatusSet::ok(), None);
    let mut summary = Summary {
        wall: Duration::from_secs(10),
        finished: samples.len() as u64,
        reached: samples.iter().any(|s| s.outcome.fault != Some(Fault::Refused)),
        generator: Generator { scheduled: samples.len() as u64, max_lanes: 64, lanes: 2, ..Generator::default() },
        readings: measures.meters.iter().map(|meter| Reading::empty(meter.test)).collect(),
        ..Summary::default()
    };
    for sample in samples {
        let success = StatusSet::ok().accepts(sample.outcome);
        summary.succeeded += u64::from(success);
        *summary.codes.entry(sample.outcome.code).or_default() += 1;
        if let Some(fault) = sample.outcome.fault {
            *summary.faults.entry(fault).or_default() += 1;
            summary.generator.local += u64::from(fault == Fault::Local);
        }
        for (meter, reading) in measures.meters.iter().zip(&mut summary.readings) {
            if sample.due >= meter.after {
                meter.count(reading, sample, success);
            }
        }
    }
    for (index, meter) in measures.meters.iter().enumerate() {
        if meter.only != crate::stats::Only::default() {
            let value = |sample: &Sample| meter.membership(sample, StatusSet::ok().accepts(sample.outcome));
            summary.apart.insert(index, of_values(samples.iter().map(value)));
        }
        if meter.by_second {
            let mut slices = Slices::default();
            for sample in samples {
                let (n, k) = meter.in_slice(sample, StatusSet::ok().accepts(sample.outcome));
                slices.add(sample.done, n, k);
            }
            summary.by_second.insert(index, slices);
        }
    }
    for series in Series::ALL {
        let distribution = distribution(series, samples);
        if distribution.n() > 0 {
            summary.distributions.insert(series, distribution);
        }
    }
    summary
}

pub(super) fn verdict_on(text: &str, samples: &[Sample], change: impl FnOnce(&mut Summary)) -> Verdict {
    let line = parse(text).unwrap();
    let mut summary = summary(&line, samples);
    change(&mut summary);
    judge(&line, &Evidence::of(&summary))
}

pub(super) fn verdict(text: &str, samples: &[Sample]) -> Verdict {
    verdict_on(text, samples, |_| {})
}

pub(super) fn decision(text: &str, samples: &[Sample]) -> Decision {
    verdict(text, samples).decision
}
