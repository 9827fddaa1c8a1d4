//! What is shown and written.

use super::PLAIN;
use crate::spec::keys::{Group, Id, Key, Kind};

/// A row under this heading.
const ROW: Key = Key { group: Group::Output, ..PLAIN };

/// In the order of [`Id`].
pub(super) const KEYS: &[Key] = &[
    Key {
        id: Id::SplitBy,
        long: Some("split-by"),
        metadata: Some("split-by"),
        value: "WHAT,...",
        help: "Results also by what is named: the URL asked, the address that answered, the values drawn",
        allowed: "url, address or value, several separated by commas",
        default: "all results together",
        ..ROW
    },
    Key {
        id: Id::Output,
        short: Some('o'),
        long: Some("output"),
        value: "FORMAT",
        help: "Form of the report on standard output",
        allowed: "text, json, csv, junit or html",
        default: "text",
        ..ROW
    },
    Key {
        id: Id::Report,
        long: Some("report"),
        value: "FILE",
        help: "File to write a report to as well; its name says the form",
        allowed: "a file name that ends in .json, .html, .xml (JUnit) or .csv",
        default: "none",
        ..ROW
    },
    Key {
        id: Id::Quiet,
        long: Some("quiet"),
        kind: Kind::Switch,
        help: "No progress while the load runs",
        default: "progress on a terminal",
        ..ROW
    },
    Key {
        id: Id::NoColor,
        long: Some("no-color"),
        kind: Kind::Switch,
        help: "No colours",
        default: "colours on a terminal",
        ..ROW
    },
];
