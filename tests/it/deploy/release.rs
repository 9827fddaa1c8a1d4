//! What a release is made of: one version everywhere, a package without what is not needed, and workflows that can run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::tools::{output, program, repository};
use crate::source::{before_tests, files};

/// Files that name the version, each with what stands before it.
const VERSIONED: [(&str, &str); 7] = [
    ("Dockerfile", "org.opencontainers.image.version=\""),
    ("deploy/chart/Chart.yaml", "\nversion: "),
    ("deploy/chart/Chart.yaml", "\nappVersion: "),
    ("deploy/base/deployment.yaml", "image: ghcr.io/tollgate/tollgate:"),
    ("deploy/drop-in/kustomization.yaml", "ghcr.io/tollgate/tollgate:"),
    ("docs/smoke.md", "image: ghcr.io/tollgate/tollgate:"),
    ("docs/migrating.md", "loadtester=ghcr.io/tollgate/tollgate:"),
];

#[test]
fn every_file_that_names_the_version_names_the_one_of_cargo() {
    for (file, before) in VERSIONED {
        let text = std::fs::read_to_string(repository(file)).unwrap();
        let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("{file}: no {before}"));
        let version: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        assert_eq!(version, env!("CARGO_PKG_VERSION"), "{file}: {before}");
    }
}

#[test]
fn the_package_has_what_it_is_built_from_and_no_more_than_a_few_megabytes() {
    let listed = Command::new(env!("CARGO"))
        .args(["package", "--list", "--no-verify", "--allow-dirty", "--offline"])
        .current_dir(repository(""))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&listed.stderr);
    assert!(listed.status.success() && !said.contains("warning"), "{said}");
    let names: BTreeSet<String> = String::from_utf8(listed.stdout).unwrap().lines().map(str::to_owned).collect();
    for name in ["Cargo.lock", "LICENSE", "README.md", "src/main.rs", "docs/run.md", "tests/it/main.rs"] {
        assert!(names.contains(name), "{name}");
    }
    let unwanted =
        |name: &&String| [".ci/", ".github/", "target/", "fuzz/"].iter().any(|folder| name.starts_with(folder));
    assert_eq!(names.iter().find(unwanted), None);
    let size = |name: &String| std::fs::metadata(repository(name)).map_or(0, |known| known.len());
    let bytes: u64 = names.iter().map(size).sum();
    assert!(bytes < 6 << 20, "{bytes} bytes");
}

#[test]
fn workflows_are_whole_ask_for_little_and_take_actions_of_a_version() {
    let workflows = files(&repository(".github/workflows"), "yaml");
    assert_eq!(workflows.len(), 5);
    for path in &workflows {
        let workflow: Value = serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert_eq!((&workflow["name"], &workflow["permissions"]["contents"]), (&name.into(), &"read".into()));
        for job in workflow["jobs"].as_object().unwrap().values() {
            for step in job["steps"].as_array().unwrap() {
                let Some(uses) = step["uses"].as_str() else { continue };
                let version = uses.split_once('@').map(|(_, version)| version).unwrap_or_default();
                assert!(version.starts_with('v') && version.len() > 1, "{name}: {uses}");
            }
        }
    }
    let Some(actionlint) = program("actionlint", ".ci/tools makes it") else { return };
    // Shells are looked at where there is shellcheck, which not every machine has.
    output(Command::new(actionlint).arg("-shellcheck=").arg("-pyflakes=").args(&workflows));
}

#[test]
fn what_is_compiled_in_is_part_of_what_the_image_is_built_from() {
    let ignored = std::fs::read_to_string(repository(".dockerignore")).unwrap();
    let kept: Vec<&str> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let is_kept = |path: &Path| {
        let (folder, extension) = (path.parent().unwrap(), path.extension().unwrap_or_default().to_string_lossy());
        kept.iter().any(|kept| path.starts_with(kept) || *kept == format!("{}/*.{extension}", folder.display()))
    };
    let mut seen = 0;
    let is_test =
        |file: &PathBuf| file.components().any(|part| part.as_os_str().to_string_lossy().starts_with("tests"));
    for file in files(&repository("src"), "rs").into_iter().filter(|file| !is_test(file)) {
        let text = std::fs::read_to_string(&file).unwrap();
        for literal in before_tests(&text).split("include_str!(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let path = file.parent().unwrap().join(literal).canonicalize().unwrap();
            let path = path.strip_prefix(repository("").canonicalize().unwrap()).unwrap().to_owned();
            assert!(is_kept(&path), "{}: .dockerignore leaves {} out", file.display(), path.display());
            seen += 1;
        }
    }
    assert!(seen > 0);
}
