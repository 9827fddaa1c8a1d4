use std::time::Duration;

use super::*;
use crate::plan::{Arrivals, Rate};

fn parse(words: &[&str]) -> Result<Invocation, Refusal> {
    parse_with(
        words.iter().map(OsString::from),
        &|path| match path.to_str() {
            Some("body") => Ok(b"from a file".to_vec()),
            _ => Err(io::Error::new(io::ErrorKind::NotFound, "no such file")),
        },
        7,
    )
}

fn spec_of(words: &[&str]) -> Spec {
    match parse(words) {
        Ok(Invocation::Run(spec)) => *spec,
        other => panic!("{words:?}: {other:?}"),
    }
}

/// The lines of the mistakes, without the pointer to the help.
fn lines(words: &[&str]) -> Vec<String> {
    let refusal = parse(words).unwrap_err().to_string();
    let mut lines: Vec<String> = refusal.lines().map(str::to_owned).collect();
    assert_eq!(lines.pop().as_deref(), Some("see tollgate run --help"));
    lines
}

#[test]
fn the_command_is_sound_and_knows_every_flag_of_the_table() {
    let command = run_command();
    command.clone().debug_assert();
    for key in KEYS.iter().filter(|key| key.is_flag()) {
        let arg = command.get_arguments().find(|arg| arg.get_long() == key.long).unwrap();
        assert_eq!(arg.get_short(), key.short, "{key}");
        assert_eq!(arg.get_help_heading(), Some(key.group.heading()), "{key}");
    }
    let known = KEYS.iter().filter(|key| key.is_for_run()).count();
    assert_eq!(command.get_arguments().count(), known + 2, "the table, help and version, nothing else");
}

/// A line; seconds, rate and lanes; the host, a header of its own, and why the row is there.
type Meant = (&'static str, u64, u32, u32, &'static str, Option<(&'static str, &'static str)>, &'static str);

/// One row for every shape of a hey line that Flagger's documentation, tests and examples have.
const MEANT: [Meant; 11] = [
    ("-z 1m -q 10 -c 2 http://podinfo.test:9898/", 60, 20, 2, "podinfo.test:9898", None, "plain"),
    ("-z 2m -q 20 -c 2 http://podinfo-svc-canary.test/", 120, 40, 2, "podinfo-svc-canary.test", None, "twenty"),
    ("-z 10m -q 10 -c 2 http://podinfo.test/status/500", 600, 20, 2, "podinfo.test", None, "a failing path"),
    ("-z 1m -q 5 -c 2 http://podinfo.test/delay/1", 60, 10, 2, "podinfo.test", None, "a slow path"),
    ("-z 5m -q 10 -c 2 http://podinfo-canary.test", 300, 20, 2, "podinfo-canary.test", None, "no path"),
    ("-z 1m -c 5 -q 5 http://app.example.com/status/500", 60, 25, 5, "app.example.com", None, "another order"),
    ("-z 10s -q 50 -c 10 http://svc:3000/ping", 10, 500, 10, "svc:3000", None, "a short name"),
    (
        "-z 2m -q 10 -c 2 -host app.example.com http://ingress-nginx-controller.ingress-nginx/",
        120,
        20,
        2,
        "app.example.com",
        None,
        "a host",
    ),
    (
        "-z 1m -q 5 -c 5 -H|Cookie: canary=insider -host app.example.com http://envoy.projectcontour",
        60,
        25,
        5,
        "app.example.com",
        Some(("Cookie", "canary=insider")),
        "a cookie, then a host",
    ),
    (
        "-z 2m -q 10 -c 2 -host www.example.com -H|X-Canary: insider http://gateway-istio.istio-ingress",
        120,
        20,
        2,
        "www.example.com",
        Some(("X-Canary", "insider")),
        "a host, then a header",
    ),
    (
        "-z=1m -q=10 --c=2 --host=a -disable-keepalive -disable-compression http://b/",
        60,
        20,
        2,
        "a",
        None,
        "Go's other spellings",
    ),
];

#[test]
fn hey_lines_of_flaggers_users_mean_what_they_mean_to_hey() {
    for (line, seconds, per_second, lanes, authority, own_header, why) in MEANT {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let words = with_header(&words);
        let spec = spec_of(&words.iter().map(String::as_str).collect::<Vec<_>>());
        let plan = &spec.plan;
        assert_eq!(plan.schedule.stop.duration, Some(Duration::from_secs(seconds)), "{why}");
        assert_eq!(plan.schedule.arrivals, Arrivals::Steady(Rate::per_second(per_second).unwrap()), "{why}");
        assert_eq!(plan.schedule.total(), Some(seconds * u64::from(per_second)), "{why}");
        assert_eq!((plan.lanes, plan.targets[0].request.authority.as_str()), (lanes, authority), "{why}");
        if let Some((name, value)) = own_header {
            assert_eq!(plan.targets[0].request.header(name), Some(value), "{why}");
        }
        assert_eq!(spec.notes, [""; 0], "{why}");
    }
}

/// `-H|Name:`, `value` as the two words a shell would make of it.
fn with_header(words: &[String]) -> Vec<String> {
    let mut out = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.split_once('|') {
            Some((flag, name)) => out.extend([flag.to_owned(), format!("{name} {}", words.next().unwrap())]),
            None => out.push(word.clone()),
        }
    }
    out
}

