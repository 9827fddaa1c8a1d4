//! The parts that every request goes through, one by one, on a quiet core.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tollgate::stats::{Fault, Ns, Outcome, Reading, Sample, Series, Set, StatusSet, Test};

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

criterion_group!(parts, counters, statuses);
criterion_main!(parts);
