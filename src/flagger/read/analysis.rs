//! `spec.analysis`, its hooks and metrics.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::canary::{Analysis, Match, Pattern, SessionAffinity};
use super::super::fields::{Fields, shown};
use super::super::hook::{Hook, HookKind};
use super::super::known;
use super::super::metric::{Limits, Metric};
use super::super::mistake::{Mistake, MistakeKind};
use super::super::places::Places;
use crate::spec::{GoDuration, KEYS};
use crate::yaml::{Entry, Kind, Node, Stream};

/// Flagger ticks no faster.
const SHORTEST: Duration = Duration::from_secs(10);

/// Keys of the loadtester's metadata that are none of ours.
const LOADTESTER: [&str; 4] = ["type", "logCmdOutput", "returnCmdOutput", "script"];

/// Reads an analysis as far as it can be read.
pub(super) fn read(node: &Node, path: &str, stream: &Stream<'_>, mistakes: &mut Vec<Mistake>) -> Analysis {
    let Some(mut fields) = Fields::open_known(node, path, known::ANALYSIS, mistakes) else {
        return Analysis::default();
    };
    let usual = Analysis::default();
    let interval = fields.text("interval");
    let interval = interval.and_then(|text| text.parse::<GoDuration>().ok());
    let interval = interval.map_or(usual.interval, |time| time.to_std().unwrap_or_default().max(SHORTEST));
    let step_weights = fields.wholes("stepWeights");
    let max_weight = fields.whole("maxWeight");
    let analysis = Analysis {
        interval,
        threshold: fields.whole("threshold").unwrap_or_default().max(1),
        max_weight: Analysis::greatest(max_weight, &step_weights),
        step_weight: fields.whole("stepWeight").unwrap_or_default(),
        step_weight_promotion: fields.whole("stepWeightPromotion").unwrap_or_default(),
        iterations: fields.whole("iterations").unwrap_or_default(),
        mirror: fields.flag("mirror"),
        mirror_weight: fields.whole("mirrorWeight").unwrap_or_default(),
        primary_ready_threshold: fields.whole("primaryReadyThreshold").unwrap_or(usual.primary_ready_threshold),
        canary_ready_threshold: fields.whole("canaryReadyThreshold").unwrap_or(usual.canary_ready_threshold),
        matches: fields.list("match").iter().map(condition).collect(),
        metrics: each(fields.list("metrics"), path, "metrics", mistakes, metric),
        webhooks: each(fields.list("webhooks"), path, "webhooks", mistakes, |node, path, mistakes| {
            hook(node, path, stream, mistakes)
        }),
        session_affinity: affinity(&fields, mistakes),
        step_weights,
        places: Places::default(),
    };
    Analysis { places: fields.close(mistakes), ..analysis }
}

/// Reads the entries of a list, each under its number.
fn each<T>(
    items: &[Node],
    path: &str,
    name: &str,
    mistakes: &mut Vec<Mistake>,
    one: impl Fn(&Node, &str, &mut Vec<Mistake>) -> Option<T>,
) -> Vec<T> {
    let numbered = items.iter().enumerate();
    numbered.filter_map(|(i, item)| one(item, &format!("{path}.{name}[{i}]"), mistakes)).collect()
}

/// What requests of an A/B test must have. Meshes have more conditions than are read here; those are named only.
fn condition(node: &Node) -> Match {
    let mut found = Match::default();
    for entry in node.map().unwrap_or_default() {
        match entry.key.as_str() {
            "headers" => found.headers.extend(entry.node.map().unwrap_or_default().iter().filter_map(header)),
            name => found.others.push(name.to_owned()),
        }
    }
    found
}

fn header(entry: &Entry) -> Option<(String, Pattern)> {
    let of = |key: &str| entry.node.get(key).and_then(Node::scalar).map(|scalar| scalar.text.clone());
    let pattern = of("exact").map(Pattern::Exact);
    let pattern = pattern.or_else(|| of("prefix").map(Pattern::Prefix));
    let pattern = pattern.or_else(|| of("suffix").map(Pattern::Suffix));
    let pattern = pattern.or_else(|| of("regex").map(Pattern::Regex));
    let present = entry.node.map().is_some_and(<[_]>::is_empty).then_some(Pattern::Present);
    Some((entry.key.to_ascii_lowercase(), pattern.or(present)?))
}

fn affinity(fields: &Fields<'_>, mistakes: &mut Vec<Mistake>) -> Option<SessionAffinity> {
    let node = fields.get("sessionAffinity")?;
    let mut fields = Fields::open_known(node, &fields.named("sessionAffinity"), known::AFFINITY, mistakes)?;
    let affinity = SessionAffinity {
        cookie_name: fields.text("cookieName").unwrap_or_default(),
        max_age: fields.whole("maxAge").filter(|age| *age > 0).unwrap_or(86_400),
        primary_cookie_name: fields.text("primaryCookieName").filter(|name| !name.is_empty()),
    };
    if affinity.cookie_name.is_empty() {
        fields.missing("cookieName", "name the cookie");
    }
    fields.close(mistakes);
    Some(affinity)
}

