//! The engine's rules on a wire without a network and a clock that only moves when everyone waits.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::brakes::Brakes;
use super::pulse::Pulse;
use super::share::{Ground, Part, Sink};
use super::way::Ways;
use super::{Windows, pool, share};
use crate::plan::{Arrivals, Host, Origin, Plan, Rate, Request, Schedule, Stage, Stop, Target, Tls, Via, Wire};
use crate::stats::{
    Code, Detail, Fault, Groups, Key, Log, Look, Measures, Meter, Ns, Outcome, Reading, Recorder, Sample, Series, Set,
    Stopped, Summary, Test, Trip,
};
use crate::wire::scripted::{Act, Dialled, Scripted};
use crate::wire::{Clock as _, Coarse, Protocol, Transport};

mod connections;
mod shared;
mod targets;

const OK: Outcome = Outcome::http(200);

fn ms(n: u64) -> Ns {
    Ns::from_millis(n)
}

/// Everything that was recorded, sample by sample and counted.
struct Kept {
    recorder: Recorder,
    samples: Vec<Sample>,
}

impl Sink for Kept {
    fn record(&mut self, sample: &Sample) {
        self.recorder.record(sample);
        self.samples.push(*sample);
    }

    fn split(&mut self, sample: &Sample, keys: &[Key]) {
        self.recorder.split(sample, keys);
    }

    fn due(&mut self, due: Ns, lag: Option<Ns>) {
        self.recorder.due(due, lag);
    }

    fn dialled(&mut self, made: bool) {
        self.recorder.dialled(made);
    }

    fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    fn take(&mut self) -> (Recorder, Option<Log>) {
        (self.recorder.clone(), None)
    }
}

struct Ran {
    samples: Vec<Sample>,
    splits: Vec<Groups>,
    summary: Summary,
    peak: u32,
    stopped: Option<Stopped>,
    panic: Option<String>,
    end: Ns,
}

fn plan(arrivals: Arrivals, seconds: u64, lanes: u32, max_lanes: u32) -> Plan {
    Plan {
        targets: vec![Target {
            url: "http://target.test/".into(),
            origin: Origin { secure: false, host: Host::Name("target.test".into()), port: 80, pinned: Vec::new() },
            request: Request {
                method: "GET".into(),
                path: "/".into(),
                authority: "target.test".into(),
                headers: Vec::new(),
                body: Arc::from([]),
            },
            drawn: None,
            call: crate::plan::Call::default(),
            weight: 1,
        }],
        wire: Wire::Http1,
        tls: Tls::default(),
        via: Via::Direct,
        schedule: Schedule {
            arrivals,
            stop: Stop { count: None, duration: Some(Duration::from_secs(seconds)) },
            warmup: Duration::ZERO,
        },
        lanes,
        max_lanes,
        streams: 1,
        links: None,
        timeout: Some(Duration::from_secs(20)),
        keep_alive: true,
        connection_age: None,
        identify: None,
        redirects: 0,
        seed: 0,
        split: Vec::new(),
    }
}

fn steady(per_second: u64, seconds: u64, lanes: u32, max_lanes: u32) -> Plan {
    plan(Arrivals::Steady(Rate { micro_per_second: per_second * 1_000_000 }), seconds, lanes, max_lanes)
}

/// Runs a plan on one worker against a script.
fn run<P: Protocol>(plan: Plan, measures: Measures, wire: P) -> Ran {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build_local(tokio::runtime::LocalOptions::default())
        .expect("a runtime without I/O needs nothing from the system");
    runtime.block_on(async move {
        let closed = plan.schedule.is_closed();
        let brakes = Arc::new(Brakes::new(&measures.trips));
        let tolerance = measures.tolerance();
        let recorder = Recorder::new(Arc::new(measures), Ns::from(plan.schedule.warmup), Detail::Run);
        let part = Part { worker: 0, workers: 1 };
        let clock = Coarse::new();
        let plan = Arc::new(plan);
        let transport = Transport::new(plan.wire, &plan.tls, &plan.via).expect("there is nothing to go wrong");
        let ways = Ways::new(transport, 0, &plan);
        let ground = Rc::new(Ground::new(
            (plan, part),
            (wire, ways),
            clock.clone(),
            Kept { recorder, samples: Vec::new() },
            Arc::clone(&brakes),
            (Pulse::new(), Ns::ZERO, tolerance),
        ));
        let peak = if closed {
            share::closed(Rc::clone(&ground)).await;
            0
        } else {
            pool::open(Rc::clone(&ground)).await
        };
        let end = clock.now();
        let kept = ground.sink.borrow();
        Ran {
            samples: kept.samples.clone(),
            splits: kept.recorder.splits().to_vec(),
            summary: kept.recorder.summary(),
            peak,
            stopped: brakes.stopped(),
            panic: brakes.panic(),
            end,
        }
    })
}

