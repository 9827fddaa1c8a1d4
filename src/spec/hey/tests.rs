use std::time::Duration;

use super::*;
use crate::plan::{Rate, Trust};

/// A file that is there, and one that is not.
fn files(path: &Path) -> io::Result<Vec<u8>> {
    match path.to_str() {
        Some("body.json") => Ok(b"{\"a\":1}".to_vec()),
        _ => Err(io::Error::from_raw_os_error(2)),
    }
}

fn parsed(line: &str) -> Result<Hey, Refusal> {
    let words = shell::words(line).unwrap();
    read(&words, &files)
}

fn hey(line: &str) -> Hey {
    parsed(line).unwrap_or_else(|refusal| panic!("{line}: {refusal}"))
}

fn headers(line: &str) -> Vec<String> {
    let request = hey(line).kept().targets[0].request.clone();
    request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect()
}

#[test]
fn without_flags_it_is_heys_load() {
    let plan = hey("http://a.test/").kept();
    assert_eq!((plan.schedule.stop.count, plan.schedule.end()), (Some(200), None));
    assert_eq!((plan.lanes, plan.max_lanes, plan.redirects), (50, 50, 10));
    assert_eq!((plan.timeout, plan.keep_alive), (Some(Duration::from_secs(20)), true));
    assert_eq!(plan.schedule.arrivals, Arrivals::Closed);
    let request = &plan.targets[0].request;
    assert_eq!((request.method.as_str(), request.path.as_str(), request.body.len()), ("GET", "/", 0));
    let sent = headers("http://a.test/");
    assert_eq!(sent, ["User-Agent: hey/0.0.1", "Content-Type: text/html", "Accept-Encoding: gzip"]);
}

#[test]
fn a_rate_is_each_workers_own_and_one_that_nobody_can_keep_is_none() {
    let paced = |micro| Arrivals::Paced(Rate { micro_per_second: micro });
    for (line, arrivals, why) in [
        ("-q 10 -c 2", paced(20_000_000), "twenty over two workers"),
        ("-q 0.5 -c 4", paced(2_000_000), "less than one a second"),
        ("-q 1e1 -c 1", paced(10_000_000), "as Go writes numbers"),
        ("-q 0.0000001 -c 1", paced(1), "never rounded to nothing"),
        ("-q 0 -c 2", Arrivals::Closed, "none"),
        ("-q -5 -c 2", Arrivals::Closed, "none"),
        ("-q NaN -c 2", Arrivals::Closed, "none"),
        ("-q inf -c 2", Arrivals::Closed, "hey stands still here"),
        ("-q 1000001 -c 2", Arrivals::Closed, "and here"),
        ("-q 1000000 -c 50", Arrivals::Closed, "and this is no less"),
    ] {
        assert_eq!(hey(&format!("-n 100 {line} http://a.test/")).kept().schedule.arrivals, arrivals, "{line}: {why}");
    }
}

#[test]
fn a_duration_goes_before_a_count_and_no_worker_is_left_out_of_one() {
    for (line, count, seconds) in [
        ("-n 10 -c 3", Some(10), None),
        ("-n 10 -c 3 -z 1m", None, Some(60)),
        ("-n 1 -c 3 -z 1m30s", None, Some(90)),
        ("-n 10 -c 3 -z 0", Some(10), None),
        ("-n 10 -c 3 -z -1s", Some(10), None),
        ("-n 0x10 -c 010", Some(16), None),
        ("-n 5 -n 10 -c 1", Some(10), None),
    ] {
        let schedule = hey(&format!("{line} http://a.test/")).kept().schedule;
        assert_eq!((schedule.stop.count, schedule.end()), (count, seconds.map(Duration::from_secs)), "{line}");
    }
}

