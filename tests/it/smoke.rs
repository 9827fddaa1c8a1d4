//! `tollgate smoke` against the practice canary: what passes, what fails with which code, and what is said.

use std::path::PathBuf;

use rustix::process::Signal;
use serde_json::Value;

use crate::calls::{Calls, Said};
use crate::practice::{practice, url};
use crate::tollgate::{Ended, Running, run, tollgate};

/// A folder with files.
struct Files(tempfile::TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// Everything that podinfo's users ask it.
const PODINFO: &str = r#"
name: podinfo
defaults: {timeout: 5s}
steps:
  - {name: ready, url: /readyz, retry: 10s, expect: {json: {$.status: OK}}}
  - {name: healthy, url: /healthz, expect: {status: 200, time: 5s}}
  - name: version
    url: /version
    expect: {headers: {content-type: application/json}, json-match: {$.version: '^\d+\.\d+\.\d+$'}}
    capture: {version: {json: $.version}}
  - name: login
    url: /token
    json: {user: ada, request: "{{uuid}}"}
    expect: {json: {$.expires_in_seconds: 60}}
    capture: {token: {body: '"token":"practice-([0-9a-f]+)"'}}
  - name: home
    url: /?token={{token}}
    headers: {Authorization: "Bearer {{token}}"}
    expect: {body-contains: practice canary, body-lacks: error, json: {$.version: "{{version}}"}}
  - {name: teapot, url: /status/418, expect: {status: 4xx}}
  - {name: late, url: /delay/0.05, expect: {json: {$.delay_seconds: 0.05}}}
  - {name: over HTTP/2, url: /, protocol: http2}
  - {name: over gRPC, url: /, protocol: grpc}
"#;

fn smoke(files: &Files, base: &str, words: &[&str]) -> Ended {
    let words = ["smoke", "--base", base].into_iter().chain(words.iter().copied());
    let mut command = tollgate(words);
    command.current_dir(files.0.path());
    Running::start(command).finish()
}

#[test]
fn everything_that_podinfo_answers_passes() {
    let server = practice("");
    let files = Files::new(&[("podinfo.yaml", PODINFO)]);
    let ended = smoke(&files, &url(&server, ""), &["podinfo.yaml"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines[0], "podinfo (podinfo.yaml)");
    assert!(lines[1..10].iter().all(|line| line.starts_with("  ✓ ")), "{}", ended.stdout);
    assert!(lines[10].starts_with("PASS  9 of 9 steps passed in "), "{}", ended.stdout);
    let truth = server.truth();
    assert_eq!((truth.received, truth.errors()), (9, 1), "only the teapot answers with an error");
}

#[test]
fn grpc_methods_are_called_by_name_as_documented() {
    let server = practice("");
    let docs = std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/smoke.md")).unwrap();
    let example = docs.split("## gRPC calls").nth(1).and_then(|text| text.split("```").nth(1)).unwrap();
    let proto = "syntax = \"proto3\"; package tollgate.practice; message Message { string text = 1; } \
                 service Echo { rpc Echo(Message) returns (Message); }";
    let files = Files::new(&[("calls.yaml", example.strip_prefix("yaml\n").unwrap()), ("echo.proto", proto)]);
    let ended = smoke(&files, &url(&server, ""), &["calls.yaml"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    assert!(ended.stdout.contains("  ✓ health  CALL grpc.health.v1.Health/Check  pass in "), "{}", ended.stdout);
    assert!(ended.stdout.contains("\nPASS  5 of 5 steps passed in "), "{}", ended.stdout);
    let calls = &server.truth().to_json(false)["grpc_statuses"];
    assert_eq!((&calls["5"], calls["0"].as_u64() >= Some(203)), (&1.into(), true), "{calls}");
}

#[test]
fn a_call_that_is_not_as_expected_says_what_it_was() {
    let server = practice("");
    let failing = Calls::start(|_, _| Said {
        fields: vec![("grpc-status", "14"), ("grpc-message", "no%20healthy upstream")],
        body: Vec::new(),
        status: None,
        endless: false,
    });
    let (base, closed) = (url(&server, ""), url(&practice(""), ""));
    let echo = "call: tollgate.practice.Echo/Echo, json: {text: a}";
    for (base, keys, code, said) in [
        (&base, format!("{echo}, expect: {{json: {{$.text: b}}}}"), 1, "s: json.$.text: got '\"a\"', expected \"b\""),
        (&base, format!("{echo}, expect: {{grpc-status: 5}}"), 1, "s: grpc-status: got 0 OK, expected 5 NOT_FOUND"),
        (
            &base,
            "call: tollgate.practice.Echo/Nope".to_owned(),
            1,
            "s: answer: tollgate.practice.Echo has no method Nope",
        ),
        (
            &base,
            "call: tollgate.practice.Echo/Nope, slo: 'success>=99%', requests: 9".to_owned(),
            1,
            "s: tollgate.practice",
        ),
        (&base, "call: tollgate.practice.Echo/Echo, json: {text: 7}".to_owned(), 1, "s: answer: at text: "),
        (&closed, echo.to_owned(), 1, "s: answer: 127.0.0.1"),
        (
            &failing.url(""),
            "call: grpc.health.v1.Health/Check".to_owned(),
            1,
            "s: grpc-status: got 14 UNAVAILABLE (no healthy upstream), expected 0 OK",
        ),
        (&base, format!("{echo}, expect: {{status: 200}}"), 2, ""),
        (&base, "expect: {grpc-status: OK}".to_owned(), 2, ""),
        (&base, format!("{echo}, expect: {{grpc-status: 17}}"), 2, ""),
        (&base, "call: grpc.health.v1.Health/Check, json: {service: 7}".to_owned(), 2, ""),
    ] {
        let files =
            Files::new(&[("smoke.yaml", format!("steps: [{{name: s, url: /, timeout: 5s, {keys}}}]").as_str())]);
        let ended = smoke(&files, base, &["smoke.yaml"]);
        assert_eq!(ended.code, Some(code), "{keys}\n{ended:#?}");
        assert!(ended.stdout.contains(said), "{keys}\n{}", ended.stdout);
    }
}

#[test]
fn each_way_to_fail_has_its_exit_code_and_reason() {
    let server = practice("");
    let step = |keys: &str| format!("steps:\n  - {{name: s, {keys}}}\n  - {{name: after, url: /}}\n");
    let base = url(&server, "");
    let closed = url(&practice(""), "");
    for (base, keys, code, word, said) in [
        (&base, "url: /status/503", 1, "FAIL", "s: status: got 503, expected 200-399"),
        (
            &base,
            "url: /, expect: {json: {$.version: v2}}",
            1,
            "FAIL",
            "s: json.$.version: got '\"0.1.0\"', expected \"v2\"",
        ),
        (&base, "url: /delay/30, timeout: 50ms", 1, "FAIL", "s: answer: not whole within 50ms"),
        (&closed, "url: /, timeout: 5s", 1, "UNREACHABLE", "s: answer: "),
        (
            &base,
            "url: /status/500, requests: 200, connections: 2, slo: success>=99%",
            1,
            "FAIL",
            "s: success>=99% was 0%",
        ),
        (
            &base,
            "url: /, requests: 10, slo: success>=99%",
            3,
            "INSUFFICIENT",
            "s: success>=99%: needs 100 requests, has 10 (0 bad so far)",
        ),
    ] {
        let files = Files::new(&[("smoke.yaml", step(keys).as_str())]);
        let ended = smoke(&files, base, &["smoke.yaml"]);
        let last = ended.stdout.lines().last().unwrap_or_default();
        assert_eq!(ended.code, Some(code), "{keys}\n{ended:#?}");
        assert!(last.starts_with(&format!("{word}  0 of 2 steps passed in ")), "{keys}: {last}");
        assert!(last.contains(&format!("; {said}")), "{keys}: {last}");
        assert!(ended.stdout.contains("  - after  GET /  skipped: 's' did not pass\n"), "{keys}\n{}", ended.stdout);
    }
}

#[test]
fn a_target_that_comes_up_late_is_waited_for() {
    // Of ten requests nine are errors, the first and the eleventh not among them.
    let server = practice("errors 90%, error-status 503");
    let text = "steps:\n  - {name: before, url: /}\n  - {name: ready, url: /readyz, retry: {for: 60s, every: 1ms}}\n";
    let files = Files::new(&[("smoke.yaml", text)]);
    let ended = smoke(&files, &url(&server, ""), &["-o", "json", "smoke.yaml"]);
    let json: Value = serde_json::from_str(&ended.stdout).unwrap();
    let step = &json["suites"][0]["steps"][1];
    assert_eq!((ended.code, &step["decision"], &step["tries"]), (Some(0), &"pass".into(), &10.into()), "{ended:#?}");
    let gone = Files::new(&[("smoke.yaml", "steps: [{name: ready, url: /status/503, retry: {for: 1s, every: 1ms}}]")]);
    let ended = smoke(&gone, &url(&server, ""), &["smoke.yaml"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(ended.stdout.contains(" tries in "), "{}", ended.stdout);
}

#[test]
fn after_a_failure_only_what_cleans_up_or_was_asked_for_is_done() {
    let server = practice("");
    let text = "steps:\n  - {name: bad, url: /status/500, capture: {x: status}}\n  - {name: needs, url: '/status/{{x}}'}\n  \
                - {name: other, url: /}\n  - {name: clean, url: /, always: true}\n";
    let files = Files::new(&[("a.yaml", text), ("b.yaml", "steps: [{name: fine, url: /}]")]);
    let ends = |words: &[&str]| {
        let ended = smoke(&files, &url(&server, ""), words);
        assert_eq!(ended.code, Some(1), "{ended:#?}");
        let json: Value = serde_json::from_str(&ended.stdout).unwrap();
        let steps: Vec<Value> = json["suites"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|suite| suite["steps"].as_array().unwrap().clone())
            .collect();
        steps
            .iter()
            .map(|step| format!("{} {}", step["name"].as_str().unwrap(), step["decision"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    let usual = ends(&["-o", "json", "a.yaml", "b.yaml"]);
    assert_eq!(
        usual,
        ["bad fail", "needs skipped", "other skipped", "clean pass", "fine pass"],
        "files are independent"
    );
    let going = ends(&["--keep-going", "-o", "json", "a.yaml"]);
    assert_eq!(going, ["bad fail", "needs skipped", "other pass", "clean pass"]);
}

#[test]
fn reports_go_to_standard_output_and_to_a_file() {
    let server = practice("");
    let text = "name: s\nsteps:\n  - {name: one, url: /}\n  - {name: load, url: /, requests: 200, connections: 2, slo: success>=99%}\n";
    let files = Files::new(&[("smoke.yaml", text)]);
    let ended = smoke(&files, &url(&server, ""), &["-o", "json", "--report", "out.xml", "smoke.yaml"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let json: Value = serde_json::from_str(&ended.stdout).unwrap();
    let load = &json["suites"][0]["steps"][1];
    assert_eq!(
        (&load["report"]["requests"]["finished"], &load["report"]["verdict"]["decision"]),
        (&200.into(), &"pass".into())
    );
    let xml = std::fs::read_to_string(files.path("out.xml")).unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap();
    let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).unwrap();
    assert_eq!(
        (suite.attribute("name"), suite.attribute("tests"), suite.attribute("failures")),
        (Some("s"), Some("2"), Some("0"))
    );
}

#[test]
fn a_dry_run_prints_what_would_be_sent_and_sends_nothing() {
    let server = practice("");
    let text = "vars: {user: ada}\nsteps:\n  - {name: in, url: '/token?u={{user}}', json: {key: '{{env.SMOKE_KEY}}'}, capture: {t: status}}\n  \
                - {name: use, url: /, headers: {Authorization: 'Bearer x', x-t: '{{t}}'}}\n";
    let files = Files::new(&[("smoke.yaml", text)]);
    let base = url(&server, "");
    let mut command = tollgate(["smoke", "--dry-run", "--base", &base, "smoke.yaml"]);
    command.current_dir(files.0.path()).env("SMOKE_KEY", "hush");
    let ended = Running::start(command).finish();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    for line in [
        format!("  POST {base}/token?u=ada HTTP/1.1"),
        "  {\"key\":\"***\"}".into(),
        "  Authorization: ***".into(),
        "  x-t: (t)".into(),
    ] {
        assert!(ended.stdout.lines().any(|there| there == line), "{line}\n{}", ended.stdout);
    }
    assert!(!ended.stdout.contains("hush"));
    assert_eq!(server.truth().received, 0);
}

#[test]
fn an_interruption_tells_what_was_done_and_ends_with_130() {
    let server = practice("");
    for (step, what) in
        [("url: /delay/60", "a request"), ("url: /, rate: 50/s, duration: 60s, slo: success>=99%", "a load")]
    {
        let text =
            format!("steps:\n  - {{name: one, url: /}}\n  - {{name: long, {step}}}\n  - {{name: never, url: /}}\n");
        let files = Files::new(&[("smoke.yaml", text.as_str())]);
        let mut command = tollgate(["smoke", "--base", &url(&server, ""), "smoke.yaml"]);
        command.current_dir(files.0.path());
        let before = server.truth().received;
        let mut running = Running::start(command);
        assert_eq!(running.line(), "smoke (smoke.yaml)\n");
        assert!(running.line().starts_with("  ✓ one"));
        // The long step has begun when its request has arrived.
        while server.truth().received < before + 2 {
            std::thread::yield_now();
        }
        running.signal(Signal::INT);
        let ended = running.finish();
        assert_eq!(ended.code, Some(130), "{what}: {ended:#?}");
        assert!(
            ended.stdout.contains("  ! long   GET /") && ended.stdout.contains("skipped: interrupted\n"),
            "{what}: {}",
            ended.stdout
        );
        assert!(
            ended.stdout.lines().last().unwrap().starts_with("INTERRUPTED  1 of 3 steps passed in "),
            "{}",
            ended.stdout
        );
    }
}

#[test]
fn files_that_are_wrong_are_refused_all_together_before_anything_is_sent() {
    let server = practice("");
    let files = Files::new(&[("good.yaml", "steps: [{name: a, url: /}]"), ("bad.yaml", "steps: [{name: a, ulr: /}]")]);
    let ended = smoke(&files, &url(&server, ""), &["good.yaml", "bad.yaml", "gone.yaml"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
    assert_eq!(
        ended.stderr,
        "bad.yaml:1:19: steps[0].ulr is no key that there is; did you mean url?\n\
         gone.yaml: cannot be read: No such file or directory (os error 2)\n"
    );
    assert_eq!(server.truth().received, 0);
}

#[test]
fn the_schema_is_printed_as_it_is_published() {
    let published =
        std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/smoke.schema.json")).unwrap();
    let ended = run(["smoke", "--schema"]);
    assert_eq!(ended.code, Some(0));
    assert!(ended.stdout == published, "write it with: tollgate smoke --schema > docs/smoke.schema.json");
}
