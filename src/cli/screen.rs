//! Lines drawn over one another in place: as text for a terminal, written by whoever owns it.
//!
//! A frame is one piece of text, so that a terminal never shows half of one, and it overwrites instead of clearing first,
//! so that nothing flickers. Terminals that know synchronized output hold the picture until the frame is complete; others
//! ignore the two marks.

use crate::report::LiveLine;

/// Begin and end of a synchronized update.
const BEGIN: &str = "\x1b[?2026h";
const END: &str = "\x1b[?2026l";
/// Erases to the end of the line, and to the end of the screen.
const REST_OF_LINE: &str = "\x1b[K";
const REST_OF_SCREEN: &str = "\x1b[J";

/// What was drawn last.
#[derive(Debug, Default)]
pub(super) struct Screen {
    drawn: Vec<LiveLine>,
    width: u16,
}

impl Screen {
    /// What to write so that `lines` stand where the previous ones stood; nothing when they already do. `lines` must be
    /// narrower than `width`, the terminal's columns now.
    pub(super) fn frame(&mut self, lines: Vec<LiveLine>, width: u16) -> String {
        if lines == self.drawn && width == self.width {
            return String::new();
        }
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        let body = texts.join(&format!("{REST_OF_LINE}\r\n"));
        let frame = format!("{BEGIN}{}{body}{REST_OF_SCREEN}{END}", self.home(width));
        (self.drawn, self.width) = (lines, width);
        frame
    }

    /// What to write so that nothing is left of it; nothing when nothing was drawn.
    pub(super) fn cleared(&mut self, width: u16) -> String {
        if self.drawn.is_empty() {
            return String::new();
        }
        let text = format!("{}{REST_OF_SCREEN}", self.home(width));
        self.drawn.clear();
        text
    }

    /// Back to the first column of the first row drawn. Where the terminal has become narrower meanwhile it has broken
    /// the lines, and they take more rows now.
    fn home(&self, width: u16) -> String {
        let rows = |line: &LiveLine| line.columns.div_ceil(usize::from(width).max(1)).max(1);
        match self.drawn.iter().map(rows).sum::<usize>() {
            0 | 1 => "\r".to_owned(),
            rows => format!("\r\x1b[{}A", rows - 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(texts: &[&str]) -> Vec<LiveLine> {
        texts.iter().map(|text| LiveLine { text: (*text).to_owned(), columns: text.chars().count() }).collect()
    }

    #[test]
    fn a_frame_is_drawn_over_the_one_before_and_only_where_something_changed() {
        let mut screen = Screen::default();
        assert_eq!(screen.frame(lines(&["one", "two"]), 80), "\x1b[?2026h\rone\x1b[K\r\ntwo\x1b[J\x1b[?2026l");
        assert_eq!(screen.frame(lines(&["one", "two"]), 80), "", "nothing has changed");
        let shorter = screen.frame(lines(&["three"]), 80);
        assert_eq!(shorter, "\x1b[?2026h\r\x1b[1Athree\x1b[J\x1b[?2026l", "what stood below goes");
        assert_eq!(screen.cleared(80), "\r\x1b[J");
        assert_eq!(screen.cleared(80), "", "once");
    }

    #[test]
    fn in_a_terminal_made_narrower_broken_lines_count_as_the_rows_they_take() {
        let mut screen = Screen::default();
        screen.frame(lines(&["0123456789", "abc", ""]), 20);
        // Ten columns in four are three rows, and each of the others one: four rows up.
        let frame = screen.frame(lines(&["x"]), 4);
        assert!(frame.starts_with("\x1b[?2026h\r\x1b[4Ax"), "{frame:?}");
    }

    #[test]
    fn nothing_drawn_leaves_nothing_to_clear() {
        assert_eq!(Screen::default().cleared(80), "");
    }
}
