//! One mapping of a file: its keys looked at, its values taken as what they must be.

use super::mistake::{Mistake, did_you_mean, shown};
use crate::yaml::{Entry, Kind, Node, Position, Stream};

/// The file being read, and what is wrong with it so far.
pub(super) struct Notes<'a> {
    pub(super) stream: &'a Stream<'a>,
    pub(super) mistakes: Vec<Mistake>,
}

impl Notes<'_> {
    pub(super) fn add(&mut self, mistake: Mistake) {
        if !self.mistakes.contains(&mistake) {
            self.mistakes.push(mistake);
        }
    }

    /// A value that its key does not allow.
    pub(super) fn wrong(&mut self, node: &Node, path: &str, allowed: &str, advice: Option<String>) {
        let given = match node.scalar() {
            Some(scalar) if scalar.kind != Kind::Nothing => format!("'{}'", shown(&scalar.text)),
            _ => node.what(),
        };
        let mistake = Mistake::new(node.at, format!("{path}: got {given}, expected {allowed}"));
        self.add(Mistake { advice, ..mistake });
    }
}

/// A mapping whose keys are all known and stand once.
pub(super) struct Fields<'a> {
    entries: Vec<&'a Entry>,
    /// How to speak of it, such as `steps[0]`; empty for the file.
    pub(super) path: String,
    /// Where it begins.
    pub(super) at: Position,
}

impl<'a> Fields<'a> {
    /// The entries of `node`; unknown keys and those that stand twice are noted, and left out.
    pub(super) fn open(node: &'a Node, path: &str, known: &[&str], notes: &mut Notes<'_>) -> Option<Self> {
        let mut fields = Self::open_any(node, path, notes)?;
        fields.entries.retain(|entry| {
            let is_known = known.contains(&entry.key.as_str());
            if !is_known {
                let near = did_you_mean(&entry.key, known.iter().copied());
                let advice = near.unwrap_or_else(|| format!("the keys are {}", known.join(", ")));
                let said = format!("{} is no key that there is", joined(path, &shown(&entry.key)));
                notes.add(Mistake::new(entry.at, said).advise(advice));
            }
            is_known
        });
        Some(fields)
    }

    /// The entries of `node`, whatever their names.
    pub(super) fn open_any(node: &'a Node, path: &str, notes: &mut Notes<'_>) -> Option<Self> {
        let Some(entries) = node.map() else {
            notes.wrong(node, if path.is_empty() { "file" } else { path }, "keys with values", None);
            return None;
        };
        let mut once: Vec<&Entry> = Vec::new();
        for entry in entries {
            match once.iter().find(|first| first.key == entry.key) {
                Some(first) => {
                    let said = format!("{} stands twice", joined(path, &shown(&entry.key)));
                    let advice = format!("the first is on line {}: take one of them out", first.at.line);
                    notes.add(Mistake::new(entry.at, said).advise(advice));
                }
                None => once.push(entry),
            }
        }
        Some(Self { entries: once, path: path.to_owned(), at: node.at })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().copied()
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Entry> {
        self.iter().find(|entry| entry.key == key)
    }

    /// The full name of a key.
    pub(super) fn named(&self, key: &str) -> String {
        joined(&self.path, key)
    }
}

pub(super) fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// The text of a scalar as it is written; a number is its digits. Nothing is none.
pub(super) fn scalar<'a>(node: &'a Node, path: &str, allowed: &str, notes: &mut Notes<'_>) -> Option<&'a str> {
    match node.scalar() {
        Some(scalar) if scalar.kind != Kind::Nothing => Some(&scalar.text),
        _ => {
            notes.wrong(node, path, allowed, None);
            None
        }
    }
}

/// One scalar or a list of them.
pub(super) fn scalars<'a>(
    node: &'a Node,
    path: &str,
    allowed: &str,
    notes: &mut Notes<'_>,
) -> Vec<(&'a Node, &'a str)> {
    let items = node.list().unwrap_or(std::slice::from_ref(node));
    items.iter().filter_map(|item| Some((item, scalar(item, path, allowed, notes)?))).collect()
}

/// A switch.
pub(super) fn switch(node: &Node, path: &str, notes: &mut Notes<'_>) -> bool {
    match node.scalar().filter(|scalar| scalar.kind == Kind::Switch) {
        Some(scalar) => is_on(&scalar.text),
        None => {
            notes.wrong(node, path, "true or false", None);
            false
        }
    }
}

/// What a switch says.
pub(super) fn is_on(text: &str) -> bool {
    matches!(text.to_lowercase().as_str(), "true" | "yes" | "on" | "y")
}
