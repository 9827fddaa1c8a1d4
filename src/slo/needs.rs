//! What a line needs besides the run that it judges.

use std::collections::BTreeSet;

use super::clause::{Clause, Line, Metric, Reference};

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
        let alone = parse("p95{target=canary}<1s, p99<=last").unwrap();
        assert!(!alone.needs_primary() && alone.queries().is_empty());
    }
}
