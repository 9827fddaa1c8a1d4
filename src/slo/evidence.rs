//! What a line asks for that a load cannot show, or that is not judged yet: said before anything is sent.

use super::clause::{Aggregate, Bound, Clause, Comparison, Line, Metric, Share};
use super::compile::compile;

impl Clause {
    /// What of this clause parses but is not judged; `None` if all of it is.
    #[must_use]
    pub(super) fn unsupported(&self) -> Option<String> {
        let whole = matches!(self.metric, Metric::Rps | Metric::Count | Metric::Share(Share::Achieved));
        let what = if matches!(self.metric, Metric::Prom(_)) {
            "Prometheus queries are not judged yet".to_owned()
        } else if matches!(self.bound, Bound::Relative { .. }) {
            "comparison with another measurement is not judged yet: give a quantity such as 300ms".to_owned()
        } else if !self.selectors.is_empty() {
            "selectors are not judged yet: leave {…} off".to_owned()
        } else if self.options.over.is_some() {
            "over= is not judged yet: leave it off to judge the whole run".to_owned()
        } else if self.options.after.is_some() && whole {
            format!("{} is of the whole run: leave after= off", self.metric)
        } else if self.options.abort && !self.can_be_certain() {
            "this is known only at the end: abort is for shares, upper limits on counts, quantiles and max".to_owned()
        } else {
            return None;
        };
        Some(format!("{}: {what}", self.head()))
    }

    /// Whether the clause can be lost beyond repair before the end.
    fn can_be_certain(&self) -> bool {
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

impl Line {
    /// What parses but is not judged yet, one message a clause; a run with such a line must not start.
    #[must_use]
    pub fn unsupported(&self) -> Vec<String> {
        self.clauses.iter().filter_map(Clause::unsupported).collect()
    }

    /// Which clauses a load of `total` requests cannot let pass, however good the target is, one message each.
    ///
    /// `rate` is the load's arrivals per second; with it the advice is a duration (`use -z 2m30s`), and requests
    /// before a clause's `after=` are left out. Without it the advice is a number of requests (`use -n 1000`).
    #[must_use]
    pub fn shortfalls(&self, total: u64, rate: Option<f64>) -> Vec<String> {
        let rate = rate.filter(|rate| rate.is_finite() && *rate > 0.0);
        compile(self)
            .iter()
            .filter(|compiled| compiled.clause.options.otherwise != Some(super::Otherwise::Pass))
            .filter_map(|compiled| {
                let clause = compiled.clause;
                let left_out = clause.options.after.map_or(0.0, |after| after.as_secs_f64() * rate.unwrap_or(0.0));
                let left_out = left_out.floor() as u64;
                let (needed, sent) = (compiled.least_n(), total.saturating_sub(left_out));
                let beyond =
                    clause.options.after.filter(|_| left_out > 0).map_or_else(String::new, |after| {
                        format!(", {sent} of them after {}", super::show::span(after))
                    });
                (needed > sent).then(|| {
                    let head = clause.head();
                    let advice = match rate {
                        Some(rate) => format!("-z {}", duration((needed.saturating_add(left_out)) as f64 / rate)),
                        None => format!("-n {needed}"),
                    };
                    let accept = if sent > 0 { format!(", or min={sent} to accept less") } else { String::new() };
                    let requests = if needed == 1 { "request" } else { "requests" };
                    format!("{head} needs {needed} {requests}; this load sends {total}{beyond}: use {advice}{accept}")
                })
            })
            .collect()
    }
}

/// Whole seconds, rounded up, as Go writes durations: `2m30s`.
fn duration(seconds: f64) -> String {
    let seconds = (seconds - 1e-9).ceil().max(1.0) as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let parts = [(hours, "h"), (minutes, "m"), (seconds, "s")];
    parts.iter().filter(|(number, _)| *number > 0).map(|(number, unit)| format!("{number}{unit}")).collect()
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    #[test]
    fn too_small_a_load_is_named_before_it_starts_with_what_would_do() {
        for (text, total, rate, expected) in [
            (
                "p99.9<2s",
                600,
                Some(20.0),
                Some("p99.9<2s needs 1000 requests; this load sends 600: use -z 50s, or min=600 to accept less"),
            ),
            (
                "p99.9<2s @95",
                600,
                Some(20.0),
                Some("p99.9<2s needs 2995 requests; this load sends 600: use -z 2m30s, or min=600 to accept less"),
            ),
            (
                "success>=99%",
                20,
                None,
                Some("success>=99% needs 100 requests; this load sends 20: use -n 100, or min=20 to accept less"),
            ),
            (
                "p99<1s after=5s",
                180,
                Some(20.0),
                Some(
                    "p99<1s needs 100 requests; this load sends 180, 80 of them after 5s: use -z 10s, or min=80 to accept less",
                ),
            ),
            (
                "p99<1s after=5s",
                80,
                Some(20.0),
                Some("p99<1s needs 100 requests; this load sends 80, 0 of them after 5s: use -z 10s"),
            ),
            ("5xx==0", 0, None, Some("5xx==0 needs 1 request; this load sends 0: use -n 1")),
            (
                "p99<1s min=100000",
                500,
                Some(10.0),
                Some("p99<1s needs 100000 requests; this load sends 500: use -z 2h46m40s, or min=500 to accept less"),
            ),
            ("p99<1s", 100, None, None),
            ("p99.9<2s min=600", 600, None, None),
            ("p99.9<2s else=pass", 600, None, None),
            ("max<1s, 5xx==0, rps>=1/s, avg<1s", 1, None, None),
        ] {
            let shortfalls = parse(text).unwrap().shortfalls(total, rate);
            assert_eq!(shortfalls.first().map(String::as_str), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_judged_yet_is_refused_by_name() {
        for (text, expected) in [
            (
                "p95<=primary+10%",
                "p95<=primary+10%: comparison with another measurement is not judged yet: give a quantity such as 300ms",
            ),
            ("p95{step=a}<1s", "p95{step=a}<1s: selectors are not judged yet: leave {…} off"),
            ("errors<1% over=10s", "errors<1%: over= is not judged yet: leave it off to judge the whole run"),
            ("prom('up')>=1req", "prom('up')>=1req: Prometheus queries are not judged yet"),
            ("rps>=1/s after=5s", "rps>=1/s: rps is of the whole run: leave after= off"),
            (
                "avg<1s abort",
                "avg<1s: this is known only at the end: abort is for shares, upper limits on counts, quantiles and max",
            ),
        ] {
            assert_eq!(parse(text).unwrap().unsupported(), [expected]);
        }
        for text in
            ["achieved>=98% abort", "rps>=1/s abort", "min<1s abort", "success>=10req abort", "size.max>=1KiB abort"]
        {
            assert_eq!(parse(text).unwrap().unsupported().len(), 1, "{text}");
        }
        let all = "success>=99% @95 abort, p99<1s after=5s abort, 5xx<=3req abort, 5xx==0 abort, max<1s abort, \
                   checks>=99%, size.min>=1KiB abort, med<1s else=fail, stddev<1s warn, rps>=1/s, count!=3req";
        assert!(parse(all).unwrap().unsupported().is_empty(), "{:?}", parse(all).unwrap().unsupported());
    }
}
