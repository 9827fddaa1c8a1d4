//! The flags of `tollgate serve`: the loadtester's, with one dash or two, and our own. Each can be set in the environment.

mod files;

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use clap::{Arg, ArgMatches, Command};
use regex::Regex;

use crate::exec;
use crate::gate::Rules;
use crate::plan::{Hosts, Rate};
use crate::prometheus::Answers;
use crate::server::{Alerting, Drain, Notify, TlsFiles};
use crate::spec::shell::go_bool;
use crate::spec::{GoDuration, Hook, Objective};
use crate::task::{Budgets, Settings as Runs, Targets};
use crate::telemetry::Level;
use files::{prometheus, tls, token_file};

/// Flagger's loadtester listens here.
const PORT: u16 = 9090;

/// How long a stored confirm gate stays open.
const GATE_TTL: Duration = Duration::from_secs(24 * 3600);

/// Kubernetes kills a pod 30 s after it told it to end.
const DRAIN: Drain = Drain { delay: Duration::from_secs(2), grace: Duration::from_secs(25) };

/// Loads at once: each holds some connections and a few kilobytes.
const MOST_TASKS: u32 = 1_000;

/// As many requests a second as one core makes with a third of its time.
const MOST_RATE: Rate = Rate { micro_per_second: 20_000_000_000 };

/// Half of the ports that a system has for connections to one target.
const MOST_CONNECTIONS: u32 = 10_000;

/// The loadtester's limit for a task.
const LONGEST: Duration = Duration::from_secs(3600);

/// One flag.
pub(super) struct Flag {
    /// Without dashes.
    pub(super) name: &'static str,
    /// What its value is called; empty for a switch.
    value: &'static str,
    /// What it does, and what happens without it.
    help: &'static str,
}

/// All flags.
pub(super) const FLAGS: &[Flag] = &[
    Flag { name: "port", value: "PORT", help: "Port to listen on; 0 takes a free one (9090)" },
    Flag { name: "listen", value: "ADDR", help: "IP address to listen on (all of them)" },
    Flag { name: "namespace-regexp", value: "REGEX", help: "Speak only about canaries of namespaces that match (all)" },
    Flag {
        name: "state",
        value: "FILE",
        help: "Keep gates, runs and overrides in this file over restarts (in memory)",
    },
    Flag {
        name: "gate-ttl",
        value: "TIME",
        help: "Close confirm gates by themselves after this long; 0 never does (24h with --state, else never)",
    },
    Flag { name: "sticky-gates", value: "", help: "Leave rollback gates open after the analysis they ended (closed)" },
    Flag {
        name: "default-slo",
        value: "LINE",
        help: "Judge hooks without an slo by this line, also those on / (success>=99%, p99<=500ms; on / none)",
    },
    Flag {
        name: "prometheus",
        value: "URL",
        help: "The Prometheus that clauses with prom('QUERY') ask (none: such clauses are refused)",
    },
    Flag {
        name: "prometheus-cacert",
        value: "FILE",
        help: "Believe the authorities in this file when it is asked, PEM, and no others (public ones)",
    },
    Flag {
        name: "prometheus-token-file",
        value: "FILE",
        help: "Show it the token in this file, read each time (none)",
    },
    Flag { name: "shadow", value: "", help: "Judge and say what the verdict would be, and stop nothing (false)" },
    Flag { name: "max-tasks", value: "N", help: "Loads at once (1000)" },
    Flag { name: "max-rate", value: "RATE", help: "Requests a second of all loads together (20000/s)" },
    Flag { name: "max-connections", value: "N", help: "Connections that loads may begin with, all together (10000)" },
    Flag { name: "max-duration", value: "TIME", help: "How long one load may take (that of --timeout, or 1h)" },
    Flag { name: "pace", value: "RATE", help: "The rate of a load that names none (100/s)" },
    Flag {
        name: "allow-target",
        value: "REGEX",
        help: "Send load only where all of HOST:PORT matches (anywhere but to link-local addresses)",
    },
    Flag {
        name: "resolve",
        value: "HOST=ADDR:PORT",
        help: "Where hosts of loads and requests are, several with commas (name servers say)",
    },
    Flag {
        name: "enable-exec",
        value: "NAMES",
        help: "Let hooks use these, with commas: bash, cmd, helm, kubectl, concord (none)",
    },
    Flag {
        name: "alert-labels",
        value: "NAME,NAMESPACE",
        help: "The labels of an alert that name a canary (canary,namespace)",
    },
    Flag { name: "alert-ttl", value: "TIME", help: "An alert fires for this long after its last notification (10m)" },
    Flag { name: "notify-url", value: "URL", help: "POST each verdict there, as JSON with a text (nobody is told)" },
    Flag {
        name: "token-file",
        value: "FILE",
        help: "Ask for the token in this file before a gate is opened, an alert taken, a verdict overridden (no token)",
    },
    Flag { name: "tls-cert", value: "FILE", help: "Serve HTTPS with this certificate, PEM (HTTP)" },
    Flag { name: "tls-key", value: "FILE", help: "The certificate's private key, PEM" },
    Flag {
        name: "tls-client-ca",
        value: "FILE",
        help: "Refuse callers without a certificate of this authority, PEM (none)",
    },
    Flag { name: "drain-delay", value: "TIME", help: "When told to end, go on for this long, not ready (2s)" },
    Flag { name: "drain-grace", value: "TIME", help: "After that, cut callers who wait for longer than this (25s)" },
    Flag { name: "log-level", value: "LEVEL", help: "debug, info, warn or error; anything else is info (info)" },
    Flag {
        name: "timeout",
        value: "TIME",
        help: "How long a command may take, and a load where --max-duration says nothing (1h)",
    },
    Flag { name: "zap-encoding", value: "NAME", help: "The loadtester's; logs are always JSON (json)" },
    Flag { name: "zap-replace-globals", value: "", help: "The loadtester's; does nothing (false)" },
];

