//! What Flagger's loadtester answers, to the byte, and where the answer differs on purpose.

use crate::service::{Answer, Service, Wanted, ask};
use tollgate::server::Settings;

const WHO: &str = r#"{"name":"podinfo","namespace":"test"}"#;

fn text(status: u16, body: &str) -> Answer {
    let length = ("Content-Length".to_owned(), body.len().to_string());
    let kind = ("Content-Type".to_owned(), "text/plain; charset=utf-8".to_owned());
    Answer { status, headers: vec![length, kind], body: body.to_owned() }
}

/// Without a body there is no content type either.
fn empty(status: u16) -> Answer {
    Answer { status, headers: vec![("Content-Length".to_owned(), "0".to_owned())], body: String::new() }
}

#[test]
fn every_old_path_answers_as_it_did() {
    let service = Service::start(Wanted::default());
    for (path, body, expected, why) in [
        ("/healthz", "", text(200, "OK"), "alive"),
        ("/gate/approve", "", text(200, "OK"), "always open, whoever asks"),
        ("/gate/approve", "no JSON", text(200, "OK"), "and whatever they say"),
        ("/gate/halt", "", text(403, "Forbidden"), "always closed"),
        ("/gate/check", WHO, text(403, "Forbidden"), "closed until opened"),
        ("/gate/open", WHO, empty(202), "opened"),
        ("/gate/check", WHO, text(200, "Approved"), "and now open"),
        ("/rollback/check", WHO, text(403, "Forbidden"), "which is not the rollback gate"),
        ("/gate/check?x=1", WHO, text(200, "Approved"), "queries do not matter"),
        ("/gate/close", WHO, empty(202), "closed"),
        ("/gate/check", WHO, text(403, "Forbidden"), "and no longer open"),
        ("/gate/close", WHO, empty(202), "closing twice is no mistake"),
        ("/rollback/open", WHO, empty(202), "opened"),
        ("/rollback/check", WHO, text(200, "Approved"), "and now open"),
        ("/gate/check", WHO, text(403, "Forbidden"), "which is not the confirm gate"),
        ("/rollback/close", WHO, empty(202), "closed"),
        ("/rollback/check", WHO, text(403, "Forbidden"), "and no longer open"),
        ("/gate/open", "null", empty(202), "a payload of nothing is a canary without a name"),
        ("/gate/check", "{}", text(200, "Approved"), "the same one"),
        ("//gate/check", "{}", text(200, "Approved"), "where Go's server sends callers on"),
    ] {
        assert_eq!(service.post(path, body), expected, "{path} {body}: {why}");
    }
}

#[test]
fn neither_method_nor_content_type_nor_case_of_members_matters() {
    let service = Service::start(Wanted::default());
    assert_eq!(service.post("/gate/open", WHO), empty(202));
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"] {
        assert_eq!(ask(service.addr, method, "/gate/check", &[], WHO.as_bytes()), text(200, "Approved"), "{method}");
    }
    let head = ask(service.addr, "HEAD", "/gate/check", &[], WHO.as_bytes());
    assert_eq!((head.headers, head.body.as_str()), (text(200, "Approved").headers, ""));
    for kind in ["application/x-www-form-urlencoded", "application/json", "text/html", "nonsense"] {
        let answer = ask(service.addr, "POST", "/gate/check", &[("Content-Type", kind)], WHO.as_bytes());
        assert_eq!(answer, text(200, "Approved"), "{kind}");
    }
    let shouted = r#" {"NAMESPACE":"test","x":[1],"Name":"other","nAME":"podinfo"} "#;
    assert_eq!(service.post("/gate/check", shouted), text(200, "Approved"));
}

