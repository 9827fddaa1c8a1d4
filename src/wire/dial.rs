//! Opening connections: every address of the target, starting at another one each time, and what stands between.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;

use tokio::net::{TcpStream, UnixStream};

use super::complaint::Complaint;
use super::names::Names;
use super::tls::{self, Client, Failed};
use super::{Clock, Stream, Transport, proxy};
use crate::plan::{Host, Origin, Proxy, Via, Wire};
use crate::stats::{DialTimes, Fault, Ns};

/// How soon a unix socket that has no room for another connection is asked again: its system does not let us wait.
const AGAIN: Ns = Ns::from_millis(1);

/// What is said where others would have no descriptor left.
const NONE_LEFT: &str = "the open files that are left are kept for hooks: raise the limit, or lower --max-connections";

/// Opens connections to one server, for one lane or link; clones share what they know of its addresses.
#[derive(Clone, Debug)]
pub struct Dialer(Rc<Inner>);

/// What came of opening a connection.
#[derive(Clone, Copy, Debug)]
pub struct Dialled<T> {
    /// How long each phase took.
    pub times: DialTimes,
    /// Whom it reached, or tried last: the proxy where there is one; `None` where there is no address: no name resolved,
    /// a unix socket.
    pub address: Option<SocketAddr>,
    /// The connection, or why there is none.
    pub result: Result<T, Fault>,
}

impl<T> Dialled<T> {
    /// The same dial with something else made of its connection.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Dialled<U> {
        Dialled { times: self.times, address: self.address, result: self.result.map(make) }
    }
}

struct Inner {
    origin: Origin,
    transport: Transport,
    names: Names,
    /// Which address the next connection tries first.
    next: Cell<usize>,
    /// TLS with the proxy; `None` where it is spoken to in the clear, or there is none.
    proxy_tls: Option<Client>,
    /// TLS with this server; `None` where it is spoken to in the clear.
    tls: Option<Client>,
    complaint: Complaint,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialer").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// What a connection has come to so far: whom it reaches, and itself or why there is none.
type Reached = (Option<SocketAddr>, Result<Stream, Failed>);

impl Dialer {
    /// A dialer for `origin`. `first` is the address its first connection begins with, so that workers spread.
    #[must_use]
    pub fn new(origin: Origin, transport: Transport, first: usize) -> Self {
        let server = transport.server().unwrap_or(&origin.host);
        let tls = origin.secure.then(|| Client::new(transport.tls(), server.clone()));
        let proxy_tls = match transport.via() {
            Via::Proxy(proxy) if proxy.secure => Some(Client::new(transport.proxy_tls(), proxy.host.clone())),
            _ => None,
        };
        Self(Rc::new(Inner {
            tls,
            proxy_tls,
            origin,
            transport,
            names: Names::default(),
            next: Cell::new(first),
            complaint: Complaint::default(),
        }))
    }

    /// The server that connections go to.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.0.origin
    }

    /// How its connections are made.
    #[must_use]
    pub fn transport(&self) -> &Transport {
        &self.0.transport
    }

    /// The first failure in words: which address, and what the system said.
    #[must_use]
    pub fn first_error(&self) -> Option<String> {
        self.0.complaint.first()
    }

    /// Keeps what went wrong in words; the first of them stays.
    pub(super) fn note(&self, message: impl FnOnce() -> String) {
        self.0.complaint.note(message);
    }

