//! A server that is not ours: nginx, held against its own access log.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::certificates::Wanted;
use super::report::{Report, measure};
use super::secure::Files;

/// A running nginx; dropping it ends it.
pub(crate) struct Nginx {
    child: Child,
    pub(crate) url: String,
    /// The same server over TLS.
    secure_url: String,
    /// The certificate of that, signed by itself.
    certificate: PathBuf,
    folder: tempfile::TempDir,
}

const CONFIGURATION: &str = r#"
daemon off;
master_process off;
pid nginx.pid;
error_log stderr crit;
events { worker_connections 512; }
http {
  log_format counted '$status $request_method $uri $connection $body_bytes_sent $ssl_protocol $ssl_session_reused $server_protocol';
  access_log access.log counted;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen 127.0.0.1:PORT;
    listen 127.0.0.1:SECURE ssl http2;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate server.pem;
    ssl_certificate_key server.pem;
    root .;
    keepalive_requests 1000000;
    location = /ok { default_type text/plain; return 200 "ok\n"; }
    location = /missing { return 404; }
    location = /broken { return 500; }
    location = /moved { return 302 /ok; }
    location = /empty { return 204; }
    location = /short { keepalive_requests 3; default_type text/plain; return 200 "ok\n"; }
    location = /chunked.html { ssi on; }
    location = /large.bin { }
    location = /read { client_max_body_size 1k; proxy_pass http://127.0.0.1:PORT/ok; }
  }
}
"#;

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join("nginx")).find(|path| path.is_file())
}

