//! Several URLs, values drawn for each request, results told apart, redirects: what servers saw and what the report says
//! of it, number by number.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;

use serde_json::Value;
use tollgate::practice::{Behaviour, Practice};

use super::practice::{practice, url};
use super::raw::{Raw, Requests};
use super::report::{Report, measure_with};
use super::tollgate::run;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const BAD: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";

/// Finished and succeeded requests by part, of the split with this number.
fn parts(report: &Report, split: usize) -> BTreeMap<String, (u64, u64)> {
    let parts = report.json()["splits"][split]["parts"].as_array().unwrap_or_else(|| panic!("no split\n{report}"));
    let part = |part: &Value| {
        let count = |name: &str| part[name].as_u64().unwrap();
        (part["name"].as_str().unwrap().to_owned(), (count("finished"), count("succeeded")))
    };
    parts.iter().map(part).collect()
}

/// How often each value of a header arrived.
fn header_values(requests: &Requests, name: &str) -> BTreeMap<String, u64> {
    let mut seen = BTreeMap::new();
    for (_, bytes) in requests.all() {
        let text = String::from_utf8(bytes).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).unwrap();
        *seen.entry(line.to_owned()).or_default() += 1;
    }
    seen
}

/// The paths asked for, in the order of arrival.
fn paths(requests: &Requests) -> Vec<String> {
    let path = |bytes: &[u8]| String::from_utf8_lossy(bytes).split(' ').nth(1).unwrap().to_owned();
    requests.all().iter().map(|(_, bytes)| path(bytes)).collect()
}

#[test]
fn each_url_gets_its_part_and_the_report_counts_it_as_the_servers_do() {
    for pace in ["-n 200 -c 4", "-z 2s --rate 100/s -c 4"] {
        let (good, bad) = (practice(""), practice("errors 100%"));
        let urls = [url(&good, "/"), url(&bad, "/x")];
        let words = ["--weights", "9,1", "--split-by", "url", &urls[0]];
        let report = measure_with(pace, &words, &urls[1]);
        let (good, bad) = (good.stop(), bad.stop());
        assert_eq!((good.received, bad.received), (180, 20), "{pace}\n{report}");
        let expected = [(urls[0].clone(), (180, 180)), (urls[1].clone(), (20, 0))];
        assert_eq!(parts(&report, 0), expected.into(), "{pace}");
        assert_eq!(report.text("/splits/0/outlier"), urls[1], "all of its requests fail");
        assert_eq!((report.text("/plan/urls/1/url"), report.count("/plan/urls/0/weight")), (urls[1].as_str(), 9));
    }
}

#[test]
fn each_server_is_reached_at_its_own_pinned_address() {
    let ((one, first), (two, second)) = (Raw::recording(), Raw::recording());
    let [one, two] = [one.addr.port(), two.addr.port()];
    let pins = [format!("a.invalid:{one}:127.0.0.1"), format!("b.invalid:{two}:127.0.0.1")];
    let urls = [format!("http://a.invalid:{one}/"), format!("http://b.invalid:{two}/")];
    let words = ["--resolve", &pins[0], "--resolve", &pins[1], &urls[0]];
    let report = measure_with("-n 40 -c 2", &words, &urls[1]);
    assert_eq!(report.count("/requests/succeeded"), 40, "{report}");
    assert_eq!((first.all().len(), second.all().len()), (20, 20));
    assert_eq!(header_values(&first, "Host"), [(format!("a.invalid:{one}"), 20)].into());
}

#[test]
fn a_url_that_hangs_does_not_hold_the_other() {
    let (good, hung) = (practice(""), practice("hang-all"));
    let words = ["--split-by", "url", &url(&good, "/")];
    let report = measure_with("-z 2s --rate 50/s -c 2 --max-lanes 4 -t 1", &words, &url(&hung, "/"));
    assert_eq!(report.count("/requests/finished"), 100, "{report}");
    let parts = parts(&report, 0);
    assert_eq!(parts[&url(&good, "/")], (50, 50), "{report}");
    assert_eq!(parts[&url(&hung, "/")], (50, 0), "{report}");
}

#[test]
fn results_by_value_are_what_the_server_saw_of_each_value() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (server, requests) =
        Raw::recording_on(listener, |text| if text.contains("user-id: 3\r\n") { BAD } else { OK }.to_owned());
    let words = ["-H", "user-id: {{user=range:1..5}}", "--split-by", "value"];
    let report = measure_with("-n 300 -c 3", &words, &server.url("/?{{user}}"));
    let seen = header_values(&requests, "user-id");
    assert_eq!(seen.keys().collect::<Vec<_>>(), ["1", "2", "3", "4", "5"], "none beyond the range");
    let expected = seen.iter().map(|(user, n)| (user.clone(), (*n, if user == "3" { 0 } else { *n })));
    assert_eq!(parts(&report, 0), expected.collect(), "{report}");
    assert_eq!((report.text("/splits/0/of"), report.text("/splits/0/outlier")), ("user", "3"));
    let first = &report.json()["splits"][0]["parts"][0];
    assert_eq!((first["name"].as_str(), first["codes"]["503"].as_u64()), (Some("3"), Some(seen["3"])), "worst first");
    for (_, bytes) in requests.all() {
        let text = String::from_utf8(bytes).unwrap();
        let user = text.split("user-id: ").nth(1).unwrap().split("\r\n").next().unwrap();
        assert!(text.starts_with(&format!("GET /?{user} HTTP")), "one value in both places: {text}");
    }
}

