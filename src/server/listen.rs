//! Connections: accepted, limited in number and patience, and brought to a good end.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::hook::Peer;
use super::receipt::{Outbox, Posted, Receipt};
use super::{Front, Tls};

/// Connections at once; more wait to be accepted. Flagger opens one for each hook.
const MOST_CONNECTIONS: usize = 1024;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// Bytes that may wait in the kernel for each connection to be read. Hooks have less, and a thousand callers who send a MiB
/// each would fill the memory that a container is given.
const UNREAD: usize = 64 << 10;

/// How often it is looked whether runs have ended in silence.
const EXPIRY: Duration = Duration::from_secs(60);

/// Bytes of a request's head at most.
const HEAD_BYTES: usize = 64 << 10;

/// How long the end may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drain {
    /// From being told to end until no connection is taken: time for the cluster to stop sending.
    pub delay: Duration,
    /// From then until connections with an answer outstanding are cut.
    pub grace: Duration,
}

/// A socket that listens on this address, or on all of IPv6 and IPv4.
///
/// # Errors
/// The address or port is taken, or not ours.
pub fn bind(address: Option<IpAddr>, port: u16) -> io::Result<std::net::TcpListener> {
    let both = |domain, address: IpAddr| -> io::Result<std::net::TcpListener> {
        let socket = Socket::new(domain, Type::STREAM, None)?;
        if domain == Domain::IPV6 {
            socket.set_only_v6(address != IpAddr::V6(Ipv6Addr::UNSPECIFIED))?;
        }
        socket.set_reuse_address(true)?;
        // Those that are accepted have the same.
        socket.set_recv_buffer_size(UNREAD)?;
        socket.set_nonblocking(true)?;
        socket.bind(&SocketAddr::new(address, port).into())?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    };
    match address {
        Some(address) => both(Domain::for_address(SocketAddr::new(address, port)), address),
        // A machine without IPv6 has no such address.
        None => match both(Domain::IPV6, Ipv6Addr::UNSPECIFIED.into()) {
            Err(error) if error.kind() != io::ErrorKind::AddrInUse => both(Domain::IPV4, Ipv4Addr::UNSPECIFIED.into()),
            bound => bound,
        },
    }
}

/// Serves until `stop`, then says it is not ready, waits, takes no more connections and lets those that have a question
/// outstanding get their answer.
pub async fn serve(
    listener: TcpListener,
    front: Front,
    tls: Option<Tls>,
    stop: impl Future<Output = ()>,
    drain: Drain,
) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let told = async {
        stop.await;
        front.app().set_ending();
        tracing::info!(delay = ?drain.delay, "ending: not ready any more");
        sleep(drain.delay).await;
    };
    let accepting = async {
        loop {
            // The semaphore is never closed.
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let (stream, peer) = accept(&listener).await;
            let (front, tls, watcher) = (front.clone(), tls.as_ref().map(Tls::acceptor), graceful.watcher());
            tokio::spawn(async move {
                connection(stream, Peer(peer), front, tls, watcher).await;
                drop(place);
            });
        }
    };
    let expiring = async {
        loop {
            sleep(EXPIRY).await;
            front.app().runs.expire();
        }
    };
    tokio::select! {
        () = accepting => {}
        () = expiring => {}
        () = told => {}
    }
    drop(listener);
    // Whoever waits for evidence is told how far it came.
    front.app().runs.end();
    if timeout(drain.grace, graceful.shutdown()).await.is_err() {
        tracing::warn!(grace = ?drain.grace, "some callers got no answer in time");
    }
}

/// The next connection. Out of descriptors some will be closed: it waits.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection is not accepted");
                sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, peer: Peer, front: Front, tls: Option<TlsAcceptor>, watcher: Watcher) {
    // A socket that takes no option still carries bytes.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return requests(stream, peer, front, watcher).await };
    match timeout(front.app().patience, tls.accept(stream)).await {
        Ok(Ok(stream)) => requests(stream, peer, front, watcher).await,
        Ok(Err(error)) => tracing::info!(peer = %peer.0, %error, "no TLS"),
        Err(_) => tracing::info!(peer = %peer.0, "no TLS in time"),
    }
}

async fn requests<S: AsyncRead + AsyncWrite + Unpin + 'static>(stream: S, peer: Peer, front: Front, watcher: Watcher) {
    let patience = front.app().patience;
    let outbox = Outbox::default();
    let stream = Posted::new(stream, outbox.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = front.clone().answer(peer, request.map(Body::new));
        let outbox = outbox.clone();
        async move {
            let mut response = answer.await;
            if let Some(receipt) = Receipt::of(&mut response) {
                outbox.push(receipt);
            }
            Ok::<_, Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(HEAD_BYTES)
        .max_header_size(HEAD_BYTES)
        .title_case_headers(true)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(peer = %peer.0, %error, "a connection broke");
    }
}
