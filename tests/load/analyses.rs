//! Whole analyses by Flagger's own controller, with the service behind its hooks: who is promoted, who is not, and what
//! Flagger's user reads on the way.

use serde_json::{Value, json};

use super::original::Original;
use super::practice::{practice, url};
use super::service::{Service, Wanted};
use super::together;

/// A release that Flagger analyses.
struct Release {
    flagger: Original,
    service: Service,
}

/// What Flagger did in one tick.
struct Tick(Value);

impl Tick {
    fn phase(&self) -> &str {
        self.0["phase"].as_str().unwrap()
    }

    fn steps(&self, member: &str) -> impl Iterator<Item = &str> {
        self.0["steps"].as_array().unwrap().iter().filter_map(move |step| step[member].as_str())
    }

    /// The hooks that were called, in order, without those for events.
    fn hooks(&self) -> Vec<&str> {
        self.steps("hook").filter(|hook| *hook != "event").collect()
    }

    /// Whether Flagger's user reads an event with this in it.
    fn says(&self, part: &str) -> bool {
        self.steps("event").any(|event| event.contains(part))
    }
}

impl Release {
    /// Sets the object up with these hooks and makes a new revision; `None` where there is no Flagger. A hook is its type,
    /// its path and its metadata as YAML.
    fn new(analysis: &str, hooks: &[(&str, &str, String)]) -> Option<Self> {
        let service = Service::start(Wanted::default());
        let mut flagger = Original::start("analysis")?;
        let hook = |(kind, path, metadata): &(&str, &str, String)| {
            let metadata = if metadata.is_empty() { String::new() } else { format!(", metadata: {{{metadata}}}") };
            let there = format!("http://{}{path}", service.addr);
            format!("    - {{name: {kind}, type: {kind}, url: \"{there}\", timeout: 40s{metadata}}}\n")
        };
        let hooks: String = hooks.iter().map(hook).collect();
        let yaml = format!(
            "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {{name: podinfo, namespace: test}}\nspec:\n  \
             provider: istio\n  targetRef: {{apiVersion: apps/v1, kind: Deployment, name: podinfo}}\n  \
             service: {{port: 9898}}\n  analysis:\n    interval: 10s\n    threshold: 2\n{analysis}    webhooks:\n{hooks}"
        );
        flagger.ask(&json!({"canary": yaml}));
        flagger.ask(&json!({"revise": true}));
        Some(Self { flagger, service })
    }

    fn tick(&mut self) -> Tick {
        Tick(self.flagger.ask(&json!({"tick": true})))
    }

    /// Ticks until the object is in this phase.
    fn until(&mut self, phase: &str) -> Vec<Tick> {
        let mut ticks = Vec::new();
        while ticks.last().is_none_or(|tick: &Tick| tick.phase() != phase) {
            assert!(ticks.len() < 20, "it never came to {phase}: {:?}", ticks.last().map(|tick| &tick.0));
            ticks.push(self.tick());
        }
        ticks
    }

