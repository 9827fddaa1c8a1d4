use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::plan::{Arrivals, Host, Trust, Wire};

const NONE: fn(&Path) -> io::Result<Vec<u8>> = |_| Err(io::Error::other("no such file"));

fn ghz(text: &str) -> Result<Ghz, String> {
    read(&shell_words::split(text).unwrap(), &NONE).map_err(|refusal| refusal.to_string())
}

#[test]
fn both_documented_lines_ask_what_their_authors_meant() {
    let first = line("ghz -z 1m -q 10 -c 2 --insecure podinfo.test:9898").unwrap();
    let plan = &first.spec().plan;
    assert_eq!(plan.wire, Wire::Grpc);
    assert_eq!(plan.targets[0].url, "http://podinfo.test:9898/grpc.health.v1.Health/Check");
    assert_eq!(plan.schedule.arrivals, Arrivals::Steady("10/s".parse().unwrap()), "over both workers together");
    assert_eq!((plan.schedule.total(), plan.schedule.end()), (Some(600), Some(Duration::from_secs(60))));
    assert_eq!((plan.lanes, plan.max_lanes, plan.timeout), (2, 64, Some(Duration::from_secs(20))));
    let notes = [
        "-q is no flag of ghz: it is taken for --rps, calls a second over all workers",
        "no --call: the standard health check is asked, grpc.health.v1.Health/Check",
    ];
    assert_eq!(first.spec().notes, notes);

    let second =
        line("ghz --insecure --proto=/tmp/ghz/health.proto --call=grpc.health.v1.Health/Check podinfo.test:9898");
    let second = second.unwrap();
    let plan = &second.spec().plan;
    assert_eq!(plan.targets[0].url, "http://podinfo.test:9898/grpc.health.v1.Health/Check");
    assert_eq!((plan.schedule.arrivals.clone(), plan.schedule.total()), (Arrivals::Closed, Some(200)));
    assert_eq!((plan.lanes, &*plan.targets[0].request.body), (50, &[0; 5][..]), "an empty message");
    assert_eq!(plan.targets[0].call.messages, crate::plan::Messages::Framed);
}

#[test]
fn flags_say_how_many_how_fast_and_over_what() {
    for (line, arrivals, count, end, why) in [
        ("--insecure a:1", Arrivals::Closed, Some(200), None, "ghz's default"),
        ("--insecure -n 20 -c 4 a:1", Arrivals::Closed, Some(20), None, "a count"),
        ("--insecure -z 5s -n 20 a:1", Arrivals::Closed, None, Some(5), "the time goes before the count"),
        ("--insecure -n 20 -x 3s a:1", Arrivals::Closed, Some(20), Some(3), "whichever comes first"),
        ("--insecure -r 0 -z 0 a:1", Arrivals::Closed, Some(200), None, "zero is none"),
        ("--insecure --rps=5 -n 20 a:1", Arrivals::Steady("5/s".parse().unwrap()), Some(20), None, "a rate"),
    ] {
        let schedule = &ghz(line).unwrap().spec.plan.schedule;
        assert_eq!(schedule.arrivals, arrivals, "{line}: {why}");
        assert_eq!(
            (schedule.stop.count, schedule.stop.duration),
            (count, end.map(Duration::from_secs)),
            "{line}: {why}"
        );
    }
    let shared = |line: &str| {
        let ghz = ghz(line).unwrap();
        let of = |plan: &Plan| (plan.streams, plan.links, plan.max_lanes);
        (of(&ghz.spec().plan), of(ghz.kept()))
    };
    assert_eq!(shared("--insecure -c 20 a:1"), ((10, None, 20), (20, Some(1), 20)), "ghz has one connection");
    assert_eq!(shared("--insecure -c 20 --connections 4 a:1"), ((5, Some(4), 20), (5, Some(4), 20)));
    assert_eq!(shared("--insecure -c 2 -r 9 --connections 9 a:1"), ((1, Some(2), 64), (1, Some(2), 2)));
}