#[test]
fn headers_replace_each_other_and_flags_go_before_them() {
    let agent = |name: &str| format!("User-Agent: {name}");
    for (line, expected, why) in [
        ("-H 'x-user-id: 1' -H 'X-User-ID:2'", vec!["X-User-Id: 2"], "the last of a name"),
        ("-H 'Accept: a/b'", vec!["Accept: a/b"], "a header that has a flag"),
        ("-A c/d -H 'Accept: a/b'", vec!["Accept: c/d"], "and the flag"),
        ("-H 'Content-Type: a/b' -T c/d", vec!["Content-Type: a/b"], "except for this one, as in hey"),
        ("-T c/d", vec!["Content-Type: c/d"], "the flag alone"),
        ("-H 'Authorization: Bearer x'", vec!["Authorization: Bearer x"], "credentials in a header"),
        ("-a user:secret", vec!["Authorization: Basic dXNlcjpzZWNyZXQ="], "credentials are sent"),
        ("-a u:p -H 'Authorization: Bearer x'", vec!["Authorization: Basic dTpw"], "and go before the header"),
        ("-H 'Accept-Encoding: br'", vec!["Accept-Encoding: br"], "an encoding of one's own"),
    ] {
        let mut sent = headers(&format!("{line} http://a.test/"));
        for own in [agent("hey/0.0.1").as_str(), "Content-Type: text/html", "Accept-Encoding: gzip"] {
            sent.retain(|header| header != own);
        }
        assert_eq!(sent, expected, "{line}: {why}");
    }
    for (line, name) in [
        ("-U me", "me hey/0.0.1"),
        ("-H 'User-Agent: me'", "me hey/0.0.1"),
        ("-U you -H 'User-Agent: me'", "you hey/0.0.1"),
    ] {
        assert!(headers(&format!("{line} http://a.test/")).contains(&agent(name)), "{line}");
    }
}

#[test]
fn gzip_is_asked_for_where_hey_asks_for_it() {
    for (line, asked) in [
        ("", true),
        ("-disable-compression", false),
        ("-disable-compression=false", true),
        ("-m head", false),
        ("-H 'Range: bytes=0-1'", false),
    ] {
        let sent = headers(&format!("{line} http://a.test/"));
        assert_eq!(sent.contains(&"Accept-Encoding: gzip".to_owned()), asked, "{line}");
    }
}

#[test]
fn what_goes_client_writes_itself_is_not_taken_from_headers() {
    let line = "-H 'Content-Length: 7' -H 'transfer-encoding: chunked' -H 'Connection: keep-alive' http://a.test/";
    assert_eq!(headers(line), headers("http://a.test/"));
    assert!(hey(line).kept().keep_alive);
    for line in ["-H 'Connection: close' http://a.test/", "-disable-keepalive http://a.test/"] {
        assert!(!hey(line).kept().keep_alive, "{line}");
    }
}

#[test]
fn the_host_is_the_flags_or_else_the_headers() {
    for (line, authority) in [
        ("http://a.test:80/", "a.test"),
        ("-host b.test http://a.test/", "b.test"),
        ("-H 'Host: c.test' http://a.test/", "c.test"),
        ("-H 'Host: c.test' -host b.test http://a.test/", "b.test"),
        ("-host= http://a.test/", "a.test"),
    ] {
        let plan = hey(line).kept();
        assert_eq!(
            (plan.targets[0].request.authority.as_str(), plan.targets[0].url.as_str()),
            (authority, "http://a.test/")
        );
    }
}

#[test]
fn in_tls_the_server_is_asked_to_be_the_host_without_its_port() {
    for (line, server) in [
        ("https://a.test/", None),
        ("-host a.test https://a.test/", None),
        ("-host b.test https://a.test/", Some(Host::Name("b.test".into()))),
        ("-host b.test:8443 https://a.test/", Some(Host::Name("b.test".into()))),
        ("-host 10.0.0.7 https://a.test/", Some(Host::Ip([10, 0, 0, 7].into()))),
        ("-H 'Host: b.test' https://a.test/", Some(Host::Name("b.test".into()))),
    ] {
        let hey = hey(line);
        assert_eq!(hey.kept().tls.server, server, "{line}");
        assert_eq!(hey.kept().targets[0].origin.host, Host::Name("a.test".into()), "{line}: it still goes there");
        assert_eq!(hey.kept().tls.trust, Trust::Anyone, "{line}: nobody is verified");
    }
}

#[test]
fn the_rest_of_the_flags_has_its_place_in_the_plan() {
    let plan = hey("-t 3 -m post -d '{test: 2}' -disable-redirects http://a.test/x?y=z").kept();
    let request = &plan.targets[0].request;
    assert_eq!((request.method.as_str(), request.path.as_str(), &*request.body), ("POST", "/x?y=z", &b"{test: 2}"[..]));
    assert_eq!((plan.timeout, plan.redirects), (Some(Duration::from_secs(3)), 0));
    for endless in ["-t 0", "-t -1"] {
        assert_eq!(hey(&format!("{endless} http://a.test/")).kept().timeout, None, "{endless}");
    }
    let body = hey("-d text -D body.json http://a.test/").kept().targets[0].request.body.clone();
    assert_eq!(&*body, b"{\"a\":1}", "the file goes before the text");
    assert_eq!(hey("-cpus 3 http://a.test/").spec().workers, Some(3));
    assert_eq!(hey("-cpus 0 http://a.test/").spec().workers, None);
    assert!(hey("-o csv http://a.test/").csv() && !hey("http://a.test/").csv());
}

