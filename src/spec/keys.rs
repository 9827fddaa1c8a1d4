//! What a user can ask for, and what is known of each wish. The wishes themselves stand in the table beside this file.

use std::fmt;

pub use super::table::KEYS;

/// Which wish. The order is that of [`KEYS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each has a row in KEYS that says what it means")]
pub enum Id {
    Url,
    Weights,
    Primary,
    Requests,
    Connections,
    Duration,
    Rate,
    RatePerConnection,
    Stages,
    Warmup,
    MaxLanes,
    Workers,
    Method,
    Headers,
    Host,
    Body,
    BodyFile,
    ContentType,
    Accept,
    UserAgent,
    BasicAuth,
    Seed,
    Redirects,
    Timeout,
    Call,
    Data,
    DataFile,
    Proto,
    ImportPath,
    Protoset,
    Gzip,
    MaxMessage,
    Protocol,
    Http2,
    Streams,
    Links,
    Resolve,
    Proxy,
    UnixSocket,
    DisableKeepalive,
    ConnectionAge,
    Insecure,
    Cacert,
    Cert,
    CertKey,
    Slo,
    Last,
    Baseline,
    Prometheus,
    PrometheusCacert,
    PrometheusTokenFile,
    Success,
    Identify,
    SplitBy,
    Output,
    Report,
    Quiet,
    NoColor,
    Cmd,
    Window,
    Wait,
    ReadyWait,
    Apex,
    Enforce,
    ProtoText,
}

/// How often a key may be given, and whether it has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One value; the last one given counts.
    Once,
    /// Every value given counts, in order.
    Repeat,
    /// No value: given or not.
    Switch,
}

/// Under which heading a key is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// How much, how fast, how long.
    Load,
    /// What each request says.
    Request,
    /// What a gRPC call says.
    Grpc,
    /// How it travels, and whom to trust.
    Connection,
    /// What decides.
    Objective,
    /// What is shown and written.
    Output,
    /// How a webhook is answered: in metadata only.
    Hook,
}

impl Group {
    /// The heading.
    #[must_use]
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Load => "Load",
            Self::Request => "Request",
            Self::Grpc => "gRPC",
            Self::Connection => "Connection",
            Self::Objective => "Objective",
            Self::Output => "Output",
            Self::Hook => "Hook",
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Which wish.
    pub id: Id,
    /// One-letter flag, if there is one.
    pub short: Option<char>,
    /// Long flag without its dashes; `None` for the URL, which stands alone, and for what only hooks ask for.
    pub long: Option<&'static str>,
    /// Key in webhook metadata; `None` where a webhook has no use for it.
    pub metadata: Option<&'static str>,
    /// What the value is called in help; empty for a switch.
    pub value: &'static str,
    /// How often, and whether with a value.
    pub kind: Kind,
    /// Its heading.
    pub group: Group,
    /// Meaning and unit, one sentence without a full stop.
    pub help: &'static str,
    /// What is allowed, as it stands after "expected" in a mistake; empty for a switch.
    pub allowed: &'static str,
    /// What happens when it is not given; empty where nothing does.
    pub default: &'static str,
    /// What zero (or, for texts, an empty value) means; empty where it is refused.
    pub zero: &'static str,
    /// Whether the value is a secret that no message may repeat.
    pub secret: bool,
}

impl Id {
    /// Its row.
    #[must_use]
    pub fn key(self) -> &'static Key {
        &KEYS[self as usize]
    }
}

impl Key {
    /// Whether `run` knows it: as a flag, or as its argument, the URL.
    #[must_use]
    pub const fn is_for_run(&self) -> bool {
        !matches!(self.group, Group::Hook)
    }

    /// Whether `run` has it as a flag; the URL is its argument.
    #[must_use]
    pub const fn is_flag(&self) -> bool {
        self.long.is_some()
    }
}

