//! A server that is not ours: HAProxy, over HTTP/1.1 and HTTP/2, in the clear and over TLS, held against its own
//! counters.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::certificates::{Authority, Wanted};
use super::report::measure;
use super::tollgate::{Running, quiet};

/// Frontends, named after what they speak.
const CONFIGURATION: &str = "
global
  maxconn 500
  stats socket FOLDER/stats mode 600 level user
defaults
  mode http
  timeout client 30s
  timeout http-request 30s
  timeout http-keep-alive 30s
frontend http1
  bind 127.0.0.1:PORT0
ANSWERS
frontend http2
  bind 127.0.0.1:PORT1 proto h2
ANSWERS
frontend https1
  bind 127.0.0.1:PORT2 ssl crt FOLDER/both.pem alpn http/1.1
ANSWERS
frontend https2
  bind 127.0.0.1:PORT3 ssl crt FOLDER/both.pem alpn h2,http/1.1
ANSWERS
";

/// What each of them answers.
const ANSWERS: &str = "
  http-request return status 200 content-type text/plain string ok if { path /ok }
  http-request return status 503 if { path /broken }
  http-request return status 204 if { path /shop } { ssl_fc_sni shop.test }
  http-request redirect location /ok code 302
";

/// A running HAProxy with a port for each frontend.
pub(crate) struct Haproxy {
    /// Ends it when dropped.
    _running: Running,
    /// Those of http1, http2, https1 and https2.
    pub(crate) ports: [u16; 4],
    counters: PathBuf,
}

impl Haproxy {
    /// Starts one; `None`, said aloud, without HAProxy.
    pub(crate) fn start(folder: &Path) -> Option<Self> {
        let program = ["/usr/sbin/haproxy", "/usr/local/sbin/haproxy"].iter().find(|path| Path::new(path).is_file());
        let Some(program) = program else {
            eprintln!("skipped: HAProxy is not installed (Debian: haproxy)");
            return None;
        };
        let authority = Authority::new("of a test");
        let certificate = authority.issue(&Wanted::names(&["127.0.0.1"]));
        std::fs::write(folder.join("both.pem"), certificate.pem.clone() + &certificate.key_pem).unwrap();
        std::fs::write(folder.join("authority.pem"), authority.pem()).unwrap();
        // All are held until all are known, so that no two are the same.
        let held = [(); 4].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = held.each_ref().map(|listener| listener.local_addr().unwrap().port());
        drop(held);
        let numbered = ports.iter().enumerate();
        let text = numbered.fold(CONFIGURATION.to_owned(), |text, (number, port)| {
            text.replace(&format!("PORT{number}"), &port.to_string())
        });
        let file = folder.join("haproxy.cfg");
        let text = text.replace("ANSWERS", ANSWERS);
        std::fs::write(&file, text.replace("FOLDER", &folder.display().to_string())).unwrap();
        let mut command = std::process::Command::new(program);
        command.arg("-db").arg("-f").arg(file);
        let running = Running::start(quiet(command));
        let until = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(("127.0.0.1", ports[3])).is_err() {
            assert!(Instant::now() < until, "HAProxy did not start");
            std::thread::park_timeout(Duration::from_millis(5));
        }
        Some(Self { _running: running, ports, counters: folder.join("stats") })
    }

    /// Its own counters of answers: by frontend, how many of the classes 2xx, 3xx, 4xx and 5xx.
    fn answers(&self) -> BTreeMap<String, [u64; 4]> {
        let mut socket = UnixStream::connect(&self.counters).unwrap();
        socket.write_all(b"show stat\n").unwrap();
        let mut csv = String::new();
        socket.read_to_string(&mut csv).unwrap();
        let mut rows = csv.trim_start_matches("# ").lines().map(|line| line.split(',').collect::<Vec<_>>());
        let names = rows.next().unwrap();
        let column = |name: &str| names.iter().position(|found| *found == name).unwrap();
        let classes = ["hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx"].map(column);
        let frontends = rows.filter(|row| row.get(1) == Some(&"FRONTEND"));
        frontends.map(|row| (row[0].to_owned(), classes.map(|class| row[class].parse().unwrap()))).collect()
    }
}

#[test]
fn counts_equal_its_own_over_every_wire() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let Some(haproxy) = Haproxy::start(folder.path()) else { return };
    let trust = format!("--cacert {}", folder.path().join("authority.pem").display());
    let mut expected = BTreeMap::new();
    for (frontend, port, scheme, flags) in [
        ("http1", haproxy.ports[0], "http", String::new()),
        ("http2", haproxy.ports[1], "http", "--http2".to_owned()),
        ("https1", haproxy.ports[2], "https", trust.clone()),
        ("https2", haproxy.ports[3], "https", format!("--http2 {trust}")),
    ] {
        for (path, status, load, requests, succeeded) in [
            ("ok", 200, "-n 500 -c 10", 500, 500),
            ("ok", 200, "-z 1s --rate 100/s", 100, 100),
            ("ok", 200, "-n 30 -c 3 --disable-keepalive", 30, 30),
            ("broken", 503, "-n 200 -c 10", 200, 0),
            ("elsewhere", 302, "-n 50 -c 10", 50, 50),
        ] {
            let why = format!("{frontend} {path} {load}");
            let report = measure(&format!("{load} {flags}"), &format!("{scheme}://127.0.0.1:{port}/{path}"));
            assert_eq!(
                report.map("/codes"),
                BTreeMap::from([(status.to_string().as_str(), requests)]),
                "{why}: {report}"
            );
            assert_eq!(report.count("/requests/succeeded"), succeeded, "{why}: {report}");
            assert_eq!((report.count("/requests/resent"), report.map("/faults").len()), (0, 0), "{why}: {report}");
        }
        expected.insert(frontend.to_owned(), [630, 50, 0, 200]);
    }
    assert_eq!(haproxy.answers(), expected);
}
