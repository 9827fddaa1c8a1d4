//! The service as a process: started, killed, told to end, out of disk; and the commands that talk to it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, Signal, prlimit};
use serde_json::json;

use crate::practice::{practice, url};
use crate::service::{Answer, ask};
use crate::tollgate::{Ended, Running, by_shell, run, tollgate};

mod command;

/// A service on a free port.
pub(super) struct Served {
    pub(super) running: Running,
    pub(super) addr: SocketAddr,
}

impl Served {
    pub(super) fn start(flags: &[&str]) -> Self {
        let fixed = ["serve", "-port=0", "--listen", "127.0.0.1", "--drain-delay", "0s"];
        Self::of(tollgate(fixed.iter().chain(flags)))
    }

    pub(super) fn of(command: Command) -> Self {
        let mut running = Running::start(command);
        let line = running.line();
        let address =
            line.trim_end().strip_prefix("tollgate listens on http://").and_then(|rest| rest.strip_suffix('/'));
        let addr = address.and_then(|address| address.parse().ok()).unwrap_or_else(|| panic!("{line:?}"));
        Self { running, addr }
    }

    fn gate(&self, path: &str, name: &str) -> Answer {
        ask(self.addr, "POST", path, &[], format!(r#"{{"name":"{name}","namespace":"test"}}"#).as_bytes())
    }

    fn is_open(&self, name: &str) -> bool {
        match self.gate("/gate/check", name).short() {
            (200, "Approved") => true,
            (403, "Forbidden") => false,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn kill(self) {
        self.running.signal(Signal::KILL);
        let ended = self.running.finish();
        assert_eq!(ended.code, None, "killed: {ended:?}");
    }
}

#[test]
fn a_service_finds_hosts_where_it_is_told_that_they_are() {
    let release = crate::practice::practice("");
    let served = Served::start(&["--log-level=error", "--resolve", &format!("podinfo-canary.test={}", release.addr())]);
    let hook = |path: &str, metadata: &str| {
        let body = format!(
            r#"{{"name":"podinfo","namespace":"test","phase":"Progressing","checksum":"1","metadata":{{{metadata}}}}}"#
        );
        ask(served.addr, "POST", path, &[], body.as_bytes()).status
    };
    let load = r#""cmd":"hey -n 20 -c 2 http://podinfo-canary.test:9898/","slo":"success>=90%","warmup":"0s""#;
    assert_eq!(hook("/pre-rollout", load), 200, "for load");
    assert_eq!(
        hook("/", r#""type":"bash","cmd":"curl -s http://podinfo-canary.test:9898/ | grep practice""#),
        200,
        "for curl"
    );
    assert_eq!(hook("/", r#""type":"bash","cmd":"curl -s http://podinfo.test:9898/""#), 412, "another name is unknown");
    assert!(release.truth().received >= 21);
}

#[test]
fn a_service_killed_at_any_moment_keeps_what_it_answered() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let flags = ["--state", state.to_str().unwrap(), "--log-level=error"];
    let mut served = Served::start(&flags);
    // The number of each gate's last change, which is its reason, too. Odd ones open it.
    let mut last = [0; 4];
    for round in 0..kills() {
        // Four callers change one gate each as fast as they can, and the service is killed meanwhile.
        let (told, answers) = std::sync::mpsc::channel();
        let callers = last.iter().enumerate().map(|(gate, last)| {
            let (addr, told, mut answered) = (served.addr, told.clone(), *last);
            std::thread::spawn(move || {
                while change(addr, gate, answered + 1) {
                    answered += 1;
                    told.send(()).unwrap();
                }
                answered
            })
        });
        let callers: Vec<_> = callers.collect();
        for _ in 0..=round % 25 {
            answers.recv().unwrap();
        }
        served.kill();
        served = Served::start(&flags);
        for (gate, caller) in callers.into_iter().enumerate() {
            let answered = caller.join().unwrap();
            let found = last_change(&served, gate);
            assert!(
                found == answered || found == answered + 1,
                "round {round}, gate {gate}: {answered} answered, {found} found"
            );
            assert_eq!(served.is_open(&format!("c{gate}")), found % 2 == 1, "round {round}, gate {gate}");
            last[gate] = found;
        }
    }
}

/// How often the service is killed; `TOLLGATE_TEST_KILLS` asks for more.
fn kills() -> usize {
    std::env::var("TOLLGATE_TEST_KILLS").map_or(25, |kills| kills.parse().expect("a number of kills"))
}

/// Makes the change of that number to a gate; `false` if the service went before it answered.
fn change(addr: SocketAddr, gate: usize, number: u64) -> bool {
    let path = if number % 2 == 1 { "/gate/open" } else { "/gate/close" };
    let body = format!(r#"{{"name":"c{gate}","namespace":"test","metadata":{{"why":"{number}"}}}}"#);
    let answer = try_post(addr, path, &body);
    assert!(answer.as_ref().is_none_or(|answer| answer.starts_with("HTTP/1.1 202 ")), "{answer:?}");
    answer.is_some()
}

/// The number of the last change that a gate remembers; 0 for none.
fn last_change(served: &Served, gate: usize) -> u64 {
    let answer = ask(served.addr, "GET", &format!("/api/v1/gates/test/c{gate}"), &[], b"");
    let history = answer.json()["gates"][0]["history"].as_array().unwrap().clone();
    history.last().map_or(0, |event| event["why"].as_str().unwrap().parse().unwrap())
}

/// The whole answer; `None` if the service went before it was there.
fn try_post(addr: SocketAddr, path: &str, body: &str) -> Option<String> {
    let mut stream = TcpStream::connect(addr).ok()?;
    let length = body.len();
    let head =
        format!("POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(head.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.contains("\r\n\r\n").then_some(answer)
}

#[test]
fn a_full_disk_refuses_the_opener_keeps_the_gates_and_needs_no_restart() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    // The limit on the size of files stands for the disk. The signal that comes with it is ignored, as on a full disk none
    // comes.
    let line = "trap '' XFSZ; exec \"$0\" serve --port 0 --listen 127.0.0.1 --state \"$@\"";
    let served = Served::of(by_shell(line, [&state]));
    assert_eq!(served.gate("/gate/open", "before").status, 202);
    let limit = |bytes| {
        let limit = Rlimit { current: bytes, maximum: None };
        prlimit(Some(served.running.pid()), Resource::Fsize, limit).unwrap();
    };
    limit(Some(1024));
    let answer = served.gate("/gate/open", "during");
    assert_eq!(answer.status, 500, "{answer:?}");
    assert!(answer.body.starts_with("the state cannot be stored: "), "{answer:?}");
    assert!(answer.body.ends_with("; the gate is as it was"), "{answer:?}");
    assert_eq!(served.gate("/gate/close", "before").status, 500);
    assert_eq!((served.is_open("before"), served.is_open("during")), (true, false));
    limit(None);
    assert_eq!(served.gate("/gate/open", "after").status, 202, "no restart is needed");
    served.kill();
    let flags = ["--state", state.to_str().unwrap()];
    let served = Served::start(&flags);
    let open = ["before", "during", "after"].map(|name| served.is_open(name));
    assert_eq!(open, [true, false, true]);
}

#[test]
fn load_that_wants_every_descriptor_leaves_some_to_hooks() {
    let target = practice("hang 100%");
    let served = Served::of(by_shell("ulimit -n 64; exec \"$0\" serve --port 0 --listen 127.0.0.1", [""; 0]));
    let hook = json!({"name": "hangs", "namespace": "test", "phase": "Progressing", "checksum": "1", "metadata": {
        "cmd": format!("hey -z 1m -q 50 -c 4 -host hangs-canary {}", url(&target, "/")), "max-lanes": "400",
        "slo": "success>=99%", "wait": "0s", "ready-wait": "0s", "warmup": "0s"}});
    let ask = || ask(served.addr, "POST", "/rollout", &[], hook.to_string().as_bytes());
    let mut answer = ask();
    // Two hundred requests a second hang: until all that is left is wanted.
    while answer.status != 424 {
        assert!([202, 412, 425].contains(&answer.status), "{answer:?}");
        answer = ask();
    }
    assert!(answer.body.contains("failed here"), "{answer:?}");
    let callers: Vec<TcpStream> = (0..8).map(|_| TcpStream::connect(served.addr).unwrap()).collect();
    assert_eq!(served.gate("/gate/open", "podinfo").status, 202, "beside {} more callers", callers.len());
}

#[test]
fn stored_gates_say_when_they_lapse() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let served = Served::start(&["--state", state.to_str().unwrap(), "--gate-ttl=90m"]);
    let answer = served.gate("/gate/open", "podinfo");
    assert!(answer.status == 202 && answer.body.starts_with("open until 2"), "{answer:?}");
    assert_eq!(served.gate("/rollback/open", "podinfo").short(), (202, ""), "a rollback gate ends with its analysis");
}

#[test]
fn a_second_service_cannot_use_the_same_state() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let _first = Served::start(&["--state", state.to_str().unwrap()]);
    let ended = run(["serve", "--port", "0", "--state", state.to_str().unwrap()]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
    assert!(ended.stderr.starts_with(&format!("--state: {} cannot be opened: ", state.display())), "{ended:?}");
}

#[test]
fn told_to_end_it_answers_what_waits_and_ends_well() {
    for signal in [Signal::TERM, Signal::INT] {
        let served = Served::start(&[]);
        // A request whose last byte is still to come when the signal does.
        let mut waiting = TcpStream::connect(served.addr).unwrap();
        waiting.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        waiting.write_all(b"POST /gate/check HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{").unwrap();
        assert_eq!(served.gate("/gate/check", "podinfo").status, 403, "its head has been read");
        served.running.signal(signal);
        while TcpStream::connect(served.addr).is_ok() {}
        waiting.write_all(b"}").unwrap();
        let mut answer = String::new();
        waiting.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n") && answer.ends_with("\r\n\r\nForbidden"), "{answer}");
        let ended = served.running.finish();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        for line in ended.stderr.lines() {
            let log: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
            assert!(log["level"].is_string() && log["timestamp"].is_string(), "{line}");
        }
        assert!(ended.stderr.lines().last().is_some_and(|line| line.contains("\"message\":\"ended\"")), "{ended:?}");
    }
}

#[test]
fn while_it_ends_it_is_not_ready_and_still_answers_and_a_second_signal_does_not_wait() {
    let flags = ["serve", "--port", "0", "--listen", "127.0.0.1", "--drain-delay", "1h"];
    let served = Served::of(tollgate(flags));
    let ready = || ask(served.addr, "GET", "/readyz", &[], b"");
    assert_eq!(ready().short(), (200, "OK"));
    served.running.signal(Signal::TERM);
    while ready().status == 200 {}
    assert_eq!(ready().short(), (503, "about to end"));
    assert_eq!(ask(served.addr, "GET", "/healthz", &[], b"").short(), (200, "OK"));
    assert_eq!(served.gate("/gate/open", "podinfo").status, 202);
    // A second signal within half a second is taken for the first one, sent to a whole group.
    let addr = served.addr;
    while TcpStream::connect(addr).is_ok() {
        served.running.signal(Signal::TERM);
        let _ = try_post(addr, "/gate/check", "{}");
    }
    assert_eq!(served.running.finish().code, Some(130));
}

#[test]
fn the_environment_sets_every_flag_and_the_command_line_wins() {
    let mut command = tollgate(["serve", "--listen", "127.0.0.1"]);
    command.env("TOLLGATE_PORT", "0").env("TOLLGATE_NAMESPACE_REGEXP", "^prod$").env("TOLLGATE_LISTEN", "nonsense");
    let served = Served::of(command);
    assert_eq!(served.gate("/gate/open", "podinfo").short(), (403, "Forbidden"));
    let mut command = tollgate(["serve"]);
    command.env("TOLLGATE_PORT", "x").env("TOLLGATE_STICKY_GATES", "maybe");
    let ended = Running::start(command).finish();
    let expected = "TOLLGATE_PORT: got 'x', expected a port from 0 to 65535\n\
                    TOLLGATE_STICKY_GATES: got 'maybe', expected true or false\nsee tollgate serve --help\n";
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(2), expected));
}

#[test]
fn the_log_level_decides_what_is_logged_and_can_be_changed_meanwhile() {
    let served = Served::start(&["--log-level=error"]);
    let set = |level: &str| ask(served.addr, "PUT", "/api/v1/log-level", &[], level.as_bytes()).status;
    served.gate("/gate/check", "quiet");
    assert_eq!(set("info"), 200);
    served.gate("/gate/check", "loud");
    assert_eq!(set("error"), 200);
    served.gate("/gate/check", "quiet-again");
    served.running.signal(Signal::TERM);
    let log = served.running.finish().stderr;
    let canaries: Vec<String> = log
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter_map(|line| Some(line["canary"].as_str()?.to_owned()))
        .collect();
    assert_eq!(canaries, ["loud.test"], "{log}");
}

#[test]
fn a_flag_that_is_none_is_told_with_the_nearest() {
    let ended = run(["serve", "-prot=8080", "--gate-ttl=soon"]);
    let expected = "flag: got '--prot=8080', expected a flag that exists; did you mean --port?\n\
                    --gate-ttl: got 'soon', expected a duration such as 30s, 5m or 24h\nsee tollgate serve --help\n";
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(2), expected));
}

/// The program under another name, in a folder of its own.
fn named(folder: &Path, name: &str) -> Command {
    let link = folder.join(name);
    symlink(env!("CARGO_BIN_EXE_tollgate"), &link).unwrap();
    let mut command = Command::new(link);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    command
}

#[test]
fn under_the_loadtesters_name_it_takes_its_flags_and_as_wget_its_charts_probe() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = named(folder.path(), "loadtester");
    command.args(["-port=0", "-log-level=info", "-timeout=1h", "-namespace-regexp=", "-listen=127.0.0.1"]);
    let served = Served::of(command);
    assert_eq!(served.gate("/gate/open", "podinfo").status, 202);
    let wget = named(folder.path(), "wget");
    let wget = wget.get_program().to_owned();
    let probe = |path: &str| {
        let mut command = Command::new(&wget);
        command.args(["--quiet", "--tries=1", "--timeout=4", "--spider"]).arg(format!("http://{}{path}", served.addr));
        command.output().unwrap().status.code()
    };
    assert_eq!((probe("/healthz"), probe("/nothing")), (Some(0), Some(1)));
    let addr = served.addr;
    served.kill();
    let mut command = Command::new(&wget);
    let output = command.args(["--spider", &format!("http://{addr}/healthz")]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.starts_with(&format!("wget: {addr} cannot be reached: ")), "{said}");
}
