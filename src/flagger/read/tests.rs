use std::time::Duration;

use super::super::canary::{Pattern, Strategy};
use super::super::hook::{Hook, HookKind};
use super::*;

/// A Canary with this analysis, its lines from the tenth on.
fn with_analysis(analysis: &str) -> String {
    let head = "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {name: podinfo, namespace: test}\nspec:\n  \
                targetRef: {apiVersion: apps/v1, kind: Deployment, name: podinfo}\n  service:\n    port: 9898\n    \
                targetPort: http\n  analysis:\n";
    let lines = analysis.lines().map(|line| format!("    {line}\n"));
    head.to_owned() + &lines.collect::<String>()
}

fn only(text: &str) -> Canary {
    let mut reading = read(text);
    assert_eq!(reading.mistakes, [], "{text}");
    assert_eq!(reading.canaries.len(), 1, "{text}");
    reading.canaries.remove(0)
}

fn mistakes(text: &str) -> Vec<String> {
    read(text).mistakes.iter().map(ToString::to_string).collect()
}

#[test]
fn a_canary_is_read_with_what_flagger_takes_where_nothing_is_said() {
    let canary = only(&with_analysis("interval: 1m\nthreshold: 5\nstepWeight: 10"));
    assert_eq!((canary.name.as_str(), canary.namespace.as_str()), ("podinfo", "test"));
    assert_eq!((canary.target.kind.as_str(), canary.target.name.as_str()), ("Deployment", "podinfo"));
    assert_eq!(
        (canary.service.canary(), canary.service.primary()),
        ("podinfo-canary".into(), "podinfo-primary".into())
    );
    assert_eq!((canary.service.port, canary.service.target_port.as_deref()), (9898, Some("http")));
    assert_eq!((canary.provider.clone(), canary.suspend, canary.skip_analysis), (None, false, false));
    assert_eq!(canary.progress_deadline_seconds, 600);
    let analysis = &canary.analysis;
    assert_eq!((analysis.interval, analysis.threshold), (Duration::from_secs(60), 5));
    assert_eq!((analysis.max_weight, analysis.step_weight, analysis.iterations), (100, 10, 0));
    assert_eq!((analysis.primary_ready_threshold, analysis.canary_ready_threshold), (100, 100));
    assert_eq!(canary.strategy(), Strategy::Weighted);
    assert_eq!(analysis.places.key("threshold").to_string(), "11:5");
}

#[test]
fn values_have_flaggers_limits_and_keep_what_was_written() {
    for (written, interval, threshold, why) in [
        ("interval: 5s\nthreshold: 0", 10, 1, "ten seconds and one failed check at least"),
        ("interval: -5s\nthreshold: -1", 10, 1, "below zero"),
        ("interval: soon\nthreshold: 2", 60, 2, "an interval that is none"),
        ("threshold: 2", 60, 2, "no interval"),
        ("interval: 1h\nthreshold: 2", 3600, 2, "a long one"),
    ] {
        let analysis = only(&with_analysis(&format!("{written}\nstepWeight: 10"))).analysis;
        assert_eq!((analysis.interval.as_secs(), analysis.threshold), (interval, threshold), "{why}");
        let raw = written.strip_prefix("interval: ").and_then(|rest| rest.lines().next());
        assert_eq!(analysis.places.text("interval"), raw, "{why}");
    }
}

#[test]
fn the_strategy_is_flaggers() {
    let matches = "match: [{headers: {X-Canary: {exact: insider}, cookie: {regex: 'a=b'}}, uri: {prefix: /}}]";
    for (analysis, provider, strategy, iterations) in [
        ("stepWeight: 5".to_owned(), "", Strategy::Weighted, 0),
        (format!("stepWeight: 5\n{matches}"), "", Strategy::Weighted, 0),
        ("iterations: 3".to_owned(), "", Strategy::BlueGreen, 3),
        (format!("iterations: 3\n{matches}"), "istio", Strategy::AbTest, 3),
        (format!("iterations: 3\n{matches}"), "kubernetes", Strategy::BlueGreen, 3),
        ("stepWeight: 5".to_owned(), "kubernetes", Strategy::BlueGreen, 10),
    ] {
        let text = with_analysis(&format!("interval: 1m\nthreshold: 2\n{analysis}"))
            + &format!("  provider: \"{provider}\"\n");
        let canary = only(&text);
        assert_eq!((canary.strategy(), canary.iterations()), (strategy, iterations), "{analysis} {provider}");
    }
    let canary = only(&with_analysis(&format!("interval: 1m\nthreshold: 2\niterations: 3\n{matches}")));
    let found = &canary.analysis.matches[0];
    assert_eq!(found.headers["x-canary"], Pattern::Exact("insider".into()));
    assert_eq!(found.headers["cookie"], Pattern::Regex("a=b".into()));
    assert_eq!(found.others, ["uri"]);
}

