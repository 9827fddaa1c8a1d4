//! `tollgate hey` beside Debian's `hey`: the same targets, the same lines, the same labels and counts, times that agree.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rustix::process::Signal;

use super::haproxy::Haproxy;
use super::interrupted::received;
use super::nginx::Nginx;
use super::nobody::Nobody;
use super::practice::{practice, url};
use super::raw::Raw;
use super::tollgate::{Ended, Running, by_shell, run, tollgate};

/// Two times in seconds agree: within a tenth, or 2 ms.
fn agree(ours: f64, theirs: f64) -> bool {
    (ours - theirs).abs() <= f64::max(0.1 * theirs, 0.002)
}

/// The real one, if it is installed.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join("hey")).find(|path| path.is_file());
    if found.is_none() {
        eprintln!("skipped: hey is not installed (Debian: hey)");
    }
    found
}

/// What hey prints for these arguments, separated by blanks.
fn theirs(hey: &PathBuf, arguments: &str, url: &str) -> Ended {
    let mut command = Command::new(hey);
    command.args(arguments.split_whitespace()).arg(url).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    Running::start(command).finish()
}

fn ours(arguments: &str, url: &str) -> Ended {
    run(["hey"].into_iter().chain(arguments.split_whitespace()).chain([url]))
}

/// A text with every number replaced, so that only labels, order and form are left.
fn form(text: &str) -> String {
    let mut form = String::new();
    for line in text.lines() {
        let bar = line.find('|').map_or(line, |at| &line[..at]);
        let mut digits = false;
        for c in bar.chars() {
            let numeric = c.is_ascii_digit() || (digits && c == '.');
            if numeric && !digits {
                form.push('N');
            }
            if !numeric {
                form.push(c);
            }
            digits = numeric;
        }
        form.push('\n');
    }
    form
}

/// The number after a label.
fn number(text: &str, label: &str) -> f64 {
    let rest = text.split_once(label).unwrap_or_else(|| panic!("no {label} in {text}")).1;
    rest.split_whitespace().next().unwrap().parse().unwrap_or_else(|e| panic!("{label}: {e}: {text}"))
}

/// Status codes or errors with their counts.
fn distribution(text: &str, heading: &str) -> BTreeMap<String, String> {
    let Some((_, section)) = text.split_once(heading) else { return BTreeMap::new() };
    let lines = section.lines().skip(1).take_while(|line| line.starts_with("  ["));
    let pairs = lines.map(|line| line.trim_start_matches("  [").split_once("]\t").unwrap());
    pairs.map(|(first, second)| (first.to_owned(), second.to_owned())).collect()
}

/// Labels whose times must agree; what lies at the edges is the machine's.
const TIMES: [&str; 6] = ["Fastest:", "Average:", "50% in", "75% in", "resp wait:", "DNS-lookup:"];

/// Which times of the two reports do not agree.
fn differences(mine: &str, real: &str) -> Vec<String> {
    let pairs = TIMES.map(|label| (label, number(mine, label), number(real, label)));
    let apart = pairs.into_iter().filter(|(_, mine, real)| !agree(*mine, *real));
    apart.map(|(label, mine, real)| format!("{label} {mine} and {real}")).collect()
}

/// Runs both and compares everything but the times, whose differences it returns.
fn compared(hey: &PathBuf, arguments: &str, url: &str) -> Vec<String> {
    let (mine, real) = (ours(arguments, url), theirs(hey, arguments, url));
    assert_eq!((mine.code, real.code), (Some(0), Some(0)), "{arguments}: {}", mine.stderr);
    let (mine, real) = (mine.stdout, real.stdout);
    assert_eq!(form(&mine), form(&real), "{arguments}");
    let statuses = |text: &str| distribution(text, "Status code distribution:");
    assert_eq!(statuses(&mine), statuses(&real), "{arguments}");
    for label in ["Total data:", "Size/request:"] {
        assert_eq!(number(&mine, label), number(&real, label), "{arguments}: {label}");
    }
    differences(&mine, &real)
}

#[test]
fn the_summary_has_heys_labels_order_and_counts_and_its_times_agree() {
    let Some(hey) = program() else { return };
    let canary = practice("latency 100ms");
    // A hundred requests and more, so that hey's percentiles are all there.
    let lines = ["-n 200 -c 20", "-n 100 -c 10 -q 5", "-n 120 -c 20 -disable-keepalive", "-n 120 -c 20 -m POST -d x"];
    for arguments in lines {
        // What else runs on the machine can disturb either of the two, though hardly three times.
        let mut apart = Vec::new();
        for _ in 0..3 {
            apart = compared(&hey, arguments, &url(&canary, "/"));
            if apart.is_empty() {
                break;
            }
        }
        assert!(apart.is_empty(), "{arguments}: {apart:?}");
    }
}