impl Flag {
    /// The variable that sets it.
    fn variable(&self) -> String {
        format!("TOLLGATE_{}", self.name.to_uppercase().replace('-', "_"))
    }

    fn arg(&self) -> Arg {
        let help = format!("{} [env: {}]", self.help, self.variable());
        let arg = Arg::new(self.name).long(self.name).help(help).allow_hyphen_values(true);
        if self.value.is_empty() {
            return arg.value_name("BOOL").num_args(0..=1).require_equals(true).default_missing_value("true");
        }
        arg.value_name(self.value)
    }
}

/// The command: its flags are the table.
pub(in crate::cli) fn command() -> Command {
    Command::new("serve")
        .about("Answers Flagger's webhooks: makes the load they ask for, judges it, keeps gates")
        .bin_name("tollgate serve")
        .display_name("tollgate")
        .version(env!("CARGO_PKG_VERSION"))
        .max_term_width(110)
        .args(FLAGS.iter().map(Flag::arg))
        .after_help("Flags may have one dash, as Flagger's loadtester has them: -port=8080 -log-level=info.")
}

/// A flag with one dash, as Go has them, with two. `-h` and `-V` are ours.
pub(super) fn with_two_dashes(word: OsString) -> OsString {
    match word.to_str() {
        Some(text) if text.len() > 2 && is_name(text) => format!("-{text}").into(),
        _ => word,
    }
}

/// Whether one dash and a letter begin it; `-1s` is a value.
fn is_name(text: &str) -> bool {
    text.strip_prefix('-').is_some_and(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()))
}

/// What is given for a flag, on the command line or else in the environment, and where.
pub(super) fn given(matches: &ArgMatches, flag: &Flag) -> Option<(String, String)> {
    if let Some(value) = matches.get_one::<String>(flag.name) {
        return Some((format!("--{}", flag.name), value.clone()));
    }
    let variable = flag.variable();
    std::env::var(&variable).ok().filter(|value| !value.is_empty()).map(|value| (variable, value))
}

/// What the flags come to.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) listen: Option<IpAddr>,
    pub(super) port: u16,
    pub(super) namespaces: Option<Regex>,
    pub(super) state: Option<PathBuf>,
    pub(super) rules: Rules,
    pub(super) runs: Runs,
    pub(super) hook: Hook,
    pub(super) targets: Targets,
    /// Names that no name server is asked for.
    pub(super) hosts: Hosts,
    pub(super) commands: exec::Settings,
    pub(super) alerting: Alerting,
    pub(super) notify: Option<Notify>,
    pub(super) token_file: Option<PathBuf>,
    pub(super) tls: Option<TlsFiles>,
    pub(super) drain: Drain,
    pub(super) level: Level,
    /// What was taken otherwise than given.
    pub(super) remarks: Vec<String>,
}

