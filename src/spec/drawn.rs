//! Requests in which values are drawn: the texts as written, brought together for each URL.

use std::sync::Arc;

use super::address::Address;
use super::build::SpecBuilder;
use super::keys::Id;
use super::mistake::{Mistake, Wrong};
use super::template::{Draws, Part, fixed, is_template, parts};
use crate::plan::{Drawn, Request};

/// Headers as they are sent.
pub(super) type Headers = Vec<(String, String)>;

/// A text of a request as written.
#[derive(Clone, Debug)]
pub(super) struct Written {
    id: Id,
    /// What a message shows of it.
    shown: String,
    text: Arc<[u8]>,
    /// Its pieces, where it is not sent as it is.
    parts: Option<Vec<Part>>,
}

impl Written {
    /// Reads a text given under a key; what is wrong with it is noted.
    pub(super) fn new(wishes: &mut SpecBuilder, id: Id, shown: &str, text: Vec<u8>) -> Self {
        let mut written = Self { id, shown: shown.to_owned(), text: text.into(), parts: None };
        if !wishes.is_verbatim() && is_template(&written.text) {
            written.parts = written.noted(wishes, parts(&written.text));
        }
        written
    }

    /// A header, read as one text so that columns are those of the line that was given.
    fn header(wishes: &mut SpecBuilder, (name, value): &(String, String)) -> Self {
        let line = format!("{name}: {value}");
        let mut written = Self::new(wishes, Id::Headers, &line, line.clone().into_bytes());
        // A name has no braces: it is a part of the first piece.
        if let Some([Part::Text(first), ..]) = written.parts.as_deref_mut() {
            first.drain(..name.len() + 2);
        }
        if let Some(parts) = &mut written.parts {
            parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        }
        written
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    fn noted<T>(&self, wishes: &mut SpecBuilder, read: Result<T, Wrong>) -> Option<T> {
        read.map_err(|wrong| wishes.mistake_once(Mistake::wrong(self.id, &self.shown, wrong))).ok()
    }
}

/// What the requests to all URLs have in common.
pub(super) struct Shared {
    /// How many headers stand before the one that logs in.
    before_login: usize,
    headers: Vec<(String, String, Written)>,
    body: Written,
    draws: Draws,
}

impl Shared {
    pub(super) fn new(wishes: &mut SpecBuilder, before_login: usize, headers: Headers, body: Written) -> Self {
        let read = |header: (String, String)| {
            let written = Written::header(wishes, &header);
            (header.0, header.1, written)
        };
        let headers: Vec<_> = headers.into_iter().map(read).collect();
        let mut draws = Draws::default();
        for written in headers.iter().map(|(.., written)| written).chain([&body]) {
            if let Some(parts) = &written.parts {
                written.noted(wishes, draws.define(&written.text, parts));
            }
        }
        Self { before_login, headers, body, draws }
    }

    /// The whole request to one URL, and what of it is drawn.
    pub(super) fn request(
        &self,
        wishes: &mut SpecBuilder,
        mut request: Request,
        login: Option<(String, String)>,
        address: &Address,
    ) -> (Request, Option<Drawn>) {
        let mut draws = self.draws.clone();
        let url = Written {
            id: Id::Url,
            shown: address.url.clone(),
            text: address.url.as_bytes().into(),
            parts: address.parts.clone(),
        };
        if let Some(parts) = &url.parts {
            url.noted(wishes, draws.define(&url.text, parts));
        }
        let mut next = 0;
        let mut filled = |wishes: &mut SpecBuilder, written: &Written| match &written.parts {
            None => (Arc::clone(&written.text), None),
            Some(parts) => match fixed(parts) {
                Some(text) => (Arc::from(text), None),
                None => {
                    (Arc::clone(&written.text), written.noted(wishes, draws.template(&written.text, parts, &mut next)))
                }
            },
        };
        let mut values = Vec::new();
        for (place, (name, value, written)) in self.headers.iter().enumerate() {
            if place == self.before_login {
                request.headers.extend(login.clone());
            }
            let (text, template) = filled(wishes, written);
            let plain = written.parts.is_some() && template.is_none();
            let value = if plain { String::from_utf8_lossy(&text).into_owned() } else { value.clone() };
            values.extend(template.map(|template| (request.headers.len(), template)));
            request.headers.push((name.clone(), value));
        }
        if self.before_login >= self.headers.len() {
            request.headers.extend(login);
        }
        let (text, body) = filled(wishes, &self.body);
        request.body = text;
        let (text, path) = filled(wishes, &url);
        if url.parts.is_some() && path.is_none() {
            request.path = String::from_utf8_lossy(&text).into_owned();
        }
        let drawings = draws.into_drawings();
        let drawn = (!drawings.is_empty()).then_some(Drawn { drawings, path, headers: values, body });
        (request, drawn)
    }
}
