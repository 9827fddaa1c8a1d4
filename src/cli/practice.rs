//! `tollgate canary`: a practice canary on this machine, behaving as the flags say, until it is interrupted.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{Arg, ArgAction, ArgMatches, Command};
use tokio::runtime::Builder;
use tokio::select;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use crate::practice::{Behaviour, Mistake, Practice, SETTINGS, Setting, Times, Truth, duration};

/// podinfo's port, so that hooks and load lines written for it fit.
const PORT: u16 = 9898;

/// What `tollgate canary` was asked: the settings of [`SETTINGS`] by name, and how long to serve.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Args {
    settings: Vec<(&'static str, String)>,
    duration: Option<String>,
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

impl clap::Args for Args {
    fn augment_args(command: Command) -> Command {
        let duration = Arg::new("duration")
            .long("duration")
            .value_name("TIME")
            .allow_hyphen_values(true)
            .help("Stop by itself after this long (never)");
        command.args(SETTINGS.iter().map(flag)).arg(duration)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for Args {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut args = Self::default();
        args.update_from_arg_matches(matches)?;
        Ok(args)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for setting in SETTINGS {
            if setting.value.is_empty() {
                if matches.get_flag(setting.key) {
                    self.settings.push((setting.key, String::new()));
                }
            } else if let Some(value) = matches.get_one::<String>(setting.key) {
                self.settings.push((setting.key, value.clone()));
            }
        }
        self.duration = matches.get_one::<String>("duration").cloned();
        Ok(())
    }
}

impl Args {
    /// The behaviour, and how long to serve; `None` until interrupted.
    ///
    /// # Errors
    /// Every mistake at once.
    pub fn read(&self) -> Result<(Behaviour, Option<Duration>), Vec<Mistake>> {
        let port = PORT.to_string();
        let default_port = (!self.settings.iter().any(|(key, _)| *key == "port")).then_some(("port", port.as_str()));
        let given = self.settings.iter().map(|(key, value)| (*key, value.as_str()));
        let behaviour = Behaviour::parse(default_port.into_iter().chain(given));
        let serve_for = match self.duration.as_deref().map(|text| (text, duration(text))) {
            None => Ok(None),
            Some((_, Some(time))) if !time.is_zero() => Ok(Some(time)),
            Some((text, _)) => Err(Mistake::new("duration", text, "a duration above 0 such as 30s or 5m")),
        };
        match (behaviour, serve_for) {
            (Ok(behaviour), Ok(serve_for)) => Ok((behaviour, serve_for)),
            (Ok(_), Err(mistake)) => Err(vec![mistake]),
            (Err(mistakes), serve_for) => Err(mistakes.into_iter().chain(serve_for.err()).collect()),
        }
    }
}

/// Serves until interrupted, terminated or out of time, then says on standard output what really happened.
///
/// # Errors
/// The address cannot be listened on, or the system lacks something the server needs.
pub fn run(behaviour: Behaviour, serve_for: Option<Duration>) -> Result<()> {
    let wanted = SocketAddr::new(behaviour.listen, behaviour.port);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    // Signals are caught before anybody can know that the server is there.
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    let practice = Practice::start(behaviour)
        .with_context(|| format!("cannot listen on {wanted}: choose another with --port or --listen"))?;
    say(&format!("practice canary on {} (its own account: /__truth)\n", url(practice.addr())))?;
    runtime.block_on(async {
        let out_of_time = async {
            match serve_for {
                Some(time) => sleep(time).await,
                None => std::future::pending().await,
            }
        };
        select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = out_of_time => {}
        }
    });
    say(&summary(&practice.stop()))
}

/// Writes to standard output at once; a reader that has gone is no error.
fn say(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// A URL that reaches the server from this machine.
fn url(addr: SocketAddr) -> String {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}/", SocketAddr::new(ip, addr.port()))
}

/// What the server saw, for people.
#[must_use]
pub fn summary(truth: &Truth) -> String {
    if truth.received == 0 {
        return format!("no requests on {} connections\n", truth.connections.accepted);
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
            ("abandoned", truth.abandoned),
            ("pending", truth.pending),
            ("unreadable", truth.unreadable),
            ("failed in all", truth.errors()),
        ],
    );
    let statuses: Vec<(String, u64)> = truth.statuses.iter().map(|(code, n)| (code.to_string(), *n)).collect();
    line(&mut text, "statuses", &statuses);
    let faults: Vec<(&str, u64)> = truth.faults.iter().map(|(name, n)| (*name, *n)).collect();
    line(&mut text, "faults", &faults);
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

    fn parse(line: &str) -> Result<Args, clap::Error> {
        let command = <Args as clap::Args>::augment_args(Command::new("canary"));
        let matches = command.try_get_matches_from(std::iter::once("canary").chain(line.split_whitespace()))?;
        <Args as clap::FromArgMatches>::from_arg_matches(&matches)
    }

    #[test]
    fn flags_come_from_the_table_and_podinfos_port_is_the_default() {
        let (behaviour, serve_for) = parse("").unwrap().read().unwrap();
        assert_eq!((behaviour, serve_for), (Behaviour { port: 9898, ..Behaviour::default() }, None));
        let line = "--port 0 --errors 2% --stall 1s/5s --chunked --reset --close 1% --duration 1m";
        let error = parse(line).unwrap().read().unwrap_err();
        assert_eq!(error[0].to_string(), "--close: the shares of reset, close add up to 101%; at most 100%");
        let args = parse("--port 0 --errors 2% --stall 1s/5s --chunked --hang --duration 1m").unwrap();
        let (behaviour, serve_for) = args.read().unwrap();
        let settings = [("errors", "2%"), ("stall", "1s/5s"), ("chunked", ""), ("hang", "100%")];
        assert_eq!(behaviour, Behaviour::parse(settings).unwrap());
        assert_eq!(serve_for, Some(Duration::from_secs(60)));
        assert!(parse("--colour red").is_err());
    }

    #[test]
    fn every_flag_of_the_table_is_accepted_with_a_value_or_without() {
        for setting in SETTINGS {
            let line =
                if setting.value.is_empty() { format!("--{}", setting.key) } else { format!("--{} x", setting.key) };
            let given = if setting.value.is_empty() { "" } else { "x" };
            assert_eq!(parse(&line).unwrap().settings, [(setting.key, given.to_owned())]);
        }
    }

    #[test]
    fn the_documentation_has_every_flag_and_no_other() {
        let text = include_str!("../../docs/canary.md");
        let rows = text.lines().filter_map(|line| line.strip_prefix("| `--"));
        let documented: BTreeSet<&str> = rows.filter_map(|row| row.split([' ', '`']).next()).collect();
        let known: BTreeSet<&str> = SETTINGS.iter().map(|setting| setting.key).chain(["duration"]).collect();
        assert_eq!(documented, known);
        for (kind, _) in crate::practice::Malformed::ALL {
            assert!(text.contains(&format!("`{kind}`")), "{kind}");
        }
    }

    #[test]
    fn all_mistakes_are_listed_at_once() {
        let mistakes = parse("--port 70000 --errors -2% --latency 20 --duration 0s").unwrap().read().unwrap_err();
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
            assert_eq!(url(addr.parse().unwrap()), expected);
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
