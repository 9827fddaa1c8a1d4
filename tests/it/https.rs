//! TLS through the whole program: what is believed, what is refused and how it is told.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::sync::atomic::Ordering::Relaxed;

use serde_json::Value;

use super::certificates::{Authority, Wanted};
use super::practice::{practice, url};
use super::raw::{Raw, request};
use super::report::measure;
use super::secure::{Files, Secure};
use super::tollgate::run;

/// The flags of each protocol, and a path that answers it.
const PROTOCOLS: [(&str, &str); 3] = [("", "/"), ("--http2", "/"), ("--protocol grpc", "/tollgate.practice.Echo/Echo")];

/// The flags that lead `host` to a server, and its URL.
fn named(host: &str, server: &Secure) -> (String, String) {
    let port = server.addr.port();
    (format!("--resolve {host}:{port}:127.0.0.1"), format!("https://{host}:{port}/"))
}

#[test]
fn a_good_certificate_lets_every_request_through_and_a_bad_one_none() {
    let (known, foreign, files) = (Authority::new("ours"), Authority::new("theirs"), Files::new());
    let trusted = format!("--cacert {}", files.write("ca.pem", &[&known.pem()]).display());
    let names = || Wanted::names(&["a.test", "b.test"]);
    for (certificate, trust, problem) in [
        (known.issue(&names()), &*trusted, None),
        (names().marked_as_authority().self_signed(), "--insecure", None),
        (known.issue(&names().expired()), "-k", None),
        (known.issue(&names()), "", Some("no known authority vouches for the server's certificate")),
        (foreign.issue(&names()), &trusted, Some("no known authority vouches for the server's certificate")),
        (names().self_signed(), &trusted, Some("it is signed by itself, or by an authority to be given with --cacert")),
        (
            known.issue(&names().expired()),
            &trusted,
            Some("the server's certificate expired on 2001-02-03 00:00:00 UTC"),
        ),
        (known.issue(&names().not_yet()), &trusted, Some("is not valid before 3000-01-01 00:00:00 UTC")),
        (known.issue(&Wanted::names(&["c.test"])), &trusted, Some("certificate is for c.test, not for a.test")),
        (known.issue(&names().for_clients()), &trusted, Some("the server's certificate is not meant for servers")),
    ] {
        let server = Secure::start(&certificate, None);
        let (resolve, url) = named("a.test", &server);
        let report = measure(&format!("-n 6 -c 2 {trust} {resolve} --slo success>=100%"), &url);
        let served = server.seen().requests.load(Relaxed);
        match problem {
            None => {
                assert_eq!((report.count("/requests/succeeded"), served), (6, 6), "{report}");
                assert_eq!(report.count("/tls_ms/n"), report.count("/generator/connections"), "{report}");
                assert!(report.number("/tls_ms/max") > 0.0, "{report}");
            }
            Some(problem) => {
                assert_eq!((report.map("/faults"), served), (BTreeMap::from([("tls", 6)]), 0), "{report}");
                assert!(report.text("/first_error").contains(problem), "{problem}: {report}");
                assert!(report.text("/first_error").starts_with(&server.addr.to_string()), "{report}");
                assert_eq!((report.ended.code, report.text("/verdict/decision")), (Some(1), "unreachable"), "{report}");
            }
        }
    }
}

#[test]
fn the_certificate_must_be_for_the_host_of_the_url_whatever_the_host_header_says() {
    let certificate = Wanted::names(&["a.test"]).self_signed();
    let files = Files::new();
    let trusted = format!("--cacert {}", files.write("it.pem", &[&certificate.pem]).display());
    let server = Secure::start(&certificate, None);
    for (host, flags, succeeded) in [("a.test", "--host b.test", 4), ("b.test", "--host a.test", 0)] {
        let (resolve, url) = named(host, &server);
        let report = measure(&format!("-n 4 -c 1 {trusted} {resolve} {flags}"), &url);
        assert_eq!(report.count("/requests/succeeded"), succeeded, "{host}: {report}");
    }
}

