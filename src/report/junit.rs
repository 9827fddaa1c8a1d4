//! The verdict for continuous integration: a test suite with a test case a clause.
//!
//! Who reads it shows red and green and little else, so only a clause that passes is green. A clause that fails is a
//! failure; one that could not be decided is an error, because it says nothing of the target. A clause marked `warn`
//! decides nothing and is skipped where it does not hold. The suite is green exactly when the exit code is 0.

use super::Report;
use super::suite::{Case, Colour, Suite, suites};
use crate::slo::{Decision, Finding};

impl Case {
    fn of(finding: &Finding, report: &Report<'_>) -> Self {
        let why = match (finding.decision, report.verdict) {
            (Decision::Unreachable, Some(verdict)) => verdict.reason.clone(),
            _ => finding.reason(),
        };
        let colour = match finding.decision {
            Decision::Pass => Colour::Passed,
            _ if finding.advisory => Colour::Skipped,
            Decision::Fail | Decision::Unreachable => Colour::Failed,
            Decision::Inconclusive | Decision::Insufficient | Decision::Saturated | Decision::Error => {
                Colour::Undecided
            }
        };
        let why = if colour == Colour::Skipped { format!("warn only: {why}") } else { why };
        Self { name: finding.clause.clone(), colour, kind: finding.decision.name(), why, took: None }
    }

    /// The run as a whole, where no clause says how it ended.
    fn of_run(report: &Report<'_>) -> Self {
        let (name, code) = ("run".to_owned(), report.facts.exit_code);
        let why = match (report.verdict, &report.summary.error) {
            (Some(verdict), _) => verdict.reason.clone(),
            (None, Some(error)) => error.clone(),
            (None, None) if report.summary.stopped.is_some() => "the run ended before its plan was done".to_owned(),
            (None, None) => {
                format!("{} of {} requests succeeded", report.summary.succeeded, report.summary.finished)
            }
        };
        let kind = report.verdict.map_or("no verdict", |verdict| verdict.decision.name());
        let colour = match code {
            0 => Colour::Passed,
            1 => Colour::Failed,
            _ => Colour::Undecided,
        };
        Self { name, colour, kind, why, took: None }
    }
}

/// One test suite of the run. Times are seconds, the timestamp is UTC.
#[must_use]
pub fn junit(report: &Report<'_>) -> String {
    let findings = report.verdict.map_or(&[][..], |verdict| &verdict.findings);
    let mut cases: Vec<Case> = findings.iter().map(|finding| Case::of(finding, report)).collect();
    let says_why = |case: &Case| matches!(case.colour, Colour::Failed | Colour::Undecided);
    if cases.is_empty() || (report.facts.exit_code != 0 && !cases.iter().any(says_why)) {
        cases.push(Case::of_run(report));
    }
    suites(&[Suite {
        name: format!("{} {}", report.facts.method, report.facts.target()),
        started: report.facts.started.clone(),
        took: report.summary.wall,
        properties: properties(report),
        cases,
    }])
}

/// The run in numbers, for whoever opens the suite.
fn properties(report: &Report<'_>) -> Vec<(&'static str, String)> {
    let (facts, summary) = (report.facts, report.summary);
    let mut all = vec![
        ("tollgate_version", facts.version.clone()),
        ("exit_code", facts.exit_code.to_string()),
        ("requests", summary.finished.to_string()),
        ("succeeded", summary.succeeded.to_string()),
        ("requests_per_second", format!("{:.3}", summary.throughput())),
    ];
    let latency = summary.distributions.get(&crate::stats::Series::Latency);
    for (name, q) in [("latency_p50_ms", 0.5), ("latency_p99_ms", 0.99), ("latency_max_ms", 1.0)] {
        if let Some(ns) = latency.and_then(|latency| latency.quantile(q)) {
            all.push((name, format!("{:.3}", ns as f64 / 1e6)));
        }
    }
    if let Some(slo) = &facts.slo {
        all.push(("slo", slo.clone()));
    }
    if let Some(verdict) = report.verdict {
        all.push(("verdict", verdict.decision.name().to_owned()));
        all.push(("reason", verdict.reason.clone()));
        all.extend(verdict.advice.iter().map(|advice| ("advice", advice.clone())));
    }
    all
}

#[cfg(test)]
mod tests {
    use roxmltree::{Document, Node};

    use super::super::plain;
    use super::super::situations::{self, Situation};
    use super::*;