#[test]
fn a_post_of_hey_keeps_its_body_and_content_type() {
    let words =
        ["-z", "1m", "-q", "10", "-c", "2", "-m", "POST", "-d", "{test: 2}", "http://podinfo-canary.test:9898/echo"];
    let request = spec_of(&words).plan.targets[0].request.clone();
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/echo"));
    assert_eq!((&*request.body, request.header("Content-Type")), (&b"{test: 2}"[..], Some("text/html")));
}

#[test]
fn heys_everyday_flags_all_work_together() {
    let words = [
        "-n",
        "100",
        "-c",
        "5",
        "-m",
        "put",
        "-H",
        "A: b",
        "-H",
        "A: c",
        "-D",
        "body",
        "-T",
        "a/b",
        "-A",
        "x/y",
        "-U",
        "me",
        "-t",
        "5",
        "-a",
        "u:p",
        "-o",
        "json",
        "http://h/",
    ];
    let spec = spec_of(&words);
    let request = &spec.plan.targets[0].request;
    assert_eq!((spec.plan.schedule.total(), spec.plan.lanes), (Some(100), 5));
    assert_eq!((request.method.as_str(), &*request.body), ("PUT", &b"from a file"[..]));
    let headers: Vec<String> = request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    assert_eq!(
        headers,
        ["User-Agent: me", "Accept: x/y", "Content-Type: a/b", "Authorization: Basic dTpw", "A: b", "A: c"]
    );
    assert_eq!(spec.plan.timeout, Some(Duration::from_secs(5)));
}

#[test]
fn heys_flag_for_http2_is_ours() {
    for words in [["-h2", "http://h/"], ["--h2", "http://h/"], ["--http2", "http://h/"]] {
        assert_eq!(spec_of(&words).plan.wire, crate::plan::Wire::Http2, "{words:?}");
    }
    let words = ["--protocol", "http1", "-h2", "http://h/"];
    assert_eq!(lines(&words), ["--protocol: got 'http1', expected http2 beside --http2; name one protocol"]);
}

#[test]
fn what_hey_can_and_we_cannot_is_refused_with_the_reason() {
    for (words, expected) in [
        (
            vec!["-cpus", "4", "http://h/"],
            vec!["flag: got '--cpus', expected a flag that exists; --workers sets the number of threads"],
        ),
        (
            vec!["-z", "1m", "-q", "5", "podinfo.test.svc.cluster.local/status/500"],
            vec![
                "URL: got 'podinfo.test.svc.cluster.local/status/500', expected an address such as http://HOST[:PORT][/PATH] or https://…; did you mean http://podinfo.test.svc.cluster.local/status/500?",
            ],
        ),
        (vec!["-o", "yaml", "http://h/"], vec!["-o/--output: got 'yaml', expected text, json, csv, junit or html"]),
    ] {
        assert_eq!(lines(&words), expected);
    }
}

#[test]
fn flags_may_follow_the_url() {
    let spec = spec_of(&["http://h/", "-z", "5m", "-c", "3"]);
    assert_eq!((spec.plan.schedule.stop.duration, spec.plan.lanes), (Some(Duration::from_secs(300)), 3));
}