/// As people write it on a command line: `-c/--connections`, `--rate`, `URL`; in metadata: `window`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.short, self.long) {
            (Some(short), Some(long)) => write!(f, "-{short}/--{long}"),
            (Some(short), None) => write!(f, "-{short}"),
            (None, Some(long)) => write!(f, "--{long}"),
            (None, None) => f.write_str(self.metadata.filter(|_| !self.is_for_run()).unwrap_or(self.value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const DOCS: &str = include_str!("../../docs/run.md");
    const WEBHOOKS: &str = include_str!("../../docs/webhooks.md");

    #[test]
    fn the_rows_stand_in_the_order_of_their_ids() {
        for (row, key) in KEYS.iter().enumerate() {
            assert_eq!(key.id as usize, row, "{key}");
            assert_eq!(key.id.key(), key);
        }
    }

    #[test]
    fn every_row_is_complete_and_no_name_stands_twice() {
        let (mut flags, mut metadata) = (BTreeSet::new(), BTreeSet::new());
        for key in &KEYS {
            assert!(!key.help.is_empty() && !key.help.ends_with('.'), "{key}");
            assert_eq!(
                key.value.is_empty(),
                key.kind == Kind::Switch,
                "{key}: a switch and only a switch has no value"
            );
            assert_eq!(key.allowed.is_empty(), key.kind == Kind::Switch, "{key}");
            assert_eq!(key.default.is_empty(), key.id == Id::Url, "{key}: only the URL must be given");
            for flag in key.short.map(String::from).into_iter().chain(key.long.map(String::from)) {
                assert!(flags.insert(flag.clone()), "{flag} stands twice");
                assert!(!["h", "help", "V", "version"].contains(&flag.as_str()), "{flag} is taken");
            }
            assert!(key.metadata.is_none_or(|name| metadata.insert(name)), "{key}");
        }
    }

    /// The row of the user documentation that says what this table says.
    fn documented(key: &Key) -> String {
        let value = if key.value.is_empty() { String::new() } else { format!(" {}", key.value) };
        let name = match (key.short, key.long) {
            (Some(short), Some(long)) => format!("`-{short}`, `--{long}{value}`"),
            (None, Some(long)) => format!("`--{long}{value}`"),
            _ if key.is_for_run() => format!("`{}`", key.value),
            _ => format!("`{key}`"),
        };
        let cell = |text: &str| if text.is_empty() { "–".to_owned() } else { text.replace('|', "\\|") };
        let (help, allowed) = (cell(key.help), cell(key.allowed));
        format!("| {} | {help} | {allowed} | {} | {} |", name.replace('|', "\\|"), cell(key.default), cell(key.zero))
    }

    #[test]
    fn the_user_documentation_has_the_row_of_every_key() {
        for (file, docs, for_run) in [("run.md", DOCS, true), ("webhooks.md", WEBHOOKS, false)] {
            let rows = KEYS.iter().filter(|key| key.is_for_run() == for_run).map(documented);
            let missing: Vec<String> = rows.filter(|row| !docs.contains(row)).collect();
            assert!(missing.is_empty(), "docs/{file} lacks these rows:\n{}", missing.join("\n"));
        }
    }

    #[test]
    fn the_documentation_of_hooks_names_every_key_that_metadata_may_have() {
        for name in KEYS.iter().filter_map(|key| key.metadata) {
            assert!(WEBHOOKS.contains(&format!("`{name}`")), "docs/webhooks.md does not name {name}");
        }
    }

    #[test]
    fn the_user_documentation_names_no_flag_that_does_not_exist() {
        let known = |name: &str| {
            ["help", "version", "release"].contains(&name) || KEYS.iter().any(|key| key.long == Some(name))
        };
        let named = DOCS.split("--").skip(1).map(|rest| {
            rest.split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')).next().unwrap_or("")
        });
        let unknown: Vec<&str> =
            named.filter(|name| !name.is_empty() && !name.starts_with('-') && !known(name)).collect();
        assert!(unknown.is_empty(), "docs/run.md names {unknown:?}");
    }
}
