//! The report for programs. The shape is `docs/report.schema.json`; a test holds both together.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value as Json, json};

use super::Report;
use super::split::splits;
use crate::slo::{Finding, Value};
use crate::stats::{Code, Distribution, Fault, Said, Second, Series, Stopped, Summary};

/// Version of the shape: raised when a field changes its meaning or goes away, not when one is added.
pub(super) const SCHEMA: u32 = 1;

/// Percentiles of a distribution, in per cent of its population, with their field names.
const PERCENTILES: [(&str, f64); 9] = [
    ("p10", 0.10),
    ("p25", 0.25),
    ("p50", 0.50),
    ("p75", 0.75),
    ("p90", 0.90),
    ("p95", 0.95),
    ("p99", 0.99),
    ("p99_9", 0.999),
    ("p99_99", 0.9999),
];

/// The whole report. Times are milliseconds, sizes bytes, shares lie in [0, 1]; what is not there is `null`.
#[must_use]
pub fn json(report: &Report<'_>) -> Json {
    let summary = report.summary;
    let mut all = Map::new();
    let mut put = |key: &str, value: Json| {
        all.insert(key.to_owned(), value);
    };
    put("schema", json!(SCHEMA));
    put("tollgate", json!(report.facts.version));
    put("started", json!(report.facts.started));
    put("plan", plan(report));
    put("wall_seconds", seconds(summary.wall));
    put("stopped", summary.stopped.map_or(Json::Null, |why| json!(stopped(why))));
    put("requests", requests(summary));
    for series in Series::ALL {
        let unit = if series.is_bytes() { "bytes" } else { "ms" };
        let scale = if series.is_bytes() { 1.0 } else { 1e-6 };
        let values = summary.distributions.get(&series).filter(|d| happened(series, d));
        put(&format!("{}_{unit}", series.name()), values.map_or(Json::Null, |d| distribution(d, scale)));
        if series == Series::Service {
            let first_lanes = summary.first_lanes.as_ref();
            put("first_lanes_service_ms", first_lanes.map_or(Json::Null, |d| distribution(d, scale)));
        }
    }
    put("primary", report.primary.map_or(Json::Null, primary));
    put("codes", codes(&summary.codes));
    put("faults", faults(&summary.faults));
    put("grpc_messages", grpc_messages(&summary.said));
    put("splits", splits(&summary.splits));
    put("first_error", json!(summary.first_error));
    put("generator", generator(summary));
    put("seconds", summary.seconds.iter().map(second).collect());
    put("slo", json!(report.facts.slo));
    put("verdict", verdict(report));
    Json::Object(all)
}

/// Whether there is anything to tell: a phase that took no time in any dial (TLS over plain HTTP, a name for an
/// address) did not happen.
pub(super) fn happened(series: Series, d: &Distribution) -> bool {
    d.n() > 0 && (d.moments.max > 0 || !matches!(series, Series::Dns | Series::Connect | Series::Tls))
}

fn plan(report: &Report<'_>) -> Json {
    let facts = report.facts;
    json!({
        "url": facts.url,
        "urls": facts.urls.iter().map(|(url, weight)| json!({"url": url, "weight": weight})).collect::<Vec<_>>(),
        "primary": facts.primary,
        "method": facts.method,
        "protocol": facts.protocol,
        "loop": facts.arrivals.name(),
        "lanes": facts.lanes,
        "max_lanes": facts.max_lanes,
        "rate_per_second": facts.rate.map(number),
        "duration_seconds": facts.duration.map(seconds),
        "requests": facts.requests,
        "warmup_seconds": seconds(facts.warmup),
        "timeout_seconds": facts.timeout.map(seconds),
        "redirects": facts.redirects,
        "seed": facts.seed,
    })
}

/// The release in service, as far as it is compared.
fn primary(summary: &Summary) -> Json {
    let latency = summary.distributions.get(&Series::Latency).filter(|latency| latency.n() > 0);
    json!({
        "requests": requests(summary),
        "latency_ms": latency.map(|latency| distribution(latency, 1e-6)),
        "codes": codes(&summary.codes),
        "faults": faults(&summary.faults),
        "grpc_messages": grpc_messages(&summary.said),
        "first_error": summary.first_error,
    })
}

