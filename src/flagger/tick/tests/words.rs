//! What hooks are sent, and what events say.

use super::*;

#[test]
fn hooks_hear_the_phase_and_the_revision_that_the_object_had_when_the_tick_began() {
    let rollout = with("cr pre ro cti cp post rb", |analysis| analysis.iterations = 1);
    let mut state = fresh();
    let mut world = script("rb, cp 1");
    while !state.is_over() {
        tick(&rollout, &mut state, &mut world);
    }
    let seen: Vec<String> = world.sent.iter().map(|(name, p)| format!("{name} {} {}", p.phase, p.checksum)).collect();
    let expected = [
        "cr Initialized old",
        "rb Progressing new",
        "pre Progressing new",
        "rb Progressing new",
        "ro Progressing new",
        "cp Progressing new",
        // Now it waits: the rollback hook hears so, the others do not.
        "rb WaitingPromotion new",
        "pre Progressing new",
        "rb WaitingPromotion new",
        "ro Progressing new",
        "cp Progressing new",
        "rb WaitingPromotion new",
        "ro Progressing new",
        "cp Progressing new",
        "post Succeeded new",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn each_event_goes_to_every_hook_that_wants_it_at_once_with_what_it_says() {
    let mut wanting = hook("ev");
    wanting.metadata =
        Metadata::from([("cluster".to_owned(), "east".to_owned()), ("eventType".to_owned(), "mine".to_owned())]);
    let rollout = with("ro post", |analysis| {
        analysis.threshold = 1;
        analysis.webhooks.insert(0, wanting);
    });
    let mut state = fresh();
    let mut world = script("ro, ev");
    let ticks: Vec<Tick> = (0..4).map(|_| tick(&rollout, &mut state, &mut world)).collect();
    let told = world.sent.iter().filter(|(name, _)| name == "ev");
    let told: Vec<String> =
        told.map(|(_, p)| format!("{} {} {}", p.phase, p.checksum, p.metadata["eventMessage"])).collect();
    let expected = [
        "Progressing old New revision detected! Scaling up podinfo.test",
        "Progressing new Starting canary analysis for podinfo.test",
        "Progressing new Advance podinfo.test canary weight 20",
        "Progressing new Halt podinfo.test advancement external check ro failed because",
        "Progressing new Rolling back podinfo.test failed checks threshold reached 1",
        "Failed new Canary failed! Scaling down podinfo.test",
        "Progressing new Post-rollout check post passed",
    ];
    assert_eq!(told, expected);
    let (_, payload) = world.sent.iter().find(|(name, _)| name == "ev").unwrap();
    let pairs: Vec<(&str, &str)> = payload.metadata.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let message = "New revision detected! Scaling up podinfo.test";
    let own = [("cluster", "east"), ("eventMessage", message), ("eventType", "Normal"), ("timestamp", "1700000000123")];
    assert_eq!(pairs, own);
    assert_eq!(world.heard, ticks.iter().flat_map(|tick| tick.steps.clone()).collect::<Vec<_>>());
    assert_eq!(state.status.phase, Phase::Failed);
}

#[test]
fn events_say_what_flagger_says() {
    let rollout = podinfo();
    let mut state = fresh();
    let mut world = script("rb, cti 1, cp 1, post");
    let said: Vec<Vec<String>> = (0..8).map(|_| events(&tick(&rollout, &mut state, &mut world))).collect();
    let not = "Rollback hook rb not signaling a rollback";
    let (at_20, at_40) = ("Advance podinfo.test canary weight 20", "Advance podinfo.test canary weight 40");
    let cti = "Confirm-traffic-increase check cti passed";
    let starting = "Starting canary analysis for podinfo.test";
    let expected: [Vec<&str>; 8] = [
        vec!["Confirm-rollout check cr passed", "New revision detected! Scaling up podinfo.test"],
        vec![
            not,
            starting,
            "Pre-rollout check pre passed",
            "! Halt podinfo.test advancement waiting for traffic increase approval cti",
        ],
        vec![not, starting, "Pre-rollout check pre passed", cti, at_20],
        vec![not, cti, at_40],
        vec![not, cti, "! Halt podinfo.test advancement waiting for promotion approval cp"],
        vec![not, "Confirm-promotion check cp passed", "Copying podinfo.test template spec to podinfo-primary.test"],
        vec!["Routing all traffic to primary"],
        vec!["! Post-rollout hook post failed because", "Promotion completed! Scaling down podinfo.test"],
    ];
    assert_eq!(said, expected.map(|row| row.into_iter().map(str::to_owned).collect::<Vec<_>>()));
    let skipped = events(&{
        let (rollout, mut state) = (Canary { skip_analysis: true, ..asking("") }, fresh());
        tick(&rollout, &mut state, &mut script(""));
        tick(&rollout, &mut state, &mut script(""))
    });
    assert_eq!(skipped[1], "Promotion completed! Canary analysis was skipped for podinfo.test");
    let suspended = tick(&Canary { suspend: true, ..podinfo() }, &mut fresh(), &mut script(""));
    assert_eq!(events(&suspended), ["skipping canary run as object is suspended"]);
}

/// What the first tick with metrics says of this check.
fn said(metric: Metric, reading: Measured) -> Vec<String> {
    let rollout = with("", |analysis| analysis.metrics = vec![metric]);
    let mut state = fresh();
    let mut world = script("");
    world.values = vec![reading];
    let ticks: Vec<Tick> = (0..3).map(|_| tick(&rollout, &mut state, &mut world)).collect();
    events(&ticks[2])
}

#[test]
fn metrics_are_held_to_their_limits_as_flagger_holds_them() {
    let range = |min, max| Limits::Range { min, max };
    let check =
        |name: &str, source, limits| Metric { name: name.to_owned(), sources: vec![source], limits, ..success() };
    let rate = |limits| check("request-success-rate", Source::SuccessRate, limits);
    let time = |limits| check("request-duration", Source::Duration, limits);
    let other = |limits| check("errors", Source::Query, limits);
    let halt = |what: &str| Some(format!("! Halt podinfo.test advancement {what}"));
    let value = Measured::Value;
    for (check, reading, expected, why) in [
        (rate(range(Some(99.0), None)), value(99.0), None, "the bound belongs to it"),
        (rate(range(Some(99.5), None)), value(97.804), halt("success rate 97.80% < 99.5%"), "below"),
        (rate(range(None, Some(50.0))), value(100.0), halt("success rate 100.00% > 50%"), "above"),
        (rate(Limits::Threshold(99.0)), value(90.0), halt("success rate 90.00% < 99%"), "the old form"),
        (rate(Limits::Threshold(0.0)), value(0.0), None, "no limit"),
        (time(range(None, Some(500.0))), value(500.0), None, "the bound belongs to it"),
        (time(range(None, Some(500.0))), value(1515.0), halt("request duration 1.515s > 500ms"), "slower"),
        (time(range(None, Some(0.9))), value(1.0), halt("request duration 1ms > 0s"), "bounds are whole milliseconds"),
        (time(range(Some(5.0), None)), value(1.0), halt("request duration 1ms < 5ms"), "too fast"),
        (time(Limits::Threshold(0.0)), value(12.0), halt("request duration 12ms > 0s"), "no limit is zero"),
        (other(range(None, Some(1.0))), value(1.256), halt("errors 1.26 > 1"), "a query"),
        (other(Limits::Threshold(2.0)), value(2.5), halt("errors 2.50 > 2"), "its threshold is the most"),
        (other(range(None, None)), value(f64::MAX), None, "a range without bounds"),
        (other(range(None, Some(1.0))), Measured::Unasked, None, "what is not asked for decides nothing"),
    ] {
        let grown = Some("Advance podinfo.test canary weight 40".to_owned());
        assert_eq!(said(check, reading).first(), expected.or(grown).as_ref(), "{why}");
    }
}

#[test]
fn metrics_without_a_value_stop_the_analysis() {
    let check = |name: &str, source| Metric { name: name.to_owned(), sources: vec![source], ..success() };
    let quiet = "is not receiving traffic";
    let failed = || Measured::Failed("timeout".to_owned());
    for (check, reading, expected) in [
        (
            check("request-success-rate", Source::SuccessRate),
            Measured::NoValues,
            format!(
                "Halt advancement no values found for istio metric request-success-rate probably podinfo.test {quiet}: \
                 running query failed: no values found"
            ),
        ),
        (
            check("request-duration", Source::Duration),
            Measured::NoValues,
            format!("Halt advancement no values found for istio metric request-duration probably podinfo.test {quiet}"),
        ),
        (
            check("errors", Source::Query),
            Measured::NoValues,
            "Halt advancement no values found for metric: errors".to_owned(),
        ),
        (
            check("errors", Source::Template),
            Measured::NoValues,
            "Halt advancement no values found for custom metric: errors: no values found".to_owned(),
        ),
        (check("request-duration", Source::Duration), failed(), "Prometheus query failed: timeout".to_owned()),
        (check("errors", Source::Query), failed(), "Prometheus query failed for errors: timeout".to_owned()),
        (check("errors", Source::Template), failed(), "Metric query failed for errors: timeout".to_owned()),
        (
            check("errors", Source::Nothing),
            Measured::Value(1.0),
            "Metric query failed for no usable metrics template and query were configured".to_owned(),
        ),
    ] {
        assert_eq!(said(check, reading), [format!("! {expected}")]);
    }
}

#[test]
fn templates_are_looked_at_after_all_others() {
    let check = |name: &str, sources: &[Source]| {
        let (name, sources, limits) = (name.to_owned(), sources.to_vec(), Limits::Threshold(100.0));
        Metric { name, sources, limits, ..success() }
    };
    let metrics = vec![
        check("template", &[Source::Template]),
        check("query", &[Source::Query]),
        check("nothing", &[Source::Nothing]),
        check("rate", &[Source::SuccessRate, Source::Template]),
    ];
    let rollout = with("", |analysis| analysis.metrics = metrics);
    let (mut state, mut world) = (fresh(), script(""));
    let ticks: Vec<Tick> = (0..3).map(|_| tick(&rollout, &mut state, &mut world)).collect();
    let names = ticks[2].steps.iter().filter_map(|step| match step {
        Step::Metric { name, .. } => Some(name.as_str()),
        _ => None,
    });
    assert_eq!(names.collect::<Vec<_>>(), ["query", "rate", "template", "nothing"]);
}

#[test]
fn what_is_not_ready_waits_and_what_never_will_be_is_rolled_back_or_kept() {
    let late = |text: &str, retriable| Some(NotReady { text: text.to_owned(), retriable });
    let rollout = asking("rb ro post");
    let mut state = fresh();
    let mut world = script("rb");
    tick(&rollout, &mut state, &mut world);
    world.not_ready = late("waiting for rollout to finish", true);
    let waiting = tick(&rollout, &mut state, &mut world);
    assert_eq!(
        (line(&waiting), events(&waiting)),
        ("→ Progressing w0".into(), vec!["! waiting for rollout to finish".into()])
    );
    let mut gone = state.clone();
    world.not_ready = late("exceeded its progress deadline", false);
    let ended = tick(&rollout, &mut gone, &mut world);
    assert_eq!(line(&ended), "100/0 down post(Failed) → Failed w0");
    assert_eq!(
        events(&ended),
        [
            "! exceeded its progress deadline",
            "! Canary failed! Scaling down podinfo.test",
            "Post-rollout check post passed"
        ]
    );
    world.not_ready = None;
    while state.status.phase != Phase::Promoting {
        tick(&rollout, &mut state, &mut world);
    }
    world.primary_not_ready = late("primary is broken", false);
    let kept = tick(&rollout, &mut state, &mut world);
    assert_eq!(line(&kept), "0/100 post(Failed) → Failed w100", "the canary is the only copy that serves");
    assert_eq!(events(&kept)[1], "! Promotion of podinfo.test failed, primary not ready: primary is broken");
}

#[test]
fn a_new_object_is_set_up_without_a_hook() {
    let mut state = State::initialized(Checksum::default(), Checksum::new("first"));
    state.status.phase = Phase::Initializing;
    let rollout = podinfo();
    let mut world = script("");
    let set_up = tick(&rollout, &mut state, &mut world);
    assert_eq!(
        (line(&set_up), events(&set_up)),
        ("down → Initialized w0".into(), vec!["Initialization done! podinfo.test".into()])
    );
    assert_eq!(tick(&rollout, &mut state, &mut world).steps, [], "its first workload is no new revision");
    state.target = Checksum::new("second");
    assert_eq!(line(&tick(&rollout, &mut state, &mut world)), "cr(Initialized) up → Progressing w0");
}

#[test]
fn a_tick_is_told_as_json_for_those_who_compare() {
    let rollout = asking("ro");
    let (mut state, mut world) = (fresh(), script("ro"));
    let ticks: Vec<Tick> = (0..3).map(|_| tick(&rollout, &mut state, &mut world)).collect();
    let expected = serde_json::json!({
        "steps": [
            {"step": "hook", "name": "ro", "type": "rollout", "phase": "Progressing", "error": "because"},
            {
                "step": "event",
                "warning": true,
                "message": "Halt podinfo.test advancement external check ro failed because",
            },
        ],
        "status": {"phase": "Progressing", "weight": 20, "failed_checks": 1, "iterations": 0},
        "route": {"primary": 80, "canary": 20, "mirrored": false},
    });
    assert_eq!(serde_json::to_value(&ticks[2]).unwrap(), expected);
    assert_eq!(
        serde_json::to_value(&ticks[1].steps[1]).unwrap(),
        serde_json::json!({"step": "route", "primary": 80, "canary": 20, "mirrored": false})
    );
}