    fn gate(&self, path: &str) {
        assert_eq!(self.service.post(path, r#"{"name":"podinfo","namespace":"test"}"#).status, 202, "{path}");
    }
}

const STEPS: &str = "    stepWeight: 20\n    maxWeight: 40\n";

/// Hooks that judge a load of two hundred requests a second.
fn judging(target: &str) -> Vec<(&'static str, &'static str, String)> {
    let load = |line: &str| format!("cmd: \"{line}\", slo: \"success>=99%\", warmup: 0s, ready-wait: 0s");
    let short = format!("hey -n 200 -q 100 -c 2 -host podinfo-canary {target}");
    let long = format!("hey -z 60s -q 50 -c 4 -host podinfo-canary {target}");
    vec![
        ("pre-rollout", "/pre-rollout", load(&short)),
        ("rollout", "/rollout", format!("{}, wait: 2s", load(&long))),
        ("confirm-promotion", "/confirm", String::new()),
        ("rollback", "/rollback", String::new()),
        ("post-rollout", "/post-rollout", String::new()),
        ("event", "/event", String::new()),
    ]
}

#[test]
fn a_good_release_is_promoted_by_flagger() {
    let _load = together();
    let canary = practice("");
    let Some(mut release) = Release::new(STEPS, &judging(&url(&canary, "/"))) else { return };
    let ticks = release.until("Succeeded");
    let hooks: Vec<Vec<&str>> = ticks.iter().map(Tick::hooks).collect();
    // The rollback hook is not asked any more once it is promoted.
    let expected = [
        &[][..],
        &["rollback", "pre-rollout"],
        &["rollback", "rollout"],
        &["rollback", "rollout", "confirm-promotion"],
        &[],
        &["post-rollout"],
    ];
    assert_eq!(hooks, expected);
    let weights: Vec<i64> = ticks.iter().map(|tick| tick.0["weight"].as_i64().unwrap()).collect();
    assert_eq!(weights, [0, 20, 40, 40, 0, 0]);
    assert!(ticks[1].says("Pre-rollout check pre-rollout passed"));
    assert!(ticks[3].says("Confirm-promotion check confirm-promotion passed"));
    assert!(ticks[5].says("Promotion completed! Scaling down podinfo.test"));
    assert!(ticks.iter().all(|tick| tick.0["failed_checks"] == 0));
    let over = release.service.get("/api/v1/canaries/test/podinfo").json();
    assert!(over["run"].is_null(), "{over}");
}

#[test]
fn a_release_that_breaks_under_load_is_rolled_back_with_the_reason_in_the_event() {
    let _load = together();
    let canary = practice("errors 30%");
    let Some(mut release) = Release::new(STEPS, &judging(&url(&canary, "/"))[..1]) else { return };
    let ticks = release.until("Failed");
    // Checks fail in two ticks, and the one after them gives up.
    assert_eq!(ticks.len(), 4);
    for tick in &ticks[1..3] {
        let halt =
            "Halt podinfo.test advancement pre-rollout check pre-rollout failed FAIL podinfo.test: success>=99% was ";
        assert!(tick.says(halt), "{:?}", tick.0);
    }
    assert!(ticks[3].says("Rolling back podinfo.test failed checks threshold reached 2"));
    assert_eq!(ticks[3].0["route"], json!({"primary": 100, "canary": 0, "mirrored": false}));
}

#[test]
fn a_release_that_turns_bad_is_rolled_back_by_its_rollback_hook() {
    let _load = together();
    let canary = practice("");
    let Some(mut release) = Release::new(STEPS, &judging(&url(&canary, "/"))) else { return };
    release.tick();
    release.tick();
    let progressing = release.tick();
    assert_eq!((progressing.phase(), progressing.0["weight"].as_i64()), ("Progressing", Some(40)));
    assert!(progressing.says("Rollback hook rollback not signaling a rollback"));
    release.gate("/rollback/open");
    let given_up = release.tick();
    assert_eq!(given_up.phase(), "Failed");
    assert_eq!(given_up.hooks(), ["rollback", "post-rollout"]);
    assert!(given_up.says("Rolling back podinfo.test manual webhook invoked"), "{:?}", given_up.0);
    // The gate was for that revision; the next one is analysed.
    release.flagger.ask(&json!({"revise": true}));
    let next = release.tick();
    assert_eq!((next.phase(), next.hooks()), ("Progressing", vec![]));
    let next = release.tick();
    assert!(next.says("Rollback hook rollback not signaling a rollback"), "{:?}", next.0);
}

#[test]
fn a_release_waits_at_gates_until_people_open_them() {
    let canary_of = |kind, path| (kind, path, String::new());
    let hooks = [
        canary_of("confirm-rollout", "/gate/check"),
        canary_of("confirm-traffic-increase", "/gate/check"),
        canary_of("confirm-promotion", "/gate/check"),
    ];
    let Some(mut release) = Release::new("    stepWeight: 50\n    maxWeight: 50\n", &hooks) else { return };
    for _ in 0..3 {
        assert_eq!(release.tick().phase(), "Waiting");
    }
    release.gate("/gate/open");
    let begun = release.tick();
    assert_eq!((begun.phase(), begun.says("Confirm-rollout check confirm-rollout passed")), ("Progressing", true));
    release.gate("/gate/close");
    for _ in 0..2 {
        let waits = release.tick();
        assert!(waits.says("Halt podinfo.test advancement waiting for traffic increase approval"), "{:?}", waits.0);
        assert_eq!((waits.0["weight"].as_i64(), waits.0["failed_checks"].as_i64()), (Some(0), Some(0)));
    }
    release.gate("/gate/open");
    assert_eq!(release.until("Succeeded").len(), 4);
}
