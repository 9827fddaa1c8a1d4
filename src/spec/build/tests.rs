use super::*;
use crate::plan::{Arrivals, Host, Rate, Schedule, Stop};

mod judged;
mod requests;
mod together;

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
