//! What holds for any hook, wherever it asks.

use url::Url;

use super::finding::Desk;
use super::rule::Rule;
use super::words::shown;
use crate::flagger::{Hook, HookKind};

/// What Flagger itself writes into the metadata of an event.
const OF_EVENTS: [&str; 3] = ["eventMessage", "eventType", "timestamp"];

/// Looks at one hook.
pub(super) fn look(desk: &mut Desk<'_>, hook: &Hook) {
    timeout(desk, hook);
    url(desk, hook);
    if hook.mute_alert && !super::role::is_confirm(hook.kind) {
        let at = hook.places.key("muteAlert");
        let said = format!("muteAlert keeps back the alerts of confirm hooks; a {} hook has none", hook.kind);
        desk.on(hook, Rule::NoEffect, at, said, "take it out");
    }
    let fixed = OF_EVENTS.iter().filter(|key| hook.kind == HookKind::Event && hook.metadata.contains_key(**key));
    for key in fixed {
        let said = format!("{key} is written by Flagger, whatever the metadata say");
        desk.on(hook, Rule::NoEffect, hook.metadata_places.key(key), said, "give it another name");
    }
    let first = desk.canary.analysis.webhooks.iter().find(|other| other.name == hook.name && !hook.name.is_empty());
    if let Some(first) = first.filter(|first| first.places.at != hook.places.at) {
        let said = format!("the hook on line {} is called {}, too", first.places.at.line, hook.name);
        desk.on(
            hook,
            Rule::SameName,
            hook.places.value("name"),
            said,
            "events name hooks: give each a name of its own",
        );
    }
}

fn timeout(desk: &mut Desk<'_>, hook: &Hook) {
    let Some(written) = hook.places.text("timeout") else { return };
    let at = hook.places.value("timeout");
    if hook.timeout.is_none() {
        let said = format!("Flagger cannot read '{written}', and fails every call before it is sent");
        desk.on(hook, Rule::Timeout, at, said, "write 10s, 1m or 1m30s");
    } else if written.len() == 1 {
        let said = format!("'{written}' is too short for a time: Flagger takes 10s");
        desk.on(hook, Rule::TimeoutIgnored, at, said, format!("write {written}s"));
    }
}

fn url(desk: &mut Desk<'_>, hook: &Hook) {
    let at = hook.places.value("url");
    if hook.url.is_empty() || hook.url.contains("{{") {
        return;
    }
    let wanted = "write http://HOST/PATH";
    match Url::parse(&hook.url) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            let said = format!("'{}' has no http:// or https:// before its host: every call fails", shown(&hook.url));
            desk.on(hook, Rule::HookUrl, at, said, wanted);
        }
        Ok(url) if url.password().is_some() => {
            let said = "the URL has a password, which everybody sees who can read the Canary";
            desk.on(
                hook,
                Rule::PasswordInUrl,
                at,
                said,
                "guard the service with a NetworkPolicy or a mesh in its place",
            );
        }
        Ok(_) => {}
        Err(_) => {
            let said = format!("'{}' is no URL: every call fails", shown(&hook.url));
            desk.on(hook, Rule::HookUrl, at, said, wanted);
        }
    }
}
