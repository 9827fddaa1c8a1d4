//! What people look at: every query of the dashboard, the alerts and Flagger's metric templates, asked of a real
//! Prometheus while hooks are answered and load runs. A panel without a line would be found here.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::monitoring::{Prometheus, until};
use super::practice::{practice, url};
use super::service::{Service, Wanted};
use super::together;

fn deployed(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Each panel's title and query, with Grafana's variables filled in.
fn panels() -> Vec<(String, String)> {
    let dashboard: Value = serde_json::from_str(&deployed("dashboards/tollgate.json")).unwrap();
    let targets = dashboard["panels"].as_array().unwrap().iter().flat_map(|panel| {
        let targets = panel["targets"].as_array().cloned().unwrap_or_default();
        targets.into_iter().map(|target| (panel["title"].as_str().unwrap().to_owned(), target))
    });
    let queries = targets.map(|(title, target)| (title, filled(target["expr"].as_str().unwrap())));
    queries.collect()
}

fn filled(query: &str) -> String {
    let query = query.replace("$__rate_interval", "30s").replace("$namespace", ".*").replace("$name", ".*");
    assert!(!query.contains('$'), "{query}");
    query
}

/// Flagger's templates, with its variables filled in.
fn templates() -> Vec<String> {
    let text = deployed("metrics/templates.yaml");
    let documents: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
    let queries = documents.iter().map(|document| document["spec"]["query"].as_str().unwrap());
    let fill = |query: &str| {
        let query = query.replace("{{ namespace }}", "test").replace("{{ name }}", "podinfo");
        query.replace("{{ interval }}", "30s")
    };
    queries.map(fill).collect()
}

/// The metrics that an expression names.
fn named(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("tollgate_")).map(str::to_owned).collect()
}

#[test]
fn no_panel_is_empty_and_no_rule_asks_for_what_is_not_there() {
    let _load = together();
    let (service, canary) = (Service::start(Wanted::default()), practice("latency 5ms, errors 10%"));
    let rules = deployed("alerts/tollgate.rules.yaml");
    let Some(prometheus) = Prometheus::start(service.addr, &rules, None) else { return };
    until("it scrapes", || prometheus.number("up").filter(|up| *up == 1.0));
    let post = |path: &str, metadata: Value| {
        let hook = json!({"name": "podinfo", "namespace": "test", "phase": "Progressing", "checksum": "7",
            "metadata": metadata});
        service.post(path, &hook.to_string());
    };
    let load = json!({"cmd": format!("hey -z 20s -q 50 -c 2 -host podinfo-canary {}", url(&canary, "/")),
        "slo": "success>=50%, p99<500ms", "wait": "1s", "warmup": "0s"});
    let command = json!({"type": "bash", "cmd": format!("curl -s {} | grep ok", url(&canary, "/"))});
    let everything = || {
        post("/rollout", load.clone());
        post("/gate/open", json!({}));
        post("/", command.clone());
        post("/event", json!({"eventType": "Normal", "eventMessage": "a", "timestamp": "1"}));
    };
    for (title, query) in panels() {
        until(&format!("a line in the panel {title}: {query}"), || {
            let lines = prometheus.query(&query);
            // What only counts needs two points with something between them.
            let drawn = lines.iter().any(|(_, value)| !value.is_nan());
            if !drawn {
                everything();
            }
            drawn.then_some(())
        });
    }
    for query in templates() {
        let value = until(&query, || prometheus.number(&query).filter(|value| value.is_finite()));
        let range = if query.starts_with("1000") { 5.0..500.0 } else { 70.0..100.0 };
        assert!(range.contains(&value), "{value}: {query}");
    }
    let rules: Value = serde_saphyr::from_str(&rules).unwrap();
    for rule in rules["groups"][0]["rules"].as_array().unwrap() {
        for metric in named(rule["expr"].as_str().unwrap()) {
            assert!(!prometheus.query(&metric).is_empty(), "{metric} of {}", rule["alert"]);
        }
    }
    let alerts = r#"ALERTS{alertname=~"TollgateGone|TollgateBroken|TollgateCannotStore",alertstate="firing"}"#;
    assert_eq!(prometheus.query(alerts), [], "nothing is wrong");
}
