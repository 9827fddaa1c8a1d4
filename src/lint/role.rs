//! Which type of hook may ask which path.
//!
//! Flagger looks at success or failure only, and to a rollback hook success is the bad news; so a hook on the path of another
//! role does not fail with a message, it decides wrongly without one.

use super::finding::Desk;
use super::place::{Path, is_tester, written};
use super::rule::Rule;
use crate::flagger::{Hook, HookKind};

/// Paths that say whether the service lives.
const PROBES: [&str; 2] = ["/healthz", "/readyz"];

/// Looks at where one hook asks.
pub(super) fn look(desk: &mut Desk<'_>, hook: &Hook, path: Path) {
    let at = hook.places.value("url");
    if path == Path::Other {
        return unknown(desk, hook);
    }
    if let Some((rule, what, help)) = wrong(hook.kind, path) {
        let article = if hook.kind == HookKind::Event { "an" } else { "a" };
        let said = format!("{article} {} hook on {}: {what}", hook.kind, path.name());
        desk.on(hook, rule, at, said, help);
    }
    if path == Path::GateHalt && is_confirm(hook.kind) {
        let said = format!("{} waits for ever: /gate/halt never approves", hook.kind);
        desk.on(hook, Rule::GateHalt, at, said, "to let people decide, ask /gate/check and use tollgate gate open");
    }
}

/// A path that is not there, where it looks as if it was meant to be.
fn unknown(desk: &mut Desk<'_>, hook: &Hook) {
    let Some(written) = written(hook) else { return };
    let known = super::place::PATHS.iter().filter(|(_, path)| *path != Path::Task).map(|(name, _)| *name);
    let lower = written.trim_end_matches('/').to_lowercase();
    let near = known.map(|name| (strsim::damerau_levenshtein(&lower, name), name)).min();
    let near = near.filter(|(distance, name)| *distance <= 2 && name.len() > 4).map(|(_, name)| name);
    if PROBES.contains(&written.as_str()) {
        return probe(desk, hook, &written);
    }
    if written == "/" || near.is_none() && !is_tester(hook) {
        return;
    }
    let said = if hook.metadata.contains_key("script") {
        format!("{written} is the path of the k6 webhook, which tollgate does not have")
    } else {
        format!("{written} is no path of tollgate, and the answer is 404")
    };
    let help = match near {
        Some(name) => format!("did you mean {name}?"),
        None => "paths of tollgate: /rollout, /pre-rollout, /confirm, /rollback, /gate/check, /event, /post-rollout, /"
            .into(),
    };
    desk.on(hook, Rule::UnknownPath, hook.places.value("url"), said, help);
}

/// A hook that asks whether the service lives.
fn probe(desk: &mut Desk<'_>, hook: &Hook, path: &str) {
    let at = hook.places.value("url");
    let said = format!("a {} hook on {path}: it is a success as long as the service lives", hook.kind);
    match hook.kind {
        HookKind::Rollback => desk.on(hook, Rule::RollsBack, at, said, "ask /rollback"),
        HookKind::PostRollout | HookKind::Event => desk.on(hook, Rule::NoEffect, at, said, "take it out"),
        _ => desk.on(hook, Rule::AlwaysPasses, at, said, "ask /rollout, /pre-rollout or /confirm"),
    }
}

pub(super) const fn is_confirm(kind: HookKind) -> bool {
    matches!(kind, HookKind::ConfirmRollout | HookKind::ConfirmTrafficIncrease | HookKind::ConfirmPromotion)
}

type Wrong = (Rule, &'static str, &'static str);

/// What is wrong with a hook of this type on this path.
fn wrong(kind: HookKind, path: Path) -> Option<Wrong> {
    match kind {
        HookKind::Rollback => rollback(path),
        HookKind::Event => event(path),
        HookKind::PostRollout => post_rollout(path),
        HookKind::ConfirmRollout | HookKind::ConfirmTrafficIncrease | HookKind::ConfirmPromotion => confirm(kind, path),
        HookKind::PreRollout | HookKind::Rollout => check(kind, path),
    }
}