#[test]
fn errors_and_statuses_are_counted_as_hey_counts_them() {
    let Some(hey) = program() else { return };
    let canary = practice("");
    let closed = Nobody::at_home();
    for (arguments, url) in [
        ("-n 20 -c 4", url(&canary, "/status/500")),
        ("-n 20 -c 4", url(&canary, "/status/404")),
        ("-n 10 -c 2", format!("http://{closed}/")),
        ("-z 1s -c 2 -q 10", format!("http://{closed}/")),
        ("-n 4 -c 2 -t 1", url(&canary, "/delay/3")),
    ] {
        let (mine, real) = (ours(arguments, &url), theirs(&hey, arguments, &url));
        assert_eq!((mine.code, real.code), (Some(0), Some(0)), "{url}: {}", mine.stderr);
        for heading in ["Status code distribution:", "Error distribution:"] {
            let (mine, real) = (distribution(&mine.stdout, heading), distribution(&real.stdout, heading));
            assert_eq!(mine, real, "{arguments} {url}: {heading}");
        }
    }
}

#[test]
fn nginx_is_counted_as_hey_counts_it() {
    let (Some(hey), Some(nginx)) = (program(), Nginx::start()) else { return };
    for (arguments, path) in [
        ("-n 300 -c 5", "/ok"),
        ("-n 300 -c 5", "/missing"),
        ("-n 300 -c 5", "/broken"),
        ("-n 300 -c 5", "/empty"),
        ("-n 60 -c 5", "/large.bin"),
        ("-n 60 -c 5 -disable-keepalive", "/ok"),
        ("-n 60 -c 5 -disable-redirects", "/moved"),
        ("-n 60 -c 5", "/moved"),
        ("-n 60 -c 5 -m POST -d x", "/moved"),
        ("-n 60 -c 5 -m HEAD", "/empty"),
    ] {
        let url = format!("{}{path}", nginx.url);
        let (mine, real) = (ours(arguments, &url).stdout, theirs(&hey, arguments, &url).stdout);
        assert_eq!(form(&mine), form(&real), "{arguments} {path}");
        let statuses = |text: &str| distribution(text, "Status code distribution:");
        assert_eq!(statuses(&mine), statuses(&real), "{arguments} {path}");
        let sizes = |text: &str| text.contains("Total data:").then(|| number(text, "Total data:"));
        assert_eq!(sizes(&mine), sizes(&real), "{arguments} {path}");
    }
}

#[test]
fn haproxy_is_counted_as_hey_counts_it_over_tls_and_http2_and_nobody_verifies_it() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (Some(hey), Some(haproxy)) = (program(), Haproxy::start(folder.path())) else { return };
    let [http1, _, https1, https2] = haproxy.ports;
    for (arguments, scheme, port, path) in [
        ("-n 100 -c 5", "https", https1, "/ok"),
        ("-n 100 -c 5", "https", https2, "/ok"),
        ("-n 100 -c 5 -h2", "https", https2, "/ok"),
        ("-n 100 -c 5 -h2", "https", https2, "/broken"),
        ("-n 40 -c 5 -disable-keepalive", "https", https1, "/ok"),
        ("-n 100 -c 5 -h2", "http", http1, "/ok"),
        ("-n 10 -c 5 -host shop.test -disable-redirects", "https", https1, "/shop"),
        ("-n 10 -c 5 -host other.test -disable-redirects", "https", https1, "/shop"),
    ] {
        let url = format!("{scheme}://127.0.0.1:{port}{path}");
        let (mine, real) = (ours(arguments, &url).stdout, theirs(&hey, arguments, &url).stdout);
        assert_eq!(form(&mine), form(&real), "{arguments} {url}");
        let statuses = |text: &str| distribution(text, "Status code distribution:");
        assert_eq!(statuses(&mine), statuses(&real), "{arguments} {url}");
        let answered = if arguments.contains("-host shop.test") { "204" } else { "302" };
        assert!(path != "/shop" || statuses(&mine).contains_key(answered), "by the name asked for in TLS: {mine}");
        assert_eq!(number(&mine, "DNS-lookup:"), 0.0, "{mine}");
        let handshakes = number(&mine, "DNS+dialup:");
        assert!(port != https1 || handshakes > 0.0, "{arguments}: a handshake takes its time: {mine}");
    }
}