/// Values as they are read, and what is wrong with them.
struct Reader<F> {
    given: F,
    mistakes: Vec<String>,
}

impl<F: Fn(&Flag) -> Option<(String, String)>> Reader<F> {
    fn text(&self, name: &str) -> Option<(String, String)> {
        let flag = FLAGS.iter().find(|flag| flag.name == name)?;
        (self.given)(flag).filter(|(_, value)| !value.is_empty())
    }

    fn file(&self, name: &str) -> Option<PathBuf> {
        self.text(name).map(|(_, value)| value.into())
    }

    /// A value that `read` makes something of, or a mistake.
    fn value<T>(&mut self, name: &str, allowed: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let (place, given) = self.text(name)?;
        let value = read(&given);
        if value.is_none() {
            self.mistake(&place, &given, allowed);
        }
        value
    }

    fn mistake(&mut self, place: &str, given: &str, allowed: &str) {
        let shown: String = given.chars().filter(|c| !c.is_control()).take(60).collect();
        self.mistakes.push(format!("{place}: got '{shown}', expected {allowed}"));
    }

    fn time(&mut self, name: &str) -> Option<Duration> {
        self.value(name, "a duration such as 30s, 5m or 24h", |text| text.parse().ok().and_then(GoDuration::to_std))
    }

    fn rate(&mut self, name: &str) -> Option<Rate> {
        self.value(name, "a rate such as 500/s or 1200/m", |text| text.parse().ok())
    }

    fn switch(&mut self, name: &str) -> bool {
        self.value(name, "true or false", go_bool).unwrap_or(false)
    }
}

/// Reads what is given, and looks whether files that are named can be used.
///
/// # Errors
/// Every mistake, one line each.
pub(super) fn read(given: impl Fn(&Flag) -> Option<(String, String)>) -> Result<Asked, Vec<String>> {
    let mut reader = Reader { given, mistakes: Vec::new() };
    let listen = reader.value("listen", "an IP address such as 127.0.0.1 or ::1", |text| IpAddr::from_str(text).ok());
    let port = reader.value("port", "a port from 0 to 65535", |text| text.parse().ok()).unwrap_or(PORT);
    let namespaces =
        reader.value("namespace-regexp", "a regular expression such as ^prod-", |text| Regex::new(text).ok());
    let state = reader.file("state");
    let stored = state.as_ref().map(|_| GATE_TTL);
    let ttl = reader.time("gate-ttl").or(stored).filter(|ttl| !ttl.is_zero());
    let sticky = reader.switch("sticky-gates");
    let token_file = token_file(&mut reader, "token-file");
    let tls = tls(&mut reader);
    let delay = reader.time("drain-delay").unwrap_or(DRAIN.delay);
    let grace = reader.time("drain-grace").unwrap_or(DRAIN.grace);
    let (level, remarks) = logs(&mut reader);
    let runs = runs(&mut reader);
    let prometheus = prometheus(&mut reader);
    let hook = hook(&mut reader, prometheus.is_some());
    let runs = Runs { outside: prometheus.map(|prometheus| Answers::of(Arc::new(prometheus))), ..runs };
    let targets = reader
        .value("allow-target", "a regular expression such as .+-canary\\..+", |text| Targets::matching(text).ok());
    let (hosts, commands) = commands(&mut reader);
    let alerting = alerting(&mut reader);
    let notify = reader.value("notify-url", "an address such as https://HOST/PATH", |url| Notify::new(url).ok());
    reader.switch("zap-replace-globals");
    if !reader.mistakes.is_empty() {
        return Err(reader.mistakes);
    }
    let (rules, drain) = (Rules { ttl, sticky }, Drain { delay, grace });
    let targets = targets.unwrap_or_default();
    Ok(Asked {
        listen,
        port,
        namespaces,
        state,
        rules,
        runs,
        hook,
        targets,
        hosts,
        commands,
        alerting,
        notify,
        token_file,
        tls,
        drain,
        level,
        remarks,
    })
}

