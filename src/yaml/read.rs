//! A stream of documents as trees.

use std::borrow::Cow;
use std::collections::HashMap;

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use super::node::{Entry, Kind, Node, Position, Scalar, Style, Value, plain_kind};
use super::place;

/// Most values of one stream, those that aliases stand for included: a few lines of aliases can stand for billions.
const MOST_NODES: usize = 4_000_000;

/// What was read of a stream.
#[derive(Clone, Debug)]
pub struct Stream<'a> {
    text: &'a str,
    /// The documents that could be read, empty ones left out.
    pub documents: Vec<Node>,
    /// What ended the reading before the end of the text.
    pub error: Option<YamlError>,
}

/// Why the rest of a stream cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {said}")]
pub struct YamlError {
    /// Where.
    pub at: Position,
    /// What is wrong there.
    pub said: String,
}

impl<'a> Stream<'a> {
    /// Reads all documents, up to the first thing that is no YAML.
    #[must_use]
    pub fn read(text: &'a str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut tree = Tree::default();
        let mut parser = Parser::new_from_str(text);
        let error = tree.fill(&mut parser).err();
        let documents = tree.documents.into_iter().filter(|document| !document.is_nothing()).collect();
        Self { text, documents, error }
    }

    /// The text of the stream.
    #[must_use]
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// Where each character of a scalar stands, and what would follow the last one. `at` is where the scalar begins.
    #[must_use]
    pub fn places(&self, at: Position, scalar: &Scalar) -> Vec<Position> {
        let written = self.text.get(scalar.bytes.clone()).unwrap_or_default();
        place::places(written, at, scalar.style, &scalar.text)
    }
}

/// A list or mapping that is being read.
struct Open {
    at: Position,
    anchor: usize,
    /// What was counted before it.
    before: usize,
    held: Held,
}

enum Held {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Option<(String, Position, bool)> },
}

/// Trees that grow with each event.
#[derive(Default)]
struct Tree {
    documents: Vec<Node>,
    open: Vec<Open>,
    /// What anchors stand for, and how many values each has.
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
}

type Events<'a> = Parser<'a, StrInput<'a>>;