#[test]
fn a_client_certificate_opens_the_door_and_its_lack_is_told() {
    let (known, foreign, files) = (Authority::new("ours"), Authority::new("theirs"), Files::new());
    let client = Wanted::names(&["client.test"]).for_clients();
    let (good, bad) = (known.issue(&client), foreign.issue(&client));
    let together = format!("--cert {}", files.both("both.pem", &good).display());
    let apart = format!(
        "--cert {} --key {}",
        files.write("cert.pem", &[&good.pem]).display(),
        files.write("key.pem", &[&good.key_pem]).display()
    );
    let refused = format!("--cert {}", files.both("bad.pem", &bad).display());
    let wants = "the server requires a client certificate: give one with --cert and --key";
    for (flags, problem) in [
        (&*together, None),
        (&apart, None),
        ("", Some(wants)),
        (&refused, Some("the server refused the certificate of --cert (UnknownCA)")),
    ] {
        let server = Secure::start(&known.issue(&Wanted::names(&["a.test"])), Some(&known));
        let (resolve, url) = named("a.test", &server);
        let report = measure(&format!("-n 4 -c 1 -k {flags} {resolve}"), &url);
        match problem {
            None => assert_eq!((report.count("/requests/succeeded"), report.map("/faults").len()), (4, 0), "{report}"),
            Some(problem) => {
                assert_eq!(report.map("/faults"), BTreeMap::from([("tls", 4)]), "{report}");
                assert_eq!(report.text("/first_error"), format!("{}: {problem}", server.addr));
                assert_eq!(server.seen().failed.load(Relaxed), 4, "{report}");
            }
        }
    }
    let server = Secure::start(&known.issue(&Wanted::names(&["a.test"])), Some(&known));
    let (resolve, url) = named("a.test", &server);
    let report = measure(&format!("-n 4 -c 1 -k --http2 {resolve}"), &url);
    assert_eq!(report.map("/faults"), BTreeMap::from([("tls", 4)]), "so over HTTP/2: {report}");
    assert_eq!(report.text("/first_error"), format!("{}: {wants}", server.addr));
}

#[test]
fn a_bad_certificate_is_told_over_every_protocol() {
    for (flags, path) in PROTOCOLS {
        for (bad, problem) in [
            ("expired", "the server's certificate expired on 2001-02-03 00:00:00 UTC"),
            ("not-yet-valid", "the server's certificate is not valid before 3000-01-01 00:00:00 UTC"),
            ("wrong-name", "the server's certificate is for wrong-name.invalid, not for 127.0.0.1"),
            (
                "self-signed",
                "no known authority vouches for the server's certificate: it is signed by itself, or by an ",
            ),
            ("foreign", "no known authority vouches for the server's certificate: it is signed by itself, or by an "),
        ] {
            let (server, files) = (practice(&format!("tls, tls-bad {bad}")), Files::new());
            let trusted = files.write("ca.pem", &[server.ca_pem().unwrap()]);
            let target = url(&server, path);
            let report = measure(&format!("-n 6 -c 2 {flags} --cacert {}", trusted.display()), &target);
            assert_eq!(report.map("/faults"), BTreeMap::from([("tls", 6)]), "{bad} {flags}: {report}");
            let said = report.text("/first_error");
            assert!(said.starts_with(&format!("{}: {problem}", server.addr())), "{bad} {flags}: {said}");
            let believed = measure(&format!("-n 6 -c 2 {flags} --insecure"), &target);
            assert_eq!(believed.count("/requests/succeeded"), 6, "{bad} {flags}: {believed}");
            let truth = server.stop();
            assert_eq!(
                (truth.received, truth.succeeded),
                (6, 6),
                "{bad} {flags}: only where all are believed: {truth:?}"
            );
        }
    }
}

