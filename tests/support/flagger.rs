//! A Flagger that calls one hook and concludes what Flagger concludes: the rehearsal's.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::runtime::{Builder, LocalOptions};
use tollgate::canary::{Canary, Checksum, Phase};
use tollgate::flagger::{Hook, HookKind, Payload, Places};
use tollgate::plan::Hosts;
use tollgate::rehearse::{Caller, Said};

pub(crate) use tollgate::flagger::as_go;

/// Flagger waits 1 s, 2 s, 4 s … between attempts; nobody learns anything from the rest of it.
const SPEED: f64 = 500.0;

/// A hook of a Canary object.
pub(crate) struct Flagger {
    pub(crate) service: SocketAddr,
    pub(crate) name: &'static str,
    pub(crate) namespace: &'static str,
    pub(crate) retries: u32,
}

impl Flagger {
    /// Calls a hook in this phase of this revision; the error is what Flagger shows its user.
    pub(crate) fn call(&self, path: &str, phase: &str, checksum: &str) -> Result<(), String> {
        self.call_with(path, phase, checksum, &[])
    }

    /// The same with metadata.
    pub(crate) fn call_with(
        &self,
        path: &str,
        phase: &str,
        checksum: &str,
        metadata: &[(&str, &str)],
    ) -> Result<(), String> {
        let metadata = metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let hook = Hook { retries: self.retries, ..hook(&format!("http://{}{path}", self.service)) };
        let (canary, phase) = (Canary::new(self.name, self.namespace), Phase::of(phase));
        let payload = Payload { canary, phase, checksum: Checksum::new(checksum), metadata };
        said(&hook, &payload, &Hosts::default()).error.map_or(Ok(()), Err)
    }
}

/// A hook with this URL.
pub(crate) fn hook(url: &str) -> Hook {
    Hook {
        name: "hook".to_owned(),
        kind: HookKind::Rollout,
        url: url.to_owned(),
        timeout: Some(Duration::from_secs(60)),
        retries: 0,
        mute_alert: false,
        disable_tls: false,
        metadata: Default::default(),
        places: Places::default(),
        metadata_places: Places::default(),
    }
}

/// What comes of a call.
pub(crate) fn said(hook: &Hook, payload: &Payload, hosts: &Hosts) -> Said {
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default()).unwrap();
    runtime.block_on(Caller::new(hosts.clone(), SPEED).call(hook, payload))
}
