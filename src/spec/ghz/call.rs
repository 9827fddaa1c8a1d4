//! The call of a ghz line: its method, its message and its metadata.

use std::io;
use std::path::Path;

use serde_json::{Map, Value};

use super::mistake;
use crate::spec::kingpin::Given;
use crate::spec::{Id, SpecBuilder};

/// Reads a file's content.
type Files<'a> = &'a dyn Fn(&Path) -> io::Result<Vec<u8>>;

/// Templates of Go that ghz fills in, and what draws the same here.
const TEMPLATES: [(&str, &str); 3] =
    [("{{.RequestNumber}}", "{{counter}}"), ("{{.UUID}}", "{{uuid}}"), ("{{newUUID}}", "{{uuid}}")];

/// Asks for the method, the message and the metadata. In a hook (`has_files` is not set) the files of types are not read.
pub(super) fn call(
    given: &Given,
    wishes: &mut SpecBuilder,
    notes: &mut Vec<String>,
    (read, has_files): (Files<'_>, bool),
) {
    types(given, wishes, notes, has_files);
    metadata(given, wishes, read);
    if let Some(file) = given.text("binary-file") {
        wishes.give(Id::BodyFile, file);
    }
    if let (_, Some(json)) = text_or_file(given, wishes, ("data", "data-file"), read) {
        let json = TEMPLATES.iter().fold(json, |json, (gos, ours)| json.replace(gos, ours));
        wishes.give(Id::Data, json);
    }
    if let Some(host) = given.text("authority").filter(|host| !host.is_empty()) {
        wishes.give(Id::Host, host);
    }
    if given.is_on("enable-compression") {
        wishes.give(Id::Gzip, "");
    }
    if let Some(most) = given.text("max-recv-message-size") {
        wishes.give(Id::MaxMessage, bytes(most).map_or_else(|| most.to_owned(), |bytes| bytes.to_string()));
    }
    match given.text("call").filter(|call| !call.is_empty()) {
        Some(call) => wishes.give(Id::Call, call),
        None => notes.push("no --call: the standard health check is asked, grpc.health.v1.Health/Check".to_owned()),
    }
}

/// Where the types of messages stand.
fn types(given: &Given, wishes: &mut SpecBuilder, notes: &mut Vec<String>, has_files: bool) {
    for (name, id) in [("proto", Id::Proto), ("protoset", Id::Protoset), ("import-paths", Id::ImportPath)] {
        let Some(value) = given.text(name).filter(|value| !value.is_empty()) else { continue };
        match (has_files, id) {
            (false, _) => {
                notes.push(format!("--{name} is not read in a hook: the server is asked, unless proto says it"))
            }
            (true, Id::ImportPath) => value.split(',').for_each(|path| wishes.give(id, path)),
            (true, _) => wishes.give(id, value),
        }
    }
}

/// A size such as `4194304`, `4MB` or `4MiB`.
fn bytes(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let times = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(times)
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
