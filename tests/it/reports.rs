//! What a run leaves behind: text, JSON, a file, an exit code, and that they agree.

use serde_json::Value;

use super::practice::{practice, url};
use super::report::{Report, measure, measure_with};
use super::tollgate::{Running, by_shell, run, tollgate};

/// Runs for text.
fn text(arguments: &str, url: &str) -> super::tollgate::Ended {
    run(["run"].into_iter().chain(arguments.split_whitespace()).chain([url]))
}

#[test]
fn the_last_line_of_the_text_is_the_verdict() {
    for (behaviour, arguments, code, expected) in [
        ("", "-n 200 -c 4 --slo success>=99%,p99<5s", 0, "PASS  success>=99% ok 100% (95% "),
        ("errors 2%", "-n 1000 -c 4 --slo success>=99%", 1, "FAIL  success>=99% was 98.0% (95% "),
        ("errors 100%, error-status 404", "-n 200 -c 4 --slo success>=99%", 1, "FAIL  success>=99% was 0% "),
        (
            "",
            "-n 20 -c 4 --slo success>=99%",
            3,
            "INSUFFICIENT  success>=99%: needs 100 requests, has 20 (0 bad so far)",
        ),
        ("errors 0.5%", "-n 400 -c 4 --slo success>=99%@95", 3, "INCONCLUSIVE  success>=99% undecided at 99.5"),
        ("hang-all", "-n 6 -c 6 -t 200ms --slo p50<1s", 1, "FAIL  p50<1s was a timeout "),
        ("", "-n 20 -c 2", 0, "no objective given: add --slo 'success>=99%, p99<500ms' for a verdict"),
        ("errors 100%", "-n 20 -c 2", 1, "no objective given: "),
    ] {
        let server = practice(behaviour);
        let ended = text(arguments, &url(&server, "/"));
        let last = ended.stdout.lines().last().unwrap_or_default();
        assert!(last.starts_with(expected), "{behaviour}: {}{}", ended.stdout, ended.stderr);
        assert_eq!(ended.code, Some(code), "{behaviour}: {}{}", ended.stdout, ended.stderr);
    }
}

#[test]
fn advice_goes_with_a_load_whose_every_answer_is_a_404() {
    let server = practice("");
    let ended = text("-n 120 -c 4 --slo success>=99%", &url(&server, "/no-such-path"));
    let last = ended.stdout.lines().last().unwrap_or_default();
    assert!(last.contains("all 120 answered 404; if that is right, set success: non-5xx"), "{last}");
    let wider = measure("-n 120 -c 4 --slo success>=99% --success non-5xx", &url(&server, "/no-such-path"));
    assert_eq!((wider.ended.code, wider.count("/requests/succeeded")), (Some(0), 120), "{wider}");
}

#[test]
fn too_little_load_for_the_objective_is_said_before_it_starts() {
    let server = practice("");
    let report = measure("-n 50 -c 2 --slo success>=99%,p99.9<5s", &url(&server, "/"));
    assert_eq!((report.ended.code, report.text("/verdict/decision")), (Some(3), "insufficient"), "{report}");
    assert_eq!(
        report.ended.stderr.lines().collect::<Vec<_>>(),
        [
            "note: success>=99% needs 100 requests; this load sends 50: use -n 100, or min=50 to accept less",
            "note: p99.9<5s needs 1000 requests; this load sends 50: use -n 1000, or min=50 to accept less",
        ]
    );
    let rated = measure("-z 2s --rate 5/s --slo p99<5s", &url(&server, "/"));
    let note = "note: p99<5s needs 100 requests; this load sends 10: use -z 20s, or min=10 to accept less\n";
    assert_eq!((rated.ended.code, rated.ended.stderr.as_str()), (Some(3), note), "{rated}");
    let accepted = measure_with("-n 50 -c 2", &["--slo", "success>=99% min=50"], &url(&server, "/"));
    assert_eq!((accepted.ended.code, accepted.ended.stderr.as_str()), (Some(0), ""), "{accepted}");
}

#[test]
fn the_file_holds_what_standard_output_says() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let path = file.to_str().unwrap();
    let server = practice("errors 5%");
    std::fs::write(&file, "x".repeat(100_000)).unwrap();
    let report = measure_with("-n 200 -c 2 --slo success>=99%", &["--report", path], &url(&server, "/"));
    let written = std::fs::read_to_string(&file).unwrap();
    assert_eq!(written, report.ended.stdout, "byte for byte, and nothing of what was there before");
    let words = ["run", "-n", "200", "-c", "2", "--report", path, &url(&server, "/")];
    let beside_text = run(words);
    assert!(beside_text.stdout.starts_with("tollgate "), "{}", beside_text.stdout);
    let json: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(json["requests"]["finished"], 200);
}

