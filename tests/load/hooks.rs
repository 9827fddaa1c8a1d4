//! Flagger's analysis of a release, hook by hook: `payment-service` with its load-test hook, good and bad in several ways.
//! Durations are scaled down; the load is real.

use std::sync::mpsc;
use std::time::Duration;

use ::tollgate::practice::Practice;
use serde_json::json;

use super::flagger::{Flagger, as_go};
use super::practice::{practice, url};
use super::service::{Answer, Service, Wanted};
use super::together;

/// The objective of the release.
const SLO: &str = "success>=99.5%, p99<=300ms";

/// A service and a release that behaves so.
struct World {
    service: Service,
    release: Practice,
}

impl World {
    fn new(behaviour: &str) -> Self {
        Self { service: Service::start(Wanted::default()), release: practice(behaviour) }
    }

    /// The load of the hooks: two hundred requests a second to what is called the canary alone.
    fn cmd(&self, seconds: u32) -> String {
        format!("hey -z {seconds}s -q 50 -c 4 -host payment-service-canary {}", url(&self.release, "/"))
    }

    fn metadata<'a>(&self, cmd: &'a str, wait: &'a str) -> Vec<(&'a str, &'a str)> {
        vec![("cmd", cmd), ("slo", SLO), ("wait", wait), ("warmup", "0s")]
    }

    fn answer(&self, path: &str, metadata: &[(&str, &str)]) -> Answer {
        let metadata: serde_json::Map<_, _> = metadata.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect();
        let payload = json!({"name": "payment-service", "namespace": "shop", "phase": "Progressing",
            "checksum": "85d557f47b", "metadata": metadata});
        self.service.post(path, &as_go(&payload.to_string()))
    }

    fn flagger(&self) -> Flagger {
        Flagger { service: self.service.addr, name: "payment-service", namespace: "shop", retries: 0 }
    }
}

/// The time between two ticks.
fn tick(time: Duration) {
    let (_never, tick) = mpsc::channel::<()>();
    let _ = tick.recv_timeout(time);
}

const SOON: Duration = Duration::from_millis(4_200);

#[test]
fn a_good_release_is_told_to_go_on_once_and_then_passes_on_evidence() {
    let _load = together();
    let world = World::new("latency 2ms");
    let cmd = world.cmd(30);
    let first = world.answer("/rollout", &world.metadata(&cmd, "700ms"));
    assert_eq!(first.status, 202, "{first:?}");
    assert!(first.body.starts_with("MEASURING payment-service.shop: "), "{first:?}");
    let second = world.answer("/rollout", &world.metadata(&cmd, "0s"));
    assert!([200, 425].contains(&second.status), "not a second time: {second:?}");
    tick(SOON);
    let passed = world.answer("/rollout", &world.metadata(&cmd, "300ms"));
    assert!(passed.status == 200 && passed.body.starts_with("PASS payment-service.shop: "), "{passed:?}");
    let confirmed = world.answer("/confirm", &[]);
    assert_eq!(confirmed.status, 200, "a bare confirmation is of the same evidence: {confirmed:?}");
    let rollback = world.answer("/rollback", &[]);
    assert!([412, 425].contains(&rollback.status), "{rollback:?}");
    let ended = world.answer("/post-rollout", &[]);
    assert_eq!(ended.short(), (200, "OK"));
    let over = world.service.get("/api/v1/canaries/shop/payment-service").json();
    assert!(over["run"].is_null(), "{over}");
}

#[test]
fn a_release_that_fails_one_request_and_a_half_in_a_hundred_does_not_pass() {
    let _load = together();
    let world = World::new("latency 2ms, errors 1.5%");
    let cmd = world.cmd(30);
    assert_eq!(world.answer("/rollout", &world.metadata(&cmd, "700ms")).status, 202);
    tick(SOON);
    let error = world.flagger().call_with("/rollout", "Progressing", "85d557f47b", &world.metadata(&cmd, "0s"));
    let error = error.unwrap_err();
    assert!(error.starts_with("FAIL payment-service.shop: success>=99.5% was 98."), "{error}");
}

#[test]
fn a_release_that_freezes_does_not_pass_although_every_status_is_200() {
    let _load = together();
    let world = World::new("latency 2ms, stall 500ms/2s");
    let cmd = world.cmd(30);
    world.answer("/rollout", &world.metadata(&cmd, "0s"));
    tick(SOON);
    let failed = world.answer("/rollout", &world.metadata(&cmd, "0s"));
    assert_eq!(failed.status, 412, "{failed:?}");
    assert!(failed.body.contains(": p99<=300ms was ") && failed.body.contains("success>=99.5% ok 100%"), "{failed:?}");
}

