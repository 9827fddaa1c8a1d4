//! What a gRPC call's messages are made of.

use std::sync::Arc;

/// Largest message of an answer where nothing else is said: what gRPC's own clients take.
pub const MOST_MESSAGE: u32 = 4 << 20;

/// How the messages of a call are made and read; of no meaning to other protocols.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What the request's body is.
    pub messages: Messages,
    /// Whether an answer may have any number of messages; otherwise it has one.
    pub answers_many: bool,
    /// Whether messages are sent compressed, and taken so.
    pub gzip: bool,
    /// Largest message of an answer in bytes; `None` for any.
    pub most_bytes: Option<u32>,
    /// Whether somebody reads the answer as JSON: the types of messages are then kept.
    pub is_read: bool,
}

impl Default for Call {
    /// One message each way, as it is.
    fn default() -> Self {
        Self {
            messages: Messages::Encoded,
            answers_many: false,
            gzip: false,
            most_bytes: Some(MOST_MESSAGE),
            is_read: false,
        }
    }
}

/// What the body of a call's request is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Messages {
    /// One message, as it is sent.
    #[default]
    Encoded,
    /// Messages, each behind its prefix.
    Framed,
    /// JSON, of types that the server is asked for before the load begins.
    Asked,
    /// JSON in which values are drawn, or whose answer is read, of types in this set of descriptors.
    Json(Arc<[u8]>),
}
