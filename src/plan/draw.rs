//! Values that differ from request to request: which there are, and what they come to in request `i`.
//!
//! Nothing is remembered between requests: a value follows from the seed, the request's number and the drawing's place.
//! So the same seed gives request `i` the same values however many threads send, and whoever knows the three can say
//! afterwards what was sent.

use std::fmt::{self, Write as _};
use std::ops::RangeInclusive;

use super::Request;

/// The odd constant of splitmix64, 2⁶⁴ over the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// One of these, each equally likely; at least one.
    Pick(Vec<Picked>),
    /// A whole number of these, each equally likely; never empty.
    Range(RangeInclusive<i64>),
    /// The number of the request in its load, the first one being this.
    Counter(u64),
    /// A random UUID (RFC 9562, version 4).
    Uuid,
}

/// A value of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picked {
    /// As it stands in a header or a body; no control characters.
    pub text: String,
    /// The same, percent-encoded: as it stands in a URL.
    pub in_url: String,
}

/// A value to draw anew for each request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawing {
    /// The name it was given, or what was written in its place.
    pub label: String,
    /// Where it comes from.
    pub source: Source,
}

/// A text with values to be put in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// Its pieces, in order.
    pub pieces: Vec<Piece>,
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// The same in every request.
    Fixed(Vec<u8>),
    /// The value of the drawing in this place of [`Drawn::drawings`].
    Value(usize),
}

/// What of a request is drawn. The rest is as in the request beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// What is drawn, once for each request; at least one.
    pub drawings: Vec<Drawing>,
    /// Path and query, where values stand in them.
    pub path: Option<Template>,
    /// Values of headers, each with its place among the request's headers.
    pub headers: Vec<(usize, Template)>,
    /// The body, where values stand in it.
    pub body: Option<Template>,
}

/// Where a value is put.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Url,
    Elsewhere,
}

