//! Metrics within a tick: the built-in ones and queries first, in their order, then templates.

use super::Turn;
use crate::flagger::metric::{Limits, Metric, Source};
use crate::flagger::world::{Measured, Step, World};
use crate::spec::GoDuration;

/// What splits traffic where the object does not say so.
const PROVIDER: &str = "istio";

impl<W: World> Turn<'_, W> {
    /// Whether the metrics let the analysis go on; the first that does not ends it.
    pub(super) fn metrics(&mut self) -> bool {
        let metrics = self.rollout.analysis.metrics.iter();
        let all = metrics.flat_map(|metric| metric.sources.iter().map(move |source| (metric, *source)));
        let late = |(_, source): &(&Metric, Source)| matches!(source, Source::Template | Source::Nothing);
        let (second, first): (Vec<_>, Vec<_>) = all.partition(late);
        first.into_iter().chain(second).all(|(metric, source)| self.holds(metric, source))
    }

    fn holds(&mut self, metric: &Metric, source: Source) -> bool {
        let reading = match source {
            Source::Nothing => Measured::Failed(String::new()),
            _ => self.world.measure(metric, source),
        };
        let (value, halt) = match reading {
            Measured::Unasked => {
                self.step(Step::Metric { name: metric.name.clone(), value: None, passed: true, asked: false });
                return true;
            }
            Measured::Value(value) => (Some(value), beyond(metric, source, value).map(|what| self.halt(&what))),
            Measured::NoValues => (None, Some(self.no_values(metric, source))),
            Measured::Failed(why) => (None, Some(failed(metric, source, &why))),
        };
        self.step(Step::Metric { name: metric.name.clone(), value, passed: halt.is_none(), asked: true });
        match halt {
            None => true,
            Some(halt) => {
                self.tell(true, &halt);
                false
            }
        }
    }

    fn halt(&self, what: &str) -> String {
        format!("Halt {} advancement {what}", self.id)
    }

    fn no_values(&self, metric: &Metric, source: Source) -> String {
        let rollout = self.rollout;
        let service = if rollout.target.kind == "Service" { ":service" } else { "" };
        let provider = rollout.provider.as_deref().unwrap_or(PROVIDER);
        let quiet = format!(
            "Halt advancement no values found for {}{service} metric {} probably {}.{} is not receiving traffic",
            provider, metric.name, rollout.target.name, rollout.namespace
        );
        match source {
            // Only the code for these two passes the reason on as it is.
            Source::SuccessRate if provider == "kubernetes" || provider.starts_with("gatewayapi") => {
                format!("{quiet}: no values found")
            }
            Source::SuccessRate => format!("{quiet}: running query failed: no values found"),
            Source::Duration => quiet,
            Source::Query => format!("Halt advancement no values found for metric: {}", metric.name),
            _ => format!("Halt advancement no values found for custom metric: {}: no values found", metric.name),
        }
    }
}

/// Why a metric has no value at all, as the event says it.
fn failed(metric: &Metric, source: Source, why: &str) -> String {
    match source {
        Source::SuccessRate | Source::Duration => format!("Prometheus query failed: {why}"),
        Source::Query => format!("Prometheus query failed for {}: {why}", metric.name),
        Source::Template => format!("Metric query failed for {}: {why}", metric.name),
        Source::Nothing => "Metric query failed for no usable metrics template and query were configured".to_owned(),
    }
}

/// In which direction a value is out of its limits, as the event says it; `None` where it is within.
fn beyond(metric: &Metric, source: Source, value: f64) -> Option<String> {
    let (min, max) = match metric.limits {
        Limits::Range { min, max } => (min, max),
        Limits::Threshold(least) if source == Source::SuccessRate => (Some(least), None),
        Limits::Threshold(most) => (None, Some(most)),
    };
    // Flagger cuts the bounds of a duration to whole milliseconds.
    let whole = |bound: f64| if source == Source::Duration { bound.trunc() } else { bound };
    let (min, max) = (min.map(whole), max.map(whole));
    let (sign, bound) = match (min, max) {
        (Some(min), _) if value < min => ('<', min),
        (_, Some(max)) if value > max => ('>', max),
        _ => return None,
    };
    let time = |ms: f64| GoDuration::from_nanos((ms * 1e6) as i64);
    Some(match source {
        Source::SuccessRate => format!("success rate {value:.2}% {sign} {bound}%"),
        Source::Duration => format!("request duration {} {sign} {}", time(value), time(bound)),
        _ => format!("{} {value:.2} {sign} {bound}", metric.name),
    })
}
