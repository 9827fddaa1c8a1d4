//! The users' truth computed from a schedule, and what is read from each tool's output.

use serde_json::json;

use super::of_truth::cells::{BASE_MS, BEHAVIOURS, Cell, LOADS, Law, Load, WIRES, Wire, cells};
use super::of_truth::tools::{Decision, TOOLS, Tool};
use super::of_truth::truth::{Figures, close, factor, open, served};

const STALL: Law = Law::Stall { on: 1.0, period: 5.0, phase: 2.0 };

fn tool(name: &str) -> &'static Tool {
    TOOLS.iter().find(|tool| tool.name == name).unwrap()
}

fn cell(behaviour: &str, load: &str) -> Cell {
    cell_over(Wire::Http1, behaviour, load)
}

fn cell_over(wire: Wire, behaviour: &str, load: &str) -> Cell {
    let load = LOADS.iter().find(|known| known.name == load).unwrap();
    cells(wire, load, false).into_iter().find(|cell| cell.behaviour.name == behaviour).unwrap()
}

#[test]
fn users_of_a_target_that_freezes_a_fifth_of_the_time_wait_as_uniformly_as_they_come() {
    for (rate, seconds) in [(20, 20), (200, 10), (2_000, 10)] {
        let users = open(STALL, rate, seconds).unwrap();
        let step = 1e3 / f64::from(rate);
        assert_eq!((users.success, users.p50), (1.0, BASE_MS), "four of five meet no freeze");
        assert!((users.p90 - 500.0).abs() <= step + BASE_MS, "half of those caught wait over half of it: {users:?}");
        assert!((users.p99 - 950.0).abs() <= step + BASE_MS, "one in twenty of those caught: {users:?}");
    }
}

#[test]
fn a_freeze_begins_only_at_its_phase() {
    let early = open(Law::Stall { on: 1.0, period: 5.0, phase: 4.5 }, 100, 4).unwrap();
    assert_eq!((early.p50, early.p99), (BASE_MS, BASE_MS));
}

#[test]
fn a_slow_start_fades_linearly() {
    let users = open(Law::SlowStart { lasts: 2.0, extra: 0.5 }, 200, 10).unwrap();
    assert_eq!(users.p50, BASE_MS);
    // The slowest tenth is the first half of the start: from 250 ms upward.
    assert!((users.p90 - 250.0).abs() <= 1.3 + BASE_MS, "{users:?}");
    assert!((users.p99 - 475.0).abs() <= 1.3 + BASE_MS, "{users:?}");
    assert_eq!(open(Law::Served, 200, 10), None, "here only the target knows");
}

#[test]
fn quantiles_are_order_statistics_and_no_answer_is_slower_than_any() {
    let mut latencies: Vec<f64> = (1..=98).map(f64::from).collect();
    latencies.extend([f64::INFINITY; 2]);
    latencies.reverse();
    let figures = Figures::of(0.98, latencies);
    assert_eq!(figures, Figures { success: 0.98, p50: 50.0, p90: 90.0, p99: f64::INFINITY });
    assert_eq!(figures.quantiles(), [("p50", 50.0), ("p90", 90.0), ("p99", f64::INFINITY)]);
    assert!(!figures.holds(1e9));
    assert!(Figures::of(1.0, Vec::new()).p99.is_nan());
    assert!(!Figures::of(1.0, Vec::new()).holds(1e9), "without evidence nothing holds");
}

#[test]
fn a_targets_account_counts_what_it_spoiled_and_puts_what_it_never_answered_last() {
    let account = |hang: u64, answered: u64| {
        json!({
            "connections": {"refused": 0},
            "requests": {"received": 100, "answered": answered, "succeeded": answered, "spoiled": 2, "abandoned": 3},
            "faults": {"hang": hang},
            "service_us": (1..=answered).map(|ms| ms * 1_000).collect::<Vec<_>>(),
        })
    };
    let truth = served(&account(2, 98)).unwrap();
    assert_eq!(truth, Figures { success: 0.98, p50: 50.0, p90: 90.0, p99: f64::INFINITY });
    assert_eq!(served(&account(0, 98)).unwrap().p99, 98.0, "what failed at once makes no percentile better or worse");
    let nothing = served(&account(2, 0)).unwrap();
    assert_eq!((nothing.success, nothing.p50), (0.0, f64::INFINITY));
    let mut turned_away = account(2, 98);
    turned_away["connections"]["refused"] = json!(100);
    assert_eq!(served(&turned_away).unwrap().success, 0.49, "who is turned away at the door was not served");
    let mut idle = account(0, 0);
    idle["requests"]["spoiled"] = json!(0);
    assert_eq!(served(&idle), None);
}

