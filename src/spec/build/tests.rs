use super::*;
use crate::plan::{Arrivals, Host, Rate, Schedule, Stop};

#[path = "requests.rs"]
mod requests;

const URL: &str = "http://podinfo.test/";

/// A disk with two files on it.
fn disk(path: &Path) -> io::Result<Vec<u8>> {
    match path.to_str() {
        Some("body.json") => Ok(b"{\"a\":1}".to_vec()),
        Some("huge") => Ok(vec![0; crate::spec::MAX_BODY + 1]),
        _ => Err(io::Error::new(io::ErrorKind::NotFound, "no such file")),
    }
}

fn build(wishes: &[(Id, &str)]) -> Result<Spec, Mistakes> {
    let mut builder = SpecBuilder::new();
    for (id, value) in wishes {
        builder.give(*id, *value);
    }
    builder.build(&disk)
}

/// A spec for the usual URL.
fn spec(wishes: &[(Id, &str)]) -> Spec {
    build(&[&[(Id::Url, URL)], wishes].concat()).unwrap()
}

/// The lines of all mistakes with the usual URL.
fn mistakes(wishes: &[(Id, &str)]) -> Vec<String> {
    let error = build(&[&[(Id::Url, URL)], wishes].concat()).unwrap_err();
    error.to_string().lines().map(str::to_owned).collect()
}

fn header_lines(spec: &Spec) -> Vec<String> {
    spec.plan.targets[0].request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect()
}

#[test]
fn a_url_alone_is_what_hey_would_do_with_it() {
    let spec = spec(&[]);
    assert_eq!(
        spec.plan.schedule,
        Schedule {
            arrivals: Arrivals::Closed,
            stop: Stop { count: Some(200), duration: None },
            warmup: Duration::ZERO,
        }
    );
    assert_eq!((spec.plan.lanes, spec.plan.max_lanes), (50, 50));
    assert_eq!((spec.plan.timeout, spec.plan.keep_alive, spec.plan.connection_age), (Some(TIMEOUT), true, None));
    let target = &spec.plan.targets[0];
    assert_eq!((target.url.as_str(), target.origin.port), (URL, 80));
    assert_eq!(target.origin.host, Host::Name("podinfo.test".into()));
    let request = &target.request;
    assert_eq!(
        (request.method.as_str(), request.path.as_str(), request.authority.as_str()),
        ("GET", "/", "podinfo.test")
    );
    assert!(request.body.is_empty());
    assert_eq!(header_lines(&spec), [concat!("User-Agent: tollgate/", env!("CARGO_PKG_VERSION")), "Accept: */*"]);
    assert_eq!((spec.objective, spec.success, spec.workers), (None, StatusSet::ok(), None));
    assert_eq!((spec.output, spec.report, spec.quiet, spec.no_color), (Output::Text, None, false, false));
    assert!(spec.notes.is_empty());
}

#[test]
fn a_rate_per_lane_becomes_one_steady_rate() {
    let spec = spec(&[(Id::Duration, "10s"), (Id::RatePerConnection, "10"), (Id::Connections, "2")]);
    assert_eq!(spec.plan.schedule.arrivals, Arrivals::Steady(Rate::per_second(20).unwrap()));
    assert_eq!(spec.plan.schedule.total(), Some(200));
    assert_eq!((spec.plan.lanes, spec.plan.max_lanes), (2, 64));
}

#[test]
fn lanes_follow_from_what_else_is_asked() {
    use Id::{Connections as C, Duration as Z, MaxLanes, Rate as R, RatePerConnection as Q, Requests as N, Stages};
    for (wishes, lanes, max_lanes, why) in [
        (vec![], 50, 50, "closed: hey's default"),
        (vec![(C, "7")], 7, 7, "closed: as asked"),
        (vec![(N, "5")], 5, 5, "no more lanes than requests"),
        (vec![(N, "5"), (Z, "1s")], 50, 50, "-z goes before -n"),
        (vec![(Q, "10"), (Z, "1s")], 50, 200, "hey's lanes, four times the room"),
        (vec![(R, "20/s")], 2, 64, "one lane for ten a second, room for 64"),
        (vec![(R, "0.5/s")], 1, 64, "never none"),
        (vec![(R, "10000/s"), (Z, "1s")], 256, 1024, "not more than 256 unasked"),
        (vec![(R, "10000/s"), (Z, "1s"), (C, "1000")], 1000, 4000, "more when asked"),
        (vec![(R, "10000/s"), (Z, "1s"), (C, "65535")], 65_535, 65_535, "never more than there can be"),
        (vec![(R, "1000/s"), (Z, "1s"), (MaxLanes, "10")], 10, 10, "unasked lanes keep to the most"),
        (vec![(R, "20/s"), (C, "2"), (MaxLanes, "2")], 2, 2, "no room at all"),
        (vec![(Stages, "1s:10/s,1s:10/s..400/s")], 40, 160, "the highest rate counts"),
    ] {
        let spec = spec(&wishes);
        assert_eq!((spec.plan.lanes, spec.plan.max_lanes), (lanes, max_lanes), "{why}");
    }
}

