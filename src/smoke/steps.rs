//! A file's steps, read one by one.

use std::collections::BTreeMap;

use super::capture::Capture;
use super::expect::{Expect, time};
use super::fields::{Fields, Notes, scalar, switch};
use super::json::Json;
use super::keys::{self, LOAD, Place, id_of, name_of, own};
use super::mistake::{Mistake, shown};
use super::names::{Names, Source};
use super::suite::{Kind, Retry, Step};
use super::text::{Text, Use};
use super::wishes::{BODIES, Wishes};
use crate::spec::{Id, read_duration};
use crate::yaml::{Entry, Node};

/// Wait between two tries where nothing is said.
const EVERY: std::time::Duration = std::time::Duration::from_secs(1);

/// What holds for all steps.
pub(super) struct Common<'a> {
    pub(super) base: Option<Text>,
    pub(super) defaults: Wishes,
    pub(super) retry: Option<Retry>,
    pub(super) names: Names<'a>,
}

/// The path of a step, for messages.
pub(super) fn path(number: usize) -> String {
    format!("steps[{number}]")
}

/// The name of a step; its number where it has none.
pub(super) fn name(node: &Node, number: usize) -> String {
    let named = node.get("name").and_then(Node::scalar).map(|scalar| scalar.text.clone());
    named.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| path(number))
}

/// Who captures what. A name that stands twice is noted.
pub(super) fn captured(steps: &[Node], notes: &mut Notes<'_>) -> BTreeMap<String, Source> {
    let mut found: BTreeMap<String, Source> = BTreeMap::new();
    for (step, node) in steps.iter().enumerate() {
        for entry in node.get("capture").and_then(Node::map).unwrap_or_default() {
            let source = Source { step, name: name(node, step), line: node.at.line };
            match found.get(&entry.key) {
                Some(first) if first.step != step => {
                    let said = format!("step '{}': capture.{} stands twice", source.name, shown(&entry.key));
                    let advice =
                        format!("step '{}' on line {} captures it too: use another name", first.name, first.line);
                    notes.add(Mistake::new(entry.at, said).advise(advice));
                }
                Some(_) => {}
                None => _ = found.insert(entry.key.clone(), source),
            }
        }
    }
    found
}

/// Reads a step; what is wrong is noted.
pub(super) fn read(node: &Node, number: usize, common: &Common<'_>, notes: &mut Notes<'_>) -> Option<Step> {
    let path = path(number);
    let fields = Fields::open(node, &path, &keys::names(Place::Step), notes)?;
    if fields.get("name").is_none() {
        notes.add(Mistake::new(fields.at, format!("{path}.name is missing")).advise("reports call the step by it"));
    }
    let named = |entry: &Entry| fields.named(&entry.key);
    let mut wishes = Wishes::default();
    for entry in fields.iter() {
        let Some(id) = id_of(&entry.key) else { continue };
        wishes.take(id, entry, &named(entry), &common.names, notes);
    }
    wishes.json = fields.get("json").map(|entry| {
        if let Some(other) = BODIES.into_iter().find(|id| wishes.has(*id)) {
            let said = format!("{path}: got json beside {}, expected one body", name_of(other));
            notes.add(Mistake::new(entry.at, said).advise("take one of them out"));
        }
        Json::read(&entry.node, &named(entry), Use::Drawn, &common.names, notes)
    });
    let kind = if LOAD.iter().any(|id| wishes.has(*id)) { Kind::Load } else { Kind::Request };
    if let Some(entry) = fields.get("name") {
        scalar(&entry.node, &named(entry), own(Place::Step, "name").allowed, notes);
    }
    let expect = fields.get("expect").map(|entry| Expect::read(&entry.node, &named(entry), &common.names, notes));
    let captures = fields.get("capture").map(|entry| Capture::read_all(&entry.node, &named(entry), notes));
    let own_retry = fields.get("retry").and_then(|entry| retry(&entry.node, &named(entry), notes));
    let step = Step {
        name: name(node, number),
        at: fields.at,
        kind,
        asks: asks(&wishes),
        always: fields.get("always").is_some_and(|entry| switch(&entry.node, &named(entry), notes)),
        retry: own_retry.or(common.retry).filter(|_| kind == Kind::Request),
        wishes: with_defaults(wishes, common, &path, notes),
        expect: expect.unwrap_or_default(),
        captures: captures.unwrap_or_default(),
    };
    clashes(&step, &fields, notes);
    Some(step)
}

