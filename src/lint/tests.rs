use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;

/// The files of a folder of canaries, by name.
fn files(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/canaries").join(folder);
    let mut paths: Vec<PathBuf> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    let read = |path: &PathBuf| {
        (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(path).unwrap())
    };
    paths.iter().map(read).collect()
}

fn rules(text: &str, settings: &Settings, least: Severity) -> Vec<&'static str> {
    let findings = look(text, settings).findings.into_iter();
    findings.filter(|finding| finding.severity >= least).map(|finding| finding.rule.id()).collect()
}

#[test]
fn broken_canaries_are_told_what_is_wrong_with_them() {
    let files = files("broken");
    assert_eq!(files.len(), 10);
    for (name, text) in files {
        let report = look(&text, &Settings::default());
        assert!(report.count(Severity::Error) > 0, "{name}");
        let stem = name.trim_end_matches(".yaml").replace('-', "_");
        let shown = self::text(&name, &text, &report, Style::default()) + &summary(&[report], Style::default());
        insta::assert_snapshot!(stem, shown);
    }
}

#[test]
fn good_canaries_are_clean_and_the_load_on_the_service_of_all_users_is_named() {
    let files = files("");
    assert!(files.len() >= 4, "{files:?}");
    for (name, text) in files {
        let expected: &[&str] = if name == "payment-service.yaml" { &["apex-target"] } else { &[] };
        assert_eq!(rules(&text, &Settings::default(), Severity::Warning), expected, "{name}");
    }
}

#[test]
fn the_canaries_of_the_examples_are_clean() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy")];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for path in folder.read_dir().unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                let text = std::fs::read_to_string(&path).unwrap();
                if !text.lines().any(|line| line == "kind: Canary") {
                    continue;
                }
                seen += 1;
                let found = rules(&text, &Settings::default(), Severity::Warning);
                assert!(found.is_empty(), "{}: {found:?}", path.display());
            }
        }
    }
    assert!(seen >= 7, "{seen}");
}

#[test]
fn every_finding_of_the_broken_and_good_files_points_into_its_file() {
    for (name, text) in files("broken").into_iter().chain(files("")) {
        let lines: Vec<&str> = text.lines().collect();
        for finding in look(&text, &Settings::default()).findings {
            let line = lines.get(finding.at.line as usize - 1).unwrap_or_else(|| panic!("{name}: {finding:?}"));
            assert!(finding.at.column as usize <= line.chars().count() + 1, "{name}: {finding:?}");
            assert!(!finding.said.contains('\n'), "{name}: {finding:?}");
        }
    }
}

/// A Canary named podinfo in test with these hooks, each a line of JSON.
fn with(hooks: &str) -> String {
    format!(
        "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {{name: podinfo, namespace: test}}\nspec:\n  targetRef: \
         {{kind: Deployment, name: podinfo}}\n  service: {{port: 9898, portDiscovery: true}}\n  analysis:\n    interval: \
         1m\n    threshold: 2\n    stepWeight: 10\n    maxWeight: 50\n    metrics: [{{name: request-duration}}]\n    \
         webhooks: [{hooks}]\n"
    )
}

#[test]
fn what_flaggers_own_documents_have_is_found_and_nothing_breaks() {
    let lines = include_str!("../../tests/data/flagger-hooks.jsonl").lines();
    let mut found = std::collections::BTreeMap::<&str, usize>::new();
    let mut clean = 0;
    for line in lines {
        let mut hook: serde_json::Value = serde_json::from_str(line).unwrap();
        hook["name"] = "it".into();
        let rules = rules(&with(&hook.to_string()), &Settings::default(), Severity::Warning);
        clean += usize::from(rules.is_empty());
        rules.into_iter().for_each(|rule| *found.entry(rule).or_default() += 1);
    }
    insta::assert_snapshot!("flaggers_documents", format!("{found:#?}\nclean: {clean}"));
}

