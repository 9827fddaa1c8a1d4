//! The form of a file as a JSON schema, for editors: made from the tables that the reader uses.

use serde_json::{Map, Value, json};

use super::keys::{LOAD, Place, REQUEST, Row, Shape, default_names, id_of, name_of, rows, shape_of};
use super::wishes::in_files;
use crate::spec::Id;

/// The schema (JSON Schema 2020-12).
#[must_use]
pub fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A smoke file of tollgate",
        "type": "object",
        "additionalProperties": false,
        "required": ["steps"],
        "properties": properties(Place::File),
        "$defs": {
            "scalar": {"type": ["string", "number", "boolean"]},
            "scalars": {"anyOf": [
                {"$ref": "#/$defs/scalar"},
                {"type": "array", "items": {"$ref": "#/$defs/scalar"}, "minItems": 1},
            ]},
            "step": step(),
            "defaults": object(&defaults(), &[]),
            "retry": {"anyOf": [{"$ref": "#/$defs/scalar"}, object(&properties(Place::Retry), &["for"])]},
            "expect": object(&properties(Place::Expect), &[]),
            "capture": {"anyOf": [
                {"const": "status"},
                {
                    "allOf": [object(&properties(Place::Capture), &[])],
                    "oneOf": [{"required": ["header"]}, {"required": ["body"]}, {"required": ["json"]}],
                },
            ]},
        },
    })
}

fn object(properties: &Map<String, Value>, required: &[&str]) -> Value {
    json!({"type": "object", "additionalProperties": false, "properties": properties, "required": required})
}

fn step() -> Value {
    let mut all = properties(Place::Step);
    all.extend(REQUEST.iter().chain(LOAD).map(|id| of_id(*id)));
    object(&all, &["name", "url"])
}

fn defaults() -> Map<String, Value> {
    let of = |name: &'static str| match id_of(name) {
        Some(id) => of_id(id),
        None => (name.to_owned(), of_row(super::keys::own(Place::Step, name))),
    };
    default_names().into_iter().map(of).collect()
}

fn properties(place: Place) -> Map<String, Value> {
    rows(place).map(|row| (row.name.to_owned(), of_row(row))).collect()
}

fn of_row(row: &Row) -> Value {
    let default = Some(row.default).filter(|default| *default != "–");
    let default = default.map(|default| format!(" Default: {default}.")).unwrap_or_default();
    described(row.shape, &format!("{}.{default}", row.help))
}

fn of_id(id: Id) -> (String, Value) {
    let key = id.key();
    // One that may stand several times in a request is a list here; so are several URLs of a load.
    (name_of(id).to_owned(), described(shape_of(id), &format!("{}.", in_files(key.help))))
}

fn described(shape: Shape, help: &str) -> Value {
    let mut value = match shape {
        Shape::Text => json!({"$ref": "#/$defs/scalar"}),
        Shape::Switch => json!({"type": "boolean"}),
        Shape::Texts => json!({"$ref": "#/$defs/scalars"}),
        Shape::Named => json!({"type": "object", "additionalProperties": {"$ref": "#/$defs/scalar"}}),
        Shape::Vars => {
            json!({"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}})
        }
        Shape::Headers => json!({"anyOf": [
            {"$ref": "#/$defs/scalars"},
            {"type": "object", "additionalProperties": {"$ref": "#/$defs/scalar"}},
        ]}),
        Shape::Any => json!({}),
        Shape::NamedAny => json!({"type": "object"}),
        Shape::Steps => json!({"type": "array", "items": {"$ref": "#/$defs/step"}, "minItems": 1}),
        Shape::Defaults => json!({"$ref": "#/$defs/defaults"}),
        Shape::Retry => json!({"$ref": "#/$defs/retry"}),
        Shape::Expect => json!({"$ref": "#/$defs/expect"}),
        Shape::Captures => json!({"type": "object", "additionalProperties": {"$ref": "#/$defs/capture"}}),
    };
    value["description"] = help.into();
    value
}

#[cfg(test)]
mod tests;
