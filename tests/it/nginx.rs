//! A server that is not ours: nginx, held against its own access log.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::report::{Report, measure};

/// A running nginx; dropping it ends it.
pub(crate) struct Nginx {
    child: Child,
    pub(crate) url: String,
    folder: tempfile::TempDir,
}

const CONFIGURATION: &str = r#"
daemon off;
master_process off;
pid nginx.pid;
error_log stderr crit;
events { worker_connections 512; }
http {
  log_format counted '$status $request_method $uri $connection $body_bytes_sent';
  access_log access.log counted;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen 127.0.0.1:PORT;
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
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let write = |name: &str, text: &[u8]| std::fs::write(folder.path().join(name), text).unwrap();
        write("nginx.conf", CONFIGURATION.replace("PORT", &port.to_string()).as_bytes());
        write("chunked.html", b"one <!--# echo var=\"request_method\" --> two, chunked\n");
        write("large.bin", &vec![7; 300_000]);
        let mut command = Command::new(program);
        command.arg("-p").arg(folder.path()).arg("-c").arg(folder.path().join("nginx.conf"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let nginx = Self { child, url: format!("http://127.0.0.1:{port}"), folder };
        let until = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "nginx did not start");
            std::thread::park_timeout(Duration::from_millis(5));
        }
        Some(nginx)
    }

    /// Runs a load and returns its report with nginx's own lines about it.
    fn asked(&self, arguments: &str, path: &str) -> (Report, Vec<String>) {
        let log = self.folder.path().join("access.log");
        let before = lines(&log).len();
        let report = measure(arguments, &format!("{}{path}", self.url));
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

#[test]
fn counts_equal_the_access_log_of_another_server() {
    let Some(nginx) = Nginx::start() else { return };
    for (arguments, path, status, succeeded, body, why) in [
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
        let (report, log) = nginx.asked(arguments, path);
        let finished = report.count("/requests/finished");
        assert_eq!((log.len() as u64, report.count("/requests/succeeded")), (finished, succeeded), "{why}: {report}");
        assert_eq!(owned(report.map("/codes")), BTreeMap::from([(status.to_owned(), finished)]), "{why}");
        assert_eq!(column(&log, 0), owned(report.map("/codes")), "{why}");
        assert_eq!(column(&log, 2), BTreeMap::from([(path.to_owned(), finished)]), "{why}: nothing else was asked");
        let connections = column(&log, 3).len() as u64;
        assert_eq!(connections, report.count("/generator/connections"), "{why}: {report}");
        if let Some(body) = body {
            assert_eq!(report.count("/requests/body_bytes"), finished * body, "{why}: {report}");
        }
        assert_eq!((report.count("/requests/resent"), report.map("/faults").len()), (0, 0), "{why}: {report}");
    }
}

#[test]
fn a_server_that_ends_connections_after_a_few_requests_fails_none_of_them() {
    let Some(nginx) = Nginx::start() else { return };
    for arguments in ["-n 600 -c 4", "-z 1s --rate 200/s -c 2"] {
        let (report, log) = nginx.asked(arguments, "/short");
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
    let (report, log) = nginx.asked(&format!("-n 40 -c 2 -m POST -D {}", file.display()), "/read");
    assert_eq!(owned(report.map("/codes")), BTreeMap::from([("413".to_owned(), 40)]), "{report}");
    assert_eq!((column(&log, 0), report.map("/faults").len()), (owned(report.map("/codes")), 0), "{report}");
}
