//! One method, and its messages from JSON.

use std::fmt;

use prost::Message as _;
use prost_reflect::{DynamicMessage, Kind, MessageDescriptor, MethodDescriptor, SerializeOptions};
use serde::Deserializer;
use serde_json::Value;
use serde_path_to_error::{Path, Segment, Track};

use super::frame::{framed, unpacked};

/// Fields that a message lists.
const MOST_LISTED: usize = 20;

/// A method of a service.
#[derive(Clone, Debug)]
pub struct Method(MethodDescriptor);

/// Why a text is no message: where in it, and what is wrong there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The path of the member, such as `user.roles[2]`; empty for the whole.
    pub path: String,
    /// What is wrong, and what is expected.
    pub problem: String,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.problem),
            path => write!(f, "at {path}: {}", self.problem),
        }
    }
}

impl std::error::Error for Misfit {}

impl Method {
    pub(super) const fn new(descriptor: MethodDescriptor) -> Self {
        Self(descriptor)
    }

    /// Whether the server may answer with any number of messages.
    #[must_use]
    pub fn answers_many(&self) -> bool {
        self.0.is_server_streaming()
    }

    /// Whether it takes any number of messages.
    #[must_use]
    pub fn takes_many(&self) -> bool {
        self.0.is_client_streaming()
    }

    /// The messages that a JSON text has, each behind its prefix: an object is one, an array of objects is several, and
    /// no text at all is an empty one.
    ///
    /// # Errors
    /// Where the text does not fit the method's message.
    pub fn frames(&self, json: &[u8]) -> Result<Vec<u8>, Misfit> {
        let input = self.0.input();
        let text = json.trim_ascii();
        if text.is_empty() {
            return Ok(framed(&[]));
        }
        if !text.starts_with(b"[") || input.full_name() == "google.protobuf.ListValue" {
            let mut reader = serde_json::Deserializer::from_slice(text);
            let message = read(&input, &mut reader, "")?;
            reader.end().map_err(|error| Misfit { path: String::new(), problem: error.to_string() })?;
            return Ok(framed(&message));
        }
        let items: Vec<Value> =
            serde_json::from_slice(text).map_err(|error| Misfit { path: String::new(), problem: error.to_string() })?;
        if !self.takes_many() {
            let problem = format!("an array is several messages, and {} takes one", self.0.full_name());
            return Err(Misfit { path: String::new(), problem });
        }
        let mut frames = Vec::new();
        for (number, item) in items.into_iter().enumerate() {
            frames.extend(framed(&read(&input, item, &format!("[{number}]"))?));
        }
        Ok(frames)
    }

    /// An answer as JSON: its message, or a list of its messages where the server streams. Fields that have the value which
    /// an empty message has are there too, so that one can ask for them.
    ///
    /// # Errors
    /// Why a message is none of the method's.
    pub fn answer(&self, frames: &[u8]) -> Result<String, String> {
        let output = self.0.output();
        let options = SerializeOptions::new().skip_default_fields(false);
        let said = |why: String| format!("the answer is no {}: {why}", output.full_name());
        let mut all = Vec::new();
        for message in unpacked(frames) {
            let message = message.ok_or_else(|| said("a message is packed, and not with gzip".to_owned()))?;
            let message = DynamicMessage::decode(output.clone(), &message[..]).map_err(|e| said(e.to_string()))?;
            let json = message.serialize_with_options(serde_json::value::Serializer, &options);
            all.push(json.map_err(|error| said(error.to_string()))?);
        }
        Ok(shown(&all, self.answers_many()).to_string())
    }
}

/// The message as JSON, or all of them in a list where there may be several.
fn shown(messages: &[Value], many: bool) -> Value {
    match messages {
        [one] if !many => one.clone(),
        all => Value::Array(all.to_vec()),
    }
}

/// One message of this type, encoded.
fn read<'de, D>(input: &MessageDescriptor, reader: D, before: &str) -> Result<Vec<u8>, Misfit>
where
    D: Deserializer<'de>,
{
    let mut track = Track::new();
    let tracked = serde_path_to_error::Deserializer::new(reader, &mut track);
    let read = DynamicMessage::deserialize(input.clone(), tracked);
    read.map(|message| message.encode_to_vec()).map_err(|error| {
        let path = track.path();
        let shown = path.to_string();
        let joined = match (before, shown.as_str()) {
            (_, ".") => before.to_owned(),
            ("", shown) => shown.to_owned(),
            (before, shown) => format!("{before}.{shown}"),
        };
        Misfit { path: joined, problem: format!("{error}{}", expected(input, &path)) }
    })
}

/// What belongs where a text does not fit: the type of the field, or the fields that there are.
fn expected(input: &MessageDescriptor, path: &Path) -> String {
    let mut message = input.clone();
    let segments = path.iter().filter_map(|segment| match segment {
        Segment::Map { key } => Some(key.as_str()),
        Segment::Seq { .. } | Segment::Enum { .. } | Segment::Unknown => None,
    });
    for name in segments {
        let field = message.get_field_by_json_name(name).or_else(|| message.get_field_by_name(name));
        let Some(field) = field else { break };
        match field.kind() {
            Kind::Message(inner) if !field.is_map() && !inner.full_name().starts_with("google.protobuf.") => {
                message = inner;
            }
            kind => {
                let many = if field.is_map() {
                    "map of "
                } else if field.is_list() {
                    "list of "
                } else {
                    ""
                };
                return format!("; {} is {many}{}", field.full_name(), named(&kind));
            }
        }
    }
    let fields: Vec<String> =
        message.fields().map(|field| format!("{} ({})", field.json_name(), named(&field.kind()))).collect();
    match fields.len() {
        0 => format!("; {} has no fields", message.full_name()),
        n if n > MOST_LISTED => format!("; {} has {} and more", message.full_name(), fields[..MOST_LISTED].join(", ")),
        _ => format!("; {} has {}", message.full_name(), fields.join(", ")),
    }
}

