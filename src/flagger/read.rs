//! YAML as canaries, and every mistake in it.

mod analysis;

use super::canary::{Canary, Service, Target};
use super::fields::{Fields, shown};
use super::known;
use super::mistake::{Mistake, MistakeKind};
use super::template;
use crate::yaml::{Node, Position, Stream};

/// The version of the object that Flagger serves.
const VERSION: &str = "flagger.app/v1beta1";

/// What is to be done about a template.
const RENDER: &str = "render the chart first: helm template RELEASE CHART | tollgate lint -";

/// What a stream of YAML holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// The canaries, in the order of the text; those with mistakes are read as far as they can be.
    pub canaries: Vec<Canary>,
    /// Every mistake, in the order of the text.
    pub mistakes: Vec<Mistake>,
    /// The kinds of the other objects, which are passed over.
    pub others: Vec<String>,
}

impl Reading {
    /// Whether the cluster would refuse what is written.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.mistakes.iter().any(|mistake| mistake.kind.is_fatal())
    }
}

/// Reads all canaries of a stream: several documents, and lists as `kubectl get -o yaml` writes them.
#[must_use]
pub fn read(text: &str) -> Reading {
    let stream = Stream::read(text);
    let mut reading = Reading::default();
    for document in &stream.documents {
        object(document, &stream, &mut reading);
    }
    if let Some(error) = &stream.error {
        let mistake = match template_in(stream.text(), error.at.line) {
            Some(at) => {
                Mistake::new(MistakeKind::Template, at, "this is a chart's template, no YAML yet").advise(RENDER)
            }
            None => Mistake::new(MistakeKind::Yaml, error.at, format!("this is no YAML: {}", error.said))
                .advise("nothing after this place was read"),
        };
        reading.mistakes.push(mistake);
    } else if stream.documents.is_empty() {
        reading.mistakes.push(no_canary(Position::default(), "there is nothing in it"));
    }
    reading.mistakes.sort_by_key(|mistake| mistake.at);
    reading
}

fn no_canary(at: Position, said: &str) -> Mistake {
    let advice = format!("expected an object with apiVersion: {VERSION} and kind: Canary");
    Mistake::new(MistakeKind::NoCanary, at, said).advise(advice)
}

/// Where the action of a chart stands that keeps the text from being YAML: the last one up to `line`, or else the first.
fn template_in(text: &str, line: u32) -> Option<Position> {
    let lines = (1..).zip(text.lines());
    let found = lines.filter_map(|(line, text)| Some(Position { line, column: template::find(text)? as u32 + 1 }));
    let (before, after): (Vec<Position>, Vec<Position>) = found.partition(|at| at.line <= line);
    before.last().or(after.first()).copied()
}

fn object(node: &Node, stream: &Stream<'_>, reading: &mut Reading) {
    if node.map().is_none() {
        reading.mistakes.push(no_canary(node.at, &format!("this is {}, no object of a cluster", node.what())));
        return;
    }
    let (kind, version) = (node.text("kind"), node.text("apiVersion"));
    match (kind, version) {
        (Some("Canary"), Some(version)) if version.starts_with("flagger.app/") => {
            canary(node, version, stream, reading);
        }
        (Some(kind), _) if kind == "List" || kind == "CanaryList" => {
            for item in node.get("items").and_then(Node::list).unwrap_or_default() {
                object(item, stream, reading);
            }
        }
        (Some("Canary"), None) => {
            let at = node.get("kind").map_or(node.at, |node| node.at);
            let said = "apiVersion is missing: this Canary may be anybody's";
            let mistake = Mistake::new(MistakeKind::Missing, at, said);
            reading.mistakes.push(mistake.advise(format!("add apiVersion: {VERSION}")));
        }
        (Some(kind), _) => reading.others.push(kind.to_owned()),
        (None, _) if node.get("steps").is_some() => {
            let mistake =
                Mistake::new(MistakeKind::NoCanary, node.at, "this looks like a smoke test, and is no Canary");
            reading.mistakes.push(mistake.advise("tollgate smoke --dry-run looks at it"));
        }
        (None, _) => reading.mistakes.push(no_canary(node.at, "this mapping has no kind")),
    }
}