#[test]
fn every_form_of_a_file_holds_what_the_json_says() {
    let folder = tempfile::tempdir().unwrap();
    let server = practice("errors 5%, latency 2ms");
    for extension in ["json", "html", "xml", "csv"] {
        let file = folder.path().join(format!("report.{extension}"));
        let report =
            measure_with("-n 400 -c 4 --slo success>=99%", &["--report", file.to_str().unwrap()], &url(&server, "/"));
        let written = std::fs::read_to_string(&file).unwrap();
        assert_eq!((report.ended.code, report.count("/requests/succeeded")), (Some(1), 380), "{report}");
        let why = report.text("/verdict/reason");
        match extension {
            "json" => assert_eq!(written, report.ended.stdout),
            "html" => {
                assert!(
                    written.starts_with("<!DOCTYPE html>") && written.contains(&why.replace('>', "&gt;")),
                    "{written}"
                );
                assert!(written.contains("<dd>400</dd>") && written.contains("20 failed"), "{written}");
            }
            "xml" => {
                assert!(written.contains("<property name=\"succeeded\" value=\"380\">"), "{written}");
                assert!(written.contains("<failure type=\"fail\" message=\"success&gt;=99% was 95"), "{written}");
            }
            _ => {
                let rows: Vec<Vec<&str>> =
                    written.split_terminator("\r\n").skip(1).map(|row| row.split(',').collect()).collect();
                let sum = |column: usize| rows.iter().map(|row| row[column].parse::<u64>().unwrap()).sum::<u64>();
                assert_eq!((sum(1), sum(2), sum(3)), (400, 380, 20), "{written}");
            }
        }
    }
}

#[test]
fn text_and_json_tell_the_same_counts() {
    let server = practice("errors 3%, reset 2%, body-size 100");
    let target = url(&server, "/");
    let json = measure("-n 1000 -c 5", &target);
    let truth = server.truth();
    server.reset();
    let text = text("-n 1000 -c 5", &target).stdout;
    assert_eq!(json.count("/requests/succeeded"), truth.succeeded);
    assert!(text.contains("requests     1,000 in ") && text.contains("   95.1% succeeded   "), "{text}");
    for (name, n) in json.map("/codes").into_iter().chain(json.map("/faults")) {
        let line = text.lines().map(|line| line.trim_start_matches("status").trim_start_matches("faults").trim_start());
        let row = line
            .filter(|line| line.starts_with(name))
            .find(|line| line.split_whitespace().nth(1) == Some(&n.to_string()));
        assert!(row.is_some(), "{name} {n}\n{text}");
    }
}

#[test]
fn there_is_no_escape_code_where_there_is_no_terminal_or_no_wish() {
    let server = practice("");
    let target = url(&server, "/");
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb"), ("TERM", "xterm-256color"), ("CLICOLOR_FORCE", "1")] {
        let mut command = tollgate(["run", "-n", "200", "-c", "2", "--slo", "success>=99%", &target]);
        command.env(name, value);
        let ended = Running::start(command).finish();
        assert!(!ended.stdout.contains('\u{1b}') && ended.stderr.is_empty(), "{name}={value}: {ended:#?}");
        assert_eq!(ended.stdout.is_ascii(), value == "dumb", "{name}={value}: {}", ended.stdout);
    }
}

/// Runs within a terminal of its own, made by `script` (util-linux); `None` without it.
fn in_a_terminal(variables: &str, arguments: &str) -> Option<String> {
    let line = format!("{variables} exec script -qec \"$0 {arguments}\" /dev/null");
    let ended = Running::start(by_shell(&format!("command -v script >/dev/null || exit 77; {line}"), [""; 0])).finish();
    (ended.code != Some(77)).then_some(ended.stdout)
}

#[test]
fn a_terminal_gets_colours_unless_it_is_told_not_to() {
    let server = practice("latency 2ms");
    let arguments = format!("run -z 1s --rate 200/s -c 2 {}", url(&server, "/"));
    let Some(plain) = in_a_terminal("TERM=xterm", &arguments) else {
        return eprintln!("skipped: no script(1) to make a terminal");
    };
    assert!(
        plain.contains("\u{1b}[36m") && plain.contains("\u{1b}[?2026h\r"),
        "colours, and lines that move: {plain:?}"
    );
    for (variables, arguments) in [
        ("TERM=xterm NO_COLOR=1", format!("{arguments} --quiet")),
        ("TERM=xterm", format!("{arguments} --quiet --no-color")),
    ] {
        let said = in_a_terminal(variables, &arguments).unwrap();
        assert!(said.contains("requests     200 in") && !said.contains('\u{1b}'), "{variables}: {said:?}");
    }
}

