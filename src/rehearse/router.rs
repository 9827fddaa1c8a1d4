//! What stands in front of both releases, as a mesh does: it splits the requests by the current route, makes copies where the
//! canary is mirrored, and keeps the ledger.
//!
//! Each of its doors is a port: users come in by one, the load of hooks by the others, each by the name that it asks for.
//! HTTP/1 is split request by request. What is no HTTP/1 (HTTP/2, TLS) passes as a connection, unseen.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{HOST, HeaderValue, SET_COOKIE};
use http::uri::{Authority, Parts, Scheme};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::ended::Ended;
use super::ledger::{Account, Ledger, Row};
use super::split::{Choice, Side, Split};
use crate::flagger::Route;

/// Bytes of a request's body at most: it may have to be sent twice.
const MOST_BYTES: usize = 16 << 20;

/// By which name a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Users, at the service that they reach.
    Users,
    /// Load, at the service that users reach.
    Apex,
    /// Load, at the service of the canary alone.
    Canary,
    /// Load, at the service of the primary alone.
    Primary,
}

/// All doors.
const DOORS: [Door; 4] = [Door::Users, Door::Apex, Door::Canary, Door::Primary];

/// Anything that may go wrong between the router and a release.
type Trouble = Box<dyn std::error::Error + Send + Sync>;
type Body = BoxBody<Bytes, Trouble>;

/// A running router. It ends when dropped.
#[derive(Debug)]
pub struct Router {
    shared: Arc<Shared>,
    doors: Vec<(Door, SocketAddr)>,
    tasks: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    began: Instant,
    split: Mutex<Split>,
    ledger: Mutex<Ledger>,
    releases: Mutex<Releases>,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// Where the releases are.
#[derive(Clone, Copy, Debug)]
struct Releases {
    primary: SocketAddr,
    canary: SocketAddr,
    /// Whether the primary was made what the canary is.
    promoted: bool,
}

impl Router {
    /// Opens all doors on free ports of this machine, with everything going to the primary.
    ///
    /// # Errors
    /// No port is free.
    pub(super) async fn open(primary: SocketAddr, canary: SocketAddr, split: Split) -> io::Result<Self> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let shared = Arc::new(Shared {
            began: Instant::now(),
            split: Mutex::new(split),
            ledger: Mutex::default(),
            releases: Mutex::new(Releases { primary, canary, promoted: false }),
            client: Client::builder(TokioExecutor::new()).build(connector),
        });
        let (mut doors, mut tasks) = (Vec::new(), Vec::new());
        for door in DOORS {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            doors.push((door, listener.local_addr()?));
            tasks.push(tokio::spawn(accept(listener, door, Arc::clone(&shared))));
        }
        Ok(Self { shared, doors, tasks })
    }

    /// The address of a door.
    #[must_use]
    pub fn door(&self, door: Door) -> SocketAddr {
        let found = self.doors.iter().find(|(known, _)| *known == door);
        found.map(|(_, address)| *address).expect("every door is opened at the start")
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.shared.began.elapsed()
    }

    /// Traffic goes there from now on.
    pub(super) fn set(&self, route: Route) {
        lock(&self.shared.split).set(route);
    }

    /// The primary becomes what the canary is.
    pub(super) fn promote(&self) {
        let mut releases = lock(&self.shared.releases);
        releases.primary = releases.canary;
        releases.promoted = true;
    }

    /// What the ledger says; see there.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Ledger) -> T) -> T {
        read(&lock(&self.shared.ledger))
    }

    /// The account up to now.
    #[must_use]
    pub(super) fn account(&self, slow: Duration, end: Duration) -> Account {
        self.read(|ledger| ledger.account(slow, end))
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Nobody panics while holding one of them; if it happened, what is there is still whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, door: Door, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors: some will be closed.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        // A socket that takes no option still carries bytes.
        let _ = stream.set_nodelay(true);
        let shared = Arc::clone(&shared);
        tokio::spawn(async move { connection(stream, door, shared).await });
    }
}

