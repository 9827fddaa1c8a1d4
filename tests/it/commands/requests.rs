use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tollgate::exec::{Commands, Ran, Settings};

use super::super::practice::{practice, url};
use super::super::raw::Raw;
use super::{has, run, runtime};

/// A server with something to find on each path.
fn server() -> Raw {
    let flaky = AtomicUsize::new(0);
    let answer = move |request: &str| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        let (status, headers, body) = match path {
            "/token" => ("202 Accepted", "", "{\n  \"token\": \"abc\"\n}\n".to_owned()),
            "/ok" => ("200 OK", "X-Version: canary\r\n", "ok\n".to_owned()),
            "/broken" => ("500 Internal Server Error", "", "{\"token\": \"a stack trace\"}\nmore\n".to_owned()),
            "/missing" => ("404 Not Found", "", String::new()),
            "/moved" => ("302 Found", "Location: /ok\r\n", String::new()),
            "/round" => ("302 Found", "Location: /round\r\n", String::new()),
            "/empty" => ("200 OK", "", String::new()),
            "/large" => ("200 OK", "", format!("first\n{}\nlast\n", "x".repeat(3 << 20))),
            "/flaky" if flaky.fetch_add(1, Ordering::SeqCst) % 3 < 2 => ("503 Service Unavailable", "", String::new()),
            "/flaky" => ("200 OK", "", "ok\n".to_owned()),
            // Never answered.
            _ => return String::new(),
        };
        let length = if request.starts_with("HEAD") { String::new() } else { body.clone() };
        format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{length}", body.len())
    };
    Raw::recording_on(TcpListener::bind("127.0.0.1:0").unwrap(), answer).0
}

/// What is expected: the output, or a part of the reason.
type Expected = Result<&'static str, &'static str>;

/// Lines for which curl and grep in a shell agree whether they succeed.
const ALIKE: &[(&str, Expected, &str)] = &[
    ("curl -sd 'test' URL/token | grep token", Ok("  \"token\": \"abc\"\n"), "the usual form"),
    ("curl -s URL/ok", Ok("ok\n"), "without grep"),
    ("curl -s URL/ok | grep nothing", Err("URL/ok: no line with 'nothing'"), "not found"),
    ("curl -s URL/ok | grep -v ok", Err("no line without 'ok'"), "nothing but it"),
    ("curl -s URL/empty | grep ok", Err("answered 200 with an empty body"), "an empty body"),
    ("curl -sf URL/broken", Err("URL/broken answered 500: {\"token\": \"a stack trace\"}"), "a failing status"),
    ("curl -sf URL/missing", Err("answered 404"), "another"),
    ("curl -s URL/moved", Ok(""), "a redirect is an answer"),
    ("curl -sL URL/moved | grep ok", Ok("ok\n"), "unless it is followed"),
    ("curl -sL --max-redirs 3 URL/round", Err("more redirects than are followed"), "round and round"),
    ("curl -sI URL/ok | grep -i '^x-version: canary'", Ok("X-Version: canary\r\n"), "a head"),
    ("curl -si URL/ok | grep -c .", Ok("5\n"), "head and body"),
    ("curl -so /dev/null -w '%{http_code}' URL/missing | grep 404", Ok("404\n"), "a status that is wanted"),
    ("curl -so /dev/null -w '%{http_code}' URL/ok | grep 404", Err("no line with '404'"), "and is not there"),
    ("curl -sm 0.2 URL/never", Err("no complete answer"), "a limit on time"),
    ("curl -s http://127.0.0.1:1/", Err("http://127.0.0.1:1/: "), "nobody there"),
    ("curl -s URL/ok && curl -sd x URL/token | grep -o abc", Ok("ok\nabc\n"), "one after the other"),
    ("curl -s URL/ok | grep no && curl -s URL/token", Err("URL/ok: no line with 'no'"), "until one fails"),
    ("curl -s --retry 2 --retry-delay 1 URL/flaky", Ok("ok\n"), "trouble that passes"),
    ("curl -s --resolve canary.test:PORT:127.0.0.1 http://canary.test:PORT/ok", Ok("ok\n"), "an address given"),
    ("curl -s URL/large | grep -c first", Ok("1\n"), "the beginning of much"),
];

/// And for which they do not, because a shell ignores what a release must not.
const STRICTER: &[(&str, Expected, &str)] = &[
    ("curl -s URL/broken", Err("URL/broken answered 500"), "a failing status"),
    ("curl -s URL/broken | grep token", Err("URL/broken answered 500"), "an error page with the word in it"),
    (
        "curl -s URL/large | grep last",
        Err("in the first MiB of the answer no line with 'last'"),
        "more than is looked through",
    ),
];

#[test]
fn requests_succeed_and_fail_as_with_curl_and_grep() {
    let (runtime, real) = (runtime(), has("curl") && has("grep") && has("bash"));
    let commands = Commands::new(Settings::default());
    if !real {
        println!("skipped: curl, grep and bash are not all installed, so nothing is compared with them");
    }
    for (rows, alike) in [(ALIKE, true), (STRICTER, false)] {
        for (line, expected, why) in rows {
            let server = server();
            let port = server.addr.port().to_string();
            let filled = |text: &str| text.replace("URL", &server.url("")).replace("PORT", &port);
            let line = filled(line);
            match (runtime.block_on(run(&commands, "bash", &line)), expected) {
                (Ran::Done(output), Ok(expected)) => assert_eq!(output, filled(expected), "{line}: {why}"),
                (Ran::Failed(said), Err(part)) => {
                    assert!(said.starts_with(&format!("command {line} failed: ")), "{line}: {why}: {said}");
                    assert!(said.contains(&filled(part)) && !said.contains('\n'), "{line}: {why}: {said}");
                }
                (other, _) => panic!("{line}: {why}: {other:?}"),
            }
            if real {
                let shell = Command::new("bash").args(["-c", &line]).stderr(Stdio::null()).output().unwrap();
                let succeeded = shell.status.success();
                assert_eq!(succeeded == expected.is_ok(), alike, "{line}: {why}: the shell has {succeeded}");
                if let (Ok(expected), true) = (expected, alike) {
                    assert_eq!(String::from_utf8_lossy(&shell.stdout), filled(expected), "{line}: {why}: the shell");
                }
            }
        }
    }
}

#[test]
fn a_canary_is_asked_over_both_protocols_and_over_tls() {
    let runtime = runtime();
    let commands = Commands::new(Settings::default());
    for (settings, flags) in
        [("", ""), ("", "--http2-prior-knowledge"), ("tls", "-k"), ("tls", "-k --http2-prior-knowledge")]
    {
        let canary = practice(settings);
        let line = format!("curl -s {flags} -o /dev/null -w '%{{http_code}}' {}", url(&canary, "/"));
        assert_eq!(runtime.block_on(run(&commands, "bash", &line)), Ran::Done("200".to_owned()), "{line}");
    }
    let canary = practice("tls");
    let line = format!("curl -s {}", url(&canary, "/"));
    match runtime.block_on(run(&commands, "bash", &line)) {
        Ran::Failed(said) => assert!(said.contains("certificate"), "{said}"),
        other => panic!("a certificate that nobody vouches for: {other:?}"),
    }
}

#[test]
fn a_request_ends_with_the_time_for_commands() {
    let server = server();
    let commands = Commands::new(Settings { limit: Duration::from_millis(200), ..Settings::default() });
    let line = format!("curl -s {}", server.url("/never"));
    let said = format!("command {line} failed: stopped after 200ms");
    assert_eq!(runtime().block_on(run(&commands, "bash", &line)), Ran::Failed(said));
}