#[test]
fn rules_are_allowed_softened_and_made_errors() {
    let text = with(
        r#"{"name": "it", "url": "http://tollgate/", "timeout": "5s", "metadata": {"cmd": "hey -z 1m http://podinfo/"}}"#,
    );
    let severity = |settings: &Settings| {
        let findings = look(&text, settings).findings.into_iter();
        findings.filter(|finding| finding.rule == Rule::ApexTarget).map(|finding| finding.severity).next()
    };
    let level = |level| Settings { levels: [(Rule::ApexTarget, level)].into(), ..Settings::default() };
    assert_eq!(severity(&Settings::default()), Some(Severity::Warning));
    assert_eq!(severity(&level(None)), None);
    assert_eq!(severity(&level(Some(Severity::Error))), Some(Severity::Error));
    let strict = Settings { deny_warnings: true, ..Settings::default() };
    assert_eq!(severity(&strict), Some(Severity::Error));
    let kept = Settings { deny_warnings: true, ..level(Some(Severity::Warning)) };
    assert_eq!(severity(&kept), Some(Severity::Warning), "what is said of one rule wins");
    let unjudged = |settings: &Settings| rules(&text, settings, Severity::Note).contains(&"unjudged-load");
    let objective = crate::spec::Objective::read("success>=99%", false).unwrap();
    let judged = Settings { default_slo: Some(objective.into()), ..Settings::default() };
    assert_eq!((unjudged(&Settings::default()), unjudged(&judged)), (true, false));
}

