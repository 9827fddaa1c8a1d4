//! Verdicts, told to somebody besides Flagger: which says nothing of a check that passed, nor why one of its gates waits.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use serde_json::json;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::canary::{Canary, Checksum};
use crate::outbound::{Client, OutboundError, Trust};
use crate::task::{Answer, Kind, Role};

/// How long whoever is told may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How many may be told at once; beyond that, verdicts are only logged.
const AT_ONCE: usize = 16;

/// Somebody who is told of verdicts.
#[derive(Clone)]
pub struct Notify(Arc<Inner>);

struct Inner {
    client: Client,
    places: Arc<Semaphore>,
}

/// Without the address, which may hold a secret.
impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notify")
    }
}

impl Notify {
    /// Somebody at this URL.
    ///
    /// # Errors
    /// It is none.
    pub fn new(url: &str) -> Result<Self, OutboundError> {
        let client = Client::new(url, &Trust::default(), None, TIMEOUT)?;
        Ok(Self(Arc::new(Inner { client, places: Arc::new(Semaphore::new(AT_ONCE)) })))
    }

    /// Tells of an answer that decides something. Does not wait.
    pub(super) fn tell(&self, canary: &Canary, checksum: &Checksum, role: Role, answer: &Answer) {
        let decides = matches!(
            answer.kind,
            Kind::Pass | Kind::Fail | Kind::RollBack | Kind::Saturated | Kind::Full | Kind::Broken
        );
        let Ok(runtime) = Handle::try_current() else { return };
        if !decides {
            return;
        }
        let Ok(place) = Arc::clone(&self.0.places).try_acquire_owned() else {
            tracing::warn!(%canary, "nobody is told of a verdict: those before are still under way");
            return;
        };
        let told = json!({
            "text": answer.text,
            "name": canary.name,
            "namespace": canary.namespace,
            "checksum": checksum.to_string(),
            "hook": role.path(),
            "verdict": answer.kind.name(),
            "measured": answer.measured.name(),
            "seconds": answer.seconds,
            "at": Timestamp::now(),
        });
        let (inner, canary) = (Arc::clone(&self.0), canary.clone());
        runtime.spawn(async move {
            match inner.client.ask(Method::POST, "", &told.to_string()).await {
                Ok(answer) if answer.status < 300 => {}
                Ok(answer) => tracing::warn!(%canary, status = answer.status, "a verdict was told and not taken"),
                Err(error) => tracing::warn!(%canary, %error, "nobody could be told of a verdict"),
            }
            drop(place);
        });
    }
}