#[test]
fn zero_means_what_the_table_says() {
    let spec = spec(&[
        (Id::Duration, "0"),
        (Id::RatePerConnection, "0"),
        (Id::Timeout, "0"),
        (Id::ConnectionAge, "0"),
        (Id::Warmup, "0s"),
        (Id::Workers, "0"),
        (Id::Accept, ""),
        (Id::UserAgent, ""),
        (Id::ContentType, ""),
        (Id::Body, ""),
    ]);
    assert_eq!(spec.plan.schedule.arrivals, Arrivals::Closed);
    assert_eq!(spec.plan.schedule.stop, Stop { count: Some(200), duration: None });
    assert_eq!((spec.plan.timeout, spec.plan.connection_age), (None, None));
    assert_eq!(spec.workers, None);
    assert!(header_lines(&spec).is_empty() && spec.plan.targets[0].request.body.is_empty());
}

#[test]
fn a_table_that_explains_zero_allows_it_and_any_other_refuses_it() {
    for key in &crate::spec::KEYS {
        if key.kind == Kind::Switch || key.id == Id::Stages || !key.is_for_run() {
            continue;
        }
        let textual = matches!(
            key.id,
            Id::Method
                | Id::Host
                | Id::Slo
                | Id::Last
                | Id::Baseline
                | Id::Report
                | Id::BasicAuth
                | Id::Resolve
                | Id::Success
                | Id::Output
                | Id::Headers
                | Id::BodyFile
                | Id::Url
                | Id::Primary
                | Id::Identify
                | Id::Accept
                | Id::UserAgent
                | Id::ContentType
                | Id::Body
                | Id::UnixSocket
                | Id::Call
                | Id::Data
                | Id::DataFile
                | Id::Proto
                | Id::ImportPath
                | Id::Protoset
        );
        let zero = if textual { "" } else { "0" };
        let wishes = if key.id == Id::Url { vec![(key.id, zero)] } else { vec![(Id::Url, URL), (key.id, zero)] };
        assert_eq!(build(&wishes).is_ok(), !key.zero.is_empty(), "{key}");
    }
}

#[test]
fn every_documented_default_that_is_a_value_is_the_default() {
    for (id, default) in [
        (Id::Warmup, "0s"),
        (Id::Workers, "0"),
        (Id::Timeout, "20"),
        (Id::ConnectionAge, "0s"),
        (Id::Accept, "*/*"),
        (Id::Success, "200-399"),
        (Id::Output, "text"),
    ] {
        assert_eq!(id.key().default, default);
        assert_eq!(spec(&[(id, default)]), spec(&[]), "{}", id.key());
    }
    assert_eq!(spec(&[(Id::Requests, "200"), (Id::Connections, "50"), (Id::Method, "get")]), spec(&[]));
}

#[test]
fn every_example_of_what_is_allowed_is_allowed() {
    for (id, examples) in [
        (Id::Duration, vec!["10s", "1m30s", "1.5h"]),
        (Id::Rate, vec!["20/s", "1200/m", "0.5/s"]),
        (Id::RatePerConnection, vec!["10", "0.5"]),
        (Id::Stages, vec!["30s:100/s", "1m:100/s..500/s"]),
        (Id::Warmup, vec!["2s", "500ms"]),
        (Id::Method, vec!["GET", "POST", "PUT"]),
        (Id::Timeout, vec!["20", "1500ms"]),
        (Id::ConnectionAge, vec!["5s"]),
        (Id::Resolve, vec!["podinfo.test:80:10.0.0.7,10.0.0.8"]),
        (Id::Slo, vec!["success>=99%, p99<500ms"]),
        (Id::Success, vec!["2xx", "200-399", "200,204", "non-5xx"]),
        (Id::Output, vec!["text", "json", "csv", "junit", "html"]),
    ] {
        for example in examples {
            assert!(id.key().allowed.contains(example), "{}: {example}", id.key());
            assert!(build(&[(Id::Url, URL), (id, example)]).is_ok(), "{}: {example}", id.key());
        }
    }
}

