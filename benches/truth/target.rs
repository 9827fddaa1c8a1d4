//! The practice canary as a process of its own, and what it says it really did.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use super::support::process::{Invocation, Running, await_port, free_port};
use super::truth::{Figures, served};

/// A running canary; dropping it ends it.
pub(crate) struct Target {
    port: u16,
    _running: Running,
}

impl Target {
    /// Starts one that behaves as `flags` say.
    pub(crate) fn start(program: &Path, flags: &str) -> Result<Self> {
        let port = free_port()?;
        let running = Running::start(&Invocation::new(program, &format!("canary --port {port} {flags}")))?;
        await_port(port, Duration::from_secs(5)).with_context(|| format!("tollgate canary {flags}"))?;
        Ok(Self { port, _running: running })
    }

    /// Where it answers.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    /// What its users got, by its own account.
    pub(crate) fn truth(&self) -> Result<Figures> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /__truth?values=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (_, body) = answer.split_once("\r\n\r\n").context("no answer to /__truth")?;
        let truth: Value = serde_json::from_str(body).context("/__truth is no JSON")?;
        served(&truth).with_context(|| format!("/__truth says too little: {body:.300}"))
    }
}