impl Nginx {
    /// Starts one on a free port; `None`, said aloud, without nginx.
    pub(crate) fn start() -> Option<Self> {
        let Some(program) = program() else {
            eprintln!("skipped: nginx is not installed (Debian: nginx-light)");
            return None;
        };
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        // Both at once, so that they differ.
        let free = [(); 2].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
        let [port, secure_port] = free.map(|listener| listener.local_addr().unwrap().port());
        let certificate = Files::in_folder(&folder).both("server.pem", &Wanted::names(&["127.0.0.1"]).self_signed());
        let configuration = CONFIGURATION.replace("PORT", &port.to_string());
        let configuration = configuration.replace("SECURE", &secure_port.to_string());
        let write = |name: &str, text: &[u8]| std::fs::write(folder.path().join(name), text).unwrap();
        write("nginx.conf", configuration.as_bytes());
        write("chunked.html", b"one <!--# echo var=\"request_method\" --> two, chunked\n");
        write("large.bin", &vec![7; 300_000]);
        let mut command = Command::new(program);
        command.arg("-p").arg(folder.path()).arg("-c").arg(folder.path().join("nginx.conf"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let (url, secure_url) = (format!("http://127.0.0.1:{port}"), format!("https://127.0.0.1:{secure_port}"));
        let nginx = Self { child, url, secure_url, certificate, folder };
        let until = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(("127.0.0.1", secure_port)).is_err() {
            assert!(Instant::now() < until, "nginx did not start");
            std::thread::park_timeout(Duration::from_millis(5));
        }
        Some(nginx)
    }

    /// The two ways to it, each with the flags it needs: in the clear, and over TLS.
    fn ways(&self) -> [(&str, String); 2] {
        let trust = format!("--cacert {}", self.certificate.display());
        [(&self.url, String::new()), (&self.secure_url, trust)]
    }

    /// Runs a load at one of its URLs and returns the report with nginx's own lines about it.
    fn asked(&self, url: &str, arguments: &str, path: &str) -> (Report, Vec<String>) {
        let log = self.folder.path().join("access.log");
        let before = lines(&log).len();
        let report = measure(arguments, &format!("{url}{path}"));
        let scheduled = report.count("/requests/finished") as usize;
        // A line is written once its answer is sent, which may be after that was read.
        let until = Instant::now() + Duration::from_secs(20);
        while lines(&log).len() < before + scheduled {
            assert!(Instant::now() < until, "{} lines of {scheduled}\n{report}", lines(&log).len() - before);
            std::thread::park_timeout(Duration::from_millis(5));
        }
        (report, lines(&log).split_off(before))
    }
}

fn lines(log: &Path) -> Vec<String> {
    std::fs::read_to_string(log).unwrap_or_default().lines().map(str::to_owned).collect()
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Fails only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How often each value stands in a column.
fn column(log: &[String], number: usize) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for value in log.iter().filter_map(|line| line.split(' ').nth(number)) {
        *counts.entry(value.to_owned()).or_default() += 1;
    }
    counts
}

fn owned(counts: BTreeMap<&str, u64>) -> BTreeMap<String, u64> {
    counts.into_iter().map(|(key, n)| (key.to_owned(), n)).collect()
}

/// One load at one path, its counts held against the log.
fn agrees(nginx: &Nginx, url: &str, trust: &str, case: (&str, &str, &str, u64, Option<u64>, &str)) {
    let (arguments, path, status, succeeded, body, why) = case;
    let (report, log) = nginx.asked(url, &format!("{arguments} {trust}"), path);
    let finished = report.count("/requests/finished");
    assert_eq!((log.len() as u64, report.count("/requests/succeeded")), (finished, succeeded), "{why}: {report}");
    assert_eq!(owned(report.map("/codes")), BTreeMap::from([(status.to_owned(), finished)]), "{why}");
    assert_eq!(column(&log, 0), owned(report.map("/codes")), "{why}");
    assert_eq!(column(&log, 2), BTreeMap::from([(path.to_owned(), finished)]), "{why}: nothing else was asked");
    let connections = column(&log, 3).len() as u64;
    let opened = report.count("/generator/connections");
    // At a rate, one is kept ready that may never be needed.
    let spare = if arguments.contains("--rate") { opened.min(connections + 1) } else { connections };
    assert_eq!(opened, spare, "{why}: {report}");
    if let Some(body) = body {
        assert_eq!(report.count("/requests/body_bytes"), finished * body, "{why}: {report}");
    }
    assert_eq!((report.count("/requests/resent"), report.map("/faults").len()), (0, 0), "{why}: {report}");
    let version = if trust.is_empty() { "-" } else { "TLSv1.3" };
    assert_eq!(column(&log, 5), BTreeMap::from([(version.to_owned(), finished)]), "{why}");
    let spoken = if trust.contains("--http2") { "HTTP/2.0" } else { "HTTP/1.1" };
    assert_eq!(column(&log, 7), BTreeMap::from([(spoken.to_owned(), finished)]), "{why}");
}

#[test]
fn counts_equal_the_access_log_of_another_server() {
    let Some(nginx) = Nginx::start() else { return };
    for case in [
        ("-n 2000 -c 8", "/ok", "200", 2_000, Some(3), "success"),
        ("-z 1s --rate 300/s", "/ok", "200", 300, Some(3), "at a rate"),
        ("-n 300 -c 3", "/missing", "404", 0, None, "not found, with nginx's page"),
        ("-n 300 -c 3", "/broken", "500", 0, None, "its own error"),
        ("-n 300 -c 3", "/moved", "302", 300, None, "a redirect is an answer, and is not followed"),
        ("-n 300 -c 3", "/empty", "204", 300, Some(0), "no content"),
        ("-n 300 -c 3 -m HEAD", "/ok", "200", 300, Some(0), "HEAD"),
        ("-n 300 -c 3 -m HEAD", "/large.bin", "200", 300, Some(0), "HEAD of much"),
        ("-n 300 -c 3", "/chunked.html", "200", 300, Some(21), "chunked"),
        ("-n 100 -c 3", "/large.bin", "200", 100, Some(300_000), "many reads a body"),
        ("-n 300 -c 3 --disable-keepalive", "/ok", "200", 300, Some(3), "a connection each"),
        ("-n 300 -c 3 -m POST -d body", "/ok", "200", 300, Some(3), "a body that nginx drops"),
    ] {
        for (url, trust) in nginx.ways() {
            agrees(&nginx, url, &trust, case);
        }
        let [_, (url, trust)] = nginx.ways();
        agrees(&nginx, url, &format!("{trust} --http2 --streams 2"), case);
    }
}

#[test]
fn a_server_that_ends_connections_after_a_few_requests_fails_none_of_them() {
    let Some(nginx) = Nginx::start() else { return };
    let loads = ["-n 600 -c 4", "-z 1s --rate 200/s -c 2"];
    for (arguments, (url, trust)) in loads.iter().flat_map(|load| nginx.ways().map(|way| (load, way))) {
        let (report, log) = nginx.asked(url, &format!("{arguments} {trust}"), "/short");
        let finished = report.count("/requests/finished");
        assert_eq!((report.count("/requests/succeeded"), log.len() as u64), (finished, finished), "{report}");
        let each = column(&log, 3);
        assert!(each.values().all(|requests| *requests <= 3), "{each:?}");
        assert!(report.count("/generator/connections") >= finished / 3, "{report}");
        assert_eq!((report.count("/requests/resent"), report.map("/faults").len()), (0, 0), "{report}");
    }
}

#[test]
fn an_upload_that_nginx_refuses_is_its_413() {
    let Some(nginx) = Nginx::start() else { return };
    let file = nginx.folder.path().join("upload");
    std::fs::write(&file, vec![b'x'; 4 << 20]).unwrap();
    for (url, trust) in nginx.ways() {
        let arguments = format!("-n 40 -c 2 -m POST -D {} {trust}", file.display());
        let (report, log) = nginx.asked(url, &arguments, "/read");
        assert_eq!(owned(report.map("/codes")), BTreeMap::from([("413".to_owned(), 40)]), "{report}");
        assert_eq!((column(&log, 0), report.map("/faults").len()), (owned(report.map("/codes")), 0), "{report}");
    }
}

#[test]
fn new_connections_over_tls_are_resumed_where_nginx_lets_them() {
    let Some(nginx) = Nginx::start() else { return };
    let [_, (url, trust)] = nginx.ways();
    let (report, log) = nginx.asked(url, &format!("-n 40 -c 1 --disable-keepalive {trust}"), "/ok");
    assert_eq!((report.count("/requests/succeeded"), report.count("/tls_ms/n")), (40, 40), "{report}");
    // 'r' is nginx's mark of a session used again.
    let kinds = BTreeMap::from([(".".to_owned(), 1), ("r".to_owned(), 39)]);
    assert_eq!(column(&log, 6), kinds, "{report}");
}
