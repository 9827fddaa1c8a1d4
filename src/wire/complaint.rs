//! The first trouble on the way to a server, in words: outcomes are numbers, and somebody has to say why.

use std::cell::RefCell;
use std::rc::Rc;

/// Remembers the first failure in words; clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Complaint(Rc<RefCell<Option<String>>>);

impl Complaint {
    /// Notes a failure, unless there was one before.
    pub(super) fn note(&self, words: impl FnOnce() -> String) {
        let mut first = self.0.borrow_mut();
        if first.is_none() {
            *first = Some(words());
        }
    }

    /// The first failure; `None` while there was none.
    pub(super) fn first(&self) -> Option<String> {
        self.0.borrow().clone()
    }
}
