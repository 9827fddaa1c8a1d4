//! A clause on an answer of Prometheus: one number from outside, compared with the bound.

use std::collections::BTreeMap;

use super::clause::{Bound, Clause, Metric};
use super::measured::Measured;
use super::needs::{Answer, Query};
use super::run::{Run, enough, otherwise};
use super::unit::{Dimension, Unit};
use super::verdict::{Decision, Value};

/// The answer with the unit of the bound. Prometheus speaks in base units: seconds, bytes, shares from 0 to 1.
pub(super) fn outside(clause: &Clause, answers: &BTreeMap<Query, Answer>) -> Measured {
    let (Metric::Prom(query), Bound::Absolute(bound)) = (&clause.metric, &clause.bound) else {
        return Measured::default();
    };
    // No traffic gives no number, and that is no evidence.
    let number = answers.get(query).and_then(|answer| answer.as_ref().ok()).copied();
    let value = number.filter(|number| number.is_finite()).map(|answer| {
        match bound.unit.map_or(Dimension::Count, Unit::dimension) {
            Dimension::Time => Value::Time(answer * 1e9),
            Dimension::Percent | Dimension::Point => Value::Ratio(answer),
            Dimension::Rate => Value::PerSecond(answer),
            Dimension::Bytes => Value::Bytes(answer),
            Dimension::Count => Value::Number(answer),
        }
    });
    Measured { value, ..Measured::default() }
}

/// Why there is no number.
fn missing(clause: &Clause, answers: &BTreeMap<Query, Answer>) -> String {
    let answer = if let Metric::Prom(query) = &clause.metric { answers.get(query) } else { None };
    match answer {
        Some(Err(why)) => why.clone(),
        _ => "Prometheus gave no number".to_owned(),
    }
}

/// What an answer comes to beside a run. Without a request of that nothing passes.
pub(super) fn settle(
    clause: &Clause,
    value: Option<Value>,
    answers: &BTreeMap<Query, Answer>,
    run: &Run<'_>,
) -> (Decision, Option<String>) {
    let saturated = run.saturated;
    let is_time = matches!(value, Some(Value::Time(_)));
    let Some(value) = value else {
        return otherwise(clause, Decision::Insufficient, Some(missing(clause, answers)));
    };
    if let Value::Ratio(share) = value
        && !(0.0..=1.0).contains(&share)
    {
        let why = format!("the answer {share} is no share from 0 to 1: leave 100 * out of the query");
        return otherwise(clause, Decision::Insufficient, Some(why));
    }
    let bound = clause.absolute().map_or(0.0, super::decimal::Fraction::as_f64);
    let holds = value.as_f64().partial_cmp(&bound).is_some_and(|order| clause.comparison.accepts(order));
    match enough(holds, true) {
        _ if saturated && (holds || is_time) => (Decision::Saturated, None),
        Decision::Pass if run.summary.finished == 0 => {
            otherwise(clause, Decision::Insufficient, Some("no request was finished".to_owned()))
        }
        decision => (decision, None),
    }
}
