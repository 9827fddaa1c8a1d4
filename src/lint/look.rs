//! A text as a report.

use super::finding::{Desk, Finding, Report};
use super::place::Path;
use super::settings::Settings;
use super::{hook, load, role, schedule, task, version, whole};
use crate::flagger::{self, Canary, Mistake, MistakeKind};
use crate::yaml::Position;

/// Looks at all canaries of a stream.
#[must_use]
pub fn look(text: &str, settings: &Settings) -> Report {
    let reading = flagger::read(text);
    let mut mistakes = reading.mistakes;
    if reading.canaries.is_empty() && mistakes.is_empty() {
        let mut kinds = reading.others.clone();
        kinds.sort_unstable();
        kinds.dedup();
        let said = format!("there is no Canary among its objects: {}", kinds.join(", "));
        let at = Position::default();
        mistakes.push(Mistake { kind: MistakeKind::NoCanary, at, said, advice: None });
    }
    let mut findings: Vec<Finding> = mistakes.iter().filter_map(|mistake| of_mistake(mistake, settings)).collect();
    // What the cluster refuses has no gates that could be missing.
    let whole = !mistakes.iter().any(|mistake| mistake.kind == MistakeKind::HookType);
    findings.extend(reading.canaries.iter().flat_map(|canary| of_canary(canary, settings, whole)));
    findings.sort_by_key(|finding| (finding.at, finding.rule));
    findings.dedup();
    let hooks = reading.canaries.iter().map(|canary| canary.analysis.webhooks.len()).sum();
    Report { findings, canaries: reading.canaries.len(), hooks }
}

fn of_mistake(mistake: &Mistake, settings: &Settings) -> Option<Finding> {
    let rule = mistake.kind.into();
    Some(Finding {
        rule,
        severity: settings.severity(rule)?,
        at: mistake.at,
        canary: None,
        hook: None,
        said: mistake.said.clone(),
        help: mistake.advice.clone(),
    })
}

fn of_canary(canary: &Canary, settings: &Settings, whole: bool) -> Vec<Finding> {
    let mut desk = Desk::new(canary, settings);
    schedule::look(&mut desk);
    for hook in &canary.analysis.webhooks {
        hook::look(&mut desk, hook);
        let path = Path::of(hook);
        role::look(&mut desk, hook, path);
        match path {
            Path::Task if task::is_command(hook) => task::look(&mut desk, hook),
            Path::Task | Path::Rollout | Path::PreRollout | Path::Confirm | Path::Rollback => {
                load::look(&mut desk, hook, path);
            }
            _ => {}
        }
    }
    version::look(&mut desk);
    if whole {
        whole::look(&mut desk);
    }
    desk.found
}
