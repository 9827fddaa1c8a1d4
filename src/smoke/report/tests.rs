use roxmltree::Document;

use super::*;

const PLAIN: Style = Style { color: false, width: 80, unicode: true };

fn told(name: &str, end: End) -> Told {
    Told {
        name: name.to_owned(),
        line: 3,
        asks: "GET /x".to_owned(),
        end,
        status: Some(200),
        took: Duration::from_millis(5),
        tries: 1,
        whole: Duration::from_millis(6),
        said: Vec::new(),
        captured: Vec::new(),
        report: None,
    }
}

fn suite(steps: Vec<Told>) -> ToldSuite {
    let (name, file) = ("podinfo".to_owned(), "smoke.yaml".to_owned());
    ToldSuite { name, file, started: "2026-01-07T09:30:00.5Z".to_owned(), took: Duration::from_millis(1_500), steps }
}

fn bad() -> Told {
    let said = vec!["status: got 503, expected 200-399".to_owned(), "the body begins: \u{1b}[31m<x>".to_owned()];
    Told {
        status: Some(503),
        tries: 3,
        whole: Duration::from_secs(2),
        said,
        ..told("bad", End::Decided(Decision::Fail))
    }
}

#[test]
fn a_step_is_a_line_and_what_does_not_hold_stands_below() {
    let passed = Told { captured: vec!["token".to_owned()], ..told("a", End::Decided(Decision::Pass)) };
    for (told, expected) in [
        (passed, "  ✓ a    GET /x  200 in 5.00ms  got token\n"),
        (
            bad(),
            "  ✗ bad  GET /x  503 in 5.00ms, 3 tries in 2.00s\n      status: got 503, expected 200-399\n      \
             the body begins:  [31m<x>\n",
        ),
        (told("c", End::Skipped("'bad' did not pass".to_owned())), "  - c    GET /x  skipped: 'bad' did not pass\n"),
        (told("d", End::Interrupted), "  ! d    GET /x  interrupted after 6.00ms\n"),
    ] {
        assert_eq!(step_line(&told, 3, PLAIN), expected);
    }
}

#[test]
fn a_file_ends_with_its_verdict_and_the_first_reason() {
    let pass = || told("a", End::Decided(Decision::Pass));
    assert_eq!(suite_line(&suite(vec![pass(), pass()]), PLAIN), "PASS  2 of 2 steps passed in 1.50s\n");
    assert_eq!(
        suite_line(&suite(vec![pass(), bad(), told("c", End::Skipped("x".to_owned()))]), PLAIN),
        "FAIL  1 of 3 steps passed in 1.50s; bad: status: got 503, expected 200-399\n"
    );
    assert_eq!(
        suite_line(&suite(vec![pass(), told("d", End::Interrupted)]), PLAIN),
        "INTERRUPTED  1 of 2 steps passed in 1.50s; d: it was interrupted\n"
    );
}

#[test]
fn test_suites_are_green_exactly_when_the_exit_code_is_0() {
    let decided = |decision| told("s", End::Decided(decision));
    let skipped = || told("t", End::Skipped("why".to_owned()));
    for (steps, code, kinds) in [
        (vec![decided(Decision::Pass)], 0, vec!["system-out"]),
        (vec![decided(Decision::Fail), skipped()], 1, vec!["failure", "skipped"]),
        (vec![decided(Decision::Unreachable)], 1, vec!["failure"]),
        (vec![decided(Decision::Insufficient)], 3, vec!["error"]),
        (vec![decided(Decision::Saturated)], 4, vec!["error"]),
        (vec![decided(Decision::Error)], 4, vec!["error"]),
        (vec![told("d", End::Interrupted), skipped()], 130, vec!["error", "skipped"]),
    ] {
        let text = junit(&[suite(steps)], code);
        let document = Document::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
        let found: Vec<_> =
            cases.map(|case| case.first_element_child().unwrap().tag_name().name().to_owned()).collect();
        assert_eq!(found, kinds, "{text}");
        let red = kinds.iter().any(|kind| ["failure", "error"].contains(kind));
        assert_eq!(red, code != 0, "{text}");
    }
}

#[test]
fn what_comes_from_outside_stays_text_in_test_cases() {
    let text = junit(&[suite(vec![bad()])], 1);
    let document = Document::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let failure = document.descendants().find(|node| node.has_tag_name("failure")).unwrap();
    assert_eq!(
        failure.attribute("message"),
        Some("GET /x: status: got 503, expected 200-399; the body begins:  [31m<x>"),
        "{text}"
    );
    assert_eq!(document.descendants().filter(|node| node.has_tag_name("x")).count(), 0);
}

#[test]
fn the_json_has_every_member_that_the_documents_name() {
    let json = json(&[suite(vec![bad()])], 1);
    assert_eq!((&json["exit_code"], &json["tollgate"]), (&1.into(), &env!("CARGO_PKG_VERSION").into()));
    let (told, step) = (&json["suites"][0], &json["suites"][0]["steps"][0]);
    assert_eq!((&told["decision"], &told["passed"], &step["decision"]), (&"fail".into(), &0.into(), &"fail".into()));
    assert_eq!((&step["status"], &step["tries"], &step["took_ms"]), (&503.into(), &3.into(), &5.0.into()));
    let docs = include_str!("../../../docs/smoke.md");
    for object in [&json, told, step] {
        for member in object.as_object().unwrap().keys() {
            assert!(docs.contains(&format!("`{member}`")), "docs/smoke.md does not name {member}");
        }
    }
}
