//! `tollgate canary`: a practice canary on this machine, behaving as the flags say, until it is interrupted.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use tokio::runtime::Builder;

use super::signals::Signals;
use super::words::{self, Read, Refused, joined, lines};
use super::{Exit, complain, say};
use crate::practice::{Behaviour, Mistake, Practice, SETTINGS, Setting, Times, Truth, duration};

/// podinfo's port, so that hooks and load lines written for it fit.
const PORT: u16 = 9898;

/// What the user reads first.
const ABOUT: &str = "Serves a practice canary whose latency, errors and faults you choose";

/// Runs the command.
pub(super) fn main(args: impl Iterator<Item = OsString>) -> Exit {
    let (matches, refused) = match words::read(command, joined(args)) {
        Read::Show(text) => return say(&text),
        Read::Unreadable(said, refused) => {
            return complain(&format!("{}{said}\n{SEE}", lines(refused.iter().map(no_such_flag))));
        }
        Read::Matches(matches, refused) => (matches, refused),
    };
    match (read(&matches), refused.as_slice()) {
        (Ok((behaviour, serve_for)), []) => match serve(behaviour, serve_for) {
            Ok(()) => Exit::Pass,
            Err(problem) => complain(&format!("{problem:#}\n")),
        },
        (asked, refused) => {
            let mistakes = asked.err().unwrap_or_default();
            complain(&format!("{}{}{SEE}", lines(refused.iter().map(no_such_flag)), lines(mistakes.iter())))
        }
    }
}

/// Where to read on.
const SEE: &str = "see tollgate canary --help\n";

fn no_such_flag(refused: &Refused) -> String {
    words::no_such_flag(refused, SETTINGS.iter().map(|setting| setting.key))
}

/// The command: its flags are the table of settings.
pub(super) fn command() -> Command {
    let duration = Arg::new("duration")
        .long("duration")
        .value_name("TIME")
        .allow_hyphen_values(true)
        .help("Stop by itself after this long (never)");
    Command::new("canary")
        .about(ABOUT)
        .bin_name("tollgate canary")
        .display_name("tollgate")
        .version(env!("CARGO_PKG_VERSION"))
        .no_binary_name(true)
        .max_term_width(110)
        .args(SETTINGS.iter().map(flag))
        .arg(duration)
}

/// One flag from the table of settings.
fn flag(setting: &Setting) -> Arg {
    let arg = Arg::new(setting.key).long(setting.key).help(setting.help);
    match (setting.value, setting.bare) {
        ("", _) => arg.action(ArgAction::SetTrue),
        (value, None) => arg.value_name(value).allow_hyphen_values(true),
        (value, Some(bare)) => arg.value_name(value).num_args(0..=1).default_missing_value(bare),
    }
}

/// The behaviour, and how long to serve; `None` until interrupted.
fn read(matches: &ArgMatches) -> Result<(Behaviour, Option<Duration>), Vec<Mistake>> {
    let port = PORT.to_string();
    let mut settings = vec![("port", port.as_str())];
    for setting in SETTINGS {
        if setting.value.is_empty() {
            settings.extend(matches.get_flag(setting.key).then_some((setting.key, "")));
        } else if let Some(value) = matches.get_one::<String>(setting.key) {
            settings.retain(|(key, _)| *key != setting.key);
            settings.push((setting.key, value));
        }
    }
    let serve_for = match matches.get_one::<String>("duration").map(|text| (text, duration(text))) {
        None => Ok(None),
        Some((_, Some(time))) if !time.is_zero() => Ok(Some(time)),
        Some((text, _)) => Err(Mistake::new("duration", text, "a duration above 0 such as 30s or 5m")),
    };
    match (Behaviour::parse(settings), serve_for) {
        (Ok(behaviour), Ok(serve_for)) => Ok((behaviour, serve_for)),
        (Ok(_), Err(mistake)) => Err(vec![mistake]),
        (Err(mistakes), serve_for) => Err(mistakes.into_iter().chain(serve_for.err()).collect()),
    }
}