fn quantile(ran: &Ran, series: Series, q: f64) -> u64 {
    ran.summary.distributions[&series].quantile(q).expect("it was answered") / 1_000_000
}

#[test]
fn ten_a_second_on_two_lanes_for_ten_seconds_is_exactly_two_hundred_requests() {
    let ran = run(steady(20, 10, 2, 64), Measures::default(), Scripted::new(|_| Act::Answer(ms(3), OK)));
    assert_eq!((ran.summary.finished, ran.summary.succeeded, ran.summary.generator.scheduled), (200, 200, 200));
    assert_eq!((ran.peak, ran.summary.generator.connections), (1, 2), "both connections stand ready and take turns");
    assert_eq!(quantile(&ran, Series::Latency, 0.99), 3);
}

#[test]
fn the_users_behind_a_stall_waited_from_when_they_were_due() {
    // Answers due in the last second of every five wait for its end; slots run out, so requests queue.
    let stalling = Scripted::new(|asked| {
        let into = asked.sent.0 % 5_000_000_000;
        let wait = if into >= 4_000_000_000 { 5_000_000_000 - into } else { 0 };
        Act::Answer(Ns(wait + 1_000_000), OK)
    });
    let ran = run(steady(200, 20, 2, 8), Measures::default(), stalling);
    assert_eq!(ran.summary.finished, 4_000);
    let (p90, p99) = (quantile(&ran, Series::Latency, 0.90), quantile(&ran, Series::Latency, 0.99));
    // 0.50 s, and 25 ms in which eight lanes work off what had queued.
    assert!((490..=525).contains(&p90), "{p90}");
    assert!((930..=970).contains(&p99), "{p99}");
    let first_lanes = ran.summary.first_lanes.as_ref().and_then(|d| d.quantile(0.99)).expect("more lanes were opened");
    assert!(first_lanes / 1_000_000 <= 2, "hey would have said so");
    assert!(quantile(&ran, Series::Queue, 0.99) > 900);
    assert_eq!(ran.peak, 8);
    assert_eq!(ran.summary.generator.late, 0, "the target was slow, not we");
}

#[test]
fn a_steady_service_slower_than_its_lanes_gets_more_lanes_and_no_queue() {
    let ran = run(steady(20, 30, 2, 64), Measures::default(), Scripted::new(|_| Act::Answer(ms(150), OK)));
    assert_eq!(ran.summary.finished, 600);
    assert_eq!(ran.summary.distributions[&Series::Latency].moments.max / 1_000_000, 150);
    assert!((3..=4).contains(&ran.peak), "{}", ran.peak);
}

#[test]
fn a_hung_target_yields_as_many_failures_as_requests_were_due() {
    let ran = run(steady(20, 10, 2, 4), Measures::default(), Scripted::new(|_| Act::Hang));
    assert_eq!(ran.summary.finished, 200);
    assert_eq!(ran.summary.faults.get(&Fault::Timeout), Some(&200));
    assert_eq!(ran.summary.distributions[&Series::Latency].beyond, 200);
    assert_eq!(ran.end, Ns::from_secs(30), "the last due, and its time limit");
    let unsent: Vec<_> = ran.samples.iter().filter(|s| s.sent == s.done).collect();
    assert!(unsent.iter().all(|s| s.latency() == Ns::from_secs(30).since(s.due)));
    assert!(unsent.len() > 150);
}

#[test]
fn the_end_of_the_schedule_ends_the_dues_and_not_the_sends() {
    // One slot, one second an answer, ten requests due within one second: all ten are sent, long after the end.
    let ran = run(steady(10, 1, 1, 1), Measures::default(), Scripted::new(|_| Act::Answer(Ns::from_secs(1), OK)));
    assert_eq!((ran.summary.finished, ran.summary.succeeded), (10, 10));
    assert_eq!(ran.samples.last().map(Sample::latency), Some(ms(9_100 + 1_000 - 1_000)));
}

