//! An HTTP proxy that leads everything to one server, whatever it is asked for, and tells what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use super::certificates::Certificate;
use super::secure::{acceptor, head};

/// How a proxy treats who comes.
#[derive(Clone, Copy)]
pub(crate) enum Manner {
    /// Lets all through.
    Open,
    /// Lets through who sends this `Proxy-Authorization`, and answers 407 to others.
    Wants(&'static str),
    /// Answers everything with these bytes and hangs up.
    Answers(&'static [u8]),
    /// Reads and never answers.
    Hangs,
}

/// A running proxy; dropping it ends it.
pub(crate) struct Proxy {
    pub(crate) addr: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    _runtime: Runtime,
}

impl Proxy {
    /// Starts one in front of `server`; with a certificate, it is spoken to over TLS.
    pub(crate) fn start(manner: Manner, server: SocketAddr, certificate: Option<&Certificate>) -> Self {
        let acceptor = certificate.map(|certificate| acceptor(certificate, None));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let addr = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&asked);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, lines) = (acceptor.clone(), Arc::clone(&lines));
                tokio::spawn(async move {
                    // What goes wrong between the two ends is theirs to notice.
                    let _ = match acceptor {
                        None => serve(stream, manner, server, &lines).await,
                        Some(acceptor) => match acceptor.accept(stream).await {
                            Ok(stream) => serve(stream, manner, server, &lines).await,
                            Err(_) => None,
                        },
                    };
                });
            }
        });
        Self { addr, asked, _runtime: runtime }
    }

    /// The first line of every request so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Serves one connection; `None` when it has ended.
async fn serve(
    mut client: impl AsyncRead + AsyncWrite + Unpin,
    manner: Manner,
    server: SocketAddr,
    lines: &Mutex<Vec<String>>,
) -> Option<()> {
    const UNKNOWN: &[u8] = b"HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n";
    let mut upstream = TcpStream::connect(server).await.ok()?;
    loop {
        let head = head(&mut client).await?;
        let line = head.lines().next()?;
        lines.lock().unwrap().push(line.to_owned());
        match manner {
            Manner::Open => {}
            Manner::Wants(value) if head.contains(&format!("\r\nProxy-Authorization: {value}\r\n")) => {}
            Manner::Wants(_) => {
                client.write_all(UNKNOWN).await.ok()?;
                continue;
            }
            Manner::Answers(bytes) => {
                client.write_all(bytes).await.ok()?;
                client.flush().await.ok()?;
                return None;
            }
            Manner::Hangs => {
                let _ = client.read(&mut [0; 16]).await;
                return None;
            }
        }
        if line.starts_with("CONNECT ") {
            client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.ok()?;
            return copy_bidirectional(&mut client, &mut upstream).await.ok().map(|_| ());
        }
        upstream.write_all(in_origin_form(&head)?.as_bytes()).await.ok()?;
        answer(&mut upstream, &mut client).await?;
    }
}

/// `GET http://a.test/x HTTP/1.1` with the path alone.
fn in_origin_form(head: &str) -> Option<String> {
    let (method, rest) = head.split_once(" http://")?;
    let path = rest.find('/')?;
    Some(format!("{method} {}", &rest[path..]))
}

/// Hands one answer on that has a length.
async fn answer(upstream: &mut TcpStream, client: &mut (impl AsyncWrite + Unpin)) -> Option<()> {
    let head = head(upstream).await?;
    let lower = head.to_ascii_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    upstream.read_exact(&mut body).await.ok()?;
    client.write_all(head.as_bytes()).await.ok()?;
    client.write_all(&body).await.ok()?;
    client.flush().await.ok()
}
