//! Interval, threshold, weights, iterations and metrics.

use std::time::Duration;

use super::finding::Desk;
use super::rule::Rule;
use super::ticks;
use super::words::{shown, time};
use crate::flagger::{HookKind, Source, Strategy};
use crate::spec::GoDuration;

/// Metrics that need no template.
const BUILT_IN: [&str; 2] = ["request-success-rate", "request-duration"];
/// A release that fails every check should be gone by then.
const PATIENCE: Duration = Duration::from_secs(1800);

/// Looks at the analysis but for its hooks.
pub(super) fn look(desk: &mut Desk<'_>) {
    if desk.canary.skip_analysis {
        return skipped(desk);
    }
    interval(desk);
    strategy(desk);
    if desk.canary.strategy() == Strategy::Weighted {
        weights(desk);
    }
    provider(desk);
    metrics(desk);
    let places = &desk.canary.analysis.places;
    let left = ticks::until_rollback(desk.canary);
    if left > PATIENCE {
        let analysis = &desk.canary.analysis;
        let said = format!(
            "a release that fails every check stays for {}: {} failed checks and a tick, {} apart",
            time(left),
            analysis.threshold,
            time(analysis.interval)
        );
        desk.say(
            Rule::SlowRollback,
            places.key("threshold"),
            said,
            "lower threshold or interval, or add a rollback hook",
        );
    }
}

/// Without an analysis, hooks of the analysis are not asked.
fn skipped(desk: &mut Desk<'_>) {
    let asked = [HookKind::ConfirmRollout, HookKind::PostRollout, HookKind::Event];
    for hook in desk.canary.analysis.webhooks.iter().filter(|hook| !asked.contains(&hook.kind)) {
        let said = format!("the analysis is skipped: {} hooks are not asked", hook.kind);
        desk.on(hook, Rule::NeverAsked, hook.places.at, said, "take out skipAnalysis");
    }
}

fn interval(desk: &mut Desk<'_>) {
    let places = &desk.canary.analysis.places;
    let at = places.value("interval");
    for key in ["interval", "threshold"] {
        if !places.has(key) {
            let said = format!("analysis.{key} is missing, and the cluster refuses the Canary");
            desk.say(
                Rule::MissingKey,
                places.at,
                said,
                if key == "interval" { "add interval: 1m" } else { "add threshold: 5" },
            );
        }
    }
    let Some(written) = places.text("interval") else { return };
    match written.parse::<GoDuration>().ok() {
        None => {
            let said = format!("'{}' is no time: Flagger takes 60s", shown(written));
            desk.say(Rule::Interval, at, said, "write 30s, 1m or 1m30s");
        }
        Some(span) if span.to_std().unwrap_or_default() < Duration::from_secs(10) => {
            let said = format!("{written} is shorter than 10s: Flagger takes 10s");
            desk.say(Rule::Interval, at, said, "write 10s or more");
        }
        Some(_) => {}
    }
}

fn strategy(desk: &mut Desk<'_>) {
    let analysis = &desk.canary.analysis;
    let places = &analysis.places;
    if !["stepWeight", "stepWeights", "iterations"].iter().any(|key| places.has(key)) {
        let said = "the analysis moves no traffic, and the cluster refuses the Canary";
        desk.say(Rule::NoStrategy, places.at, said, "add stepWeight, stepWeights or iterations");
    }
    if !analysis.matches.is_empty() && desk.canary.strategy() != Strategy::AbTest {
        let (why, help) = match desk.canary.is_plain_kubernetes() {
            true => ("the provider kubernetes splits no traffic", "take match out, or use a mesh or an ingress"),
            false => ("without iterations traffic is split by weight", "add iterations, or take match out"),
        };
        desk.say(Rule::MatchIgnored, places.key("match"), format!("nothing looks at match: {why}"), help);
    }
    if desk.canary.strategy() != Strategy::Weighted {
        for hook in desk.canary.hooks(HookKind::ConfirmTrafficIncrease) {
            let said = "confirm-traffic-increase is asked before steps of weight, and this analysis has iterations";
            desk.on(hook, Rule::NeverAsked, hook.places.value("type"), said, "use confirm-promotion");
        }
    }
}

fn weights(desk: &mut Desk<'_>) {
    let analysis = &desk.canary.analysis;
    let places = &analysis.places;
    let weights = ticks::weights(desk.canary);
    if analysis.step_weight > 0 && !analysis.step_weights.is_empty() {
        let said = "stepWeight sets the steps and stepWeights the end";
        desk.say(Rule::BothSteps, places.key("stepWeight"), said, "take one of them out");
    }
    let moves = analysis.step_weight > 0 || !analysis.step_weights.is_empty();
    if moves && ticks::is_stuck(desk.canary) {
        let last = weights.last().copied().unwrap_or_default();
        let said = format!("the weight stays at {last} for ever: the next step is 0");
        desk.say(Rule::StuckWeights, places.value("stepWeights"), said, "begin above 0 and let each weight be greater");
    }
    if let Some(last) = weights.last().filter(|last| **last > analysis.max_weight && analysis.step_weights.is_empty()) {
        let said = format!("the last step brings {last}% of the traffic, and maxWeight is {}", analysis.max_weight);
        let help = format!(
            "let stepWeight divide maxWeight: {}",
            analysis.step_weight * (analysis.max_weight / analysis.step_weight.max(1)).max(1)
        );
        desk.say(Rule::OverMaxWeight, places.key("maxWeight"), said, help);
    }
}

fn provider(desk: &mut Desk<'_>) {
    let canary = desk.canary;
    if canary.is_plain_kubernetes() && canary.analysis.iterations == 0 {
        let said =
            "the provider kubernetes moves no weights: Flagger takes 10 iterations and warns twice at every tick";
        desk.say(Rule::KubernetesIterations, canary.places.value("provider"), said, "add iterations: 10");
    }
    if canary.iterations() == 1 && canary.strategy() == Strategy::BlueGreen {
        for hook in canary.hooks(HookKind::ConfirmPromotion) {
            let said =
                "while this gate is closed, every other tick begins the analysis anew and asks pre-rollout hooks again";
            desk.on(hook, Rule::SingleIteration, hook.places.at, said, "use 2 iterations or more");
        }
    }
}

fn metrics(desk: &mut Desk<'_>) {
    for metric in &desk.canary.analysis.metrics {
        if metric.name.is_empty() || metric.sources != [Source::Nothing] {
            continue;
        }
        let near = BUILT_IN.iter().map(|name| (strsim::damerau_levenshtein(&metric.name, name), *name)).min();
        let help = match near {
            Some((distance, name)) if distance <= 3 => format!("did you mean {name}?"),
            _ => "add a templateRef, or use request-success-rate or request-duration".to_owned(),
        };
        let said = format!("the metric {} is not built in and has no template: every check fails", shown(&metric.name));
        desk.say(Rule::UnknownMetric, metric.places.value("name"), said, help);
    }
}
