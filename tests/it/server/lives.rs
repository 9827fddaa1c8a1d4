//! Analyses and the process: what survives its end, what its end means to those who wait, and the commands that look at
//! analyses and step in.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use rustix::process::Signal;

use super::process::Served;
use super::tasks::payload;
use crate::practice::{practice, url};
use crate::service::{Answer, ask};
use crate::tollgate::{Running, tollgate};

fn post(addr: SocketAddr, path: &str, body: &str) -> Answer {
    ask(addr, "POST", path, &[], body.as_bytes())
}

#[test]
fn an_analysis_is_known_after_a_restart_and_has_had_its_first_call() {
    let (folder, canary) = (tempfile::tempdir().unwrap(), practice(""));
    let state = folder.path().join("state");
    let flags = ["--state", state.to_str().unwrap(), "--log-level=error"];
    let target = url(&canary, "/");
    let load = [("url", target.as_str()), ("rate", "5"), ("duration", "1m"), ("wait", "0s"), ("ready-wait", "0s")];
    let served = Served::start(&flags);
    assert_eq!(post(served.addr, "/rollout", &payload(&load)).status, 202);
    let wish = r#"{"verdict":"fail","for":"1h","why":"a hunch"}"#;
    let ruled = post(served.addr, "/api/v1/canaries/test/other/override", wish);
    assert_eq!(ruled.status, 200, "{ruled:?}");
    served.kill();
    let served = Served::start(&flags);
    let again = post(served.addr, "/rollout", &payload(&load));
    assert_eq!(again.status, 425, "not a second time without evidence: {again:?}");
    let stopped = post(served.addr, "/api/v1/canaries/test/podinfo/stop", r#"{"by":"ann","why":"too much"}"#);
    assert_eq!(stopped.status, 200, "{stopped:?}");
    let other = post(served.addr, "/rollout", &payload(&load).replace("podinfo", "other"));
    assert!(other.status == 412 && other.body.contains("override fail by 127.0.0.1"), "{other:?}");
    served.kill();
    let served = Served::start(&flags);
    let still = post(served.addr, "/rollout", &payload(&load));
    assert!(still.status == 425 && still.body.contains("its load was stopped: by ann"), "{still:?}");
    let next = post(served.addr, "/rollout", &payload(&load).replace("85d557f47b", "another"));
    assert_eq!(next.status, 202, "the next revision has load again: {next:?}");
}

#[test]
fn whoever_waits_for_a_load_when_the_service_ends_is_told_how_far_it_came() {
    let canary = practice("");
    let served = Served::start(&[]);
    let cmd = format!("hey -z 10m -q 5 -c 1 -host podinfo-canary {}", url(&canary, "/"));
    let body = payload(&[("cmd", &cmd), ("warmup", "0s"), ("ready-wait", "0s")]);
    let mut waiting = TcpStream::connect(served.addr).unwrap();
    let length = body.len();
    write!(waiting, "POST /pre-rollout HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
    while canary.truth().received == 0 {}
    served.running.signal(Signal::TERM);
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 425 Too Early\r\n") && answer.ends_with(" of 600 s of the load are done"),
        "{answer}"
    );
    assert_eq!(served.running.finish().code, Some(0));
}

#[test]
fn analyses_are_shown_overridden_and_stopped_from_the_command_line() {
    let (served, canary) = (Served::start(&["--log-level=error"]), practice(""));
    let said = |words: &[&str]| {
        let mut command = tollgate(words);
        command.env("TOLLGATE_SERVER", format!("http://{}", served.addr)).env("USER", "ann");
        let ended = Running::start(command).finish();
        (ended.code, if ended.stdout.is_empty() { ended.stderr } else { ended.stdout })
    };
    let told = |code, text: &str| (Some(code), text.to_owned());
    assert_eq!(said(&["status"]), told(0, "no hook has spoken of any canary\n"));
    let target = url(&canary, "/");
    let load = [("url", target.as_str()), ("rate", "5"), ("duration", "1m"), ("wait", "0s"), ("ready-wait", "0s")];
    assert_eq!(post(served.addr, "/rollout", &payload(&load)).status, 202);
    let (code, text) = said(&["status"]);
    let lines: Vec<&str> = text.lines().collect();
    assert!(code == Some(0) && lines[0].starts_with("podinfo.test  revision 85d557f47b since 2"), "{text}");
    assert!(lines[1].starts_with(&format!("  load: {target} 5/s, ")) && lines[1].ends_with(" of 60 s"), "{text}");
    let pass = ["override", "pass", "podinfo.test", "--for", "1h", "--why", "known"];
    assert_eq!(said(&pass), told(0, "podinfo.test: pass for 3600s\n"));
    assert_eq!(said(&["stop", "podinfo.test", "--why", "enough"]), told(0, "1 load stopped\n"));
    let (_, text) = said(&["status", "podinfo.test"]);
    assert!(text.contains("\n  stopped: by ann (127.0.0.1): enough\n"), "{text}");
    assert!(text.contains(" by ann (127.0.0.1): known\n") && text.contains("  override: pass until 2"), "{text}");
    assert!(text.contains("Z  /rollout  MEASURING podinfo.test: "), "{text}");
    assert_eq!(said(&["override", "none", "podinfo.test"]), told(0, "podinfo.test: judged again\n"));
    let (_, text) = said(&["status", "podinfo.test", "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&shown["name"], &shown["override"]), (&"podinfo".into(), &serde_json::Value::Null));
    assert_eq!(said(&["stop", "--all"]), told(0, "0 loads stopped\n"));
    for (words, expected) in [
        (&["override", "maybe", "podinfo.test"][..], "[possible values: pass, fail, none]"),
        (&["override", "pass", "podinfo.test"], "--for <TIME>"),
        (&["stop"], "<NAME.NAMESPACE|--all>"),
    ] {
        let (code, text) = said(words);
        assert!(code == Some(2) && text.contains(expected), "{words:?}: {text}");
    }
    assert_eq!(said(&["status", "nobody.test"]).0, Some(1));
}
