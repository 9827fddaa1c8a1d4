//! ghz's summary, CSV and JSON: its labels, order and digits, so that whoever reads ghz's output reads this.
//!
//! Times are those of calls as ghz measures them, from the send to the end of the answer; what a call waited for before is
//! not in them. As in ghz, answers with an error are in no time unless that is asked for.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::steps::{bars, ranked, steps};
use crate::spec::ghz::{Form, Shown};
use crate::stats::{Code, Fault, Log, Ns, Phase, Row, Said, Stopped};

/// Percentiles that ghz prints.
const PERCENTILES: [usize; 7] = [10, 25, 50, 75, 90, 95, 99];
/// Below so many nanoseconds, a time is printed in nanoseconds.
const NANOSECONDS: u64 = 10_000;

/// What a ghz run came to.
#[derive(Clone, Copy, Debug)]
pub struct Ghz<'a> {
    /// Its calls.
    pub log: &'a Log,
    /// What the server said of calls that failed.
    pub said: &'a Said,
    /// How long it ran.
    pub wall: Duration,
    /// What ended it early, if anything did.
    pub stopped: Option<Stopped>,
    /// Which form it has, and what is repeated in it.
    pub shown: &'a Shown,
    /// The method, as `PACKAGE.SERVICE/METHOD`.
    pub call: &'a str,
    /// Host and port of the server.
    pub server: &'a str,
    /// Workers.
    pub workers: u32,
    /// When it began, as RFC 3339 has it.
    pub started: &'a str,
}

/// One status for each fault that a call without an answer of its own ends in, as gRPC's clients have it.
const fn status_of(fault: Fault) -> u8 {
    match fault {
        Fault::Timeout => 4,
        Fault::Malformed | Fault::Truncated | Fault::Expect => 13,
        Fault::Refused | Fault::Reset | Fault::Dns | Fault::Tls | Fault::Proxy | Fault::Local => 14,
    }
}

/// The name of a status as Go's gRPC has it.
const fn name(status: u8) -> &'static str {
    match status {
        0 => "OK",
        1 => "Canceled",
        3 => "InvalidArgument",
        4 => "DeadlineExceeded",
        5 => "NotFound",
        6 => "AlreadyExists",
        7 => "PermissionDenied",
        8 => "ResourceExhausted",
        9 => "FailedPrecondition",
        10 => "Aborted",
        11 => "OutOfRange",
        12 => "Unimplemented",
        13 => "Internal",
        14 => "Unavailable",
        15 => "DataLoss",
        16 => "Unauthenticated",
        _ => "Unknown",
    }
}

/// The report in the form that is asked for.
#[must_use]
pub fn ghz(ran: &Ghz<'_>) -> String {
    match ran.shown.form {
        Form::Summary => summary(ran),
        Form::Csv => csv(ran),
        Form::Json => format!("{}\n", details(ran)),
        Form::Pretty => format!("{:#}\n", details(ran)),
    }
}

/// How a call took its time, without what it waited for before it was sent.
fn took(row: &Row) -> Ns {
    row.phase(Phase::Wait) + row.phase(Phase::Read)
}

/// The status that a row ended with.
fn status(row: &Row) -> u8 {
    if let Code::Grpc(status) = row.code { status } else { 2 }
}

/// All that is counted.
struct Counted {
    /// The times, the shortest first.
    sorted: Vec<Ns>,
    statuses: BTreeMap<u8, u64>,
    errors: BTreeMap<String, u64>,
}

impl Counted {
    fn of(ran: &Ghz<'_>) -> Self {
        let counts = |row: &&Row| ran.shown.count_errors || status(row) == 0;
        let mut sorted: Vec<Ns> = ran.log.rows().iter().filter(counts).map(took).collect();
        sorted.sort_unstable();
        let (mut statuses, mut errors) = (BTreeMap::<u8, u64>::new(), BTreeMap::<String, u64>::new());
        for (code, count) in ran.log.codes() {
            let status = if let Code::Grpc(status) = code { *status } else { 2 };
            *statuses.entry(status).or_default() += count;
            if status != 0 {
                *errors.entry(error(ran, status)).or_default() += count;
            }
        }
        for ((fault, _), count) in ran.log.faults() {
            *statuses.entry(status_of(*fault)).or_default() += count;
            *errors.entry(said(status_of(*fault), fault.in_words())).or_default() += count;
        }
        Self { sorted, statuses, errors }
    }

    fn mean(&self) -> u64 {
        let sum: u128 = self.sorted.iter().map(|time| u128::from(time.0)).sum();
        u64::try_from(sum.checked_div(self.sorted.len() as u128).unwrap_or(0)).unwrap_or(u64::MAX)
    }

    fn ends(&self) -> (Ns, Ns) {
        let end = |end: Option<&Ns>| end.copied().unwrap_or_default();
        (end(self.sorted.first()), end(self.sorted.last()))
    }
}

/// The error of a call that the server answered with this status, in the first words that it had for it; empty for OK.
fn error(ran: &Ghz<'_>, status: u8) -> String {
    if status == 0 { String::new() } else { said(status, ran.said.of(status).unwrap_or("the server said so")) }
}

