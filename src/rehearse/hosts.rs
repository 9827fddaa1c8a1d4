//! The names of a cluster, and where they are on this machine: the release's services, whoever answers hooks, and what the
//! caller says.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use super::router::Door;
use crate::flagger::Canary;
use crate::plan::{Host, Hosts, Via};
use crate::spec;

/// Where one host is, as the caller says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// At an address.
    At(SocketAddr),
    /// Where one of the release's services is: an ingress is the way in for users.
    Behind(Door),
    /// Where hooks are answered.
    Tollgate,
}

/// Reads an address, or `apex`, `canary`, `primary` or `tollgate`.
impl std::str::FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "apex" => Self::Behind(Door::Apex),
            "canary" => Self::Behind(Door::Canary),
            "primary" => Self::Behind(Door::Primary),
            "tollgate" => Self::Tollgate,
            address => Self::At(address.parse().map_err(|_| ())?),
        })
    }
}

/// What the caller says of hosts.
pub type Places = BTreeMap<String, Place>;

/// What follows a service's name in a cluster.
const DOMAINS: [&str; 4] = ["", ".{}", ".{}.svc", ".{}.svc.cluster.local"];

/// The names of the release's services, each with its door.
fn services(canary: &Canary) -> Vec<(String, Door)> {
    let service = &canary.service;
    let names =
        [(service.name.clone(), Door::Apex), (service.canary(), Door::Canary), (service.primary(), Door::Primary)];
    let domains = DOMAINS.map(|domain| domain.replace("{}", &canary.namespace));
    names.iter().flat_map(|(name, door)| domains.iter().map(move |domain| (format!("{name}{domain}"), *door))).collect()
}

/// Where the hosts of hooks and loads are: those that hooks name, and nothing that has to be looked up.
///
/// # Errors
/// Every host that nothing is known of, one line each.
pub fn unknown(canary: &Canary, places: &Places) -> Result<(), Vec<String>> {
    let mut mistakes = Vec::new();
    let asked = hook_hosts(canary);
    for (host, hook) in &asked {
        if !is_answered(host, &asked, places) {
            mistakes.push(format!(
                "hook {hook}: nothing is known of its host {host}: add --resolve {host}=tollgate, or an address such as \
                 --resolve {host}=127.0.0.1:8080"
            ));
        }
    }
    let services = services(canary);
    for (host, hook) in load_hosts(canary) {
        let known = places.contains_key(&host) || services.iter().any(|(name, _)| *name == host);
        if !known {
            mistakes.push(format!(
                "hook {hook}: its load goes to {host}, of which nothing is known: add --resolve {host}=apex if users \
                 come in there, or an address such as --resolve {host}=127.0.0.1:8080"
            ));
        }
    }
    if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
}

/// Where names of hooks are: `tollgate` unless the caller says otherwise.
pub(super) fn of_hooks(canary: &Canary, places: &Places, tollgate: SocketAddr) -> Hosts {
    let mut hosts = Hosts::default();
    for (host, _) in hook_hosts(canary) {
        let address = match places.get(&host) {
            Some(Place::At(address)) => *address,
            _ => tollgate,
        };
        hosts.put(&host, address);
    }
    hosts
}

/// Where names of loads are.
pub(super) fn of_loads(
    canary: &Canary,
    places: &Places,
    door: impl Fn(Door) -> SocketAddr,
    tollgate: SocketAddr,
) -> Hosts {
    let mut hosts = Hosts::default();
    for (name, at) in services(canary) {
        hosts.put(&name, door(at));
    }
    for (name, place) in places {
        let address = match place {
            Place::At(address) => *address,
            Place::Behind(at) => door(*at),
            Place::Tollgate => tollgate,
        };
        hosts.put(name, address);
    }
    hosts
}

/// Names, and no addresses: those are where they say.
fn is_name(host: &str) -> bool {
    host != "localhost" && host.trim_matches(['[', ']']).parse::<IpAddr>().is_err()
}

/// The hosts that hooks name, each with one of its hooks.
fn hook_hosts(canary: &Canary) -> BTreeMap<String, String> {
    let host = |url: &str| url::Url::parse(url).ok()?.host_str().map(str::to_owned);
    let hooks = canary.analysis.webhooks.iter().filter_map(|hook| Some((host(&hook.url)?, hook.name.clone())));
    hooks.filter(|(host, _)| is_name(host)).collect()
}

/// Whether tollgate takes a hook's place there, or somebody is known to.
fn is_answered(host: &str, all: &BTreeMap<String, String>, places: &Places) -> bool {
    let label = host.split('.').next().unwrap_or(host);
    all.len() == 1 || ["tollgate", "loadtester"].iter().any(|name| label.contains(name)) || places.contains_key(host)
}

/// The hosts that loads of hooks go to, each with one of its hooks.
fn load_hosts(canary: &Canary) -> BTreeMap<String, String> {
    let mut hosts = BTreeMap::new();
    for hook in &canary.analysis.webhooks {
        let Ok(order) = spec::order(&hook.metadata, &spec::Hook::default()) else { continue };
        let direct = order.plan.filter(|plan| plan.via == Via::Direct);
        for target in direct.iter().flat_map(|plan| &plan.targets) {
            match &target.origin.host {
                Host::Name(name) if is_name(name) && target.origin.pinned.is_empty() => {
                    hosts.insert(name.clone(), hook.name.clone());
                }
                Host::Name(_) | Host::Ip(_) => {}
            }
        }
    }
    hosts
}
