//! Whole rehearsals by the program: short ones, because somebody waits.

use std::io::Write as _;
use std::sync::LazyLock;

use rustix::process::Signal;
use serde_json::Value;
use tempfile::NamedTempFile;

use crate::practice::practice;
use crate::service::{Service, Wanted};
use crate::tollgate::{Ended, Running, run, tollgate};

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rehearse.schema.json");
    let schema = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
});

/// A Canary of `podinfo.test` with this analysis.
fn canary(analysis: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    let lines: String = analysis.lines().map(|line| format!("    {}\n", line)).collect();
    let head = "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {name: podinfo, namespace: test}\nspec:\n  \
                targetRef: {apiVersion: apps/v1, kind: Deployment, name: podinfo}\n  service: {port: 9898}\n  analysis:\n    \
                interval: 10s\n    threshold: 2\n";
    write!(file, "{head}{lines}").unwrap();
    file
}

/// Twenty times as fast, so that a tick is half a second, and told as JSON.
fn rehearsed(analysis: &str, flags: &[&str]) -> (Ended, Value) {
    let file = canary(analysis);
    let fixed = ["rehearse", file.path().to_str().unwrap(), "--speed=20x", "--output=json"];
    let ended = run(fixed.iter().chain(flags));
    let json: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|e| panic!("{e}: {ended:#?}"));
    let wrong: Vec<String> = SCHEMA.iter_errors(&json).map(|e| format!("{}: {e}", e.instance_path)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}\n{json:#}");
    (ended, json)
}

/// The weights after each tick.
fn weights(json: &Value) -> Vec<i64> {
    json["ticks"].as_array().unwrap().iter().map(|tick| tick["route"]["canary"].as_i64().unwrap()).collect()
}

/// The hooks of each tick with the statuses they were answered.
fn hooks(json: &Value) -> Vec<String> {
    let of = |tick: &Value| {
        let steps = tick["steps"].as_array().unwrap().iter().filter(|step| step["step"] == "hook");
        steps
            .map(|step| format!("{} {}", step["name"].as_str().unwrap(), step["status"]))
            .collect::<Vec<_>>()
            .join(", ")
    };
    json["ticks"].as_array().unwrap().iter().map(of).collect()
}

const WEIGHTED: &str = "stepWeight: 50\nmaxWeight: 50\nmetrics:\n- {name: request-success-rate, interval: 1m, \
                        thresholdRange: {min: 99}}\n- {name: request-duration, interval: 1m, thresholdRange: {max: 800}}";

#[test]
fn a_good_release_is_promoted_and_half_of_the_users_met_it_before() {
    let hooks_of = "\nwebhooks:\n- {name: smoke, type: pre-rollout, url: 'http://tollgate.test/', metadata: {type: bash, cmd: \
                    'curl -s http://podinfo-canary.test:9898/ | grep hostname'}}\n- {name: done, type: post-rollout, url: \
                    'http://tollgate.test/post-rollout'}";
    let (ended, json) = rehearsed(&format!("{WEIGHTED}{hooks_of}"), &["--users=100/s"]);
    assert_eq!((ended.code, json["outcome"].as_str()), (Some(0), Some("promoted")), "{json:#}");
    assert_eq!(weights(&json), [0, 50, 50, 0, 0]);
    assert_eq!(hooks(&json), ["", "smoke 200", "", "", "done 200"]);
    let users = |side: &str, what: &str| json["users"][side][what].as_u64().unwrap();
    assert!(users("old", "requests") > 50 && users("new", "requests") > 50, "{json:#}");
    assert_eq!((users("old", "bad"), users("new", "bad")), (0, 0), "{json:#}");
}

#[test]
fn a_release_that_fails_is_rolled_back_by_flaggers_own_metric_after_the_threshold() {
    let (ended, json) = rehearsed(WEIGHTED, &["--users=100/s", "--bad=--errors 20%"]);
    assert_eq!((ended.code, json["outcome"].as_str()), (Some(1), Some("rolled-back")), "{json:#}");
    assert_eq!(weights(&json), [0, 50, 50, 50, 0]);
    let metric = &json["ticks"][2]["steps"][0];
    assert_eq!((metric["name"].as_str(), metric["passed"].as_bool()), (Some("request-success-rate"), Some(false)));
    let value = metric["value"].as_f64().unwrap();
    assert!((60.0..95.0).contains(&value), "the share that Prometheus would know: {value}");
    let until = &json["until_rollback"];
    assert!(until["users"]["requests"].as_u64().unwrap() > 20 && until["ms"].as_f64().unwrap() > 500.0, "{json:#}");
}

#[test]
fn a_hook_that_measures_rolls_a_slow_release_back_whose_statuses_are_all_well() {
    let hook = "stepWeight: 50\nwebhooks:\n- {name: load, url: 'http://flagger-loadtester.test/rollout', timeout: 10s, \
                metadata: {cmd: 'hey -z 1m -q 50 -c 2 http://podinfo-canary.test:9898/', slo: 'success>=99%, p99<200ms', \
                warmup: 0s, wait: 1s}}";
    let (ended, json) = rehearsed(hook, &["--bad=latency 400ms"]);
    assert_eq!((ended.code, json["outcome"].as_str()), (Some(1), Some("rolled-back")), "{json:#}");
    let answered = hooks(&json);
    let times = |answer: &str| answered.iter().filter(|hook| *hook == answer).count();
    // Where this machine itself was too slow to judge, the answer is 424, and counts as a failed check, too.
    assert_eq!((times("load 200"), times("load 412") + times("load 424")), (0, 2), "{json:#}");
    assert_eq!(json["slow_ms"].as_f64(), Some(200.0), "what is slow is what the objective says");
    assert!(json["users"]["new"]["bad"].as_u64().unwrap() > 0 && json["load"]["new"]["bad"].as_u64().unwrap() > 0);
}

