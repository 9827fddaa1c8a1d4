//! What must outlive the process: rows of bytes in named tables, in memory or in one file.
//!
//! A change counts when its answer comes, not when it is handed over: whoever promises something to a caller waits for
//! that answer first. Readers keep what they read in their own maps; a store is read once, at the start.
//!
//! * [`Store`]: the trait. [`Memory`]: keeps nothing. [`File`]: one redb file, one writer thread, group commit.

mod file;

use std::fmt;

pub use file::File;

/// The tables there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Gates, by kind and canary.
    Gates,
    /// Analyses under way, by canary.
    Runs,
    /// What people have decided, by canary.
    Rulings,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Gates, Self::Runs, Self::Rulings];
}

/// One row written or taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where.
    pub table: Table,
    /// The row's key.
    pub key: Vec<u8>,
    /// What it holds from now on; `None` takes it away.
    pub value: Option<Vec<u8>>,
}

/// A row as it was read: key and value.
pub type Row = (Vec<u8>, Vec<u8>);

/// Told once what became of a change.
pub type Done = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Why a store cannot do what it is for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It cannot be opened: not writable, in use by another process, or no file of ours.
    #[error("{path} cannot be opened: {why}")]
    Open {
        /// The file.
        path: String,
        /// What the system or the format says.
        why: String,
    },
    /// A newer program wrote it.
    #[error("{path} has schema {found}, this program knows {known}: use the newer program, or another file")]
    Schema {
        /// The file.
        path: String,
        /// The schema it has.
        found: u64,
        /// The newest schema that is known here.
        known: u64,
    },
    /// It cannot be read or written.
    #[error("the state cannot be stored: {0}")]
    Io(String),
}

/// Where state is kept.
pub trait Store: fmt::Debug + Send + Sync {
    /// All rows of a table, in the order of their keys.
    ///
    /// # Errors
    /// It cannot be read.
    fn read(&self, table: Table) -> Result<Vec<Row>, StoreError>;

    /// Makes all of these changes or none. Changes are made in the order of the calls. `done` is called once, from any
    /// thread, when they are safe or have failed.
    fn write(&self, changes: Vec<Change>, done: Done);
}

/// Forgets: for a service whose state may end with it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory;

impl Store for Memory {
    fn read(&self, _: Table) -> Result<Vec<Row>, StoreError> {
        Ok(Vec::new())
    }

    fn write(&self, _: Vec<Change>, done: Done) {
        done(Ok(()));
    }
}
