//! Every setting once: its flag, its meaning and how its value is read. Pure.
//!
//! The command's flags, the messages about wrong values and the tests of the documentation all come from this table.

use std::fmt;

mod answers;
mod faults;
mod wires;

use super::behaviour::{Behaviour, Cycle};
use super::value::{duration, whole_number};
use answers::ANSWERS;
use faults::FAULTS;
use wires::WIRES;

/// One thing that can be chosen.
#[derive(Clone, Copy)]
pub struct Setting {
    /// Its name, which is also the flag's.
    pub key: &'static str,
    /// Placeholder of its value; empty for a switch that takes none.
    pub value: &'static str,
    /// What the bare flag stands for, where the value may be left out.
    pub bare: Option<&'static str>,
    /// What it does, with unit and default.
    pub help: &'static str,
    /// Which values are allowed, for messages.
    pub allowed: &'static str,
    /// Applies a value; `None` when it is not allowed.
    pub(super) set: fn(&mut Behaviour, &str) -> Option<()>,
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Setting").field(&self.key).finish()
    }
}

const SHARE: &str = "a share of requests such as 2%, 0.02 or 1/50, from 0 to 100%";
const CYCLE: &str = "LENGTH/PERIOD such as 1s/5s, the length above 0 and below the period";
const COUNT: &str = "a whole number of at least 1";
const CODE: &str = "CODE or CODE:SHARE with a number or a name as in RFC 9113, such as cancel or refused-stream:2%";
const NONE_ALLOWED: &str = "it takes no value";

macro_rules! setting {
    ($key:literal, $value:literal, $bare:expr, $help:literal, $allowed:expr, $set:expr $(,)?) => {
        Setting { key: $key, value: $value, bare: $bare, help: $help, allowed: $allowed, set: $set }
    };
}

use setting;

/// Every setting, in the order help shows them.
pub const SETTINGS: &[Setting] = &joined();

/// The tables one after the other.
const fn joined() -> [Setting; WIRES.len() + ANSWERS.len() + FAULTS.len()] {
    let mut all = [WIRES[0]; WIRES.len() + ANSWERS.len() + FAULTS.len()];
    let mut at = 0;
    while at < all.len() {
        all[at] = if at < WIRES.len() {
            WIRES[at]
        } else if at < WIRES.len() + ANSWERS.len() {
            ANSWERS[at - WIRES.len()]
        } else {
            FAULTS[at - WIRES.len() - ANSWERS.len()]
        };
        at += 1;
    }
    all
}

/// `1s/5s`, the length above zero and below the period.
fn cycle(text: &str) -> Option<Cycle> {
    let (on, period) = text.split_once('/')?;
    let (on, period) = (duration(on)?, duration(period)?);
    (!on.is_zero() && on < period).then_some(Cycle { on, period })
}

fn at_least_one(text: &str) -> Option<u64> {
    whole_number(text).filter(|n| *n > 0)
}
