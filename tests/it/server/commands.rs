//! Hooks with commands: what is answered, and that Flagger's user reads why.

use std::time::Duration;

use super::post;
use crate::flagger::Flagger;
use crate::practice::{practice, url};
use crate::raw::Raw;
use crate::service::{Service, Wanted};
use tollgate::exec;
use tollgate::server::Settings;
use tollgate::task::Targets;

use super::tasks::payload;

fn service(allowed: &str) -> Service {
    let commands = exec::Settings {
        allowed: if allowed.is_empty() { exec::Allowed::default() } else { allowed.parse().unwrap() },
        limit: Duration::from_secs(60),
        ..exec::Settings::default()
    };
    Service::start(Wanted { settings: Settings { commands, ..Settings::default() }, ..Wanted::default() })
}

#[test]
fn a_request_in_a_hook_decides_whether_the_release_goes_on() {
    let (service, canary) = (service(""), practice(""));
    let flagger = Flagger { service: service.addr, name: "podinfo", namespace: "test", retries: 0 };
    let call =
        |kind: &str, cmd: &str| flagger.call_with("/", "Progressing", "85d557f47b", &[("type", kind), ("cmd", cmd)]);
    let (good, bad) = (format!("curl -s {}", url(&canary, "/")), format!("curl -s {}", url(&canary, "/status/500")));
    assert_eq!(call("bash", &good), Ok(()));
    let why = call("bash", &bad).unwrap_err();
    assert!(why.starts_with(&format!("command {bad} failed: {} answered 500", url(&canary, "/status/500"))), "{why}");
    let line = format!("{good} | grep 'no such word'");
    let why = call("bash", &line).unwrap_err();
    assert_eq!(why, format!("command {line} failed: {}: no line with 'no such word'", url(&canary, "/")));
    assert_eq!(call("cmd", &bad), Ok(()), "nobody waits for a task of type cmd");

    let more = [("type", "bash"), ("cmd", good.as_str()), ("returnCmdOutput", "true")];
    let answer = post(service.addr, "/", &payload(&more));
    let header = |name: &str| answer.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
    assert_eq!((answer.status, answer.body.is_empty()), (200, false));
    assert_eq!(header("content-type").unwrap().1, "text/plain; charset=utf-8");
    assert_eq!(header("x-content-type-options").unwrap().1, "nosniff");
    let plain = post(service.addr, "/", &payload(&more[..2]));
    assert_eq!((plain.status, plain.body.as_str()), (200, ""));
}

#[test]
fn programs_are_run_only_where_they_are_allowed() {
    let line = [("type", "bash"), ("cmd", "echo no; exit 3")];
    let answer = post(service("").addr, "/", &payload(&line));
    let refused = "cmd: ';' joins commands, and there is no shell here: give one command, and put a URL that has it in \
                   quotes; or start tollgate serve with --enable-exec=bash";
    assert_eq!((answer.status, answer.body.as_str()), (400, refused));
    let answer = post(service("helm").addr, "/", &payload(&line));
    assert_eq!((answer.status, answer.body.as_str()), (400, refused));
    let answer = post(service("bash").addr, "/", &payload(&line));
    let failed = "command echo no; exit 3 failed: no: exit status 3";
    assert_eq!((answer.status, answer.body.as_str()), (412, failed));
}

#[test]
fn a_request_goes_only_where_load_may() {
    let canary = practice("");
    let targets = Targets::matching("podinfo-canary.*").unwrap();
    let settings = Settings { targets, ..Settings::default() };
    let service = Service::start(Wanted { settings, ..Wanted::default() });
    let line = format!("curl -s http://podinfo-canary:80/ && curl -s {}", url(&canary, "/"));
    let answer = post(service.addr, "/", &payload(&[("type", "bash"), ("cmd", &line)]));
    assert_eq!(answer.status, 403, "{answer:?}");
    let local = post(
        Service::start(Wanted::default()).addr,
        "/",
        &payload(&[("type", "bash"), ("cmd", "curl -s http://169.254.169.254/latest/meta-data/")]),
    );
    assert_eq!(local.status, 403, "{local:?}");
    let sends_on =
        Raw::answering("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/x\r\nContent-Length: 0\r\n\r\n");
    let line = format!("curl -sL {}", sends_on.url("/"));
    let answer = post(Service::start(Wanted::default()).addr, "/", &payload(&[("type", "bash"), ("cmd", &line)]));
    assert!(answer.status == 412 && answer.body.contains("169.254.169.254"), "where a redirect leads: {answer:?}");
    for target in ["http://169.254.169.254/", "http://[::ffff:169.254.169.254]/"] {
        let grinder = [("type", "ngrinder"), ("server", target), ("clone", "1"), ("username", "a"), ("passwd", "YQ==")];
        let answer = post(Service::start(Wanted::default()).addr, "/", &payload(&grinder));
        assert!(answer.status == 403 && answer.body.contains("link-local"), "{target}: {answer:?}");
    }
    assert_eq!(canary.truth().received, 0);
}
