//! The flags of curl that are known, each with what it does here.

use crate::spec::keys::Id;

/// What a flag does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Nothing here.
    Nothing,
    /// A switch.
    Switch(Switch),
    /// A value for a key.
    Give(Id),
    /// A value that is read here.
    Value(Value),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Switch {
    Location,
    Get,
    Head,
    Include,
    Insecure,
    Globoff,
    Http2,
    RetryRefused,
    RetryAll,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Url,
    Method,
    Header,
    Data,
    DataRaw,
    DataUrlencode,
    Json,
    Output,
    WriteOut,
    MaxTime,
    ConnectTimeout,
    MaxRedirs,
    Retry,
    RetryDelay,
    Referer,
    Cookie,
}

/// The flags that are known: letter, long name, what it does.
pub(super) const FLAGS: &[(Option<char>, &str, Act)] = &[
    (Some('s'), "silent", Act::Nothing),
    (Some('S'), "show-error", Act::Nothing),
    (Some('v'), "verbose", Act::Nothing),
    (Some('#'), "progress-bar", Act::Nothing),
    (None, "no-progress-meter", Act::Nothing),
    (Some('N'), "no-buffer", Act::Nothing),
    // A failing status fails anyway.
    (Some('f'), "fail", Act::Nothing),
    (None, "fail-with-body", Act::Nothing),
    // No compressed answer is asked for, and the body is the same.
    (None, "compressed", Act::Nothing),
    (None, "http1.1", Act::Nothing),
    // curl takes HTTP/1.1 where the server has no other.
    (None, "http2", Act::Nothing),
    (None, "tlsv1.2", Act::Nothing),
    (None, "basic", Act::Nothing),
    (None, "http2-prior-knowledge", Act::Switch(Switch::Http2)),
    (Some('L'), "location", Act::Switch(Switch::Location)),
    (Some('G'), "get", Act::Switch(Switch::Get)),
    (Some('I'), "head", Act::Switch(Switch::Head)),
    (Some('i'), "include", Act::Switch(Switch::Include)),
    (None, "show-headers", Act::Switch(Switch::Include)),
    (Some('k'), "insecure", Act::Switch(Switch::Insecure)),
    (Some('g'), "globoff", Act::Switch(Switch::Globoff)),
    (None, "retry-connrefused", Act::Switch(Switch::RetryRefused)),
    (None, "retry-all-errors", Act::Switch(Switch::RetryAll)),
    (None, "url", Act::Value(Value::Url)),
    (Some('X'), "request", Act::Value(Value::Method)),
    (Some('H'), "header", Act::Value(Value::Header)),
    (Some('d'), "data", Act::Value(Value::Data)),
    (None, "data-ascii", Act::Value(Value::Data)),
    (None, "data-binary", Act::Value(Value::Data)),
    (None, "data-raw", Act::Value(Value::DataRaw)),
    (None, "data-urlencode", Act::Value(Value::DataUrlencode)),
    (None, "json", Act::Value(Value::Json)),
    (Some('o'), "output", Act::Value(Value::Output)),
    (Some('w'), "write-out", Act::Value(Value::WriteOut)),
    (Some('m'), "max-time", Act::Value(Value::MaxTime)),
    (None, "connect-timeout", Act::Value(Value::ConnectTimeout)),
    (None, "max-redirs", Act::Value(Value::MaxRedirs)),
    (None, "retry", Act::Value(Value::Retry)),
    (None, "retry-delay", Act::Value(Value::RetryDelay)),
    (Some('e'), "referer", Act::Value(Value::Referer)),
    (Some('b'), "cookie", Act::Value(Value::Cookie)),
    (Some('A'), "user-agent", Act::Give(Id::UserAgent)),
    (Some('u'), "user", Act::Give(Id::BasicAuth)),
    (Some('x'), "proxy", Act::Give(Id::Proxy)),
    (None, "resolve", Act::Give(Id::Resolve)),
];