#[test]
fn a_confirm_gate_of_an_odd_name_is_not_a_rollback_gate() {
    let service = Service::start(Wanted::default());
    assert_eq!(service.post("/gate/open", r#"{"name":"rollback.a","namespace":"b"}"#), empty(202));
    assert_eq!(service.post("/rollback/check", r#"{"name":"a","namespace":"b"}"#), text(403, "Forbidden"));
    assert_eq!(service.post("/gate/open", r#"{"name":"a.b","namespace":"c"}"#), empty(202));
    assert_eq!(service.post("/gate/check", r#"{"name":"a","namespace":"b.c"}"#), text(403, "Forbidden"));
}

#[test]
fn a_body_that_is_no_hook_is_refused_as_before_and_told_why() {
    let service = Service::start(Wanted::default());
    let start = "the body is no hook of Flagger's: ";
    for body in ["", "[]", "{", "\u{feff}{}", "{} x", r#"{"name":1}"#, r#"{"metadata":{"a":1}}"#, r#""text""#] {
        let gates = ["/gate/check", "/gate/open", "/gate/close", "/rollback/check", "/event", "/post-rollout"];
        for path in gates.into_iter().chain(["/", "/rollout", "/pre-rollout", "/confirm", "/rollback"]) {
            let answer = service.post(path, body);
            assert!(answer.status == 400 && answer.body.starts_with(start), "{path} {body}: {answer:?}");
        }
    }
}

#[test]
fn canaries_of_other_namespaces_are_forbidden() {
    let namespaces = Some(regex::Regex::new("^(test|prod-.*)$").unwrap());
    let service =
        Service::start(Wanted { settings: Settings { namespaces, ..Settings::default() }, ..Wanted::default() });
    let gates = ["/gate/check", "/gate/open", "/gate/close", "/rollback/open", "/event", "/post-rollout"];
    for path in gates.into_iter().chain(["/", "/rollout", "/pre-rollout", "/confirm", "/rollback"]) {
        let answer = service.post(path, r#"{"name":"podinfo","namespace":"other"}"#);
        assert_eq!(answer, text(403, "Forbidden"), "{path}");
    }
    assert_eq!(service.post("/gate/approve", r#"{"name":"podinfo","namespace":"other"}"#), text(200, "OK"));
    assert_eq!(service.post("/gate/open", r#"{"name":"podinfo","namespace":"prod-eu"}"#), empty(202));
}

#[test]
fn a_path_that_is_not_there_lists_those_that_are() {
    let service = Service::start(Wanted::default());
    let list = "no such path; there are / /rollout /pre-rollout /confirm /rollback /gate/check /gate/open /gate/close \
                /gate/approve /gate/halt /rollback/check /rollback/open /rollback/close /event /post-rollout \
                /alertmanager /healthz /readyz /metrics\n\
                and /api/v1/gates /api/v1/gates/{namespace}/{name} /api/v1/canaries \
                /api/v1/canaries/{namespace}/{name} /api/v1/canaries/{namespace}/{name}/verdict \
                /api/v1/canaries/{namespace}/{name}/override /api/v1/canaries/{namespace}/{name}/stop /api/v1/stop \
                /api/v1/log-level /api/v1/openapi.json";
    for path in ["/x/y", "/gate/check/", "/GATE/check", "/rollback/", "/metrics/", "/rollout/x"] {
        assert_eq!(service.post(path, WHO).short(), (404, list), "{path}");
    }
}

#[test]
fn who_asks_for_json_gets_json() {
    let service = Service::start(Wanted::default());
    let json = |path: &str, body: &str| {
        let answer = ask(service.addr, "POST", path, &[("Accept", "application/json")], body.as_bytes());
        let kind = answer.headers.iter().find(|(name, _)| name == "Content-Type").unwrap().1.clone();
        (answer.status, kind, answer.json().to_string())
    };
    let message = r#"{"status":202,"message":""}"#.to_owned();
    assert_eq!(json("/gate/open", WHO), (202, "application/json".to_owned(), message));
    let problem = r#"{"type":"about:blank","title":"Forbidden","status":403,"detail":"Forbidden"}"#.to_owned();
    assert_eq!(json("/gate/halt", ""), (403, "application/problem+json".to_owned(), problem));
}
