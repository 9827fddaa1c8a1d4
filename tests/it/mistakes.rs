//! Wrong input: one message each, all of them at once, exit code 2, and nothing sent.

use super::practice::{practice, url};
use super::tollgate::{Ended, Running, by_shell, run};

/// The lines of standard error before the one that says where to read on.
fn mistakes(ended: &Ended) -> Vec<&str> {
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:#?}");
    let lines: Vec<&str> = ended.stderr.lines().collect();
    let (see, mistakes) = lines.split_last().unwrap_or_else(|| panic!("nothing said: {ended:#?}"));
    assert!(see.starts_with("see tollgate ") && see.ends_with(" --help"), "{ended:#?}");
    mistakes.to_vec()
}

#[test]
fn each_wrong_flag_has_one_line_with_key_value_and_what_is_allowed() {
    let server = practice("");
    let target = url(&server, "/");
    for (arguments, expected) in [
        ("-c 0", "-c/--connections: got '0', expected a whole number from 1 to 65535"),
        ("-c two", "-c/--connections: got 'two', expected a whole number from 1 to 65535"),
        ("-n -5", "-n/--requests: got '-5', expected a whole number from 1 to 1000000000000"),
        ("-n 1.5", "-n/--requests: got '1.5', expected a whole number from 1 to 1000000000000"),
        ("-z 10", "-z/--duration: got '10', expected a duration such as 10s, 1m30s or 1.5h; "),
        ("-z 10d", "-z/--duration: got '10d', expected a duration such as 10s, 1m30s or 1.5h; "),
        ("-q -1", "-q/--rate-per-connection: got '-1', expected a number of requests per second, such as 10 or 0.5"),
        ("--rate 0", "--rate: got '0', expected a rate above zero up to 10000000/s"),
        ("--rate 5/y", "--rate: got '5/y', expected a rate above zero up to 10000000/s"),
        ("--stage 30s", "--stage: got '30s', expected DURATION:RATE or DURATION:RATE..RATE"),
        ("--stage 1s:5/s -z 3s", "-z/--duration: got '3s', expected nothing beside --stage; each stage has its own"),
        ("--rate 5/s -q 3", "-q/--rate-per-connection: got '3', expected no -q beside --rate"),
        ("-c 9 -q 1 --max-lanes 3", "--max-lanes: got '3', expected at least the 9 lanes of -c"),
        ("-t soon", "-t/--timeout: got 'soon', expected whole seconds such as 20, or a duration such as 1500ms"),
        ("-m G:T", "-m/--method: got 'G:T', expected an HTTP method such as GET, POST or PUT"),
        ("-H nocolon", "-H/--header: got 'nocolon', expected 'Name: value'"),
        ("-H Content-Length:3", "-H/--header: got 'Content-Length:3', expected"),
        ("-H Transfer-Encoding:chunked", "-H/--header: got 'Transfer-Encoding:chunked', expected"),
        ("--host a/b", "--host: got 'a/b', expected a host name or address, with or without a port"),
        ("-a nobody", "-a/--basic-auth: got '***', expected USER:PASSWORD without control characters"),
        ("-D /nonexistent/body", "-D/--body-file: got '/nonexistent/body', expected a file that can be read"),
        ("-D /", "-D/--body-file: got '/', expected a file that can be read"),
        ("-d a -D /etc/hostname", "-D/--body-file: got '/etc/hostname', expected"),
        ("-o xml", "-o/--output: got 'xml', expected text, json, csv, junit or html"),
        (
            "--report /nonexistent/r.json",
            "--report: got '/nonexistent/r.json', expected a file name that ends in .json, .html, .xml (JUnit) or .csv; there is no",
        ),
        (
            "--report /etc/",
            "--report: got '/etc/', expected a file name that ends in .json, .html, .xml (JUnit) or .csv; that is a folder",
        ),
        ("--success 2xy", "--success: got '2xy', expected statuses such as 2xx, 200-399, 200,204 or non-5xx"),
        ("--resolve a:1", "--resolve: got 'a:1', expected HOST:PORT:ADDRESS[,ADDRESS]"),
        ("--resolve a.test:80:127.0.0.1", "--resolve: got 'a.test:80:127.0.0.1', expected HOST:PORT:ADDRESS[,ADDRESS]"),
        ("--workers 5000", "--workers: got '5000', expected a whole number from 0 to 1024"),
        ("--connection-age 5", "--connection-age: got '5', expected a duration such as"),
        ("--quiet=yes", "--quiet: got 'yes', expected no value; it is a switch: give it, or leave it out"),
        ("--requets 5", "flag: got '--requets', expected a flag that exists; did you mean --requests?"),
        (
            "-x proxy:3128",
            "-x/--proxy: got '***', expected an address such as http://[USER:PASSWORD@]HOST:PORT; did you",
        ),
        ("-c", "-c/--connections: got nothing, expected a whole number from 1 to 65535"),
        ("another", "URL: got 'another', expected URLs and nothing else beside the flags"),
    ] {
        let ended = run(["run", &target].into_iter().chain(arguments.split_whitespace()));
        let said = mistakes(&ended);
        assert!(said.len() == 1 && said[0].starts_with(expected), "{arguments}: {said:#?}");
    }
    let truth = server.stop();
    assert_eq!((truth.received, truth.connections.accepted), (0, 0), "nothing was sent");
}

