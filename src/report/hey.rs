//! hey's summary and CSV: its labels, order and digits, so that whoever reads hey's output reads this.
//!
//! The numbers are put right where hey's are wrong: each percentile is the nearest rank of all, averages are over what
//! they are said to be over, and an answer that broke off is an error. `docs/migrating.md` lists the differences.

use std::collections::BTreeMap;
use std::time::Duration;

use super::steps::{bars, ranked, steps};
use crate::stats::{Code, Fault, Log, Ns, Phase};

/// Percentiles that hey prints.
const PERCENTILES: [usize; 7] = [10, 25, 50, 75, 90, 95, 99];

/// The columns of the CSV.
const COLUMNS: &str = "response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset";

/// What a hey run came to.
#[derive(Clone, Copy, Debug)]
pub struct Hey<'a> {
    /// Its requests.
    pub log: &'a Log,
    /// How long it ran.
    pub wall: Duration,
    /// The method, in upper case.
    pub method: &'a str,
    /// The URL, without credentials.
    pub url: &'a str,
    /// Host and port of the server.
    pub server: &'a str,
}

/// The summary, as hey prints it.
#[must_use]
pub fn hey(ran: &Hey<'_>) -> String {
    let log = ran.log;
    let mut sorted: Vec<Ns> = log.rows().iter().map(|row| row.phase(Phase::Whole)).collect();
    sorted.sort_unstable();
    let whole = log.spread(Phase::Whole);
    let total = ran.wall.as_secs_f64();
    let mut text = format!(
        "\nSummary:\n  Total:\t{} secs\n  Slowest:\t{} secs\n  Fastest:\t{} secs\n  Average:\t{} secs\n  \
         Requests/sec:\t{}\n  ",
        digits(total),
        digits(whole.max.as_secs_f64()),
        digits(whole.min.as_secs_f64()),
        digits(whole.mean_seconds()),
        digits(log.finished() as f64 / total),
    );
    if let Some(each) = log.bytes().checked_div(log.answered()).filter(|_| log.bytes() > 0) {
        text += &format!("\n  Total data:\t{} bytes\n  Size/request:\t{each} bytes", log.bytes());
    }
    text += &format!("\n\nResponse time histogram:\n{}", histogram(&sorted, whole.min, whole.max));
    text += &format!("\n\nLatency distribution:{}", percentiles(&sorted));
    text += "\n\nDetails (average, fastest, slowest):";
    for (label, phase) in [
        ("DNS+dialup", Phase::Connect),
        ("DNS-lookup", Phase::Resolve),
        ("req write", Phase::Write),
        ("resp wait", Phase::Wait),
        ("resp read", Phase::Read),
    ] {
        let spread = log.spread(phase);
        let [mean, min, max] = [spread.mean_seconds(), spread.min.as_secs_f64(), spread.max.as_secs_f64()].map(digits);
        text += &format!("\n  {label}:\t{mean} secs, {min} secs, {max} secs");
    }
    text += "\n\nStatus code distribution:";
    for (code, count) in log.codes() {
        text += &format!("\n  [{}]\t{count} responses", status(*code));
    }
    text + "\n\n" + &errors(ran) + "\n\n"
}

/// Every request that was answered, a line each, as `hey -o csv` prints them.
#[must_use]
pub fn hey_csv(log: &Log) -> String {
    let mut text = format!("{COLUMNS}\n");
    for row in log.rows() {
        for phase in Phase::ALL {
            text += &digits(row.phase(phase).as_secs_f64());
            text.push(',');
        }
        text += &format!("{},{}\n", status(row.code), digits(row.start.as_secs_f64()));
    }
    text
}

/// Go's `%4.4f`.
fn digits(x: f64) -> String {
    let text = if x.is_nan() { "NaN".to_owned() } else { format!("{x:.4}") };
    format!("{text:>4}")
}

fn status(code: Code) -> u16 {
    match code {
        Code::Http(status) => status,
        Code::Grpc(status) => status.into(),
        Code::None => 0,
    }
}

/// Eleven rows, from the fastest to the slowest; nothing of nothing.
fn histogram(sorted: &[Ns], fastest: Ns, slowest: Ns) -> String {
    let steps = steps(sorted, fastest, slowest);
    let rows = steps.iter().zip(bars(&steps, "■"));
    rows.map(|((mark, count), bar)| format!("  {mark:.3} [{count}]\t|{bar}\n")).collect()
}

