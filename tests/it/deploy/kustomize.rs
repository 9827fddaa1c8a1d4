//! The plain manifests: under our own name, and in the place of Flagger's loadtester.

use std::process::Command;

use serde_json::json;

use super::objects::Objects;
use super::tools::{output, program, repository};
use super::{pods, schemas};

/// The objects of a folder under `deploy/`; `None`, said aloud, where nothing renders them.
pub(super) fn rendered(folder: &str) -> Option<Objects> {
    let mut command = match program("kubectl", "or kustomize, which .ci/tools makes") {
        Some(kubectl) => Command::new(kubectl),
        None => Command::new(program("kustomize", ".ci/tools makes it")?),
    };
    command.arg(if command.get_program().to_string_lossy().ends_with("kubectl") { "kustomize" } else { "build" });
    Some(Objects::read(&output(command.arg(repository("deploy").join(folder)))))
}

#[test]
fn every_folder_renders_objects_that_kubernetes_takes_and_starts_the_service() {
    for folder in ["base", "drop-in"] {
        let Some(objects) = rendered(folder) else { return };
        objects.check();
        schemas::check(&objects);
        pods::check(&objects);
    }
}

#[test]
fn the_drop_in_has_the_names_of_the_loadtester_and_runs_the_programs_of_its_hooks() {
    let Some(objects) = rendered("drop-in") else { return };
    assert_eq!(objects.names(), ["Service flagger-loadtester", "Deployment flagger-loadtester"]);
    let label = json!({"app": "flagger-loadtester"});
    for object in &objects.0 {
        assert_eq!((&object["metadata"]["namespace"], &object["metadata"]["labels"]), (&json!("test"), &label));
    }
    let deployment = objects.one("Deployment");
    assert_eq!(deployment["spec"]["selector"]["matchLabels"], label, "immutable: another one could not be applied");
    assert_eq!(objects.container()["name"], "loadtester");
    assert_eq!(objects.one("Service")["spec"]["ports"][0]["port"], 80);
    let command = objects.command();
    assert_eq!(command[..4], ["./loadtester", "-port=8080", "-log-level=info", "-timeout=1h"]);
    assert_eq!(command[4..], ["-enable-exec=bash,cmd,concord,helm,kubectl"]);
}
