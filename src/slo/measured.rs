//! What a clause measured, for people: value, interval, population. Decisions are made elsewhere, on counters.

use crate::stats::{Distribution, Reading, Series, Set, Summary, Tally, Test};

use super::bursts::dispersion;
use super::clause::{Aggregate, Bound, Clause, Metric, Share};
use super::compile::Compiled;
use super::decimal::Fraction;
use super::exact::{Binomial, wilson};
use super::unit::{Dimension, Unit};
use super::verdict::Value;

/// Value, two-sided 95 % interval and population of one clause.
#[derive(Debug, Default)]
pub(super) struct Measured {
    pub(super) value: Option<Value>,
    pub(super) interval: Option<(Value, Value)>,
    pub(super) n: u64,
}

/// The population and those of it that hold. Requests that are overdue but unanswered count as slow and failed.
pub(super) fn counts(tally: &Tally, test: Test) -> (u64, u64) {
    match test {
        Test::Share(Set::Errors) => (tally.n + tally.pending, tally.k + tally.pending),
        Test::Share(Set::Success) | Test::AtMost(..) => (tally.n + tally.pending, tally.k),
        _ => (tally.n, tally.k),
    }
}

/// How many requests make one piece of evidence, at least 1; 1 for clauses that are not tested at a confidence.
pub(super) fn bursts(compiled: &Compiled<'_>, summary: &Summary) -> f64 {
    let tested = compiled.clause.options.confidence.and(compiled.meter);
    tested.map_or(1.0, |(meter, _)| dispersion(summary.by_second.get(&meter)))
}

/// The values that the clause's quantiles are taken from.
pub(super) fn shown<'a>(compiled: &Compiled<'_>, series: Series, summary: &'a Summary) -> Option<&'a Distribution> {
    match compiled.meter {
        Some((index, meter)) if meter.is_partial() => summary.apart.get(&index),
        _ => summary.distributions.get(&series),
    }
}

/// What the meter of `compiled` has counted, if it has one and it ran.
pub(super) fn reading<'a>(compiled: &Compiled<'_>, summary: &'a Summary) -> Option<&'a Reading> {
    compiled.meter.and_then(|(index, _)| summary.readings.get(index))
}

/// The clause's value as measured.
pub(super) fn measured(compiled: &Compiled<'_>, summary: &Summary) -> Measured {
    match &compiled.clause.metric {
        Metric::Series(series, aggregate) => of_series(compiled, *series, *aggregate, summary),
        Metric::Share(Share::Achieved) => {
            let n = summary.generator.scheduled;
            Measured { value: (n > 0).then(|| Value::Ratio(summary.achieved())), interval: None, n }
        }
        Metric::Share(_) => of_share(compiled, summary),
        Metric::Rps => overall(summary, Value::PerSecond(summary.throughput())),
        Metric::Count => overall(summary, Value::Count(summary.finished)),
        Metric::Prom(_) => Measured::default(),
    }
}

fn overall(summary: &Summary, value: Value) -> Measured {
    Measured { value: (summary.finished > 0).then_some(value), interval: None, n: summary.finished }
}

fn of_share(compiled: &Compiled<'_>, summary: &Summary) -> Measured {
    let (Some((_, meter)), Some(Reading::Tally(tally))) = (compiled.meter, reading(compiled, summary)) else {
        return Measured::default();
    };
    let (n, k) = counts(tally, meter.test);
    if n == 0 {
        return Measured::default();
    }
    if compiled.clause.absolute().is_some() && !matches!(bound(compiled.clause), Value::Ratio(_)) {
        return Measured { value: Some(Value::Count(k)), interval: None, n };
    }
    let (low, high) = wilson(k.min(n), n);
    let (share, wider) = (k as f64 / n as f64, bursts(compiled, summary).sqrt());
    let away = |end: f64| if wider > 1.0 { (share + (end - share) * wider).clamp(0.0, 1.0) } else { end };
    let interval = Some((Value::Ratio(away(low)), Value::Ratio(away(high))));
    Measured { value: Some(Value::Ratio(share)), interval, n }
}

