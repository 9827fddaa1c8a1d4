//! Flagger's own webhook client at each role: what passes, and the error text that its user reads in an event.

use std::net::SocketAddr;

use ::tollgate::server::Settings;
use ::tollgate::task::{Budgets, Settings as Runs};
use serde_json::{Value, json};

use super::original::Original;
use super::practice::{practice, url};
use super::service::{Service, Wanted};
use super::together;

/// A release whose hooks are called by Flagger.
struct Release {
    flagger: Original,
    service: SocketAddr,
    revision: &'static str,
    phase: &'static str,
}

/// How a hook is called: the time it may take, and how often more.
type Terms = (&'static str, u32);

const ONCE: Terms = ("30s", 0);

impl Release {
    /// `None` where there is no Flagger.
    fn of(service: SocketAddr) -> Option<Self> {
        Some(Self { flagger: Original::start("hooks")?, service, revision: "v2", phase: "Progressing" })
    }

    /// Calls a hook; the error is what Flagger shows.
    fn hook(&mut self, path: &str, (timeout, retries): Terms, metadata: &[(&str, &str)]) -> Result<(), String> {
        self.call(path, (timeout, retries), metadata, &Value::Null)
    }

    fn call(&mut self, path: &str, terms: Terms, metadata: &[(&str, &str)], event: &Value) -> Result<(), String> {
        let mut hook = json!({"name": "hook", "url": format!("http://{}{path}", self.service), "timeout": terms.0,
            "retries": terms.1});
        if !metadata.is_empty() {
            hook["metadata"] = metadata.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect();
        }
        let told = self.flagger.ask(&json!({"name": "podinfo", "namespace": "test", "phase": self.phase,
            "revision": self.revision, "hook": hook, "event": event}));
        told["error"].as_str().map_or(Ok(()), |error| Err(error.to_owned()))
    }
}

/// A load of three hundred requests a second to what is called the canary alone; no time is judged.
fn load<'a>(cmd: &'a str, wait: &'a str) -> [(&'static str, &'a str); 5] {
    [("cmd", cmd), ("slo", "success>=99%"), ("wait", wait), ("warmup", "0s"), ("ready-wait", "0s")]
}

fn cmd(target: &str) -> String {
    format!("hey -z 60s -q 100 -c 3 -host podinfo-canary {target}")
}

#[test]
fn a_good_release_goes_through_every_hook_of_an_analysis() {
    let _load = together();
    let (service, canary) = (Service::start(Wanted::default()), practice(""));
    let Some(mut release) = Release::of(service.addr) else { return };
    let cmd = cmd(&url(&canary, "/"));

    release.phase = "Initialized";
    assert_eq!(release.hook("/gate/check", ONCE, &[]), Err("Forbidden".to_owned()), "nobody has opened it");
    assert_eq!(release.hook("/gate/halt", ONCE, &[]), Err("Forbidden".to_owned()));
    assert_eq!(release.hook("/gate/approve", ONCE, &[]), Ok(()));
    assert_eq!(release.hook("/gate/open", ONCE, &[("once", "true"), ("why", "it is time")]), Ok(()));
    assert_eq!(release.hook("/gate/check", ONCE, &[]), Ok(()));

    release.phase = "Progressing";
    let whole = ("cmd", format!("hey -n 200 -q 100 -c 2 -host podinfo-canary {}", url(&canary, "/")));
    let before = [(whole.0, whole.1.as_str()), ("slo", "success>=99%"), ("warmup", "0s")];
    assert_eq!(release.hook("/pre-rollout", ONCE, &before), Ok(()));
    assert_eq!(release.hook("/rollout", ONCE, &load(&cmd, "0s")), Ok(()), "it is told once to go on for now");
    let early = release.hook("/rollout", ONCE, &load(&cmd, "0s")).unwrap_err();
    assert!(early.starts_with("RETRY podinfo.test: "), "{early}");
    assert_eq!(release.hook("/rollout", ONCE, &load(&cmd, "20s")), Ok(()), "there is evidence");
    assert_eq!(release.hook("/confirm", ONCE, &[("wait", "20s")]), Ok(()), "of the same load");
    let carries_on = release.hook("/rollback", ONCE, &[]).unwrap_err();
    assert!(["STAY podinfo.test: ", "RETRY podinfo.test: "].iter().any(|word| carries_on.starts_with(word)));

    let shown = service.get("/api/v1/canaries/test/podinfo").json();
    let checksum = shown["run"]["checksum"].as_str().unwrap().to_owned();
    let digits = |c: char| "456789bcdf".contains(c);
    assert!((1..=10).contains(&checksum.len()) && checksum.chars().all(digits), "as Flagger writes them: {checksum}");

    let event = json!({"message": "Advance podinfo.test canary weight 20", "type": "Normal"});
    assert_eq!(release.call("/event", ONCE, &[("cluster", "east")], &event), Ok(()));
    release.phase = "Succeeded";
    assert_eq!(release.hook("/post-rollout", ONCE, &[]), Ok(()));
    let over = service.get("/api/v1/canaries/test/podinfo").json();
    assert!(over["run"].is_null(), "{over}");
    release.phase = "Initialized";
    assert_eq!(release.hook("/gate/check", ONCE, &[]), Err("Forbidden".to_owned()), "it was opened once");
}