/// A rollback hook: whatever it is answered with success gives the release up.
const fn rollback(path: Path) -> Option<Wrong> {
    let help = "ask /rollback, or /rollback/check for the gate alone";
    let rolls = Rule::RollsBack;
    match path {
        Path::Rollback | Path::RollbackCheck | Path::Other | Path::Task => None,
        Path::Rollout => Some((rolls, "its first answer is 202, which gives the release up at once", help)),
        Path::PreRollout | Path::Confirm => Some((rolls, "a release that passes is given up", help)),
        Path::GateCheck => Some((rolls, "who opens the confirm gate gives the release up", help)),
        Path::GateHalt => {
            Some((Rule::WrongRole, "it is never answered with success, so nothing is ever given up", help))
        }
        Path::GateOpen
        | Path::GateClose
        | Path::GateApprove
        | Path::RollbackOpen
        | Path::RollbackClose
        | Path::Event
        | Path::PostRollout => Some((rolls, "every answer is a success, which gives the release up at once", help)),
    }
}

const fn event(path: Path) -> Option<Wrong> {
    let role = Rule::WrongRole;
    match path {
        Path::Event | Path::Other => None,
        Path::PostRollout => Some((role, "the first event of an analysis ends it", "ask /event")),
        Path::GateOpen | Path::GateClose | Path::RollbackOpen | Path::RollbackClose => {
            Some((role, "every event changes the gate", "ask /event"))
        }
        _ => Some((role, "events carry no load and no question", "ask /event")),
    }
}

const fn post_rollout(path: Path) -> Option<Wrong> {
    match path {
        Path::Rollout | Path::PreRollout | Path::Confirm | Path::Rollback => {
            Some((Rule::WrongRole, "the analysis is over, so nothing is judged any more", "ask /post-rollout"))
        }
        Path::GateCheck | Path::GateApprove | Path::GateHalt | Path::RollbackCheck | Path::Event => {
            Some((Rule::NoEffect, "the answer changes nothing", "ask /post-rollout, which ends the analysis"))
        }
        _ => None,
    }
}

const fn confirm(kind: HookKind, path: Path) -> Option<Wrong> {
    let first = matches!(kind, HookKind::ConfirmRollout);
    let judged = "ask /confirm for a verdict, or /gate/check for people";
    match path {
        Path::Rollout | Path::PreRollout | Path::Confirm if first => Some((
            Rule::GateNeverOpens,
            "no analysis goes on yet, so every answer is 400 and the release waits for ever",
            "ask /gate/check; load is judged by hooks of type pre-rollout",
        )),
        Path::Rollout => Some((Rule::WrongRole, "its first answer is 202, which approves without evidence", judged)),
        Path::PreRollout => Some((Rule::WrongRole, "each call waits for a whole load", judged)),
        Path::Rollback | Path::RollbackCheck => {
            Some((Rule::GateNeverOpens, "it approves only what is to be given up", judged))
        }
        Path::GateOpen | Path::GateClose | Path::RollbackClose => {
            Some((Rule::OpensAtOnce, "its 202 approves", "ask /gate/check"))
        }
        Path::RollbackOpen => Some((Rule::RollsBack, "it opens the rollback gate of every release", "ask /gate/check")),
        Path::Event => Some((Rule::AlwaysPasses, "it always approves", judged)),
        Path::PostRollout => Some((Rule::WrongRole, "it ends the analysis before it is over", judged)),
        _ => None,
    }
}

/// A hook whose failure is a failed check.
const fn check(kind: HookKind, path: Path) -> Option<Wrong> {
    let pre = matches!(kind, HookKind::PreRollout);
    let own = if pre { "ask /pre-rollout" } else { "ask /rollout" };
    let role = Rule::WrongRole;
    match path {
        Path::Rollout if pre => Some((role, "its first answer is 202, which passes without evidence", own)),
        Path::PreRollout if !pre => {
            Some((role, "a pass holds for the rest of the analysis, so later ticks judge nothing", own))
        }
        Path::Confirm => Some((role, "each answer that there is too little evidence is a failed check", own)),
        Path::Rollback => Some((role, "it fails for every release that is not to be given up", own)),
        Path::RollbackCheck => {
            Some((role, "it fails unless the rollback gate is open", "make it a hook of type rollback"))
        }
        Path::GateCheck => {
            Some((role, "a closed gate is a failed check, not a pause", "make it a hook of type confirm-promotion"))
        }
        Path::GateHalt => Some((role, "it fails every release", "take it out")),
        Path::GateApprove | Path::Event => Some((Rule::AlwaysPasses, "it passes whatever the release does", own)),
        Path::RollbackOpen => Some((Rule::RollsBack, "it opens the rollback gate of every release", "take it out")),
        Path::PostRollout => {
            Some((role, "it ends the analysis before it is over", "make it a hook of type post-rollout"))
        }
        _ => None,
    }
}
