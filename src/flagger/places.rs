//! Where the keys of one mapping stand, and what stood there as text.

use std::collections::BTreeMap;

use crate::yaml::Position;

/// The place of a mapping and of each of its keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// Where the mapping begins.
    pub at: Position,
    keys: BTreeMap<String, Place>,
}

/// Where one key and its value stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) key: Position,
    pub(super) value: Position,
    /// The value as it was written, if it is a scalar.
    pub(super) text: Option<String>,
    /// Where each of its characters stands, and what would follow; empty where nobody needs to know.
    pub(super) inside: Vec<Position>,
}

impl Places {
    pub(super) fn new(at: Position) -> Self {
        Self { at, keys: BTreeMap::new() }
    }

    pub(super) fn put(&mut self, key: &str, place: Place) {
        self.keys.insert(key.to_owned(), place);
    }

    /// Where the key stands; where its mapping begins if there is no such key.
    #[must_use]
    pub fn key(&self, name: &str) -> Position {
        self.keys.get(name).map_or(self.at, |place| place.key)
    }

    /// Where its value begins; where the mapping begins if there is no such key.
    #[must_use]
    pub fn value(&self, name: &str) -> Position {
        self.keys.get(name).map_or(self.at, |place| place.value)
    }

    /// Where the character number `index` of its value stands, counted from zero; the beginning of the value where that
    /// is not known.
    #[must_use]
    pub fn inside(&self, name: &str, index: usize) -> Position {
        let known = self.keys.get(name).and_then(|place| place.inside.get(index).or(place.inside.last()));
        known.copied().unwrap_or_else(|| self.value(name))
    }

    /// The value as it was written; `None` where there is none, or a list or mapping.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.keys.get(name)?.text.as_deref()
    }

    /// Whether the mapping has the key.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.keys.contains_key(name)
    }
}
