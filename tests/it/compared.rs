//! A run beside the reports of earlier ones.

use std::path::Path;

use super::practice::{practice, url};
use super::report::{Report, measure_with};

/// A run of 300 requests that keeps its report in `file`.
fn kept(behaviour: &str, file: &Path, more: &[&str]) -> Report {
    let server = practice(behaviour);
    let arguments = [&["--report", file.to_str().unwrap()], more].concat();
    measure_with("-n 300 -c 4", &arguments, &url(&server, "/"))
}

#[test]
fn a_run_is_judged_by_the_last_one_and_takes_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("last.json");
    let last = ["--last", file.to_str().unwrap(), "--slo", "size.p50<=last+max(10%,1KiB), errors<=last+5pp"];
    let first = kept("", &file, &last);
    assert_eq!((first.ended.code, first.text("/verdict/decision")), (Some(3), "insufficient"), "{first}");
    let note = format!("note: --last: there is no '{}' yet, so nothing to compare with", file.display());
    assert!(first.ended.stderr.contains(&note), "{}", first.ended.stderr);
    let alike = kept("", &file, &last);
    assert_eq!((alike.ended.code, alike.text("/verdict/decision")), (Some(0), "pass"), "{alike}");
    assert_eq!(alike.json()["verdict"]["findings"][1]["reference"], 0.0);
    let worse = kept("body-size 8KiB, errors 20%", &file, &last);
    assert_eq!((worse.ended.code, worse.text("/verdict/decision")), (Some(1), "fail"), "{worse}");
    let decisions: Vec<_> =
        worse.json()["verdict"]["findings"].as_array().unwrap().iter().map(|f| f["decision"].clone()).collect();
    assert_eq!(decisions, ["fail", "fail"], "{worse}");
    let advice = worse.json()["verdict"]["advice"][0].as_str().unwrap();
    assert!(advice.starts_with("a request takes longer than one of the last run with a chance of "), "{advice}");
    // The bad run's report is in the file now.
    let as_bad = kept("body-size 8KiB, errors 20%", &file, &last);
    assert_eq!(as_bad.text("/verdict/decision"), "pass", "{as_bad}");
    assert_eq!(as_bad.json()["verdict"]["findings"][1]["reference"], worse.json()["verdict"]["findings"][1]["value"]);
}

#[test]
fn a_baseline_that_cannot_be_read_is_refused_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let (missing, other) = (folder.path().join("none.json"), folder.path().join("other.json"));
    std::fs::write(&other, "{\"schema\": 1}").unwrap();
    let server = practice("");
    let refused = super::tollgate::run([
        "run",
        "--slo",
        "p50<=baseline(a)*2, p50<=baseline(b)*2",
        "--baseline",
        &format!("a={}", missing.display()),
        "--baseline",
        &format!("b={}", other.display()),
        &url(&server, "/"),
    ]);
    assert_eq!(refused.code, Some(2));
    let lines: Vec<&str> = refused.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with(&format!("--baseline: cannot read '{}': ", missing.display())), "{}", lines[0]);
    assert_eq!(
        lines[1],
        format!("--baseline: '{}' cannot be compared with: /wall_seconds is missing or is no number", other.display())
    );
    assert_eq!(server.truth().received, 0);
}
