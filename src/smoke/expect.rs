//! What an answer must be, and what of it is not so.

use std::time::Duration;

use regex::Regex;
use serde_json::Value;
use serde_json_path::JsonPath;

use super::answer::{Answer, Called, Failure};
use super::fields::{Fields, Notes, joined, scalar, scalars};
use super::json::{Json, as_text};
use super::keys::{Place, names, own};
use super::mistake::shown;
use super::names::Names;
use super::text::{Text, Use, Values};
use crate::spec::{StatusSet, read_duration, read_statuses};
use crate::stats::number::{self, span};
use crate::stats::{grpc_name, grpc_status};
use crate::yaml::Node;

/// A JSONPath expression.
#[derive(Clone, Debug)]
pub(super) struct Query {
    pub(super) written: String,
    path: JsonPath,
}

impl Query {
    /// Reads it.
    pub(super) fn read(
        node: &Node,
        at: crate::yaml::Position,
        text: &str,
        path: &str,
        notes: &mut Notes<'_>,
    ) -> Option<Self> {
        match JsonPath::parse(text) {
            Ok(parsed) => Some(Self { written: text.to_owned(), path: parsed }),
            Err(error) => {
                let said = format!("{path}: '{}' is no JSONPath: {}", shown(text), error.message());
                let column = error.position() as u32;
                let at = if at == node.at { at } else { crate::yaml::Position { column: at.column + column, ..at } };
                notes.add(super::Mistake::new(at, said).advise("it begins with $, as in $.items[0].name"));
                None
            }
        }
    }

    /// What it finds: the one value, all of several in a list, or nothing.
    pub(super) fn find(&self, body: &Value) -> Option<Value> {
        let found = self.path.query(body).all();
        match found[..] {
            [] => None,
            [one] => Some(one.clone()),
            _ => Some(Value::Array(found.into_iter().cloned().collect())),
        }
    }
}

/// Everything that is expected of one answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Expect {
    /// Statuses as written and as understood; `None` is 200–399.
    status: Option<(String, StatusSet)>,
    /// The statuses of gRPC of which the call's must be one; empty is OK.
    grpc_status: Vec<u8>,
    headers: Vec<(String, Text)>,
    headers_match: Vec<(String, Text)>,
    contains: Vec<Text>,
    lacks: Vec<Text>,
    matches: Vec<Text>,
    json: Vec<(Query, Json)>,
    json_match: Vec<(Query, Text)>,
    time: Option<Duration>,
}

