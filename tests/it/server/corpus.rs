//! The hooks of Flagger's own documentation, examples and tests (`tests/data/flagger-hooks.jsonl`), as Flagger would post
//! them: all can be read, and those that ask about gates are answered.

use serde_json::{Value, json};

use crate::flagger::{as_go, post};
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

#[test]
fn every_hook_of_flaggers_own_is_answered() {
    let service = Service::start(Wanted::default());
    let mut gates = 0;
    // Two come from a chart, with a template for an address.
    for hook in hooks().into_iter().filter(|hook| hook["url"].as_str().unwrap().starts_with("http://")) {
        let url: url::Url = hook["url"].as_str().unwrap().parse().unwrap_or_else(|e| panic!("{e}: {hook}"));
        let answer = post(service.addr, url.path(), &body(&hook));
        let expected = match url.path() {
            "/gate/approve" => (200, "OK"),
            "/gate/check" | "/gate/halt" | "/rollback/check" => (403, "Forbidden"),
            _ => {
                assert_eq!(answer.status, 404, "{hook}");
                continue;
            }
        };
        gates += 1;
        assert_eq!(answer.short(), expected, "{hook}");
    }
    assert_eq!(gates, 9);
}
