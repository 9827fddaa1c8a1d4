//! What can become of a run, for tests: summaries of simulated loads, and the verdicts beside them.

use std::sync::LazyLock;
use std::time::Duration;

use super::sampled::{Load, SECOND, distribution, noise};
use super::{Facts, Loop, Report};
use crate::slo::{Decision, Finding, Value, Verdict};
use crate::stats::{
    Code, Distribution, Fault, Groups, Key, Ns, Outcome, Part, Sample, Series, Split, Stopped, Summary,
};

const MS: u64 = 1_000_000;

/// One situation: everything a report needs.
#[derive(Clone)]
pub(super) struct Situation {
    pub(super) name: &'static str,
    pub(super) facts: Facts,
    pub(super) summary: Summary,
    pub(super) primary: Option<Summary>,
    pub(super) verdict: Option<Verdict>,
}

impl Situation {
    pub(super) fn report(&self) -> Report<'_> {
        let Self { facts, summary, primary, verdict, .. } = self;
        Report { facts, summary, primary: primary.as_ref(), verdict: verdict.as_ref() }
    }
}

/// Twenty requests a second for ten seconds: the first thing anybody tries.
const FIRST: Load = Load { rate: 20, seconds: 10, lanes: 2, max_lanes: 64, typical: 2_300_000, freeze: None };

fn finding(clause: &str, metric: &str, decision: Decision, value: Option<Value>, bound: Value, n: u64) -> Finding {
    Finding {
        clause: clause.to_owned(),
        metric: metric.to_owned(),
        decision,
        advisory: false,
        value,
        comparison: if clause.contains(">=") { ">=" } else { "<" },
        bound,
        reference: None,
        interval: None,
        widened: 1.0,
        n,
        least_n: 100,
        thin: false,
        note: None,
    }
}

fn ms(ms: f64) -> Value {
    Value::Time(ms * 1e6)
}

/// A verdict that tells each finding in turn, or says `reason`.
fn verdict(decision: Decision, reason: &str, findings: Vec<Finding>) -> Option<Verdict> {
    let told = |finding: &Finding| {
        let value = finding.value.as_ref().map_or_else(|| "not measured".to_owned(), |v| v.among(finding.n));
        format!("{} was {value} (n={})", finding.clause, finding.n)
    };
    let reason = match reason {
        "" => findings.iter().map(told).collect::<Vec<_>>().join("; "),
        reason => reason.to_owned(),
    };
    Some(Verdict { decision, reason, findings, advice: Vec::new() })
}

/// A success and a p99 clause, measured on `summary`.
fn usual(summary: &Summary, success: Decision, p99: Decision) -> Vec<Finding> {
    let latency = summary.distributions.get(&Series::Latency);
    let quantile = |q: f64| latency.and_then(|d| d.quantile(q)).map_or(Value::Beyond, |ns| Value::Time(ns as f64));
    let share = summary.success_ratio();
    vec![
        Finding {
            interval: share.map(|p| (Value::Ratio((p - 0.011).max(0.0)), Value::Ratio((p + 0.006).min(1.0)))),
            thin: share.is_some_and(|p| (0.984..0.996).contains(&p)),
            ..finding("success>=99%", "success", success, share.map(Value::Ratio), Value::Ratio(0.99), summary.finished)
        },
        Finding {
            interval: latency.map(|_| (quantile(0.975), quantile(1.0))),
            ..finding(
                "p99<500ms",
                "latency.p99",
                p99,
                latency.map(|_| quantile(0.99)),
                ms(500.0),
                latency.map_or(0, Distribution::n),
            )
        },
    ]
}

/// Everything as it should be.
pub(super) fn healthy() -> Situation {
    let summary = FIRST.summary(&FIRST.samples(|_| Outcome::http(200)));
    let findings = usual(&summary, Decision::Pass, Decision::Pass);
    Situation {
        name: "healthy",
        facts: FIRST.facts(),
        summary,
        primary: None,
        verdict: verdict(Decision::Pass, "", findings),
    }
}

