//! Whether a load can be enough for its objective, and when.
//!
//! A verdict that there is too little evidence is a failed check to Flagger. A rollout hook judges the load since the call
//! before, more of it where that is too little, up to ten minutes; so evidence grows from tick to tick, and failed checks
//! with it.

use std::time::Duration;

use super::finding::Desk;
use super::place::Path;
use super::rule::Rule;
use super::target;
use super::words::time;
use crate::flagger::Hook;
use crate::plan::Schedule;
use crate::spec::Order;

/// Most load that one call judges.
const MOST: Duration = Duration::from_secs(600);

/// Looks at what a hook's load can show.
pub(super) fn look(desk: &mut Desk<'_>, hook: &Hook, path: Path, order: &Order) {
    let (Some(plan), Some(objective)) = (&order.plan, &order.objective) else { return };
    let schedule = &plan.schedule;
    let rate = schedule.mean_rate().map(crate::plan::Rate::as_f64);
    let at = if hook.metadata.contains_key("slo") {
        hook.metadata_places.value("slo")
    } else {
        target::inside(hook, "cmd", "")
    };
    let short = |requests: u64| objective.line.shortfalls(requests, rate);
    if path == Path::PreRollout {
        for lacking in schedule.total().map(short).unwrap_or_default() {
            let (said, help) = parted(&lacking);
            desk.on(hook, Rule::EvidenceNever, at, said, help);
        }
        return;
    }
    if path != Path::Rollout && path != Path::Task {
        return;
    }
    let interval = desk.canary.analysis.interval;
    let threshold = desk.canary.analysis.threshold;
    let seen = |ticks: u32| judged(schedule, interval, order.window, ticks);
    // The first call never judges; the second one is the first that can fail.
    let late = (1..=threshold).take_while(|ticks| !short(seen(*ticks)).is_empty()).count() as u32;
    if late == 0 {
        return;
    }
    let never = late >= threshold;
    let lacking = short(seen(if never { threshold } else { 1 }));
    for lacking in lacking {
        let (said, help) = parted(&lacking);
        let help = if help.contains("min=") {
            format!("send more a second, or {}", help.rsplit(", or ").next().unwrap_or_default())
        } else {
            "send more a second".to_owned()
        };
        let said = said.replace("this load sends", "this load has sent");
        if never {
            let said = format!("{said} by the time that {threshold} checks have failed for it: no release passes");
            desk.on(hook, Rule::EvidenceNever, at, said, help);
        } else {
            let spent = if late == 1 { "is" } else { "are" };
            let said = format!(
                "{said} after {}: {late} of the {threshold} checks that may fail {spent} spent on waiting for more",
                time(interval)
            );
            desk.on(hook, Rule::EvidenceLate, at, said, help);
        }
    }
}

/// `… needs …; this load sends …: use …` in its two halves.
fn parted(lacking: &str) -> (String, String) {
    lacking
        .split_once(": use ")
        .map_or_else(|| (lacking.to_owned(), String::new()), |(said, help)| (said.to_owned(), format!("use {help}")))
}

/// Requests that a call judges which comes `ticks` intervals after the first. A load that is over is started again by the
/// next call.
fn judged(schedule: &Schedule, interval: Duration, window: Option<Duration>, ticks: u32) -> u64 {
    let most = window.unwrap_or(MOST).min(MOST);
    let rate = schedule.mean_rate().map(crate::plan::Rate::as_f64);
    let (Some(rate), timed) = (rate, schedule.end()) else {
        return schedule.total().unwrap_or(u64::MAX).saturating_mul(u64::from(ticks));
    };
    let warmup = schedule.warmup;
    let loaded = match timed.filter(|end| *end <= interval) {
        Some(end) => end.saturating_sub(warmup).saturating_mul(ticks),
        None => interval.saturating_mul(ticks).saturating_sub(warmup),
    };
    let by_time = (loaded.min(most).as_secs_f64() * rate) as u64;
    match schedule.stop.count {
        Some(count) => by_time.min(count.saturating_mul(u64::from(ticks))),
        None => by_time,
    }
}
