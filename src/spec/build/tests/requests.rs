//! Several URLs, drawn values and what results are told apart by.

use super::*;
use crate::plan::{Source, Split};

const OTHER: &str = "http://other.test:81/x";

fn request(spec: &Spec, target: usize, index: u64) -> crate::plan::Request {
    let target = &spec.plan.targets[target];
    let drawn = target.drawn.as_ref().expect("values are drawn");
    drawn.request(&target.request, spec.plan.seed, index)
}

#[test]
fn urls_share_what_is_said_of_requests_and_each_has_its_own_login_and_addresses() {
    let wishes = [
        (Id::Url, "http://ann:pw@podinfo.test/"),
        (Id::Url, OTHER),
        (Id::Weights, "9, 1"),
        (Id::Headers, "X-A: 1"),
        (Id::Body, "hi"),
        (Id::Resolve, "other.test:81:10.0.0.7"),
        (Id::Resolve, "podinfo.test:80:10.0.0.8"),
    ];
    let spec = build(&wishes).unwrap();
    let [first, second] = &spec.plan.targets[..] else { panic!("two URLs") };
    assert_eq!((first.weight, second.weight), (9, 1));
    assert_eq!(
        (first.request.authority.as_str(), second.request.authority.as_str()),
        ("podinfo.test", "other.test:81")
    );
    assert_eq!(first.request.header("Authorization"), Some("Basic YW5uOnB3"));
    assert_eq!(second.request.header("Authorization"), None, "a password is for its own URL");
    for target in [first, second] {
        assert_eq!((target.request.header("x-a"), &*target.request.body), (Some("1"), &b"hi"[..]));
        assert_eq!(target.drawn, None);
    }
    let pinned =
        |target: &crate::plan::Target| target.origin.pinned.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!((pinned(first), pinned(second)), (vec!["10.0.0.8:80".to_owned()], vec!["10.0.0.7:81".to_owned()]));
    assert_eq!(spec.plan.weights(), [9, 1]);
}

#[test]
fn under_a_rate_each_url_has_a_lane() {
    let urls = [(Id::Url, URL), (Id::Url, OTHER), (Id::Url, "http://third.test/")];
    let with = |wishes: &[(Id, &'static str)]| build(&[&urls, wishes].concat());
    let lanes = |wishes: &[(Id, &'static str)]| {
        with(wishes).map(|spec| (spec.plan.lanes, spec.plan.max_lanes, spec.notes)).unwrap()
    };
    assert_eq!(lanes(&[(Id::Rate, "5/s")]), (3, 64, vec![]));
    let said = "3 lanes: under a rate each URL has at least one of its own".to_owned();
    assert_eq!(lanes(&[(Id::Rate, "5/s"), (Id::Connections, "2")]), (3, 64, vec![said]));
    assert_eq!(lanes(&[(Id::Connections, "2")]), (2, 2, vec![]), "a lane of a closed loop asks them all");
    let error = with(&[(Id::Rate, "5/s"), (Id::MaxLanes, "2")]).unwrap_err().to_string();
    assert_eq!(
        error,
        "--max-lanes: got '2', expected at least one lane for each of the 3 URLs; each has lanes of its own"
    );
}

#[test]
fn wrong_weights_and_too_many_urls_are_refused() {
    for (text, end) in [
        ("9", "; there are 2 URLs"),
        ("1,2,3", "; there are 2 URLs"),
        ("0,1", "commas"),
        ("1001,1", "commas"),
        ("a,b", "commas"),
        ("1;2", "commas"),
    ] {
        let error = build(&[(Id::Url, URL), (Id::Url, OTHER), (Id::Weights, text)]).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("--weights: got '{text}', expected one whole number")) && error.ends_with(end),
            "{error}"
        );
    }
    assert!(mistakes(&[(Id::Weights, "1,2")])[0].ends_with("; there is one URL"));
    let error = build(&[(Id::Url, URL); 101]).unwrap_err().to_string();
    assert!(error.contains("expected at most 100 URLs; these are 101"), "{error}");
    let error = build(&[(Id::Url, URL), (Id::Url, OTHER), (Id::Resolve, "x.test:80:1.2.3.4")]).unwrap_err().to_string();
    assert!(error.ends_with("; no URL goes to x.test:80, so this would have no effect"), "{error}");
}

#[test]
fn values_go_into_url_headers_and_body_and_a_name_is_one_value_in_all_of_them() {
    let wishes = [
        (Id::Url, "http://podinfo.test/u/{{user}}?n={{counter}}"),
        (Id::Headers, "user-id: {{user=pick:a b,a/b}}"),
        (Id::Headers, "X-Plain: {{{{x}}"),
        (Id::Body, "{\"user\":\"{{user}}\",\"id\":\"{{uuid}}\"}"),
        (Id::Seed, "5"),
    ];
    let spec = build(&wishes).unwrap();
    assert_eq!(spec.plan.targets[0].url, "http://podinfo.test/u/{{user}}?n={{counter}}");
    assert_eq!((spec.plan.seed, spec.plan.draws()), (5, true));
    let mut seen = std::collections::BTreeSet::new();
    for index in 0..20 {
        let made = request(&spec, 0, index);
        let user = made.header("user-id").unwrap().to_owned();
        let in_url = if user == "a b" { "a%20b" } else { "a%2Fb" };
        assert_eq!(made.path, format!("/u/{in_url}?n={}", index + 1));
        let body = String::from_utf8(made.body.to_vec()).unwrap();
        assert!(body.starts_with(&format!("{{\"user\":\"{user}\",\"id\":\"")) && body.ends_with("\"}"), "{body}");
        assert_eq!((made.header("x-plain"), made.header("accept")), (Some("{{x}}"), Some("*/*")));
        seen.insert(user);
    }
    assert_eq!(seen.len(), 2);
    let escaped = spec_of_body("{{{{x}}");
    assert_eq!(
        (&*escaped.plan.targets[0].request.body, escaped.plan.draws()),
        (&b"{{x}}"[..], false),
        "nothing to draw"
    );
}

fn spec_of_body(body: &str) -> Spec {
    spec(&[(Id::Body, body)])
}

#[test]
fn the_same_header_value_goes_to_whichever_url_the_request_has() {
    let urls = [(Id::Url, "http://a.test/{{uuid}}"), (Id::Url, "http://b.test/")];
    let spec = build(&[&urls[..], &[(Id::Headers, "user-id: {{range:1..1000}}")]].concat()).unwrap();
    for index in 0..50 {
        assert_eq!(request(&spec, 0, index).headers, request(&spec, 1, index).headers);
    }
}

#[test]
fn what_cannot_be_drawn_is_a_mistake_of_its_own_key_and_said_once() {
    let urls = [(Id::Url, "http://a.test/"), (Id::Url, "http://b.test/{{range:3..1}}")];
    let wishes =
        [(Id::Headers, "user-id: {{user}}"), (Id::Body, "{{conter}}"), (Id::Headers, "Authorization: {{pik:s3cret}}")];
    let error = build(&[&urls[..], &wishes].concat()).unwrap_err();
    let lines: Vec<String> = error.to_string().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 4, "{lines:#?}");
    assert!(
        lines[0].starts_with("URL: got 'http://b.test/{{range:3..1}}', expected an address")
            && lines[0].contains("column 15: the range"),
        "{}",
        lines[0]
    );
    assert!(
        lines[1].starts_with(
            "-H/--header: got 'Authorization: ***', expected 'Name: value'; the {{ at column 16: did you mean pick?"
        ),
        "{}",
        lines[1]
    );
    assert!(
        lines[2].starts_with("-H/--header: got 'user-id: {{user}}', expected 'Name: value'; the {{ at column 10: "),
        "{}",
        lines[2]
    );
    assert!(
        lines[3].starts_with(
            "-d/--body: got '{{conter}}', expected a text of at most 64 MiB; the {{ at column 1: did you mean counter?"
        ),
        "{}",
        lines[3]
    );
    assert!(!error.to_string().contains("s3cret"));
}

