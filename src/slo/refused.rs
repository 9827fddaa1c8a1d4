//! What parses but cannot be judged: refused by name, before anything is sent.

use crate::stats::Ns;

use super::clause::{Aggregate, Bound, Clause, Comparison, Line, Metric, Reference, SelectorKey, Share};
use super::needs::Party;
use super::unit::Unit;

impl Line {
    /// What parses but cannot be judged, one message a clause; a run with such a line must not start.
    #[must_use]
    pub fn unsupported(&self) -> Vec<String> {
        self.clauses.iter().filter_map(Clause::unsupported).collect()
    }
}

impl Clause {
    /// Why this clause cannot be judged; `None` if it can.
    #[must_use]
    pub(super) fn unsupported(&self) -> Option<String> {
        let what = self
            .outside_with_more()
            .or_else(|| self.selector_without_meaning())
            .or_else(|| self.without_comparison())
            .or_else(|| self.without_windows())
            .or_else(|| self.without_options())?;
        Some(format!("{}: {what}", self.head()))
    }

    /// Of a whole run, and not of single requests.
    const fn is_overall(&self) -> bool {
        matches!(self.metric, Metric::Rps | Metric::Count | Metric::Share(Share::Achieved))
    }

    fn outside_with_more(&self) -> Option<String> {
        let options = &self.options;
        let given = [
            (options.min.is_some(), "min="),
            (options.after.is_some(), "after="),
            (options.over.is_some(), "over="),
            (options.abort, "abort"),
            (!self.selectors.is_empty(), "{…}"),
        ];
        match (&self.metric, &self.bound) {
            (Metric::Prom(_), Bound::Relative { .. }) => {
                Some("an answer from Prometheus is compared with a number, e.g. 300ms, 1% or 5/s".to_owned())
            }
            (Metric::Prom(_), Bound::Absolute(_)) => {
                let (_, name) = given.iter().find(|(given, _)| *given)?;
                Some(format!("an answer from Prometheus is one number: leave {name} off, and say it in the query"))
            }
            _ => None,
        }
    }

    fn selector_without_meaning(&self) -> Option<String> {
        let of_series = matches!(self.metric, Metric::Series(..) | Metric::Share(Share::Checks));
        self.selectors.iter().find_map(|selector| {
            let why = match selector.key {
                SelectorKey::Target => return None,
                SelectorKey::Url if !self.is_overall() => return None,
                SelectorKey::Status if of_series => return None,
                SelectorKey::Status => "status= is for times, sizes and checks; a share of answers is written 5xx<1%",
                SelectorKey::Step => "a run has no steps: leave step= off",
                SelectorKey::Pod => "a run sees an address and not the pods behind it: leave pod= off",
                SelectorKey::Proto => "a run speaks one protocol: leave proto= off",
                SelectorKey::Url => "this is of the whole run: leave url= off, or use success, errors or a quantile",
                SelectorKey::Method => "a run has one method: leave method= off",
            };
            Some(why.to_owned())
        })
    }

    fn without_comparison(&self) -> Option<String> {
        let base = self.reference()?;
        let compared = match &self.metric {
            Metric::Series(_, Aggregate::Quantile(_) | Aggregate::Med) => true,
            Metric::Share(share) => *share != Share::Achieved,
            _ => false,
        };
        let partial = self.options.after.map(|_| "after=").or(self.is_partial().then_some("{…}"));
        match (base, partial) {
            _ if !compared => {
                let name = &self.metric;
                Some(format!("comparison is for shares and quantiles, not for {name}: use e.g. p99, or give a number"))
            }
            (Reference::Primary, _) if self.party() == Party::Primary => {
                Some("this compares the primary with itself: leave target=primary off".to_owned())
            }
            (Reference::Primary, _) | (_, None) => None,
            (saved, Some(option)) => Some(format!("{saved} is known as a whole only: leave {option} off")),
        }
    }

    fn without_windows(&self) -> Option<String> {
        let over = self.options.over?;
        let percent = |unit: Option<Unit>| unit == Some(Unit::Percent);
        let windowed = match (&self.metric, &self.bound) {
            (Metric::Series(_, Aggregate::Quantile(_) | Aggregate::Med), Bound::Absolute(_)) => true,
            (Metric::Share(share), Bound::Absolute(quantity)) => *share != Share::Achieved && percent(quantity.unit),
            _ => false,
        };
        if !windowed || self.absolute().is_some_and(|bound| bound.num == 0 && matches!(self.metric, Metric::Share(_))) {
            return Some("over= is for shares and quantiles with a bound of their own: leave it off".to_owned());
        }
        let second = Ns::from_secs(1).0;
        let whole = over.0.is_multiple_of(second);
        (!whole).then(|| format!("over= is a number of whole seconds: use over={}s", over.0.div_ceil(second)))
    }

    fn without_options(&self) -> Option<String> {
        if self.options.after.is_some() && self.is_overall() {
            Some(format!("{} is of the whole run: leave after= off", self.metric))
        } else if self.options.abort && self.party() == Party::Primary {
            Some("abort stops the load for what the canary does: leave it off for the primary".to_owned())
        } else if self.options.abort && !self.can_be_certain() {
            Some(
                "this is known only at the end: abort is for shares, upper limits on counts, quantiles and max"
                    .to_owned(),
            )
        } else {
            None
        }
    }