/// The same load on a good release in service and on one that fails more often.
pub(super) fn beside() -> Situation {
    let primary = FIRST.summary(&FIRST.samples(|_| Outcome::http(200)));
    let summary = FIRST.summary(&FIRST.samples(|i| Outcome::http(if i % 20 == 7 { 503 } else { 200 })));
    let share = Some(Value::Ratio(0.05));
    let mut worse = finding("errors<=primary+0.5pp", "errors", Decision::Fail, share, Value::Ratio(0.005), 200);
    worse.reference = Some(Value::Ratio(0.0));
    let facts = Facts { exit_code: 1, primary: Some("http://podinfo-primary.test/".to_owned()), ..FIRST.facts() };
    let verdict = verdict(Decision::Fail, "", vec![worse]);
    Situation { name: "beside", facts, summary, primary: Some(primary), verdict }
}

/// A server that freezes one second in five; few lanes, so that most held requests wait unsent.
pub(super) fn stall() -> Situation {
    let load =
        Load { rate: 200, seconds: 20, max_lanes: 8, typical: 900_000, freeze: Some((SECOND, 5 * SECOND)), ..FIRST };
    let summary = load.summary(&load.samples(|_| Outcome::http(200)));
    let findings = usual(&summary, Decision::Pass, Decision::Fail);
    let facts = Facts { exit_code: 1, ..load.facts() };
    Situation { name: "stall", facts, summary, primary: None, verdict: verdict(Decision::Fail, "", findings) }
}

/// One answer in fifty is a 503.
pub(super) fn errors() -> Situation {
    let load = Load { rate: 20, seconds: 60, ..FIRST };
    let samples = load.samples(|i| Outcome::http(if i % 50 == 17 { 503 } else { 200 }));
    let summary = load.summary(&samples);
    let findings = usual(&summary, Decision::Fail, Decision::Pass);
    let facts = Facts { exit_code: 1, ..load.facts() };
    Situation { name: "errors", facts, summary, primary: None, verdict: verdict(Decision::Fail, "", findings) }
}

/// Nothing listens.
pub(super) fn unreachable() -> Situation {
    let samples: Vec<Sample> = FIRST.samples(|_| Outcome::fault(Fault::Refused)).into_iter().take(40).collect();
    let mut summary = FIRST.summary(&samples);
    summary.distributions.clear();
    summary.reached = false;
    summary.stopped = Some(Stopped::Unreachable);
    summary.first_error = Some("127.0.0.1:9898: Connection refused (os error 111)".to_owned());
    summary.generator.connections = 0;
    summary.generator.failed_dials = 40;
    let findings = usual(&summary, Decision::Unreachable, Decision::Unreachable);
    let reason = "nothing accepted a connection at 127.0.0.1:9898: Connection refused (os error 111)";
    let facts = Facts { exit_code: 1, ..FIRST.facts() };
    Situation {
        name: "unreachable",
        facts,
        summary,
        primary: None,
        verdict: verdict(Decision::Unreachable, reason, findings),
    }
}

/// Our own process was held back by its CPU quota.
pub(super) fn saturated() -> Situation {
    let load = Load { rate: 2_000, seconds: 10, lanes: 50, max_lanes: 200, typical: 3_000_000, freeze: None };
    let mut samples = load.samples(|_| Outcome::http(200));
    for sample in samples.iter_mut().filter(|s| s.sent.0 % (100 * MS) > 60 * MS) {
        let wake = sample.sent.0 - sample.sent.0 % (100 * MS) + 100 * MS;
        sample.done = Ns(sample.done.0.max(wake));
        sample.tainted = true;
    }
    let mut summary = load.summary(&samples);
    summary.generator.late = 812;
    summary.generator.throttled = Some(Duration::from_millis(3_900));
    summary.generator.throttled_periods = 97;
    summary.generator.lag = Some(distribution((0..2_000).map(|i| (noise(i).powi(3) * 41e6) as u64), 0));
    summary.generator.cpu = Some(Duration::from_millis(6_050));
    let mut findings = usual(&summary, Decision::Pass, Decision::Saturated);
    findings[1].note = Some("holds on the 59% of requests that were not disturbed".to_owned());
    let reason = "39.5% of requests were in flight while tollgate stood still (CPU throttled 3.9s of 10s)";
    let facts = Facts { exit_code: 4, ..load.facts() };
    Situation {
        name: "saturated",
        facts,
        summary,
        primary: None,
        verdict: verdict(Decision::Saturated, reason, findings),
    }
}

