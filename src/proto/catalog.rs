//! Which services there are and what their messages look like: from `.proto` files, from a set of descriptors, or from
//! what a server says of itself.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::sync::LazyLock;

use prost_reflect::prost_types::FileDescriptorProto;
use prost_reflect::{DescriptorPool, MethodDescriptor, ServiceDescriptor};
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};

use super::Method;

/// Most files that one `.proto` file may lead to.
const MOST_FILES: usize = 1_000;
/// How deeply a `.proto` file may be nested: who reads it goes as deep.
const MOST_DEPTH: usize = 64;
/// Methods that a message lists.
const MOST_LISTED: usize = 20;

/// The standard health service, as its documentation has it.
const HEALTH: &str = "\
syntax = \"proto3\";
package grpc.health.v1;
message HealthCheckRequest { string service = 1; }
message HealthCheckResponse {
  enum ServingStatus { UNKNOWN = 0; SERVING = 1; NOT_SERVING = 2; SERVICE_UNKNOWN = 3; }
  ServingStatus status = 1;
}
service Health {
  rpc Check(HealthCheckRequest) returns (HealthCheckResponse);
  rpc Watch(HealthCheckRequest) returns (stream HealthCheckResponse);
}
";

/// Reads a file's content.
type Files<'a> = &'a dyn Fn(&Path) -> io::Result<Vec<u8>>;

/// Services and their messages.
#[derive(Clone, Debug)]
pub struct Catalog(DescriptorPool);

/// Files that a compiler may open.
#[derive(Clone, Debug, Default)]
struct Shelf(Rc<RefCell<Shelved>>);

#[derive(Debug, Default)]
struct Shelved {
    /// Texts by the names that imports have for them.
    files: BTreeMap<String, String>,
    /// The last one that was wanted in vain.
    wanted: Option<String>,
}

impl Shelf {
    fn put(&self, name: String, text: String) {
        self.0.borrow_mut().files.insert(name, text);
    }
}

impl FileResolver for Shelf {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        let mut shelf = self.0.borrow_mut();
        match shelf.files.get(name) {
            Some(text) if depth(text) > MOST_DEPTH => Err(protox::Error::new("it is nested too deeply")),
            Some(text) => File::from_source(name, text),
            None => {
                shelf.wanted = Some(name.to_owned());
                Err(protox::Error::file_not_found(name))
            }
        }
    }
}

impl Catalog {
    /// The standard health service.
    #[must_use]
    pub fn health() -> Self {
        static KNOWN: LazyLock<Catalog> = LazyLock::new(|| {
            Catalog::of_text("grpc/health/v1/health.proto", HEALTH).expect("a text of our own, tested")
        });
        KNOWN.clone()
    }

