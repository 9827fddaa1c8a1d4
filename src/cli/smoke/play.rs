//! Files played: step after step, until one does not hold, or somebody interrupts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::runtime::{Builder, LocalOptions};

use super::{Asked, Source};
use crate::cli::flags::fresh_seed;
use crate::cli::references::References;
use crate::cli::run::{impossible, measured, shortfalls};
use crate::cli::signals::Signals;
use crate::cli::{Exit, say, warn};
use crate::fetch::{self, Fetched, MOST_BODY, fetch};
use crate::load::{self, Engine, Unreflected};
use crate::plan::Plan;
use crate::report::{self, Style};
use crate::slo::Decision;
use crate::smoke::{self, Answer, Called, End, Kind, Step, Told, ToldSuite, Values};
use crate::spec::{Output, Spec};
use crate::stats::{Code, Fault, number};

/// The shortest wait between two tries: a target that refuses would be asked thousands of times a second.
const SHORTEST: Duration = Duration::from_millis(10);

/// What the steps of all files share.
struct Stage<'a> {
    asked: &'a Asked,
    style: Style,
    signals: Signals,
    /// Started with the first load.
    engine: Option<Engine>,
    interrupted: bool,
}

/// Plays all files. Where text is asked for, each step is told as it ends.
pub(super) fn all(asked: &Asked, sources: &[Source], style: Style) -> anyhow::Result<Vec<ToldSuite>> {
    // What a connection waits for never leaves its thread.
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
    runtime.block_on(async {
        let mut stage = Stage { asked, style, signals: Signals::catch()?, engine: None, interrupted: false };
        let mut told = Vec::new();
        for source in sources {
            told.push(stage.suite(source).await?);
        }
        Ok(told)
    })
}

impl Stage<'_> {
    fn tell(&self, text: &str) {
        if self.asked.output == Output::Text {
            say(text);
        }
    }

    async fn suite(&mut self, source: &Source) -> anyhow::Result<ToldSuite> {
        let suite = &source.suite;
        self.tell(&smoke::overview(&suite.name, &source.file, self.style));
        let (began, started) = (Instant::now(), jiff::Timestamp::now().to_string());
        let widest = suite.steps.iter().map(|step| step.name.chars().count()).max().unwrap_or_default();
        let (mut values, mut steps, mut bad) = (suite.values.clone(), Vec::new(), None);
        for step in &suite.steps {
            let mut told = untold(step);
            match self.skipped(step, &values, bad.as_deref()) {
                Some(why) => told.end = End::Skipped(why),
                None => self.step(step, source, &mut values, &mut told).await?,
            }
            let holds = matches!(told.end, End::Decided(Decision::Pass) | End::Skipped(_));
            if !holds && bad.is_none() {
                bad = Some(step.name.clone());
            }
            self.interrupted |= told.end == End::Interrupted;
            self.tell(&smoke::step_line(&told, widest, self.style));
            steps.push(told);
        }
        let (name, file) = (suite.name.clone(), source.file.clone());
        let told = ToldSuite { name, file, started, took: began.elapsed(), steps };
        self.tell(&smoke::suite_line(&told, self.style));
        Ok(told)
    }

    /// Why a step is not done, if it is not.
    fn skipped(&self, step: &Step, values: &Values, bad: Option<&str>) -> Option<String> {
        if self.interrupted {
            return Some("interrupted".to_owned());
        }
        if let Some(bad) = bad.filter(|_| !self.asked.keep_going && !step.always) {
            return Some(format!("'{bad}' did not pass"));
        }
        step.lacks(values).map(|name| format!("{name} was not captured"))
    }

    async fn step(&mut self, step: &Step, source: &Source, values: &mut Values, told: &mut Told) -> anyhow::Result<()> {
        let began = Instant::now();
        let spec = match step.spec(values, fresh_seed(), &|path| source.read(path)) {
            Ok(spec) => spec,
            // What was captured makes no request.
            Err(mistakes) => {
                told.end = End::Decided(Decision::Fail);
                told.said = mistakes.iter().map(|mistake| mistake.said.clone()).collect();
                return Ok(());
            }
        };
        match step.kind {
            Kind::Load => self.load(spec, told).await?,
            Kind::Request => tokio::select! {
                () = self.signals.next() => told.end = End::Interrupted,
                taken = request(step, &spec, values, told) => values.extend(taken),
            },
        }
        told.whole = began.elapsed();
        Ok(())
    }

    async fn load(&mut self, mut spec: Spec, told: &mut Told) -> anyhow::Result<()> {
        let impossible = impossible(&spec);
        if !impossible.is_empty() {
            told.end = End::Decided(Decision::Error);
            told.said = impossible.lines().map(str::to_owned).collect();
            return Ok(());
        }
        shortfalls(&spec).iter().for_each(|note| warn(&format!("note: {}: {note}\n", told.name)));
        for plan in [Some(&mut spec.plan), spec.primary.as_mut()].into_iter().flatten() {
            if let Err((decision, why)) = know(plan).await {
                told.end = End::Decided(decision);
                told.said = vec![why];
                return Ok(());
            }
        }
        (spec.quiet, spec.no_color) = (self.asked.quiet, self.asked.no_color);
        let engine = match &mut self.engine {
            Some(engine) => engine,
            none => none.insert(Engine::start(0).context("cannot start the load's threads")?),
        };
        told.tries = 1;
        let Some(ran) = measured(engine, &spec, &References::new(), &mut self.signals).await? else {
            told.end = End::Interrupted;
            return Ok(());
        };
        told.took = ran.summary.wall;
        told.report = Some(report::json(&ran.report()));
        told.end = match &ran.verdict {
            Some(verdict) => {
                told.said = [verdict.reason.clone()].into_iter().chain(verdict.advice.clone()).collect();
                End::Decided(verdict.decision)
            }
            None if ran.exit == Exit::Interrupted => End::Interrupted,
            None => End::Decided(Decision::Error),
        };
        Ok(())
    }
}

