//! gRPC against Google's own server library for Python: every count equals the server's.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::certificates::{Authority, Wanted};
use super::python::python;
use super::report::{Report, measure, measure_with};
use super::tollgate::run;

/// A running server; dropping it ends it.
struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    address: String,
}

impl Server {
    /// Starts one, over TLS with this key and certificate where they are given; `None`, said aloud, without grpcio.
    fn start(secured: Option<[&Path; 2]>) -> Option<Self> {
        let mut command = Command::new(python("grpc", "Debian: python3-grpcio")?);
        command.arg(script("server.py")).args(secured.into_iter().flatten());
        Some(Self::running(command))
    }

    /// Starts one that describes itself; `None`, said aloud, without the modules for that.
    fn described(arguments: &[&str]) -> Option<Self> {
        let modules = "grpc, grpc_reflection, grpc_health";
        let mut command = Command::new(python(modules, "PyPI: grpcio-reflection grpcio-health-checking")?);
        command.arg(script("described.py")).args(arguments);
        Some(Self::running(command))
    }

    fn running(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut port = String::new();
        stdout.read_line(&mut port).unwrap();
        Self { child, stdout, address: format!("127.0.0.1:{}", port.trim()) }
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

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/grpcio").join(name)
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

#[test]
fn methods_are_called_by_name_with_messages_of_types_that_the_server_tells() {
    let Some(server) = Server::described(&[]) else { return };
    let url = format!("grpc://{}", server.address);
    let part = r#"{"name":"a","count":3,"madeAt":"1970-01-01T00:00:07Z"}"#;
    let three = r#"[{"name":"a"},{"name":"b"},{"name":"c","count":1}]"#;
    for (method, data, load, messages, why) in [
        ("One", part, "-n 60 -c 6", 1, "unary"),
        ("One", part, "-z 1s --rate 50/s", 1, "at a rate"),
        ("Down", part, "-n 40 -c 4", 3, "a stream of the server's"),
        ("Down", r#"{"count":0}"#, "-n 5 -c 1", 0, "of nothing"),
        ("Up", three, "-n 40 -c 4", 1, "a stream of the client's"),
        ("Both", three, "-n 40 -c 4 --streams 1", 3, "both ways"),
    ] {
        let call = format!("test.shop.Shop/{method}");
        let report = measure_with(load, &["--call", &call, "--data", data], &url);
        let finished = report.count("/requests/finished");
        assert_eq!(codes(&report), owned(&[("grpc-0", finished)]), "{why}: {report}");
        assert_eq!(report.count("/requests/succeeded"), finished, "{why}: {report}");
        let least = finished * messages * 5;
        assert!(report.count("/requests/body_bytes") >= least, "{messages} messages each: {why}: {report}");
    }
    let drawn = r#"{"name":"{{pick:here,gone}}","count":{{range:1..9}}}"#;
    let report = measure_with("-n 200 -c 4 --seed 1", &["--call", "test.shop.Shop/One", "--data", drawn], &url);
    let (here, gone) = (report.map("/codes")["grpc-0"], report.map("/codes")["grpc-5"]);
    assert!(here + gone == 200 && here > 60 && gone > 60, "{report}");
    let counts = server.counts();
    let expected = [
        ("both", 40),
        ("both messages", 120),
        ("down", 45),
        ("made 0", 200),
        ("made 7", 110),
        ("one", 310),
        ("up", 40),
        ("up messages", 120),
    ];
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), owned(&expected));
}

#[test]
fn messages_are_packed_both_ways_where_that_is_asked_for() {
    let Some(server) = Server::described(&["gzip"]) else { return };
    let url = format!("grpc://{}", server.address);
    let data = format!(r#"{{"name":"{}"}}"#, "a".repeat(20_000));
    let arguments = ["--call", "test.shop.Shop/One", "--data", &data];
    let packed = measure_with("-n 20 -c 2 --gzip", &arguments, &url);
    assert_eq!(codes(&packed), owned(&[("grpc-0", 20)]), "{packed}");
    assert!(packed.count("/requests/body_bytes") < 20 * 1_000, "the answers came packed: {packed}");
    let small = measure_with("-n 20 -c 2 --gzip --max-message 20000", &arguments, &url);
    assert_eq!(small.map("/faults").into_iter().collect::<Vec<_>>(), [("expect", 20)], "{small}");
    let plain = measure_with("-n 20 -c 2", &arguments, &url);
    assert_eq!(plain.count("/requests/succeeded"), 20, "packed or not, as the server likes: {plain}");
    assert_eq!(server.counts()["one"], 60);
}

#[test]
fn ghz_and_the_health_probe_ask_a_server_that_is_not_ours() {
    let Some(server) = Server::described(&[]) else { return };
    let arguments =
        ["--insecure", "-n", "30", "-c", "3", "--call", "test.shop.Shop.Both", "-d", r#"[{"name":"a"},{}]"#];
    let ran = run(["ghz"].iter().chain(&arguments).copied().chain([server.address.as_str()]));
    assert!(ran.code == Some(0) && ran.stdout.contains("  [OK]   30 responses   \n"), "{ran:?}");
    let without = run(["ghz", "--insecure", "--call", "test.shop.Shop/Nope", &server.address]);
    assert_eq!(without.code, Some(1), "{without:?}");
    let said = "test.shop.Shop has no method Nope; it has test.shop.Shop/One, test.shop.Shop/Down";
    assert!(without.stderr.contains(said), "{without:?}");
    let health = run(["ghz", "--insecure", "-n", "10", "-c", "2", &server.address]);
    assert!(health.stdout.contains("  [OK]   10 responses   \n"), "{health:?}");
    assert_eq!(server.counts(), BTreeMap::from([("both".to_owned(), 30), ("both messages".to_owned(), 60)]));
}
