//! Alertmanager's notifications (its webhook payload, version 4): which canaries have an alert firing against them.
//!
//! An alert speaks against the analysis in which it began. One that fired before, because of the release before, says
//! nothing of this one; so an alert without an analysis is logged and forgotten.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::State;
use jiff::Timestamp;
use serde::Deserialize;

use super::App;
use super::hook::{self, Trusted};
use super::reply::{Reply, Status};
use crate::canary::{Canary, Checksum};

/// Alerts of one canary that are remembered.
const MOST: usize = 64;
/// Characters of an alert's name that are kept.
const KEPT: usize = 100;

/// How alerts name canaries, and how long they last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alerting {
    /// The label with the canary's name.
    pub name: String,
    /// The label with its namespace.
    pub namespace: String,
    /// How long after its last notification an alert counts as firing. Alertmanager repeats them.
    pub lasts: Duration,
}

impl Default for Alerting {
    fn default() -> Self {
        Self { name: "canary".to_owned(), namespace: "namespace".to_owned(), lasts: Duration::from_secs(600) }
    }
}

/// What Alertmanager posts. Members that are not here do not matter.
#[derive(Debug, Deserialize)]
struct Notification {
    version: String,
    alerts: Vec<Alert>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    status: String,
    labels: BTreeMap<String, String>,
    starts_at: Timestamp,
    #[serde(default)]
    fingerprint: String,
}

/// An alert that is firing.
#[derive(Clone, Debug)]
struct Firing {
    /// Which: its fingerprint, or its labels where it has none.
    which: String,
    name: String,
    since: Timestamp,
    checksum: Checksum,
    until: Instant,
}

/// Alerts that are firing, by canary.
#[derive(Debug, Default)]
pub(super) struct Alerts(Mutex<BTreeMap<Canary, Vec<Firing>>>);

impl Alerts {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Canary, Vec<Firing>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An alert that speaks against this revision, in words.
    pub(super) fn firing(&self, canary: &Canary, checksum: &Checksum) -> Option<String> {
        let now = Instant::now();
        let all = self.lock();
        let firing = all.get(canary)?.iter().find(|firing| firing.until > now && firing.checksum == *checksum)?;
        Some(format!("alert {} is firing since {}", firing.name, firing.since))
    }

    /// The analysis is over, and so is what was held against it.
    pub(super) fn ended(&self, canary: &Canary) {
        self.lock().remove(canary);
    }

    fn fire(&self, canary: Canary, new: Firing) {
        let mut all = self.lock();
        let firing = all.entry(canary).or_default();
        firing.retain(|old| old.which != new.which && old.until > Instant::now());
        if firing.len() < MOST {
            firing.push(new);
        }
    }

    fn resolve(&self, canary: &Canary, which: &str) {
        if let Some(firing) = self.lock().get_mut(canary) {
            firing.retain(|old| old.which != which);
        }
    }
}

/// Takes all alerts of a notification, firing and resolved ones.
pub(super) async fn alertmanager(State(app): State<Arc<App>>, _: Trusted, body: Body) -> Reply {
    let body = match hook::bytes(&app, body).await {
        Ok(body) => body,
        Err(reply) => return reply,
    };
    let read: Result<Notification, _> = serde_json::from_slice(&body);
    let notification = match read {
        Ok(notification) if notification.version == "4" => notification,
        Ok(other) => {
            let version: String = other.version.chars().take(10).collect();
            return Reply::new(Status::BadInput, &format!("version: got '{version}', expected 4, Alertmanager's own"));
        }
        Err(error) => {
            let said = format!("the body is no notification of Alertmanager's: {error}; point a webhook receiver here");
            return Reply::new(Status::BadInput, &said);
        }
    };
    let (mut counted, all) = (0, notification.alerts.len());
    for alert in &notification.alerts {
        let taken = take(&app, alert);
        let name = alert.name();
        match taken {
            Ok(canary) => {
                counted += 1;
                tracing::warn!(%canary, alert = name, status = alert.status, "alert");
            }
            Err(why) => tracing::info!(alert = name, status = alert.status, why, "alert ignored"),
        }
    }
    Reply::new(Status::Done, &format!("{counted} of {all} alerts taken"))
}

impl Alert {
    fn name(&self) -> String {
        let name = self.labels.get("alertname").map_or("without a name", String::as_str);
        name.chars().filter(|c| !c.is_control()).take(KEPT).collect()
    }

    fn which(&self) -> String {
        if self.fingerprint.is_empty() { format!("{:?}", self.labels) } else { self.fingerprint.clone() }
    }
}

/// Takes one alert; the canary it speaks of.
///
/// # Errors
/// Why it is of no use.
fn take(app: &App, alert: &Alert) -> Result<Canary, String> {
    let Alerting { name, namespace, lasts } = &app.alerting;
    let label = |label: &str| alert.labels.get(label).ok_or_else(|| format!("it has no label {label}"));
    let canary = Canary::new(label(name)?, label(namespace)?);
    if !app.is_ours(&canary) {
        return Err(format!("{canary} is none of ours"));
    }
    if alert.status == "resolved" {
        app.alerts.resolve(&canary, &alert.which());
        return Ok(canary);
    }
    let (checksum, running) = app.runs.run(&canary).ok_or_else(|| format!("{canary} is not being analysed"))?;
    let began = Timestamp::now().checked_sub(running).unwrap_or(Timestamp::MIN);
    if alert.starts_at < began {
        return Err(format!("it began at {}, before the analysis of {canary}", alert.starts_at));
    }
    let firing = Firing {
        which: alert.which(),
        name: alert.name(),
        since: alert.starts_at,
        checksum,
        until: Instant::now() + *lasts,
    };
    app.alerts.fire(canary.clone(), firing);
    Ok(canary)
}