/// A step of which nothing is known yet.
fn untold(step: &Step) -> Told {
    Told {
        name: step.name.clone(),
        line: step.at.line,
        asks: step.asks.clone(),
        end: End::Interrupted,
        status: None,
        took: Duration::ZERO,
        tries: 0,
        whole: Duration::ZERO,
        said: Vec::new(),
        captured: Vec::new(),
        report: None,
    }
}

/// Makes the request until it holds or its time is over. What is known of it stands in `told` at any time.
async fn request(step: &Step, spec: &Spec, values: &Values, told: &mut Told) -> Values {
    let began = Instant::now();
    let mut plan = spec.plan.clone();
    loop {
        let left = step.retry.map(|retry| retry.for_.saturating_sub(began.elapsed()).max(Duration::from_millis(1)));
        plan.timeout = match (spec.plan.timeout, left) {
            (Some(timeout), Some(left)) => Some(timeout.min(left)),
            (timeout, left) => timeout.or(left),
        };
        told.tries += 1;
        let Tried { answer, failed, begins } = tried(&mut plan).await;
        (told.status, told.took) = (answer.status, answer.took);
        let failures = match step.check(&answer, values) {
            Ok(taken) => {
                told.end = End::Decided(Decision::Pass);
                told.said.clear();
                told.captured = taken.keys().cloned().collect();
                return taken;
            }
            Err(failures) => failures,
        };
        told.said = failures.iter().map(ToString::to_string).collect();
        told.said.extend((!begins.is_empty()).then(|| format!("the body begins{begins}")));
        // A try that would begin after the end is none.
        let wait = step.retry.map(|retry| retry.every.max(SHORTEST));
        let again = step.retry.zip(wait).filter(|(retry, wait)| began.elapsed() + *wait < retry.for_);
        match again {
            Some((_, wait)) => tokio::time::sleep(wait).await,
            None => {
                told.end = End::Decided(failed);
                return Values::new();
            }
        }
    }
}

/// What came of one try.
struct Tried {
    answer: Answer,
    /// What it comes to if the answer is not as expected.
    failed: Decision,
    /// How its body begins, behind a colon.
    begins: String,
}

/// Makes the request once.
async fn tried(plan: &mut Plan) -> Tried {
    let began = Instant::now();
    if let Err((failed, why)) = know(plan).await {
        let answer = Answer { trouble: Some(why), took: began.elapsed(), ..Answer::default() };
        return Tried { answer, failed, begins: String::new() };
    }
    let fetched = fetch(fetch::Asked { plan, connect: None, fenced: false, hosts: &Arc::default() }).await;
    Tried { answer: answer(&fetched, plan.timeout), failed: failure(&fetched), begins: fetched.beginning() }
}

/// Adds to a plan what only its servers know: the types of gRPC messages.
///
/// # Errors
/// What it comes to that they do not say, and why.
async fn know(plan: &mut Plan) -> Result<(), (Decision, String)> {
    if !plan.asks() {
        return Ok(());
    }
    match load::settled(&Arc::new(plan.clone())).await {
        Ok(known) => {
            *plan = Arc::unwrap_or_clone(known);
            Ok(())
        }
        Err(Unreflected::Unreached(why)) => Err((Decision::Unreachable, why)),
        Err(Unreflected::Refused(why)) => {
            Err((Decision::Fail, format!("{why}; proto or protoset says what a server does not")))
        }
    }
}

/// What it comes to that a request does not hold.
fn failure(fetched: &Fetched) -> Decision {
    match fetched.outcome.fault {
        Some(Fault::Local) => Decision::Error,
        Some(Fault::Refused | Fault::Dns) => Decision::Unreachable,
        _ => Decision::Fail,
    }
}

/// What came back, for those who look at it.
fn answer(fetched: &Fetched, limit: Option<Duration>) -> Answer {
    let trouble = match (fetched.outcome.fault, limit) {
        (Some(Fault::Timeout), Some(limit)) => Some(format!("not whole within {}", number::span(limit))),
        _ => fetched.trouble(),
    };
    let fields = fetched.heads.last().map(|head| head.fields.as_slice()).unwrap_or_default();
    Answer {
        trouble,
        status: fetched.status(),
        grpc: match fetched.outcome.code {
            Code::Grpc(status) => Some(Called { status, said: fetched.said.clone() }),
            Code::None | Code::Http(_) => None,
        },
        headers: fields
            .iter()
            .map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into_owned()))
            .collect(),
        body: fetched.body.clone(),
        cut: fetched.bytes > MOST_BODY as u64,
        took: fetched.took,
    }
}