#[test]
fn hosts_methods_and_metadata_are_those_of_grpc() {
    let request = |line: &str| {
        let target = ghz(line).unwrap_or_else(|why| panic!("{line}: {why}")).spec.plan.targets[0].clone();
        let user = target.request.header("x-user").map(str::to_owned);
        (target.url, target.request.authority, user)
    };
    for (line, url, authority, user) in [
        ("a:1 --insecure --call a.B/C", "http://a:1/a.B/C", "a:1", None),
        ("a:1 --insecure --call a.B.C", "http://a:1/a.B/C", "a:1", None),
        ("a:1 --call /a.B/C --authority b.test", "https://a:1/a.B/C", "b.test", None),
        ("dns:///a --call a.B/C", "https://a/a.B/C", "a", None),
        ("[::1] --insecure --call a.B/C", "http://[::1]:443/a.B/C", "[::1]:443", None),
        ("a:1 --insecure --call a.B/C -m '{\"x-user\":\"1\"}' -d '{}'", "http://a:1/a.B/C", "a:1", Some("1")),
    ] {
        assert_eq!(request(line), (url.to_owned(), authority.to_owned(), user.map(str::to_owned)), "{line}");
    }
    let trusting = ghz("--skipTLS --cname b.test a:1").unwrap().spec.plan.tls;
    assert_eq!((trusting.trust, trusting.server), (Trust::Anyone, Some(Host::Name("b.test".to_owned()))));
}

#[test]
fn messages_are_made_of_json_by_types_that_are_given_or_asked_for() {
    const PROTO: &[u8] = b"syntax = \"proto3\"; package a; message M { string id = 1; int32 n = 2; } \
        service B { rpc C(M) returns (M); }";
    let files = |path: &Path| match path.to_str() {
        Some("a.proto") => Ok(PROTO.to_vec()),
        _ => Err(io::Error::other("no such file")),
    };
    let target = |line: &str| {
        let ghz = read(&shell_words::split(line).unwrap(), &files).unwrap_or_else(|why| panic!("{line}: {why}"));
        ghz.spec.plan.targets[0].clone()
    };
    let known = target("--insecure --proto a.proto --call a.B.C -d '{\"n\":7}' -e --max-recv-message-size 1KiB a:1");
    assert_eq!(&*known.request.body, b"\0\0\0\0\x02\x10\x07");
    assert_eq!((known.call.gzip, known.call.most_bytes), (true, Some(1024)));
    let drawn = target("--insecure --proto a.proto --call a.B.C -d '{\"id\":\"{{.RequestNumber}}\"}' a:1");
    let first = drawn.drawn.as_ref().unwrap().request(&drawn.request, 0, 0);
    assert_eq!(&*first.body, b"{\"id\":\"1\"}");
    let asked = line("ghz --insecure --proto a.proto --call a.B/C -d '{\"n\":7}' a:1").unwrap().spec.plan;
    assert!(asked.asks(), "no file is read for a hook");
}

#[test]
fn files_are_read_where_there_are_some() {
    let files = |path: &Path| match path.to_str() {
        Some("m.json") => Ok(b"{\"x-user\": 7}".to_vec()),
        Some("d.json") => Ok(b" {}\n".to_vec()),
        Some("d.bin") => Ok(vec![8, 1, 0xff]),
        _ => Err(io::Error::other("no such file")),
    };
    let words = shell_words::split("--insecure -M m.json -B d.bin a:1").unwrap();
    let request = read(&words, &files).unwrap().spec.plan.targets[0].request.clone();
    assert_eq!((request.header("x-user"), &*request.body), (Some("7"), &[8, 1, 0xff][..]));
    let words = shell_words::split("--insecure -D d.json a:1").unwrap();
    let request = read(&words, &files).unwrap().spec.plan.targets[0].request.clone();
    assert_eq!(&*request.body, [0; 5], "an empty message");
    let said = line("ghz --insecure -M m.json a:1").unwrap_err().to_string();
    assert!(said.starts_with("--metadata-file: got 'm.json'") && said.contains("no file is read for a line"), "{said}");
}

#[test]
fn the_report_is_what_was_asked_for() {
    let shown =
        ghz("--insecure -O pretty -o out.json --name n --tags '{\"a\":\"b\"}' --count-errors a:1").unwrap().shown;
    let (output, name, tags) = (Some("out.json".to_owned()), "n".to_owned(), "{\"a\":\"b\"}".to_owned());
    assert_eq!(shown, Shown { form: Form::Pretty, output, name, tags, count_errors: true });
    assert_eq!(ghz("--insecure a:1").unwrap().shown, Shown::default());
}

