//! A body that says when it is over.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use hyper::body::{Body, Frame, SizeHint};

type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// Another body, and what is to be done once at its end: told whether it came whole. Whoever leaves before that was told
/// nothing, and nothing is done.
pub(super) struct Ended<F: FnOnce(bool)> {
    body: BoxBody<Bytes, Trouble>,
    done: Option<F>,
}

impl<F: FnOnce(bool)> Ended<F> {
    pub(super) fn new(body: BoxBody<Bytes, Trouble>, done: F) -> Self {
        let mut ended = Self { body, done: Some(done) };
        // Nobody asks an empty body for more.
        if ended.body.is_end_stream() {
            ended.end(true);
        }
        ended
    }

    fn end(&mut self, whole: bool) {
        if let Some(done) = self.done.take() {
            done(whole);
        }
    }
}

impl<F: FnOnce(bool) + Unpin> Body for Ended<F> {
    type Data = Bytes;
    type Error = Trouble;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Trouble>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            None => self.end(true),
            Some(Err(_)) => self.end(false),
            Some(Ok(_)) if self.body.is_end_stream() => self.end(true),
            Some(Ok(_)) => {}
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
