//! Requests and greps, one after the other, until one fails.

use std::sync::Arc;
use std::time::Duration;

use super::apart::{Ending, Errand};
use crate::fetch::{Asked, Fetched, MOST_BODY, fetch};
use crate::plan::Hosts;
use crate::spec::curl::{Curl, Retry, Written};
use crate::spec::line::{Ask, Check};
use crate::spec::probe::Probe;
use crate::stats::Fault;

/// Longest wait before another try, as in curl.
const MOST_DELAY: Duration = Duration::from_secs(600);

/// Requests, one after the other, and names that no name server is asked for.
#[derive(Debug)]
pub(super) struct Checks(pub(super) Vec<Check>, pub(super) Arc<Hosts>);

impl Errand for Checks {
    async fn go(self, ending: Ending) -> Result<String, String> {
        ending.or(all(&self.0, &self.1)).await
    }
}

async fn all(checks: &[Check], hosts: &Arc<Hosts>) -> Result<String, String> {
    let mut output = String::new();
    for check in checks {
        output.push_str(&one(check, hosts).await?);
    }
    Ok(output)
}

async fn one(check: &Check, hosts: &Arc<Hosts>) -> Result<String, String> {
    match &check.ask {
        Ask::Curl(curl) => fetched(check, curl, hosts).await,
        Ask::Probe(probe) => probed(check, probe, hosts).await,
    }
}

/// Asks a health service, and looks through what the probe would write.
async fn probed(check: &Check, probe: &Probe, hosts: &Arc<Hosts>) -> Result<String, String> {
    let written = super::probe(probe, hosts).await.map_err(|problem| problem.to_string())?;
    let (found, output) = filtered(check, written);
    match check.greps.last() {
        Some(grep) if !found => Err(format!("{}: no line with '{}'", probe.addr, grep.pattern())),
        _ => Ok(output),
    }
}

/// Makes one request, again if need be, and looks through its answer.
async fn fetched(check: &Check, curl: &Curl, hosts: &Arc<Hosts>) -> Result<String, String> {
    let url = &curl.plan.targets[0].url;
    let mut tries = 0;
    let fetched = loop {
        let fetched = fetch(asked(curl, hosts)).await;
        let retry = curl.retry;
        if tries >= retry.times || !may_pass(&fetched, retry) {
            break fetched;
        }
        tokio::time::sleep(delay(retry, tries)).await;
        tries += 1;
    };
    if let Some(why) = fetched.trouble() {
        return Err(format!("{url}: {why}"));
    }
    let status = fetched.status().unwrap_or_default();
    if status >= 400 && check.judges_status() {
        return Err(format!("{url} answered {status}{}", fetched.beginning()));
    }
    looked_through(check, curl, &fetched).map_err(|why| format!("{url}: {why}"))
}

/// What a line of a hook asks: neither a name nor a redirect leads to where clouds hand out credentials.
pub(super) fn asked<'a>(curl: &'a Curl, hosts: &'a Arc<Hosts>) -> Asked<'a> {
    Asked { plan: &curl.plan, connect: curl.connect, fenced: true, hosts }
}

/// What the greps leave, and whether the last of them found something.
fn filtered(check: &Check, output: String) -> (bool, String) {
    check.greps.iter().fold((true, output), |(_, output), grep| grep.filter(&output))
}

/// What is left after the greps.
fn looked_through(check: &Check, curl: &Curl, fetched: &Fetched) -> Result<String, String> {
    let (found, output) = filtered(check, written(curl, fetched));
    let cut = curl.writes_body && fetched.bytes > MOST_BODY as u64;
    match check.greps.last() {
        Some(_) if !found && fetched.bytes == 0 && curl.writes_body && !curl.writes_head => {
            Err(format!("answered {} with an empty body", fetched.status().unwrap_or_default()))
        }
        Some(grep) if !found => {
            let part = if cut { "in the first MiB of the answer " } else { "" };
            let without = if grep.is_inverted() { "without" } else { "with" };
            Err(format!("{part}no line {without} '{}'", grep.pattern()))
        }
        _ => Ok(output),
    }
}

/// What curl would write.
fn written(curl: &Curl, fetched: &Fetched) -> String {
    let mut output = if curl.writes_head { fetched.head_text() } else { String::new() };
    if curl.writes_body {
        output.push_str(&String::from_utf8_lossy(&fetched.body));
    }
    for piece in &curl.writes_after {
        match piece {
            Written::Text(text) => output.push_str(text),
            Written::Status => output.push_str(&format!("{:03}", fetched.status().unwrap_or_default())),
            Written::Size => output.push_str(&fetched.bytes.to_string()),
            Written::Time => output.push_str(&format!("{:.6}", fetched.took.as_secs_f64())),
        }
    }
    output
}

/// Whether the trouble may pass by itself, as curl sees it.
fn may_pass(fetched: &Fetched, retry: Retry) -> bool {
    let fault = fetched.outcome.fault;
    let failed = fault.is_some() || fetched.status().is_some_and(|status| status >= 400);
    let passing = fault == Some(Fault::Timeout)
        || fault == Some(Fault::Refused) && retry.refused
        || matches!(fetched.status(), Some(408 | 429 | 500 | 502 | 503 | 504));
    passing || failed && retry.all
}

/// How long to wait before try `tries + 1`.
fn delay(retry: Retry, tries: u32) -> Duration {
    retry.delay.unwrap_or_else(|| Duration::from_secs(1_u64 << tries.min(10))).min(MOST_DELAY)
}