#[test]
fn results_are_told_apart_by_names_or_where_there_are_none_by_all_lists_and_ranges() {
    let labels = |wishes: &[(Id, &str)]| -> Vec<String> {
        let spec = spec(wishes);
        let label = |split: &Split| {
            if let Split::Value { label, .. } = split { label.clone() } else { split.name().to_owned() }
        };
        spec.plan.split.iter().map(label).collect()
    };
    for (header, by, expected, why) in [
        (
            "X: {{pick:a,b}} {{range:1..2}} {{uuid}}",
            "value",
            vec!["{{pick:a,b}}", "{{range:1..2}}"],
            "what can be listed",
        ),
        ("X: {{pick:a,b}} {{n=range:1..2}}", "value", vec!["n"], "names go first"),
        ("X: {{range:1..2}}{{range:1..2}}", "value", vec!["{{range:1..2}}", "{{range:1..2}} (2)"], "two of a kind"),
        ("X: {{n=range:1..2}}", "value, url,value,address", vec!["n", "url", "address"], "each once, in order"),
        ("X: 1", "url", vec!["url"], "nothing drawn"),
    ] {
        assert_eq!(labels(&[(Id::Headers, header), (Id::SplitBy, by)]), expected, "{why}");
    }
    assert!(labels(&[]).is_empty());
}

#[test]
fn a_value_of_two_urls_is_one_where_it_is_drawn_alike() {
    let urls = |second| {
        let urls = [
            (Id::Url, "http://a.test/{{n=range:1..5}}"),
            (Id::Url, second),
            (Id::Url, "http://c.test/"),
            (Id::SplitBy, "value"),
        ];
        build(&urls)
    };
    let spec = urls("http://b.test/{{uuid}}/{{n=range:1..5}}").unwrap();
    let places = vec![Some(0), Some(1), None];
    assert_eq!(spec.plan.split, [Split::Value { label: "n".into(), places }]);
    assert_eq!(spec.plan.name(&spec.plan.split[0], 4), "5");
    assert_eq!(spec.plan.targets[1].drawn.as_ref().unwrap().drawings[0].source, Source::Uuid);
    let error = urls("http://b.test/{{n=pick:a,b}}").unwrap_err().to_string();
    assert!(error.contains("expected one meaning of each name; n is drawn in two ways"), "{error}");
}

#[test]
fn what_nothing_can_be_told_apart_by_is_refused() {
    let many = format!("X: {}", "{{range:1..2}}".repeat(9));
    for (header, by, part) in [
        ("X: 1", "value", "expected a value to tell requests apart by; no list or range is drawn"),
        ("X: {{uuid}}", "value", "expected a value to tell requests apart by; no list or range is drawn"),
        (many.as_str(), "value", "expected at most 8 values; these are 9: give names"),
        ("X: 1", "urls", "; did you mean url?"),
        ("X: 1", "pod", "expected url, address or value, several separated by commas"),
        ("X: 1", "", "expected url, address or value, several separated by commas"),
    ] {
        let lines = mistakes(&[(Id::Headers, header), (Id::SplitBy, by)]);
        assert!(lines.len() == 1 && lines[0].starts_with("--split-by: ") && lines[0].contains(part), "{lines:?}");
    }
}
