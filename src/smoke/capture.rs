//! What is taken from an answer for later steps.

use regex::Regex;

use super::answer::{Answer, Failure};
use super::expect::{Query, pattern};
use super::fields::{Fields, Notes, scalar};
use super::json::as_text;
use super::keys::{Place, names, own};
use super::mistake::{Mistake, shown};
use crate::stats::grpc_name;
use crate::yaml::{Entry, Node};

/// Bytes of a captured value at most.
const MOST: usize = 64 << 10;

/// Where a value comes from.
#[derive(Clone, Debug)]
enum Origin {
    Status,
    Header(String),
    Body(Regex),
    Json(Query),
}

/// One value.
#[derive(Clone, Debug)]
pub(super) struct Capture {
    /// Its name.
    pub(super) name: String,
    origin: Origin,
    /// What is taken of it; `None` takes all.
    part: Option<Regex>,
}

impl Capture {
    /// Reads what stands under `capture`; what is wrong is noted.
    pub(super) fn read_all(node: &Node, path: &str, notes: &mut Notes<'_>) -> Vec<Self> {
        let Some(fields) = Fields::open_any(node, path, notes) else { return Vec::new() };
        fields.iter().filter_map(|entry| Self::read(entry, &fields.named(&entry.key), notes)).collect()
    }

    fn read(entry: &Entry, path: &str, notes: &mut Notes<'_>) -> Option<Self> {
        let name = entry.key.clone();
        if entry.node.scalar().is_some_and(|scalar| scalar.text == "status") {
            return Some(Self { name, origin: Origin::Status, part: None });
        }
        if entry.node.map().is_none() {
            notes.wrong(&entry.node, path, "status, or keys with values", None);
            return None;
        }
        let fields = Fields::open(&entry.node, path, &names(Place::Capture), notes)?;
        let (mut origins, mut part) = (Vec::new(), None);
        for entry in fields.iter() {
            let (path, allowed) = (fields.named(&entry.key), own(Place::Capture, &entry.key).allowed);
            let Some(text) = scalar(&entry.node, &path, allowed, notes) else { continue };
            let origin = match entry.key.as_str() {
                "header" => Some(Origin::Header(text.to_owned())),
                "body" => pattern(text, &path, entry.node.at, notes).map(Origin::Body),
                "json" => Query::read(&entry.node, entry.node.at, text, &path, notes).map(Origin::Json),
                _ => {
                    part = pattern(text, &path, entry.node.at, notes);
                    continue;
                }
            };
            origins.push(origin);
        }
        if origins.len() != 1 {
            let said = format!("{path}: got {} of header, body and json, expected one", origins.len());
            notes.add(Mistake::new(entry.at, said).advise("a value comes from one place"));
        }
        let origin = origins.pop()??;
        if part.is_some() && matches!(origin, Origin::Body(_)) {
            let said = format!("{path}.match has no effect beside body, which is an expression itself");
            notes.add(Mistake::new(entry.at, said).advise("take it out"));
        }
        Some(Self { name, origin, part })
    }

    /// Whether it comes from a JSON body.
    pub(super) const fn reads_json(&self) -> bool {
        matches!(self.origin, Origin::Json(_))
    }

    /// The value.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn take(&self, answer: &Answer) -> Result<String, Failure> {
        let failed = |said: String| Failure::new(format!("capture.{}", self.name), said);
        let value = match &self.origin {
            Origin::Status => {
                let call = answer.grpc.as_ref().map(|call| grpc_name(call.status).to_owned());
                let status = call.or_else(|| answer.status.map(|status| status.to_string()));
                status.ok_or_else(|| failed("there is no status".to_owned()))?
            }
            Origin::Header(name) => answer.header(name).ok_or_else(|| failed(format!("there is no header {name}")))?,
            Origin::Body(regex) => part(regex, &answer.text())
                .ok_or_else(|| failed(format!("{} is nowhere in the body", regex.as_str())))?,
            Origin::Json(query) => {
                let body = answer.json().map_err(failed)?;
                let found = query.find(&body).ok_or_else(|| failed(format!("{} finds nothing", query.written)))?;
                as_text(&found)
            }
        };
        let value = match &self.part {
            Some(regex) => part(regex, &value)
                .ok_or_else(|| failed(format!("{} is nowhere in '{}'", regex.as_str(), shown(&value))))?,
            None => value,
        };
        if value.len() > MOST {
            return Err(failed(format!("it has {} bytes, and may have {MOST}", value.len())));
        }
        Ok(value)
    }
}

/// The first group, or all that was found where there is none.
fn part(regex: &Regex, text: &str) -> Option<String> {
    let found = regex.captures(text)?;
    found.iter().skip(1).flatten().next().or_else(|| found.get(0)).map(|part| part.as_str().to_owned())
}
