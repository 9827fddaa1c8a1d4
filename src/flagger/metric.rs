//! A metric of an analysis: where its value comes from, and what it may be.

use std::time::Duration;

use super::places::Places;

/// How far back a metric looks that does not say so.
const INTERVAL: Duration = Duration::from_secs(60);

/// One entry of `analysis.metrics`.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Its name; two are built in.
    pub name: String,
    /// How far back it looks, as written.
    pub interval: Option<String>,
    /// Where its value comes from; nearly always one place. A built-in name does not keep a query or a template away.
    pub sources: Vec<Source>,
    /// What the value may be.
    pub limits: Limits,
    /// Where its keys stand.
    pub places: Places,
}

/// Where a metric's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The share of requests that succeed, in percent: built in as `request-success-rate`.
    SuccessRate,
    /// The 99th percentile of the time of requests, in whole milliseconds: built in as `request-duration`.
    Duration,
    /// A query in the object.
    Query,
    /// A MetricTemplate.
    Template,
    /// None: the check always fails.
    Nothing,
}

/// What a metric's value may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limits {
    /// `thresholdRange`: both bounds belong to it, and each may be missing.
    Range {
        /// The least.
        min: Option<f64>,
        /// The most.
        max: Option<f64>,
    },
    /// The old `threshold`: the least for a success rate, else the most. Zero where nothing is given.
    Threshold(f64),
}

impl Metric {
    /// Where the value of a metric of this name comes from.
    pub(super) fn sources(name: &str, has_query: bool, has_template: bool) -> Vec<Source> {
        let built_in = match name {
            "request-success-rate" => Some(Source::SuccessRate),
            "request-duration" => Some(Source::Duration),
            _ => None,
        };
        let query = has_query.then_some(Source::Query);
        let template = has_template.then_some(Source::Template);
        let sources: Vec<Source> = built_in.into_iter().chain(query).chain(template).collect();
        if sources.is_empty() { vec![Source::Nothing] } else { sources }
    }

    /// The longest time that it allows, where it is the built-in one on times.
    #[must_use]
    pub fn longest(&self) -> Option<Duration> {
        let most = match self.limits {
            Limits::Range { max, .. } => max?,
            Limits::Threshold(most) => most,
        };
        let built_in = self.sources.contains(&Source::Duration) && most >= 0.0;
        built_in.then(|| Duration::from_millis(most as u64))
    }

    /// Whether somebody else has its value: Prometheus by a query, or a provider by a template.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        self.sources.iter().any(|source| matches!(source, Source::Query | Source::Template))
    }

    /// How far back it looks: a minute where it does not say so, or nothing that can be read.
    #[must_use]
    pub fn span(&self) -> Duration {
        let written = self.interval.as_ref().and_then(|text| text.parse::<crate::spec::GoDuration>().ok()?.to_std());
        written.filter(|span| !span.is_zero()).unwrap_or(INTERVAL)
    }
}
