//! Every key of a smoke file. What a request or a load is made of has its rows in the table of `spec`; here is what a
//! file has besides. The reader, the schema and the documents come from these rows.

use crate::spec::{Id, Kind};

/// Where a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At the top of the file.
    File,
    /// In a step.
    Step,
    /// Under `retry`.
    Retry,
    /// Under `expect`.
    Expect,
    /// Under a name of `capture`.
    Capture,
}

/// What stands under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A text, or a number as a text.
    Text,
    /// True or false.
    Switch,
    /// A text, or several.
    Texts,
    /// Texts by name.
    Named,
    /// Texts by name, or nothing.
    Vars,
    /// Headers by name, in a list of lines, or in a text of lines.
    Headers,
    /// Anything.
    Any,
    /// Anything, by name.
    NamedAny,
    /// A list of steps.
    Steps,
    /// What steps have where they say nothing else.
    Defaults,
    /// A duration, or `for` and `every`.
    Retry,
    /// What is expected.
    Expect,
    /// Captured values by name.
    Captures,
}

/// One row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) place: Place,
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    /// Meaning, one sentence without a full stop.
    pub(super) help: &'static str,
    /// What is allowed, as it stands after "expected" in a mistake.
    pub(super) allowed: &'static str,
    /// What happens when it is not given.
    pub(super) default: &'static str,
}

const fn row(
    place: Place,
    name: &'static str,
    shape: Shape,
    help: &'static str,
    allowed: &'static str,
    default: &'static str,
) -> Row {
    Row { place, name, shape, help, allowed, default }
}

/// All rows, by place.
pub(super) const ROWS: &[Row] = &[
    row(Place::File, "name", Shape::Text, "What the suite is called in reports", "a text", "the file's name"),
    row(
        Place::File,
        "base",
        Shape::Text,
        "What stands before each url that begins with a slash; --base goes before it",
        "an address such as http://podinfo-canary.test:9898",
        "none: each url is a whole one",
    ),
    row(
        Place::File,
        "vars",
        Shape::Vars,
        "Values by name, for {{name}}; --var goes before them, and one without a value must be given there",
        "a text under each name",
        "none",
    ),
    row(
        Place::File,
        "defaults",
        Shape::Defaults,
        "Keys of a request, and retry, for steps that do not have them; headers are added to a step's own",
        "keys of a request, and retry",
        "none",
    ),
    row(Place::File, "steps", Shape::Steps, "What is done, one after the other", "a list of at least one step", "–"),
    row(Place::Step, "name", Shape::Text, "What the step is called in reports", "a text that no other step has", "–"),
    row(
        Place::Step,
        "json",
        Shape::Any,
        "Body of the request as JSON, with its content type; of a gRPC call, its message",
        "any value",
        "none",
    ),
    row(
        Place::Step,
        "retry",
        Shape::Retry,
        "How long to ask again until everything holds",
        "a duration such as 30s, or for and every",
        "the request is made once",
    ),
    row(
        Place::Step,
        "expect",
        Shape::Expect,
        "What the answer must be; all of it must hold",
        "keys of an expectation",
        "a status from 200 to 399; of a gRPC call, OK",
    ),
    row(
        Place::Step,
        "capture",
        Shape::Captures,
        "Values of the answer by name, for {{name}} in later steps",
        "status, or header, body or json, under each name",
        "none",
    ),
    row(
        Place::Step,
        "always",
        Shape::Switch,
        "Whether the step is done although one before it failed, to clean up",
        "true or false",
        "false",
    ),
    row(
        Place::Retry,
        "for",
        Shape::Text,
        "How long, the first try included",
        "a duration above zero, such as 30s",
        "–",
    ),
    row(Place::Retry, "every", Shape::Text, "Wait between two tries, at least 10ms", "a duration such as 500ms", "1s"),
    row(
        Place::Expect,
        "status",
        Shape::Texts,
        "Statuses, classes and ranges of which the answer's must be one",
        "statuses such as 200, 2xx or 200-204",
        "200-399",
    ),
    row(
        Place::Expect,
        "grpc-status",
        Shape::Texts,
        "Statuses of gRPC of which the call's must be one",
        "statuses such as OK, NOT_FOUND or 5",
        "OK",
    ),
    row(
        Place::Expect,
        "headers",
        Shape::Named,
        "Headers with the value they must have",
        "a text under each header",
        "none",
    ),
    row(
        Place::Expect,
        "headers-match",
        Shape::Named,
        "Headers with an expression that must find something in their value",
        "a regular expression under each header",
        "none",
    ),
    row(Place::Expect, "body-contains", Shape::Texts, "Texts that the body must contain", "a text, or several", "none"),
    row(Place::Expect, "body-lacks", Shape::Texts, "Texts that it must not contain", "a text, or several", "none"),
    row(
        Place::Expect,
        "body-match",
        Shape::Texts,
        "Expressions that must find something in it",
        "a regular expression, or several",
        "none",
    ),
    row(
        Place::Expect,
        "json",
        Shape::NamedAny,
        "JSONPath expressions (RFC 9535) with what they must find in the body",
        "any value under each expression such as $.status",
        "none",
    ),
    row(
        Place::Expect,
        "json-match",
        Shape::Named,
        "JSONPath expressions with a regular expression that must find something in what they find",
        "a regular expression under each expression such as $.version",
        "none",
    ),
    row(
        Place::Expect,
        "time",
        Shape::Text,
        "Longest time for the whole answer, connection and redirects included",
        "a duration above zero, such as 500ms",
        "none but timeout",
    ),
    row(Place::Capture, "header", Shape::Text, "The value of a header", "a header's name", "–"),
    row(
        Place::Capture,
        "body",
        Shape::Text,
        "What a regular expression finds in the body: its first group, or all of it without one",
        "a regular expression",
        "–",
    ),
    row(
        Place::Capture,
        "json",
        Shape::Text,
        "What a JSONPath expression finds in the body: a text as it is, anything else as JSON",
        "a JSONPath expression such as $.token",
        "–",
    ),
    row(
        Place::Capture,
        "match",
        Shape::Text,
        "What a regular expression finds in that value: its first group, or all of it without one",
        "a regular expression, beside header or json",
        "all of the value",
    ),
];

