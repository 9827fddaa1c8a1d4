//! An answer as expectations look at it, and what of it is not as expected.

use std::time::Duration;

use serde_json::Value;

/// An answer, or what came in its place.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Why there is no whole answer; `None` where there is one.
    pub trouble: Option<String>,
    /// The HTTP status; `None` without one.
    pub status: Option<u16>,
    /// How a gRPC call ended; `None` where that is no call.
    pub grpc: Option<Called>,
    /// Names and values of its header, in the order received.
    pub headers: Vec<(String, String)>,
    /// The body, as much of it as was kept.
    pub body: Vec<u8>,
    /// Whether that is not all of it.
    pub cut: bool,
    /// How long it took.
    pub took: Duration,
}

/// How a gRPC call ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Called {
    /// Its status, 0 (OK) to 16.
    pub status: u8,
    /// What the server said of a failure; `None` for nothing.
    pub said: Option<String>,
}

impl Answer {
    /// The value of a header; several of one name are joined as HTTP joins them.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let all = self.headers.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name));
        let values: Vec<&str> = all.map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// The body as text.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// Why it is none.
    pub(super) fn json(&self) -> Result<Value, String> {
        serde_json::from_slice(&self.body).map_err(|error| match (self.body.is_empty(), self.cut) {
            (true, _) => "the body is empty".to_owned(),
            (_, true) => "the body is longer than what is looked through".to_owned(),
            _ => format!("the body is no JSON: {error}"),
        })
    }
}

/// What of an answer is not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which expectation, as it is written.
    pub key: String,
    /// What was found, and what was expected.
    pub said: String,
}

impl Failure {
    pub(super) fn new(key: impl Into<String>, said: impl Into<String>) -> Self {
        Self { key: key.into(), said: said.into() }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.key, self.said)
    }
}