#[test]
fn the_same_seed_sends_the_same_values_whatever_sends_them_and_another_one_others() {
    let sent = |arguments: &str| {
        let (server, requests) = Raw::recording();
        let words = ["-H", "user-id: {{range:1..1000000}}", "-m", "POST", "-d", "{{uuid}}"];
        let report = measure_with(arguments, &words, &server.url("/{{pick:a b,c/d}}?n={{counter}}"));
        assert_eq!(report.count("/requests/succeeded"), 60, "{report}");
        let texts = requests.all().into_iter().map(|(_, bytes)| {
            let text = String::from_utf8(bytes).unwrap();
            text.replace(&server.addr.to_string(), "HOST")
        });
        (texts.collect::<BTreeSet<String>>(), report.count("/plan/seed"))
    };
    let (one, seed) = sent("-n 60 -c 4 --workers 1 --seed 42");
    assert_eq!((one.len(), seed), (60, 42), "no two requests are alike");
    assert_eq!(sent("-n 60 -c 4 --workers 2 --seed 42").0, one, "the number of threads changes nothing");
    assert_eq!(sent("-z 3s --rate 20/s --seed 42").0, one, "nor does the loop");
    let (other, fresh) = sent("-n 60 -c 4");
    assert!(one.is_disjoint(&other), "a seed of its own: {fresh}");
    assert_eq!(sent(&format!("-n 60 -c 4 --seed {fresh}")).0, other, "which the report names");
    let counters: BTreeSet<&str> =
        one.iter().map(|text| text.split("n=").nth(1).unwrap().split(' ').next().unwrap()).collect();
    assert_eq!(counters.len(), 60);
    assert!(counters.contains("1") && counters.contains("60"));
    assert!(one.iter().all(|text| text.starts_with("POST /a%20b?") || text.starts_with("POST /c%2Fd?")));
    assert!(one.iter().all(|text| text.contains("\r\nContent-Length: 36\r\n")), "a body of its own length");
}

#[test]
fn a_body_file_is_filled_in_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("body.json");
    std::fs::write(&file, "{\"a\":{\"n\":{{counter}}}}\n").unwrap();
    let (server, requests) = Raw::recording();
    measure_with("-n 2 -c 1 -m POST", &["-D", file.to_str().unwrap()], &server.url("/"));
    let bodies = requests.all().into_iter().map(|(_, bytes)| String::from_utf8(bytes).unwrap());
    let bodies: Vec<String> = bodies.map(|text| text.split_once("\r\n\r\n").unwrap().1.to_owned()).collect();
    assert_eq!(bodies, ["{\"a\":{\"n\":1}}\n", "{\"a\":{\"n\":2}}\n"]);
}

#[test]
fn urls_values_and_their_counts_are_the_same_over_http2() {
    let (good, bad) = (practice(""), practice("errors 100%"));
    let urls = [url(&good, "/?{{pick:a,b}}"), url(&bad, "/?{{uuid}}")];
    for wire in ["", "--http2 --streams 4"] {
        let arguments = format!("-n 200 -c 8 --workers 2 --seed 3 {wire}");
        let words = ["--weights", "3,1", "--split-by", "url,value,address", &urls[0]];
        let report = measure_with(&arguments, &words, &urls[1]);
        let expected = [(urls[0].clone(), (150, 150)), (urls[1].clone(), (50, 0))];
        assert_eq!(parts(&report, 0), expected.into(), "{wire}: {report}");
        let values = parts(&report, 1);
        assert_eq!((values["a"].0 + values["b"].0, values["none"]), (150, (50, 0)), "{wire}: {report}");
        let addresses = [(good.addr().to_string(), (150, 150)), (bad.addr().to_string(), (50, 0))];
        assert_eq!(parts(&report, 2), addresses.into(), "{wire}: {report}");
    }
    assert_eq!((good.stop().received, bad.stop().received), (300, 100));
}