#[test]
fn where_nothing_is_answered_the_reason_stands_beside_the_report() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let Some(haproxy) = Haproxy::start(folder.path()) else { return };
    let url = format!("https://127.0.0.1:{}/ok", haproxy.ports[2]);
    let ended = ours("-n 10 -c 5 -h2", &url);
    let errors = BTreeMap::from([("10".to_owned(), format!("Get \"{url}\": tls: handshake failure"))]);
    assert_eq!((ended.code, distribution(&ended.stdout, "Error distribution:")), (Some(0), errors));
    assert!(ended.stderr.starts_with("note: nothing was answered: 127.0.0.1:"), "{}", ended.stderr);
}

#[test]
fn the_csv_has_heys_columns_and_a_row_for_each_answer() {
    let Some(hey) = program() else { return };
    let canary = practice("latency 10ms");
    let (mine, real) =
        (ours("-n 30 -c 3 -o csv", &url(&canary, "/")), theirs(&hey, "-n 30 -c 3 -o csv", &url(&canary, "/")));
    assert_eq!(form(&mine.stdout), form(&real.stdout));
    let column = |text: &str, at: usize| -> Vec<f64> {
        text.lines().skip(1).map(|line| line.split(',').nth(at).unwrap().parse().unwrap()).collect()
    };
    for row in mine.stdout.lines().skip(1) {
        let times: Vec<f64> = row.split(',').map(|field| field.parse().unwrap()).collect();
        let parts = times[1] + times[3] + times[4] + times[5];
        assert!((times[0] - parts).abs() < 0.000_35, "the phases come to the whole: {row}");
    }
    // The least is the server's own 10 ms, whatever else the machine does.
    for at in [0, 4] {
        let least = |text: &str| column(text, at).into_iter().fold(f64::INFINITY, f64::min);
        assert!(agree(least(&mine.stdout), least(&real.stdout)), "column {at}: {}\n{}", mine.stdout, real.stdout);
    }
}

#[test]
fn a_rate_holds_each_worker_back_and_opens_no_further_lane() {
    // A server of 300 ms: two workers at ten a second can send 3.3 a second each, whatever is due.
    let canary = practice("latency 300ms");
    let ended = ours("-z 2s -q 10 -c 2", &url(&canary, "/"));
    let answered: u64 =
        distribution(&ended.stdout, "Status code distribution:")["200"].trim_end_matches(" responses").parse().unwrap();
    assert!((12..=14).contains(&answered), "{}", ended.stdout);
    assert!(number(&ended.stdout, "Slowest:") < 0.6, "no wait for a lane is in any time: {}", ended.stdout);
    let quick = practice("");
    let ended = ours("-z 2s -q 10 -c 2", &url(&quick, "/"));
    assert_eq!(
        distribution(&ended.stdout, "Status code distribution:")["200"],
        "40 responses",
        "every one that was due"
    );
}

#[test]
fn an_answer_that_breaks_off_is_an_error_and_in_no_status() {
    let raw = Raw::start(|_, mut stream| {
        use std::io::Write as _;
        if super::raw::request(&mut stream).is_some() {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        }
    });
    let ended = ours("-n 6 -c 2", &raw.url("/"));
    assert_eq!(distribution(&ended.stdout, "Status code distribution:"), BTreeMap::new(), "{}", ended.stdout);
    let errors = BTreeMap::from([("6".to_owned(), "unexpected EOF".to_owned())]);
    assert_eq!((ended.code, distribution(&ended.stdout, "Error distribution:")), (Some(0), errors));
}

#[test]
fn a_used_connection_that_ends_before_an_answer_fails_nothing_as_in_hey() {
    // Every connection answers once, and takes one more request with it to its end.
    let start = || {
        Raw::start(|_, mut stream| {
            use std::io::Write as _;
            if super::raw::request(&mut stream).is_some() {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                let _ = super::raw::request(&mut stream);
            }
        })
    };
    let once = |text: &str| distribution(text, "Status code distribution:");
    let mine = ours("-n 12 -c 2", &start().url("/")).stdout;
    assert_eq!(once(&mine), BTreeMap::from([("200".to_owned(), "12 responses".to_owned())]), "{mine}");
    let post = ours("-n 12 -c 1 -m POST -d x", &start().url("/")).stdout;
    assert_eq!(once(&post), BTreeMap::from([("200".to_owned(), "6 responses".to_owned())]), "{post}");
    let Some(hey) = program() else { return };
    assert_eq!(once(&mine), once(&theirs(&hey, "-n 12 -c 2", &start().url("/")).stdout));
    assert_eq!(once(&post), once(&theirs(&hey, "-n 12 -c 1 -m POST -d x", &start().url("/")).stdout));
}

