//! What lies between the HTTP/2 library and the socket, so that frames of our own can be put among the library's and
//! the socket can be taken from it.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frames::{self, Follower};
use crate::practice::stream::Stream;

/// The library's end; clones are the same tap.
#[derive(Clone, Debug)]
pub(super) struct Tap(Arc<Mutex<Pipe>>);

#[derive(Debug)]
struct Pipe {
    /// `None` once it was taken: the library then waits for ever.
    stream: Option<Stream>,
    follower: Follower,
    /// Frames of our own that wait for a gap.
    ours: Vec<u8>,
    /// Streams that frames of our own have answered: the library's end of them is not sent.
    answered: Vec<u32>,
    /// The socket took no more when last asked.
    blocked: bool,
}

impl Tap {
    pub(super) fn new(stream: Stream) -> Self {
        Self(Arc::new(Mutex::new(Pipe {
            stream: Some(stream),
            follower: Follower::default(),
            ours: Vec::new(),
            answered: Vec::new(),
            blocked: false,
        })))
    }

    fn pipe(&self) -> MutexGuard<'_, Pipe> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts frames before whatever the library writes from its next frame on.
    pub(super) fn insert(&self, frames: &[u8]) {
        self.pipe().ours.extend_from_slice(frames);
    }

    /// The same with a whole answer: the reset with which the library is told to forget the stream stays here.
    pub(super) fn insert_answer(&self, stream: u32, frames: &[u8]) {
        self.insert(frames);
        self.pipe().answered.push(stream);
    }

    /// Writes what waits, if there is a gap.
    pub(super) fn poll_insert(&self, cx: &mut Context<'_>) {
        // What goes wrong here goes wrong again where the library looks.
        let _ = Pin::new(&mut self.clone()).poll_flush(cx);
    }

    /// Whether everything handed over so far has gone to the system.
    pub(super) fn is_drained(&self) -> bool {
        let pipe = self.pipe();
        !pipe.blocked && pipe.ours.is_empty() && pipe.follower.is_between()
    }

    /// Takes the stream away from the library.
    pub(super) fn detach(&self) -> Option<Stream> {
        self.pipe().stream.take()
    }

    /// Streams refused since this was last asked.
    pub(super) fn take_refused(&self) -> u64 {
        self.pipe().follower.take_refused()
    }
}

impl Pipe {
    /// Writes our frames if there is a gap for them.
    fn poll_ours(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.ours.is_empty() && self.follower.is_between() {
            let Some(stream) = &mut self.stream else { return Poll::Pending };
            let n = ready!(Pin::new(stream).poll_write(cx, &self.ours))?;
            self.ours.drain(..n);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_ours(cx))?;
        if self.follower.is_between()
            && let Some((stream, length)) = frames::reset(bytes)
            && let Some(at) = self.answered.iter().position(|answered| *answered == stream)
        {
            self.answered.swap_remove(at);
            return Poll::Ready(Ok(length));
        }
        let Some(stream) = &mut self.stream else { return Poll::Pending };
        // The gap or the reset that is waited for may lie within these bytes.
        let awaited = !self.ours.is_empty() || !self.answered.is_empty();
        let wanted = if awaited { bytes.len().min(self.follower.left()) } else { bytes.len() };
        let n = ready!(Pin::new(stream).poll_write(cx, &bytes[..wanted]))?;
        self.follower.pass(&bytes[..n]);
        Poll::Ready(Ok(n))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_ours(cx))?;
        let Some(stream) = &mut self.stream else { return Poll::Pending };
        Pin::new(stream).poll_flush(cx)
    }
}

impl AsyncRead for Tap {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.pipe().stream {
            Some(stream) => Pin::new(stream).poll_read(cx, buffer),
            None => Poll::Pending,
        }
    }
}

impl AsyncWrite for Tap {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut pipe = self.pipe();
        let written = pipe.poll_write(cx, bytes);
        pipe.blocked = written.is_pending();
        written
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut pipe = self.pipe();
        let flushed = pipe.poll_flush(cx);
        pipe.blocked = flushed.is_pending();
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.pipe().stream {
            Some(stream) => Pin::new(stream).poll_shutdown(cx),
            None => Poll::Pending,
        }
    }
}