/// The finalizer of splitmix64 (Steele, Lea and Flood 2014): every bit of the result hangs on every bit of `x`.
const fn mixed(x: u64) -> u64 {
    let x = x.wrapping_add(GOLDEN);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// 64 random bits for one drawing of one request.
const fn bits(seed: u64, index: u64, place: usize) -> u64 {
    mixed(mixed(mixed(seed) ^ index) ^ place as u64)
}

/// A number below `n`, each equally likely to within 2⁻⁶⁴·n; 0 where `n` is 0.
const fn below(n: u64, bits: u64) -> u64 {
    ((bits as u128 * n as u128) >> 64) as u64
}

impl Source {
    /// How many different values there are, if they can be counted: those of a list or a range.
    #[must_use]
    pub fn choices(&self) -> Option<u64> {
        match self {
            Self::Pick(list) => Some(list.len() as u64),
            Self::Range(range) => Some((range.end().wrapping_sub(*range.start()) as u64).saturating_add(1)),
            Self::Counter(_) | Self::Uuid => None,
        }
    }

    /// The value with this number, counted from 0, of a list or a range; of the others, what their number says.
    #[must_use]
    pub fn name(&self, number: u64) -> String {
        let mut name = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(number, Place::Elsewhere, &mut name);
        name
    }

    /// The number of the value that these bits draw.
    fn number(&self, index: u64, bits: u64) -> u64 {
        match self {
            Self::Counter(_) => index,
            Self::Uuid => bits,
            Self::Pick(_) | Self::Range(_) => below(self.choices().unwrap_or(1), bits),
        }
    }

    fn write(&self, number: u64, place: Place, to: &mut String) -> fmt::Result {
        match self {
            Self::Pick(list) => {
                let picked = list.get(number as usize);
                to.write_str(
                    picked.map_or("", |picked| if place == Place::Url { &picked.in_url } else { &picked.text }),
                )
            }
            Self::Range(range) => write!(to, "{}", range.start().wrapping_add(number as i64)),
            Self::Counter(first) => write!(to, "{}", first.saturating_add(number)),
            Self::Uuid => {
                // Four bits say version 4, two the variant.
                let (high, low) = (number & !0xf000 | 0x4000, mixed(number) & !(0b11 << 62) | 0b10 << 62);
                let (time, group) = (high >> 32, low >> 48);
                write!(
                    to,
                    "{time:08x}-{:04x}-{:04x}-{group:04x}-{:012x}",
                    high >> 16 & 0xffff,
                    high & 0xffff,
                    low & 0xffff_ffff_ffff
                )
            }
        }
    }
}

impl Drawn {
    /// The request with this number in a load with this seed; `fixed` has all that is not drawn.
    #[must_use]
    pub fn request(&self, fixed: &Request, seed: u64, index: u64) -> Request {
        let text = |template: &Template, place| {
            let bytes = self.filled(template, seed, index, place);
            String::from_utf8(bytes).expect("pieces of paths and headers are text, and so are values")
        };
        let mut request = fixed.clone();
        if let Some(path) = &self.path {
            request.path = text(path, Place::Url);
        }
        for (at, value) in &self.headers {
            request.headers[*at].1 = text(value, Place::Elsewhere);
        }
        if let Some(body) = &self.body {
            request.body = self.filled(body, seed, index, Place::Elsewhere).into();
        }
        request
    }

    /// Which of its values a drawing comes to in one request: the place in its list or range, counted from 0.
    #[must_use]
    pub fn number(&self, place: usize, seed: u64, index: u64) -> u64 {
        self.drawings[place].source.number(index, bits(seed, index, place))
    }

    fn filled(&self, template: &Template, seed: u64, index: u64, place: Place) -> Vec<u8> {
        let (mut bytes, mut value) = (Vec::with_capacity(template.length()), String::new());
        for piece in &template.pieces {
            match piece {
                Piece::Fixed(fixed) => bytes.extend_from_slice(fixed),
                Piece::Value(drawing) => {
                    value.clear();
                    let source = &self.drawings[*drawing].source;
                    // Writing to a string cannot fail.
                    let _ = source.write(self.number(*drawing, seed, index), place, &mut value);
                    bytes.extend_from_slice(value.as_bytes());
                }
            }
        }
        bytes
    }
}

impl Template {
    /// About how long it is with its values.
    fn length(&self) -> usize {
        let length = |piece: &Piece| if let Piece::Fixed(fixed) = piece { fixed.len() } else { 36 };
        self.pieces.iter().map(length).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    fn fixed(text: &str) -> Piece {
        Piece::Fixed(text.into())
    }

    fn drawing(source: Source) -> Drawing {
        Drawing { label: String::new(), source }
    }

    fn picks(values: &[(&str, &str)]) -> Source {
        let picked = |(text, in_url): &(&str, &str)| Picked { text: (*text).into(), in_url: (*in_url).into() };
        Source::Pick(values.iter().map(picked).collect())
    }

    fn request() -> Request {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Request {
            method: "POST".into(),
            path: "as written".into(),
            authority: "a.test".into(),
            headers: vec![header("Accept", "*/*"), header("user-id", "as written")],
            body: (*b"as written").into(),
        }
    }

    #[test]
    fn a_request_is_filled_in_and_one_drawing_has_one_value_wherever_it_stands() {
        let drawn = Drawn {
            drawings: vec![drawing(picks(&[("a&b", "a%26b")])), drawing(Source::Counter(100))],
            path: Some(Template { pieces: vec![fixed("/x?user="), Piece::Value(0), fixed("&n="), Piece::Value(1)] }),
            headers: vec![(1, Template { pieces: vec![Piece::Value(0)] })],
            body: Some(Template { pieces: vec![fixed("{\"n\":"), Piece::Value(1), Piece::Fixed(vec![0xff])] }),
        };
        let made = drawn.request(&request(), 7, 5);
        assert_eq!((made.path.as_str(), made.header("user-id")), ("/x?user=a%26b&n=105", Some("a&b")));
        assert_eq!((&*made.body, made.header("accept")), (&b"{\"n\":105\xff"[..], Some("*/*")));
        assert_eq!((made.method.as_str(), made.authority.as_str()), ("POST", "a.test"));
    }

    #[test]
    fn every_value_of_a_list_and_a_range_comes_up_about_equally_often() {
        for source in [picks(&[("a", ""), ("b", ""), ("c", ""), ("d", ""), ("e", "")]), Source::Range(-2..=2)] {
            let drawn = Drawn { drawings: vec![drawing(source)], path: None, headers: Vec::new(), body: None };
            let mut seen = BTreeMap::<u64, u32>::new();
            (0..10_000).for_each(|index| *seen.entry(drawn.number(0, 1, index)).or_default() += 1);
            assert_eq!(seen.len(), 5);
            // Six standard deviations of a fair draw are 240.
            assert!(seen.values().all(|n| n.abs_diff(2_000) < 240), "{seen:?}");
        }
    }

    #[test]
    fn the_whole_width_of_a_range_can_be_drawn() {
        assert_eq!(Source::Range(-2..=2).choices(), Some(5));
        assert_eq!([0, 4].map(|number| Source::Range(-2..=2).name(number)), ["-2", "2"]);
        let all = Source::Range(i64::MIN..=i64::MAX);
        assert_eq!(all.choices(), Some(u64::MAX), "one value of 2⁶⁴ is out of reach");
        assert_eq!(all.name(0), i64::MIN.to_string());
        assert_eq!(all.name(u64::MAX), i64::MAX.to_string());
        assert_eq!(Source::Range(7..=7).name(below(1, u64::MAX)), "7");
    }

    #[test]
    fn uuids_are_of_version_4_and_differ() {
        let mut seen = BTreeSet::new();
        for index in 0..1_000 {
            let uuid = Source::Uuid.name(bits(3, index, 0));
            let groups: Vec<&str> = uuid.split('-').collect();
            assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{uuid}");
            assert!(uuid.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit()), "{uuid}");
            assert!(groups[2].starts_with('4') && "89ab".contains(&groups[3][..1]), "{uuid}");
            assert!(seen.insert(uuid));
        }
    }

    proptest! {
        #[test]
        fn seed_and_number_decide_and_two_places_draw_apart(seed: u64, index in 0u64..1 << 40) {
            let drawings = vec![drawing(Source::Range(0..=i64::MAX)), drawing(Source::Range(0..=i64::MAX))];
            let drawn = Drawn { drawings, path: None, headers: Vec::new(), body: None };
            let one = drawn.number(0, seed, index);
            prop_assert_eq!(one, drawn.clone().number(0, seed, index));
            prop_assert_ne!(one, drawn.number(1, seed, index));
            prop_assert_ne!(one, drawn.number(0, seed, index + 1));
            prop_assert_ne!(one, drawn.number(0, seed.wrapping_add(1), index));
        }
    }
}
