//! Results told apart, a table for each way.

use maud::{Markup, html};

use crate::report::text::split::{HEADINGS, cells, heading, mostly, sentence};
use crate::report::{Report, plain};

/// The tables, with a sentence where one part stands out.
pub(super) fn write(report: &Report<'_>) -> Markup {
    html! {
        @for split in report.summary.splits.iter().filter(|split| !split.parts.is_empty()) {
            section {
                h2 { "Results " (heading(split)) }
                @if let Some(outlier) = split.outlier() { p class="bad" { (plain(&sentence(split, outlier))) } }
                div class="wide" {
                    table {
                        thead {
                            tr {
                                th { (plain(split.of.as_deref().unwrap_or(split.by))) }
                                @for heading in HEADINGS { th class="n" { (heading) } }
                                th { "mostly" }
                            }
                        }
                        tbody {
                            @for part in &split.parts {
                                tr {
                                    th { code { (plain(&part.name)) } }
                                    @for cell in cells(&part.group, report) { td class="n" { (cell) } }
                                    td class="soft" { (mostly(&part.group)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
