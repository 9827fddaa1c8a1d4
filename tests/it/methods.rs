//! gRPC methods called by name: what is known of them, streams, and servers that do not play along.

use std::collections::BTreeMap;

use serde_json::json;
use tollgate::practice::Practice;

use super::calls::{Calls, Said};
use super::flagger::as_go;
use super::memory::MOST_KIB;
use super::nobody::Nobody;
use super::practice::practice;
use super::raw::Raw;
use super::report::{measure, measure_with};
use super::service::{Answer, Service, Wanted};
use super::targets::a_good_one_and_a_bad_one;
use super::tollgate::run;

/// The end of an answer of status 12, in its head alone.
fn unimplemented() -> Said {
    Said { fields: vec![("grpc-status", "12")], body: Vec::new(), status: None, endless: false }
}

#[test]
fn what_the_server_says_of_a_failed_call_is_in_reports_and_answers() {
    let server = Calls::start(|_, _| Said {
        fields: vec![("grpc-status", "13"), ("grpc-message", "no%20such table%0D")],
        body: Vec::new(),
        status: None,
        endless: false,
    });
    let url = server.url("/");
    let report = measure("-n 20 -c 2 --protocol grpc --slo success>=99%", &url);
    assert_eq!(report.map("/codes"), BTreeMap::from([("grpc-13", 20)]), "{report}");
    assert_eq!(report.json()["grpc_messages"], json!({"grpc-13": "no such table"}), "{report}");
    let text = run(["run", "-n", "5", "-c", "1", "--protocol", "grpc", &url]);
    assert!(text.stdout.contains("grpc said    INTERNAL: no such table\n"), "{text:?}");
    let ghz = run(["ghz", "--insecure", "-n", "6", "-c", "1", "-O", "json", &server.addr.to_string()]);
    let ghz: serde_json::Value = serde_json::from_str(&ghz.stdout).unwrap_or_else(|e| panic!("{e}: {ghz:?}"));
    let error = "rpc error: code = Internal desc = no such table";
    assert_eq!(ghz["errorDistribution"], json!({ error: 6 }), "{ghz}");

    let service = Service::start(Wanted::default());
    let payload = json!({"name": "podinfo", "namespace": "test", "phase": "Progressing", "checksum": "1", "metadata": {
        "url": url, "protocol": "grpc", "rate": "50", "duration": "10s", "slo": "success>=99%",
        "wait": "8s", "warmup": "0s",
    }});
    let answer = service.post("/rollout", &as_go(&payload.to_string()));
    assert_eq!(answer.status, 412, "{answer:?}");
    assert!(answer.body.contains("INTERNAL: no such table"), "{answer:?}");
}