#[test]
fn what_run_would_fill_in_is_text_here() {
    let plan = hey("-d {{counter}} -H x:{{nobody}} http://a.test/{{uuid}}").kept();
    let request = &plan.targets[0].request;
    assert_eq!((&*request.body, request.header("x"), plan.draws()), (&b"{{counter}}"[..], Some("{{nobody}}"), false));
    assert_eq!(request.path, "/%7B%7Buuid%7D%7D");
}

#[test]
fn http2_is_for_https_and_its_lanes_share_a_connection() {
    let plan = hey("-h2 -c 20 https://a.test/").kept();
    assert_eq!((plan.wire.name(), plan.streams, plan.links), ("http2", 20, None));
    assert_eq!(hey("-h2 http://a.test/").kept().wire.name(), "http1", "in the clear the flag has no effect");
    assert_eq!(hey("-h2=0 https://a.test/").kept().wire.name(), "http1");
}

#[test]
fn flags_after_the_url_are_read_and_other_words_are_not_dropped() {
    let schedule = hey("http://a.test/ -z 5m -c 2").kept().schedule;
    assert_eq!(schedule.end(), Some(Duration::from_secs(300)));
    let said = parsed("-h2 false http://a.test/").expect_err("false is the URL then").to_string();
    assert_eq!(
        said,
        "got 'http://a.test/' beside the URL, expected one URL; put a value that contains blanks in quotes, and a value \
         right after its flag"
    );
}

#[test]
fn heys_checks_say_what_hey_says_in_its_order() {
    for (line, said) in [
        ("-n 0 http://a/", "-n and -c cannot be smaller than 1."),
        ("-c 0 http://a/", "-n and -c cannot be smaller than 1."),
        ("-n 1 -c 2 http://a/", "-n cannot be less than -c."),
        ("-n 40 http://a/", "-n cannot be less than -c."),
        ("-c 0 -z 1s http://a/", "-c cannot be smaller than 1."),
        ("-c 0 -h foo http://a/", "-n and -c cannot be smaller than 1."),
        ("-h foo http://a/", "Flag '-h' is deprecated, please use '-H' instead."),
        ("-H foo http://a/", "could not parse the provided input; input = foo"),
        ("-H 'X Y: z' http://a/", "could not parse the provided input; input = X Y: z"),
        ("-H X: http://a/", "could not parse the provided input; input = X:"),
        ("-a secret http://a/", "could not parse the provided input; input = ***"),
    ] {
        let refusal = parsed(line).expect_err(line);
        assert_eq!(refusal, Refusal::Check(said.to_owned()), "{line}");
        assert_eq!(refusal.printed(), format!("{said}\n\n{USAGE}"));
    }
    assert_eq!(parsed("").expect_err("no URL").printed(), USAGE);
    assert_eq!(parsed("-n 5").expect_err("no URL").printed(), USAGE);
}

#[test]
fn flags_that_go_cannot_read_end_it_before_anything_is_checked() {
    for (line, said) in [
        ("-nope http://a/", "flag provided but not defined: -nope\n"),
        ("-c 0 -q x http://a/", "invalid value \"x\" for flag -q: parse error\n"),
        ("-t 1.5 http://a/", "invalid value \"1.5\" for flag -t: parse error\n"),
        ("-h", "flag needs an argument: -h\n"),
        ("-help", ""),
        ("http://a/ -nope", "flag provided but not defined: -nope\n"),
    ] {
        let refusal = parsed(line).expect_err(line);
        assert!(matches!(refusal, Refusal::Flag(_)), "{line}: {refusal:?}");
        assert_eq!(refusal.printed(), format!("{said}{USAGE}"), "{line}");
    }
    assert_eq!(parsed("-h http://a/").expect_err("-h eats the URL").printed(), USAGE);
}

#[test]
fn a_body_file_that_is_not_there_is_gos_message_alone() {
    let refusal = parsed("-D missing http://a/").expect_err("there is no such file");
    assert_eq!(refusal.printed(), "open missing: no such file or directory\n");
    assert_eq!(refusal, Refusal::File("open missing: no such file or directory".to_owned()));
    let in_a_hook = line("hey -D body.json http://a/").expect_err("a hook has no files").to_string();
    assert_eq!(in_a_hook, "open body.json: no file is read for a line: give the body with -d");
}

