//! A report for people: each finding with its line, a caret, and what to do.

use std::fmt::Write as _;

use super::finding::{Finding, Report};
use super::migrate::Migration;
use super::rule::Severity;
use super::words::counted;

/// Most characters of a line that are shown.
const SHOWN: usize = 110;

/// How the text is to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether it may have colours.
    pub color: bool,
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn severity(self, severity: Severity, text: &str) -> String {
        let code = match severity {
            Severity::Error => "1;31",
            Severity::Warning => "1;33",
            Severity::Note => "1;36",
        };
        self.paint(code, text)
    }
}

/// All findings of one file; `source` is its text.
#[must_use]
pub fn text(file: &str, source: &str, report: &Report, style: Style) -> String {
    let lines: Vec<&str> = source.strip_prefix('\u{feff}').unwrap_or(source).lines().collect();
    report.findings.iter().map(|finding| one(file, &lines, finding, style)).collect()
}

fn one(file: &str, lines: &[&str], finding: &Finding, style: Style) -> String {
    let Finding { rule, severity, at, .. } = finding;
    let head = style.severity(*severity, &format!("{severity}[{rule}]"));
    let mut text = format!("{head}: {}\n", style.paint("1", &plain(&finding.said)));
    let number = at.line.to_string();
    let margin = " ".repeat(number.len());
    let bar = style.paint("2", "|");
    let of = match (&finding.hook, &finding.canary) {
        (Some(hook), Some(canary)) => format!(" hook {} of {}", plain(hook), plain(canary)),
        (None, Some(canary)) => format!(" {}", plain(canary)),
        _ => String::new(),
    };
    let _ = writeln!(text, "{margin}{} {}:{at}{of}", style.paint("2", "-->"), plain(file));
    if let Some(line) = lines.get(at.line as usize - 1) {
        let (shown, before) = cut(line, at.column as usize - 1);
        let caret = style.severity(*severity, "^");
        let _ = writeln!(
            text,
            "{margin} {bar}\n{} {bar} {shown}\n{margin} {bar} {}{caret}",
            style.paint("2", &number),
            " ".repeat(before)
        );
    }
    if let Some(help) = &finding.help {
        let _ = writeln!(text, "{margin} {} help: {}", style.paint("2", "="), plain(help));
    }
    text.push('\n');
    text
}

/// The part of a line around a character, and how many characters of it stand before that one.
fn cut(line: &str, column: usize) -> (String, usize) {
    let chars: Vec<char> = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let column = column.min(chars.len());
    if chars.len() <= SHOWN {
        return (chars.into_iter().collect::<String>().trim_end().to_owned(), column);
    }
    let from = column.saturating_sub(SHOWN / 2).min(chars.len() - SHOWN);
    let mut shown: String = chars[from..from + SHOWN].iter().collect();
    let mut before = column - from;
    if from > 0 {
        shown = format!("…{shown}");
        before += 1;
    }
    if from + SHOWN < chars.len() {
        shown.push('…');
    }
    (shown, before)
}

/// A text that cannot steer a terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The last line: how much was looked at, and what was found.
#[must_use]
pub fn summary(reports: &[Report], style: Style) -> String {
    let sum = |of: &dyn Fn(&Report) -> usize| reports.iter().map(of).sum::<usize>();
    let looked = format!(
        "{}, {}: ",
        counted(sum(&|report| report.canaries), "Canary", "Canaries"),
        counted(sum(&|report| report.hooks), "hook", "hooks")
    );
    let kinds = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")];
    let found: Vec<String> = kinds
        .iter()
        .map(|(severity, name)| (sum(&|report| report.count(*severity)), *severity, *name))
        .filter(|(count, ..)| *count > 0)
        .map(|(count, severity, name)| style.severity(severity, &counted(count, name, &format!("{name}s"))))
        .collect();
    looked + &if found.is_empty() { "nothing found".to_owned() } else { found.join(", ") } + "\n"
}

/// What changes for the hooks of one file.
#[must_use]
pub fn migration(file: &str, migration: &Migration, style: Style) -> String {
    let mut text = String::new();
    for change in &migration.changes {
        let name = style.paint("1", &plain(&change.hook));
        let _ = writeln!(text, "{name} ({}) of {}  {}:{}", change.kind, plain(&change.canary), plain(file), change.at);
        let _ = writeln!(text, "  loadtester  {}", plain(&change.old));
        let _ = writeln!(text, "  tollgate    {}", plain(&change.new));
        if let Some(help) = &change.help {
            let _ = writeln!(text, "  what to do  {}", plain(help));
        }
        text.push('\n');
    }
    let (changed, same, elsewhere) = (migration.changes.len(), migration.same, migration.elsewhere);
    let answered = |count: usize| counted(count, "is answered", "are answered");
    let _ = writeln!(
        text,
        "{}: {} differently, {} as before, {} somebody else",
        counted(migration.total(), "hook", "hooks"),
        answered(changed),
        answered(same),
        counted(elsewhere, "asks", "ask"),
    );
    if migration.tells_more > 0 {
        let hooks = counted(migration.tells_more, "hook fails", "hooks fail");
        let _ = writeln!(
            text,
            "{hooks} with 412 in place of 500: Flagger shows why, and does not repeat the call whatever retries says"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_around_its_character() {
        let line = format!("{}@{}", "a".repeat(200), "b".repeat(200));
        for (line, column, starts, ends) in
            [(line.as_str(), 200, true, true), (line.as_str(), 3, false, true), ("short\t@", 6, false, false)]
        {
            let (shown, before) = cut(line, column);
            let expected = line.chars().nth(column);
            assert_eq!(shown.chars().nth(before), expected, "{shown}");
            assert_eq!((shown.starts_with('…'), shown.ends_with('…')), (starts, ends));
            assert!(shown.chars().count() <= SHOWN + 2);
        }
    }
}