/// Too few requests for the clause.
pub(super) fn insufficient() -> Situation {
    let load = Load { rate: 5, seconds: 6, ..FIRST };
    let summary = load.summary(&load.samples(|_| Outcome::http(200)));
    let mut findings = usual(&summary, Decision::Insufficient, Decision::Insufficient);
    findings.push(Finding {
        advisory: true,
        least_n: 1,
        interval: None,
        ..finding("max<5ms warn", "latency.max", Decision::Fail, Some(ms(7.31)), ms(5.0), 30)
    });
    let reason = "success>=99% needs 100 requests, has 30 (0 failed so far); p99<500ms needs 100, has 30";
    let facts = Facts { exit_code: 3, slo: Some("success>=99%, p99<500ms, max<5ms warn".to_owned()), ..load.facts() };
    Situation {
        name: "insufficient",
        facts,
        summary,
        primary: None,
        verdict: verdict(Decision::Insufficient, reason, findings),
    }
}

/// A closed loop without an objective, after a warm-up.
pub(super) fn no_objective() -> Situation {
    let load = Load { rate: 0, seconds: 5, lanes: 50, max_lanes: 50, typical: 5_000_000, freeze: None };
    let samples = load.closed(|_| Outcome::http(200));
    let mut summary = load.summary(&samples);
    summary.generator.scheduled = samples.len() as u64;
    summary.generator.rate = None;
    summary.generator.cpu = Some(Duration::from_millis(410));
    summary.warmup_finished = 13_904;
    let facts = Facts {
        arrivals: Loop::Closed,
        rate: None,
        stages: 0,
        slo: None,
        warmup: Duration::from_secs(2),
        ..load.facts()
    };
    Situation { name: "no_objective", facts, summary, primary: None, verdict: None }
}

/// Everything that can go wrong, a little of each.
pub(super) fn mixed() -> Situation {
    let load = Load { rate: 40, seconds: 30, ..FIRST };
    let samples = load.samples(|i| match i {
        300..=330 => Outcome::http(503),
        _ => match i % 100 {
            11 => Outcome::http(200).with(Fault::Truncated),
            31 => Outcome::fault(Fault::Reset),
            53 if i > 600 => Outcome::fault(Fault::Timeout),
            71 => Outcome::http(500).with(Fault::Truncated),
            83 => Outcome::http(404),
            97 if i < 300 => Outcome::fault(Fault::Malformed),
            _ => Outcome::http(200),
        },
    });
    let mut summary = load.summary(&samples);
    summary.first_error = Some("127.0.0.1:9898: the body ended after 112 of 240 bytes".to_owned());
    summary.resent = 19;
    summary.generator.connections = 61;
    summary.generator.failed_dials = 2;
    let findings = usual(&summary, Decision::Fail, Decision::Pass);
    let facts = Facts { exit_code: 1, timeout: Some(Duration::from_secs(2)), ..load.facts() };
    Situation { name: "mixed", facts, summary, primary: None, verdict: verdict(Decision::Fail, "", findings) }
}

/// Ctrl-C after three of ten seconds.
pub(super) fn interrupted() -> Situation {
    let samples: Vec<Sample> = FIRST.samples(|_| Outcome::http(200)).into_iter().take(64).collect();
    let mut summary = FIRST.summary(&samples);
    summary.generator.scheduled = 64;
    summary.stopped = Some(Stopped::Interrupted);
    let facts = Facts { exit_code: 130, ..FIRST.facts() };
    Situation { name: "interrupted", facts, summary, primary: None, verdict: None }
}

/// Not one request was answered in time.
pub(super) fn hung() -> Situation {
    let load = Load { rate: 10, seconds: 8, max_lanes: 16, ..FIRST };
    let summary = load.summary(&load.samples(|_| Outcome::fault(Fault::Timeout)));
    let findings = usual(&summary, Decision::Fail, Decision::Fail);
    let facts = Facts { exit_code: 1, timeout: Some(Duration::from_secs(2)), ..load.facts() };
    let reason = "success>=99% was 0% (95% 0%..0.6%, n=80); p99<500ms: 80 of 80 got no answer in time";
    Situation { name: "hung", facts, summary, primary: None, verdict: verdict(Decision::Fail, reason, findings) }
}

