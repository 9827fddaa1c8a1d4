//! A connection's bytes, plain or encrypted, with room for those that were looked at before their reader was known.

use std::future::{pending, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

/// Bytes taken from the socket at a time while only looking.
const GLANCE: usize = 4 << 10;

/// One connection's stream.
#[derive(Debug)]
pub(super) struct Stream {
    socket: Socket,
    /// Read from the socket, but not yet by whoever reads this stream.
    ahead: Vec<u8>,
}

#[derive(Debug)]
enum Socket {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// A stream without encryption.
    pub(super) const fn plain(socket: TcpStream) -> Self {
        Self { socket: Socket::Plain(socket), ahead: Vec::new() }
    }

    /// A stream whose handshake is done.
    pub(super) fn tls(socket: TlsStream<TcpStream>) -> Self {
        Self { socket: Socket::Tls(Box::new(socket)), ahead: Vec::new() }
    }

    /// The protocol that ALPN chose; `None` without one.
    pub(super) fn chosen(&self) -> Option<&[u8]> {
        match &self.socket {
            Socket::Plain(_) => None,
            Socket::Tls(stream) => stream.get_ref().1.alpn_protocol(),
        }
    }

    /// When it is dropped now, the client gets a reset.
    pub(super) fn reset_at_close(&self) -> io::Result<()> {
        match &self.socket {
            Socket::Plain(stream) => stream.set_zero_linger(),
            Socket::Tls(stream) => stream.get_ref().0.set_zero_linger(),
        }
    }

    /// The first bytes, once they are enough or the client will send no more; they stay to be read.
    pub(super) async fn first(&mut self, enough: impl Fn(&[u8]) -> bool) -> io::Result<&[u8]> {
        while !enough(&self.ahead) {
            if poll_fn(|cx| self.poll_ahead(cx)).await? == 0 {
                break;
            }
        }
        Ok(&self.ahead)
    }

    /// Waits for the client to close its side or reset the connection. Once it has sent something more instead, its
    /// leaving would not be seen before that is read: then this waits for ever.
    pub(super) async fn client_leaves(&mut self) -> io::Error {
        if self.ahead.is_empty() {
            let seen = match &self.socket {
                Socket::Plain(stream) => stream.peek(&mut [0]).await,
                // Behind encryption the end of the stream looks like data until it is decrypted.
                Socket::Tls(_) => poll_fn(|cx| self.poll_ahead(cx)).await,
            };
            match seen {
                Ok(0) => return io::ErrorKind::UnexpectedEof.into(),
                Ok(_) => {}
                Err(error) => return error,
            }
        }
        pending().await
    }

    /// Writes all bytes and sees them handed to the system.
    pub(super) async fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes).await?;
        self.flush().await
    }

    /// Closes the sending side, then reads and drops what still comes, until the client closes or `grace` has passed:
    /// for bytes that nobody reads the system sends a reset, to which what was sent before may be lost.
    pub(super) async fn close(&mut self, grace: Duration) -> io::Result<()> {
        self.shutdown().await?;
        let mut bytes = [0; GLANCE];
        let read = async {
            while self.read(&mut bytes).await? > 0 {}
            Ok(())
        };
        timeout(grace, read).await.unwrap_or(Ok(()))
    }

    /// Reads a few bytes ahead; how many.
    fn poll_ahead(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut bytes = [0; GLANCE];
        let mut buffer = ReadBuf::new(&mut bytes);
        ready!(self.socket.poll_read(cx, &mut buffer))?;
        self.ahead.extend_from_slice(buffer.filled());
        Poll::Ready(Ok(buffer.filled().len()))
    }
}

impl Socket {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.ahead.is_empty() {
            return this.socket.poll_read(cx, buffer);
        }
        let n = this.ahead.len().min(buffer.remaining());
        buffer.put_slice(&this.ahead[..n]);
        this.ahead.drain(..n);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().socket {
            Socket::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Socket::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().socket {
            Socket::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Socket::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().socket {
            Socket::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Socket::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