    /// The services of one `.proto` file whose text is given; it may import nothing but Google's own.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of_text(name: &str, text: &str) -> Result<Self, String> {
        let shelf = Shelf::default();
        shelf.put(name.to_owned(), text.to_owned());
        compiled(&shelf, &[name.to_owned()], &|name| {
            Err(format!("it imports '{name}', and nothing can be imported here"))
        })
    }

    /// The services of `.proto` files. What they import is looked for in their own folders, then in those of `paths`.
    ///
    /// # Errors
    /// What is wrong with them, and where.
    pub fn of_files(files: &[String], paths: &[String], read: Files<'_>) -> Result<Self, String> {
        let shelf = Shelf::default();
        let (mut names, mut folders) = (Vec::new(), Vec::new());
        for file in files {
            let own = Path::new(file);
            let name = own.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let in_folder =
                |folder: &String| text(read, &Path::new(folder).join(file)).map(|text| (file.clone(), text));
            let (name, content) = match text(read, own) {
                Ok(content) => {
                    folders.extend(own.parent().map(|folder| folder.to_string_lossy().into_owned()));
                    (name, content)
                }
                Err(error) => {
                    paths.iter().find_map(|folder| in_folder(folder).ok()).ok_or(format!("{file}: {error}"))?
                }
            };
            shelf.put(name.clone(), content);
            names.push(name);
        }
        folders.extend(paths.iter().cloned());
        compiled(&shelf, &names, &|wanted| {
            let found = folders.iter().find_map(|folder| text(read, &Path::new(folder).join(wanted)).ok());
            found.ok_or_else(|| format!("'{wanted}' is imported and is in none of {}", listed(&folders)))
        })
    }

    /// The services of an encoded `FileDescriptorSet`, as `protoc --descriptor_set_out --include_imports` writes one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of_set(set: &[u8]) -> Result<Self, String> {
        DescriptorPool::decode(set)
            .map(Self)
            .map_err(|error| format!("it is no set of descriptors with its imports: {error}"))
    }

    /// The services of files as a server describes them.
    ///
    /// # Errors
    /// What does not fit together.
    pub fn of_descriptors(files: Vec<FileDescriptorProto>) -> Result<Self, String> {
        let mut pool = DescriptorPool::new();
        pool.add_file_descriptor_protos(files).map_err(|error| error.to_string())?;
        Ok(Self(pool))
    }

    /// The same as an encoded `FileDescriptorSet`.
    #[must_use]
    pub fn encoded(&self) -> Vec<u8> {
        self.0.encode_to_vec()
    }

    /// The encoded descriptors of the file that has this symbol, and of all that it imports.
    #[must_use]
    pub fn files_of(&self, symbol: &str) -> Option<Vec<Vec<u8>>> {
        let service = |name: &str| self.0.get_service_by_name(name).map(|service| service.parent_file());
        let message = |name: &str| self.0.get_message_by_name(name).map(|message| message.parent_file());
        let owner = symbol.rsplit_once('.').map_or(symbol, |(owner, _)| owner);
        let file = service(symbol).or_else(|| message(symbol)).or_else(|| service(owner))?;
        let mut files = vec![file.encode_to_vec()];
        files.extend(file.dependencies().map(|file| file.encode_to_vec()));
        Some(files)
    }

    /// The encoded descriptor of the file of this name.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<Vec<u8>> {
        self.0.get_file_by_name(name).map(|file| file.encode_to_vec())
    }

    /// The names of all services.
    pub fn services(&self) -> impl Iterator<Item = String> + '_ {
        self.0.services().map(|service| service.full_name().to_owned())
    }

    /// The method at a path, `/PACKAGE.SERVICE/METHOD`.
    ///
    /// # Errors
    /// That there is none, and which there are.
    pub fn method(&self, path: &str) -> Result<Method, String> {
        let (service, name) = path.trim_start_matches('/').split_once('/').unwrap_or((path, ""));
        let Some(found) = self.0.get_service_by_name(service) else {
            let all: Vec<String> = self.0.services().flat_map(|service| methods(&service)).collect();
            return Err(format!("there is no service {service}; there are {}", listed(&all)));
        };
        let method: Option<MethodDescriptor> = found.methods().find(|method| method.name() == name);
        method.map(Method::new).ok_or_else(|| {
            format!("{service} has no method {name}; it has {}", listed(&methods(&found).collect::<Vec<_>>()))
        })
    }
}

fn methods(service: &ServiceDescriptor) -> impl Iterator<Item = String> + use<> {
    let name = service.full_name().to_owned();
    service.methods().map(|method| format!("{name}/{}", method.name())).collect::<Vec<_>>().into_iter()
}

/// Names with commas between them, and how many are left out.
fn listed(names: &[String]) -> String {
    match names.len() {
        0 => "none".to_owned(),
        n if n > MOST_LISTED => format!("{} and {} more", names[..MOST_LISTED].join(", "), n - MOST_LISTED),
        _ => names.join(", "),
    }
}

/// How deep the brackets of a `.proto` file go, those of comments and texts left out.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '/' if rest.starts_with("//") => rest.find('\n'),
            '/' if rest.starts_with("/*") => rest[2..].find("*/").map(|end| end + 4),
            '"' | '\'' => quoted(rest, first),
            '{' | '[' | '(' | '<' => {
                depth += 1;
                deepest = deepest.max(depth);
                Some(1)
            }
            '}' | ']' | ')' | '>' => {
                depth = depth.saturating_sub(1);
                Some(1)
            }
            other => Some(other.len_utf8()),
        };
        rest = end.map_or("", |end| &rest[end..]);
    }
    deepest
}

