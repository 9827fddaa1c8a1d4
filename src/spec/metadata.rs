//! A hook's metadata, as an [`Order`].
//!
//! The load comes from the loadtester's own `cmd`, a hey or ghz line, or from `url` and the keys that `tollgate run` has as flags.
//! Beside either stand the keys that say how the hook is to be answered. Loads of hooks begin while a new pod is still
//! becoming known to proxies and name servers, and last as long as an analysis does; so what the command line leaves out
//! by default, a warm-up and an age for connections, hooks have.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::build::{Beside, Objective, Spec, SpecBuilder, identify, objective};
use super::elsewhere;
use super::keys::{Group, Id, KEYS, Key, Kind};
use super::mistake::{Mistake, Mistakes, WRONG, Wrong};
use super::order::Order;
use super::shell::go_bool;
use super::status::statuses;
use super::value::{span, whole};
use super::{call, line};
use crate::plan::{Arrivals, Messages, Plan, Rate};
use crate::proto::{Catalog, settle};
use crate::slo;

/// Where a hook says nothing else.
const WARMUP: Duration = Duration::from_secs(2);
/// Two connections that are kept would meet two of ten pods for the whole analysis.
const CONNECTION_AGE: Duration = Duration::from_secs(5);
/// Proxies and name servers lag behind a pod that is ready.
const READY_WAIT: Duration = Duration::from_secs(15);

/// The pace of a load whose answers alone would set it, where nothing else is said.
const PACE: Rate = Rate { micro_per_second: 100_000_000 };

/// Keys of the loadtester that are known and have no effect on a load of our own.
const OLD: [&str; 3] = ["type", "logCmdOutput", "returnCmdOutput"];

/// What may stand beside `cmd`, of the keys that describe a load.
const BESIDE_CMD: [Id; 4] = [Id::Primary, Id::Warmup, Id::ConnectionAge, Id::MaxLanes];

/// What a hook's path makes of its metadata.
#[derive(Clone, Debug)]
pub struct Hook {
    /// What is judged where the metadata name no objective; `None` judges nothing.
    pub objective: Option<Arc<Objective>>,
    /// Whether keys that there are not are refused, rather than passed over.
    pub strict: bool,
    /// The pace of a load whose answers alone would set it.
    pub pace: Rate,
    /// Whether clauses on queries can be judged: there is a Prometheus to ask.
    pub prometheus: bool,
}

impl Default for Hook {
    /// No objective, any key, a hundred requests a second for a load without a pace, and no Prometheus.
    fn default() -> Self {
        Self { objective: None, strict: false, pace: PACE, prometheus: false }
    }
}

impl Objective {
    /// Reads an objective line; `prometheus` says whether there is one to ask, for clauses on queries.
    ///
    /// # Errors
    /// What is wrong with it, with carets.
    pub fn read(text: &str, prometheus: bool) -> Result<Self, String> {
        objective(text, Beside { prometheus, primary: false })
            .map_err(|wrong| wrong.picture.or(wrong.advice).unwrap_or_default())
    }

    /// What is judged on `/rollout` and `/pre-rollout` where nothing is said: the two numbers that Flagger's users usually
    /// have in their metrics.
    #[must_use]
    pub fn usual() -> Self {
        Self::read("success>=99%, p99<=500ms", false).expect("a line of our own, tested")
    }
}

/// Reads the metadata of one hook. Files are not read: `body` and `headers` say what is sent.
///
/// # Errors
/// All mistakes at once, each under the name that its key has in metadata.
pub fn order(metadata: &BTreeMap<String, String>, hook: &Hook) -> Result<Order, Mistakes> {
    let mut wishes = SpecBuilder::new();
    if hook.prometheus {
        wishes.asks_prometheus();
    }
    let line = metadata.get("cmd").and_then(|cmd| load_line(cmd, &mut wishes));
    let by_cmd = metadata.contains_key("cmd");
    let unread = metadata.get("slo").and_then(|text| unread(text));
    for (name, value) in metadata {
        if let Some(mistake) = unread.as_ref().filter(|_| name == "slo") {
            wishes.mistake(mistake.clone());
            continue;
        }
        give(&mut wishes, (name, value), by_cmd, hook.strict);
    }
    let mut order = Order {
        window: wishes.read(Id::Window, some_time),
        wait: wishes.read(Id::Wait, span),
        ready_wait: wishes.read(Id::ReadyWait, span).unwrap_or(READY_WAIT),
        apex: wishes.read(Id::Apex, |text| if text == "allow" { Ok(()) } else { Err(WRONG) }).is_some(),
        enforce: wishes.read(Id::Enforce, flag).unwrap_or(true),
        ..Order::default()
    };
    let spec = if by_cmd {
        beside(&mut wishes, &mut order, line, hook)?
    } else if wants_load(metadata) {
        let warmup = wishes.is_given(Id::Warmup);
        let age = wishes.is_given(Id::ConnectionAge);
        let none = |_: &Path| Err(io::Error::other("files are not read for a hook"));
        let mut spec = wishes.build(&none).map_err(renamed)?;
        defaults(&mut spec.plan, warmup, age);
        Some(spec)
    } else {
        beside(&mut wishes, &mut order, None, hook)?
    };
    if let Some(mut spec) = spec {
        if spec.plan.schedule.arrivals == Arrivals::Closed {
            spec.plan.schedule.arrivals = Arrivals::Paced(hook.pace);
        }
        order.primary = primary(&mut spec);
        order.plan = Some(Arc::new(spec.plan));
        order.notes = spec.notes;
        order.success = spec.success;
        order.objective = spec.objective.map(Arc::new);
    }
    order.objective = order.objective.or_else(|| hook.objective.clone());
    let mistakes = too_much(metadata, &order).into_iter().collect();
    Mistakes::unless(mistakes, order).map_err(renamed)
}

