//! The tools whose word is compared: how each is asked for a load, and what it says afterwards.

use serde_json::Value;

use super::cells::{Cell, TIMEOUT_SECONDS, Wire};
use super::truth::Figures;

/// A tool's answer to the objective.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The objective holds.
    Pass,
    /// It does not.
    Fail,
    /// It does not say either; only tollgate does so.
    Open,
}

/// What a tool said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said {
    /// Its numbers.
    pub(crate) figures: Figures,
    /// Its verdict; for tools without one, the objective's bounds put to their numbers.
    pub(crate) decision: Decision,
}

/// One tool.
pub(crate) struct Tool {
    /// Its name in tables.
    pub(crate) name: &'static str,
    /// The program.
    pub(crate) program: &'static str,
    /// Whether it can be asked for this load at all.
    pub(crate) can: fn(&Cell) -> bool,
    /// Arguments before the URL.
    pub(crate) arguments: fn(&Cell) -> String,
    /// What it said, from its standard output and the bound on p99 in milliseconds.
    pub(crate) read: fn(&str, f64) -> Option<Said>,
}

/// The program of this repository.
pub(crate) const OURS: &str = "tollgate";

/// tollgate first, then the peers. oha counts from the intended start only when told to, so it is asked both ways. A point
/// check, such as a threshold of k6, is what is made of every peer's numbers.
pub(crate) const TOOLS: [Tool; 6] = [
    Tool { name: OURS, program: OURS, can: |_| true, arguments: tollgate_arguments, read: tollgate },
    // hey speaks HTTP/2 over TLS only, and on one connection.
    Tool { name: "hey", program: "hey", can: |cell| cell.wire == Wire::Http1, arguments: hey_arguments, read: hey },
    Tool { name: "oha", program: "oha", can: |cell| cell.wire != Wire::Grpc, arguments: oha_arguments, read: oha },
    Tool {
        name: "oha corrected",
        program: "oha",
        can: |cell| cell.wire != Wire::Grpc && cell.load.rate.is_some(),
        arguments: |cell| format!("--latency-correction {}", oha_arguments(cell)),
        read: oha,
    },
    // wrk has no rate.
    Tool {
        name: "wrk",
        program: "wrk",
        can: |cell| cell.wire == Wire::Http1 && cell.load.rate.is_none(),
        arguments: wrk_arguments,
        read: wrk,
    },
    Tool {
        name: "h2load",
        program: "h2load",
        can: |cell| cell.wire != Wire::Grpc,
        arguments: h2load_arguments,
        read: h2load,
    },
];

fn tollgate_arguments(cell: &Cell) -> String {
    let load = cell.load;
    // Users do not queue for one another: enough lanes for every request that can be under way at once.
    let arrivals = load.rate.map_or_else(String::new, |rate| {
        format!("--rate {rate}/s --max-lanes {} ", (rate * (TIMEOUT_SECONDS + 1)).max(64))
    });
    let objective = cell.behaviour.objective();
    // A connection for each lane, as the peers have it: what happens to one connection happens to one lane.
    let wire = match cell.wire {
        Wire::Http1 => String::new(),
        wire => format!("--protocol {} --streams 1 ", wire.name()),
    };
    let limits = format!("-z {}s -t {TIMEOUT_SECONDS}", load.seconds);
    format!("run {wire}{arrivals}-c {} {limits} --slo {objective} --output json", load.lanes)
}

fn hey_arguments(cell: &Cell) -> String {
    let load = cell.load;
    let rate = load.rate.map_or_else(String::new, |rate| format!("-q {} ", rate / load.lanes));
    format!("{rate}-c {} -z {}s -t {TIMEOUT_SECONDS}", load.lanes, load.seconds)
}

fn oha_arguments(cell: &Cell) -> String {
    let load = cell.load;
    let rate = load.rate.map_or_else(String::new, |rate| format!("-q {rate} "));
    let limits = format!("-z {}s -t {TIMEOUT_SECONDS}s", load.seconds);
    let wire = if cell.wire == Wire::Http2 { "--http2 " } else { "" };
    format!("{wire}{rate}-c {} {limits} --no-tui --output-format json", load.lanes)
}

fn wrk_arguments(cell: &Cell) -> String {
    let load = cell.load;
    format!("-t 1 -c {} -d {}s --timeout {TIMEOUT_SECONDS}s --latency", load.lanes, load.seconds)
}

fn h2load_arguments(cell: &Cell) -> String {
    let load = cell.load;
    let rate = load.rate.map_or_else(String::new, |rate| format!("--rps {} ", rate / load.lanes));
    let wire = if cell.wire == Wire::Http1 { "--h1 " } else { "" };
    // It has quantiles of nothing, but can log each request.
    let limits = format!("-D {} -N {TIMEOUT_SECONDS}s --log-file=/dev/stdout", load.seconds);
    format!("{wire}{rate}-c {} -m 1 {limits}", load.lanes)
}

/// The objective's bounds put to a tool's numbers.
fn point(figures: Figures, p99_below_ms: f64) -> Said {
    let decision = if figures.holds(p99_below_ms) { Decision::Pass } else { Decision::Fail };
    Said { figures, decision }
}

