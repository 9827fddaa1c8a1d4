//! A step's request or load: texts under the keys of `spec`, and the spec that its builder makes of them.

use std::io;
use std::path::Path;

use super::fields::{Fields, Notes, scalar, scalars, switch};
use super::json::Json;
use super::keys::{Shape, name_of, shape_of};
use super::mistake::Mistake;
use super::names::Names;
use super::text::{Text, Use, Values};
use crate::slo;
use crate::spec::{self, Id, KEYS, OF_GRPC, Spec, SpecBuilder};
use crate::yaml::{Entry, Node, Position};

/// One text under its key.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) id: Id,
    pub(super) text: Text,
    /// Switched off, which is only to be known where a default would switch it on.
    off: bool,
    /// Where each character of an objective stands; empty for anything else.
    places: Vec<Position>,
}

/// Everything that a step asks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Wishes {
    pub(super) given: Vec<Wish>,
    pub(super) json: Option<Json>,
}

/// Keys whose texts may have values that are drawn.
const DRAWN: [Id; 5] = [Id::Url, Id::Primary, Id::Headers, Id::Body, Id::Data];

/// Keys that say what is sent.
pub(super) const BODIES: [Id; 4] = [Id::Body, Id::BodyFile, Id::Data, Id::DataFile];

impl Wishes {
    /// Reads the value of one key.
    pub(super) fn take(&mut self, id: Id, entry: &Entry, path: &str, names: &Names<'_>, notes: &mut Notes<'_>) {
        let used = if DRAWN.contains(&id) { Use::Drawn } else { Use::Plain };
        let (node, allowed) = (&entry.node, id.key().allowed);
        let wish = |text| Wish { id, text, off: false, places: Vec::new() };
        match shape_of(id) {
            Shape::Switch => {
                let off = !switch(node, path, notes);
                self.given.push(Wish { off, ..wish(Text::fixed(node.at, "")) });
            }
            Shape::Headers => self.given.extend(headers(node, path, names, notes).into_iter().map(wish)),
            Shape::Texts => {
                for (node, text) in scalars(node, path, allowed, notes) {
                    self.given.push(wish(Text::read(node, text, path, used, names, notes)));
                }
            }
            _ => {
                let Some(text) = scalar(node, path, allowed, notes) else { return };
                let places = match node.scalar() {
                    Some(scalar) if id == Id::Slo => notes.stream.places(node.at, scalar),
                    _ => Vec::new(),
                };
                self.given.push(Wish { places, ..wish(Text::read(node, text, path, used, names, notes)) });
            }
        }
    }

    /// Whether a key is given.
    pub(super) fn has(&self, id: Id) -> bool {
        self.given.iter().any(|wish| wish.id == id && !wish.off)
    }

    /// The text under a key; the first of several.
    pub(super) fn text(&self, id: Id) -> Option<&Text> {
        self.given.iter().find(|wish| wish.id == id).map(|wish| &wish.text)
    }

    /// Adds what is asked for everywhere and not here: keys that are not given, and headers of other names.
    pub(super) fn add(&mut self, defaults: &Self) {
        let name = |text: &Text| text.written().split(':').next().unwrap_or_default().to_ascii_lowercase();
        let own: Vec<(Id, String)> = self.given.iter().map(|wish| (wish.id, name(&wish.text))).collect();
        let is_new = |wish: &&Wish| match wish.id {
            Id::Headers => !own.contains(&(Id::Headers, name(&wish.text))),
            id if BODIES.contains(&id) => self.json.is_none() && !own.iter().any(|(id, _)| BODIES.contains(id)),
            id => !own.iter().any(|(own, _)| *own == id),
        };
        let new: Vec<Wish> = defaults.given.iter().filter(is_new).cloned().collect();
        self.given.extend(new);
    }

    /// Whether it is a gRPC call, or several.
    pub(super) fn is_grpc(&self) -> bool {
        let begins = |text: &Text| ["grpc://", "grpcs://"].iter().any(|scheme| text.starts_with(scheme));
        match self.text(Id::Protocol) {
            Some(text) => text.written() == "grpc",
            None => self.names_types() || self.text(Id::Url).is_some_and(begins),
        }
    }

    /// Whether something is asked for that only a call has.
    pub(super) fn names_types(&self) -> bool {
        OF_GRPC.into_iter().any(|id| self.has(id))
    }

