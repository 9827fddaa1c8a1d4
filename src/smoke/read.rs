//! A file as a suite, or all that is wrong with it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use super::fields::{Fields, Notes, scalar};
use super::keys::{self, Place, default_names, id_of, own};
use super::mistake::{Mistake, shown};
use super::names::Names;
use super::steps::{self, Common};
use super::suite::{Retry, Step, Suite};
use super::text::{Text, Use, Values};
use super::wishes::Wishes;
use crate::spec::KEYS;
use crate::yaml::{Node, Position, Stream};

/// What a file does not say itself.
pub struct Around<'a> {
    /// What the suite is called where it has no name.
    pub name: &'a str,
    /// What stands before URLs, whatever the file says; `None` takes the file's.
    pub base: Option<&'a str>,
    /// Values that go before the file's.
    pub vars: &'a Values,
    /// The environment.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// Reads the files that the file names.
    pub read: &'a dyn Fn(&Path) -> io::Result<Vec<u8>>,
    /// What values are drawn from where a step names no seed.
    pub seed: u64,
}

/// Reads a file.
///
/// # Errors
/// Everything that is wrong with it, in the order of the text; nothing has been sent.
pub fn read(text: &str, around: &Around<'_>) -> Result<Suite, Vec<Mistake>> {
    let stream = Stream::read(text);
    let mut notes = Notes { stream: &stream, mistakes: Vec::new() };
    let suite = root(&stream, &mut notes).and_then(|root| suite(root, around, &mut notes));
    let mut mistakes = notes.mistakes;
    mistakes.sort_by_key(|mistake| mistake.at);
    suite.filter(|_| mistakes.is_empty()).ok_or(mistakes)
}

/// The one document, if it can be a suite.
fn root<'a>(stream: &'a Stream<'a>, notes: &mut Notes<'_>) -> Option<&'a Node> {
    if let Some(error) = &stream.error {
        let line = stream.text().lines().nth(error.at.line as usize - 1).unwrap_or_default();
        let mistake = Mistake::new(error.at, format!("this is no YAML: {}", error.said));
        notes.add(match line.contains("{{") {
            true => mistake.advise("put a text with {{ in quotes; a Helm chart is rendered first, with helm template"),
            false => mistake,
        });
        return None;
    }
    match &stream.documents[..] {
        [] => {
            let said = "the file is empty, expected steps";
            notes.add(Mistake::new(Position::default(), said).advise("tollgate smoke --help shows one"));
            None
        }
        [root] => Some(root).filter(|root| is_no_object(root, notes)),
        [_, second, ..] => {
            let said = "a second document begins here, expected one suite";
            notes.add(Mistake::new(second.at, said).advise("put each suite into a file of its own"));
            None
        }
    }
}

/// Whether this is no object of Kubernetes, which people have at hand.
fn is_no_object(root: &Node, notes: &mut Notes<'_>) -> bool {
    let kind = root.text("kind").filter(|_| root.get("apiVersion").is_some() && root.get("steps").is_none());
    if let Some(kind) = kind {
        let advice = match kind {
            "ConfigMap" => "give the file that stands in it under data",
            "Canary" => "tollgate lint reads those",
            _ => "give a file with steps",
        };
        notes.add(Mistake::new(root.at, format!("this is a {} of Kubernetes, no suite", shown(kind))).advise(advice));
    }
    kind.is_none()
}