/// The nearest rank ⌈p·n⌉ of each; nothing of nothing.
fn percentiles(sorted: &[Ns]) -> String {
    let lines = PERCENTILES.iter().filter_map(|percent| {
        let time = ranked(sorted, *percent)?;
        Some(format!("\n  {percent}% in {} secs", digits(time.as_secs_f64())))
    });
    lines.collect()
}

/// What went wrong, how often, in the order of the texts; one text for each kind, whatever ports were in use.
fn errors(ran: &Hey<'_>) -> String {
    let mut by_text = BTreeMap::<String, u64>::new();
    for ((fault, in_body), count) in ran.log.faults() {
        *by_text.entry(said(ran, *fault, *in_body)).or_default() += count;
    }
    if by_text.is_empty() {
        return String::new();
    }
    let lines: String = by_text.iter().map(|(text, count)| format!("\n  [{count}]\t{text}")).collect();
    format!("Error distribution:{lines}")
}

/// A fault in the words that Go has for it, where Go has some.
fn said(ran: &Hey<'_>, fault: Fault, in_body: bool) -> String {
    let Hey { method, url, server, .. } = ran;
    let said = match (fault, in_body) {
        (Fault::Truncated, _) => return "unexpected EOF".to_owned(),
        (Fault::Timeout, true) => {
            return "context deadline exceeded (Client.Timeout or context cancellation while reading body)".to_owned();
        }
        (Fault::Timeout, false) => {
            "context deadline exceeded (Client.Timeout exceeded while awaiting headers)".to_owned()
        }
        (Fault::Refused, _) => format!("dial tcp {server}: connect: connection refused"),
        (Fault::Reset, _) => "EOF".to_owned(),
        (Fault::Dns, _) => {
            let host = server.rsplit_once(':').map_or(*server, |(host, _)| host);
            format!("dial tcp: lookup {host}: no such host")
        }
        (Fault::Tls, _) => "tls: handshake failure".to_owned(),
        (Fault::Malformed, _) => "net/http: HTTP/1.x transport connection broken: malformed HTTP response".to_owned(),
        // hey expects nothing but an end of the redirects.
        (Fault::Expect, _) => "stopped after 10 redirects".to_owned(),
        (Fault::Proxy, _) => "proxyconnect tcp: the proxy failed".to_owned(),
        (Fault::Local, _) => format!("dial tcp {server}: connect: no ports or file descriptors left"),
    };
    let (first, rest) = method.split_at(method.chars().next().map_or(0, char::len_utf8));
    format!("{first}{} \"{}\": {said}", rest.to_lowercase(), super::plain(url))
}

#[cfg(test)]
mod tests {
    use super::super::steps::{LONGEST_BAR, STEPS};
    use super::*;
    use crate::stats::{DialTimes, Outcome, Sample};

    fn sample(start_us: u64, whole_us: u64, outcome: Outcome) -> Sample {
        let us = |n: u64| Ns(n * 1_000);
        Sample {
            first: us(start_us + whole_us * 3 / 4),
            bytes: 218,
            ..Sample::of(us(start_us), us(start_us + whole_us), outcome)
        }
    }

