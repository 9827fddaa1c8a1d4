//! The examples, held to what is said of them: every file is YAML, smoke files are read and sound, Canaries have no finding,
//! and end as their pages say.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::objects::{Objects, array, text};
use super::schemas;
use super::tools::repository;
use crate::secure::Files;
use crate::source::files;
use crate::tollgate::{Ended, Running, run, tollgate};

/// How often a rehearsal is tried whose own machine stood in the way.
const TRIES: usize = 3;

/// Rehearsals that run at once: they wait most of the time, but all of them together would take more than two cores.
const AT_ONCE: usize = 6;

/// All manifests, with their objects.
fn manifests() -> Vec<(PathBuf, Objects)> {
    let all = files(&repository("deploy/examples"), "yaml");
    assert!(all.len() > 20, "{all:?}");
    all.into_iter().map(|path| (path.clone(), Objects::read(&std::fs::read_to_string(&path).unwrap()))).collect()
}

/// Every container below, wherever a pod's template stands.
fn containers(value: &Value) -> Vec<&Value> {
    match value {
        Value::Object(members) => {
            let own = members.get("containers").map_or(&[][..], array).iter();
            own.chain(members.values().flat_map(containers)).collect()
        }
        Value::Array(items) => items.iter().flat_map(containers).collect(),
        _ => Vec::new(),
    }
}

fn words(container: &Value) -> Vec<&str> {
    array(&container["args"]).iter().map(text).collect()
}

fn name(path: &Path) -> String {
    path.strip_prefix(repository("deploy/examples")).unwrap().display().to_string()
}

#[test]
fn every_row_of_the_overview_is_a_folder_with_a_page_and_a_smoke_job() {
    let overview = std::fs::read_to_string(repository("deploy/examples/README.md")).unwrap();
    let folders = repository("deploy/examples").read_dir().unwrap().map(|entry| entry.unwrap().path());
    let folders: Vec<PathBuf> = folders.filter(|path| path.is_dir()).collect();
    assert_eq!(folders.len(), 10);
    for folder in folders {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(overview.contains(&format!("\n| [{name}]({name}/README.md) | ")), "{name}");
        let page = std::fs::read_to_string(folder.join("README.md")).unwrap();
        let manifests: Vec<PathBuf> = files(&folder, "yaml");
        for manifest in &manifests {
            let file = manifest.file_name().unwrap().to_str().unwrap();
            assert!(page.contains(&format!("`{file}`")), "{name}/README.md does not say what {file} is");
        }
        assert!(manifests.iter().any(|path| path.ends_with("smoke.yaml")), "{name}");
        assert!(page.contains(&format!("kubectl apply -f deploy/examples/{name}/ ")), "{name}");
    }
}

