//! gRPC's health checking protocol (grpc.health.v1), as its documentation defines it.

use prost::Message;

/// The path of its unary call.
pub const CHECK: &str = "/grpc.health.v1.Health/Check";

/// What is asked.
#[derive(Clone, PartialEq, Message)]
pub struct CheckRequest {
    /// The service's name; empty for the server as a whole.
    #[prost(string, tag = "1")]
    pub service: String,
}

/// What is answered.
#[derive(Clone, PartialEq, Message)]
pub struct CheckResponse {
    /// The service's state; numbers that nobody knows stay as they are.
    #[prost(enumeration = "Serving", tag = "1")]
    pub status: i32,
}

/// The state of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub enum Serving {
    /// Nothing is known.
    Unknown = 0,
    /// It takes calls.
    Serving = 1,
    /// It takes none.
    NotServing = 2,
    /// There is no such service; said to those who watch only.
    ServiceUnknown = 3,
}

impl Serving {
    /// Its name in the protocol.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Serving => "SERVING",
            Self::NotServing => "NOT_SERVING",
            Self::ServiceUnknown => "SERVICE_UNKNOWN",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_messages_are_those_of_the_protocol() {
        let request = |service: &str| CheckRequest { service: service.to_owned() }.encode_to_vec();
        assert_eq!(request(""), b"");
        assert_eq!(request("a.B"), b"\x0a\x03a.B");
        for (bytes, name, why) in [
            (&b"\x08\x01"[..], "SERVING", "the usual answer"),
            (b"\x08\x02", "NOT_SERVING", "the other one"),
            (b"", "UNKNOWN", "zero is not written"),
            (b"\x08\x09", "UNKNOWN", "a number of a later version"),
            (b"\x08\x01\x12\x01x", "SERVING", "a field of a later version"),
        ] {
            assert_eq!(CheckResponse::decode(bytes).map(|answer| answer.status().name()), Ok(name), "{why}");
        }
        assert!(CheckResponse::decode(&b"\x08"[..]).is_err());
    }
}
