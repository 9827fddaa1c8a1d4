use proptest::prelude::*;

use super::*;
use crate::plan::Stop;

fn hook() -> Hook {
    Hook {
        objective: Some(Arc::new(Objective::usual())),
        strict: true,
        pace: Rate::per_second(100).unwrap(),
        prometheus: false,
    }
}

fn read(pairs: &[(&str, &str)], hook: &Hook) -> Result<Order, Mistakes> {
    order(&pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(), hook)
}

fn good(pairs: &[(&str, &str)]) -> Order {
    read(pairs, &hook()).unwrap()
}

fn wrong(pairs: &[(&str, &str)]) -> Vec<String> {
    read(pairs, &hook()).unwrap_err().to_string().lines().map(str::to_owned).collect()
}

const HEY: &str = "hey -z 1m -q 10 -c 2 http://podinfo-canary.test:9898/";

#[test]
fn a_hey_line_alone_is_a_load_with_the_usual_objective() {
    let order = good(&[("cmd", HEY), ("type", "cmd"), ("logCmdOutput", "true")]);
    let plan = order.plan.unwrap();
    assert_eq!(plan.targets[0].url, "http://podinfo-canary.test:9898/");
    assert_eq!(plan.schedule.arrivals, Arrivals::Steady(Rate::per_second(20).unwrap()));
    assert_eq!((plan.lanes, plan.max_lanes), (2, 64), "a rate is kept, unlike hey's");
    assert_eq!(plan.schedule.warmup, Duration::from_secs(2));
    assert_eq!(plan.connection_age, Some(Duration::from_secs(5)));
    assert_eq!(order.objective.unwrap().text, "success>=99%, p99<=500ms");
    assert_eq!((order.window, order.wait, order.ready_wait), (None, None, Duration::from_secs(15)));
    assert!(order.enforce && !order.apex);
}

#[test]
fn what_stands_beside_a_hey_line_counts() {
    let order = good(&[
        ("cmd", HEY),
        ("slo", "success>=99.5%, p99<1s"),
        ("success", "non-5xx"),
        ("window", "30s"),
        ("wait", "0s"),
        ("ready-wait", "1m"),
        ("warmup", "0s"),
        ("connection-age", "0"),
        ("max-lanes", "8"),
        ("apex", "allow"),
        ("enforce", "false"),
    ]);
    let plan = order.plan.unwrap();
    assert_eq!((plan.schedule.warmup, plan.connection_age, plan.max_lanes), (Duration::ZERO, None, 8));
    assert_eq!(order.objective.unwrap().text, "success>=99.5%, p99<1s");
    assert!(order.success.contains(404) && !order.success.contains(500));
    assert_eq!((order.window, order.wait), (Some(Duration::from_secs(30)), Some(Duration::ZERO)));
    assert_eq!(order.ready_wait, Duration::from_secs(60));
    assert!(order.apex && !order.enforce);
}

#[test]
fn a_load_is_described_by_keys_as_by_flags() {
    let order = good(&[
        ("url", "http://podinfo-canary.test/a\nhttp://podinfo-canary.test/b"),
        ("weights", "9,1"),
        ("rate", "20/s"),
        ("duration", "1m"),
        ("method", "POST"),
        ("headers", "X-A: 1\n\n  X-B: 2\n"),
        ("disable-keepalive", "true"),
        ("insecure", "false"),
    ]);
    let plan = order.plan.unwrap();
    assert_eq!(plan.targets.iter().map(|target| target.weight).collect::<Vec<_>>(), [9, 1]);
    assert_eq!(plan.schedule.stop, Stop { count: None, duration: Some(Duration::from_secs(60)) });
    let request = &plan.targets[1].request;
    assert_eq!((request.method.as_str(), request.header("x-a"), request.header("x-b")), ("POST", Some("1"), Some("2")));
    assert!(!plan.keep_alive);
    assert_eq!(plan.schedule.warmup, Duration::from_secs(2));
}