fn canary(node: &Node, version: &str, stream: &Stream<'_>, reading: &mut Reading) {
    let mistakes = &mut reading.mistakes;
    let Some(mut top) = Fields::open_known(node, "", known::CANARY, mistakes) else { return };
    if version != VERSION {
        let said = format!("apiVersion: {} is served no longer", shown(version));
        let at = top.places.value("apiVersion");
        mistakes.push(Mistake::new(MistakeKind::Version, at, said).advise(format!("write {VERSION}")));
    }
    templates(node, stream, mistakes);
    let (name, namespace) = identity(&mut top, mistakes);
    let Some(spec) = top.get("spec") else {
        top.missing("spec", "add what is released, and how");
        top.close(mistakes);
        return;
    };
    top.close(mistakes);
    let Some(mut spec) = Fields::open_known(spec, "spec", known::SPEC, mistakes) else { return };
    let target = target(&mut spec, mistakes);
    let service = service(&mut spec, &target, mistakes);
    let skipped = spec.flag("skipAnalysis");
    let path = if spec.get("analysis").is_none() { "canaryAnalysis" } else { "analysis" };
    let analysis = spec.get(path).map(|node| analysis::read(node, &format!("spec.{path}"), stream, mistakes));
    let skip_analysis = skipped || analysis.is_none();
    if spec.places.has("analysis") && spec.get("analysis").is_some_and(|node| node.map().is_some_and(<[_]>::is_empty)) {
        spec.not_allowed(
            "analysis",
            "it is empty",
            "add interval, threshold and stepWeight, stepWeights or iterations",
        );
    }
    let canary = Canary {
        name,
        namespace,
        target,
        service,
        provider: spec.text("provider").filter(|provider| !provider.is_empty()),
        suspend: spec.flag("suspend"),
        skip_analysis,
        progress_deadline_seconds: spec.whole("progressDeadlineSeconds").unwrap_or(600),
        analysis: analysis.unwrap_or_default(),
        at: node.at,
        places: spec.close(mistakes),
    };
    reading.canaries.push(canary);
}

/// Name and namespace.
fn identity(top: &mut Fields<'_>, mistakes: &mut Vec<Mistake>) -> (String, String) {
    let metadata = top.get("metadata").and_then(|node| Fields::open(node, "metadata", mistakes));
    let Some(mut metadata) = metadata else {
        top.missing("metadata.name", "give the Canary a name");
        return (String::new(), "default".to_owned());
    };
    let name = metadata.text("name").unwrap_or_default();
    let given = metadata.get("name").is_some_and(|node| node.scalar().is_none_or(|scalar| !scalar.text.is_empty()));
    if !given && metadata.get("generateName").is_none() {
        metadata.missing("name", "give the Canary a name");
    }
    let namespace = metadata.text("namespace").filter(|namespace| !namespace.is_empty());
    metadata.close(mistakes);
    (name, namespace.unwrap_or_else(|| "default".to_owned()))
}

fn target(spec: &mut Fields<'_>, mistakes: &mut Vec<Mistake>) -> Target {
    let Some(node) = spec.get("targetRef") else {
        spec.missing("targetRef", "name the Deployment that is released: apiVersion, kind, name");
        return Target::default();
    };
    let Some(mut fields) = Fields::open_known(node, "spec.targetRef", known::TARGET, mistakes) else {
        return Target::default();
    };
    let target =
        Target { kind: fields.text("kind").unwrap_or_default(), name: fields.text("name").unwrap_or_default() };
    for (key, value) in [("kind", &target.kind), ("name", &target.name)] {
        if value.is_empty() && !fields.places.has(key) {
            fields.missing(key, "name what is released");
        }
    }
    fields.close(mistakes);
    target
}

fn service(spec: &mut Fields<'_>, target: &Target, mistakes: &mut Vec<Mistake>) -> Service {
    let mut service = Service { name: target.name.clone(), port_name: "http".to_owned(), ..Service::default() };
    let Some(node) = spec.get("service") else {
        spec.missing("service", "add the port that users reach: service: {port: 80}");
        return service;
    };
    let Some(mut fields) = Fields::open_known(node, "spec.service", known::SERVICE, mistakes) else { return service };
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    service.name = given(fields.text("name")).unwrap_or(service.name);
    service.port_name = given(fields.text("portName")).unwrap_or(service.port_name);
    service.port = fields.whole("port").unwrap_or_default();
    service.target_port = fields.number_or_name("targetPort");
    service.discovers_ports = fields.flag("portDiscovery");
    service.hosts = fields.texts("hosts");
    if !fields.places.has("port") && target.kind != "Service" {
        fields.missing("port", "add the port that users reach");
    }
    fields.close(mistakes);
    service
}

/// Values that a chart has yet to fill in.
fn templates(node: &Node, stream: &Stream<'_>, mistakes: &mut Vec<Mistake>) {
    for (node, scalar) in node.scalars() {
        if let Some(index) = template::find(&scalar.text) {
            let at = stream.places(node.at, scalar).get(index).copied().unwrap_or(node.at);
            let said = format!("'{}' is a chart's template that is not filled in", shown(&scalar.text));
            mistakes.push(Mistake::new(MistakeKind::Template, at, said).advise(RENDER));
        }
    }
}

#[cfg(test)]
mod tests;