#[test]
fn every_kind_of_stream_is_called_by_name_at_the_practice_canary() {
    let canary = practice("");
    let url = format!("grpc://{}", canary.addr());
    let text = |bytes: usize| 5 + 2 + bytes as u64;
    for (method, data, bytes, why) in [
        ("Echo", r#"{"text":"abc"}"#, text(3), "unary"),
        ("Split", r#"{"text":"abc","times":4}"#, 4 * text(3), "a stream of the server's"),
        ("Split", r#"{"text":"abc"}"#, 0, "of no messages"),
        ("Join", r#"[{"text":"a"},{"text":"bc"}]"#, text(3) + 2, "a stream of the client's"),
        ("Chat", r#"[{"text":"a"},{"text":"bc"}]"#, text(1) + text(2), "both ways"),
        ("Chat", "[]", 0, "both ways, without a word"),
    ] {
        let call = format!("tollgate.practice.Echo/{method}");
        let report = measure_with("-n 20 -c 4", &["--call", &call, "--data", data], &url);
        assert_eq!(report.map("/codes"), BTreeMap::from([("grpc-0", 20)]), "{why}: {report}");
        assert_eq!(report.count("/requests/succeeded"), 20, "{why}: {report}");
        assert_eq!(report.count("/requests/body_bytes"), 20 * bytes, "{why}: {report}");
    }
}

#[test]
fn types_come_from_files_as_well() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    write(
        "parts/message.proto",
        "syntax = \"proto3\"; package tollgate.practice; message Message { string text = 1; }",
    );
    let proto = write(
        "echo.proto",
        "syntax = \"proto3\"; package tollgate.practice; import \"message.proto\"; \
         service Echo { rpc Echo(Message) returns (Message); }",
    );
    // Asked about itself, this server would say nothing.
    let server = Calls::start(|path, body| match path {
        "/tollgate.practice.Echo/Echo" => Said::message(&body[5..]),
        _ => unimplemented(),
    });
    let parts = folder.path().join("parts").to_str().unwrap().to_owned();
    let arguments = ["--proto", &proto, "--import-path", &parts, "--call", "tollgate.practice.Echo/Echo"];
    let more = ["--data", r#"{"text":"{{pick:ab,cd}}"}"#];
    let report = measure_with("-n 20 -c 2", &[&arguments[..], &more].concat(), &server.url(""));
    assert_eq!((report.count("/requests/succeeded"), report.count("/requests/body_bytes")), (20, 20 * 9), "{report}");
    let alone = run(["run", "--call", "tollgate.practice.Echo/Echo", &server.url("")]);
    assert_eq!(alone.code, Some(2), "{alone:?}");
    assert!(alone.stderr.contains("the server does not say which services it has (no reflection)"), "{alone:?}");
}

#[test]
fn what_a_server_does_not_have_is_told_with_what_it_has_and_nothing_is_sent() {
    let canary = practice("");
    let url = format!("grpc://{}", canary.addr());
    for (call, data, said) in [
        (
            "tollgate.practice.Echo/Sing",
            "{}",
            "tollgate.practice.Echo has no method Sing; it has tollgate.practice.Echo/Echo, ",
        ),
        (
            "other.Service/Sing",
            "{}",
            "the server has no service other.Service; it has tollgate.practice.Echo, grpc.health.v1",
        ),
        ("tollgate.practice.Echo/Echo", r#"{"text":7}"#, "at text: invalid type: integer `7`, expected a string"),
        ("tollgate.practice.Echo/Echo", r#"{"txt":"a"}"#, "tollgate.practice.Message has text (string)"),
        ("tollgate.practice.Echo/Echo", r#"{"text":{{pick:"a",7}}}"#, "at text: invalid type"),
    ] {
        let ended = run(["run", "-n", "5", "--call", call, "--data", data, &url]);
        assert!(ended.code == Some(2) && ended.stderr.contains(said), "{call} {data}: {ended:?}");
        assert_eq!(ended.stdout, "");
    }
    // Reflection itself is calls, and nothing else came.
    let truth = canary.truth().to_json(false);
    assert_eq!(truth["requests"]["received"], truth["grpc_statuses"]["0"], "{truth}");
}

#[test]
fn a_server_that_speaks_no_grpc_or_is_not_there_is_told() {
    let http1 = Raw::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let nobody = Nobody::at_home();
    let failing = practice("errors 100%");
    for (address, said) in [
        (http1.addr, "does the server speak HTTP/2?"),
        (nobody.addr, "refused"),
        (failing.addr(), "the server is unavailable"),
    ] {
        let ended = run(["run", "-n", "5", "--call", "a.B/C", &format!("grpc://{address}")]);
        assert!(ended.code == Some(1) && ended.stderr.contains(said), "{ended:?}");
    }
}

#[test]
fn answers_that_never_end_or_are_too_large_or_packed_unasked_are_failures_and_take_no_memory() {
    let endless = Said { status: None, endless: true, ..Said::message(&[7; 60_000]) };
    let large = Said::message(&vec![7; 5 << 20]);
    let packed = Said { body: vec![1, 0, 0, 0, 1, 7], ..Said::message(&[]) };
    let odd = Said { fields: vec![("grpc-encoding", "zstd")], ..packed.clone() };
    for (said, code, fault, why) in [
        (endless, "200", "timeout", "a stream without end"),
        (large, "grpc-0", "expect", "a message above 4 MiB"),
        (packed, "grpc-0", "malformed", "packed, and nobody said how"),
        (odd, "grpc-0", "malformed", "packed as nobody asked for"),
    ] {
        let server = Calls::start(move |_, _| said.clone());
        let report = measure("--protocol grpc -n 6 -c 3 -t 1", &server.url("/a.B/C"));
        assert_eq!(report.map("/codes"), BTreeMap::from([(code, 6)]), "{why}: {report}");
        assert_eq!(report.map("/faults"), BTreeMap::from([(fault, 6)]), "{why}: {report}");
        let peak = report.ended.peak_kib;
        assert!((1..MOST_KIB).contains(&peak), "{why}: {peak} KiB resident");
    }
}

#[test]
fn a_server_that_says_goodbye_after_every_call_loses_none() {
    let canary = practice("goaway 1");
    let url = format!("grpc://{}", canary.addr());
    let arguments = ["--call", "tollgate.practice.Echo/Chat", "--data", r#"[{"text":"a"},{"text":"b"}]"#];
    let report = measure_with("-n 60 -c 3 --streams 1", &arguments, &url);
    assert_eq!(report.count("/requests/succeeded"), 60, "{report}");
    assert!(report.count("/generator/connections") >= 60, "{report}");
}

#[test]
fn calls_are_spread_over_all_addresses_and_the_bad_one_is_named() {
    let (good, bad) = a_good_one_and_a_bad_one();
    let port = good.addr().port();
    let pinned = format!("podinfo.test:{port}:127.0.0.1,127.0.0.2");
    let words =
        ["--resolve", &pinned, "--call", "tollgate.practice.Echo/Chat", "--data", "[{},{}]", "--split-by", "address"];
    let url = format!("grpc://podinfo.test:{port}");
    let ended = run(["run", "-z", "1s", "-c", "8", "--streams", "2"].into_iter().chain(words).chain([url.as_str()]));
    assert!(ended.stdout.contains(&format!("address {} fails 100%", bad.addr())), "{ended:?}");
    let answered = |server: &Practice| server.truth().to_json(false)["requests"]["answered"].as_u64();
    // Reflection may have asked either of them.
    assert!(answered(&good) >= Some(20) && answered(&bad) >= Some(20), "{ended:?}");
}

const PROTO: &str = "syntax = \"proto3\"; package tollgate.practice; message Message { string text = 1; } \
    service Echo { rpc Echo(Message) returns (Message); }";
const CALL: &str = "tollgate.practice.Echo/Echo";

/// What a hook of this revision is answered.
fn answer(service: &Service, checksum: &str, more: &serde_json::Value) -> Answer {
    let mut metadata = json!({"slo": "success>=90%, p90<=2s", "warmup": "0s", "wait": "1s"});
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let payload = json!({"name": "podinfo", "namespace": "test", "phase": "Progressing", "checksum": checksum,
        "metadata": metadata});
    service.post("/rollout", &as_go(&payload.to_string()))
}

#[test]
fn hooks_call_methods_by_name_with_types_asked_for_or_written_down() {
    let (service, canary) = (Service::start(Wanted::default()), practice(""));
    let to = canary.addr();
    let data = r#"{"text":"{{counter}}"}"#;
    let keys = json!({"url": format!("grpc://{to}"), "call": CALL, "data": data, "requests": "40"});
    let cmd = json!({"cmd": format!("ghz --insecure -n 40 --call {CALL} -d '{data}' {to}")});
    let with_proto = |metadata: &serde_json::Value| {
        let mut metadata = metadata.clone();
        metadata["proto"] = json!(PROTO);
        metadata
    };
    for (checksum, metadata, why) in [
        ("1", keys.clone(), "keys"),
        ("2", with_proto(&keys), "keys, and a text"),
        ("3", cmd.clone(), "a line"),
        ("4", with_proto(&cmd), "a line, and a text"),
    ] {
        let passed = answer(&service, checksum, &metadata);
        // A busy machine may let nothing be said yet; but nothing fails.
        assert!([200, 202, 424, 425].contains(&passed.status), "{why}: {passed:?}");
    }
    let requests = || canary.truth().to_json(false)["requests"].clone();
    let (_never, later) = std::sync::mpsc::channel::<()>();
    while requests()["answered"].as_u64() < Some(160) {
        let _ = later.recv_timeout(std::time::Duration::from_millis(50));
    }
    assert_eq!(requests()["errors"], 0, "{}", requests());
}

#[test]
fn hooks_whose_messages_do_not_fit_are_told_so() {
    let (service, canary) = (Service::start(Wanted::default()), practice(""));
    let to = canary.addr();
    let url = format!("grpc://{to}");
    let cmd = format!("ghz --insecure --call {CALL} -d '{{\"txt\":1}}' {to}");
    for (checksum, metadata, status, said) in [
        ("1", json!({"url": url, "call": "tollgate.practice.Echo/Sing"}), 424, "has no method Sing"),
        ("2", json!({"url": url, "call": CALL, "data": "{\"txt\":1}"}), 424, "tollgate.practice.Message has"),
        ("3", json!({"url": url, "call": CALL, "data": "{\"txt\":1}", "proto": PROTO}), 400, "data: "),
        ("4", json!({"url": url, "call": CALL, "proto": "message"}), 400, "proto: "),
        ("5", json!({"cmd": cmd, "proto": PROTO}), 400, "proto: "),
    ] {
        let refused = answer(&service, checksum, &metadata);
        assert!(refused.status == status && refused.body.contains(said), "{said}: {refused:?}");
    }
}
