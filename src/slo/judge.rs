//! From evidence to a verdict: each clause by its own rule, then the gravest decision of all.

use crate::stats::{Series, Summary};

use super::beside::beside;
use super::bursts::remark;
use super::clause::{Clause, Line, Metric, Reference, Share};
use super::compare::shift;
use super::compile::{Compiled, compile};
use super::evidence::Evidence;
use super::measured::{Measured, bound, bursts, measured};
use super::needs::Party;
use super::outside::outside;
use super::reason::reason;
use super::rule::Rule;
use super::run::{Run, otherwise};
use super::verdict::{Decision, Finding, Value, Verdict};

/// Fewer requests than this on either side are not worth a word on which side is slower.
const LEAST_SHIFTED: u64 = 100;

/// Judges a run, or a window of one, by what was counted for `line`.
///
/// A clause without its reading, its reference or its answer has no evidence. A line with anything
/// [`Line::unsupported`] comes to [`Decision::Error`].
#[must_use]
pub fn judge(line: &Line, evidence: &Evidence<'_>) -> Verdict {
    let compiled = compile(line);
    let judge = Judge { evidence, canary: Run::of(evidence.canary), primary: evidence.primary.map(Run::of) };
    let findings: Vec<Finding> = compiled.iter().map(|clause| judge.finding(clause)).collect();
    let advice = advice(line, evidence);
    let summaries = [Some(evidence.canary), evidence.primary.filter(|_| line.needs_primary())];
    if let Some(error) = summaries.iter().flatten().find_map(|summary| summary.error.as_ref()) {
        return Verdict { decision: Decision::Error, reason: error.chars().take(240).collect(), findings, advice };
    }
    let decision = judge.overall(&findings);
    let heads: Vec<String> = line.clauses.iter().map(Clause::head).collect();
    let reason = reason(decision, &heads, &findings, evidence.canary, judge.canary.saturated);
    Verdict { decision, reason, findings, advice }
}

/// What all clauses are judged with.
pub(super) struct Judge<'a> {
    pub(super) evidence: &'a Evidence<'a>,
    pub(super) canary: Run<'a>,
    pub(super) primary: Option<Run<'a>>,
}

/// What a clause comes to, and what of it is worth showing besides what was measured.
pub(super) struct Judged {
    pub(super) decision: Decision,
    pub(super) note: Option<String>,
    /// The bound, where it is not written in the clause.
    pub(super) bound: Option<Value>,
    /// The value it is compared with.
    pub(super) reference: Option<Value>,
}

impl From<(Decision, Option<String>)> for Judged {
    fn from((decision, note): (Decision, Option<String>)) -> Self {
        Self { decision, note, bound: None, reference: None }
    }
}

impl Judge<'_> {
    fn overall(&self, findings: &[Finding]) -> Decision {
        let enforced = findings.iter().filter(|finding| !finding.advisory).map(|finding| finding.decision).max();
        enforced.unwrap_or(if self.canary.unreachable {
            Decision::Unreachable
        } else if self.canary.summary.finished == 0 {
            Decision::Insufficient
        } else {
            Decision::Pass
        })
    }

    fn finding(&self, compiled: &Compiled<'_>) -> Finding {
        let clause = compiled.clause;
        let run = match clause.party() {
            Party::Canary => Some(&self.canary),
            Party::Primary => self.primary.as_ref(),
        };
        let measured = match (&compiled.rule, run) {
            (Rule::Outside, _) => outside(clause, self.evidence.outside),
            (_, Some(run)) => measured(compiled, run.summary),
            (_, None) => Measured::default(),
        };
        let judged = self.judged(compiled, run, &measured);
        let bound = judged.bound.unwrap_or_else(|| bound(clause));
        let within = |(low, high): (Value, Value)| low.as_f64() <= bound.as_f64() && bound.as_f64() <= high.as_f64();
        let dispersion = run.map_or(1.0, |run| bursts(compiled, run.summary));
        let burst = remark(dispersion, bad_things(clause));
        Finding {
            clause: clause.to_string(),
            metric: clause.metric.name(),
            decision: judged.decision,
            advisory: clause.options.warn,
            value: measured.value,
            comparison: clause.comparison.symbol(),
            bound,
            reference: judged.reference,
            interval: measured.interval,
            widened: dispersion.sqrt(),
            n: measured.n,
            least_n: compiled.least_n(),
            thin: measured.interval.is_some_and(within),
            note: [judged.note, burst].into_iter().flatten().reduce(|note, burst| format!("{note}; {burst}")),
        }
    }

    fn judged(&self, compiled: &Compiled<'_>, run: Option<&Run<'_>>, measured: &Measured) -> Judged {
        let clause = compiled.clause;
        if matches!(compiled.rule, Rule::Unsupported) {
            return (Decision::Error, clause.unsupported()).into();
        }
        let Some(run) = run else {
            let missing = "no primary was loaded beside it".to_owned();
            return otherwise(clause, Decision::Insufficient, Some(missing)).into();
        };
        if run.unreachable {
            return (Decision::Unreachable, None).into();
        }
        match compiled.rule {
            Rule::Compare(comparing) => beside(self, compiled, &comparing, run, measured),
            Rule::Outside => super::outside::settle(clause, measured.value, self.evidence.outside, run).into(),
            _ => run.settle(compiled, measured.n).into(),
        }
    }
}

/// What comes in bursts.
fn bad_things(clause: &Clause) -> &'static str {
    match clause.metric {
        Metric::Series(..) => "values beyond the bound",
        Metric::Share(Share::Answered(_)) => "such answers",
        _ => "errors",
    }
}

/// Who is slower, as far as the line compares: advice, for a clause on quantiles may miss what all requests together show,
/// and what they show may not matter.
fn advice<'a>(line: &Line, evidence: &Evidence<'a>) -> Vec<String> {
    let primary = evidence.primary.filter(|_| line.needs_primary()).map(|summary| ("the primary".to_owned(), summary));
    let saved = line.references().into_iter().filter_map(|reference| {
        let name = match reference {
            Reference::Last => "the last run".to_owned(),
            other => other.to_string(),
        };
        evidence.references.get(reference).map(|summary| (name, summary))
    });
    let told = |(name, other): (String, &'a Summary)| {
        let of = |summary: &'a Summary| summary.distributions.get(&Series::Latency);
        let (own, other) = (of(evidence.canary)?, of(other)?);
        let slower = shift(own, other).filter(|_| own.n().min(other.n()) >= LEAST_SHIFTED)?;
        Some(format!("a request takes longer than one of {name} with a chance of {:.0}%", 100.0 * slower))
    };
    primary.into_iter().chain(saved).filter_map(told).collect()
}
