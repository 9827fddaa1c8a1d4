//! A rendered pod, started: its command line is read by the program, and its probes are answered.
//!
//! What a pod would have mounted is laid out in a folder, with the entries that the command line names, and the port is
//! one that is free.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use serde_json::Value;

use super::objects::{Objects, array, text};
use crate::certificates::Wanted;
use crate::secure::Files;
use crate::service::ask;
use crate::tollgate::{Running, tollgate};

/// Starts the only container and asks what its probes ask.
pub(super) fn check(objects: &Objects) {
    let files = Files::new();
    let pair = files.both("pair.pem", &Wanted::names(&["localhost"]).self_signed());
    let container = objects.container();
    let command = objects.command();
    assert_eq!(command[0], "./loadtester", "where the image has it");
    let words: Vec<String> = command[1..].iter().map(|word| laid_out(word, container, &pair)).collect();
    // Shown where it does not start.
    eprintln!("{words:?}");
    let mut running = Running::start(tollgate(["serve"].into_iter().chain(words.iter().map(String::as_str))));
    let line = running.line();
    let scheme = line
        .strip_prefix("tollgate listens on ")
        .and_then(|rest| rest.split("://").next())
        .unwrap_or_else(|| panic!("{line}"));
    let port = line.trim_end().trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap();
    for probe in ["livenessProbe", "readinessProbe"] {
        probed(&container[probe], scheme, SocketAddr::from(([127, 0, 0, 1], port)));
    }
    running.signal(Signal::TERM);
    let ended = running.finish();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

/// A word of the command line, as it is without a cluster: mounted entries are laid out beside a certificate and its key.
fn laid_out(word: &str, container: &Value, pair: &Path) -> String {
    if word.starts_with("-port=") {
        return "-port=0".to_owned();
    }
    let Some((name, path)) = word.split_once('=').filter(|(_, value)| value.starts_with('/')) else {
        return word.to_owned();
    };
    let mounted =
        array(&container["volumeMounts"]).iter().any(|mount| Path::new(path).starts_with(text(&mount["mountPath"])));
    assert!(mounted, "{word}: nothing is mounted there, and the root is read-only");
    let here: PathBuf = pair.with_file_name("mounted").join(path.trim_start_matches('/'));
    std::fs::create_dir_all(here.parent().unwrap()).unwrap();
    match name.trim_start_matches('-') {
        "state" => {}
        "token-file" => std::fs::write(&here, "secret").unwrap(),
        _ => drop(std::fs::copy(pair, &here).unwrap()),
    }
    format!("{name}={}", here.display())
}

/// What the kubelet would ask is answered as it wants.
fn probed(probe: &Value, scheme: &str, addr: SocketAddr) {
    if probe["tcpSocket"]["port"] == "http" {
        std::net::TcpStream::connect(addr).unwrap();
        return;
    }
    let http = &probe["httpGet"];
    assert_eq!(http["port"], "http", "{probe}");
    assert_eq!(http["scheme"].as_str().unwrap_or("HTTP").to_lowercase(), scheme, "{probe}");
    if scheme == "http" {
        assert_eq!(ask(addr, "GET", text(&http["path"]), &[], b"").short(), (200, "OK"), "{probe}");
    }
}