    /// Opens a connection before `by`. All addresses are tried; the last failure is the one reported.
    ///
    /// # Errors
    /// `Dns` when the name has no address, `Refused` when no address answered, `Tls` when the handshake or the server's
    /// certificate failed, `Reset` when the connection ended in it, `Proxy` for all that between us and a proxy and when
    /// it lets us through to nobody, `Timeout` when time ran out, `Local` when our own process has no descriptors or
    /// ports left.
    pub async fn connect<C: Clock>(&self, by: Ns, clock: &C) -> Dialled<Stream> {
        let mut times = DialTimes::default();
        let (address, reached) = match self.0.transport.via() {
            Via::Direct => {
                let Origin { host, port, pinned, .. } = &self.0.origin;
                self.tcp((host, *port, pinned), by, clock, &mut times).await
            }
            Via::Proxy(proxy) => {
                let (address, reached) = self.tcp((&proxy.host, proxy.port, &[]), by, clock, &mut times).await;
                let begin = clock.now();
                let passed = self.past(proxy, address, reached, by, clock).await;
                times.connect = times.connect + clock.now().since(begin);
                (address, passed.map_err(|(fault, said)| (proxy::fault(fault), format!("the proxy {said}"))))
            }
            Via::Unix(path) => {
                let begin = clock.now();
                let reached = unix(path, by, clock).await;
                times.connect = clock.now().since(begin);
                (None, reached)
            }
        };
        let result = match (reached, &self.0.tls) {
            (Ok(stream), Some(client)) => {
                let begin = clock.now();
                // Behind a proxy, its address is not that of the server whose certificate this is about.
                let server = address.filter(|_| *self.0.transport.via() == Via::Direct);
                let secured = self.secured(client, stream, server, by, clock).await;
                times.tls = clock.now().since(begin);
                secured
            }
            (reached, _) => reached,
        };
        let result = result.map_err(|(fault, said)| {
            self.note(|| said);
            fault
        });
        Dialled { times, address, result }
    }

    /// TCP to a host, its name looked up where it is one.
    async fn tcp<C: Clock>(
        &self,
        (host, port, pinned): (&Host, u16, &[SocketAddr]),
        by: Ns,
        clock: &C,
        times: &mut DialTimes,
    ) -> Reached {
        let begin = clock.now();
        let known = match pinned {
            [] => self.0.transport.find(host).map(|address| vec![address]),
            pinned => Some(pinned.to_vec()),
        };
        let asks = known.is_none() && matches!(host, Host::Name(_));
        let found = match known {
            Some(addresses) => Some(Ok(addresses)),
            None => within(by, clock, self.0.names.addresses(host, port)).await,
        };
        let resolved = clock.now();
        if asks {
            times.dns = resolved.since(begin);
        }
        let reached = match found {
            Some(Ok(addresses)) => self.first_of(&addresses, by, clock).await,
            Some(Err(said)) => (None, Err((Fault::Dns, said))),
            None => (None, Err((Fault::Timeout, format!("{host}: name resolution took too long")))),
        };
        times.connect = clock.now().since(resolved);
        reached
    }

    async fn first_of<C: Clock>(&self, addresses: &[SocketAddr], by: Ns, clock: &C) -> Reached {
        let first = self.0.next.get();
        self.0.next.set(first.wrapping_add(1));
        let mut failed = (Fault::Refused, "there is no address".to_owned());
        let mut last = None;
        for tried in 0..addresses.len() {
            let address = addresses[(first + tried) % addresses.len()];
            last = Some(address);
            if self.0.transport.bars(address.ip()) {
                failed = (Fault::Refused, format!("{address}: a link-local address, where no load may go"));
                continue;
            }
            // Each address left gets an equal part of the time left: one that swallows packets leaves some for others.
            let now = clock.now();
            let share = by.since(now).0 / (addresses.len() - tried) as u64;
            let until = if by == Ns::MAX { by } else { now + Ns(share) };
            failed = match within(until, clock, TcpStream::connect(address)).await {
                Some(Ok(stream)) if self.0.transport.leaves_none(&stream) => (Fault::Local, NONE_LEFT.to_owned()),
                Some(Ok(stream)) => {
                    // A request is one write: waiting for more to send would only delay it.
                    let _ = stream.set_nodelay(true);
                    return (last, Ok(Stream::Tcp(stream)));
                }
                Some(Err(error)) => (fault_of(&error), format!("{address}: {error}")),
                None => (Fault::Timeout, format!("{address}: no answer to the connection attempt")),
            };
            if failed.0 == Fault::Local {
                break;
            }
            if tried + 1 < addresses.len() {
                self.note(|| failed.1.clone());
            }
        }
        (last, Err(failed))
    }

