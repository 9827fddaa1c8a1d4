//! ghz's command line, as the same [`Spec`] that flags and metadata become.
//!
//! ghz's names and defaults are kept, because scripts and hooks depend on them. Where Flagger's documentation gives ghz
//! what it does not have, `-q` and no `--call`, its author's meaning is taken: a rate, and the standard health check. What
//! is not done is refused by name; each difference stands in `docs/migrating.md`.

mod call;
mod flags;

#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;

use super::address::server_name;
use super::keys::{Id, KEYS};
use super::kingpin::{self, Flag, Given};
use super::line::{program, shown};
use super::mistake::{Mistake, Mistakes};
use super::shell;
use super::value::{span, whole};
use super::{Spec, SpecBuilder};
use crate::plan::Plan;
use flags::{FLAGS, Use};

pub use flags::USAGE;

/// Most threads.
const MOST_THREADS: u64 = 1_024;
/// Lanes that one connection may be asked to carry.
const MOST_STREAMS: u64 = 1_000;
/// ghz's defaults.
const TOTAL: &str = "200";
const WORKERS: &str = "50";
const TIMEOUT: &str = "20s";

/// Form of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// For people.
    #[default]
    Summary,
    /// A line for each call.
    Csv,
    /// All of it, on one line.
    Json,
    /// The same, indented.
    Pretty,
}

/// One ghz command line, read and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Ghz {
    spec: Spec,
    kept: Plan,
    /// What is printed.
    pub shown: Shown,
}

/// What a ghz line says of its report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Form of the output.
    pub form: Form,
    /// File for it; `None` for standard output.
    pub output: Option<String>,
    /// Name of the run; empty for none.
    pub name: String,
    /// Tags of the run as JSON; empty for none.
    pub tags: String,
    /// Whether answers with an error are among the times.
    pub count_errors: bool,
}

/// Why there is no load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// `--help`: no mistake, the usage is wanted.
    Help,
    /// `--version`.
    Version,
    /// What is wrong; may be several lines.
    Wrong(String),
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Help => "help requested",
            Self::Version => "version requested",
            Self::Wrong(said) => said,
        })
    }
}

impl std::error::Error for Refusal {}

impl Ghz {
    /// The load as hooks make it: a rate is kept whatever the answers do, on further lanes if need be, and lanes share
    /// connections as those of any other load.
    #[must_use]
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The load as ghz makes it: `-c` workers and no more, over `--connections` connections.
    #[must_use]
    pub fn kept(&self) -> &Plan {
        &self.kept
    }
}

/// Reads the words after `ghz`. `read` returns a file's content.
///
/// # Errors
/// The first flag that cannot be read, in ghz's words; else all that is wrong.
pub fn read(words: &[String], read: &dyn Fn(&Path) -> io::Result<Vec<u8>>) -> Result<Ghz, Refusal> {
    with_files(words, read, true)
}

/// Reads the words; `has_files` is whether the files that say what messages are made of can be read.
fn with_files(words: &[String], read: &dyn Fn(&Path) -> io::Result<Vec<u8>>, has_files: bool) -> Result<Ghz, Refusal> {
    let known: Vec<Flag> = FLAGS.iter().map(|(flag, _)| *flag).collect();
    let given = kingpin::parse(&known, words).map_err(Refusal::Wrong)?;
    match (given.is_on("help"), given.is_on("version")) {
        (true, _) => return Err(Refusal::Help),
        (_, true) => return Err(Refusal::Version),
        _ => {}
    }
    let (mut wishes, mut notes) = (SpecBuilder::new(), Vec::new());
    uses(&given, &mut wishes, &mut notes);
    pace(&given, &mut wishes, &mut notes);
    way(&given, &mut wishes);
    call::call(&given, &mut wishes, &mut notes, (read, has_files));
    host(&given, &mut wishes);
    let shown = report(&given, &mut wishes);
    let longest = time(&given, &mut wishes, "max-duration").filter(|time| !time.is_zero());
    let connections = number(&given, &mut wishes, "connections");
    let server = given.text("cname").filter(|name| !name.is_empty());
    let named = server.and_then(server_name);
    if let Some(name) = server.filter(|_| named.is_none()) {
        wishes.mistake(mistake("cname", name, "a host name", None));
    }
    let mut spec = wishes.build(read).map_err(|mistakes| Refusal::Wrong(told(&mistakes)))?;
    spec.plan.tls.server = named;
    if spec.plan.schedule.stop.duration.is_none() {
        spec.plan.schedule.stop.duration = longest;
    }
    notes.append(&mut spec.notes);
    spec.notes = notes;
    let kept = kept(&mut spec.plan, connections);
    Ok(Ghz { spec, kept, shown })
}

