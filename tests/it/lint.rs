//! `tollgate lint` as a command: files and standard input, forms of output, flags, exit codes.

use crate::source::root;

use super::tollgate::{Ended, Running, by_shell, run};

fn canary(name: &str) -> String {
    root().join("tests/canaries").join(name).to_string_lossy().into_owned()
}

fn lint(arguments: &[&str]) -> Ended {
    run(["lint"].iter().chain(arguments))
}

#[test]
fn files_and_streams_end_with_the_code_of_what_was_found() {
    let (good, apex, broken) =
        (canary("weighted.yaml"), canary("payment-service.yaml"), canary("broken/objective.yaml"));
    for (arguments, code, last, why) in [
        (vec![good.as_str()], 0, "1 Canary, 6 hooks: nothing found", "clean"),
        (vec![&apex], 0, "1 Canary, 1 hook: 1 warning, 2 notes", "warnings do not fail"),
        (vec!["--deny", "warnings", &apex], 1, "1 Canary, 1 hook: 1 error, 2 notes", "unless they are errors"),
        (
            vec!["--allow", "apex-target,unjudged-load", "--allow=load-ends-early", &apex],
            0,
            "1 Canary, 1 hook: nothing found",
            "left out",
        ),
        (vec!["--warn", "slo,command,metadata-key", &broken], 0, "1 Canary, 4 hooks: 5 warnings, 1 note", "softened"),
        (vec![&good, &broken], 1, "2 Canaries, 10 hooks: 5 errors, 1 note", "one bad file among two"),
    ] {
        let ended = lint(&arguments);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(code), ""), "{why}: {ended:#?}");
        assert_eq!(ended.stdout.lines().last(), Some(last), "{why}: {}", ended.stdout);
    }
    let piped = by_shell("(cat \"$1\"; echo ---; cat \"$2\") | \"$0\" lint -o json -", [&good, &broken]);
    let piped = Running::start(piped).finish();
    let document: serde_json::Value = serde_json::from_str(&piped.stdout).unwrap();
    let counts = ["files", "canaries", "errors", "warnings", "notes"].map(|key| document[key].as_u64());
    assert_eq!((piped.code, counts), (Some(1), [1, 2, 5, 0, 1].map(Some)), "{document}");
    let annotated = lint(&["-o", "github", &broken]);
    assert_eq!(annotated.code, Some(1));
    assert!(
        annotated.stdout.lines().all(|line| line.starts_with("::error file=") || line.starts_with("::notice file=")),
        "{}",
        annotated.stdout
    );
}

#[test]
fn what_cannot_be_read_is_told_beside_what_can() {
    let broken = canary("broken/gates.yaml");
    let folder = canary("");
    let ended = lint(&[&broken, "/nonexistent.yaml", &folder]);
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    assert!(ended.stdout.contains("error[gate-never-opens]"), "{}", ended.stdout);
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[0].starts_with("FILE: got '/nonexistent.yaml', expected a file that can be read; No such file"),
        "{lines:?}"
    );
    assert!(lines[1].ends_with("that is a folder: give the files in it"), "{lines:?}");
    let nothing = lint(&["/nonexistent.yaml"]);
    assert_eq!((nothing.code, nothing.stdout.as_str()), (Some(2), ""), "{nothing:#?}");
}

#[test]
fn wrong_flags_are_told_all_at_once() {
    let good = canary("weighted.yaml");
    let ended =
        lint(&["--allow", "apex-targt", "--deny", "everything", "--default-slo", "p99<5", "--flagger", "new", &good]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:#?}");
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert_eq!(lines[0], "--allow: got 'apex-targt', expected the name of a rule; did you mean apex-target?");
    assert_eq!(lines[1], "--deny: got 'everything', expected the name of a rule; tollgate lint --rules lists them");
    assert_eq!(lines[2], "--default-slo: cannot be read");
    let flagger = "--flagger: got 'new', expected a version of Flagger, such as 1.38";
    assert_eq!(lines[lines.len() - 2..], [flagger, "see tollgate lint --help"]);
    let none = lint(&[]);
    assert_eq!(
        (none.code, none.stderr.lines().next()),
        (Some(2), Some("FILE: got nothing, expected files with Canaries, or - for standard input"))
    );
    let rules = lint(&["--rules"]);
    assert_eq!((rules.code, rules.stdout.lines().count()), (Some(0), tollgate::lint::RULES.len()));
}

#[test]
fn a_migration_lists_the_hooks_whose_answer_changes() {
    let tasks = canary("broken/tasks.yaml");
    let ended = lint(&["--migrate", &tasks]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), ""), "{ended:#?}");
    assert!(ended.stdout.contains("bats (pre-rollout) of podinfo.test"), "{}", ended.stdout);
    let last = ended.stdout.lines().last().unwrap();
    assert_eq!(last, "12 hooks: 10 are answered differently, 1 is answered as before, 1 asks somebody else");
    let same = lint(&["--migrate", &canary("payment-service.yaml")]);
    assert_eq!(
        (same.code, same.stdout.as_str()),
        (Some(0), "1 hook: 0 are answered differently, 1 is answered as before, 0 ask somebody else\n")
    );
    let json = lint(&["--migrate", "-o", "json", &tasks]);
    let document: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(document[&tasks]["changes"].as_array().unwrap().len(), 10);
}

#[test]
fn the_documentation_has_every_flag() {
    let help = lint(&["--help"]);
    assert_eq!(help.code, Some(0), "{help:#?}");
    let told = std::fs::read_to_string(root().join("docs/lint.md")).unwrap();
    let words = help.stdout.split(|c: char| !(c == '-' || c.is_ascii_lowercase()));
    let flags: Vec<&str> = words.filter(|word| word.starts_with("--") && word.len() > 2).collect();
    assert!(flags.contains(&"--migrate") && flags.len() > 8, "{flags:?}");
    let missing: Vec<&&str> = flags.iter().filter(|flag| **flag != "--help" && !told.contains(**flag)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