#[test]
fn a_server_that_speaks_another_protocol_is_told_from_a_broken_one() {
    const NO_HTTP2: &str = "the server does not speak HTTP/2: it did not choose it in the TLS handshake";
    let [http1, http2, grpc] = PROTOCOLS;
    for ((flags, path), speaks, problem, advice) in [
        (http2, "http1", NO_HTTP2, Some("; does the server speak HTTP/2?")),
        (grpc, "http1", NO_HTTP2, Some("; does the server speak HTTP/2?")),
        (http1, "http2", "the server does not speak HTTP/1.1", None),
    ] {
        let (secure, clear) = (practice(&format!("tls, protocol {speaks}")), practice(&format!("protocol {speaks}")));
        let report = measure(&format!("-n 6 -c 2 -k {flags}"), &url(&secure, path));
        assert_eq!(report.map("/faults"), BTreeMap::from([("tls", 6)]), "{flags}: {report}");
        assert_eq!(report.text("/first_error"), format!("{}: {problem}", secure.addr()), "{flags}");
        assert_eq!(secure.stop().received, 0, "{flags}");
        let report = measure(&format!("-n 6 -c 2 {flags}"), &url(&clear, path));
        let told = report.map("/faults");
        // Where the server hangs up before it has read all, its answer may be lost to the reset.
        let broken = told.get("malformed").copied().unwrap_or(0) + told.get("reset").copied().unwrap_or(0);
        assert_eq!((broken, report.count("/requests/succeeded")), (6, 0), "{flags}: {report}");
        let said = report.json().pointer("/first_error").and_then(Value::as_str);
        let advised = said.filter(|said| said.starts_with(&clear.addr().to_string()));
        assert!(
            advised.is_none() == advice.is_none()
                && advice.is_none_or(|advice| said.is_some_and(|said| said.ends_with(advice))),
            "{flags}: {said:?}"
        );
        assert_eq!(clear.stop().received, 0, "{flags}");
    }
}

#[test]
fn a_key_that_is_not_the_certificates_is_told_before_anything_is_sent() {
    let files = Files::new();
    let [one, other] = [(); 2].map(|()| Wanted::names(&["client.test"]).self_signed());
    let flags = format!(
        "run -n 1 --cert {} --key {} https://a.test/",
        files.both("one.pem", &one).display(),
        files.both("other.pem", &other).display()
    );
    let ended = super::tollgate::run(flags.split_whitespace());
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:#?}");
    assert!(ended.stderr.starts_with("--key: it is not the key of the certificate"), "{}", ended.stderr);
}

#[test]
fn new_connections_resume_sessions_however_many_lanes_open_them() {
    for (requests, lanes) in [(20, 1), (1000, 50)] {
        let server = Secure::start(&Wanted::names(&["a.test"]).self_signed(), None);
        let (resolve, url) = named("a.test", &server);
        let report = measure(&format!("-n {requests} -c {lanes} --disable-keepalive -k {resolve}"), &url);
        let (seen, full) = (server.seen(), server.seen().full.load(Relaxed));
        assert_eq!(
            (report.count("/requests/succeeded"), seen.requests.load(Relaxed)),
            (requests, requests),
            "{report}"
        );
        // Those of a lane that has not had an answer yet.
        assert!((1..=lanes).contains(&full), "{full} full handshakes: {report}");
        assert_eq!(seen.resumed.load(Relaxed), requests - full, "{report}");
        let connections = (report.count("/generator/connections"), report.count("/tls_ms/n"));
        assert_eq!(connections, (requests, requests), "{report}");
    }
}

#[test]
fn a_server_that_does_not_speak_tls_hangs_up_or_says_nothing_is_told_from_one_with_a_bad_certificate() {
    const HTTP: &[u8] = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
    for (answer, fault, said) in [
        (HTTP, "tls", "the server speaks no TLS on this port; is it http:// and not https://?"),
        (b"", "reset", "the server closed the connection during the TLS handshake"),
        (b"wait", "timeout", "the TLS handshake was not done in time"),
    ] {
        let server = Raw::start(move |_, mut stream| {
            let mut greeting = [0; 4096];
            let _ = stream.read(&mut greeting);
            if answer == b"wait" {
                let _ = stream.read(&mut greeting);
            }
            let _ = stream.write_all(answer);
        });
        let report = measure("-n 4 -c 2 -t 300ms", &format!("https://{}/", server.addr));
        assert_eq!(report.map("/faults"), BTreeMap::from([(fault, 4)]), "{report}");
        assert_eq!(report.text("/first_error"), format!("{}: {said}", server.addr));
    }
}