/// The load on the release in service, where the objective compares with that: on the same schedule, for everybody's
/// answers.
fn primary(spec: &mut Spec) -> Option<Arc<Plan>> {
    let primary = spec.primary.take()?;
    if !spec.objective.as_ref().is_some_and(|objective| objective.line.needs_primary()) {
        spec.notes.push("primary has no effect: no clause compares with it".to_owned());
        return None;
    }
    Some(Arc::new(Plan { targets: primary.targets, split: Vec::new(), identify: None, ..spec.plan.clone() }))
}

/// What is wrong with an objective that a load which is judged while it runs keeps too little for.
fn too_much(metadata: &BTreeMap<String, String>, order: &Order) -> Option<Mistake> {
    let late = order.objective.as_ref()?.line.compared_at_the_end_only();
    let advice = format!("{}: a hook compares latencies and shares, of all requests", late.join(", "));
    let text = metadata.get("slo").map_or("", String::as_str);
    (!late.is_empty()).then(|| Mistake::value(Id::Slo, text, Some(advice)))
}

/// What stands beside a line, or beside no load at all.
fn beside(
    wishes: &mut SpecBuilder,
    order: &mut Order,
    mut line: Option<Spec>,
    hook: &Hook,
) -> Result<Option<Spec>, Mistakes> {
    let there = Beside { prometheus: hook.prometheus, primary: wishes.is_given(Id::Primary) };
    let objective = wishes.read(Id::Slo, |text| objective(text, there));
    let primary = wishes.read(Id::Primary, elsewhere::primary);
    let success = wishes.read(Id::Success, statuses);
    let warmup = wishes.read(Id::Warmup, span);
    let age = wishes.read(Id::ConnectionAge, span);
    let lanes = wishes.read(Id::MaxLanes, |text| whole(text, 1..=65_535));
    let identify = wishes.read(Id::Identify, identify);
    Mistakes::unless(std::mem::take(wishes.mistakes()), ()).map_err(renamed)?;
    order.objective = objective.map(Arc::new);
    order.success = success.unwrap_or_default();
    if let (Some(spec), Some(catalog)) = (line.as_mut(), wishes.read(Id::ProtoText, call::of_text)) {
        typed(wishes, spec, &catalog);
    }
    Mistakes::unless(std::mem::take(wishes.mistakes()), ()).map_err(renamed)?;
    Ok(line.map(|mut spec| {
        spec.plan.schedule.warmup = warmup.unwrap_or_default();
        spec.plan.connection_age = age.filter(|age| !age.is_zero());
        defaults(&mut spec.plan, warmup.is_some(), age.is_some());
        spec.plan.max_lanes = lanes.map_or(spec.plan.max_lanes, |lanes| (lanes as u32).max(spec.plan.lanes));
        spec.plan.identify = identify;
        let target = primary.and_then(|address| elsewhere::elsewhere(&spec.plan, address));
        spec.primary = target.map(|target| Plan { targets: vec![target], ..spec.plan.clone() });
        spec.objective = order.objective.take().map(Arc::unwrap_or_clone);
        spec.success = order.success;
        spec
    }))
}

/// The messages of a ghz line, by types that stand beside it.
fn typed(wishes: &mut SpecBuilder, spec: &mut Spec, catalog: &Catalog) {
    for target in spec.plan.targets.iter_mut().filter(|target| target.call.messages == Messages::Asked) {
        if let Err(unfit) = settle(target, catalog) {
            let mistake = Mistake::clash(Id::ProtoText, "", "a service that has what cmd calls", unfit.to_string());
            wishes.mistake(mistake);
        }
    }
}

