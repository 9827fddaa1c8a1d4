//! Concord and nGrinder, played by a few lines: what they are asked, and what comes of their answers.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tollgate::canary::Canary;
use tollgate::exec::{Commands, Ran, Settings};

use super::children::until;
use super::runtime;
use crate::raw::{Raw, Requests};

const LONG: Duration = Duration::from_secs(60);

fn commands(limit: Duration) -> Commands {
    Commands::new(Settings { allowed: "concord".parse().unwrap(), limit, most: 4, ..Settings::default() })
}

/// A server that gives these answers in turn, status and JSON, the last of them for ever.
fn server(answers: &'static [(u16, &'static str)]) -> (Raw, Requests) {
    let turn = AtomicUsize::new(0);
    Raw::recording_on(TcpListener::bind("127.0.0.1:0").unwrap(), move |_| {
        let (status, body) = answers[turn.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1)];
        format!("HTTP/1.1 {status} So\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    })
}

/// The first lines of all requests so far.
fn asked(requests: &Requests) -> Vec<String> {
    let line = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().next().unwrap_or_default().to_owned();
    requests.all().iter().map(|(_, bytes)| line(bytes)).collect()
}

fn metadata(kind: &str, pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    [("type", kind)].iter().chain(pairs).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

async fn run(commands: &Commands, metadata: &BTreeMap<String, String>) -> Ran {
    let task = commands.read(metadata).unwrap();
    commands.run(&Canary::new("podinfo", "test"), task).await
}

/// A process of Concord: the server, the file with the key, and what else is given.
fn concord(server: &str, key: &str, more: &[(&str, &str)]) -> BTreeMap<String, String> {
    let usual = [("org", "shop"), ("project", "tests"), ("repo", "main"), ("entrypoint", "smoke")];
    let own = [("server", server), ("apiKeyPath", key), ("endpoint", "http://podinfo-canary.test/")];
    let mut all = metadata("concord", &[&usual[..], &own, &[("pollInterval", "1")]].concat());
    all.extend(metadata("concord", more));
    all
}

#[test]
fn a_process_of_concord_decides_as_it_ends() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "secret key\n").unwrap();
    let key = file.path().to_str().unwrap();
    let (server, requests) = server(&[
        (200, r#"{"instanceId":"a-1","ok":true}"#),
        (200, r#"{"instanceId":"a-1","status":"RUNNING"}"#),
        (200, r#"{"instanceId":"a-1","status":"FINISHED"}"#),
    ]);
    let argument = [("arguments.user", "jo"), ("returnCmdOutput", "true")];
    let hook = concord(&server.url("/elsewhere"), key, &argument);
    assert_eq!(runtime().block_on(run(&commands(LONG), &hook)), Ran::Done(String::new()));
    let start = "POST /api/v1/process HTTP/1.1";
    let look = "GET /api/v1/process/a-1 HTTP/1.1";
    assert_eq!(asked(&requests), [start, look, look]);
    let text = requests.all().iter().map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned()).collect::<Vec<_>>();
    for request in &text {
        assert!(request.contains("\r\nAuthorization: secret key\r\n"), "{request}");
    }
    assert!(text[0].contains("\r\nContent-Type: multipart/form-data; boundary=tollgate-0\r\n"), "{}", text[0]);
    let fields = text[0].split("form-data; name=").skip(1).map(|part| part.split("\r\n--").next().unwrap());
    assert_eq!(
        fields.collect::<Vec<_>>(),
        [
            "\"org\"\r\n\r\nshop",
            "\"project\"\r\n\r\ntests",
            "\"repo\"\r\n\r\nmain",
            "\"entryPoint\"\r\n\r\nsmoke",
            "\"arguments.endpoint\"\r\n\r\nhttp://podinfo-canary.test/",
            "\"arguments.user\"\r\n\r\njo",
        ]
    );
}

#[test]
fn a_process_of_concord_that_does_not_finish_fails_and_says_why() {
    const STARTED: (u16, &str) = (200, r#"{"instanceId":"a-1"}"#);
    const RUNNING: (u16, &str) = (200, r#"{"status":"RUNNING"}"#);
    type Row = (&'static [(u16, &'static str)], &'static [(&'static str, &'static str)], u64, &'static str);
    let rows: [Row; 9] = [
        (&[STARTED, (200, r#"{"status":"FAILED"}"#)], &[], 60, "concord instanceID: a-1 failed"),
        (&[STARTED, (200, r#"{"status":"CANCELLED"}"#)], &[], 60, "concord instanceID: a-1 is over: CANCELLED"),
        (&[STARTED, RUNNING], &[("pollTimeout", "3")], 60, "concord process timed out, after 3 seconds"),
        (&[STARTED, RUNNING], &[], 2, "stopped after 2s"),
        (&[STARTED, (500, "down")], &[], 60, "failed checking status: URL/api/v1/process/a-1 answered 500: down"),
        (&[(401, "who?")], &[], 60, "failed to start process: URL/api/v1/process answered 401: who?"),
        (
            &[(200, "<html>")],
            &[],
            60,
            "failed to start process: URL/api/v1/process answered 200 with what is no JSON: <html>",
        ),
        (&[(200, "{}")], &[], 60, "failed to start process: {} has no instanceId"),
        (
            &[(200, r#"{"instanceId":"../x"}"#)],
            &[],
            60,
            r#"failed to start process: {"instanceId":"../x"} has no instanceId"#,
        ),
    ];
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "key").unwrap();
    let key = file.path().to_str().unwrap();
    std::thread::scope(|scope| {
        for (answers, more, limit, said) in rows {
            scope.spawn(move || {
                let (server, _) = server(answers);
                let hook = concord(&server.url(""), key, more);
                let ran = runtime().block_on(run(&commands(Duration::from_secs(limit)), &hook));
                assert_eq!(ran, Ran::Failed(said.replace("URL", &server.url(""))));
            });
        }
    });
}

#[test]
fn what_concord_needs_is_asked_for_by_name() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let (empty, allowed) = (file.path().to_str().unwrap(), commands(LONG));
    let good = concord("http://127.0.0.1:9", "/etc/hostname", &[]);
    assert!(allowed.read(&good).is_ok());
    for key in ["server", "org", "project", "repo", "entrypoint", "apiKeyPath", "endpoint"] {
        let mut without = good.clone();
        without.remove(key);
        assert_eq!(allowed.read(&without).unwrap_err(), format!("`{key}` is required with type concord"));
    }
    for (key, value, said) in [
        ("server", "concord:8001", "server: expected an address such as http://HOST:PORT".to_owned()),
        ("apiKeyPath", "/no/such", "`apiKeyPath` file doesn't exist /no/such".to_owned()),
        ("apiKeyPath", empty, format!("`apiKeyPath` file holds no key {empty}")),
        ("pollInterval", "5s", "unable to convert `pollInterval` to int: expected seconds".to_owned()),
        ("pollInterval", "0", "`pollInterval`: expected 1 to 86400 seconds".to_owned()),
        ("pollTimeout", "-1", "`pollTimeout`: expected 1 to 86400 seconds".to_owned()),
        ("arguments.endpoint", "x", "arguments.endpoint: give the endpoint with the key endpoint".to_owned()),
    ] {
        let hook = concord("http://127.0.0.1:9", "/etc/hostname", &[(key, value)]);
        assert_eq!(allowed.read(&hook).unwrap_err(), said, "{key}={value}");
    }
}

/// A test of nGrinder, cloned from number 7.
fn ngrinder(server: &str, more: &[(&str, &str)]) -> BTreeMap<String, String> {
    let usual = [("server", server), ("clone", "7"), ("username", "admin"), ("passwd", "YWRtaW4=")];
    let mut all = metadata("ngrinder", &[&usual[..], &[("pollInterval", "100ms")]].concat());
    all.extend(metadata("ngrinder", more));
    all
}

const CLONED: (u16, &str) = (200, r#"{"id":42,"testName":"x"}"#);
const TESTING: (u16, &str) = (200, r#"{"status":[{"id":42,"status_id":"TESTING"}]}"#);
const START: &str = "POST /grinder/perftest/api/7/clone_and_start HTTP/1.1";
const LOOK: &str = "GET /grinder/perftest/api/42/status HTTP/1.1";

#[test]
fn a_test_of_ngrinder_is_followed_to_its_end_and_runs_once() {
    let (server, requests) = server(&[
        CLONED,
        (500, "a look that fails says nothing"),
        TESTING,
        (200, r#"{"status":[{"id":42,"status_id":"FINISHED"}]}"#),
    ]);
    let (runtime, commands) = (runtime(), commands(LONG));
    let hook = ngrinder(&server.url("/grinder/"), &[]);
    assert_eq!(runtime.block_on(run(&commands, &hook)), Ran::Accepted);
    assert_eq!(runtime.block_on(run(&commands, &hook)), Ran::Accepted, "it runs already");
    until("it is over", || requests.all().len() == 4);
    assert_eq!(asked(&requests), [START, LOOK, LOOK, LOOK]);
    for (_, request) in requests.all() {
        let request = String::from_utf8(request).unwrap();
        assert!(request.contains("\r\nAuthorization: Basic YWRtaW46YWRtaW4=\r\n"), "{request}");
    }
    until("it can be started again", || {
        runtime.block_on(run(&commands, &hook));
        asked(&requests).iter().filter(|line| *line == START).count() == 2
    });
}

#[test]
fn a_test_of_ngrinder_that_takes_too_long_is_stopped_and_so_are_those_that_run_at_the_end() {
    let stop = "PUT /grinder/perftest/api/42?action=stop HTTP/1.1";
    for limit in [Duration::from_millis(400), LONG] {
        let (server, requests) = server(&[CLONED, TESTING]);
        let (runtime, commands) = (runtime(), commands(limit));
        assert_eq!(runtime.block_on(run(&commands, &ngrinder(&server.url("/grinder/"), &[]))), Ran::Accepted);
        until("it is looked at", || requests.all().len() > 1);
        if limit == LONG {
            drop(runtime);
        }
        until("it is stopped", || asked(&requests).last().is_some_and(|line| line == stop));
    }
}

#[test]
fn an_answer_of_ngrinder_that_makes_no_sense_ends_the_task_alone() {
    let answers: [&[(u16, &str)]; 4] =
        [&[(200, "{}")], &[(200, r#"{"success":false}"#)], &[(200, "[]")], &[(401, "who?")]];
    for answer in answers {
        let (server, requests) = server(answer);
        let (runtime, commands) = (runtime(), commands(LONG));
        let hook = ngrinder(&server.url("/grinder/"), &[]);
        until("it could be started three times", || {
            runtime.block_on(run(&commands, &hook));
            requests.all().len() >= 3
        });
        assert!(asked(&requests).iter().all(|line| line == START), "{:?}", asked(&requests));
    }
}

#[test]
fn what_ngrinder_needs_is_asked_for() {
    let commands = commands(LONG);
    for (key, value, said) in [
        ("username", "", "server, clone, username and passwd are required metadata"),
        ("clone", "seven", "metadata clone must be integer: expected the number of a test"),
        ("passwd", "?", "metadata password is invalid: expected it in Base64"),
        ("pollInterval", "0s", "pollInterval: expected a duration from 100ms to 1h, such as 5s"),
        ("pollInterval", "5", "pollInterval: expected a duration from 100ms to 1h, such as 5s"),
        ("server", "ngrinder:8080", "server: expected an address such as http://HOST:PORT"),
    ] {
        let hook = ngrinder("http://127.0.0.1:9/", &[(key, value)]);
        assert_eq!(commands.read(&hook).unwrap_err(), said, "{key}={value}");
    }
    assert!(commands.read(&ngrinder("http://127.0.0.1:9/", &[("pollInterval", "10s")])).is_ok());
}
