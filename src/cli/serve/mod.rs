//! `tollgate serve`: the service that Flagger's webhooks ask, until it is told to end.

mod flags;

use std::ffi::OsString;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::runtime::Builder;

use self::flags::{Asked, FLAGS};
use super::signals::Signals;
use super::words::{self, Read, joined, lines};
use super::{Exit, complain, say};
use crate::exec;
use crate::load::{Engine, descriptors};
use crate::server::{App, Front, Settings, Tls, bind, serve};
use crate::state::{File, Memory, Store};
use crate::task::Live;
use crate::telemetry::Logs;

pub(super) use self::flags::command;

/// Where to read on.
const SEE: &str = "see tollgate serve --help\n";

/// Threads of the service. The load's are others, so that it cannot starve the hooks.
const THREADS: usize = 2;

/// Runs the command.
pub(super) fn main(args: impl Iterator<Item = OsString>) -> Exit {
    let words = joined(args.map(flags::with_two_dashes));
    let (matches, refused) = match words::read(|| command().no_binary_name(true), words) {
        Read::Show(text) => return say(&text),
        Read::Unreadable(said, _) => return complain(&format!("{said}\n{SEE}")),
        Read::Matches(matches, refused) => (matches, refused),
    };
    let refused = refused.iter().map(|refused| words::no_such_flag(refused, FLAGS.iter().map(|flag| flag.name)));
    let asked = flags::read(|flag| flags::given(&matches, flag));
    let mistakes: Vec<String> = refused.chain(asked.as_ref().err().into_iter().flatten().cloned()).collect();
    match asked {
        Ok(asked) if mistakes.is_empty() => run(asked).unwrap_or_else(|problem| complain(&format!("{problem:#}\n"))),
        _ => complain(&format!("{}{SEE}", lines(mistakes.iter()))),
    }
}

/// Has the kernel back memory by small pages where it would use pages of 2 MiB unasked: a service that does little most of
/// the time would hold twice the memory for it. The allocator does not ask for them either, and could not be told here: it
/// has its first memory before any command is read.
fn small_pages() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!(%error, "huge pages stay");
    }
}

/// Serves until told to end. A second signal does not wait for those who wait for an answer.
fn run(asked: Asked) -> anyhow::Result<Exit> {
    small_pages();
    let store: Arc<dyn Store> = match &asked.state {
        Some(path) => Arc::new(File::open(path).context("--state")?),
        None => Arc::new(Memory),
    };
    let tls = asked.tls.clone().map(Tls::new).transpose().context("TLS")?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let logs = Logs::start(asked.level)?;
    let runtime = Builder::new_multi_thread().worker_threads(THREADS).thread_name("control").enable_all().build()?;
    // Signals are caught before anybody can know that the service is there.
    let mut signals = {
        let _inside = runtime.enter();
        Signals::catch()?
    };
    let listener = bind(asked.listen, asked.port)
        .with_context(|| format!("cannot listen on port {}: choose another with --port or --listen", asked.port))?;
    let address = listener.local_addr()?;
    for remark in &asked.remarks {
        tracing::warn!("{remark}");
    }
    let settings = Settings {
        namespaces: asked.namespaces,
        token_file: asked.token_file,
        rules: asked.rules,
        runs: asked.runs,
        hook: asked.hook,
        targets: asked.targets,
        commands: asked.commands,
        alerting: asked.alerting,
        notify: asked.notify,
        ..Settings::default()
    };
    if let Some(limit) = descriptors() {
        tracing::debug!(limit, "open files, connections among them");
    }
    let engine = Engine::start(0).context("no thread for the load")?.fenced().knowing(asked.hosts);
    let loads = Live::new(Arc::new(engine), runtime.handle().clone());
    let front = Front::new(App::new(settings, &store, loads, logs).context("--state")?);
    tracing::info!(%address, scheme, version = env!("CARGO_PKG_VERSION"), "listening");
    say(&format!("tollgate listens on {scheme}://{address}/\n"));
    if exec::inherits() {
        runtime.spawn(exec::bury());
    }
    let ended = runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let stopped = async {
            // Dropped is told, too.
            let _ = stopped.await;
        };
        anyhow::Ok(signals.until_done(serve(listener, front, tls, stopped, asked.drain), || drop(stop)).await)
    })?;
    tracing::info!("ended");
    Ok(if ended.is_some() { Exit::Pass } else { Exit::Interrupted })
}
