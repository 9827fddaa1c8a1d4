//! Reports for programs.

use serde_json::{Value, json};

use super::finding::{Finding, Report};
use super::migrate::Migration;
use super::rule::Severity;

/// All reports as one document; each with the name of its file.
#[must_use]
pub fn json(reports: &[(String, Report)]) -> Value {
    let sum = |of: &dyn Fn(&Report) -> usize| reports.iter().map(|(_, report)| of(report)).sum::<usize>();
    let findings =
        reports.iter().flat_map(|(file, report)| report.findings.iter().map(move |finding| one(file, finding)));
    json!({
        "files": reports.len(),
        "canaries": sum(&|report| report.canaries),
        "hooks": sum(&|report| report.hooks),
        "errors": sum(&|report| report.count(Severity::Error)),
        "warnings": sum(&|report| report.count(Severity::Warning)),
        "notes": sum(&|report| report.count(Severity::Note)),
        "findings": findings.collect::<Vec<_>>(),
    })
}

fn one(file: &str, finding: &Finding) -> Value {
    json!({
        "rule": finding.rule.id(),
        "severity": finding.severity.to_string(),
        "file": file,
        "line": finding.at.line,
        "column": finding.at.column,
        "canary": finding.canary,
        "hook": finding.hook,
        "message": finding.said,
        "help": finding.help,
    })
}

/// What changes for the hooks of one file.
#[must_use]
pub fn migration_json(migration: &Migration) -> Value {
    let changes = migration.changes.iter().map(|change| {
        json!({
            "line": change.at.line,
            "column": change.at.column,
            "canary": change.canary,
            "hook": change.hook,
            "type": change.kind.name(),
            "loadtester": change.old,
            "tollgate": change.new,
            "help": change.help,
        })
    });
    json!({
        "same": migration.same,
        "elsewhere": migration.elsewhere,
        "tells_more": migration.tells_more,
        "changes": changes.collect::<Vec<_>>(),
    })
}