fn metric(node: &Node, path: &str, mistakes: &mut Vec<Mistake>) -> Option<Metric> {
    let mut fields = Fields::open_known(node, path, known::METRIC, mistakes)?;
    let name = fields.text("name").unwrap_or_default();
    if name.is_empty() {
        fields.missing("name", "name the metric");
    }
    let range = fields
        .get("thresholdRange")
        .and_then(|node| Fields::open_known(node, &fields.named("thresholdRange"), &["max", "min"], mistakes));
    let mut limits = Limits::Threshold(fields.number("threshold").unwrap_or_default());
    if let Some(mut range) = range {
        limits = Limits::Range { min: range.number("min"), max: range.number("max") };
        range.close(mistakes);
    }
    let sources = Metric::sources(&name, fields.get("query").is_some(), fields.get("templateRef").is_some());
    let interval = fields.text("interval");
    Some(Metric { name, interval, sources, limits, places: fields.close(mistakes) })
}

fn hook(node: &Node, path: &str, stream: &Stream<'_>, mistakes: &mut Vec<Mistake>) -> Option<Hook> {
    let mut fields = open_hook(node, path, mistakes)?;
    for key in ["name", "url", "timeout", "type"] {
        fields.look_inside(key, stream);
    }
    let name = fields.text("name").unwrap_or_default();
    let url = fields.text("url").unwrap_or_default();
    for (key, value, advice) in [
        ("name", &name, "name the hook: events call it so"),
        ("url", &url, "say where it is asked: http://tollgate.NAMESPACE/rollout"),
    ] {
        if value.is_empty() && (!fields.places.has(key) || fields.get(key).is_none()) {
            fields.missing(key, advice);
        }
    }
    let kind = kind(&mut fields);
    let timeout = fields.text("timeout").unwrap_or_default();
    if !timeout.is_empty() && !fits(&timeout) {
        let said = format!("got '{}', expected whole seconds, minutes or both", shown(&timeout));
        fields.not_allowed("timeout", &said, "write 30s, 2m or 1m30s");
    }
    let (metadata, metadata_places) = metadata(&fields, stream, mistakes);
    let retries = fields.whole("retries").unwrap_or_default();
    let (mute_alert, disable_tls) = (fields.flag("muteAlert"), fields.flag("disableTLS"));
    let places = fields.close(mistakes);
    let kind = kind?;
    let timeout = Hook::timeout(kind, &timeout);
    Some(Hook { name, kind, url, timeout, retries, mute_alert, disable_tls, metadata, places, metadata_places })
}

/// Opens a hook. A key that it does not have may be one of its metadata.
fn open_hook<'a>(node: &'a Node, path: &str, mistakes: &mut Vec<Mistake>) -> Option<Fields<'a>> {
    let mut fields = Fields::open_known(node, path, known::HOOK, mistakes)?;
    let metadata = |key: &str| LOADTESTER.contains(&key) || KEYS.iter().any(|known| known.metadata == Some(key));
    for entry in node.map().unwrap_or_default() {
        if known::HOOK.contains(&entry.key.as_str()) || !metadata(&entry.key) {
            continue;
        }
        if let Some(mistake) = fields.mistakes.iter_mut().find(|mistake| mistake.at == entry.at) {
            mistake.kind = MistakeKind::Misplaced;
            mistake.said = format!("{path}.{} stands beside metadata, where the cluster drops it", entry.key);
            mistake.advice = Some(format!("put {} under metadata", entry.key));
        }
    }
    Some(fields)
}

fn kind(fields: &mut Fields<'_>) -> Option<HookKind> {
    let text = fields.text("type").unwrap_or_default();
    if let Ok(kind) = text.parse() {
        return Some(kind);
    }
    let near = HookKind::ALL.map(|kind| (strsim::damerau_levenshtein(&text.to_lowercase(), kind.name()), kind.name()));
    let near = near.into_iter().min().filter(|(distance, _)| *distance <= 3);
    let names = HookKind::ALL.map(HookKind::name).join(", ");
    let advice = near.map_or_else(|| format!("expected one of {names}"), |(_, name)| format!("did you mean {name}?"));
    let said = format!("{}: got '{}', which is no type of hook", fields.named("type"), shown(&text));
    fields.mistakes.push(Mistake::new(MistakeKind::HookType, fields.places.value("type"), said).advise(advice));
    None
}

/// Whether the cluster takes a timeout: digits and `m` or `s` at its beginning.
fn fits(text: &str) -> bool {
    text.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(['m', 's'])
        && text.starts_with(|c: char| c.is_ascii_digit())
}

fn metadata(hook: &Fields<'_>, stream: &Stream<'_>, mistakes: &mut Vec<Mistake>) -> (BTreeMap<String, String>, Places) {
    let mut found = BTreeMap::new();
    let path = hook.named("metadata");
    let Some(mut fields) = hook.get("metadata").and_then(|node| Fields::open(node, &path, mistakes)) else {
        return (found, Places::default());
    };
    let entries = hook.get("metadata").and_then(Node::map).unwrap_or_default();
    for entry in entries {
        fields.look_inside(&entry.key, stream);
        let text = entry.node.scalar().filter(|scalar| scalar.kind == Kind::Text);
        if let Some(scalar) = text {
            found.insert(entry.key.clone(), scalar.text.clone());
            continue;
        }
        let at = entry.node.at;
        let given = match entry.node.scalar() {
            Some(scalar) if scalar.kind != Kind::Nothing => format!("{} is {}", shown(&scalar.text), scalar.kind),
            _ => format!("this is {}", entry.node.what()),
        };
        let said = format!("{path}.{}: {given}, and metadata values are texts", entry.key);
        let mistake = Mistake::new(MistakeKind::Metadata, at, said);
        let quoted = entry.node.scalar().map(|scalar| format!("put it in quotes: \"{}\"", shown(&scalar.text)));
        fields.mistakes.push(mistake.advise(quoted.unwrap_or_else(|| "write it as one text".to_owned())));
    }
    (found, fields.close(mistakes))
}
