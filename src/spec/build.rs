//! From texts to a [`Spec`], or to all that is wrong with them.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::header::is_token;
use super::keys::{Id, Kind};
use super::mistake::{Mistake, Mistakes, WRONG, Wrong, pictured, wrong};
use super::output::{Output, Saved, saved};
use super::outside::{Outside, outside};
use super::pace::pace;
use super::references::references;
use super::request::{Targets, targets};
use super::split::splits;
use super::status::{StatusSet, statuses};
use super::value::{seconds_or_span, span, whole};
use super::way::{tls, via};
use super::{address, call};
use crate::plan::{Identify, Plan, Target, Wire};
use crate::slo::{Asked, Line, Reference};

/// hey's time limit for one request.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Lanes that share one HTTP/2 connection: several connections meet several pods, and still carry several requests each.
const STREAMS: u64 = 10;

/// Everything one run needs, valid by construction.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The load.
    pub plan: Plan,
    /// The same load on the release in service; `None` where nothing is compared with it.
    pub primary: Option<Plan>,
    /// The objective; `None` judges nothing.
    pub objective: Option<Objective>,
    /// Reports of earlier runs that the objective compares with, in which file each.
    pub references: Vec<(Reference, PathBuf)>,
    /// Whom the objective's queries are put to; `None` where it has none.
    pub prometheus: Option<Outside>,
    /// Statuses that count as success.
    pub success: StatusSet,
    /// Threads that send, at least 1; `None` is one for each CPU.
    pub workers: Option<u32>,
    /// Form of the report on standard output.
    pub output: Output,
    /// File for a report; `None` writes none.
    pub report: Option<Saved>,
    /// Whether progress is kept quiet while the load runs.
    pub quiet: bool,
    /// Whether colours are switched off.
    pub no_color: bool,
    /// What was asked for and has no effect, one sentence each: to be shown, not to stop anything.
    pub notes: Vec<String>,
}

/// What must hold, as written and as understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Objective {
    /// The line as the user wrote it.
    pub text: String,
    /// The clauses.
    pub line: Line,
}

/// Collects what was asked and then reads it all.
#[derive(Clone, Debug, Default)]
pub struct SpecBuilder {
    given: Vec<(Id, String)>,
    mistakes: Vec<Mistake>,
    seed: Option<u64>,
    verbatim: bool,
    asks: bool,
    reads: bool,
}

impl SpecBuilder {
    /// Nothing asked yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one wish; for a switch, whatever the value, that it is on.
    pub fn give(&mut self, id: Id, value: impl Into<String>) {
        self.given.push((id, value.into()));
    }

    /// The seed that counts where none is given; without it that is 0.
    pub fn default_seed(&mut self, seed: u64) {
        self.seed = Some(seed);
    }

    /// Takes `{{` as text: nothing is drawn.
    pub fn verbatim(&mut self) {
        self.verbatim = true;
    }

    /// Takes clauses on queries: whoever judges has a Prometheus to ask.
    pub fn asks_prometheus(&mut self) {
        self.asks = true;
    }

    /// Keeps the types of a gRPC call's messages: its answer will be read.
    pub fn reads_answers(&mut self) {
        self.reads = true;
    }

    /// Whether somebody reads a gRPC call's answer.
    pub(super) fn is_read(&self) -> bool {
        self.reads
    }

    /// Whether `{{` is text.
    pub(super) fn is_verbatim(&self) -> bool {
        self.verbatim
    }

    /// Adds a mistake found on the way here, such as an unknown flag.
    pub fn mistake(&mut self, mistake: Mistake) {
        self.mistakes.push(mistake);
    }