fn suite(root: &Node, around: &Around<'_>, notes: &mut Notes<'_>) -> Option<Suite> {
    let fields = Fields::open(root, "", &keys::names(Place::File), notes)?;
    let name = fields.get("name").and_then(|entry| scalar(&entry.node, "name", "a text", notes));
    let nodes = step_nodes(&fields, notes);
    let captured = steps::captured(nodes, notes);
    let (known, missing) = vars(&fields, around, notes);
    for (name, source) in captured.iter().filter(|(name, _)| known.contains_key(*name)) {
        let said = format!("step '{}': capture.{} is a value that is known already", source.name, shown(name));
        let at = nodes.get(source.step).map_or(root.at, |node| node.at);
        notes.add(Mistake::new(at, said).advise("use another name"));
    }
    let names = |step| Names { known: &known, captured: &captured, step, env: around.env };
    let base = base(&fields, around, &names(None), notes);
    let (defaults, retry) = defaults(&fields, &names(None), notes);
    let mut all = Vec::new();
    for (number, node) in nodes.iter().enumerate() {
        let common = Common { base: base.clone(), defaults: defaults.clone(), retry, names: names(Some(number)) };
        all.extend(steps::read(node, number, &common, notes));
    }
    twice(&all, notes);
    let mut values = names(None).values(all.iter().flat_map(Step::texts).flat_map(Text::names));
    values.retain(|name, _| !missing.contains(name));
    let asides = if notes.mistakes.is_empty() {
        check(&all, &values, around, notes)
    } else {
        partly(&all, &values, around, notes)
    };
    let secrets = values.iter().filter(|(name, value)| name.starts_with("env.") && !value.is_empty());
    let secrets = secrets.map(|(_, value)| value.clone()).collect();
    Some(Suite { name: name.unwrap_or(around.name).to_owned(), steps: all, values, secrets, notes: asides })
}

fn step_nodes<'a>(fields: &Fields<'a>, notes: &mut Notes<'_>) -> &'a [Node] {
    let allowed = own(Place::File, "steps").allowed;
    let Some(entry) = fields.get("steps") else {
        notes.add(Mistake::new(fields.at, "steps is missing").advise(format!("expected {allowed}")));
        return &[];
    };
    match entry.node.list() {
        Some(nodes) if !nodes.is_empty() => nodes,
        _ => {
            notes.wrong(&entry.node, "steps", allowed, None);
            &[]
        }
    }
}

/// Values that are known from the start, and the names of those that are missing. Values may have each other in them, but
/// not in a circle.
fn vars(fields: &Fields<'_>, around: &Around<'_>, notes: &mut Notes<'_>) -> (Values, BTreeSet<String>) {
    let (mut known, mut missing) = (around.vars.clone(), BTreeSet::new());
    let Some(vars) = fields.get("vars").and_then(|entry| Fields::open_any(&entry.node, "vars", notes)) else {
        return (known, missing);
    };
    let all: Values = vars.iter().map(|entry| (entry.key.clone(), String::new())).chain(known.clone()).collect();
    let none = BTreeMap::new();
    let mut texts = BTreeMap::new();
    for entry in vars.iter() {
        let path = vars.named(&entry.key);
        if !is_name(&entry.key) {
            let advice = "a name has letters, digits, _ and -, begins with a letter, and is not one of pick, range, \
                          counter, uuid";
            notes.add(Mistake::new(entry.at, format!("{} cannot be a name", shown(&path))).advise(advice));
        } else if known.contains_key(&entry.key) {
        } else if entry.node.is_nothing() {
            let advice = format!("give --var {}=…", entry.key);
            notes.add(Mistake::new(entry.at, format!("{path} has no value")).advise(advice));
            known.insert(entry.key.clone(), String::new());
            missing.insert(entry.key.clone());
        } else if let Some(text) = scalar(&entry.node, &path, "a text", notes) {
            let names = Names { known: &all, captured: &none, step: None, env: around.env };
            texts.insert(entry.key.clone(), Text::read(&entry.node, text, &path, Use::Plain, &names, notes));
        }
    }
    for name in texts.keys() {
        resolve(name, &texts, &mut known, (around, &mut Vec::new()), notes);
    }
    (known, missing)
}