/// Reads a whole line as a hook or a script has it: `ghz -z 1m -c 2 --insecure podinfo.test:9898`. Files are not read.
///
/// # Errors
/// As [`read()`]; and when the line is for another program, or for a shell.
pub fn line(text: &str) -> Result<Ghz, Refusal> {
    let words = shell::words(text).map_err(|error| Refusal::Wrong(error.to_string()))?;
    let Some(("ghz", rest)) = program(&words) else {
        let first = words.first().map(|word| shown(word)).unwrap_or_default();
        return Err(Refusal::Wrong(format!("'{first}' is not ghz")));
    };
    let none = |_: &Path| Err(io::Error::other("no file is read for a line"));
    with_files(rest, &none, false)
}

/// Notes flags that change nothing, and refuses those that ask for what is not done.
fn uses(given: &Given, wishes: &mut SpecBuilder, notes: &mut Vec<String>) {
    for (flag, used) in &FLAGS {
        let Some(value) = given.text(flag.name).filter(|value| *value != "false") else { continue };
        match used {
            Use::Read => {}
            Use::Without(why) => notes.push(format!("--{} has no effect: {why}", flag.name)),
            Use::Refused(advice) => {
                let value = if flag.switch { "" } else { value };
                wishes.mistake(mistake(flag.name, value, "another way", Some((*advice).to_owned())));
            }
        }
    }
}

/// How many calls, how fast and for how long.
fn pace(given: &Given, wishes: &mut SpecBuilder, notes: &mut Vec<String>) {
    wishes.give(Id::Connections, given.text("concurrency").unwrap_or(WORKERS));
    match given.text("duration").filter(|time| span(time).map_or(true, |time| !time.is_zero())) {
        Some(time) => wishes.give(Id::Duration, time),
        None => wishes.give(Id::Requests, given.text("total").unwrap_or(TOTAL)),
    }
    if given.text("q").is_some() {
        notes.push("-q is no flag of ghz: it is taken for --rps, calls a second over all workers".to_owned());
    }
    if let Some(rate) = given.text("rps").or(given.text("q")).filter(|rate| *rate != "0") {
        wishes.give(Id::Rate, rate);
    }
    wishes.give(Id::Timeout, given.text("timeout").unwrap_or(TIMEOUT));
    if let Some(threads) = number(given, wishes, "cpus") {
        wishes.give(Id::Workers, threads.min(MOST_THREADS).to_string());
    }
}

/// TLS, as far as it is asked for.
fn way(given: &Given, wishes: &mut SpecBuilder) {
    wishes.give(Id::Protocol, "grpc");
    if given.is_on("insecure") {
        return;
    }
    if given.is_on("skipTLS") {
        wishes.give(Id::Insecure, "");
    }
    for (name, id) in [("cacert", Id::Cacert), ("cert", Id::Cert), ("key", Id::CertKey)] {
        if let Some(file) = given.text(name) {
            wishes.give(id, file);
        }
    }
}

/// Where the calls go.
fn host(given: &Given, wishes: &mut SpecBuilder) {
    let host = match &given.arguments[..] {
        [host] => host.trim_start_matches("dns:///").trim_start_matches("passthrough:///"),
        [] => return wishes.mistake(mistake("host", "", "HOST:PORT", None)),
        [_, more, ..] => {
            let advice = "put a value that contains blanks in quotes, and a value right after its flag";
            return wishes.mistake(mistake("host", more, "one host", Some(advice.to_owned())));
        }
    };
    if host.contains('/') {
        let advice = "without a scheme and a path: --call names the method".to_owned();
        return wishes.mistake(mistake("host", host, "HOST:PORT", Some(advice)));
    }
    let scheme = if given.is_on("insecure") { "http" } else { "https" };
    // As in gRPC's own clients, whether over TLS or not.
    let port = if host.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']')) { "" } else { ":443" };
    wishes.give(Id::Url, format!("{scheme}://{host}{port}/"));
}

