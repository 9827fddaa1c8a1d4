//! A test of nGrinder: cloned from another and started, looked at until it is over, and stopped where it takes too long.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::apart::{Ending, Errand};
use super::service::{Service, answer};
use crate::spec::GoDuration;
use crate::spec::curl::Curl;

/// The loadtester's pause between two looks.
const PAUSE: Duration = Duration::from_secs(1);
/// The least and the most of it.
const PAUSES: std::ops::RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(3600);
/// How long stopping a test may take.
const STOPPING: Duration = Duration::from_secs(5);

/// A test that is to be started.
#[derive(Clone, Debug)]
pub(super) struct Ngrinder {
    service: Service,
    start: Curl,
    pause: Duration,
}

impl Ngrinder {
    /// Reads the metadata.
    ///
    /// # Errors
    /// What to change, in the loadtester's words where it has some.
    pub(super) fn read(metadata: &BTreeMap<String, String>) -> Result<Self, String> {
        let given =
            ["server", "clone", "username", "passwd"].map(|key| metadata.get(key).filter(|text| !text.is_empty()));
        let [Some(server), Some(clone), Some(name), Some(passwd)] = given else {
            return Err("server, clone, username and passwd are required metadata".to_owned());
        };
        let clone: u64 = clone.parse().map_err(|_| "metadata clone must be integer: expected the number of a test")?;
        let passwd = STANDARD.decode(passwd).map_err(|_| "metadata password is invalid: expected it in Base64")?;
        let pause = metadata.get("pollInterval").map_or(Ok(PAUSE), |text| {
            let pause =
                text.parse::<GoDuration>().ok().and_then(GoDuration::to_std).filter(|pause| PAUSES.contains(pause));
            pause.ok_or("pollInterval: expected a duration from 100ms to 1h, such as 5s")
        })?;
        let secret = STANDARD.encode([name.as_bytes(), b":", &passwd].concat());
        let service = Service::at(server, format!("Basic {secret}"))?;
        let start = service.question("POST", &format!("perftest/api/{clone}/clone_and_start"), None)?;
        Ok(Self { service, start, pause })
    }

    /// What is asked first, of the server that all is asked of.
    pub(super) const fn start(&self) -> &Curl {
        &self.start
    }

    /// Looks at a test until it is over.
    async fn over(&self, id: u64) -> Result<String, String> {
        let look = self.service.question("GET", &format!("perftest/api/{id}/status"), None)?;
        loop {
            tokio::time::sleep(self.pause).await;
            // A look that fails says nothing of the test.
            let test = match accepted(&look).await {
                Ok(test) => test,
                Err(why) => {
                    tracing::warn!(id, why, "the nGrinder test cannot be looked at");
                    continue;
                }
            };
            match test["status"][0]["status_id"].as_str().unwrap_or_default() {
                "FINISHED" => return Ok(String::new()),
                over @ ("STOP_BY_ERROR" | "CANCELED" | "UNKNOWN") => {
                    return Err(format!("nGrinder test {id} is over: {over}"));
                }
                _ => {}
            }
        }
    }

    async fn stop(&self, id: u64) -> Result<(), String> {
        let stop = self.service.question("PUT", &format!("perftest/api/{id}?action=stop"), None)?;
        let stopped = tokio::time::timeout(STOPPING, accepted(&stop)).await;
        stopped.map_err(|_| format!("no answer within {STOPPING:?}"))?.map(drop)
    }
}

impl Errand for Ngrinder {
    async fn go(self, ending: Ending) -> Result<String, String> {
        let ended = ending.comes();
        tokio::pin!(ended);
        let started = tokio::select! {
            started = accepted(&self.start) => started?,
            why = &mut ended => return Err(format!("{why}, while the test was being started")),
        };
        let id = started["id"].as_u64().ok_or("nGrinder started a test and did not say which: its answer has no id")?;
        tracing::info!(id, "nGrinder test started");
        tokio::select! {
            over = self.over(id) => over,
            why = &mut ended => match self.stop(id).await {
                Ok(()) => Err(format!("{why}, and so was nGrinder test {id}")),
                Err(problem) => Err(format!("{why}, but nGrinder test {id} goes on: {problem}")),
            },
        }
    }
}

/// The answer, unless it says `"success": false`.
async fn accepted(question: &Curl) -> Result<Value, String> {
    let said = answer(question).await?;
    if said["success"] == Value::Bool(false) {
        let said: String = said.to_string().chars().take(200).collect();
        return Err(format!("{} refused: {said}", question.plan.targets[0].url));
    }
    Ok(said)
}
