//! Whole analyses, tick by tick.

use super::*;

fn check(rollout: &Canary, answers: &str, expected: &[&str]) {
    assert_eq!(lines(rollout, script(answers)), expected, "{answers}");
}

const BEGIN: &str = "cr(Initialized) up → Progressing w0";

#[test]
fn a_weighted_release_grows_by_its_step_and_is_promoted_at_its_top() {
    check(
        &podinfo(),
        "rb",
        &[
            BEGIN,
            "rb✗ pre cti 80/20 → Progressing w20",
            "rb✗ ro metrics cti 60/40 → Progressing w40",
            "rb✗ ro metrics cti cp copy → Promoting w40",
            "100/0 → Finalising w0",
            "down post(Succeeded) → Succeeded w0",
        ],
    );
}

#[test]
fn weights_go_where_the_object_says_even_over_its_maximum() {
    let weighted = |step, max, list: &[u32], back| {
        with("", |analysis| {
            analysis.step_weight = step;
            analysis.max_weight = Analysis::greatest(Some(max), list);
            analysis.step_weights = list.to_vec();
            analysis.step_weight_promotion = back;
        })
    };
    for (rollout, expected, why) in [
        (weighted(30, 50, &[], 0), "30 60 copy 0", "a step over the maximum"),
        (weighted(0, 0, &[1, 10, 80], 50), "1 10 80 copy 30 0", "a list, and back in steps"),
        (weighted(0, 30, &[50, 100], 0), "50 100 copy 0", "a list ends at its last weight, whatever the maximum"),
        (weighted(60, 0, &[], 0), "60 100 copy 0", "no maximum is 100, and more there is not"),
        (weighted(40, 0, &[10, 80], 0), "40 80 copy 0", "a step beside a list wins for the step"),
        (weighted(0, 0, &[20, 20], 0), "20 (stuck)", "a list that does not grow"),
        (weighted(0, 50, &[], 0), "(stuck)", "no step at all"),
    ] {
        let mut state = fresh();
        let mut seen = Vec::new();
        for _ in 0..12 {
            for step in tick(&rollout, &mut state, &mut script("")).steps {
                match step {
                    Step::Route(route) => seen.push(route.canary.to_string()),
                    Step::Promote => seen.push("copy".to_owned()),
                    _ => {}
                }
            }
        }
        seen.extend((!state.is_over()).then(|| "(stuck)".to_owned()));
        assert_eq!(seen.join(" "), expected, "{why}");
    }
}

#[test]
fn a_weighted_release_asks_for_its_promotion_in_every_tick() {
    let rollout = with("ro cp", |analysis| {
        (analysis.max_weight, analysis.step_weight) = (50, 50);
        analysis.metrics = vec![success()];
    });
    check(
        &rollout,
        "cp 3",
        &[
            "up → Progressing w0",
            "50/50 → Progressing w50",
            "ro metrics cp✗ → WaitingPromotion w0 it-1",
            "ro metrics cp✗ → WaitingPromotion w0 it-1",
            "ro metrics cp✗ → WaitingPromotion w0 it-1",
            "ro metrics cp copy → Promoting w0 it-1",
            "100/0 → Finalising w0",
            "down → Succeeded w0",
        ],
    );
}

#[test]
fn a_matched_release_asks_for_its_promotion_in_every_second_tick() {
    let rollout = with("pre ro cp", |analysis| (analysis.matches, analysis.iterations) = (some_match(), 2));
    check(
        &rollout,
        "cp 2",
        &[
            "up → Progressing w0",
            "pre 0/100 → Progressing w0 it1",
            "ro 0/100 → Progressing w0 it2",
            "ro cp✗ → WaitingPromotion w0 it1",
            "ro 0/100 → WaitingPromotion w0 it2",
            "ro cp✗ → WaitingPromotion w0 it1",
            "ro 0/100 → WaitingPromotion w0 it2",
            "ro cp copy → Promoting w0 it2",
            "100/0 → Finalising w0",
            "down → Succeeded w0",
        ],
    );
}

