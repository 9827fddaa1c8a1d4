//! The call of a ghz line: its method, its message and its metadata.

use std::io;
use std::path::Path;

use serde_json::{Map, Value};

use super::mistake;
use crate::proto;
use crate::spec::kingpin::Given;
use crate::spec::{Id, SpecBuilder};

/// Reads a file's content.
type Files<'a> = &'a dyn Fn(&Path) -> io::Result<Vec<u8>>;

/// Asks for message and metadata, and returns the path of the method.
pub(super) fn call(given: &Given, wishes: &mut SpecBuilder, notes: &mut Vec<String>, read: Files<'_>) -> String {
    for name in ["proto", "protoset", "import-paths"] {
        if given.text(name).is_some() {
            notes.push(format!("--{name} is not read: an empty message is the same whatever its type"));
        }
    }
    metadata(given, wishes, read);
    message(given, wishes, read);
    if let Some(host) = given.text("authority").filter(|host| !host.is_empty()) {
        wishes.give(Id::Host, host);
    }
    given.text("call").filter(|call| !call.is_empty()).map_or_else(
        || {
            notes.push("no --call: the standard health check is asked, grpc.health.v1.Health/Check".to_owned());
            proto::CHECK.to_owned()
        },
        path,
    )
}

/// The path of `PACKAGE.SERVICE/METHOD` or `PACKAGE.SERVICE.METHOD`.
fn path(call: &str) -> String {
    let call = call.trim_start_matches('/');
    match (call.contains('/'), call.rsplit_once('.')) {
        (false, Some((service, method))) => format!("/{service}/{method}"),
        _ => format!("/{call}"),
    }
}

/// The message, from one of three places.
fn message(given: &Given, wishes: &mut SpecBuilder, read: Files<'_>) {
    if let Some(file) = given.text("binary-file") {
        wishes.give(Id::BodyFile, file);
    }
    let (name, text) = text_or_file(given, wishes, ("data", "data-file"), read);
    let empty = matches!(text.as_deref().map(str::trim), None | Some("" | "{}"));
    if !empty {
        let advice = "a message that says something needs its type; -B sends one as it is".to_owned();
        wishes.mistake(mistake(name, text.as_deref().unwrap_or_default(), "{}", Some(advice)));
    }
}

/// Metadata are headers.
fn metadata(given: &Given, wishes: &mut SpecBuilder, read: Files<'_>) {
    let (name, Some(text)) = text_or_file(given, wishes, ("metadata", "metadata-file"), read) else { return };
    match object(&text) {
        Some(pairs) => {
            pairs.iter().for_each(|(key, value)| wishes.give(Id::Headers, format!("{key}: {}", plain(value))));
        }
        None => wishes.mistake(mistake(name, "", "a JSON object of texts, such as {\"x-user\": \"1\"}", None)),
    }
}

/// A JSON object whose values are texts, numbers or booleans.
pub(super) fn object(text: &str) -> Option<Map<String, Value>> {
    let object: Map<String, Value> = serde_json::from_str(text).ok()?;
    object.values().all(|value| !value.is_object() && !value.is_array() && !value.is_null()).then_some(object)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The text of a flag, or of the file that its other form names; with the flag that gave it.
fn text_or_file<'n>(
    given: &Given,
    wishes: &mut SpecBuilder,
    (text, file): (&'n str, &'n str),
    read: Files<'_>,
) -> (&'n str, Option<String>) {
    if let Some(value) = given.text(text) {
        return (text, Some(value.to_owned()));
    }
    let Some(path) = given.text(file) else { return (text, None) };
    let content = read(Path::new(path)).and_then(|bytes| String::from_utf8(bytes).map_err(io::Error::other));
    match content {
        Ok(content) => (file, Some(content)),
        Err(error) => {
            wishes.mistake(mistake(file, path, "a file that can be read", Some(error.to_string())));
            (file, None)
        }
    }
}
