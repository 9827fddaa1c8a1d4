//! Hooks that make load: what is started, what is refused, and what an answer that did not arrive comes to.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};

use super::post;
use crate::flagger::as_go;
use crate::practice::{practice, url};
use crate::service::{Answer, Service, Wanted};
use tollgate::practice::Practice;
use tollgate::server::{Notify, Settings};
use tollgate::spec::{Hook, Objective};
use tollgate::task::{Budgets, Settings as Runs, Targets};

pub(super) fn payload(metadata: &[(&str, &str)]) -> String {
    in_phase("Progressing", metadata)
}

fn in_phase(phase: &str, metadata: &[(&str, &str)]) -> String {
    let metadata: serde_json::Map<_, _> = metadata.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect();
    let payload = json!({"name": "podinfo", "namespace": "test", "phase": phase, "checksum": "85d557f47b",
        "metadata": metadata});
    as_go(&payload.to_string())
}

fn hook(service: &Service, path: &str, metadata: &[(&str, &str)]) -> Answer {
    post(service.addr, path, &payload(metadata))
}

fn with(settings: Settings) -> Service {
    Service::start(Wanted { settings, ..Wanted::default() })
}

/// Waits until `ready` of what the API shows of the canary, asked again and again.
pub(super) fn until(service: &Service, ready: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..600 {
        let answer = service.get("/api/v1/canaries/test/podinfo");
        if answer.status == 200 && ready(&answer.json()) {
            return answer.json();
        }
        let (_never, pause) = mpsc::channel::<()>();
        let _ = pause.recv_timeout(Duration::from_millis(50));
    }
    panic!("it did not come to that: {:?}", service.get("/api/v1/canaries/test/podinfo"));
}

/// How many requests came.
fn requests(canary: &Practice) -> u64 {
    canary.truth().received
}

#[test]
fn a_load_line_is_accepted_as_by_the_loadtester_and_the_load_runs() {
    let (service, canary) = (Service::start(Wanted::default()), practice(""));
    let cmd = format!("hey -n 20 -c 2 {}", url(&canary, "/"));
    for metadata in [
        vec![("cmd", cmd.as_str()), ("ready-wait", "0s")],
        vec![("type", "cmd"), ("cmd", cmd.as_str()), ("ready-wait", "0s"), ("logCmdOutput", "true"), ("unknown", "x")],
    ] {
        canary.reset();
        let answer = hook(&service, "/", &metadata);
        let length = ("Content-Length".to_owned(), "0".to_owned());
        assert_eq!(answer, Answer { status: 202, headers: vec![length], body: String::new() }, "{metadata:?}");
        until(&service, |canary| canary["unjudged"].as_array().unwrap().iter().all(|load| load["stage"] == "over"));
        assert_eq!(requests(&canary), 20, "{metadata:?}");
    }
}

#[test]
fn what_is_no_load_line_is_refused_in_the_loadtesters_words_or_better() {
    let service = Service::start(Wanted::default());
    for (metadata, start, why) in [
        (&[][..], "metadata not found in payload", "none"),
        (&[("logCmdOutput", "true")], "cmd not found in metadata", "no line"),
        (&[("type", "cmd")], "cmd not found in metadata", "no line"),
        (&[("cmd", " ")], "cmd: the command is empty", "the loadtester ran nothing and was content"),
        (&[("type", "shell"), ("cmd", "x")], "unknown task type shell", "the loadtester hung up"),
        (&[("type", ""), ("cmd", "x")], "unknown task type ", "the loadtester hung up"),
        (
            &[("type", "helm"), ("cmd", "test x")],
            "cmd: helm is a program that is not built in; or start tollgate serve with --enable-exec=helm",
            "no other programs",
        ),
        (&[("cmd", "wrk -d 1m http://podinfo.test")], "cmd: 'wrk' is a program that is not built in", "no hey line"),
        (
            &[("cmd", "curl -s http://a.test"), ("slo", "p99<1s")],
            "cmd: got '***', expected a hey or ghz line",
            "nothing to judge",
        ),
        (&[("cmd", "hey podinfo.test/status/500")], "cmd: got '***', expected a hey or ghz line", "no scheme"),
        (&[("cmd", "hey http://a.test"), ("slo", "p99>5")], "slo: ", "an objective that cannot be read"),
    ] {
        let answer = hook(&service, "/", metadata);
        assert!(answer.status == 400 && answer.body.starts_with(start), "{why}: {answer:?}");
    }
    for (metadata, said) in [
        (&[("url", "http://a.test"), ("sol", "p99<1s")][..], "did you mean slo?"),
        (&[("type", "bash"), ("cmd", "hey http://a.test")], "type"),
        (&[("slo", "p99<1s")], "there is no target: give cmd, or url"),
    ] {
        let answer = hook(&service, "/rollout", metadata);
        assert!(answer.status == 400 && answer.body.contains(said), "{said}: {answer:?}");
    }
    let started = service.get("/api/v1/canaries").json();
    let loads = started["canaries"].as_array().unwrap().iter().all(|canary| canary["unjudged"] == json!([]));
    assert!(loads, "nothing was started: {started}");
}

