//! The OpenAPI document: complete, valid, and what is served. Each answer that any test gets of a service is held against
//! it where it is received.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::{Value, json};

use crate::openapi::{DOCUMENT, TEXT, hold};
use crate::python::python;
use crate::service::{Answer, Service, Wanted, ask};
use crate::source::root;
use tollgate::server::Settings;
use tollgate::task::Targets;

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
    let Some(python) = python("openapi_spec_validator", "PyPI: openapi-spec-validator") else { return };
    let program = "import json, sys, openapi_spec_validator as v; v.validate(json.load(open(sys.argv[1])))";
    let output = Command::new(python).args(["-c", program]).arg(root().join("docs/openapi.json")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn schemathesis_gets_no_answer_that_the_document_does_not_have() {
    let Some(python) = python("schemathesis", "PyPI") else { return };
    // Loads that it makes up go nowhere.
    let targets = Targets::matching(r"127\.0\.0\.1:1").unwrap();
    let service = Service::start(Wanted { settings: Settings { targets, ..Settings::default() }, ..Wanted::default() });
    // Not asked: whether what fits the document is accepted and the rest refused. Bodies are read as Go reads them, and
    // what a line in them means is beyond a schema.
    let checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                  response_schema_conformance";
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(python)
        .current_dir(&folder)
        .args(["-m", "schemathesis.cli", "run", "--url", &format!("http://{}", service.addr)])
        // As text some answers are empty, of no type, as the loadtester's.
        .args(["--header", "Accept: application/json", "--checks", checks, "--phases", "coverage,fuzzing"])
        .args([
            "--max-examples",
            "8",
            "--generation-deterministic",
            "--no-shrink",
            "--continue-on-failure",
            "--no-color",
        ])
        .args(["--suppress-health-check", "all", "--request-timeout", "10"])
        .arg(root().join("docs/openapi.json"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("test cases") || said.contains("Test cases"), "it did nothing: {said}");
    assert_eq!(service.get("/healthz").status, 200);
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
        let allowed = answer.headers.iter().find(|(name, _)| name == "Allow").map(|(_, value)| value.as_str());
        assert_eq!(allowed, (status == 405).then_some("GET, HEAD"), "{path}");
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