impl Tree {
    fn fill(&mut self, parser: &mut Events<'_>) -> Result<(), YamlError> {
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| unreadable(&error))?;
            self.take(event, &span)?;
        }
        Ok(())
    }

    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), YamlError> {
        let at = position(&span.start);
        match event {
            Event::DocumentStart(..) => self.anchors.clear(),
            Event::Scalar(text, style, anchor, tag) => {
                self.count(at, 1)?;
                let scalar = scalar(text, style, tag.as_deref(), span);
                self.place(Node { at, value: Value::Scalar(scalar) }, anchor, 1)?;
            }
            Event::SequenceStart(_, anchor, _) => self.begin(at, anchor, Held::List(Vec::new()))?,
            Event::MappingStart(_, anchor, _) => {
                self.begin(at, anchor, Held::Map { entries: Vec::new(), key: None })?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end()?,
            Event::Alias(anchor) => {
                let unknown = || YamlError { at, said: "this alias stands for nothing that is complete".to_owned() };
                let size = self.anchors.get(&anchor).ok_or_else(unknown)?.1;
                self.count(at, size)?;
                let node = self.anchors[&anchor].0.clone();
                self.place(node, 0, size)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn count(&mut self, at: Position, more: usize) -> Result<(), YamlError> {
        self.nodes = self.nodes.saturating_add(more);
        if self.nodes <= MOST_NODES {
            return Ok(());
        }
        Err(YamlError { at, said: format!("more than {MOST_NODES} values: do its aliases stand for each other?") })
    }

    fn begin(&mut self, at: Position, anchor: usize, held: Held) -> Result<(), YamlError> {
        let before = self.nodes;
        self.count(at, 1)?;
        self.open.push(Open { at, anchor, before, held });
        Ok(())
    }

    fn end(&mut self) -> Result<(), YamlError> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let value = match open.held {
            Held::List(items) => Value::List(items),
            Held::Map { entries, .. } => Value::Map(merged(entries)),
        };
        let size = self.nodes - open.before;
        self.place(Node { at: open.at, value }, open.anchor, size)
    }

    /// Puts a value where it belongs.
    fn place(&mut self, node: Node, anchor: usize, size: usize) -> Result<(), YamlError> {
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        match self.open.last_mut().map(|open| &mut open.held) {
            None => self.documents.push(node),
            Some(Held::List(items)) => items.push(node),
            Some(Held::Map { entries, key }) => match (key.take(), node) {
                (Some((name, at, merged)), node) => entries.push(Entry { key: name, at, merged, node }),
                (None, Node { at, value: Value::Scalar(scalar) }) => {
                    let merges = scalar.style == Style::Plain && scalar.text == "<<";
                    *key = Some((scalar.text, at, merges));
                }
                (None, node) => {
                    let said = format!("{} stands where the name of a key is expected", node.what());
                    return Err(YamlError { at: node.at, said });
                }
            },
        }
        Ok(())
    }
}

/// The entries with what `<<` brings in put before them.
fn merged(entries: Vec<Entry>) -> Vec<Entry> {
    if !entries.iter().any(|entry| entry.merged) {
        return entries;
    }
    let (bring, own): (Vec<Entry>, Vec<Entry>) = entries.into_iter().partition(|entry| entry.merged);
    let mut all: Vec<Entry> = Vec::new();
    for entry in bring {
        let sources = match entry.node.value {
            Value::List(items) => items,
            _ => vec![entry.node],
        };
        // Of several, the first that has a name counts.
        for source in sources {
            let Value::Map(brought) = source.value else { continue };
            let fresh: Vec<Entry> =
                brought.into_iter().filter(|new| all.iter().all(|there| there.key != new.key)).collect();
            all.extend(fresh.into_iter().map(|entry| Entry { merged: true, ..entry }));
        }
    }
    all.retain(|brought| own.iter().all(|entry| entry.key != brought.key));
    all.extend(own);
    all
}

fn scalar(text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>, span: &Span) -> Scalar {
    let style = match style {
        ScalarStyle::SingleQuoted => Style::Single,
        ScalarStyle::DoubleQuoted => Style::Double,
        ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
        _ => Style::Plain,
    };
    let is_text = style != Style::Plain || tag.is_some_and(|tag| tag.is_yaml_core_schema_tag("str"));
    let kind = if is_text { Kind::Text } else { plain_kind(&text) };
    let bytes = span.byte_range().unwrap_or_default();
    // The parser has a word for a value that is not there.
    let text = if style == Style::Plain && bytes.is_empty() { String::new() } else { text.into_owned() };
    Scalar { text, kind, style, bytes }
}

fn position(marker: &Marker) -> Position {
    Position { line: marker.line().max(1) as u32, column: marker.col() as u32 + 1 }
}

fn unreadable(error: &ScanError) -> YamlError {
    YamlError { at: position(error.marker()), said: error.info() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Node {
        let mut stream = Stream::read(text);
        assert_eq!(stream.error, None, "{text}");
        assert_eq!(stream.documents.len(), 1, "{text}");
        stream.documents.remove(0)
    }

    #[test]
    fn a_tree_knows_where_its_names_and_values_stand() {
        let tree = one("spec:\n  hooks:\n    - name: a\n      retries: 3\n    - {name: 'b'}\n");
        let hooks = tree.get("spec").unwrap().get("hooks").unwrap().list().unwrap();
        let places: Vec<_> =
            hooks[0].map().unwrap().iter().map(|e| (e.at.to_string(), e.node.at.to_string())).collect();
        assert_eq!(places, [("3:7".into(), "3:13".into()), ("4:7".into(), "4:16".into())]);
        assert_eq!(hooks[0].get("retries").unwrap().scalar().unwrap().kind, Kind::Whole);
        assert_eq!((hooks[1].text("name"), hooks[1].at), (Some("b"), Position { line: 5, column: 7 }));
    }

    #[test]
    fn documents_are_read_up_to_the_first_mistake_and_empty_ones_left_out() {
        let stream = Stream::read("---\n# nothing\n---\na: 1\n---\nb: 2\n---\nc: [\n");
        assert_eq!(stream.documents.len(), 2);
        assert!(stream.documents[1].get("b").is_some());
        assert_eq!(stream.error.unwrap().at.line, 8);
        assert!(Stream::read("").documents.is_empty());
    }

    #[test]
    fn aliases_and_merge_keys_are_filled_in_and_own_names_win() {
        let tree = one("base: &b {a: 1, b: 2}\nuse:\n  <<: *b\n  b: 3\nlist: [*b]\n");
        let of = |name: &str| tree.get("use").unwrap().get(name).unwrap().scalar().unwrap().text.clone();
        assert_eq!((of("a"), of("b")), ("1".into(), "3".into()));
        assert_eq!(tree.get("use").unwrap().map().unwrap().len(), 2);
        assert_eq!(tree.get("list").unwrap().list().unwrap()[0], *tree.get("base").unwrap());
    }

    #[test]
    fn aliases_that_stand_for_billions_end_the_reading() {
        let mut text = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for i in 1..12 {
            let items = vec![format!("*a{}", i - 1); 10].join(",");
            text.push_str(&format!("a{i}: &a{i} [{items}]\n"));
        }
        assert!(Stream::read(&text).error.unwrap().said.contains("more than"));
    }

    #[test]
    fn every_character_of_a_text_is_found_where_it_was_written() {
        // The text has an `@`, whose place is looked for.
        for (text, expected, why) in [
            ("k: a @b\n", "1:6", "plain"),
            ("k: a\n  b @c\n", "2:5", "plain over two lines"),
            ("k: 'it''s @'\n", "1:11", "single quotes with a quote in them"),
            (r#"k: "\x41\u0042 \n@" "#, "1:18", "double quotes with escapes"),
            ("k: \"a \\\n  @\"\n", "2:3", "double quotes over two lines"),
            ("k: |\n  a\n  b @\n", "3:5", "a block"),
            ("k: |2-\n    a\n\n    @\n", "4:5", "a block that begins with blanks"),
            ("k: >-\n  a\n  b\n\n  @ c\n", "5:3", "a folded block"),
            ("k: |-\r\n  a\r\n  @\r\n", "3:3", "line ends of Windows"),
            ("k: é é @\n", "1:8", "letters of more than one byte"),
        ] {
            let stream = Stream::read(text);
            let node = stream.documents[0].get("k").unwrap();
            let scalar = node.scalar().unwrap();
            let index = scalar.text.chars().position(|c| c == '@').unwrap();
            let places = stream.places(node.at, scalar);
            assert_eq!(places.len(), scalar.text.chars().count() + 1, "{why}");
            assert_eq!(places[index].to_string(), expected, "{why}");
        }
    }

    #[test]
    fn a_mapping_is_no_name_of_a_key() {
        let error = Stream::read("a: {{ b }}\n").error.unwrap();
        assert_eq!(error.to_string(), "1:5: a mapping stands where the name of a key is expected");
    }
}
