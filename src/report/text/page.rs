//! A page of text: a label column, wrapped paragraphs, colours that vanish, signs that have an ASCII form.

use super::Style;
use crate::report::plain;
pub(super) use crate::report::tone::Tone;
use crate::report::tone::ascii;

/// Columns of the label on the left, the gap included.
const GUTTER: usize = 13;

/// Lines in the making.
#[derive(Debug)]
pub(super) struct Page {
    style: Style,
    text: String,
}

impl Page {
    /// An empty page.
    pub(super) fn new(style: Style) -> Self {
        Self { style, text: String::new() }
    }

    /// Columns of a whole line.
    pub(super) fn columns(&self) -> usize {
        usize::from(self.style.width).clamp(60, 110)
    }

    /// Columns right of the label column.
    pub(super) fn room(&self) -> usize {
        self.columns() - GUTTER
    }

    /// Whether signs beyond ASCII may be used.
    pub(super) fn unicode(&self) -> bool {
        self.style.unicode
    }

    /// `text` in its colour, if colours are allowed. Colours take no columns: pad first.
    pub(super) fn paint(&self, tone: Tone, text: &str) -> String {
        tone.paint(self.style.color, text)
    }

    /// An empty line, unless there is one already or nothing before it.
    pub(super) fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// A line without label, as it is.
    pub(super) fn line(&mut self, content: &str) {
        self.text.push_str(content.trim_end());
        self.text.push('\n');
    }

    /// A line with its label; an empty label continues the line above.
    pub(super) fn row(&mut self, label: &str, content: &str) {
        let label = self.paint(Tone::Faint, &format!("{label:GUTTER$}"));
        self.line(&format!("{label}{content}"));
    }

    /// Short pieces side by side, on as many lines as they need.
    pub(super) fn parts(&mut self, label: &str, parts: &[(Tone, String)]) {
        const GAP: &str = "   ";
        let (mut label, mut line, mut columns) = (label, String::new(), 0);
        for (tone, part) in parts {
            let wide = part.chars().count();
            if columns > 0 && columns + GAP.len() + wide > self.room() {
                self.row(label, &line);
                (label, line, columns) = ("", String::new(), 0);
            }
            if columns > 0 {
                line.push_str(GAP);
                columns += GAP.len();
            }
            line.push_str(&self.paint(*tone, part));
            columns += wide;
        }
        self.row(label, &line);
    }

    /// A paragraph in one tone, wrapped into the room right of the label.
    pub(super) fn paragraph(&mut self, label: &str, tone: Tone, text: &str) {
        for (number, line) in wrap(&plain(text), self.room()).iter().enumerate() {
            let line = self.paint(tone, line);
            self.row(if number == 0 { label } else { "" }, &line);
        }
    }

    /// Something that should not be overlooked: a wrapped paragraph with a sign before it.
    pub(super) fn warning(&mut self, text: &str) {
        for (number, line) in wrap(&plain(text), self.room()).iter().enumerate() {
            let sign = if number == 0 { "!" } else { "" };
            let line = self.paint(Tone::Warn, &format!("{sign:>11}  {line}"));
            self.line(&line);
        }
    }

    /// The text, in ASCII where nothing else is allowed.
    pub(super) fn finish(self) -> String {
        if self.style.unicode { self.text } else { self.text.chars().map(ascii).collect() }
    }
}

/// Words in lines of at most `room` characters; a longer word has a line of its own.
fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARE: Style = Style { color: false, width: 60, unicode: false };

    #[test]
    fn words_wrap_and_a_long_one_stands_alone() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a http://very.long/url b", 6), ["a", "http://very.long/url", "b"]);
        assert_eq!(wrap("  ", 6), Vec::<String>::new());
    }

    #[test]
    fn parts_go_on_a_second_line_when_the_first_is_full() {
        let mut page = Page::new(BARE);
        page.parts("sizes", &[20, 20, 5].map(|n| (Tone::Plain, "x".repeat(n))));
        page.parts("more", &[24, 24].map(|n| (Tone::Plain, "y".repeat(n))));
        let (x, y) = ("x".repeat(20), "y".repeat(24));
        assert_eq!(
            page.finish(),
            format!("sizes        {x}   {x}\n             xxxxx\nmore         {y}\n             {y}\n")
        );
    }

    #[test]
    fn colours_appear_only_where_allowed_and_never_on_blanks() {
        let mut page = Page::new(Style { color: true, ..BARE });
        page.row("label", &page.paint(Tone::Bad, "text"));
        assert_eq!(page.text, "\x1b[2mlabel        \x1b[0m\x1b[31mtext\x1b[0m\n");
        assert_eq!(page.paint(Tone::Bad, "  "), "  ");
        assert_eq!(Page::new(BARE).paint(Tone::Bad, "text"), "text");
    }

    #[test]
    fn without_unicode_every_character_is_ascii() {
        let mut page = Page::new(BARE);
        page.row("≤", "340µs – 12× … ✓");
        assert_eq!(page.finish(), "<            340us - 12x . ?\n");
    }

    #[test]
    fn what_comes_from_outside_cannot_steer_the_terminal() {
        let mut page = Page::new(BARE);
        page.paragraph("error", Tone::Plain, "bad\x1b[2Jbytes\nand \u{202e}more");
        assert_eq!(page.finish(), "error        bad [2Jbytes and more\n");
    }
}