/// Keys of a single request and of a load.
pub(super) const REQUEST: &[Id] = &[
    Id::Url,
    Id::Method,
    Id::Headers,
    Id::Host,
    Id::Body,
    Id::BodyFile,
    Id::ContentType,
    Id::Accept,
    Id::UserAgent,
    Id::BasicAuth,
    Id::Seed,
    Id::Redirects,
    Id::Timeout,
    Id::Protocol,
    Id::Http2,
    Id::Resolve,
    Id::Proxy,
    Id::UnixSocket,
    Id::Insecure,
    Id::Cacert,
    Id::Cert,
    Id::CertKey,
    Id::Call,
    Id::Data,
    Id::DataFile,
    Id::Proto,
    Id::ImportPath,
    Id::Protoset,
    Id::Gzip,
    Id::MaxMessage,
];

/// Keys that make a step a load.
pub(super) const LOAD: &[Id] = &[
    Id::Slo,
    Id::Requests,
    Id::Connections,
    Id::Duration,
    Id::Rate,
    Id::RatePerConnection,
    Id::Stages,
    Id::Warmup,
    Id::MaxLanes,
    Id::Weights,
    Id::Primary,
    Id::Success,
    Id::Identify,
    Id::Streams,
    Id::Links,
    Id::DisableKeepalive,
    Id::ConnectionAge,
];

/// The name that a row of `spec` has in a file.
pub(super) fn name_of(id: Id) -> &'static str {
    let key = id.key();
    key.metadata.or(key.long).unwrap_or(key.value)
}

/// The row of `spec` behind a name, if it may stand in a file.
pub(super) fn id_of(name: &str) -> Option<Id> {
    REQUEST.iter().chain(LOAD).copied().find(|id| name_of(*id) == name)
}

/// The rows of a place.
pub(super) fn rows(place: Place) -> impl Iterator<Item = &'static Row> {
    ROWS.iter().filter(move |row| row.place == place)
}

/// The row of a name at a place.
pub(super) fn own(place: Place, name: &str) -> &'static Row {
    rows(place).find(|row| row.name == name).expect("names are those of the table")
}

/// Every name that may stand at a place, in the order of the tables.
pub(super) fn names(place: Place) -> Vec<&'static str> {
    let own = rows(place).map(|row| row.name);
    match place {
        Place::Step => own.chain(REQUEST.iter().chain(LOAD).map(|id| name_of(*id))).collect(),
        _ => own.collect(),
    }
}

/// Every name that may stand under `defaults`.
pub(super) fn default_names() -> Vec<&'static str> {
    let ids = REQUEST.iter().filter(|id| !matches!(id, Id::Url));
    ids.map(|id| name_of(*id)).chain(["retry"]).collect()
}

/// What may stand under a key of `spec`.
pub(super) fn shape_of(id: Id) -> Shape {
    match (id, id.key().kind) {
        (Id::Headers, _) => Shape::Headers,
        (_, Kind::Switch) => Shape::Switch,
        (_, Kind::Repeat) => Shape::Texts,
        (_, Kind::Once) => Shape::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::KEYS;

    /// Keys of `run` that a file does not have: its reports, its threads, and what is compared with files of earlier runs or
    /// asked of a Prometheus.
    const ELSEWHERE: [Id; 11] = [
        Id::Workers,
        Id::Last,
        Id::Baseline,
        Id::SplitBy,
        Id::Output,
        Id::Report,
        Id::Quiet,
        Id::NoColor,
        Id::Prometheus,
        Id::PrometheusCacert,
        Id::PrometheusTokenFile,
    ];

    #[test]
    fn every_key_of_run_is_a_key_of_steps_or_is_left_out_on_purpose() {
        for key in KEYS.iter().filter(|key| key.is_for_run()) {
            let places = [REQUEST, LOAD, &ELSEWHERE].iter().filter(|ids| ids.contains(&key.id)).count();
            assert_eq!(places, 1, "{key}");
        }
    }

    #[test]
    fn no_name_stands_twice_at_a_place() {
        for place in [Place::File, Place::Step, Place::Retry, Place::Expect, Place::Capture] {
            let names = names(place);
            for (at, name) in names.iter().enumerate() {
                assert!(!names[..at].contains(name), "{place:?}: {name}");
            }
        }
    }
}
