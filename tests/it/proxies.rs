//! What stands between: proxies that let through, refuse, break or hang, and unix sockets.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::certificates::Wanted;
use super::nobody::Nobody;
use super::practice::practice;
use super::proxy::{Manner, Proxy};
use super::report::{Report, measure};
use super::secure::{Files, Secure};

/// ann:s3cret, as a proxy is told.
const ANN: &str = "Basic YW5uOnMzY3JldA==";

/// Each line and how often it came.
fn counted(lines: Vec<String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in lines {
        *counts.entry(line).or_default() += 1;
    }
    counts
}

#[test]
fn a_proxy_reads_requests_in_the_clear_and_is_told_the_whole_url() {
    let server = practice("");
    let proxy = Proxy::start(Manner::Open, server.addr(), None);
    let report = measure(&format!("-n 60 -c 3 -x http://{}", proxy.addr), "http://nonexistent.invalid:81/?b=c");
    let truth = server.stop();
    assert_eq!((report.count("/requests/succeeded"), truth.succeeded, truth.connections.used), (60, 60, 3), "{report}");
    let line = "GET http://nonexistent.invalid:81/?b=c HTTP/1.1".to_owned();
    assert_eq!(counted(proxy.asked()), BTreeMap::from([(line, 60)]), "the proxy looks the name up");
    assert_eq!(report.count("/generator/connections"), 3, "{report}");
}

#[test]
fn tls_goes_through_a_tunnel_with_the_servers_own_certificate() {
    let certificate = Wanted::names(&["a.test"]).self_signed();
    let files = Files::new();
    let trusted = files.write("it.pem", &[&certificate.pem]);
    let server = Secure::start(&certificate, None);
    let proxy = Proxy::start(Manner::Open, server.addr, None);
    let arguments = format!("-n 60 -c 3 --cacert {} -x http://{}", trusted.display(), proxy.addr);
    let report = measure(&arguments, "https://a.test/");
    assert_eq!((report.count("/requests/succeeded"), server.seen().requests.load(Relaxed)), (60, 60), "{report}");
    assert_eq!(counted(proxy.asked()), BTreeMap::from([("CONNECT a.test:443 HTTP/1.1".to_owned(), 3)]));
    assert_eq!((report.count("/tls_ms/n"), report.count("/connect_ms/n")), (3, 3), "{report}");
    // The tunnel hides nothing: a certificate for another name is one all the same.
    let report = measure(&arguments.replace("-n 60", "-n 6"), "https://b.test/");
    assert_eq!(report.map("/faults"), BTreeMap::from([("tls", 6)]), "{report}");
    assert_eq!(report.text("/first_error"), "b.test: the server's certificate is for a.test, not for b.test");
}

#[test]
fn http2_and_grpc_go_through_a_tunnel_with_and_without_tls() {
    for (flags, path) in [("--http2", "/"), ("--protocol grpc", "/tollgate.practice.Echo/Echo")] {
        for (settings, port) in [("", 80), ("tls", 443)] {
            let (server, files) = (practice(settings), Files::new());
            let proxy = Proxy::start(Manner::Open, server.addr(), None);
            let trust = server.ca_pem().map(|pem| format!("--cacert {}", files.write("ca.pem", &[pem]).display()));
            let scheme = if trust.is_some() { "https" } else { "http" };
            let arguments =
                format!("-n 60 -c 4 --streams 2 {flags} -x http://{} {}", proxy.addr, trust.unwrap_or_default());
            let report = measure(&arguments, &format!("{scheme}://localhost{path}"));
            let truth = server.stop();
            assert_eq!((report.count("/requests/succeeded"), truth.succeeded), (60, 60), "{flags} {scheme}: {report}");
            let connections = truth.connections.http2;
            assert_eq!(connections, report.count("/generator/connections"), "{flags} {scheme}: {truth:?}");
            let line = format!("CONNECT localhost:{port} HTTP/1.1");
            let tunnels = BTreeMap::from([(line, usize::try_from(connections).unwrap())]);
            assert_eq!(counted(proxy.asked()), tunnels, "{flags} {scheme}: one for each connection");
        }
    }
}

