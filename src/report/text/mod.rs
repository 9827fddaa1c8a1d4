//! The report for a terminal: what was asked, what users felt, what went wrong, and the verdict as the last line.
//!
//! One label column on the left, one matter a block, and silence about everything that is as it should be.

pub(super) mod answers;
mod chart;
pub(super) mod header;
pub(super) mod latency;
pub(super) mod load;
pub(super) mod objective;
mod page;
mod primary;
pub(super) mod split;

use page::Page;

use super::Report;

/// How the text may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether ANSI colours may be used.
    pub color: bool,
    /// Columns of the terminal; the report uses 60 to 110 of them. A URL or an error longer than that is not cut.
    pub width: u16,
    /// Whether block characters and other signs beyond ASCII may be used.
    pub unicode: bool,
}

/// The whole report, each line ending in a newline. The last line is the verdict, or says that none was asked for.
#[must_use]
pub fn text(report: &Report<'_>, style: Style) -> String {
    let mut page = Page::new(style);
    header::write(report, &mut page);
    primary::write(report, &mut page);
    latency::write(report, &mut page);
    chart::write(report, &mut page);
    answers::write(report, &mut page);
    split::write(report, &mut page);
    load::write(report, &mut page);
    objective::write(report, &mut page);
    page.finish()
}
