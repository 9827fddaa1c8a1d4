//! All gates of one service, shared by its handlers and kept in its store.
//!
//! A change is computed from the newest state that was asked for, handed to the store in that order, and visible from the
//! moment it is stored: nobody is told "open" about a gate that a crash would close again. What a caller began is finished
//! although the caller may have gone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::canary::{Canary, Stage};
use crate::state::{Change, Store, StoreError, Table};

use super::key::{Key, Kind};
use super::life::{Sight, Source};
use super::switch::{Gate, Opening, Order};

/// Gates that are remembered at most. Closed ones make room for new ones, the longest untouched first.
pub const MOST_GATES: usize = 10_000;

/// What holds for gates whose opener says nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// How long a confirm gate stays open; `None` for ever.
    pub ttl: Option<Duration>,
    /// Whether rollback gates outlast the analysis that they ended, as the loadtester's do.
    pub sticky: bool,
}

/// Why a gate was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It could not be stored; it is as it was.
    #[error("{0}; the gate is as it was")]
    NotStored(#[from] StoreError),
    /// [`MOST_GATES`] gates are open.
    #[error("tollgate is full: {MOST_GATES} gates are open; close some first")]
    Full,
}

/// All gates.
#[derive(Debug)]
pub struct Board {
    slots: Arc<Mutex<Slots>>,
    /// Held while changes are computed and handed over, so that the store gets them in that order.
    turn: Mutex<()>,
    store: Arc<dyn Store>,
    rules: Rules,
}

/// One place for each gate.
#[derive(Debug, Default)]
struct Slots {
    gates: BTreeMap<Key, Slot>,
    /// Counts changes.
    changes: u64,
}

/// A gate as it is stored, and as it will be once the store has caught up.
#[derive(Debug, Default)]
struct Slot {
    stored: Option<Gate>,
    wanted: Option<Gate>,
    /// The change that made `wanted`.
    change: u64,
}

/// One gate's change under way.
#[derive(Clone, Debug)]
struct Step {
    key: Key,
    gate: Option<Gate>,
    change: u64,
}

type Answer = oneshot::Receiver<Result<(), StoreError>>;

impl Board {
    /// The gates that the store has.
    ///
    /// # Errors
    /// The store cannot be read, or holds what is no gate.
    pub fn load(store: Arc<dyn Store>, rules: Rules) -> Result<Self, StoreError> {
        let mut gates = BTreeMap::new();
        for (key, value) in store.read(Table::Gates)? {
            let odd = || StoreError::Io("a row of the gates cannot be read".to_owned());
            let gate: Gate = serde_json::from_slice(&value).map_err(|_| odd())?;
            let slot = Slot { stored: Some(gate.clone()), wanted: Some(gate), change: 0 };
            gates.insert(Key::from_bytes(&key).ok_or_else(odd)?, slot);
        }
        let slots = Arc::new(Mutex::new(Slots { gates, changes: 0 }));
        Ok(Self { slots, turn: Mutex::new(()), store, rules })
    }

    /// Whether the gate is open to a question of Flagger's, or of anybody's. The first of Flagger's binds a gate that is
    /// to last for one analysis to that; this is stored before it is answered.
    ///
    /// # Errors
    /// A use could not be stored: a confirm gate must not be used twice. A rollback gate answers all the same, because
    /// a release that should be given up must be.
    pub async fn check(&self, key: &Key, sight: &Sight, now: Timestamp) -> Result<bool, Refused> {
        self.saw(&key.canary, sight, now).await;
        let stored_gate = self.gate(key);
        let Some(opening) = stored_gate.as_ref().and_then(|gate| gate.opening(now)) else { return Ok(false) };
        // Another question's mark may be on its way to the disk: nobody is told "open" before it is there.
        let unmarked = opening.once && opening.used.is_none() && sight.phase.stage() != Stage::Unknown;
        let mark = |gate: Option<&Gate>| gate?.used(sight, now).or_else(|| gate.filter(|_| unmarked).cloned());
        match stored(self.change(key, mark)).await {
            Err(error) if key.kind == Kind::Confirm => Err(error.into()),
            Err(error) => {
                tracing::error!(gate = %key.kind, canary = %key.canary, %error, "the use of a gate is not stored");
                Ok(true)
            }
            Ok(()) => Ok(true),
        }
    }

    /// Opens a gate, or gives an open one new terms. They are returned.
    ///
    /// # Errors
    /// It could not be stored, or there are too many gates.
    pub async fn open(&self, key: &Key, order: Order, now: Timestamp) -> Result<Opening, Refused> {
        let rollback = key.kind == Kind::Rollback;
        let order = Order {
            ttl: order.ttl.or(self.rules.ttl.filter(|_| !rollback)),
            once: Some(order.once.unwrap_or(rollback && !self.rules.sticky)),
            ..order
        };
        let (opened, answer) = {
            let _turn = held(&self.turn);
            let spare = self.room_for(key, now).ok_or(Refused::Full)?;
            let gate = held(&self.slots).wanted(key).cloned().unwrap_or_default().opened(order, now);
            let opened = gate.opening(now).cloned();
            let dropped = spare.map(|spare| (spare, None));
            (opened, self.submit(dropped.into_iter().chain([(key.clone(), Some(gate))]).collect()))
        };
        stored(Some(answer)).await?;
        // None only where a term of no length was asked for.
        opened.ok_or_else(|| Refused::NotStored(StoreError::Io("a gate cannot be open for no time".to_owned())))
    }

