//! Composing answers to HTTP/2 requests and gRPC calls. Pure.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};

use crate::practice::behaviour::{GrpcErrors, GrpcForm};
use crate::practice::desk::Said;
use crate::practice::pieces::PADDING_BYTES;

/// The trailer after a body of `--chunked`, as over HTTP/1.
const END: (HeaderName, HeaderValue) = (HeaderName::from_static("x-practice-end"), HeaderValue::from_static("yes"));

/// Where gRPC says how a call went.
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// A whole answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) head: Response<()>,
    /// What it says once it is read whole.
    pub(super) said: Said,
    pub(super) body: Bytes,
    pub(super) trailers: Option<HeaderMap>,
}

impl Answer {
    fn new(said: Said, content_type: &'static str, body: Vec<u8>) -> Self {
        let mut head = Response::new(());
        let status = if let Said::Http(status) = said { status } else { 200 };
        *head.status_mut() = StatusCode::from_u16(status).expect("statuses are read as numbers from 100 to 999");
        head.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self { head, said, body: body.into(), trailers: None }
    }

    /// An answer to a request that is no call.
    pub(super) fn page(status: u16, body: Vec<u8>, trailer: bool) -> Self {
        let mut answer = Self::new(Said::Http(status), "application/json", body);
        if trailer {
            answer.trailers = Some(HeaderMap::from_iter([END]));
        } else if status != 204 {
            answer.announce(answer.body.len() as u64);
        }
        if status == 204 || status == 304 {
            answer.without_body();
        }
        answer
    }

    /// A call's answer with these messages, each behind its prefix.
    pub(super) fn messages(frames: Vec<u8>) -> Self {
        let mut answer = Self::new(Said::Grpc(0), "application/grpc", frames);
        answer.trailers = Some(grpc_status(0));
        answer
    }

    /// A call's answer without a message, in one block of headers.
    pub(super) fn trailers_only(status: u8) -> Self {
        let mut answer = Self::new(Said::Grpc(status), "application/grpc", Vec::new());
        answer.head.headers_mut().extend(grpc_status(status));
        answer
    }

    /// An error chosen for a call; `page` answers where gRPC is not spoken.
    pub(super) fn call_error(errors: GrpcErrors, page: impl FnOnce() -> Self) -> Self {
        match errors.form {
            GrpcForm::TrailersOnly => Self::trailers_only(errors.status),
            GrpcForm::Trailers => {
                let mut answer = Self::new(Said::Grpc(errors.status), "application/grpc", Vec::new());
                answer.trailers = Some(grpc_status(errors.status));
                answer
            }
            GrpcForm::Http => page(),
        }
    }

    /// Leaves the body out, whatever the head says of it.
    pub(super) fn without_body(&mut self) {
        self.body = Bytes::new();
        self.trailers = None;
    }

    /// Says how long the body is.
    pub(super) fn announce(&mut self, bytes: u64) {
        self.head.headers_mut().insert(CONTENT_LENGTH, bytes.into());
    }

    /// Says how long the body is, unless it is a message.
    pub(super) fn announce_page(&mut self, bytes: u64) {
        if !self.is_call() {
            self.announce(bytes);
        }
    }

    /// Whether it is gRPC's.
    pub(super) fn is_call(&self) -> bool {
        matches!(self.said, Said::Grpc(_))
    }

    /// Leaves out how a call went, and the trailers too unless `trailers`.
    pub(super) fn mute(&mut self, trailers: bool) {
        self.head.headers_mut().remove(GRPC_STATUS);
        self.trailers = trailers.then(|| HeaderMap::from_iter([END]));
    }

    /// Adds fields of so many bytes together, by the count of RFC 9113 §6.5.2; fewer than make a field are left out.
    pub(super) fn pad(&mut self, bytes: u64) {
        const AROUND: usize = "x-huge".len() + 32;
        let mut left = usize::try_from(bytes).unwrap_or(usize::MAX);
        while left > AROUND {
            let field = left.min(PADDING_BYTES);
            let value = HeaderValue::from_str(&"x".repeat(field - AROUND)).expect("letters make a value");
            self.head.headers_mut().append("x-huge", value);
            left -= field;
        }
    }

    /// Takes back how long the body is.
    pub(super) fn unannounce(&mut self) {
        self.head.headers_mut().remove(CONTENT_LENGTH);
    }

    /// What can be read of it before its end: the HTTP status.
    pub(super) fn status(&self) -> Said {
        Said::Http(self.head.status().as_u16())
    }

    /// Whether it ends with its head.
    pub(super) fn is_head_only(&self) -> bool {
        self.body.is_empty() && self.trailers.is_none()
    }

    /// The first half of the body.
    pub(super) fn half(&self) -> Bytes {
        self.body.slice(..self.body.len() / 2)
    }
}

/// Trailers that say how a call went.
pub(super) fn grpc_status(status: u8) -> HeaderMap {
    HeaderMap::from_iter([(GRPC_STATUS, HeaderValue::from(u16::from(status)))])
}