fn runs<F: Fn(&Flag) -> Option<(String, String)>>(reader: &mut Reader<F>) -> Runs {
    let some = |text: &str| text.parse().ok().filter(|n| *n > 0);
    let timeout = reader.time("timeout").filter(|time| !time.is_zero());
    let budgets = Budgets {
        tasks: reader.value("max-tasks", "a whole number above zero", some).unwrap_or(MOST_TASKS),
        rate: Some(reader.rate("max-rate").unwrap_or(MOST_RATE)),
        lanes: Some(reader.value("max-connections", "a whole number above zero", some).unwrap_or(MOST_CONNECTIONS)),
        duration: Some(reader.time("max-duration").filter(|time| !time.is_zero()).or(timeout).unwrap_or(LONGEST)),
        ..Budgets::default()
    };
    Runs { budgets, shadow: reader.switch("shadow"), ..Runs::default() }
}

/// Names that are known without asking, and what commands may do; they know them, too.
fn commands<F: Fn(&Flag) -> Option<(String, String)>>(reader: &mut Reader<F>) -> (Hosts, exec::Settings) {
    let known = "HOST=ADDR:PORT, such as podinfo-canary.test=127.0.0.1:9898";
    let hosts: Hosts = reader.value("resolve", known, |text| text.parse().ok()).unwrap_or_default();
    let usual = exec::Settings::default();
    let allowed = reader
        .value("enable-exec", "some of bash, cmd, concord, helm and kubectl, with commas", |text| text.parse().ok());
    let limit = reader.text("timeout").and_then(|(_, text)| text.parse().ok().and_then(GoDuration::to_std));
    let limit = limit.filter(|limit| !limit.is_zero()).unwrap_or(LONGEST);
    let allowed = allowed.unwrap_or_default();
    (hosts.clone(), exec::Settings { allowed, limit, hosts: Arc::new(hosts), ..usual })
}

fn hook<F: Fn(&Flag) -> Option<(String, String)>>(reader: &mut Reader<F>, prometheus: bool) -> Hook {
    let objective = reader.text("default-slo").and_then(|(place, given)| match Objective::read(&given, prometheus) {
        Ok(objective) => Some(Arc::new(objective)),
        Err(why) => {
            reader.mistakes.push(format!("{place}: cannot be read\n{why}"));
            None
        }
    });
    let hook = Hook { objective, prometheus, ..Hook::default() };
    let pace = reader.rate("pace").unwrap_or(hook.pace);
    Hook { pace, ..hook }
}

fn alerting<F: Fn(&Flag) -> Option<(String, String)>>(reader: &mut Reader<F>) -> Alerting {
    let usual = Alerting::default();
    let labels = reader.value("alert-labels", "two labels, such as canary,namespace", |text| {
        let (name, namespace) = text.split_once(',')?;
        let (name, namespace) = (name.trim(), namespace.trim());
        (!name.is_empty() && !namespace.is_empty()).then(|| (name.to_owned(), namespace.to_owned()))
    });
    let (name, namespace) = labels.unwrap_or((usual.name, usual.namespace));
    let lasts = reader.time("alert-ttl").filter(|time| !time.is_zero()).unwrap_or(usual.lasts);
    Alerting { name, namespace, lasts }
}

