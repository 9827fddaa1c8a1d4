//! hey's headers: the last of a name counts, `-A` and `-U` go before `-H`, and names are spelled as Go spells them.

use std::collections::BTreeMap;

use super::Refusal;
use super::flags::Given;
use crate::spec::goflag::plain;
use crate::spec::{Id, SpecBuilder};

/// What hey calls itself.
const AGENT: &str = "hey/0.0.1";

/// Headers that Go's client writes itself, whatever was asked for.
const DROPPED: [&str; 3] = ["Content-Length", "Transfer-Encoding", "Trailer"];

/// Headers by their canonical names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Headers {
    by_name: BTreeMap<String, String>,
    close: bool,
}

/// The headers that the flags ask for.
///
/// # Errors
/// A header, or credentials, that hey would not read, in its words; credentials are not repeated.
pub(super) fn headers(given: &Given) -> Result<Headers, Refusal> {
    let mut all = BTreeMap::from([("Content-Type".to_owned(), given.content_type.clone())]);
    for header in &given.headers {
        let (name, value) = split(header).ok_or_else(|| unreadable(header))?;
        all.insert(canonical(name), value.to_owned());
    }
    if !given.auth.is_empty() && !given.auth.contains(':') {
        return Err(unreadable("***"));
    }
    let agent = all.remove("User-Agent").filter(|agent| !agent.is_empty());
    let agent = Some(given.user_agent.clone()).filter(|agent| !agent.is_empty()).or(agent);
    all.insert("User-Agent".to_owned(), agent.map_or_else(|| AGENT.to_owned(), |agent| format!("{agent} {AGENT}")));
    if !given.accept.is_empty() {
        all.insert("Accept".to_owned(), given.accept.clone());
    }
    if !given.auth.is_empty() {
        all.remove("Authorization");
    }
    if !given.host.is_empty() {
        all.remove("Host");
    }
    let plain_wanted = given.disable_compression || given.is_head() || all.contains_key("Range");
    if !plain_wanted && !all.contains_key("Accept-Encoding") {
        all.insert("Accept-Encoding".to_owned(), "gzip".to_owned());
    }
    all.retain(|name, _| !DROPPED.contains(&name.as_str()));
    let connection = all.remove("Connection").unwrap_or_default();
    let close = connection.split(',').any(|option| option.trim().eq_ignore_ascii_case("close"));
    Ok(Headers { by_name: all, close })
}

impl Headers {
    /// Asks for them.
    pub(super) fn wish(mut self, wishes: &mut SpecBuilder) {
        for (id, name) in [(Id::UserAgent, "User-Agent"), (Id::Accept, "Accept"), (Id::ContentType, "Content-Type")] {
            wishes.give(id, self.by_name.remove(name).unwrap_or_default());
        }
        for (name, value) in self.by_name {
            wishes.give(Id::Headers, format!("{name}: {value}"));
        }
        if self.close {
            wishes.give(Id::DisableKeepalive, "");
        }
    }
}

fn unreadable(input: &str) -> Refusal {
    Refusal::Check(format!("could not parse the provided input; input = {}", plain(input)))
}

/// Name and value of `Name: value`, as hey tells them apart; there must be something after the colon.
fn split(header: &str) -> Option<(&str, &str)> {
    let (name, value) = header.split_once(':')?;
    let is_word = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    (is_word && !value.is_empty()).then(|| (name, value.trim_start()))
}

/// A name as Go writes it: `x-user-id` is `X-User-Id`.
fn canonical(name: &str) -> String {
    let mut begins = true;
    let mut spelled = String::with_capacity(name.len());
    for c in name.chars() {
        spelled.push(if begins { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() });
        begins = c == '-';
    }
    spelled
}
