//! One mapping of the object: its keys looked at, its values taken as their types.

use super::mistake::{Mistake, MistakeKind};
use super::places::{Place, Places};
use crate::yaml::{Entry, Kind, Node, Stream};

/// Characters of a value that a message repeats.
const SHOWN: usize = 60;

/// A mapping and the mistakes found in it.
pub(super) struct Fields<'a> {
    node: &'a Node,
    /// How to speak of it: `spec.analysis.webhooks[0]`; empty for the object itself.
    pub(super) path: String,
    pub(super) places: Places,
    pub(super) mistakes: Vec<Mistake>,
}

/// The beginning of a text on one line, for messages.
pub(super) fn shown(text: &str) -> String {
    let mut plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN).collect();
    if text.chars().count() > SHOWN {
        plain.push('…');
    }
    plain
}

impl<'a> Fields<'a> {
    /// The mapping at `node`; `None`, and a mistake, where it is none.
    pub(super) fn open(node: &'a Node, path: &str, mistakes: &mut Vec<Mistake>) -> Option<Self> {
        let Some(entries) = node.map() else {
            let said = format!("{path}: got {}, expected a mapping", node.what());
            mistakes.push(Mistake::new(MistakeKind::WrongType, node.at, said));
            return None;
        };
        let mut places = Places::new(node.at);
        for entry in entries {
            places.put(&entry.key, place(entry));
        }
        let mut fields = Self { node, path: path.to_owned(), places, mistakes: Vec::new() };
        fields.twice(entries);
        Some(fields)
    }

