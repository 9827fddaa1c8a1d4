use super::super::program::NoProgram;
use super::*;

const LINES: &str = include_str!("corpus.tsv");

fn metadata(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// What is done: a program and its arguments, or for each request its method, URL and the patterns looked for.
fn shape(pairs: &[(&str, &str)], allowed: &Allowed) -> Result<String, String> {
    Ok(match Task::read(&metadata(pairs), allowed)?.work {
        Work::Child(program, arguments) => format!("{program} {arguments:?}"),
        Work::Concord(process) => process.start().plan.targets[0].url.clone(),
        Work::Ngrinder(test) => test.start().plan.targets[0].url.clone(),
        Work::Checks(checks) => {
            let check = |check: &Check| {
                let target = &check.plan().targets[0];
                let greps = check.greps.iter().map(|grep| format!(" | {}", grep.pattern()));
                format!("{} {}{}", target.request.method, target.url, greps.collect::<String>())
            };
            checks.iter().map(check).collect::<Vec<_>>().join(" && ")
        }
    })
}

#[test]
fn every_command_of_flagger_is_done_or_refused_with_advice() {
    let (none, all) = (Allowed::default(), "bash,cmd,helm,kubectl".parse::<Allowed>().unwrap());
    let mut rows = 0;
    for row in LINES.lines().filter(|row| !row.starts_with('#')) {
        let columns: Vec<&str> = row.split('\t').collect();
        let [kind, line, place, here, allowed] = columns[..] else { panic!("5 columns: {row}") };
        let pairs = [("type", kind), ("cmd", line)];
        let shown = |result: Result<String, String>| result.unwrap_or_else(|why| format!("refused: {why}"));
        assert_eq!(shown(shape(&pairs, &none)), here, "{place}: {line}");
        assert_eq!(shown(shape(&pairs, &all)), if allowed == "same" { here } else { allowed }, "{place}: {line}");
        rows += 1;
    }
    assert_eq!(rows, 31);
}

#[test]
fn a_task_is_refused_with_what_to_change() {
    let all = "bash,cmd,helm,kubectl".parse::<Allowed>().unwrap();
    for (pairs, said) in [
        (&[("type", "bash")][..], "cmd not found in metadata"),
        (&[("type", "bash"), ("cmd", " ")], "cmd: the command is empty"),
        (
            &[("type", "shell"), ("cmd", "x")],
            "unknown task type shell; expected cmd, bash, helm, helmv3, kubectl, concord or ngrinder",
        ),
        (
            &[("type", ""), ("cmd", "x")],
            "unknown task type ; expected cmd, bash, helm, helmv3, kubectl, concord or ngrinder",
        ),
        (
            &[("type", "concord")],
            "type: concord sends the file that apiKeyPath names to the server that the hook names; start tollgate serve \
             with --enable-exec=concord",
        ),
        (&[("type", "ngrinder")], "server, clone, username and passwd are required metadata"),
    ] {
        assert_eq!(shape(pairs, &all), Err(said.to_owned()), "{pairs:?}");
    }
    let only_helm = "helm".parse::<Allowed>().unwrap();
    let refused = shape(&[("type", "kubectl"), ("cmd", "get pods")], &only_helm).unwrap_err();
    let advice = "cmd: kubectl is a program that is not built in; or start tollgate serve with --enable-exec=kubectl";
    assert_eq!(refused, advice);
}

#[test]
fn load_is_no_task() {
    for (pairs, load, why) in [
        (&[("cmd", "hey -z 1m http://a/")][..], true, "a hey line"),
        (&[("type", "cmd"), ("cmd", "hey -z soon http://a/")], true, "one with a mistake, which says so itself"),
        (&[("cmd", "ghz --insecure a:80")], true, "a ghz line"),
        (&[("type", "cmd"), ("cmd", "ghz --async a:80")], true, "one with a mistake"),
        (&[("url", "http://a/")], true, "a URL"),
        (&[("cmd", "curl -s http://a/")], false, "a request"),
        (&[("cmd", "hey http://a/ && curl b")], false, "a mixture"),
        (&[("type", "bash"), ("cmd", "hey -z 1m http://a/")], false, "what a caller would wait for"),
        (&[("cmd", "")], false, "nothing"),
    ] {
        assert_eq!(Task::is_load(&metadata(pairs)), load, "{pairs:?}: {why}");
    }
}

#[test]
fn switches_are_read_as_go_reads_them() {
    let read = |output, log| {
        let pairs = [("cmd", "curl a"), ("returnCmdOutput", output), ("logCmdOutput", log)];
        let task = Task::read(&metadata(&pairs), &Allowed::default()).unwrap();
        (task.returns_output, task.logs_output, task.waited_for)
    };
    assert_eq!(read("true", "F"), (true, false, false));
    assert_eq!(read("yes", "1"), (false, true, false));
}

#[test]
fn programs_are_allowed_by_name() {
    let allowed: Allowed = "bash, concord".parse().unwrap();
    assert!(allowed.has(Program::Bash) && allowed.has_concord());
    let allowed: Allowed = "bash, helm".parse().unwrap();
    assert!(!allowed.has_concord());
    assert!(allowed.has(Program::Bash) && allowed.has(Program::Helm));
    assert!(!allowed.has(Program::Cmd) && !allowed.has(Program::Kubectl));
    for bad in ["", "sh", "bash,", "all"] {
        assert_eq!(bad.parse::<Allowed>(), Err(NoProgram), "{bad:?}");
    }
}