fn requests(summary: &Summary) -> Json {
    json!({
        "scheduled": summary.generator.scheduled,
        "finished": summary.finished,
        "succeeded": summary.succeeded,
        "success_ratio": summary.success_ratio().map(number),
        "per_second": number(summary.throughput()),
        "resent": summary.resent,
        "warmup_finished": summary.warmup_finished,
        "elsewhere": summary.elsewhere,
        "elsewhere_failed": summary.elsewhere_failed,
        "body_bytes": summary.bytes,
    })
}

fn generator(summary: &Summary) -> Json {
    let own = &summary.generator;
    json!({
        "achieved_ratio": number(summary.achieved()),
        "late": own.late,
        "local": own.local,
        "tainted": own.tainted,
        "tolerance_ms": number(own.tolerance.0 as f64 / 1e6),
        "lag_ms": own.lag.as_ref().filter(|lag| lag.n() > 0).map(|lag| distribution(lag, 1e-6)),
        "throttled_seconds": own.throttled.map(seconds),
        "cpu_seconds": own.cpu.map(seconds),
        "connections": own.connections,
        "failed_dials": own.failed_dials,
        "peak_lanes": own.peak_lanes,
    })
}

fn distribution(d: &Distribution, scale: f64) -> Json {
    let scaled = |value: f64| number(value * scale);
    let finite = !d.histogram.is_empty();
    let mut all = Map::new();
    let mut put = |key: &str, value: Json| {
        all.insert(key.to_owned(), value);
    };
    put("n", json!(d.n()));
    put("beyond", json!(d.beyond));
    put("min", json!(finite.then(|| scaled(d.moments.min as f64))));
    put("mean", json!(d.moments.mean().map(scaled)));
    put("stddev", json!(d.moments.stddev().map(scaled)));
    for (name, q) in PERCENTILES {
        put(name, json!(d.quantile(q).map(|value| scaled(value as f64))));
    }
    put("max", json!(d.quantile(1.0).map(|value| scaled(value as f64))));
    put("histogram", json!(histogram(d, scale)));
    Json::Object(all)
}

/// The values in buckets of at most 1 %, `VALUE:COUNT` separated by spaces, each with the greatest value of its bucket:
/// enough to compare with, and short.
fn histogram(d: &Distribution, scale: f64) -> String {
    let coarse = hdrhistogram::Histogram::<u64>::new(2).expect("two digits are within the library's 0 to 5");
    let mut buckets = BTreeMap::<u64, u64>::new();
    for step in d.histogram.iter_recorded() {
        let value = coarse.highest_equivalent(step.value_iterated_to());
        *buckets.entry(value).or_default() += step.count_since_last_iteration();
    }
    let shown = |(value, n): (&u64, &u64)| format!("{}:{n}", number(*value as f64 * scale));
    buckets.iter().map(shown).collect::<Vec<_>>().join(" ")
}

pub(super) fn codes(codes: &BTreeMap<Code, u64>) -> Json {
    codes.iter().map(|(code, n)| (code_name(*code), json!(n))).collect()
}

fn code_name(code: Code) -> String {
    match code {
        Code::None => "none".to_owned(),
        Code::Http(status) => status.to_string(),
        Code::Grpc(status) => format!("grpc-{status}"),
    }
}

fn grpc_messages(said: &Said) -> Json {
    said.iter().map(|(code, words)| (code_name(code), json!(words))).collect()
}

pub(super) fn faults(faults: &BTreeMap<Fault, u64>) -> Json {
    faults.iter().map(|(fault, n)| (fault.name().to_owned(), json!(n))).collect()
}

fn second(second: &Second) -> Json {
    let ms = |value: Option<u64>| value.map(|ns| number(ns as f64 / 1e6));
    json!({
        "at": second.at,
        "finished": second.finished,
        "succeeded": second.succeeded,
        "p50_ms": ms(second.p50),
        "p99_ms": ms(second.p99),
        "max_ms": ms(second.max),
    })
}

fn verdict(report: &Report<'_>) -> Json {
    let Some(verdict) = report.verdict else { return Json::Null };
    json!({
        "decision": verdict.decision.name(),
        "reason": verdict.reason,
        "exit_code": report.facts.exit_code,
        "findings": verdict.findings.iter().map(finding).collect::<Vec<_>>(),
        "advice": verdict.advice,
    })
}

