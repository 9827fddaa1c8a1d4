use super::*;
use crate::canary::{Checksum, Phase};
use crate::gate::Act;
use crate::state::{Done, File, Memory, Row};

use Source::{Hook, PostRollout};

fn now() -> Timestamp {
    Timestamp::from_second(1_000).unwrap()
}

fn key(kind: Kind) -> Key {
    Key::new(kind, Canary::new("podinfo", "test"))
}

fn order() -> Order {
    Order { by: "ann".into(), ..Order::default() }
}

fn sight(phase: &str, checksum: &str, source: Source) -> Sight {
    Sight { phase: Phase::of(phase), checksum: Checksum::new(checksum), source }
}

fn board(rules: Rules) -> Board {
    Board::load(Arc::new(Memory), rules).unwrap()
}

/// Answers when the test says so, and as it says.
#[derive(Default)]
struct Slow(Mutex<Vec<(Vec<Change>, Done)>>);

impl std::fmt::Debug for Slow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Slow")
    }
}

impl Slow {
    fn answer(&self, result: Result<(), StoreError>) {
        let (_, done) = held(&self.0).remove(0);
        done(result);
    }
}

impl Store for Slow {
    fn read(&self, _: Table) -> Result<Vec<Row>, StoreError> {
        Ok(Vec::new())
    }

    fn write(&self, changes: Vec<Change>, done: Done) {
        held(&self.0).push((changes, done));
    }
}

#[tokio::test]
async fn asking_about_a_gate_never_makes_one() {
    let board = board(Rules::default());
    assert_eq!(board.check(&key(Kind::Confirm), &sight("Progressing", "v2", Hook), now()).await, Ok(false));
    board.close(&key(Kind::Confirm), "ann".into(), None, now()).await.unwrap();
    assert_eq!(board.list(), []);
}

#[tokio::test]
async fn confirm_gates_lapse_by_the_rules_and_rollback_gates_end_with_the_analysis() {
    let board = board(Rules { ttl: Some(Duration::from_secs(60)), sticky: false });
    let until = now().checked_add(Duration::from_secs(60)).unwrap();
    let confirm = board.open(&key(Kind::Confirm), order(), now()).await.unwrap();
    assert_eq!((confirm.until, confirm.once), (Some(until), false));
    let rollback = board.open(&key(Kind::Rollback), order(), now()).await.unwrap();
    assert_eq!((rollback.until, rollback.once), (None, true));
    let progressing = sight("Progressing", "v2", Hook);
    assert_eq!(board.check(&key(Kind::Confirm), &progressing, until).await, Ok(false), "lapsed");
    assert_eq!(board.check(&key(Kind::Rollback), &progressing, until).await, Ok(true), "not lapsed");
    let next = sight("Progressing", "v3", Hook);
    assert_eq!(board.check(&key(Kind::Rollback), &next, until).await, Ok(false), "v3 is not rolled back for v2");
}

#[tokio::test]
async fn a_rollback_gate_opened_outside_an_analysis_waits_for_the_next_one() {
    let board = board(Rules::default());
    board.open(&key(Kind::Rollback), order(), now()).await.unwrap();
    assert!(!board.saw(&key(Kind::Rollback).canary, &sight("Waiting", "v1", Hook), now()).await);
    assert_eq!(board.check(&key(Kind::Rollback), &sight("Progressing", "v2", Hook), now()).await, Ok(true));
    assert!(board.saw(&key(Kind::Rollback).canary, &sight("Failed", "v2", PostRollout), now()).await);
    assert_eq!(board.check(&key(Kind::Rollback), &sight("Progressing", "v3", Hook), now()).await, Ok(false));
}

#[tokio::test]
async fn sticky_gates_stay_as_the_loadtesters_do() {
    let board = board(Rules { ttl: None, sticky: true });
    board.open(&key(Kind::Rollback), order(), now()).await.unwrap();
    for checksum in ["v2", "v3"] {
        let progressing = sight("Progressing", checksum, Hook);
        assert_eq!(board.check(&key(Kind::Rollback), &progressing, now()).await, Ok(true), "{checksum}");
        assert!(!board.saw(&key(Kind::Rollback).canary, &sight("Failed", checksum, PostRollout), now()).await);
    }
}

#[tokio::test]
async fn a_gate_is_open_from_when_it_is_stored() {
    let store = Arc::new(Slow::default());
    let board = Board::load(Arc::<Slow>::clone(&store), Rules::default()).unwrap();
    let key = key(Kind::Confirm);
    let mut opening = std::pin::pin!(board.open(&key, order(), now()));
    let begun = tokio::time::timeout(Duration::ZERO, &mut opening).await;
    assert!(begun.is_err(), "not answered before it is stored");
    assert_eq!(board.gate(&key), None, "and not visible");
    store.answer(Ok(()));
    opening.await.unwrap();
    assert!(board.gate(&key).unwrap().opening(now()).is_some());
}