#[test]
fn a_proxy_may_itself_be_reached_over_tls() {
    let (server, certificate) = (practice(""), Wanted::names(&["127.0.0.1"]).self_signed());
    let files = Files::new();
    let trusted = format!("--cacert {}", files.write("it.pem", &[&certificate.pem]).display());
    let proxy = Proxy::start(Manner::Open, server.addr(), Some(&certificate));
    let report = measure(&format!("-n 20 -c 2 {trusted} -x https://{}", proxy.addr), "http://a.test/");
    assert_eq!((report.count("/requests/succeeded"), server.stop().succeeded), (20, 20), "{report}");
    let secure = Secure::start(&certificate, None);
    let proxy = Proxy::start(Manner::Open, secure.addr, Some(&certificate));
    let report = measure(&format!("-n 20 -c 2 {trusted} -x https://{}", proxy.addr), "https://127.0.0.1/");
    assert_eq!((report.count("/requests/succeeded"), secure.seen().requests.load(Relaxed)), (20, 20), "TLS in TLS");
    let report = measure(&format!("-n 2 -c 1 -x https://{}", proxy.addr), "https://127.0.0.1/");
    assert_eq!(report.map("/faults"), BTreeMap::from([("proxy", 2)]), "{report}");
    let said = format!("the proxy {}: no known authority vouches", proxy.addr);
    assert!(report.text("/first_error").starts_with(&said), "{report}");
}

/// A load of 4 through a proxy of this manner, in the clear or through a tunnel.
fn through(manner: Manner, user: &str, flags: &str, url: &str) -> (Report, Proxy) {
    let server = practice("");
    let proxy = Proxy::start(manner, server.addr(), None);
    let report = measure(&format!("-n 4 -c 1 {flags} -x http://{user}{}", proxy.addr), url);
    (report, proxy)
}

#[test]
fn a_proxy_that_wants_a_password_gets_it_or_fails_every_request() {
    let wants = Manner::Wants(ANN);
    let (report, _) = through(wants, "ann:s3cret@", "", "http://a.test/");
    assert_eq!(report.count("/requests/succeeded"), 4, "{report}");
    for user in ["", "ann:wrong@"] {
        // Flagger's meaning of success would take its answer for one of the server's.
        let (report, _) = through(wants, user, "--success non-5xx", "http://a.test/");
        assert_eq!(report.map("/faults"), BTreeMap::from([("proxy", 4)]), "{report}");
        assert_eq!((report.map("/codes"), report.ended.code), (BTreeMap::from([("407", 4)]), Some(1)), "{report}");
        assert!(!format!("{report}").contains("wrong"), "a password is shown nowhere: {report}");
    }
    for (user, problem) in [
        ("", "407: it wants a user and password, as in --proxy http://USER:PASSWORD@HOST:PORT"),
        ("ann:wrong@", "407: it does not accept the user and password of --proxy"),
    ] {
        let (report, proxy) = through(wants, user, "", "https://a.test/");
        assert_eq!(report.map("/faults"), BTreeMap::from([("proxy", 4)]), "{report}");
        let said = format!("the proxy {}: it answered CONNECT a.test:443 with {problem}", proxy.addr);
        assert_eq!(report.text("/first_error"), said);
    }
}

#[test]
fn a_proxy_that_refuses_breaks_or_hangs_is_the_fault() {
    for (manner, fault, problem) in [
        (Manner::Answers(b"HTTP/1.1 403 No\r\n\r\n"), "proxy", "with 403: it does not allow this server or port"),
        (Manner::Answers(b"HTTP/1.1 502 Bad\r\n\r\nx"), "proxy", "with 502: it could not reach the server"),
        (Manner::Answers(b"HTTP/1.0 405 No\r\n\r\n"), "proxy", "answered CONNECT a.test:443 with 405"),
        (Manner::Answers(b"SSH-2.0-OpenSSH_9.2p1\r\n"), "proxy", "its answer to CONNECT a.test:443 is no HTTP"),
        (Manner::Answers(b""), "proxy", "it closed the connection when asked for a.test:443"),
        (Manner::Answers(b"HTTP/1.1 200 "), "proxy", "it closed the connection when asked for a.test:443"),
        (Manner::Hangs, "timeout", "no answer to CONNECT in time"),
    ] {
        let (report, proxy) = through(manner, "", "-t 300ms", "https://a.test/");
        assert_eq!(report.map("/faults"), BTreeMap::from([(fault, 4)]), "{problem}: {report}");
        let said = report.text("/first_error");
        assert!(said.starts_with(&format!("the proxy {}: ", proxy.addr)) && said.ends_with(problem), "{said}");
    }
}