impl Expect {
    /// Reads the mapping; what is wrong is noted.
    pub(super) fn read(node: &Node, path: &str, names: &Names<'_>, notes: &mut Notes<'_>) -> Self {
        let mut expect = Self::default();
        let Some(fields) = Fields::open(node, path, &self::names(Place::Expect), notes) else { return expect };
        for entry in fields.iter() {
            let (path, node, allowed) = (fields.named(&entry.key), &entry.node, own(Place::Expect, &entry.key).allowed);
            let texts = |notes: &mut Notes<'_>| -> Vec<Text> {
                let all = scalars(node, &path, allowed, notes);
                all.into_iter().map(|(node, text)| Text::read(node, text, &path, Use::Plain, names, notes)).collect()
            };
            match entry.key.as_str() {
                "status" => expect.status = statuses(node, &path, allowed, notes),
                "grpc-status" => expect.grpc_status = grpc_statuses(node, &path, allowed, notes),
                "headers" => expect.headers = named(node, &path, allowed, names, notes),
                "headers-match" => {
                    expect.headers_match = patterns(named(node, &path, allowed, names, notes), &path, notes)
                }
                "body-contains" => expect.contains = texts(notes),
                "body-lacks" => expect.lacks = texts(notes),
                "body-match" => {
                    let all = texts(notes).into_iter().map(|text| (String::new(), text)).collect();
                    expect.matches = patterns(all, &path, notes).into_iter().map(|(_, text)| text).collect();
                }
                "json" => expect.json = equal(node, &path, names, notes),
                "json-match" => expect.json_match = json_match(node, &path, allowed, names, notes),
                _ => expect.time = time(node, &path, allowed, notes),
            }
        }
        expect
    }

    /// Whether statuses are named.
    pub(super) const fn names_status(&self) -> bool {
        self.status.is_some()
    }

    /// Whether statuses of gRPC are named.
    pub(super) fn names_grpc_status(&self) -> bool {
        !self.grpc_status.is_empty()
    }

    /// Whether the body is read as JSON.
    pub(super) fn reads_json(&self) -> bool {
        !self.json.is_empty() || !self.json_match.is_empty()
    }

    /// All texts in it.
    pub(super) fn texts(&self) -> impl Iterator<Item = &Text> {
        let named = self.headers.iter().chain(&self.headers_match).map(|(_, text)| text);
        let bodies = self.contains.iter().chain(&self.lacks).chain(&self.matches);
        let json = self.json.iter().flat_map(|(_, json)| json.texts());
        named.chain(bodies).chain(json).chain(self.json_match.iter().map(|(_, text)| text))
    }

    /// What of the answer is not as expected; nothing where all of it is.
    pub(super) fn check(&self, answer: &Answer, values: &Values) -> Vec<Failure> {
        if let Some(trouble) = &answer.trouble {
            return vec![Failure::new("answer", trouble)];
        }
        let mut failures = Vec::new();
        self.check_status(answer, &mut failures);
        self.check_headers(answer, values, &mut failures);
        self.check_body(answer, values, &mut failures);
        self.check_json(answer, values, &mut failures);
        if let Some(limit) = self.time.filter(|limit| answer.took > *limit) {
            failures.push(Failure::new(
                "time",
                format!("took {}, expected at most {}", number::time(answer.took.as_nanos() as f64), span(limit)),
            ));
        }
        failures
    }

    fn check_status(&self, answer: &Answer, failures: &mut Vec<Failure>) {
        match (&answer.grpc, answer.status) {
            (Some(call), _) => failures.extend(self.check_call(call)),
            (None, status) => {
                let usual = ("200-399".to_owned(), StatusSet::ok());
                let (written, set) = self.status.as_ref().unwrap_or(&usual);
                let status = status.unwrap_or_default();
                if !set.contains(status) {
                    failures.push(Failure::new("status", format!("got {status}, expected {written}")));
                }
            }
        }
    }

    fn check_call(&self, call: &Called) -> Option<Failure> {
        let allowed = if self.grpc_status.is_empty() { &[0][..] } else { &self.grpc_status };
        if allowed.contains(&call.status) {
            return None;
        }
        let named = |status: &u8| format!("{status} {}", grpc_name(*status));
        let expected: Vec<String> = allowed.iter().map(named).collect();
        let said = call.said.as_ref().map(|said| format!(" ({})", shown(said))).unwrap_or_default();
        let got = named(&call.status);
        Some(Failure::new("grpc-status", format!("got {got}{said}, expected {}", expected.join(" or "))))
    }

    fn check_headers(&self, answer: &Answer, values: &Values, failures: &mut Vec<Failure>) {
        for (name, text) in &self.headers {
            let (found, expected) = (answer.header(name), text.filled(values));
            if found.as_deref() != Some(expected.as_str()) {
                let said = format!("{}, expected '{}'", got(found.as_deref()), shown(&expected));
                failures.push(Failure::new(format!("headers.{name}"), said));
            }
        }
        for (name, text) in &self.headers_match {
            let found = answer.header(name);
            finds(format!("headers-match.{name}"), text, found.as_deref(), values, failures);
        }
    }

    fn check_body(&self, answer: &Answer, values: &Values, failures: &mut Vec<Failure>) {
        let body = answer.text();
        let part = if answer.cut { "the part of the body that is looked through" } else { "the body" };
        for text in &self.contains {
            let wanted = text.filled(values);
            if !body.contains(&wanted) {
                failures.push(Failure::new("body-contains", format!("'{}' is not in {part}", shown(&wanted))));
            }
        }
        for text in &self.lacks {
            let unwanted = text.filled(values);
            if body.contains(&unwanted) {
                failures.push(Failure::new("body-lacks", format!("'{}' is in the body", shown(&unwanted))));
            } else if answer.cut {
                let said = format!("'{}' may be in the rest of the body, which is too long", shown(&unwanted));
                failures.push(Failure::new("body-lacks", said));
            }
        }
        for text in &self.matches {
            let pattern = text.pattern(values);
            if !Regex::new(&pattern).is_ok_and(|regex| regex.is_match(&body)) {
                failures.push(Failure::new("body-match", format!("{} is nowhere in {part}", shown(&pattern))));
            }
        }
    }

    fn check_json(&self, answer: &Answer, values: &Values, failures: &mut Vec<Failure>) {
        if !self.reads_json() {
            return;
        }
        let body = match answer.json() {
            Ok(body) => body,
            Err(why) => return failures.push(Failure::new("json", why)),
        };
        for (query, expected) in &self.json {
            let (key, found) = (format!("json.{}", query.written), query.find(&body));
            if !found.as_ref().is_some_and(|found| is_or_is_all(expected, found, query, &body, values)) {
                let wanted = expected.made(&|text| text.filled(values)).to_string();
                let found = found.map(|found| found.to_string());
                failures.push(Failure::new(key, format!("{}, expected {}", got(found.as_deref()), shown(&wanted))));
            }
        }
        for (query, text) in &self.json_match {
            let found = query.find(&body).map(|found| as_text(&found));
            finds(format!("json-match.{}", query.written), text, found.as_deref(), values, failures);
        }
    }
}

/// Whether what was found is what is expected; one value may also be expected as a list of one, where the expression can
/// find several.
fn is_or_is_all(expected: &Json, found: &Value, query: &Query, body: &Value, values: &Values) -> bool {
    let all = || Value::Array(query.path.query(body).all().into_iter().cloned().collect());
    expected.is(found, values) || matches!(expected, Json::List(_)) && expected.is(&all(), values)
}