#[test]
fn a_number_is_right_within_two_percent_or_a_millisecond() {
    for (said, truth, right) in [
        (1.9, 1.0, true),
        (2.1, 1.0, false),
        (980.0, 1_000.0, true),
        (979.0, 1_000.0, false),
        (f64::INFINITY, f64::INFINITY, true),
        (2_000.0, f64::INFINITY, false),
        (f64::NAN, 5.0, false),
        (f64::NAN, f64::INFINITY, true),
    ] {
        assert_eq!(close(said, truth), right, "{said} for {truth}");
    }
    let share = |success| Figures { success, p50: 1.0, p90: 1.0, p99: 1.0 };
    assert!(share(0.971).success_is_close(&share(0.97)) && !share(1.0).success_is_close(&share(0.97)));
    assert!(!share(f64::NAN).success_is_close(&share(0.97)));
    assert_eq!(factor(2.0, 900.0), 450.0);
    assert_eq!(factor(900.0, 2.0), 450.0);
    assert_eq!(factor(1.5, 1.0), 1.0);
    assert!(factor(f64::NAN, 1.0).is_infinite() && factor(1.0, f64::INFINITY).is_infinite());
}

#[test]
fn every_target_with_a_law_of_time_has_the_base_latency_that_the_law_assumes() {
    for behaviour in BEHAVIOURS.iter().filter(|behaviour| behaviour.law != Law::Served) {
        assert!(behaviour.flags.starts_with(&format!("--latency {BASE_MS}ms ")), "{}", behaviour.flags);
    }
    let stall = cell("stall 1s/5s", "200/s").behaviour;
    assert_eq!((stall.law, stall.objective().as_str()), (STALL, "success>=99%,p99<500ms"));
}

#[test]
fn each_tool_is_asked_for_the_same_load() {
    for (name, expected) in [
        ("tollgate", "--rate 200/s --max-lanes 600 -c 10 -z 10s -t 2 --slo success>=99%,p99<50ms"),
        ("hey", "-q 20 -c 10 -z 10s -t 2"),
        ("oha", "-q 200 -c 10 -z 10s -t 2s"),
        ("oha corrected", "--latency-correction -q 200 -c 10"),
        ("h2load", "--h1 --rps 20 -c 10 -m 1 -D 10 -N 2s --log-file=/dev/stdout"),
    ] {
        let arguments = (tool(name).arguments)(&cell("constant", "200/s"));
        assert!(arguments.contains(expected), "{name}: {arguments}");
    }
    assert!(TOOLS.iter().all(|tool| tool.name.starts_with(tool.program)), "two ways to ask one program");
    let together = |load: &Load| load.rate.unwrap_or(2_000) as usize * load.at_once;
    assert!(LOADS.iter().all(|load| together(load) <= 4_000), "runs at once leave most of two cores idle");
    let closed = cell("constant", "closed, 10 lanes");
    assert_eq!((tool("wrk").arguments)(&closed), "-t 1 -c 10 -d 10s --timeout 2s --latency");
    assert!(!(tool("wrk").can)(&cell("constant", "200/s")), "it has no rate");
    assert!(TOOLS.iter().filter(|tool| (tool.can)(&closed)).all(|tool| !(tool.arguments)(&closed).contains("-q ")));
    assert!(!(tool("oha corrected").can)(&closed), "without a rate there is nothing to correct");
    assert!(LOADS.iter().all(|load| load.rate.is_none_or(|rate| rate % load.lanes == 0)), "hey's -q is per lane");
}

#[test]
fn only_who_can_speak_a_wire_is_asked_over_it() {
    for (wire, path, able) in [
        (Wire::Http1, "", vec!["tollgate", "hey", "oha", "oha corrected", "h2load"]),
        (Wire::Http2, "", vec!["tollgate", "oha", "oha corrected", "h2load"]),
        (Wire::Grpc, "tollgate.practice.Echo/Echo", vec!["tollgate"]),
    ] {
        let cell = cell_over(wire, "constant", "200/s");
        let can: Vec<_> = TOOLS.iter().filter(|tool| (tool.can)(&cell)).collect();
        assert_eq!(can.iter().map(|tool| tool.name).collect::<Vec<_>>(), able);
        for tool in can.iter().filter(|_| wire != Wire::Http1) {
            let arguments = (tool.arguments)(&cell);
            let told = arguments.contains(&format!("--protocol {} --streams 1", wire.name()));
            let speaks = tool.name == "h2load" && !arguments.contains("--h1");
            assert!(told || speaks || arguments.contains("--http2"), "{arguments}");
        }
        assert_eq!(wire.path(), path);
    }
    assert_eq!(WIRES.map(|(wire, name)| wire.name() == name), [true; 3]);
}

#[test]
fn heys_summary_is_read_with_its_errors() {
    let read = tool("hey").read;
    let said = read(HEY, 100.0).unwrap();
    assert_eq!(said.figures, Figures { success: 0.95, p50: 1.4, p90: 2.9, p99: 4.6 });
    assert_eq!(said.decision, Decision::Fail, "95 % is too little");
    assert!(read("flag provided but not defined: -x\n", 100.0).is_none());
    let hung =
        read("\nSummary:\n  Total:\t2.0 secs\n\nError distribution:\n  [50]\tGet \"x\": timeout\n", 100.0).unwrap();
    assert_eq!((hung.figures.success, hung.decision), (0.0, Decision::Fail));
}

