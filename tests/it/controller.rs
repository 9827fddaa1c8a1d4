//! Ticks as Flagger's own controller does them: the same objects, answers and values go through its code and through ours.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::original::Original;
use crate::raw::{Raw, request};
use tollgate::canary::Checksum;
use tollgate::flagger::{Call, Canary, Measured, Metric, NotReady, Source, State, Step, World, read, tick};

/// Hooks that an object may have.
const HOOKS: [&str; 8] = [
    "confirm-rollout",
    "pre-rollout",
    "rollout",
    "confirm-traffic-increase",
    "confirm-promotion",
    "post-rollout",
    "rollback",
    "event",
];

/// Analyses that are compared.
const SCENARIOS: u64 = 150;

/// Ticks of each; most analyses are over by then.
const TICKS: usize = 18;

/// Chance that can be repeated: a linear congruential generator with Knuth's constants.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn of(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// How a hook answers its calls: whether it passes, from the first on; the last holds for all later ones.
type Answers = HashMap<String, Vec<bool>>;

/// Whether the call with this number passes.
fn passes(answers: &Answers, hook: &str, number: usize) -> bool {
    answers.get(hook).is_none_or(|answers| answers[number.min(answers.len() - 1)])
}

/// What is done with an object.
struct Scenario {
    yaml: String,
    answers: Answers,
    /// Values of metrics for each tick, more than it needs.
    values: Vec<[Option<f64>; 2]>,
    /// Ticks before which the workload changes once more.
    revised: Vec<usize>,
    /// Ticks in which the pods of a workload are not ready.
    unready: HashMap<usize, Unready>,
}

/// Pods that are not ready.
#[derive(Clone, Copy, Debug)]
struct Unready {
    primary: bool,
    stuck: bool,
}

impl Unready {
    /// As Flagger finds them.
    fn found(self) -> NotReady {
        let (kind, name) = if self.primary { ("primary", "podinfo-primary") } else { ("canary", "podinfo") };
        let why = if self.stuck {
            format!("deployment \"{name}\" exceeded its progress deadline")
        } else {
            "waiting for rollout to finish: 0 out of 1 new replicas have been updated".to_owned()
        };
        let kind = if self.primary { String::new() } else { format!("{kind} deployment ") };
        NotReady { text: format!("{kind}{name}.test not ready: {why}"), retriable: !self.stuck }
    }
}

/// The object with this analysis, `hooks` calling `there`.
fn canary(provider: &str, more: &str, analysis: &str, hooks: &[&str], there: &str) -> String {
    let webhooks: String =
        hooks.iter().map(|hook| format!("    - {{name: {hook}, type: {hook}, url: \"{there}/{hook}\"}}\n")).collect();
    let webhooks = if webhooks.is_empty() { String::new() } else { format!("    webhooks:\n{webhooks}") };
    format!(
        "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {{name: podinfo, namespace: test}}\nspec:\n  \
         provider: {provider}\n  targetRef: {{apiVersion: apps/v1, kind: Deployment, name: podinfo}}\n  \
         service: {{port: 9898}}\n{more}  analysis:\n    interval: 10s\n{analysis}{webhooks}"
    )
}

