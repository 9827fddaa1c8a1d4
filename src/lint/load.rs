//! Loads, their objectives and the time that answers take.

use std::sync::Arc;
use std::time::Duration;

use super::evidence;
use super::finding::Desk;
use super::place::Path;
use super::rule::Rule;
use super::target;
use super::words::{shown, time};
use crate::flagger::{Hook, HookKind};
use crate::slo;
use crate::spec::{self, Mistake, Objective, Order};

/// How long an answer takes at most where the hook does not say.
const WAIT: Duration = Duration::from_secs(4);

/// What the service would make of a hook's metadata on this path.
///
/// # Errors
/// Everything that it would refuse.
pub(super) fn order(desk: &Desk<'_>, hook: &Hook, path: Path) -> Result<Order, spec::Mistakes> {
    let default = desk.settings.default_slo.clone();
    let objective = match path {
        Path::Rollback => None,
        Path::Task => default,
        _ => Some(default.unwrap_or_else(|| Arc::new(Objective::usual()))),
    };
    // Whether the service has a Prometheus is not in the file.
    let asked = spec::Hook { objective, strict: path != Path::Task, prometheus: true, ..spec::Hook::default() };
    spec::order(&hook.metadata, &asked)
}

/// Looks at a hook that makes load or judges it.
pub(super) fn look(desk: &mut Desk<'_>, hook: &Hook, path: Path) {
    let unread = objective(desk, hook);
    let order = match order(desk, hook, path) {
        Ok(order) => order,
        Err(mistakes) => {
            for mistake in mistakes.as_slice().iter().filter(|mistake| !(unread && mistake.key == "slo")) {
                refused(desk, hook, mistake);
            }
            return;
        }
    };
    for note in &order.notes {
        desk.on(hook, Rule::NoEffect, target::inside(hook, "cmd", note), note.clone(), "");
    }
    if !order.enforce {
        let at = hook.metadata_places.key("enforce");
        desk.on(
            hook,
            Rule::Shadow,
            at,
            "the verdict is told and stops nothing",
            "take enforce out when you believe it",
        );
    }
    if let Some(plan) = &order.plan {
        let key = if hook.metadata.contains_key("cmd") { "cmd" } else { "url" };
        target::look(desk, hook, path, plan, key);
        length(desk, hook, plan);
    }
    if order.plan.is_none() && matches!(path, Path::Rollout | Path::PreRollout) {
        let said =
            format!("{} needs a load, and the metadata have neither cmd nor url: the answer is 400", path.name());
        return desk.on(hook, Rule::NoCommand, hook.places.key("metadata"), said, "add cmd: hey … or url");
    }
    if order.plan.is_some() && path == Path::Rollback {
        let said = "/rollback makes no load: it goes by that of the other hooks";
        desk.on(hook, Rule::NoEffect, hook.places.key("metadata"), said, "take the load out");
        return;
    }
    if order.objective.is_none() {
        unjudged(desk, hook, path, &order);
    } else {
        waits(desk, hook, path, &order);
        evidence::look(desk, hook, path, &order);
    }
}

/// Looks at the objective line: whether something in it cannot be read.
fn objective(desk: &mut Desk<'_>, hook: &Hook) -> bool {
    let Some(Err(errors)) = hook.metadata.get("slo").map(|text| slo::parse(text)) else { return false };
    for error in &errors.0 {
        let at = hook.metadata_places.inside("slo", error.column.saturating_sub(1));
        desk.on(hook, Rule::Slo, at, error.message.clone(), "");
    }
    true
}

