//! The hooks of Flagger's own documentation, examples and tests (`tests/data/flagger-hooks.jsonl`), as Flagger would post
//! them: all can be read, and those that ask about gates are answered.

use serde_json::{Value, json};

use super::post;
use crate::flagger::as_go;
use crate::practice::practice;
use crate::service::{Service, Wanted};
use crate::source::root;
use tollgate::server::Payload;

fn hooks() -> Vec<Value> {
    let text = std::fs::read_to_string(root().join("tests/data/flagger-hooks.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn body(hook: &Value) -> String {
    let mut payload = json!({"name": "podinfo", "namespace": "test", "phase": "Progressing", "checksum": "85d557f47b"});
    if let Some(metadata) = hook.get("metadata") {
        payload["metadata"] = metadata.clone();
    }
    as_go(&payload.to_string())
}

#[test]
fn every_hook_of_flaggers_own_is_read_as_it_was_meant() {
    let hooks = hooks();
    assert_eq!(hooks.len(), 99);
    let mut refused = Vec::new();
    for hook in &hooks {
        match Payload::read(body(hook).as_bytes()) {
            Ok(payload) => {
                let metadata = hook.get("metadata").cloned().unwrap_or_else(|| json!({}));
                assert_eq!(json!(payload.metadata), sorted(&metadata), "{hook}");
                assert_eq!(payload.canary.to_string(), "podinfo.test");
            }
            Err(error) => refused.push(error.to_string()),
        }
    }
    // One example in the documentation forgets the quotes; Kubernetes would not take it either.
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0].contains("metadata clone: invalid type: integer `100`, expected a string"), "{refused:?}");
}

/// Members in the order of their names.
fn sorted(object: &Value) -> Value {
    let members: std::collections::BTreeMap<_, _> = object.as_object().unwrap().iter().collect();
    json!(members)
}

/// The hook's body with every target at `there`, where the names of its cluster would lead.
fn body_to(hook: &Value, there: &str) -> String {
    let mut hook = hook.clone();
    let cmd = hook["metadata"]["cmd"].as_str().map(|cmd| {
        let hosts = regex::Regex::new(r"https?://[^/\s']+").unwrap();
        let cmd = hosts.replace_all(cmd, there);
        // gRPC's hosts have no scheme.
        regex::Regex::new(r"\bpodinfo[.\w-]*:9\d{3}$").unwrap().replace(&cmd, &there["http://".len()..]).into_owned()
    });
    if let Some(cmd) = cmd {
        hook["metadata"]["cmd"] = json!(cmd);
    }
    body(&hook)
}

/// What a hook of that path and metadata is answered: status, and how the text begins.
fn expected(path: &str, metadata: &Value) -> (u16, &'static str) {
    let text = |key: &str| metadata[key].as_str().unwrap_or_default();
    match path {
        "/gate/approve" => (200, "OK"),
        "/gate/check" | "/gate/halt" | "/rollback/check" => (403, "Forbidden"),
        "/" if metadata["clone"].is_number() => (400, "the body is no hook of Flagger's: metadata clone"),
        "/" => match (text("type"), text("cmd").split(' ').next()) {
            ("" | "cmd", Some("hey" | "ghz")) => (202, ""),
            ("bash", Some("curl" | "grpc_health_probe")) => (200, ""),
            ("" | "cmd", Some("curl")) => (202, ""),
            ("" | "cmd", Some("")) => (400, "cmd not found in metadata"),
            ("concord", _) => (400, "type: concord sends the file "),
            (_, _) => (400, "cmd: "),
        },
        _ => (404, "no such path; there are "),
    }
}

#[test]
fn every_hook_of_flaggers_own_is_answered() {
    let (service, canary) = (Service::start(Wanted::default()), practice(""));
    let there = format!("http://{}", canary.addr());
    let mut loads = 0;
    // Two come from a chart, with a template for an address.
    for hook in hooks().into_iter().filter(|hook| hook["url"].as_str().unwrap().starts_with("http://")) {
        let url: url::Url = hook["url"].as_str().unwrap().parse().unwrap_or_else(|e| panic!("{e}: {hook}"));
        let answer = post(service.addr, url.path(), &body_to(&hook, &there));
        let (status, start) = expected(url.path(), &hook["metadata"]);
        assert!(answer.status == status && answer.body.starts_with(start), "{hook}: {answer:?}");
        assert!(status != 202 || answer.body.is_empty(), "{hook}: {answer:?}");
        // One more is a request that nobody waits for.
        let is_load = |cmd: &str| cmd.starts_with("hey") || cmd.starts_with("ghz");
        loads += u32::from(status == 202 && hook["metadata"]["cmd"].as_str().is_some_and(is_load));
    }
    assert_eq!(loads, 56);
    let shown = service.get("/api/v1/canaries").json();
    let running = shown["canaries"][0]["unjudged"].as_array().unwrap().len();
    // Equal plans are one load, whoever asks.
    assert!((20..56).contains(&running), "{running}");
    service.post("/api/v1/stop", "");
}