#[test]
fn manifests_of_examples_are_what_kubernetes_takes_and_images_are_of_this_version() {
    let image = concat!("ghcr.io/tollgate/tollgate:", env!("CARGO_PKG_VERSION"));
    let mut seen = 0;
    let all = manifests();
    schemas::check(&Objects(all.iter().flat_map(|(_, objects)| objects.0.clone()).collect()));
    for (path, objects) in all {
        for object in &objects.0 {
            assert_eq!(object["metadata"]["namespace"], "test", "{}: {object}", name(&path));
            for container in containers(object) {
                seen += 1;
                assert_eq!(container["image"], image, "{}", name(&path));
                assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true, "{}", name(&path));
                assert_eq!(container["resources"]["limits"]["cpu"], Value::Null, "throttling would be measured");
            }
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn services_of_examples_find_their_pods_and_ports() {
    let mut folders: std::collections::BTreeMap<PathBuf, Vec<Value>> = std::collections::BTreeMap::new();
    for (path, objects) in manifests() {
        folders.entry(path.parent().unwrap().to_owned()).or_default().extend(objects.0);
    }
    for (folder, objects) in folders {
        let objects = Objects(objects);
        let pods: Vec<&Value> =
            ["Deployment", "Rollout"].iter().flat_map(|kind| objects.of(kind)).map(|object| &object["spec"]).collect();
        for pod in &pods {
            assert_eq!(pod["selector"]["matchLabels"], pod["template"]["metadata"]["labels"], "{}", name(&folder));
        }
        for service in objects.of("Service") {
            let selector = service["spec"]["selector"].as_object().unwrap();
            let port = &service["spec"]["ports"][0]["targetPort"];
            let found = pods.iter().filter(|pod| {
                let labels = &pod["template"]["metadata"]["labels"];
                selector.iter().all(|(name, value)| labels[name] == *value)
                    && containers(pod).iter().any(|container| container["ports"][0]["containerPort"] == *port)
            });
            assert!(found.count() > 0, "{}: {service}", name(&folder));
        }
    }
}

#[test]
fn smoke_files_of_examples_are_read_and_their_command_lines_too() {
    let mut seen = 0;
    for (path, objects) in manifests() {
        for config in objects.of("ConfigMap") {
            let [(file, content)] = &config["data"].as_object().unwrap().iter().collect::<Vec<_>>()[..] else {
                panic!("{}: not one file", name(&path))
            };
            let folder = Files::new();
            let here = folder.write(file, &[text(content)]);
            let container = containers(objects.one("Job"))[0].clone();
            let mounted = text(&container["volumeMounts"][0]["mountPath"]).to_owned();
            assert_eq!(
                objects.one("Job")["spec"]["template"]["spec"]["volumes"][0]["configMap"]["name"],
                config["metadata"]["name"]
            );
            let words = words(&container).into_iter().map(|word| match word == format!("{mounted}/{file}") {
                true => here.display().to_string(),
                false => word.to_owned(),
            });
            let words: Vec<String> = words.chain(["--dry-run".to_owned()]).collect();
            assert!(words.contains(&here.display().to_string()), "{}: {words:?}", name(&path));
            let ended = run(&words);
            assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}: {ended:#?}", name(&path));
            seen += 1;
        }
    }
    assert_eq!(seen, 10);
}

#[test]
fn smoke_files_of_examples_hold_for_the_application_that_they_come_with() {
    let server = crate::practice::practice("");
    let base = crate::practice::url(&server, "");
    for (path, objects) in manifests() {
        for config in objects.of("ConfigMap") {
            let content = text(&config["data"]["smoke.yaml"]).to_owned();
            // Every host is the one practice canary, and loads are short ones.
            let hosts = ["web-app-canary.test", "web-app.test", "podinfo.test:9898", "payment-service.test:8080"];
            let content = hosts.iter().fold(content, |text, host| text.replace(&format!("http://{host}"), &base));
            let content = content.replace("duration: 30s", "requests: 200").replace("duration: 60s", "requests: 200");
            let content = content.replace("rate: 20/s", "connections: 2").replace("rate: 50/s", "connections: 2");
            let content = content.replace(", p99<500ms", "");
            let folder = Files::new();
            let ended = run(["smoke", folder.write("smoke.yaml", &[&content]).to_str().unwrap()]);
            assert_eq!(ended.code, Some(0), "{}: {ended:#?}", name(&path));
        }
    }
}

#[test]
fn applications_of_examples_are_practice_canaries_that_start() {
    let mut lines: Vec<Vec<String>> = Vec::new();
    for (_, objects) in manifests() {
        for container in objects.0.iter().flat_map(containers).filter(|container| container["name"] == "app") {
            let words = words(container);
            let port = container["ports"][0]["containerPort"].to_string();
            assert!(words.windows(2).any(|pair| pair == ["--port", port.as_str()]), "{words:?}");
            let words = words.into_iter().map(|word| match word {
                "0.0.0.0" => "127.0.0.1".to_owned(),
                word if word == port => "0".to_owned(),
                word => word.to_owned(),
            });
            lines.push(words.chain(["--duration".to_owned(), "10ms".to_owned()]).collect());
        }
    }
    lines.sort();
    lines.dedup();
    assert!(!lines.is_empty());
    for line in lines {
        let ended = run(&line);
        assert_eq!(ended.code, Some(0), "{line:?}: {ended:#?}");
    }
}

/// Whether the program has a command.
fn has(command: &str) -> bool {
    let there = run([command, "--help"]).code == Some(0);
    if !there {
        eprintln!("skipped: tollgate has no command {command}");
    }
    there
}

/// The Canaries, by their paths.
fn canaries() -> Vec<PathBuf> {
    let all = files(&repository("deploy/examples"), "yaml");
    let canaries: Vec<PathBuf> = all.into_iter().filter(|path| path.ends_with("canary.yaml")).collect();
    assert_eq!(canaries.len(), 7);
    canaries
}

#[test]
fn canaries_of_examples_have_no_finding() {
    if !has("lint") {
        return;
    }
    for path in canaries() {
        let ended = run(["lint", "--deny", "warnings", path.to_str().unwrap()]);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
    }
}

/// What a page says of a rehearsal: the words of the command line, and the exit code that its remark stands for.
fn rehearsals(page: &str) -> Vec<(Vec<String>, i32)> {
    let lines = page.lines().filter_map(|line| line.strip_prefix("$ tollgate rehearse ")?.split_once(" # "));
    let read = |(line, ending): (&str, &str)| {
        let code = match ending.trim() {
            "promoted" => 0,
            "rolled back" => 1,
            other => panic!("{other}: promoted, or rolled back"),
        };
        (shell_words(line), code)
    };
    lines.map(read).collect()
}

/// Words with single quotes around blanks.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.trim().chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words.into_iter().filter(|word| !word.is_empty()).collect()
}

#[test]
fn canaries_of_examples_end_as_their_pages_say() {
    let mut asked = Vec::new();
    for path in canaries() {
        let page = std::fs::read_to_string(path.with_file_name("README.md")).unwrap();
        let said = rehearsals(&page);
        let codes: Vec<i32> = said.iter().map(|(_, code)| *code).collect();
        assert_eq!(codes, [0, 1], "{}", name(&path));
        // At a pace of one tick in two seconds, so that the suite goes on.
        let canary = std::fs::read_to_string(&path).unwrap();
        let speed = ["5m", "2m", "1m"].iter().position(|every| canary.contains(&format!("\n    interval: {every}\n")));
        let speed = ["150x", "60x", "30x"][speed.expect("an interval")];
        asked.extend(said.into_iter().map(|(mut words, code)| {
            let at = words.iter().position(|word| word == "--speed").expect("a speed") + 1;
            words[at] = speed.to_owned();
            (words, code)
        }));
    }
    if !has("rehearse") {
        return;
    }
    let rehearse = |words: &[String]| {
        let mut command: Command = tollgate(["rehearse".to_owned()].iter().chain(words));
        command.current_dir(repository(""));
        Running::start(command).finish()
    };
    let ends = |words: &[String], code: i32| {
        let mut ended = rehearse(words);
        for _ in 1..TRIES {
            if ended.code == Some(code) || !is_disturbed(&ended) {
                break;
            }
            ended = rehearse(words);
        }
        assert_eq!(ended.code, Some(code), "{words:?}\n{}\n{}", ended.stdout, ended.stderr);
    };
    let rest = Mutex::new(asked.iter());
    let next = || rest.lock().unwrap_or_else(PoisonError::into_inner).next();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((words, code)) = next() {
                    ends(words, *code);
                }
            });
        }
    });
}

