//! Opening connections: every address of the target, starting at another one each time.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use hickory_resolver::TokioResolver;
use tokio::net::TcpStream;

use super::complaint::Complaint;
use super::tls::{self, Client};
use super::{Clock, Stream, Transport};
use crate::plan::{Host, Origin};
use crate::stats::{DialTimes, Fault, Ns};

/// Opens connections to one server, for one lane or link; clones share what they know of its addresses.
#[derive(Clone, Debug)]
pub struct Dialer(Rc<Inner>);

/// What came of opening a connection.
#[derive(Clone, Copy, Debug)]
pub struct Dialled<T> {
    /// How long each phase took.
    pub times: DialTimes,
    /// Whom it reached, or tried last; `None` where there is no address: no name resolved, a unix socket.
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
    resolver: RefCell<Option<Rc<TokioResolver>>>,
    /// The newest answer of the resolver: still good when a later look-up fails.
    known: RefCell<Vec<SocketAddr>>,
    /// Which address the next connection tries first.
    next: Cell<usize>,
    /// TLS with this server; `None` where it is spoken to in the clear.
    tls: Option<Client>,
    complaint: Complaint,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialer").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl Dialer {
    /// A dialer for `origin`. `first` is the address its first connection begins with, so that workers spread.
    #[must_use]
    pub fn new(origin: Origin, transport: Transport, first: usize) -> Self {
        let tls = origin.secure.then(|| Client::new(transport.tls(), origin.host.clone()));
        Self(Rc::new(Inner {
            tls,
            origin,
            transport,
            resolver: RefCell::new(None),
            known: RefCell::default(),
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

    /// Opens a connection before `by`. All addresses are tried; the last failure is the one reported.
    ///
    /// # Errors
    /// `Dns` when the name has no address, `Refused` when no address answered, `Tls` when the handshake or the server's
    /// certificate failed, `Reset` when the connection ended in it, `Timeout` when time ran out, `Local` when our own
    /// process has no descriptors or ports left.
    pub async fn connect<C: Clock>(&self, by: Ns, clock: &C) -> Dialled<Stream> {
        let begin = clock.now();
        let addresses = match within(by, clock, self.addresses()).await {
            Some(Ok(addresses)) => addresses,
            Some(Err(message)) => {
                let times = self.times(begin, clock.now(), clock);
                return Dialled { times, address: None, result: Err(self.failed(Fault::Dns, message)) };
            }
            None => {
                let message = format!("{}: name resolution took too long", self.0.origin.host);
                let times = self.times(begin, clock.now(), clock);
                return Dialled { times, address: None, result: Err(self.failed(Fault::Timeout, message)) };
            }
        };
        let resolved = clock.now();
        let (address, stream) = self.first_of(&addresses, by, clock).await;
        let mut times = self.times(begin, resolved, clock);
        let result = match (stream.map(Stream::Tcp), &self.0.tls) {
            (Ok(stream), Some(client)) => {
                let begin = clock.now();
                let secured = self.secured(client, stream, address, by, clock).await;
                times.tls = clock.now().since(begin);
                secured
            }
            (stream, _) => stream,
        };
        Dialled { times, address, result }
    }

    /// The TLS handshake on a connection.
    async fn secured<C: Clock>(
        &self,
        client: &Client,
        stream: Stream,
        address: Option<SocketAddr>,
        by: Ns,
        clock: &C,
    ) -> Result<Stream, Fault> {
        let handshake = client.secure(stream, address, &self.0.complaint);
        let too_late = || Err((Fault::Timeout, "the TLS handshake was not done in time".to_owned()));
        let secured = within(by, clock, handshake).await.unwrap_or_else(too_late);
        secured.map_err(|(fault, problem)| self.failed(fault, tls::at(address, &problem)))
    }

    fn times<C: Clock>(&self, begin: Ns, resolved: Ns, clock: &C) -> DialTimes {
        let looked_up = self.0.origin.pinned.is_empty() && matches!(self.0.origin.host, Host::Name(_));
        DialTimes {
            dns: if looked_up { resolved.since(begin) } else { Ns::ZERO },
            connect: clock.now().since(resolved),
            ..DialTimes::default()
        }
    }

    /// Keeps what went wrong in words; the first of them stays.
    pub(super) fn note(&self, message: impl FnOnce() -> String) {
        self.0.complaint.note(message);
    }

    fn failed(&self, fault: Fault, message: String) -> Fault {
        self.note(|| message);
        fault
    }

    async fn first_of<C: Clock>(
        &self,
        addresses: &[SocketAddr],
        by: Ns,
        clock: &C,
    ) -> (Option<SocketAddr>, Result<TcpStream, Fault>) {
        let first = self.0.next.get();
        self.0.next.set(first.wrapping_add(1));
        let mut fault = Fault::Refused;
        let mut last = None;
        for tried in 0..addresses.len() {
            let address = addresses[(first + tried) % addresses.len()];
            last = Some(address);
            // Each address left gets an equal part of the time left: one that swallows packets leaves some for others.
            let now = clock.now();
            let share = by.since(now).0 / (addresses.len() - tried) as u64;
            let until = if by == Ns::MAX { by } else { now + Ns(share) };
            match within(until, clock, TcpStream::connect(address)).await {
                Some(Ok(stream)) => {
                    // A request is one write: waiting for more to send would only delay it.
                    let _ = stream.set_nodelay(true);
                    return (last, Ok(stream));
                }
                Some(Err(error)) => fault = self.failed(fault_of(&error), format!("{address}: {error}")),
                None => fault = self.failed(Fault::Timeout, format!("{address}: no answer to the connection attempt")),
            }
            if fault == Fault::Local {
                break;
            }
        }
        (last, Err(fault))
    }

    async fn addresses(&self) -> Result<Vec<SocketAddr>, String> {
        let origin = &self.0.origin;
        if !origin.pinned.is_empty() {
            return Ok(origin.pinned.clone());
        }
        let name = match &origin.host {
            Host::Ip(ip) => return Ok(vec![SocketAddr::new(*ip, origin.port)]),
            Host::Name(name) => name,
        };
        let answer = match self.resolver() {
            Ok(resolver) => resolver.lookup_ip(name.as_str()).await.map_err(|error| {
                let nothing = error.is_nx_domain() || error.is_no_records_found();
                if nothing { format!("{name}: no such name") } else { format!("{name}: {error}") }
            }),
            Err(message) => Err(message),
        };
        let found: Vec<_> = match &answer {
            Ok(ips) => ips.iter().map(|ip| SocketAddr::new(ip, origin.port)).collect(),
            Err(_) => Vec::new(),
        };
        if !found.is_empty() {
            self.0.known.replace(found.clone());
            return Ok(found);
        }
        let known = self.0.known.borrow().clone();
        if known.is_empty() {
            return Err(answer.err().unwrap_or_else(|| format!("{name}: the name has no address")));
        }
        Ok(known)
    }

    fn resolver(&self) -> Result<Rc<TokioResolver>, String> {
        if let Some(resolver) = &*self.0.resolver.borrow() {
            return Ok(Rc::clone(resolver));
        }
        let resolver = TokioResolver::builder_tokio()
            .and_then(hickory_resolver::ResolverBuilder::build)
            .map_err(|error| format!("no usable resolver configuration: {error}"))?;
        let resolver = Rc::new(resolver);
        self.0.resolver.replace(Some(Rc::clone(&resolver)));
        Ok(resolver)
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
        dialer.0.known.replace(vec![address]);
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
