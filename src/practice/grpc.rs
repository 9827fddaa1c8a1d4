//! gRPC's own part of a call: framed messages, and the methods that exist. Pure.

use std::sync::LazyLock;

use prost::Message;

use crate::proto::{
    Answer, Catalog, CheckRequest, CheckResponse, DescribedFiles, ListedService, ListedServices, Question, REFLECTION,
    ReflectionError, ReflectionRequest, ReflectionResponse, Serving, framed,
};

pub(super) use crate::proto::PREFIX as PREFIX_BYTES;

/// Largest message of a request, as gRPC servers usually have it.
pub(super) const MOST_MESSAGE_BYTES: usize = 4 << 20;

/// `grpc-status` for a message that is too large.
pub(super) const RESOURCE_EXHAUSTED: u8 = 8;
const INVALID_ARGUMENT: u8 = 3;
const NOT_FOUND: u8 = 5;
const UNIMPLEMENTED: u8 = 12;
pub(super) const INTERNAL: u8 = 13;

/// Most messages of one answer.
const MOST_MESSAGES: u32 = 10_000;

/// The echo methods' service.
const ECHO: &str = "tollgate.practice.Echo";
/// The standard health service.
const HEALTH: &str = "grpc.health.v1.Health";

/// The echo service, as the server describes it.
const PROTO: &str = "\
syntax = \"proto3\";
package tollgate.practice;
message Message { string text = 1; }
message Many { string text = 1; uint32 times = 2; }
service Echo {
  rpc Echo(Message) returns (Message);
  rpc Split(Many) returns (stream Message);
  rpc Join(stream Message) returns (Many);
  rpc Chat(stream Message) returns (stream Message);
}
";

/// What the server says of itself.
static CATALOGS: LazyLock<[Catalog; 2]> = LazyLock::new(|| {
    let echo = Catalog::of_text("tollgate/practice/echo.proto", PROTO).expect("a text of our own, tested");
    [echo, Catalog::health()]
});

/// A text, and how often.
#[derive(Clone, PartialEq, Message)]
struct Many {
    #[prost(string, tag = "1")]
    text: String,
    #[prost(uint32, tag = "2")]
    times: u32,
}

/// A text.
#[derive(Clone, PartialEq, Message)]
struct Text {
    #[prost(string, tag = "1")]
    text: String,
}

/// Whether a content type is gRPC's, whatever its messages are encoded in.
pub(super) fn is_grpc(content_type: &[u8]) -> bool {
    let rest = content_type.strip_prefix(b"application/grpc");
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

/// Whether a method answers each message as it comes: whoever asks may wait for that before saying more.
pub(super) fn converses(path: &str) -> bool {
    REFLECTION.contains(&path) || path.strip_prefix('/').and_then(|path| path.split_once('/')) == Some((ECHO, "Chat"))
}

/// Takes the first message, with its prefix, off what has come of a request; `None` while it is not whole.
pub(super) fn take_message(heard: &mut Vec<u8>) -> Option<Vec<u8>> {
    let prefix = heard.first_chunk::<PREFIX_BYTES>()?;
    let end = PREFIX_BYTES + u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]) as usize;
    (heard.len() >= end).then(|| heard.drain(..end).collect())
}

/// Whether there is a service of this name here; none is the server as a whole.
pub(super) fn has(service: &str) -> bool {
    ["", ECHO, HEALTH].contains(&service)
}

