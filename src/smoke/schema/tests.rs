use super::super::keys::{ROWS, names};
use super::*;
use crate::yaml::{Kind, Node, Stream, Value as Yaml};

const DOCS: &str = include_str!("../../../docs/smoke.md");

/// YAML as JSON, for the checker of schemas.
fn json(node: &Node) -> Value {
    match &node.value {
        Yaml::Scalar(scalar) => match scalar.kind {
            Kind::Text => scalar.text.clone().into(),
            Kind::Switch => (scalar.text == "true").into(),
            Kind::Nothing => Value::Null,
            Kind::Whole | Kind::Number => serde_json::from_str(&scalar.text).unwrap(),
        },
        Yaml::List(items) => items.iter().map(json).collect(),
        Yaml::Map(entries) => {
            Value::Object(entries.iter().map(|entry| (entry.key.clone(), json(&entry.node))).collect())
        }
    }
}

fn is_valid(text: &str) -> bool {
    let stream = Stream::read(text);
    assert_eq!(stream.error, None, "{text}");
    jsonschema::draft202012::new(&schema()).unwrap().is_valid(&json(&stream.documents[0]))
}

#[test]
fn the_published_schema_is_this_one() {
    let published = include_str!("../../../docs/smoke.schema.json");
    assert_eq!(
        published,
        format!("{:#}\n", schema()),
        "write it with: tollgate smoke --schema > docs/smoke.schema.json"
    );
}

#[test]
fn the_documentation_has_the_row_of_every_key() {
    let rows = ROWS.iter().map(|row| format!("| `{}` | {} | {} | {} |", row.name, row.help, row.allowed, row.default));
    let missing: Vec<String> = rows.filter(|row| !DOCS.contains(row)).collect();
    assert!(missing.is_empty(), "docs/smoke.md lacks these rows:\n{}", missing.join("\n"));
    for name in names(Place::Step) {
        assert!(DOCS.contains(&format!("`{name}`")), "docs/smoke.md does not name {name}");
    }
}

#[test]
fn the_files_of_the_documentation_are_of_the_schema_and_can_be_read() {
    let blocks: Vec<&str> = DOCS.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let suites: Vec<&&str> = blocks.iter().filter(|block| block.starts_with("name: podinfo")).collect();
    assert_eq!(suites.len(), 1);
    for suite in suites {
        assert!(is_valid(suite), "{suite}");
        let vars = super::super::Values::new();
        let around = super::super::Around {
            name: "docs",
            base: None,
            vars: &vars,
            env: &|_| None,
            read: &|_| Err(std::io::Error::other("no file")),
            seed: 1,
        };
        let read = super::super::read(suite, &around).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
        assert_eq!(read.steps.len(), 4);
    }
}

#[test]
fn the_schema_allows_what_the_reader_takes_and_refuses_what_it_does_not() {
    let step = |keys: &str| format!("steps: [{{name: a, url: 'http://h/', {keys}}}]");
    for (keys, valid, why) in [
        ("", true, "a request"),
        ("timeout: 5, insecure: true, headers: {a: 1}", true, "keys of run"),
        ("headers: ['a: b']", true, "headers in lines"),
        ("json: {a: [1, null]}", true, "any JSON"),
        ("retry: 30s", true, "a time"),
        ("retry: {for: 30s, every: 1s}", true, "or two"),
        ("retry: {every: 1s}", false, "but not without the first"),
        ("expect: {status: [200, 2xx], json: {$.a: 1}, time: 1s}", true, "expectations"),
        ("expect: {staus: 200}", false, "and no others"),
        ("capture: {a: status, b: {header: x, match: y}}", true, "values"),
        ("capture: {a: {header: x, json: $.y}}", false, "from one place"),
        ("slo: 'p99<1s', rate: 5/s", true, "a load"),
        ("always: maybe", false, "no switch"),
        ("metod: GET", false, "no such key"),
    ] {
        assert_eq!(is_valid(&step(keys)), valid, "{keys}: {why}");
    }
    assert!(!is_valid("steps: [{name: a}]"), "a step without a URL");
    assert!(!is_valid("name: a"), "no steps");
}