/// The wrong path: a 404 for everything.
pub(super) fn not_found() -> Situation {
    let summary = FIRST.summary(&FIRST.samples(|_| Outcome::http(404)));
    let mut findings = usual(&summary, Decision::Fail, Decision::Insufficient);
    findings[1].n = 0;
    let facts = Facts { exit_code: 1, ..FIRST.facts() };
    let reason = "success>=99% was 0% (95% 0%..0.6%, n=200): all 200 answered 404";
    Situation { name: "not_found", facts, summary, primary: None, verdict: verdict(Decision::Fail, reason, findings) }
}

/// gRPC calls, some of which fail, with words and without.
pub(super) fn calls() -> Situation {
    let status = |i: u64| if i % 10 == 3 { 14 } else { u8::from(i % 50 == 7) * 5 };
    let outcome = |i| Outcome { code: Code::Grpc(status(i)), fault: None };
    let mut summary = FIRST.summary(&FIRST.samples(outcome));
    let words = "upstream connect error or disconnect/reset before headers. reset reason: connection failure";
    summary.said.first(14, || words.to_owned());
    let findings = usual(&summary, Decision::Fail, Decision::Pass);
    let facts = Facts { exit_code: 1, protocol: "grpc", protocol_title: "gRPC", ..FIRST.facts() };
    Situation { name: "calls", facts, summary, primary: None, verdict: verdict(Decision::Fail, "", findings) }
}

/// Two URLs, values drawn, and one of three pods that answers nothing but errors.
pub(super) fn told_apart() -> Situation {
    let load = Load { rate: 60, seconds: 10, ..FIRST };
    let status = |i: u64| if i % 3 == 1 { 503 } else { 200 };
    let samples = load.samples(|i| Outcome::http(status(i)));
    let mut summary = load.summary(&samples);
    let tell = |by, of: Option<&str>, name: &dyn Fn(u64) -> (Key, String)| {
        let mut groups = Groups::default();
        let mut names = std::collections::BTreeMap::new();
        for (i, sample) in (0..).zip(&samples) {
            let (key, name) = name(i);
            groups.record(key, sample, status(i) == 200);
            names.insert(key, name);
        }
        let part = |(key, group)| Part { key, name: names[&key].clone(), group };
        Split::new(by, of.map(str::to_owned), groups.parts().into_iter().map(part).collect())
    };
    let pod = |i: u64| std::net::SocketAddr::from(([10, 0, 0, 7 + (i % 3) as u8], 80));
    let urls = ["http://127.0.0.1:9898/", "http://127.0.0.1:9898/a/path/longer/than/the/table/has/room/for"];
    summary.splits = vec![
        tell("url", None, &|i| (Key::Number(i % 10 / 9), urls[(i % 10 / 9) as usize].to_owned())),
        tell("address", None, &|i| (Key::Address(pod(i)), pod(i).to_string())),
        tell("value", Some("user"), &|i| (Key::Number(noise(i).mul_add(20.0, 0.0) as u64), format!("u{}", i % 20))),
    ];
    (summary.elsewhere, summary.elsewhere_failed) = (1_234, 5);
    let findings = usual(&summary, Decision::Fail, Decision::Pass);
    let facts = Facts {
        exit_code: 1,
        url: urls[0].to_owned(),
        urls: vec![(urls[0].to_owned(), 9), (urls[1].to_owned(), 1)],
        redirects: 2,
        seed: Some(4_711),
        ..load.facts()
    };
    Situation { name: "told_apart", facts, summary, primary: None, verdict: verdict(Decision::Fail, "", findings) }
}

/// Nothing happened at all.
pub(super) fn empty() -> Situation {
    Situation {
        name: "empty",
        facts: Facts { slo: None, ..FIRST.facts() },
        summary: Summary::default(),
        primary: None,
        verdict: None,
    }
}

/// Every situation, made once.
pub(super) fn all() -> &'static [Situation] {
    static ALL: LazyLock<Vec<Situation>> = LazyLock::new(|| {
        vec![
            healthy(),
            stall(),
            errors(),
            unreachable(),
            saturated(),
            insufficient(),
            no_objective(),
            mixed(),
            interrupted(),
            hung(),
            not_found(),
            calls(),
            told_apart(),
            beside(),
            empty(),
        ]
    });
    &ALL
}