#[test]
fn all_unknown_flags_and_all_bad_values_come_at_once() {
    assert_eq!(
        lines(&[
            "-c",
            "abc",
            "--rtae",
            "20/s",
            "--secret-thing=hush",
            "-t",
            "soon",
            "-j9",
            "--quiet=no",
            "-n",
            "--slo",
            "x"
        ]),
        [
            "-n/--requests: got nothing, expected a whole number from 1 to 1000000000000",
            "flag: got '--rtae', expected a flag that exists; did you mean --rate?",
            "flag: got '--secret-thing', expected a flag that exists",
            "flag: got '-j9', expected a flag that exists",
            "--quiet: got 'no', expected no value; it is a switch: give it, or leave it out",
            "URL: got '20/s', expected an address such as http://HOST[:PORT][/PATH] or https://…; did you mean http://20/s?",
            "-c/--connections: got 'abc', expected a whole number from 1 to 65535",
            "-t/--timeout: got 'soon', expected whole seconds such as 20, or a duration such as 1500ms; not a duration: write numbers with units, such as 300ms, 10s, 1m30s or 1.5h",
            "--slo: cannot be read",
            "x",
            "^ unknown metric 'x'; use success, errors, p95, p99, 5xx, rps",
        ]
    );
}

#[test]
fn an_unknown_flag_is_met_with_the_nearest_name() {
    for (flag, suggested) in [
        ("--conections", Some("connections")),
        ("--headers", Some("header")),
        ("--stages", Some("stage")),
        ("--max-lane", Some("max-lanes")),
        ("--versoin", Some("version")),
        ("--cacrt", Some("cacert")),
        ("--zzz", None),
        ("-j", None),
    ] {
        let expected = match suggested {
            Some(name) => format!("flag: got '{flag}', expected a flag that exists; did you mean --{name}?"),
            None => format!("flag: got '{flag}', expected a flag that exists"),
        };
        assert_eq!(lines(&[flag, "http://h/"]), [expected]);
    }
}

#[test]
fn a_value_may_begin_with_a_dash_where_that_makes_sense() {
    let spec = spec_of(&["-d", "-host", "-H", "-x: y", "-A", "-", "http://h/"]);
    assert_eq!(&*spec.plan.targets[0].request.body, b"-host");
    assert_eq!(spec.plan.targets[0].request.header("-x"), Some("y"));
    assert!(
        lines(&["-z", "-5s", "http://h/"])[0]
            .ends_with("got '-5s', expected a duration such as 10s, 1m30s or 1.5h; it cannot be negative")
    );
    assert!(lines(&["-c", "-1", "http://h/"])[0].starts_with("-c/--connections: got '-1'"));
    assert_eq!(
        lines(&["-c", "-host", "a", "http://h/"]),
        ["-c/--connections: got nothing, expected a whole number from 1 to 65535"]
    );
}

#[test]
fn values_may_be_attached_or_empty() {
    let spec = spec_of(&["-c3", "-n=9", "--timeout=7s", "-A", "", "--user-agent=", "http://h/"]);
    assert_eq!((spec.plan.lanes, spec.plan.schedule.total()), (3, Some(9)));
    assert_eq!(spec.plan.timeout, Some(Duration::from_secs(7)));
    assert!(spec.plan.targets[0].request.headers.is_empty());
}

#[test]
fn the_last_value_counts_and_switches_may_come_twice() {
    let spec = spec_of(&["-c", "3", "-c", "4", "--quiet", "--quiet", "http://h/"]);
    assert_eq!((spec.plan.lanes, spec.quiet), (4, true));
}

#[test]
fn after_two_dashes_everything_is_the_url() {
    assert_eq!(spec_of(&["-c", "3", "--", "http://h/"]).plan.lanes, 3);
    assert!(lines(&["--", "-c"])[0].starts_with("URL: got '-c'"));
}