#[test]
fn hooks_are_read_with_their_places_down_to_the_character() {
    let canary = only(&with_analysis(
        "interval: 1m\nthreshold: 2\nstepWeight: 10\nwebhooks:\n- name: load\n  url: http://tollgate.test/rollout\n  \
         timeout: 15s\n  retries: 2\n  muteAlert: true\n  disableTLS: true\n  metadata:\n    cmd: >-\n      hey -z 1m\n      \
         http://podinfo-canary/\n    slo: \"success>=99%, p99<300\"\n- {name: e, type: event, url: 'http://x/'}",
    ));
    let [hook, event] = canary.analysis.webhooks.as_slice() else { panic!("two hooks") };
    assert_eq!((hook.kind, event.kind), (HookKind::Rollout, HookKind::Event));
    assert_eq!((hook.timeout, hook.retries), (Some(Duration::from_secs(15)), 2));
    assert_eq!((hook.mute_alert, hook.disable_tls), (true, true));
    // Three attempts, and pauses of 1 s and 2 s.
    assert_eq!(hook.longest(), Some(Duration::from_secs(48)));
    assert_eq!(hook.metadata["cmd"], "hey -z 1m http://podinfo-canary/");
    let slo = &hook.metadata["slo"];
    let place = |name: &str, index: usize| hook.metadata_places.inside(name, index).to_string();
    assert_eq!(place("cmd", "hey -z 1m ".len()), "23:11");
    assert_eq!(place("slo", slo.find("300").unwrap()), "24:33");
    assert_eq!((hook.places.at.to_string(), hook.places.key("retries").to_string()), ("14:7".into(), "17:7".into()));
    assert_eq!(
        (event.timeout, event.metadata.len(), event.longest()),
        (Some(Duration::from_secs(10)), 0, Some(Duration::from_secs(10)))
    );
    assert_eq!(canary.hooks(HookKind::Event).count(), 1);
}

#[test]
fn timeouts_are_taken_as_flagger_takes_them() {
    let seconds = |kind, text| Hook::timeout(kind, text).map(|time| time.as_secs_f64());
    for (text, rollout, event, why) in [
        ("", Some(10.0), Some(10.0), "nothing"),
        ("5", Some(10.0), None, "too short to be a time, except for events"),
        ("90s", Some(90.0), Some(90.0), "a time"),
        ("1m30s", Some(90.0), Some(90.0), "a time of two parts"),
        ("500ms", Some(0.5), Some(0.5), "less than a second"),
        ("10sec", None, None, "no unit of Go"),
    ] {
        assert_eq!(
            (seconds(HookKind::Rollout, text), seconds(HookKind::Event, text)),
            (rollout, event),
            "{text}: {why}"
        );
    }
}

#[test]
fn lists_and_streams_are_read_and_other_objects_passed_over() {
    let canary = with_analysis("interval: 1m\nthreshold: 2\nstepWeight: 10");
    let stream = format!("# chart\n---\napiVersion: v1\nkind: Service\n---\n{canary}---\n---\n{canary}");
    let reading = read(&stream);
    assert_eq!((reading.canaries.len(), reading.others, reading.mistakes), (2, vec!["Service".to_owned()], vec![]));
    assert_eq!(reading.canaries[1].at.line, 20);

    let item: String = canary.lines().map(|line| format!("  {line}\n")).collect();
    let list =
        format!("apiVersion: v1\nkind: List\nmetadata: {{resourceVersion: \"\"}}\nitems:\n- {}", item.trim_start());
    assert_eq!(read(&list).canaries[0].places.value("service").to_string(), "11:7");
    let others =
        read("apiVersion: v1\nkind: List\nitems: [{kind: Pod}]\n---\nkind: Canary\napiVersion: synthetics.aws/v1\n");
    assert_eq!((others.canaries.len(), others.others.len(), others.mistakes.len()), (0, 2, 0));
}

