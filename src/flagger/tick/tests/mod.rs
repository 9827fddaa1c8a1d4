//! Ticks held to traces worked out by hand: hooks in their order, then what the object says afterwards.

mod golden;
mod words;

use std::collections::HashMap;

use super::*;
use crate::flagger::canary::{Analysis, Match, Service, Target};
use crate::flagger::hook::{Hook, HookKind};
use crate::flagger::metric::{Limits, Metric, Source};
use crate::flagger::payload::{Metadata, Payload};
use crate::flagger::places::Places;
use crate::flagger::world::{Call, Measured};
use crate::yaml::Position;

/// Types of hooks as they are written here.
const SHORT: [(&str, HookKind); 8] = [
    ("cr", HookKind::ConfirmRollout),
    ("pre", HookKind::PreRollout),
    ("ro", HookKind::Rollout),
    ("cti", HookKind::ConfirmTrafficIncrease),
    ("cp", HookKind::ConfirmPromotion),
    ("post", HookKind::PostRollout),
    ("rb", HookKind::Rollback),
    ("ev", HookKind::Event),
];

/// A hook called by its abbreviation.
fn hook(short: &str) -> Hook {
    let (_, kind) = SHORT.into_iter().find(|(name, _)| *name == short).unwrap_or_else(|| panic!("{short}"));
    Hook {
        name: short.to_owned(),
        kind,
        url: format!("http://tollgate.test/{short}"),
        timeout: None,
        retries: 0,
        mute_alert: false,
        disable_tls: false,
        metadata: Metadata::new(),
        places: Places::default(),
        metadata_places: Places::default(),
    }
}

/// A success rate of 99 at least.
fn success() -> Metric {
    Metric {
        name: "request-success-rate".to_owned(),
        interval: None,
        sources: vec![Source::SuccessRate],
        limits: Limits::Range { min: Some(99.0), max: None },
        places: Places::default(),
    }
}

/// `podinfo.test` on Istio, steps of 20 to 40, with every hook but those for events, and the built-in success rate.
fn podinfo() -> Canary {
    asking("cr pre ro cti cp post rb")
}

/// The same with nothing to ask but these.
fn asking(hooks: &str) -> Canary {
    with(hooks, |analysis| analysis.metrics = vec![success()])
}

/// A release with these hooks and no metrics, its analysis changed.
fn with(hooks: &str, change: impl FnOnce(&mut Analysis)) -> Canary {
    let mut analysis = Analysis {
        threshold: 2,
        max_weight: 40,
        step_weight: 20,
        webhooks: hooks.split_whitespace().map(hook).collect(),
        ..Analysis::default()
    };
    change(&mut analysis);
    Canary {
        name: "podinfo".to_owned(),
        namespace: "test".to_owned(),
        target: Target { kind: "Deployment".to_owned(), name: "podinfo".to_owned() },
        service: Service::default(),
        provider: None,
        suspend: false,
        skip_analysis: false,
        progress_deadline_seconds: 600,
        analysis,
        at: Position::default(),
        places: Places::default(),
    }
}

fn kubernetes(canary: Canary) -> Canary {
    Canary { provider: Some("kubernetes".to_owned()), ..canary }
}

/// Conditions on requests, whichever.
fn some_match() -> Vec<Match> {
    vec![Match::default()]
}

/// Answers from a script: for each hook how many of its calls fail first, and what all fail with.
#[derive(Default)]
struct Script {
    failing: HashMap<String, u64>,
    values: Vec<Measured>,
    not_ready: Option<NotReady>,
    primary_not_ready: Option<NotReady>,
    sent: Vec<(String, Payload)>,
    heard: Vec<Step>,
}

/// `cp 3`: its first three calls fail. `rb`: all do, as they should.
fn script(text: &str) -> Script {
    let mut script = Script::default();
    for part in text.split(", ").filter(|part| !part.is_empty()) {
        let (name, times) = part.split_once(' ').unwrap_or((part, "1000000"));
        script.failing.insert(name.to_owned(), times.parse().unwrap());
    }
    script
}

impl World for Script {
    fn call(&mut self, call: &Call<'_>) -> Result<(), String> {
        self.sent.push((call.hook.name.clone(), call.payload.clone()));
        match self.failing.get_mut(&call.hook.name) {
            Some(left) if *left > 0 => {
                *left -= 1;
                Err("because".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn measure(&mut self, _: &Metric, _: Source) -> Measured {
        if self.values.is_empty() { Measured::Value(100.0) } else { self.values.remove(0) }
    }

    fn millis(&mut self) -> u64 {
        1_700_000_000_123
    }

    fn primary(&mut self) -> Result<(), NotReady> {
        self.primary_not_ready.clone().map_or(Ok(()), Err)
    }

    fn canary(&mut self) -> Result<(), NotReady> {
        self.not_ready.clone().map_or(Ok(()), Err)
    }

    fn happened(&mut self, step: &Step) {
        self.heard.push(step.clone());
    }
}

fn fresh() -> State {
    State::initialized(Checksum::new("old"), Checksum::new("new"))
}

/// A tick in one line: hooks with their phase where it is not the usual one, metrics, routes, and what came of it.
fn line(tick: &Tick) -> String {
    let mut words = Vec::new();
    for step in &tick.steps {
        words.push(match step {
            Step::Hook { name, phase, error, .. } => {
                let phase = if *phase == Phase::Progressing { String::new() } else { format!("({phase})") };
                format!("{name}{phase}{}", if error.is_some() { "✗" } else { "" })
            }
            Step::Metric { passed, .. } => format!("metrics{}", if *passed { "" } else { "✗" }),
            Step::Route(Route { primary, canary, mirrored }) => {
                format!("{primary}/{canary}{}", if *mirrored { "+mirror" } else { "" })
            }
            Step::Promote => "copy".to_owned(),
            Step::ScaleUp => "up".to_owned(),
            Step::ScaleDown => "down".to_owned(),
            Step::Event { .. } => continue,
        });
    }
    let Status { phase, weight, failed_checks, iterations } = tick.status;
    let mut after = format!("→ {phase} w{weight}");
    if iterations != 0 {
        after.push_str(&format!(" it{iterations}"));
    }
    if failed_checks != 0 {
        after.push_str(&format!(" failed {failed_checks}"));
    }
    words.push(after);
    words.join(" ")
}

/// Ticks until the analysis is over, thirty at most.
fn lines(rollout: &Canary, mut script: Script) -> Vec<String> {
    let mut state = fresh();
    let mut lines = Vec::new();
    while lines.len() < 30 && !state.is_over() {
        lines.push(line(&tick(rollout, &mut state, &mut script)));
    }
    assert!(tick(rollout, &mut state, &mut script).steps.is_empty() || !state.is_over(), "what is over stays so");
    lines
}

/// The events of a tick, warnings with a mark.
fn events(tick: &Tick) -> Vec<String> {
    let events = tick.steps.iter().filter_map(|step| match step {
        Step::Event { warning, message } => Some(format!("{}{message}", if *warning { "! " } else { "" })),
        _ => None,
    });
    events.collect()
}