#[test]
fn a_closed_loop_sends_its_count_and_no_more() {
    let mut plan = plan(Arrivals::Closed, 0, 7, 7);
    plan.schedule.stop = Stop { count: Some(100), duration: None };
    let ran = run(plan, Measures::default(), Scripted::new(|asked| Act::Answer(ms(1 + asked.index % 13), OK)));
    assert_eq!((ran.summary.finished, ran.summary.generator.scheduled), (100, 100));
    assert!(ran.samples.iter().all(|s| s.latency() == s.service()), "a closed loop has no queue");
}

#[test]
fn a_closed_loop_ends_with_its_time_and_lets_the_last_requests_finish() {
    let ran = run(plan(Arrivals::Closed, 10, 3, 3), Measures::default(), Scripted::new(|_| Act::Answer(ms(400), OK)));
    assert_eq!(ran.summary.finished, 3 * 25);
    assert_eq!(ran.end, Ns::from_secs(10));
}

/// A closed loop in which the lanes together may reach a rate.
fn paced(per_second: u64, seconds: u64, lanes: u32) -> Plan {
    plan(Arrivals::Paced(Rate { micro_per_second: per_second * 1_000_000 }), seconds, lanes, lanes)
}

#[test]
fn paced_lanes_that_are_free_send_as_many_as_an_open_loop() {
    let ran = run(paced(20, 10, 2), Measures::default(), Scripted::new(|_| Act::Answer(ms(30), OK)));
    assert_eq!((ran.summary.finished, ran.summary.generator.scheduled), (200, 200));
    let dues: Vec<Ns> = ran.samples.iter().map(|sample| sample.due).collect();
    assert_eq!(dues, (1..=200).map(|i| ms(50 * i)).collect::<Vec<_>>(), "in turn, the last one at the end");
    assert!(ran.samples.iter().all(|s| s.latency() == ms(30)), "a wait for its own time is in no request");
}

#[test]
fn a_paced_lane_that_is_held_makes_up_one_request_and_no_other_lane_is_opened() {
    // One lane, ten a second; the first answer takes 350 ms, the others none.
    let slow = Scripted::new(|asked| Act::Answer(ms(if asked.index == 0 { 350 } else { 1 }), OK));
    let ran = run(paced(10, 1, 1), Measures::default(), slow);
    let sent: Vec<Ns> = ran.samples.iter().map(|sample| sample.sent).collect();
    assert_eq!(sent, [100, 450, 500, 600, 700, 800, 900, 1_000].map(ms));
    assert!(ran.samples.iter().all(|s| s.latency() == s.service()), "what it missed is in no latency, as in hey");
}

#[test]
fn a_paced_count_is_sent_to_the_last_however_long_it_takes() {
    let mut plan = paced(30, 0, 3);
    plan.schedule.stop = Stop { count: Some(10), duration: None };
    let ran = run(plan, Measures::default(), Scripted::new(|_| Act::Answer(ms(250), OK)));
    assert_eq!(ran.summary.finished, 10, "all of them, and not three for each lane");
}

#[test]
fn a_pace_is_kept_against_a_port_that_refuses() {
    let refused = |_| Dialled { after: Ns::ZERO, fault: Some(Fault::Refused) };
    let mut plan = paced(20, 0, 2);
    plan.schedule.stop = Stop { count: Some(30), duration: None };
    let ran = run(plan, Measures::default(), Scripted::with_dials(refused, |_| Act::Hang));
    assert_eq!((ran.summary.finished, ran.end), (30, ms(1_500)), "no lane holds back more than its pace does");
}

#[test]
fn a_warm_up_is_loaded_and_not_judged_in_either_loop() {
    let meter = Meter::of(Test::Share(Set::Success));
    for arrivals in [Arrivals::Closed, Arrivals::Steady(Rate { micro_per_second: 50_000_000 })] {
        let mut plan = plan(arrivals, 4, 1, 64);
        plan.schedule.warmup = Duration::from_secs(2);
        // Everything fails until the warm-up is over.
        let cold = Scripted::new(|asked| {
            Act::Answer(ms(20), Outcome::http(if asked.sent <= Ns::from_secs(2) { 503 } else { 200 }))
        });
        let ran = run(plan, Measures { meters: vec![meter], ..Measures::default() }, cold);
        let Reading::Tally(tally) = ran.summary.readings[0] else { panic!("a share has counters") };
        // 50 a second, or one after the other in 20 ms, for four seconds; a closed loop's requests do not begin on the
        // dot.
        assert!((199..=200).contains(&ran.summary.finished), "{}", ran.summary.finished);
        assert!(tally.n - tally.k <= 1 && tally.n == ran.summary.finished, "{tally:?}");
        assert!((100..=101).contains(&ran.summary.warmup_finished), "{}", ran.summary.warmup_finished);
    }
}

