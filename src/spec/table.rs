//! Everything a user can ask for, in one table: flags, their help, the texts of their mistakes, webhook metadata and the
//! user documentation all come from here, so none of them can say something else than the others. One file for each
//! heading.

use super::keys::{Group, Id, Key, Kind};

mod connection;
mod grpc;
mod hook;
mod load;
mod objective;
mod output;
mod request;

/// A row with the usual answers, from which the others differ.
const PLAIN: Key = Key {
    id: Id::Url,
    short: None,
    long: None,
    metadata: None,
    value: "",
    kind: Kind::Once,
    group: Group::Load,
    help: "",
    allowed: "",
    default: "",
    zero: "",
    secret: false,
};

/// The rows of each heading, in the order of [`Id`] and of the help.
const HEADINGS: [&[Key]; 7] =
    [load::KEYS, request::KEYS, grpc::KEYS, connection::KEYS, objective::KEYS, output::KEYS, hook::KEYS];

/// How many keys there are.
const COUNT: usize = {
    let (mut count, mut heading) = (0, 0);
    while heading < HEADINGS.len() {
        count += HEADINGS[heading].len();
        heading += 1;
    }
    count
};

/// Every key, in the order of [`Id`] and of the help.
pub static KEYS: [Key; COUNT] = {
    let mut keys = [PLAIN; COUNT];
    let (mut at, mut heading) = (0, 0);
    while heading < HEADINGS.len() {
        let mut row = 0;
        while row < HEADINGS[heading].len() {
            keys[at] = HEADINGS[heading][row];
            at += 1;
            row += 1;
        }
        heading += 1;
    }
    keys
};
