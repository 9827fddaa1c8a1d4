//! What Flagger posts, read as Go reads it, because Flagger's loadtester did and callers grew used to it.
//!
//! Names of members are compared without regard to case, the last of several counts, unknown ones are skipped, `null` sets
//! nothing, and bytes that are no UTF-8 become U+FFFD. Metadata are texts: a number there is a mistake, as it was. The
//! members of the metadata keep their case. Sizes are limited, which Go does not.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use crate::canary::{Canary, Checksum, Phase};

/// Bytes of a body at most.
pub const MOST_BYTES: usize = 1 << 20;

/// Metadata keys at most.
pub const MOST_KEYS: usize = 256;

/// Bytes of a name and of a namespace at most: Kubernetes allows no more.
pub const NAME_BYTES: usize = 253;

/// A hook's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// Whom it is about.
    pub canary: Canary,
    /// The phase it is in.
    pub phase: Phase,
    /// The revision.
    pub checksum: Checksum,
    /// What the hook's author wrote; empty where there is none.
    pub metadata: BTreeMap<String, String>,
}

/// Why a body is no payload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// Not JSON, or a member of the wrong kind.
    #[error("the body is no hook of Flagger's: {0}; expected {{\"name\":\"…\",\"namespace\":\"…\"}}")]
    Unreadable(String),
    /// A name that no object can have.
    #[error("{member}: got {length} bytes, expected at most {NAME_BYTES}")]
    TooLong {
        /// Which.
        member: &'static str,
        /// Its length.
        length: usize,
    },
}

impl Payload {
    /// Reads a body.
    ///
    /// # Errors
    /// It is not JSON, a member has the wrong kind, or something is too long or too many.
    pub fn read(body: &[u8]) -> Result<Self, PayloadError> {
        let text = mended(body);
        let mut reader = serde_json::Deserializer::from_str(&text);
        let mut members = Members::default();
        let read = (&mut members).deserialize(&mut reader).and_then(|()| reader.end());
        read.map_err(|e| PayloadError::Unreadable(e.to_string()))?;
        for (member, value) in [("name", &members.name), ("namespace", &members.namespace)] {
            if value.len() > NAME_BYTES {
                return Err(PayloadError::TooLong { member, length: value.len() });
            }
        }
        Ok(Self {
            canary: Canary::new(members.name, members.namespace),
            phase: Phase::of(&members.phase),
            checksum: Checksum::new(members.checksum),
            metadata: members.metadata,
        })
    }
}

/// The members as they are found.
#[derive(Default)]
struct Members {
    name: String,
    namespace: String,
    phase: String,
    checksum: String,
    metadata: BTreeMap<String, String>,
}

impl Members {
    /// The text member of that name, if there is one.
    fn text(&mut self, folded: &str) -> Option<&mut String> {
        match folded {
            "name" => Some(&mut self.name),
            "namespace" => Some(&mut self.namespace),
            "phase" => Some(&mut self.phase),
            "checksum" => Some(&mut self.checksum),
            _ => None,
        }
    }
}

impl<'de> DeserializeSeed<'de> for &mut Members {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Members {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    /// `null` alone is an empty payload.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let folded = folded(&key);
            if folded == "metadata" {
                map.next_value_seed(Metadata(&mut self.metadata)).map_err(A::Error::custom)?;
            } else if let Some(member) = self.text(&folded) {
                let value: Option<String> = map.next_value().map_err(|e| A::Error::custom(format!("{folded}: {e}")))?;
                if let Some(value) = value {
                    *member = value;
                }
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Metadata that are read; a second object adds to the first, as in Go.
struct Metadata<'a>(&'a mut BTreeMap<String, String>);

impl<'de> DeserializeSeed<'de> for Metadata<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Metadata<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("metadata as an object of texts")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.clear();
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let value: Option<String> =
                map.next_value().map_err(|e| A::Error::custom(format!("metadata {key}: {e}; put it in quotes")))?;
            self.0.insert(key, value.unwrap_or_default());
            if self.0.len() > MOST_KEYS {
                return Err(A::Error::custom(format!("more than {MOST_KEYS} metadata keys")));
            }
        }
        Ok(())
    }
}

