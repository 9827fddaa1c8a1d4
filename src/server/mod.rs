//! The service that Flagger asks: paths, payloads, replies, the listener.
//!
//! It runs on a small runtime of its own. A handler that panics answers 424 and takes nothing else with it; a caller who
//! sends slowly, endlessly or nonsense costs one connection for some seconds.
//!
//! * `reply`: the one table of statuses. `payload`, `hook`: what comes in, and its limits.
//! * `tasks`, `commands`, `gates`, `alerts`, `reports`, `probes`, `api`, `canaries`: the handlers. `front`: what is done for each request.
//! * `listen`, `tls`, `receipt`: connections, and whether an answer arrived. `metrics`: what Prometheus reads.
//! * `watch`: what follows from what happens to runs; `notify`: who else is told.

mod alerts;
mod api;
mod canaries;
mod commands;
mod front;
mod gates;
mod hook;
mod listen;
mod metrics;
mod notify;
mod payload;
mod probes;
mod receipt;
mod reply;
mod reports;
mod tasks;
mod tls;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use regex::Regex;
use tokio::sync::Semaphore;

pub use crate::pem::token;
pub use alerts::Alerting;
pub use front::Front;
pub use listen::{Drain, bind, serve};
pub use notify::Notify;
pub use payload::{MOST_BYTES, MOST_KEYS, NAME_BYTES, Payload, PayloadError};
pub use reply::{Reply, Status};
pub use tls::{Tls, TlsFiles};

use crate::canary::Canary;
use crate::exec::{self, Commands};
use crate::gate::{Board, Rules};
use crate::spec::Hook;
use crate::state::{Store, StoreError};
use crate::task::{self, Live, Targets};
use crate::telemetry::Logs;
use alerts::Alerts;
use metrics::Metrics;
use watch::Watch;

/// What the service needs to know of its surroundings.
#[derive(Debug)]
pub struct Settings {
    /// Namespaces whose canaries it may speak about, anywhere in the name; `None` for all.
    pub namespaces: Option<Regex>,
    /// The file with the token that people's changes take; `None` for no token.
    pub token_file: Option<PathBuf>,
    /// What holds for gates whose opener says nothing else.
    pub rules: Rules,
    /// What holds for runs.
    pub runs: task::Settings,
    /// What is made of the metadata of hooks on `/`; other paths have an objective of their own where it has none.
    pub hook: Hook,
    /// Where loads may go.
    pub targets: Targets,
    /// What commands in hooks may do.
    pub commands: exec::Settings,
    /// How alerts name canaries.
    pub alerting: Alerting,
    /// Who is told of verdicts; `None` for nobody.
    pub notify: Option<Notify>,
    /// How long a caller may take for a request's head, for its body and for a TLS handshake. A connection without a
    /// request ends after it.
    pub patience: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            namespaces: None,
            token_file: None,
            rules: Rules::default(),
            runs: task::Settings::default(),
            hook: Hook::default(),
            targets: Targets::default(),
            commands: exec::Settings::default(),
            alerting: Alerting::default(),
            notify: None,
            patience: Duration::from_secs(10),
        }
    }
}

/// What handlers share.
#[derive(Debug)]
pub struct App {
    gates: Arc<Board>,
    runs: task::Board<Live>,
    commands: Commands,
    alerts: Arc<Alerts>,
    metrics: Arc<Metrics>,
    namespaces: Option<Regex>,
    token_file: Option<PathBuf>,
    hook: Hook,
    targets: Targets,
    alerting: Alerting,
    patience: Duration,
    logs: Logs,
    ending: AtomicBool,
    /// Places for bodies that are larger than hooks are.
    large: Semaphore,
}

impl App {
    /// A service that knows the gates and runs that `store` has, and makes its loads with `loads`.
    ///
    /// # Errors
    /// The store cannot be read, or holds what is none of ours.
    pub fn new(settings: Settings, store: &Arc<dyn Store>, loads: Live, logs: Logs) -> Result<Arc<Self>, StoreError> {
        let gates = Arc::new(Board::load(Arc::clone(store), settings.rules)?);
        let (alerts, metrics) = (Arc::<Alerts>::default(), Arc::new(Metrics::new()));
        let watch = Watch {
            gates: Arc::clone(&gates),
            alerts: Arc::clone(&alerts),
            metrics: Arc::clone(&metrics),
            notify: settings.notify,
        };
        let runs = task::Board::load(loads, settings.runs, Arc::new(watch), Arc::clone(store))?;
        Ok(Arc::new(Self {
            gates,
            runs,
            alerts,
            metrics,
            namespaces: settings.namespaces,
            token_file: settings.token_file,
            hook: settings.hook,
            targets: settings.targets,
            commands: Commands::new(settings.commands),
            alerting: settings.alerting,
            patience: settings.patience,
            logs,
            ending: AtomicBool::new(false),
            large: Semaphore::new(hook::MOST_LARGE),
        }))
    }

    /// Whether it may speak about this canary.
    fn is_ours(&self, canary: &Canary) -> bool {
        self.namespaces.as_ref().is_none_or(|ours| ours.is_match(&canary.namespace))
    }

    fn is_ready(&self) -> bool {
        !self.ending.load(Ordering::SeqCst)
    }

    fn set_ending(&self) {
        self.ending.store(true, Ordering::SeqCst);
    }
}