/// Answers a call: the messages of its answer, each behind its prefix, or a `grpc-status` other than 0. `body` is what the
/// request's body has, `serves` whether a service does; `None` where there is none of that name.
pub(super) fn call(path: &str, body: &[u8], serves: &dyn Fn(&str) -> Option<bool>) -> Result<Vec<u8>, u8> {
    if REFLECTION.contains(&path) {
        return messages(body)?
            .into_iter()
            .map(described)
            .collect::<Result<Vec<_>, _>>()
            .map(|answers| answers.concat());
    }
    let method = path.strip_prefix('/').and_then(|path| path.split_once('/'));
    match method {
        Some((ECHO, "Echo")) => Ok(framed(message(body)?)),
        Some((ECHO, "Split")) => {
            let asked = read::<Many>(message(body)?)?;
            let one = framed(&Text { text: asked.text }.encode_to_vec());
            let fits = asked.times <= MOST_MESSAGES && one.len() * asked.times as usize <= 4 * MOST_MESSAGE_BYTES;
            if fits { Ok(one.repeat(asked.times as usize)) } else { Err(RESOURCE_EXHAUSTED) }
        }
        Some((ECHO, "Join")) => {
            let texts = messages(body)?.into_iter().map(read::<Text>).collect::<Result<Vec<_>, _>>()?;
            let times = u32::try_from(texts.len()).unwrap_or(u32::MAX);
            let text = texts.into_iter().map(|text| text.text).collect();
            Ok(framed(&Many { text, times }.encode_to_vec()))
        }
        Some((ECHO, "Chat")) => Ok(messages(body)?.into_iter().flat_map(framed).collect()),
        Some((HEALTH, "Check")) => {
            let serves = serves(&read::<CheckRequest>(message(body)?)?.service).ok_or(NOT_FOUND)?;
            let status = if serves { Serving::Serving } else { Serving::NotServing };
            Ok(framed(&CheckResponse { status: status.into() }.encode_to_vec()))
        }
        _ => Err(UNIMPLEMENTED),
    }
}

fn read<M: Message + Default>(message: &[u8]) -> Result<M, u8> {
    M::decode(message).map_err(|_| INVALID_ARGUMENT)
}

/// The one message of a unary request.
fn message(body: &[u8]) -> Result<&[u8], u8> {
    match messages(body)?[..] {
        [message] => Ok(message),
        _ => Err(INTERNAL),
    }
}

/// All messages of a request; each must be whole.
fn messages(mut body: &[u8]) -> Result<Vec<&[u8]>, u8> {
    let mut messages = Vec::new();
    while !body.is_empty() {
        let ([compressed, length @ ..], rest) = body.split_first_chunk::<PREFIX_BYTES>().ok_or(INTERNAL)?;
        // No encoding is offered, so that none may be used.
        if *compressed != 0 {
            return Err(UNIMPLEMENTED);
        }
        let (message, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize).ok_or(INTERNAL)?;
        messages.push(message);
        body = rest;
    }
    Ok(messages)
}

/// The answer to a question about the server itself.
fn described(question: &[u8]) -> Result<Vec<u8>, u8> {
    let asked = read::<ReflectionRequest>(question)?;
    let files = |files: Option<Vec<Vec<u8>>>| files.map(|files| Answer::Files(DescribedFiles { files }));
    let answer = match &asked.question {
        Some(Question::Services(_)) => {
            let services = CATALOGS.iter().flat_map(Catalog::services).map(|name| ListedService { name });
            Some(Answer::Services(ListedServices { services: services.collect() }))
        }
        Some(Question::Symbol(name)) => files(CATALOGS.iter().find_map(|catalog| catalog.files_of(name))),
        Some(Question::File(name)) => {
            files(CATALOGS.iter().find_map(|catalog| catalog.file(name)).map(|file| vec![file]))
        }
        None => return Err(INVALID_ARGUMENT),
    };
    let none = ReflectionError { code: NOT_FOUND.into(), message: "there is no such thing here".to_owned() };
    let answer = Some(answer.unwrap_or(Answer::Error(none)));
    Ok(framed(&ReflectionResponse { host: String::new(), asked: Some(asked), answer }.encode_to_vec()))
}

