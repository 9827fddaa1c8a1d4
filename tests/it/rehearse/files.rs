//! Canaries that cannot be rehearsed: what is said, and where.

use std::io::Write as _;

use tempfile::NamedTempFile;

use crate::tollgate::run;

const HEAD: &str = "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {name: a, namespace: b}\nspec:\n  targetRef: \
                    {apiVersion: apps/v1, kind: Deployment, name: a}\n  service: {port: 80}\n  analysis:\n    interval: 10s\n    \
                    threshold: 1\n    stepWeight: 50\n";

fn refused(text: &str, flags: &[&str]) -> String {
    let mut file = NamedTempFile::new().unwrap();
    write!(file, "{text}").unwrap();
    let path = file.path().to_str().unwrap();
    let ended = run(["rehearse", path].iter().chain(flags));
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:#?}");
    ended.stderr.replace(path, "FILE")
}

#[test]
fn what_cannot_be_rehearsed_is_told_with_its_place_and_what_to_do() {
    let hook = |url: &str, more: &str| {
        format!(
            "{HEAD}    webhooks:\n    - {{name: h, url: '{url}'{more}}}\n    - {{name: g, url: 'http://tollgate/'}}\n"
        )
    };
    for (text, flags, expected) in [
        (String::new(), &[][..], "FILE:1:1: there is nothing in it"),
        (format!("{HEAD}    webhooks: 5\n"), &[], "FILE:11:15: spec.analysis.webhooks: got '5'"),
        (format!("{HEAD}---\n{HEAD}"), &[], "FILE: several Canaries: choose with --name: a, a\n"),
        (HEAD.to_owned(), &["--name=x"], "--name: got 'x', expected one of a\n"),
        (
            HEAD.replace("spec:\n", "spec:\n  suspend: true\n"),
            &[],
            "FILE: spec.suspend is true: Flagger leaves it alone; take that out\n",
        ),
        (
            hook("http://ci.example.com/run", ""),
            &[],
            "hook h: nothing is known of its host ci.example.com: add --resolve ci.example.com=tollgate, or an address such \
             as --resolve ci.example.com=127.0.0.1:8080\n",
        ),
        (
            hook("http://tollgate/", ", metadata: {cmd: 'hey -z 1m -q 1 -c 1 http://ingress.nginx/'}"),
            &[],
            "hook h: its load goes to ingress.nginx, of which nothing is known: add --resolve ingress.nginx=apex if users \
             come in there, or an address such as --resolve ingress.nginx=127.0.0.1:8080\n",
        ),
    ] {
        let told = refused(&text, flags);
        assert!(told.starts_with(expected), "{told}");
    }
    let missing = run(["rehearse", "no-such-file.yaml"]);
    assert_eq!(missing.code, Some(2));
    assert!(missing.stderr.starts_with("no-such-file.yaml: No such file"), "{}", missing.stderr);
}

#[test]
fn hosts_are_where_they_are_said_to_be() {
    let text = format!(
        "{HEAD}    webhooks:\n    - {{name: h, type: pre-rollout, url: 'http://ci.example.com/', metadata: {{type: bash, cmd: \
         'curl -s -H \"Host: shop\" http://ingress.nginx/ | grep hostname'}}}}\n    - {{name: g, type: post-rollout, url: \
         'http://tollgate/post-rollout'}}\n"
    );
    let mut file = NamedTempFile::new().unwrap();
    write!(file, "{text}").unwrap();
    let path = file.path().to_str().unwrap();
    let places = ["--resolve", "ci.example.com=tollgate", "--resolve", "ingress.nginx=apex"];
    let ended = run(["rehearse", path, "--speed=20x", "--users=0"].iter().chain(&places));
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(ended.stdout.contains("         h 200"), "{}", ended.stdout);
}
