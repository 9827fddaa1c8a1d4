//! What only a webhook has.

use super::PLAIN;
use crate::spec::keys::{Group, Id, Key};

/// A row under this heading.
const ROW: Key = Key { group: Group::Hook, ..PLAIN };

/// In the order of [`Id`].
pub(super) const KEYS: &[Key] = &[
    Key {
        id: Id::Cmd,
        metadata: Some("cmd"),
        value: "LINE",
        help: "The load as a hey or ghz line",
        allowed: "a hey or ghz line, such as hey -z 1m -q 10 -c 2 http://podinfo-canary.test/",
        default: "none: url says where the load goes",
        secret: true,
        ..ROW
    },
    Key {
        id: Id::Window,
        metadata: Some("window"),
        value: "DURATION",
        help: "How much of the newest load to judge",
        allowed: "a duration above zero, such as 30s",
        default: "what ran since the call before",
        ..ROW
    },
    Key {
        id: Id::Wait,
        metadata: Some("wait"),
        value: "DURATION",
        help: "How long the answer may take; keep it below the hook's timeout",
        allowed: "a duration such as 4s",
        default: "4s; on /pre-rollout, until the load is over",
        zero: "an answer at once",
        ..ROW
    },
    Key {
        id: Id::ReadyWait,
        metadata: Some("ready-wait"),
        value: "DURATION",
        help: "How long to probe for a first answer before the load begins",
        allowed: "a duration such as 15s",
        default: "15s",
        zero: "the load begins at once",
        ..ROW
    },
    Key {
        id: Id::Apex,
        metadata: Some("apex"),
        value: "allow",
        help: "Lets /pre-rollout judge the service that users reach, where the old release answers",
        allowed: "allow",
        default: "such a hook is refused",
        ..ROW
    },
    Key {
        id: Id::Enforce,
        metadata: Some("enforce"),
        value: "BOOL",
        help: "Whether the verdict counts; with false it is only told",
        allowed: "true or false",
        default: "true",
        ..ROW
    },
    Key {
        id: Id::ProtoText,
        metadata: Some("proto"),
        value: "TEXT",
        help: "The .proto file that has the gRPC service, as text",
        allowed: "the text of a .proto file that imports nothing but google/protobuf",
        default: "none: the server is asked (reflection)",
        ..ROW
    },
];