#[test]
fn headers_are_sent_once_and_in_order() {
    let spec = spec(&[
        (Id::Method, "post"),
        (Id::Body, "{test: 2}"),
        (Id::Headers, "X-A: 1"),
        (Id::Headers, "x-a: 2"),
        (Id::Headers, "accept: text/plain"),
        (Id::BasicAuth, "ann:se:cret"),
    ]);
    assert_eq!(
        header_lines(&spec)[1..],
        ["Content-Type: text/html", "Authorization: Basic YW5uOnNlOmNyZXQ=", "X-A: 1", "x-a: 2", "accept: text/plain"]
    );
    assert_eq!(spec.plan.targets[0].request.method, "POST");
    assert_eq!(*spec.plan.targets[0].request.body, *b"{test: 2}");
}

#[test]
fn a_content_type_is_sent_with_a_body_or_when_asked_for() {
    let content_type =
        |wishes: &[(Id, &str)]| spec(wishes).plan.targets[0].request.header("content-type").map(str::to_owned);
    assert_eq!(content_type(&[]), None);
    assert_eq!(content_type(&[(Id::Method, "POST")]), None);
    assert_eq!(content_type(&[(Id::BodyFile, "body.json")]), Some("text/html".into()));
    assert_eq!(content_type(&[(Id::ContentType, "application/json")]), Some("application/json".into()));
    let own = [(Id::Headers, "Content-Type: a/b"), (Id::Body, "x")];
    assert_eq!(content_type(&own), Some("a/b".into()));
    assert_eq!(header_lines(&spec(&own)).len(), 3);
}

#[test]
fn the_host_header_comes_from_the_flag_the_header_or_the_url() {
    let authority = |wishes: &[(Id, &str)]| spec(wishes).plan.targets[0].request.authority.clone();
    assert_eq!(authority(&[(Id::Host, "app.example.com")]), "app.example.com");
    assert_eq!(authority(&[(Id::Headers, "host: app.example.com:8080")]), "app.example.com:8080");
    assert_eq!(authority(&[(Id::Headers, "Host: a"), (Id::Host, "a")]), "a");
    assert_eq!(header_lines(&spec(&[(Id::Headers, "Host: a")])).len(), 2, "not sent a second time");
    let literal = build(&[(Id::Url, "http://[::1]:8080/")]).unwrap();
    assert_eq!(literal.plan.targets[0].request.authority, "[::1]:8080");
    assert!(
        mistakes(&[(Id::Headers, "Host: a"), (Id::Host, "b")])[0].starts_with("--host: got 'b', expected one Host;")
    );
    assert!(mistakes(&[(Id::Headers, "Host: a/b")])[0].starts_with("--host: got 'a/b'"));
}

#[test]
fn a_password_is_taken_from_the_url_and_shown_nowhere() {
    let spec = build(&[(Id::Url, "http://ann:s%20cret@podinfo.test/x")]).unwrap();
    assert_eq!(spec.plan.targets[0].request.header("Authorization"), Some("Basic YW5uOnMgY3JldA=="));
    assert_eq!(spec.plan.targets[0].url, "http://podinfo.test/x");
    let both = [(Id::Url, "http://ann:secret@podinfo.test/"), (Id::BasicAuth, "bob:secret")];
    let text = build(&both).unwrap_err().to_string();
    assert!(text.starts_with("-a/--basic-auth: got '***', expected one way to log in;"), "{text}");
    assert!(!text.contains("secret"));
}

#[test]
fn pinned_addresses_belong_to_the_urls_host_and_port() {
    let spec = spec(&[(Id::Resolve, "podinfo.test:80:10.0.0.7,10.0.0.8"), (Id::Resolve, "PODINFO.test:80:::1")]);
    let pinned: Vec<String> = spec.plan.targets[0].origin.pinned.iter().map(ToString::to_string).collect();
    assert_eq!(pinned, ["10.0.0.7:80", "10.0.0.8:80", "[::1]:80"]);
    let lines = mistakes(&[(Id::Resolve, "podinfo.test:9898:10.0.0.7"), (Id::Resolve, "other:80:10.0.0.7")]);
    assert_eq!(lines.len(), 2);
    assert!(lines[0].ends_with("; the URL goes to podinfo.test:80, so this would have no effect"), "{}", lines[0]);
}