/// Where a text in quotes ends; `None` where it does not, on its line.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' => return Some(at),
            _ if letter == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn text(read: Files<'_>, path: &Path) -> Result<String, String> {
    let bytes = read(path).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

/// Compiles files of a shelf. Each round puts one more file that is imported on it, as `find` finds it.
fn compiled(shelf: &Shelf, names: &[String], find: &dyn Fn(&str) -> Result<String, String>) -> Result<Catalog, String> {
    for _ in 0..MOST_FILES {
        shelf.0.borrow_mut().wanted = None;
        let mut resolver = ChainFileResolver::new();
        resolver.add(shelf.clone());
        resolver.add(GoogleFileResolver::new());
        let mut compiler = protox::Compiler::with_file_resolver(resolver);
        let error = match compiler.open_files(names) {
            Ok(_) => return Ok(Catalog(compiler.descriptor_pool())),
            Err(error) => error,
        };
        let wanted = shelf.0.borrow().wanted.clone().filter(|_| error.is_file_not_found());
        let Some(wanted) = wanted else {
            let file = error.file().map_or_else(String::new, |file| format!("{file}: "));
            return Err(format!("{file}{error}"));
        };
        let content = find(&wanted)?;
        shelf.put(wanted, content);
    }
    Err(format!("more than {MOST_FILES} files are imported"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: &str = "syntax = \"proto3\"; package app; import \"parts/part.proto\"; \
        service Shop { rpc Get(Part) returns (Part); rpc List(Part) returns (stream Part); }";
    const PART: &str = "syntax = \"proto3\"; package app; import \"google/protobuf/timestamp.proto\"; \
        message Part { string name = 1; google.protobuf.Timestamp at = 2; }";

    fn read(path: &Path) -> io::Result<Vec<u8>> {
        match path.to_str() {
            Some("protos/app.proto") => Ok(APP.into()),
            Some("protos/parts/part.proto" | "shared/parts/part.proto") => Ok(PART.into()),
            Some("alone/app.proto") => Ok(APP.into()),
            Some("broken.proto") => Ok(b"syntax = \"proto3\"; message {".to_vec()),
            _ => Err(io::Error::other("no such file")),
        }
    }

    fn of(files: &[&str], paths: &[&str]) -> Result<Catalog, String> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        Catalog::of_files(&owned(files), &owned(paths), &read)
    }

    #[test]
    fn files_are_compiled_with_what_they_import_wherever_it_is() {
        for (files, paths, why) in [
            (&["protos/app.proto"][..], &[][..], "beside the file"),
            (&["alone/app.proto"], &["shared"], "in another folder"),
            (&["app.proto"], &["protos"], "the file itself, too"),
        ] {
            let catalog = of(files, paths).unwrap_or_else(|error| panic!("{why}: {error}"));
            assert!(catalog.method("/app.Shop/Get").is_ok(), "{why}");
            let again = Catalog::of_set(&catalog.encoded()).unwrap();
            assert!(again.method("/app.Shop/List").is_ok(), "{why}: as a set");
        }
    }

    #[test]
    fn what_cannot_be_compiled_is_told_with_its_file() {
        for (files, said) in [
            (&["none.proto"][..], "none.proto: no such file"),
            (&["alone/app.proto"], "'parts/part.proto' is imported and is in none of alone"),
            (&["broken.proto"], "broken.proto: "),
        ] {
            let error = of(files, &[]).unwrap_err();
            assert!(error.starts_with(said), "{error}");
        }
        assert!(Catalog::of_set(b"no set").is_err());
        let alone = Catalog::of_text("x.proto", APP).unwrap_err();
        assert_eq!(alone, "it imports 'parts/part.proto', and nothing can be imported here");
    }

    #[test]
    fn what_is_nested_beyond_all_measure_is_refused_and_breaks_nothing() {
        for (text, deep, why) in [
            ("message a { message b { } } // {{{", 2, "a comment"),
            ("/* { */ message a { option (x) = \"{{\"; }", 2, "a text, and a bracket of another kind"),
            ("/*}*/message a{/*}*/message b{/*}*/", 2, "what a comment closes"),
            ("'\\'{'{", 1, "an escaped quote"),
            ("\"never closed {\n{", 1, "a text ends with its line"),
        ] {
            assert_eq!(depth(text), deep, "{why}");
        }
        let nested = |n: usize| format!("syntax = \"proto3\"; {}{}", "message m {".repeat(n), "}".repeat(n));
        assert!(Catalog::of_text("x.proto", &nested(8)).is_ok());
        let refused = Catalog::of_text("x.proto", &nested(50_000)).unwrap_err();
        assert!(refused.ends_with("it is nested too deeply"), "{refused}");
        let hidden = format!("syntax = \"proto3\"; {}", "message m {/*}*/".repeat(50_000));
        assert!(Catalog::of_text("x.proto", &hidden).is_err());
    }

    #[test]
    fn a_method_that_there_is_not_is_told_with_those_there_are() {
        let catalog = of(&["protos/app.proto"], &[]).unwrap();
        let said = |path: &str| catalog.method(path).unwrap_err();
        assert_eq!(said("/app.Shop/Put"), "app.Shop has no method Put; it has app.Shop/Get, app.Shop/List");
        assert_eq!(said("/app.Store/Get"), "there is no service app.Store; there are app.Shop/Get, app.Shop/List");
        let health = Catalog::health();
        assert!(health.method("/grpc.health.v1.Health/Check").is_ok());
        assert_eq!(health.services().collect::<Vec<_>>(), ["grpc.health.v1.Health"]);
    }

    #[test]
    fn a_server_can_describe_a_symbol_with_all_it_needs() {
        let catalog = of(&["protos/app.proto"], &[]).unwrap();
        for symbol in ["app.Shop", "app.Shop.Get", "app.Part"] {
            assert!(catalog.files_of(symbol).is_some_and(|files| !files.is_empty()), "{symbol}");
        }
        assert!(catalog.files_of("app.Nothing").is_none());
    }
}