/// Method and URL as they are written; of a call by name, the method's name.
fn asks(wishes: &Wishes) -> String {
    let url = wishes.text(Id::Url).map(Text::written).unwrap_or_default();
    if let Some(call) = wishes.text(Id::Call) {
        let (call, to) = (call.written(), url.trim_end_matches('/'));
        return if to.is_empty() { format!("CALL {call}") } else { format!("CALL {call} {to}") };
    }
    let method = wishes.text(Id::Method).map(|text| text.written().to_ascii_uppercase());
    let usual = if wishes.is_grpc() || wishes.json.is_some() { "POST" } else { "GET" };
    format!("{} {url}", method.as_deref().unwrap_or(usual))
}

/// The wishes of a step with those of all steps, and whole URLs.
fn with_defaults(mut wishes: Wishes, common: &Common<'_>, path: &str, notes: &mut Notes<'_>) -> Wishes {
    wishes.add(&common.defaults);
    for wish in wishes.given.iter_mut().filter(|wish| matches!(wish.id, Id::Url | Id::Primary)) {
        if !wish.text.starts_with("/") {
            continue;
        }
        match &common.base {
            Some(base) => wish.text = wish.text.after(base),
            None => {
                let said = format!("{path}.url: '{}' needs something before it", shown(&wish.text.written()));
                let advice = "give base: http://HOST in the file, or --base http://HOST";
                notes.add(Mistake::new(wish.text.at, said).advise(advice));
            }
        }
    }
    wishes
}

/// What does not go together.
fn clashes(step: &Step, fields: &Fields<'_>, notes: &mut Notes<'_>) {
    let mut refuse = |entry: &Entry, why: &str, advice: &str| {
        let said = format!("{}: {why}", fields.named(&entry.key));
        notes.add(Mistake::new(entry.at, said).advise(advice));
    };
    match step.kind {
        Kind::Load => {
            let only_requests = [
                ("expect", "success says which statuses count, and slo what must hold"),
                ("capture", "capture it with a request of its own"),
                ("retry", "wait with a request of its own until the target is ready"),
            ];
            for (key, advice) in only_requests {
                if let Some(entry) = fields.get(key) {
                    refuse(entry, "a load has many answers", advice);
                }
            }
            if !step.wishes.has(Id::Slo) {
                let said = format!("{}.slo is missing", fields.path);
                let given = LOAD.iter().find(|id| step.wishes.has(**id)).map_or("", |id| name_of(*id));
                let advice =
                    format!("{given} makes the step a load: say what must hold, such as slo: success>=99%, p99<500ms");
                notes.add(Mistake::new(fields.at, said).advise(advice));
            }
        }
        Kind::Request => {
            let is_grpc = step.wishes.is_grpc();
            match fields.get("expect") {
                Some(entry) if is_grpc && step.expect.names_status() => {
                    refuse(entry, "a gRPC call has no status of HTTP's", "say grpc-status, or nothing for OK");
                }
                Some(entry) if !is_grpc && step.expect.names_grpc_status() => {
                    refuse(entry, "only a gRPC call has a grpc-status", "say status, or call for the method to call");
                }
                _ => {}
            }
        }
    }
}

/// Reads `retry`.
pub(super) fn retry(node: &Node, path: &str, notes: &mut Notes<'_>) -> Option<Retry> {
    if node.scalar().is_some() {
        let for_ = time(node, path, own(Place::Step, "retry").allowed, notes)?;
        return Some(Retry { for_, every: EVERY });
    }
    let fields = Fields::open(node, path, &keys::names(Place::Retry), notes)?;
    let every = fields.get("every").and_then(|entry| {
        let (path, allowed) = (fields.named("every"), own(Place::Retry, "every").allowed);
        let read = read_duration(scalar(&entry.node, &path, allowed, notes)?);
        read.map_err(|advice| notes.wrong(&entry.node, &path, allowed, advice)).ok()
    });
    let Some(entry) = fields.get("for") else {
        notes.add(Mistake::new(fields.at, format!("{path}.for is missing")).advise("say how long to try, such as 30s"));
        return None;
    };
    let for_ = time(&entry.node, &fields.named("for"), own(Place::Retry, "for").allowed, notes)?;
    Some(Retry { for_, every: every.unwrap_or(EVERY) })
}
