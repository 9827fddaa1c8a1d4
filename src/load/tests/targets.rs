//! Several targets, values drawn and results told apart, on the scripted wire.

use super::*;
use crate::plan::{Drawing, Drawn, Source, Split};

/// A plan to several targets with these weights, each on a server of its own.
fn weighted(plan: Plan, weights: &[u32]) -> Plan {
    let target = |(number, weight): (usize, &u32)| {
        let mut target = plan.targets[0].clone();
        target.url = format!("http://target{number}.test/");
        target.origin.host = Host::Name(format!("target{number}.test"));
        target.weight = *weight;
        target
    };
    let targets = weights.iter().enumerate().map(target).collect();
    Plan { targets, ..plan }
}

fn of_class(ran: &Ran, class: u16) -> Vec<Sample> {
    ran.samples.iter().filter(|sample| sample.class == class).copied().collect()
}

#[test]
fn each_url_gets_its_part_of_the_requests_exactly_in_either_loop() {
    for arrivals in [Arrivals::Closed, Arrivals::Steady(Rate { micro_per_second: 100_000_000 })] {
        let mut plan = weighted(plan(arrivals, 10, 4, 64), &[9, 1, 10]);
        plan.schedule.stop.count = Some(200);
        let ran = run(plan, Measures::default(), Scripted::new(|asked| Act::Answer(ms(1 + asked.index % 7), OK)));
        assert_eq!([0, 1, 2].map(|class| of_class(&ran, class).len()), [90, 10, 100]);
        assert_eq!(ran.summary.succeeded, 200);
    }
}

#[test]
fn a_url_that_hangs_holds_no_request_to_another() {
    let plan = weighted(steady(20, 10, 2, 4), &[1, 1]);
    let turns = plan.turns();
    let wire = Scripted::new(move |asked| if turns.of(asked.index) == 1 { Act::Hang } else { Act::Answer(ms(3), OK) });
    let ran = run(plan, Measures::default(), wire);
    let (well, hung) = (of_class(&ran, 0), of_class(&ran, 1));
    assert_eq!((well.len(), hung.len()), (100, 100));
    assert!(well.iter().all(|sample| sample.outcome == OK && sample.latency() == ms(3)), "as if it were alone");
    assert!(hung.iter().all(|sample| sample.outcome.fault == Some(Fault::Timeout)));
    assert_eq!(ran.peak, 3, "one lane answers, two hang: --max-lanes is dealt out, too");
}

#[test]
fn a_lane_of_a_closed_loop_keeps_a_connection_to_each_server() {
    let mut plan = weighted(plan(Arrivals::Closed, 60, 3, 3), &[1, 1, 1]);
    plan.schedule.stop.count = Some(300);
    let ran = run(plan.clone(), Measures::default(), Scripted::new(|_| Act::Answer(ms(2), OK)));
    assert_eq!((ran.summary.finished, ran.summary.generator.connections), (300, 9));
    assert_eq!(plan.connections(), 9);
    let same = plan.targets[0].origin.clone();
    plan.targets.iter_mut().for_each(|target| target.origin = same.clone());
    let ran = run(plan.clone(), Measures::default(), Scripted::new(|_| Act::Answer(ms(2), OK)));
    assert_eq!((ran.summary.generator.connections, plan.connections()), (3, 3), "three URLs on one server");
}

#[test]
fn results_are_told_apart_by_what_each_request_was() {
    let mut plan = weighted(steady(50, 10, 2, 64), &[3, 2]);
    let drawing = Drawing { label: "user".into(), source: Source::Range(1..=4) };
    plan.targets[0].drawn = Some(Drawn { drawings: vec![drawing], path: None, headers: Vec::new(), body: None });
    plan.seed = 11;
    plan.split = vec![Split::Url, Split::Address, Split::Value { label: "user".into(), places: vec![Some(0), None] }];
    // The plan alone says which user a request is: the third one fails.
    let asked_for = plan.clone();
    let user = move |index| asked_for.number(&asked_for.split[2], asked_for.turns().of(index), index);
    let fails = user.clone();
    let wire = Scripted::new(move |asked| {
        Act::Answer(ms(1), Outcome::http(if fails(asked.index) == Some(2) { 503 } else { 200 }))
    });
    let ran = run(plan.clone(), Measures::default(), wire);
    let splits = super::super::split::named(&plan, &ran.splits);
    let shown = |at: usize| {
        let part = |part: &crate::stats::Part| (part.name.clone(), part.group.finished, part.group.failed());
        splits[at].parts.iter().map(part).collect::<Vec<_>>()
    };
    let drawn = |number| (0..500).filter(|index| user(*index) == Some(number)).count() as u64;
    let third = drawn(2);
    assert!(third > 40, "of three hundred");
    assert_eq!(
        shown(0),
        [("http://target0.test/".to_owned(), 300, third), ("http://target1.test/".to_owned(), 200, 0)]
    );
    assert_eq!(shown(1), [("no address".to_owned(), 500, third)], "the scripted wire has none");
    let mut users = shown(2);
    assert_eq!(users.remove(0), ("3".to_owned(), third, third));
    users.sort();
    let expected = [("1", drawn(0)), ("2", drawn(1)), ("4", drawn(3)), ("none", 200)];
    assert_eq!(users, expected.map(|(name, n)| (name.to_owned(), n, 0)));
    let outlier = splits[2].outlier().expect("one user of four always fails");
    assert_eq!((outlier.part.key, splits[2].of.as_deref()), (Key::Number(2), Some("user")));
}