async fn connection(stream: TcpStream, door: Door, shared: Arc<Shared>) {
    let mut first = [0; 3];
    match stream.peek(&mut first).await {
        // HTTP/2 begins with `PRI`, TLS with a byte that no method has.
        Ok(n) if n > 0 && (first[0] == 0x16 || first.starts_with(b"PRI")) => pass(stream, door, &shared).await,
        _ => {
            let service = service_fn(move |request| {
                let shared = Arc::clone(&shared);
                async move { Ok::<_, Infallible>(answer(shared, door, request).await) }
            });
            // A connection that breaks concerns only its client.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        }
    }
}

/// Carries bytes both ways.
async fn pass(mut stream: TcpStream, door: Door, shared: &Shared) {
    let choice = shared.choose(door, &|_| None);
    if let Ok(mut release) = TcpStream::connect(shared.address(choice.side)).await {
        let _ = tokio::io::copy_bidirectional(&mut stream, &mut release).await;
    }
}

impl Shared {
    fn choose(&self, door: Door, header: &dyn Fn(&str) -> Option<String>) -> Choice {
        let plain = |side| Choice { side, copied: false, cookie: None };
        match door {
            Door::Canary => plain(Side::Canary),
            Door::Primary => plain(Side::Primary),
            Door::Users | Door::Apex => lock(&self.split).choose(header),
        }
    }

    fn address(&self, side: Side) -> SocketAddr {
        let releases = lock(&self.releases);
        if side == Side::Canary { releases.canary } else { releases.primary }
    }

    /// Whether the new release answers there.
    fn is_new(&self, side: Side) -> bool {
        side == Side::Canary || lock(&self.releases).promoted
    }

    fn write(&self, mut row: Row, begun: Instant) {
        row.at = self.began.elapsed();
        row.took = begun.elapsed();
        lock(&self.ledger).add(row);
    }
}

/// Sends a request to a release, a copy of it to the canary where it is mirrored, and writes down how it went.
async fn answer(shared: Arc<Shared>, door: Door, request: Request<Incoming>) -> Response<Body> {
    let (mut head, body) = request.into_parts();
    let begun = Instant::now();
    let Ok(body) = Limited::new(body, MOST_BYTES).collect().await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "the request's body is too large, or was cut");
    };
    let body = body.to_bytes();
    let headers = head.headers.clone();
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let choice = shared.choose(door, &header);
    // Hop by hop: the router keeps its own connections.
    for name in ["connection", "keep-alive", "transfer-encoding", "content-length"] {
        head.headers.remove(name);
    }
    let request = Request::from_parts(head, Full::from(body));
    if choice.copied {
        tokio::spawn(copy(Arc::clone(&shared), request.clone()));
    }
    let user = door == Door::Users;
    let mut response = forward(shared, choice.side, user, begun, request).await;
    if let Some(cookie) = choice.cookie.and_then(|cookie| HeaderValue::try_from(cookie).ok()) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// A copy for the canary, whose answer nobody sees.
async fn copy(shared: Arc<Shared>, request: Request<Full<Bytes>>) {
    let answer = forward(shared, Side::Canary, false, Instant::now(), request).await;
    // Read to its end, so that it is written down.
    let _ = answer.into_body().collect().await;
}

async fn forward(
    shared: Arc<Shared>,
    side: Side,
    user: bool,
    begun: Instant,
    mut request: Request<Full<Bytes>>,
) -> Response<Body> {
    let row = Row { at: Duration::ZERO, side, new: shared.is_new(side), user, failed: true, took: Duration::ZERO };
    let Some(uri) = at(request.uri(), shared.address(side)) else {
        return plain(StatusCode::BAD_REQUEST, "not a path");
    };
    if !request.headers().contains_key(HOST) {
        request.headers_mut().insert(HOST, HeaderValue::from_static("release"));
    }
    *request.uri_mut() = uri;
    match shared.client.request(request).await {
        Ok(response) => {
            let failed = response.status().as_u16() >= 500;
            response.map(|body| {
                let done = move |whole: bool| shared.write(Row { failed: failed || !whole, ..row }, begun);
                Ended::new(body.map_err(Trouble::from).boxed(), done).boxed()
            })
        }
        Err(_) => {
            shared.write(row, begun);
            plain(StatusCode::SERVICE_UNAVAILABLE, "the release gave no answer")
        }
    }
}

/// The same path at a release.
fn at(uri: &Uri, address: SocketAddr) -> Option<Uri> {
    let mut parts = Parts::default();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(Authority::try_from(address.to_string()).ok()?);
    parts.path_and_query = Some(uri.path_and_query().cloned()?);
    Uri::from_parts(parts).ok()
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let body = Full::from(text).map_err(|never: Infallible| match never {}).boxed();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}
