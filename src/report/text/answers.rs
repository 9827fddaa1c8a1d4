//! What came back: statuses, and what went wrong in words.

use super::page::{Page, Tone};
use crate::report::Facts;
use crate::report::Report;
use crate::stats::number::{count, share, span};
use crate::stats::{Code, Fault, Summary, grpc_name};

/// Most statuses listed one by one.
const MOST_CODES: usize = 8;

/// Status rows, fault rows, what servers said and the first error.
pub(super) fn write(report: &Report<'_>, page: &mut Page) {
    let summary = report.summary;
    if summary.finished == 0 && summary.first_error.is_none() {
        return;
    }
    page.blank();
    let mut label = "status";
    for (name, n, why) in statuses(summary) {
        let line = format!("{name:<10}{:>8}  {:>7}", count(n), share(n, summary.finished));
        let why = page.paint(Tone::Faint, &why);
        page.row(label, &format!("{line}   {why}"));
        label = "";
    }
    label = "faults";
    for fault in Fault::ALL {
        let Some(n) = summary.faults.get(&fault).copied().filter(|n| *n > 0) else { continue };
        let line = format!("{:<10}{:>8}  {:>7}", fault.name(), count(n), share(n, summary.finished));
        let line = page.paint(Tone::Bad, &line);
        let why = page.paint(Tone::Faint, &in_words(fault, report.facts));
        page.row(label, &format!("{line}   {why}"));
        label = "";
    }
    for (status, words) in said(summary) {
        page.paragraph("grpc said", Tone::Faint, &format!("{status}: {words}"));
    }
    if let Some(error) = &summary.first_error {
        page.paragraph("first error", Tone::Faint, error);
    }
}

/// Rows of the status table: name, requests, remark. The most frequent first, the rare ones together.
pub(in crate::report) fn statuses(summary: &Summary) -> Vec<(String, u64, String)> {
    let mut codes: Vec<(Code, u64)> =
        summary.codes.iter().map(|(code, n)| (*code, *n)).filter(|(_, n)| *n > 0).collect();
    codes.sort_by_key(|(code, n)| (std::cmp::Reverse(*n), *code));
    let rest = codes.split_off(codes.len().min(MOST_CODES));
    let mut rows: Vec<_> = codes
        .into_iter()
        .map(|(code, n)| match code {
            Code::None => ("none".to_owned(), n, "no status arrived".to_owned()),
            Code::Http(status) => (status.to_string(), n, String::new()),
            Code::Grpc(status) => (format!("grpc {status}"), n, grpc_name(status).to_owned()),
        })
        .collect();
    if !rest.is_empty() {
        let n = rest.iter().map(|(_, n)| n).sum();
        rows.push(("others".to_owned(), n, format!("{} further statuses", rest.len())));
    }
    rows
}

/// Names of gRPC statuses and what servers said with them.
pub(in crate::report) fn said(summary: &Summary) -> impl Iterator<Item = (&'static str, &str)> {
    summary.said.iter().filter_map(|(code, words)| match code {
        Code::Grpc(status) => Some((grpc_name(status), words)),
        Code::None | Code::Http(_) => None,
    })
}

/// What a fault means to someone who meets it for the first time.
pub(in crate::report) fn in_words(fault: Fault, facts: &Facts) -> String {
    match (fault, facts.timeout) {
        (Fault::Timeout, Some(limit)) => format!("no complete answer within {}", span(limit)),
        _ => fault.in_words().to_owned(),
    }
}