#[test]
fn a_body_file_is_sent_as_it_is() {
    assert_eq!(*spec(&[(Id::BodyFile, "body.json")]).plan.targets[0].request.body, *b"{\"a\":1}");
    for (name, advice) in [("absent", "no such file"), ("huge", "it is too long")] {
        assert_eq!(
            mistakes(&[(Id::BodyFile, name)]),
            [format!("-D/--body-file: got '{name}', expected a file that can be read, of at most 64 MiB; {advice}")]
        );
    }
}

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
    use Id::{
        BasicAuth, Body, BodyFile, Connections, Duration, Headers, MaxLanes, RatePerConnection, Requests, Stages,
    };
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
            vec![(Stages, "1s:10/s"), (Requests, "20")],
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

#[test]
fn the_last_value_of_a_key_counts() {
    assert_eq!(spec(&[(Id::Connections, "abc"), (Id::Connections, "3")]).plan.lanes, 3);
    assert_eq!(spec(&[(Id::Requests, "5"), (Id::Requests, "7")]).plan.schedule.stop.count, Some(7));
}

#[test]
fn the_rest_is_carried_over() {
    let spec = spec(&[
        (Id::Slo, "success>=99%"),
        (Id::Success, "non-5xx"),
        (Id::Workers, "3"),
        (Id::Output, "json"),
        (Id::Report, "out/report.json"),
        (Id::Quiet, ""),
        (Id::NoColor, ""),
        (Id::DisableKeepalive, ""),
        (Id::ConnectionAge, "5s"),
        (Id::Warmup, "2s"),
        (Id::Timeout, "1500ms"),
    ]);
    assert_eq!((spec.objective.map(|o| o.text), spec.success), (Some("success>=99%".to_owned()), StatusSet::non_5xx()));
    assert_eq!((spec.workers, spec.output), (Some(3), Output::Json));
    assert_eq!(spec.report, Some(Saved { path: "out/report.json".into(), form: Output::Json }));
    assert!(spec.quiet && spec.no_color && !spec.plan.keep_alive);
    assert_eq!(spec.plan.connection_age, Some(Duration::from_secs(5)));
    assert_eq!(spec.plan.schedule.warmup, Duration::from_secs(2));
    assert_eq!(spec.plan.timeout, Some(Duration::from_millis(1500)));
}

#[test]
fn a_grpc_call_is_a_post_to_a_method_in_grpcs_own_content_type() {
    let grpc = |url: &str, wishes: &[(Id, &str)]| build(&[&[(Id::Url, url), (Id::Protocol, "grpc")], wishes].concat());
    let echo = grpc("http://a/shop.v1.Cart/Get", &[(Id::Body, "x")]).unwrap();
    let request = &echo.plan.targets[0].request;
    assert_eq!((request.method.as_str(), request.header("content-type")), ("POST", Some("application/grpc")));
    assert_eq!((request.header("accept"), echo.plan.wire), (None, Wire::Grpc));
    for root in ["http://a", "http://a/"] {
        let health = grpc(root, &[]).unwrap();
        assert_eq!(health.plan.targets[0].url, "http://a/grpc.health.v1.Health/Check");
        assert_eq!(health.plan.targets[0].request.path, "/grpc.health.v1.Health/Check");
    }
    let own = grpc("http://a/s/m", &[(Id::ContentType, "application/grpc+json")]).unwrap();
    assert_eq!(own.plan.targets[0].request.header("content-type"), Some("application/grpc+json"));
    for (url, wishes, mistake) in [
        ("http://a/s", vec![], "URL: got 'http://a/s', expected a URL that ends with /PACKAGE.SERVICE/METHOD"),
        ("http://a/s/m/x", vec![], "URL: got"),
        ("http://a/s/m?q", vec![], "URL: got"),
        ("http://a//m", vec![], "URL: got"),
        ("http://a/s/m", vec![(Id::Method, "GET")], "-m/--method: got 'GET', expected POST, or nothing, beside"),
        ("http://a/s/m", vec![(Id::ContentType, "a/b")], "-T/--content-type: got 'a/b', expected application/grpc"),
    ] {
        let said = grpc(url, &wishes).unwrap_err().to_string();
        assert!(said.starts_with(mistake) && said.lines().count() == 1, "{url}: {said}");
    }
}