    /// Closes a gate. Closing one that is closed changes nothing.
    ///
    /// # Errors
    /// It could not be stored.
    pub async fn close(&self, key: &Key, by: String, why: Option<String>, now: Timestamp) -> Result<(), Refused> {
        Ok(stored(self.change(key, |gate| gate?.closed(by, why, now))).await?)
    }

    /// Takes note of what a hook says of a canary's analysis: its gates may belong to that, or to one that is over.
    /// Returns whether a rollback gate was closed by it.
    pub async fn saw(&self, canary: &Canary, sight: &Sight, now: Timestamp) -> bool {
        let mut ended = false;
        for kind in [Kind::Confirm, Kind::Rollback] {
            let key = Key::new(kind, canary.clone());
            // A rollback gate that nobody asked about is over with the analysis, too; the next one is not to blame.
            let over = kind == Kind::Rollback && sight.source == Source::PostRollout;
            let answer = self.change(&key, |gate| if over { gate?.ended(now) } else { gate?.seen(sight, now) });
            let changed = answer.is_some();
            match stored(answer).await {
                Ok(()) => ended |= changed && over,
                Err(error) => {
                    tracing::error!(gate = %kind, canary = %canary, %error, "the end of a gate is not stored")
                }
            }
        }
        ended
    }

    /// All gates that were ever opened, in the order of their keys, as far as they are remembered.
    #[must_use]
    pub fn list(&self) -> Vec<(Key, Gate)> {
        let slots = held(&self.slots);
        slots.gates.iter().filter_map(|(key, slot)| Some((key.clone(), slot.stored.clone()?))).collect()
    }

    /// One gate; `None` if it was never opened, or forgotten.
    #[must_use]
    pub fn gate(&self, key: &Key) -> Option<Gate> {
        held(&self.slots).gates.get(key)?.stored.clone()
    }

    /// Changes one gate; `None` when there is nothing to change.
    fn change(&self, key: &Key, next: impl FnOnce(Option<&Gate>) -> Option<Gate>) -> Option<Answer> {
        let _turn = held(&self.turn);
        let gate = next(held(&self.slots).wanted(key))?;
        Some(self.submit(vec![(key.clone(), Some(gate))]))
    }

    /// Whether there is room for a gate, and which must go for it.
    fn room_for(&self, key: &Key, now: Timestamp) -> Option<Option<Key>> {
        let slots = held(&self.slots);
        if slots.gates.len() < MOST_GATES || slots.gates.contains_key(key) {
            return Some(None);
        }
        let closed = slots.gates.iter().filter_map(|(key, slot)| {
            let gate = slot.wanted.as_ref().filter(|gate| gate.opening(now).is_none())?;
            Some((gate.touched(), key))
        });
        closed.min().map(|(_, key)| Some(key.clone()))
    }

    /// Hands changes to the store. The caller holds `turn`.
    fn submit(&self, gates: Vec<(Key, Option<Gate>)>) -> Answer {
        let steps: Vec<Step> = {
            let mut slots = held(&self.slots);
            gates.into_iter().map(|(key, gate)| slots.want(key, gate)).collect()
        };
        let rows = steps.iter().map(|step| Change {
            table: Table::Gates,
            key: step.key.to_bytes(),
            value: step.gate.as_ref().map(|gate| serde_json::to_vec(gate).expect("a gate is plain data")),
        });
        let (told, answer) = oneshot::channel();
        let slots = Arc::clone(&self.slots);
        let rows = rows.collect();
        let done = move |result: Result<(), StoreError>| {
            held(&slots).settle(steps, result.is_ok());
            // Whoever asked may have gone.
            let _ = told.send(result);
        };
        self.store.write(rows, Box::new(done));
        answer
    }
}

impl Slots {
    fn wanted(&self, key: &Key) -> Option<&Gate> {
        self.gates.get(key)?.wanted.as_ref()
    }

    fn want(&mut self, key: Key, gate: Option<Gate>) -> Step {
        self.changes += 1;
        let slot = self.gates.entry(key.clone()).or_default();
        (slot.wanted, slot.change) = (gate.clone(), self.changes);
        Step { key, gate, change: self.changes }
    }

    /// The store has made these changes, or none of them.
    fn settle(&mut self, steps: Vec<Step>, made: bool) {
        for step in steps {
            let Some(slot) = self.gates.get_mut(&step.key) else { continue };
            if made {
                slot.stored = step.gate;
            } else if slot.change == step.change {
                slot.wanted = slot.stored.clone();
            }
            if slot.stored.is_none() && slot.wanted.is_none() {
                self.gates.remove(&step.key);
            }
        }
    }
}

/// The lock, also after a panic: every change under it is whole.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until a change is stored; at once where there was none.
async fn stored(answer: Option<Answer>) -> Result<(), StoreError> {
    match answer {
        None => Ok(()),
        Some(answer) => answer.await.unwrap_or_else(|_| Err(StoreError::Io("the store gave no answer".to_owned()))),
    }
}

#[cfg(test)]
mod tests;