#[test]
fn every_report_says_what_was_planned() {
    let server = practice("");
    let report = measure("-z 1s -q 10 -c 3 --max-lanes 7 --warmup 500ms -t 1500ms -m post", &url(&server, "/"));
    let expected = serde_json::json!({
        "url": url(&server, "/"), "urls": [{"url": url(&server, "/"), "weight": 1}], "primary": null, "method": "POST", "protocol": "http1", "loop": "open", "lanes": 3, "max_lanes": 7, "rate_per_second": 30.0,
        "duration_seconds": 1.0, "requests": null, "warmup_seconds": 0.5, "timeout_seconds": 1.5, "redirects": 0,
        "seed": null,
    });
    assert_eq!(report.json()["plan"], expected);
    let drawn = url(&server, "/x?{{counter}}");
    let closed = measure("-n 7 -c 3 -t 0 --seed 9 --redirects 2", &drawn);
    let expected = serde_json::json!({
        "url": drawn, "urls": [{"url": drawn, "weight": 1}], "primary": null, "method": "GET", "protocol": "http1", "loop": "closed", "lanes": 3, "max_lanes": 3, "rate_per_second": null,
        "duration_seconds": null, "requests": 7, "warmup_seconds": 0.0, "timeout_seconds": null, "redirects": 2,
        "seed": 9,
    });
    assert_eq!(closed.json()["plan"], expected);
}

#[test]
fn each_clause_is_reported_with_its_value_bound_and_population() {
    let server = practice("errors 4%");
    let slo = "success>=99%, 5xx<=39req, p99<60s, size.max<=1MiB, count>=1000req, 4xx==0 warn";
    let report = measure_with("-n 1000 -c 4", &["--slo", slo], &url(&server, "/"));
    assert_eq!((report.ended.code, report.text("/verdict/decision")), (Some(1), "fail"), "{report}");
    let findings = report.json()["verdict"]["findings"].as_array().unwrap();
    let told: Vec<_> =
        findings.iter().map(|f| (f["decision"].as_str().unwrap(), f["value"].as_f64(), f["n"].as_u64())).collect();
    assert_eq!(told[0], ("fail", Some(0.96), Some(1_000)));
    assert_eq!(told[1], ("fail", Some(40.0), Some(1_000)));
    assert_eq!((told[2].0, told[2].2), ("pass", Some(960)), "failures are not in the times");
    assert_eq!(
        (told[3].0, told[4], told[5]),
        ("pass", ("pass", Some(1_000.0), Some(1_000)), ("pass", Some(0.0), Some(1_000)))
    );
    assert_eq!(findings[5]["advisory"], true);
    assert_eq!(findings[0]["bound"], 0.99);
}

#[test]
fn a_clause_marked_abort_ends_the_load_once_it_is_lost() {
    let server = practice("errors 10%");
    let report = measure_with("-z 30s --rate 100/s -c 2", &["--slo", "success>=99% abort"], &url(&server, "/"));
    assert_eq!((report.ended.code, report.text("/stopped")), (Some(1), "tripped"), "{report}");
    // 1 % of 3 000 may fail; the 31st failure is the 310th request.
    assert_eq!((report.count("/requests/finished"), report.map("/codes").get("500")), (310, Some(&31)), "{report}");
    assert_eq!(report.text("/verdict/decision"), "fail");
}

#[test]
fn a_reader_who_leaves_early_is_no_error() {
    let server = practice("");
    let target = url(&server, "/");
    let ended = Running::start(by_shell("\"$0\" \"$@\" | head -c 10; exit 0", ["run", "-n", "20", &target])).finish();
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("tollgate 0", ""), "{ended:#?}");
}

#[test]
fn the_json_is_one_document_and_nothing_else() {
    let server = practice("");
    let report: Report = measure("-n 10 -c 2 --slo success>=99%", &url(&server, "/"));
    assert!(report.ended.stdout.starts_with("{\n") && report.ended.stdout.ends_with("}\n"));
    assert_eq!(report.json()["tollgate"], env!("CARGO_PKG_VERSION"));
}