#[test]
fn hooks_before_and_after_an_analysis_judge_nothing_and_end_it() {
    let (service, canary) = (Service::start(Wanted::default()), practice(""));
    let target = url(&canary, "/");
    let metadata =
        [("url", target.as_str()), ("rate", "20"), ("duration", "30s"), ("wait", "0s"), ("ready-wait", "0s")];
    assert_eq!(hook(&service, "/rollout", &metadata).status, 202);
    assert_eq!(until(&service, |canary| !canary["run"].is_null())["run"]["checksum"], "85d557f47b");
    for phase in ["Initialized", "Waiting", "Succeeded", "Failed", "Nonsense"] {
        for path in ["/rollout", "/pre-rollout", "/confirm"] {
            let answer = post(service.addr, path, &in_phase(phase, &metadata));
            assert!(answer.status == 400 && answer.body.contains("Progressing"), "{phase} {path}: {answer:?}");
        }
        let rollback = post(service.addr, "/rollback", &in_phase(phase, &[]));
        assert!([400, 412].contains(&rollback.status), "{phase}: {rollback:?}");
    }
    assert!(until(&service, |canary| canary["run"].is_null())["run"].is_null());
}

#[test]
fn the_article_s_hook_is_accepted_as_it_stands_and_judged_where_the_service_has_an_objective() {
    let canary = practice("");
    let cmd = format!("hey -z 1m -q 10 -c 2 -host payment-service:8080 {}", url(&canary, "/"));
    let metadata = [("cmd", cmd.as_str()), ("wait", "0s"), ("ready-wait", "0s")];
    let plain = Service::start(Wanted::default());
    assert_eq!(hook(&plain, "/", &metadata).short(), (202, ""));
    let objective = Some(Objective::read("success>=99.5%, p99<=1s", false).unwrap().into());
    let judging = with(Settings { hook: Hook { objective, ..Hook::default() }, ..Settings::default() });
    let first = hook(&judging, "/", &metadata);
    assert!(first.status == 202 && first.body.starts_with("MEASURING podinfo.test: "), "{first:?}");
    assert_eq!(hook(&judging, "/", &metadata).status, 425, "once in an analysis");
    // Outside an analysis there is no revision to judge.
    assert_eq!(post(judging.addr, "/", &in_phase("Succeeded", &metadata)).short(), (202, ""));
}

#[test]
fn load_goes_nowhere_that_is_not_allowed() {
    let service = Service::start(Wanted::default());
    let metadata = [("cmd", "hey http://169.254.169.254/latest/meta-data"), ("slo", "p99<1s")];
    for path in ["/", "/rollout", "/pre-rollout", "/confirm"] {
        let answer = hook(&service, path, &metadata);
        assert!(answer.status == 403 && answer.body.contains("link-local"), "{path}: {answer:?}");
    }
    let beside = [("cmd", "hey http://127.0.0.1:9/"), ("slo", "p99<=primary"), ("primary", "http://169.254.169.254/")];
    let answer = hook(&service, "/rollout", &beside);
    assert!(answer.status == 403 && answer.body.contains("link-local"), "nor does the load beside it: {answer:?}");
    let targets = Targets::matching(r".+-canary\.test:80").unwrap();
    let fenced = with(Settings { targets, ..Settings::default() });
    let answer = hook(&fenced, "/", &[("cmd", "hey http://127.0.0.1:9/")]);
    let expected = "target: 127.0.0.1:9 is not one that --allow-target allows";
    assert_eq!(answer.short(), (403, expected));
}

#[test]
fn a_load_beyond_the_budgets_is_refused_and_those_that_run_go_on() {
    let canary = practice("");
    let budgets = Budgets { tasks: 1, duration: Some(Duration::from_secs(60)), ..Budgets::default() };
    let service = with(Settings { runs: Runs { budgets, ..Runs::default() }, ..Settings::default() });
    let line = |rest: &str| format!("hey {rest} {}", url(&canary, "/"));
    assert_eq!(hook(&service, "/", &[("cmd", &line("-z 2m -q 1 -c 1"))]).status, 424, "too long");
    assert_eq!(hook(&service, "/", &[("cmd", &line("-z 30s -q 1 -c 1"))]).short(), (202, ""));
    assert_eq!(hook(&service, "/", &[("cmd", &line("-z 30s -q 1 -c 1"))]).short(), (202, ""), "the same is one load");
    let full = hook(&service, "/", &[("cmd", &line("-z 30s -q 2 -c 1"))]);
    assert!(full.status == 424 && full.body.contains("tollgate is full: 1 of 1 tasks"), "{full:?}");
}