/// Serves until interrupted, terminated or out of time, then says on standard output what really happened.
fn serve(behaviour: Behaviour, serve_for: Option<Duration>) -> anyhow::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    // Signals are caught before anybody can know that the server is there.
    let mut signals = {
        let _inside = runtime.enter();
        Signals::catch()?
    };
    let practice = Practice::start(behaviour)?;
    let scheme = if practice.ca_pem().is_some() { "https" } else { "http" };
    say(&format!("practice canary on {} (its own account: /__truth)\n", url(scheme, practice.addr())));
    runtime.block_on(async {
        match serve_for {
            Some(time) => drop(tokio::time::timeout(time, signals.next()).await),
            None => signals.next().await,
        }
    });
    say(&summary(&practice.stop()));
    Ok(())
}

/// A URL that reaches the server from this machine.
fn url(scheme: &str, addr: SocketAddr) -> String {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    format!("{scheme}://{}/", SocketAddr::new(ip, addr.port()))
}

/// What the server saw, for people.
fn summary(truth: &Truth) -> String {
    if truth.received == 0 {
        let mut text = format!("no requests on {} connections\n", truth.connections.accepted);
        line(&mut text, "requests", &[("unreadable", truth.unreadable)]);
        return text;
    }
    let seconds = truth.elapsed_ns as f64 / 1e9;
    let mut text = format!(
        "received {} requests on {} connections (at most {} at once) in the {seconds:.1} s since the first\n",
        truth.received, truth.connections.used, truth.connections.peak
    );
    line(
        &mut text,
        "requests",
        &[
            ("answered", truth.answered),
            ("spoiled", truth.spoiled),
            ("refused", truth.refused),
            ("abandoned", truth.abandoned),
            ("pending", truth.pending),
            ("unreadable", truth.unreadable),
            ("failed in all", truth.errors()),
        ],
    );
    let handshakes = [
        ("done", truth.connections.tls),
        ("of them resumed", truth.connections.tls_resumed),
        ("failed", truth.connections.tls_failed),
    ];
    line(&mut text, "TLS handshakes", &handshakes);
    let statuses: Vec<(String, u64)> = truth.statuses.iter().map(|(code, n)| (code.to_string(), *n)).collect();
    line(&mut text, "statuses", &statuses);
    let grpc: Vec<(String, u64)> = truth.grpc_statuses.iter().map(|(code, n)| (code.to_string(), *n)).collect();
    line(&mut text, "grpc statuses", &grpc);
    let faults: Vec<(&str, u64)> = truth.faults.iter().map(|(name, n)| (*name, *n)).collect();
    line(&mut text, "faults", &faults);
    line(&mut text, "streams", &[("refused", truth.refused_streams)]);
    times(&mut text, "service", &truth.service);
    times(&mut text, "failed service", &truth.failed_service);
    let held: u64 = truth.stalls.iter().map(|stall| stall.held).sum();
    line(&mut text, "stalls", &[("windows", truth.stalls.len() as u64), ("answers held", held)]);
    text
}

/// One line of counts, those of nothing left out; no line when all are.
fn line<N: AsRef<str>>(text: &mut String, title: &str, counts: &[(N, u64)]) {
    let counts = counts.iter().filter(|(_, n)| *n > 0);
    let counts: Vec<String> = counts.map(|(name, n)| format!("{} {n}", name.as_ref())).collect();
    if !counts.is_empty() {
        let _ = writeln!(text, "  {title}: {}", counts.join(", "));
    }
}

