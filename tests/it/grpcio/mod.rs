//! gRPC against Google's own server library for Python: every count equals the server's.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::certificates::{Authority, Wanted};
use super::report::{Report, measure, measure_with};

/// A running server; dropping it ends it.
struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    address: String,
}

/// The first Python that has the library: the system's own first, which Debian's package belongs to.
fn python() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(PathBuf::from("/usr/bin")).chain(std::env::split_paths(&path));
    let has_grpc = |python: &PathBuf| {
        let imports = Command::new(python).args(["-c", "import grpc"]).stderr(Stdio::null()).status();
        imports.is_ok_and(|status| status.success())
    };
    let found = folders.map(|folder| folder.join("python3")).find(has_grpc);
    if found.is_none() {
        eprintln!("skipped: Python has no grpcio (Debian: python3-grpcio)");
    }
    found
}

impl Server {
    /// Starts one, over TLS with this key and certificate where they are given; `None`, said aloud, without grpcio.
    fn start(secured: Option<[&Path; 2]>) -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/grpcio/server.py");
        let mut command = Command::new(python()?);
        command.arg(script).args(secured.into_iter().flatten());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut port = String::new();
        stdout.read_line(&mut port).unwrap();
        Some(Self { child, stdout, address: format!("127.0.0.1:{}", port.trim()) })
    }

    fn url(&self, method: &str) -> String {
        format!("http://{}/test.Calls/{method}", self.address)
    }

    /// Ends it and says what it counted.
    fn counts(mut self) -> BTreeMap<String, u64> {
        drop(self.child.stdin.take());
        let mut json = String::new();
        self.stdout.read_to_string(&mut json).unwrap();
        serde_json::from_str(&json).unwrap_or_else(|e| panic!("{e}: {json}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn codes(report: &Report) -> Vec<(String, u64)> {
    report.map("/codes").into_iter().map(|(code, n)| (code.to_owned(), n)).collect()
}

fn owned(codes: &[(&str, u64)]) -> Vec<(String, u64)> {
    codes.iter().map(|(code, n)| ((*code).to_owned(), *n)).collect()
}

#[test]
fn calls_end_as_the_server_says_and_as_often() {
    let Some(server) = Server::start(None) else { return };
    let message = "\u{1}any bytes";
    for (arguments, method, expected, succeeded, why) in [
        ("-n 400 -c 8", "Echo", &[("grpc-0", 400)][..], 400, "a closed loop"),
        ("-z 1s --rate 200/s", "Echo", &[("grpc-0", 200)], 200, "at a rate"),
        ("-n 100 -c 5 --streams 1", "Echo", &[("grpc-0", 100)], 100, "a connection for each lane"),
        ("-n 40 -c 2 --disable-keepalive", "Echo", &[("grpc-0", 40)], 40, "a connection for each call"),
        ("-n 50 -c 5", "Fail", &[("grpc-14", 50)], 0, "UNAVAILABLE"),
        ("-n 80 -c 8", "EveryFourth", &[("grpc-0", 60), ("grpc-5", 20)], 60, "NOT_FOUND"),
        ("-n 50 -c 5", "Nowhere", &[("grpc-12", 50)], 0, "UNIMPLEMENTED, in trailers alone"),
        ("-n 20 -c 2 -t 5", "Deadline", &[("grpc-0", 20)], 20, "the server is told the time limit"),
    ] {
        let report = measure_with(&format!("--protocol grpc {arguments}"), &["-d", message], &server.url(method));
        assert_eq!(codes(&report), owned(expected), "{why}: {report}");
        assert_eq!(report.count("/requests/succeeded"), succeeded, "{why}: {report}");
        assert_eq!((report.count("/requests/resent"), report.map("/faults").len()), (0, 0), "{why}: {report}");
    }
    let echoed = measure_with("--protocol grpc -n 10", &["-d", message], &server.url("Echo"));
    assert_eq!(echoed.count("/requests/body_bytes"), 10 * (5 + message.len() as u64), "prefix and message: {echoed}");
    let user = measure_with("--protocol grpc -n 7", &["-H", "x-user: insider"], &server.url("User"));
    assert_eq!(codes(&user), owned(&[("grpc-0", 7)]), "metadata is sent: {user}");
    let counts = server.counts();
    let expected = [("deadline", 20), ("echo", 750), ("every fourth", 80), ("fail", 50), ("user insider", 7)];
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), owned(&expected));
}

#[test]
fn a_call_that_hangs_is_a_timeout_and_the_connection_goes_on() {
    let Some(server) = Server::start(None) else { return };
    let hung = measure("--protocol grpc -n 4 -c 4 -t 300ms", &server.url("Hang"));
    assert_eq!(hung.map("/faults").into_iter().collect::<Vec<_>>(), [("timeout", 4)], "{hung}");
    let whole = measure("--protocol grpc -n 20 -c 4", &server.url("Echo"));
    assert_eq!(codes(&whole), owned(&[("grpc-0", 20)]), "{whole}");
    assert_eq!(server.counts(), BTreeMap::from([("echo".to_owned(), 20), ("hang".to_owned(), 4)]));
}

#[test]
fn calls_go_over_tls_to_a_server_whose_authority_is_given() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let [key, chain, authority_file] = ["key.pem", "chain.pem", "authority.pem"].map(|name| folder.path().join(name));
    let authority = Authority::new("of a test");
    let certificate = authority.issue(&Wanted::names(&["127.0.0.1"]));
    std::fs::write(&key, &certificate.key_pem).unwrap();
    std::fs::write(&chain, &certificate.pem).unwrap();
    std::fs::write(&authority_file, authority.pem()).unwrap();
    let Some(server) = Server::start(Some([&key, &chain])) else { return };
    let url = server.url("Echo").replace("http://", "https://");
    let trusting = measure(&format!("--protocol grpc -n 60 -c 6 --cacert {}", authority_file.display()), &url);
    assert_eq!(codes(&trusting), owned(&[("grpc-0", 60)]), "{trusting}");
    assert_eq!(trusting.count("/generator/connections"), 1, "six lanes fit on one: {trusting}");
    let wary = measure("--protocol grpc -n 3 -c 1", &url);
    assert_eq!(wary.map("/faults").into_iter().collect::<Vec<_>>(), [("tls", 3)], "{wary}");
    assert_eq!(server.counts(), BTreeMap::from([("echo".to_owned(), 60)]), "nobody distrustful came through");
}