fn of_series(compiled: &Compiled<'_>, series: Series, aggregate: Aggregate, summary: &Summary) -> Measured {
    let Some((_, meter)) = compiled.meter else { return Measured::default() };
    let (n, within) = match reading(compiled, summary) {
        Some(Reading::Tally(tally)) => {
            let (n, k) = counts(tally, meter.test);
            (n, Some(k))
        }
        Some(Reading::Moments(moments)) => (moments.n + moments.beyond, None),
        None => return Measured::default(),
    };
    let Some(shown) = shown(compiled, series, summary).filter(|shown| n > 0 && shown.n() > 0) else {
        return Measured { n, ..Measured::default() };
    };
    let unit = |value: f64| if series.is_bytes() { Value::Bytes(value) } else { Value::Time(value) };
    let whole = |value: Option<u64>| value.map_or(Value::Beyond, |value| unit(value as f64));
    let moments = &shown.moments;
    let (value, interval) = match (aggregate, aggregate.quantile()) {
        (Aggregate::Min, _) => (whole((moments.n > 0).then_some(moments.min)), None),
        (Aggregate::Avg | Aggregate::Stddev, _) if shown.beyond > 0 => (Value::Beyond, None),
        (Aggregate::Avg, _) => (moments.mean().map_or(Value::Beyond, unit), None),
        (Aggregate::Stddev, _) => {
            return Measured { value: moments.stddev().map(unit), interval: None, n };
        }
        (Aggregate::Max, _) => (whole(shown.at_rank(shown.n())), None),
        (_, Some(quantile)) => {
            let rank = quantile.ceil_of(shown.n()).max(1);
            let value = agreeing(shown.at_rank(rank), meter.test, within, quantile, n);
            (whole(value), Some(order_interval(shown, quantile, bursts(compiled, summary).sqrt(), whole)))
        }
        (_, None) => return Measured { n, ..Measured::default() },
    };
    Measured { value: Some(value), interval, n }
}

/// The histogram's value, moved to the bound's side that the exact counters say it is on.
fn agreeing(value: Option<u64>, test: Test, within: Option<u64>, quantile: Fraction, n: u64) -> Option<u64> {
    let (Test::AtMost(_, limit), Some(within)) = (test, within) else { return value };
    if within >= quantile.ceil_of(n).max(1) {
        value.map(|value| value.min(limit))
    } else {
        value.map(|value| value.max(limit.saturating_add(1)))
    }
}

/// Two-sided 95 % interval of a quantile, `wider` times as many ranks wide as independent requests make it.
fn order_interval(
    shown: &Distribution,
    quantile: Fraction,
    wider: f64,
    whole: impl Fn(Option<u64>) -> Value,
) -> (Value, Value) {
    let n = shown.n();
    let (mut low, mut high) = Binomial::new(n, quantile).order_ranks(0.025);
    if wider > 1.0 {
        let middle = quantile.as_f64() * n as f64;
        low = (middle - (middle - low as f64) * wider).floor().max(0.0) as u64;
        high = (middle + (high as f64 - middle) * wider).ceil() as u64;
    }
    (if low == 0 { whole(Some(0)) } else { whole(shown.at_rank(low)) }, whole(shown.at_rank(high)))
}

/// The bound as a value; for references, which are no number yet, [`Value::Beyond`].
pub(super) fn bound(clause: &Clause) -> Value {
    let (Some(exact), Bound::Absolute(quantity)) = (clause.absolute(), &clause.bound) else { return Value::Beyond };
    let number = exact.as_f64();
    match quantity.unit.map_or(Dimension::Count, Unit::dimension) {
        Dimension::Time => Value::Time(number),
        Dimension::Percent | Dimension::Point => Value::Ratio(number),
        Dimension::Rate => Value::PerSecond(number),
        Dimension::Count if matches!(clause.metric, Metric::Prom(_)) => Value::Number(number),
        Dimension::Count => Value::Count(u64::try_from(exact.floor()).unwrap_or(u64::MAX)),
        Dimension::Bytes => Value::Bytes(number),
    }
}
