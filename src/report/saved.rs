//! A JSON report read back: what later runs are compared with.

use hdrhistogram::Histogram;
use serde_json::Value as Json;

use std::time::Duration;

use super::json::SCHEMA;
use crate::stats::{Code, Distribution, Fault, Generator, Moments, Ns, Series, Summary};

/// The run that a JSON report tells of, as far as it can be compared with: counts, statuses, faults, distributions and how
/// the load was kept. Counters of the objective of then are not in it.
///
/// # Errors
/// Why this is no report, or none of a run that can be compared with.
pub fn saved(text: &[u8]) -> Result<Summary, String> {
    let report: Json = serde_json::from_slice(text).map_err(|error| format!("it is no JSON: {error}"))?;
    if report["schema"] != SCHEMA {
        return Err(format!("it is no JSON report of schema {SCHEMA}, as --report FILE.json writes it"));
    }
    if report["stopped"] == "interrupted" {
        return Err("its run was interrupted".to_owned());
    }
    if report["verdict"]["decision"] == "error" {
        return Err("its run went wrong".to_owned());
    }
    let mut summary = Summary {
        wall: Duration::try_from_secs_f64(number(&report, "/wall_seconds")?).map_err(|error| error.to_string())?,
        finished: count(&report, "/requests/finished")?,
        succeeded: count(&report, "/requests/succeeded")?,
        generator: Generator {
            scheduled: count(&report, "/requests/scheduled")?,
            late: count(&report, "/generator/late")?,
            local: count(&report, "/generator/local")?,
            tainted: count(&report, "/generator/tainted")?,
            tolerance: Ns((number(&report, "/generator/tolerance_ms")? * 1e6).round() as u64),
            connections: count(&report, "/generator/connections")?,
            ..Generator::default()
        },
        reached: true,
        ..Summary::default()
    };
    for (name, n) in entries(&report, "/codes")? {
        summary.codes.insert(code(name).ok_or_else(|| format!("{name} is no status"))?, n);
    }
    for (name, n) in entries(&report, "/faults")? {
        let fault = Fault::ALL.into_iter().find(|fault| fault.name() == name);
        summary.faults.insert(fault.ok_or_else(|| format!("{name} is no fault"))?, n);
    }
    for series in Series::ALL {
        let (unit, scale) = if series.is_bytes() { ("bytes", 1.0) } else { ("ms", 1e6) };
        let field = format!("/{}_{unit}", series.name());
        if report.pointer(&field).is_some_and(|values| !values.is_null()) {
            summary.distributions.insert(series, distribution(&report, &field, scale)?);
        }
    }
    Ok(summary)
}

fn missing(field: &str) -> String {
    format!("{field} is missing or is no number")
}

fn number(report: &Json, field: &str) -> Result<f64, String> {
    report.pointer(field).and_then(Json::as_f64).ok_or_else(|| missing(field))
}

fn count(report: &Json, field: &str) -> Result<u64, String> {
    report.pointer(field).and_then(Json::as_u64).ok_or_else(|| missing(field))
}

fn entries<'a>(report: &'a Json, field: &str) -> Result<Vec<(&'a str, u64)>, String> {
    let all = report.pointer(field).and_then(Json::as_object).ok_or_else(|| missing(field))?;
    all.iter().map(|(name, n)| Some((name.as_str(), n.as_u64()?))).collect::<Option<_>>().ok_or_else(|| missing(field))
}

fn code(name: &str) -> Option<Code> {
    match (name, name.strip_prefix("grpc-")) {
        ("none", _) => Some(Code::None),
        (_, Some(status)) => status.parse().ok().map(Code::Grpc),
        (status, None) => status.parse().ok().map(Code::Http),
    }
}

