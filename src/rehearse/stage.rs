//! Everything that a rehearsal needs, started on this machine: both releases, the router before them, the service that hooks
//! ask, and users.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, LocalOptions};
use tokio::sync::{mpsc as channel, oneshot, watch};

use super::caller::Caller;
use super::course::{Outcome, Told, follow};
use super::example;
use super::hosts::{self, Places};
use super::ledger::Account;
use super::router::{Door, Router};
use super::split::Split;
use super::users::Users;
use super::world::Machine;
use crate::exec;
use crate::flagger::Canary;
use crate::load::Engine;
use crate::practice::{Behaviour, Practice};
use crate::server::{App, Drain, Front, Settings, bind, serve};
use crate::state::{Memory, Store};
use crate::task::Live;
use crate::telemetry::Logs;

/// A release to rehearse with.
#[derive(Clone, Debug)]
pub enum Release {
    /// One that somebody runs.
    At(SocketAddr),
    /// A practice canary, started here.
    Practice(Box<Behaviour>),
}

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The object, as it is rehearsed.
    pub canary: Canary,
    /// Waits between attempts at a hook are divided by this.
    pub speed: f64,
    /// The release in service.
    pub old: Release,
    /// The release under analysis.
    pub new: Release,
    /// The service that hooks ask; `None` starts one.
    pub tollgate: Option<SocketAddr>,
    /// What is said of hosts.
    pub places: Places,
    /// Users' requests a second; zero for none.
    pub users: f64,
    /// The path that users ask for.
    pub path: String,
    /// Most ticks.
    pub most_ticks: u32,
}

/// A running rehearsal. All that was started ends when it is dropped.
#[derive(Debug)]
pub struct Stage {
    router: Arc<Router>,
    tollgate: SocketAddr,
    told: channel::UnboundedReceiver<Told>,
    stop: watch::Sender<bool>,
    hurry: mpsc::Sender<()>,
    thread: Option<JoinHandle<()>>,
    users: tokio::task::JoinHandle<()>,
    service: Option<oneshot::Sender<()>>,
    practice: Vec<Practice>,
}

/// A service in this process has nobody to warn and little to finish.
const DRAIN: Drain = Drain { delay: Duration::ZERO, grace: Duration::from_millis(200) };

impl Stage {
    /// Starts everything, and then the first tick.
    ///
    /// # Errors
    /// No port or thread is to be had.
    pub async fn start(wanted: Wanted) -> io::Result<Self> {
        let mut practice = Vec::new();
        let mut address = |release: &Release| match release {
            Release::At(address) => io::Result::Ok(*address),
            Release::Practice(behaviour) => {
                let started = Practice::start(Behaviour::clone(behaviour))?;
                let address = started.addr();
                practice.push(started);
                Ok(address)
            }
        };
        let (old, new) = (address(&wanted.old)?, address(&wanted.new)?);
        let router = Arc::new(Router::open(old, new, split(&wanted.canary)).await?);
        let listener = match wanted.tollgate {
            None => Some(bind(Some(IpAddr::V4(Ipv4Addr::LOCALHOST)), 0)?),
            Some(_) => None,
        };
        let tollgate = match (&listener, wanted.tollgate) {
            (Some(listener), _) => listener.local_addr()?,
            (None, Some(address)) => address,
            (None, None) => return Err(io::Error::other("no service")),
        };
        let door = |door| router.door(door);
        let service = match listener {
            Some(listener) => {
                let hosts = hosts::of_loads(&wanted.canary, &wanted.places, door, tollgate);
                Some(service(listener, hosts)?)
            }
            None => None,
        };
        let users = tokio::spawn(visitors(&wanted, router.door(Door::Users)).ask());
        let (tell, told) = channel::unbounded_channel();
        let (stop, stopped) = watch::channel(false);
        let (hurry, wait) = mpsc::channel();
        let machine = (Arc::clone(&router), tell, stopped);
        let thread = std::thread::Builder::new()
            .name("flagger".to_owned())
            .spawn(move || play(&wanted, tollgate, machine, &wait))?;
        Ok(Self { router, tollgate, told, stop, hurry, thread: Some(thread), users, service, practice })
    }

    /// Where the service that hooks ask is.
    #[must_use]
    pub const fn tollgate(&self) -> SocketAddr {
        self.tollgate
    }

    /// Where users come in.
    #[must_use]
    pub fn entrance(&self) -> SocketAddr {
        self.router.door(Door::Users)
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.router.elapsed()
    }

    /// What the releases answered up to `end`, since the start; answers slower than `slow` are bad.
    #[must_use]
    pub fn account(&self, slow: Duration, end: Duration) -> Account {
        self.router.account(slow, end)
    }

    /// What happened next; `None` after the end.
    pub async fn next(&mut self) -> Option<Told> {
        self.told.recv().await
    }

    /// Ends it now: a call under way is given up.
    pub fn stop(&self) {
        // Whoever has gone needs no telling.
        let _ = self.stop.send(true);
        let _ = self.hurry.send(());
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop();
        let _ = self.thread.take().map(JoinHandle::join);
        self.users.abort();
        let _ = self.service.take().map(|service| service.send(()));
        self.practice.clear();
    }
}

/// The rules by which requests are split.
fn split(canary: &Canary) -> Split {
    let analysis = &canary.analysis;
    // The provider that splits nothing knows no conditions.
    let matches = if canary.is_plain_kubernetes() { &[][..] } else { &analysis.matches };
    Split::new(matches, analysis.session_affinity.clone(), analysis.mirror_weight, analysis.interval.as_secs())
}

fn visitors(wanted: &Wanted, at: SocketAddr) -> Users {
    let analysis = &wanted.canary.analysis;
    Users {
        at,
        path: wanted.path.clone(),
        rate: wanted.users,
        chosen: analysis.matches.iter().find_map(example::headers),
        keeps_cookies: analysis.session_affinity.is_some(),
    }
}

/// A service of our own, which finds the cluster's names on this machine.
fn service(listener: std::net::TcpListener, hosts: crate::plan::Hosts) -> io::Result<oneshot::Sender<()>> {
    let engine = Engine::start(0)?.fenced().knowing(hosts.clone());
    let commands = exec::Settings { hosts: Arc::new(hosts), ..exec::Settings::default() };
    let store: Arc<dyn Store> = Arc::new(Memory);
    let loads = Live::new(Arc::new(engine), Handle::current());
    let app = App::new(Settings { commands, ..Settings::default() }, &store, loads, Logs::none());
    let front = Front::new(app.map_err(io::Error::other)?);
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(async move {
        let stopped = async {
            // Dropped is told, too.
            let _ = stopped.await;
        };
        serve(listener, front, None, stopped, DRAIN).await;
    });
    Ok(stop)
}

/// Flagger's part, on a thread of its own.
fn play(
    wanted: &Wanted,
    tollgate: SocketAddr,
    (router, told, stop): (Arc<Router>, channel::UnboundedSender<Told>, watch::Receiver<bool>),
    wait: &mpsc::Receiver<()>,
) {
    let names = hosts::of_hooks(&wanted.canary, &wanted.places, tollgate);
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
    let outcome = match runtime {
        Ok(runtime) => {
            let caller = Caller::new(names, wanted.speed);
            let mut machine = Machine { router, caller, runtime, told: told.clone(), stop, said: None };
            follow(&wanted.canary, &mut machine, wanted.most_ticks, wait)
        }
        Err(_) => Outcome::Interrupted,
    };
    // Nobody may be watching any more.
    let _ = told.send(Told::Over(outcome));
}
