//! The architecture, held: which folder may use which, what pure folders never touch, and how long a file may be.

use std::collections::BTreeSet;

use crate::source::{Source, named, root, sources, used_modules};

/// A folder of `src/`, in the order data flows, and the folders it may use besides itself. `ARCHITECTURE.md` shows it.
pub(crate) const LAYERS: &[(&str, &[&str])] = &[
    ("plan", &[]),
    ("stats", &[]),
    ("proto", &["plan"]),
    ("slo", &["stats"]),
    ("spec", &["plan", "slo", "proto"]),
    ("report", &["stats", "slo", "spec"]),
    ("wire", &["plan", "stats", "proto"]),
    ("load", &["plan", "stats", "proto", "wire"]),
    ("practice", &["stats", "proto"]),
    ("canary", &[]),
    ("yaml", &[]),
    ("flagger", &["spec", "yaml", "canary"]),
    ("smoke", &["stats", "slo", "spec", "report", "yaml"]),
    ("lint", &["plan", "slo", "spec", "yaml", "flagger"]),
    ("state", &[]),
    ("gate", &["canary", "state"]),
    ("pem", &[]),
    ("outbound", &["pem"]),
    ("prometheus", &["slo", "outbound"]),
    ("task", &["plan", "stats", "slo", "spec", "load", "canary", "state", "prometheus"]),
    ("fetch", &["plan", "stats", "wire"]),
    ("exec", &["plan", "stats", "proto", "spec", "wire", "canary", "fetch"]),
    ("telemetry", &[]),
    (
        "server",
        &["plan", "stats", "slo", "spec", "canary", "state", "gate", "task", "exec", "telemetry", "pem", "outbound"],
    ),
    (
        "rehearse",
        &[
            "plan",
            "stats",
            "slo",
            "spec",
            "report",
            "load",
            "practice",
            "canary",
            "flagger",
            "state",
            "task",
            "fetch",
            "exec",
            "telemetry",
            "server",
        ],
    ),
    (
        "cli",
        &[
            "plan",
            "stats",
            "slo",
            "spec",
            "report",
            "wire",
            "load",
            "practice",
            "canary",
            "smoke",
            "lint",
            "state",
            "gate",
            "task",
            "fetch",
            "exec",
            "telemetry",
            "server",
            "outbound",
            "prometheus",
            "flagger",
            "rehearse",
        ],
    ),
];

/// Folders that may be tested as arithmetic: time comes in as an argument, text goes out as a value.
const PURE: &[&str] =
    &["plan", "stats", "proto", "slo", "spec", "report", "canary", "yaml", "flagger", "smoke", "lint"];

/// Everything through which a clock, socket, log, file, process or standard stream is reached.
const OUTSIDE: &[&str] = &[
    "std::env",
    "std::fs",
    "std::io::stderr",
    "std::io::stdin",
    "std::io::stdout",
    "std::process",
    "std::thread",
    "Instant",
    "SystemTime",
    "TcpListener",
    "TcpStream",
    "UdpSocket",
    "UnixStream",
    "UnixListener",
    "ToSocketAddrs",
    "print!",
    "println!",
    "eprint!",
    "eprintln!",
    "axum",
    "hickory_resolver",
    "hyper",
    "rustix",
    "socket2",
    "tokio",
    "tracing",
];

/// The innermost folders, and the only crates they may name.
const INNERMOST: (&[&str], &[&str]) = (&["plan", "stats"], &["serde", "hdrhistogram"]);

/// Lines a file may have before its tests.
const MOST_LINES: usize = 400;

/// The one file that says which HTTP status a caller of ours gets.
const STATUSES: &str = "server/reply.rs";

/// The one file that says which exit code means what.
const EXIT_CODES: &str = "cli/mod.rs";

fn in_folder(source: &Source, folder: &str) -> bool {
    source.module[0] == folder
}

/// The crates of `[dependencies]`, as paths in code begin.
fn dependencies() -> Vec<String> {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let keys = section.lines().filter_map(|line| line.split_once([' ', '=', '.']));
    let names = keys.map(|(name, _)| name).filter(|name| !name.is_empty() && !name.starts_with('#'));
    names.map(|name| name.replace('-', "_") + "::").collect()
}

#[test]
fn the_folders_of_the_tree_are_those_of_the_table() {
    let src = root().join("src");
    let entries = src.read_dir().unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let folders: BTreeSet<_> = entries.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(folders, LAYERS.iter().map(|(name, _)| (*name).to_owned()).collect());
    let files: Vec<_> = sources().into_iter().filter(|s| !s.name.contains('/')).map(|s| s.name).collect();
    assert_eq!(files, ["lib.rs", "main.rs"], "a module is a folder, so that the table speaks of all of them");
}

#[test]
fn no_folder_uses_one_that_the_table_does_not_allow() {
    let mut wrong = Vec::new();
    for source in sources() {
        let Some((own, allowed)) = LAYERS.iter().find(|(name, _)| in_folder(&source, name)) else { continue };
        for used in used_modules(&source.code, &source.module) {
            if used != *own && !allowed.contains(&used.as_str()) {
                wrong.push(format!("src/{}: `{own}` may not use `{used}`, only {allowed:?}", source.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_has_no_circles() {
    for (position, (name, allowed)) in LAYERS.iter().enumerate() {
        for used in *allowed {
            let there = LAYERS.iter().position(|(other, _)| other == used);
            assert!(there.is_some_and(|there| there < position), "{name} uses {used}, which does not come before it");
        }
    }
}

#[test]
fn pure_folders_touch_no_clock_socket_log_file_or_stream() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| PURE.iter().any(|folder| in_folder(source, folder))) {
        for outside in named(&source.code, OUTSIDE.iter().copied()) {
            wrong.push(format!("src/{} names {outside}", source.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_innermost_folders_name_no_crates_but_serde_and_hdrhistogram() {
    let dependencies = dependencies();
    assert!(dependencies.contains(&"hdrhistogram::".to_owned()) && dependencies.len() > 10, "{dependencies:?}");
    let (folders, allowed) = INNERMOST;
    for source in sources().iter().filter(|source| folders.iter().any(|folder| in_folder(source, folder))) {
        let foreign = dependencies.iter().filter(|name| !allowed.contains(&name.trim_end_matches("::")));
        let named = named(&source.code, foreign.map(String::as_str));
        assert!(named.is_empty(), "src/{} names {named:?}, allowed are only {allowed:?}", source.name);
    }
}

#[test]
fn no_file_is_longer_than_400_lines_before_its_tests() {
    let long = sources().into_iter().filter(|source| source.lines > MOST_LINES);
    let long: Vec<_> = long.map(|source| format!("src/{}: {} lines", source.name, source.lines)).collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn only_one_file_names_exit_codes() {
    let codes = ["ExitCode::from", "ExitCode::SUCCESS", "ExitCode::FAILURE", "process::exit"];
    let naming = sources().into_iter().filter(|source| !named(&source.code, codes).is_empty());
    let elsewhere: Vec<_> = naming.map(|source| source.name).filter(|name| name != EXIT_CODES).collect();
    assert!(elsewhere.is_empty(), "exit codes belong in src/{EXIT_CODES}, not in {elsewhere:?}");
}

#[test]
fn only_one_file_names_the_statuses_that_callers_get() {
    let server = sources().into_iter().filter(|source| in_folder(source, "server"));
    let naming: Vec<_> = server.filter(|source| !named(&source.code, ["StatusCode"]).is_empty()).collect();
    let naming: Vec<_> = naming.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(naming, [STATUSES]);
}
