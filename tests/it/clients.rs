//! The practice canary as clients that are not ours see it: curl and h2load, whose counts are held against its account.

use std::process::Command;

use super::practice::{practice, url};

/// What a client said, and the code it ended with; `None`, said aloud, without the client.
fn run(program: &str, package: &str, arguments: &[&str]) -> Option<(String, i32)> {
    match Command::new(program).args(arguments).output() {
        Ok(output) => Some((String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code().unwrap_or(-1))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("skipped: {program} is not installed (Debian: {package})");
            None
        }
        Err(error) => panic!("{program}: {error}"),
    }
}

/// Runs curl; what it wrote of status and version, and its exit code.
fn curl(arguments: &[&str]) -> Option<(String, i32)> {
    let always = ["-s", "-o", "/dev/null", "-m", "20", "-w", "%{http_code} %{http_version}"];
    run("curl", "curl", &[&always, arguments].concat())
}

#[test]
fn h2load_counts_what_the_account_counts() {
    for (settings, scheme) in [
        ("errors 2%", "http"),
        ("errors 2%, latency 2ms, rst-stream internal-error:1%", "http"),
        ("errors 2%, malformed bad-length:1%", "http"),
        ("errors 2%, rst-stream cancel:1%, tls", "https"),
    ] {
        let practice = practice(settings);
        let target = url(&practice, "/");
        assert!(target.starts_with(&format!("{scheme}://")));
        let Some((text, _)) = run("h2load", "nghttp2-client", &["-n", "1000", "-c", "2", "-m", "10", &target]) else {
            return;
        };
        let line = text.lines().find_map(|line| line.strip_prefix("requests: ")).expect("a line of counts");
        let counts: Vec<u64> =
            line.split(", ").map(|count| count.split(' ').next().unwrap().parse().unwrap()).collect();
        let [total, _started, _done, succeeded, failed, errored, ..] = counts[..] else { panic!("{line}") };
        let truth = practice.truth();
        assert_eq!((total, succeeded, failed), (truth.received, truth.succeeded, truth.errors()), "{settings}: {line}");
        assert_eq!((errored, truth.along, truth.refused_streams), (truth.spoiled, 0, 0), "{settings}: {line}");
        assert_eq!((truth.statuses[&500], truth.connections.http2), (20, 2), "{settings}");
    }
}

#[test]
fn curl_tells_the_faults_of_http2_apart() {
    for (settings, said, code) in [
        ("chunked", "200 2", 0),
        ("continue", "200 2", 0),
        ("huge-headers 20KiB", "200 2", 0),
        ("errors 100%, error-status 503", "503 2", 0),
        ("rst-stream cancel", "000 2", 92),
        ("malformed two-lengths", "000 2", 92),
    ] {
        let practice = practice(settings);
        let Some(got) = curl(&["--http2-prior-knowledge", &url(&practice, "/")]) else { return };
        assert_eq!(got.1, code, "{settings}: {got:?}");
        assert!(code != 0 || got.0 == said, "{settings}: {got:?}");
        assert_eq!(practice.truth().spoiled, u64::from(code != 0), "{settings}");
    }
}

#[test]
fn curl_verifies_the_certificates_that_the_canary_makes() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (ca, client) = (folder.path().join("ca.pem"), folder.path().join("client.pem"));
    let (ca, client) = (ca.to_str().unwrap(), client.to_str().unwrap());
    for (settings, with, refused) in [
        ("", &[][..], None),
        (", tls-bad expired", &[], Some(&[60][..])),
        (", tls-bad not-yet-valid", &[], Some(&[60])),
        (", tls-bad wrong-name", &[], Some(&[51, 60])),
        (", tls-bad self-signed", &[], Some(&[60])),
        (", tls-bad foreign", &[], Some(&[60])),
        (", tls-client", &[], Some(&[35, 55, 56])),
        (", tls-client", &["--cert", client], None),
    ] {
        let practice = practice(&format!("tls{settings}"));
        std::fs::write(ca, practice.ca_pem().unwrap()).unwrap();
        std::fs::write(client, practice.client_pem().unwrap()).unwrap();
        let target = format!("https://localhost:{}/", practice.addr().port());
        let Some((said, code)) = curl(&[&["--cacert", ca, &target], with].concat()) else { return };
        let expected = refused.unwrap_or(&[0]);
        assert!(expected.contains(&code), "{settings}: curl ended with {code} ({said})");
        assert_eq!(practice.truth().received, u64::from(refused.is_none()), "{settings}");
        assert!(refused.is_some() || said == "200 2", "{settings}: HTTP/2 by ALPN, {said}");
    }
}
