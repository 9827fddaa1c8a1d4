//! gRPC calls: which method, and what its messages are made of.

use std::io;
use std::path::Path;

use super::build::SpecBuilder;
use super::keys::Id;
use super::mistake::{Mistake, WRONG, Wrong, wrong};
use super::value::whole;
use crate::plan::{Call, Messages, Target, Wire};
use crate::proto::{CHECK, Catalog, Unfit, settle};

/// Reads a file's content.
type Files<'a> = &'a dyn Fn(&Path) -> io::Result<Vec<u8>>;

/// Keys that only gRPC has a use for.
pub const OF_GRPC: [Id; 8] =
    [Id::Call, Id::Data, Id::DataFile, Id::Proto, Id::ImportPath, Id::Protoset, Id::Gzip, Id::MaxMessage];

/// Whether something is asked for that only gRPC has.
pub(super) fn is_grpc(wishes: &SpecBuilder) -> bool {
    OF_GRPC.into_iter().any(|id| wishes.is_given(id))
}

/// Refuses beside another protocol what only gRPC has.
pub(super) fn without_grpc(wishes: &mut SpecBuilder, wire: Wire) {
    for id in OF_GRPC {
        if wire != Wire::Grpc && wishes.is_given(id) {
            wishes.clash(id, format!("nothing beside --protocol {}", wire.name()), "only gRPC has it");
        }
    }
}

/// The path of the method that is asked for by name.
pub(super) fn called(wishes: &mut SpecBuilder) -> Option<String> {
    wishes.read(Id::Call, |text| {
        let bare = text.trim_start_matches('/');
        let path = match bare.rsplit_once('/').or_else(|| bare.rsplit_once('.')) {
            Some((service, method)) => format!("/{service}/{method}"),
            None => String::new(),
        };
        let names = path.split('/').skip(1);
        let is_name =
            |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
        if names.clone().count() == 2 && names.clone().all(is_name) { Ok(path) } else { Err(WRONG) }
    })
}

/// Makes calls of the targets: their messages where their types are known, and else what the server is to be asked for.
pub(super) fn calls(wishes: &mut SpecBuilder, read: Files<'_>, targets: &mut [Target]) {
    let most = wishes.read(Id::MaxMessage, |text| whole(text, 0..=u64::from(u32::MAX)));
    let usual = Call::default();
    let most_bytes = match most {
        Some(0) => None,
        Some(most) => Some(most as u32),
        None => usual.most_bytes,
    };
    let gzip = wishes.is_given(Id::Gzip);
    let mistakes = wishes.mistakes().len();
    let known = catalog(wishes, read);
    let encoded = wishes.is_given(Id::Body) || wishes.is_given(Id::BodyFile);
    let is_read = wishes.is_read();
    let typed = is_read || is_typed(wishes);
    for target in targets {
        target.call = Call { gzip, most_bytes, is_read, ..usual.clone() };
        if !typed || wishes.mistakes().len() > mistakes {
            continue;
        }
        let health = target.request.path.starts_with(&CHECK[..CHECK.len() - "Check".len()]);
        match known.clone().or_else(|| health.then(Catalog::health)) {
            Some(catalog) if encoded => match catalog.method(&target.request.path) {
                Ok(method) => target.call.answers_many = method.answers_many(),
                Err(error) => unfit(wishes, &Unfit::Method(error)),
            },
            Some(catalog) => {
                if let Err(error) = settle(target, &catalog) {
                    unfit(wishes, &error);
                }
            }
            None if encoded => {}
            None => target.call.messages = Messages::Asked,
        }
    }
}

/// Whether messages are to be of the method's types, rather than as they are given.
fn is_typed(wishes: &SpecBuilder) -> bool {
    let by = [Id::Call, Id::Data, Id::DataFile, Id::Proto, Id::Protoset, Id::ProtoText];
    by.into_iter().any(|id| wishes.is_given(id))
}

