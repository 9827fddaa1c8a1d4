//! `tollgate serve` as a process of its own, and the hooks that Flagger would call.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::http::{Answer, ask};
use super::process::{Invocation, Running, await_port, free_port};

/// How long an answer may take that is not waited for on purpose.
const PATIENCE: Duration = Duration::from_secs(70);

/// A running service; dropping it ends it.
pub(crate) struct Service {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Its process.
    pub(crate) running: Running,
}

impl Service {
    /// Starts one on a free port of the loopback interface with these flags; `way` may change how it is run.
    pub(crate) fn start(program: &Path, flags: &str, way: impl FnOnce(Invocation) -> Invocation) -> Result<Self> {
        Self::at(program, free_port()?, flags, way)
    }

    /// The same on a port of one's own choice.
    pub(crate) fn at(
        program: &Path,
        port: u16,
        flags: &str,
        way: impl FnOnce(Invocation) -> Invocation,
    ) -> Result<Self> {
        let fixed = format!("serve --listen 127.0.0.1 --port {port} --drain-delay 0s {flags}");
        let running = Running::start(&way(Invocation::new(program, &fixed)))?;
        await_port(port, Duration::from_secs(10)).with_context(|| format!("tollgate serve {flags}"))?;
        Ok(Self { address: SocketAddr::from(([127, 0, 0, 1], port)), running })
    }

    /// Calls a hook.
    pub(crate) fn hook(&self, path: &str, hook: &Hook<'_>) -> Result<Answer> {
        call(self.address, path, hook)
    }

    /// Asks for a page.
    pub(crate) fn get(&self, path: &str) -> Result<Answer> {
        ask(self.address, "GET", path, "", PATIENCE)
    }
}

/// Calls a hook of the service at `address`.
pub(crate) fn call(address: SocketAddr, path: &str, hook: &Hook<'_>) -> Result<Answer> {
    ask(address, "POST", path, &hook.body(), PATIENCE)
}

/// What Flagger sends: the canary `name` in the namespace `bench`, in the middle of its analysis.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hook<'a> {
    /// The canary's name.
    pub(crate) name: &'a str,
    /// The revision.
    pub(crate) checksum: &'a str,
    /// Keys and values.
    pub(crate) metadata: &'a [(&'a str, &'a str)],
}

impl<'a> Hook<'a> {
    /// A hook without metadata.
    pub(crate) const fn of(name: &'a str) -> Self {
        Self { name, checksum: "1", metadata: &[] }
    }

    /// A hook with metadata.
    pub(crate) const fn with(name: &'a str, metadata: &'a [(&'a str, &'a str)]) -> Self {
        Self { name, checksum: "1", metadata }
    }

    fn body(&self) -> String {
        let metadata: Map<String, Value> =
            self.metadata.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
        json!({"name": self.name, "namespace": "bench", "phase": "Progressing", "checksum": self.checksum,
            "metadata": metadata})
        .to_string()
    }
}
