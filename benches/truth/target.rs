//! The practice canary as a process of its own, and what it says it really did.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use super::support::process::{Invocation, Running, await_port, free_port};
use super::truth::Figures;

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
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// What its users got, by its own account.
    pub(crate) fn truth(&self) -> Result<Figures> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /__truth HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (_, body) = answer.split_once("\r\n\r\n").context("no answer to /__truth")?;
        let truth: Value = serde_json::from_str(body).context("/__truth is no JSON")?;
        figures(&truth).with_context(|| format!("/__truth lacks a figure: {body:.300}"))
    }
}

/// The users' view in a canary's own account: successes, and the service times of those.
fn figures(truth: &Value) -> Option<Figures> {
    let number = |path: &str| truth.pointer(path).and_then(Value::as_f64);
    let (requests, good) = (number("/requests").filter(|requests| *requests > 0.0)?, number("/succeeded")?);
    let quantile = |path: &str| number(path).unwrap_or(f64::INFINITY);
    Some(Figures {
        success: good / requests,
        p50: quantile("/service_ms/p50"),
        p90: quantile("/service_ms/p90"),
        p99: quantile("/service_ms/p99"),
    })
}