#[test]
fn a_hook_on_the_path_of_another_role_is_named_by_what_it_would_do() {
    use crate::flagger::HookKind;
    // What is found for each type of hook on each path, apart from loads and notes.
    let paths = [
        "/rollout",
        "/pre-rollout",
        "/confirm",
        "/rollback",
        "/gate/check",
        "/gate/open",
        "/gate/halt",
        "/rollback/check",
        "/event",
        "/post-rollout",
    ];
    let roles =
        ["wrong-role", "rolls-back", "always-passes", "gate-never-opens", "gate-halt", "opens-at-once", "no-effect"];
    let mut table = String::new();
    for kind in HookKind::ALL {
        for path in paths {
            let metadata = if ["/rollout", "/pre-rollout", "/confirm"].contains(&path) {
                r#", "metadata": {"cmd": "hey -z 10s -q 20 -c 2 http://podinfo-canary.test/"}"#
            } else {
                ""
            };
            let hook =
                format!(r#"{{"name": "it", "type": "{kind}", "timeout": "30s", "url": "http://x{path}"{metadata}}}"#);
            let found = rules(&with(&hook), &Settings::default(), Severity::Warning);
            let found: Vec<&str> = found.into_iter().filter(|rule| roles.contains(rule)).collect();
            table.push_str(&format!(
                "{:<24}  {path:<15}  {}\n",
                kind.name(),
                if found.is_empty() { "-".to_owned() } else { found.join(" ") }
            ));
        }
    }
    insta::assert_snapshot!("roles_and_paths", table);
}

/// Rules that no file of the tests breaks, and ways that none does: a text, or an analysis of podinfo.
const EXAMPLES: &[(&str, &str)] = &[
    ("no-canary", "apiVersion: v1\nkind: Service\n"),
    ("no-canary", "steps: []\n"),
    ("old-version", "apiVersion: flagger.app/v1alpha3\nkind: Canary\nmetadata: {name: a}\nspec: {}\n"),
    ("no-strategy", "interval: 1m, threshold: 2"),
    ("both-steps", "interval: 1m, threshold: 2, stepWeight: 5, stepWeights: [10, 20]"),
    (
        "single-iteration",
        "interval: 1m, threshold: 2, iterations: 1, webhooks: [{name: a, type: confirm-promotion, url: 'http://x/gate/check'}]",
    ),
    ("match-ignored", "interval: 1m, threshold: 2, stepWeight: 5, match: [{headers: {a: {exact: b}}}]"),
    ("password-in-url", "stepWeight: 5, webhooks: [{name: a, url: 'http://ann:secret@checks/x'}]"),
    (
        "near-key",
        "stepWeight: 5, webhooks: [{name: a, url: 'http://tester/', metadata: {type: bash, Cmd: 'curl http://x/'}}]",
    ),
    (
        "share-unknown",
        "stepWeight: 5, webhooks: [{name: a, url: 'http://x/rollout', metadata: {cmd: 'hey -z 1m http://10.0.0.1/'}}]",
    ),
    (
        "shadow",
        "stepWeight: 5, webhooks: [{name: a, url: 'http://x/rollout', metadata: {cmd: 'hey -z 1m http://podinfo-canary/', enforce: 'false'}}]",
    ),
    ("rollback-blind", "stepWeight: 5, webhooks: [{name: a, type: rollback, url: 'http://x/rollback'}]"),
    ("rolls-back", "stepWeight: 5, webhooks: [{name: a, type: rollback, url: 'http://tollgate/healthz'}]"),
    ("always-passes", "stepWeight: 5, webhooks: [{name: a, url: 'http://tollgate/healthz'}]"),
    ("no-command", "stepWeight: 5, webhooks: [{name: a, url: 'http://x/rollout', metadata: {slo: 'p99<1s'}}]"),
    ("no-command", "stepWeight: 5, webhooks: [{name: a, type: pre-rollout, url: 'http://x/pre-rollout'}]"),
    (
        "no-effect",
        "stepWeight: 5, webhooks: [{name: a, type: rollback, url: 'http://x/rollback', metadata: {cmd: 'hey -z 1m http://podinfo-canary/'}}]",
    ),
    (
        "apex-target",
        "iterations: 5, webhooks: [{name: a, url: 'http://x/rollout', metadata: {cmd: 'hey -z 1m http://podinfo/'}}]",
    ),
    ("flagger-version", "stepWeight: 5, webhooks: [{name: a, url: 'http://x/', retries: 1}]"),
];

/// podinfo with this analysis.
fn analysed(analysis: &str) -> String {
    format!(
        "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {{name: podinfo, namespace: test}}\nspec:\n  targetRef: \
         {{kind: Deployment, name: podinfo}}\n  service: {{port: 80}}\n  analysis: {{{analysis}}}\n"
    )
}

#[test]
fn every_rule_is_broken_by_a_file_or_an_example() {
    let old = Settings { flagger: Some("1.20".parse().unwrap()), ..Settings::default() };
    let mut found: std::collections::BTreeSet<&str> = std::collections::BTreeSet::new();
    for (_, text) in files("broken").into_iter().chain(files("")) {
        found.extend(rules(&text, &Settings::default(), Severity::Note));
    }
    for (rule, text) in EXAMPLES {
        let text = if text.contains('\n') { (*text).to_owned() } else { analysed(text) };
        let broken = rules(&text, &old, Severity::Note);
        assert!(broken.contains(rule), "{rule}: {broken:?} in {text}");
        found.insert(rule);
    }
    let never: Vec<&Rule> = RULES.iter().filter(|rule| !found.contains(rule.id())).collect();
    assert!(never.is_empty(), "{never:?}");
}

#[test]
fn an_older_flagger_is_told_from_the_newest() {
    let hooks = r#"{"name": "a", "type": "confirm-traffic-increase", "url": "http://x/gate/check"}, {"name": "b", "type": "event",
        "url": "http://x/event", "timeout": "5s"}, {"name": "c", "url": "http://x/rollout", "disableTLS": true, "retries": 2,
        "metadata": {"cmd": "hey -z 1m http://podinfo-canary/"}}"#;
    for (version, expected) in
        [("1.44", 0), ("1.41", 1), ("1.38", 2), ("1.34", 3), ("1.33", 4), ("1.32", 5), ("1.6", 6), ("0.21", 7)]
    {
        let settings = Settings { flagger: Some(version.parse().unwrap()), ..Settings::default() };
        let found = rules(&with(hooks), &settings, Severity::Note);
        assert_eq!(found.iter().filter(|rule| **rule == "flagger-version").count(), expected, "{version}: {found:?}");
    }
    assert!(!rules(&with(hooks), &Settings::default(), Severity::Note).contains(&"flagger-version"));
}

#[test]
fn reports_for_programs_have_every_finding() {
    let (name, text) = files("broken").into_iter().find(|(name, _)| name == "objective.yaml").unwrap();
    let report = look(&text, &Settings::default());
    let document = json(&[(name.clone(), report.clone())]);
    assert_eq!(document["findings"].as_array().unwrap().len(), report.findings.len());
    assert_eq!(document["errors"], report.count(Severity::Error));
    let all = document["findings"].as_array().unwrap();
    let first = all.iter().find(|finding| finding["rule"] == "slo").unwrap();
    assert_eq!((&first["file"], &first["line"], &first["column"]), (&"objective.yaml".into(), &24.into(), &35.into()));
    assert_eq!((&first["severity"], &first["hook"]), (&"error".into(), &"in quotes".into()));
    assert_eq!((&first["canary"], &first["help"]), (&"podinfo.test".into(), &serde_json::Value::Null));
    let commands = github("a,b:c.yaml", &report);
    assert_eq!(commands.lines().count(), report.findings.len());
    let first = commands.lines().find(|line| line.contains("slo")).unwrap();
    assert!(
        first.starts_with("::error file=a%2Cb%3Ac.yaml,line=24,col=35,title=tollgate lint%3A slo::in quotes: "),
        "{first}"
    );
    let percent = commands.lines().all(|line| !line.split("::").nth(2).unwrap().replace("%25", "").contains("% "));
    assert!(percent, "{commands}");
}