/// What is known of services from files, or from a text.
fn catalog(wishes: &mut SpecBuilder, read: Files<'_>) -> Option<Catalog> {
    if wishes.is_given(Id::Protoset) && wishes.is_given(Id::Proto) {
        wishes.clash(Id::Protoset, "no set beside --proto", "one of them has the service");
    }
    let set = wishes.read(Id::Protoset, |file| {
        let bytes = read(Path::new(file)).map_err(|error| wrong(error.to_string()))?;
        Catalog::of_set(&bytes).map_err(wrong)
    });
    let paths = wishes.read_all(Id::ImportPath, |path| if path.is_empty() { Err(WRONG) } else { Ok(path.to_owned()) });
    let files = wishes.read_all(Id::Proto, |file| Ok(file.to_owned()));
    let compiled = match &files[..] {
        [] => None,
        [first, ..] => Catalog::of_files(&files, &paths, read)
            .map_err(|why| wishes.mistake(Mistake::wrong(Id::Proto, first, wrong(why))))
            .ok(),
    };
    let text = wishes.read(Id::ProtoText, of_text);
    set.or(compiled).or(text)
}

/// Reads the text of a `.proto` file.
pub(super) fn of_text(text: &str) -> Result<Catalog, Wrong> {
    Catalog::of_text("proto", text).map_err(wrong)
}

