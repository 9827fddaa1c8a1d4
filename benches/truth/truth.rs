//! What users of a target went through, from its own account or from the schedule. Arithmetic only.

use serde_json::Value;

use super::cells::{BASE_MS, Law, SUCCESS};

/// The truth about one run, or what a tool said about it. Milliseconds; infinite where the quantile falls among
/// requests that were never answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figures {
    /// Share of requests that succeeded; NaN where nothing is said.
    pub(crate) success: f64,
    /// Median latency; NaN where nothing is said.
    pub(crate) p50: f64,
    /// 90th percentile.
    pub(crate) p90: f64,
    /// 99th percentile.
    pub(crate) p99: f64,
}

impl Figures {
    /// Figures of the given latencies.
    pub(crate) fn of(success: f64, mut latencies_ms: Vec<f64>) -> Self {
        latencies_ms.sort_by(f64::total_cmp);
        let at = |q| rank(&latencies_ms, q);
        Self { success, p50: at(0.5), p90: at(0.9), p99: at(0.99) }
    }

    /// Whether both clauses hold. Figures that are missing hold nothing.
    pub(crate) fn holds(&self, p99_below_ms: f64) -> bool {
        self.success >= SUCCESS && self.p99 < p99_below_ms
    }

    /// Whether the reported share of successes is right: within 0.2 percentage points of `truth`'s.
    pub(crate) fn success_is_close(&self, truth: &Self) -> bool {
        (self.success - truth.success).abs() <= 0.002
    }

    /// The quantiles with their names.
    pub(crate) fn quantiles(&self) -> [(&'static str, f64); 3] {
        [("p50", self.p50), ("p90", self.p90), ("p99", self.p99)]
    }
}

/// The order statistic ⌈qn⌉ of sorted values; NaN without any.
fn rank(sorted: &[f64], q: f64) -> f64 {
    let rank = (q * sorted.len() as f64 - 1e-9).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
}

/// What the users of an open schedule wait for under a law that depends on time: one request every 1/rate seconds,
/// each sent when it is due, whatever became of the others. `None` where the target's own record has to say it.
pub(crate) fn open(law: Law, rate: u32, seconds: u32) -> Option<Figures> {
    let dues = (0..rate * seconds).map(|i| f64::from(i) / f64::from(rate));
    let base = BASE_MS / 1e3;
    let latency: Box<dyn Fn(f64) -> f64> = match law {
        Law::Served => return None,
        Law::Stall { on, period, phase } => Box::new(move |due| {
            // The answer that is due in a freeze comes at its end.
            let into = (due + base - phase).rem_euclid(period);
            if due + base >= phase && into < on { base + on - into } else { base }
        }),
        Law::SlowStart { lasts, extra } => Box::new(move |due| base + extra * (1.0 - due / lasts).max(0.0)),
    };
    Some(Figures::of(1.0, dues.map(|due| latency(due) * 1e3).collect()))
}

/// What users got by a target's own account, `GET /__truth?values=1`: service times of what succeeded, and what it never
/// answered as slower than any. A connection that it turned away is a user's request that failed; what a client itself
/// gave up is left out. `None` without a single request.
pub(crate) fn served(account: &Value) -> Option<Figures> {
    let count = |path: &str| account.pointer(path).and_then(Value::as_f64);
    let turned_away = count("/connections/refused")?;
    let finished = count("/requests/answered")? + count("/requests/spoiled")? + turned_away;
    let success = count("/requests/succeeded")? / finished;
    let hung = count("/faults/hang").unwrap_or(0.0) as usize;
    let micros = account.get("service_us")?.as_array()?.iter().filter_map(Value::as_f64);
    let latencies = micros.map(|micros| micros / 1e3).chain(std::iter::repeat_n(f64::INFINITY, hung));
    (finished > 0.0).then(|| Figures::of(success, latencies.collect()))
}

/// Whether a reported time is right: within 2 %, or within a millisecond. To report none is right where there is none.
pub(crate) fn close(said: f64, truth: f64) -> bool {
    said == truth
        || said.is_nan() && truth.is_infinite()
        || truth.is_finite() && (said - truth).abs() <= (0.02 * truth).max(1.0)
}

/// By what factor a reported time is off, at least 1; infinite when one of the two is missing or infinite.
pub(crate) fn factor(said: f64, truth: f64) -> f64 {
    if close(said, truth) {
        return 1.0;
    }
    let ratio = (said / truth).max(truth / said);
    if ratio.is_nan() { f64::INFINITY } else { ratio }
}