/// A mistake that the service would answer with 400.
fn refused(desk: &mut Desk<'_>, hook: &Hook, mistake: &Mistake) {
    let given = mistake.given.as_deref();
    // Keys that there are not are named by what was given.
    let strange = (mistake.key == "metadata").then_some(given).flatten();
    let at = match strange {
        Some(key) => hook.metadata_places.key(key),
        None if hook.metadata.contains_key(&mistake.key) => {
            target::inside(hook, &mistake.key, mistake.advice.as_deref().unwrap_or_default())
        }
        None => hook.places.key("metadata"),
    };
    let (said, help) = match (strange, mistake.key.as_str()) {
        (Some(key), _) => (format!("there is no key {}: the answer is 400", shown(key)), mistake.advice.clone()),
        (None, "cmd") => (mistake.advice.clone().unwrap_or_else(|| mistake.to_string()), None),
        (None, key) => {
            let given = given.map_or_else(|| "nothing".to_owned(), |given| format!("'{given}'"));
            let advice = mistake.advice.as_ref().map_or_else(String::new, |advice| format!("; {advice}"));
            (format!("{key}: got {given}, expected {}{advice}", mistake.allowed), None)
        }
    };
    let rule = match mistake.key.as_str() {
        "cmd" => Rule::Command,
        "slo" => Rule::Slo,
        _ => Rule::MetadataKey,
    };
    desk.on(hook, rule, at, said, help.unwrap_or_default());
}

/// A load that ends before the next one begins.
fn length(desk: &mut Desk<'_>, hook: &Hook, plan: &crate::plan::Plan) {
    let interval = desk.canary.analysis.interval;
    let Some(end) = plan.schedule.end().filter(|_| hook.kind == HookKind::Rollout) else { return };
    if end.saturating_add(Duration::from_secs(1)) < interval {
        let said = format!(
            "the load takes {} of every {}: what happens in between is not measured",
            time(end.saturating_sub(plan.schedule.warmup)),
            time(interval)
        );
        let help = format!("use -z {}", time(interval));
        desk.on(hook, Rule::LoadEndsEarly, target::inside(hook, "cmd", "'-z'"), said, help);
    }
}

/// A load on `/` without an objective.
fn unjudged(desk: &mut Desk<'_>, hook: &Hook, path: Path, order: &Order) {
    if path != Path::Task || order.plan.is_none() {
        return;
    }
    let at = hook.metadata_places.value("cmd");
    let help = "add slo, or start tollgate serve with --default-slo";
    match hook.kind {
        HookKind::Rollback => {
            let said = "a hey line on / is answered 202: the release is given up in its first tick";
            desk.on(hook, Rule::RollsBack, at, said, "ask /rollback");
        }
        HookKind::Rollout | HookKind::PostRollout | HookKind::Event => {
            desk.on(
                hook,
                Rule::UnjudgedLoad,
                at,
                "nobody looks at what comes of this load: the answer is always 202",
                help,
            );
        }
        _ => {
            let said = "a hey line on / is answered 202 at once: it passes whatever the release does";
            desk.on(hook, Rule::AlwaysPasses, at, said, help);
        }
    }
}

/// Whether the answer comes before Flagger leaves.
fn waits(desk: &mut Desk<'_>, hook: &Hook, path: Path, order: &Order) {
    let Some(timeout) = hook.timeout else { return };
    let at = if hook.places.has("timeout") { hook.places.value("timeout") } else { hook.places.at };
    if path == Path::PreRollout {
        let end = order.plan.as_ref().and_then(|plan| plan.schedule.end());
        let Some(end) = end.map(|end| order.wait.map_or(end, |wait| wait.min(end))) else { return };
        if timeout <= end {
            let said = format!(
                "Flagger leaves after {}, and the load takes {}: the first call is a failed check, the next gets the verdict",
                time(timeout),
                time(end)
            );
            let whole = end.saturating_add(Duration::from_secs(20)).as_secs();
            let help = format!("set timeout: {}", time(Duration::from_secs(whole)));
            desk.on(hook, Rule::PreRolloutTimeout, at, said, help);
        }
        return;
    }
    let wait = order.wait.unwrap_or(WAIT);
    if path != Path::Rollback && timeout <= wait {
        let said =
            format!("Flagger leaves after {}, and the answer may come as late as after {}", time(timeout), time(wait));
        let help = format!("set timeout: {} or more", time(wait.saturating_add(Duration::from_secs(1))));
        desk.on(hook, Rule::WaitOverTimeout, at, said, help);
    }
}