#[test]
fn a_blue_green_release_asks_for_its_promotion_twice() {
    let rollout = with("pre ro cp post", |analysis| analysis.iterations = 2);
    let rows = |shown: fn(&'static str) -> &'static str| {
        [
            "up → Progressing w0",
            "pre → Progressing w0 it1",
            "ro → Progressing w0 it2",
            shown("ro cp 0/100 → Progressing w0 it3"),
            "ro cp copy → Promoting w0 it3",
            shown("100/0 → Finalising w0"),
            "down post(Succeeded) → Succeeded w0",
        ]
    };
    check(&rollout, "", &rows(|row| row));
    let without_routes = |row: &'static str| match row {
        "ro cp 0/100 → Progressing w0 it3" => "ro cp → Progressing w0 it3",
        _ => "→ Finalising w0",
    };
    check(&kubernetes(rollout), "", &rows(without_routes));
}

#[test]
fn a_blue_green_release_of_one_iteration_that_waits_begins_again_and_again() {
    for provider in ["kubernetes", "istio"] {
        let rollout = with("pre ro cp", |analysis| analysis.iterations = 1);
        let rollout = Canary { provider: Some(provider.to_owned()), ..rollout };
        let mut state = fresh();
        let mut world = script("cp");
        let seen: Vec<String> = (0..6).map(|_| line(&tick(&rollout, &mut state, &mut world))).collect();
        let expected = [
            "up → Progressing w0",
            "pre → Progressing w0 it1",
            "ro cp✗ → WaitingPromotion w0",
            "pre → WaitingPromotion w0 it1",
            "ro cp✗ → WaitingPromotion w0",
            "pre → WaitingPromotion w0 it1",
        ];
        assert_eq!(seen, expected, "{provider}");
    }
}

#[test]
fn the_provider_kubernetes_knows_ten_iterations_and_no_conditions() {
    let rollout = kubernetes(with("", |analysis| analysis.matches = some_match()));
    let mut state = fresh();
    let ticks: Vec<Tick> = (0..20).map(|_| tick(&rollout, &mut state, &mut script(""))).collect();
    assert_eq!(line(&ticks[11]), "→ Progressing w0 it11", "ten, and one to be told of the end");
    assert_eq!((line(&ticks[12]), line(&ticks[13])), ("copy → Promoting w0 it11".into(), "→ Finalising w0".into()));
    let expected = [
        "Starting canary analysis for podinfo.test",
        "! A/B testing is not supported when using the kubernetes provider",
        "! Progressive traffic is not supported when using the kubernetes provider",
        "! Setting canaryAnalysis.iterations: 10",
        "Advance podinfo.test canary iteration 1/10",
    ];
    assert_eq!(events(&ticks[1]), expected);
    assert!(state.is_over());
}

#[test]
fn failed_checks_add_up_and_roll_back_one_tick_after_the_last() {
    check(
        &asking("ro post"),
        "ro",
        &[
            "up → Progressing w0",
            "80/20 → Progressing w20",
            "ro✗ → Progressing w20 failed 1",
            "ro✗ → Progressing w20 failed 2",
            "100/0 down post(Failed) → Failed w0",
        ],
    );
    check(
        &asking("pre"),
        "pre",
        &[
            "up → Progressing w0",
            "pre✗ → Progressing w0 failed 1",
            "pre✗ → Progressing w0 failed 2",
            "100/0 down → Failed w0",
        ],
    );
    let mut world = script("");
    world.values = [98.0, 100.0, 98.0].map(Measured::Value).to_vec();
    let mixed = lines(&asking(""), world);
    let expected = [
        "up → Progressing w0",
        "80/20 → Progressing w20",
        "metrics✗ → Progressing w20 failed 1",
        "metrics 60/40 → Progressing w40 failed 1",
        "metrics✗ → Progressing w40 failed 2",
        "100/0 down → Failed w0",
    ];
    assert_eq!(mixed, expected, "what passes in between takes nothing back");
}

#[test]
fn growth_that_waits_for_approval_costs_nothing_and_asks_the_pre_rollout_hooks_again() {
    let rollout = with("pre ro cti", |analysis| (analysis.step_weight, analysis.max_weight) = (50, 50));
    check(
        &rollout,
        "cti 2",
        &[
            "up → Progressing w0",
            "pre cti✗ → Progressing w0",
            "pre cti✗ → Progressing w0",
            "pre cti 50/50 → Progressing w50",
            "ro cti copy → Promoting w50",
            "100/0 → Finalising w0",
            "down → Succeeded w0",
        ],
    );
}

