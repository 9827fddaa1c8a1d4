//! Texts with values to put in: `{{name}}` for one that is known or was captured, `{{env.NAME}}` for one of the
//! environment. What is drawn anew for each request, such as `{{uuid}}`, is left to those who draw.

use std::collections::BTreeMap;

use super::fields::Notes;
use super::mistake::{Mistake, shown};
use super::names::Names;
use crate::yaml::{Node, Position};

/// Values by name; those of the environment begin with `env.`.
pub type Values = BTreeMap<String, String>;

/// A text as written, read once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// Where it begins.
    pub(super) at: Position,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Plain(String),
    /// `{{` itself.
    Braces,
    /// Something that is drawn, braces included.
    Drawn(String),
    /// A value.
    Value(String),
}

/// What becomes of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It is sent, and values may be drawn in it.
    Drawn,
    /// It is taken as it is.
    Plain,
}

impl Text {
    /// Reads a text. Names that have no value here are noted.
    pub(super) fn read(
        node: &Node,
        text: &str,
        path: &str,
        used: Use,
        names: &Names<'_>,
        notes: &mut Notes<'_>,
    ) -> Self {
        let mut read = Self { at: node.at, pieces: Vec::new() };
        let mut rest = text;
        while let Some(open) = rest.find("{{") {
            read.plain(&rest[..open]);
            let begins = text.len() - rest.len() + open;
            if rest[open..].starts_with("{{{{") {
                read.pieces.push(Piece::Braces);
                rest = &rest[open + 4..];
                continue;
            }
            let at = || place(node, text, begins, notes.stream);
            let Some(close) = rest[open..].find("}}").map(|at| open + at) else {
                let said = format!("{path}: the {{{{ is never closed: }}}} is missing");
                let at = at();
                notes.add(Mistake::new(at, said).advise("for {{ itself write {{{{"));
                return read;
            };
            let (inside, whole) = (rest[open + 2..close].trim(), &rest[open..close + 2]);
            match names.find(inside) {
                Ok(()) => read.pieces.push(Piece::Value(inside.to_owned())),
                Err(_) if used == Use::Drawn && is_drawn(inside, text) => {
                    read.pieces.push(Piece::Drawn(whole.to_owned()));
                }
                Err(unknown) => {
                    let said = format!("{path}: {{{{{}}}}}: {}", shown(inside), unknown.said);
                    let at = at();
                    notes.add(Mistake { at, said, advice: Some(unknown.advice) });
                }
            }
            rest = &rest[close + 2..];
        }
        read.plain(rest);
        read
    }

    /// A text in which nothing is put in.
    pub(super) fn fixed(at: Position, text: &str) -> Self {
        let mut read = Self { at, pieces: Vec::new() };
        read.plain(text);
        read
    }

    fn plain(&mut self, text: &str) {
        if !text.is_empty() {
            self.pieces.push(Piece::Plain(text.to_owned()));
        }
    }

    /// The same with another before it.
    pub(super) fn after(&self, other: &Self) -> Self {
        Self { at: self.at, pieces: other.pieces.iter().chain(&self.pieces).cloned().collect() }
    }

    /// The names of the values in it.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| if let Piece::Value(name) = piece { Some(name.as_str()) } else { None })
    }

    /// Whether it begins with this.
    pub(super) fn starts_with(&self, start: &str) -> bool {
        matches!(self.pieces.first(), Some(Piece::Plain(text)) if text.starts_with(start))
    }

    /// As it was written.
    pub(super) fn written(&self) -> String {
        self.pieces.iter().fold(String::new(), |text, piece| match piece {
            Piece::Plain(piece) | Piece::Drawn(piece) => text + piece,
            Piece::Braces => text + "{{{{",
            Piece::Value(name) => text + "{{" + name + "}}",
        })
    }

    /// The text with its values, for those who draw the rest: what a value has of braces is only text.
    pub(super) fn to_draw(&self, values: &Values) -> String {
        self.made(values, |value| value.replace("{{", "{{{{"), "{{{{")
    }

    /// The text with its values.
    pub(super) fn filled(&self, values: &Values) -> String {
        self.made(values, str::to_owned, "{{")
    }

    /// The text as a regular expression, in which values stand for themselves.
    pub(super) fn pattern(&self, values: &Values) -> String {
        self.made(values, regex::escape, "{{")
    }

    fn made(&self, values: &Values, value: impl Fn(&str) -> String, braces: &str) -> String {
        self.pieces.iter().fold(String::new(), |text, piece| match piece {
            Piece::Plain(piece) | Piece::Drawn(piece) => text + piece,
            Piece::Braces => text + braces,
            Piece::Value(name) => text + &value(values.get(name).map_or("", String::as_str)),
        })
    }
}

/// Whether what stands between braces is drawn: a kind that takes something, the two that need nothing, or the name that
/// another value of the same text has.
fn is_drawn(inside: &str, text: &str) -> bool {
    let kind = inside.split_once('=').map_or(inside, |(_, source)| source.trim());
    let word = kind.split(':').next().unwrap_or_default().trim();
    matches!(word, "pick" | "range" | "counter" | "uuid")
        || !inside.is_empty() && (text.contains(&format!("{{{{{inside}=")) || text.contains(&format!("{{{{ {inside}=")))
}

/// Where a byte of a scalar stands in the file.
fn place(node: &Node, text: &str, byte: usize, stream: &crate::yaml::Stream<'_>) -> Position {
    let Some(scalar) = node.scalar() else { return node.at };
    let places = stream.places(node.at, scalar);
    // A text of several lines may be a part of the scalar.
    let before = scalar.text.find(text).map_or(0, |start| scalar.text[..start].chars().count());
    places.get(before + text[..byte].chars().count()).copied().unwrap_or(node.at)
}
