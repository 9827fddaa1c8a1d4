//! Results told apart, for programs.

use serde_json::{Value as Json, json};

use super::json::{codes, faults, number};
use crate::stats::{Part, Split};

/// One entry for each way asked for, the worst part first.
pub(super) fn splits(splits: &[Split]) -> Json {
    splits.iter().map(split).collect()
}

fn split(split: &Split) -> Json {
    json!({
        "by": split.by,
        "of": split.of,
        "outlier": split.outlier().map(|outlier| &outlier.part.name),
        "parts": split.parts.iter().map(part).collect::<Vec<_>>(),
    })
}

fn part(part: &Part) -> Json {
    let group = &part.group;
    let at = |q: f64| group.latency(q).map(|ns| number(ns as f64 / 1e6));
    json!({
        "name": part.name,
        "finished": group.finished,
        "succeeded": group.succeeded,
        "success_ratio": (group.finished > 0).then(|| number(group.succeeded as f64 / group.finished as f64)),
        "codes": codes(&group.codes),
        "faults": faults(&group.faults),
        "latency_n": group.timed(),
        "beyond": group.beyond,
        "p50_ms": at(0.5),
        "p90_ms": at(0.9),
        "p99_ms": at(0.99),
        "max_ms": at(1.0),
    })
}