#[test]
fn equal_metadata_are_equal_plans_whatever_is_asked_of_them() {
    let plain = good(&[("cmd", HEY)]).plan;
    assert_eq!(plain, good(&[("cmd", HEY), ("slo", "p99<1s"), ("window", "10s"), ("wait", "1s")]).plan);
    assert_ne!(plain, good(&[("cmd", HEY), ("warmup", "0s")]).plan);
}

#[test]
fn a_load_that_its_answers_would_pace_has_a_limit() {
    let order = good(&[("cmd", "hey -z 1m -c 5 http://podinfo-canary.test/")]);
    assert_eq!(order.plan.unwrap().schedule.arrivals, Arrivals::Paced(Rate::per_second(100).unwrap()));
}

#[test]
fn without_a_target_there_is_no_load_and_an_objective_may_still_be_named() {
    let order = good(&[("slo", "p99<1s"), ("success", "2xx")]);
    assert_eq!((order.plan, order.objective.unwrap().text.as_str()), (None, "p99<1s"));
    assert!(!order.success.contains(301));
    assert_eq!(wrong(&[("rate", "20/s")]).len(), 1, "a rate of what?");
}

#[test]
fn every_mistake_is_told_at_once_under_its_name_in_metadata() {
    assert_eq!(
        wrong(&[("url", "http://a.test/"), ("rate", "fast"), ("wait", "-1s"), ("slos", "x"), ("enforce", "maybe")]),
        [
            "metadata: got 'slos', expected a key that exists; did you mean slo?",
            "wait: got '-1s', expected a duration such as 4s; it cannot be negative",
            "enforce: got 'maybe', expected true or false",
            "rate: got 'fast', expected a rate above zero up to 10000000/s, such as 20/s, 1200/m or 0.5/s; \
             the number must be a plain decimal such as 20 or 0.5",
        ]
    );
}

#[test]
fn an_objective_that_cannot_be_read_is_explained_on_one_line() {
    assert_eq!(
        wrong(&[("cmd", HEY), ("slo", "p99<500ms, errors<1")]),
        ["slo: got 'p99<500ms, errors<1', expected an objective such as 'success>=99%, p99<500ms'; \
          column 19: errors needs a unit; did you mean 1% (share) or 1req (count)?"]
    );
}

#[test]
fn a_cmd_says_the_load_alone() {
    assert_eq!(
        wrong(&[("cmd", HEY), ("rate", "20/s")]),
        ["rate: got '20/s', expected nothing beside cmd; write it into cmd, or give url in its place"]
    );
    assert_eq!(
        wrong(&[("cmd", "curl http://a.test/"), ("window", "0s"), ("type", "bash")]),
        [
            "cmd: got '***', expected a hey or ghz line, such as hey -z 1m -q 10 -c 2 http://podinfo-canary.test/; \
             'curl' is not hey",
            "type: got 'bash', expected cmd; tasks of other types have no verdict: send them to /",
            "window: got '0s', expected a duration above zero, such as 30s",
        ]
    );
}

#[test]
fn whose_answers_count_is_said_beside_a_line_or_a_url() {
    for load in [("cmd", HEY), ("url", "http://a.test/")] {
        let order = read(&[load, ("identify", "x-version=^v2")], &hook()).unwrap();
        let identify = order.plan.expect("there is a load").identify.clone();
        assert_eq!(identify.map(|who| (who.header, who.pattern)), Some(("x-version".into(), "^v2".into())), "{load:?}");
    }
    assert!(wrong(&[("cmd", HEY), ("identify", "v2")])[0].starts_with("identify: got 'v2', expected HEADER=REGEX"));
}

