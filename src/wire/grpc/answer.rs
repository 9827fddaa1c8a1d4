//! What one answer amounts to: its messages counted as they stream by, and the status in its trailers.

use std::cell::RefCell;
use std::io::{self, Write};

use flate2::write::GzDecoder;
use percent_encoding::percent_decode;

use super::CONTENT_TYPE;
use crate::proto::PREFIX;
use crate::stats::{Code, Fault, Outcome, Said};
use crate::wire::http2::{Ending, Rule};
use crate::wire::{Fields, Head};

/// The status of a call that took longer than its time limit.
const DEADLINE_EXCEEDED: u8 = 4;

/// What an answer has come to so far.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    http: u16,
    is_grpc: bool,
    encoding: Encoding,
    /// `grpc-status` in the head: an answer without messages, in one frame.
    in_head: Option<u8>,
    /// Whether any number of messages will do.
    many: bool,
    messages: Messages,
    /// Where the words of a call that fails are kept.
    said: &'a RefCell<Said>,
}

/// How messages that say so are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    /// None may be.
    Identity,
    Gzip,
    /// In a way that nobody asked for.
    Other,
}

impl<'a> Answer<'a> {
    pub(super) fn new(many: bool, most_bytes: Option<u32>, said: &'a RefCell<Said>) -> Self {
        let messages = Messages { most: most_bytes, ..Messages::default() };
        Self { http: 0, is_grpc: false, encoding: Encoding::Identity, in_head: None, many, messages, said }
    }
}

impl Rule for Answer<'_> {
    const READS_TRAILERS: bool = true;

    fn head(&mut self, head: Head<'_>) {
        self.http = head.status;
        let starts = |kind: &[u8]| kind.starts_with(CONTENT_TYPE.as_bytes());
        self.is_grpc = head.fields.get("content-type").is_some_and(starts);
        self.encoding = match head.fields.get("grpc-encoding") {
            None | Some(b"identity") => Encoding::Identity,
            Some(b"gzip") => Encoding::Gzip,
            Some(_) => Encoding::Other,
        };
        self.messages.gzip = self.encoding == Encoding::Gzip;
        self.in_head = status(head.fields);
        if let Some(status) = self.in_head {
            self.hear(status, head.fields);
        }
    }

    fn chunk(&mut self, piece: &[u8]) {
        self.messages.read(piece);
    }

    /// A server that keeps the time limit which it was told may say so a moment before our own timer does. That is the
    /// same timeout, and not an answer whose time counts for nothing.
    fn end(self, ending: Ending<'_>, late: bool) -> Outcome {
        let (whole, trailers) = match ending {
            Ending::Whole(trailers) => (true, trailers),
            Ending::Cut => (false, None),
        };
        let trailers = trailers.map(Fields::Http2);
        let in_trailers = trailers.and_then(|fields| Some((status(fields)?, fields)));
        if let Some((status, fields)) = in_trailers {
            self.hear(status, fields);
        }
        let Some(status) = in_trailers.map(|(status, _)| status).or(self.in_head) else {
            let code = if self.http == 0 { Code::None } else { Code::Http(self.http) };
            return Outcome { code, fault: whole.then_some(Fault::Malformed) };
        };
        let outcome = Outcome { code: Code::Grpc(status), fault: None };
        let sound = self.is_grpc && self.http == 200;
        let readable = !self.messages.compressed || self.encoding == Encoding::Gzip;
        match self.messages.state() {
            _ if !whole => outcome,
            _ if late && status == DEADLINE_EXCEEDED => outcome.with(Fault::Timeout),
            _ if !sound || !readable => outcome.with(Fault::Malformed),
            Found::Partial => outcome.with(Fault::Truncated),
            Found::Whole(n) if status == 0 && n != 1 && !self.many => outcome.with(Fault::Malformed),
            Found::Whole(_) => outcome,
            Found::TooLarge => outcome.with(Fault::Expect),
            Found::Broken => outcome.with(Fault::Malformed),
        }
    }
}

