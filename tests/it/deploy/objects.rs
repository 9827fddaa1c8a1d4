//! Kubernetes objects as they were rendered, and what must be true of all of them together.

use serde_json::{Map, Value, json};

/// What our images are called; the version follows.
const IMAGE: &str = "ghcr.io/tollgate/tollgate";

/// Objects that are applied together.
#[derive(Debug)]
pub(super) struct Objects(pub(super) Vec<Value>);

impl Objects {
    /// Reads the documents of a YAML text.
    pub(super) fn read(text: &str) -> Self {
        let documents: Vec<Value> = serde_saphyr::from_multiple(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        Self(documents.into_iter().filter(|document| !document.is_null()).collect())
    }

    /// Those of a kind.
    pub(super) fn of(&self, kind: &str) -> Vec<&Value> {
        self.0.iter().filter(|object| object["kind"] == kind).collect()
    }

    /// The only one of a kind.
    pub(super) fn one(&self, kind: &str) -> &Value {
        let [one] = self.of(kind)[..] else { panic!("not one {kind}: {self:?}") };
        one
    }

    /// `Kind name` of each, in their order.
    pub(super) fn names(&self) -> Vec<String> {
        let name = |object: &Value| format!("{} {}", text(&object["kind"]), text(&object["metadata"]["name"]));
        self.0.iter().map(name).collect()
    }

    /// The container of the only Deployment.
    pub(super) fn container(&self) -> &Value {
        let [container] = array(&self.one("Deployment")["spec"]["template"]["spec"]["containers"]) else {
            panic!("not one container: {self:?}")
        };
        container
    }

    /// The container's command line.
    pub(super) fn command(&self) -> Vec<String> {
        let container = self.container();
        let words = array(&container["command"]).iter().chain(array(&container["args"]));
        words.map(|word| text(word).to_owned()).collect()
    }

    /// Selectors find what they are meant to find, ports lead to ports, and the image is the one of this version.
    pub(super) fn check(&self) {
        let deployment = self.one("Deployment");
        let pod = &deployment["spec"]["template"];
        let labels = &pod["metadata"]["labels"];
        for (object, selector, labels) in self.selectors(labels) {
            let selected = !selector.is_empty() && selector.iter().all(|(name, value)| labels[name] == *value);
            assert!(selected, "{object} selects {selector:?}, not {labels}");
        }
        let container = self.container();
        let [port] = array(&container["ports"]) else { panic!("not one port: {container}") };
        let listens: Vec<String> =
            self.command().iter().filter_map(|word| word.strip_prefix("-port=")).map(str::to_owned).collect();
        assert_eq!((&port["name"], listens), (&json!("http"), vec![port["containerPort"].to_string()]));
        let service = &self.one("Service")["spec"]["ports"];
        assert_eq!((&service[0]["name"], &service[0]["targetPort"]), (&json!("http"), &json!("http")));
        let command = self.command();
        let allowed = command.iter().find_map(|word| word.trim_start_matches('-').strip_prefix("enable-exec="));
        let exec = allowed.is_some_and(|names| names.split(',').any(|name| name != "concord"));
        let tag = format!("{}{}", env!("CARGO_PKG_VERSION"), if exec { "-exec" } else { "" });
        assert_eq!(
            container["image"],
            format!("{IMAGE}:{tag}"),
            "the image of this version, with a shell if it needs one"
        );
        assert_eq!(deployment["spec"]["replicas"], 1);
        assert_eq!(container["resources"]["limits"]["cpu"], Value::Null, "throttling would be measured");
    }

    /// Every selector, with the labels that it must find.
    fn selectors<'a>(&'a self, pod: &'a Value) -> Vec<(String, &'a Map<String, Value>, &'a Value)> {
        let mut found = Vec::new();
        for object in &self.0 {
            let spec = &object["spec"];
            let (selector, labels) = match text(&object["kind"]) {
                "Deployment" | "PodDisruptionBudget" => (&spec["selector"]["matchLabels"], pod),
                "Service" => (&spec["selector"], pod),
                "NetworkPolicy" => (&spec["podSelector"]["matchLabels"], pod),
                "ServiceMonitor" => (&spec["selector"]["matchLabels"], &self.one("Service")["metadata"]["labels"]),
                _ => continue,
            };
            found.push((text(&object["kind"]).to_owned(), selector.as_object().expect("a selector"), labels));
        }
        found
    }
}

/// A text; empty for none.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A list; empty for none.
pub(super) fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[test]
#[should_panic(expected = "Service selects")]
fn a_service_that_finds_no_pod_is_found() {
    let read = |file: &str| std::fs::read_to_string(super::tools::repository(file)).unwrap();
    let service =
        read("deploy/base/service.yaml").replace("selector:\n    app: tollgate", "selector:\n    app: tolgate");
    Objects::read(&format!("{}---\n{service}", read("deploy/base/deployment.yaml"))).check();
}
