//! What Kubernetes says of its objects: the schemas of its API, where `.ci/tools` could get them.

use jsonschema::Validator;
use serde_json::{Value, json};

use super::objects::{Objects, text};
use super::tools::made;

/// The oldest and the newest that are looked at.
const VERSIONS: [&str; 2] = ["v1.25.0", "v1.37.0"];

/// Kinds that are not Kubernetes' own.
const FOREIGN: [&str; 5] =
    ["monitoring.coreos.com", "networking.istio.io", "appmesh.k8s.aws", "flagger.app", "argoproj.io"];

/// Holds objects against them; keys that are not known are mistakes, too.
pub(super) fn check(objects: &Objects) {
    for version in VERSIONS {
        let Ok(text) = std::fs::read_to_string(made("kubernetes").join(format!("{version}.json"))) else {
            eprintln!("skipped: no schemas of Kubernetes {version} (.ci/tools gets them)");
            continue;
        };
        let schemas: Value = serde_json::from_str(&text).unwrap();
        for object in &objects.0 {
            let wrong = mistakes(&schemas, object);
            assert!(wrong.is_empty(), "{version}: {wrong:?}\n{object:#}");
        }
    }
}

fn mistakes(schemas: &Value, object: &Value) -> Vec<String> {
    let api = text(&object["apiVersion"]);
    let (group, version) = api.rsplit_once('/').unwrap_or(("", api));
    if FOREIGN.contains(&group) {
        return Vec::new();
    }
    let kind = json!({"group": group, "kind": object["kind"], "version": version});
    let definitions = schemas["$defs"].as_object().unwrap();
    let is_meant = |schema: &Value| {
        schema["x-kubernetes-group-version-kind"].as_array().is_some_and(|kinds| kinds.contains(&kind))
    };
    let Some((name, _)) = definitions.iter().find(|(_, schema)| is_meant(schema)) else {
        return vec![format!("no such kind: {kind}")];
    };
    let validator = Validator::new(&json!({"$ref": format!("#/$defs/{name}"), "$defs": definitions})).unwrap();
    validator.iter_errors(object).map(|e| format!("{}: {e}", e.instance_path)).collect()
}

#[test]
fn a_key_that_kubernetes_does_not_know_is_a_mistake() {
    let Ok(text) = std::fs::read_to_string(made("kubernetes/v1.37.0.json")) else { return };
    let schemas: Value = serde_json::from_str(&text).unwrap();
    let service = |port: Value| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [port]}});
    assert_eq!(mistakes(&schemas, &service(json!({"port": 80}))), Vec::<String>::new());
    for wrong in [json!({"port": "80"}), json!({"port": 80, "targetport": 1})] {
        assert_eq!(mistakes(&schemas, &service(wrong.clone())).len(), 1, "{wrong}");
    }
    assert_eq!(mistakes(&schemas, &json!({"apiVersion": "v2", "kind": "Service"})).len(), 1);
}
