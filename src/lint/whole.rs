//! What hooks are to each other: gates that close themselves, verdicts that nobody asks for, load that is not there.

use std::time::Duration;

use super::finding::Desk;
use super::load;
use super::place::Path;
use super::role::is_confirm;
use super::rule::Rule;
use super::task;
use super::ticks;
use super::words::time;
use crate::flagger::{Hook, HookKind};
use crate::spec::{Order, Whose};

/// A hook with where it asks and, if it makes or judges load, what it orders.
struct Seen<'a> {
    hook: &'a Hook,
    path: Path,
    order: Option<Order>,
    /// Whether its metadata cannot be read: nobody knows what it would do.
    unread: bool,
}

impl Seen<'_> {
    /// Whether it makes load that is judged, as far as one can tell.
    fn loads(&self) -> bool {
        self.unread || self.order.as_ref().is_some_and(|order| order.plan.is_some() && order.objective.is_some())
    }

    /// Whether its failure can be a failed check of this release.
    fn can_fail(&self) -> bool {
        if !matches!(self.hook.kind, HookKind::PreRollout | HookKind::Rollout) {
            return false;
        }
        match self.path {
            Path::Task if task::is_command(self.hook) => task::kind(&self.hook.metadata) != "cmd",
            Path::Task => self.loads() && self.order.as_ref().is_none_or(|order| order.enforce),
            Path::Rollout | Path::PreRollout | Path::Confirm => self.order.as_ref().is_none_or(|order| order.enforce),
            Path::GateApprove | Path::GateOpen | Path::GateClose | Path::RollbackOpen | Path::RollbackClose => false,
            Path::Event | Path::PostRollout => false,
            _ => true,
        }
    }
}

/// Looks at all hooks together.
pub(super) fn look(desk: &mut Desk<'_>) {
    if desk.canary.skip_analysis {
        return;
    }
    let seen: Vec<Seen<'_>> = desk.canary.analysis.webhooks.iter().map(|hook| seen(desk, hook)).collect();
    nothing_judges(desk, &seen);
    gates(desk, &seen);
    confirms(desk, &seen);
    rollouts(desk, &seen);
    rollbacks(desk, &seen);
    ends(desk, &seen);
    tick(desk);
}

fn seen<'a>(desk: &Desk<'a>, hook: &'a Hook) -> Seen<'a> {
    let path = Path::of(hook);
    let makes = matches!(path, Path::Rollout | Path::PreRollout | Path::Confirm)
        || path == Path::Task && !task::is_command(hook);
    let order = makes.then(|| load::order(desk, hook, path));
    let unread = order.as_ref().is_some_and(Result::is_err);
    Seen { hook, path, order: order.and_then(Result::ok), unread }
}

fn nothing_judges(desk: &mut Desk<'_>, seen: &[Seen<'_>]) {
    let analysis = &desk.canary.analysis;
    if !analysis.metrics.is_empty() || seen.iter().any(Seen::can_fail) {
        return;
    }
    let loads = seen.iter().find(|seen| seen.path == Path::Task && seen.hook.kind == HookKind::Rollout);
    let (at, what) = match loads {
        Some(seen) => (seen.hook.places.at, "the load is answered 202 whatever comes of it, and there are no metrics"),
        None => (analysis.places.at, "there are no metrics and no hooks that judge"),
    };
    let said = format!("no check can fail, so every release is promoted: {what}");
    desk.say(Rule::NothingJudges, at, said, "add slo to the hook that makes load, or a hook on /rollout");
}

/// Gates that are closed by the analysis itself.
fn gates(desk: &mut Desk<'_>, seen: &[Seen<'_>]) {
    let closes = seen.iter().find(|seen| seen.path == Path::GateClose && seen.hook.kind == HookKind::Rollout);
    let Some(closes) = closes else { return };
    let asks = [HookKind::ConfirmPromotion, HookKind::ConfirmTrafficIncrease];
    for waits in seen.iter().filter(|seen| seen.path == Path::GateCheck && asks.contains(&seen.hook.kind)) {
        let said = format!("{} closes this gate in every tick, before it is asked about", closes.hook.name);
        let help = format!("make {} a hook of type pre-rollout", closes.hook.name);
        desk.on(waits.hook, Rule::GateNeverOpens, waits.hook.places.value("url"), said, help);
    }
}