fn defaults(plan: &mut Plan, warmup: bool, age: bool) {
    if !warmup {
        plan.schedule.warmup = WARMUP;
    }
    if !age {
        plan.connection_age = Some(CONNECTION_AGE);
    }
}

/// Whether the metadata describe a load without a `cmd`.
fn wants_load(metadata: &BTreeMap<String, String>) -> bool {
    metadata
        .keys()
        .filter_map(|name| key(name))
        .any(|key| matches!(key.group, Group::Load | Group::Request | Group::Grpc))
}

/// What is wrong with an objective line, on one line: the text of an event has no room for carets.
fn unread(text: &str) -> Option<Mistake> {
    let errors = slo::parse(text).err()?;
    let told = errors.0.iter().take(3).map(|error| format!("column {}: {}", error.column, error.message));
    Some(Mistake::value(Id::Slo, text, Some(told.collect::<Vec<_>>().join("; "))))
}

fn load_line(cmd: &str, wishes: &mut SpecBuilder) -> Option<Spec> {
    line::load(cmd).map_err(|refusal| wishes.mistake(Mistake::value(Id::Cmd, cmd, Some(refusal.to_string())))).ok()
}

/// Hands one pair over, or notes what is wrong with it.
fn give(wishes: &mut SpecBuilder, (name, value): (&str, &str), by_cmd: bool, strict: bool) {
    let Some(key) = key(name) else {
        if name == "type" && value != "cmd" && strict {
            let advice = Some("tasks of other types have no verdict: send them to /".to_owned());
            wishes.mistake(strange(name, Some(value), "cmd", advice));
        } else if strict && !OLD.contains(&name) {
            wishes.mistake(strange("metadata", Some(name), "a key that exists", nearest(name)));
        }
        return;
    };
    let load = !matches!(key.group, Group::Hook | Group::Objective) && !BESIDE_CMD.contains(&key.id);
    if key.id == Id::Cmd {
        return;
    }
    if by_cmd && load {
        wishes.mistake(Mistake::clash(
            key.id,
            value,
            "nothing beside cmd",
            "write it into cmd, or give url in its place",
        ));
        return;
    }
    match key.kind {
        Kind::Switch => match flag(value) {
            Ok(true) => wishes.give(key.id, ""),
            Ok(false) => {}
            Err(_) => wishes.mistake(strange(name, Some(value), "true or false", None)),
        },
        Kind::Once => wishes.give(key.id, value),
        Kind::Repeat if key.id == Id::Url => value.split_whitespace().for_each(|url| wishes.give(key.id, url)),
        Kind::Repeat => {
            let lines = value.lines().map(str::trim).filter(|line| !line.is_empty());
            lines.for_each(|line| wishes.give(key.id, line));
        }
    }
}

fn key(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.metadata == Some(name))
}

/// A mistake in what has no row of its own.
fn strange(key: &str, given: Option<&str>, allowed: &str, advice: Option<String>) -> Mistake {
    let shown = |text: &str| text.chars().filter(|c| !c.is_control()).take(40).collect();
    let (given, allowed) = (given.map(shown), allowed.to_owned());
    Mistake { key: key.to_owned(), given, allowed, advice, picture: None }
}

/// The key that an unknown one is most like.
fn nearest(name: &str) -> Option<String> {
    let names = KEYS.iter().filter_map(|key| key.metadata);
    let near = names.map(|known| (strsim::damerau_levenshtein(&name.to_lowercase(), known), known)).min()?;
    (near.0 <= 2).then(|| format!("did you mean {}?", near.1))
}

/// Go's `ParseBool`, as the loadtester reads switches.
fn flag(text: &str) -> Result<bool, Wrong> {
    go_bool(text).ok_or(WRONG)
}

/// A duration above zero.
fn some_time(text: &str) -> Result<Duration, Wrong> {
    span(text).and_then(|time| if time.is_zero() { Err(WRONG) } else { Ok(time) })
}

/// The same mistakes under the names that keys have in metadata.
fn renamed(mistakes: Mistakes) -> Mistakes {
    let in_metadata = |mistake: Mistake| {
        let name = mistake.about().and_then(|key| key.metadata);
        let mut mistake = name.map_or(mistake.clone(), |name| mistake.under(name));
        mistake.advice = mistake.advice.map(|advice| advice.replace(char::is_control, " "));
        mistake
    };
    Mistakes::from_vec(mistakes.into_vec().into_iter().map(in_metadata).collect())
}

#[cfg(test)]
mod tests;