#[tokio::test]
async fn what_cannot_be_stored_changes_nothing() {
    let store = Arc::new(Slow::default());
    let board = Board::load(Arc::<Slow>::clone(&store), Rules::default()).unwrap();
    let (open, other) = (key(Kind::Confirm), key(Kind::Rollback));
    let full = || Err(StoreError::Io("no space left".to_owned()));
    let answer = async |result| store.answer(result);
    let (opened, ()) = tokio::join!(board.open(&open, order(), now()), answer(Ok(())));
    opened.unwrap();
    let (refused, ()) = tokio::join!(board.open(&other, order(), now()), answer(full()));
    assert_eq!(refused.unwrap_err().to_string(), "the state cannot be stored: no space left; the gate is as it was");
    assert_eq!(board.gate(&other), None);
    let (refused, ()) = tokio::join!(board.close(&open, "bob".into(), None, now()), answer(full()));
    assert!(refused.is_err());
    assert!(board.gate(&open).unwrap().opening(now()).is_some(), "still open");
    let (closed, ()) = tokio::join!(board.close(&open, "bob".into(), None, now()), answer(Ok(())));
    closed.unwrap();
    let acts: Vec<Act> = board.gate(&open).unwrap().history(now()).iter().map(|event| event.act).collect();
    assert_eq!(acts, [Act::Opened, Act::Closed], "what failed is in no history");
}

#[tokio::test]
async fn a_use_that_cannot_be_stored_holds_a_release_but_not_a_rollback() {
    for (kind, expected) in [(Kind::Confirm, None), (Kind::Rollback, Some(true))] {
        let store = Arc::new(Slow::default());
        let board = Board::load(Arc::<Slow>::clone(&store), Rules::default()).unwrap();
        let once = Order { once: Some(true), ..order() };
        let answer = async |result| store.answer(result);
        let (key, progressing) = (key(kind), sight("Progressing", "v2", Hook));
        let (opened, ()) = tokio::join!(board.open(&key, once, now()), answer(Ok(())));
        opened.unwrap();
        let full = Err(StoreError::Io("no space left".to_owned()));
        let (answer, ()) = tokio::join!(board.check(&key, &progressing, now()), answer(full));
        assert_eq!(answer.ok(), expected, "{kind}");
    }
}

#[tokio::test]
async fn nobody_passes_a_gate_before_its_first_use_is_stored() {
    let store = Arc::new(Slow::default());
    let board = Board::load(Arc::<Slow>::clone(&store), Rules::default()).unwrap();
    let (key, waiting) = (key(Kind::Confirm), sight("Waiting", "v1", Hook));
    let answer = async |result| store.answer(result);
    let (opened, ()) = tokio::join!(board.open(&key, Order { once: Some(true), ..order() }, now()), answer(Ok(())));
    opened.unwrap();
    let mut first = std::pin::pin!(board.check(&key, &waiting, now()));
    let mut second = std::pin::pin!(board.check(&key, &waiting, now()));
    assert!(tokio::time::timeout(Duration::ZERO, &mut first).await.is_err());
    assert!(tokio::time::timeout(Duration::ZERO, &mut second).await.is_err(), "nor by asking twice");
    store.answer(Ok(()));
    assert_eq!(first.await, Ok(true));
    store.answer(Ok(()));
    assert_eq!(second.await, Ok(true));
    assert_eq!(board.check(&key, &waiting, now()).await, Ok(true), "and after that nothing is written");
}

#[tokio::test]
async fn a_caller_who_leaves_does_not_stop_what_was_begun() {
    let store = Arc::new(Slow::default());
    let board = Board::load(Arc::<Slow>::clone(&store), Rules::default()).unwrap();
    let gone = tokio::time::timeout(Duration::ZERO, board.open(&key(Kind::Confirm), order(), now())).await;
    assert!(gone.is_err());
    store.answer(Ok(()));
    assert!(board.gate(&key(Kind::Confirm)).unwrap().opening(now()).is_some());
}

#[tokio::test]
async fn gates_are_there_again_after_a_restart_with_their_history() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let load = || Board::load(Arc::new(File::open(&path).unwrap()), Rules::default()).unwrap();
    let board = load();
    board.open(&key(Kind::Confirm), Order { why: Some("tried".into()), ..order() }, now()).await.unwrap();
    board.open(&key(Kind::Rollback), order(), now()).await.unwrap();
    board.close(&key(Kind::Rollback), "bob".into(), Some("a mistake".into()), now()).await.unwrap();
    let before = board.list();
    drop(board);
    let board = load();
    assert_eq!(board.list(), before);
    assert_eq!(board.gate(&key(Kind::Confirm)).unwrap().opening(now()).unwrap().why.as_deref(), Some("tried"));
    let history = board.gate(&key(Kind::Rollback)).unwrap().history(now());
    assert_eq!((history.len(), history[1].by.as_str(), history[1].act), (2, "bob", Act::Closed));
}

#[tokio::test]
async fn closed_gates_make_room_and_open_ones_do_not() {
    let board = board(Rules::default());
    let gate = |n: usize| Key::new(Kind::Confirm, Canary::new(format!("c{n}"), "test"));
    let at = |n: usize| Timestamp::from_second(n as i64).unwrap();
    for n in 0..MOST_GATES {
        board.open(&gate(n), order(), at(n)).await.unwrap();
    }
    assert_eq!(board.open(&gate(MOST_GATES), order(), at(MOST_GATES)).await, Err(Refused::Full));
    board.open(&gate(3), order(), at(MOST_GATES)).await.expect("one that is there needs no room");
    for (n, later) in [(7, 2), (5, 1)] {
        board.close(&gate(n), "bob".into(), None, at(MOST_GATES + later)).await.unwrap();
    }
    board.open(&gate(MOST_GATES), order(), at(MOST_GATES + 3)).await.unwrap();
    assert_eq!((board.gate(&gate(5)), board.gate(&gate(7)).is_some()), (None, true), "the one longest untouched goes");
    assert_eq!(board.list().len(), MOST_GATES);
}
