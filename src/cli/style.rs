//! What a standard stream can show.

use std::io::IsTerminal;
use std::os::fd::AsFd;

use crate::report::Style;

/// How `stream` wants its text: colours only on a terminal, and not where `NO_COLOR` is set (no-color.org).
pub(super) fn style(stream: &(impl AsFd + IsTerminal), no_color: bool) -> Style {
    let terminal = stream.is_terminal();
    let wants_none = no_color || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let width = size(stream).filter(|_| terminal).map_or(80, |(columns, _)| columns);
    Style { color: terminal && !wants_none && !dumb, width, unicode: !dumb }
}

/// Columns and rows of the terminal behind `stream`, if it says.
pub(super) fn size(stream: &impl AsFd) -> Option<(u16, u16)> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
}