    /// Reads everything. `read` returns a file's content; it is asked for the body file, certificates and their
    /// key.
    ///
    /// # Errors
    /// Every mistake there is: values that cannot be read, and values that do not go together.
    pub fn build(mut self, read: &dyn Fn(&Path) -> io::Result<Vec<u8>>) -> Result<Spec, Mistakes> {
        let mut notes = Vec::new();
        let wire = wire(&mut self);
        call::without_grpc(&mut self, wire);
        let Targets { canary: targets, primary } = targets(&mut self, wire, read);
        let split = splits(&mut self, &targets);
        let seed = self.read(Id::Seed, |text| whole(text, 0..=u64::MAX)).or(self.seed).unwrap_or_default();
        let pace = pace(&mut self, &mut notes);
        let timeout = self.read(Id::Timeout, seconds_or_span).unwrap_or(TIMEOUT);
        let age = self.read(Id::ConnectionAge, span).unwrap_or_default();
        let (objective, references, prometheus) = judged_by(&mut self, &targets, &mut notes, read);
        let success = self.read(Id::Success, statuses).unwrap_or_default();
        let workers = self.read(Id::Workers, |text| whole(text, 0..=1024)).filter(|n| *n > 0).map(|n| n as u32);
        let output = self.read(Id::Output, |text| text.parse().map_err(|()| WRONG)).unwrap_or_default();
        let report = self.read(Id::Report, saved);
        let [quiet, no_color, anew] = [Id::Quiet, Id::NoColor, Id::DisableKeepalive].map(|id| self.is_given(id));
        notes.extend(without_effect(&self, wire));
        let streams = self.read(Id::Streams, |text| whole(text, 1..=1_000)).unwrap_or(STREAMS) as u32;
        let links = self.read(Id::Links, |text| whole(text, 1..=65_535)).map(|links| links as u32);
        let identify = self.read(Id::Identify, identify);
        let redirects = self.read(Id::Redirects, |text| whole(text, 0..=20)).unwrap_or_default() as u32;
        // A redirect may lead to https from anywhere.
        let secure = redirects > 0 || targets.iter().chain(&primary).any(|target| target.origin.secure);
        let tls = tls(&mut self, &mut notes, read, secure);
        let via = via(&mut self);
        let targets = Mistakes::unless(self.mistakes, targets)?;
        let plan = Plan {
            targets,
            wire,
            tls,
            via,
            schedule: pace.schedule,
            lanes: pace.lanes,
            max_lanes: pace.max_lanes,
            streams,
            links,
            timeout: Some(timeout).filter(|timeout| !timeout.is_zero()),
            keep_alive: !anew,
            connection_age: Some(age).filter(|age| !age.is_zero()),
            identify,
            redirects,
            seed,
            split,
        };
        Ok(Spec {
            primary: primary.map(|primary| beside(&plan, primary)),
            plan,
            objective,
            references,
            prometheus,
            success,
            workers,
            output,
            report,
            quiet,
            no_color,
            notes,
        })
    }

    /// What is wrong so far.
    pub(super) fn mistakes(&mut self) -> &mut Vec<Mistake> {
        &mut self.mistakes
    }

    /// Adds a mistake unless it is noted already.
    pub(super) fn mistake_once(&mut self, mistake: Mistake) {
        if !self.mistakes.contains(&mistake) {
            self.mistakes.push(mistake);
        }
    }

    /// All texts of a key, in order.
    pub(super) fn texts(&self, id: Id) -> impl Iterator<Item = &str> {
        self.given.iter().filter(move |(given, _)| *given == id).map(|(_, text)| text.as_str())
    }

    /// How often the key was given.
    pub(super) fn count(&self, id: Id) -> usize {
        self.given.iter().filter(|(given, _)| *given == id).count()
    }

    /// Whether the key was given at all.
    pub(super) fn is_given(&self, id: Id) -> bool {
        self.given.iter().any(|(given, _)| *given == id)
    }

    /// The text that counts for a key: the last one.
    pub(super) fn text(&self, id: Id) -> Option<&str> {
        self.given.iter().rev().find(|(given, _)| *given == id).map(|(_, text)| text.as_str())
    }

    /// The value of a key; `None` when it was not given, or was wrong, which is then noted.
    pub(super) fn read<T>(&mut self, id: Id, parse: impl Fn(&str) -> Result<T, Wrong>) -> Option<T> {
        debug_assert!(id.key().kind == Kind::Once);
        let text = self.text(id)?.to_owned();
        self.parsed(id, &text, parse)
    }

    /// The values of a key that may be given several times; wrong ones are noted and left out.
    pub(super) fn read_all<T>(&mut self, id: Id, parse: impl Fn(&str) -> Result<T, Wrong>) -> Vec<T> {
        debug_assert!(id.key().kind == Kind::Repeat);
        let texts: Vec<String> =
            self.given.iter().filter(|(given, _)| *given == id).map(|(_, text)| text.clone()).collect();
        texts.iter().filter_map(|text| self.parsed(id, text, &parse)).collect()
    }

    fn parsed<T>(&mut self, id: Id, text: &str, parse: impl Fn(&str) -> Result<T, Wrong>) -> Option<T> {
        parse(text).map_err(|wrong| self.mistake(Mistake::wrong(id, text, wrong))).ok()
    }

    /// Notes that a key's value does not go with the rest.
    pub(super) fn clash(&mut self, id: Id, allowed: impl Into<String>, advice: impl Into<String>) {
        let text = self.text(id).unwrap_or_default().to_owned();
        self.mistake(Mistake::clash(id, &text, allowed, advice));
    }
}

/// The load of the release in service: apart, and told by a header, are the canary's requests alone.
fn beside(plan: &Plan, primary: Target) -> Plan {
    Plan { targets: vec![primary], split: Vec::new(), identify: None, ..plan.clone() }
}

/// What a run is judged by: its objective, in which files that is compared with, and whom its queries are put to.
fn judged_by(
    wishes: &mut SpecBuilder,
    targets: &[Target],
    notes: &mut Vec<String>,
    read: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
) -> (Option<Objective>, Vec<(Reference, PathBuf)>, Option<Outside>) {
    let compared = wishes.is_given(Id::Primary);
    let asks = wishes.asks || wishes.is_given(Id::Prometheus);
    let objective = wishes.read(Id::Slo, |text| objective_on(text, targets, compared, asks));
    let references = references(wishes, objective.as_ref(), notes);
    let mut prometheus = outside(wishes, read);
    if prometheus.is_some() && objective.as_ref().is_some_and(|objective| objective.line.queries().is_empty()) {
        notes.push("--prometheus has no effect: no clause has a query".to_owned());
        prometheus = None;
    }
    (objective, references, prometheus)
}

