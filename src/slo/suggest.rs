//! What was probably meant.

use crate::stats::{LAST_GRPC, Series, grpc_name};

use super::clause::{Better, Metric, SelectorKey, Share};
use super::decimal::Decimal;
use super::token::quoted;

const AGGREGATES: &str = "p50, p95, p99.9, min, max, avg, med, stddev";

/// Names that other tools use for what has another name here.
const FOREIGN: [(&str, &str); 20] = [
    ("http_req_duration", "p95, p99, avg, max"),
    ("http_req_waiting", "ttfb.p95"),
    ("http_req_connecting", "connect.p95"),
    ("http_req_tls_handshaking", "tls.p95"),
    ("http_req_blocked", "queue.p95"),
    ("http_req_failed", "errors"),
    ("http_reqs", "rps, count"),
    ("request-success-rate", "success"),
    ("request-duration", "p99"),
    ("success-rate", "success"),
    ("success_rate", "success"),
    ("availability", "success"),
    ("error-rate", "errors"),
    ("error_rate", "errors"),
    ("failures", "errors"),
    ("mean", "avg"),
    ("average", "avg"),
    ("median", "med"),
    ("throughput", "rps"),
    ("requests", "count"),
];

/// The candidate nearest to `word`, if any is near: at most one edit for every three letters.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.chars().count() > 32 {
        return None;
    }
    let lower = word.to_lowercase();
    let allowed = (lower.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `; did you mean 'x'?`, or nothing.
pub(super) fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, candidates).map_or_else(String::new, |name| format!("; did you mean '{name}'?"))
}

/// The message for a metric that does not exist.
pub(super) fn unknown_metric(word: &str) -> String {
    if let Some((_, use_this)) = FOREIGN.iter().find(|(name, _)| *name == word.to_lowercase()) {
        return format!("unknown metric {}; use {use_this}", quoted(word));
    }
    if Series::ALL.iter().any(|series| series.name() == word) {
        return format!("{word} needs an aggregate, e.g. {word}.p95; there are {AGGREGATES}");
    }
    if let Some(message) = odd_quantile(word) {
        return message;
    }
    if let Some(status) = word.strip_prefix("grpc.") {
        let names: Vec<String> = (0..=LAST_GRPC).map(|status| grpc_name(status).to_lowercase()).collect();
        let meant = did_you_mean(status, names.iter().map(String::as_str));
        return format!("unknown gRPC status {}; write e.g. grpc.unavailable or grpc.14{meant}", quoted(status));
    }
    if let Some((series, rest)) = word.split_once('.')
        && Series::ALL.iter().any(|known| known.name() == series)
    {
        return odd_quantile(rest).unwrap_or_else(|| format!("unknown aggregate {}; use {AGGREGATES}", quoted(rest)));
    }
    let shares = Share::NAMED.iter().map(|(name, _)| *name);
    let known = shares.chain([
        "rps",
        "count",
        "min",
        "max",
        "avg",
        "med",
        "stddev",
        "p50",
        "p90",
        "p95",
        "p99",
        "4xx",
        "5xx",
        "service.p95",
        "ttfb.p95",
        "size.max",
    ]);
    match did_you_mean(word, known) {
        none if none.is_empty() => {
            format!("unknown metric {}; use success, errors, p95, p99, 5xx, rps", quoted(word))
        }
        meant => format!("unknown metric {}{meant}", quoted(word)),
    }
}

/// The message for `p0`, `p100`, `p999` and the like; `None` if the word is no attempt at a quantile.
fn odd_quantile(word: &str) -> Option<String> {
    let digits = word.strip_prefix('p').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))?;
    if !digits.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return None;
    }
    Some(match digits {
        "100" => "write max (not p100)".to_owned(),
        _ if digits.chars().all(|c| c == '0' || c == '.') => format!("write min (not {})", quoted(word)),
        _ if digits.contains('.') || digits.len() > 8 => {
            format!("unknown metric {}; a quantile is written p50, p95 or p99.9", quoted(word))
        }
        _ => format!("unknown metric '{word}'; did you mean 'p{}.{}'?", &digits[..2], &digits[2..]),
    })
}

/// The comparison that was probably meant after `metric`, given what stands in its place.
pub(super) fn comparison(metric: &Metric, found: Option<char>) -> Option<&'static str> {
    match found? {
        '≤' => Some("<="),
        '≥' => Some(">="),
        '=' | ':' | '~' => Some(match (metric.better(), metric) {
            (Better::More, _) | (Better::Either, Metric::Rps | Metric::Count) => ">=",
            _ => "<=",
        }),
        _ => None,
    }
}

/// The message for a number without a unit, as the bound of `metric` or as an allowance on a reference.
pub(super) fn missing_unit(metric: &Metric, number: Decimal, allowance: bool) -> String {
    let name = metric.name();
    let below_one = number.times(1).floor() == 0 && !number.is_zero();
    match metric {
        Metric::Share(_) if allowance => format!("{name} needs pp (percentage points); did you mean {number}pp?"),
        Metric::Share(_) if below_one => format!("{name} needs %; did you mean {}%?", number.as_percentage()),
        Metric::Share(Share::Achieved) => format!("{name} needs %; did you mean {number}%?"),
        Metric::Share(_) => {
            format!("{name} needs a unit; did you mean {number}% (share) or {number}req (count)?")
        }
        Metric::Series(Series::Size, _) => format!("{name} needs a unit of size; did you mean {number}KiB?"),
        Metric::Series(..) if below_one => format!("{name} needs a time unit; did you mean {number}s?"),
        Metric::Series(..) => format!("{name} needs a time unit; did you mean {number}ms?"),
        Metric::Rps => format!("{name} needs a rate unit; did you mean {number}/s?"),
        Metric::Count => format!("{name} needs a unit; did you mean {number}req?"),
        Metric::Prom(_) => "a Prometheus query needs a unit on its bound, e.g. 300ms, 1% or 5/s".to_owned(),
    }
}

/// What units `metric` takes, for an error message.
pub(super) fn units_of(metric: &Metric, allowance: bool) -> &'static str {
    match metric {
        Metric::Share(_) if allowance => "pp, or a factor such as *1.05",
        Metric::Share(Share::Achieved) => "%",
        Metric::Share(_) => "% or req",
        Metric::Series(Series::Size, _) if allowance => "% or a unit of size (B KB MB KiB MiB)",
        Metric::Series(Series::Size, _) => "a unit of size (B KB MB KiB MiB)",
        Metric::Series(..) if allowance => "% or a time unit (ns us ms s m)",
        Metric::Series(..) => "a time unit (ns us ms s m)",
        Metric::Rps if allowance => "% or a rate unit (/s /m)",
        Metric::Rps => "a rate unit (/s /m)",
        Metric::Count if allowance => "% or req",
        Metric::Count => "req",
        Metric::Prom(_) => "a unit other than pp",
    }
}

/// The message for a selector that does not exist.
pub(super) fn unknown_selector(word: &str) -> String {
    let names = SelectorKey::NAMED.map(|(name, _)| name);
    format!("unknown selector {} (there are {}){}", quoted(word), names.join(", "), did_you_mean(word, names))
}

/// The message for a unit that does not exist.
pub(super) fn unknown_unit(word: &str) -> String {
    format!("unknown unit {}; units: ns us ms s m % pp /s req B KiB MiB", quoted(word))
}