#[test]
fn a_wrong_url_says_what_to_write() {
    let allowed = "expected an address such as http://HOST[:PORT][/PATH] or https://…";
    for (given, why) in [
        ("ftp://podinfo.test/", "only http:// and https:// are supported"),
        ("podinfo.test/x", "did you mean http://podinfo.test/x?"),
        ("127.0.0.1:80", "did you mean http://127.0.0.1:80?"),
        ("http://", "the host is missing"),
        ("http://a:99999/", "a port is a number from 1 to 65535"),
        ("http://a b/", "blanks and control characters are not allowed; in a path, a blank is written %20"),
    ] {
        let ended = run(["run", "-n", "1", given]);
        assert_eq!(mistakes(&ended), [format!("URL: got '{given}', {allowed}; {why}")]);
    }
    assert_eq!(mistakes(&run(["run"])), [format!("URL: got nothing, {allowed}")]);
}

#[test]
fn a_wrong_objective_is_shown_with_a_caret_under_each_mistake() {
    let server = practice("");
    for (line, expected) in [
        ("p99<", "p99<\n    ^ expected a quantity such as 300ms"),
        ("sucess>=99%", "sucess>=99%\n^ unknown metric 'sucess'; did you mean 'success'?"),
        ("p99<500", "p99<500\n"),
        ("success>=101%", "success>=101%\n"),
        ("", "--slo: "),
    ] {
        let ended = run(["run", "-n", "10", "--slo", line, &url(&server, "/")]);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{line}: {ended:#?}");
        assert!(ended.stderr.starts_with("--slo: ") && ended.stderr.contains(expected), "{line}: {}", ended.stderr);
    }
    let two = run(["run", "--slo", "sucess>=99%, p99<500ms, p101<1s", &url(&server, "/")]);
    assert!(two.stderr.contains("did you mean 'success'?") && two.stderr.contains("p101"), "{}", two.stderr);
    let refused = run(["run", "--slo", "p95<=primary+10%, avg<1s over=10s", &url(&server, "/")]);
    assert_eq!(refused.code, Some(2));
    for part in
        ["primary: say where the release in service is: --primary URL", "avg<1s: over= is for shares and quantiles"]
    {
        assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
    }
    assert_eq!(server.stop().connections.accepted, 0);
}

#[test]
fn all_mistakes_are_told_at_once() {
    let arguments = "run --bogus 3 -c none -z 5 -H bad -m G:T --slo p99< -t x -D /nonexistent -o xml ftp://a.test/";
    let ended = run(arguments.split_whitespace().chain(["--report", "/nonexistent/r"]));
    let said = mistakes(&ended);
    for key in [
        "flag: got '--bogus'",
        "URL: got 'ftp://a.test/'",
        "-c/--connections: ",
        "-z/--duration: ",
        "-H/--header: ",
        "-m/--method: ",
        "--slo: cannot be read",
        "-t/--timeout: ",
        "-D/--body-file: ",
        "-o/--output: ",
        "--report: ",
    ] {
        let about = said.iter().filter(|line| line.starts_with(key)).count();
        assert_eq!(about, 1, "{key}: {said:#?}");
    }
}

#[test]
fn no_message_repeats_a_password() {
    let ended = run(["run", "-c", "x", "-a", "s3cret", "-H", "Authorization s3cret", "ann:s3cret@a.test"]);
    assert_eq!(ended.code, Some(2));
    assert!(!ended.stderr.contains("ann"), "{}", ended.stderr);
    let header = run(["run", "-H", "Authorization: Bearer s3cret\u{1}", "http://ann:s3cret@a.test:x/"]);
    assert!(!header.stderr.contains("s3cret"), "{}", header.stderr);
}

#[test]
fn too_few_descriptors_are_said_before_the_start() {
    let server = practice("");
    let target = url(&server, "/");
    let ended = Running::start(by_shell(
        "ulimit -Sn 64; ulimit -Hn 64; exec \"$0\" \"$@\"",
        ["run", "-n", "100", "-c", "50", "--report", "/proc/none.json", &target],
    ))
    .finish();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:#?}");
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert_eq!(
        lines[0],
        "-c/--connections, --max-lanes: 50 lanes need 82 open files, and the limit is 64; raise it with ulimit -n, or \
         ask for at most 32 lanes"
    );
    assert!(lines.len() == 2 && lines[1].starts_with("--report: cannot write '/proc/none.json': "), "{lines:?}");
    let truth = server.stop();
    assert_eq!((truth.received, truth.connections.accepted), (0, 0));
}

#[test]
fn a_soft_limit_of_descriptors_is_raised() {
    // So slow that no lane is done before the last one has begun.
    let server = practice("latency 2s");
    let line = "ulimit -Sn 64; exec \"$0\" \"$@\"";
    let ended = Running::start(by_shell(line, ["run", "-n", "150", "-c", "150", &url(&server, "/")])).finish();
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!((server.truth().succeeded, server.stop().connections.peak), (150, 150));
}

#[test]
fn other_commands_refuse_what_they_do_not_know() {
    for (arguments, expected) in [
        ("rnu", "command: got 'rnu', expected one of run, "),
        ("smoke", "FILE: got nothing, expected at least one file"),
        ("demo now", "argument: got 'now', expected none"),
        ("canary --eror 2%", "flag: got '--eror=2%', expected a flag that exists; did you mean --errors?"),
        ("canary --errors 200%", "--errors \"200%\": "),
        ("canary --listen nowhere", "--listen \"nowhere\": "),
        ("canary --reset 60% --close 60%", "--close: the shares of reset, close add up to 120%; at most 100%"),
    ] {
        let ended = run(arguments.split_whitespace());
        let said = mistakes(&ended);
        assert!(said.len() == 1 && said[0].starts_with(expected), "{arguments}: {said:#?}");
    }
    let both = run(["canary", "--errors", "x", "--stall", "1s", "--port", "99999"]);
    assert_eq!(mistakes(&both).len(), 3, "{}", both.stderr);
    assert_eq!(run::<&str>([]).code, Some(2));
}

#[test]
fn a_port_that_is_taken_is_named() {
    let server = practice("");
    let ended = run(["canary", "--port", &server.addr().port().to_string()]);
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    assert!(ended.stderr.contains(&server.addr().to_string()) && ended.stderr.contains("--port"), "{}", ended.stderr);
}

#[test]
fn help_and_version_are_no_mistakes() {
    let version = concat!("tollgate ", env!("CARGO_PKG_VERSION"), "\n");
    for (arguments, expected) in [
        ("--version", version),
        ("run -V", version),
        ("canary --version", version),
        ("--help", "tollgate stands between a new release and its users"),
        ("run --help", "Makes load against URL"),
        ("run -h", "Makes load against URL"),
        ("canary --help", "Serves a practice canary"),
        ("demo --help", "Shows three releases let in step by step and judged"),
    ] {
        let ended = run(arguments.split_whitespace());
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{arguments}");
        assert!(
            ended.stdout.starts_with(expected) && !ended.stdout.contains('\u{1b}'),
            "{arguments}: {}",
            ended.stdout
        );
    }
}