#[test]
fn a_mirrored_release_first_gets_copies_and_is_not_asked_about_its_first_weight() {
    let rollout = with("pre ro cti", |analysis| {
        (analysis.mirror, analysis.step_weight, analysis.max_weight) = (true, 50, 50);
        analysis.metrics = vec![success()];
    });
    check(
        &rollout,
        "",
        &[
            "up → Progressing w0",
            "pre cti 100/0+mirror → Progressing w0",
            "ro metrics 50/50 → Progressing w50",
            "ro metrics cti copy → Promoting w50",
            "100/0 → Finalising w0",
            "down → Succeeded w0",
        ],
    );
    let blue_green = with("", |analysis| (analysis.mirror, analysis.iterations) = (true, 1));
    check(
        &blue_green,
        "",
        &[
            "up → Progressing w0",
            "100/0+mirror → Progressing w0 it1",
            "0/100 → Progressing w0 it2",
            "copy → Promoting w0 it2",
            "100/0 → Finalising w0",
            "down → Succeeded w0",
        ],
    );
}

#[test]
fn a_release_whose_analysis_is_skipped_is_promoted_in_two_ticks() {
    let rollout = Canary { skip_analysis: true, ..podinfo() };
    check(&rollout, "", &[BEGIN, "100/0 copy down post(Succeeded) → Succeeded w0"]);
}

#[test]
fn a_release_that_must_be_confirmed_waits_without_an_end_and_costs_nothing() {
    check(
        &Canary { skip_analysis: true, ..asking("cr") },
        "cr 2",
        &[
            "cr(Initialized)✗ → Waiting w0",
            "cr(Waiting)✗ → Waiting w0",
            "cr(Waiting) up → Progressing w0",
            "100/0 copy down → Succeeded w0",
        ],
    );
}

#[test]
fn a_rollback_hook_rolls_back_by_its_success_before_anything_else_is_asked() {
    check(
        &podinfo(),
        "rb 1",
        &[BEGIN, "rb✗ pre cti 80/20 → Progressing w20", "rb 100/0 down post(Failed) → Failed w0"],
    );
    let waiting = with("cp rb", |analysis| (analysis.step_weight, analysis.max_weight) = (50, 50));
    check(
        &waiting,
        "cp, rb 3",
        &[
            "up → Progressing w0",
            "rb✗ 50/50 → Progressing w50",
            "rb✗ cp✗ → WaitingPromotion w0 it-1",
            "rb(WaitingPromotion)✗ cp✗ → WaitingPromotion w0 it-1",
            "rb(WaitingPromotion) 100/0 down → Failed w0",
        ],
    );
}

#[test]
fn another_revision_in_the_middle_begins_again_without_being_confirmed_again() {
    let rollout = asking("cr");
    let mut state = fresh();
    let mut world = script("");
    let mut next = |state: &mut State| line(&tick(&rollout, state, &mut world));
    assert_eq!((next(&mut state), next(&mut state)), (BEGIN.to_owned(), "80/20 → Progressing w20".to_owned()));
    state.status.failed_checks = 1;
    state.target = Checksum::new("newer");
    assert_eq!(next(&mut state), "100/0 → Progressing w0");
    assert_eq!((next(&mut state), state.applied.to_string()), ("80/20 → Progressing w20".into(), "newer".into()));
    state.target = Checksum::new("old");
    assert_eq!(next(&mut state), "metrics 60/40 → Progressing w40", "back to what was promoted is no new revision");
}

#[test]
fn a_failed_release_is_not_tried_again_until_it_changes() {
    let rollout = asking("cr ro");
    let mut state = fresh();
    let mut world = script("ro");
    while !state.is_over() {
        tick(&rollout, &mut state, &mut world);
    }
    assert_eq!((state.status.phase, tick(&rollout, &mut state, &mut world).steps), (Phase::Failed, Vec::new()));
    state.target = Checksum::new("newer");
    world.sent.clear();
    assert_eq!(line(&tick(&rollout, &mut state, &mut world)), "cr(Failed) up → Progressing w0");
    assert_eq!(
        world.sent[0].1.checksum,
        Checksum::new("newer"),
        "what failed is synchronised before it is asked about"
    );
}