/// A type as `.proto` files have it.
fn named(kind: &Kind) -> String {
    match kind {
        Kind::Message(message) => message.full_name().to_owned(),
        Kind::Enum(one) => {
            let values: Vec<String> = one.values().take(MOST_LISTED).map(|value| value.name().to_owned()).collect();
            format!("one of {}", values.join(", "))
        }
        scalar => format!("{scalar:?}").to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Catalog, gzipped};
    use super::*;

    const PROTO: &str = "syntax = \"proto3\"; package t; \
        enum Size { S = 0; M = 1; } \
        message Part { string name = 1; int32 count = 2; } \
        message Order { string user_id = 1; int32 count = 2; repeated Part parts = 3; Size size = 4; map<string, int64> marks = 5; bytes raw = 6; } \
        service Shop { rpc One(Order) returns (Part); rpc Many(stream Order) returns (stream Part); }";

    fn method(name: &str) -> Method {
        Catalog::of_text("t.proto", PROTO).unwrap().method(&format!("/t.Shop/{name}")).unwrap()
    }

    #[test]
    fn json_becomes_messages() {
        let (one, many) = (method("One"), method("Many"));
        for (method, json, expected, why) in [
            (&one, "", framed(b""), "nothing is an empty message"),
            (&one, " {} ", framed(b""), "so is an empty object"),
            (&one, r#"{"userId":"ab"}"#, framed(b"\x0a\x02ab"), "a field under its JSON name"),
            (
                &one,
                r#"{"user_id":"ab","count":"3"}"#,
                framed(b"\x0a\x02ab\x10\x03"),
                "under its own, and a number as text",
            ),
            (&one, r#"{"size":"M"}"#, framed(b"\x20\x01"), "a value by its name"),
            (
                &one,
                r#"{"parts":[{"name":"x"}],"raw":"/w=="}"#,
                framed(b"\x1a\x03\x0a\x01x\x32\x01\xff"),
                "in each other",
            ),
            (
                &many,
                r#"[{"count":1},{"count":2}]"#,
                [framed(b"\x10\x01"), framed(b"\x10\x02")].concat(),
                "two messages",
            ),
            (&many, r#"{"count":1}"#, framed(b"\x10\x01"), "one alone"),
            (&many, "[]", Vec::new(), "none"),
        ] {
            assert_eq!(method.frames(json.as_bytes()), Ok(expected), "{why}");
        }
        assert_eq!(
            (one.takes_many(), one.answers_many(), many.takes_many(), many.answers_many()),
            (false, false, true, true)
        );
    }

    #[test]
    fn answers_become_json_with_all_their_fields() {
        let (one, many) = (method("One"), method("Many"));
        let two = [framed(b"\x0a\x01x"), gzipped(&framed(b"\x10\x02"))].concat();
        for (method, frames, expected, why) in [
            (&one, framed(b""), r#"{"name":"","count":0}"#, "what is not sent has its usual value"),
            (&one, framed(b"\x0a\x01x\x10\x03"), r#"{"name":"x","count":3}"#, "one message"),
            (&many, two, r#"[{"name":"x","count":0},{"name":"","count":2}]"#, "several, one of them packed"),
            (&many, framed(b""), r#"[{"name":"","count":0}]"#, "one of several is in a list"),
            (&many, Vec::new(), "[]", "none"),
        ] {
            let json: Value = serde_json::from_str(&method.answer(&frames).unwrap()).unwrap();
            assert_eq!(json, serde_json::from_str::<Value>(expected).unwrap(), "{why}");
        }
        let wrong = one.answer(&framed(b"\x0a\x09x")).unwrap_err();
        assert!(wrong.starts_with("the answer is no t.Part: "), "{wrong}");
        let torn = one.answer(&[1, 0, 0, 0, 1, 7]).unwrap_err();
        assert_eq!(torn, "the answer is no t.Part: a message is packed, and not with gzip");
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_path_and_what_belongs_there() {
        let (one, many) = (method("One"), method("Many"));
        for (method, json, parts) in [
            (&one, r#"{"count":"many"}"#, &["at count: ", "t.Order.count is int32"][..]),
            (
                &one,
                r#"{"parts":[{"name":"x"},{"name":7}]}"#,
                &["at parts[1].name: invalid type: integer `7`", "t.Part.name is string"],
            ),
            (&one, r#"{"size":"XL"}"#, &["at size: ", "t.Order.size is one of S, M"]),
            (&one, r#"{"marks":{"a":"b"}}"#, &["at marks.a: ", "t.Order.marks is map of"]),
            (&one, r#"{"user":"x"}"#, &["user", "t.Order has userId (string), count (int32)"]),
            (&one, r#"{"parts":[{"nme":"x"}]}"#, &["nme", "t.Part has name (string), count (int32)"]),
            (&one, r#"{"count":1"#, &["EOF while parsing an object at line 1"]),
            (&one, r#"{"count":1} x"#, &["trailing characters"]),
            (&one, "7", &["invalid type"]),
            (&one, "[{}]", &["an array is several messages, and t.Shop.One takes one"]),
            (&many, r#"[{"count":1},{"count":"x"}]"#, &["at [1].count: ", "t.Order.count is int32"]),
            (&many, "[7]", &["at [0]: invalid type"]),
        ] {
            let said = method.frames(json.as_bytes()).unwrap_err().to_string();
            assert!(parts.iter().all(|part| said.contains(part)), "{json}: {said}");
        }
    }
}