/// An error in the form of Go's gRPC.
fn said(status: u8, why: &str) -> String {
    format!("rpc error: code = {} desc = {why}", name(status))
}

fn rate(ran: &Ghz<'_>) -> f64 {
    ran.log.finished() as f64 / ran.wall.as_secs_f64()
}

fn summary(ran: &Ghz<'_>) -> String {
    let counted = Counted::of(ran);
    let (fastest, slowest) = counted.ends();
    let mut text = "\nSummary:\n".to_owned();
    if !ran.shown.name.is_empty() {
        text += &format!("  Name:\t\t{}\n", super::plain(&ran.shown.name));
    }
    text += &format!("  Count:\t{}\n", ran.log.finished());
    for (label, nanos) in
        [("Total", Ns::from(ran.wall).0), ("Slowest", slowest.0), ("Fastest", fastest.0), ("Average", counted.mean())]
    {
        text += &format!("  {label}:\t{}\n", unit(nanos));
    }
    text += &format!("  Requests/sec:\t{:.2}\n\nResponse time histogram:\n", rate(ran));
    let steps = steps(&counted.sorted, fastest, slowest);
    let width = steps.iter().map(|(_, count)| count.to_string().len()).max().unwrap_or(0);
    for ((mark, count), bar) in steps.iter().zip(bars(&steps, "∎")) {
        let label = format!("[{count}]");
        text += &format!("  {:<7} {label:<1$} |{bar}\n", format!("{:.3}", mark * 1e3), width + 2);
    }
    text += "\nLatency distribution:";
    for percent in PERCENTILES {
        let time = ranked(&counted.sorted, percent);
        text.extend(time.map(|time| format!("\n  {percent} % in {} ", unit(time.0))));
    }
    text += "\n\n";
    if !counted.statuses.is_empty() {
        text += "Status code distribution:\n";
        let width = counted.statuses.keys().map(|status| name(*status).len()).max().unwrap_or(0) + 2;
        for (status, count) in &counted.statuses {
            text += &format!("  {:<width$}   {count} responses   \n", format!("[{}]", name(*status)));
        }
    }
    if !counted.errors.is_empty() {
        text += "\nError distribution:\n";
        for (error, count) in &counted.errors {
            text += &format!("  [{count}]   {error}   \n");
        }
    }
    text + "\n"
}

/// A time as ghz shows it.
fn unit(nanos: u64) -> String {
    match nanos {
        0..NANOSECONDS => format!("{nanos} ns"),
        NANOSECONDS..1_000_000_000 => format!("{:.2} ms", nanos as f64 / 1e6),
        _ => format!("{:.2} s", nanos as f64 / 1e9),
    }
}

fn csv(ran: &Ghz<'_>) -> String {
    let mut text = "duration (ms),status,error\n".to_owned();
    for row in ran.log.rows() {
        let status = status(row);
        let error = error(ran, status);
        text += &format!("{:.2},{},{error}\n", took(row).0 as f64 / 1e6, name(status));
    }
    text
}