    /// The same, with a mistake for every key that is not among `known`.
    pub(super) fn open_known(node: &'a Node, path: &str, known: &[&str], mistakes: &mut Vec<Mistake>) -> Option<Self> {
        let mut fields = Self::open(node, path, mistakes)?;
        for entry in node.map().unwrap_or_default().iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let said = format!("{} is no key that Flagger knows", fields.named(&entry.key));
            let near = known
                .iter()
                .map(|name| (strsim::damerau_levenshtein(&name.to_lowercase(), &entry.key.to_lowercase()), name));
            let near = near.filter(|(distance, _)| *distance <= 2).min_by_key(|(distance, _)| *distance);
            let advice = match near {
                Some((_, name)) => format!("did you mean {name}? The cluster drops what it does not know"),
                None => "take it out: the cluster drops what it does not know".to_owned(),
            };
            fields.mistakes.push(Mistake::new(MistakeKind::UnknownKey, entry.at, said).advise(advice));
        }
        Some(fields)
    }

    fn twice(&mut self, entries: &[Entry]) {
        for (i, entry) in entries.iter().enumerate().filter(|(_, entry)| !entry.merged) {
            if let Some(first) = entries[..i].iter().find(|first| first.key == entry.key && !first.merged) {
                let said = format!("{} stands twice; the first is on line {}", self.named(&entry.key), first.at.line);
                let mistake = Mistake::new(MistakeKind::Twice, entry.at, said);
                self.mistakes.push(mistake.advise("take one of them out: the last one counts"));
            }
        }
    }

    /// The full name of a key.
    pub(super) fn named(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The value of a key; `None` where it is not there or nothing.
    pub(super) fn get(&self, key: &str) -> Option<&'a Node> {
        self.node.get(key).filter(|node| !node.is_nothing())
    }

    fn wrong(&mut self, key: &str, node: &Node, expected: &str) {
        let given =
            node.scalar().map_or_else(|| node.what(), |scalar| format!("'{}', {}", shown(&scalar.text), node.what()));
        let said = format!("{}: got {given}, expected {expected}", self.named(key));
        let mistake = Mistake::new(MistakeKind::WrongType, node.at, said);
        let quote = expected == "a text" && node.scalar().is_some();
        self.mistakes.push(if quote { mistake.advise("put it in quotes") } else { mistake });
    }

    /// A key that must be there and is not.
    pub(super) fn missing(&mut self, key: &str, advice: &str) {
        let said = format!("{} is missing", self.named(key));
        self.mistakes.push(Mistake::new(MistakeKind::Missing, self.places.at, said).advise(advice));
    }

    /// A value that the key does not allow.
    pub(super) fn not_allowed(&mut self, key: &str, said: &str, advice: &str) {
        let said = format!("{}: {said}", self.named(key));
        self.mistakes.push(Mistake::new(MistakeKind::Value, self.places.value(key), said).advise(advice));
    }

    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        let node = self.get(key)?;
        match node.scalar().filter(|scalar| scalar.kind == Kind::Text) {
            Some(scalar) => Some(scalar.text.clone()),
            None => {
                self.wrong(key, node, "a text");
                None
            }
        }
    }

    /// A number as a port may be, or its name.
    pub(super) fn number_or_name(&self, key: &str) -> Option<String> {
        self.get(key)?.scalar().map(|scalar| scalar.text.clone())
    }

    pub(super) fn number(&mut self, key: &str) -> Option<f64> {
        let node = self.get(key)?;
        let number = node.scalar().filter(|scalar| matches!(scalar.kind, Kind::Whole | Kind::Number));
        let number = number.and_then(|scalar| scalar.text.replace('_', "").parse().ok());
        if number.is_none() {
            self.wrong(key, node, "a number");
        }
        number
    }

    /// A whole number; below zero is zero, as Flagger takes it.
    pub(super) fn whole(&mut self, key: &str) -> Option<u32> {
        let node = self.get(key)?;
        let read = whole(node);
        if read.is_none() {
            self.wrong(key, node, "a whole number");
        }
        read
    }

    /// Whole numbers.
    pub(super) fn wholes(&mut self, key: &str) -> Vec<u32> {
        let items = self.list(key);
        let read: Option<Vec<u32>> = items.iter().map(whole).collect();
        if read.is_none() {
            let said = format!("{}: expected whole numbers", self.named(key));
            self.mistakes.push(Mistake::new(MistakeKind::WrongType, self.places.value(key), said));
        }
        read.unwrap_or_default()
    }

    pub(super) fn flag(&mut self, key: &str) -> bool {
        let Some(node) = self.get(key) else { return false };
        match node.scalar().filter(|scalar| scalar.kind == Kind::Switch) {
            Some(scalar) => matches!(scalar.text.to_lowercase().as_str(), "true" | "yes" | "on" | "y"),
            None => {
                self.wrong(key, node, "true or false");
                false
            }
        }
    }

    pub(super) fn list(&mut self, key: &str) -> &'a [Node] {
        let Some(node) = self.get(key) else { return &[] };
        if node.list().is_none() {
            self.wrong(key, node, "a list");
        }
        node.list().unwrap_or_default()
    }

    pub(super) fn texts(&mut self, key: &str) -> Vec<String> {
        let items = self.list(key).iter().filter_map(Node::scalar);
        items.map(|scalar| scalar.text.clone()).collect()
    }

    /// Remembers where each character of a text stands.
    pub(super) fn look_inside(&mut self, key: &str, stream: &Stream<'_>) {
        let Some((node, scalar)) = self.get(key).and_then(|node| Some((node, node.scalar()?))) else { return };
        let inside = stream.places(node.at, scalar);
        let place = Place { key: self.places.key(key), value: node.at, text: Some(scalar.text.clone()), inside };
        self.places.put(key, place);
    }

    /// What was found, without the mistakes, which go to `mistakes`.
    pub(super) fn close(self, mistakes: &mut Vec<Mistake>) -> Places {
        mistakes.extend(self.mistakes);
        self.places
    }
}

fn whole(node: &Node) -> Option<u32> {
    let scalar = node.scalar().filter(|scalar| matches!(scalar.kind, Kind::Whole | Kind::Number))?;
    let number: f64 = scalar.text.replace('_', "").parse().ok()?;
    (number.fract() == 0.0 && number <= f64::from(u32::MAX)).then_some(number.max(0.0) as u32)
}

fn place(entry: &Entry) -> Place {
    let text = entry.node.scalar().map(|scalar| scalar.text.clone());
    Place { key: entry.at, value: entry.node.at, text, inside: Vec::new() }
}
