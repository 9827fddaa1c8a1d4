//! The webhook service inside the test's own process, and a plain client that shows each answer byte by byte.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use tollgate::load::Engine;
use tollgate::server::{App, Drain, Front, Settings, Tls, TlsFiles, bind, serve};
use tollgate::state::{Memory, Store};
use tollgate::task::Live;
use tollgate::telemetry::Logs;

/// What a test wants of the service.
pub(crate) struct Wanted {
    pub(crate) settings: Settings,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) tls: Option<TlsFiles>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { settings: Settings::default(), store: Arc::new(Memory), tls: None }
    }
}

/// A running service; it ends when dropped.
pub(crate) struct Service {
    pub(crate) addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Service {
    /// Starts one as wanted.
    pub(crate) fn start(wanted: Wanted) -> Self {
        let listener = bind(Some(IpAddr::V4(Ipv4Addr::LOCALHOST)), 0).unwrap();
        let addr = listener.local_addr().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let loads = Live::new(Arc::new(Engine::start(1).unwrap()), runtime.handle().clone());
        let front = Front::new(App::new(wanted.settings, &wanted.store, loads, Logs::none()).unwrap());
        let tls = wanted.tls.map(|files| Tls::new(files).unwrap());
        let (stop, stopped) = oneshot::channel();
        let drain = Drain { delay: Duration::ZERO, grace: Duration::from_secs(5) };
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let stopped = async {
                    let _ = stopped.await;
                };
                serve(listener, front, tls, stopped, drain).await;
            });
        });
        Self { addr, stop: Some(stop), thread: Some(thread) }
    }

    /// Asks with a body and no headers beyond those that must be.
    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        ask(self.addr, "POST", path, &[], body.as_bytes())
    }

    /// Asks for a page.
    pub(crate) fn get(&self, path: &str) -> Answer {
        ask(self.addr, "GET", path, &[], b"")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.stop.take().map(|stop| stop.send(()));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// An answer as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names as they were written, without `Date` and `Connection`, in alphabetical order.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// Status and body.
    pub(crate) fn short(&self) -> (u16, &str) {
        (self.status, &self.body)
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a status line");
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.filter(|(name, _)| !["Date", "Connection"].contains(name));
        let mut headers: Vec<_> = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        headers.sort();
        Self { status, headers, body: body.to_owned() }
    }
}

/// One request on a connection of its own.
pub(crate) fn ask(addr: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let length = body.len();
    let mut head =
        format!("{method} {path} HTTP/1.1\r\nHost: tollgate\r\nConnection: close\r\nContent-Length: {length}\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    // A service that has heard enough may hang up before it has heard all.
    let _ = stream.write_all(&[head.as_bytes(), b"\r\n", body].concat());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = Answer::read(&answer);
    super::openapi::hold(method, path, &answer);
    answer
}
