//! One release from its first hook to its last, as Flagger and people would call them.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;

use super::support::service::{Hook, Service};
use super::support::target::Target;

/// Ticks of one analysis, and the seconds between them.
const TICKS: u32 = 3;
const TICK: Duration = Duration::from_secs(9);

/// A release.
pub(crate) struct Release<'a> {
    name: String,
    checksum: String,
    cmd: String,
    target: &'a Target,
    is_bad: bool,
    /// Which of the rarer hooks are called in it.
    kind: usize,
}

/// What a release was told.
#[derive(Default)]
pub(crate) struct Told {
    /// How often each hook was answered by each status.
    pub(crate) answers: BTreeMap<(&'static str, u16), u64>,
    /// Answers that may not be.
    pub(crate) odd: u64,
    /// Whether its load was not there when it should have been.
    pub(crate) lost: u64,
    /// Whether it is one that fails a tenth of its requests.
    pub(crate) is_bad: bool,
    /// Whether a rollout hook passed it, or failed it.
    pub(crate) passed: bool,
    pub(crate) failed: bool,
    /// Whether a rollback hook gave it up.
    pub(crate) given_up: bool,
}

impl<'a> Release<'a> {
    pub(crate) fn new(canary: usize, revision: usize, target: &'a Target, is_bad: bool) -> Self {
        let name = format!("s{canary}");
        let cmd = format!("hey -z 1m -q 5 -c 2 -host {name}-canary {}", target.url(""));
        Self { name, checksum: revision.to_string(), cmd, target, is_bad, kind: canary + revision }
    }

    /// Goes through one analysis.
    pub(crate) fn analysis(&self, service: &Service) -> Result<Told> {
        let mut told = Told { is_bad: self.is_bad, ..Told::default() };
        let load = [("cmd", self.cmd.as_str()), ("slo", "success>=97%, p99<500ms"), ("warmup", "0s")];
        let now = [load.as_slice(), &[("wait", "500ms")]].concat();
        if self.kind.is_multiple_of(5) {
            // A load that waits for its end, beside the other.
            let url = self.target.url("status/200");
            let whole =
                [("url", url.as_str()), ("rate", "10/s"), ("duration", "2s"), ("slo", "p99<500ms"), ("warmup", "0s")];
            self.ask(service, &mut told, "/pre-rollout", &whole, &[200, 412, 425, 424])?;
        }
        self.ask(service, &mut told, "/rollout", &now, &[202, 412, 425, 424])?;
        for tick in 0..TICKS {
            std::thread::park_timeout(TICK);
            self.ask(service, &mut told, "/gate/check", &[], &[200, 403])?;
            let status = self.ask(service, &mut told, "/rollout", &now, &[200, 412, 425, 424])?;
            told.passed |= status == 200;
            told.failed |= status == 412;
            // One tick after the first there is load in any case.
            let page = service.get(&format!("/api/v1/canaries/bench/{}", self.name))?.json()?;
            let loads = page["run"]["loads"].as_array().map_or(0, Vec::len);
            told.lost += u64::from(loads == 0);
            told.given_up |= self.ask(service, &mut told, "/rollback", &[], &[200, 412, 424, 425])? == 200;
            if (self.kind as u32 + tick).is_multiple_of(4) {
                self.ask(service, &mut told, "/gate/open", &[("ttl", "1m"), ("why", "soak")], &[202])?;
                self.ask(service, &mut told, "/event", &[], &[200])?;
                self.ask(service, &mut told, "/gate/close", &[], &[202])?;
            }
        }
        self.ask(service, &mut told, "/confirm", &[], &[200, 412, 424, 425])?;
        self.ask(service, &mut told, "/post-rollout", &[], &[200])?;
        Ok(told)
    }

    fn ask(
        &self,
        service: &Service,
        told: &mut Told,
        path: &'static str,
        metadata: &[(&str, &str)],
        allowed: &[u16],
    ) -> Result<u16> {
        let hook = Hook { name: &self.name, checksum: &self.checksum, metadata };
        let answer = service.hook(path, &hook)?;
        *told.answers.entry((path, answer.status)).or_default() += 1;
        told.odd += u64::from(!allowed.contains(&answer.status));
        Ok(answer.status)
    }
}
