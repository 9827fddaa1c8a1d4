use super::*;

/// A Canary with one hook, its lines as JSON.
fn with(hook: &str) -> String {
    format!(
        "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {{name: podinfo, namespace: test}}\nspec: {{targetRef: \
         {{kind: Deployment, name: podinfo}}, service: {{port: 80}}, analysis: {{interval: 1m, threshold: 2, stepWeight: \
         10, webhooks: [{hook}]}}}}\n"
    )
}

/// What becomes of a hook on `http://loadtester.test` with this type, path and metadata: old and new answer, or a word.
fn becomes(kind: &str, path: &str, metadata: &str, settings: &Settings) -> String {
    let hook = format!("{{name: it, type: '{kind}', url: 'http://loadtester.test{path}', metadata: {{{metadata}}}}}");
    let migration = migrate(&with(&hook), settings);
    assert_eq!(migration.total(), 1, "{hook}");
    match migration.changes.as_slice() {
        [change] => format!("{} -> {}", change.old, change.new),
        _ if migration.tells_more == 1 => "tells more".to_owned(),
        _ if migration.same == 1 => "same".to_owned(),
        _ => "elsewhere".to_owned(),
    }
}

/// A hook's type, path and metadata, and what becomes of it.
const CHANGES: [(&str, &str, &str, &str); 20] = [
    ("rollout", "/", "cmd: 'hey -z 1m http://a/'", "same"),
    (
        "rollout",
        "/",
        "cmd: 'hey -z 1m -q ten http://a/'",
        "202 at once; what the shell says of the line is only logged -> 400: invalid value \"ten\" for flag -q: parse error",
    ),
    (
        "rollout",
        "/",
        "cmd: 'hey -z 1m http://a/', slo: 'p99<1s'",
        "202 at once; nobody looks at what comes of the load -> 202 at first, then a verdict: 200, 412, or 425 where there is too little evidence",
    ),
    ("rollout", "/", "cmd: ''", "202: an empty line succeeds -> 400: the command is empty"),
    ("rollout", "/", "", "same"),
    ("pre-rollout", "/", "type: cmd, cmd: 'curl http://a/'", "same"),
    ("pre-rollout", "/", "type: bash", "200: an empty line succeeds -> 400: there is no cmd"),
    (
        "pre-rollout",
        "/",
        "type: bash, cmd: 'curl -s http://a/ | grep b'",
        "200 whatever the status of the answer: curl is asked without -f -> 412 where the status is 400 or above",
    ),
    ("pre-rollout", "/", "type: bash, cmd: 'curl -sf http://a/'", "tells more"),
    ("pre-rollout", "/", "type: bash, cmd: 'curl -s --fail http://a/'", "tells more"),
    (
        "pre-rollout",
        "/",
        "type: bash, cmd: 'bats a.bats'",
        "runs the line in a shell -> 400: 'bats' is a program that is not built in; hey, ghz, curl, grep and grpc_health_probe are",
    ),
    ("pre-rollout", "/", "type: helmv3, cmd: 'test a'", "runs helm -> 400: helm is not built in"),
    ("pre-rollout", "/", "type: concord, org: a", "starts the process in Concord -> 400: concord has to be allowed"),
    (
        "rollout",
        "/",
        "type: shell, cmd: ls",
        "the connection is closed without an answer -> 400: unknown task type shell",
    ),
    ("rollout", "/x", "cmd: ls", "any path but those of gates is a task, as on / -> 404: there is no path /x"),
    ("confirm-promotion", "/gate/check", "", "same"),
    ("confirm-promotion", "/gate/halt", "", "same"),
    (
        "rollback",
        "/rollback/check",
        "",
        "200 for every release, from when the gate was opened until it is closed -> 200 until the end of the analysis that it gave up: the gate closes by itself",
    ),
    ("rollout", "/rollout", "cmd: 'hey http://a/'", "elsewhere"),
    ("pre-rollout", "/launch-test", "script: x", "elsewhere"),
];

#[test]
fn hooks_whose_answer_changes_are_told_with_both_answers() {
    for (kind, path, metadata, expected) in CHANGES {
        assert_eq!(becomes(kind, path, metadata, &Settings::default()), expected, "{kind} {path} {metadata}");
    }
}

#[test]
fn what_the_service_may_run_keeps_its_answer() {
    let exec = Settings { exec: vec!["bash".to_owned(), "helm".to_owned(), "cmd".to_owned()], ..Settings::default() };
    for (metadata, expected) in [
        ("type: bash, cmd: 'bats a.bats'", "tells more"),
        ("type: helm, cmd: 'test a'", "tells more"),
        (
            "type: helm, cmd: \"test 'a b'\"",
            "the line is split at every blank, quotes or not -> what is quoted is held together",
        ),
        ("cmd: 'wrk http://a/'", "same"),
        ("type: kubectl, cmd: get pods", "runs kubectl -> 400: kubectl is not built in"),
    ] {
        assert_eq!(becomes("pre-rollout", "/", metadata, &exec), expected, "{metadata}");
    }
}
