//! A Flagger that calls a webhook and concludes what Flagger concludes (v1.44, `pkg/controller/webhook.go`): 200, 201 and 202
//! are a pass; what it retries loses its body; any other body is the error.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;

use super::service::{Answer, ask};

/// A hook of a Canary object.
pub(crate) struct Flagger {
    pub(crate) service: SocketAddr,
    pub(crate) name: &'static str,
    pub(crate) namespace: &'static str,
    pub(crate) retries: usize,
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
        let metadata: serde_json::Map<_, _> = metadata.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect();
        let mut payload = json!({"name": self.name, "namespace": self.namespace, "phase": phase, "checksum": checksum});
        if !metadata.is_empty() {
            payload["metadata"] = metadata.into();
        }
        let body = as_go(&payload.to_string());
        for attempt in 0..=self.retries {
            if attempt > 0 {
                // Flagger waits 1 s, 2 s, 4 s …; nobody learns anything from the rest of it.
                let (_sender, never) = std::sync::mpsc::channel::<()>();
                let _ = never.recv_timeout(Duration::from_millis(1 << attempt));
            }
            let answer = post(self.service, path, &body);
            if !retried(answer.status) {
                return if answer.status > 202 { Err(answer.body) } else { Ok(()) };
            }
        }
        Err(format!("POST http://{}{path} giving up after {} attempt(s)", self.service, self.retries + 1))
    }
}

/// The body as Go writes it: with these characters as escapes.
pub(crate) fn as_go(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// One request with the headers that Flagger sends.
pub(crate) fn post(service: SocketAddr, path: &str, body: &str) -> Answer {
    let headers =
        [("User-Agent", "Go-http-client/1.1"), ("Content-Type", "application/json"), ("Accept-Encoding", "gzip")];
    ask(service, "POST", path, &headers, body.as_bytes())
}

/// Whether Flagger's client asks again, and throws the body away.
const fn retried(status: u16) -> bool {
    matches!(status, 0 | 429 | 500 | 502..)
}
