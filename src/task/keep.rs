//! What of runs and people's decisions outlives the process.
//!
//! That a run has begun is stored before its first answer, so that a restart gives no release a second "go on for now", and
//! that its load was stopped before whoever stopped it is told. Its
//! newest verdict follows when the disk has time: losing one costs nothing.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::desk::{Event, Memory};
use super::ruling::Override;
use crate::canary::Canary;
use crate::state::{Change, Store, StoreError, Table};

/// Where it is kept.
#[derive(Clone, Debug)]
pub(super) struct Keeper(Arc<dyn Store>);

/// A decision as it is stored: its end on the clock of the world.
#[derive(Debug, Serialize, Deserialize)]
struct Ruling {
    canary: Canary,
    pass: bool,
    until: Timestamp,
    by: String,
    why: String,
}

/// Told when what was handed over is safe.
pub(super) type Stored = oneshot::Receiver<Result<(), StoreError>>;

impl Keeper {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self(store)
    }

    /// Runs that were under way.
    pub(super) fn runs(&self) -> Result<Vec<Memory>, StoreError> {
        self.rows(Table::Runs, "runs")
    }

    /// Decisions that still count, with their ends on a clock that stands at zero now.
    pub(super) fn rulings(&self) -> Result<Vec<(Canary, Override)>, StoreError> {
        let now = Timestamp::now();
        let rows: Vec<Ruling> = self.rows(Table::Rulings, "rulings")?;
        let live = rows.into_iter().filter_map(|row| {
            let until = Duration::try_from(row.until.duration_since(now)).ok().filter(|left| !left.is_zero())?;
            Some((row.canary, Override { pass: row.pass, until, by: row.by, why: row.why }))
        });
        Ok(live.collect())
    }

    fn rows<T: for<'a> Deserialize<'a>>(&self, table: Table, name: &str) -> Result<Vec<T>, StoreError> {
        let odd = |_| StoreError::Io(format!("a row of the {name} cannot be read"));
        self.0.read(table)?.iter().map(|(_, value)| serde_json::from_slice(value).map_err(odd)).collect()
    }

    /// Hands over what these events have changed; what is told once it is safe, if anybody must wait for it. `memory` is
    /// what a canary's run is remembered by from now on.
    pub(super) fn keep(&self, events: &[Event], memory: impl Fn(&Canary) -> Option<Memory>) -> Option<Stored> {
        let (mut changes, mut waited_for) = (Vec::new(), false);
        for event in events {
            let canary = match event {
                Event::RunBegan { canary, .. } => {
                    waited_for = true;
                    canary
                }
                Event::Stopped { canary, .. } if memory(canary).is_some() => {
                    waited_for = true;
                    canary
                }
                Event::RunEnded { canary, .. } => canary,
                Event::Answered { canary, answer, .. } if answer.verdict.is_some() => canary,
                _ => continue,
            };
            changes.push(row(Table::Runs, canary, memory(canary).as_ref()));
        }
        if changes.is_empty() {
            return None;
        }
        let told = self.write(changes);
        waited_for.then_some(told)
    }

    /// Stores or forgets what a person has decided.
    pub(super) fn rule(&self, canary: &Canary, ruling: Option<&Override>, lasts: Duration) -> Stored {
        let ruling = ruling.map(|ruling| Ruling {
            canary: canary.clone(),
            pass: ruling.pass,
            until: Timestamp::now().checked_add(lasts).unwrap_or(Timestamp::MAX),
            by: ruling.by.clone(),
            why: ruling.why.clone(),
        });
        self.write(vec![row(Table::Rulings, canary, ruling.as_ref())])
    }

    fn write(&self, changes: Vec<Change>) -> Stored {
        let (told, stored) = oneshot::channel();
        // Nobody may be waiting for it.
        self.0.write(changes, Box::new(move |result| drop(told.send(result))));
        stored
    }
}

/// Waits until it is safe.
pub(super) async fn stored(told: Option<Stored>) -> Result<(), StoreError> {
    match told {
        Some(told) => told.await.unwrap_or_else(|_| Err(StoreError::Io("its writer is gone".to_owned()))),
        None => Ok(()),
    }
}

fn row(table: Table, canary: &Canary, value: Option<&impl Serialize>) -> Change {
    Change { table, key: bytes(canary), value: value.map(bytes) }
}

fn bytes<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("texts, numbers and times become JSON")
}
