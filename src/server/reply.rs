//! What callers get: a status and a line of text. The one file that names HTTP statuses.
//!
//! Flagger goes on at 200, 201 and 202 and stops at everything else. It shows the body of a 4xx to its user, except that of
//! 429, and throws away the body of a 5xx and asks again. So what a hook should know is a 4xx, and a 5xx is for callers that
//! are not Flagger: whoever opens a gate, and probes.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

/// Characters of the first line at most: an event's text is short.
const LINE: usize = 240;

/// Bytes of a text at most: beyond a kilobyte Kubernetes may refuse the event.
const TEXT_BYTES: usize = 900;

/// What a caller should do, as a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Go on.
    Done,
    /// Go on; it was noted.
    Accepted,
    /// Change what you sent.
    BadInput,
    /// Say who you are.
    NoToken,
    /// Stop: the gate is closed, or the canary is none of ours.
    Forbidden,
    /// Stop: it was measured, and does not hold.
    Failed,
    /// Ask again: there is too little to say so far.
    NotYet,
    /// Ask another path.
    NotFound,
    /// Use one of these methods, as `Allow` has them.
    WrongMethod(&'static str),
    /// Send faster.
    TooSlow,
    /// Send less.
    TooLarge,
    /// Ask again: tollgate itself stands in the way.
    Trouble,
    /// Look at tollgate's disk: nothing was changed.
    NotStored,
    /// Ask another instance: this one is about to end.
    NotReady,
}

impl Status {
    const fn code(self) -> StatusCode {
        match self {
            Self::Done => StatusCode::OK,
            Self::Accepted => StatusCode::ACCEPTED,
            Self::BadInput => StatusCode::BAD_REQUEST,
            Self::NoToken => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Failed => StatusCode::PRECONDITION_FAILED,
            Self::NotYet => StatusCode::TOO_EARLY,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::WrongMethod(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Trouble => StatusCode::FAILED_DEPENDENCY,
            Self::NotStored => StatusCode::INTERNAL_SERVER_ERROR,
            Self::NotReady => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// A status and a text: one line first, perhaps more below it; empty for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    status: Status,
    text: String,
}

impl Reply {
    /// This status with this text, cut where it is too long and free of control characters.
    pub(super) fn new(status: Status, text: &str) -> Self {
        let (first, more) = text.split_once('\n').unwrap_or((text, ""));
        let mut kept = plain(first);
        if kept.chars().count() > LINE {
            kept = kept.chars().take(LINE - 1).chain(['…']).collect();
        }
        for line in more.lines() {
            kept.push('\n');
            kept.push_str(&plain(line));
        }
        if kept.len() > TEXT_BYTES {
            let end = (0..=TEXT_BYTES - '…'.len_utf8()).rev().find(|at| kept.is_char_boundary(*at));
            kept.truncate(end.unwrap_or(0));
            kept.push('…');
        }
        Self { status, text: kept }
    }

    /// This status and no text, which has no content type either.
    pub(super) const fn empty(status: Status) -> Self {
        Self { status, text: String::new() }
    }

    /// For programs: a message, or a problem as RFC 9457 has it.
    pub(super) fn into_json(self) -> Response {
        let code = self.status.code();
        if code.is_success() {
            return json_response(code, "application/json", &json!({"status": code.as_u16(), "message": self.text}));
        }
        let title = code.canonical_reason().unwrap_or_default();
        let problem = json!({"type": "about:blank", "title": title, "status": code.as_u16(), "detail": self.text});
        self.with_demand(json_response(code, "application/problem+json", &problem))
    }

    /// A missing token is asked for, and another method than the one that was used.
    fn with_demand(&self, mut response: Response) -> Response {
        let demand = match self.status {
            Status::NoToken => Some((header::WWW_AUTHENTICATE, "Bearer")),
            Status::WrongMethod(allowed) => Some((header::ALLOW, allowed)),
            _ => None,
        };
        response.headers_mut().extend(demand.map(|(name, value)| (name, HeaderValue::from_static(value))));
        response
    }
}

/// Without control characters.
fn plain(line: &str) -> String {
    line.chars().filter(|c| !c.is_control()).collect()
}

/// As text. The reply goes along, for whoever wants it as JSON.
impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.text.clone()));
        *response.status_mut() = self.status.code();
        if !self.text.is_empty() {
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        }
        let mut response = self.with_demand(response);
        response.extensions_mut().insert(self);
        response
    }
}

/// What a command wrote, all of it. A browser is not to make anything but text of it.
pub(super) fn output(text: String) -> Response {
    if text.is_empty() {
        return Reply::empty(Status::Done).into_response();
    }
    let mut response = typed(Status::Done.code(), "text/plain; charset=utf-8", text);
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// A document that was asked for.
pub(super) fn document(value: &serde_json::Value) -> Response {
    json_response(Status::Done.code(), "application/json", value)
}

/// A document that is always the same.
pub(super) fn written(json: &'static str) -> Response {
    typed(Status::Done.code(), "application/json", json.to_owned())
}

/// The page that Prometheus reads.
pub(super) fn exposition(page: String) -> Response {
    typed(Status::Done.code(), "application/openmetrics-text; version=1.0.0; charset=utf-8", page)
}

fn json_response(code: StatusCode, content_type: &'static str, value: &serde_json::Value) -> Response {
    typed(code, content_type, value.to_string())
}

fn typed(code: StatusCode, content_type: &'static str, text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = code;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_one_that_flagger_understands_as_meant() {
        // Flagger: success up to 202; the body is shown for 4xx but 429; 5xx is asked again without its body.
        for (status, code) in [
            (Status::Done, 200),
            (Status::Accepted, 202),
            (Status::BadInput, 400),
            (Status::NoToken, 401),
            (Status::Forbidden, 403),
            (Status::Failed, 412),
            (Status::NotYet, 425),
            (Status::NotFound, 404),
            (Status::WrongMethod("GET"), 405),
            (Status::TooSlow, 408),
            (Status::TooLarge, 413),
            (Status::Trouble, 424),
            (Status::NotStored, 500),
            (Status::NotReady, 503),
        ] {
            assert_eq!(status.code().as_u16(), code);
        }
    }

    #[test]
    fn a_text_is_one_short_line_first_and_short_in_all() {
        let text = |text: &str| Reply::new(Status::Done, text).text;
        assert_eq!(text("Approved"), "Approved");
        assert_eq!(text("a\tb\u{1b}[2J\r"), "ab[2J");
        let long = text(&"é".repeat(300));
        assert_eq!((long.chars().count(), long.ends_with('…')), (240, true));
        let many = text(&format!("first\n{}", "second é\n".repeat(200)));
        assert!(many.len() <= 900 && many.len() > 890 && many.ends_with('…'), "{}", many.len());
        assert_eq!(many.lines().next(), Some("first"));
    }
}
