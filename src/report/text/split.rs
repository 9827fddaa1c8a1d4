//! Results told apart: a table for each way, the worst part first, and a sentence where one part stands out.

use super::page::{Page, Tone};
use crate::report::{Report, plain};
use crate::stats::number::{beyond, count, counted, share, time};
use crate::stats::{Code, Group, Outlier, Split};

/// Most rows of one table; the JSON report has them all.
const ROWS: usize = 12;
/// Columns of the numbers on the right of a name.
const NUMBERS: usize = 42;
/// Columns of the remark on their right.
const REMARK: usize = 11;

/// What the columns beside the name hold.
pub(in crate::report) const HEADINGS: [&str; 4] = ["requests", "succeeded", "p50", "p99"];

/// A table for each split.
pub(super) fn write(report: &Report<'_>, page: &mut Page) {
    for split in &report.summary.splits {
        if !split.parts.is_empty() {
            table(split, report, page);
        }
    }
}

fn table(split: &Split, report: &Report<'_>, page: &mut Page) {
    let heading = heading(split);
    let shown = if split.parts.len() > ROWS { ROWS - 1 } else { ROWS };
    let names: Vec<String> = split.parts.iter().take(shown).map(|part| plain(&part.name)).collect();
    let longest = names.iter().chain([&heading]).map(|name| name.chars().count()).max().unwrap_or(0);
    let wide = longest.min(page.columns() - NUMBERS - REMARK);
    let row = |name: &str, [n, ok, p50, p99]: [&str; 4]| {
        format!("{:<wide$}  {n:>9}  {ok:>9}  {p50:>8}  {p99:>8}", end_of(name, wide))
    };
    page.blank();
    let line = page.paint(Tone::Faint, &row(&heading, HEADINGS));
    page.line(&line);
    for (part, name) in split.parts.iter().zip(&names) {
        let line = row(name, cells(&part.group, report).each_ref().map(String::as_str));
        let why = page.paint(Tone::Faint, &mostly(&part.group));
        page.line(&format!("{line}  {why}"));
    }
    if let Some(left) = split.parts.len().checked_sub(shown).filter(|left| *left > 0) {
        let line = page.paint(
            Tone::Faint,
            &format!("and {} of {}: all are in the JSON report", counted(left as u64, "part"), split.parts.len()),
        );
        page.line(&line);
    }
    if let Some(outlier) = split.outlier() {
        page.blank();
        page.warning(&sentence(split, outlier));
    }
}

/// What the table is of.
pub(in crate::report) fn heading(split: &Split) -> String {
    format!("by {}", plain(split.of.as_deref().unwrap_or(split.by)))
}

/// Requests, successes, p50 and p99 of one part.
pub(in crate::report) fn cells(group: &Group, report: &Report<'_>) -> [String; 4] {
    let at = |q| match (group.timed(), group.latency(q)) {
        (0, _) => "–".to_owned(),
        (_, None) => beyond(report.facts.timeout),
        (_, Some(ns)) => time(ns as f64),
    };
    [count(group.finished), share(group.succeeded, group.finished), at(0.5), at(0.99)]
}

/// What a reader should not have to find in the table.
pub(in crate::report) fn sentence(split: &Split, Outlier { part, others: (failed, n) }: Outlier<'_>) -> String {
    let what = match (split.of.as_deref(), split.by) {
        (Some(name), _) if !name.starts_with("{{") => format!("{name} "),
        (None, "url") => String::new(),
        (_, by) => format!("{by} "),
    };
    let (group, name) = (&part.group, &part.name);
    format!("{what}{name} fails {}, the others {}", share(group.failed(), group.counted()), share(failed, n))
}

/// The most frequent thing that went wrong; nothing where all is well.
pub(in crate::report) fn mostly(group: &Group) -> String {
    if group.failed() == 0 {
        return String::new();
    }
    let faults = group.faults.iter().map(|(fault, n)| (*n, fault.name().to_owned()));
    // What has no status has a fault; what has one and is a failure is mostly none of the good ones.
    let codes = group.codes.iter().filter_map(|(code, n)| match code {
        Code::Http(status @ 400..) => Some((*n, status.to_string())),
        Code::Grpc(status @ 1..) => Some((*n, format!("grpc {status}"))),
        _ => None,
    });
    faults.chain(codes).max_by_key(|(n, _)| *n).map(|(_, name)| name).unwrap_or_default()
}

/// At most so many characters of a name, the last ones: they tell URLs apart.
fn end_of(name: &str, most: usize) -> String {
    let length = name.chars().count();
    if length <= most {
        name.to_owned()
    } else {
        ['…'].into_iter().chain(name.chars().skip(length - most + 1)).collect()
    }
}
