//! A reading position in the text, and the few tokens of the language.

use super::error::ParseError;

/// Where reading has got to.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    /// Offset in bytes, always at a character's beginning.
    pos: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, pos: 0 }
    }

    /// A mark to point an error at.
    pub(super) const fn pos(&self) -> usize {
        self.pos
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.pos..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) const fn at_end(&self) -> bool {
        self.pos >= self.text.len()
    }

    /// Takes `token` if it comes next.
    pub(super) fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.pos += token.len();
        }
        found
    }

    /// Takes characters while `wanted` holds; perhaps none.
    pub(super) fn take(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = rest.find(|c| !wanted(c)).map_or(rest, |end| &rest[..end]);
        self.pos += taken.len();
        taken
    }

    /// Skips white space within a clause.
    pub(super) fn skip_blank(&mut self) {
        self.take(|c| c.is_whitespace() && c != '\n');
    }

    /// Takes `digits[.digits]`, or nothing.
    pub(super) fn number(&mut self) -> &'a str {
        let start = self.pos;
        if self.take(|c| c.is_ascii_digit()).is_empty() {
            return "";
        }
        let whole = self.pos;
        if self.eat(".") && self.take(|c| c.is_ascii_digit()).is_empty() {
            self.pos = whole;
        }
        &self.text[start..self.pos]
    }

    /// Whether a separator or the end comes next.
    pub(super) fn at_separator(&self) -> bool {
        self.rest().starts_with("&&") || matches!(self.peek(), None | Some(',' | ';' | '\n'))
    }

    /// Takes one separator with the white space and line ends around it.
    pub(super) fn separator(&mut self) {
        self.take(char::is_whitespace);
        let _ = self.eat(",") || self.eat(";") || self.eat("&&");
        self.take(char::is_whitespace);
    }

    /// Goes on at the separator that ends the clause begun at `start`, so that later mistakes are found too.
    pub(super) fn resynchronise(&mut self, start: usize) {
        self.pos = start;
        let (mut braces, mut parens, mut quoted) = (0_u32, 0_u32, false);
        while let Some(c) = self.peek() {
            match c {
                '\n' => break,
                '\'' if parens > 0 => quoted = !quoted,
                _ if quoted => {}
                '{' => braces += 1,
                '}' => braces = braces.saturating_sub(1),
                '(' => parens += 1,
                ')' => parens = parens.saturating_sub(1),
                _ if braces + parens == 0 && self.at_separator() => break,
                _ => {}
            }
            self.pos += c.len_utf8();
        }
    }

    /// What comes next, in quotes, for an error message.
    pub(super) fn found(&self) -> String {
        let mut ahead = *self;
        let word = ahead.take(is_word);
        match (word, self.peek()) {
            ("", None) => "the end".to_owned(),
            ("", Some(c)) => format!("'{c}'"),
            (word, _) => quoted(word),
        }
    }

    /// An error at the mark `pos`.
    pub(super) fn error_at(&self, pos: usize, message: impl Into<String>) -> ParseError {
        ParseError { column: self.text[..pos].chars().count() + 1, message: message.into() }
    }

    /// An error right here.
    pub(super) fn error(&self, message: impl Into<String>) -> ParseError {
        self.error_at(self.pos, message)
    }
}

/// Whether a character belongs to a name.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '|')
}

/// A word in quotes, cut where it is very long.
pub(super) fn quoted(word: &str) -> String {
    match word.char_indices().nth(40) {
        Some((end, _)) => format!("'{}…'", &word[..end]),
        None => format!("'{word}'"),
    }
}