#[test]
fn everything_else_is_refused_by_name_or_told_to_change_nothing() {
    for (line, part) in [
        ("--insecure", "host: got nothing, expected HOST:PORT"),
        ("--insecure a:1 b:2", "host: got 'b:2', expected one host"),
        ("--insecure http://a:1", "host: got 'http://a:1', expected HOST:PORT; without a scheme"),
        ("--insecure --nope a:1", "unknown long flag '--nope'"),
        ("--async --insecure a:1", "--async: got nothing, expected another way; a rate holds"),
        (
            "--load-schedule=line --insecure a:1",
            "--load-schedule: got 'line', expected another way; tollgate run --stage",
        ),
        ("-O html --insecure a:1", "--format: got 'html', expected summary, csv, json or pretty"),
        ("-b --insecure a:1", "--binary: got nothing, expected another way; nothing is read from standard input"),
        ("-c 0 --insecure a:1", "--concurrency: got '0', expected a whole number from 1 to 65535"),
        ("-n none --insecure a:1", "--total: got 'none'"),
        ("-z soon --insecure a:1", "--duration: got 'soon'"),
        ("-x soon --insecure a:1", "--max-duration: got 'soon'"),
        ("--connections 0 --insecure a:1", "--connections: got '0'"),
        ("-m '[1]' --insecure a:1", "--metadata: got nothing, expected a JSON object"),
        ("--tags 1 --insecure a:1", "--tags: got '1', expected a JSON object"),
        ("--cname a/b a:1", "--cname: got 'a/b', expected a host name"),
        ("-d '{\"a\":1}' --insecure a:1", "--data: got '{\"a\":1}', expected a JSON object that fits"),
        ("--max-recv-message-size 4TB --insecure a:1", "--max-recv-message-size: got '4TB'"),
        ("--call x --insecure a:1", "--call: got 'x', expected PACKAGE.SERVICE/METHOD"),
        ("--help", "help requested"),
        ("--version", "version requested"),
    ] {
        let said = ghz(line).unwrap_err();
        assert!(said.contains(part), "{line}: {said}");
    }
    let all = ghz("-c 0 -n 0 --async a:1 b:2").unwrap_err();
    assert_eq!(all.lines().count(), 4, "all at once: {all}");
    let notes = ghz("--insecure --call a.B/C --duration-stop wait --keepalive=1m a:1").unwrap().spec.notes;
    let said = [
        "--duration-stop has no effect: calls under way at the end are waited for, and count",
        "--keepalive has no effect: a connection is used all the time",
    ];
    assert_eq!(notes, said);
    let notes = line("ghz --insecure --call a.B/C --proto a.proto a:1").unwrap().spec.notes;
    assert_eq!(notes, ["--proto is not read in a hook: the server is asked, unless proto says it"]);
    assert_eq!(line("hey -c 2 http://a/").unwrap_err().to_string(), "'hey' is not ghz");
}

#[test]
fn every_flag_stands_in_the_documentation() {
    let docs = include_str!("../../../docs/migrating.md");
    let missing: Vec<&str> = FLAGS
        .iter()
        .map(|(flag, _)| flag.name)
        .filter(|name| name.len() > 1 && !docs.contains(&format!("`--{name}`")))
        .collect();
    assert!(missing.is_empty(), "docs/migrating.md lacks {missing:?}");
    let read = FLAGS.iter().filter(|(flag, used)| *used == Use::Read && flag.name.len() > 1);
    let missing: Vec<&str> = read
        .map(|(flag, _)| flag.name)
        .filter(|name| !USAGE.contains(name) && !["help", "version"].contains(name))
        .collect();
    assert!(missing.is_empty(), "the usage lacks {missing:?}");
}

proptest! {
    #[test]
    fn any_line_is_a_load_or_a_refusal_that_says_why(
        words in prop::collection::vec(
            "(-n|-c|-z|-x|-r|-t|-d|-D|-m|-O|-e|-b|--call|--cname|--insecure|--connections|--proto|--no-insecure|--)?(=| )?[-a-zA-Z0-9.:/{}\"'\\[\\] é]{0,12}",
            0..8,
        ),
    ) {
        match line(&format!("ghz {}", words.join(" "))) {
            Ok(ghz) => {
                let (open, kept) = (&ghz.spec().plan, ghz.kept());
                prop_assert!(kept.lanes >= 1 && kept.lanes == kept.max_lanes && open.lanes == kept.lanes);
                prop_assert!(kept.links >= Some(1) && kept.streams >= 1 && open.wire == Wire::Grpc);
                prop_assert!(kept.schedule.stop.count.is_some() || kept.schedule.stop.duration.is_some());
                let request = &open.targets[0].request;
                let texts = request.headers.iter().flat_map(|(name, value)| [name, value]);
                let mut texts = texts.chain([&request.method, &request.path, &request.authority]);
                prop_assert!(!texts.any(|text| text.contains(['\r', '\n', '\0'])));
            }
            Err(refusal) => {
                let said = refusal.to_string();
                prop_assert!(!said.is_empty() && !said.chars().any(|c| c.is_control() && c != '\n'), "{:?}", said);
            }
        }
    }
}
