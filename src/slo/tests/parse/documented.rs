//! What the page on objectives says is what the parser does.

use super::*;

const DOCS: &str = include_str!("../../../../docs/slo.md");

fn section(title: &str) -> &'static str {
    let (_, rest) = DOCS.split_once(&format!("\n## {title}\n")).expect(title);
    rest.split("\n## ").next().unwrap()
}

#[test]
fn the_documented_mistakes_are_what_the_parser_says() {
    let block: Vec<&str> = section("Mistakes").split("```").nth(1).unwrap().trim().lines().collect();
    assert_eq!(block.len(), 6);
    for pair in block.chunks(2) {
        assert_eq!(only_error(pair[0]).caret(pair[0]), pair.join("\n"));
    }
}

#[test]
fn every_documented_comparison_and_selector_is_judged() {
    let block = section("Comparisons").split("```").nth(1).unwrap();
    let clauses: Vec<Clause> = block.trim().lines().flat_map(|line| parse(line).unwrap().clauses).collect();
    assert_eq!(clauses.len(), 4);
    let selectors = section("Selectors").lines().filter_map(|row| row.strip_prefix("| `"));
    let selectors: Vec<&str> =
        selectors.flat_map(|row| row.split(" | ").next().unwrap().split('`').step_by(2)).collect();
    assert_eq!(selectors.len(), 7, "{selectors:?}");
    let selected = selectors.iter().map(|selector| parse(&format!("p95{{{selector}}}<1s")).unwrap().clauses.remove(0));
    for clause in clauses.into_iter().chain(selected) {
        assert_eq!(Line { clauses: vec![clause] }.unsupported(), [""; 0]);
    }
    let allowances = section("Comparisons").lines().filter_map(|row| row.strip_prefix("| `")).skip(3);
    let mut seen = 0;
    for allowance in allowances.flat_map(|row| row.split(" | ").next().unwrap().split('`').step_by(2)) {
        let metric = if allowance.contains("pp") {
            "errors"
        } else if allowance.contains("KiB") {
            "size.p50"
        } else {
            "p95"
        };
        assert!(parse(&format!("{metric}<=last{allowance}")).is_ok(), "{allowance}");
        seen += 1;
    }
    assert_eq!(seen, 8);
}

#[test]
fn every_documented_metric_and_option_parses() {
    for name in section("Metrics").lines().filter_map(|row| row.strip_prefix("| `")).flat_map(|row| {
        let names = row.split(" | ").next().unwrap();
        names.split('`').step_by(2).collect::<Vec<_>>()
    }) {
        let ok = ["<1s", "<=1%", ">=1%", ">=1/s", ">=1req", "<1KiB"]
            .iter()
            .any(|rest| parse(&format!("{name}{rest}")).is_ok());
        assert!(ok, "{name}");
    }
    for option in section("Options").lines().filter_map(|row| row.strip_prefix("| `")).flat_map(|row| {
        let options = row.split(" | ").next().unwrap();
        options.split('`').step_by(2).collect::<Vec<_>>()
    }) {
        assert!(parse(&format!("p95<1s {option}")).is_ok(), "{option}");
    }
}