/// The loadtester takes a level that there is not for info, and so manifests have them.
fn logs<F: Fn(&Flag) -> Option<(String, String)>>(reader: &mut Reader<F>) -> (Level, Vec<String>) {
    let mut remarks = Vec::new();
    let mut level = Level::default();
    if let Some((place, given)) = reader.text("log-level") {
        match given.parse() {
            Ok(asked) => level = asked,
            Err(error) => remarks.push(format!("{place}: {error}; info is taken")),
        }
    }
    if let Some((place, given)) = reader.text("zap-encoding").filter(|(_, given)| given != "json") {
        let shown: String = given.chars().filter(|c| !c.is_control()).take(60).collect();
        remarks.push(format!("{place}: got '{shown}'; logs are always JSON"));
    }
    (level, remarks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_line(line: &str) -> Result<Asked, Vec<String>> {
        let words = line.split(' ').filter(|word| !word.is_empty()).map(|word| with_two_dashes(word.into()));
        let words = crate::cli::words::joined(words);
        let matches =
            command().no_binary_name(true).try_get_matches_from(words).unwrap_or_else(|e| panic!("{line}: {e}"));
        // The environment of the test is not the test's.
        read(|flag| matches.get_one::<String>(flag.name).map(|value| (format!("--{}", flag.name), value.clone())))
    }

    #[test]
    fn the_loadtesters_command_lines_are_understood() {
        for (line, port, level, namespaces) in [
            ("", 9090, Level::Info, None),
            ("-port=8080 -log-level=info -timeout=1h -namespace-regexp=", 8080, Level::Info, None),
            ("-port 8080 -log-level debug -timeout 1h30m", 8080, Level::Debug, None),
            ("--port=8080 --log-level=warning --namespace-regexp=^prod", 8080, Level::Warn, Some("^prod")),
            ("-port=0 -zap-encoding=console -zap-replace-globals", 0, Level::Info, None),
            ("-zap-replace-globals=false -log-level=loud", 9090, Level::Info, None),
        ] {
            let asked = read_line(line).unwrap_or_else(|e| panic!("{line}: {e:?}"));
            assert_eq!((asked.port, asked.level), (port, level), "{line}");
            assert_eq!(asked.namespaces.as_ref().map(Regex::as_str), namespaces, "{line}");
        }
        let remarks = read_line("-log-level=loud -zap-encoding=console").unwrap().remarks;
        let expected = [
            "--log-level: got 'loud', expected debug, info, warn or error; info is taken",
            "--zap-encoding: got 'console'; logs are always JSON",
        ];
        assert_eq!(remarks, expected);
    }

    #[test]
    fn how_a_prometheus_is_asked_needs_one_and_files_that_can_be_read() {
        let said = |line: &str| read_line(line).unwrap_err().join("; ");
        let beside = "expected --prometheus beside it, which says whom to ask";
        assert!(said("--prometheus-cacert ca.pem").ends_with(beside));
        let gone = said("--prometheus https://a.test --prometheus-cacert /gone.pem --prometheus-token-file /gone");
        let token = "--prometheus-token-file: got '/gone', expected a file with a token; No such file";
        assert!(gone.starts_with(token), "{gone}");
        assert!(gone.contains("--prometheus-cacert: got '/gone.pem', expected a file with certificates; "), "{gone}");
        assert!(read_line("--prometheus https://a.test").unwrap().runs.outside.is_some());
    }

    #[test]
    fn confirm_gates_lapse_where_they_are_stored_unless_told_otherwise() {
        let day = Some(Duration::from_secs(86_400));
        for (line, ttl, sticky) in [
            ("", None, false),
            ("--state s", day, false),
            ("--state s --gate-ttl 0", None, false),
            ("--state s --gate-ttl 90m", Some(Duration::from_secs(5_400)), false),
            ("--gate-ttl 24h --sticky-gates", day, true),
            ("--sticky-gates=false", None, false),
        ] {
            assert_eq!(read_line(line).unwrap().rules, Rules { ttl, sticky }, "{line}");
        }
    }

    #[test]
    fn budgets_have_defaults_and_the_loadtesters_limit_is_one_of_them() {
        let hour = Some(Duration::from_secs(3_600));
        for (line, duration, tasks, lanes) in [
            ("", hour, 1_000, 10_000),
            ("-timeout=10m --max-tasks 5", Some(Duration::from_secs(600)), 5, 10_000),
            ("--timeout 10m --max-duration 20m --max-connections 7", Some(Duration::from_secs(1_200)), 1_000, 7),
            ("--max-duration 0", hour, 1_000, 10_000),
        ] {
            let Budgets { duration: had, tasks: loads, lanes: connections, rate, .. } =
                read_line(line).unwrap().runs.budgets;
            assert_eq!((had, loads, connections), (duration, tasks, Some(lanes)), "{line}");
            assert_eq!(rate, Some(MOST_RATE), "{line}");
        }
        let asked = read_line("--max-rate 600/m --pace 2 --shadow --default-slo p99<1s --alert-labels app,ns").unwrap();
        assert_eq!(asked.runs.budgets.rate, Some(Rate { micro_per_second: 10_000_000 }));
        assert_eq!((asked.hook.pace, asked.runs.shadow), (Rate { micro_per_second: 2_000_000 }, true));
        assert_eq!(asked.hook.objective.as_deref(), Some(&Objective::read("p99<1s", false).unwrap()));
        assert_eq!((asked.alerting.name.as_str(), asked.alerting.namespace.as_str()), ("app", "ns"));
        let plain = read_line("").unwrap();
        assert_eq!((plain.hook.objective, plain.runs.shadow, plain.alerting), (None, false, Alerting::default()));
        let wrong = read_line("--max-rate fast --max-tasks 0 --default-slo p99<5 --allow-target ( --alert-labels x");
        let wrong = wrong.unwrap_err();
        assert_eq!(wrong.len(), 5, "{wrong:?}");
        assert_eq!(wrong[1], "--max-rate: got 'fast', expected a rate such as 500/s or 1200/m");
        assert!(wrong.iter().any(|wrong| wrong.starts_with("--default-slo: cannot be read\n")), "{wrong:?}");
    }

    #[test]
    fn programs_are_allowed_by_name_and_have_the_loadtesters_limit() {
        let commands = |line: &str| read_line(line).unwrap().commands;
        assert_eq!(commands(""), exec::Settings::default());
        let asked = commands("-timeout=90s --enable-exec=bash,helm");
        assert_eq!(asked.limit, Duration::from_secs(90));
        assert_eq!(asked.allowed, "bash,helm".parse().unwrap());
        let known = read_line("--resolve a.test=127.0.0.1:80,b=[::1]:81").unwrap();
        assert_eq!(known.hosts.find("b"), Some("[::1]:81".parse().unwrap()));
        assert_eq!(*known.commands.hosts, known.hosts);
        let expected = "HOST=ADDR:PORT, such as podinfo-canary.test=127.0.0.1:9898";
        assert_eq!(
            read_line("--resolve a.test").unwrap_err(),
            [format!("--resolve: got 'a.test', expected {expected}")]
        );
        let wrong = read_line("--enable-exec sh").unwrap_err();
        let expected = "--enable-exec: got 'sh', expected some of bash, cmd, concord, helm and kubectl, with commas";
        assert_eq!(wrong, [expected]);
    }

    #[test]
    fn every_mistake_is_told_with_what_is_allowed() {
        let line = "--port 70000 --listen here --namespace-regexp ( --gate-ttl soon --sticky-gates=maybe --tls-cert c \
                    --token-file /nonexistent --drain-delay -1s --timeout 5";
        let time = "expected a duration such as 30s, 5m or 24h";
        let expected = [
            "--listen: got 'here', expected an IP address such as 127.0.0.1 or ::1".to_owned(),
            "--port: got '70000', expected a port from 0 to 65535".to_owned(),
            "--namespace-regexp: got '(', expected a regular expression such as ^prod-".to_owned(),
            format!("--gate-ttl: got 'soon', {time}"),
            "--sticky-gates: got 'maybe', expected true or false".to_owned(),
            "--token-file: got '/nonexistent', expected a file with a token; No such file or directory (os error 2)"
                .to_owned(),
            "--tls-key: got nothing, expected the key of --tls-cert".to_owned(),
            format!("--drain-delay: got '-1s', {time}"),
            format!("--timeout: got '5', {time}"),
        ];
        assert_eq!(read_line(line).unwrap_err(), expected);
    }

    #[test]
    fn the_documentation_has_the_row_of_every_flag_and_no_other() {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/webhooks.md")).unwrap();
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| `--")).collect();
        let expected: Vec<String> = FLAGS
            .iter()
            .map(|flag| {
                format!(
                    "| `--{}{}` |",
                    flag.name,
                    if flag.value.is_empty() { String::new() } else { format!(" {}", flag.value) }
                )
            })
            .collect();
        let starts: Vec<String> =
            rows.iter().map(|row| row.split('|').take(2).collect::<Vec<_>>().join("|") + "|").collect();
        assert_eq!(starts, expected);
    }
}