#[test]
fn what_is_sent_are_heys_headers() {
    let (raw, requests) = Raw::recording();
    let ended = ours("-n 1 -c 1 -host shop.example -H x-user:insider -a me:secret", &raw.url("/path?q=1"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let sent = requests.only();
    let (line, headers) = sent.trim_end().split_once("\r\n").unwrap();
    let mut headers: Vec<&str> = headers.split("\r\n").collect();
    headers.sort_unstable();
    assert_eq!(line, "GET /path?q=1 HTTP/1.1");
    assert_eq!(
        headers,
        [
            "Accept-Encoding: gzip",
            "Authorization: Basic bWU6c2VjcmV0",
            "Content-Type: text/html",
            "Host: shop.example",
            "User-Agent: hey/0.0.1",
            "X-User: insider",
        ]
    );
}

#[test]
fn a_proxy_is_named_with_or_without_its_scheme_and_given_the_whole_url() {
    for scheme in ["", "http://"] {
        let (proxy, requests) = Raw::recording();
        let ended = ours(&format!("-n 1 -c 1 -x {scheme}{}", proxy.addr), "http://shop.test/path");
        assert_eq!(distribution(&ended.stdout, "Status code distribution:")["200"], "1 responses", "{ended:?}");
        let sent = requests.only();
        assert!(sent.starts_with("GET http://shop.test/path HTTP/1.1\r\nHost: shop.test\r\n"), "{sent}");
    }
}

#[test]
fn mistakes_end_with_heys_codes_and_messages() {
    let hey = program();
    for (arguments, code) in [
        ("", 1),
        ("-n 0 http://a.test/", 1),
        ("-n 1 -c 2 http://a.test/", 1),
        ("-c 0 -z 1s http://a.test/", 1),
        ("-h foo http://a.test/", 1),
        ("-H foo http://a.test/", 1),
        ("-D /nonexistent http://a.test/", 1),
        ("-nope", 2),
        ("-n", 2),
        ("-n x http://a.test/", 2),
        ("-z 60 http://a.test/", 2),
        ("-t 1.5 http://a.test/", 2),
        ("-h2=x http://a.test/", 2),
        ("---n 3", 2),
        ("--help", 0),
    ] {
        let mine = run(["hey"].into_iter().chain(arguments.split_whitespace()));
        assert_eq!((mine.code, mine.stdout.as_str()), (Some(code), ""), "{arguments}: {}", mine.stderr);
        let Some(hey) = &hey else { continue };
        let words: Vec<&str> = arguments.split_whitespace().collect();
        let mut command = Command::new(hey);
        command.args(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let real = Running::start(command).finish();
        let said = |ended: &Ended| ended.stderr.split("\nOptions:").next().unwrap().to_owned();
        assert_eq!((mine.code, said(&mine)), (real.code, said(&real)), "{arguments}");
    }
}

#[test]
fn a_signal_ends_the_load_and_prints_what_there_is() {
    let canary = practice("latency 5ms");
    for signal in [Signal::INT, Signal::TERM] {
        let address = url(&canary, "/");
        let running = Running::start(tollgate(["hey", "-z", "60s", "-c", "2", "-q", "50", address.as_str()]));
        received(&canary, canary.truth().received + 10);
        running.signal(signal);
        let ended = running.finish();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(ended.stdout.contains("\n  [200]\t") && number(&ended.stdout, "Total:") < 50.0, "{}", ended.stdout);
    }
}

#[test]
fn under_the_name_of_hey_the_program_is_hey() {
    let canary = practice("");
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let link = folder.path().join("hey");
    let line = format!("ln -s \"$0\" {0} && exec {0} \"$@\"", link.display());
    let ended = Running::start(by_shell(&line, ["-n", "7", "-c", "1", url(&canary, "/").as_str()])).finish();
    assert_eq!(distribution(&ended.stdout, "Status code distribution:")["200"], "7 responses", "{}", ended.stderr);
}
