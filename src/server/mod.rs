//! The service that Flagger asks: paths, payloads, replies, the listener.
//!
//! It runs on a small runtime of its own. A handler that panics answers 424 and takes nothing else with it; a caller who
//! sends slowly, endlessly or nonsense costs one connection for some seconds.
//!
//! * `reply`: the one table of statuses. `payload`, `hook`: what comes in, and its limits.
//! * `gates`, `reports`, `probes`, `api`: the handlers. `front`: what is done for each request.
//! * `listen`, `tls`: connections. `metrics`: what Prometheus reads.

mod api;
mod front;
mod gates;
mod hook;
mod listen;
mod metrics;
mod payload;
mod probes;
mod reply;
mod reports;
mod tls;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use regex::Regex;

pub use front::Front;
pub use hook::token;
pub use listen::{Drain, bind, serve};
pub use payload::{MOST_BYTES, MOST_KEYS, NAME_BYTES, Payload, PayloadError};
pub use reply::{Reply, Status};
pub use tls::{TlsFiles, acceptor};

use crate::gate::Board;
use crate::telemetry::Logs;
use metrics::Metrics;

/// What the service needs to know of its surroundings.
#[derive(Debug)]
pub struct Settings {
    /// Namespaces whose canaries it may speak about, anywhere in the name; `None` for all.
    pub namespaces: Option<Regex>,
    /// The file with the token that opening a gate takes; `None` for no token.
    pub token_file: Option<PathBuf>,
    /// How long a caller may take for a request's head, for its body and for a TLS handshake. A connection without a
    /// request ends after it.
    pub patience: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { namespaces: None, token_file: None, patience: Duration::from_secs(10) }
    }
}

/// What handlers share.
#[derive(Debug)]
pub struct App {
    gates: Board,
    namespaces: Option<Regex>,
    token_file: Option<PathBuf>,
    patience: Duration,
    metrics: Metrics,
    logs: Logs,
    ending: AtomicBool,
}

impl App {
    /// A service with these gates.
    #[must_use]
    pub fn new(settings: Settings, gates: Board, logs: Logs) -> Arc<Self> {
        Arc::new(Self {
            gates,
            namespaces: settings.namespaces,
            token_file: settings.token_file,
            patience: settings.patience,
            metrics: Metrics::new(),
            logs,
            ending: AtomicBool::new(false),
        })
    }

    fn is_ready(&self) -> bool {
        !self.ending.load(Ordering::SeqCst)
    }

    fn set_ending(&self) {
        self.ending.store(true, Ordering::SeqCst);
    }
}
