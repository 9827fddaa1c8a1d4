//! A report as GitHub's workflow commands, which it shows beside the lines of a pull request.

use super::finding::Report;
use super::rule::Severity;

/// One command for each finding.
#[must_use]
pub fn github(file: &str, report: &Report) -> String {
    let lines = report.findings.iter().map(|finding| {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let hook = finding.hook.as_ref().map_or_else(String::new, |hook| format!("{hook}: "));
        let help = finding.help.as_ref().map_or_else(String::new, |help| format!("\n{help}"));
        format!(
            "::{command} file={},line={},col={},title={}::{}\n",
            property(file),
            finding.at.line,
            finding.at.column,
            property(&format!("tollgate lint: {}", finding.rule)),
            message(&format!("{hook}{}{help}", finding.said))
        )
    });
    lines.collect()
}

/// Text after `::`.
fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Text between `=` and `,`.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}
