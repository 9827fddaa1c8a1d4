//! `tollgate ghz` and gRPC's health probe, by their own names too, against the practice canary.

use std::process::Command;

use super::calls::{Calls, Said};
use super::nobody::Nobody;
use super::practice::practice;
use super::tollgate::{Ended, Running, quiet, run};

/// SERVING, as a message that gzip has packed.
const PACKED: &[u8] = b"\x01\0\0\0\x16\x1f\x8b\x08\0\0\0\0\0\x02\x03\xe3`\x04\0a\xa8\x07\xfe\x02\0\0\0";

/// Runs tollgate under another name.
fn under(name: &str, arguments: &str) -> Ended {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let link = folder.path().join(name);
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_tollgate"), &link).unwrap();
    let mut command = Command::new(&link);
    command.args(arguments.split_whitespace());
    Running::start(quiet(command)).finish()
}

#[test]
fn a_run_makes_ghzs_calls_and_prints_ghzs_summary() {
    let canary = practice("");
    let ran = run(["ghz", "--insecure", "-n", "50", "-c", "5", &canary.addr().to_string()]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for part in
        ["\nSummary:\n  Count:\t50\n  Total:\t", "\nLatency distribution:\n  10 % in ", "  [OK]   50 responses   \n"]
    {
        assert!(ran.stdout.contains(part), "{part}: {ran:?}");
    }
    assert!(!ran.stdout.contains("Error distribution"), "{ran:?}");
    assert_eq!(canary.truth().to_json(false)["requests"]["succeeded"], 50);
    let named = under("ghz", &format!("--insecure -z 500ms -r 40 -c 2 -O json {}", canary.addr()));
    let report: serde_json::Value = serde_json::from_str(&named.stdout).unwrap_or_else(|e| panic!("{e}: {named:?}"));
    assert_eq!((&report["count"], &report["statusCodeDistribution"]["OK"]), (&20.into(), &20.into()), "{report}");
    assert_eq!(report["endReason"], "normal");
}

#[test]
fn failing_calls_are_told_by_status_and_change_no_exit_code() {
    let canary = practice("errors 100%, grpc-status 5");
    let ran = run(["ghz", "--insecure", "-n", "20", "-c", "2", &canary.addr().to_string()]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("  [NotFound]   20 responses   \n"), "{ran:?}");
    assert!(ran.stdout.contains("  [20]   rpc error: code = NotFound desc = "), "{ran:?}");
    let nowhere = run(["ghz", "--insecure", "--nope", "127.0.0.1:1"]);
    assert_eq!((nowhere.code, nowhere.stdout.as_str()), (Some(1), ""), "{nowhere:?}");
    assert!(nowhere.stderr.starts_with("ghz: error: unknown long flag '--nope'\n"), "{nowhere:?}");
}

#[test]
fn a_report_goes_into_a_file_where_that_is_asked_for() {
    let (canary, folder) = (practice(""), tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap());
    let file = folder.path().join("out.csv");
    let path = file.to_str().unwrap();
    let ran = run(["ghz", "--insecure", "-n", "6", "-c", "2", "-O", "csv", "-o", path, &canary.addr().to_string()]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{ran:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 7, "a head and six calls");
}

#[test]
fn the_health_probe_ends_with_the_code_that_says_what_is_wrong() {
    let good = practice("");
    let (failing, mute, wrong) = (practice("errors 100%"), practice("hang 100%"), practice("no-grpc-status 100%"));
    let unhealthy = practice("not-serving 100%");
    let packing = Calls::start(|_, asked| {
        if asked[0] == 1 && asked[5..7] == [0x1f, 0x8b] {
            return Said { fields: vec![("grpc-encoding", "gzip")], body: PACKED.to_vec(), ..Said::message(b"") };
        }
        let fields = vec![("grpc-status", "3"), ("grpc-message", "it%20is not%20gzip")];
        Said { fields, body: Vec::new(), status: None, endless: false }
    });
    let closed = Nobody::at_home();
    for (arguments, code, said, why) in [
        (format!("-addr={}", good.addr()), 0, "status: SERVING\n", "it serves"),
        (format!("-addr={} -service grpc.health.v1.Health", good.addr()), 0, "status: SERVING\n", "a service of it"),
        (
            format!("-addr={} -service nobody", good.addr()),
            3,
            "error: health rpc failed: it answered NOT_FOUND\n",
            "none",
        ),
        (String::new(), 1, "-addr not specified: expected HOST:PORT\n", "nobody to ask"),
        (format!("-addr={closed}"), 2, "failed to connect service", "nobody there"),
        (format!("-addr={}", failing.addr()), 3, "error: health rpc failed: it answered UNAVAILABLE\n", "an error"),
        (
            format!("-addr={} -rpc-timeout=200ms", mute.addr()),
            3,
            "timeout: health rpc did not complete within 200ms\n",
            "silence",
        ),
        (
            format!("-addr={}", wrong.addr()),
            3,
            "error: health rpc failed: the answer broke the protocol\n",
            "no status",
        ),
        (format!("-addr={} -gzip", packing.addr), 0, "status: SERVING\n", "both ways compressed"),
        (
            format!("-addr={}", packing.addr),
            3,
            "error: health rpc failed: it answered INVALID_ARGUMENT: it is not gzip\n",
            "in its own words",
        ),
        (
            format!("-addr={}", unhealthy.addr()),
            4,
            "service unhealthy (responded with \"NOT_SERVING\")\n",
            "it says no",
        ),
    ] {
        let ended = under("grpc_health_probe", &arguments);
        let text = if code == 0 { &ended.stdout } else { &ended.stderr };
        assert!(ended.code == Some(code) && text.starts_with(said), "{why}: {ended:?}");
    }
}