#[test]
fn an_endless_answer_of_a_proxy_is_cut_off() {
    const LINE: &[u8] = b"HTTP/1.1 200 OK\r\nX: ";
    static ENDLESS: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| [LINE, &[b'x'; 200_000]].concat());
    let (report, _) = through(Manner::Answers(&ENDLESS), "", "", "https://a.test/");
    assert_eq!(report.map("/faults"), BTreeMap::from([("proxy", 4)]), "{report}");
}

#[test]
fn a_proxy_that_is_not_there_is_the_proxys_fault() {
    let nobody = Nobody::at_home();
    for url in ["http://a.test/", "https://a.test/"] {
        let report = measure(&format!("-n 4 -c 1 -x http://{nobody}"), url);
        assert_eq!(report.map("/faults"), BTreeMap::from([("proxy", 4)]), "{report}");
        let said = format!("the proxy {nobody}: Connection refused (os error 111)");
        assert_eq!(report.text("/first_error"), said);
    }
}

#[test]
fn counts_through_a_proxy_of_others_equal_the_servers() {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .map(|folder| folder.join("tinyproxy"))
        .find(|path| path.is_file());
    let Some(program) = found else {
        eprintln!("skipped: tinyproxy is not installed (Debian: tinyproxy-bin)");
        return;
    };
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let file = folder.path().join("tinyproxy.conf");
    let configuration = format!("Port {port}\nListen 127.0.0.1\nBasicAuth ann s3cret\nMaxClients 50\nTimeout 60\n");
    std::fs::write(&file, configuration).unwrap();
    let mut command = Command::new(program);
    command.arg("-d").arg("-c").arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() && Instant::now() < until {
        std::thread::park_timeout(Duration::from_millis(5));
    }
    // It ends every connection after one answer and does not say so: what crosses that end is sent again.
    let flags = format!("-n 40 -c 2 -k -x http://ann:s3cret@127.0.0.1:{port}");
    let (server, secure) = (practice(""), Secure::start(&Wanted::names(&["a.test"]).self_signed(), None));
    let plain = measure(&flags, &format!("http://{}/", server.addr()));
    let tunnelled = measure(&flags, &format!("https://{}/", secure.addr));
    let unknown =
        measure(&flags.replace("s3cret", "other").replace("-n 40", "-n 6"), &format!("https://{}/", secure.addr));
    let _ = (child.kill(), child.wait());
    assert_eq!((plain.count("/requests/succeeded"), server.stop().succeeded), (40, 40), "{plain}");
    let requests = secure.seen().requests.load(Relaxed);
    assert_eq!((tunnelled.count("/requests/succeeded"), requests), (40, 40), "{tunnelled}");
    assert_eq!(unknown.map("/faults"), BTreeMap::from([("proxy", 6)]), "{unknown}");
}

#[test]
fn a_unix_socket_is_where_every_url_leads() {
    let server = practice("");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(async { tokio::net::UnixListener::bind(&path).unwrap() });
    let addr = server.addr();
    runtime.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut upstream = tokio::net::TcpStream::connect(addr).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut upstream).await;
            });
        }
    });
    let flags = format!("-n 40 -c 2 --unix-socket {}", path.display());
    let report = measure(&flags, "http://nonexistent.invalid/");
    let truth = server.stop();
    assert_eq!((report.count("/requests/succeeded"), truth.succeeded), (40, 40), "{report}");
    assert_eq!((report.count("/generator/connections"), truth.connections.used), (2, 2), "{report}");
    drop(runtime);
    std::fs::remove_file(&path).unwrap();
    let report = measure(&flags.replace("-n 40", "-n 6"), "http://nonexistent.invalid/");
    assert_eq!(report.map("/faults"), BTreeMap::from([("refused", 6)]), "{report}");
    let said = format!("{}: No such file or directory (os error 2)", path.display());
    assert_eq!(report.text("/first_error"), said);
}
