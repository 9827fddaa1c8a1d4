//! Any text: the parser neither panics nor accepts what it cannot write down again, errors point into the text, and
//! what parses can be compiled and judged on an empty run without a pass.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate::slo::{Decision, Evidence, Otherwise, StatusSet, judge, parse};
use tollgate::stats::Summary;

fuzz_target!(|text: &str| {
    match parse(text) {
        Ok(line) => {
            let canonical = line.to_string();
            assert_eq!(parse(&canonical).as_ref(), Ok(&line), "{canonical}");
            let measures = line.measures(StatusSet::ok(), Some(1200));
            assert!(measures.trips.iter().all(|trip| trip.meter < measures.meters.len()));
            line.shortfalls(600, Some(20.0));
            let verdict = judge(&line, &Evidence::of(&Summary::default()));
            assert!(verdict.reason.chars().count() <= 240);
            let wished = line.clauses.iter().all(|c| c.options.warn || c.options.otherwise == Some(Otherwise::Pass));
            assert!(verdict.decision != Decision::Pass || wished);
        }
        Err(errors) => {
            assert!(!errors.0.is_empty());
            for error in &errors.0 {
                assert!((1..=text.chars().count() + 1).contains(&error.column));
                assert!(error.caret(text).ends_with(&error.message));
            }
        }
    }
});