impl Answer<'_> {
    /// Keeps what the server says of a call that failed.
    fn hear(&self, status: u8, fields: Fields<'_>) {
        if status != 0
            && let Some(words) = fields.get("grpc-message")
        {
            let decoded = || percent_decode(words).decode_utf8_lossy().into_owned();
            self.said.borrow_mut().first(status, decoded);
        }
    }
}

/// `grpc-status`; codes that gRPC does not know, and texts, are UNKNOWN (2), as clients read them.
fn status(fields: Fields<'_>) -> Option<u8> {
    const UNKNOWN: u8 = 2;
    let text = fields.get("grpc-status")?;
    let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    Some(number.filter(|status| *status <= 16).unwrap_or(UNKNOWN))
}

/// Counts messages in a body as it streams by; none is kept. What is packed is unpacked, to see that it can be.
#[derive(Debug, Default)]
struct Messages {
    whole: u64,
    /// Bytes of the current message's prefix read so far, at most [`PREFIX`].
    prefix: usize,
    /// Bytes of the current message still to come, once its prefix is complete.
    left: u32,
    /// Whether the current message says that it is compressed, and whether any has.
    packed: bool,
    compressed: bool,
    /// Whether gzip is what compressed messages are compressed with.
    gzip: bool,
    /// What unpacks the current message.
    unpacking: Option<GzDecoder<Scale>>,
    /// Largest message; `None` for any.
    most: Option<u32>,
    too_large: bool,
    broken: bool,
}

/// What a body has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// So many messages, the last one complete.
    Whole(u64),
    /// The last one is cut short.
    Partial,
    /// One is larger than a message may be.
    TooLarge,
    /// Not messages at all.
    Broken,
}

/// Weighs what is written and keeps none of it; more than it may take is an error.
#[derive(Debug)]
struct Scale(u64);

impl Write for Scale {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len() as u64).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Messages {
    fn read(&mut self, mut piece: &[u8]) {
        while let Some((first, rest)) = piece.split_first() {
            if self.prefix < PREFIX {
                match self.prefix {
                    0 if *first > 1 => self.broken = true,
                    0 => self.packed = *first == 1,
                    _ => self.left = self.left << 8 | u32::from(*first),
                }
                self.prefix += 1;
                piece = rest;
                if self.prefix == PREFIX {
                    self.begin();
                }
            } else {
                let taken = piece.len().min(self.left as usize);
                self.left -= taken as u32;
                self.unpack(&piece[..taken]);
                piece = &piece[taken..];
            }
            if self.prefix == PREFIX && self.left == 0 {
                self.finish();
            }
        }
    }

    /// The prefix of a message is complete.
    fn begin(&mut self) {
        self.compressed |= self.packed;
        self.too_large |= self.most.is_some_and(|most| self.left > most);
        if self.packed && self.gzip {
            self.unpacking = Some(GzDecoder::new(Scale(self.most.map_or(u64::MAX, u64::from))));
        }
    }

    fn unpack(&mut self, bytes: &[u8]) {
        let Some(unpacking) = &mut self.unpacking else { return };
        if let Err(error) = unpacking.write_all(bytes) {
            self.spoiled(&error);
        }
    }

    fn spoiled(&mut self, error: &io::Error) {
        let too_large = error.kind() == io::ErrorKind::FileTooLarge;
        self.too_large |= too_large;
        self.broken |= !too_large;
        self.unpacking = None;
    }

    /// A message is complete.
    fn finish(&mut self) {
        self.whole += 1;
        self.prefix = 0;
        if let Some(Err(error)) = self.unpacking.take().map(|mut unpacking| unpacking.try_finish()) {
            self.spoiled(&error);
        }
    }

