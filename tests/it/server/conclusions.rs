//! What Flagger concludes from a status: by its own client, and by the one that other tests use in its place.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;

use serde_json::json;

use crate::flagger::Flagger;
use crate::original::Original;
use crate::raw::{Raw, request};

/// What answers have in them, where they may.
const REASON: &str = "the reason";

/// Answers with the status that the path names.
fn parrot() -> Raw {
    Raw::start(|_, mut stream| {
        let Some(asked) = request(&mut stream) else { return };
        let asked = String::from_utf8_lossy(&asked).into_owned();
        let status = asked.strip_prefix("POST /").and_then(|rest| rest.get(..3)).unwrap();
        let rest = match status {
            "204" | "304" => "\r\n".to_owned(),
            _ => format!("Content-Length: {}\r\n\r\n{REASON}", REASON.len()),
        };
        let _ = write!(stream, "HTTP/1.1 {status} So\r\nConnection: close\r\n{rest}");
        let _ = stream.shutdown(Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
    })
}

#[test]
fn our_own_flagger_concludes_what_flagger_concludes() {
    let parrot = parrot();
    let Some(mut flagger) = Original::start("hooks") else { return };
    let mut theirs = |path: &str, retries: u32| {
        let hook = json!({"name": "hook", "url": parrot.url(path), "timeout": "30s", "retries": retries});
        let told = flagger.ask(&json!({"name": "podinfo", "namespace": "test", "phase": "Progressing", "hook": hook}));
        told["error"].as_str().map_or(Ok(()), |error| Err(error.to_owned()))
    };
    let ours = |path: &str, retries| {
        let flagger = Flagger { service: parrot.addr, name: "podinfo", namespace: "test", retries };
        flagger.call(path, "Progressing", "85d557f47b")
    };
    let good = [200, 201, 202];
    let shown = [203, 206, 300, 400, 401, 403, 404, 405, 408, 412, 413, 418, 424, 425, 501];
    let empty = [204, 304];
    let lost = [429, 500, 502, 503, 504, 599];
    for status in good.into_iter().chain(shown).chain(empty).chain(lost) {
        let path = format!("/{status}");
        let concluded = theirs(&path, 0);
        assert_eq!(concluded, ours(&path, 0), "{status}");
        let expected = match status {
            _ if good.contains(&status) => Ok(()),
            _ if shown.contains(&status) => Err(REASON.to_owned()),
            _ if empty.contains(&status) => Err(String::new()),
            _ => Err(format!("POST {} giving up after 1 attempt(s)", parrot.url(&path))),
        };
        assert_eq!(concluded, expected, "{status}");
    }
    let again = theirs("/503", 1);
    assert_eq!(again, ours("/503", 1));
    assert_eq!(again, Err(format!("POST {} giving up after 2 attempt(s)", parrot.url("/503"))));
}