    /// The key under which `json` is sent.
    fn json_key(&self) -> Id {
        if self.is_grpc() { Id::Data } else { Id::Body }
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &Text> {
        self.given.iter().map(|wish| &wish.text).chain(self.json.iter().flat_map(Json::texts))
    }

    /// Whether a text under this key has a value that steps capture.
    pub(super) fn depends(&self, id: Id, known: &Values) -> bool {
        let unknown = |text: &Text| text.names().any(|name| !known.contains_key(name));
        self.given.iter().any(|wish| wish.id == id && unknown(&wish.text))
            || id == self.json_key() && self.json.iter().flat_map(Json::texts).any(unknown)
    }

    /// The spec that these values make; mistakes without a place of their own are at that of the step.
    pub(super) fn build(
        &self,
        values: &Values,
        step: (Position, &str),
        (seed, is_read): (u64, bool),
        read: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
    ) -> Result<Spec, Vec<Mistake>> {
        let mut builder = SpecBuilder::new();
        builder.default_seed(seed);
        if is_read {
            builder.reads_answers();
        }
        let mut mistakes = Vec::new();
        for wish in self.given.iter().filter(|wish| !wish.off) {
            let text = if DRAWN.contains(&wish.id) { wish.text.to_draw(values) } else { wish.text.filled(values) };
            match unread(wish, &text, step.1) {
                wrong if wrong.is_empty() => builder.give(wish.id, text),
                wrong => mistakes.extend(wrong),
            }
        }
        if let Some(json) = &self.json {
            let id = self.json_key();
            builder.give(id, json.made(&|text| text.to_draw(values)).to_string());
            let is_type = |wish: &Wish| wish.text.written().to_ascii_lowercase().starts_with("content-type:");
            let is_body = id == Id::Body;
            if is_body
                && !self.has(Id::ContentType)
                && !self.given.iter().any(|wish| wish.id == Id::Headers && is_type(wish))
            {
                builder.give(Id::ContentType, "application/json");
            }
            if is_body && !self.has(Id::Method) {
                builder.give(Id::Method, "POST");
            }
        }
        match builder.build(read) {
            Ok(spec) if mistakes.is_empty() => Ok(spec),
            Ok(_) => Err(mistakes),
            Err(others) => {
                mistakes.extend(others.into_vec().into_iter().map(|mistake| self.placed(mistake, values, step)));
                Err(mistakes)
            }
        }
    }

    /// A mistake of the builder, in this file.
    fn placed(&self, mistake: spec::Mistake, values: &Values, (at, step): (Position, &str)) -> Mistake {
        let Some(key) = mistake.about() else {
            return Mistake::new(at, format!("step '{step}': {}", in_files(&mistake.to_string())));
        };
        let of_key = || self.given.iter().filter(|wish| wish.id == key.id);
        let same = of_key().find(|wish| Some(wish.text.filled(values)) == mistake.given);
        let at = same.or(of_key().next()).map_or(at, |wish| wish.text.at);
        let name = if key.id == self.json_key() && self.json.is_some() { "json" } else { name_of(key.id) };
        Mistake::new(at, format!("step '{step}': {}", in_files(&mistake.under(name).to_string())))
    }
}

/// What is wrong with an objective, each mistake where it is.
fn unread(wish: &Wish, text: &str, step: &str) -> Vec<Mistake> {
    let Some(errors) = Some(text).filter(|_| wish.id == Id::Slo).and_then(|text| slo::parse(text).err()) else {
        return Vec::new();
    };
    let at = |column: usize| {
        let place = wish.places.get(column.saturating_sub(1)).filter(|_| wish.text.names().next().is_none());
        place.copied().unwrap_or(wish.text.at)
    };
    errors
        .0
        .iter()
        .map(|error| Mistake::new(at(error.column), format!("step '{step}': slo: {}", error.message)))
        .collect()
}

/// Headers by name, in a list of lines, or in a text of lines.
fn headers(node: &Node, path: &str, names: &Names<'_>, notes: &mut Notes<'_>) -> Vec<Text> {
    let allowed = Id::Headers.key().allowed;
    if node.map().is_some() {
        let Some(fields) = Fields::open_any(node, path, notes) else { return Vec::new() };
        let lines = fields.iter().filter_map(|entry| {
            let path = fields.named(&entry.key);
            let value = scalar(&entry.node, &path, "a text", notes)?;
            let value = Text::read(&entry.node, value, &path, Use::Drawn, names, notes);
            Some(value.after(&Text::fixed(entry.at, &format!("{}: ", entry.key))))
        });
        return lines.collect();
    }
    let texts = scalars(node, path, allowed, notes).into_iter().flat_map(|(node, text)| {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(move |line| (node, line))
    });
    texts.map(|(node, line)| Text::read(node, line, path, Use::Drawn, names, notes)).collect()
}

/// A sentence about flags, about the keys of a file.
pub(super) fn in_files(text: &str) -> String {
    let mut keys: Vec<_> = KEYS.iter().filter_map(|key| Some((key.long?, key))).collect();
    keys.sort_by_key(|(long, _)| std::cmp::Reverse(long.len()));
    let text =
        keys.iter().fold(text.to_owned(), |text, (long, key)| text.replace(&format!("--{long}"), name_of(key.id)));
    let word = |word: &str| {
        let bare = word.trim_end_matches([',', ';', ':', '.']);
        let letter = bare.strip_prefix('-').filter(|letter| letter.chars().count() == 1);
        let key =
            letter.and_then(|letter| KEYS.iter().find(|key| key.short.is_some_and(|short| letter.starts_with(short))));
        key.map_or_else(|| word.to_owned(), |key| word.replacen(bare, name_of(key.id), 1))
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}
