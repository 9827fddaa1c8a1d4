//! Which clauses a load is too small for: said before anything is sent.

use super::clause::Line;
use super::compile::{Compiled, compile};

/// Whether a clause that knows too little stands in the way.
fn counts(compiled: &&Compiled<'_>) -> bool {
    compiled.clause.options.otherwise != Some(super::Otherwise::Pass)
}

impl Line {
    /// Requests without which it cannot pass, however good the target is.
    #[must_use]
    pub fn least(&self) -> u64 {
        compile(self).iter().filter(counts).map(Compiled::least_n).max().unwrap_or_default()
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
            .filter(counts)
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

    /// Line, requests of the load, its rate, and what is said.
    type Row = (&'static str, u64, Option<f64>, Option<&'static str>);

    const LOADS: &[Row] = &[
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
        (
            "errors<=primary+0.5pp",
            100,
            None,
            Some(
                "errors<=primary+0.5pp needs 200 requests; this load sends 100: use -n 200, or min=100 to accept less",
            ),
        ),
        (
            "p99<=last*1.2 @95",
            200,
            Some(20.0),
            Some("p99<=last*1.2 needs 299 requests; this load sends 200: use -z 15s, or min=200 to accept less"),
        ),
        ("prom('up')>=1req", 0, None, None),
        ("p99<1s", 100, None, None),
        ("p99.9<2s min=600", 600, None, None),
        ("p99.9<2s else=pass", 600, None, None),
        ("max<1s, 5xx==0, rps>=1/s, avg<1s", 1, None, None),
    ];

    #[test]
    fn the_least_that_a_line_needs_is_that_of_its_most_demanding_clause() {
        for (line, least) in [
            ("success>=99.5%, p99<1s", 200),
            ("p99.9<2s @95", 2_995),
            ("p99<1s min=30", 30),
            ("success>=99%, p99.9<1s else=pass", 100),
            ("rps>=10/s", 1),
        ] {
            assert_eq!(parse(line).unwrap().least(), least, "{line}");
        }
    }

    #[test]
    fn too_small_a_load_is_named_before_it_starts_with_what_would_do() {
        for &(text, total, rate, expected) in LOADS {
            let shortfalls = parse(text).unwrap().shortfalls(total, rate);
            assert_eq!(shortfalls.first().map(String::as_str), expected, "{text}");
        }
    }
}
