//! What changes for those who have the loadtester's manifests: the differences are computed, and the table of the
//! documentation is held to them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::chart::Helm;
use super::kustomize::rendered;
use super::objects::Objects;
use super::tools::repository;

/// How the loadtester's manifests ask whether it lives.
fn probe() -> Value {
    let command = "wget --quiet --tries=1 --timeout=4 --spider http://localhost:8080/healthz";
    json!({"exec": {"command": command.split(' ').collect::<Vec<_>>()}, "timeoutSeconds": 5})
}

/// The pod's only container, with what both of the loadtester's manifests have.
fn container(image: &str, flags: &[&str], more: &Value) -> Value {
    let command: Vec<&str> = ["./loadtester", "-port=8080", "-log-level=info", "-timeout=1h"]
        .into_iter()
        .chain(flags.iter().copied())
        .collect();
    let mut container = json!({"name": "loadtester", "image": image, "imagePullPolicy": "IfNotPresent", "command": command,
        "ports": [{"name": "http", "containerPort": 8080}], "livenessProbe": probe(), "readinessProbe": probe()});
    container.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    container
}

fn service(name: &str, selected: &Value, labels: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "labels": labels}, "spec": {"type": "ClusterIP",
        "selector": selected, "ports": [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": "http"}]}})
}

/// What `kustomize/tester` of Flagger 1.44 renders.
fn tester() -> Vec<Value> {
    let app = json!({"app": "flagger-loadtester"});
    let more = json!({"resources": {"limits": {"cpu": "1000m", "memory": "512Mi"}, "requests": {"cpu": "10m", "memory": "32Mi"}},
        "securityContext": {"readOnlyRootFilesystem": true, "runAsUser": 10001}});
    let annotations = json!({"prometheus.io/scrape": "true", "prometheus.io/port": "8080",
        "openservicemesh.io/inbound-port-exclusion-list": "80, 8080"});
    let pod = json!({"metadata": {"labels": app, "annotations": annotations},
        "spec": {"containers": [container("ghcr.io/fluxcd/flagger-loadtester:0.38.0", &[], &more)]}});
    let mut service = service("flagger-loadtester", &app, &app);
    service["metadata"]["namespace"] = json!("test");
    let metadata = json!({"name": "flagger-loadtester", "namespace": "test", "labels": app});
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata,
        "spec": {"selector": {"matchLabels": app}, "template": pod}});
    vec![service, deployment]
}

/// What the loadtester's chart 0.38.0 renders for a release `flagger-loadtester`, without values.
fn chart() -> Vec<Value> {
    let labels = json!({"app.kubernetes.io/name": "loadtester", "app.kubernetes.io/instance": "flagger-loadtester",
        "app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": "loadtester-0.38.0"});
    let app = json!({"app": "loadtester"});
    let more = json!({"resources": {"requests": {"cpu": "10m", "memory": "64Mi"}}});
    let annotations = json!({"prometheus.io/scrape": "true", "prometheus.io/port": "8080", "appmesh.k8s.aws/ports": "444",
        "openservicemesh.io/inbound-port-exclusion-list": "80, 8080"});
    let pod = json!({"metadata": {"labels": {"app": "loadtester", "app.kubernetes.io/name": "loadtester"}, "annotations": annotations},
        "spec": {"containers": [container("ghcr.io/fluxcd/flagger-loadtester:0.38.0", &["-namespace-regexp="], &more)]}});
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "flagger-loadtester", "labels": labels},
        "spec": {"replicas": 1, "selector": {"matchLabels": app}, "template": pod}});
    vec![service("flagger-loadtester", &app, &labels), deployment]
}

/// Every value that is no map, by its place. Lists of texts are one value; containers, volumes and the like go by name.
fn leaves(value: &Value, place: &str, found: &mut BTreeMap<String, String>) {
    let below = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
    match value {
        Value::Object(map) if !map.is_empty() => {
            map.iter().for_each(|(name, value)| leaves(value, &below(name), found))
        }
        Value::Array(list) if list.iter().all(Value::is_object) => {
            for value in list {
                let mut value = value.clone();
                let name = value.as_object_mut().and_then(|map| map.remove("name"));
                let name = name.as_ref().map(shown).unwrap_or_default();
                leaves(&value, &format!("{place}[{name}]"), found);
            }
        }
        Value::Array(list) => {
            let words: Vec<String> = list.iter().map(shown).collect();
            found.insert(place.to_owned(), words.join(" "));
        }
        value => drop(found.insert(place.to_owned(), shown(value))),
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The rows of a table: what differs, theirs, ours.
fn differences(theirs: &[Value], ours: &Objects) -> Vec<String> {
    let mut rows = Vec::new();
    for (theirs, ours) in theirs.iter().zip(&ours.0) {
        let (mut old, mut new) = (BTreeMap::new(), BTreeMap::new());
        leaves(theirs, "", &mut old);
        leaves(ours, "", &mut new);
        assert_eq!(old["kind"], new["kind"]);
        let places: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for place in places.into_iter().filter(|place| old.get(*place) != new.get(*place)) {
            let cell = |found: Option<&String>| found.map_or_else(String::new, |value| format!("`{value}`"));
            let short = place.replace("spec.template.spec.containers[loadtester].", "container ");
            let short = short.replace("spec.template.spec.", "pod ").replace("spec.template.", "pod ");
            rows.push(format!("| {} `{short}` | {} | {} |", new["kind"], cell(old.get(place)), cell(new.get(place))));
        }
    }
    rows
}

/// The rows of the table under a heading of the documentation.
fn documented(heading: &str) -> Vec<String> {
    let text = std::fs::read_to_string(repository("docs/migrating.md")).unwrap();
    let section = text.split(&format!("\n#### {heading}\n")).nth(1).unwrap_or_else(|| panic!("no heading {heading}"));
    let rows = section.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    rows.take_while(|line| line.starts_with('|')).map(str::to_owned).collect()
}

#[test]
fn the_documentation_lists_every_difference_from_the_loadtesters_manifests_and_no_other() {
    let mut wrong = Vec::new();
    let mut compare = |heading: &str, rows: Vec<String>| {
        if documented(heading) != rows {
            wrong.push(format!("{heading}, expected:\n{}\n", rows.join("\n")));
        }
    };
    if let Some(objects) = rendered("drop-in") {
        compare("`deploy/drop-in`", differences(&tester(), &objects));
    }
    if let Some(helm) = Helm::new() {
        compare("`deploy/chart`", differences(&chart(), &helm.render("flagger-loadtester", "")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
