//! The API of canaries: what it shows, and how people step in.

use serde_json::{Value, json};

use super::tasks::{payload, until};
use crate::practice::{practice, url};
use crate::service::{Service, Wanted, ask};
use tollgate::server::Settings;

use super::said;

const PODINFO: &str = "/api/v1/canaries/test/podinfo";

#[test]
fn a_person_may_decide_for_a_while_and_everybody_sees_it() {
    let (service, canary) = (Service::start(Wanted::default()), practice(""));
    let target = url(&canary, "/");
    let load = [("url", target.as_str()), ("rate", "5"), ("duration", "1m"), ("wait", "0s"), ("ready-wait", "0s")];
    let rollout = || service.post("/rollout", &payload(&load));
    assert_eq!(rollout().status, 202);
    let decide = |verdict: &str| {
        let wish = json!({"verdict": verdict, "for": "1h", "by": "ann", "why": "known to be harmless"});
        service.post(&format!("{PODINFO}/override"), &wish.to_string())
    };
    assert_eq!(decide("pass").short(), (200, "podinfo.test: pass for 3600s"));
    let passed = rollout();
    assert_eq!(passed.status, 200);
    assert!(passed.body.contains("override pass by ann (127.0.0.1) for 59m more: known to be harmless"), "{passed:?}");
    assert_eq!(decide("fail").status, 200);
    assert_eq!(rollout().status, 412);
    let shown = service.get(PODINFO).json();
    let ruling = &shown["override"];
    assert_eq!((&ruling["verdict"], &ruling["why"]), (&json!("fail"), &json!("known to be harmless")), "{shown}");
    let answers: Vec<&Value> = shown["history"].as_array().unwrap().iter().map(|answer| &answer["verdict"]).collect();
    assert_eq!(answers, ["measuring", "pass", "fail"]);
    assert_eq!(ask(service.addr, "DELETE", &format!("{PODINFO}/override"), &[], b"").status, 200);
    assert_eq!(rollout().status, 425, "judged again");
    let verdict = service.get(&format!("{PODINFO}/verdict")).json();
    assert_eq!((&verdict["current"], &verdict["answer"]["verdict"]), (&json!(true), &json!("not-yet")), "{verdict}");
}

#[test]
fn a_decision_says_how_long_and_why_or_is_none() {
    let service = Service::start(Wanted::default());
    let decide = |wish: Value| service.post(&format!("{PODINFO}/override"), &wish.to_string());
    let all = decide(json!({"verdict": "maybe", "for": "1y"}));
    let expected = "verdict: got 'maybe', expected pass or fail; for: got '1y', expected a duration from 1s to 168h; \
                    why: got nothing, expected a reason";
    assert_eq!(said(&all), (400, expected.to_owned()));
    assert_eq!(decide(json!({"verdit": "pass"})).status, 400);
    assert_eq!(service.get(PODINFO).status, 404, "nothing was decided about a canary that nobody knows");
    assert_eq!(said(&service.get(&format!("{PODINFO}/override"))), (405, "expected POST or DELETE".to_owned()));
}

#[test]
fn load_can_be_stopped_by_hand_and_stays_so_for_the_analysis() {
    let (service, canary) = (Service::start(Wanted::default()), practice(""));
    let target = url(&canary, "/");
    let load = [("url", target.as_str()), ("rate", "5"), ("duration", "1m"), ("wait", "0s"), ("ready-wait", "0s")];
    let cmd = format!("hey -z 1m -q 1 -c 1 {target}");
    assert_eq!(service.post("/rollout", &payload(&load)).status, 202);
    assert_eq!(service.post("/", &payload(&[("cmd", &cmd)])).status, 202);
    let stopped = service.post(&format!("{PODINFO}/stop"), &json!({"by": "ann", "why": "too much"}).to_string());
    assert_eq!(stopped.short(), (200, "2 loads stopped"));
    let shown = until(&service, |canary| canary["run"]["loads"][0]["stage"] == "over");
    assert_eq!(shown["run"]["stopped"], "by ann (127.0.0.1): too much", "{shown}");
    let again = service.post("/rollout", &payload(&load));
    assert!(again.status == 425 && again.body.contains("its load was stopped: by ann"), "{again:?}");
    assert_eq!(service.post("/api/v1/stop", "").short(), (200, "0 loads stopped"));
}

#[test]
fn stepping_in_takes_the_token_and_looking_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "secret").unwrap();
    let settings = Settings { token_file: Some(file), ..Settings::default() };
    let service = Service::start(Wanted { settings, ..Wanted::default() });
    for path in [format!("{PODINFO}/override"), format!("{PODINFO}/stop"), "/api/v1/stop".to_owned()] {
        assert_eq!(service.post(&path, "{}").status, 401, "{path}");
    }
    assert_eq!(ask(service.addr, "DELETE", &format!("{PODINFO}/override"), &[], b"").status, 401);
    assert_eq!(service.get("/api/v1/canaries").short(), (200, r#"{"canaries":[]}"#));
}
