//! gRPC's own part of a call: framed messages, and the methods that exist. Pure.

/// Largest message of a request, as gRPC servers usually have it.
pub(super) const MOST_MESSAGE_BYTES: usize = 4 << 20;

/// Bytes before a message: whether it is compressed, and its length.
pub(super) const PREFIX_BYTES: usize = 5;

/// `grpc-status` for a message that is too large.
pub(super) const RESOURCE_EXHAUSTED: u8 = 8;
const NOT_FOUND: u8 = 5;
const UNIMPLEMENTED: u8 = 12;
const INTERNAL: u8 = 13;

/// The echo method's service.
const ECHO: &str = "tollgate.practice.Echo";
/// The standard health service.
const HEALTH: &str = "grpc.health.v1.Health";

/// Whether a content type is gRPC's, whatever its messages are encoded in.
pub(super) fn is_grpc(content_type: &[u8]) -> bool {
    let rest = content_type.strip_prefix(b"application/grpc");
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

/// Answers a call: the message of its answer, or a `grpc-status` other than 0. `body` is what the request's body has.
pub(super) fn call(path: &str, body: &[u8]) -> Result<Vec<u8>, u8> {
    let method = path.strip_prefix('/').and_then(|path| path.split_once('/'));
    match method {
        Some((ECHO, "Echo")) => Ok(message(body)?.to_vec()),
        Some((HEALTH, "Check")) => match service(message(body)?)? {
            // Field 1, SERVING.
            "" | ECHO | HEALTH => Ok(vec![0x08, 0x01]),
            _ => Err(NOT_FOUND),
        },
        _ => Err(UNIMPLEMENTED),
    }
}

/// The one message of a unary request.
fn message(body: &[u8]) -> Result<&[u8], u8> {
    let Some((prefix, message)) = body.split_first_chunk::<PREFIX_BYTES>() else { return Err(INTERNAL) };
    let [compressed, length @ ..] = *prefix;
    match compressed {
        0 if u32::from_be_bytes(length) as usize == message.len() => Ok(message),
        0 => Err(INTERNAL),
        // No encoding is offered, so that none may be used.
        _ => Err(UNIMPLEMENTED),
    }
}

/// The service that a health check asks for: the string in field 1; empty for the server as a whole.
fn service(message: &[u8]) -> Result<&str, u8> {
    match message {
        [] => Ok(""),
        [0x0a, length, name @ ..] if usize::from(*length) == name.len() && *length < 0x80 => {
            std::str::from_utf8(name).map_err(|_| INTERNAL)
        }
        _ => Err(INTERNAL),
    }
}

/// A message as it is sent: uncompressed, behind its length.
pub(super) fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("no larger than a request's message");
    [&prefix(length)[..], message].concat()
}

/// What comes before an uncompressed message of so many bytes.
pub(super) fn prefix(bytes: u32) -> [u8; PREFIX_BYTES] {
    let [a, b, c, d] = bytes.to_be_bytes();
    [0, a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_of_grpc_are_told_from_others() {
        for (text, expected) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc;charset=utf-8", true),
            ("application/grpc-web", false),
            ("application/json", false),
            ("", false),
        ] {
            assert_eq!(is_grpc(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn calls_are_answered_by_method_and_message() {
        let echo = "/tollgate.practice.Echo/Echo";
        let check = "/grpc.health.v1.Health/Check";
        let asking = |name: &str| framed(&[&[0x0a, name.len() as u8], name.as_bytes()].concat());
        for (path, body, expected, why) in [
            (echo, framed(b"any bytes"), Ok(b"any bytes".to_vec()), "the message comes back"),
            (echo, framed(b""), Ok(vec![]), "an empty message is a message"),
            (check, framed(b""), Ok(vec![8, 1]), "the server as a whole"),
            (check, asking(""), Ok(vec![8, 1]), "an empty name written out"),
            (check, asking(ECHO), Ok(vec![8, 1]), "a service there is"),
            (check, asking("other.Service"), Err(5), "a service there is not"),
            (check, framed(&[0x10, 1]), Err(13), "not a health check"),
            (echo, vec![], Err(13), "no message"),
            (echo, vec![0, 0, 0, 0], Err(13), "half a prefix"),
            (echo, vec![0, 0, 0, 0, 2, 1], Err(13), "half a message"),
            (echo, [framed(b"one"), framed(b"two")].concat(), Err(13), "two messages"),
            (echo, vec![1, 0, 0, 0, 0], Err(12), "a compressed message"),
            ("/tollgate.practice.Echo/Other", framed(b""), Err(12), "a method there is not"),
            ("/", vec![], Err(12), "no method"),
        ] {
            assert_eq!(call(path, &body), expected, "{why}");
        }
    }
}
