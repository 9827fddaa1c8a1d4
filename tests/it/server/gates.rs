//! Gates as people and Flagger use them: opened with terms, ended with the analysis, listed with what happened.

use std::io::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::flagger::Flagger;
use crate::service::{Service, Wanted, ask};
use tollgate::gate::Rules;
use tollgate::server::Settings;

use super::said;

fn flagger(service: &Service) -> Flagger {
    Flagger { service: service.addr, name: "podinfo", namespace: "test", retries: 2 }
}

/// Somebody's request about podinfo's gates, with metadata.
fn person(service: &Service, path: &str, metadata: &Value) -> (u16, String) {
    let body = json!({"name": "podinfo", "namespace": "test", "metadata": metadata}).to_string();
    let answer = service.post(path, &body);
    (answer.status, answer.body)
}

fn forbidden() -> Result<(), String> {
    Err("Forbidden".to_owned())
}

#[test]
fn flagger_waits_at_a_closed_gate_and_goes_on_at_an_open_one() {
    let service = Service::start(Wanted::default());
    let flagger = flagger(&service);
    assert_eq!(flagger.call("/gate/check", "Waiting", "v1"), forbidden(), "with the reason in Flagger's event");
    assert_eq!(person(&service, "/gate/open", &json!({})), (202, String::new()));
    assert_eq!(flagger.call("/gate/check", "Waiting", "v1"), Ok(()));
    assert_eq!(flagger.call("/gate/close", "Progressing", "v2"), Ok(()), "hooks close gates");
    assert_eq!(flagger.call("/gate/check", "WaitingPromotion", "v2"), forbidden());
    assert_eq!(flagger.call("/gate/open", "Progressing", "v2"), Ok(()), "and open them");
    assert_eq!(flagger.call("/gate/check", "WaitingPromotion", "v2"), Ok(()));
}

#[test]
fn a_rollback_gate_rolls_one_release_back_and_not_the_next() {
    let service = Service::start(Wanted::default());
    let flagger = flagger(&service);
    assert_eq!(flagger.call("/rollback/check", "Progressing", "v2"), forbidden());
    person(&service, "/rollback/open", &json!({"by": "ann", "why": "errors"}));
    assert_eq!(flagger.call("/rollback/check", "Progressing", "v2"), Ok(()), "v2 is rolled back");
    assert_eq!(flagger.call("/rollback/check", "Progressing", "v2"), Ok(()), "also when the answer was lost");
    assert_eq!(flagger.call("/post-rollout", "Failed", "v2"), Ok(()));
    assert_eq!(flagger.call("/rollback/check", "Progressing", "v3"), forbidden(), "v3 is not to blame");

    person(&service, "/rollback/open", &json!({}));
    assert_eq!(flagger.call("/rollback/check", "Progressing", "v3"), Ok(()));
    assert_eq!(
        flagger.call("/rollback/check", "Progressing", "v4"),
        forbidden(),
        "nor v4, without a post-rollout hook"
    );
}

#[test]
fn sticky_gates_go_on_rolling_back_as_the_loadtesters_do() {
    let service = Service::start(Wanted {
        settings: Settings { rules: Rules { sticky: true, ttl: None }, ..Settings::default() },
        ..Wanted::default()
    });
    let flagger = flagger(&service);
    person(&service, "/rollback/open", &json!({}));
    for checksum in ["v2", "v3"] {
        assert_eq!(flagger.call("/rollback/check", "Progressing", checksum), Ok(()));
        assert_eq!(flagger.call("/post-rollout", "Failed", checksum), Ok(()));
    }
}