#[test]
fn a_server_of_tls_asked_in_the_clear_is_malformed() {
    let server = Secure::start(&Wanted::names(&["a.test"]).self_signed(), None);
    let report = measure("-n 20 -c 2 --slo success>=99%", &format!("http://{}/", server.addr));
    assert_eq!(report.map("/faults"), BTreeMap::from([("malformed", 20)]), "{report}");
    assert_eq!((report.ended.code, report.text("/verdict/decision")), (Some(1), "fail"), "{report}");
}

#[test]
fn a_note_says_what_has_no_effect_without_tls() {
    let server =
        Raw::start(
            |_, mut stream| {
                while request(&mut stream).is_some() && stream.write_all(b"HTTP/1.1 204 No\r\n\r\n").is_ok() {}
            },
        );
    let ended = super::tollgate::run(["run", "-n", "1", "-k", &server.url("/")]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(
        ended.stderr.contains("note: -k/--insecure has no effect: no URL begins with https://"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_prometheus_behind_tls_and_a_token_is_asked_with_both() {
    let (known, foreign, files) = (Authority::new("ours"), Authority::new("theirs"), Files::new());
    let server = Secure::answering(&known.issue(&Wanted::names(&["localhost"])), None, |head| {
        let body = r#"{"status":"success","data":{"resultType":"scalar","result":[0,"0.002"]}}"#;
        let shown = head.to_ascii_lowercase().contains("\r\nauthorization: bearer s3cret\r\n");
        let (status, body) = if shown { ("200 OK", body) } else { ("401 Unauthorized", "") };
        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    });
    let path = |file: std::path::PathBuf| file.to_str().unwrap().to_owned();
    let ours = path(files.write("ours.pem", &[&known.pem()]));
    let theirs = path(files.write("theirs.pem", &[&foreign.pem()]));
    let (good, bad) = (path(files.write("good", &["s3cret\n"])), path(files.write("bad", &["guess"])));
    let canary = practice("");
    let asked = format!("https://localhost:{}", server.addr.port());
    let ran = |more: &[&str]| {
        let words = ["run", "-n", "5", "-c", "1", "--slo", "prom('errors')<1%", "--prometheus", &asked];
        let url = format!("http://{}/", canary.addr());
        run(words.into_iter().chain(more.iter().copied()).chain([url.as_str()]))
    };
    for (more, code, said, why) in [
        (&["--prometheus-cacert", &ours, "--prometheus-token-file", &good][..], 0, "ok 0.2%", "both"),
        (&["--prometheus-cacert", &ours, "--prometheus-token-file", &bad], 3, "401", "another token"),
        (&["--prometheus-cacert", &ours], 3, "401", "no token"),
        (
            &["--prometheus-cacert", &theirs, "--prometheus-token-file", &good],
            3,
            "cannot be reached",
            "not its authority",
        ),
        (&["--prometheus-token-file", &good], 3, "cannot be reached", "no public authority's"),
    ] {
        let ended = ran(more);
        assert_eq!(ended.code, Some(code), "{why}: {ended:?}");
        assert!(ended.stdout.contains(said), "{why}: {ended:?}");
    }
    let before = canary.truth().received;
    for (more, said) in [
        (&["--prometheus-cacert", "/gone.pem"][..], "--prometheus-cacert: got '/gone.pem', expected a file"),
        (&["--prometheus-cacert", &good], "--prometheus-cacert: "),
        (&["--prometheus-token-file", "/gone"], "--prometheus-token-file: got '/gone', expected a file with a token"),
    ] {
        let ended = ran(more);
        assert!(ended.code == Some(2) && ended.stderr.contains(said), "{ended:?}");
    }
    assert_eq!(canary.truth().received, before, "nothing was sent");
}