#[test]
fn hey_follows_ten_redirects_and_counts_one_more_as_an_error_in_its_own_words() {
    for (hops, said) in [(10, "[200]\t3 responses"), (11, "stopped after 10 redirects")] {
        let (server, requests) = hopping("/end");
        let ended = run(["hey", "-n", "3", "-c", "1", &server.url(&format!("/hop/{hops}"))]);
        assert!(ended.stdout.contains(said), "{hops}: {}", ended.stdout);
        assert_eq!(requests.all().len(), 33, "{hops}");
        assert_eq!(ended.stdout.contains("Error distribution"), hops > 10, "{}", ended.stdout);
    }
}

/// Two servers on one port of two addresses, the second of which fails, and what `--resolve` needs to know of them.
fn two_pods() -> (String, [(String, Requests); 2]) {
    loop {
        let first = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = first.local_addr().unwrap().port();
        // Another test may have just this port on the other address.
        let Ok(second) = TcpListener::bind(("127.0.0.2", port)) else { continue };
        let pod = |listener: TcpListener, answer: &'static str| {
            let (server, requests) = Raw::recording_on(listener, |_| answer.to_owned());
            (server.addr.to_string(), requests)
        };
        return (format!("pods.invalid:{port}:127.0.0.1,127.0.0.2"), [pod(first, OK), pod(second, BAD)]);
    }
}

#[test]
fn the_one_bad_pod_is_named() {
    // For a time: of a count, a server that is slow to begin would leave nearly all to the other.
    for pace in ["-z 1s -c 4", "-z 2s --rate 100/s -c 4"] {
        let (pin, [(good, well), (bad, ill)]) = two_pods();
        let target = format!("http://pods.invalid:{}/", good.split(':').nth(1).unwrap());
        let report = measure_with(pace, &["--resolve", &pin, "--split-by", "address"], &target);
        let (well, ill) = (well.all().len() as u64, ill.all().len() as u64);
        assert_eq!(well + ill, report.count("/requests/finished"), "{pace}: {report}");
        assert!(well > 50 && ill > 50, "connections begin at another address each: {well}, {ill}, {pace}: {report}");
        assert_eq!(parts(&report, 0), [(good.clone(), (well, well)), (bad.clone(), (ill, 0))].into(), "{pace}");
        assert_eq!(report.text("/splits/0/outlier"), bad);
    }
    let (pin, [(good, _), (bad, _)]) = two_pods();
    let target = format!("http://pods.invalid:{}/", good.split(':').nth(1).unwrap());
    let ended = run(["run", "-z", "1s", "-c", "4", "--resolve", &pin, "--split-by", "address", &target]);
    assert!(ended.stdout.contains(&format!("address {bad} fails 100%, the others 0%")), "{}", ended.stdout);
}

/// A server that sends `/hop/N` on to `/hop/N-1`, and so on to `end`; everything else is answered with 200 and two bytes.
fn hopping(end: &str) -> (Raw, Requests) {
    let end = end.to_owned();
    Raw::recording_on(TcpListener::bind("127.0.0.1:0").unwrap(), move |text| {
        let path = text.split(' ').nth(1).unwrap_or("/");
        let Some(left) = path.strip_prefix("/hop/").and_then(|n| n.parse::<u32>().ok()) else { return OK.to_owned() };
        let to = if left > 1 { format!("/hop/{}", left - 1) } else { end.clone() };
        format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 5\r\n\r\nmoved")
    })
}

#[test]
fn redirects_are_followed_within_one_request_as_far_as_was_said() {
    for (redirects, asked, codes, faults, body, why) in [
        (3, vec!["/hop/3", "/hop/2", "/hop/1", "/end"], ("200", 1), None, 2, "to the end, and its body alone counts"),
        (5, vec!["/hop/3", "/hop/2", "/hop/1", "/end"], ("200", 1), None, 2, "with some to spare"),
        (2, vec!["/hop/3", "/hop/2", "/hop/1"], ("302", 1), Some("expect"), 5, "one too few"),
        (0, vec!["/hop/3"], ("302", 1), None, 5, "none: an answer like any other"),
    ] {
        let (server, requests) = hopping("/end");
        let report = measure_with(&format!("-n 1 -c 1 --redirects {redirects}"), &[], &server.url("/hop/3"));
        assert_eq!(paths(&requests), asked, "{why}");
        assert_eq!(report.map("/codes"), [codes].into(), "{why}: {report}");
        assert_eq!(report.map("/faults"), faults.map(|fault| (fault, 1)).into_iter().collect(), "{why}");
        let (finished, succeeded) = (report.count("/requests/finished"), report.count("/requests/succeeded"));
        assert_eq!((finished, succeeded), (1, u64::from(faults.is_none())), "{why}: one request");
        assert_eq!(report.count("/requests/body_bytes"), body, "{why}");
        assert_eq!(report.count("/generator/connections"), 1, "{why}: all on one connection");
    }
}

