//! Values that do not go together, and all mistakes at once.

use super::*;

#[test]
fn what_has_no_effect_is_said_but_stops_nothing() {
    for (wishes, note) in [
        (vec![(Id::Requests, "9"), (Id::Duration, "1s")], "-n has no effect beside -z"),
        (vec![(Id::Requests, "9"), (Id::Connections, "10")], "9 of the 10 lanes"),
        (vec![(Id::MaxLanes, "90")], "--max-lanes has no effect"),
    ] {
        let notes = spec(&wishes).notes;
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].starts_with(note), "{notes:?}");
    }
    assert_eq!(spec(&[(Id::Requests, "9"), (Id::Duration, "1s")]).plan.schedule.stop.count, None);
}

#[test]
fn what_does_not_go_together_is_refused() {
    use Id::{BasicAuth, Body, BodyFile, Connections, Duration, Headers, MaxLanes, RatePerConnection, Stages};
    for (wishes, expected) in [
        (
            vec![(RatePerConnection, "10"), (Id::Rate, "20/s")],
            "-q/--rate-per-connection: got '10', expected no -q beside --rate; give one rate: for all lanes, or for each",
        ),
        (
            vec![(Stages, "1s:10/s"), (Id::Rate, "20/s")],
            "--rate: got '20/s', expected nothing beside --stage; each stage has its own rate",
        ),
        (
            vec![(Stages, "1s:10/s"), (RatePerConnection, "20")],
            "-q/--rate-per-connection: got '20', expected nothing beside --stage; each stage has its own rate",
        ),
        (
            vec![(Stages, "1s:10/s"), (Duration, "20s")],
            "-z/--duration: got '20s', expected nothing beside --stage; each stage has its own duration",
        ),
        (
            vec![(Stages, "1s:10/s"), (Id::Requests, "20")],
            "-n/--requests: got '20', expected nothing beside --stage; the stages decide how many requests there are",
        ),
        (
            vec![(Stages, "1s:0..10/s"), (Id::Warmup, "2s")],
            "--warmup: got '2s', expected a first stage that starts above zero; the warm-up runs at its first rate",
        ),
        (
            vec![(Stages, "5s:0")],
            "--stage: got '5s:0', expected time for at least one request; the stages come to less than one",
        ),
        (
            vec![(Id::Rate, "6/h"), (Duration, "1m"), (Id::Warmup, "20m")],
            "-z/--duration: got '1m', expected time for at least one request; at 0.001667/s the first is due after 9m59.880023996s",
        ),
        (
            vec![(RatePerConnection, "10000000"), (Connections, "2")],
            "-q/--rate-per-connection: got '10000000', expected at most 10000000/s over all lanes; lower -q or -c",
        ),
        (
            vec![(Id::Rate, "10/s"), (Connections, "9"), (MaxLanes, "8")],
            "--max-lanes: got '8', expected at least the 9 lanes of -c; raise it, or lower -c",
        ),
        (
            vec![(Body, "x"), (BodyFile, "body.json")],
            "-D/--body-file: got 'body.json', expected no file beside --body; a request has one body",
        ),
        (
            vec![(Id::UserAgent, "x"), (Headers, "user-agent: y")],
            "-U/--user-agent: got 'x', expected no User-Agent beside -H; give the header once",
        ),
        (
            vec![(BasicAuth, "u:p"), (Headers, "Authorization: Bearer x")],
            "-a/--basic-auth: got '***', expected one way to log in; give the user and password once: with -a, in the URL, or with -H",
        ),
    ] {
        assert_eq!(mistakes(&wishes), [expected]);
    }
}

#[test]
fn all_mistakes_come_at_once_and_each_names_its_key() {
    let wishes = [
        (Id::Url, "podinfo.test"),
        (Id::Requests, "0"),
        (Id::Connections, "abc"),
        (Id::Duration, "60"),
        (Id::Rate, "fast"),
        (Id::RatePerConnection, "-1"),
        (Id::Stages, "soon"),
        (Id::Warmup, "-2s"),
        (Id::MaxLanes, "65536"),
        (Id::Workers, "1025"),
        (Id::Method, "GET /"),
        (Id::Headers, "X"),
        (Id::Headers, "Content-Length: 3"),
        (Id::Host, "a b"),
        (Id::BodyFile, "absent"),
        (Id::ContentType, "a\nb"),
        (Id::Accept, "a\0b"),
        (Id::UserAgent, "a\rb"),
        (Id::BasicAuth, "ann"),
        (Id::Timeout, "soon"),
        (Id::Resolve, "x"),
        (Id::ConnectionAge, "5"),
        (Id::Slo, " "),
        (Id::Success, "ok"),
        (Id::Output, "yaml"),
        (Id::Report, ""),
    ];
    let error = build(&wishes).unwrap_err();
    assert_eq!(error.as_slice().len(), wishes.len(), "{error}");
    for (id, value) in wishes {
        let found = error.as_slice().iter().any(|mistake| mistake.key == id.key().to_string());
        assert!(found, "no mistake for {} {value:?}", id.key());
    }
    assert!(!error.to_string().contains("'ann'"), "a password that lacks its user is one all the same");
    let pictured = error.as_slice().iter().filter(|mistake| mistake.picture.is_some()).count();
    assert_eq!(error.to_string().lines().count(), wishes.len() + 2 * pictured, "one line each, or text and caret");
    assert_eq!(pictured, 1, "the objective");
}

#[test]
fn without_a_url_there_is_one_mistake_and_it_says_so() {
    let error = build(&[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "URL: got nothing, expected an address such as http://HOST[:PORT][/PATH] or https://…"
    );
}
