//! What a gRPC call says, and how its messages are made.

use super::PLAIN;
use crate::spec::keys::{Group, Id, Key, Kind};

/// A row under this heading.
const ROW: Key = Key { group: Group::Grpc, ..PLAIN };

/// In the order of [`Id`].
pub(super) const KEYS: &[Key] = &[
    Key {
        id: Id::Call,
        long: Some("call"),
        metadata: Some("call"),
        value: "METHOD",
        help: "The gRPC method to call, where the URL has no path",
        allowed: "PACKAGE.SERVICE/METHOD, such as grpc.health.v1.Health/Check",
        default: "the URL's path; without one, the standard health check",
        ..ROW
    },
    Key {
        id: Id::Data,
        long: Some("data"),
        metadata: Some("data"),
        value: "JSON",
        help: "The gRPC message as JSON; for a stream of the client's, an array of them",
        allowed: "a JSON object that fits the method's message, or an array of such objects",
        default: "an empty message",
        zero: "an empty message",
        ..ROW
    },
    Key {
        id: Id::DataFile,
        long: Some("data-file"),
        value: "FILE",
        help: "File with the gRPC message as JSON",
        allowed: "a file that can be read, of at most 64 MiB, with a JSON object or array that fits",
        default: "none",
        ..ROW
    },
    Key {
        id: Id::Proto,
        long: Some("proto"),
        value: "FILE",
        kind: Kind::Repeat,
        help: "A .proto file that has the service",
        allowed: "a .proto file whose imports lie beside it or in --import-path",
        default: "none: the server is asked (reflection)",
        ..ROW
    },
    Key {
        id: Id::ImportPath,
        long: Some("import-path"),
        value: "FOLDER",
        kind: Kind::Repeat,
        help: "Where the imports of --proto are looked for, too",
        allowed: "a folder",
        default: "the folder of each file alone",
        ..ROW
    },
    Key {
        id: Id::Protoset,
        long: Some("protoset"),
        value: "FILE",
        help: "Descriptors of the service, as protoc writes them with all imports",
        allowed: "a file with an encoded FileDescriptorSet",
        default: "none: the server is asked (reflection)",
        ..ROW
    },
    Key {
        id: Id::Gzip,
        long: Some("gzip"),
        metadata: Some("gzip"),
        kind: Kind::Switch,
        help: "Send gRPC messages compressed, and take them so",
        default: "messages are sent as they are",
        ..ROW
    },
    Key {
        id: Id::MaxMessage,
        long: Some("max-message"),
        metadata: Some("max-message"),
        value: "BYTES",
        help: "Largest message of a gRPC answer; a larger one fails the call",
        allowed: "a whole number of bytes from 0 to 4294967295",
        default: "4194304, as gRPC's own clients have it",
        zero: "any size",
        ..ROW
    },
];