#[test]
fn ohas_report_is_read_and_its_own_deadline_is_nobodys_failure() {
    let out = r#"{"latencyPercentiles": {"p50": 0.0002, "p90": 0.0003, "p99": 0.0044},
        "statusCodeDistribution": {"200": 990, "500": 5}, "errorDistribution": {"aborted due to deadline": 46, "timeout": 5}}"#;
    let said = (tool("oha").read)(out, 5.0).unwrap();
    let rounded = |ms: f64| (ms * 1e6).round() / 1e6;
    assert_eq!([said.figures.p50, said.figures.p90, said.figures.p99].map(rounded), [0.2, 0.3, 4.4]);
    assert_eq!((said.figures.success, said.decision), (0.99, Decision::Pass));
    assert_eq!((tool("oha").read)(out, 4.0).unwrap().decision, Decision::Fail);
    let nothing =
        r#"{"latencyPercentiles": {"p99": null}, "statusCodeDistribution": {}, "errorDistribution": {"timeout": 9}}"#;
    assert_eq!((tool("oha").read)(nothing, 4.0).unwrap().decision, Decision::Fail);
}

#[test]
fn wrks_and_h2loads_output_is_read_with_what_failed() {
    let out = "  Latency Distribution\n     50%    2.21ms\n     75%    2.40ms\n     90%  712.00us\n     99%    1.02s \n\
        980 requests in 10.00s, 1.2MB read\n  Socket errors: connect 0, read 15, write 0, timeout 5\n  \
        Non-2xx or 3xx responses: 30\n";
    let said = (tool("wrk").read)(out, 2_000.0).unwrap();
    assert_eq!(said.figures, Figures { success: 0.95, p50: 2.21, p90: 0.712, p99: 1020.0 });
    assert_eq!(said.decision, Decision::Fail, "95 % is too little");
    assert!((tool("wrk").read)("unable to connect\n", 5.0).is_none());
    let log: String = (1..=99).map(|i| format!("17{i}\t200\t{}\n", i * 1_000)).collect();
    let out = format!(
        "{log}18\t500\t90000000\n19\t-1\t90000000\n\
        requests: 101 total, 101 started, 100 done, 99 succeeded, 2 failed, 1 errored, 0 timeout\n"
    );
    let said = (tool("h2load").read)(&out, 100.0).unwrap();
    assert_eq!((said.figures.p50, said.figures.p90, said.figures.p99), (50.0, 90.0, 99.0));
    assert!((said.figures.success - 99.0 / 101.0).abs() < 1e-9 && said.decision == Decision::Fail);
    assert!((tool("h2load").read)("could not connect\n", 5.0).is_none());
}

#[test]
fn our_own_report_is_read_with_its_verdict_and_timeouts_stand_above_every_time() {
    let read = tool("tollgate").read;
    let report = |decision: &str, beyond: u64| {
        format!(
            r#"{{"schema": 1, "requests": {{"success_ratio": 0.98}},
            "latency_ms": {{"n": 100, "beyond": {beyond}, "p50": 2.5, "p90": 3.5, "p99": null}},
            "verdict": {{"decision": "{decision}"}}}}"#
        )
    };
    let said = read(&report("fail", 2), 100.0).unwrap();
    assert_eq!(said.figures, Figures { success: 0.98, p50: 2.5, p90: 3.5, p99: f64::INFINITY });
    assert_eq!(said.decision, Decision::Fail);
    assert!(read(&report("fail", 0), 100.0).unwrap().figures.p99.is_nan());
    assert_eq!(read(&report("pass", 0), 100.0).unwrap().decision, Decision::Pass, "its own verdict, not ours of it");
    for open in ["saturated", "insufficient", "inconclusive", "unreachable", "error"] {
        assert_eq!(read(&report(open, 0), 100.0).unwrap().decision, Decision::Open, "{open}");
    }
    assert!(read("", 100.0).is_none());
}

/// As hey prints it: ninety-five good answers of a hundred, three bad, two errors.
const HEY: &str = "
Summary:
  Total:\t2.0010 secs
  Requests/sec:\t50.0

Response time histogram:
  0.000 [1]\t|
  0.001 [97]\t|■■■■■■■■

Latency distribution:
  10% in 0.0003 secs
  50% in 0.0014 secs
  90% in 0.0029 secs
  99% in 0.0046 secs

Details (average, fastest, slowest):
  DNS+dialup:\t0.0000 secs, 0.0000 secs, 0.0097 secs

Status code distribution:
  [200]\t95 responses
  [500]\t3 responses

Error distribution:
  [2]\tGet \"http://127.0.0.1:18080/\": EOF
";
