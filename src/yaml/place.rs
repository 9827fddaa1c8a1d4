//! Where the characters of a scalar stand in the stream.
//!
//! A mistake is found at a character of a text; the text may be quoted, folded over lines or indented in a block. The text
//! is laid beside what was written, blanks and line ends aside, which are what YAML changes.

use super::node::{Position, Style};

/// Reads what was written, a character at a time.
struct Cursor<'a> {
    rest: &'a str,
    at: Position,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn step(&mut self) {
        let Some(c) = self.peek() else { return };
        self.rest = &self.rest[c.len_utf8()..];
        if c == '\n' {
            self.at = Position { line: self.at.line + 1, column: 1 };
        } else {
            self.at.column += 1;
        }
    }

    fn blanks(&mut self, style: Style) {
        loop {
            match self.peek() {
                Some(c) if c.is_whitespace() => self.step(),
                // A line that goes on in the next one.
                Some('\\') if style == Style::Double && self.rest[1..].starts_with(['\n', '\r']) => self.step(),
                _ => return,
            }
        }
    }

    /// Passes over an escape.
    fn escape(&mut self) {
        let length = match self.rest[1..].chars().next() {
            Some('x') => 4,
            Some('u') => 6,
            Some('U') => 10,
            _ => 2,
        };
        (0..length).for_each(|_| self.step());
    }
}

/// The place of each character of `value`, and of what would follow it; `written` is how it stands in the stream, from `at`.
pub(super) fn places(written: &str, at: Position, style: Style, value: &str) -> Vec<Position> {
    let mut cursor = Cursor { rest: written, at };
    match style {
        Style::Block if written.starts_with(['|', '>']) => {
            while cursor.peek().is_some_and(|c| c != '\n') {
                cursor.step();
            }
            cursor.step();
            cursor.blanks(style);
        }
        Style::Single | Style::Double if written.starts_with(['\'', '"']) => cursor.step(),
        _ => {}
    }
    let mut places = Vec::with_capacity(value.len() + 1);
    for c in value.chars() {
        let escaped = style == Style::Double && cursor.peek() == Some('\\');
        let folded = !escaped || cursor.rest[1..].starts_with(['\n', '\r']);
        if c.is_whitespace() && folded {
            places.push(cursor.at);
            if cursor.peek().is_some_and(char::is_whitespace) {
                cursor.step();
            }
            continue;
        }
        if !c.is_whitespace() {
            cursor.blanks(style);
        }
        places.push(cursor.at);
        match cursor.peek() {
            Some('\\') if style == Style::Double => cursor.escape(),
            Some('\'') if style == Style::Single && cursor.rest.starts_with("''") => {
                cursor.step();
                cursor.step();
            }
            Some(there) if there == c => cursor.step(),
            _ => {}
        }
    }
    places.push(cursor.at);
    places
}
