//! What a line needs besides the run that it judges.

use std::collections::BTreeSet;

use super::clause::{Clause, Line, Metric, Reference};
use crate::stats::Series;

/// Whose requests a clause is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// The release under test.
    Canary,
    /// The release in service, loaded on the same schedule.
    Primary,
}

/// A Prometheus query, as it is sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Query(pub String);

/// What a query comes to: a number as Prometheus gives it, or why there is none, in words.
pub type Answer = Result<f64, String>;

impl Line {
    /// Whether it can be judged only beside the primary, loaded on the same schedule.
    #[must_use]
    pub fn needs_primary(&self) -> bool {
        let needs =
            |clause: &Clause| clause.party() == Party::Primary || clause.reference() == Some(&Reference::Primary);
        self.clauses.iter().any(needs)
    }

    /// The saved runs it is compared with: the last one, and baselines by name.
    #[must_use]
    pub fn references(&self) -> BTreeSet<&Reference> {
        let saved = |reference: &&Reference| **reference != Reference::Primary;
        self.clauses.iter().filter_map(Clause::reference).filter(saved).collect()
    }

    /// The comparisons for which a load that is judged while it runs keeps no values: of times other than latency, and of
    /// a part of the requests. By how they begin.
    #[must_use]
    pub fn compared_at_the_end_only(&self) -> Vec<String> {
        let needs = |clause: &&Clause| match clause.metric {
            Metric::Series(series, _) => {
                clause.reference().is_some() && (series != Series::Latency || clause.is_partial())
            }
            _ => false,
        };
        self.clauses.iter().filter(needs).map(Clause::head).collect()
    }

    /// The Prometheus queries it asks.
    #[must_use]
    pub fn queries(&self) -> BTreeSet<&Query> {
        self.clauses
            .iter()
            .filter_map(|clause| if let Metric::Prom(query) = &clause.metric { Some(query) } else { None })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    #[test]
    fn a_line_says_what_it_needs_from_elsewhere() {
        let line =
            parse("p95<=primary, p99<=last*2, p50<=baseline(b), errors<=baseline(a)+1pp, prom('up')>=1req").unwrap();
        assert!(line.needs_primary());
        let named: Vec<String> = line.references().iter().map(ToString::to_string).collect();
        assert_eq!(named, ["last", "baseline(a)", "baseline(b)"]);
        assert_eq!(line.queries().iter().map(|query| query.0.as_str()).collect::<Vec<_>>(), ["up"]);
        assert!(parse("p95{target=primary}<1s").unwrap().needs_primary());
        let end =
            parse("p95<=primary, ttfb.p95<=primary, p95{status=2xx}<=primary, 5xx<=primary+1pp, ttfb.p95<1s").unwrap();
        assert_eq!(end.compared_at_the_end_only(), ["ttfb.p95<=primary", "p95{status=2xx}<=primary"]);
        let alone = parse("p95{target=canary}<1s, p99<=last").unwrap();
        assert!(!alone.needs_primary() && alone.queries().is_empty());
    }
}