fn distribution(report: &Json, field: &str, scale: f64) -> Result<Distribution, String> {
    let at = |name: &str| format!("{field}/{name}");
    let optional = |name: &str| report.pointer(&at(name)).and_then(Json::as_f64).unwrap_or(0.0) * scale;
    let text = report.pointer(&at("histogram")).and_then(Json::as_str).ok_or_else(|| missing(&at("histogram")))?;
    let mut histogram = Histogram::new(2).expect("two digits are within the library's 0 to 5");
    for bucket in text.split_whitespace() {
        let read = bucket.split_once(':').and_then(|(value, n)| Some((value.parse::<f64>().ok()?, n.parse().ok()?)));
        let wrong = || format!("{} is no bucket of {field}/histogram", bucket.chars().take(40).collect::<String>());
        let (value, n) = read.filter(|(value, _)| value.is_finite() && *value >= 0.0).ok_or_else(wrong)?;
        histogram.record_n((value * scale).round() as u64, n).map_err(|_| wrong())?;
    }
    let beyond = count(report, &at("beyond"))?;
    let n = histogram.len();
    if n.checked_add(beyond) != Some(count(report, &at("n"))?) {
        return Err(format!("{field}/n is not the number of its values"));
    }
    let (mean, stddev) = (optional("mean"), optional("stddev"));
    let moments = Moments {
        n,
        beyond,
        sum: (mean * n as f64).round() as u128,
        sum_of_squares: stddev * stddev * n.saturating_sub(1) as f64 + mean * mean * n as f64,
        min: if n > 0 { optional("min").round() as u64 } else { u64::MAX },
        // The greatest value is null where timeouts stand above it.
        max: match report.pointer(&at("max")).and_then(Json::as_f64) {
            Some(max) => (max * scale).round() as u64,
            None => histogram.max(),
        },
        tainted: 0,
    };
    Ok(Distribution { histogram, beyond, moments })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{json, situations};
    use super::*;

    fn read_back(report: &Json) -> Result<Summary, String> {
        saved(format!("{report:#}").as_bytes())
    }

    #[test]
    fn every_report_comes_back_as_the_run_it_was_made_from() {
        let mut seen = 0;
        for situation in situations::all() {
            let report = json(&situation.report());
            let read = match read_back(&report) {
                Ok(read) => read,
                Err(why) => {
                    assert_eq!((situation.name, why.as_str()), ("interrupted", "its run was interrupted"));
                    continue;
                }
            };
            let was = &situation.summary;
            let counts = |s: &Summary| (s.finished, s.succeeded, s.generator.scheduled, s.generator.late, s.wall);
            assert_eq!(counts(&read), counts(was), "{}", situation.name);
            assert_eq!((&read.codes, &read.faults), (&was.codes, &was.faults), "{}", situation.name);
            for (series, then) in &was.distributions {
                let Some(now) = read.distributions.get(series) else {
                    assert!(report[format!("{}_ms", series.name())].is_null(), "{} {series:?}", situation.name);
                    continue;
                };
                assert_eq!((now.n(), now.beyond, now.moments.min), (then.n(), then.beyond, then.moments.min));
                for rank in [1, 2, now.n() / 2, now.n() * 95 / 100, now.n()] {
                    let Some(value) = then.at_rank(rank) else {
                        assert_eq!(now.bracket(rank), None);
                        continue;
                    };
                    let (low, high) = now.bracket(rank).unwrap();
                    let near = (low as f64 * 0.999, high as f64 * 1.001);
                    assert!(
                        (near.0..=near.1).contains(&(value as f64)) && high as f64 <= low as f64 * 1.01 + 2.0,
                        "{} {series:?} rank {rank}: {value} in {low}..{high}",
                        situation.name
                    );
                    seen += 1;
                }
                let mean = |d: &Distribution| d.moments.mean().unwrap_or(0.0);
                assert!((mean(now) - mean(then)).abs() <= 1.0, "{} {series:?}", situation.name);
            }
        }
        assert!(seen > 100, "{seen}");
    }

    #[test]
    fn what_is_no_report_is_refused_with_the_reason() {
        let good = json(&situations::stall().report());
        let changed = |pointer: &str, value: Json| {
            let mut report = good.clone();
            *report.pointer_mut(pointer).unwrap() = value;
            read_back(&report).unwrap_err()
        };
        assert!(saved(b"{").unwrap_err().starts_with("it is no JSON: "));
        assert_eq!(saved(b"{}").unwrap_err(), "it is no JSON report of schema 1, as --report FILE.json writes it");
        assert_eq!(saved(b"[1]").unwrap_err(), "it is no JSON report of schema 1, as --report FILE.json writes it");
        for (pointer, value, why) in [
            ("/requests/finished", json!(-1), "/requests/finished is missing or is no number"),
            ("/wall_seconds", Json::Null, "/wall_seconds is missing or is no number"),
            ("/codes", json!({"2xx": 7}), "2xx is no status"),
            ("/faults", json!({"gremlins": 7}), "gremlins is no fault"),
            ("/latency_ms/histogram", json!("1:2 x"), "x is no bucket of /latency_ms/histogram"),
            ("/latency_ms/histogram", json!("-1:2"), "-1:2 is no bucket of /latency_ms/histogram"),
            ("/latency_ms/histogram", json!("1:2"), "/latency_ms/n is not the number of its values"),
            ("/latency_ms/beyond", Json::Null, "/latency_ms/beyond is missing or is no number"),
            ("/verdict/decision", json!("error"), "its run went wrong"),
        ] {
            assert_eq!(changed(pointer, value), why, "{pointer}");
        }
        assert!(changed("/wall_seconds", json!(-1.0)).contains("negative"));
    }
}