#[test]
fn the_documentation_has_every_rule_and_no_other() {
    let text = include_str!("../../docs/lint.md");
    let told: Vec<&str> =
        text.lines().filter(|line| line.starts_with("| `") && line.matches('|').count() == 4).collect();
    let rows: Vec<String> =
        RULES.iter().map(|rule| format!("| `{rule}` | {} | {} |", rule.severity(), rule.title())).collect();
    assert_eq!(told, rows);
}

#[test]
fn no_text_breaks_it() {
    let (_, text) = files("broken").into_iter().find(|(name, _)| name == "tasks.yaml").unwrap();
    // Every beginning of a file, and the file without each of its lines.
    let lines: Vec<&str> = text.lines().collect();
    for cut in 0..lines.len() {
        let without: Vec<&str> = lines.iter().enumerate().filter(|(at, _)| *at != cut).map(|(_, line)| *line).collect();
        for text in [lines[..cut].join("\n"), without.join("\n")] {
            let report = look(&text, &Settings::default());
            let _ = (self::text("x", &text, &report, Style::default()), migrate(&text, &Settings::default()));
            assert!(report.canaries > 0 || report.count(Severity::Error) > 0, "{text}");
        }
    }
}

/// Pieces of which YAML and Canaries are made.
fn piece() -> impl Strategy<Value = String> {
    let pieces = [
        "apiVersion: flagger.app/v1beta1\n",
        "kind: Canary\n",
        "kind: List\nitems:\n",
        "spec:\n",
        "  analysis:\n",
        "    webhooks:\n",
        "      - name: a\n",
        "        url: http://x/rollout\n",
        "        metadata:\n",
        "          cmd: ",
        "          slo: ",
        "hey -z 1m http://podinfo/",
        "p99<5",
        "success>=99%",
        "---\n",
        "\n",
        "  ",
        "- ",
        ": ",
        "{",
        "}",
        "[",
        "]",
        "\"",
        "'",
        "\\",
        "|\n",
        ">-\n",
        "&a ",
        "*a",
        "<<: ",
        "!!str ",
        "# ",
        "{{ .Values }}",
        "\t",
        "é",
        "\u{feff}",
        "\r\n",
        "0x",
        "null",
        "%",
        ",",
    ];
    prop_oneof![8 => prop::sample::select(pieces.to_vec()).prop_map(str::to_owned), 1 => ".{0,4}"]
}

proptest! {
    #[test]
    fn whatever_is_written_is_looked_at_and_shown(pieces in prop::collection::vec(piece(), 0..40)) {
        let text: String = pieces.concat();
        let report = look(&text, &Settings::default());
        let lines = text.split('\n').count() as u32;
        for finding in &report.findings {
            prop_assert!(finding.at.line <= lines + 1, "{finding:?}");
        }
        let shown = self::text("x", &text, &report, Style::default());
        let steers = shown.contains('\u{1b}');
        prop_assert!(!steers, "{text}");
        prop_assert!(shown.matches("--> x:").count() >= report.findings.len(), "{shown}");
        let _ = (migrate(&text, &Settings::default()), json(&[("x".to_owned(), report)]));
    }

    #[test]
    fn a_canary_with_any_characters_lost_is_looked_at_and_shown(at in 0_usize..2500, length in 0_usize..40, put in ".{0,3}") {
        let text = include_str!("../../tests/canaries/broken/tasks.yaml");
        let chars: Vec<char> = text.chars().collect();
        let (at, end) = (at.min(chars.len()), (at + length).min(chars.len()));
        let text: String = chars[..at].iter().copied().chain(put.chars()).chain(chars[end.max(at)..].iter().copied()).collect();
        let report = look(&text, &Settings::default());
        prop_assert!(self::text("x", &text, &report, Style::default()).lines().count() >= report.findings.len());
    }
}