/// Whether the machine was too busy for a verdict.
fn is_disturbed(ended: &Ended) -> bool {
    ["SATURATED", "the times are our own", "our own process stood still"].iter().any(|sign| ended.stdout.contains(sign))
}

/// A template of Argo's, its arguments filled in.
fn filled(value: &Value, target: &str) -> Value {
    let text = value.to_string();
    let args = [("name", "web-app"), ("revision", "abc"), ("target", target), ("slo", "success>=99%, p99<=500ms")];
    let text = args.iter().fold(text, |text, (name, value)| text.replace(&format!("{{{{args.{name}}}}}"), value));
    assert!(!text.contains("{{"), "{text}");
    serde_json::from_str(&text).unwrap()
}

/// The metrics of one of Argo's templates.
fn metrics(name: &str, target: &str) -> Vec<Value> {
    let file = repository("deploy/examples/argo/analysis.yaml");
    let objects = Objects::read(&std::fs::read_to_string(file).unwrap());
    let template = objects.of("AnalysisTemplate").into_iter().find(|object| object["metadata"]["name"] == name);
    array(&template.expect("a template")["spec"]["metrics"]).iter().map(|metric| filled(metric, target)).collect()
}

#[test]
fn what_argo_posts_makes_load_and_what_it_gets_has_what_its_conditions_name() {
    let server = crate::practice::practice("");
    let service = crate::service::Service::start(crate::service::Wanted::default());
    let [load, verdict] = &metrics("tollgate-verdict", &crate::practice::url(&server, "/"))[..] else { panic!() };
    let path = |metric: &Value| {
        let url = text(&metric["provider"]["web"]["url"]).to_owned();
        url.strip_prefix("http://tollgate.test").unwrap_or_else(|| panic!("{url}")).to_owned()
    };
    let posted = service.post(&path(load), &load["provider"]["web"]["jsonBody"].to_string());
    assert!([200, 202].contains(&posted.status), "{posted:?}");
    let got = service.get(&path(verdict));
    let json = got.json();
    assert_eq!((got.status, &json["current"]), (200, &Value::Bool(true)), "{json}");
    let document = std::fs::read_to_string(repository("docs/openapi.json")).unwrap();
    let document: Value = serde_json::from_str(&document).unwrap();
    let known = array(&document["components"]["schemas"]["Answer"]["properties"]["verdict"]["enum"]);
    assert!(known.contains(&json["answer"]["verdict"]), "{json}");
    for (condition, word) in [("successCondition", "pass"), ("failureCondition", "fail")] {
        let expected = format!("result.current && result.answer.verdict == \"{word}\"");
        assert_eq!(text(&verdict[condition]), expected);
        assert!(known.contains(&word.into()));
    }
}

#[test]
fn argos_job_is_a_run_that_ends_with_a_verdict() {
    let server = crate::practice::practice("");
    let metrics = metrics("tollgate-job", &crate::practice::url(&server, "/"));
    let container = containers(&metrics[0])[0];
    // A second of it is enough to know that it is understood, and too little to pass; a machine that is busy meanwhile
    // says so.
    let words: Vec<&str> = words(container).into_iter().map(|word| if word == "1m" { "1s" } else { word }).collect();
    let ended = run(words);
    assert!([Some(3), Some(4)].contains(&ended.code), "{ended:#?}");
    assert!(ended.stdout.contains("success>=99%"), "{}", ended.stdout);
}
