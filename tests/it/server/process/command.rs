//! `tollgate gate`, which talks to the service.

use super::*;

/// `tollgate gate` about a service.
fn gate(served: &Served, line: &str) -> Ended {
    let mut command = tollgate(["gate"].into_iter().chain(line.split(' ')));
    command.env("TOLLGATE_SERVER", format!("http://{}", served.addr)).env("USER", "ann");
    Running::start(command).finish()
}

#[test]
fn gates_are_opened_closed_shown_and_listed_from_the_command_line() {
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "s3cret").unwrap();
    let token = token.path().to_str().unwrap();
    let served = Served::start(&["--token-file", token]);
    let said = |line: &str| {
        let ended = gate(&served, line);
        let text = if ended.stdout.is_empty() { ended.stderr } else { ended.stdout };
        (ended.code, text)
    };
    let told = |code, text: &str| (Some(code), text.to_owned());
    assert_eq!(said("list"), told(0, "no gate was ever opened\n"));
    assert_eq!(said("status podinfo.test"), told(1, "confirm gate of podinfo.test: closed\n"));
    let refused = "tollgate gate: confirm gate of podinfo.test: answered 401: this needs the header Authorization: Bearer \
                   TOKEN, with the token of --token-file\n";
    assert_eq!(said("open podinfo.test"), told(1, refused));
    let open = format!("open podinfo.test --token-file {token}");
    assert_eq!(said(&open), told(0, "confirm gate of podinfo.test: open\n"));
    let (code, text) = said("status podinfo.test");
    assert_eq!(code, Some(0));
    let [first, second] = text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
    assert!(
        first.starts_with("confirm gate of podinfo.test: open since 2") && first.ends_with("Z by ann (127.0.0.1)"),
        "{text}"
    );
    assert!(second.ends_with("Z  opened  ann (127.0.0.1)"), "{text}");
    let (code, text) =
        said(&format!("open --rollback podinfo.test --ttl 2h --why errors --by bob --token-file {token}"));
    assert!(code == Some(0) && text.starts_with("rollback gate of podinfo.test: open until 2"), "{text}");
    assert_eq!(said("close podinfo.test"), told(0, "confirm gate of podinfo.test: closed\n"));
    let (_, text) = said("list");
    let [first, second] = text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
    assert_eq!(first, "confirm   podinfo.test  closed");
    assert!(second.starts_with("rollback  podinfo.test  open since 2"), "{text}");
    assert!(second.ends_with("Z for one analysis: errors") && second.contains(" by bob (127.0.0.1) until 2"), "{text}");
    let (code, text) = said("status podinfo.test --rollback --json");
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &json["why"], &json["history"][0]["by"]), (Some(0), &"errors".into(), &"bob (127.0.0.1)".into()));
}

#[test]
fn what_the_gate_command_cannot_do_is_said() {
    let served = Served::start(&[]);
    for (line, code, expected) in [
        ("open podinfo", 2, "got 'podinfo', expected NAME.NAMESPACE, such as podinfo.test"),
        ("open podinfo.test --ttl soon", 1, "answered 400: ttl: got 'soon', expected a duration of at least 1s"),
        ("list --server ftp://x/", 2, "--server: got 'ftp://x/', expected an address such as http://HOST:PORT"),
        ("list --token-file /nonexistent", 2, "--token-file: /nonexistent: No such file"),
        ("list --server http://127.0.0.1:1", 1, "tollgate gate: 127.0.0.1:1 cannot be reached: "),
        ("shut podinfo.test", 2, "unrecognized subcommand 'shut'"),
    ] {
        let ended = gate(&served, line);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), ""), "{line}: {ended:?}");
        assert!(ended.stderr.contains(expected), "{line}: {ended:?}");
    }
}
