//! A connected byte stream, whatever it goes over.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncBufRead as _, AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::client::TlsStream;

use super::tls::{Later, is_of_tls};

/// A connected byte stream to a target.
#[derive(Debug)]
pub enum Stream {
    /// TCP, in the clear.
    Tcp(TcpStream),
    /// A unix socket, in the clear.
    Unix(UnixStream),
    /// TLS over another stream.
    Tls(Box<Secured>),
    /// Another stream of which something was read before its turn.
    Ahead(Box<Ahead>),
}

/// A stream with what was read of it too early.
#[derive(Debug)]
pub struct Ahead {
    bytes: Vec<u8>,
    stream: Stream,
}

impl Ahead {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.bytes.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, into);
        }
        let given = self.bytes.len().min(into.remaining());
        into.put_slice(&self.bytes[..given]);
        self.bytes.drain(..given);
        Poll::Ready(Ok(()))
    }
}

/// A stream under TLS, its handshake done.
#[derive(Debug)]
pub struct Secured {
    tls: TlsStream<Stream>,
    /// Puts what goes wrong from here on into words.
    later: Later,
}

impl Secured {
    pub(super) fn new(tls: TlsStream<Stream>, later: Later) -> Self {
        Self { tls, later }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.tls).poll_read(cx, into);
        if let Poll::Ready(Err(error)) = &read {
            self.later.note(error);
        }
        read
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.tls).poll_write(cx, bytes) {
            Poll::Ready(Err(error)) => self.reason(cx, error).map(Err),
            written => written,
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.tls).poll_flush(cx) {
            Poll::Ready(Err(error)) => self.reason(cx, error).map(Err),
            flushed => flushed,
        }
    }

    /// Why a write failed: a server that refuses us says so and hangs up, and we may write before we have read that.
    /// What else has come stays to be read. A connection that was cut can be read to its end, so this does not wait long.
    fn reason(&mut self, cx: &mut Context<'_>, error: io::Error) -> Poll<io::Error> {
        if !matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) {
            return Poll::Ready(error);
        }
        match Pin::new(&mut self.tls).poll_fill_buf(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(said)) if is_of_tls(&said) => {
                self.later.note(&said);
                Poll::Ready(said)
            }
            Poll::Ready(_) => Poll::Ready(error),
        }
    }
}

impl Stream {
    /// This stream behind `bytes`, which were read of it already.
    pub(super) fn after(self, bytes: Vec<u8>) -> Self {
        if bytes.is_empty() { self } else { Self::Ahead(Box::new(Ahead { bytes, stream: self })) }
    }

    /// Whether the runtime already knows that something came: bytes, the end, or an error. Costs no system call, and
    /// does not wait. Under TLS it may be a message between the two ends, such as a ticket, and nothing for us.
    pub(super) fn has_news(&self) -> bool {
        let mut nobody = Context::from_waker(Waker::noop());
        match self {
            Self::Tcp(stream) => stream.poll_read_ready(&mut nobody).is_ready(),
            Self::Unix(stream) => stream.poll_read_ready(&mut nobody).is_ready(),
            Self::Ahead(ahead) => !ahead.bytes.is_empty() || ahead.stream.has_news(),
            Self::Tls(secured) => {
                let (under, session) = secured.tls.get_ref();
                // What was decrypted and not yet fetched, or a farewell, needs no more bytes.
                !session.wants_read() || under.has_news()
            }
        }
    }

    /// One look without waiting: whether the stream has ended, broken, or brought bytes nobody asked for. What it
    /// brought is lost, so this is for a stream on which nothing is expected.
    pub(super) fn is_spoiled(&mut self) -> bool {
        let mut byte = [0];
        match self {
            Self::Tcp(stream) => has_something(stream.try_read(&mut byte)),
            Self::Unix(stream) => has_something(stream.try_read(&mut byte)),
            Self::Ahead(ahead) => !ahead.bytes.is_empty() || ahead.stream.is_spoiled(),
            Self::Tls(secured) => {
                let mut nobody = Context::from_waker(Waker::noop());
                let mut into = ReadBuf::new(&mut byte);
                Pin::new(&mut secured.tls).poll_read(&mut nobody, &mut into).is_ready()
            }
        }
    }
}

/// Whether a read that did not wait found anything: bytes, the end, or an error.
fn has_something(read: io::Result<usize>) -> bool {
    !matches!(read, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, into),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, into),
            Self::Tls(secured) => secured.poll_read(cx, into),
            Self::Ahead(ahead) => ahead.poll_read(cx, into),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(secured) => secured.poll_write(cx, bytes),
            Self::Ahead(ahead) => Pin::new(&mut ahead.stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(secured) => secured.poll_flush(cx),
            Self::Ahead(ahead) => Pin::new(&mut ahead.stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(secured) => Pin::new(&mut secured.tls).poll_shutdown(cx),
            Self::Ahead(ahead) => Pin::new(&mut ahead.stream).poll_shutdown(cx),
        }
    }
}