#[test]
fn stages_follow_each_other() {
    let stage = |seconds, from: u64, to: u64| Stage {
        duration: Duration::from_secs(seconds),
        from: Rate { micro_per_second: from * 1_000_000 },
        to: Rate { micro_per_second: to * 1_000_000 },
    };
    let mut plan = plan(Arrivals::Stages(vec![stage(3, 10, 10), stage(4, 50, 100)]), 0, 5, 64);
    plan.schedule.stop = Stop { count: None, duration: None };
    let ran = run(plan, Measures::default(), Scripted::new(|_| Act::Answer(ms(1), OK)));
    assert_eq!(ran.summary.finished, 30 + 300);
    let first: u64 = ran.summary.seconds[..3].iter().map(|s| s.finished).sum();
    assert!((29..=30).contains(&first), "{first}");
}

#[test]
fn a_clause_that_can_no_longer_pass_stops_the_load() {
    let meter = Meter::of(Test::Share(Set::Success));
    let trip = Trip { meter: 0, bad_holds: false, most_bad: 12, looks: Vec::new() };
    let measures = Measures { meters: vec![meter], trips: vec![trip], ..Measures::default() };
    let half = Scripted::new(|asked| Act::Answer(ms(2), Outcome::http(if asked.index % 2 == 0 { 500 } else { 200 })));
    let ran = run(steady(20, 60, 2, 64), measures, half);
    assert_eq!(ran.stopped, Some(Stopped::Tripped(0)));
    assert_eq!(ran.summary.finished, 25, "the thirteenth failure of every second request");
}

#[test]
fn strong_evidence_stops_the_load_before_it_is_certain() {
    let meter = Meter::of(Test::Share(Set::Success));
    let looks = vec![Look { n: 64, most_bad: 5 }, Look { n: 128, most_bad: 9 }];
    let trip = Trip { meter: 0, bad_holds: false, most_bad: u64::MAX, looks };
    let measures = Measures { meters: vec![meter], trips: vec![trip], ..Measures::default() };
    let failing = |every: u64| {
        Scripted::new(move |asked| Act::Answer(ms(2), Outcome::http(if asked.index % every == 0 { 500 } else { 200 })))
    };
    let ran = run(steady(20, 60, 2, 64), measures.clone(), failing(2));
    assert_eq!((ran.stopped, ran.summary.finished), (Some(Stopped::Tripped(0)), 11), "the sixth of the first 64");
    let ran = run(steady(20, 60, 2, 64), measures.clone(), failing(13));
    assert_eq!((ran.stopped, ran.summary.finished), (Some(Stopped::Tripped(0)), 118), "the tenth of the first 128");
    let ran = run(steady(20, 60, 2, 64), measures, failing(15));
    assert_eq!((ran.stopped, ran.summary.finished), (None, 1200), "nobody looks any more");
}

#[test]
fn a_panic_of_our_own_makes_the_run_an_error_and_not_a_verdict() {
    let ran = run(
        steady(10, 3, 1, 4),
        Measures::default(),
        Scripted::new(|asked| if asked.index == 7 { Act::Panic } else { Act::Answer(ms(1), OK) }),
    );
    assert!(ran.panic.is_some());
    assert_eq!(ran.summary.finished, 29, "the others go on");
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_a_worker_with_too_much_to_do_is_not_kept_waiting() {
    let (asking, _unread) = tokio::sync::mpsc::unbounded_channel();
    let plan = Arc::new(steady(10, 10, 1, 1));
    let windows = Windows::new(plan, Arc::new(Brakes::new(&[])), Ns::ZERO, vec![asking]);
    let summary = windows.look(&Arc::default(), 0..1).await;
    let said = summary.error.unwrap_or_default();
    assert!(said.starts_with("tollgate has too little CPU for its loads"), "{said}");
    assert_eq!(summary.finished, 0);
}
