//! What decides.

use super::PLAIN;
use crate::spec::keys::{Group, Id, Key, Kind};

/// A row under this heading.
const ROW: Key = Key { group: Group::Objective, ..PLAIN };

/// In the order of [`Id`].
pub(super) const KEYS: &[Key] = &[
    Key {
        id: Id::Slo,
        long: Some("slo"),
        metadata: Some("slo"),
        value: "LINE",
        help: "What must hold, in quotes because of < and >",
        allowed: "an objective such as 'success>=99%, p99<500ms'",
        default: "none: nothing is judged, and one success is enough",
        ..ROW
    },
    Key {
        id: Id::Last,
        long: Some("last"),
        value: "FILE",
        help: "JSON report of the run before, for clauses that compare with last",
        allowed: "a file name, such as last.json",
        default: "none",
        ..ROW
    },
    Key {
        id: Id::Baseline,
        long: Some("baseline"),
        value: "NAME=FILE",
        kind: Kind::Repeat,
        help: "JSON report of a run to compare with, for clauses that compare with baseline(NAME); may be given again",
        allowed: "a name and a file name, such as v41=v41.json",
        default: "none",
        ..ROW
    },
    Key {
        id: Id::Prometheus,
        long: Some("prometheus"),
        value: "URL",
        help: "The Prometheus that clauses with prom('QUERY') ask when the load is over",
        allowed: "an address such as http://HOST[:PORT][/PATH] or https://…",
        default: "none: such clauses are refused",
        ..ROW
    },
    Key {
        id: Id::PrometheusCacert,
        long: Some("prometheus-cacert"),
        value: "FILE",
        help: "Certificates of the authorities to believe when --prometheus is asked, and no others",
        allowed: "a file with certificates in PEM, beside --prometheus",
        default: "public authorities",
        ..ROW
    },
    Key {
        id: Id::PrometheusTokenFile,
        long: Some("prometheus-token-file"),
        value: "FILE",
        help: "File with the bearer token to show to --prometheus, read when it is asked",
        allowed: "a file with a token, beside --prometheus",
        default: "none",
        ..ROW
    },
    Key {
        id: Id::Success,
        long: Some("success"),
        metadata: Some("success"),
        value: "STATUSES",
        help: "Statuses that count as success",
        allowed: "statuses such as 2xx, 200-399, 200,204 or non-5xx",
        default: "200-399",
        ..ROW
    },
    Key {
        id: Id::Identify,
        long: Some("identify"),
        metadata: Some("identify"),
        value: "HEADER=REGEX",
        help: "Judge only answers that have this header with a value in which the expression finds something, such as the canary's behind a shared address",
        allowed: "HEADER=REGEX such as X-Version=^v2",
        default: "all answers",
        ..ROW
    },
];