    /// From a proxy's door to where the proxy stands between nothing any more: through its TLS and, unless it is to read
    /// the requests itself, through a tunnel.
    async fn past<C: Clock>(
        &self,
        proxy: &Proxy,
        address: Option<SocketAddr>,
        reached: Result<Stream, Failed>,
        by: Ns,
        clock: &C,
    ) -> Result<Stream, Failed> {
        let mut stream = reached?;
        if let Some(client) = &self.0.proxy_tls {
            stream = self.secured(client, stream, address, by, clock).await?;
        }
        if !self.0.origin.secure && self.0.transport.wire() == Wire::Http1 {
            return Ok(stream);
        }
        let tunnel = proxy::tunnel(stream, proxy, &self.0.origin);
        let too_late = || Err((Fault::Timeout, "no answer to CONNECT in time".to_owned()));
        let passed = within(by, clock, tunnel).await.unwrap_or_else(too_late);
        passed.map_err(|(fault, problem)| (fault, tls::at(address, &proxy.host, &problem)))
    }

    /// The TLS handshake on a connection.
    async fn secured<C: Clock>(
        &self,
        client: &Client,
        stream: Stream,
        address: Option<SocketAddr>,
        by: Ns,
        clock: &C,
    ) -> Result<Stream, Failed> {
        let handshake = client.secure(stream, address, &self.0.complaint);
        let too_late = || Err((Fault::Timeout, "the TLS handshake was not done in time".to_owned()));
        let secured = within(by, clock, handshake).await.unwrap_or_else(too_late);
        secured.map_err(|(fault, problem)| (fault, tls::at(address, client.host(), &problem)))
    }
}

/// A connection to a unix socket.
async fn unix<C: Clock>(path: &Path, by: Ns, clock: &C) -> Result<Stream, Failed> {
    loop {
        let error = match UnixStream::connect(path).await {
            Ok(stream) => return Ok(Stream::Unix(stream)),
            Err(error) => error,
        };
        if error.kind() != io::ErrorKind::WouldBlock {
            return Err((fault_of(&error), format!("{}: {error}", path.display())));
        }
        if clock.now() >= by {
            return Err((Fault::Timeout, format!("{}: the socket took no further connection in time", path.display())));
        }
        clock.until(clock.now() + AGAIN).await;
    }
}

/// What a failed connect means.
fn fault_of(error: &io::Error) -> Fault {
    use rustix::io::Errno;
    let ours = [Errno::MFILE, Errno::NFILE, Errno::ADDRNOTAVAIL, Errno::NOBUFS, Errno::NOMEM, Errno::PERM];
    match error.raw_os_error() {
        Some(code) if ours.iter().any(|errno| errno.raw_os_error() == code) => Fault::Local,
        Some(code) if code == Errno::TIMEDOUT.raw_os_error() => Fault::Timeout,
        _ => Fault::Refused,
    }
}

/// What an error on an established connection means, before any request went out.
pub(super) fn fault_once_connected(error: &io::Error) -> Fault {
    match fault_of(error) {
        Fault::Refused => Fault::Reset,
        other => other,
    }
}

