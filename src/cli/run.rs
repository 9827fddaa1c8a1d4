//! `tollgate run`: from a command line to a load, a report and an exit code.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use super::flags::{Invocation, parse_run};
use super::references::{References, references};
use super::signals::Signals;
use super::style::style;
use super::{Exit, complain, progress, saving, say, warn};
use crate::load::{self, Engine, Running, Stopper, Unreflected, descriptors};
use crate::outbound::OutboundError;
use crate::plan::{Arrivals, Plan};
use crate::prometheus::{Answers, Prometheus};
use crate::report::{self, Facts, Loop, Report, Style};
use crate::slo::{self, Answer, Query, Verdict};
use crate::spec::{Output, Outside, Spec};
use crate::stats::{Detail, Measures, Stopped, Summary};
use crate::wire::Transport;

/// Descriptors our own process needs besides its connections.
const SPARE_DESCRIPTORS: u64 = 32;

/// How long a Prometheus may take to answer.
const OUTSIDE: Duration = Duration::from_secs(10);

/// How a file wants its text.
const PLAIN: Style = Style { color: false, width: 80, unicode: true };

/// Runs the command.
pub(super) fn main(args: impl Iterator<Item = OsString>) -> Exit {
    let spec = match parse_run(args) {
        Ok(Invocation::Run(spec)) => *spec,
        Ok(Invocation::Show(text)) => return say(&text),
        Err(refusal) => return complain(&format!("{refusal}\n")),
    };
    let prepared = match prepare(&spec) {
        Ok(prepared) => prepared,
        Err(problems) => return complain(&problems),
    };
    let spec = match known(spec) {
        Ok(spec) => spec,
        Err(exit) => return exit,
    };
    match run(&spec, prepared) {
        Ok(exit) => exit,
        Err(problem) => {
            warn(&format!("tollgate: {problem:#}\n"));
            Exit::Saturated
        }
    }
}

/// The same with what only its servers know: the types of gRPC messages.
fn known(mut spec: Spec) -> Result<Spec, Exit> {
    spec.plan = settled(spec.plan, Exit::Usage)?;
    spec.primary = spec.primary.map(|plan| settled(plan, Exit::Usage)).transpose()?;
    Ok(spec)
}

/// A plan with what only its servers know; a server that does not have what is asked for is the user's mistake.
///
/// # Errors
/// What to end with; why has been said.
pub(super) fn settled(plan: Plan, mistake: Exit) -> Result<Plan, Exit> {
    if !plan.asks() {
        return Ok(plan);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        warn(&format!("tollgate: {error}\n"));
        Exit::Saturated
    })?;
    let (url, plan) = (plan.targets[0].url.clone(), Arc::new(plan));
    match runtime.block_on(load::settled(&plan)) {
        Ok(plan) => Ok(Arc::unwrap_or_clone(plan)),
        Err(Unreflected::Refused(why)) => {
            warn(&format!("{url}: {why}; --proto or --protoset says what a server does not\n"));
            Err(mistake)
        }
        Err(Unreflected::Unreached(why)) => {
            warn(&format!("{url}: asked for the types of its messages, it gave no answer: {why}\n"));
            Err(Exit::Fail)
        }
    }
}

/// What a run needs from outside before anything is sent.
struct Prepared {
    /// Where the report goes.
    report: Option<File>,
    /// What it is compared with.
    references: References,
    /// What should be known, a sentence each.
    notes: Vec<String>,
}

/// What can be known to go wrong before anything is sent: all of it, a line each.
fn prepare(spec: &Spec) -> Result<Prepared, String> {
    let (mut problems, mut report) = (String::new(), None);
    let (references, notes) = references(spec).unwrap_or_else(|unreadable| {
        problems = unreadable;
        Default::default()
    });
    problems += &impossible(spec);
    if let Some(saved) = &spec.report {
        match saving::open(saved) {
            Ok(file) => report = Some(file),
            Err(problem) => problems += &problem,
        }
    }
    if problems.is_empty() { Ok(Prepared { report, references, notes }) } else { Err(problems) }
}