#[test]
fn anchors_and_merge_keys_are_what_they_stand_for() {
    let canary = only(&with_analysis(
        "interval: 1m\nthreshold: 2\nstepWeight: 10\nwebhooks:\n- &first\n  name: a\n  url: http://x/\n  timeout: 30s\n  \
         metadata: &m {cmd: hey http://a-canary/}\n- <<: *first\n  name: b\n  timeout: 15s\n  metadata: *m",
    ));
    let hooks = &canary.analysis.webhooks;
    assert_eq!(
        (hooks[1].name.as_str(), hooks[1].url.as_str(), hooks[1].timeout),
        ("b", "http://x/", Some(Duration::from_secs(15)))
    );
    assert_eq!(hooks[1].metadata, hooks[0].metadata);
}

#[test]
fn without_an_analysis_there_is_none() {
    let text = with_analysis("");
    let canary = only(text.trim_end().trim_end_matches("analysis:"));
    assert!(canary.skip_analysis);
    assert_eq!(canary.analysis, crate::flagger::Analysis::default());
}

/// Text, what is said of it, and why.
const WRONG: &[(&str, &[&str])] = &[
    ("", &["1:1: there is nothing in it; expected an object with apiVersion: flagger.app/v1beta1 and kind: Canary"]),
    (
        "hello",
        &[
            "1:1: this is a text, no object of a cluster; expected an object with apiVersion: flagger.app/v1beta1 and kind: Canary",
        ],
    ),
    (
        "replicas: 1\n",
        &["1:1: this mapping has no kind; expected an object with apiVersion: flagger.app/v1beta1 and kind: Canary"],
    ),
    ("steps: []\n", &["1:1: this looks like a smoke test, and is no Canary; tollgate smoke --dry-run looks at it"]),
    (
        "kind: Canary\n",
        &["1:7: apiVersion is missing: this Canary may be anybody's; add apiVersion: flagger.app/v1beta1"],
    ),
    (
        "kind: Canary\napiVersion: flagger.app/v1beta1\nmetadata: {name: a}\n",
        &["1:1: spec is missing; add what is released, and how"],
    ),
    (
        "kind: Canary\napiVersion: flagger.app/v1alpha3\nmetadata: {}\nspec: []\n",
        &[
            "2:13: apiVersion: flagger.app/v1alpha3 is served no longer; write flagger.app/v1beta1",
            "3:11: metadata.name is missing; give the Canary a name",
            "4:7: spec: got a list, expected a mapping",
        ],
    ),
    (
        "kind: Canary\napiVersion: flagger.app/v1beta1\nmetadata: {name: 5}\nspec: {target: a, suspend: 1}\n",
        &[
            "3:18: metadata.name: got '5', a number, expected a text; put it in quotes",
            "4:7: spec.targetRef is missing; name the Deployment that is released: apiVersion, kind, name",
            "4:7: spec.service is missing; add the port that users reach: service: {port: 80}",
            "4:8: spec.target is no key that Flagger knows; take it out: the cluster drops what it does not know",
            "4:28: spec.suspend: got '1', a number, expected true or false",
        ],
    ),
    ("a: [1\nb: 2\n", &["2:2: this is no YAML: illegal placement of ':' indicator; nothing after this place was read"]),
    (
        "kind: Canary\n{{- if .Values.canary }}\nspec:\n  a: b\n{{- end }}\n",
        &[
            "2:1: this is a chart's template, no YAML yet; render the chart first: helm template RELEASE CHART | tollgate lint -",
        ],
    ),
];

#[test]
fn what_is_no_canary_is_told_with_its_place_and_what_to_do() {
    for (text, expected) in WRONG {
        assert_eq!(mistakes(text), *expected, "{text}");
    }
}