/// The future's value, or `None` once `by` has passed.
pub(super) async fn within<C: Clock, T>(by: Ns, clock: &C, future: impl Future<Output = T>) -> Option<T> {
    if by == Ns::MAX {
        return Some(future.await);
    }
    tokio::time::timeout_at(clock.instant(by), future).await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Tls, Via, Wire};
    use crate::wire::Coarse;

    /// A listener, and an address on which nobody listens.
    async fn open_and_closed() -> (tokio::net::TcpListener, SocketAddr) {
        let open = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = closed.local_addr().expect("it is bound");
        drop(closed);
        (open, address)
    }

    fn dialer_to(origin: Origin) -> Dialer {
        let transport = Transport::new(Wire::Http1, &Tls::default(), &Via::Direct).expect("nothing can go wrong");
        Dialer::new(origin, transport, 0)
    }

    fn dialer(pinned: Vec<SocketAddr>) -> Dialer {
        dialer_to(Origin { secure: false, host: Host::Name("target.test".into()), port: 80, pinned })
    }

    #[tokio::test]
    async fn every_address_is_tried_in_the_same_attempt_and_each_connection_begins_at_another() {
        let (open, closed) = open_and_closed().await;
        let dialer = dialer(vec![closed, open.local_addr().expect("it is bound")]);
        let clock = Coarse::new();
        for _ in 0..4 {
            let Dialled { times, result: stream, .. } = dialer.connect(Ns::from_secs(5), &clock).await;
            assert!(stream.is_ok(), "the second address answers");
            assert_eq!(times.dns, Ns::ZERO, "nothing was looked up");
        }
        assert_eq!(dialer.0.next.get(), 4);
        assert!(dialer.first_error().is_some_and(|said| said.starts_with(&closed.to_string())));
    }

    #[tokio::test]
    async fn behind_a_fence_no_name_leads_to_a_link_local_address_that_is_not_allowed() {
        let (open, _) = open_and_closed().await;
        let near: SocketAddr = "169.254.169.254:80".parse().expect("an address");
        let transport = Transport::new(Wire::Http1, &Tls::default(), &Via::Direct).expect("nothing can go wrong");
        let dialer = |pinned, allowed| {
            let origin = Origin { secure: false, host: Host::Name("target.test".into()), port: 80, pinned };
            Dialer::new(origin, transport.clone().fenced(allowed), 0)
        };
        let barred = dialer(vec![near], Vec::new());
        assert_eq!(barred.connect(Ns::from_secs(5), &Coarse::new()).await.result.err(), Some(Fault::Refused));
        let expected = "169.254.169.254:80: a link-local address, where no load may go";
        assert_eq!(barred.first_error().as_deref(), Some(expected));
        let both = dialer(vec![near, open.local_addr().expect("it is bound")], Vec::new());
        assert!(both.connect(Ns::from_secs(5), &Coarse::new()).await.result.is_ok(), "the other address is none");
        let transport = transport.clone().fenced(vec![near.ip()]);
        assert!(!transport.bars(near.ip()) && transport.bars("169.254.169.253".parse().expect("an address")));
    }

    #[tokio::test]
    async fn a_connection_that_takes_a_descriptor_kept_for_others_is_given_back() {
        let (open, _) = open_and_closed().await;
        let transport = Transport::new(Wire::Http1, &Tls::default(), &Via::Direct).expect("nothing can go wrong");
        let at = open.local_addr().expect("it is bound");
        let origin = Origin { secure: false, host: Host::Ip(at.ip()), port: at.port(), pinned: Vec::new() };
        for (below, expected) in [(Some(3), Some(Fault::Local)), (Some(1 << 20), None), (None, None)] {
            let dialer = Dialer::new(origin.clone(), transport.clone().below(below), 0);
            assert_eq!(dialer.connect(Ns::from_secs(5), &Coarse::new()).await.result.err(), expected, "{below:?}");
        }
    }

    #[tokio::test]
    async fn a_port_nobody_listens_on_is_refused_and_says_which() {
        let (_, closed) = open_and_closed().await;
        let dialer = dialer(vec![closed]);
        let stream = dialer.connect(Ns::from_secs(5), &Coarse::new()).await.result;
        assert_eq!(stream.err(), Some(Fault::Refused));
        assert!(dialer.first_error().is_some_and(|said| said.contains("refused")), "{:?}", dialer.first_error());
    }

    #[tokio::test]
    async fn a_name_that_does_not_resolve_keeps_its_last_good_addresses() {
        let (open, _) = open_and_closed().await;
        let address = open.local_addr().expect("it is bound");
        let origin = Origin {
            secure: false,
            host: Host::Name("nonexistent.invalid".into()),
            port: address.port(),
            pinned: Vec::new(),
        };
        let dialer = dialer_to(origin);
        let clock = Coarse::new();
        let stream = dialer.connect(Ns::from_secs(10), &clock).await.result;
        assert!(matches!(stream.err(), Some(Fault::Dns | Fault::Timeout)));
        dialer.0.names.know(vec![address]);
        let stream = dialer.connect(clock.now() + Ns::from_secs(10), &clock).await.result;
        assert!(stream.is_ok());
    }

    #[test]
    fn running_out_of_our_own_resources_is_not_the_targets_fault() {
        for (errno, fault) in [
            (rustix::io::Errno::MFILE, Fault::Local),
            (rustix::io::Errno::ADDRNOTAVAIL, Fault::Local),
            (rustix::io::Errno::CONNREFUSED, Fault::Refused),
            (rustix::io::Errno::HOSTUNREACH, Fault::Refused),
            (rustix::io::Errno::TIMEDOUT, Fault::Timeout),
        ] {
            assert_eq!(fault_of(&io::Error::from_raw_os_error(errno.raw_os_error())), fault, "{errno}");
        }
    }
}