/// A member's name without case, as Go folds it: two letters outside ASCII fold into it.
fn folded(name: &str) -> String {
    let folded = name.chars().map(|c| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    });
    folded.collect()
}

/// The body as text: each byte that is no UTF-8, and each half of a pair of `\u` escapes that stands alone, is U+FFFD.
fn mended(body: &[u8]) -> String {
    let mut text = String::with_capacity(body.len());
    for chunk in body.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    if !text.contains("\\u") {
        return text;
    }
    let mut mended = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('\\') {
        mended.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = match (escape(rest), rest.get(6..).and_then(escape)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                mended.push_str("\\ufffd");
                rest = &rest[6..];
                continue;
            }
            _ => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
        };
        mended.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    mended + rest
}

/// The number of the `\u` escape that the text begins with.
fn escape(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Pairs = Vec<(String, String)>;

    /// Name, namespace and metadata of a body that can be read.
    fn read(body: &[u8]) -> Option<(String, String, Pairs)> {
        let payload = Payload::read(body).ok()?;
        Some((payload.canary.name, payload.canary.namespace, payload.metadata.into_iter().collect()))
    }

    #[test]
    fn flaggers_own_form_is_read() {
        let body = br#"{"name":"podinfo","namespace":"test","phase":"Progressing","checksum":"85d557f47b","metadata":{"cmd":"hey -z 1m http:\u002f\u002fa\u0026b"}}"#;
        let payload = Payload::read(body).unwrap();
        assert_eq!(payload.canary, Canary::new("podinfo", "test"));
        assert_eq!((payload.phase, payload.checksum), (Phase::Progressing, Checksum::new("85d557f47b")));
        assert_eq!(payload.metadata, BTreeMap::from([("cmd".into(), "hey -z 1m http://a&b".into())]));
    }

    #[test]
    fn a_mistake_says_which_member_and_what_to_do() {
        for (body, expected) in [
            ("", "EOF while parsing a value at line 1 column 0"),
            ("[]", "invalid type: sequence, expected an object"),
            (r#"{"name":5}"#, "name: invalid type: integer `5`, expected a string"),
            (r#"{"metadata":{"clone":100}}"#, "metadata clone: invalid type: integer `100`, expected a string"),
            (r#"{"metadata":[]}"#, "invalid type: sequence, expected metadata as an object of texts"),
            ("{} x", "trailing characters"),
        ] {
            let error = Payload::read(body.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(&format!("the body is no hook of Flagger's: {expected}")), "{body}: {error}");
        }
        let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(254));
        let error = Payload::read(long.as_bytes()).unwrap_err().to_string();
        assert_eq!(error, "name: got 254 bytes, expected at most 253");
    }

    #[test]
    fn there_may_be_256_metadata_keys_and_no_more() {
        let keys = |n: usize| (0..n).map(|i| format!(r#""k{i}":"v""#)).collect::<Vec<_>>().join(",");
        let body = |n| format!(r#"{{"metadata":{{{}}}}}"#, keys(n));
        assert_eq!(read(body(256).as_bytes()).map(|(_, _, metadata)| metadata.len()), Some(256));
        for n in [257, 100_000] {
            let error = Payload::read(body(n).as_bytes()).unwrap_err().to_string();
            assert!(error.contains("more than 256 metadata keys"), "{error}");
        }
    }

    #[test]
    fn depth_is_no_danger() {
        let deep = format!(r#"{{"x":{}{}}}"#, "[".repeat(400_000), "]".repeat(400_000));
        assert_eq!(read(deep.as_bytes()), Some((String::new(), String::new(), Vec::new())));
        assert_eq!(read("[".repeat(400_000).as_bytes()), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40), text in r#"[{}":,\\uDd8aC0 n]{0,40}"#) {
            let _ = Payload::read(&bytes);
            let _ = Payload::read(text.as_bytes());
        }

        #[test]
        fn what_was_written_reads_back(name in ".{0,20}", namespace in ".{0,20}", key in ".{0,9}", value in ".{0,9}") {
            let body = serde_json::json!({"name": name, "namespace": namespace, "metadata": {key.clone(): value.clone()}});
            prop_assert_eq!(read(body.to_string().as_bytes()), Some((name, namespace, vec![(key, value)])));
        }
    }
}
