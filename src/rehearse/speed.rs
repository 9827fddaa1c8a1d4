//! A rehearsal in less time than the real thing: what is shortened, and said to be.
//!
//! Flagger's interval is divided. The loads of hooks keep their length, except where a tick waits for one to end. So that
//! each tick has as much to judge as its objective needs, a load whose requests would be too few is made denser, by no more
//! than time is shortened.

use std::time::Duration;

use crate::flagger::{Canary, Hook, HookKind, Metadata};
use crate::plan::{Arrivals, Rate};
use crate::spec::{self, Objective, shell};
use crate::stats::number::per_second;

/// The shortest interval.
const SHORTEST: Duration = Duration::from_millis(500);
/// The shortest load that a tick waits for; its warm-up of two seconds is not judged.
const SHORTEST_LOAD: Duration = Duration::from_secs(5);
/// Requests a second to which a load is made denser at most: the rehearsal, too, has to make and to carry them.
const DENSEST: f64 = 500.0;
/// So many times the requests that an objective needs are to come in one interval.
const AMPLE: f64 = 1.5;

/// A canary as it is rehearsed.
#[derive(Clone, Debug)]
pub struct Paced {
    /// With its interval, metrics and loads shortened.
    pub canary: Canary,
    /// What was changed, for people: one line each.
    pub changes: Vec<String>,
}

/// The canary at `speed` times its pace; 1 changes nothing.
#[must_use]
pub fn paced(canary: &Canary, speed: f64) -> Paced {
    let mut paced = Paced { canary: canary.clone(), changes: Vec::new() };
    if speed <= 1.0 {
        return paced;
    }
    let analysis = &mut paced.canary.analysis;
    let interval = analysis.interval.div_f64(speed).max(SHORTEST.min(analysis.interval));
    paced.changes.push(format!("interval {} → {}", span(analysis.interval), span(interval)));
    for hook in &mut analysis.webhooks {
        paced.changes.extend(load(hook, interval, speed));
    }
    analysis.interval = interval;
    for metric in &mut analysis.metrics {
        // What Flagger would see of one interval at least.
        let window = metric.span().div_f64(speed).max(interval);
        metric.interval = Some(format!("{}ms", window.as_millis()));
    }
    paced
}

fn span(time: Duration) -> String {
    crate::stats::number::span(Duration::from_millis(time.as_millis() as u64))
}

/// Makes a hook's load denser or shorter; says what it did.
fn load(hook: &mut Hook, interval: Duration, speed: f64) -> Option<String> {
    let order = spec::order(&hook.metadata, &spec::Hook::default()).ok()?;
    let plan = order.plan?;
    let Arrivals::Steady(rate) = plan.schedule.arrivals else { return None };
    let (rate, length) = (rate.micro_per_second as f64 / 1e6, plan.schedule.stop.duration);
    let needed = order.objective.unwrap_or_else(|| Objective::usual().into()).line.least();
    let factor = (AMPLE * needed as f64 / interval.as_secs_f64() / rate).ceil();
    let factor = factor.min(speed.ceil()).min((DENSEST / rate).floor()).max(1.0);
    let length = length.filter(|_| hook.kind == HookKind::PreRollout);
    let shorter = length.map(|length| length.div_f64(speed).max(SHORTEST_LOAD)).filter(|to| Some(*to) < length);
    let mut said = Vec::new();
    if factor > 1.0 && denser(&mut hook.metadata, factor) {
        said.push(format!("{} → {}", per_second(rate), per_second(rate * factor)));
    }
    if let (Some(from), Some(to)) = (length, shorter)
        && lasting(&mut hook.metadata, to)
    {
        said.push(format!("{} → {}", span(from), span(to)));
    }
    (!said.is_empty()).then(|| format!("load of {} {}", hook.name, said.join(", ")))
}

/// Multiplies the rate of a load; whether it could be found.
fn denser(metadata: &mut Metadata, factor: f64) -> bool {
    let times = |text: &str| text.parse::<f64>().ok().map(|rate| (rate * factor).to_string());
    if metadata.contains_key("cmd") {
        return rewritten(metadata, "q", times);
    }
    ["rate", "rate-per-connection"].into_iter().any(|key| {
        let faster = metadata.get(key).and_then(|text| text.parse::<Rate>().ok());
        let faster = faster.map(|rate| format!("{}/s", rate.micro_per_second as f64 / 1e6 * factor));
        faster.is_some_and(|faster| metadata.insert(key.to_owned(), faster).is_some())
    })
}

/// Changes the length of a load; whether it could be found.
fn lasting(metadata: &mut Metadata, length: Duration) -> bool {
    let written = format!("{}ms", length.as_millis());
    if metadata.contains_key("cmd") {
        return rewritten(metadata, "z", |_| Some(written));
    }
    metadata.get_mut("duration").is_some_and(|text| {
        *text = written;
        true
    })
}