/// Reads `HEADER=REGEX`.
pub(super) fn identify(text: &str) -> Result<Identify, Wrong> {
    let (header, pattern) = text.split_once('=').ok_or(WRONG)?;
    if !is_token(header.trim()) {
        return Err(wrong("a header's name has letters, digits and -_.!#$%&'*+^`|~ only"));
    }
    if pattern.is_empty() {
        return Err(wrong("an empty expression finds itself in every value: say what the value must have"));
    }
    regex::bytes::Regex::new(pattern).map_err(|error| {
        let last = error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        wrong(format!("the expression cannot be read: {last}"))
    })?;
    Ok(Identify { header: header.trim().to_owned(), pattern: pattern.to_owned() })
}

/// What an objective that stands on its own may be about besides the load's own requests.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Beside {
    /// There is a Prometheus to ask.
    pub(super) prometheus: bool,
    /// The release in service is loaded too.
    pub(super) primary: bool,
}

/// Reads an objective on its own: clauses that need a run's URLs or the reports of earlier runs are refused.
pub(super) fn objective(text: &str, there: Beside) -> Result<Objective, Wrong> {
    let known_nowhere = |line: &mut Line| {
        let mut refused = line.ask(&[]).err().unwrap_or_default();
        let saved =
            line.references().into_iter().map(|saved| format!("{saved}: there is no report of it to compare with"));
        refused.extend(saved);
        let alone = line.needs_primary() && !there.primary;
        let beside = alone.then(|| "primary: there is none to compare with: give primary".to_owned());
        refused.extend(beside);
        refused
    };
    judged(text, there.prometheus, known_nowhere)
}

/// Reads the objective of a run that asks these targets, and whether a primary beside them. Without a usable target there
/// is a mistake about that.
fn objective_on(text: &str, targets: &[Target], compared: bool, asks: bool) -> Result<Objective, Wrong> {
    let asked: Vec<Asked<'_>> =
        targets.iter().map(|target| Asked { url: &target.url, path: &target.request.path }).collect();
    judged(text, asks, |line| {
        let mut refused = if asked.is_empty() { Vec::new() } else { line.ask(&asked).err().unwrap_or_default() };
        let alone = line.needs_primary() && !compared;
        refused.extend(alone.then(|| "primary: say where the release in service is: --primary URL".to_owned()));
        refused
    })
}

/// Reads an objective; clauses that are understood and cannot be judged are refused here, before anything is sent. `asks`
/// says whether there is a Prometheus.
fn judged(text: &str, asks: bool, unknown: impl Fn(&mut Line) -> Vec<String>) -> Result<Objective, Wrong> {
    let mut line = crate::slo::parse(text).map_err(|errors| pictured(errors.caret(text)))?;
    let mut refused = line.unsupported();
    refused.extend(unknown(&mut line));
    if !asks && !line.queries().is_empty() {
        refused.push("prom('…'): there is no Prometheus to ask: give --prometheus URL".to_owned());
    }
    if refused.is_empty() { Ok(Objective { text: text.to_owned(), line }) } else { Err(wrong(refused.join("; "))) }
}

/// The protocol, from its flag or from hey's switch for HTTP/2.
fn wire(wishes: &mut SpecBuilder) -> Wire {
    let named = wishes.read(Id::Protocol, |text| {
        [Wire::Http1, Wire::Http2, Wire::Grpc].into_iter().find(|wire| wire.name() == text).ok_or(WRONG)
    });
    match (named, wishes.is_given(Id::Http2)) {
        (Some(Wire::Http1), true) => {
            wishes.clash(Id::Protocol, "http2 beside --http2", "name one protocol");
            Wire::Http1
        }
        (named, http2) => {
            let grpc = call::is_grpc(wishes) || wishes.texts(Id::Url).any(address::is_grpc);
            named.unwrap_or(match (grpc, http2) {
                (true, _) => Wire::Grpc,
                (false, true) => Wire::Http2,
                (false, false) => Wire::Http1,
            })
        }
    }
}

/// What the protocol has no use for.
fn without_effect(wishes: &SpecBuilder, wire: Wire) -> Vec<String> {
    let useless: &[(Id, &str)] = match wire {
        Wire::Http1 => &[
            (Id::Streams, "an HTTP/1.1 connection carries one request at a time"),
            (Id::Links, "an HTTP/1.1 connection carries one request at a time: -c sets how many there are"),
        ],
        Wire::Http2 => &[],
        Wire::Grpc => &[
            (Id::Success, "a gRPC call succeeds with the status OK and no other"),
            (Id::Redirects, "gRPC knows no redirects"),
        ],
    };
    let given = useless.iter().filter(|(id, _)| wishes.is_given(*id));
    given.map(|(id, why)| format!("{} has no effect: {why}", id.key())).collect()
}

#[cfg(test)]
mod tests;