#[test]
fn a_primary_gets_the_load_of_the_canary_at_its_own_address_where_a_clause_compares() {
    let slo = ("slo", "p95<=primary+10%, errors<=primary+1pp");
    let there = ("primary", "http://podinfo-primary.test:9898/x");
    let named = "hey -z 1m -q 10 -c 2 -host app.test -H 'X-A: 1' http://podinfo-canary.test:9898/";
    for (load, authority) in [
        (&[("cmd", HEY)][..], "podinfo-primary.test:9898"),
        (&[("cmd", named)], "app.test"),
        (
            &[("url", "http://podinfo-canary.test:9898/"), ("rate", "20/s"), ("duration", "1m")],
            "podinfo-primary.test:9898",
        ),
    ] {
        let order = good(&[load, &[slo, there, ("warmup", "3s"), ("identify", "X-V=2")]].concat());
        let (plan, primary) = (order.plan.unwrap(), order.primary.unwrap());
        let target = &primary.targets[0];
        assert_eq!(target.origin.to_string(), "podinfo-primary.test:9898", "{load:?}");
        assert_eq!((target.request.authority.as_str(), target.request.path.as_str()), (authority, "/x"), "{load:?}");
        assert_eq!(target.request.headers, plan.targets[0].request.headers, "{load:?}");
        assert!(plan.identify.is_some() && primary.identify.is_none(), "{load:?}");
        let same = Plan { targets: plan.targets.clone(), identify: plan.identify.clone(), ..Plan::clone(&primary) };
        assert_eq!(same, *plan, "everything else is alike: {load:?}");
    }
    let idle = good(&[("cmd", HEY), there]);
    assert_eq!((idle.primary, idle.notes.len()), (None, 1), "nothing compares, so nobody is loaded: {:?}", idle.notes);
    let alone = wrong(&[("cmd", HEY), slo]);
    assert!(alone.len() == 1 && alone[0].contains("primary: there is none to compare with: give primary"), "{alone:?}");
    for (pair, part) in [
        (("primary", "podinfo primary"), "primary: got 'podinfo primary'"),
        (("primary", "http://ann:secret@b.test/"), "no user and password"),
        (("slo", "ttfb.p95<=primary"), "ttfb.p95<=primary: a hook compares latencies and shares, of all requests"),
        (("slo", "p95<=last"), "last: there is no report of it to compare with"),
    ] {
        let told = wrong(&[("cmd", HEY), there, pair]);
        assert!(told.len() == 1 && told[0].contains(part), "{told:?}");
    }
}

#[test]
fn unknown_keys_are_passed_over_where_nothing_is_judged() {
    let plain = Hook { objective: None, strict: false, ..hook() };
    let order = read(&[("cmd", HEY), ("slos", "x"), ("type", "bash"), ("eventMessage", "hello")], &plain).unwrap();
    assert!(order.plan.is_some() && order.objective.is_none());
}

#[test]
fn no_file_is_read_for_a_hook() {
    for key in ["body-file", "cacert", "cert", "key", "report", "workers", "unix-socket"] {
        let told = wrong(&[("url", "http://a.test/"), (key, "/etc/passwd")]);
        assert!(told[0].starts_with(&format!("metadata: got '{key}', expected a key that exists")), "{told:?}");
    }
}

#[test]
fn zero_means_what_the_table_says_of_the_keys_of_hooks() {
    for key in KEYS.iter().filter(|key| key.group == Group::Hook && key.id != Id::Cmd) {
        let zero = read(&[(key.metadata.unwrap(), "0s")], &hook());
        assert_eq!(zero.is_ok(), !key.zero.is_empty(), "{key}");
    }
}

proptest! {
    #[test]
    fn no_metadata_break_the_reader_and_mistakes_are_one_line_each(
        pairs in proptest::collection::btree_map(
            prop_oneof![
                proptest::sample::select(KEYS.iter().filter_map(|key| key.metadata).collect::<Vec<_>>()).prop_map(str::to_owned),
                "[a-z-]{1,8}",
            ],
            prop_oneof!["[ -~\\n]{0,24}", Just(HEY.to_owned()), Just("10s".to_owned()), any::<String>()],
            0..8,
        ),
        strict in any::<bool>(),
    ) {
        if let Err(mistakes) = order(&pairs, &Hook { strict, ..hook() }) {
            for mistake in mistakes.as_slice() {
                prop_assert!(!mistake.to_string().contains('\n'), "{}", mistake);
            }
        }
    }
}
