//! Connections that end, are replaced, refused or opened ahead of need.

use super::*;

#[test]
fn a_connection_that_died_while_idle_is_replaced_without_a_word() {
    let ran = run(
        steady(10, 2, 1, 4),
        Measures::default(),
        Scripted::new(|asked| if asked.nth == 5 { Act::Stale } else { Act::Answer(ms(1), OK) }),
    );
    assert_eq!((ran.summary.finished, ran.summary.succeeded, ran.summary.resent), (20, 20, 0));
    assert_eq!(ran.summary.generator.connections, 4);
}

#[test]
fn a_request_the_server_never_saw_is_sent_once_more_and_counted_from_due() {
    let ran = run(
        steady(10, 2, 1, 4),
        Measures::default(),
        Scripted::new(|asked| if asked.nth == 5 { Act::Dropped } else { Act::Answer(ms(1), OK) }),
    );
    assert_eq!((ran.summary.finished, ran.summary.succeeded, ran.summary.resent), (20, 20, 3));
    let always = run(steady(10, 2, 1, 4), Measures::default(), Scripted::new(|_| Act::Dropped));
    assert_eq!(always.summary.faults.get(&Fault::Reset), Some(&20), "twice is enough");
}

#[test]
fn a_dial_on_the_path_is_in_the_latency_and_not_in_the_service_time() {
    let mut plan = steady(10, 2, 1, 4);
    plan.keep_alive = false;
    let wire = Scripted::with_dials(|_| Dialled { after: ms(30), fault: None }, |_| Act::AnswerAndClose(ms(5), OK));
    let ran = run(plan, Measures::default(), wire);
    assert!(ran.samples.iter().all(|s| s.latency() == ms(35) && s.service() == ms(5) && s.queue() == Ns::ZERO));
    assert_eq!(ran.summary.distributions[&Series::Connect].quantile(0.5).map(|v| v / 1_000_000), Some(30));
}

#[test]
fn connections_opened_ahead_of_time_cost_no_request_anything() {
    let wire = Scripted::with_dials(|_| Dialled { after: ms(30), fault: None }, |_| Act::Answer(ms(5), OK));
    let ran = run(steady(10, 2, 2, 4), Measures::default(), wire);
    assert!(ran.samples.iter().all(|s| s.latency() == ms(5)), "{:?}", ran.samples[0]);
    assert_eq!(ran.samples.iter().filter(|s| s.dial.is_some()).count(), 2, "but how they were opened is known");
}

#[test]
fn who_comes_after_the_server_has_closed_the_connection_pays_for_the_next_one() {
    let wire = Scripted::with_dials(|_| Dialled { after: ms(30), fault: None }, |_| Act::AnswerAndClose(ms(5), OK));
    let ran = run(steady(10, 2, 1, 4), Measures::default(), wire);
    assert_eq!(ran.samples[0].latency(), ms(5), "the first connection stood ready");
    assert!(ran.samples[1..].iter().all(|s| s.latency() == ms(35) && s.service() == ms(5)));
}

#[test]
fn old_connections_are_replaced_between_requests() {
    let mut plan = steady(10, 20, 2, 8);
    plan.connection_age = Some(Duration::from_secs(5));
    let wire = Scripted::with_dials(|_| Dialled { after: ms(30), fault: None }, |_| Act::Answer(ms(5), OK));
    let ran = run(plan, Measures::default(), wire);
    let opened = ran.summary.generator.connections;
    assert!((7..=12).contains(&opened), "{opened} connections for 2 lanes, 20 s and 5 s");
    assert!(ran.samples.iter().all(|s| s.latency() == ms(5)));
}

#[test]
fn a_refused_target_fails_every_due_and_ends_as_unreachable() {
    let refused = || Scripted::with_dials(|_| Dialled { after: ms(1), fault: Some(Fault::Refused) }, |_| Act::Hang);
    let ran = run(steady(20, 60, 2, 64), Measures::default(), refused());
    assert_eq!(ran.stopped, Some(Stopped::Unreachable));
    assert!((39..=41).contains(&ran.summary.finished), "two seconds of them: {}", ran.summary.finished);
    assert_eq!(ran.summary.faults.get(&Fault::Refused), Some(&ran.summary.finished));
    assert!(!ran.summary.reached);

    let closed = run(plan(Arrivals::Closed, 60, 2, 2), Measures::default(), refused());
    assert_eq!(closed.stopped, Some(Stopped::Unreachable));
    assert!(closed.summary.finished < 100, "lanes back off: {}", closed.summary.finished);
}

#[test]
fn a_target_that_refuses_after_it_was_reached_is_no_unreachable_one() {
    let wire = Scripted::with_dials(
        |number| Dialled { after: ms(1), fault: (number > 0).then_some(Fault::Refused) },
        |_| Act::AnswerAndClose(ms(1), OK),
    );
    let ran = run(steady(20, 10, 1, 4), Measures::default(), wire);
    assert_eq!((ran.stopped, ran.summary.finished), (None, 200));
    assert_eq!(ran.summary.codes.get(&Code::Http(200)), Some(&1));
}
