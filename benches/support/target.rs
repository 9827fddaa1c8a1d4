//! The practice canary as a process of its own, and what it says it really did.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use super::http::ask;
use super::process::{Invocation, Running, await_address, free_port};

/// A running practice canary; dropping it ends it.
pub(crate) struct Target {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Its process.
    pub(crate) running: Running,
}

impl Target {
    /// Starts one that behaves as `flags` say.
    pub(crate) fn start(program: &Path, flags: &str) -> Result<Self> {
        Self::at(program, free_port()?, flags)
    }

    /// The same on a port of one's own choice.
    pub(crate) fn at(program: &Path, port: u16, flags: &str) -> Result<Self> {
        Self::on(program, SocketAddr::from(([127, 0, 0, 1], port)), flags, |invocation| invocation)
    }

    /// The same wherever one likes; `way` may change how it is run.
    pub(crate) fn on(
        program: &Path,
        address: SocketAddr,
        flags: &str,
        way: impl FnOnce(Invocation) -> Invocation,
    ) -> Result<Self> {
        let line = format!("canary --listen {} --port {} {flags}", address.ip(), address.port());
        let running = Running::start(&way(Invocation::new(program, &line)))?;
        await_address(address, Duration::from_secs(5)).with_context(|| format!("tollgate {line}"))?;
        Ok(Self { address, running })
    }

    /// Where it answers.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// Its own account.
    pub(crate) fn account(&self) -> Result<Value> {
        ask(self.address, "GET", "/__truth?values=1", "", Duration::from_secs(5))?.json().context("/__truth")
    }

    /// Requests that reached it.
    pub(crate) fn received(&self) -> Result<u64> {
        self.count("received")
    }

    /// A member of its account of requests.
    pub(crate) fn count(&self, member: &str) -> Result<u64> {
        let account = self.account()?;
        account["requests"][member].as_u64().with_context(|| format!("/__truth counts no {member}"))
    }
}
