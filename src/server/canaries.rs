//! For programs and people beside Flagger: what runs, what was answered, and the two ways to step in.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use jiff::{Timestamp, Unit};
use serde::Deserialize;
use serde_json::{Value, json};

use super::App;
use super::hook::{self, Peer, Trusted};
use super::reply::{Reply, Status, document};
use crate::canary::Canary;
use crate::spec::GoDuration;
use crate::state::StoreError;
use crate::task::{CanaryStatus, LoadStatus, Override, Record, RunStatus, Stage};

/// How long a person's decision may stand, in words and as a time.
const LONGEST: (&str, Duration) = ("168h", Duration::from_secs(168 * 3600));
/// Characters of a name or a reason that are kept.
const KEPT: usize = 200;

/// All canaries that are remembered, without what was answered before.
pub(super) async fn all(State(app): State<Arc<App>>) -> Response {
    let clock = Clock::of(&app);
    let canaries = app.runs.status();
    let canaries: Vec<Value> = canaries.iter().map(|status| clock.canary(status)).collect();
    document(&json!({ "canaries": canaries }))
}

/// One canary, with its newest answers.
pub(super) async fn one(State(app): State<Arc<App>>, Path(path): Path<(String, String)>) -> Response {
    let Some(status) = known(&app, path) else { return unknown() };
    let clock = Clock::of(&app);
    let mut shown = clock.canary(&status);
    shown["history"] = status.history.iter().map(|record| clock.record(record)).collect();
    document(&shown)
}

/// The newest answer to a hook that judges: 200 whatever it is, for controllers that read the body.
pub(super) async fn verdict(State(app): State<Arc<App>>, Path(path): Path<(String, String)>) -> Response {
    let Some(status) = known(&app, path) else { return unknown() };
    let clock = Clock::of(&app);
    let last = status.history.last();
    let current = status.run.as_ref().is_some_and(|run| last.is_some_and(|last| last.checksum == run.checksum));
    document(&json!({
        "name": status.canary.name,
        "namespace": status.canary.namespace,
        "current": current,
        "answer": last.map(|record| clock.record(record)),
    }))
}

fn known(app: &App, (namespace, name): (String, String)) -> Option<CanaryStatus> {
    let canary = Canary::new(name, namespace);
    app.runs.status().into_iter().find(|status| status.canary == canary)
}

fn unknown() -> Response {
    Reply::new(Status::NotFound, "no hook has spoken of this canary").into_response()
}

/// Times of the board as times of the day.
struct Clock {
    zero: Timestamp,
}

impl Clock {
    fn of(app: &App) -> Self {
        let now = Timestamp::now();
        Self { zero: now.checked_sub(app.runs.now()).unwrap_or(now) }
    }

    fn at(&self, time: Duration) -> Option<Timestamp> {
        let at = self.zero.checked_add(time).ok()?;
        Some(at.round(Unit::Millisecond).unwrap_or(at))
    }

    fn canary(&self, status: &CanaryStatus) -> Value {
        json!({
            "name": status.canary.name,
            "namespace": status.canary.namespace,
            "run": status.run.as_ref().map(|run| self.run(run)),
            "unjudged": status.loose.iter().map(load).collect::<Vec<_>>(),
            "override": status.ruling.as_ref().map(|ruling| self.ruling(ruling)),
        })
    }

    fn run(&self, run: &RunStatus) -> Value {
        json!({
            "checksum": run.checksum.to_string(),
            "since": self.at(run.began),
            "loads": run.loads.iter().map(load).collect::<Vec<_>>(),
            "last": run.last,
            "stopped": run.stopped,
        })
    }

    fn ruling(&self, ruling: &Override) -> Value {
        json!({
            "verdict": if ruling.pass { "pass" } else { "fail" },
            "until": self.at(ruling.until),
            "by": ruling.by,
            "why": ruling.why,
        })
    }

    fn record(&self, record: &Record) -> Value {
        json!({
            "at": self.at(record.at),
            "checksum": record.checksum.to_string(),
            "hook": record.role.path(),
            "verdict": record.kind.name(),
            "measured": record.measured.name(),
            "text": record.text,
            "times": record.times,
        })
    }
}

fn load(load: &LoadStatus) -> Value {
    let stage = match &load.standing.stage {
        Stage::Reaching => "reaching",
        Stage::Warming => "warming up",
        Stage::Running => "running",
        Stage::Over(_) => "over",
    };
    json!({
        "targets": load.targets,
        "rate_per_second": load.rate,
        "stage": stage,
        "judged_seconds": load.standing.judged.as_secs_f64(),
        "length_seconds": load.length.map(|length| length.as_secs_f64()),
    })
}

/// What a person sends to decide, or to stop.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Wish {
    verdict: Option<String>,
    r#for: Option<String>,
    by: String,
    why: String,
}