    fn state(&self) -> Found {
        match (self.broken, self.too_large, self.prefix) {
            (true, _, _) => Found::Broken,
            (false, true, _) => Found::TooLarge,
            (false, false, 0) => Found::Whole(self.whole),
            (false, false, _) => Found::Partial,
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;
    use crate::proto::{framed, gzipped};

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn ended(
        mut answer: Answer<'_>,
        http: u16,
        head: &[(&'static str, &'static str)],
        body: &[&[u8]],
        ending: Ending<'_>,
    ) -> Outcome {
        answer.head(Head { status: http, fields: Fields::Http2(&map(head)) });
        body.iter().for_each(|piece| answer.chunk(piece));
        answer.end(ending, false)
    }

    const GRPC: (&str, &str) = ("content-type", "application/grpc+proto");
    const GZIP: (&str, &str) = ("grpc-encoding", "gzip");

    fn grpc(status: u8, fault: Option<Fault>) -> Outcome {
        Outcome { code: Code::Grpc(status), fault }
    }

    #[test]
    fn a_time_limit_that_the_server_noticed_first_is_a_timeout_and_any_other_is_an_answer() {
        let fields = map(&[("content-type", "application/grpc"), ("grpc-status", "4")]);
        let other = map(&[("content-type", "application/grpc"), ("grpc-status", "14")]);
        for (fields, late, fault, why) in [
            (&fields, true, Some(Fault::Timeout), "our time limit"),
            (&fields, false, None, "one of the server's own, within ours"),
            (&other, true, None, "late, and about something else"),
        ] {
            let said = RefCell::default();
            let mut answer = Answer::new(false, None, &said);
            answer.head(Head { status: 200, fields: Fields::Http2(fields) });
            assert_eq!(answer.end(Ending::Whole(None), late).fault, fault, "{why}");
        }
    }

    #[test]
    fn only_trailers_that_say_ok_after_one_message_make_a_success() {
        const ONE: &[&[u8]] = &[&[0, 0, 0, 0, 2, 8], &[1]];
        let ok = map(&[("grpc-status", "0")]);
        let failed = map(&[("grpc-status", "14"), ("grpc-message", "no")]);
        let nothing = map(&[]);
        let http = |status, fault| Outcome { code: Code::Http(status), fault };
        let malformed = Some(Fault::Malformed);
        for (status, head, body, ending, outcome, why) in [
            (200, &[GRPC][..], ONE, Ending::Whole(Some(&ok)), grpc(0, None), "a success"),
            (200, &[GRPC], &[], Ending::Whole(Some(&failed)), grpc(14, None), "a status of the service"),
            (200, &[GRPC], ONE, Ending::Whole(Some(&failed)), grpc(14, None), "also after a message"),
            (200, &[GRPC, ("grpc-status", "12")], &[], Ending::Whole(None), grpc(12, None), "trailers only"),
            (200, &[GRPC], ONE, Ending::Whole(None), http(200, malformed), "no trailers"),
            (200, &[GRPC], ONE, Ending::Whole(Some(&nothing)), http(200, malformed), "trailers without a status"),
            (200, &[GRPC], ONE, Ending::Cut, http(200, None), "cut off: the caller says how"),
            (200, &[GRPC], &[], Ending::Whole(Some(&ok)), grpc(0, malformed), "OK without a message"),
            (200, &[GRPC], &[&[0, 0, 0, 0, 0], &[0; 5]], Ending::Whole(Some(&ok)), grpc(0, malformed), "two messages"),
            (200, &[GRPC], &[&[0, 0, 0]], Ending::Whole(Some(&ok)), grpc(0, Some(Fault::Truncated)), "half a prefix"),
            (200, &[GRPC], &[&[0, 0, 0, 0, 9, 1]], Ending::Whole(Some(&ok)), grpc(0, Some(Fault::Truncated)), "half"),
            (200, &[GRPC], &[b"<html>"], Ending::Whole(Some(&ok)), grpc(0, malformed), "no message at all"),
            (200, &[GRPC], &[&[1, 0, 0, 0, 0]], Ending::Whole(Some(&ok)), grpc(0, malformed), "compressed unasked"),
            (503, &[("content-type", "text/html")], &[], Ending::Whole(None), http(503, malformed), "a proxy's answer"),
            (404, &[], &[b"no"], Ending::Whole(None), http(404, malformed), "never a success, whatever 404 counts as"),
            (200, &[("content-type", "text/html")], ONE, Ending::Whole(Some(&ok)), grpc(0, malformed), "not gRPC"),
            (200, &[GRPC, ("grpc-status", "99")], &[], Ending::Whole(None), grpc(2, None), "a status nobody knows"),
            (200, &[GRPC, ("grpc-status", "x")], &[], Ending::Whole(None), grpc(2, None), "no number"),
        ] {
            assert_eq!(
                ended(Answer::new(false, None, &RefCell::default()), status, head, body, ending),
                outcome,
                "{why}"
            );
        }
    }

    #[test]
    fn words_of_calls_that_fail_are_decoded_and_kept_wherever_they_stand() {
        let said = RefCell::default();
        let trailers = |status, words| map(&[("grpc-status", status), ("grpc-message", words)]);
        for (head, trailers) in [
            (&[GRPC][..], Some(trailers("14", "no%20healthy %C3%BCpstream%0a%zz"))),
            (&[GRPC], Some(trailers("14", "later"))),
            (&[GRPC], Some(trailers("0", "all is well"))),
            (&[GRPC, ("grpc-status", "12"), ("grpc-message", "no method")], None),
            (&[GRPC], Some(map(&[("grpc-status", "5")]))),
        ] {
            ended(Answer::new(false, None, &said), 200, head, &[], Ending::Whole(trailers.as_ref()));
        }
        let said = said.into_inner();
        let kept: Vec<_> = said.iter().collect();
        assert_eq!(kept, [(Code::Grpc(12), "no method"), (Code::Grpc(14), "no healthy üpstream %zz")]);
    }

    #[test]
    fn a_stream_may_have_any_number_of_messages_and_needs_its_trailers_all_the_same() {
        let ok = map(&[("grpc-status", "0")]);
        let two = [framed(b"a"), framed(b"b")].concat();
        for (body, ending, fault, why) in [
            (&[][..], Ending::Whole(Some(&ok)), None, "none"),
            (&[&two[..]], Ending::Whole(Some(&ok)), None, "two"),
            (&[&two[..9]], Ending::Whole(Some(&ok)), Some(Fault::Truncated), "one and a half"),
            (&[&two[..]], Ending::Whole(None), Some(Fault::Malformed), "no word about the end"),
        ] {
            assert_eq!(
                ended(Answer::new(true, None, &RefCell::default()), 200, &[GRPC], body, ending).fault,
                fault,
                "{why}"
            );
        }
    }

    #[test]
    fn packed_messages_are_unpacked_and_weighed_and_no_message_is_larger_than_it_may_be() {
        let ok = map(&[("grpc-status", "0")]);
        let large = framed(&[7; 5_000]);
        let packed = gzipped(&large);
        let mut torn = packed.clone();
        *torn.last_mut().unwrap() ^= 1;
        for (head, body, most, fault, why) in [
            (&[GRPC, GZIP][..], &packed, None, None, "gzip"),
            (&[GRPC, GZIP], &packed, Some(5_000), None, "just small enough"),
            (&[GRPC, GZIP], &packed, Some(4_999), Some(Fault::Expect), "too large once it is unpacked"),
            (&[GRPC, GZIP], &torn, None, Some(Fault::Malformed), "a sum that is wrong"),
            (&[GRPC, GZIP], &large, None, None, "one that is not packed"),
            (&[GRPC], &packed, None, Some(Fault::Malformed), "nobody said how"),
            (&[GRPC, ("grpc-encoding", "zstd")], &packed, None, Some(Fault::Malformed), "in a way nobody asked for"),
            (&[GRPC], &large, Some(5_000), None, "just small enough"),
            (&[GRPC], &large, Some(4_999), Some(Fault::Expect), "too large"),
        ] {
            let pieces: Vec<&[u8]> = body.chunks(7).collect();
            let outcome =
                ended(Answer::new(false, most, &RefCell::default()), 200, head, &pieces, Ending::Whole(Some(&ok)));
            assert_eq!(outcome, grpc(0, fault), "{why}");
        }
    }

    #[test]
    fn messages_are_counted_wherever_they_are_cut() {
        let body: Vec<u8> = [framed(b""), framed(b"abc"), framed(&[7; 300])].concat();
        for size in 1..body.len() {
            let mut messages = Messages::default();
            body.chunks(size).for_each(|piece| messages.read(piece));
            assert_eq!(messages.state(), Found::Whole(3), "pieces of {size}");
        }
    }
}