/// Why this load cannot be made here, a line each; nothing where it can.
pub(super) fn impossible(spec: &Spec) -> String {
    let few = too_few_descriptors(&spec.plan, spec.primary.is_some());
    let unusable = Transport::new(spec.plan.wire, &spec.plan.tls, &spec.plan.via).err();
    let unasked = spec.prometheus.as_ref().and_then(|outside| whom(outside).err());
    let unusable = unusable.map(|error| format!("{error}\n"));
    few.into_iter().chain(unusable).chain(unasked.map(|error| format!("--prometheus-cacert: {error}\n"))).collect()
}

/// Why this load cannot have all its connections, if so.
pub(super) fn too_few_descriptors(plan: &Plan, twice: bool) -> Option<String> {
    let (lanes, connections) = (u64::from(plan.max_lanes), plan.connections() * (1 + u64::from(twice)));
    let limit = descriptors().filter(|limit| connections + SPARE_DESCRIPTORS > *limit)?;
    let each = connections / lanes.max(1);
    let to = if each > 1 { format!(" to {each} servers") } else { String::new() };
    Some(format!(
        "-c/--connections, --max-lanes: {lanes} lanes{to} need {} open files, and the limit is {limit}; raise it with \
         ulimit -n, or ask for at most {} lanes\n",
        connections + SPARE_DESCRIPTORS,
        limit.saturating_sub(SPARE_DESCRIPTORS) / each.max(1)
    ))
}

fn run(spec: &Spec, prepared: Prepared) -> anyhow::Result<Exit> {
    for note in spec.notes.iter().cloned().chain(prepared.notes).chain(shortfalls(spec)) {
        warn(&format!("note: {note}\n"));
    }
    let engine = Engine::start(spec.workers.unwrap_or(0) as usize).context("cannot start the load's threads")?;
    let Some(ran) = measure(&engine, spec, &prepared.references)? else { return Ok(Exit::Interrupted) };
    let report = ran.report();
    if let Some((mut file, saved)) = prepared.report.zip(spec.report.as_ref()) {
        let text = written(&report, saved.form, PLAIN);
        saving::replace(&mut file, &text).context("--report: cannot write the report")?;
    }
    say(&written(&report, spec.output, style(&io::stdout(), spec.no_color)));
    Ok(ran.exit)
}

/// The report in one of its forms; only the text has a style.
fn written(report: &Report<'_>, form: Output, style: Style) -> String {
    match form {
        Output::Text => report::text(report, style),
        Output::Json => format!("{:#}\n", report::json(report)),
        Output::Csv => report::csv(report),
        Output::Junit => report::junit(report),
        Output::Html => report::html(report),
    }
}

/// The evidence planner: clauses that this load could not show to hold even if every answer were perfect.
pub(super) fn shortfalls(spec: &Spec) -> Vec<String> {
    let schedule = &spec.plan.schedule;
    let rate = schedule.mean_rate().map(|rate| rate.micro_per_second as f64 / 1e6);
    match (&spec.objective, schedule.total()) {
        (Some(objective), Some(total)) => objective.line.shortfalls(total, rate),
        _ => Vec::new(),
    }
}

/// One load, measured and judged.
pub(super) struct Ran {
    facts: Facts,
    pub(super) summary: Summary,
    primary: Option<Summary>,
    pub(super) verdict: Option<Verdict>,
    pub(super) exit: Exit,
}

impl Ran {
    pub(super) fn report(&self) -> Report<'_> {
        let Self { facts, summary, primary, verdict, .. } = self;
        Report { facts, summary, primary: primary.as_ref(), verdict: verdict.as_ref() }
    }
}

/// Makes the load and judges it; `None` when a second signal would not wait for its end.
pub(super) fn measure(engine: &Engine, spec: &Spec, references: &References) -> anyhow::Result<Option<Ran>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut signals = Signals::catch()?;
        measured(engine, spec, references, &mut signals).await
    })
}

