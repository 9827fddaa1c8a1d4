//! Values drawn for each request: `{{pick:a,b}}`, `{{user=range:1..5}}` and, for the same value again, `{{user}}`.
//!
//! Only `{{` means anything: `}}` closes what it opened and is text elsewhere, as JSON needs it. `{{{{` is `{{` as text.

use std::ops::Range;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::mistake::{Wrong, wrong};
use crate::plan::{Drawing, Picked, Piece, Source, Template};

/// All but the unreserved characters of a URL (RFC 3986 §2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Most values of one list.
const MOST_PICKED: usize = 10_000;
/// What can be drawn, as users write it.
const KINDS: [&str; 4] = ["pick", "range", "counter", "uuid"];
/// How alike an unknown name must be to a known one to be suggested, in [0, 1].
const ALIKE: f64 = 0.8;

/// One piece of a text as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Text as it is sent.
    Text(Vec<u8>),
    /// Something to put in.
    Blank {
        /// Where it stands in the text, its braces included.
        at: Range<usize>,
        /// What.
        what: What,
    },
}

/// What is put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A value of its own, under a name if it has one.
    New(Option<String>, Source),
    /// The value of this name.
    Again(String),
}

/// Whether a text draws anything or has an escaped brace: if not, it is sent as it is.
pub(super) fn is_template(text: &[u8]) -> bool {
    text.windows(2).any(|two| two == b"{{")
}

/// Reads a text with values to draw.
pub(super) fn parts(text: &[u8]) -> Result<Vec<Part>, Wrong> {
    let mut parts = Vec::new();
    let mut plain = Vec::new();
    let mut from = 0;
    while let Some(open) = find(text, from, b"{{") {
        plain.extend_from_slice(&text[from..open]);
        if text[open..].starts_with(b"{{{{") {
            plain.extend_from_slice(b"{{");
            from = open + 4;
            continue;
        }
        let close =
            find(text, open + 2, b"}}").ok_or_else(|| misplaced(text, open, "it is never closed: }} is missing"))?;
        let inside = std::str::from_utf8(&text[open + 2..close]).unwrap_or("\0");
        let what = what(inside).map_err(|problem| misplaced(text, open, &problem))?;
        if !plain.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut plain)));
        }
        from = close + 2;
        parts.push(Part::Blank { at: open..from, what });
    }
    plain.extend_from_slice(&text[from..]);
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    Ok(parts)
}

fn find(text: &[u8], from: usize, wanted: &[u8]) -> Option<usize> {
    text[from..].windows(wanted.len()).position(|window| window == wanted).map(|at| from + at)
}

/// A problem with the place where it is. Nothing between the braces is repeated: it could be a secret.
fn misplaced(text: &[u8], at: usize, problem: &str) -> Wrong {
    let before = String::from_utf8_lossy(&text[..at]);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    let at = if line > 1 { format!("line {line}, column {column}") } else { format!("column {column}") };
    wrong(format!("the {{{{ at {at}: {problem}; for {{{{ itself write {{{{{{{{"))
}