/// Notes what does not fit under the key that it was given with.
pub(super) fn unfit(wishes: &mut SpecBuilder, error: &Unfit) {
    let by_name = wishes.is_given(Id::Call);
    let id = match error {
        Unfit::Method(_) if by_name => Id::Call,
        Unfit::Method(_) => Id::Url,
        Unfit::Message(_) if wishes.is_given(Id::DataFile) => Id::DataFile,
        Unfit::Message(_) => Id::Data,
    };
    let text = wishes.text(id).unwrap_or_default().to_owned();
    let allowed = match error {
        Unfit::Method(_) => "a method that there is",
        Unfit::Message(_) => id.key().allowed,
    };
    wishes.mistake_once(Mistake::clash(id, &text, allowed, error.to_string()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Spec;

    const PROTO: &str = "syntax = \"proto3\"; package t; message Part { string name = 1; int32 count = 2; } \
        service Shop { rpc Get(Part) returns (Part); rpc List(Part) returns (stream Part); rpc Put(stream Part) returns (Part); }";

    fn read(path: &Path) -> io::Result<Vec<u8>> {
        match path.to_str() {
            Some("t.proto") => Ok(PROTO.into()),
            Some("t.set") => Ok(Catalog::of_text("t.proto", PROTO).unwrap().encoded()),
            Some("part.json") => Ok(b"{\"count\":1}".to_vec()),
            _ => Err(io::Error::other("no such file")),
        }
    }

    fn spec(wishes: &[(Id, &str)]) -> Result<Spec, String> {
        let mut builder = SpecBuilder::new();
        for (id, value) in wishes {
            builder.give(*id, *value);
        }
        builder.build(&read).map_err(|mistakes| mistakes.to_string())
    }

    fn target(wishes: &[(Id, &str)]) -> Target {
        let spec = spec(wishes).unwrap_or_else(|why| panic!("{wishes:?}: {why}"));
        assert_eq!(spec.plan.wire, Wire::Grpc, "{wishes:?}");
        spec.plan.targets[0].clone()
    }

    #[test]
    fn messages_are_made_once_where_their_types_are_known() {
        const HOST: (Id, &str) = (Id::Url, "http://a.test/");
        const PROTO: (Id, &str) = (Id::Proto, "t.proto");
        let one = b"\0\0\0\0\x02\x10\x01";
        for (wishes, path, body, many, why) in [
            (
                &[HOST, (Id::Call, "t.Shop/Get"), PROTO, (Id::Data, "{\"count\":1}")][..],
                "/t.Shop/Get",
                &one[..],
                false,
                "a file",
            ),
            (
                &[HOST, (Id::Call, "t.Shop.Get"), (Id::Protoset, "t.set"), (Id::Data, "{\"count\":1}")],
                "/t.Shop/Get",
                one,
                false,
                "a set",
            ),
            (
                &[HOST, (Id::Call, "/t.Shop/List"), PROTO, (Id::DataFile, "part.json")],
                "/t.Shop/List",
                one,
                true,
                "data of a file",
            ),
            (&[(Id::Url, "http://a.test/t.Shop/Get"), PROTO], "/t.Shop/Get", b"\0\0\0\0\0", false, "the URL's method"),
            (
                &[HOST, (Id::Call, "t.Shop/Put"), PROTO, (Id::Data, "[{\"count\":1},{}]")],
                "/t.Shop/Put",
                b"\0\0\0\0\x02\x10\x01\0\0\0\0\0",
                false,
                "several",
            ),
            (&[HOST, (Id::Data, "{\"service\":\"a\"}")], CHECK, b"\0\0\0\0\x03\x0a\x01a", false, "health is known"),
            (
                &[(Id::Url, "grpc://a.test:1"), (Id::Call, "grpc.health.v1.Health/Watch")],
                "/grpc.health.v1.Health/Watch",
                b"\0\0\0\0\0",
                true,
                "a scheme",
            ),
        ] {
            let target = target(wishes);
            assert_eq!((target.request.path.as_str(), &*target.request.body), (path, body), "{why}");
            assert_eq!((&target.call.messages, target.call.answers_many), (&Messages::Framed, many), "{why}");
        }
    }

    #[test]
    fn types_that_nobody_gave_are_asked_for_and_drawn_values_stay_json() {
        let host = (Id::Url, "http://a.test/");
        let asked = target(&[host, (Id::Call, "t.Shop/Get"), (Id::Data, "{\"count\":1}")]);
        assert_eq!((asked.call.messages, &*asked.request.body), (Messages::Asked, &b"{\"count\":1}"[..]));
        assert_eq!(
            target(&[host, (Id::Call, "t.Shop/Get")]).call.messages,
            Messages::Asked,
            "streams are not known either"
        );
        let encoded = target(&[host, (Id::Call, "t.Shop/Get"), (Id::Body, "\u{1}x")]);
        assert_eq!(encoded.call.messages, Messages::Encoded, "a message as it is sent");
        let drawn =
            target(&[host, (Id::Call, "t.Shop/Get"), (Id::Proto, "t.proto"), (Id::Data, "{\"count\":{{range:1..9}}}")]);
        assert!(matches!(drawn.call.messages, Messages::Json(_)) && drawn.drawn.is_some());
        let limits = target(&[host, (Id::Gzip, ""), (Id::MaxMessage, "0")]).call;
        assert_eq!((limits.gzip, limits.most_bytes, limits.messages), (true, None, Messages::Encoded));
        assert_eq!(target(&[(Id::Url, "grpcs://a.test")]).origin.authority(), "a.test");
    }

    #[test]
    fn what_does_not_fit_is_told_under_its_key() {
        let host = (Id::Url, "http://a.test/");
        let proto = (Id::Proto, "t.proto");
        for (wishes, said) in [
            (
                &[host, (Id::Call, "t.Shop/Get"), proto, (Id::Data, "{\"count\":\"x\"}")][..],
                "--data: got '{\"count\":\"x\"}', expected a JSON object that fits the method's message, or an array of such objects; at count: ",
            ),
            (
                &[host, (Id::Call, "t.Shop/Sell"), proto],
                "--call: got 't.Shop/Sell', expected a method that there is; t.Shop has no method Sell; it has t.Shop/Get, t.Shop/List, t.Shop/Put",
            ),
            (
                &[(Id::Url, "http://a.test/t.Store/Get"), proto],
                "URL: got 'http://a.test/t.Store/Get', expected a method that there is; there is no service t.Store",
            ),
            (&[host, (Id::Call, "t.Shop/Get"), proto, (Id::Data, "{\"name\":\"{{pick:a,b\"}")], "--data: "),
            (&[host, (Id::Call, "t.Shop/Get"), proto, (Id::Data, "{\"count\":{{pick:1,x}}}")], "--data: "),
            (
                &[host, (Id::Call, "t.Shop/Get"), (Id::Proto, "none.proto")],
                "--proto: got 'none.proto', expected a .proto file",
            ),
            (&[host, (Id::Call, "t.Shop/Get"), (Id::Protoset, "t.proto")], "--protoset: got 't.proto'"),
            (&[host, (Id::Call, "Get")], "--call: got 'Get', expected PACKAGE.SERVICE/METHOD"),
            (
                &[(Id::Url, "http://a.test/t.Shop/Get"), (Id::Call, "t.Shop/Get")],
                "--call: got 't.Shop/Get', expected a URL without a path beside it",
            ),
            (&[host, (Id::Data, "{}"), (Id::Body, "x")], "--data: got '{}', expected no other body"),
            (
                &[host, (Id::Data, "{}"), (Id::Protocol, "http2")],
                "--data: got '{}', expected nothing beside --protocol http2",
            ),
            (&[host, (Id::MaxMessage, "-1")], "--max-message: got '-1'"),
        ] {
            let mistakes = spec(wishes).unwrap_err();
            assert!(mistakes.contains(said), "{wishes:?}: {mistakes}");
        }
    }
}
