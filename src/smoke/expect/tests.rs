use std::time::Duration;

use super::super::read::{Around, read};
use super::super::suite::Suite;
use super::*;

fn suite(step: &str) -> Suite {
    let vars = Values::from([("id".to_owned(), "a.b".to_owned()), ("n".to_owned(), "7".to_owned())]);
    let around = Around {
        name: "test",
        base: Some("http://a"),
        vars: &vars,
        env: &|_| None,
        read: &|_| Err(std::io::Error::other("no file")),
        seed: 1,
    };
    let text = format!("steps: [{{name: s, url: /, {step}}}]");
    read(&text, &around).unwrap_or_else(|mistakes| panic!("{text}: {mistakes:?}"))
}

fn answer() -> Answer {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Answer {
        status: Some(201),
        headers: vec![header("Content-Type", "application/json"), header("via", "x"), header("Via", "y")],
        body: br#"{"id": "a.b", "n": 7, "items": [{"k": 1}, {"k": 2}], "one": [5], "none": null}"#.to_vec(),
        took: Duration::from_millis(20),
        ..Answer::default()
    }
}

/// What is said of an answer, a line each.
fn said(expect: &str, answer: &Answer) -> Vec<String> {
    let suite = suite(&format!("expect: {expect}"));
    match suite.steps[0].check(answer, &suite.values) {
        Ok(_) => Vec::new(),
        Err(failures) => failures.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn what_is_expected_is_held_against_the_answer() {
    for (expect, failure, why) in [
        ("{}", "", "by default a status from 200 to 399"),
        ("{status: 201}", "", "the status"),
        ("{status: [200, 201]}", "", "one of several"),
        ("{status: 2xx}", "", "a class"),
        ("{status: [200, 300-399]}", "status: got 201, expected 200, 300-399", "none of several"),
        ("{headers: {content-type: application/json}}", "", "in any case"),
        ("{headers: {via: 'x, y'}}", "", "several of one name joined"),
        ("{headers: {via: x}}", "headers.via: got 'x, y', expected 'x'", "the whole value"),
        ("{headers: {etag: x}}", "headers.etag: got nothing, expected 'x'", "a header that is not there"),
        ("{headers-match: {content-type: json$}}", "", "a part of the value"),
        ("{headers-match: {etag: .}}", "headers-match.etag: got nothing, expected something like .", "not there"),
        ("{body-contains: ['\"id\"', a.b]}", "", "texts"),
        ("{body-contains: A.B}", "body-contains: 'A.B' is not in the body", "in their own case"),
        ("{body-lacks: error}", "", "a text that is not there"),
        ("{body-lacks: a.b}", "body-lacks: 'a.b' is in the body", "and one that is"),
        ("{body-match: '\"n\": \\d+'}", "", "an expression"),
        ("{body-match: '{{id}}'}", "", "with a value"),
        ("{body-match: 'x{{id}}'}", r"body-match: xa\.b is nowhere in the body", "which stands for itself"),
        ("{json: {$.n: 7}}", "", "a number"),
        ("{json: {$.n: 7.0}}", "", "by value"),
        ("{json: {$.n: '7'}}", "json.$.n: got '7', expected \"7\"", "which is no text"),
        ("{json: {$.n: '{{n}}'}}", "", "but what a value was captured from may have been one"),
        ("{json: {$.id: '{{id}}'}}", "", "a text with a value"),
        ("{json: {'$.items[*].k': [1, 2]}}", "", "all that is found"),
        ("{json: {'$.items[0]': {k: 1}}}", "", "a mapping"),
        ("{json: {'$.one[*]': 5}}", "", "the one that is found"),
        ("{json: {'$.one[*]': [5]}}", "", "or the list of it"),
        ("{json: {$.one: [5]}}", "", "or a list itself"),
        ("{json: {$.none: null}}", "", "null that is there"),
        ("{json: {$.gone: null}}", "json.$.gone: got nothing, expected null", "and null that is not"),
        ("{json: {$.items: 1}}", r#"json.$.items: got '[{"k":1},{"k":2}]', expected 1"#, "another type"),
        ("{json-match: {$.n: ^7$}}", "", "a number as text"),
        ("{json-match: {$.id: '^{{id}}$'}}", "", "a value in an expression"),
        ("{json-match: {$.id: ^b}}", "json-match.$.id: got 'a.b', expected something like ^b", "not so"),
        ("{time: 20ms}", "", "as long as it may take"),
        ("{time: 19ms}", "time: took 20.0ms, expected at most 19ms", "too long"),
    ] {
        let expected: Vec<&str> = Some(failure).filter(|failure| !failure.is_empty()).into_iter().collect();
        assert_eq!(said(expect, &answer()), expected, "{expect}: {why}");
    }
}

#[test]
fn everything_that_does_not_hold_is_said_at_once() {
    let all = said("{status: 200, headers: {a: b}, body-contains: x, json: {$.n: 8}, time: 1ms}", &answer());
    let keys: Vec<&str> = all.iter().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(keys, ["status", "headers.a", "body-contains", "json.$.n", "time"]);
}

#[test]
fn an_answer_that_is_none_holds_nothing() {
    for (answer, expected) in [
        (Answer { trouble: Some("refused".into()), ..answer() }, "answer: refused"),
        (Answer { status: None, ..answer() }, "status: got 0, expected 200-399"),
        (Answer { status: Some(404), ..answer() }, "status: got 404, expected 200-399"),
        (ended(14, None), "grpc-status: got 14 UNAVAILABLE, expected 0 OK"),
        (ended(14, Some("no\n upstream")), "grpc-status: got 14 UNAVAILABLE (no  upstream), expected 0 OK"),
    ] {
        assert_eq!(said("{}", &answer), [expected]);
    }
    assert!(said("{}", &ended(0, None)).is_empty());
}

/// A call that ended so.
fn ended(status: u8, words: Option<&str>) -> Answer {
    Answer { status: None, grpc: Some(Called { status, said: words.map(str::to_owned) }), ..answer() }
}

#[test]
fn a_call_may_be_meant_to_fail() {
    for (expect, status, expected) in [
        ("{grpc-status: NOT_FOUND}", 5, None),
        ("{grpc-status: [ok, 5]}", 5, None),
        ("{grpc-status: [ok, 5]}", 0, None),
        ("{grpc-status: 5}", 0, Some("grpc-status: got 0 OK, expected 5 NOT_FOUND")),
        ("{grpc-status: [OK, not_found]}", 14, Some("grpc-status: got 14 UNAVAILABLE, expected 0 OK or 5 NOT_FOUND")),
    ] {
        let suite = suite(&format!("protocol: grpc, expect: {expect}"));
        let failures = suite.steps[0].check(&ended(status, None), &suite.values).err().unwrap_or_default();
        let said: Vec<String> = failures.iter().map(ToString::to_string).collect();
        assert_eq!(said, Vec::from_iter(expected), "{expect}");
    }
}

#[test]
fn a_body_that_is_no_json_or_not_whole_is_not_what_is_expected() {
    let body = |body: &[u8], cut| Answer { body: body.to_vec(), cut, ..answer() };
    assert_eq!(said("{json: {$.a: 1}}", &body(b"", false)), ["json: the body is empty"]);
    let no_json = said("{json: {$.a: 1}}", &body(b"<html>", false));
    assert!(no_json[0].starts_with("json: the body is no JSON: expected value"), "{no_json:?}");
    assert_eq!(
        said("{json: {$.a: 1}}", &body(b"{\"a", true)),
        ["json: the body is longer than what is looked through"]
    );
    assert_eq!(
        said("{body-lacks: z}", &body(b"abc", true)),
        ["body-lacks: 'z' may be in the rest of the body, which is too long"]
    );
}

#[test]
fn values_are_taken_from_status_headers_and_body() {
    for (capture, value, why) in [
        ("status", Ok("201"), "the status"),
        ("{header: content-type}", Ok("application/json"), "a header"),
        ("{header: content-type, match: '/(\\w+)'}", Ok("json"), "a part of it"),
        ("{header: content-type, match: 'app\\w+'}", Ok("application"), "all that is found, without a group"),
        ("{body: '\"n\": (\\d+)'}", Ok("7"), "a part of the body"),
        ("{json: $.id}", Ok("a.b"), "a text as it is"),
        ("{json: $.n}", Ok("7"), "a number"),
        ("{json: '$.items[*].k'}", Ok("[1,2]"), "several as JSON"),
        ("{json: $.id, match: '\\.(.)'}", Ok("b"), "a part of what is found"),
        ("{header: etag}", Err("capture.x: there is no header etag"), "no header"),
        ("{body: zzz}", Err("capture.x: zzz is nowhere in the body"), "nothing found"),
        ("{json: $.gone}", Err("capture.x: $.gone finds nothing"), "no such member"),
        ("{json: $.id, match: q}", Err("capture.x: q is nowhere in 'a.b'"), "no such part"),
    ] {
        let suite = suite(&format!("capture: {{x: {capture}}}"));
        let taken = suite.steps[0].check(&answer(), &suite.values);
        let taken = taken.map(|values| values["x"].clone()).map_err(|failures| failures[0].to_string());
        assert_eq!(taken, value.map(str::to_owned).map_err(str::to_owned), "{capture}: {why}");
    }
}

#[test]
fn nothing_is_taken_from_an_answer_that_does_not_hold() {
    let suite = suite("capture: {x: status}, expect: {status: 200}");
    let failures = suite.steps[0].check(&answer(), &suite.values).unwrap_err();
    assert_eq!(failures, [Failure::new("status", "got 201, expected 200")]);
}
