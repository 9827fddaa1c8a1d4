//! The course of a run for spreadsheets and plots: a row a second.

use super::Report;
use crate::stats::Second;

/// The columns, each with its unit in its name.
const COLUMNS: [&str; 7] = [
    "at_seconds",
    "finished_requests",
    "succeeded_requests",
    "failed_requests",
    "latency_p50_ms",
    "latency_p99_ms",
    "latency_max_ms",
];

/// A row for each second of the run as RFC 4180 has it: a heading, commas, lines that end in CR LF.
///
/// Only numbers stand in it, so that nothing needs quotes. `at_seconds` counts from the judged part's start and is
/// negative in the warm-up. A time that does not exist, because nothing succeeded in that second, is empty.
#[must_use]
pub fn csv(report: &Report<'_>) -> String {
    let rows = report.summary.seconds.iter().map(row);
    std::iter::once(COLUMNS.map(str::to_owned)).chain(rows).map(|row| row.join(",") + "\r\n").collect()
}

fn row(second: &Second) -> [String; 7] {
    let ms =
        |time: Option<u64>| time.map_or_else(String::new, |ns| format!("{}.{:06}", ns / 1_000_000, ns % 1_000_000));
    [
        second.at.to_string(),
        second.finished.to_string(),
        second.succeeded.to_string(),
        second.finished.saturating_sub(second.succeeded).to_string(),
        ms(second.p50),
        ms(second.p99),
        ms(second.max),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::situations;
    use super::*;

    #[test]
    fn every_second_is_a_row_with_its_counts_and_times() {
        let mut situation = situations::healthy();
        situation.summary.seconds = vec![
            Second { at: -1, finished: 2, succeeded: 2, p50: Some(1), p99: Some(1_500_000), max: Some(2_000_000_001) },
            Second { at: 0, finished: 3, succeeded: 0, ..Second::default() },
            Second { at: 1, ..Second::default() },
        ];
        assert_eq!(
            csv(&situation.report()),
            "at_seconds,finished_requests,succeeded_requests,failed_requests,latency_p50_ms,latency_p99_ms,\
             latency_max_ms\r\n\
             -1,2,2,0,0.000001,1.500000,2000.000001\r\n\
             0,3,0,3,,,\r\n\
             1,0,0,0,,,\r\n"
        );
    }

    #[test]
    fn the_rows_add_up_to_the_run() {
        for situation in situations::all() {
            let text = csv(&situation.report());
            let rows: Vec<Vec<&str>> =
                text.split_terminator("\r\n").skip(1).map(|row| row.split(',').collect()).collect();
            assert!(rows.iter().all(|row| row.len() == COLUMNS.len()), "{text}");
            let sum = |column: usize| rows.iter().map(|row| row[column].parse::<u64>().unwrap()).sum::<u64>();
            let summary = &situation.summary;
            assert_eq!((sum(1), sum(2)), (summary.finished, summary.succeeded), "{}", situation.name);
            assert_eq!(sum(3), summary.finished - summary.succeeded, "{}", situation.name);
        }
    }

    #[test]
    fn the_documentation_has_the_columns() {
        let documented: Vec<&str> = include_str!("../../docs/run.md")
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
            .filter(|name| name.ends_with("_seconds") || name.ends_with("_requests") || name.ends_with("_ms"))
            .collect();
        assert_eq!(documented, COLUMNS);
    }
}
