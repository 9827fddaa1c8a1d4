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

/// What one call came to.
#[derive(Debug, PartialEq)]
struct Told {
    /// Runs begun before.
    run: usize,
    revision: u8,
    arrived: bool,
    answer: Answer,
}

/// Runs the steps against a target whose loads, begun for a revision, see `second` of it. `reading` reads all there is to
/// read after each step.
fn play(steps: &[Step], reading: bool, second: impl Fn(u8) -> Second + Send + 'static) -> Vec<Told> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let scene = Scene::new(move |revision, _| second(revision as u8));
        let mut answers = Vec::new();
        for step in steps {
            match step {
                Step::Ask { role, revision, with_target, arrives } => {
                    scene.world.get().marked = Some(usize::from(*revision));
                    let delivery = scene.send(&asked(*role, *revision, *with_target)).await;
                    let run = scene.world.get().events.iter().filter(|e| matches!(e, Event::RunBegan { .. })).count();
                    let answer = delivery.answer().clone();
                    answers.push(Told { run, revision: *revision, arrived: *arrives, answer });
                    if *arrives {
                        delivery.arrived();
                    }
                }
                Step::Sees(phase) => scene.board.saw(&Canary::new("podinfo", "test"), *phase, false),
                Step::Sleeps(seconds) => tokio::time::sleep(Duration::from_secs(*seconds)).await,
            }
            if reading {
                assert_eq!(scene.board.status(), scene.board.status());
            }
        }
        answers
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_sequence_of_calls_is_told_twice_in_a_run_to_go_on_for_now(
        steps in proptest::collection::vec(step(), 1..24),
        good in 0_u64..6,
    ) {
        let answers = play(&steps, false, move |_| Second { good, ..Second::default() });
        let last = answers.last().map_or(0, |told| told.run);
        for run in 1..=last {
            let free = |told: &&Told| told.run == run && told.arrived && told.answer.kind == Kind::Measuring;
            prop_assert!(answers.iter().filter(free).count() <= 1, "run {}: {:#?}", run, answers);
        }
    }

    #[test]
    fn nothing_that_one_revision_did_is_said_of_another(steps in proptest::collection::vec(step(), 1..24)) {
        // The first revision only fails and the second never does.
        for told in play(&steps, false, |revision| bad(if revision == 0 { 20 } else { 0 })) {
            let kind = told.answer.kind;
            let wrong = if told.revision == 0 { kind == Kind::Pass } else { matches!(kind, Kind::Fail | Kind::RollBack) };
            prop_assert!(!wrong, "v{}: {}", told.revision, told.answer.text);
        }
    }

    #[test]
    fn reading_changes_nothing(steps in proptest::collection::vec(step(), 1..24)) {
        let second = |revision| bad(if revision == 0 { 1 } else { 0 });
        prop_assert_eq!(play(&steps, true, second), play(&steps, false, second));
    }
}
