//! Alertmanager's notifications: which alerts give a release up, and which do not.

use serde_json::{Value, json};

use super::tasks::{payload, until};
use crate::practice::{practice, url};
use crate::service::{Service, Wanted, ask};
use tollgate::server::Settings;

fn notification(alerts: &[Value]) -> String {
    json!({"version": "4", "groupKey": "{}:{}", "status": "firing", "receiver": "tollgate", "truncatedAlerts": 0,
        "alerts": alerts})
    .to_string()
}

fn alert(status: &str, canary: &str, starts_at: &str) -> Value {
    json!({"status": status, "labels": {"alertname": "CanaryHighErrorRate", "canary": canary, "namespace": "test"},
        "annotations": {}, "startsAt": starts_at, "endsAt": "0001-01-01T00:00:00Z", "fingerprint": canary})
}

#[test]
fn an_alert_that_began_in_an_analysis_gives_its_release_up_until_it_is_resolved() {
    let (service, canary) = (Service::start(Wanted::default()), practice(""));
    let notify = |alerts: &[Value]| service.post("/alertmanager", &notification(alerts));
    let future = "2999-01-01T00:00:00Z";
    let rollback = || service.post("/rollback", &payload(&[])).status;
    let ignored = notify(&[alert("firing", "podinfo", future)]);
    assert_eq!(ignored.short(), (200, "0 of 1 alerts taken"), "no analysis, no release to blame");
    let target = url(&canary, "/");
    let load = [("url", target.as_str()), ("rate", "5"), ("duration", "1m"), ("wait", "0s"), ("ready-wait", "0s")];
    assert_eq!(service.post("/rollout", &payload(&load)).status, 202);
    until(&service, |canary| !canary["run"].is_null());
    assert_eq!(rollback(), 412, "its load goes to an address: whose answers come is not known");

    let old = notify(&[alert("firing", "podinfo", "2020-01-01T00:00:00Z")]);
    assert_eq!(old.short(), (200, "0 of 1 alerts taken"), "it began because of the release before");
    assert_eq!(rollback(), 412);
    let several = [
        alert("resolved", "other", future),
        alert("firing", "podinfo", future),
        json!({"status": "firing",
        "labels": {"alertname": "Watchdog"}, "startsAt": future}),
    ];
    assert_eq!(notify(&several).short(), (200, "2 of 3 alerts taken"), "not only the first");
    let given_up = service.post("/rollback", &payload(&[]));
    assert!(given_up.status == 200 && given_up.body.contains("alert CanaryHighErrorRate is firing"), "{given_up:?}");
    assert_eq!(service.post("/rollback/check", &payload(&[])).short(), (200, "Approved"), "the old hook hears it too");
    let another = payload(&[]).replace("85d557f47b", "59f8bb4d5c");
    assert_ne!(service.post("/rollback", &another).status, 200, "the next revision is not to blame");

    assert_eq!(notify(&[alert("resolved", "podinfo", future)]).status, 200);
    assert_eq!(rollback(), 412);
    assert_eq!(notify(&[alert("firing", "podinfo", future)]).short(), (200, "1 of 1 alerts taken"));
    assert_eq!(service.post("/post-rollout", &payload(&[])).status, 200);
    assert_eq!(service.post("/rollout", &payload(&load)).status, 202, "the same revision once more");
    assert_eq!(rollback(), 412, "what was held against the analysis before is over with it");
}

#[test]
fn what_is_no_notification_is_refused_and_who_has_no_token_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "secret\n").unwrap();
    let settings = Settings { token_file: Some(file), ..Settings::default() };
    let service = Service::start(Wanted { settings, ..Wanted::default() });
    assert_eq!(service.post("/alertmanager", &notification(&[])).status, 401);
    let trusted =
        |body: &str| ask(service.addr, "POST", "/alertmanager", &[("Authorization", "Bearer secret")], body.as_bytes());
    assert_eq!(trusted(&notification(&[])).short(), (200, "0 of 0 alerts taken"));
    let old = trusted(r#"{"version":"3","alerts":[]}"#);
    assert_eq!(old.short(), (400, "version: got '3', expected 4, Alertmanager's own"));
    for body in ["", "{}", "[]", r#"{"version":"4","alerts":[{}]}"#] {
        let answer = trusted(body);
        assert!(answer.status == 400 && answer.body.starts_with("the body is no notification"), "{body}: {answer:?}");
    }
}