/// Any object that means something, and answers that take it on most ways through an analysis.
fn any(chance: &mut Chance, there: &str) -> Scenario {
    let kubernetes = chance.of(25);
    let strategy = match chance.below(5) {
        0 => format!("    iterations: {}\n", chance.below(4) + 1),
        1 => "    iterations: 2\n    match: [{headers: {x-canary: {exact: \"true\"}}}]\n".to_owned(),
        2 => "    stepWeights: [5, 30, 80]\n".to_owned(),
        _ => format!("    stepWeight: {}\n    maxWeight: {}\n", chance.below(40) + 5, chance.below(60) + 20),
    };
    let mut analysis = format!("    threshold: {}\n{strategy}", chance.below(3) + 1);
    if chance.of(20) {
        analysis.push_str("    stepWeightPromotion: 40\n");
    }
    if chance.of(20) && !kubernetes {
        analysis.push_str("    mirror: true\n");
    }
    if chance.of(40) {
        analysis.push_str(
            "    metrics:\n    - {name: request-success-rate, thresholdRange: {min: 99}}\n    \
             - {name: request-duration, threshold: 500}\n",
        );
    }
    let hooks: Vec<&str> = HOOKS.into_iter().filter(|_| chance.of(60)).collect();
    let more = if chance.of(10) { "  skipAnalysis: true\n" } else { "" };
    let yaml = canary(if kubernetes { "kubernetes" } else { "istio" }, more, &analysis, &hooks, there);
    let mut answers = Answers::new();
    for hook in hooks {
        let good = if hook == "rollback" { 5 } else { 75 };
        answers.insert(hook.to_owned(), (0..12).map(|_| chance.of(good)).collect());
    }
    let value = |chance: &mut Chance, good, bad| match chance.below(10) {
        0 => None,
        1 => Some(bad),
        _ => Some(good),
    };
    let values = (0..TICKS).map(|_| [value(chance, 99.5, 98.25), value(chance, 120.0, 812.0)]).collect();
    let revised = (2..TICKS).filter(|_| chance.of(7)).collect();
    let mut unready = HashMap::new();
    for tick in 1..TICKS {
        if chance.of(6) {
            unready.insert(tick, Unready { primary: chance.of(50), stuck: chance.of(40) });
        }
    }
    Scenario { yaml, answers, values, revised, unready }
}

/// What our ticks ask, answered from the scenario.
struct Script<'a> {
    answers: &'a Answers,
    asked: HashMap<String, usize>,
    values: VecDeque<Option<f64>>,
    unready: Option<Unready>,
}

impl World for Script<'_> {
    fn call(&mut self, call: &Call<'_>) -> Result<(), String> {
        let number = self.asked.entry(call.hook.name.clone()).or_default();
        *number += 1;
        if passes(self.answers, &call.hook.name, *number - 1) { Ok(()) } else { Err(reason(&call.hook.name)) }
    }

    fn measure(&mut self, _: &Metric, _: Source) -> Measured {
        self.values.pop_front().flatten().map_or(Measured::NoValues, Measured::Value)
    }

    fn millis(&mut self) -> u64 {
        0
    }

    fn primary(&mut self) -> Result<(), NotReady> {
        self.unready.filter(|unready| unready.primary).map_or(Ok(()), |unready| Err(unready.found()))
    }

    fn canary(&mut self) -> Result<(), NotReady> {
        self.unready.filter(|unready| !unready.primary).map_or(Ok(()), |unready| Err(unready.found()))
    }
}

/// What a failing hook says.
fn reason(hook: &str) -> String {
    format!("{hook} does not pass: 12 % & <more>")
}

/// Hooks and events of ours as the other side tells them; nothing else is told there.
fn told(steps: &[Step]) -> Vec<Value> {
    steps
        .iter()
        .filter_map(|step| match step {
            Step::Hook { name, phase, error, .. } => {
                Some(json!({"hook": name, "phase": phase.to_string(), "passed": error.is_none()}))
            }
            Step::Event { warning, message } => Some(json!({"event": message, "warning": warning})),
            _ => None,
        })
        .collect()
}

/// The other side's, with what is left out there where it means nothing.
fn normal(step: &Value) -> Value {
    match step["event"].as_str() {
        Some(event) => json!({"event": event, "warning": step["warning"] == true}),
        None => json!({"hook": step["hook"], "phase": step["phase"],
            "passed": (200..=202).contains(&step["status"].as_u64().unwrap_or(0))}),
    }
}

/// Hooks of the scenario in hand, counted from its beginning.
#[derive(Clone, Default)]
struct Hooks(Arc<Mutex<(Answers, HashMap<String, usize>)>>);

