//! The service's OpenAPI document, and whether an answer is one that it describes.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::service::Answer;

/// The document as it is served.
pub(crate) const TEXT: &str = include_str!("../../docs/openapi.json");

/// The same, read.
pub(crate) static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(TEXT).unwrap());

/// What holds a value against each of its schemas.
static SCHEMAS: LazyLock<BTreeMap<String, jsonschema::Validator>> = LazyLock::new(|| {
    let names = DOCUMENT["components"]["schemas"].as_object().unwrap().keys();
    let validator = |name: &String| {
        let schema = json!({"$ref": format!("#/components/schemas/{name}"), "components": DOCUMENT["components"]});
        jsonschema::validator_for(&schema).unwrap()
    };
    names.map(|name| (name.clone(), validator(name))).collect()
});

/// The operation that the document has for a request; `None` for a path that it does not know.
fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let path = path.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').collect();
    let fits = |template: &str| {
        let template: Vec<&str> = template.split('/').collect();
        let alike = |(wanted, given): (&&str, &&str)| wanted == given || wanted.starts_with('{') && !given.is_empty();
        template.len() == parts.len() && template.iter().zip(&parts).all(alike)
    };
    let (_, found) = DOCUMENT["paths"].as_object().unwrap().iter().find(|(template, _)| fits(template))?;
    // Hooks take any method, and the others refuse those they do not know alike.
    ["get", "post", "put", "delete"]
        .iter()
        .filter(|known| method.eq_ignore_ascii_case(known))
        .chain(["post", "get"].iter())
        .find_map(|method| found.get(method))
}

/// Fails where the document knows the path and not such an answer.
pub(crate) fn hold(method: &str, path: &str, answer: &Answer) {
    let Some(operation) = operation(method, path) else { return };
    let who = format!("{method} {path}: {answer:?}");
    let mut response = &operation["responses"][answer.status.to_string()];
    if let Some(name) = response["$ref"].as_str() {
        response = DOCUMENT.pointer(name.trim_start_matches('#')).unwrap();
    }
    assert!(response.is_object(), "docs/openapi.json has no such status: {who}");
    let header = answer.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let Some((_, kind)) = header else {
        assert_eq!(answer.body, "", "a body of no type: {who}");
        return;
    };
    let kind = kind.split(';').next().unwrap_or_default();
    let schema = &response["content"][kind]["schema"];
    assert!(schema.is_object(), "docs/openapi.json has no such content: {who}");
    if let Some(name) = schema["$ref"].as_str() {
        let schema = &SCHEMAS[name.rsplit('/').next().unwrap()];
        let errors: Vec<String> = schema.iter_errors(&answer.json()).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}: {who}");
    }
}