/// Reads what stands between the braces.
fn what(inside: &str) -> Result<What, String> {
    if inside.chars().any(char::is_control) {
        return Err("control characters are not allowed there".to_owned());
    }
    let inside = inside.trim();
    let (name, source) = match inside.split_once('=') {
        Some((name, source)) if is_name(name.trim()) => (Some(name.trim()), source.trim()),
        _ => (None, inside),
    };
    let (kind, arguments) = match source.split_once(':') {
        Some((kind, arguments)) => (kind.trim(), Some(arguments.trim())),
        None => (source, None),
    };
    if name.is_some_and(|name| KINDS.contains(&name)) {
        return Err(format!("no name may be one of {}", KINDS.join(", ")));
    }
    let source = match (kind, arguments) {
        ("pick", Some(list)) => pick(list)?,
        ("range", Some(range)) => self::range(range)?,
        ("counter", None) => Source::Counter(1),
        ("counter", Some(first)) => {
            Source::Counter(first.parse().map_err(|_| "a counter begins with a whole number, as in {{counter:1000}}")?)
        }
        ("uuid", None) => Source::Uuid,
        ("uuid", Some(_)) => return Err("uuid takes nothing: write {{uuid}}".to_owned()),
        ("pick", None) => return Err("pick needs its values, as in {{pick:a,b,c}}".to_owned()),
        ("range", None) => return Err("range needs its ends, as in {{range:1..5}}".to_owned()),
        (again, None) if name.is_none() && is_name(again) => return Ok(What::Again(again.to_owned())),
        (unknown, _) => return Err(unknown_name(unknown, &[])),
    };
    Ok(What::New(name.map(str::to_owned), source))
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// What may be written, and what this may have meant.
fn unknown_name(given: &str, names: &[&str]) -> String {
    let likeness = |known: &str| strsim::jaro_winkler(given, known);
    let nearest = KINDS.iter().chain(names).max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let allowed = "pick:a,b,c, range:1..5, counter or uuid go there, or the name of one";
    match nearest.filter(|nearest| likeness(nearest) >= ALIKE) {
        Some(nearest) => format!("did you mean {nearest}? {allowed}"),
        None => allowed.to_owned(),
    }
}

fn pick(list: &str) -> Result<Source, String> {
    let values: Vec<&str> = list.split(',').map(str::trim).collect();
    if values.iter().any(|value| value.is_empty()) {
        return Err("a value of the list is empty".to_owned());
    }
    if values.len() > MOST_PICKED {
        return Err(format!("a list has at most {MOST_PICKED} values"));
    }
    let picked = |text: &str| Picked { text: text.to_owned(), in_url: utf8_percent_encode(text, ENCODED).to_string() };
    Ok(Source::Pick(values.into_iter().map(picked).collect()))
}

fn range(text: &str) -> Result<Source, String> {
    let ends =
        text.split_once("..").and_then(|(first, last)| Some((first.trim().parse().ok()?, last.trim().parse().ok()?)));
    match ends {
        Some((first, last)) if first <= last => Ok(Source::Range(first..=last)),
        Some((first, last)) => Err(format!("the range has nothing in it; did you mean range:{last}..{first}?")),
        None => Err("a range goes from one whole number to another, as in {{range:1..5}}".to_owned()),
    }
}

/// The drawings of one target, in the order of their places.
#[derive(Clone, Debug, Default)]
pub(super) struct Draws {
    drawings: Vec<Drawing>,
    /// Names, with the places of their drawings.
    names: Vec<(String, usize)>,
}

impl Draws {
    /// Takes in what a text draws anew. The places are the next ones in order.
    pub(super) fn define(&mut self, text: &[u8], parts: &[Part]) -> Result<(), Wrong> {
        for part in parts {
            let Part::Blank { at, what: What::New(name, source) } = part else { continue };
            let place = self.drawings.len();
            let label = match name {
                Some(name) if self.place(name).is_some() => {
                    return Err(misplaced(text, at.start, "another value has this name already"));
                }
                Some(name) => {
                    self.names.push((name.clone(), place));
                    name.clone()
                }
                None => String::from_utf8_lossy(&text[at.clone()]).into_owned(),
            };
            self.drawings.push(Drawing { label, source: source.clone() });
        }
        Ok(())
    }

    /// The template of a text, all of whose names are known by now; `next` is the place of the first value that the text
    /// draws itself, and then of the first value of the next text.
    pub(super) fn template(&self, text: &[u8], parts: &[Part], next: &mut usize) -> Result<Template, Wrong> {
        let piece = |part: &Part| match part {
            Part::Text(text) => Ok(Piece::Fixed(text.clone())),
            Part::Blank { what: What::New(..), .. } => {
                *next += 1;
                Ok(Piece::Value(*next - 1))
            }
            Part::Blank { at, what: What::Again(name) } => self.place(name).map(Piece::Value).ok_or_else(|| {
                let names: Vec<&str> = self.names.iter().map(|(name, _)| name.as_str()).collect();
                misplaced(text, at.start, &unknown_name(name, &names))
            }),
        };
        Ok(Template { pieces: parts.iter().map(piece).collect::<Result<_, _>>()? })
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().find(|(known, _)| known == name).map(|(_, place)| *place)
    }

    /// The drawings.
    pub(super) fn into_drawings(self) -> Vec<Drawing> {
        self.drawings
    }
}

/// A text without anything to draw, its escaped braces read: what is sent.
pub(super) fn fixed(parts: &[Part]) -> Option<Vec<u8>> {
    match parts {
        [] => Some(Vec::new()),
        [Part::Text(text)] => Some(text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn advice(text: &str) -> String {
        let defined = parts(text.as_bytes()).and_then(|parts| {
            let mut draws = Draws::default();
            draws.define(text.as_bytes(), &parts)?;
            draws.template(text.as_bytes(), &parts, &mut 0)
        });
        defined.unwrap_err().advice.unwrap_or_default()
    }

    fn sources(text: &str) -> Vec<(String, Source)> {
        let mut draws = Draws::default();
        draws.define(text.as_bytes(), &parts(text.as_bytes()).unwrap()).unwrap();
        draws.into_drawings().into_iter().map(|drawing| (drawing.label, drawing.source)).collect()
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let picked = |text: &str, in_url: &str| Picked { text: text.into(), in_url: in_url.into() };
        for (text, label, source) in [
            (
                "{{pick:a, b c,d&e}}",
                "{{pick:a, b c,d&e}}",
                Source::Pick(vec![picked("a", "a"), picked("b c", "b%20c"), picked("d&e", "d%26e")]),
            ),
            ("{{ pick : x=1:2 }}", "{{ pick : x=1:2 }}", Source::Pick(vec![picked("x=1:2", "x%3D1%3A2")])),
            ("{{user=range:-1..5}}", "user", Source::Range(-1..=5)),
            ("{{ user-id = range: 7 .. 7 }}", "user-id", Source::Range(7..=7)),
            ("{{counter}}", "{{counter}}", Source::Counter(1)),
            ("{{counter:1000}}", "{{counter:1000}}", Source::Counter(1_000)),
            ("{{id=uuid}}", "id", Source::Uuid),
        ] {
            assert_eq!(sources(text), [(label.to_owned(), source)], "{text}");
        }
    }

    #[test]
    fn text_stays_text_and_braces_can_be_escaped() {
        for (text, plain) in [
            ("no braces", "no braces"),
            ("{\"a\":{\"b\":{}}}", "{\"a\":{\"b\":{}}}"),
            ("{{{{name}}", "{{name}}"),
            ("a{{{{{{{{b", "a{{{{b"),
            ("", ""),
        ] {
            assert_eq!(fixed(&parts(text.as_bytes()).unwrap()).unwrap(), plain.as_bytes(), "{text}");
        }
        let parts = parts(b"{\"a\":{\"n\":{{counter}}}}").unwrap();
        assert_eq!(parts[0], Part::Text(b"{\"a\":{\"n\":".to_vec()));
        assert_eq!(parts[2], Part::Text(b"}}".to_vec()), "the first two braces close");
        assert_eq!(fixed(&parts), None);
    }

    #[test]
    fn a_name_stands_for_one_value_wherever_it_is() {
        let text = b"{{a=range:1..5}}-{{uuid}}-{{ a }}";
        let parts = parts(text).unwrap();
        let mut draws = Draws::default();
        draws.define(text, &parts).unwrap();
        let (mut next, dash) = (0, || Piece::Fixed(b"-".to_vec()));
        let template = draws.template(text, &parts, &mut next).unwrap();
        assert_eq!(template.pieces, [Piece::Value(0), dash(), Piece::Value(1), dash(), Piece::Value(0)]);
        assert_eq!(next, 2);
    }

    #[test]
    fn what_cannot_be_drawn_is_told_with_its_place() {
        for (text, at, part) in [
            ("ab{{pik:a,b}}", "column 3", "did you mean pick?"),
            ("{{cuonter}}", "column 1", "did you mean counter?"),
            ("{{user=range:1..5}} {{usr}}", "column 21", "did you mean user?"),
            ("{{nobody-knows}}", "column 1", "pick:a,b,c, range:1..5, counter or uuid go there"),
            ("{{}}", "column 1", "counter or uuid go there"),
            ("é\nxy{{range:5..1}}", "line 2, column 3", "did you mean range:1..5?"),
            ("{{range:1-5}}", "column 1", "from one whole number to another"),
            ("{{range:1..99999999999999999999}}", "column 1", "from one whole number to another"),
            ("{{range}}", "column 1", "range needs its ends"),
            ("{{pick}}", "column 1", "pick needs its values"),
            ("{{pick:a,,b}}", "column 1", "a value of the list is empty"),
            ("{{pick:a\nb}}", "column 1", "control characters"),
            ("{{counter:x}}", "column 1", "begins with a whole number"),
            ("{{uuid:4}}", "column 1", "write {{uuid}}"),
            ("{{pick=range:1..5}}", "column 1", "no name may be one of pick, range, counter, uuid"),
            ("{{a=uuid}}{{a=uuid}}", "column 11", "another value has this name already"),
            ("x {{counter", "column 3", "never closed"),
        ] {
            let advice = advice(text);
            assert!(advice.starts_with(&format!("the {{{{ at {at}: ")) && advice.contains(part), "{text}: {advice}");
            assert!(advice.ends_with("; for {{ itself write {{{{"), "{advice}");
        }
        let long = format!("{{{{pick:{}}}}}", "a,".repeat(MOST_PICKED) + "a");
        assert!(advice(&long).contains("at most 10000 values"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[{}a=:.,1 ]{0,24}") {
            let _ = parts(text.as_bytes());
        }

        #[test]
        fn bytes_without_two_braces_are_sent_as_they_are(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            prop_assume!(!is_template(&bytes));
            prop_assert_eq!(fixed(&parts(&bytes).unwrap()).unwrap(), bytes);
        }
    }
}