/// ghz's JSON; times are nanoseconds, marks seconds.
fn details(ran: &Ghz<'_>) -> Value {
    let counted = Counted::of(ran);
    let (fastest, slowest) = counted.ends();
    let of_all = counted.sorted.len() as f64;
    let mut report = Map::new();
    if !ran.shown.name.is_empty() {
        report.insert("name".to_owned(), json!(ran.shown.name));
    }
    let tags: Value = serde_json::from_str(&ran.shown.tags).unwrap_or_else(|_| json!({}));
    let percentiles = PERCENTILES.iter().filter_map(|percent| {
        ranked(&counted.sorted, *percent).map(|time| json!({"percentage": percent, "latency": time.0}))
    });
    let marks = steps(&counted.sorted, fastest, slowest)
        .into_iter()
        .map(|(mark, count)| json!({"mark": mark, "count": count, "frequency": count as f64 / of_all}));
    let calls = ran.log.rows().iter().map(|row| {
        let status = status(row);
        let error = error(ran, status);
        json!({"offset": row.start.0, "latency": took(row).0, "error": error, "status": name(status)})
    });
    for (key, value) in [
        ("endReason", json!(if ran.stopped == Some(Stopped::Interrupted) { "cancel" } else { "normal" })),
        ("options", json!({"call": ran.call, "host": ran.server, "concurrency": ran.workers, "tags": tags})),
        ("date", json!(ran.started)),
        ("count", json!(ran.log.finished())),
        ("total", json!(Ns::from(ran.wall).0)),
        ("average", json!(counted.mean())),
        ("fastest", json!(fastest.0)),
        ("slowest", json!(slowest.0)),
        ("rps", json!(rate(ran))),
        ("errorDistribution", json!(counted.errors)),
        (
            "statusCodeDistribution",
            counted.statuses.iter().map(|(status, count)| (name(*status).to_owned(), json!(count))).collect(),
        ),
        ("latencyDistribution", percentiles.collect()),
        ("histogram", marks.collect()),
        ("details", calls.collect()),
        ("tags", tags.clone()),
    ] {
        report.insert(key.to_owned(), value);
    }
    report.into()
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::stats::{Outcome, Sample};

    fn sample(ms: u64, outcome: Outcome) -> Sample {
        Sample::of(Ns::from_millis(10 * ms), Ns::from_millis(11 * ms), outcome)
    }

    fn grpc(status: u8) -> Outcome {
        Outcome { code: Code::Grpc(status), fault: None }
    }

    fn log() -> Log {
        let mut log = Log::new(100);
        (1..=10).for_each(|ms| log.record(&sample(ms, grpc(0))));
        log.record(&sample(50, grpc(14)));
        log.record(&sample(50, grpc(14)));
        log.record(&sample(20, Outcome::fault(Fault::Timeout)));
        log
    }

    fn ran<'a>(log: &'a Log, shown: &'a Shown) -> Ghz<'a> {
        static NOTHING: LazyLock<Said> = LazyLock::new(Said::default);
        Ghz {
            log,
            said: &NOTHING,
            wall: Duration::from_millis(1_300),
            stopped: None,
            shown,
            call: "grpc.health.v1.Health/Check",
            server: "podinfo.test:9898",
            workers: 5,
            started: "2026-01-02T03:04:05Z",
        }
    }

    #[test]
    fn a_run_reads_as_ghzs() {
        let log = log();
        let text = ghz(&ran(&log, &Shown { name: "nightly".to_owned(), ..Shown::default() }));
        insta::assert_snapshot!(text.replace('\t', "→"));
    }

    #[test]
    fn answers_with_an_error_are_in_the_times_where_that_is_asked_for() {
        let log = log();
        let slowest = |count_errors| {
            let shown = Shown { form: Form::Json, count_errors, ..Shown::default() };
            let report: Value = serde_json::from_str(&ghz(&ran(&log, &shown))).unwrap();
            (report["slowest"].as_u64(), report["count"].as_u64())
        };
        assert_eq!(slowest(false), (Some(10_000_000), Some(13)));
        assert_eq!(slowest(true), (Some(50_000_000), Some(13)));
    }

    #[test]
    fn the_json_has_ghzs_members() {
        let log = log();
        let shown = Shown { form: Form::Pretty, tags: "{\"env\":\"test\"}".to_owned(), ..Shown::default() };
        let report: Value = serde_json::from_str(&ghz(&ran(&log, &shown))).unwrap();
        assert_eq!(report["statusCodeDistribution"], json!({"OK": 10, "DeadlineExceeded": 1, "Unavailable": 2}));
        assert_eq!(report["errorDistribution"].as_object().map(Map::len), Some(2));
        assert_eq!(report["latencyDistribution"][2], json!({"percentage": 50, "latency": 5_000_000}));
        assert_eq!(report["histogram"].as_array().map(Vec::len), Some(11));
        assert_eq!(report["details"].as_array().map(Vec::len), Some(12), "what has no answer has no time");
        assert_eq!((&report["rps"], &report["options"]["tags"]["env"]), (&json!(10.0), &json!("test")));
        let csv = ghz(&ran(&log, &Shown { form: Form::Csv, ..Shown::default() }));
        assert!(csv.starts_with("duration (ms),status,error\n1.00,OK,\n2.00,OK,\n"), "{csv}");
        assert_eq!(csv.lines().count(), 13);
    }

    #[test]
    fn errors_are_in_the_servers_words() {
        let (log, mut said) = (log(), Said::default());
        said.first(14, || "no healthy upstream".to_owned());
        let of = |form| {
            let shown = Shown { form, ..Shown::default() };
            ghz(&Ghz { said: &said, ..ran(&log, &shown) })
        };
        let error = "rpc error: code = Unavailable desc = no healthy upstream";
        let report: Value = serde_json::from_str(&of(Form::Json)).unwrap();
        assert_eq!(report["errorDistribution"][error], json!(2));
        assert_eq!(report["details"][11]["error"], json!(error));
        assert!(of(Form::Summary).contains(&format!("  [2]   {error}   \n")));
        assert!(of(Form::Csv).ends_with(&format!(",Unavailable,{error}\n")));
    }

    #[test]
    fn nothing_is_a_report_too() {
        let log = Log::new(1);
        let text = ghz(&ran(&log, &Shown::default()));
        assert!(text.contains("Count:\t0\n") && text.contains("Average:\t0 ns\n"), "{text}");
        let json = ghz(&ran(&log, &Shown { form: Form::Json, ..Shown::default() }));
        assert!(json.contains("\"histogram\":[]"), "{json}");
    }

    #[test]
    fn times_have_ghzs_units() {
        for (nanos, text) in
            [(9_999, "9999 ns"), (10_000, "0.01 ms"), (1_234_567, "1.23 ms"), (2_500_000_000, "2.50 s")]
        {
            assert_eq!(unit(nanos), text);
        }
    }
}
