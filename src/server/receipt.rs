//! Whether an answer arrived. An answer counts once it is written to a connection that is still open; one that does not
//! arrive is dropped, and whoever made it is told by that.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::response::Response;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Goes along with a response, and does what is to be done once that has arrived.
#[derive(Clone)]
pub(super) struct Receipt(Arc<Mutex<Option<Arrived>>>);

type Arrived = Box<dyn FnOnce() + Send>;

impl Receipt {
    /// Calls this once the answer has arrived, or drops it.
    pub(super) fn new(arrived: impl FnOnce() + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Some(Box::new(arrived)))))
    }

    /// Takes it from a response.
    pub(super) fn of(response: &mut Response) -> Option<Self> {
        response.extensions_mut().remove()
    }

    fn arrived(&self) {
        let arrived = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(arrived) = arrived {
            arrived();
        }
    }
}

/// Receipts of answers that one connection has taken and not yet written.
#[derive(Clone, Default)]
pub(super) struct Outbox(Arc<Mutex<Vec<Receipt>>>);

impl Outbox {
    pub(super) fn push(&self, receipt: Receipt) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(receipt);
    }

    fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn all_arrived(&self) {
        let receipts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        receipts.iter().for_each(Receipt::arrived);
    }
}

/// A connection that hands out receipts when what was written is flushed.
pub(super) struct Posted<S> {
    stream: S,
    outbox: Outbox,
    /// Whether anything was written since the oldest receipt came.
    written: bool,
}

impl<S> Posted<S> {
    pub(super) fn new(stream: S, outbox: Outbox) -> Self {
        Self { stream, outbox, written: false }
    }

    fn wrote(&mut self, poll: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.written |= matches!(poll, Poll::Ready(Ok(1..))) && !self.outbox.is_empty();
        poll
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Posted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Posted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.wrote(poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.wrote(poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_flush(cx);
        if self.written && matches!(poll, Poll::Ready(Ok(()))) {
            self.written = false;
            self.outbox.all_arrived();
        }
        poll
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    /// A receipt, how often it was handed out, and how often it was dropped without that.
    fn counted() -> (Receipt, Arc<AtomicU32>, Arc<AtomicU32>) {
        struct Kept(Arc<AtomicU32>, bool);
        impl Drop for Kept {
            fn drop(&mut self) {
                self.0.fetch_add(u32::from(!self.1), Ordering::SeqCst);
            }
        }
        let (arrived, lost) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let (count, kept) = (Arc::clone(&arrived), Kept(Arc::clone(&lost), false));
        let receipt = Receipt::new(move || {
            let mut kept = kept;
            kept.1 = true;
            count.fetch_add(1, Ordering::SeqCst);
        });
        (receipt, arrived, lost)
    }

    #[tokio::test]
    async fn an_answer_arrives_when_it_is_flushed_and_not_before() {
        let (mut reader, stream) = tokio::io::duplex(64);
        let outbox = Outbox::default();
        let mut posted = Posted::new(stream, outbox.clone());
        posted.write_all(b"100").await.unwrap();
        let (receipt, arrived, lost) = counted();
        outbox.push(receipt);
        posted.flush().await.unwrap();
        assert_eq!(arrived.load(Ordering::SeqCst), 0, "what was written before is another answer");
        posted.write_all(b"200").await.unwrap();
        assert_eq!(arrived.load(Ordering::SeqCst), 0, "written and not flushed");
        posted.flush().await.unwrap();
        drop(posted);
        assert_eq!((arrived.load(Ordering::SeqCst), lost.load(Ordering::SeqCst)), (1, 0));
        let mut read = String::new();
        reader.read_to_string(&mut read).await.unwrap();
        assert_eq!(read, "100200");
    }

    #[tokio::test]
    async fn an_answer_whose_connection_breaks_is_lost() {
        let (reader, stream) = tokio::io::duplex(64);
        let outbox = Outbox::default();
        let mut posted = Posted::new(stream, outbox.clone());
        let (receipt, arrived, lost) = counted();
        outbox.push(receipt);
        drop(outbox);
        drop(reader);
        posted.write_all(b"200").await.unwrap_err();
        drop(posted);
        assert_eq!((arrived.load(Ordering::SeqCst), lost.load(Ordering::SeqCst)), (0, 1));
    }
}
