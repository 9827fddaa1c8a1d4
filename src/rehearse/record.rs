//! What is known of a rehearsal: how it was set up, and what happened in it so far.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::course::{Note, Outcome, Ticked, Told};
use super::ledger::Account;
use crate::flagger::{Canary, Route, Step};
use crate::slo::Metric;
use crate::spec::Objective;

/// Answers slower than this are bad to users where nothing says what is slow.
const SLOW: Duration = Duration::from_secs(1);

/// How a rehearsal was set up.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The object, as it is rehearsed.
    pub canary: Canary,
    /// Flagger's interval as it was written.
    pub interval: Duration,
    /// How much faster than written it runs; 1 for not at all.
    pub speed: f64,
    /// What was shortened, one line each.
    pub changes: Vec<String>,
    /// The release in service, in words.
    pub old: String,
    /// The release under analysis, in words.
    pub new: String,
    /// Who answers hooks, in words.
    pub tollgate: String,
    /// Who comes, in words.
    pub users: String,
}

/// What happened so far.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Ticks that are over.
    pub ticks: Vec<Ticked>,
    /// The tick under way: its number, when it began, and what happened in it.
    pub open: Option<(u32, Duration, Vec<Note>)>,
    /// How it ended; `None` before that.
    pub outcome: Option<Outcome>,
    /// When the next tick is due, since the start.
    pub next: Duration,
}

impl Setting {
    /// What counts as slow: the tightest bound on times among the objectives and metrics; a second without any.
    #[must_use]
    pub fn slow(&self) -> Duration {
        let analysis = &self.canary.analysis;
        let lines = analysis.webhooks.iter().filter_map(|hook| Objective::read(hook.metadata.get("slo")?, true).ok());
        let bounds = lines.flat_map(|objective| {
            let times = objective.line.clauses.into_iter().filter(|clause| {
                matches!(&clause.metric, Metric::Series(..)) && clause.metric.is_time() && clause.comparison.is_upper()
            });
            let nanos = |clause: crate::slo::Clause| clause.absolute().map(|bound| bound.num / bound.den.max(1));
            times
                .filter_map(nanos)
                .filter_map(|nanos| u64::try_from(nanos).ok())
                .map(Duration::from_nanos)
                .collect::<Vec<_>>()
        });
        let metrics = analysis.metrics.iter().filter_map(|metric| metric.longest());
        bounds.chain(metrics).filter(|bound| !bound.is_zero()).min().unwrap_or(SLOW)
    }

    /// The metrics that cannot be asked for here, by name.
    #[must_use]
    pub fn unasked(&self) -> Vec<&str> {
        let asked = |metric: &&crate::flagger::Metric| metric.is_elsewhere();
        self.canary.analysis.metrics.iter().filter(asked).map(|metric| metric.name.as_str()).collect()
    }
}

impl Record {
    /// Takes what was told; whether a tick ended with it.
    pub fn hear(&mut self, told: Told) -> bool {
        match told {
            Told::Began(number, at) => self.open = Some((number, at, Vec::new())),
            Told::Did(note) => self.open.iter_mut().for_each(|(_, _, notes)| notes.push(note.clone())),
            Told::Ended(status, route, wait, now) => {
                let Some((number, at, notes)) = self.open.take() else { return false };
                let took = now.saturating_sub(at);
                self.next = now + wait;
                self.ticks.push(Ticked { number, at, took, notes, status, route });
                return true;
            }
            Told::Over(outcome) => self.outcome = Some(outcome),
        }
        false
    }

    /// When all traffic was given back to the old release, since the start; `None` if it was not.
    #[must_use]
    pub fn rolled_back(&self) -> Option<Duration> {
        if self.outcome != Some(Outcome::RolledBack) {
            return None;
        }
        let last = self.ticks.last()?;
        let back = last.notes.iter().find(|note| matches!(note.step, Step::Route(Route { canary: 0, .. })));
        Some(back.map_or(last.at, |note| note.at))
    }

    /// All of it as JSON.
    #[must_use]
    pub fn json(&self, setting: &Setting, account: &Account, elapsed: Duration) -> Value {
        let ms = |time: Duration| json!(time.as_secs_f64() * 1e3);
        let maybe = |time: Option<Duration>| time.map_or(Value::Null, ms);
        let rolled_back = self.rolled_back();
        let open = self.open.as_ref().filter(|(_, _, notes)| !notes.is_empty());
        json!({
            "tollgate": env!("CARGO_PKG_VERSION"),
            "schema": 1,
            "canary": {"name": setting.canary.name, "namespace": setting.canary.namespace},
            "outcome": self.outcome.map_or("interrupted", Outcome::name),
            "elapsed_ms": ms(elapsed),
            "interval_ms": ms(setting.canary.analysis.interval),
            "interval_written_ms": ms(setting.interval),
            "speed": setting.speed,
            "changes": setting.changes,
            "metrics_unasked": setting.unasked(),
            "ticks": self.ticks.iter().map(tick).collect::<Vec<_>>(),
            "unfinished": open.map(|(number, at, notes)| json!({
                "number": number, "at_ms": ms(*at), "steps": notes.iter().map(note).collect::<Vec<_>>(),
            })),
            "slow_ms": ms(setting.slow()),
            "users": {
                "old": account.users_old,
                "new": account.users_new,
                "longest_ms": ms(account.longest),
            },
            "load": {"new": account.load_new},
            "first_bad_ms": maybe(account.first_bad),
            "rolled_back_ms": maybe(rolled_back),
            "until_rollback": account.first_bad.zip(rolled_back).map(|(first, back)| json!({
                "ms": ms(back.saturating_sub(first)),
                "users": account.users_since,
                "load": account.load_since,
            })),
        })
    }
}

fn tick(tick: &Ticked) -> Value {
    json!({
        "number": tick.number,
        "at_ms": tick.at.as_secs_f64() * 1e3,
        "took_ms": tick.took.as_secs_f64() * 1e3,
        "steps": tick.notes.iter().map(note).collect::<Vec<_>>(),
        "status": tick.status,
        "route": tick.route,
    })
}

/// A step as the state machine tells it, and what its hook said.
fn note(note: &Note) -> Value {
    let mut object = match serde_json::to_value(&note.step) {
        Ok(Value::Object(object)) => object,
        _ => Map::new(),
    };
    object.insert("at_ms".to_owned(), json!(note.at.as_secs_f64() * 1e3));
    if let Some(said) = &note.said {
        object.insert("status".to_owned(), json!(said.status));
        object.insert("body".to_owned(), json!(said.body));
        object.insert("attempts".to_owned(), json!(said.attempts));
        object.insert("took_ms".to_owned(), json!(said.took.as_secs_f64() * 1e3));
    }
    Value::Object(object)
}
