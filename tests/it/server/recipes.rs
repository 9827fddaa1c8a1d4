//! The recipes of the documentation: Flagger takes them, there is one for every role, and each is answered as it should be.

use std::collections::BTreeSet;

use serde_json::json;
use tollgate::flagger::{Canary, HookKind, read};

use super::post;
use crate::flagger::as_go;
use crate::practice::{practice, url};
use crate::service::{Service, Wanted};
use crate::source::root;

/// A Canary with the recipes as its hooks.
fn canary() -> Canary {
    let text = std::fs::read_to_string(root().join("docs/webhooks.md")).unwrap();
    let (_, section) = text.split_once("\n## Recipes\n").unwrap();
    let yaml = section.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let hooks: Vec<String> = yaml.lines().map(|line| format!("    {line}")).collect();
    let head = "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {name: podinfo, namespace: test}\nspec:\n  \
                targetRef: {apiVersion: apps/v1, kind: Deployment, name: podinfo}\n  service: {port: 9898}\n  \
                analysis:\n    interval: 1m\n    threshold: 2\n    maxWeight: 50\n    stepWeight: 10\n";
    let reading = read(&format!("{head}{}\n", hooks.join("\n")));
    assert!(reading.mistakes.is_empty(), "{:?}", reading.mistakes);
    reading.canaries.into_iter().next().unwrap()
}

#[test]
fn flagger_takes_every_recipe_and_the_service_answers_each_by_its_role() {
    let (canary, target, service) = (canary(), practice(""), Service::start(Wanted::default()));
    let kinds: BTreeSet<HookKind> = canary.analysis.webhooks.iter().map(|hook| hook.kind).collect();
    assert_eq!(kinds, HookKind::ALL.into(), "one for each role");
    let mut answered = Vec::new();
    for hook in &canary.analysis.webhooks {
        let mut metadata = json!(hook.metadata);
        if let Some(cmd) = metadata["cmd"].as_str() {
            let there = format!("-host podinfo-canary.test {}", url(&target, "/"));
            metadata["cmd"] = cmd.replace("http://podinfo-canary.test:9898/", &there).into();
            metadata["wait"] = "0s".into();
        }
        let phase = match hook.kind {
            HookKind::ConfirmRollout => "Initialized",
            HookKind::PostRollout => "Succeeded",
            _ => "Progressing",
        };
        let payload = json!({"name": "podinfo", "namespace": "test", "phase": phase, "checksum": "85d557f47b",
            "metadata": metadata});
        let path = hook.url.strip_prefix("http://tollgate.test").unwrap_or_else(|| panic!("{}", hook.url));
        let answer = post(service.addr, path, &as_go(&payload.to_string()));
        answered.push((hook.kind.name(), path, answer.status));
    }
    // Whether the load was answered by then is a matter of milliseconds.
    let begun = answered[2].2;
    assert!([202, 425].contains(&begun), "{answered:?}");
    let expected = [
        ("confirm-rollout", "/gate/check", 403),
        ("pre-rollout", "/pre-rollout", 425),
        ("rollout", "/rollout", begun),
        ("confirm-traffic-increase", "/confirm", 425),
        ("confirm-promotion", "/confirm", 425),
        ("confirm-promotion", "/gate/check", 403),
        ("rollback", "/rollback", 425),
        ("post-rollout", "/post-rollout", 200),
        ("event", "/event", 200),
    ];
    assert_eq!(answered, expected);
}