/// The same within a runtime whose signals are caught already.
pub(super) async fn measured(
    engine: &Engine,
    spec: &Spec,
    references: &References,
    signals: &mut Signals,
) -> anyhow::Result<Option<Ran>> {
    let started = jiff::Timestamp::now().to_string();
    let load = begin(engine, spec)?;
    let (stoppers, watcher) = (load.stoppers(), load.watcher());
    let finish = async {
        let (summary, primary) = tokio::select! {
            summaries = load.finish() => summaries,
            never = progress::draw(&watcher, spec) => match never {},
        };
        let outside = outside(spec, &summary).await;
        (summary, primary, outside)
    };
    let summaries = signals.until_done(finish, || stoppers.iter().for_each(Stopper::stop)).await;
    let Some((summary, primary, outside)) = summaries else { return Ok(None) };
    // What ran until an interruption may be the better part of a bad run: no pass, and no other word either.
    let objective = spec.objective.as_ref().filter(|_| summary.stopped != Some(Stopped::Interrupted));
    let (canary, primary_side) = (&summary, primary.as_ref());
    let evidence = slo::Evidence { canary, primary: primary_side, references, outside: &outside };
    let verdict = objective.map(|objective| slo::judge(&objective.line, &evidence));
    let exit = exit(&summary, verdict.as_ref());
    Ok(Some(Ran { facts: facts(spec, started, exit), summary, primary, verdict, exit }))
}

/// Whom queries are put to.
fn whom(outside: &Outside) -> Result<Prometheus, OutboundError> {
    Prometheus::new(&outside.url, outside.cacert.clone(), outside.token_file.clone())
}

/// What the objective's queries come to once the load is over.
async fn outside(spec: &Spec, summary: &Summary) -> BTreeMap<Query, Answer> {
    let (Some(outside), Some(objective)) = (&spec.prometheus, &spec.objective) else { return BTreeMap::new() };
    let queries = objective.line.queries();
    if summary.stopped == Some(Stopped::Interrupted) {
        return BTreeMap::new();
    }
    match whom(outside) {
        Ok(prometheus) => Answers::of(Arc::new(prometheus)).to(&queries, OUTSIDE).await,
        Err(error) => queries.into_iter().map(|query| (query.clone(), Err(error.to_string()))).collect(),
    }
}

/// Begins the load, or the two of a comparison.
fn begin(engine: &Engine, spec: &Spec) -> anyhow::Result<Running> {
    let (plan, measures) = (Arc::new(spec.plan.clone()), Arc::new(measures(spec)));
    Ok(match &spec.primary {
        None => Running::Alone(engine.run(&plan, &measures, Detail::Run)?),
        Some(primary) => {
            Running::Beside(engine.run_beside(&plan, &Arc::new(primary.clone()), &measures, Detail::Run)?)
        }
    })
}

fn measures(spec: &Spec) -> Measures {
    match &spec.objective {
        Some(objective) => objective.line.measures(spec.success, spec.plan.schedule.total()),
        None => Measures { success: spec.success, ..Measures::default() },
    }
}

fn exit(summary: &Summary, verdict: Option<&Verdict>) -> Exit {
    match verdict {
        _ if summary.stopped == Some(Stopped::Interrupted) => Exit::Interrupted,
        Some(verdict) => verdict.decision.into(),
        None if summary.error.is_some() => Exit::Saturated,
        None if summary.succeeded > 0 => Exit::Pass,
        None => Exit::Fail,
    }
}

/// The part of the plan that the report repeats.
fn facts(spec: &Spec, started: String, exit: Exit) -> Facts {
    let Plan { targets, wire, schedule, lanes, max_lanes, timeout, .. } = &spec.plan;
    Facts {
        url: targets[0].url.clone(),
        primary: spec.primary.as_ref().map(|plan| plan.targets[0].url.clone()),
        urls: targets.iter().map(|target| (target.url.clone(), target.weight)).collect(),
        method: targets[0].request.method.clone(),
        protocol: wire.name(),
        protocol_title: wire.title(),
        arrivals: if schedule.is_closed() { Loop::Closed } else { Loop::Open },
        lanes: *lanes,
        max_lanes: *max_lanes,
        rate: schedule.mean_rate().map(|rate| rate.micro_per_second as f64 / 1e6),
        stages: if let Arrivals::Stages(stages) = &schedule.arrivals { stages.len() } else { 0 },
        duration: schedule.end().map(|end| end.saturating_sub(schedule.warmup)),
        requests: schedule.stop.count,
        warmup: schedule.warmup,
        timeout: *timeout,
        redirects: spec.plan.redirects,
        seed: spec.plan.draws().then_some(spec.plan.seed),
        slo: spec.objective.as_ref().map(|objective| objective.text.clone()),
        started,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        exit_code: exit.code(),
    }
}
