//! A server of a few lines for what no well-behaved one does: it is handed each connection as it comes.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A connection that stays open without a word is given up after this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server whose connections each have a thread of their own, for as long as the test's process runs.
pub(crate) struct Raw {
    pub(crate) addr: SocketAddr,
}

impl Raw {
    /// Starts one; `each` gets the connection's number, from 0, and the connection.
    pub(crate) fn start(each: impl Fn(usize, TcpStream) + Send + Sync + 'static) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), each)
    }

    /// Starts one on an address that is bound already.
    pub(crate) fn on(listener: TcpListener, each: impl Fn(usize, TcpStream) + Send + Sync + 'static) -> Self {
        let addr = listener.local_addr().unwrap();
        let each = Arc::new(each);
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                let each = Arc::clone(&each);
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                stream.set_nodelay(true).unwrap();
                std::thread::spawn(move || each(number, stream));
            }
        });
        Self { addr }
    }

    /// One that answers every request with the same bytes and keeps the connection.
    pub(crate) fn answering(answer: impl AsRef<[u8]> + Send + Sync + 'static) -> Self {
        Self::start(
            move |_, mut stream| {
                while request(&mut stream).is_some() && stream.write_all(answer.as_ref()).is_ok() {}
            },
        )
    }

    /// One that keeps every request and answers it with an empty 200.
    pub(crate) fn recording() -> (Self, Requests) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self::recording_on(listener, |_| "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned())
    }

    /// One on a bound address that keeps every request, and answers as `answer` makes of its text.
    pub(crate) fn recording_on(
        listener: TcpListener,
        answer: impl Fn(&str) -> String + Send + Sync + 'static,
    ) -> (Self, Requests) {
        let requests = Requests::default();
        let kept = requests.clone();
        let raw = Self::on(listener, move |connection, mut stream| {
            while let Some(bytes) = request(&mut stream) {
                let answer = answer(&String::from_utf8_lossy(&bytes));
                kept.0.lock().unwrap().push((connection, bytes));
                if stream.write_all(answer.as_bytes()).is_err() {
                    return;
                }
            }
        });
        (raw, requests)
    }

    /// Its address with a path, which begins with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }
}

/// Requests as they came.
#[derive(Clone, Default)]
pub(crate) struct Requests(Arc<Mutex<Vec<Request>>>);

/// The number of a connection, and every byte of a request on it.
pub(crate) type Request = (usize, Vec<u8>);

impl Requests {
    /// All so far.
    pub(crate) fn all(&self) -> Vec<Request> {
        self.0.lock().unwrap().clone()
    }

    /// The one request there was, as text.
    pub(crate) fn only(&self) -> String {
        let all = self.all();
        assert_eq!(all.len(), 1, "{all:?}");
        String::from_utf8(all[0].1.clone()).unwrap()
    }
}

/// Reads one request, head and body by `Content-Length`; `None` when the connection has ended instead.
pub(crate) fn request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if bytes.len() >= end + 4 + length.unwrap_or(0) {
                return Some(bytes);
            }
        }
        match stream.read(&mut buffer) {
            Ok(n) if n > 0 => bytes.extend_from_slice(&buffer[..n]),
            _ => return None,
        }
    }
}
