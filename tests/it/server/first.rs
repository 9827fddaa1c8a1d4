//! The service as the first process of its container, where it inherits what programs leave behind.

use std::process::Command;
use std::time::{Duration, Instant};

use super::process::Served;
use super::tasks::payload;
use crate::service::ask;
use crate::tollgate::quiet;

/// How a test tells its process from all others: nobody sleeps for that long.
const MARK: &str = "3.0517578125";

/// Processes whose parent is that one, with whether they have ended.
fn children(parent: &str) -> Vec<(String, bool)> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let stats = processes.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
    let child = |stat: String| {
        let (name, rest) = stat.rsplit_once(") ")?;
        let mut rest = rest.split(' ');
        let ended = rest.next()? == "Z";
        (rest.next()? == parent).then(|| (name.split(' ').next().unwrap_or_default().to_owned(), ended))
    };
    stats.filter_map(child).collect()
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let (_never, pause) = std::sync::mpsc::channel::<()>();
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
        let _ = pause.recv_timeout(Duration::from_millis(50));
    }
}

#[test]
fn what_programs_leave_behind_is_buried() {
    let alone = ["--pid", "--fork", "--kill-child", "--mount-proc"];
    if !Command::new("unshare").args(alone).arg("true").status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: no unshare (Debian: util-linux), or it may not make namespaces here");
        return;
    }
    let mut command = Command::new("unshare");
    command.args(alone).arg(env!("CARGO_BIN_EXE_tollgate"));
    command.args(["serve", "-port=0", "--listen", "127.0.0.1", "--drain-delay", "0s", "--enable-exec=bash"]);
    let served = Served::of(quiet(command));
    let unshare = served.running.pid().as_raw_nonzero().to_string();
    let service = children(&unshare)[0].0.clone();
    // It leaves its process group, so nobody ends it, and its parent ends before it does.
    let line = format!("setsid sleep {MARK} >/dev/null 2>&1 & sleep 0.2");
    let answer = ask(served.addr, "POST", "/", &[], payload(&[("type", "bash"), ("cmd", &line)]).as_bytes());
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    until("it is inherited", || !children(&service).is_empty());
    until("it is buried", || children(&service).is_empty());
}