/// Changes the value of one flag in a line of hey; whether it was there.
fn rewritten(metadata: &mut Metadata, flag: &str, change: impl FnOnce(&str) -> Option<String>) -> bool {
    let Some(mut words) = metadata.get("cmd").and_then(|line| shell::words(line).ok()) else { return false };
    let is_flag = |word: &str| word.trim_start_matches('-') == flag && word.starts_with('-');
    let joined = words.iter().position(|word| word.split_once('=').is_some_and(|(name, _)| is_flag(name)));
    let apart = words.iter().position(|word| is_flag(word)).map(|at| at + 1);
    let (at, before) = match (joined, apart) {
        (Some(at), _) => (at, format!("-{flag}=")),
        (None, Some(at)) => (at, String::new()),
        (None, None) => return false,
    };
    let Some(word) = words.get_mut(at) else { return false };
    let value = word.split_once('=').filter(|_| !before.is_empty()).map_or(word.as_str(), |(_, value)| value);
    let Some(changed) = change(value) else { return false };
    *word = format!("{before}{changed}");
    metadata.insert("cmd".to_owned(), shell_words::join(words)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flagger::read;

    fn canary(interval: &str, hooks: &str) -> Canary {
        let text = format!(
            "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {{name: a, namespace: b}}\nspec:\n  targetRef: \
             {{apiVersion: apps/v1, kind: Deployment, name: a}}\n  service: {{port: 80}}\n  analysis:\n    interval: \
             {interval}\n    threshold: 3\n    stepWeight: 10\n    metrics:\n    - {{name: request-success-rate, \
             interval: 1m, thresholdRange: {{min: 99}}}}\n    webhooks:\n{hooks}"
        );
        let reading = read(&text);
        assert!(reading.mistakes.is_empty(), "{:?}", reading.mistakes);
        reading.canaries.into_iter().next().unwrap()
    }

    fn hook(kind: &str, metadata: &str) -> String {
        format!("    - {{name: load, type: {kind}, url: 'http://t/rollout', metadata: {{{metadata}}}}}\n")
    }

    #[test]
    fn loads_become_denser_only_as_far_as_their_objective_needs_and_shorter_only_where_a_tick_waits() {
        for (kind, metadata, speed, changed, said, why) in [
            (
                "rollout",
                "cmd: hey -z 1m -q 10 -c 2 http://a-canary/, slo: 'success>=99.5%'",
                30.0,
                ("cmd", "hey -z 1m -q 40 -c 2 http://a-canary/"),
                Some("load of load 20/s → 80/s"),
                "200 requests, and half as many again, in four seconds",
            ),
            (
                "rollout",
                "cmd: hey -z 1m -q=300 -c 1 http://a-canary/, slo: 'success>=99%'",
                30.0,
                ("cmd", "hey -z 1m -q=300 -c 1 http://a-canary/"),
                None,
                "there is enough of it",
            ),
            (
                "pre-rollout",
                "cmd: \"hey -z 2m -q 10 -c 2 -H 'X: a b' http://a-canary/\"",
                10.0,
                ("cmd", "hey -z 12000ms -q 10 -c 2 -H 'X: a b' http://a-canary/"),
                Some("load of load 2m → 12s"),
                "a tick waits for its end",
            ),
            (
                "rollout",
                "url: http://a-canary/, rate: 10/s, duration: 1m, slo: 'p99<1s'",
                30.0,
                ("rate", "40/s"),
                Some("load of load 10/s → 40/s"),
                "the keys beside a URL",
            ),
            (
                "rollout",
                "cmd: hey -z 1m -q 1 -c 1 http://a-canary/, slo: 'p99.9<1s'",
                5.0,
                ("cmd", "hey -z 1m -q 5 -c 1 http://a-canary/"),
                Some("load of load 1/s → 5/s"),
                "no denser than time is shorter",
            ),
            ("rollout", "type: bash, cmd: echo", 30.0, ("cmd", "echo"), None, "no load"),
        ] {
            let paced = paced(&canary("2m", &hook(kind, metadata)), speed);
            let found = &paced.canary.analysis.webhooks[0].metadata[changed.0];
            assert_eq!(found, changed.1, "{why}");
            assert_eq!(paced.changes.get(1).map(String::as_str), said, "{why}");
        }
    }

    #[test]
    fn the_interval_is_divided_and_metrics_look_back_one_of_it_at_least() {
        for (interval, speed, shown, window) in [
            ("2m", 30.0, Some("interval 2m → 4s"), "4000ms"),
            ("1m", 2.0, Some("interval 1m → 30s"), "30000ms"),
            ("1m", 600.0, Some("interval 1m → 500ms"), "500ms"),
            ("1m", 1.0, None, "1m"),
        ] {
            let paced = paced(&canary(interval, &hook("rollback", "")), speed);
            assert_eq!(paced.changes.first().map(String::as_str), shown);
            assert_eq!(paced.canary.analysis.metrics[0].interval.as_deref(), Some(window));
        }
    }
}
