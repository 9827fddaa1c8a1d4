//! Header names and values, methods, host names and credentials: what may stand in the head of a request.
//!
//! A line break that slips into a head is a second request of somebody else's making, so nothing with a control
//! character passes here.

use super::mistake::{WRONG, Wrong, wrong};
use super::value::port;

/// Headers that the wire writes itself, with what to do instead.
const OURS: [(&str, &str); 3] = [
    ("content-length", "it follows from the body: leave it out"),
    ("transfer-encoding", "bodies are sent with their length: leave it out"),
    ("connection", "it follows from the run: use --disable-keepalive for a connection per request"),
];

/// Whether `text` is a token of HTTP (RFC 9110 §5.6.2): what names and methods are made of.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// Reads `Name: value`; the name must not be one the wire writes itself.
pub(super) fn header(text: &str) -> Result<(String, String), Wrong> {
    let Some((name, value)) = text.split_once(':') else {
        return Err(wrong("a colon must stand between the name and the value"));
    };
    if !is_token(name) {
        let advice = if name.trim() == name {
            "a name has letters, digits and -_.!#$%&'*+^`|~ only"
        } else {
            "no blanks around the name"
        };
        return Err(wrong(if name.is_empty() { "the name is missing" } else { advice }));
    }
    if let Some((_, advice)) = OURS.iter().find(|(ours, _)| name.eq_ignore_ascii_case(ours)) {
        return Err(wrong(*advice));
    }
    let value = value_of(value)?;
    if value.is_empty() {
        return Err(wrong("the value is empty; leave the header out"));
    }
    Ok((name.to_owned(), value))
}

/// A header value without the blanks around it.
pub(super) fn value_of(text: &str) -> Result<String, Wrong> {
    let value = text.trim_matches([' ', '\t']);
    match value.chars().find(|c| c.is_control() && *c != '\t') {
        Some('\r' | '\n') => Err(wrong("line breaks are not allowed in a header")),
        Some('\0') => Err(wrong("NUL is not allowed in a header")),
        Some(_) => Err(wrong("control characters are not allowed in a header")),
        None => Ok(value.to_owned()),
    }
}

/// A value of the `Host` header: a name or an address, with or without a port.
pub(super) fn host(text: &str) -> Result<String, Wrong> {
    let allowed = |b: u8| b.is_ascii_graphic() && !b"/\\?#@<>\"'{}|^`,;()=".contains(&b);
    if text.is_empty() || !text.bytes().all(allowed) {
        return Err(match text.find("://") {
            Some(_) => wrong("only the host goes here, without http:// and path"),
            None => WRONG,
        });
    }
    let (name, given) = match text.split_once(']') {
        Some((address, rest)) if address.starts_with('[') => (address, rest.strip_prefix(':')),
        _ => text.split_once(':').map_or((text, None), |(name, given)| (name, Some(given))),
    };
    match given {
        _ if name.is_empty() => Err(wrong("the name is missing")),
        Some(given) => port(given).map(|_| text.to_owned()),
        None => Ok(text.to_owned()),
    }
}

/// A method in upper case.
pub(super) fn method(text: &str) -> Result<String, Wrong> {
    let upper = text.to_ascii_uppercase();
    match upper.as_str() {
        "CONNECT" => Err(wrong("CONNECT opens a tunnel and is not supported")),
        _ if is_token(text) => Ok(upper),
        _ => Err(WRONG),
    }
}

/// User and password, split at the first colon.
pub(super) fn credentials(text: &str) -> Result<(String, String), Wrong> {
    let Some((user, password)) = text.split_once(':') else {
        return Err(wrong("a colon must stand between the user and the password"));
    };
    if text.chars().any(char::is_control) { Err(WRONG) } else { Ok((user.to_owned(), password.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice<T: std::fmt::Debug>(result: Result<T, Wrong>) -> String {
        result.unwrap_err().advice.unwrap_or_default()
    }

    #[test]
    fn a_header_is_split_at_its_first_colon() {
        for (text, name, value, why) in [
            ("Cookie: type=insider", "Cookie", "type=insider", "the usual form"),
            ("x-user:insider", "x-user", "insider", "no blank"),
            ("A: \t b c \t", "A", "b c", "blanks around the value"),
            ("Referer: http://a:8080/", "Referer", "http://a:8080/", "colons in the value"),
            ("X: a\tb", "X", "a\tb", "a tab inside"),
            ("X-Name: Zoë", "X-Name", "Zoë", "bytes beyond ASCII"),
        ] {
            assert_eq!(header(text), Ok((name.to_owned(), value.to_owned())), "{why}");
        }
    }

    #[test]
    fn a_header_that_would_break_the_request_is_refused_with_the_reason() {
        for (text, part) in [
            ("nocolon", "a colon must stand"),
            (": x", "name is missing"),
            ("A : x", "no blanks around the name"),
            (" A: x", "no blanks around the name"),
            ("A B: x", "letters, digits"),
            ("Zoë: x", "letters, digits"),
            ("A\r\nB: x", "letters, digits"),
            ("A: x\r\nB: y", "line breaks"),
            ("A: x\ny", "line breaks"),
            ("A: x\0", "NUL"),
            ("A: \u{7f}", "control characters"),
            ("A:", "empty"),
            ("A:   ", "empty"),
            ("content-LENGTH: 5", "follows from the body"),
            ("Transfer-Encoding: chunked", "with their length"),
            ("Connection: close", "--disable-keepalive"),
        ] {
            assert!(advice(header(text)).contains(part), "{text:?}: {}", advice(header(text)));
        }
    }

    #[test]
    fn a_host_is_a_name_or_an_address_with_or_without_a_port() {
        for good in ["app.example.com", "app.example.com:8080", "127.0.0.1:80", "[::1]", "[::1]:8080", "a_b"] {
            assert_eq!(host(good), Ok(good.to_owned()));
        }
        for (bad, part) in [
            ("", ""),
            ("a b", ""),
            ("a/b", ""),
            ("u@h", ""),
            ("a\r\nb", ""),
            ("zoë", ""),
            ("http://a/", "without http://"),
            ("a:", "a port is"),
            ("a:0", "a port is"),
            ("a:x", "a port is"),
            ("a:+80", "a port is"),
            ("::1", "the name is missing"),
            ("a::1", "a port is"),
            ("[::1]:65536", "a port is"),
        ] {
            assert!(advice(host(bad)).contains(part), "{bad:?}");
        }
    }

    #[test]
    fn methods_are_tokens_in_upper_case() {
        assert_eq!(method("post"), Ok("POST".into()));
        assert_eq!(method("M-SEARCH"), Ok("M-SEARCH".into()));
        for bad in ["", "GET /", "GE\nT", "connect"] {
            assert!(method(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn credentials_are_split_at_the_first_colon() {
        assert_eq!(credentials("u:p:q"), Ok(("u".into(), "p:q".into())));
        assert_eq!(credentials(":"), Ok((String::new(), String::new())));
        assert!(advice(credentials("user")).contains("a colon"));
        assert_eq!(credentials("u:p\n"), Err(WRONG));
    }
}
