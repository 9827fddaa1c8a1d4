//! Which part of each split a request belongs to, and what the parts are called.

use std::net::SocketAddr;

use crate::plan::{Plan, Split};
use crate::stats::{self, Groups, Key, Part};

/// The keys of request `index` to a target, answered from this address: one for each of the plan's splits.
pub(super) fn keys(plan: &Plan, target: usize, index: u64, address: Option<SocketAddr>) -> Vec<Key> {
    let key = |split: &Split| match split {
        Split::Address => address.map_or(Key::Unreached, Key::Address),
        Split::Url | Split::Value { .. } => plan.number(split, target, index).map_or(Key::Absent, Key::Number),
    };
    plan.split.iter().map(key).collect()
}

/// What came of the parts, under the names that the plan has for them.
pub(super) fn named(plan: &Plan, groups: &[Groups]) -> Vec<stats::Split> {
    let nothing = Groups::default();
    let groups = groups.iter().chain(std::iter::repeat(&nothing));
    let split = |(split, groups): (&Split, &Groups)| {
        let of = if let Split::Value { label, .. } = split { Some(label.clone()) } else { None };
        let parts = groups.parts().into_iter();
        let parts = parts.map(|(key, group)| Part { key, name: name(plan, split, key), group });
        stats::Split::new(split.name(), of, parts.collect())
    };
    plan.split.iter().zip(groups).map(split).collect()
}

fn name(plan: &Plan, split: &Split, key: Key) -> String {
    match key {
        Key::Number(number) => plan.name(split, number),
        Key::Address(address) => address.to_string(),
        Key::Unreached => "no address".to_owned(),
        Key::Absent => "none".to_owned(),
        Key::Rest => "others".to_owned(),
    }
}
