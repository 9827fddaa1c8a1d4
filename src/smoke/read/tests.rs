use super::*;
use crate::smoke::Kind;
use crate::spec::Spec;

fn with<T>(base: Option<&str>, vars: &[(&str, &str)], then: impl FnOnce(&Around<'_>) -> T) -> T {
    let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    then(&Around {
        name: "file",
        base,
        vars: &vars,
        env: &|name| (name == "SECRET").then(|| "s3cret".to_owned()),
        read: &|path| match path.to_str() {
            Some("body.txt") => Ok(b"from a file".to_vec()),
            _ => Err(io::Error::new(io::ErrorKind::NotFound, "no such file")),
        },
        seed: 1,
    })
}

fn suite(text: &str) -> Suite {
    with(None, &[], |around| read(text, around)).unwrap_or_else(|mistakes| panic!("{text}\n{mistakes:?}"))
}

fn mistakes(text: &str) -> Vec<String> {
    let mistakes = with(None, &[], |around| read(text, around)).expect_err(text);
    mistakes.iter().map(ToString::to_string).collect()
}

fn spec(suite: &Suite, step: usize, captured: &[(&str, &str)]) -> Spec {
    let mut values = suite.values.clone();
    values.extend(captured.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    with(None, &[], |around| suite.steps[step].spec(&values, around.seed, around.read)).unwrap()
}

/// Method, URL, headers that are not ours, body.
fn request(spec: &Spec) -> String {
    let target = &spec.plan.targets[0];
    let ours = |name: &str| ["User-Agent", "Accept"].contains(&name);
    let headers = target.request.headers.iter().filter(|(name, _)| !ours(name));
    let headers: String = headers.map(|(name, value)| format!(" {name}: {value};")).collect();
    format!("{} {};{headers} {}", target.request.method, target.url, String::from_utf8_lossy(&target.request.body))
}

#[test]
fn steps_become_requests_with_the_keys_of_run() {
    let step = |keys: &str| format!("base: http://h:1/api/\nsteps: [{{name: s, {keys}}}]");
    for (keys, expected, why) in [
        ("url: /x", "GET http://h:1/api/x; ", "behind the base"),
        ("url: 'http://other/'", "GET http://other/; ", "or whole"),
        ("url: /, method: delete", "DELETE http://h:1/api/; ", "a method"),
        ("url: /, headers: {a: b, c: 1}", "GET http://h:1/api/; a: b; c: 1; ", "headers by name"),
        ("url: /, headers: ['a: b', 'a: c']", "GET http://h:1/api/; a: b; a: c; ", "or in lines"),
        ("url: /, body: text", "GET http://h:1/api/; Content-Type: text/html; text", "a body, as run sends it"),
        (
            "url: /, body-file: body.txt, content-type: a/b",
            "GET http://h:1/api/; Content-Type: a/b; from a file",
            "one in a file",
        ),
        ("url: /, json: {a: [1, x]}", r#"POST http://h:1/api/; Content-Type: application/json; {"a":[1,"x"]}"#, "JSON"),
        (
            "url: /, json: 1, method: PUT, headers: {content-type: a/json}",
            "PUT http://h:1/api/; content-type: a/json; 1",
            "JSON of a type of its own",
        ),
        ("url: '/{{{{x}}'", "GET http://h:1/api/%7B%7Bx%7D%7D; ", "braces themselves"),
    ] {
        assert_eq!(request(&spec(&suite(&step(keys)), 0, &[])), expected, "{keys}: {why}");
    }
}

#[test]
fn values_stand_where_they_are_named() {
    let suite = suite(
        "vars: {host: 'h:{{port}}', port: 81, braces: '{{{{uuid}}'}\n\
         base: http://{{host}}\n\
         defaults: {headers: {x-a: '{{port}}', X-B: default}, timeout: 3, insecure: true}\n\
         steps:\n\
         - {name: one, url: '/{{braces}}', capture: {id: status, to: {header: location}}, insecure: false}\n\
         - name: two\n  url: '{{to}}'\n  headers: {x-b: 'own {{id}}'}\n  json: {id: '{{id}}', secret: '{{env.SECRET}}'}\n",
    );
    assert_eq!(request(&spec(&suite, 0, &[])), "GET http://h:81/%7B%7Buuid%7D%7D; x-a: 81; X-B: default; ");
    let captured = [("id", "{{uuid}}"), ("to", "http://elsewhere/?q={{uuid}}")];
    assert_eq!(
        request(&spec(&suite, 1, &captured)),
        r#"POST http://elsewhere/?q={{uuid}}; Content-Type: application/json; x-b: own {{uuid}}; x-a: 81; {"id":"{{uuid}}","secret":"s3cret"}"#,
        "what is captured is only text"
    );
    assert_eq!(suite.secrets, ["s3cret"]);
    assert_eq!(suite.steps[1].lacks(&suite.values), Some("to"));
    let plan = spec(&suite, 0, &[]).plan;
    assert_eq!(plan.timeout, Some(std::time::Duration::from_secs(3)));
    assert_eq!(plan.tls.trust, crate::plan::Trust::Public, "a step takes back what is true elsewhere");
}

#[test]
fn what_is_given_on_the_command_line_goes_before_the_file() {
    let text = "base: http://file\nvars: {a: file, b: }\nsteps: [{name: s, url: '/{{a}}/{{b}}/{{c}}'}]";
    let vars = [("a", "flag"), ("b", "given"), ("c", "undeclared")];
    let suite = with(Some("http://flag/"), &vars, |around| read(text, around)).unwrap();
    assert_eq!(request(&spec(&suite, 0, &[])), "GET http://flag/flag/given/undeclared; ");
}

#[test]
fn a_step_is_a_load_where_a_key_says_so() {
    let suite = suite(
        "base: http://h\nsteps:\n- {name: a, url: /, retry: {for: 1m, every: 0s}}\n\
         - {name: b, url: [/, /x], weights: '9,1', rate: 20/s, duration: 10s, slo: 'success>=99%'}\n",
    );
    assert_eq!(suite.steps.iter().map(|step| step.kind).collect::<Vec<_>>(), [Kind::Request, Kind::Load]);
    let load = spec(&suite, 1, &[]);
    assert_eq!((load.plan.targets.len(), load.plan.schedule.total()), (2, Some(200)));
    assert_eq!(load.objective.map(|objective| objective.text), Some("success>=99%".to_owned()));
    let (minute, none) = (std::time::Duration::from_secs(60), std::time::Duration::ZERO);
    assert_eq!(suite.steps[0].retry, Some(Retry { for_: minute, every: none }));
}

/// A file with one step that has these keys, from its line 5 on.
fn step_with(keys: &str) -> String {
    format!("base: http://h\nsteps:\n- name: s\n  url: /\n  {keys}\n")
}

/// Texts with how the one thing that is said of each begins.
fn said_of(rows: &[(String, &str)]) {
    let mut others = Vec::new();
    for (text, expected) in rows {
        let said = mistakes(text);
        if said.len() != 1 || !said[0].starts_with(expected) {
            others.push(format!("{text}\nsaid     {said:?}\nexpected {expected}"));
        }
    }
    assert!(others.is_empty(), "{}", others.join("\n\n"));
}

#[test]
fn a_file_that_is_no_suite_is_told_what_it_is() {
    said_of(&[
        (String::new(), "1:1: the file is empty, expected steps; tollgate smoke --help shows one"),
        ("- a\n".into(), "1:1: file: got a list, expected keys with values"),
        ("steps: []\n".into(), "1:8: steps: got a list, expected a list of at least one step"),
        ("name: x\n".into(), "1:1: steps is missing; expected a list of at least one step"),
        (
            "apiVersion: v1\nkind: ConfigMap\n".into(),
            "1:1: this is a ConfigMap of Kubernetes, no suite; give the file that stands in it under data",
        ),
        (
            "apiVersion: flagger.app/v1beta1\nkind: Canary\n".into(),
            "1:1: this is a Canary of Kubernetes, no suite; tollgate lint reads those",
        ),
        (
            "steps: [{name: a, url: 'http://h/'}]\n---\nsteps: []\n".into(),
            "3:1: a second document begins here, expected one suite; put each suite into a file of its own",
        ),
        (
            "steps: [{name: s, url: /x}]\n".into(),
            "1:24: steps[0].url: '/x' needs something before it; give base: http://HOST in the file, or --base http://HOST",
        ),
        (
            "steps: [{name: s, url: 'h:80/x'}]\n".into(),
            "1:24: step 's': url: got 'h:80/x', expected an address such as http://HOST[:PORT][/PATH] or https://…; \
             did you mean http://h:80/x?",
        ),
        (
            "steps: [{name: s}]\n".into(),
            "1:9: step 's': url: got nothing, expected an address such as http://HOST[:PORT][/PATH] or https://…",
        ),
        (
            "defaults: {url: /}\nsteps: [{name: s, url: 'http://h/'}]\n".into(),
            "1:12: defaults.url is no key that there is; the keys are ",
        ),
    ]);
}

#[test]
fn every_key_that_is_wrong_has_its_place_and_says_what_to_do() {
    let step = step_with;
    said_of(&[
        (step("metod: GET"), "5:3: steps[0].metod is no key that there is; did you mean method?"),
        (step("url: /x"), "5:3: steps[0].url stands twice; the first is on line 4: take one of them out"),
        (step("expect: {staus: 200}"), "5:12: steps[0].expect.staus is no key that there is; did you mean status?"),
        (
            step("expect: {status: ok}"),
            "5:20: steps[0].expect.status: got 'ok', expected statuses such as 200, 2xx or 200-204",
        ),
        (
            step("expect: {status: 299-200}"),
            "5:20: steps[0].expect.status: got '299-200', expected statuses such as 200, 2xx or 200-204; did you mean 200-299?",
        ),
        (
            step("expect: {body-match: '('}"),
            "5:24: steps[0].expect.body-match: '(' is no regular expression: unclosed group; a sign that means itself is \
             written with \\ before it",
        ),
        (
            step("expect: {time: 5}"),
            "5:18: steps[0].expect.time: got '5', expected a duration above zero, such as 500ms; the unit is missing: write \
             5s for seconds, or ns, us, ms, m or h",
        ),
        (
            step("timeout: soon"),
            "5:12: step 's': timeout: got 'soon', expected whole seconds such as 20, or a duration such as 1500ms; \
             not a duration: write numbers with units, such as 300ms, 10s, 1m30s or 1.5h",
        ),
        (
            step("cacert: gone.pem"),
            "5:11: step 's': cacert: got 'gone.pem', expected a PEM file with at least one certificate; no such file",
        ),
        (
            step("cert: body.txt"),
            "5:9: step 's': cert: got 'body.txt', expected a PEM file with at least one certificate, the own one first; \
             there is no certificate in it",
        ),
    ]);
}

#[test]
fn every_value_that_is_wrong_has_its_place_and_says_what_to_do() {
    let step = step_with;
    said_of(&[
        (step("json: 1\n  body: x"), "5:3: steps[0]: got json beside body, expected one body; take one of them out"),
        (step("retry: {every: 1s}"), "5:10: steps[0].retry.for is missing; say how long to try, such as 30s"),
        (step("always: maybe"), "5:11: steps[0].always: got 'maybe', expected true or false"),
        (
            step("capture: {x: {}}"),
            "5:13: steps[0].capture.x: got 0 of header, body and json, expected one; a value comes from one place",
        ),
        (step("capture: {x: {json: token}}"), "5:23: steps[0].capture.x.json: 'token' is no JSONPath: "),
        (
            step("rate: 5/s"),
            "3:3: steps[0].slo is missing; rate makes the step a load: say what must hold, such as slo: success>=99%, p99<500ms",
        ),
        (step("slo: success>=99%, p99<500"), "5:26: step 's': slo: latency.p99 needs a time unit; did you mean 500ms?"),
        (
            step("slo: success>=99%\n  expect: {status: 200}"),
            "6:3: steps[0].expect: a load has many answers; success says which statuses count, and slo what must hold",
        ),
        (
            step("protocol: grpc\n  expect: {status: 200}"),
            "6:3: steps[0].expect: a gRPC call has no status of HTTP's; say grpc-status, or nothing for OK",
        ),
        (step("\n- name: s\n  url: /"), "6:3: steps[1].name: 's' stands twice; the step on line 3 has it too"),
        (step("\n- url: /"), "6:3: steps[1].name is missing; reports call the step by it"),
    ]);
}

#[test]
fn every_name_without_a_value_has_its_place_and_says_what_to_do() {
    let step = step_with;
    said_of(&[
        (
            step("headers: {a: '{{nobody}}'}"),
            "5:17: steps[0].headers.a: {{nobody}}: there is no such value; give it with --var nobody=…, under vars, or with \
             capture in a step before",
        ),
        (
            step("headers: {a: 'b {{ .Values.x }}'}"),
            "5:19: steps[0].headers.a: {{.Values.x}}: that is no name; if it belongs to a Helm chart, render that first; \
             for {{ itself write {{{{",
        ),
        (
            step("headers: {a: '{{env.GONE}}'}"),
            "5:17: steps[0].headers.a: {{env.GONE}}: the environment does not have it; set GONE for tollgate",
        ),
        (
            step("headers: {a: '{{x'}"),
            "5:17: steps[0].headers.a: the {{ is never closed: }} is missing; for {{ itself write {{{{",
        ),
        (
            step("capture: {t: status}\n  headers: {a: '{{t}}'}"),
            "6:17: steps[0].headers.a: {{t}}: this very step captures it, from its answer; capture it in a step before 's'",
        ),
        (
            step("headers: {a: '{{t}}'}\n- name: later\n  url: /\n  capture: {t: status}"),
            "5:17: steps[0].headers.a: {{t}}: step 'later' on line 6 captures it, which comes later; move this step behind 'later'",
        ),
        (
            step("capture: {t: status}\n- name: two\n  url: /\n  capture: {t: status}"),
            "8:13: step 'two': capture.t stands twice; step 's' on line 3 captures it too: use another name",
        ),
        (
            "vars: {a: '{{b}}', b: '{{a}}'}\nsteps: [{name: s, url: 'http://h/'}]\n".into(),
            "1:11: vars.a: {{a}} → {{b}} → {{a}} goes in a circle; give one of them a value of its own",
        ),
        ("vars: {a: }\nsteps: [{name: s, url: 'http://{{a}}/'}]\n".into(), "1:8: vars.a has no value; give --var a=…"),
        (
            "vars: {uuid: 1}\nsteps: [{name: s, url: 'http://h/'}]\n".into(),
            "1:8: vars.uuid cannot be a name; a name has letters, digits, _ and -, begins with a letter, and is not one of \
             pick, range, counter, uuid",
        ),
    ]);
}

#[test]
fn text_that_is_no_yaml_is_said_with_what_may_be_meant() {
    let said = mistakes("steps:\n- name: a\n  url: {{ base }}/x\n");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].starts_with("3:")
            && said[0].ends_with("put a text with {{ in quotes; a Helm chart is rendered first, with helm template"),
        "{said:?}"
    );
    let said = mistakes("steps: [\n");
    assert!(said[0].contains("this is no YAML: ") && !said[0].contains("Helm"), "{said:?}");
}

#[test]
fn all_mistakes_come_at_once_in_the_order_of_the_text() {
    let documented = "steps:\n\
                      - name: first\n  \
                        ulr: http://podinfo/\n  \
                        url: http://podinfo/\n  \
                        expect: {status: ok}\n\
                      - name: second\n  \
                        url: http://podinfo/\n  \
                        timeout: soon\n  \
                        headers: {X-Id: \"{{id}}\"}\n\
                      - name: later\n  \
                        url: http://podinfo/\n  \
                        insecure: maybe\n  \
                        capture: {id: {json: $.id}}\n\
                      - name: last\n  \
                        url: http://podinfo/\n  \
                        timeout: soon\n";
    let said = mistakes(documented);
    let docs = include_str!("../../../docs/smoke.md");
    for line in &said {
        assert!(docs.contains(&format!("\nbad.yaml:{line}\n")), "docs/smoke.md lacks: bad.yaml:{line}");
    }
    assert_eq!(docs.matches("\nbad.yaml:").count(), said.len());
    for line in documented.lines() {
        assert!(docs.contains(&format!("\n{line}\n")), "docs/smoke.md lacks: {line}");
    }
}

#[test]
fn nothing_is_said_of_a_word_in_the_place_of_a_value() {
    let suite = suite(
        "base: http://h\nsteps:\n- {name: a, url: /, capture: {host: status, t: status}}\n\
         - {name: b, url: 'http://{{host}}:80/', timeout: '{{t}}', basic-auth: '{{t}}', expect: {body-match: '^{{t}}$'}}\n",
    );
    let values = Values::from([("host".to_owned(), "x y".to_owned()), ("t".to_owned(), "5".to_owned())]);
    let wrong = with(None, &[], |around| suite.steps[1].spec(&values, 1, around.read)).unwrap_err();
    let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert!(
        wrong[0].contains("step 'b': url: got 'http://x y:80/'") || wrong[1].contains("step 'b': url: "),
        "{wrong:?}"
    );
}

#[test]
fn no_text_makes_the_reader_panic() {
    let parts = [
        "steps:",
        "- name: a",
        "  url: '{{x}}'",
        "vars: {x: '{{x}}'}",
        "  expect: {json: {$.a: [",
        "{{",
        "  retry:",
        "&a *a",
        "\u{feff}",
    ];
    for first in parts {
        for second in parts {
            for third in parts {
                let text = format!("{first}\n{second}\n{third}\n");
                let _ = with(None, &[], |around| read(&text, around));
            }
        }
    }
}