/// One line of quantiles, in milliseconds.
fn times(text: &mut String, title: &str, times: &Times) {
    if let Some(micros) = times.quantiles([0.5, 0.9, 0.99, 1.0]) {
        let [p50, p90, p99, max] = micros.map(|micros| f64::from(micros) / 1e3);
        let dropped = match times.dropped() {
            0 => String::new(),
            n => format!(" (the last {n} left out)"),
        };
        let _ =
            writeln!(text, "  {title}: p50 {p50:.3} ms, p90 {p90:.3} ms, p99 {p99:.3} ms, max {max:.3} ms{dropped}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn parse(line: &str) -> Result<(Behaviour, Option<Duration>), Vec<Mistake>> {
        match words::read(command, joined(line.split_whitespace().map(OsString::from))) {
            Read::Matches(matches, refused) if refused.is_empty() => super::read(&matches),
            _ => panic!("a flag of {line:?} is refused"),
        }
    }

    #[test]
    fn flags_come_from_the_table_and_podinfos_port_is_the_default() {
        let (behaviour, serve_for) = parse("").unwrap();
        assert_eq!((behaviour, serve_for), (Behaviour { port: 9898, ..Behaviour::default() }, None));
        let error = parse("--port 0 --errors 2% --stall 1s/5s --chunked --reset --close 1% --duration 1m").unwrap_err();
        assert_eq!(error[0].to_string(), "--close: the shares of reset, close add up to 101%; at most 100%");
        let line = "--port 0 --errors 2% --stall 1s/5s --chunked --hang --duration 1m";
        let (behaviour, serve_for) = parse(line).unwrap();
        let settings = [("errors", "2%"), ("stall", "1s/5s"), ("chunked", ""), ("hang", "100%")];
        assert_eq!(behaviour, Behaviour::parse(settings).unwrap());
        assert_eq!(serve_for, Some(Duration::from_secs(60)));
    }

    #[test]
    fn every_flag_of_the_table_exists() {
        let ids: BTreeSet<String> = command().get_arguments().map(|arg| arg.get_id().to_string()).collect();
        for setting in SETTINGS {
            assert!(ids.contains(setting.key), "{}", setting.key);
        }
    }

    #[test]
    fn unknown_flags_take_their_values_with_them_and_the_nearest_is_named() {
        let words = ["--color", "red", "--erors=2%", "--port", "0"].map(OsString::from);
        let Read::Matches(matches, refused) = words::read(command, joined(words.into_iter())) else {
            panic!("the rest can be read")
        };
        assert_eq!(refused.len(), 2);
        assert!(no_such_flag(&refused[1]).contains("did you mean --errors?"), "{}", no_such_flag(&refused[1]));
        assert!(super::read(&matches).is_ok());
    }

    #[test]
    fn the_documentation_has_every_flag_and_no_other() {
        let text = include_str!("../../docs/canary.md");
        let rows = text.lines().filter_map(|line| line.strip_prefix("| `--"));
        let documented: BTreeSet<&str> = rows.filter_map(|row| row.split([' ', '`']).next()).collect();
        let known: BTreeSet<&str> = SETTINGS.iter().map(|setting| setting.key).chain(["duration"]).collect();
        assert_eq!(documented, known);
        let kinds = crate::practice::Malformed::ALL.map(|(kind, _)| kind);
        let bad_tls = crate::practice::BadTls::ALL.map(|(name, _)| name);
        for name in kinds.into_iter().chain(bad_tls).chain(crate::practice::RESET_CODES.map(|(name, _)| name)) {
            assert!(text.contains(&format!("`{name}`")), "{name}");
        }
    }

    #[test]
    fn all_mistakes_are_listed_at_once() {
        let mistakes = parse("--port 70000 --errors -2% --latency 20 --duration 0s").unwrap_err();
        let keys: Vec<&str> = mistakes.iter().map(|mistake| mistake.key.as_str()).collect();
        assert_eq!(keys, ["port", "latency", "errors", "duration"]);
    }

    #[test]
    fn the_url_can_be_dialled_even_when_all_addresses_are_listened_on() {
        for (addr, expected) in [
            ("127.0.0.1:9898", "http://127.0.0.1:9898/"),
            ("0.0.0.0:80", "http://127.0.0.1:80/"),
            ("[::]:80", "http://[::1]:80/"),
        ] {
            assert_eq!(url("http", addr.parse().unwrap()), expected);
        }
    }

    #[test]
    fn the_summary_says_what_there_was_and_leaves_out_what_there_was_not() {
        assert_eq!(summary(&Truth::default()), "no requests on 0 connections\n");
        let truth = Truth {
            elapsed_ns: 20_000_000_000,
            received: 100,
            answered: 99,
            succeeded: 97,
            spoiled: 1,
            statuses: BTreeMap::from([(200, 97), (500, 2)]),
            faults: BTreeMap::from([("error", 2), ("reset", 1)]),
            ..Truth::default()
        };
        assert_eq!(
            summary(&truth),
            "received 100 requests on 0 connections (at most 0 at once) in the 20.0 s since the first\n  \
             requests: answered 99, spoiled 1, failed in all 3\n  \
             statuses: 200 97, 500 2\n  \
             faults: error 2, reset 1\n"
        );
    }
}