#[test]
fn a_redirect_leads_to_another_server_and_its_time_counts() {
    let slow = practice("latency 100ms");
    let (server, requests) = hopping(&url(&slow, "/"));
    let words = ["--split-by", "address"];
    let report = measure_with("-n 20 -c 2 --redirects 1", &words, &server.url("/hop/1"));
    assert_eq!((report.count("/requests/succeeded"), requests.all().len()), (20, 20), "{report}");
    assert_eq!(report.count("/generator/connections"), 4, "each lane keeps one to each server: {report}");
    assert!(report.number("/latency_ms/min") >= 100.0, "the whole way is in the latency: {report}");
    assert_eq!(parts(&report, 0), [(slow.addr().to_string(), (20, 20))].into(), "who gave the last answer");
    assert_eq!(slow.stop().received, 20);
}

#[test]
fn a_time_limit_is_one_for_the_whole_way() {
    let slow = practice("latency 10s");
    let (server, _) = hopping(&url(&slow, "/"));
    let report = measure_with("-n 1 -c 1 --redirects 1 -t 300ms", &[], &server.url("/hop/1"));
    assert_eq!(report.map("/faults"), [("timeout", 1)].into(), "{report}");
    assert_eq!(report.map("/codes"), [("none", 1)].into(), "the last answer never came");
}

#[test]
fn a_redirect_that_leads_nowhere_or_in_a_circle_is_a_failure() {
    for (end, code, fault, why) in [
        ("ftp://a/", "302", "malformed", "not HTTP"),
        ("http://:0/", "302", "malformed", "no URL"),
        ("/hop/1", "302", "expect", "itself"),
        ("http://127.0.0.1:1/", "none", "refused", "nobody there"),
    ] {
        let (server, _) = hopping(end);
        let report = measure_with("-n 5 -c 1 --redirects 4", &[], &server.url("/hop/1"));
        assert_eq!((report.map("/codes"), report.map("/faults")), ([(code, 5)].into(), [(fault, 5)].into()), "{why}");
        assert_eq!(report.count("/requests/succeeded"), 0, "{why}");
    }
}

#[test]
fn drawn_values_are_kept_where_a_redirect_keeps_the_request() {
    let (server, requests) = hopping("/end");
    measure_with("-n 3 -c 1 --redirects 1", &["-H", "user-id: {{counter}}"], &server.url("/hop/1"));
    assert_eq!(header_values(&requests, "user-id"), ["1", "2", "3"].map(|n| (n.to_owned(), 2)).into());
}

/// Two canaries on one port of two addresses, 127.0.0.1 and 127.0.0.2; the second answers with errors alone.
pub(super) fn a_good_one_and_a_bad_one() -> (Practice, Practice) {
    loop {
        let good = practice("");
        let port = good.addr().port().to_string();
        let bad = [("listen", "127.0.0.2"), ("port", &port), ("errors", "100%")];
        // Another test may have just this port on the other address.
        if let Ok(bad) = Practice::start(Behaviour::parse(bad).unwrap()) {
            return (good, bad);
        }
    }
}

/// The words of a command line; single quotes are the only quoting in the documents.
fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for (number, piece) in line.split('\'').enumerate() {
        if number % 2 == 1 {
            words.push(piece.to_owned())
        } else {
            words.extend(piece.split_whitespace().map(str::to_owned))
        }
    }
    words
}

#[test]
fn the_commands_of_the_page_on_requests_work_as_printed() {
    // Two canaries on one port, as the page has them.
    let (good, bad) = a_good_one_and_a_bad_one();
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/run.md")).unwrap();
    let commands: Vec<&str> =
        page.lines().filter(|line| line.starts_with("tollgate run ") && line.contains(":9898")).collect();
    assert_eq!(commands.len(), 11, "{commands:#?}");
    let primary = practice("");
    for command in commands {
        let port = |server: &Practice| server.addr().port().to_string();
        let line = command.replace("9898", &port(&good)).replace("9899", &port(&primary));
        let ended = run(words(&line).into_iter().skip(1));
        // Where something is judged, a machine that others keep busy may let nothing be said.
        let passed = ended.code == Some(0) || ended.code == Some(4) && command.contains("--slo");
        assert!(passed && ended.stderr.is_empty(), "{command}\n{ended:#?}");
        let wanted =
            if command.contains("address") { Some(format!("address {} fails 100%", bad.addr())) } else { None };
        assert!(wanted.is_none_or(|wanted| ended.stdout.contains(&wanted)), "{command}\n{}", ended.stdout);
        let tables = ["by url", "by user", "by address"].map(|table| ended.stdout.contains(table));
        let asked = ["url", "value", "address"].map(|way| {
            command
                .split("--split-by ")
                .nth(1)
                .is_some_and(|ways| ways.split(' ').next().is_some_and(|ways| ways.contains(way)))
        });
        assert_eq!(tables, asked, "{command}");
    }
}