    /// Whether the clause can be lost beyond repair before the end.
    fn can_be_certain(&self) -> bool {
        if matches!(self.bound, Bound::Relative { .. }) {
            return false;
        }
        let upper_count = matches!(self.comparison, Comparison::Lt | Comparison::Le | Comparison::Eq);
        let counts =
            matches!(&self.bound, Bound::Absolute(q) if q.unit.is_none_or(|u| u.factor() == 1 && u.divisor() == 1));
        match &self.metric {
            Metric::Rps | Metric::Count | Metric::Prom(_) | Metric::Share(Share::Achieved) => false,
            Metric::Share(_) => !counts || upper_count,
            Metric::Series(_, Aggregate::Avg | Aggregate::Stddev) => false,
            Metric::Series(_, Aggregate::Min) => !self.comparison.is_upper(),
            Metric::Series(_, Aggregate::Max) => self.comparison.is_upper(),
            Metric::Series(..) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    /// Line, and why it is refused.
    const REFUSED: &[(&str, &str)] = &[
        (
            "avg<=primary+10%",
            "avg<=primary+10%: comparison is for shares and quantiles, not for avg: use e.g. p99, or give a number",
        ),
        (
            "rps>=last-5%",
            "rps>=last-5%: comparison is for shares and quantiles, not for rps: use e.g. p99, or give a number",
        ),
        (
            "p95{target=primary}<=primary",
            "p95{target=primary}<=primary: this compares the primary with itself: leave target=primary off",
        ),
        ("p95<=last*1.2 after=5s", "p95<=last*1.2: last is known as a whole only: leave after= off"),
        (
            "p95{status=2xx}<=baseline(v41)",
            "p95{status=2xx}<=baseline(v41): baseline(v41) is known as a whole only: leave {…} off",
        ),
        ("errors{url=/}<=last", "errors{url=/}<=last: last is known as a whole only: leave {…} off"),
        (
            "rps{url=/}>=1/s",
            "rps{url=/}>=1/s: this is of the whole run: leave url= off, or use success, errors or a quantile",
        ),
        ("p95{step=a}<1s", "p95{step=a}<1s: a run has no steps: leave step= off"),
        ("p95{pod=a}<1s", "p95{pod=a}<1s: a run sees an address and not the pods behind it: leave pod= off"),
        ("p95{proto=h2}<1s", "p95{proto=h2}<1s: a run speaks one protocol: leave proto= off"),
        (
            "success{status=2xx}>=99%",
            "success{status=2xx}>=99%: status= is for times, sizes and checks; a share of answers is written 5xx<1%",
        ),
        (
            "count{status=5xx}<=3req",
            "count{status=5xx}<=3req: status= is for times, sizes and checks; a share of answers is written 5xx<1%",
        ),
        ("errors<1% over=1500ms", "errors<1%: over= is a number of whole seconds: use over=2s"),
        ("avg<1s over=10s", "avg<1s: over= is for shares and quantiles with a bound of their own: leave it off"),
        ("5xx<=3req over=10s", "5xx<=3req: over= is for shares and quantiles with a bound of their own: leave it off"),
        ("p95<=last over=10s", "p95<=last: over= is for shares and quantiles with a bound of their own: leave it off"),
        (
            "prom('up')>=1req min=5",
            "prom('up')>=1req: an answer from Prometheus is one number: leave min= off, and say it in the query",
        ),
        (
            "prom('up')<=last",
            "prom('up')<=last: an answer from Prometheus is compared with a number, e.g. 300ms, 1% or 5/s",
        ),
        ("rps>=1/s after=5s", "rps>=1/s: rps is of the whole run: leave after= off"),
        (
            "p95{target=primary}<1s abort",
            "p95{target=primary}<1s: abort stops the load for what the canary does: leave it off for the primary",
        ),
        (
            "p95<=primary abort",
            "p95<=primary: this is known only at the end: abort is for shares, upper limits on counts, quantiles and max",
        ),
        (
            "avg<1s abort",
            "avg<1s: this is known only at the end: abort is for shares, upper limits on counts, quantiles and max",
        ),
    ];

    #[test]
    fn what_cannot_be_judged_is_refused_by_name() {
        for &(text, expected) in REFUSED {
            assert_eq!(parse(text).unwrap().unsupported(), [expected]);
        }
        for text in
            ["achieved>=98% abort", "rps>=1/s abort", "min<1s abort", "success>=10req abort", "size.max>=1KiB abort"]
        {
            assert_eq!(parse(text).unwrap().unsupported().len(), 1, "{text}");
        }
    }

    #[test]
    fn everything_else_is_judged() {
        let all = "success>=99% @95 abort, p99<1s after=5s abort, 5xx<=3req abort, 5xx==0 abort, max<1s abort, \
                   checks>=99%, size.min>=1KiB abort, med<1s else=fail, stddev<1s warn, rps>=1/s, count!=3req, \
                   p95{status=2xx}<1s abort, checks{status=200}>=99%, p95{target=canary}<1s abort, \
                   p99{url=/,status=404}<1s, errors{url=/}<1%, \
                   errors<1% over=10s abort, p95<1s @99 over=1m, p95<=primary+max(10%,20ms) @95 after=5s, \
                   errors<=last+0.5pp, p50<=baseline(v41)*1.2, grpc.unavailable<1%, prom('up')>=1req else=pass, \
                   rps{target=primary}>=1/s, p95{target=primary}<=last";
        assert!(parse(all).unwrap().unsupported().is_empty(), "{:?}", parse(all).unwrap().unsupported());
    }
}