fn finding(finding: &Finding) -> Json {
    let bound = quantity(&finding.bound).1;
    // A bound that nothing could be made of has no unit of its own.
    let measured = finding.value.filter(|_| finding.bound == Value::Beyond);
    let unit = quantity(&measured.unwrap_or(finding.bound)).0;
    let plain = |value: &Value| quantity(value).1;
    json!({
        "clause": finding.clause,
        "metric": finding.metric,
        "decision": finding.decision.name(),
        "advisory": finding.advisory,
        "value": finding.value.as_ref().map(plain),
        "unit": unit,
        "comparison": finding.comparison,
        "bound": bound,
        "reference": finding.reference.as_ref().map(plain),
        "interval": finding.interval.as_ref().map(|(low, high)| [plain(low), plain(high)]),
        "widened": number(finding.widened),
        "n": finding.n,
        "least_n": finding.least_n,
        "thin": finding.thin,
        "note": finding.note,
    })
}

/// Unit and number of a quantity; without number for what is greater than anything measured.
fn quantity(value: &Value) -> (&'static str, Json) {
    match *value {
        Value::Time(ns) => ("ms", number(ns / 1e6)),
        Value::Ratio(x) => ("ratio", number(x)),
        Value::Count(n) => ("count", json!(n)),
        Value::Bytes(n) => ("bytes", number(n)),
        Value::PerSecond(rate) => ("per_second", number(rate)),
        Value::Number(x) => ("number", number(x)),
        Value::Beyond => ("ms", Json::Null),
    }
}

const fn stopped(why: Stopped) -> &'static str {
    match why {
        Stopped::Interrupted => "interrupted",
        Stopped::Tripped(_) => "tripped",
        Stopped::Unreachable => "unreachable",
    }
}

fn seconds(duration: Duration) -> Json {
    number(duration.as_secs_f64())
}

/// A number to nine decimals (a nanosecond in seconds), without the dust that binary fractions leave and without a
/// minus before zero; `null` for what is no number.
pub(super) fn number(x: f64) -> Json {
    let rounded = (x * 1e9).round() / 1e9;
    match (x.is_finite(), rounded.is_finite()) {
        (false, _) => Json::Null,
        (_, true) => json!(rounded + 0.0),
        (_, false) => json!(x),
    }
}

#[cfg(test)]
mod tests {
    use super::super::situations;
    use super::*;

    fn schema() -> Json {
        serde_json::from_str(include_str!("../../docs/report.schema.json")).unwrap()
    }

    #[test]
    fn every_report_follows_the_published_schema() {
        let validator = jsonschema::draft202012::new(&schema()).unwrap();
        for situation in situations::all() {
            let report = json(&situation.report());
            let mistakes: Vec<String> =
                validator.iter_errors(&report).map(|e| format!("{} {e}", e.instance_path)).collect();
            assert!(mistakes.is_empty(), "{}: {mistakes:#?}", situation.name);
        }
    }

    #[test]
    fn the_schema_refuses_what_it_does_not_describe() {
        let validator = jsonschema::draft202012::new(&schema()).unwrap();
        let good = json(&situations::stall().report());
        let change = |pointer: &str, value: Json| {
            let mut report = good.clone();
            *report.pointer_mut(pointer).unwrap() = value;
            validator.is_valid(&report)
        };
        assert!(change("/requests/finished", json!(7)));
        assert!(!change("/requests/finished", json!(-1)));
        assert!(!change("/requests", json!({"finished": 7})));
        assert!(!change("/latency_ms/p99", json!("fast")));
        assert!(!change("/verdict/decision", json!("maybe")));
        assert!(!change("/verdict/findings/0/interval", json!([1])));
        assert!(!change("/codes", json!({"2xx": 7})));
        assert!(!change("/faults", json!({"gremlins": 7})));
        assert!(change("/grpc_messages", json!({"grpc-14": "no healthy upstream"})));
        assert!(!change("/grpc_messages", json!({"14": "no healthy upstream"})));
        let mut more = good.clone();
        more["mood"] = json!("calm");
        assert!(!validator.is_valid(&more));
    }

