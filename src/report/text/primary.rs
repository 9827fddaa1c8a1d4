//! The release in service, beside which the other one was loaded: how much of it came back. Its latencies stand in the
//! table with the canary's.

use super::page::{Page, Tone};
use crate::report::{Report, plain};
use crate::stats::number::{count, share};

/// The label of its rows.
pub(super) const PRIMARY: &str = "primary";

/// The totals, and the first error.
pub(super) fn write(report: &Report<'_>, page: &mut Page) {
    let (Some(primary), Some(url)) = (report.primary, report.facts.primary.as_deref()) else { return };
    let totals = if primary.finished == 0 {
        "none finished".to_owned()
    } else {
        format!("{}   {} succeeded", count(primary.finished), share(primary.succeeded, primary.finished))
    };
    let url = page.paint(Tone::Faint, &plain(url));
    page.row(PRIMARY, &format!("{totals}   {url}"));
    if let Some(error) = &primary.first_error {
        page.paragraph("", Tone::Faint, error);
    }
}