impl Hooks {
    fn serve(&self) -> Raw {
        let hooks = self.clone();
        Raw::start(move |_, mut stream| {
            while let Some(asked) = request(&mut stream) {
                let asked = String::from_utf8_lossy(&asked).into_owned();
                let hook = asked.strip_prefix("POST /").and_then(|rest| rest.split(' ').next()).unwrap().to_owned();
                let passes = {
                    let (answers, numbers) = &mut *hooks.0.lock().unwrap();
                    let number = numbers.entry(hook.clone()).or_default();
                    *number += 1;
                    passes(answers, &hook, *number - 1)
                };
                let (status, body) = if passes { (200, String::new()) } else { (412, reason(&hook)) };
                let answer = format!("HTTP/1.1 {status} So\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                if std::io::Write::write_all(&mut stream, answer.as_bytes()).is_err() {
                    return;
                }
            }
        })
    }
}

/// Plays it on both sides and compares each tick; the phases that were met are added.
fn play(flagger: &mut Original, hooks: &Hooks, scenario: &Scenario, met: &mut BTreeSet<String>) {
    let rollout: Canary = read(&scenario.yaml).canaries.remove(0);
    let revision = |n: usize| Checksum::new(format!("v{n}"));
    let mut state = State::initialized(revision(0), revision(1));
    let mut script =
        Script { answers: &scenario.answers, asked: HashMap::new(), values: VecDeque::new(), unready: None };
    // Setting the object up makes events already.
    flagger.ask(&json!({"canary": scenario.yaml}));
    *hooks.0.lock().unwrap() = (scenario.answers.clone(), HashMap::new());
    flagger.ask(&json!({"revise": true}));
    for number in 0..TICKS {
        if scenario.revised.contains(&number) {
            flagger.ask(&json!({"revise": true}));
            state.target = revision(number + 2);
        }
        let unready = scenario.unready.get(&number).copied();
        let [success, duration] = scenario.values[number];
        // Some of Flagger's queries are for milliseconds, and some for seconds.
        let duration = duration.map(|ms| if rollout.is_plain_kubernetes() { ms / 1e3 } else { ms });
        let theirs = flagger.ask(&json!({"tick": true, "values": [success, duration],
            "unready": unready.map_or("", |unready| if unready.primary { "podinfo-primary" } else { "podinfo" }),
            "stuck": unready.is_some_and(|unready| unready.stuck)}));
        script.unready = unready;
        script.values = scenario.values[number].into();
        let ours = tick(&rollout, &mut state, &mut script);
        let steps: Vec<Value> = theirs["steps"].as_array().unwrap().iter().map(normal).collect();
        let where_ = format!("tick {number} of\n{}{:?}", scenario.yaml, scenario.answers);
        assert_eq!(told(&ours.steps), steps, "{where_}");
        let status = ours.status;
        let shown = json!({"phase": status.phase.to_string(), "weight": status.weight,
            "failed_checks": status.failed_checks, "iterations": status.iterations, "route": ours.route});
        for (member, value) in shown.as_object().unwrap() {
            assert_eq!(value, &theirs[member], "{member} after {where_}");
        }
        met.insert(status.phase.to_string());
    }
}

#[test]
fn every_tick_is_the_one_of_flaggers_own_controller() {
    let hooks = Hooks::default();
    let there = hooks.serve().url("");
    let Some(mut flagger) = Original::start("analysis") else { return };
    let mut met = BTreeSet::new();
    for seed in 0..SCENARIOS {
        let scenario = any(&mut Chance(seed), &there);
        play(&mut flagger, &hooks, &scenario, &mut met);
    }
    let all = ["Failed", "Finalising", "Progressing", "Promoting", "Succeeded", "Waiting", "WaitingPromotion"];
    assert_eq!(met, all.map(str::to_owned).into());
}