fn tollgate(out: &str, _: f64) -> Option<Said> {
    let report: Value = serde_json::from_str(out).ok()?;
    let number = |path: &str| report.pointer(path).and_then(Value::as_f64);
    let beyond = number("/latency_ms/beyond").unwrap_or(0.0) > 0.0;
    // No number where requests timed out: the quantile is among them.
    let quantile = |path: &str| number(path).unwrap_or(if beyond { f64::INFINITY } else { f64::NAN });
    let figures = Figures {
        success: number("/requests/success_ratio")?,
        p50: quantile("/latency_ms/p50"),
        p90: quantile("/latency_ms/p90"),
        p99: quantile("/latency_ms/p99"),
    };
    let decision = match report.pointer("/verdict/decision")?.as_str()? {
        "pass" => Decision::Pass,
        "fail" => Decision::Fail,
        _ => Decision::Open,
    };
    Some(Said { figures, decision })
}

fn hey(out: &str, p99_below_ms: f64) -> Option<Said> {
    let (_, counts) = out.split_once("Summary:")?;
    let lines = || counts.lines().map(str::trim);
    // `[200]	64825 responses`, and below "Error distribution:" `[3]	Get "http://…": EOF`.
    let bracketed = lines().filter_map(|line| line.strip_prefix('[')?.split_once(']'));
    let (mut good, mut all) = (0.0, 0.0);
    for (bracket, rest) in bracketed {
        let Ok(number) = bracket.parse::<f64>() else { continue };
        if let Some(count) = rest.trim().strip_suffix(" responses").and_then(|count| count.parse::<f64>().ok()) {
            all += count;
            good += if (200.0..400.0).contains(&number) { count } else { 0.0 };
        } else if !rest.starts_with("\t|") {
            all += number;
        }
    }
    // `99% in 0.0046 secs`
    let quantile = |name: &str| {
        let line = lines().find_map(|line| line.strip_prefix(name)?.strip_prefix("% in "));
        line.and_then(|rest| rest.split(' ').next()?.parse().ok()).map_or(f64::NAN, |seconds: f64| seconds * 1e3)
    };
    let figures = Figures { success: good / all, p50: quantile("50"), p90: quantile("90"), p99: quantile("99") };
    Some(point(figures, p99_below_ms))
}

fn oha(out: &str, p99_below_ms: f64) -> Option<Said> {
    let report: Value = serde_json::from_str(out).ok()?;
    let counts = |path: &str| -> Vec<(String, f64)> {
        let entries = report.pointer(path).and_then(Value::as_object);
        entries.into_iter().flatten().filter_map(|(key, value)| Some((key.clone(), value.as_f64()?))).collect()
    };
    let codes = counts("/statusCodeDistribution");
    // What it cut off itself at the end is nobody's failure.
    let errors = counts("/errorDistribution").into_iter().filter(|(error, _)| error != "aborted due to deadline");
    let good: f64 = codes.iter().filter(|(code, _)| code.starts_with(['2', '3'])).map(|(_, count)| count).sum();
    let all: f64 = codes.iter().map(|(_, count)| count).sum::<f64>() + errors.map(|(_, count)| count).sum::<f64>();
    let quantile = |path: &str| report.pointer(path).and_then(Value::as_f64).map_or(f64::NAN, |seconds| seconds * 1e3);
    let figures = Figures {
        success: good / all,
        p50: quantile("/latencyPercentiles/p50"),
        p90: quantile("/latencyPercentiles/p90"),
        p99: quantile("/latencyPercentiles/p99"),
    };
    Some(point(figures, p99_below_ms))
}

/// A time as wrk writes it, in milliseconds.
fn wrk_time(text: &str) -> Option<f64> {
    let units = [("us", 1e-3), ("ms", 1.0), ("s", 1e3), ("m", 6e4)];
    units.iter().find_map(|(unit, factor)| Some(text.strip_suffix(unit)?.parse::<f64>().ok()? * factor))
}

fn wrk(out: &str, p99_below_ms: f64) -> Option<Said> {
    let lines = || out.lines().map(str::trim);
    let requests: f64 = lines().find_map(|line| line.split_once(" requests in ")?.0.parse().ok())?;
    let counted = |name: &str| lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
    let bad = counted("Non-2xx or 3xx responses:").unwrap_or(0.0);
    // `Socket errors: connect 0, read 10, write 0, timeout 5`
    let errors = lines().find_map(|line| line.strip_prefix("Socket errors:")).unwrap_or_default();
    let errors: f64 = errors.split(',').filter_map(|part| part.rsplit_once(' ')?.1.parse::<f64>().ok()).sum();
    let quantile = |name: &str| {
        let line = lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| wrk_time(rest.trim())).unwrap_or(f64::NAN)
    };
    let success = (requests - bad) / (requests + errors);
    let figures = Figures { success, p50: quantile("50%"), p90: quantile("90%"), p99: quantile("99%") };
    Some(point(figures, p99_below_ms))
}

fn h2load(out: &str, p99_below_ms: f64) -> Option<Said> {
    // `requests: 2000 total, 2000 started, 1990 done, 1980 succeeded, 20 failed, 10 errored, 0 timeout`
    let counts = out.lines().find_map(|line| line.strip_prefix("requests: "))?;
    let count = |name: &str| -> Option<f64> {
        counts.split(", ").find_map(|part| part.strip_suffix(name)?.trim().parse().ok())
    };
    let (succeeded, failed) = (count(" succeeded")?, count(" failed")?);
    // When a request began, its status (-1 for none), how long it took: microseconds.
    let logged = out.lines().filter_map(|line| {
        let mut fields = line.split('\t').map(|field| field.trim().parse::<f64>());
        let (_, status, took) = (fields.next()?.ok()?, fields.next()?.ok()?, fields.next()?.ok()?);
        (200.0..400.0).contains(&status).then_some(took / 1e3)
    });
    let figures = Figures::of(succeeded / (succeeded + failed), logged.collect());
    Some(point(figures, p99_below_ms))
}