#[test]
fn a_gate_opened_once_lets_one_release_through_however_often_it_is_asked() {
    let service = Service::start(Wanted::default());
    let flagger = flagger(&service);
    person(&service, "/gate/open", &json!({"once": "true"}));
    let looked = service.post("/gate/check", r#"{"name":"podinfo","namespace":"test"}"#);
    assert_eq!(looked.short(), (200, "Approved"), "a person who looks uses nothing up");
    for (phase, checksum) in [("Waiting", "v1"), ("Progressing", "v2"), ("WaitingPromotion", "v2")] {
        assert_eq!(flagger.call("/gate/check", phase, checksum), Ok(()), "{phase}");
    }
    assert_eq!(flagger.call("/event", "Succeeded", "v2"), Ok(()));
    assert_eq!(flagger.call("/gate/check", "Succeeded", "v2"), forbidden());
}

#[test]
fn an_opening_with_an_end_says_when_and_ends_then() {
    let service = Service::start(Wanted::default());
    let flagger = flagger(&service);
    let (status, said) = person(&service, "/gate/open", &json!({"ttl": "1s"}));
    let until: Timestamp = said.strip_prefix("open until ").expect("says when").parse().unwrap();
    assert_eq!((status, until.subsec_nanosecond()), (202, 0));
    // Asked until it has lapsed: the last yes comes before its end, which is rounded to a second.
    while flagger.call("/gate/check", "Waiting", "v1").is_ok() {
        assert!(Timestamp::now() < until.checked_add(Duration::from_secs(2)).unwrap(), "does not lapse");
    }
    let history = service.get("/api/v1/gates/test/podinfo").json()["gates"][0]["history"].clone();
    assert_eq!((&history[0]["what"], &history[1]["what"]), (&json!("opened"), &json!("lapsed")), "{history}");
}

#[test]
fn terms_that_cannot_be_read_are_all_told_and_open_nothing() {
    let service = Service::start(Wanted::default());
    let (status, said) = person(&service, "/gate/open", &json!({"ttl": "soon", "once": "yes"}));
    let expected = "ttl: got 'soon', expected a duration of at least 1s, such as 30m or 2h; \
                    once: got 'yes', expected \"true\" or \"false\"";
    assert_eq!((status, said.as_str()), (400, expected));
    assert_eq!(service.get("/api/v1/gates").json(), json!({"gates": []}));
}

#[test]
fn gates_are_listed_with_who_when_and_why() {
    let service = Service::start(Wanted::default());
    let before = Timestamp::now();
    person(&service, "/gate/open", &json!({"by": "ann", "why": "tried \u{7}it", "once": "true"}));
    person(&service, "/rollback/open", &json!({}));
    person(&service, "/rollback/close", &json!({"by": "bob"}));
    let list = service.get("/api/v1/gates").json();
    let [confirm, rollback] = list["gates"].as_array().unwrap().as_slice() else { panic!("{list}") };
    let since: Timestamp = confirm["since"].as_str().unwrap().parse().unwrap();
    assert!(before <= since && since <= Timestamp::now());
    let mut confirm = confirm.clone();
    confirm["since"] = json!("now");
    let expected = json!({"kind": "confirm", "name": "podinfo", "namespace": "test", "open": true, "since": "now",
        "by": "ann (127.0.0.1)", "why": "tried it", "until": null, "once": true, "used": false});
    assert_eq!(confirm, expected);
    assert_eq!((&rollback["open"], &rollback["by"]), (&json!(false), &Value::Null));

    let detail = service.get("/api/v1/gates/test/podinfo").json();
    let history = detail["gates"][1]["history"].as_array().unwrap();
    let told: Vec<_> = history.iter().map(|event| (event["what"].clone(), event["by"].clone())).collect();
    assert_eq!(told, [(json!("opened"), json!("127.0.0.1")), (json!("closed"), json!("bob (127.0.0.1)"))]);
    let unknown = service.get("/api/v1/gates/test/nobody").json();
    assert_eq!((&unknown["gates"][0]["open"], &unknown["gates"][0]["history"]), (&json!(false), &json!([])));
    assert_eq!(service.get("/api/v1/gates").json()["gates"].as_array().unwrap().len(), 2, "asking makes none");
}

#[test]
fn opening_takes_the_token_and_closing_does_not() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"s3cret\n").unwrap();
    let settings = Settings { token_file: Some(file.path().to_owned()), ..Settings::default() };
    let service = Service::start(Wanted { settings, ..Wanted::default() });
    let post = |path: &str, authorization: Option<&str>| {
        let headers: Vec<_> = authorization.map(|value| ("Authorization", value)).into_iter().collect();
        ask(service.addr, "POST", path, &headers, br#"{"name":"podinfo","namespace":"test"}"#)
    };
    for path in ["/gate/open", "/rollback/open"] {
        for wrong in
            [None, Some("Bearer wrong"), Some("Bearer s3cretx"), Some("Basic s3cret"), Some("Bearer"), Some("Bearer ")]
        {
            let answer = post(path, wrong);
            assert_eq!(answer.status, 401, "{path} {wrong:?}");
            assert!(answer.headers.contains(&("Www-Authenticate".to_owned(), "Bearer".to_owned())), "{answer:?}");
        }
        let check = path.replace("open", "check");
        assert_eq!(post(&check, None).status, 403, "still closed; asking takes no token");
        assert_eq!(post(path, Some("Bearer s3cret")).status, 202);
        assert_eq!(post(&check, None).status, 200);
        assert_eq!(post(&path.replace("open", "close"), None).status, 202);
    }
    std::fs::write(file.path(), "another").unwrap();
    assert_eq!(post("/gate/open", Some("Bearer s3cret")).status, 401, "a token that was exchanged counts at once");
    assert_eq!(post("/gate/open", Some("bearer another")).status, 202);
    std::fs::write(file.path(), " \n").unwrap();
    assert_eq!(post("/gate/open", Some("Bearer ")).status, 424, "an empty token is none");
    assert_eq!(ask(service.addr, "PUT", "/api/v1/log-level", &[], b"debug").status, 424);
}

#[test]
fn the_log_level_can_be_read_and_changed() {
    let service = Service::start(Wanted::default());
    let put = |level: &str| ask(service.addr, "PUT", "/api/v1/log-level", &[], level.as_bytes());
    assert_eq!(service.get("/api/v1/log-level").short(), (200, "info"));
    assert_eq!(put("debug\n").short(), (200, "debug"));
    assert_eq!(service.get("/api/v1/log-level").short(), (200, "debug"));
    assert_eq!(said(&put("loud")), (400, "got 'loud', expected debug, info, warn or error".to_owned()));
    assert_eq!(said(&service.post("/api/v1/log-level", "info")), (405, "expected GET or PUT".to_owned()));
}
