//! What a hook is sent, byte for byte: the keys in Flagger's order, written as Go's encoder writes them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::canary::{Canary, Checksum, Phase};

/// Metadata of a hook, in the order of their keys.
pub type Metadata = BTreeMap<String, String>;

/// The body of a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// Who is released.
    pub canary: Canary,
    /// In which phase that is said to be.
    pub phase: Phase,
    /// The revision that the object was last synchronised with.
    pub checksum: Checksum,
    /// What the object says, and for events what happened. None is left out, and so is an empty one.
    pub metadata: Metadata,
}

#[derive(Serialize)]
struct Written<'a> {
    name: &'a str,
    namespace: &'a str,
    phase: String,
    checksum: &'a Checksum,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: &'a Metadata,
}

impl Payload {
    /// The bytes on the wire, as text.
    #[must_use]
    pub fn json(&self) -> String {
        let written = Written {
            name: &self.canary.name,
            namespace: &self.canary.namespace,
            phase: self.phase.to_string(),
            checksum: &self.checksum,
            metadata: &self.metadata,
        };
        as_go(&serde_json::to_string(&written).expect("texts have a form in JSON"))
    }
}

/// JSON as Go writes it: what could be markup, and the two line ends that JavaScript knows, as escapes.
#[must_use]
pub fn as_go(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_has_flaggers_keys_in_flaggers_order_and_gos_escapes() {
        let mut payload = Payload {
            canary: Canary::new("podinfo", "test"),
            phase: Phase::Progressing,
            checksum: Checksum::new("85d557f47b"),
            metadata: Metadata::new(),
        };
        let head = r#"{"name":"podinfo","namespace":"test","phase":"Progressing","checksum":"85d557f47b""#;
        assert_eq!(payload.json(), format!("{head}}}"));
        for (key, value) in [("slo", "success>=99%, p99<500ms"), ("cmd", "a && \"b\"\n\u{2028}é\u{1}")] {
            payload.metadata.insert(key.to_owned(), value.to_owned());
        }
        let cmd = r#""cmd":"a \u0026\u0026 \"b\"\n\u2028é\u0001""#;
        let slo = r#""slo":"success\u003e=99%, p99\u003c500ms""#;
        assert_eq!(payload.json(), format!("{head},\"metadata\":{{{cmd},{slo}}}}}"));
    }
}
