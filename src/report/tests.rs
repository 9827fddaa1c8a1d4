//! The text as people see it, by snapshot; and what must hold of every report whatever happened in the run.

use proptest::prelude::*;

use super::sampled::summarize;
use super::situations::{self, Situation};
use super::{Loop, Style, json, line, text};
use crate::stats::{DialTimes, Fault, Ns, Outcome, Sample, StatusSet};

const PLAIN: Style = Style { color: false, width: 80, unicode: true };

fn shown(situation: &Situation, style: Style) -> String {
    text(&situation.report(), style)
}

#[test]
fn every_situation_reads_as_it_should() {
    for situation in situations::all() {
        insta::assert_snapshot!(situation.name, shown(situation, PLAIN));
    }
}

#[test]
fn a_report_of_120_columns_and_one_in_ascii_read_as_they_should() {
    insta::assert_snapshot!("stall_wide", shown(&situations::stall(), Style { width: 120, ..PLAIN }));
    insta::assert_snapshot!("mixed_ascii", shown(&situations::mixed(), Style { unicode: false, ..PLAIN }));
    insta::assert_snapshot!("mixed_narrow", shown(&situations::mixed(), Style { width: 60, ..PLAIN }));
    insta::assert_snapshot!(
        "errors_coloured",
        shown(&situations::errors(), Style { color: true, ..PLAIN }).replace('\x1b', "␛")
    );
}

#[test]
fn the_last_line_is_the_verdict_or_says_that_there_is_none() {
    for situation in situations::all() {
        let text = shown(situation, PLAIN);
        let last = text.strip_suffix('\n').and_then(|text| text.lines().last()).unwrap();
        match &situation.verdict {
            Some(verdict) => {
                assert_eq!(last, format!("{}  {}", verdict.decision.name().to_uppercase(), verdict.reason));
            }
            None => assert!(last.starts_with("no "), "{last}"),
        }
    }
}

#[test]
fn a_report_fits_its_terminal_but_for_the_verdict() {
    for situation in situations::all() {
        for width in [80, 100, 200] {
            let text = shown(situation, Style { width, ..PLAIN });
            let lines: Vec<&str> = text.lines().collect();
            for line in &lines[..lines.len() - 1] {
                assert!(line.chars().count() <= usize::from(width), "{}: {line}", situation.name);
                assert_eq!(line.trim_end(), *line);
            }
            // Tables that were asked for come on top, each with its heading, a blank line and a remark.
            let tables: usize = situation.summary.splits.iter().map(|split| split.parts.len().min(12) + 3).sum();
            assert!(lines.len() <= 50 + tables, "{}: {} lines", situation.name, lines.len());
        }
    }
}

#[test]
fn colours_change_nothing_but_the_colour() {
    for situation in situations::all() {
        let coloured = shown(situation, Style { color: true, ..PLAIN });
        let mut bare = String::new();
        for (part, text) in coloured.split('\x1b').enumerate() {
            bare.push_str(if part == 0 { text } else { text.split_once('m').unwrap().1 });
        }
        let trimmed: Vec<&str> = bare.lines().map(str::trim_end).collect();
        assert_eq!(trimmed.join("\n") + "\n", shown(situation, PLAIN));
        assert!(coloured.contains('\x1b'));
    }
}

#[test]
fn ascii_is_ascii() {
    for situation in situations::all() {
        let text = shown(situation, Style { unicode: false, ..PLAIN });
        assert!(text.is_ascii(), "{text}");
        assert!(!text.contains('?') || shown(situation, PLAIN).contains('?'), "a sign without an ASCII form: {text}");
    }
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        6 => Just(Outcome::http(200)),
        1 => (100u16..600).prop_map(Outcome::http),
        1 => prop::sample::select(Fault::ALL.to_vec()).prop_map(Outcome::fault),
        1 => prop::sample::select(Fault::ALL.to_vec()).prop_map(|fault| Outcome::http(200).with(fault)),
    ]
}

fn sample() -> impl Strategy<Value = Sample> {
    let span = || prop_oneof![Just(0u64), 0u64..5_000_000, 0u64..30_000_000_000];
    (span(), span(), span(), span(), outcome(), any::<u32>(), any::<bool>()).prop_map(
        |(due, queued, waited, read, outcome, bytes, tainted)| Sample {
            sent: Ns(due + queued),
            first: Ns(due + queued + waited),
            dial: (queued % 2 == 1).then_some(DialTimes { connect: Ns(queued), ..DialTimes::default() }),
            bytes: u64::from(bytes),
            tainted,
            ..Sample::of(Ns(due), Ns(due + queued + waited + read), outcome)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_happened_every_form_is_readable(
        samples in prop::collection::vec(sample(), 0..120),
        width in 0u16..300,
        closed in any::<bool>(),
        which in 0usize..situations::all().len(),
    ) {
        let mut situation = situations::all()[which].clone();
        situation.summary = summarize(&samples, StatusSet::ok());
        situation.facts.arrivals = if closed { Loop::Closed } else { Loop::Open };
        let text = shown(&situation, Style { width, ..PLAIN });
        for wrong in ["NaN", "inf ", "-0", "null"] {
            prop_assert!(!text.contains(wrong), "{} in {}", wrong, text);
        }
        let written = json(&situation.report()).to_string();
        prop_assert!(!written.contains("-0.0") && !written.contains("NaN"), "{}", written);
        let line = line(&situation.report());
        prop_assert!(line.chars().count() <= 240 && !line.contains('\n'));
    }
}
