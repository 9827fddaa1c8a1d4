//! What holds whatever is asked, in whatever order.

use proptest::prelude::*;

use super::super::{Kind, Role};
use super::*;

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    Ask { role: Role, revision: u8, with_target: bool, arrives: bool },
    Sees(Phase),
    Sleeps(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let role = prop_oneof![
        4 => Just(Role::Rollout),
        1 => Just(Role::PreRollout),
        1 => Just(Role::Confirm),
        1 => Just(Role::Rollback),
        1 => Just(Role::Plain)
    ];
    let phase = prop_oneof![Just(Phase::Succeeded), Just(Phase::Progressing), Just(Phase::Waiting)];
    prop_oneof![
        6 => (role, 0_u8..2, any::<bool>(), any::<bool>())
            .prop_map(|(role, revision, with_target, arrives)| Step::Ask { role, revision, with_target, arrives }),
        1 => phase.prop_map(Step::Sees),
        3 => (1_u64..100).prop_map(Step::Sleeps),
    ]
}

fn asked(role: Role, revision: u8, with_target: bool) -> Call {
    let mut call = if with_target { call(role) } else { bare(role) };
    if with_target {
        call.order.plan = Some(plan(CANARY_URL, &[(Id::Duration, "20s")]));
    }
    call.checksum = Checksum::new(format!("v{revision}"));
    call
}

/// Runs the steps; each answer with the number of runs begun before it and whether it arrived.
fn play(steps: &[Step], second: Second) -> Vec<(usize, bool, Answer)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let scene = Scene::new(move |_, _| second);
        let mut answers = Vec::new();
        for step in steps {
            match step {
                Step::Ask { role, revision, with_target, arrives } => {
                    let delivery = scene.send(&asked(*role, *revision, *with_target)).await;
                    let began = scene.world.get().events.iter().filter(|e| matches!(e, Event::RunBegan { .. })).count();
                    answers.push((began, *arrives, delivery.answer().clone()));
                    if *arrives {
                        delivery.arrived();
                    }
                }
                Step::Sees(phase) => scene.board.saw(&Canary::new("podinfo", "test"), *phase, false),
                Step::Sleeps(seconds) => tokio::time::sleep(Duration::from_secs(*seconds)).await,
            }
        }
        answers
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_sequence_of_calls_is_told_twice_in_a_run_to_go_on_for_now(
        steps in proptest::collection::vec(step(), 1..24),
        good in 0_u64..6,
    ) {
        let answers = play(&steps, Second { good, ..Second::default() });
        let last = answers.last().map_or(0, |(began, ..)| *began);
        for run in 1..=last {
            let free = answers.iter().filter(|(began, arrives, answer)| {
                *began == run && *arrives && answer.kind == Kind::Measuring
            });
            prop_assert!(free.count() <= 1, "run {}: {:#?}", run, answers);
        }
    }

    #[test]
    fn a_target_that_only_fails_never_passes_and_a_good_one_never_fails(
        steps in proptest::collection::vec(step(), 1..24),
    ) {
        for (_, _, answer) in play(&steps, bad(20)) {
            prop_assert!(answer.kind != Kind::Pass, "{}", answer.text);
        }
        for (_, _, answer) in play(&steps, bad(0)) {
            prop_assert!(!matches!(answer.kind, Kind::Fail | Kind::RollBack), "{}", answer.text);
        }
    }
}
