//! Lanes that share connections, on a wire without a network.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::*;
use crate::wire::scripted::{Asked, Shared};

/// Which connection carried each request, in the order they were sent.
type Carried = Rc<RefCell<Vec<u32>>>;

/// A wire on which a connection takes `most` lanes, and what it carried.
fn wire(most: u32, act: impl Fn(Asked) -> Act + 'static) -> (Shared, Scripted, Carried) {
    let carried = Carried::default();
    let seen = Rc::clone(&carried);
    let scripted = Scripted::new(move |asked| {
        seen.borrow_mut().push(asked.connection);
        act(asked)
    });
    (Shared::new(scripted.clone(), most), scripted, carried)
}

/// A closed loop of `count` requests.
fn closed(count: u64, lanes: u32, streams: u32, links: Option<u32>) -> Plan {
    let schedule = Schedule {
        arrivals: Arrivals::Closed,
        stop: Stop { count: Some(count), duration: None },
        warmup: Duration::ZERO,
    };
    Plan { schedule, streams, links, ..plan(Arrivals::Closed, 1, lanes, lanes) }
}

fn per_connection(carried: &Carried) -> BTreeMap<u32, usize> {
    carried.borrow().iter().fold(BTreeMap::new(), |mut all, connection| {
        *all.entry(*connection).or_default() += 1;
        all
    })
}

#[test]
fn lanes_fill_one_connection_after_the_other() {
    for (lanes, streams, most, connections, why) in [
        (10, 10, 100, 1, "all on one"),
        (10, 4, 100, 3, "four, four and two"),
        (10, 1, 100, 10, "one each"),
        (10, 10, 3, 4, "the server lets only three share"),
    ] {
        let (wire, dials, carried) = wire(most, |_| Act::Answer(ms(10), OK));
        let ran = run(closed(200, lanes, streams, None), Measures::default(), wire);
        assert_eq!((ran.summary.succeeded, dials.dials()), (200, connections), "{why}");
        assert_eq!(ran.summary.generator.connections, u64::from(connections), "{why}");
        assert_eq!(per_connection(&carried).len(), connections as usize, "{why}");
        assert_eq!(ran.end, ms(200), "{why}: no lane ever waited");
    }
}

#[test]
fn lanes_beyond_what_the_connections_carry_wait_and_the_wait_counts() {
    let (wire, dials, _) = wire(100, |_| Act::Answer(ms(10), OK));
    let ran = run(closed(100, 10, 2, Some(2)), Measures::default(), wire);
    assert_eq!((ran.summary.succeeded, dials.dials()), (100, 2));
    assert_eq!(ran.end, ms(250), "four at a time");
    let latency = &ran.summary.distributions[&Series::Latency];
    assert_eq!(quantile(&ran, Series::Service, 0.99), 10);
    // Ten lanes for four places: whoever is not among the first four waits once or twice.
    assert_eq!(latency.moments.mean().map(|mean| (mean / 1e6).round()), Some(24.0));
    assert_eq!(latency.moments.max, 30_000_000, "nobody is passed over");
    let queue = &ran.summary.distributions[&Series::Queue];
    assert_eq!(queue.moments.mean().map(|mean| (mean / 1e6).round()), Some(14.0), "and the wait is shown as one");
}

#[test]
fn a_dial_is_made_once_and_what_comes_of_it_is_everyones() {
    let answering = |_| Act::Answer(ms(1), OK);
    let slow = Scripted::with_dials(|_| Dialled { after: ms(40), fault: None }, answering);
    let ran = run(closed(10, 10, 10, None), Measures::default(), Shared::new(slow.clone(), 100));
    assert_eq!((ran.summary.succeeded, slow.dials(), ran.end), (10, 1, ms(41)));
    assert_eq!(ran.samples.iter().filter(|sample| sample.dial.is_some()).count(), 1, "one of them opened it");

    let refusing = Scripted::with_dials(|_| Dialled { after: ms(5), fault: Some(Fault::Refused) }, answering);
    let ran = run(closed(10, 10, 10, None), Measures::default(), Shared::new(refusing.clone(), 100));
    assert_eq!(ran.summary.faults.get(&Fault::Refused), Some(&10), "each request that was due failed");
    assert_eq!((refusing.dials(), ran.summary.generator.failed_dials), (1, 1));
}

#[test]
fn a_connection_that_ends_is_left_by_all_and_replaced_once() {
    // The first connection ends with its twentieth request.
    let (wire, dials, carried) = wire(100, |asked| match (asked.connection, asked.nth) {
        (0, 20..) => Act::AnswerAndClose(ms(10), OK),
        _ => Act::Answer(ms(10), OK),
    });
    let ran = run(closed(100, 10, 10, None), Measures::default(), wire);
    assert_eq!((ran.summary.succeeded, dials.dials()), (100, 2));
    let shares = per_connection(&carried);
    assert_eq!((shares[&0], shares[&1]), (30, 70), "what was on it ends on it, what comes later does not");
}

#[test]
fn a_refused_request_is_sent_once_more_and_then_it_counts() {
    let (wire, _, carried) = wire(100, |asked| if asked.index == 7 { Act::Refused } else { Act::Answer(ms(10), OK) });
    let ran = run(closed(20, 5, 5, None), Measures::default(), wire);
    assert_eq!((ran.summary.finished, ran.summary.succeeded), (20, 19));
    assert_eq!((ran.summary.faults.get(&Fault::Reset), carried.borrow().len()), (Some(&1), 21));
    assert_eq!(ran.samples.iter().filter(|sample| sample.resent).count(), 1);
}

#[test]
fn a_server_that_ends_every_connection_at_once_is_not_dialled_for_ever() {
    let (wire, dials, _) = wire(100, |_| Act::Stale);
    let ran = run(closed(3, 1, 1, None), Measures::default(), wire);
    assert_eq!(ran.summary.faults.get(&Fault::Reset), Some(&3));
    assert_eq!(dials.dials(), 27, "nine for each request");
}

#[test]
fn old_connections_are_left_between_two_requests_and_no_request_pays_for_the_new_ones() {
    let (shared, dials, carried) = wire(100, |_| Act::Answer(ms(10), OK));
    let mut plan = steady(100, 20, 4, 4);
    (plan.streams, plan.connection_age) = (4, Some(Duration::from_secs(5)));
    let ran = run(plan, Measures::default(), shared);
    assert_eq!(ran.summary.succeeded, 2_000);
    assert!((4..=6).contains(&dials.dials()), "one every five seconds, give or take a quarter: {}", dials.dials());
    assert_eq!(ran.summary.distributions[&Series::Latency].moments.max, 10_000_000, "and nobody waited");
    assert!(carried.borrow().is_sorted(), "nothing goes on an old connection again");
}

#[test]
fn connections_opened_ahead_of_time_are_nobodys_until_a_request_needs_one() {
    let slow = Scripted::with_dials(|_| Dialled { after: ms(50), fault: None }, |_| Act::Answer(ms(10), OK));
    let mut plan = steady(10, 5, 6, 6);
    (plan.streams, plan.links) = (2, Some(1));
    let ran = run(plan, Measures::default(), Shared::new(slow.clone(), 100));
    assert_eq!((ran.summary.succeeded, slow.dials()), (50, 1));
    assert_eq!(ran.summary.distributions[&Series::Latency].moments.max, 10_000_000, "two places are enough");
    assert_eq!(ran.summary.distributions[&Series::Connect].moments.max, 50_000_000, "and the dial is shown");
}