/// What comes before an uncompressed message of so many bytes.
pub(super) fn prefix(bytes: u32) -> [u8; PREFIX_BYTES] {
    let [a, b, c, d] = bytes.to_be_bytes();
    [0, a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_of_grpc_are_told_from_others() {
        for (text, expected) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc;charset=utf-8", true),
            ("application/grpc-web", false),
            ("application/json", false),
            ("", false),
        ] {
            assert_eq!(is_grpc(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn calls_are_answered_by_method_and_message() {
        let echo = "/tollgate.practice.Echo/Echo";
        let (split, join, chat) =
            ("/tollgate.practice.Echo/Split", "/tollgate.practice.Echo/Join", "/tollgate.practice.Echo/Chat");
        let check = "/grpc.health.v1.Health/Check";
        let asking = |name: &str| framed(&[&[0x0a, name.len() as u8], name.as_bytes()].concat());
        let many = |text: &str, times| framed(&Many { text: text.to_owned(), times }.encode_to_vec());
        let serves = |service: &str| (has(service) || service == "sick.Service").then(|| service != "sick.Service");
        for (path, body, expected, why) in [
            (echo, framed(b"any bytes"), Ok(framed(b"any bytes")), "the message comes back"),
            (echo, framed(b""), Ok(framed(b"")), "an empty message is a message"),
            (split, many("ab", 3), Ok(asking("ab").repeat(3)), "one message becomes three"),
            (split, many("ab", 0), Ok(vec![]), "or none"),
            (split, many("ab", 10_001), Err(8), "but not any number"),
            (join, [asking("a"), asking("b")].concat(), Ok(many("ab", 2)), "two become one"),
            (join, vec![], Ok(framed(b"")), "none, too"),
            (join, framed(&[0xff]), Err(3), "no message of its kind"),
            (chat, [asking("a"), framed(b"x")].concat(), Ok([asking("a"), framed(b"x")].concat()), "all come back"),
            (check, framed(b""), Ok(framed(&[8, 1])), "the server as a whole"),
            (check, asking(""), Ok(framed(&[8, 1])), "an empty name written out"),
            (check, asking(ECHO), Ok(framed(&[8, 1])), "a service there is"),
            (check, asking("sick.Service"), Ok(framed(&[8, 2])), "a service that does not serve"),
            (check, asking("other.Service"), Err(5), "a service there is not"),
            (check, framed(&[0x0a, 9]), Err(3), "not a health check"),
            (echo, vec![], Err(13), "no message"),
            (echo, vec![0, 0, 0, 0], Err(13), "half a prefix"),
            (echo, vec![0, 0, 0, 0, 2, 1], Err(13), "half a message"),
            (echo, [framed(b"one"), framed(b"two")].concat(), Err(13), "two messages"),
            (echo, vec![1, 0, 0, 0, 0], Err(12), "a compressed message"),
            ("/tollgate.practice.Echo/Other", framed(b""), Err(12), "a method there is not"),
            ("/", vec![], Err(12), "no method"),
        ] {
            assert_eq!(call(path, &body, &serves), expected, "{why}");
        }
    }

    #[test]
    fn messages_are_taken_as_they_come() {
        let whole = [framed(b"one"), framed(b"")].concat();
        let mut heard = whole[..6].to_vec();
        assert_eq!(take_message(&mut heard), None);
        heard.extend(&whole[6..]);
        assert_eq!(take_message(&mut heard), Some(framed(b"one")));
        assert_eq!(take_message(&mut heard), Some(framed(b"")));
        assert_eq!((take_message(&mut heard), heard), (None, vec![]));
        let talks = ["/tollgate.practice.Echo/Chat", REFLECTION[0], REFLECTION[1]].map(converses);
        assert_eq!((talks, converses("/tollgate.practice.Echo/Join")), ([true; 3], false));
    }

    #[test]
    fn the_server_says_which_services_it_has_and_what_their_messages_are() {
        let ask = |question| {
            let body = framed(&ReflectionRequest { host: String::new(), question: Some(question) }.encode_to_vec());
            let answer = call(REFLECTION[0], &body, &|_| None).unwrap();
            ReflectionResponse::decode(&answer[PREFIX_BYTES..]).unwrap().answer.unwrap()
        };
        let Answer::Services(listed) = ask(Question::Services(String::new())) else { panic!("services") };
        assert_eq!(listed.services.iter().map(|service| service.name.as_str()).collect::<Vec<_>>(), [ECHO, HEALTH]);
        for question in [
            Question::Symbol(ECHO.to_owned()),
            Question::Symbol(format!("{ECHO}.Chat")),
            Question::Symbol("tollgate.practice.Many".to_owned()),
            Question::File("tollgate/practice/echo.proto".to_owned()),
        ] {
            assert!(
                matches!(ask(question.clone()), Answer::Files(described) if described.files.len() == 1),
                "{question:?}"
            );
        }
        assert!(matches!(ask(Question::Symbol("other.Service".to_owned())), Answer::Error(error) if error.code == 5));
        let both = [Question::Symbol(HEALTH.to_owned()), Question::File("none".to_owned())];
        let asked =
            |question| framed(&ReflectionRequest { host: String::new(), question: Some(question) }.encode_to_vec());
        let answers = call(REFLECTION[1], &both.map(asked).concat(), &|_| None).unwrap();
        assert_eq!(messages(&answers).map(|answers| answers.len()), Ok(2), "an answer for each question");
    }
}
