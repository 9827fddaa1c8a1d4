//! The plain manifests: under our own name, and in the place of Flagger's loadtester.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::objects::{Objects, array, text};
use super::tools::{output, program, repository};
use super::{pods, schemas};

/// The objects of a folder under `deploy/`; `None`, said aloud, where nothing renders them.
pub(super) fn rendered(folder: &str) -> Option<Objects> {
    built(&repository("deploy").join(folder))
}

fn built(folder: &Path) -> Option<Objects> {
    let mut command = match program("kubectl", "or kustomize, which .ci/tools makes") {
        Some(kubectl) => Command::new(kubectl),
        None => Command::new(program("kustomize", ".ci/tools makes it")?),
    };
    command.arg(if command.get_program().to_string_lossy().ends_with("kubectl") { "kustomize" } else { "build" });
    Some(Objects::read(&output(command.arg(folder))))
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

/// A copy of a folder of files.
fn copy(folder: &str, into: &Path) {
    let into = into.join(folder);
    std::fs::create_dir(&into).unwrap();
    for entry in repository("deploy").join(folder).read_dir().unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), into.join(entry.file_name())).unwrap();
    }
}

#[test]
fn state_can_be_added_to_either_folder() {
    for (folder, volumes) in [("base", &["state"][..]), ("drop-in", &["tmp", "state"])] {
        let own = tempfile::tempdir().unwrap();
        ["base", "drop-in", "state"].iter().for_each(|folder| copy(folder, own.path()));
        let kustomization = format!("resources: [{folder}]\ncomponents: [state]\n");
        std::fs::write(own.path().join("kustomization.yaml"), kustomization).unwrap();
        let Some(objects) = built(own.path()) else { return };
        objects.check();
        schemas::check(&objects);
        pods::check(&objects);
        let deployment = objects.one("Deployment");
        assert_eq!(deployment["spec"]["strategy"]["type"], "Recreate");
        assert_eq!(objects.command().last().map(String::as_str), Some("-state=/var/lib/tollgate/state"));
        let mounted =
            array(&deployment["spec"]["template"]["spec"]["volumes"]).iter().map(|volume| text(&volume["name"]));
        assert_eq!(mounted.collect::<Vec<_>>(), volumes);
        let claim = &array(&deployment["spec"]["template"]["spec"]["volumes"]).last().unwrap()["persistentVolumeClaim"];
        assert_eq!(claim["claimName"], objects.one("PersistentVolumeClaim")["metadata"]["name"]);
    }
}
