//! YAML values as JSON, with texts in which values are put in.

use serde_json::{Map, Number, Value};

use super::fields::{Fields, Notes, is_on, joined};
use super::mistake::shown;
use super::names::Names;
use super::text::{Text, Use, Values};
use crate::yaml::{self, Kind, Node};

/// A JSON value whose texts are not filled in yet.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    /// A text.
    Text(Text),
    /// A number, a switch, or null.
    Fixed(Value),
    /// Values in a row.
    List(Vec<Self>),
    /// Values by name.
    Map(Vec<(String, Self)>),
}

impl Json {
    /// Reads a value. What JSON does not have is noted, and null.
    pub(super) fn read(node: &Node, path: &str, used: Use, names: &Names<'_>, notes: &mut Notes<'_>) -> Self {
        match &node.value {
            yaml::Value::Scalar(scalar) => match scalar.kind {
                Kind::Text => Self::Text(Text::read(node, &scalar.text, path, used, names, notes)),
                Kind::Switch => Self::Fixed(Value::Bool(is_on(&scalar.text))),
                Kind::Nothing => Self::Fixed(Value::Null),
                Kind::Whole | Kind::Number => Self::Fixed(number(node, &scalar.text, path, notes)),
            },
            yaml::Value::List(items) => {
                let item = |(at, item)| Self::read(item, &format!("{path}[{at}]"), used, names, notes);
                Self::List(items.iter().enumerate().map(item).collect())
            }
            yaml::Value::Map(_) => {
                let Some(fields) = Fields::open_any(node, path, notes) else { return Self::Fixed(Value::Null) };
                let entries = fields.iter().map(|entry| {
                    let value = Self::read(&entry.node, &joined(path, &entry.key), used, names, notes);
                    (entry.key.clone(), value)
                });
                Self::Map(entries.collect())
            }
        }
    }

    /// The value with its texts as they are to be.
    pub(super) fn made(&self, text: &impl Fn(&Text) -> String) -> Value {
        match self {
            Self::Text(inner) => Value::String(text(inner)),
            Self::Fixed(value) => value.clone(),
            Self::List(items) => Value::Array(items.iter().map(|item| item.made(text)).collect()),
            Self::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| (key.clone(), value.made(text)));
                Value::Object(entries.collect::<Map<_, _>>())
            }
        }
    }

    /// All texts in it.
    pub(super) fn texts(&self) -> Vec<&Text> {
        match self {
            Self::Text(text) => vec![text],
            Self::Fixed(_) => Vec::new(),
            Self::List(items) => items.iter().flat_map(Self::texts).collect(),
            Self::Map(entries) => entries.iter().flat_map(|(_, value)| value.texts()).collect(),
        }
    }

    /// Whether it is what `found` is. Numbers are compared as numbers, and a text in which a value was put in with the
    /// text that was found, whatever type it has there.
    pub(super) fn is(&self, found: &Value, values: &Values) -> bool {
        match (self, found) {
            (Self::Text(text), found) if text.names().next().is_some() => text.filled(values) == as_text(found),
            (Self::Text(text), Value::String(found)) => text.filled(values) == *found,
            (Self::Fixed(Value::Number(number)), Value::Number(found)) => {
                number == found || number.as_f64().is_some_and(|number| Some(number) == found.as_f64())
            }
            (Self::Fixed(value), found) => value == found,
            (Self::List(items), Value::Array(found)) => {
                items.len() == found.len() && items.iter().zip(found).all(|(item, found)| item.is(found, values))
            }
            (Self::Map(entries), Value::Object(found)) => {
                let same = |(key, value): &(String, Self)| found.get(key).is_some_and(|found| value.is(found, values));
                entries.len() == found.len() && entries.iter().all(same)
            }
            _ => false,
        }
    }
}

/// A found value as text: a text as it is, anything else as JSON.
pub(super) fn as_text(found: &Value) -> String {
    found.as_str().map_or_else(|| found.to_string(), str::to_owned)
}

fn number(node: &Node, text: &str, path: &str, notes: &mut Notes<'_>) -> Value {
    match text.parse::<Number>() {
        Ok(number) => Value::Number(number),
        Err(_) => {
            let advice = format!("write '{}' in quotes, or as JSON has numbers", shown(text));
            notes.wrong(node, path, "a number that JSON has", Some(advice));
            Value::Null
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::yaml::Stream;

    fn read(text: &str) -> (Json, Vec<String>) {
        // A document that is null would be none.
        let text = format!("- {}", text.replace('\n', "\n  "));
        let stream = Stream::read(&text);
        let mut notes = Notes { stream: &stream, mistakes: Vec::new() };
        let known = Values::from([("id".to_owned(), "7".to_owned())]);
        let names = Names { known: &known, captured: &BTreeMap::new(), step: None, env: &|_| None };
        let json = Json::read(&stream.documents[0].list().unwrap()[0], "json", Use::Plain, &names, &mut notes);
        (json, notes.mistakes.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn yaml_becomes_the_json_that_it_means() {
        let (json, mistakes) = read("a: [1, 2.5, 'x', true, null]\nb: {c: '{{id}}', d: -3e2}\n");
        let values = Values::from([("id".to_owned(), "7".to_owned())]);
        let made = json.made(&|text| text.filled(&values));
        assert_eq!((made, mistakes), (json!({"a": [1, 2.5, "x", true, null], "b": {"c": "7", "d": -300.0}}), vec![]));
    }

    #[test]
    fn numbers_that_json_does_not_have_are_refused_where_they_stand() {
        let (_, mistakes) = read("a: 0x1F\nb: .inf\n");
        assert_eq!(
            mistakes,
            [
                "1:6: json.a: got '0x1F', expected a number that JSON has; write '0x1F' in quotes, or as JSON has numbers",
                "2:6: json.b: got '.inf', expected a number that JSON has; write '.inf' in quotes, or as JSON has numbers",
            ]
        );
    }

    #[test]
    fn values_are_equal_by_what_they_are() {
        let values = Values::from([("id".to_owned(), "7".to_owned())]);
        for (expected, found, equal, why) in [
            ("1", json!(1.0), true, "numbers by value"),
            ("'1'", json!(1), false, "a text is no number"),
            ("'{{id}}'", json!(7), true, "but a value that was put in has no type"),
            ("'{{id}}'", json!("7"), true, "nor here"),
            ("'{{id}}'", json!(8), false, "and still must be the same"),
            ("[a, b]", json!(["a", "b"]), true, "lists item by item"),
            ("[a]", json!(["a", "b"]), false, "of the same length"),
            ("{a: 1}", json!({"a": 1}), true, "mappings key by key"),
            ("{a: 1}", json!({"a": 1, "b": 2}), false, "with no other key"),
            ("true", json!(true), true, "switches"),
            ("null", json!(null), true, "null"),
            ("null", json!(0), false, "which is not zero"),
        ] {
            assert_eq!(read(expected).0.is(&found, &values), equal, "{expected} and {found}: {why}");
        }
    }
}
