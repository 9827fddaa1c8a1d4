//! Costs by round, their ratios, and what is read from each tool's output.

use super::of_peers::numbers::quantile;
use super::of_peers::rounds::{Cost, Goal, Rounds};
use super::of_peers::scenes::{SCENES, Way};
use super::of_peers::tools::{OURS, TOOLS, Tool};

#[test]
fn quartiles_of_nine_rounds_are_its_third_fifth_and_seventh_values() {
    let rounds = [9.0, 1.0, 8.0, 2.0, 7.0, 3.0, 6.0, 4.0, 5.0];
    assert_eq!([0.25, 0.5, 0.75].map(|q| quantile(&rounds, q)), [3.0, 5.0, 7.0]);
    assert_eq!(quantile(&[1.0, 2.0], 0.5), 1.5);
    assert!(quantile(&[], 0.5).is_nan());
}

fn cost(cpu: f64) -> Cost {
    Cost { requests: 1e6, wall: 4.0, cpu }
}

#[test]
fn ratios_pair_tools_within_a_round_and_skip_rounds_that_lack_one() {
    let mut rounds = Rounds::default();
    for (round, ours, wrk) in [(0, 8.0, Some(10.0)), (1, 9.0, None), (2, 12.0, Some(10.0))] {
        rounds.add(round, "ours", cost(ours));
        if let Some(wrk) = wrk {
            rounds.add(round, "wrk", cost(wrk));
        }
    }
    let rounded = |values: Vec<f64>| -> Vec<f64> { values.iter().map(|value| (value * 1e6).round() / 1e6).collect() };
    assert_eq!(rounded(rounds.ratios("ours", "wrk")), [0.8, 1.2]);
    assert_eq!(rounded(rounds.cpu_micros("ours")), [8.0, 9.0, 12.0]);
    assert_eq!(rounds.per_second("wrk"), [250_000.0, 250_000.0]);
}

#[test]
fn a_goal_looks_at_the_median_and_where_asked_at_the_upper_quartile() {
    let goal = Goal { peer: "wrk", median: 1.0, upper_quartile: Some(1.1) };
    assert!(goal.outcome(&[0.9, 1.0, 1.1]).ends_with(": holds"));
    assert!(goal.outcome(&[0.9, 1.0, 1.6]).ends_with("DOES NOT HOLD"), "the upper quartile is 1.3");
    assert!(goal.outcome(&[1.01]).ends_with("DOES NOT HOLD"));
    assert!(goal.outcome(&[]).ends_with("not measured"));
}

fn tool(name: &str) -> &'static Tool {
    TOOLS.iter().find(|tool| tool.name == name).unwrap()
}

#[test]
fn requests_are_found_in_what_each_tool_prints() {
    for (name, out, expected) in [
        ("wrk", "    Req/Sec   100.34k\n  209659 requests in 2.10s, 29.99MB read\n", 209_659),
        ("h2load", "requests: 189414 total, 189464 started, 189413 done, 1 failed\n", 189_413),
        ("ab", "Concurrency Level:      50\nComplete requests:      167855\nFailed requests:        0\n", 167_855),
        ("oha", r#"{"statusCodeDistribution": {"200": 204746, "500": 4}, "errorDistribution": {"x": 46}}"#, 204_750),
        ("hey", "Status code distribution:\n  [200]\t64825 responses\n  [500]\t5 responses\n\n", 64_830),
        ("hey", "Status code distribution:\n\nError distribution:\n  [3]\tGet \"http://x\": EOF\n", 0),
        ("ghz", r#"{"count": 9, "statusCodeDistribution": {"OK": 7, "Unavailable": 2}}"#, 7),
        (OURS, r#"{"schema": 1, "requests": {"scheduled": 9, "finished": 8}}"#, 8),
    ] {
        assert_eq!((tool(name).requests)(out), Some(expected), "{name}");
    }
}

#[test]
fn an_output_without_a_count_is_no_count() {
    for tool in &TOOLS {
        assert_eq!((tool.requests)("connection refused\n"), None, "{}", tool.name);
    }
}

#[test]
fn every_tool_is_asked_for_the_same_load_and_says_where_it_comes_from() {
    for (scene, tool) in SCENES.iter().flat_map(|scene| TOOLS.iter().map(move |tool| (scene, tool))) {
        let Some(arguments) = (tool.arguments)(scene.way, scene.asked) else {
            assert!(
                tool.name != OURS && (scene.way != Way::Http1 || tool.name == "ghz"),
                "{} {}",
                scene.name,
                tool.name
            );
            continue;
        };
        let lanes = if [OURS, "ghz"].contains(&tool.name) { scene.asked.lanes() } else { scene.asked.connections };
        assert!(arguments.contains(&format!("-c {lanes}")) && arguments.contains(" 4"), "{}: {arguments}", tool.name);
        assert!(scene.way != Way::Handshakes || !arguments.contains("-k "), "{}: {arguments}", tool.name);
        assert_eq!(tool.host_alone, tool.name == "ghz", "the others want a URL");
        assert!(!tool.from.is_empty() && tool.version.is_none_or(|flag| flag.starts_with('-')), "{}", tool.name);
    }
}

#[test]
fn every_goal_names_a_tool_that_can_make_its_load() {
    for scene in &SCENES {
        for (number, goal) in scene.goals {
            assert!((tool(goal.peer).arguments)(scene.way, scene.asked).is_some(), "{number} {}", goal.peer);
        }
        assert_eq!(scene.unit == "handshake", scene.way == Way::Handshakes);
    }
}
