//! The tree: texts, lists and mappings, each with its place.

use std::fmt;
use std::ops::Range;

/// A place in a file. The order is that of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line; the first is 1.
    pub line: u32,
    /// The column in characters; the first is 1.
    pub column: u32,
}

/// The beginning of a file.
impl Default for Position {
    fn default() -> Self {
        Self { line: 1, column: 1 }
    }
}

/// `line:column`, as compilers write it.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl Position {
    /// Writes a mistake here: `line:column: what is wrong; what to do`.
    pub(crate) fn tell(self, f: &mut fmt::Formatter<'_>, said: &str, advice: Option<&str>) -> fmt::Result {
        write!(f, "{self}: {said}")?;
        advice.map_or(Ok(()), |advice| write!(f, "; {advice}"))
    }
}

/// A value and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it begins. What an alias stands for is where it was written.
    pub at: Position,
    /// What it is.
    pub value: Value,
}

/// What stands at a place.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text, a number, a switch, or nothing.
    Scalar(Scalar),
    /// Values in a row.
    List(Vec<Node>),
    /// Values under names, in the order of the text; a name may stand more than once, and the last one counts.
    Map(Vec<Entry>),
}

/// A name and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The name.
    pub key: String,
    /// Where the name stands.
    pub at: Position,
    /// Whether it was brought in by `<<`; names of the mapping's own win.
    pub merged: bool,
    /// The value.
    pub node: Node,
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Without quotes.
    Plain,
    /// In single quotes.
    Single,
    /// In double quotes.
    Double,
    /// In a block, `|` or `>`.
    Block,
}

/// A value that is neither a list nor a mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Scalar {
    /// The text, escapes and folding undone.
    pub text: String,
    /// What it is to a program.
    pub kind: Kind,
    pub(super) style: Style,
    /// The bytes of the stream it was written with.
    pub(super) bytes: Range<usize>,
}

/// What a scalar is to a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A whole number.
    Whole,
    /// A number with a fraction or an exponent, or none that can be written in full.
    Number,
    /// True or false.
    Switch,
    /// Nothing at all, `~` or `null`.
    Nothing,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "a text",
            Self::Whole | Self::Number => "a number",
            Self::Switch => "true or false",
            Self::Nothing => "nothing",
        })
    }
}

impl Node {
    /// The scalar, if it is one.
    #[must_use]
    pub const fn scalar(&self) -> Option<&Scalar> {
        if let Value::Scalar(scalar) = &self.value { Some(scalar) } else { None }
    }

    /// The entries, if it is a mapping.
    #[must_use]
    pub fn map(&self) -> Option<&[Entry]> {
        if let Value::Map(entries) = &self.value { Some(entries) } else { None }
    }

    /// The values, if it is a list.
    #[must_use]
    pub fn list(&self) -> Option<&[Self]> {
        if let Value::List(items) = &self.value { Some(items) } else { None }
    }

    /// Whether nothing stands here.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.scalar().is_some_and(|scalar| scalar.kind == Kind::Nothing)
    }

    /// The value under a name; `None` where this is no mapping or has no such name. The last one counts.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.map()?.iter().rev().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// The text under a name; `None` where there is no text.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.scalar().filter(|scalar| scalar.kind == Kind::Text).map(|scalar| scalar.text.as_str())
    }

    /// What it is, for messages.
    #[must_use]
    pub fn what(&self) -> String {
        match &self.value {
            Value::Scalar(scalar) => scalar.kind.to_string(),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a mapping".to_owned(),
        }
    }

    /// All scalars below, itself included, in the order of the text.
    #[must_use]
    pub fn scalars(&self) -> Vec<(&Self, &Scalar)> {
        let (mut found, mut open) = (Vec::new(), vec![self]);
        while let Some(node) = open.pop() {
            match &node.value {
                Value::Scalar(scalar) => found.push((node, scalar)),
                Value::List(items) => open.extend(items.iter().rev()),
                Value::Map(entries) => open.extend(entries.iter().rev().map(|entry| &entry.node)),
            }
        }
        found
    }
}

/// What a plain scalar is, as YAML 1.1 has it and `kubectl` reads it.
pub(super) fn plain_kind(text: &str) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Kind::Nothing,
        "y" | "Y" | "yes" | "Yes" | "YES" | "n" | "N" | "no" | "No" | "NO" | "true" | "True" | "TRUE" | "false"
        | "False" | "FALSE" | "on" | "On" | "ON" | "off" | "Off" | "OFF" => return Kind::Switch,
        ".nan" | ".NaN" | ".NAN" => return Kind::Number,
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(digits, ".inf" | ".Inf" | ".INF") {
        return Kind::Number;
    }
    let based = [("0x", 16), ("0X", 16), ("0b", 2), ("0B", 2), ("0o", 8), ("0O", 8)];
    for (prefix, radix) in based {
        if let Some(rest) = digits.strip_prefix(prefix) {
            let whole = !rest.is_empty() && rest.chars().all(|c| c == '_' || c.is_digit(radix));
            return if whole { Kind::Whole } else { Kind::Text };
        }
    }
    let starts = digits.starts_with(|c: char| c.is_ascii_digit());
    if starts && digits.chars().all(|c| c == '_' || c.is_ascii_digit()) {
        return Kind::Whole;
    }
    let numeric = digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '-' | '+' | '_'));
    let begins = starts || digits.strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if numeric && begins && digits.replace('_', "").parse::<f64>().is_ok() { Kind::Number } else { Kind::Text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_plain_word_is_follows_what_kubectl_makes_of_it() {
        for (text, kind, why) in [
            ("podinfo", Kind::Text, "a word"),
            ("5s", Kind::Text, "a number with a unit"),
            ("5", Kind::Whole, "a number"),
            ("-5", Kind::Whole, "below zero"),
            ("1_000", Kind::Whole, "digits in groups"),
            ("0x1F", Kind::Whole, "hexadecimal"),
            ("0xg", Kind::Text, "no digit"),
            ("010", Kind::Whole, "octal"),
            ("1.5", Kind::Number, "a fraction"),
            ("1e3", Kind::Number, "an exponent"),
            (".5", Kind::Number, "a fraction alone"),
            (".inf", Kind::Number, "without end"),
            ("1.2.3", Kind::Text, "a version"),
            ("1-2", Kind::Text, "a range"),
            ("e3", Kind::Text, "no digit before the exponent"),
            ("true", Kind::Switch, "a switch"),
            ("on", Kind::Switch, "a switch of YAML 1.1"),
            ("No", Kind::Switch, "a switch of YAML 1.1"),
            ("", Kind::Nothing, "nothing"),
            ("~", Kind::Nothing, "nothing by name"),
            ("10.0.0.1", Kind::Text, "an address"),
        ] {
            assert_eq!(plain_kind(text), kind, "{text}: {why}");
        }
    }
}