#[test]
fn the_service_that_users_reach_cannot_be_judged_before_the_first_weight() {
    let service = Service::start(Wanted::default());
    let answer = hook(&service, "/pre-rollout", &[("cmd", "hey -z 1m -q 10 -c 2 http://podinfo.test:9898/")]);
    assert!(answer.status == 400 && answer.body.contains("-canary service"), "{answer:?}");
}

#[test]
fn an_answer_whose_caller_has_left_is_given_to_the_same_request() {
    let (service, canary) = (Service::start(Wanted::default()), practice(""));
    let target = url(&canary, "/");
    let metadata =
        [("url", target.as_str()), ("rate", "20"), ("duration", "1m"), ("wait", "500ms"), ("ready-wait", "0s")];
    let body = payload(&metadata);
    let mut left = TcpStream::connect(service.addr).unwrap();
    write!(left, "POST /rollout HTTP/1.1\r\nHost: t\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    until(&service, |canary| !canary["run"].is_null());
    drop(left);
    until(&service, |canary| !canary["history"].as_array().unwrap().is_empty());
    let again = hook(&service, "/rollout", &metadata);
    assert!(again.status == 202 && again.body.starts_with("MEASURING"), "the one of the run: {again:?}");
    assert_eq!(hook(&service, "/rollout", &metadata).status, 425, "it has arrived");
}

#[test]
fn shadow_mode_stops_nothing_and_says_what_it_would_do() {
    let canary = practice("errors 100%");
    let service = with(Settings { runs: Runs { shadow: true, ..Runs::default() }, ..Settings::default() });
    let cmd = format!("hey -z 1m -q 20 -c 2 -host podinfo-canary {}", url(&canary, "/"));
    let answer =
        hook(&service, "/rollout", &[("cmd", &cmd), ("wait", "20s"), ("warmup", "0s"), ("slo", "success>=99%")]);
    assert!(answer.status == 202 && answer.body.starts_with("SHADOW podinfo.test: would fail: "), "{answer:?}");
    assert_eq!(hook(&service, "/rollback", &[]).status, 412);
}

#[test]
fn a_caller_may_have_json_and_an_open_rollback_gate_rolls_back() {
    let service = Service::start(Wanted::default());
    let json = |path: &str, body: &str| {
        crate::service::ask(service.addr, "POST", path, &[("Accept", "application/json")], body.as_bytes())
    };
    let early = json("/rollback", &payload(&[]));
    assert_eq!((early.status, early.json()["status"].as_u64()), (425, Some(425)));
    assert_eq!(service.post("/rollback/open", &payload(&[("by", "ann"), ("why", "complaints")])).status, 202);
    let given_up = hook(&service, "/rollback", &[]);
    let start = "ROLLBACK podinfo.test: the rollback gate was opened by ann (127.0.0.1): complaints";
    assert_eq!(given_up.short(), (200, start));
}

#[test]
fn whoever_is_to_be_told_of_verdicts_is_told_of_those_that_decide() {
    let canary = practice("errors 100%");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let notify = Notify::new(&format!("http://{}/verdicts", listener.local_addr().unwrap())).unwrap();
    let service = with(Settings { notify: Some(notify), ..Settings::default() });
    assert_eq!(hook(&service, "/confirm", &[]).status, 425, "nothing is decided");
    let cmd = format!("hey -z 1m -q 20 -c 2 {}", url(&canary, "/"));
    let failed =
        hook(&service, "/rollout", &[("cmd", &cmd), ("wait", "20s"), ("warmup", "0s"), ("slo", "success>=99%")]);
    assert_eq!(failed.status, 412);
    let (mut stream, _) = listener.accept().unwrap();
    let (mut told, mut piece) = (String::new(), [0; 4096]);
    while !told.ends_with('}') {
        let read = stream.read(&mut piece).unwrap();
        told.push_str(std::str::from_utf8(&piece[..read]).unwrap());
    }
    write!(stream, "HTTP/1.1 204 No Content\r\n\r\n").unwrap();
    assert!(told.starts_with("POST /verdicts HTTP/1.1\r\n"), "{told}");
    let body: Value = serde_json::from_str(told.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(
        (&body["text"], &body["verdict"], &body["hook"]),
        (&json!(failed.body), &json!("fail"), &json!("/rollout"))
    );
}