impl Wish {
    async fn read(app: &App, peer: Peer, body: Body) -> Result<Self, Reply> {
        let body = hook::bytes(app, body).await?;
        let wish: Result<Self, _> = if body.is_empty() { Ok(Self::default()) } else { serde_json::from_slice(&body) };
        let mut wish = wish.map_err(|e| Reply::new(Status::BadInput, &format!("the body cannot be read: {e}")))?;
        let address = peer.0.ip().to_canonical();
        wish.by = if wish.by.is_empty() { address.to_string() } else { format!("{} ({address})", short(&wish.by)) };
        wish.why = short(&wish.why);
        Ok(wish)
    }

    /// Pass or fail, and for how long.
    fn ruling(&self) -> Result<(bool, Duration), String> {
        let pass = match self.verdict.as_deref() {
            Some("pass") => Ok(true),
            Some("fail") => Ok(false),
            other => Err(format!("verdict: got '{}', expected pass or fail", short(other.unwrap_or_default()))),
        };
        let (words, longest) = LONGEST;
        let given = self.r#for.as_deref().unwrap_or_default();
        let lasts = given.parse().ok().and_then(GoDuration::to_std);
        let lasts = lasts.filter(|lasts| (Duration::from_secs(1)..=longest).contains(lasts));
        let lasts = lasts.ok_or_else(|| format!("for: got '{}', expected a duration from 1s to {words}", short(given)));
        let why = if self.why.is_empty() { Err("why: got nothing, expected a reason".to_owned()) } else { Ok(()) };
        match (pass, lasts, why) {
            (Ok(pass), Ok(lasts), Ok(())) => Ok((pass, lasts)),
            (pass, lasts, why) => {
                let mistakes = [pass.err(), lasts.err(), why.err()];
                Err(mistakes.into_iter().flatten().collect::<Vec<_>>().join("; "))
            }
        }
    }
}

fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(KEPT).collect()
}

/// A person decides over a canary for a while.
pub(super) async fn rule(
    State(app): State<Arc<App>>,
    Path(path): Path<(String, String)>,
    _: Trusted,
    peer: Peer,
    body: Body,
) -> Result<Reply, Reply> {
    let canary = ours(&app, path)?;
    let wish = Wish::read(&app, peer, body).await?;
    let (pass, lasts) = wish.ruling().map_err(|mistakes| Reply::new(Status::BadInput, &mistakes))?;
    let said = format!("{canary}: {} for {lasts:?}", if pass { "pass" } else { "fail" });
    decide(&app, &canary, lasts, Some((pass, wish.by, wish.why)), &said).await
}

/// What a person decided is taken back.
pub(super) async fn unrule(
    State(app): State<Arc<App>>,
    Path(path): Path<(String, String)>,
    _: Trusted,
) -> Result<Reply, Reply> {
    let canary = ours(&app, path)?;
    decide(&app, &canary, Duration::ZERO, None, &format!("{canary}: judged again")).await
}

async fn decide(
    app: &App,
    canary: &Canary,
    lasts: Duration,
    ruling: Option<(bool, String, String)>,
    said: &str,
) -> Result<Reply, Reply> {
    let stored = app.runs.rule(canary, lasts, ruling).await;
    stored.map_err(|error| Reply::new(Status::NotStored, &format!("{error}; nothing was decided")))?;
    Ok(Reply::new(Status::Done, said))
}

fn ours(app: &App, (namespace, name): (String, String)) -> Result<Canary, Reply> {
    let canary = Canary::new(name, namespace);
    if app.is_ours(&canary) { Ok(canary) } else { Err(Reply::new(Status::Forbidden, "Forbidden")) }
}

/// Ends a canary's load for the rest of its analysis.
pub(super) async fn stop(
    State(app): State<Arc<App>>,
    Path(path): Path<(String, String)>,
    _: Trusted,
    peer: Peer,
    body: Body,
) -> Result<Reply, Reply> {
    let canary = ours(&app, path)?;
    let wish = Wish::read(&app, peer, body).await?;
    stopped(app.runs.stop(Some(&canary), &wish.reason()).await)
}

/// Ends all load.
pub(super) async fn stop_all(State(app): State<Arc<App>>, _: Trusted, peer: Peer, body: Body) -> Result<Reply, Reply> {
    let wish = Wish::read(&app, peer, body).await?;
    stopped(app.runs.stop(None, &wish.reason()).await)
}

impl Wish {
    fn reason(&self) -> String {
        if self.why.is_empty() { format!("by {}", self.by) } else { format!("by {}: {}", self.by, self.why) }
    }
}

fn stopped(loads: Result<usize, StoreError>) -> Result<Reply, Reply> {
    let until = |error| Reply::new(Status::NotStored, &format!("{error}; the load is stopped until a restart"));
    let loads = loads.map_err(until)?;
    let said = if loads == 1 { "1 load stopped".to_owned() } else { format!("{loads} loads stopped") };
    Ok(Reply::new(Status::Done, &said))
}