/// An analysis and what is said of it. Its first line is line 10 of the file.
const WRONG_ANALYSES: &[(&str, &[&str])] = &[
    (
        "interval: 60\nthreshold: two\nstepweight: 5\nmetrics: {}\nstepWeights: [1, x]",
        &[
            "10:15: spec.analysis.interval: got '60', a number, expected a text; put it in quotes",
            "11:16: spec.analysis.threshold: got 'two', a text, expected a whole number",
            "12:5: spec.analysis.stepweight is no key that Flagger knows; did you mean stepWeight? The cluster drops what it does not know",
            "13:14: spec.analysis.metrics: got a mapping, expected a list",
            "14:18: spec.analysis.stepWeights: expected whole numbers",
        ],
    ),
    (
        "interval: 1m\nthreshold: 2\nthreshold: 3\nstepWeight: 5",
        &[
            "12:5: spec.analysis.threshold stands twice; the first is on line 11; take one of them out: the last one counts",
        ],
    ),
    (
        "webhooks:\n- type: pre-rolout\n  timeout: 1h\n  cmd: hey http://a/\n  slo: p99<1s\n  timeOut: 5s\n- name: 5\n  url:",
        &[
            "11:7: spec.analysis.webhooks[0].name is missing; name the hook: events call it so",
            "11:7: spec.analysis.webhooks[0].url is missing; say where it is asked: http://tollgate.NAMESPACE/rollout",
            "11:13: spec.analysis.webhooks[0].type: got 'pre-rolout', which is no type of hook; did you mean pre-rollout?",
            "12:16: spec.analysis.webhooks[0].timeout: got '1h', expected whole seconds, minutes or both; write 30s, 2m or 1m30s",
            "13:7: spec.analysis.webhooks[0].cmd stands beside metadata, where the cluster drops it; put cmd under metadata",
            "14:7: spec.analysis.webhooks[0].slo stands beside metadata, where the cluster drops it; put slo under metadata",
            "15:7: spec.analysis.webhooks[0].timeOut is no key that Flagger knows; did you mean timeout? The cluster drops what it does not know",
            "16:7: spec.analysis.webhooks[1].url is missing; say where it is asked: http://tollgate.NAMESPACE/rollout",
            "16:13: spec.analysis.webhooks[1].name: got '5', a number, expected a text; put it in quotes",
        ],
    ),
    (
        "webhooks:\n- name: a\n  url: http://a/\n  metadata:\n    clone: 100\n    on: yes\n    list: [a]\n    none:",
        &[
            "14:16: spec.analysis.webhooks[0].metadata.clone: 100 is a number, and metadata values are texts; put it in quotes: \"100\"",
            "15:13: spec.analysis.webhooks[0].metadata.on: yes is true or false, and metadata values are texts; put it in quotes: \"yes\"",
            "16:15: spec.analysis.webhooks[0].metadata.list: this is a list, and metadata values are texts; write it as one text",
            "17:13: spec.analysis.webhooks[0].metadata.none: this is nothing, and metadata values are texts; put it in quotes: \"\"",
        ],
    ),
    (
        "webhooks:\n- name: a\n  url: 'http://{{ .Values.host }}/'\n  metadata: {cmd: 'hey http://x/{{pick:a,b}}'}",
        &[
            "12:20: 'http://{{ .Values.host }}/' is a chart's template that is not filled in; render the chart first: helm template RELEASE CHART | tollgate lint -",
        ],
    ),
    ("{}", &["10:5: spec.analysis: it is empty; add interval, threshold and stepWeight, stepWeights or iterations"]),
];

#[test]
fn every_mistake_in_an_analysis_is_told_at_once() {
    for (analysis, expected) in WRONG_ANALYSES {
        assert_eq!(mistakes(&with_analysis(analysis)), *expected, "{analysis}");
    }
}

#[test]
fn every_hook_of_flaggers_documents_is_read_or_refused_with_the_reason() {
    let lines = include_str!("../../../tests/data/flagger-hooks.jsonl").lines();
    let mut refused = Vec::new();
    for line in lines {
        let hook: serde_json::Value = serde_json::from_str(line).unwrap();
        let mut named = hook.clone();
        named["name"] = "x".into();
        let text = with_analysis(&format!("interval: 1m\nthreshold: 2\nstepWeight: 10\nwebhooks: [{named}]"));
        let reading = read(&text);
        if !reading.mistakes.is_empty() {
            refused.extend(reading.mistakes.into_iter().map(|mistake| mistake.kind));
            continue;
        }
        let read = &reading.canaries[0].analysis.webhooks[0];
        assert_eq!(read.url, hook["url"].as_str().unwrap(), "{line}");
        assert_eq!(read.kind.name(), hook["type"].as_str().unwrap_or("rollout"), "{line}");
        let metadata = hook["metadata"].as_object();
        assert_eq!(read.metadata.len(), metadata.map_or(0, serde_json::Map::len), "{line}");
        assert!(read.metadata.iter().all(|(key, value)| hook["metadata"][key].as_str() == Some(value)), "{line}");
    }
    // One number without quotes; charts' templates in four hooks, two of them in two values.
    let count = |kind| refused.iter().filter(|found| **found == kind).count();
    assert_eq!((count(MistakeKind::Metadata), count(MistakeKind::Template), refused.len()), (1, 6, 7));
}