/// Fills in one value, and first those that it needs.
fn resolve(
    name: &str,
    texts: &BTreeMap<String, Text>,
    known: &mut Values,
    (around, way): (&Around<'_>, &mut Vec<String>),
    notes: &mut Notes<'_>,
) {
    let Some(text) = texts.get(name).filter(|_| !known.contains_key(name)) else { return };
    if let Some(begin) = way.iter().position(|before| before == name) {
        let circle = way[begin..].iter().map(|name| format!("{{{{{name}}}}}")).collect::<Vec<_>>().join(" → ");
        let said = format!("vars.{name}: {circle} → {{{{{name}}}}} goes in a circle");
        let first = way[begin..].iter().min() == Some(&name.to_owned());
        if first {
            notes.add(Mistake::new(text.at, said).advise("give one of them a value of its own"));
        }
        return;
    }
    way.push(name.to_owned());
    for needed in text.names() {
        match needed.strip_prefix("env.") {
            Some(variable) => _ = (around.env)(variable).map(|value| known.insert(needed.to_owned(), value)),
            None => resolve(needed, texts, known, (around, way), notes),
        }
    }
    way.pop();
    let value = text.filled(known);
    known.insert(name.to_owned(), value);
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
        && !["pick", "range", "counter", "uuid"].contains(&name)
}

/// What stands before URLs.
fn base(fields: &Fields<'_>, around: &Around<'_>, names: &Names<'_>, notes: &mut Notes<'_>) -> Option<Text> {
    let entry = fields.get("base");
    let (at, text) = match (around.base, entry) {
        (Some(base), entry) => (entry.map_or(fields.at, |entry| entry.node.at), base.to_owned()),
        (None, None) => return None,
        (None, Some(entry)) => {
            let text = scalar(&entry.node, "base", own(Place::File, "base").allowed, notes)?;
            let text = Text::read(&entry.node, text, "base", Use::Plain, names, notes);
            (entry.node.at, text.filled(&names.values(text.names())))
        }
    };
    Some(Text::fixed(at, text.trim_end_matches('/')))
}

fn defaults(fields: &Fields<'_>, names: &Names<'_>, notes: &mut Notes<'_>) -> (Wishes, Option<Retry>) {
    let mut wishes = Wishes::default();
    let Some(entry) = fields.get("defaults") else { return (wishes, None) };
    let Some(defaults) = Fields::open(&entry.node, "defaults", &default_names(), notes) else { return (wishes, None) };
    let mut retry = None;
    for entry in defaults.iter() {
        let path = defaults.named(&entry.key);
        match id_of(&entry.key) {
            Some(id) => wishes.take(id, entry, &path, names, notes),
            None => retry = steps::retry(&entry.node, &path, notes),
        }
    }
    (wishes, retry)
}

/// Names that two steps have.
fn twice(steps: &[Step], notes: &mut Notes<'_>) {
    for (number, step) in steps.iter().enumerate() {
        if let Some(first) = steps[..number].iter().find(|first| first.name == step.name) {
            let said = format!("steps[{number}].name: '{}' stands twice", shown(&step.name));
            let advice = format!("the step on line {} has it too", first.at.line);
            notes.add(Mistake::new(step.at, said).advise(advice));
        }
    }
}

/// Makes every step's spec, with words in the place of what is captured; what is asked for and has no effect.
fn check(steps: &[Step], values: &Values, around: &Around<'_>, notes: &mut Notes<'_>) -> Vec<Mistake> {
    let mut asides = Vec::new();
    for step in steps {
        match step.spec(&step.placeholders(values), around.seed, around.read) {
            Ok(spec) => asides.extend(
                spec.notes.into_iter().map(|note| Mistake::new(step.at, format!("step '{}': {note}", step.name))),
            ),
            Err(mistakes) => {
                // What is said of a word in the place of a value says nothing of the value.
                let depends = |mistake: &Mistake| {
                    let of =
                        KEYS.iter().filter(|key| mistake.said.contains(&format!("': {}: ", keys::name_of(key.id))));
                    of.map(|key| key.id).any(|id| step.wishes.depends(id, values))
                };
                mistakes.into_iter().filter(|mistake| !depends(mistake)).for_each(|mistake| notes.add(mistake));
            }
        }
    }
    asides
}

/// The same where some steps are known to be wrong: those that have no mistake of their own.
fn partly(steps: &[Step], values: &Values, around: &Around<'_>, notes: &mut Notes<'_>) -> Vec<Mistake> {
    let wrong: BTreeSet<Position> = notes.mistakes.iter().map(|mistake| mistake.at).collect();
    let ends = steps.iter().skip(1).map(|step| Some(step.at)).chain([None]);
    let sound = steps
        .iter()
        .zip(ends)
        .filter(|(step, end)| !wrong.iter().any(|at| *at >= step.at && end.is_none_or(|end| *at < end)));
    let sound: Vec<Step> = sound.map(|(step, _)| step.clone()).collect();
    check(&sound, values, around, notes);
    Vec::new()
}

#[cfg(test)]
mod tests;