/// What the line says of its report.
fn report(given: &Given, wishes: &mut SpecBuilder) -> Shown {
    let form = match given.text("format").unwrap_or("summary") {
        "summary" => Form::Summary,
        "csv" => Form::Csv,
        "json" => Form::Json,
        "pretty" => Form::Pretty,
        other => {
            let advice = "tollgate run --report writes HTML, JUnit and more".to_owned();
            wishes.mistake(mistake("format", other, "summary, csv, json or pretty", Some(advice)));
            Form::Summary
        }
    };
    let text = |name| given.text(name).unwrap_or_default().to_owned();
    let tags = text("tags");
    if !tags.is_empty() && call::object(&tags).is_none() {
        wishes.mistake(mistake("tags", &tags, "a JSON object of texts", None));
    }
    let output = given.text("output").filter(|file| !file.is_empty()).map(str::to_owned);
    Shown { form, output, name: text("name"), tags, count_errors: given.is_on("count-errors") }
}

/// A flag's whole number above zero; `None` where it is not given, or wrong, which is then noted.
fn number(given: &Given, wishes: &mut SpecBuilder, name: &str) -> Option<u64> {
    let text = given.text(name)?;
    let number = whole(text, 1..=65_535).ok();
    if number.is_none() {
        wishes.mistake(mistake(name, text, "a whole number from 1 to 65535", None));
    }
    number
}

/// A flag's duration.
fn time(given: &Given, wishes: &mut SpecBuilder, name: &str) -> Option<std::time::Duration> {
    let text = given.text(name)?;
    span(text).map_err(|wrong| wishes.mistake(mistake(name, text, "a duration such as 10s", wrong.advice))).ok()
}

/// The plan as ghz keeps it; where a number of connections is asked for, the load of hooks has it too.
fn kept(plan: &mut Plan, connections: Option<u64>) -> Plan {
    let links = connections.unwrap_or(1).min(u64::from(plan.lanes));
    let shared = u64::from(plan.lanes).div_ceil(links).min(MOST_STREAMS) as u32;
    if connections.is_some() {
        (plan.links, plan.streams) = (Some(links as u32), shared);
    }
    Plan { max_lanes: plan.lanes, links: Some(links as u32), streams: shared, ..plan.clone() }
}

/// What is wrong with a flag of ghz.
fn mistake(name: &str, value: &str, allowed: &str, advice: Option<String>) -> Mistake {
    let key = if name == "host" { name.to_owned() } else { format!("--{name}") };
    let value = Some(shown(value)).filter(|value| !value.is_empty());
    Mistake { key, given: value, allowed: allowed.to_owned(), advice, picture: None }
}

/// Mistakes under the names that ghz's flags have.
fn told(mistakes: &Mistakes) -> String {
    let line = |mistake: &Mistake| {
        let key = KEYS.iter().find(|key| key.to_string() == mistake.key);
        let name = match key.map(|key| key.id) {
            Some(Id::Url) => "host",
            Some(Id::Requests) => "--total",
            Some(Id::Connections) => "--concurrency",
            Some(Id::Rate) => "--rps",
            Some(Id::Duration) => "--duration",
            Some(Id::Timeout) => "--timeout",
            Some(Id::Headers) => "--metadata",
            Some(Id::Host) => "--authority",
            Some(Id::BodyFile) => "--binary-file",
            Some(Id::MaxMessage) => "--max-recv-message-size",
            _ => &mistake.key,
        };
        Mistake { key: name.to_owned(), ..mistake.clone() }.to_string()
    };
    // A host that cannot be used has been told already, and was not handed on.
    let told = |mistake: &&Mistake| mistake.given.is_some() || mistake.key != Id::Url.key().to_string();
    mistakes.as_slice().iter().filter(told).map(line).collect::<Vec<_>>().join("\n")
}
