//! Whose answers a load gets: by the host that its requests name.

use url::Url;

use super::finding::Desk;
use super::place::Path;
use super::rule::Rule;
use crate::flagger::{Hook, HookKind, Strategy};
use crate::plan::Plan;
use crate::spec::Whose;
use crate::yaml::Position;

/// Where in a hook's metadata a message points: at what it puts in quotes, if that stands there once or
/// is a single character.
pub(super) fn inside(hook: &Hook, key: &str, message: &str) -> Position {
    let Some(value) = hook.metadata.get(key) else { return hook.places.key("metadata") };
    let quoted = message.split('\'').skip(1).step_by(2).chain(message.split('"').skip(1).step_by(2));
    let found = quoted.filter(|word| !word.is_empty()).find_map(|word| {
        let mut all = value.match_indices(word).map(|(at, _)| at);
        all.next().filter(|_| word.len() == 1 || all.next().is_none())
    });
    let index = found.map_or(0, |at| value[..at].chars().count());
    hook.metadata_places.inside(key, index)
}

/// Looks at the targets of a plan that stands under `key`.
pub(super) fn look(desk: &mut Desk<'_>, hook: &Hook, path: Path, plan: &Plan, key: &str) {
    let told = plan.identify.is_some();
    for target in &plan.targets {
        let Some(url) = Url::parse(&target.url.to_string()).ok() else { continue };
        let authority = target.request.authority.as_str();
        let named = authority.split(':').next().unwrap_or_default();
        let at = inside(hook, key, &format!("'{named}' '{}'", url.host_str().unwrap_or_default()));
        if !told {
            whose(desk, hook, path, authority, at);
        }
        place(desk, hook, &url, at);
    }
}

fn whose(desk: &mut Desk<'_>, hook: &Hook, path: Path, authority: &str, at: Position) {
    let service = &desk.canary.service;
    let first = authority.split(['.', ':']).next().unwrap_or_default();
    let (canary, primary) = (service.canary(), service.primary());
    let apex = first == service.name || Whose::of_host(authority, &desk.canary.name) == Whose::Apex;
    if first == primary {
        let said = format!("{first} is the old release: nothing of it speaks for or against the new one");
        return desk.on(hook, Rule::PrimaryTarget, at, said, format!("ask {canary}"));
    }
    if apex {
        return self::apex(desk, hook, path, first, at);
    }
    match Whose::of_host(authority, &desk.canary.name) {
        Whose::Canary if first != canary && !service.name.is_empty() => {
            let said = format!("{first} is not the canary service of this release, which is {canary}");
            desk.on(hook, Rule::OtherService, at, said, format!("ask {canary}"));
        }
        Whose::Unknown => {
            let said = format!("{authority}: nobody can tell from the host how many of the answers are the canary's");
            let help = format!("ask {canary}, or set identify to a header that tells the releases apart");
            desk.on(hook, Rule::ShareUnknown, at, said, help);
        }
        _ => {}
    }
}

/// Load on the service that users reach.
fn apex(desk: &mut Desk<'_>, hook: &Hook, path: Path, host: &str, at: Position) {
    let canary = desk.canary.service.canary();
    let allowed = hook.metadata.get("apex").is_some_and(|text| text == "allow");
    if hook.kind == HookKind::PreRollout || path == Path::PreRollout {
        if allowed {
            return;
        }
        let said = format!("before the first step of traffic only the old release answers at {host}");
        let judged = path == Path::PreRollout;
        let help = if judged { format!("ask {canary}, or set apex: allow") } else { format!("ask {canary}") };
        return desk.on(hook, Rule::ApexGate, at, said, help);
    }
    let said = match desk.canary.strategy() {
        Strategy::Weighted => {
            format!(
                "the old release answers at {host}, too: with 10% of the traffic, a canary that fails 5% shows 0.5%"
            )
        }
        Strategy::AbTest => {
            format!("at {host} the canary answers only what matches, and nobody can tell from here how much of it does")
        }
        Strategy::BlueGreen => format!("only the old release answers at {host} until the promotion"),
    };
    desk.on(hook, Rule::ApexTarget, at, said, format!("ask {canary}"));
}

/// Ports and namespaces of the release's own services.
fn place(desk: &mut Desk<'_>, hook: &Hook, url: &Url, at: Position) {
    let service = &desk.canary.service;
    let host = url.host_str().unwrap_or_default();
    let mut labels = host.split('.');
    let first = labels.next().unwrap_or_default();
    if ![service.name.clone(), service.canary(), service.primary()].iter().any(|name| name == first) {
        return;
    }
    let namespace = &desk.canary.namespace;
    let other = labels.next().filter(|label| *label != namespace && namespace != "default");
    if let Some(other) = other.filter(|_| labels.next().is_none_or(|label| label == "svc")) {
        let said = format!("{host} is in the namespace {other}, and this Canary is in {namespace}");
        desk.on(hook, Rule::OtherNamespace, at, said, format!("ask {first}.{namespace}"));
    }
    let port = url.port_or_known_default().map(u32::from);
    let other = |port: &u32| service.port > 0 && *port != service.port && !service.discovers_ports;
    if let Some(port) = port.filter(other) {
        let said = format!("the service {first} has the port {}, and this asks port {port}", service.port);
        desk.on(hook, Rule::OtherPort, at, said, format!("ask {host}:{}", service.port));
    }
}