#[test]
fn only_requests_that_match_meet_the_canary_of_an_ab_test() {
    let test = "iterations: 6\nmatch:\n- headers: {user-id: {regex: '^(1|2|3|4|5)$'}}\nwebhooks:\n- {name: load, url: \
                'http://flagger-loadtester.test/', metadata: {cmd: \"hey -z 1m -q 20 -c 2 -H 'user-id: 3' http://podinfo.test/\"}}";
    let (ended, json) = rehearsed(test, &["--users=100/s", "--max-ticks=6"]);
    assert_eq!((ended.code, json["outcome"].as_str()), (Some(3), Some("undecided")), "{json:#}");
    let users = |side: &str| json["users"][side]["requests"].as_f64().unwrap();
    let share = users("new") / (users("new") + users("old"));
    assert!(share > 0.02 && share < 0.11, "one user in ten matches, from the second tick on: {share}");
    assert!(json["load"]["new"]["requests"].as_u64().unwrap() > 0, "the load's header is one of those: {json:#}");
}

#[test]
fn a_mirrored_canary_gets_copies_that_no_user_sees() {
    let (_, json) = rehearsed(
        "stepWeight: 50\nmirror: true\nwebhooks:\n- {name: gate, type: confirm-traffic-increase, url: 'http://tollgate/gate/approve'}",
        &["--users=100/s", "--max-ticks=2", "--bad=--errors 50%"],
    );
    assert_eq!(json["ticks"][1]["route"]["mirrored"], true, "{json:#}");
    let copies = json["load"]["new"]["requests"].as_u64().unwrap();
    assert!(copies == 0 || json["users"]["new"]["requests"] == 0, "{json:#}");
    let (_, json) =
        rehearsed("stepWeight: 50\nmirror: true", &["--users=100/s", "--max-ticks=3", "--bad=--errors 50%"]);
    assert!(
        json["load"]["new"]["requests"].as_u64().unwrap() > 10,
        "copies between the second and the third tick: {json:#}"
    );
}

#[test]
fn a_gate_that_stays_closed_ends_undecided_and_one_that_is_opened_lets_the_release_go_on() {
    let gated =
        "stepWeight: 50\nwebhooks:\n- {name: gate, type: confirm-rollout, url: 'http://tollgate.test/gate/check'}";
    let (ended, json) = rehearsed(gated, &["--max-ticks=3", "--users=0"]);
    assert_eq!((ended.code, json["outcome"].as_str()), (Some(3), Some("undecided")), "{json:#}");
    assert_eq!(hooks(&json), ["gate 403", "gate 403", "gate 403"]);
    assert_eq!(json["ticks"][2]["status"]["phase"], "Waiting");
    let service = Service::start(Wanted::default());
    service.post("/gate/open", r#"{"name":"podinfo","namespace":"test"}"#);
    let (ended, json) = rehearsed(gated, &[&format!("--tollgate=http://{}", service.addr), "--users=0"]);
    assert_eq!((ended.code, json["outcome"].as_str()), (Some(0), Some("promoted")), "{json:#}");
}

#[test]
fn releases_that_run_elsewhere_are_rehearsed_too() {
    let (old, new) = (practice(""), practice("errors 50%"));
    let (canary, primary) = (format!("--canary=http://{}", new.addr()), format!("--primary=http://{}", old.addr()));
    let (ended, json) = rehearsed(WEIGHTED, &["--users=100/s", &canary, &primary]);
    assert_eq!((ended.code, json["outcome"].as_str()), (Some(1), Some("rolled-back")), "{json:#}");
    let seen = new.truth();
    let told = json["users"]["new"]["requests"].as_u64().unwrap();
    // Those under way at the rollback are answered after it.
    assert!((seen.received - 5..=seen.received).contains(&told), "every request is accounted for: {told} of {seen:?}");
    assert!(old.truth().received > 20);
}

#[test]
fn an_interrupt_shows_what_happened_so_far() {
    let file =
        canary("stepWeight: 50\nwebhooks:\n- {name: gate, type: confirm-rollout, url: 'http://tollgate/gate/check'}");
    let mut running = Running::start(tollgate(["rehearse", file.path().to_str().unwrap(), "--speed=20x"]));
    while !running.line().contains("tick 2") {}
    running.signal(Signal::INT);
    let ended = running.finish();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(130), ""), "{ended:#?}");
    assert!(ended.stdout.contains("\nINTERRUPTED after ") && ended.stdout.contains("gate ✗"), "{}", ended.stdout);
    assert!(!ended.stdout.contains('\u{1b}'));
}

#[test]
fn a_rehearsal_says_what_it_shortened_and_what_it_cannot_know() {
    let file = canary(
        "stepWeight: 50\nmaxWeight: 50\nmetrics:\n- {name: errors, templateRef: {name: errors}, thresholdRange: {max: 1}}\nwebhooks:\n- \
         {name: load, url: 'http://flagger-loadtester/', metadata: {cmd: 'hey -z 1m -q 5 -c 1 http://podinfo-canary/'}}",
    );
    let ended = run(["rehearse", file.path().to_str().unwrap(), "--speed", "20x", "--users", "0"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:#?}");
    for line in [
        "shortened     interval 10s → 500ms\n              load of load 5/s → 100/s\n",
        "metric        errors is taken to hold: there is no Prometheus here\n",
        "         load 202  \n",
        "         · Advance podinfo.test canary weight 50\n",
        "\nPROMOTED after 5 ticks in ",
    ] {
        assert!(ended.stdout.contains(line), "{line:?} is not in\n{}", ended.stdout);
    }
}