    fn ran(log: &Log, wall_ms: u64) -> Hey<'_> {
        let wall = Duration::from_millis(wall_ms);
        Hey { log, wall, method: "GET", url: "http://127.0.0.1:8080/", server: "127.0.0.1:8080" }
    }

    fn log_of(samples: impl IntoIterator<Item = Sample>) -> Log {
        let mut log = Log::new(1_000);
        samples.into_iter().for_each(|sample| log.record(&sample));
        log
    }

    /// Ten requests, 1 to 10 ms, the first of them on a connection that took 2 ms.
    fn ten() -> Log {
        let us = |n: u64| Ns(n * 1_000);
        let dial = DialTimes { dns: us(500), connect: us(1_500), tls: Ns::ZERO, waited: us(2_000) };
        log_of((1..=10).map(|i| {
            let plain = sample(i * 10_000, i * 1_000, Outcome::http(200));
            if i == 10 { Sample { dial: Some(dial), sent: plain.sent + us(2_000), ..plain } } else { plain }
        }))
    }

    #[test]
    fn a_good_run_reads_as_heys() {
        let text = hey(&ran(&ten(), 125));
        assert!(text.ends_with("\n  [200]\t10 responses\n\n\n\n"), "{text:?}");
        insta::assert_snapshot!(text.replace('\t', "→"));
        insta::assert_snapshot!(hey_csv(&ten()));
    }

    #[test]
    fn a_run_without_answers_reads_as_heys() {
        let refused = Outcome::fault(Fault::Refused);
        let log = log_of((0..5).map(|i| Sample { bytes: 0, ..sample(i, 1, refused) }));
        let text = hey(&ran(&log, 1));
        assert_eq!(
            text,
            "\nSummary:\n  Total:\t0.0010 secs\n  Slowest:\t0.0000 secs\n  Fastest:\t0.0000 secs\n  Average:\t NaN \
             secs\n  Requests/sec:\t5000.0000\n  \n\nResponse time histogram:\n\n\nLatency distribution:\n\nDetails \
             (average, fastest, slowest):\n  DNS+dialup:\t NaN secs, 0.0000 secs, 0.0000 secs\n  DNS-lookup:\t NaN \
             secs, 0.0000 secs, 0.0000 secs\n  req write:\t NaN secs, 0.0000 secs, 0.0000 secs\n  resp wait:\t NaN \
             secs, 0.0000 secs, 0.0000 secs\n  resp read:\t NaN secs, 0.0000 secs, 0.0000 secs\n\nStatus code \
             distribution:\n\nError distribution:\n  [5]\tGet \"http://127.0.0.1:8080/\": dial tcp 127.0.0.1:8080: \
             connect: connection refused\n\n"
        );
        assert_eq!(hey_csv(&log), format!("{COLUMNS}\n"), "errors leave no row");
    }

    #[test]
    fn every_percentile_is_a_nearest_rank_however_few_there_are() {
        let times = |n: u64| (1..=n).map(|i| Ns(i * 1_000_000)).collect::<Vec<_>>();
        for (n, expected) in [
            (1, [1, 1, 1, 1, 1, 1, 1]),
            (5, [1, 2, 3, 4, 5, 5, 5]),
            (10, [1, 3, 5, 8, 9, 10, 10]),
            (200, [20, 50, 100, 150, 180, 190, 198]),
        ] {
            let lines: String = PERCENTILES
                .iter()
                .zip(expected)
                .map(|(percent, ms)| format!("\n  {percent}% in {:.4} secs", ms as f64 / 1e3))
                .collect();
            assert_eq!(percentiles(&times(n)), lines, "{n}");
        }
        assert_eq!(percentiles(&[]), "");
    }

    #[test]
    fn the_histogram_has_every_request_in_one_row() {
        for times in [vec![5], vec![5, 5, 5], vec![1, 2, 1_000], (1..=997).collect()] {
            let sorted: Vec<Ns> = times.iter().map(|us| Ns(us * 1_000)).collect();
            let text = histogram(&sorted, sorted[0], sorted[sorted.len() - 1]);
            let counts = text.lines().map(|line| line.split(['[', ']']).nth(1).unwrap().parse::<usize>().unwrap());
            let counts: Vec<usize> = counts.collect();
            assert_eq!((counts.len(), counts.iter().sum::<usize>()), (STEPS + 1, times.len()), "{text}");
            let longest = text.lines().map(|line| line.matches('■').count()).max();
            assert_eq!(longest, Some(LONGEST_BAR), "{text}");
        }
    }

    #[test]
    fn errors_are_told_in_gos_words_one_line_each_and_broken_answers_are_among_them() {
        let faulty = |fault, status: Option<u16>| {
            let outcome = status.map(Outcome::http).unwrap_or_default().with(fault);
            sample(0, 1, outcome)
        };
        let get = "Get \"http://127.0.0.1:8080/\":";
        let awaiting = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
        for (fault, status, text) in [
            (Fault::Timeout, None, format!("{get} {awaiting}")),
            (Fault::Reset, None, format!("{get} EOF")),
            (Fault::Dns, None, format!("{get} dial tcp: lookup 127.0.0.1: no such host")),
            (Fault::Truncated, Some(200), "unexpected EOF".to_owned()),
            (
                Fault::Timeout,
                Some(200),
                "context deadline exceeded (Client.Timeout or context cancellation while reading body)".to_owned(),
            ),
        ] {
            let log = log_of([faulty(fault, status), faulty(fault, status), sample(0, 1, Outcome::http(404))]);
            let text = format!("\n  [404]\t1 responses\n\nError distribution:\n  [2]\t{text}\n\n");
            let printed = hey(&ran(&log, 1));
            assert!(printed.ends_with(&text), "{printed}");
        }
        let log = log_of(Fault::ALL.map(|fault| faulty(fault, None)));
        assert_eq!(hey(&ran(&log, 1)).matches("\n  [1]\t").count(), Fault::ALL.len(), "no two are alike");
        let post = Hey { method: "POST", ..ran(&log, 1) };
        assert!(hey(&post).contains("\n  [1]\tPost \"http://127.0.0.1:8080/\": EOF\n"));
    }
}
