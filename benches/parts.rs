//! The parts that every request goes through, one by one, on a quiet core.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use tollgate::plan::{Arrivals, Rate, Schedule, Stage, Stop};
use tollgate::slo;
use tollgate::stats::{Detail, Fault, Ns, Outcome, Reading, Recorder, Sample, Series, Set, StatusSet, Test};
use tollgate::wire::Discard;
use tollgate::wire::http1::decode::Decoder;

/// An objective of two clauses, as most have.
const SLO: &str = "success>=99%, p99<500ms";

/// A request as most are: sent when due, answered 200 after about a millisecond.
fn sample(i: u64) -> Sample {
    let due = Ns(i * 50_000);
    let sent = due + Ns(20_000);
    let first = sent + Ns(900_000 + i % 1_000 * 100);
    Sample {
        class: 0,
        due,
        origin: due,
        sent,
        first,
        done: first + Ns(10_000),
        dial: None,
        outcome: Outcome::http(200),
        bytes: 3,
        resent: false,
        tainted: false,
        extra_lane: false,
        elsewhere: false,
    }
}

/// A thousand samples: every hundredth fails, so that both ways through the counters are walked.
fn samples() -> Vec<Sample> {
    let outcome = |i| if i % 100 == 7 { Outcome::fault(Fault::Timeout) } else { Outcome::http(200) };
    (0..1_000).map(|i| Sample { outcome: outcome(i), ..sample(i) }).collect()
}

/// What one clause costs for a request: one counter of each kind.
fn counters(c: &mut Criterion) {
    let samples = samples();
    let ok = StatusSet::ok();
    let mut group = c.benchmark_group("1000 samples into");
    for (name, test) in [
        ("success", Test::Share(Set::Success)),
        ("p99<500ms", Test::AtMost(Series::Latency, 500_000_000)),
        ("latency.avg", Test::Moments(Series::Latency)),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut reading = Reading::empty(test);
                for sample in &samples {
                    reading.count(test, black_box(sample), ok.accepts(sample.outcome));
                }
                reading
            });
        });
    }
    group.finish();
}

/// Deciding whether an outcome is a success.
fn statuses(c: &mut Criterion) {
    let samples = samples();
    let ok = StatusSet::ok();
    c.bench_function("1000 outcomes against 200-399", |b| {
        b.iter(|| samples.iter().filter(|sample| ok.accepts(black_box(sample.outcome))).count());
    });
    c.bench_function("the set 200-399", |b| b.iter(|| StatusSet::EMPTY.with_range(black_box(200), black_box(399))));
}

/// Everything that is counted for a request: counters, histograms, the second it belongs to.
fn recorder(c: &mut Criterion) {
    let samples = samples();
    let line = slo::parse(SLO).expect("the line is right");
    let measures = Arc::new(line.measures(StatusSet::ok(), Some(1_000)));
    let mut group = c.benchmark_group("1000 samples into a recorder of");
    for (name, detail) in [("a run", Detail::Run), ("a window", Detail::Window)] {
        let mut recorder = Recorder::new(Arc::clone(&measures), Ns::ZERO, detail);
        group.bench_function(name, |b| {
            b.iter(|| {
                for sample in &samples {
                    recorder.due(sample.due, Some(Ns(70_000)));
                    recorder.record(black_box(sample));
                }
            });
        });
    }
    group.finish();
}

/// One answer read: its head, its framing, its body.
fn decoder(c: &mut Criterion) {
    let plain = b"HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\n\
        Content-Type: text/plain\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nok\n";
    let chunked = b"HTTP/1.1 200 OK\r\nServer: nginx\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nok\n\r\n0\r\n\r\n";
    let mut group = c.benchmark_group("one answer with");
    for (name, answer) in [("a length", &plain[..]), ("chunks", &chunked[..])] {
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut decoder = Decoder::new(false);
                decoder.advance(black_box(answer), &mut Discard).expect("the answer is sound");
                assert!(decoder.is_done());
            });
        });
    }
    group.finish();
}

/// The due times of ten thousand requests.
fn schedule(c: &mut Criterion) {
    let rate = |per_second: u64| Rate { micro_per_second: per_second * 1_000_000 };
    let stage = |from, to| Stage { duration: Duration::from_secs(5), from: rate(from), to: rate(to) };
    let mut group = c.benchmark_group("10000 dues of");
    for (name, arrivals) in [
        ("a steady rate", Arrivals::Steady(rate(1_000))),
        ("a ramp", Arrivals::Stages(vec![stage(500, 1_500), stage(1_500, 500)])),
    ] {
        let stop = Stop { count: None, duration: Some(Duration::from_secs(10)) };
        let schedule = Schedule { arrivals, stop, warmup: Duration::ZERO };
        group.bench_function(name, |b| b.iter(|| black_box(&schedule).dues(0, 1).count()));
    }
    group.finish();
}

/// An objective read, and a run judged by it.
fn objective(c: &mut Criterion) {
    let line = slo::parse(SLO).expect("the line is right");
    let measures = Arc::new(line.measures(StatusSet::ok(), Some(1_000)));
    let mut recorder = Recorder::new(measures, Ns::ZERO, Detail::Run);
    samples().iter().for_each(|sample| recorder.record(sample));
    let mut summary = recorder.summary();
    summary.reached = true;
    c.bench_function("a line of two clauses read", |b| b.iter(|| slo::parse(black_box(SLO))));
    c.bench_function("a run of 1000 requests judged", |b| {
        b.iter(|| slo::judge(black_box(&line), &slo::Evidence::of(&summary)))
    });
}

criterion_group!(parts, counters, statuses, recorder, decoder, schedule, objective);
criterion_main!(parts);