#[test]
fn what_a_protocol_has_no_use_for_is_noted() {
    let notes = |wishes: &[(Id, &str)]| build(&[&[(Id::Url, "http://a/s/m")], wishes].concat()).unwrap().notes;
    for (wishes, starts) in [
        (vec![(Id::Streams, "5")], vec!["--streams has no effect: an HTTP/1.1 connection"]),
        (vec![(Id::Links, "5")], vec!["--links has no effect: an HTTP/1.1 connection"]),
        (vec![(Id::Links, "5"), (Id::Protocol, "http2")], vec![]),
        (vec![(Id::Success, "2xx"), (Id::Protocol, "grpc")], vec!["--success has no effect: a gRPC call"]),
        (vec![(Id::Redirects, "1"), (Id::Protocol, "grpc")], vec!["--redirects has no effect: gRPC"]),
    ] {
        let said = notes(&wishes);
        assert_eq!(said.len(), starts.len(), "{said:?}");
        assert!(said.iter().zip(starts).all(|(note, start)| note.starts_with(start)), "{said:?}");
    }
}

#[test]
fn reports_to_compare_with_are_given_by_the_names_that_the_objective_uses() {
    let line = "p95<=last+10%, p50<=baseline(v 41)*1.2, errors<=baseline(v42)";
    let all = [(Id::Slo, line), (Id::Last, "l.json"), (Id::Baseline, "v 41=a=b.json"), (Id::Baseline, "v42=c.json")];
    let named = |name: &str| Reference::Baseline(name.to_owned());
    assert_eq!(
        spec(&all).references,
        [(Reference::Last, "l.json".into()), (named("v 41"), "a=b.json".into()), (named("v42"), "c.json".into())]
    );
    assert_eq!(
        mistakes(&[(Id::Slo, "p95<=last"), (Id::Baseline, "v41=a.json")]),
        ["--slo: got 'p95<=last', expected clauses on runs whose reports are given; give the report of last with \
          --last FILE"]
    );
    assert_eq!(
        mistakes(&[(Id::Slo, "p95<=baseline(x)")]),
        ["--slo: got 'p95<=baseline(x)', expected clauses on runs whose reports are given; give the report of \
          baseline(x) with --baseline x=FILE"]
    );
    assert_eq!(
        mistakes(&[(Id::Slo, "p95<=baseline(x)"), (Id::Baseline, "x=a"), (Id::Baseline, "x=b")]),
        ["--baseline: got 'x=b', expected each name once; baseline(x) is given twice"]
    );
    for wrong in ["a.json", "=a.json", "a(b)=c.json", "a="] {
        assert_eq!(mistakes(&[(Id::Baseline, wrong)]).len(), 1, "{wrong}");
    }
    let unused = spec(&[(Id::Slo, "p95<1s"), (Id::Last, "l.json")]);
    assert_eq!(unused.notes, ["the report of last has no effect: no clause compares with it"]);
    assert!(unused.references.is_empty());
    assert_eq!(
        mistakes(&[(Id::Slo, "p95<=primary, prom('up')>=1req")]),
        ["--slo: got 'p95<=primary, prom('up')>=1req', expected an objective such as 'success>=99%, p99<500ms'; \
          primary: say where the release in service is: --primary URL; prom('…'): there is no Prometheus to ask: \
          give --prometheus URL"]
    );
}

#[test]
fn queries_are_put_to_the_prometheus_that_is_named() {
    let here = (Id::Prometheus, "https://prometheus.test/prefix");
    assert_eq!(spec(&[here, (Id::Slo, "prom('up')>=1req")]).prometheus.as_deref(), Some(here.1));
    let unused = spec(&[here, (Id::Slo, "p95<1s")]);
    assert_eq!((unused.prometheus, unused.notes.len()), (None, 1), "{:?}", unused.notes);
    for wrong in ["prometheus:9090", "ftp://prometheus.test/", "prometheus", ""] {
        let said = mistakes(&[(Id::Prometheus, wrong)]);
        assert!(said.len() == 1 && said[0].contains("an address such as http://HOST"), "{said:?}");
    }
}