    fn child<'a>(node: Node<'a, 'a>, name: &str) -> Option<Node<'a, 'a>> {
        node.children().find(|child| child.has_tag_name(name))
    }

    fn count(node: &Node<'_, '_>, name: &str) -> usize {
        node.descendants().filter(|child| child.has_tag_name(name)).count()
    }

    #[test]
    fn every_situation_has_the_structure_that_readers_know() {
        for situation in situations::all() {
            let text = junit(&situation.report());
            let document = Document::parse(&text).unwrap_or_else(|error| panic!("{}: {error}\n{text}", situation.name));
            let suites = document.root_element();
            let suite = child(suites, "testsuite").unwrap();
            assert!(suites.has_tag_name("testsuites"));
            for node in [suites, suite] {
                for (attribute, element) in
                    [("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")]
                {
                    assert_eq!(node.attribute(attribute), Some(count(&node, element).to_string().as_str()), "{text}");
                }
            }
            assert_eq!(suite.attribute("name"), Some(format!("GET {}", situation.facts.target()).as_str()));
            assert_eq!(suite.attribute("timestamp"), Some("2025-01-07T09:30:00"));
            let wall = situation.summary.wall.as_secs_f64();
            assert!((suite.attribute("time").unwrap().parse::<f64>().unwrap() - wall).abs() < 0.001);
            let red = count(&suite, "failure") + count(&suite, "error");
            assert_eq!(red == 0, situation.facts.exit_code == 0, "{}: green is exit code 0\n{text}", situation.name);
        }
    }

    /// The kind of what a case holds, and its text or message.
    fn cases(situation: &Situation) -> Vec<(String, String, String)> {
        let text = junit(&situation.report());
        let document = Document::parse(&text).unwrap();
        let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
        let all = cases.map(|case| {
            let inner = case.children().find(Node::is_element).unwrap();
            let said = inner.attribute("message").or(inner.text()).unwrap_or_default();
            let name = case.attribute("name").unwrap().to_owned();
            (name, inner.tag_name().name().to_owned(), said.to_owned())
        });
        all.collect()
    }

    #[test]
    fn a_clause_is_a_case_with_its_reason() {
        let row = |name: &str, kind: &str, said: &str| (name.to_owned(), kind.to_owned(), said.to_owned());
        assert_eq!(
            cases(&situations::stall()),
            [
                row("success>=99%", "system-out", "success>=99% ok 100% (95% 98.9%..100%, n=4000)"),
                row("p99<500ms", "failure", "p99<500ms was 953ms (95% 879ms..1.00s, n=4000)"),
            ]
        );
        let insufficient = cases(&situations::insufficient());
        let kinds: Vec<(&str, &str)> =
            insufficient.iter().map(|(name, kind, _)| (name.as_str(), kind.as_str())).collect();
        assert_eq!(kinds, [("success>=99%", "error"), ("p99<500ms", "error"), ("max<5ms warn", "skipped")]);
        assert!(insufficient[2].2.starts_with("warn only: max<5ms warn was 7.31ms"), "{}", insufficient[2].2);
        let unreachable = cases(&situations::unreachable());
        assert!(unreachable[0].2.contains("Connection refused"), "{}", unreachable[0].2);
    }

    #[test]
    fn a_run_without_a_verdict_is_one_case() {
        let row = |kind: &str, said: &str| [("run".to_owned(), kind.to_owned(), said.to_owned())];
        let served = situations::no_objective();
        let n = served.summary.finished;
        assert_eq!(cases(&served), row("system-out", &format!("{n} of {n} requests succeeded")));
        assert_eq!(cases(&situations::interrupted()), row("error", "the run ended before its plan was done"));
        let mut nothing = situations::empty();
        nothing.facts.exit_code = 1;
        assert_eq!(cases(&nothing), row("failure", "0 of 0 requests succeeded"));
    }

    #[test]
    fn a_line_of_warnings_alone_cannot_hide_that_the_run_failed() {
        let mut situation = situations::unreachable();
        situation.verdict.as_mut().unwrap().findings.iter_mut().for_each(|finding| finding.advisory = true);
        let cases = cases(&situation);
        assert_eq!(cases.last().map(|(name, kind, _)| (name.as_str(), kind.as_str())), Some(("run", "failure")));
    }

    #[test]
    fn what_comes_from_outside_stays_text() {
        let hostile = "</failure><x a=\"1\">&amp;\u{1b}[31m\u{0}]]>\u{ffff}";
        let mut situation = situations::errors();
        situation.facts.url = format!("http://h/{hostile}");
        let verdict = situation.verdict.as_mut().unwrap();
        verdict.findings[0].clause = hostile.to_owned();
        verdict.reason = hostile.to_owned();
        let text = junit(&situation.report());
        let document = Document::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(count(&document.root_element(), "x"), 0, "{text}");
        assert!(document.descendants().any(|node| node.attribute("name") == Some(&plain(hostile))), "{text}");
    }
}