#[test]
fn words_that_look_like_urls_are_urls_and_others_are_strays() {
    assert_eq!(lines(&[]), ["URL: got nothing, expected an address such as http://HOST[:PORT][/PATH] or https://…"]);
    let stray = |word: &str| {
        format!(
            "URL: got '{word}', expected URLs and nothing else beside the flags; put a value that contains blanks in \
             quotes"
        )
    };
    assert_eq!(lines(&["-d", "{test:", "2}", "http://h/"]), [stray("2}")]);
    assert_eq!(lines(&["http://a/", "x", "http://b/", "y"]), [stray("x"), stray("y")]);
    let spec = spec_of(&["http://a/", "-c", "3", "http://b/", "http://a/", "--weights", "3,2,1"]);
    let targets: Vec<_> = spec.plan.targets.iter().map(|target| (target.url.as_str(), target.weight)).collect();
    assert_eq!(targets, [("http://a/", 3), ("http://b/", 2), ("http://a/", 1)]);
}

#[test]
fn a_seed_counts_when_it_is_given_and_is_another_one_each_time_when_not() {
    assert_eq!(spec_of(&["http://a/?{{counter}}"]).plan.seed, 7, "what the test gives for a fresh one");
    assert_eq!(spec_of(&["http://a/?{{counter}}", "--seed", "0"]).plan.seed, 0);
    let fresh: std::collections::BTreeSet<u64> = (0..20).map(|_| fresh_seed()).collect();
    assert!(fresh.len() == 20 && fresh.iter().all(|seed| *seed < 1 << 53));
}

#[test]
fn help_and_version_are_shown_and_nothing_else_is_read() {
    for words in [vec!["-h"], vec!["--help"], vec!["-c", "abc", "--help"], vec!["--bogus", "-h"]] {
        let Ok(Invocation::Show(text)) = parse(&words) else { panic!("{words:?}") };
        assert!(text.contains("Usage: tollgate run [OPTIONS] URL"), "{text}");
        for heading in ["Load:", "Request:", "Objective:", "Output:", "Examples:"] {
            assert!(text.contains(heading), "{heading} is missing in {text}");
        }
        for key in KEYS.iter().filter_map(|key| key.long) {
            assert!(text.contains(&format!("--{key}")), "--{key} is missing in {text}");
        }
    }
    for words in [["-V"], ["--version"]] {
        let Ok(Invocation::Show(text)) = parse(&words) else { panic!("{words:?}") };
        assert!(text.trim_end().ends_with(env!("CARGO_PKG_VERSION")), "{text}");
    }
}

#[test]
fn every_example_of_the_help_is_a_command_that_works() {
    let examples: Vec<&str> = EXAMPLES.lines().filter_map(|line| line.trim().strip_prefix("tollgate run ")).collect();
    assert_eq!(examples.len(), 7);
    for example in examples {
        // Single quotes are the only quoting in them.
        let mut words = Vec::new();
        for (i, piece) in example.split('\'').enumerate() {
            if i % 2 == 1 { words.push(piece) } else { words.extend(piece.split_whitespace()) }
        }
        assert_eq!(spec_of(&words).notes, [""; 0], "{example}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_not_utf_8_is_refused() {
    use std::os::unix::ffi::OsStringExt as _;
    let broken = |text: &[u8]| OsString::from_vec(text.to_vec());
    for words in [
        vec![OsString::from("-d"), broken(b"\xff"), OsString::from("http://h/")],
        vec![broken(b"http://h/\xff")],
        vec![broken(b"--bog\xffus"), OsString::from("http://h/")],
        vec![broken(b"-\xff"), OsString::from("http://h/")],
    ] {
        let refusal = parse_with(words.clone().into_iter(), &|_| Ok(Vec::new()), 7);
        assert!(refusal.is_err(), "{words:?}: {refusal:?}");
    }
}

#[test]
fn a_body_file_is_read_from_disk_and_its_absence_is_a_mistake() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("body");
    std::fs::write(&path, b"from disk").unwrap();
    let words = |path: &Path| [OsString::from("-D"), path.into(), OsString::from("http://h/")].into_iter();
    let Ok(Invocation::Run(spec)) = parse_run(words(&path)) else { panic!("a file that exists") };
    assert_eq!(&*spec.plan.targets[0].request.body, b"from disk");
    assert!(parse_run(words(folder.path())).is_err(), "a folder is no file");
    assert!(parse_run(words(&folder.path().join("absent"))).is_err());
    #[cfg(unix)]
    assert!(parse_run(words(Path::new("/dev/zero"))).is_err(), "an endless file ends at the limit");
}
