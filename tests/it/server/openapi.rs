//! The OpenAPI document: complete, valid, and what is served. Each answer that any test gets of a service is held against
//! it where it is received.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::{Value, json};

use crate::openapi::{DOCUMENT, TEXT, hold};
use crate::service::{Answer, Service, Wanted, ask};
use crate::source::root;

#[test]
fn the_document_is_served_and_has_every_path_of_the_service_and_no_other() {
    let service = Service::start(Wanted::default());
    let served = service.get("/api/v1/openapi.json");
    assert_eq!((served.status, served.body.as_str()), (200, TEXT));
    assert_eq!(DOCUMENT["info"]["version"], env!("CARGO_PKG_VERSION"));
    let list = service.get("/nothing").body;
    let there = list.split_whitespace().filter(|word| word.starts_with('/')).collect::<BTreeSet<_>>();
    let described = DOCUMENT["paths"].as_object().unwrap().keys().map(String::as_str).collect::<BTreeSet<_>>();
    assert_eq!(described, there);
    let webhooks = std::fs::read_to_string(root().join("docs/webhooks.md")).unwrap();
    for path in there {
        assert!(webhooks.contains(&format!("{path}`")), "docs/webhooks.md has no {path}");
    }
}

#[test]
fn a_validator_of_openapi_finds_nothing_wrong_with_the_document() {
    let program = "import json, sys\n\
                   try:\n    import openapi_spec_validator as v\n\
                   except ImportError:\n    sys.exit(77)\n\
                   v.validate(json.load(open(sys.argv[1])))";
    let file = root().join("docs/openapi.json");
    let Ok(output) = Command::new("python3").args(["-c", program]).arg(file).output() else {
        eprintln!("skipped: there is no python3");
        return;
    };
    if output.status.code() == Some(77) {
        eprintln!("skipped: openapi-spec-validator is not installed (PyPI)");
        return;
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn problems_of_the_api_are_json_for_everybody_and_those_of_hooks_for_who_accepts_it() {
    let service = Service::start(Wanted::default());
    for (method, path, status, title, detail) in [
        ("GET", "/api/v1/canaries/test/nobody", 404, "Not Found", "no hook has spoken of this canary"),
        ("POST", "/api/v1/gates", 405, "Method Not Allowed", "expected GET"),
        ("PUT", "/api/v1/log-level", 400, "Bad Request", "got '', expected debug, info, warn or error"),
        ("GET", "/api/v1/canaries/%ff/x", 400, "Bad Request", "the path cannot be read"),
    ] {
        let answer = ask(service.addr, method, path, &[], b"");
        let kind = answer.headers.iter().find(|(name, _)| name == "Content-Type").unwrap();
        assert_eq!((answer.status, kind.1.as_str()), (status, "application/problem+json"), "{path}");
        let problem = json!({"type": "about:blank", "title": title, "status": status, "detail": detail});
        assert_eq!(answer.json(), problem, "{path}");
    }
    let nowhere = service.get("/api/v2");
    assert_eq!((nowhere.status, &nowhere.json()["status"]), (404, &json!(404)));
    assert_eq!(service.post("/gate/halt", "").short(), (403, "Forbidden"), "Flagger shows it as it is");
}

/// An answer of that status and body.
fn answer(status: u16, kind: &str, body: &Value) -> Answer {
    let headers = vec![("Content-Type".to_owned(), kind.to_owned())];
    Answer { status, headers, body: body.to_string() }
}

#[test]
fn the_document_refuses_what_it_does_not_describe() {
    let path = "/api/v1/gates";
    let good = answer(200, "application/json", &json!({"gates": []}));
    hold("GET", path, &good);
    for (bad, why) in [
        (answer(200, "application/json", &json!({"gates": [], "more": 1})), "a member more"),
        (answer(200, "application/json", &json!({})), "one less"),
        (answer(200, "text/plain", &json!({"gates": []})), "another type"),
        (answer(418, "application/json", &json!({"gates": []})), "another status"),
        (answer(405, "application/problem+json", &json!({"status": 405})), "no problem as it should be"),
    ] {
        assert!(std::panic::catch_unwind(|| hold("GET", path, &bad)).is_err(), "{why}");
    }
}