#[test]
fn a_bad_release_is_stopped_with_the_reason_in_the_event_and_given_up() {
    let _load = together();
    let (service, canary) = (Service::start(Wanted::default()), practice("errors 100%"));
    let Some(mut release) = Release::of(service.addr) else { return };
    let cmd = cmd(&url(&canary, "/"));
    let whole = [("cmd", cmd.as_str()), ("slo", "success>=99%"), ("warmup", "0s")];
    for (path, metadata, said) in [
        ("/rollout", &load(&cmd, "20s")[..], " answered 500)"),
        ("/confirm", &[("wait", "20s")], ": success>=99% was 0%"),
        ("/pre-rollout", &whole, ": success>=99% was 0%"),
    ] {
        let why = release.hook(path, ONCE, metadata).unwrap_err();
        assert!(why.starts_with("FAIL podinfo.test: ") && why.contains(said), "{path}: {why}");
        assert!(why.len() <= 900 && !why.contains('\n'), "{path}: {why}");
    }
    assert!(release.hook("/rollback", ONCE, &[]).is_err(), "some seconds are not lasting");
    assert_eq!(release.hook("/rollback/check", ONCE, &[]), Err("Forbidden".to_owned()));
    assert_eq!(release.hook("/rollback/open", ONCE, &[]), Ok(()));
    assert_eq!(release.hook("/rollback/check", ONCE, &[]), Ok(()));
    assert_eq!(release.hook("/rollback", ONCE, &[]), Ok(()), "its success is that Flagger rolls back");

    release.revision = "v3";
    let fresh = release.hook("/rollout", ONCE, &load(&cmd, "20s")).unwrap_err();
    assert!(fresh.starts_with("FAIL podinfo.test: "), "{fresh}");
    let kept = release.hook("/rollback", ONCE, &[]);
    assert!(kept.is_err(), "the gate was for the revision before");
}

#[test]
fn what_is_wrong_with_a_hook_or_in_the_way_reaches_the_event_too() {
    let _load = together();
    let canary = practice("");
    let budgets = Budgets { tasks: 0, ..Budgets::default() };
    let runs = Runs { budgets, ..Runs::default() };
    let service = Service::start(Wanted { settings: Settings { runs, ..Settings::default() }, ..Wanted::default() });
    let Some(mut release) = Release::of(service.addr) else { return };
    let cmd = cmd(&url(&canary, "/"));
    for (path, metadata, said, why) in [
        ("/confirm", &[][..], "add cmd, or a /pre-rollout hook", "425"),
        ("/rollout", &load(&cmd, "0s"), "tollgate is full: 0 of 0 tasks", "424"),
        ("/rollout", &[("cmd", cmd.as_str()), ("sol", "p99<1s")], "did you mean slo?", "400"),
        ("/rollout", &[("cmd", "hey -z 5s -q 1 -c 1 http://169.254.169.254/")], "link-local", "403"),
        ("/gates/check", &[], "no such path; there are / /rollout", "404"),
        ("/", &[("type", "bash"), ("cmd", "exit 3")], "--enable-exec=bash", "400"),
    ] {
        let shown = release.hook(path, ("30s", 2), metadata).unwrap_err();
        assert!(shown.contains(said), "{why}: {shown}");
    }
    assert_eq!(canary.truth().received, 0);
}

#[test]
fn a_hook_that_times_out_is_asked_again_and_answered() {
    let _load = together();
    let (service, canary) = (Service::start(Wanted::default()), practice(""));
    let Some(mut release) = Release::of(service.addr) else { return };
    let line = format!("hey -z 60s -q 10 -c 5 -host podinfo-canary {}", url(&canary, "/"));
    assert_eq!(release.hook("/rollout", ONCE, &load(&line, "0s")), Ok(()));
    // Fifty a second: the hundred that a pass takes are there in the second or third attempt.
    let shown = release.hook("/rollout", ("300ms", 0), &load(&line, "1m")).unwrap_err();
    let url = format!("http://{}/rollout", service.addr);
    let timeout = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
    assert_eq!(shown, format!("POST {url} giving up after 1 attempt(s): Post \"{url}\": {timeout}"));
    assert_eq!(release.hook("/rollout", ("900ms", 3), &load(&line, "1m")), Ok(()), "retries find the evidence");
    let loads = service.get("/api/v1/canaries/test/podinfo").json()["run"]["loads"].as_array().unwrap().len();
    assert_eq!(loads, 1, "attempts start nothing");

    drop(service);
    let refused = release.hook("/confirm", ("1s", 0), &[]).unwrap_err();
    assert!(refused.ends_with("connect: connection refused"), "{refused}");
}