/// `/confirm` without a target judges load that other hooks make.
fn confirms(desk: &mut Desk<'_>, seen: &[Seen<'_>]) {
    let bare = seen.iter().filter(|seen| {
        seen.path == Path::Confirm && is_confirm(seen.hook.kind) && seen.hook.kind != HookKind::ConfirmRollout
    });
    for confirm in bare.filter(|seen| seen.order.as_ref().is_some_and(|order| order.plan.is_none())) {
        let first = confirm.hook.kind == HookKind::ConfirmTrafficIncrease;
        // Before the first weight only pre-rollout hooks have been asked.
        let loads = seen.iter().any(|other| other.loads() && (!first || other.hook.kind == HookKind::PreRollout));
        if loads {
            continue;
        }
        let (said, help) = if first {
            (
                "before the first step of traffic there is no load that it could judge, and without its approval there is no step",
                "add cmd or url to it, or a hook on /pre-rollout",
            )
        } else {
            ("no hook of this analysis makes load that it could judge", "add cmd or url to it, or a hook on /rollout")
        };
        desk.on(confirm.hook, Rule::GateNeverOpens, confirm.hook.places.value("url"), said, help);
    }
}

/// `/rollout` says 202 once before it judges.
fn rollouts(desk: &mut Desk<'_>, seen: &[Seen<'_>]) {
    let judged = |seen: &&Seen<'_>| seen.hook.kind == HookKind::Rollout && seen.loads();
    let Some(first) = seen.iter().find(judged).filter(|_| !ticks::is_stuck(desk.canary)) else { return };
    let kinds = |kind, path| seen.iter().any(|seen| seen.hook.kind == kind && seen.path == path);
    let confirmed = kinds(HookKind::ConfirmPromotion, Path::Confirm);
    let calls = ticks::rollouts(desk.canary);
    let at = first.hook.places.value("url");
    if calls < 2 && !confirmed && !kinds(HookKind::PreRollout, Path::PreRollout) {
        let said = format!(
            "this hook is asked {calls} time before the promotion, and its first answer is 202 without a verdict"
        );
        let help = "take more steps or iterations, or add a confirm-promotion hook on /confirm";
        desk.on(first.hook, Rule::FewRollouts, at, said, help);
    } else if !confirmed && first.path == Path::Rollout {
        let said = "nothing asks for a verdict on the whole analysis before the promotion";
        desk.on(first.hook, Rule::NoConfirm, at, said, "add a hook of type confirm-promotion on /confirm");
    }
}

/// `/rollback` goes by load that the canary alone answers.
fn rollbacks(desk: &mut Desk<'_>, seen: &[Seen<'_>]) {
    let name = &desk.canary.name;
    if seen.iter().any(|seen| seen.unread) {
        return;
    }
    let clear = seen.iter().filter(|seen| seen.loads()).filter_map(|seen| seen.order.as_ref()?.plan.as_ref());
    if clear.into_iter().any(|plan| Whose::of(plan, name) == Whose::Canary) {
        return;
    }
    for seen in seen.iter().filter(|seen| seen.path == Path::Rollback && seen.hook.kind == HookKind::Rollback) {
        let said = "no load of this analysis goes to the canary alone: only a gate or an alert can give the release up";
        let help = format!("let a hook load {}", desk.canary.service.canary());
        desk.on(seen.hook, Rule::RollbackBlind, seen.hook.places.value("url"), said, help);
    }
}

/// `/post-rollout` ends an analysis.
fn ends(desk: &mut Desk<'_>, seen: &[Seen<'_>]) {
    let Some(first) = seen.iter().find(|seen| seen.path.judges()) else { return };
    if !seen
        .iter()
        .any(|seen| seen.path == Path::PostRollout || seen.hook.kind == HookKind::Event && seen.path == Path::Event)
    {
        let said = "no hook says when the analysis is over: its load goes on until another hook tells";
        let help = "add a hook of type post-rollout on /post-rollout";
        desk.on(first.hook, Rule::NoPostRollout, first.hook.places.at, said, help);
    }
}

/// How long one tick may take.
fn tick(desk: &mut Desk<'_>) {
    let asked = [HookKind::Rollback, HookKind::Rollout, HookKind::ConfirmTrafficIncrease, HookKind::ConfirmPromotion];
    let hooks: Vec<&Hook> = desk.canary.analysis.webhooks.iter().filter(|hook| asked.contains(&hook.kind)).collect();
    let total: Duration = hooks.iter().filter_map(|hook| hook.longest()).sum();
    let interval = desk.canary.analysis.interval;
    if hooks.is_empty() || total <= interval {
        return;
    }
    let retried = if hooks.iter().any(|hook| hook.retries > 0) { ", retries and their pauses included" } else { "" };
    let (count, may) = (hooks.len(), if hooks.len() == 1 { "the hook" } else { "the hooks" });
    let said = format!(
        "{may} of one tick ({count}) may take {} together{retried}, and the interval is {}",
        time(total),
        time(interval)
    );
    let places = &desk.canary.analysis.places;
    desk.say(
        Rule::TickTooLong,
        places.key("interval"),
        said,
        "lower the timeouts or the retries, or raise the interval",
    );
}
