use proptest::prelude::*;

use super::*;

/// What a line asks for: `hey`, or for each request its URL and the patterns that are looked for.
fn shape(line: &str) -> Result<String, String> {
    Ok(match read(line).map_err(|error| error.to_string())? {
        Line::Load(spec) => format!("load {}", spec.plan.targets[0].url),
        Line::Checks(checks) => {
            let check = |check: &Check| {
                let greps = check.greps.iter().map(|grep| format!(" | {}", grep.pattern()));
                format!("{}{}", check.plan().targets[0].url, greps.collect::<String>())
            };
            checks.iter().map(check).collect::<Vec<_>>().join(" && ")
        }
    })
}

#[test]
fn requests_are_joined_and_looked_through() {
    for (line, expected, why) in [
        ("curl -s http://a/", "http://a/", "one"),
        ("curl -sd x http://a/token | grep token", "http://a/token | token", "the usual form"),
        ("/usr/bin/curl http://a/ | egrep -q 'a|b' && curl b", "http://a/ | a|b && http://b/", "two"),
        ("curl a | grep -v x | fgrep y", "http://a/ | x | y", "one after the other"),
        ("curl -s a > /dev/null && curl -s b 2>&1", "http://a/ && http://b/", "output thrown away"),
        ("# is it there?\ncurl a", "http://a/", "a comment"),
        ("ghz --insecure a:80", "load http://a/grpc.health.v1.Health/Check", "load over gRPC"),
        ("tollgate hey http://a/", "load http://a/", "under our own name"),
        (
            "grpc_health_probe -addr=a:1 | grep SERVING && curl b",
            "http://a:1/grpc.health.v1.Health/Check | SERVING && http://b/",
            "a probe among requests",
        ),
        ("hey -z 1s http://a/ > /dev/null", "load http://a/", "load"),
    ] {
        assert_eq!(shape(line), Ok(expected.to_owned()), "{line}: {why}");
    }
}

#[test]
fn what_needs_a_shell_or_another_program_is_refused_by_name() {
    for (line, part) in [
        ("", "the command is empty"),
        ("curl a &&", "the command is empty"),
        ("curl a; curl b", "';' joins commands"),
        ("curl a || true", "'|' joins commands"),
        ("curl $URL", "'$' is filled in"),
        ("curl a > page", "'>' reads or writes a file"),
        ("curl a > /dev/null | grep b", "a redirection before '|'"),
        ("curl a | jq .status", "'jq' is a program that is not built in"),
        ("curl a | grep -q b && echo ok", "'echo' is a program"),
        ("! curl a", "'!' is a program"),
        ("grep a b", "grep reads what curl writes"),
        ("curl a | curl b", "curl reads nothing from a pipe"),
        ("hey http://a/ && curl a", "hey makes load"),
        ("curl a && hey http://a/", "hey makes load"),
        ("hey -z soon http://a/", "invalid value"),
        ("ghz --insecure a:80 && curl a", "ghz makes load"),
        ("curl a && tollgate ghz --insecure a:80", "ghz makes load"),
        ("ghz --async a:80", "--async"),
        ("curl a | grpc_health_probe -addr=a:1", "grpc_health_probe reads nothing from a pipe"),
        ("grpc_health_probe -addr=a:1 -tls -tls-ca-cert=ca.pem", "no file is read for a line"),
        ("curl -F a=b http://a/", "curl: the flag -F"),
        ("curl a | grep -A1 b", "grep: the flag -A1"),
    ] {
        let said = shape(line).expect_err(line);
        assert!(said.contains(part), "{line}: {said}");
        assert!(!said.contains('\n'), "{line}: {said}");
    }
}

#[test]
fn a_status_is_judged_unless_it_is_looked_for() {
    for (line, judged) in [
        ("curl a", true),
        ("curl a | grep b", true),
        ("curl -sI a | grep b", true),
        ("curl -so /dev/null -w '%{http_code}' a", true),
        ("curl -so /dev/null -w '%{http_code}' a | grep 404", false),
    ] {
        let Ok(Line::Checks(checks)) = read(line) else { panic!("{line}") };
        assert_eq!(checks[0].judges_status(), judged, "{line}");
    }
}

proptest! {
    #[test]
    fn no_line_makes_the_reader_panic(line in "(curl|grep|hey|ghz|grpc_health_probe|a)?([-a-zA-Z'\"\\\\|&;$`<>(){}\\[\\]%#=@:/.^*+?0-9é\n ]|curl | grep | -e | -w ){0,20}") {
        if let Ok(Line::Checks(checks)) = read(&line) {
            prop_assert!(!checks.is_empty());
            for check in &checks {
                prop_assert_eq!(check.plan().targets.len(), 1);
                for grep in &check.greps {
                    let (found, written) = grep.filter(&line);
                    prop_assert!(found || written.is_empty() || written == "0\n");
                }
            }
        }
    }
}