    #[test]
    fn every_field_is_described_required_and_alone() {
        fn walk(schema: &Json, path: &str, objects: &mut usize) {
            if let Some(properties) = schema.get("properties").and_then(Json::as_object) {
                *objects += 1;
                assert_eq!(schema["additionalProperties"], json!(false), "{path} is open");
                let required: Vec<&str> =
                    schema["required"].as_array().unwrap().iter().filter_map(Json::as_str).collect();
                assert_eq!(required, properties.keys().collect::<Vec<_>>(), "{path} leaves fields out");
                for (name, property) in properties {
                    let described = property["description"].as_str().is_some_and(|text| text.len() > 8);
                    assert!(described || property.get("$ref").is_some(), "{path}/{name} has no description");
                }
            }
            let children: Vec<(String, &Json)> = match schema {
                Json::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), value)).collect(),
                Json::Array(items) => items.iter().enumerate().map(|(i, value)| (i.to_string(), value)).collect(),
                _ => Vec::new(),
            };
            for (key, child) in children {
                walk(child, &format!("{path}/{key}"), objects);
            }
        }
        let mut objects = 0;
        walk(&schema(), "", &mut objects);
        assert_eq!(
            objects, 12,
            "root, plan, URL, requests, primary, split, part, generator, second, verdict, distribution, finding"
        );
    }

    #[test]
    fn the_numbers_are_those_of_the_summary() {
        let situation = situations::mixed();
        let report = json(&situation.report());
        assert_eq!(report["requests"]["finished"], json!(1200));
        assert_eq!(report["requests"]["succeeded"], json!(1113));
        assert_eq!(report["requests"]["success_ratio"], json!(0.9275));
        assert_eq!(report["codes"], json!({"none": 21, "200": 1124, "404": 12, "500": 12, "503": 31}));
        assert_eq!(report["faults"], json!({"timeout": 6, "reset": 12, "malformed": 3, "truncated": 23}));
        let latency = &situation.summary.distributions[&Series::Latency];
        assert_eq!(report["latency_ms"]["n"], json!(1119));
        assert_eq!(report["latency_ms"]["beyond"], json!(6));
        assert_eq!(report["latency_ms"]["p50"], json!(latency.quantile(0.5).unwrap() as f64 / 1e6));
        assert_eq!(report["latency_ms"]["p99_9"], Json::Null, "among the timeouts");
        assert_eq!(report["latency_ms"]["max"], Json::Null, "nothing bounds it");
        assert_eq!(report["connect_ms"]["n"], json!(3));
        assert_eq!(report["tls_ms"], Json::Null, "plain HTTP has no handshake");
        assert_eq!(report["plan"]["timeout_seconds"], json!(2.0));
        assert_eq!(report["verdict"]["exit_code"], json!(1));
        assert_eq!(report["verdict"]["findings"][0]["value"], json!(0.9275));
        assert_eq!(report["verdict"]["findings"][1]["interval"][1], Json::Null);
        assert_eq!(report["verdict"]["findings"][1]["bound"], json!(500.0));
        assert_eq!(json(&situations::hung().report())["verdict"]["findings"][1]["value"], Json::Null);
        assert_eq!(json(&situations::interrupted().report())["stopped"], json!("interrupted"));
        assert_eq!(json(&situations::empty().report())["latency_ms"], Json::Null);
        let calls = json(&situations::calls().report());
        assert_eq!(calls["codes"], json!({"grpc-0": 176, "grpc-5": 4, "grpc-14": 20}));
        let words = "upstream connect error or disconnect/reset before headers. reset reason: connection failure";
        assert_eq!(calls["grpc_messages"], json!({"grpc-14": words}));
    }

    #[test]
    fn a_number_is_finite_clean_and_without_a_minus_before_zero() {
        assert_eq!(number(0.1 + 0.2).to_string(), "0.3");
        assert_eq!(number(-0.0).to_string(), "0.0");
        assert_eq!(number(-1e-12).to_string(), "0.0");
        assert_eq!(number(f64::NAN), Json::Null);
        assert_eq!(number(f64::INFINITY), Json::Null);
        assert_eq!(number(1e300), json!(1e300));
    }
}