fn got(found: Option<&str>) -> String {
    found.map_or_else(|| "got nothing".to_owned(), |found| format!("got '{}'", shown(found)))
}

/// Notes where an expression finds nothing.
fn finds(key: String, text: &Text, found: Option<&str>, values: &Values, failures: &mut Vec<Failure>) {
    let pattern = text.pattern(values);
    let matches = |found| Regex::new(&pattern).is_ok_and(|regex| regex.is_match(found));
    if !found.is_some_and(matches) {
        let said = format!("{}, expected something like {}", got(found), shown(&pattern));
        failures.push(Failure::new(key, said));
    }
}

fn statuses(node: &Node, path: &str, allowed: &str, notes: &mut Notes<'_>) -> Option<(String, StatusSet)> {
    let (mut written, mut all) = (Vec::new(), StatusSet::EMPTY);
    for (node, text) in scalars(node, path, allowed, notes) {
        match read_statuses(text) {
            Ok(set) => {
                written.push(text.to_owned());
                all = all.or(set);
            }
            Err(advice) => notes.wrong(node, path, allowed, advice),
        }
    }
    if node.list().is_some_and(<[Node]>::is_empty) {
        notes.wrong(node, path, allowed, None);
    }
    Some((written.join(", "), all))
}

fn grpc_statuses(node: &Node, path: &str, allowed: &str, notes: &mut Notes<'_>) -> Vec<u8> {
    let all = scalars(node, path, allowed, notes);
    if node.list().is_some_and(<[Node]>::is_empty) {
        notes.wrong(node, path, allowed, None);
    }
    let read = all.into_iter().filter_map(|(node, text)| {
        let status = grpc_status(text);
        if status.is_none() {
            notes.wrong(node, path, allowed, None);
        }
        status
    });
    read.collect()
}

fn named(node: &Node, path: &str, allowed: &str, names: &Names<'_>, notes: &mut Notes<'_>) -> Vec<(String, Text)> {
    let Some(fields) = Fields::open_any(node, path, notes) else { return Vec::new() };
    let entries = fields.iter().filter_map(|entry| {
        let path = joined(path, &entry.key);
        let text = scalar(&entry.node, &path, allowed, notes)?;
        Some((entry.key.clone(), Text::read(&entry.node, text, &path, Use::Plain, names, notes)))
    });
    entries.collect()
}

/// Texts that are regular expressions, those that are none left out.
fn patterns(texts: Vec<(String, Text)>, path: &str, notes: &mut Notes<'_>) -> Vec<(String, Text)> {
    let is_one = |(name, text): &(String, Text)| {
        let path = if name.is_empty() { path.to_owned() } else { joined(path, name) };
        pattern(&text.pattern(&Values::new()), &path, text.at, notes).is_some()
    };
    let mut is_one = is_one;
    texts.into_iter().filter(|text| is_one(text)).collect()
}

/// A regular expression; what is wrong with it is noted.
pub(super) fn pattern(text: &str, path: &str, at: crate::yaml::Position, notes: &mut Notes<'_>) -> Option<Regex> {
    let read = Regex::new(text);
    if let Err(error) = &read {
        let last = error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let said = format!("{path}: '{}' is no regular expression: {last}", shown(text));
        notes.add(super::Mistake::new(at, said).advise("a sign that means itself is written with \\ before it"));
    }
    read.ok()
}

fn equal(node: &Node, path: &str, names: &Names<'_>, notes: &mut Notes<'_>) -> Vec<(Query, Json)> {
    let Some(fields) = Fields::open_any(node, path, notes) else { return Vec::new() };
    let entries = fields.iter().filter_map(|entry| {
        let value = Json::read(&entry.node, &joined(path, &entry.key), Use::Plain, names, notes);
        Some((Query::read(&entry.node, entry.at, &entry.key, path, notes)?, value))
    });
    entries.collect()
}

fn json_match(node: &Node, path: &str, allowed: &str, names: &Names<'_>, notes: &mut Notes<'_>) -> Vec<(Query, Text)> {
    let texts = patterns(named(node, path, allowed, names, notes), path, notes);
    let at = |key: &str| node.map().and_then(|entries| entries.iter().find(|entry| entry.key == key));
    let queries = texts.into_iter().filter_map(|(key, text)| {
        let entry = at(&key)?;
        Some((Query::read(&entry.node, entry.at, &key, path, notes)?, text))
    });
    queries.collect()
}

/// A duration above zero.
pub(super) fn time(node: &Node, path: &str, allowed: &str, notes: &mut Notes<'_>) -> Option<Duration> {
    match read_duration(scalar(node, path, allowed, notes)?) {
        Ok(time) if !time.is_zero() => Some(time),
        Ok(_) => {
            notes.wrong(node, path, allowed, None);
            None
        }
        Err(advice) => {
            notes.wrong(node, path, allowed, advice);
            None
        }
    }
}

#[cfg(test)]
mod tests;
