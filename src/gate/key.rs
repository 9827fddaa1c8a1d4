//! Which gate: its kind and its canary, each part on its own, so that no odd name of one is another.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::canary::Canary;

/// What an open gate tells Flagger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Go on.
    Confirm,
    /// Give up.
    Rollback,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Confirm => "confirm",
            Self::Rollback => "rollback",
        })
    }
}

/// A gate's identity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What it is for.
    pub kind: Kind,
    /// Whose it is.
    pub canary: Canary,
}

impl Key {
    /// The gate of that kind of that canary.
    #[must_use]
    pub const fn new(kind: Kind, canary: Canary) -> Self {
        Self { kind, canary }
    }

    /// As a row's key: the kind, the length of the namespace (4 bytes, big-endian), the namespace, the name. The length
    /// makes it unambiguous.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let namespace = self.canary.namespace.as_bytes();
        let length = u32::try_from(namespace.len()).unwrap_or(u32::MAX).to_be_bytes();
        let kind = match self.kind {
            Kind::Confirm => 0,
            Kind::Rollback => 1,
        };
        [&[kind], &length[..], namespace, self.canary.name.as_bytes()].concat()
    }

    /// The key of a row; `None` for bytes that no key has.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (namespace, name) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        let kind = match kind {
            0 => Kind::Confirm,
            1 => Kind::Rollback,
            _ => return None,
        };
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        Some(Self::new(kind, Canary::new(text(name)?, text(namespace)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> impl Strategy<Value = Key> {
        let part = "[a.]{0,3}|rollback\\.[ab]|[\\x00é/ ]{0,3}|.{0,8}";
        (any::<bool>(), part, part).prop_map(|(confirm, name, namespace)| {
            Key::new(if confirm { Kind::Confirm } else { Kind::Rollback }, Canary::new(name, namespace))
        })
    }

    proptest! {
        #[test]
        fn gates_with_odd_names_never_collide(a in key(), b in key()) {
            prop_assert_eq!(a == b, a.to_bytes() == b.to_bytes());
            prop_assert_eq!(Key::from_bytes(&a.to_bytes()), Some(a));
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..12)) {
            if let Some(key) = Key::from_bytes(&bytes) {
                prop_assert_eq!(key.to_bytes(), bytes);
            }
        }
    }

    #[test]
    fn a_canary_called_rollback_is_no_rollback_gate() {
        let odd = Key::new(Kind::Confirm, Canary::new("rollback.a", "b"));
        let real = Key::new(Kind::Rollback, Canary::new("a", "b"));
        assert_ne!(odd.to_bytes(), real.to_bytes());
    }
}