#[test]
fn what_would_fail_on_every_request_is_refused_at_once_and_under_heys_names() {
    for (line, said) in [
        ("example.com/", "URL: got 'example.com/', expected"),
        ("127.0.0.1:80/", "did you mean http://127.0.0.1:80/?"),
        ("-m G@T http://a/", "-m: got 'G@T', expected an HTTP method"),
        ("-H 'X:  ' http://a/", "-H: got 'X: ', expected 'Name: value'; the value is empty"),
        ("-host a/b http://a/", "-host: got 'a/b', expected a host name"),
        ("-c 70000 -n 70000 http://a/", "-c: got '70000', expected a whole number from 1 to 65535"),
        ("-z 1s -q 0.5 -c 1 http://a/", "-z: got '1s', expected time for at least one request"),
        ("-o json http://a/", "-o: got 'json', expected csv; templates of Go are not known"),
    ] {
        let refusal = parsed(line).expect_err(line);
        assert!(matches!(&refusal, Refusal::Check(text) if text.contains(said)), "{line}: {refusal}");
    }
    let both = parsed("-m G@T -host a/b nowhere").expect_err("three mistakes").to_string();
    assert_eq!(both.lines().count(), 3, "{both}");
}

#[test]
fn no_message_repeats_a_password_or_steers_the_terminal() {
    let url = parsed("http://user:hunter2@a:b/").expect_err("no port").to_string();
    let proxy = parsed("-x 'http://u:hunter2@[::' http://a:b/").expect_err("no port").to_string();
    assert!(!url.contains("hunter2") && !proxy.contains("hunter2"), "{url}\n{proxy}");
    for line in ["-o '\u{1b}[2J' http://a/", "-H '\u{1b}[2J' http://a/", "http://a/ '\u{1b}[2J'", "'\u{1b}[2J'"] {
        let said = parsed(line).expect_err(line).to_string();
        assert!(!said.chars().any(|c| c.is_control() && c != '\n'), "{said:?}");
    }
}

#[test]
fn a_line_names_its_program() {
    for text in [
        "hey -c 2 http://a.test/",
        "/usr/local/bin/hey -c 2 http://a.test/",
        "tollgate hey -c 2 http://a.test/",
        "hey -c 2 'http://a.test/' >/dev/null 2>&1",
    ] {
        assert_eq!(line(text), Ok(hey("-c 2 http://a.test/")), "{text}");
    }
    for (text, said) in [
        ("", "the line is empty"),
        ("ghz -c 2 http://a.test/", "'ghz' is not hey"),
        ("tollgate run http://a.test/", "'tollgate' is not hey"),
        ("hey -c 2 http://a.test/ && true", "'&' joins commands"),
    ] {
        let refusal = line(text).expect_err(text);
        assert!(matches!(&refusal, Refusal::Line(text) if text.starts_with(said)), "{text}: {refusal}");
    }
}

/// Pieces of lines, right and wrong, that the property below puts together.
const PIECES: [&str; 28] = [
    "hey",
    "-n",
    "-c",
    "-q",
    "-z",
    "-H",
    "-a",
    "-x",
    "-h2",
    "-host",
    "-t",
    "-m",
    "-d",
    "-U",
    "-o",
    "-cpus",
    "--",
    "-",
    "5",
    "1m",
    "1e3",
    "inf",
    "'X: y'",
    "u:p",
    "http://a.test/",
    "https://[::1]:7/p?q",
    "\"",
    ">/dev/null",
];

proptest::proptest! {
    #[test]
    fn any_line_is_a_load_or_a_refusal_that_says_why(
        picked in proptest::collection::vec(0..PIECES.len(), 0..10),
        noise in ".{0,12}",
        at in 0..10_usize,
    ) {
        let mut words: Vec<&str> = picked.into_iter().map(|i| PIECES[i]).collect();
        words.insert(at.min(words.len()), &noise);
        words.insert(0, "hey");
        match line(&words.join(" ")) {
            Ok(hey) => {
                let kept = hey.kept();
                proptest::prop_assert!(kept.lanes >= 1 && kept.lanes == kept.max_lanes);
                proptest::prop_assert!(kept.schedule.stop.count.is_some() != kept.schedule.stop.duration.is_some());
            }
            Err(refusal) => {
                let said = refusal.to_string();
                proptest::prop_assert!(!said.is_empty() && !said.chars().any(|c| c.is_control() && c != '\n'), "{said:?}");
            }
        }
    }
}