#[test]
fn a_broken_release_fails_within_the_first_call() {
    let _load = together();
    let world = World::new("errors 100%");
    let cmd = world.cmd(30);
    let failed = world.answer("/rollout", &world.metadata(&cmd, "20s"));
    assert_eq!(failed.status, 412, "{failed:?}");
    assert!(failed.body.contains("500"), "what it answered: {failed:?}");
}

#[test]
fn a_release_is_given_up_after_lasting_evidence_and_not_before() {
    let _load = together();
    let world = World::new("latency 2ms, errors 20%");
    let cmd = world.cmd(30);
    world.answer("/rollout", &world.metadata(&cmd, "0s"));
    let flagger = world.flagger();
    let early = flagger.call("/rollback", "Progressing", "85d557f47b");
    assert!(early.is_err(), "Flagger goes on: {early:?}");
    tick(SOON);
    assert_eq!(world.answer("/rollback", &[]).status, 425, "bad, but four seconds are not lasting");
    tick(Duration::from_secs(7));
    let given_up = world.answer("/rollback", &[]);
    assert!(given_up.status == 200 && given_up.body.starts_with("ROLLBACK payment-service.shop: "), "{given_up:?}");
    assert_eq!(flagger.call("/rollback", "Progressing", "85d557f47b"), Ok(()), "and Flagger rolls back");
    assert!(flagger.call("/rollback", "Progressing", "another").is_err(), "but no other revision");
}

#[test]
fn a_pre_rollout_hook_waits_for_the_whole_load() {
    let _load = together();
    for (behaviour, status, word) in [("latency 2ms", 200, "PASS"), ("latency 2ms, errors 3%", 412, "FAIL")] {
        let world = World::new(behaviour);
        let cmd = world.cmd(2);
        let metadata = [("cmd", cmd.as_str()), ("slo", SLO), ("warmup", "0s"), ("ready-wait", "0s")];
        let answer = world.answer("/pre-rollout", &metadata);
        assert_eq!((answer.status, answer.body.split(' ').next()), (status, Some(word)), "{behaviour}: {answer:?}");
        // A load that can no longer pass is not waited for.
        assert!(status != 200 || world.release.truth().received == 400, "{behaviour}");
    }
}

/// The two ghz hooks of Flagger's documentation, against a release.
fn ghz_hooks(release: &Practice) -> [String; 2] {
    let to = release.addr();
    [
        format!("ghz -z 1m -q 10 -c 2 --insecure {to}"),
        format!("ghz --insecure --proto=/tmp/ghz/health.proto --call=grpc.health.v1.Health/Check {to}"),
    ]
}

#[test]
fn the_documented_ghz_hooks_pass_on_a_release_that_serves() {
    let _load = together();
    let world = World::new("latency 2ms");
    for (number, cmd) in ghz_hooks(&world.release).iter().enumerate() {
        // Ten calls a second are enough for this many clauses in so short a time.
        let metadata = [("cmd", cmd.as_str()), ("slo", "success>=90%, p90<=300ms"), ("warmup", "0s"), ("wait", "6s")];
        let first = world.answer("/rollout", &metadata);
        assert!([200, 202].contains(&first.status), "{cmd}: {first:?}");
        let passed = world.answer("/rollout", &metadata);
        assert!(passed.status == 200 && passed.body.starts_with("PASS payment-service.shop: "), "{cmd}: {passed:?}");
        let truth = world.release.truth().to_json(false);
        let calls = &truth["grpc_statuses"]["0"];
        assert!(calls.as_u64() >= Some(10 * (number as u64 + 1)), "{cmd}: {truth}");
        assert_eq!(calls, &truth["requests"]["answered"], "nothing but calls: {truth}");
    }
}

#[test]
fn the_documented_ghz_hooks_fail_on_a_release_that_does_not_serve() {
    let _load = together();
    for behaviour in ["errors 100%", "no-grpc-status 100%"] {
        let world = World::new(behaviour);
        for cmd in ghz_hooks(&world.release) {
            let failed = world.answer("/rollout", &[("cmd", &cmd), ("warmup", "0s"), ("wait", "20s")]);
            // Two hundred calls at once are over before there is a second to judge by the objective.
            let told = ["success>=99% was 0% ", " requests within one second failed"];
            let told = failed.body.starts_with("FAIL payment-service.shop: ")
                && told.iter().any(|said| failed.body.contains(said));
            assert!(failed.status == 412 && told, "{behaviour}: {cmd}: {failed:?}");
            world.answer("/post-rollout", &[]);
        }
    }
}
