//! The alerts: held against Prometheus' own reader, and fired by the tests beside them.

use std::process::Command;

use serde_json::Value;

use super::kustomize::rendered;
use super::tools::{output, program, repository};

fn file(name: &str) -> Value {
    let path = repository("deploy/alerts").join(name);
    serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn prometheus_reads_the_rules_and_each_fires_and_rests_as_its_tests_say() {
    let Some(promtool) = program("promtool", "Debian: prometheus") else { return };
    for arguments in [["check", "rules", "tollgate.rules.yaml"], ["test", "rules", "tests.yaml"]] {
        output(Command::new(&promtool).args(arguments).current_dir(repository("deploy/alerts")));
    }
}

#[test]
fn the_operators_rules_are_the_plain_ones_and_every_one_is_tested() {
    let plain = file("tollgate.rules.yaml");
    if let Some(objects) = rendered("alerts") {
        assert_eq!(objects.one("PrometheusRule")["spec"], plain);
    }
    let tests = std::fs::read_to_string(repository("deploy/alerts/tests.yaml")).unwrap();
    let rules = plain["groups"][0]["rules"].as_array().unwrap();
    for rule in rules {
        let name = rule["alert"].as_str().unwrap();
        let heading = format!("alertname: {name}\n");
        let tested = tests.split(&heading).skip(1);
        let fires = tested.filter(|test| test.trim_start().starts_with("exp_alerts:\n")).count();
        assert!(fires > 0, "{name} is fired by no test");
        // `/alertmanager` would take it for an alert about a release, and give that up.
        assert_eq!(rule["labels"]["canary"], Value::Null, "{name}");
    }
    assert_eq!(rules.len(), 11);
}
