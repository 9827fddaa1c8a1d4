//! The messages of gRPC's server reflection, versions 1 and 1alpha, which are the same.

use prost::{Message, Oneof};

/// The paths of its one method, the newer first.
pub const REFLECTION: [&str; 2] = [
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

/// One question.
#[derive(Clone, PartialEq, Message)]
pub struct ReflectionRequest {
    /// The server's name; of no meaning to most.
    #[prost(string, tag = "1")]
    pub host: String,
    /// What is asked.
    #[prost(oneof = "Question", tags = "3, 4, 7")]
    pub question: Option<Question>,
}

/// What can be asked; what else there is concerns extensions.
#[derive(Clone, PartialEq, Eq, Oneof)]
pub enum Question {
    /// The file of this name.
    #[prost(string, tag = "3")]
    File(String),
    /// The file that has this service, method or message.
    #[prost(string, tag = "4")]
    Symbol(String),
    /// All services; the text is of no meaning.
    #[prost(string, tag = "7")]
    Services(String),
}

/// One answer.
#[derive(Clone, PartialEq, Message)]
pub struct ReflectionResponse {
    /// The server's name.
    #[prost(string, tag = "1")]
    pub host: String,
    /// The question.
    #[prost(message, optional, tag = "2")]
    pub asked: Option<ReflectionRequest>,
    /// The answer.
    #[prost(oneof = "Answer", tags = "4, 6, 7")]
    pub answer: Option<Answer>,
}

/// What can be answered.
#[derive(Clone, PartialEq, Oneof)]
pub enum Answer {
    /// Files.
    #[prost(message, tag = "4")]
    Files(DescribedFiles),
    /// Services.
    #[prost(message, tag = "6")]
    Services(ListedServices),
    /// An error.
    #[prost(message, tag = "7")]
    Error(ReflectionError),
}

/// Files, each as an encoded `FileDescriptorProto`.
#[derive(Clone, PartialEq, Message)]
pub struct DescribedFiles {
    /// The file asked for, and perhaps what it imports.
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub files: Vec<Vec<u8>>,
}

/// Services by name.
#[derive(Clone, PartialEq, Message)]
pub struct ListedServices {
    /// All of them.
    #[prost(message, repeated, tag = "1")]
    pub services: Vec<ListedService>,
}

/// A service by name.
#[derive(Clone, PartialEq, Message)]
pub struct ListedService {
    /// Its full name.
    #[prost(string, tag = "1")]
    pub name: String,
}

/// Why a question has no answer.
#[derive(Clone, PartialEq, Message)]
pub struct ReflectionError {
    /// A gRPC status.
    #[prost(int32, tag = "1")]
    pub code: i32,
    /// In words.
    #[prost(string, tag = "2")]
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_messages_are_those_of_the_protocol() {
        let asked = |question| ReflectionRequest { host: String::new(), question: Some(question) }.encode_to_vec();
        assert_eq!(asked(Question::File("a".into())), b"\x1a\x01a");
        assert_eq!(asked(Question::Symbol("a".into())), b"\x22\x01a");
        assert_eq!(asked(Question::Services(String::new())), b"\x3a\x00");
        let answer = |bytes: &[u8]| ReflectionResponse::decode(bytes).unwrap().answer;
        assert_eq!(
            answer(b"\x22\x05\x0a\x03abc"),
            Some(Answer::Files(DescribedFiles { files: vec![b"abc".to_vec()] }))
        );
        let services = ListedServices { services: vec![ListedService { name: "a.B".into() }] };
        assert_eq!(answer(b"\x32\x07\x0a\x05\x0a\x03a.B"), Some(Answer::Services(services)));
        assert_eq!(
            answer(b"\x3a\x05\x08\x05\x12\x01x"),
            Some(Answer::Error(ReflectionError { code: 5, message: "x".into() }))
        );
        // Extensions are asked about by others, and are not read.
        assert_eq!(answer(b"\x2a\x00"), None);
    }
}