#[test]
fn who_is_judged_is_told_by_a_header_and_an_expression() {
    let identify = |text: &str| spec(&[(Id::Identify, text)]).plan.identify;
    let expected = Identify { header: "X-Version".into(), pattern: "^v2=?".into() };
    assert_eq!((identify("X-Version=^v2=?"), spec(&[]).plan.identify), (Some(expected), None));
    for (wrong, part) in [
        ("X-Version", "expected HEADER=REGEX"),
        ("a b=c", "a header's name"),
        ("a=", "an empty"),
        ("a=(", "cannot be read"),
    ] {
        let said = mistakes(&[(Id::Identify, wrong)]);
        assert!(said.len() == 1 && said[0].contains(part), "{said:?}");
    }
}

#[test]
fn a_primary_gets_the_same_load_at_its_own_address() {
    let beside = spec(&[(Id::Primary, "http://b.test:81/{{pick:1,2}}"), (Id::Slo, "p95<=primary"), (Id::Body, "x")]);
    let primary = beside.primary.expect("it was given");
    let target = &primary.targets[0];
    assert_eq!((target.origin.to_string().as_str(), target.request.authority.as_str()), ("b.test:81", "b.test:81"));
    assert!(target.drawn.is_some() && primary.seed == beside.plan.seed, "and draws the same");
    let same = Plan { targets: beside.plan.targets.clone(), ..primary.clone() };
    assert_eq!(same, beside.plan, "everything else is alike");
    let told = spec(&[(Id::Primary, "http://b.test/"), (Id::Slo, "p95<=primary"), (Id::Identify, "X-V=2")]);
    assert!(told.plan.identify.is_some() && told.primary.unwrap().identify.is_none(), "the header tells the canary's");
    assert_eq!(spec(&[]).primary, None);
    assert_eq!(
        mistakes(&[(Id::Slo, "p95<=primary")]),
        ["--slo: got 'p95<=primary', expected an objective such as 'success>=99%, p99<500ms'; primary: say where the \
             release in service is: --primary URL"]
    );
    let two = mistakes(&[(Id::Url, "http://c.test/"), (Id::Primary, "http://b.test/")]);
    assert_eq!(two, ["--primary: got 'http://b.test/', expected one URL beside --primary; compare one URL with one"]);
}

#[test]
fn a_clause_on_a_url_is_held_to_the_urls_of_the_run() {
    let other = (Id::Url, "http://podinfo.test/cart?a=1");
    let line = "p95{url=/cart?a=1}<1s, errors{url=http://podinfo.test/}<1%, p99<1s";
    let spec = spec(&[other, (Id::Slo, line)]);
    let meters = spec.objective.unwrap().line.measures(StatusSet::ok(), None).meters;
    let of = |meter: usize, class: u16| meters[meter].only.classes.map(|classes| classes.contains(class));
    assert_eq!((of(0, 0), of(0, 1)), (Some(false), Some(true)));
    assert_eq!((of(2, 0), of(2, 1), of(3, 0)), (Some(true), Some(false), None));
    let wrong = mistakes(&[other, (Id::Slo, "p95{url=/chart}<1s")]);
    assert_eq!(wrong.len(), 1);
    assert!(
        wrong[0].ends_with("; p95{url=/chart}<1s: no URL of this run is /chart; there are /, /cart?a=1"),
        "{wrong:?}"
    );
}

#[test]
fn an_objective_on_its_own_knows_no_urls_and_no_earlier_runs() {
    let refused = |text: &str| objective(text, Beside::default()).unwrap_err().advice.unwrap();
    assert_eq!(
        refused("p95{url=/}<1s, p50<=last"),
        "p95{url=/}<1s: no URL is known that this could be about: leave url= off; last: there is no report of it to \
         compare with"
    );
    assert!(objective("p95{status=2xx}<1s over=10s", Beside::default()).is_ok());
    let nobody = "prom('…'): there is no Prometheus to ask: give --prometheus URL";
    assert_eq!(refused("p95<1s, prom('up')>=1req"), nobody);
    assert!(objective("p95<1s, prom('up')>=1req", Beside { prometheus: true, primary: false }).is_ok());
    assert_eq!(refused("p95<=primary"), "primary: there is none to compare with: give primary");
    assert!(objective("p95<=primary", Beside { prometheus: false, primary: true }).is_ok());
}
