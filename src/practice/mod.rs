//! The practice canary: a server whose latency, errors and stalls are chosen, and which keeps the truth.
//!
//! Load tests, the demo and users learning the tool all need a release that is bad in a known way, and afterwards
//! an account of what it really did. It speaks HTTP/1 on raw sockets, because a well-behaved library would not let
//! it send half an answer, two lengths or a reset, and HTTP/2 and gRPC through a library whose frames it may put its own
//! among. It runs on one thread of its own, so that asynchronous and plain
//! code alike can start one.
//!
//! * [`Behaviour`], [`SETTINGS`]: what can be chosen, and how it is written.
//! * [`Fault`], [`Latency`], [`Share`]: the vocabulary.
//! * [`Practice`]: the running server. [`Truth`]: what it saw.

mod alarm;
mod answer;
mod behaviour;
mod desk;
mod door;
mod fault;
mod grpc;
mod health;
mod http1;
mod http2;
mod latency;
mod malformed;
mod parse;
mod pieces;
mod request;
mod settings;
mod spoil;
mod stream;
#[cfg(test)]
mod tests;
mod tls;
mod truth;
mod value;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

pub use behaviour::{
    BadConnections, BadKind, BadTls, Behaviour, Cycle, Errors, GrpcErrors, GrpcForm, Http2, Protocols, Shape,
    SlowStart, Tls,
};
pub use fault::{Fault, Malformed, RESET_CODES};
pub use health::Health;
pub use latency::{Latency, TAIL_CAP};
pub use parse::Mistake;
pub use settings::{SETTINGS, Setting};
pub use truth::{Connections, MOST_SECONDS, MOST_STALLS, MOST_VALUES, Second, StallWindow, Times, Truth};
pub use value::{Share, duration, share, size};

use answer::Pages;
use desk::Desk;
use door::Server;
use tls::Identity;

/// Connections that may wait to be accepted: a load opens all of its own at once.
const BACKLOG: i32 = 4096;

/// How long a stop waits for questions about the truth to be answered.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// A running practice canary. It stops when dropped.
#[derive(Debug)]
pub struct Practice {
    addr: SocketAddr,
    server: Arc<Server>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Truth>>,
}

impl Practice {
    /// Starts one on a thread of its own. When this returns, connections are accepted.
    ///
    /// # Errors
    /// The address cannot be listened on, a file for TLS cannot be used (the message names the flag), or the system
    /// gives no thread or event queue.
    pub fn start(behaviour: Behaviour) -> io::Result<Self> {
        let hostname = hostname();
        let tls = behaviour.tls.on.then(|| Identity::prepare(&behaviour, &hostname)).transpose()?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _inside = runtime.enter();
            let wanted = SocketAddr::new(behaviour.listen, behaviour.port);
            let bound = listen(wanted).map_err(|error| {
                let advice = format!("cannot listen on {wanted}: choose another with --port or --listen: {error}");
                io::Error::new(error.kind(), advice)
            })?;
            TcpListener::from_std(bound)?
        };
        let addr = listener.local_addr()?;
        let pages = Pages::new(&hostname, behaviour.seed, behaviour.shape.body_bytes);
        let server = Arc::new(Server {
            desk: Desk::new(behaviour),
            pages,
            tls,
            checks: AtomicU64::new(0),
            asking: AtomicUsize::new(0),
        });
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::clone(&server);
        let thread = std::thread::Builder::new()
            .name("practice".to_owned())
            .spawn(move || run(&runtime, listener, &shared, stopped))?;
        Ok(Self { addr, server, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens, the port as it really is.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The authority that signs the certificates made at the start, in PEM; `None` without TLS.
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        self.server.tls.as_ref().map(|identity| identity.ca_pem.as_str())
    }

    /// A client's certificate and key signed by that authority, in PEM; `None` without TLS.
    #[must_use]
    pub fn client_pem(&self) -> Option<&str> {
        self.server.tls.as_ref().map(|identity| identity.client_pem.as_str())
    }

    /// What it has seen so far. Takes no longer with many requests than with few.
    #[must_use]
    pub fn truth(&self) -> Truth {
        self.server.desk.truth()
    }

    /// Forgets everything seen so far, and counts and times anew from the next request.
    pub fn reset(&self) {
        self.server.desk.reset();
    }

    /// Stops it, after questions about the truth under way are answered, and says what it saw to its end.
    #[must_use]
    pub fn stop(mut self) -> Truth {
        self.end().unwrap_or_else(|| self.truth())
    }

    /// Stops the thread; what it had seen when it stopped.
    fn end(&mut self) -> Option<Truth> {
        // The receiver is gone only when the thread is.
        let _ = self.stop.take()?.send(());
        self.thread.take()?.join().ok()
    }
}

impl Drop for Practice {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// A listening socket that takes a busy load's connections and its port again at once.
fn listen(addr: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(addr), socket2::Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// The server's thread. What it had seen when it was told to stop, before its connections are cut.
fn run(runtime: &Runtime, listener: TcpListener, server: &Arc<Server>, stopped: oneshot::Receiver<()>) -> Truth {
    runtime.block_on(async {
        tokio::select! {
            () = accept(listener, server) => {}
            _ = stopped => {}
        }
        let answered = async {
            while server.asking.load(Ordering::SeqCst) > 0 {
                sleep(Duration::from_millis(1)).await;
            }
        };
        let _ = timeout(LAST_ANSWERS, answered).await;
        server.desk.truth()
    })
}

/// Accepts connections for ever.
async fn accept(listener: TcpListener, server: &Arc<Server>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let server = Arc::clone(server);
                tokio::spawn(async move { door::serve(&server, stream).await });
            }
            // Out of descriptors: some will be closed.
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

/// This machine's name, for the answer of `/`.
fn hostname() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "localhost".to_owned() } else { name.to_owned() }
}
