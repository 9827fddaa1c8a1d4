//! The chart: rendered with the values of the loadtester's chart and with its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tollgate::exec::{Allowed, Program};

use super::objects::{Objects, array, text};
use super::tools::{attempt, program, repository};
use super::{pods, schemas};

/// The values of the loadtester's chart 0.38.0, all of them with something in it.
const OLD: &str = r#"
replicaCount: 1
image: {repository: ghcr.io/fluxcd/flagger-loadtester, tag: 0.38.0, pullPolicy: Always, pullSecret: registry}
podLabels: {team: payments, numbered: 7}
podAnnotations: {prometheus.io/scrape: "true", prometheus.io/port: "8080", more: "yes"}
podPriorityClassName: high
logLevel: debug
cmd: {timeout: 30m, namespaceRegexp: "^(test|prod)$"}
nameOverride: ""
fullnameOverride: ""
env: [{name: HTTPS_PROXY, value: "http://proxy:3128"}]
service: {type: NodePort, port: 8081}
resources: {requests: {cpu: 10m, memory: 64Mi}}
volumes: [{name: tests, configMap: {name: acceptance}}]
volumeMounts: [{name: tests, mountPath: /tests}]
nodeSelector: {disk: ssd}
tolerations: [{key: a, operator: Exists}]
affinity: {nodeAffinity: {}}
rbac:
  create: true
  scope:
  rules: [{apiGroups: [""], resources: [pods], verbs: [list, get]}]
  serviceAccountAnnotations: {release: "{{ .Release.Name }}"}
serviceAccountName: ""
meshName: global
backends: [app1.namespace]
appmesh: {enabled: true, backends: [podinfo, podinfo-canary]}
istio: {enabled: true, host: flagger-loadtester.flagger, gateway: {enabled: true}, tls: {enabled: true, httpsRedirect: true}}
securityContext: {enabled: true, context: {readOnlyRootFilesystem: true, runAsUser: 100, runAsGroup: 101}}
podSecurityContext: {enabled: true, context: {fsGroup: 101, fsGroupChangePolicy: OnRootMismatch}}
podDisruptionBudget: {enabled: true, minAvailable: 1}
"#;

/// The chart's own values, all of them with something in it.
const OWN: &str = r#"
slo: success>=99%, p99<=500ms
shadow: true
state: {size: 1Gi, storageClass: fast}
gateTtl: 12h
stickyGates: true
token: {secret: people}
tls: {secret: pair}
budgets: {maxTasks: 20, maxRate: 500/s, maxConnections: 100, maxDuration: 10m, pace: 50/s}
allowTarget: .+-canary\..+:\d+
exec: {programs: [bash, helm]}
alerts: {labels: "app,namespace", ttl: 20m}
volumes: [{name: prometheus, secret: {secretName: prometheus}}]
volumeMounts: [{name: prometheus, mountPath: /etc/prometheus, readOnly: true}]
prometheusUrl: http://prometheus.test:9090
prometheusCacert: /etc/prometheus/ca.crt
prometheusTokenFile: /etc/prometheus/token
notifyUrl: http://chat.test/hook
drain: {delay: 1s, grace: 5s}
extraArgs: ["--listen=::"]
networkPolicy: {enabled: true}
serviceMonitor: {enabled: true, interval: 30s, labels: {release: prometheus}}
podDisruptionBudget: {enabled: true}
"#;

/// The chart's renderer; `None`, said aloud, where it is missing.
pub(super) struct Helm {
    program: PathBuf,
    folder: tempfile::TempDir,
}

impl Helm {
    pub(super) fn new() -> Option<Self> {
        let program = program("helm", ".ci/tools makes it")?;
        Some(Self { program, folder: tempfile::tempdir().unwrap() })
    }

    /// The objects of a release, or what helm says instead.
    fn attempt(&self, release: &str, values: &str) -> Result<Objects, String> {
        let file = self.folder.path().join("values.yaml");
        std::fs::write(&file, values).unwrap();
        let mut command = Command::new(&self.program);
        command.args(["template", release]).arg(repository("deploy/chart")).arg("--values").arg(file);
        command.args(["--namespace", "test", "--skip-tests", "--kube-version", "1.34.0"]);
        // Without a home, helm leaves the user's own alone.
        command.env("HOME", self.folder.path());
        attempt(&mut command).map(|text| Objects::read(&text))
    }

    pub(super) fn render(&self, release: &str, values: &str) -> Objects {
        self.attempt(release, values).unwrap_or_else(|said| panic!("{values}: {said}"))
    }
}

fn checked(objects: Objects) -> Objects {
    objects.check();
    schemas::check(&objects);
    pods::check(&objects);
    objects
}

#[test]
fn without_values_a_release_stands_where_the_loadtesters_stood() {
    let Some(helm) = Helm::new() else { return };
    let objects = checked(helm.render("flagger-loadtester", ""));
    assert_eq!(objects.names(), ["Service flagger-loadtester", "Deployment flagger-loadtester"]);
    let deployment = objects.one("Deployment");
    assert_eq!(deployment["spec"]["selector"]["matchLabels"], json!({"app": "loadtester"}), "immutable");
    assert_eq!(objects.container()["name"], "loadtester");
    let flags = ["-port=8080", "-log-level=info", "-timeout=1h", "-namespace-regexp="];
    assert_eq!(objects.command()[1..5], flags, "what the loadtester was given");
    assert_eq!(objects.container()["resources"]["requests"]["cpu"], "250m");
    assert_eq!(deployment["spec"]["strategy"], Value::Null);
    for (release, values, name) in [
        ("tollgate", "", "tollgate-loadtester"),
        ("my-loadtester", "", "my-loadtester"),
        ("a", "nameOverride: gate", "a-gate"),
        ("a", "fullnameOverride: flagger-loadtester", "flagger-loadtester"),
        ("a", &format!("fullnameOverride: {}", "x".repeat(70)), &"x".repeat(63)),
    ] {
        let objects = helm.render(release, values);
        objects.check();
        assert_eq!(text(&objects.one("Service")["metadata"]["name"]), name, "{release}: {values}");
    }
}

#[test]
fn every_value_of_the_loadtesters_chart_means_what_it_meant() {
    let Some(helm) = Helm::new() else { return };
    let objects = checked(helm.render("flagger-loadtester", OLD));
    let deployment = objects.one("Deployment");
    let pod = &deployment["spec"]["template"];
    let account = &objects.one("ServiceAccount")["metadata"];
    for (found, expected) in [
        (&pod["metadata"]["labels"]["numbered"], json!("7")),
        (&pod["metadata"]["annotations"]["more"], json!("yes")),
        (&pod["spec"]["priorityClassName"], json!("high")),
        (&pod["spec"]["imagePullSecrets"], json!([{"name": "registry"}])),
        (&pod["spec"]["serviceAccountName"], json!("flagger-loadtester")),
        (&pod["spec"]["nodeSelector"], json!({"disk": "ssd"})),
        (&pod["spec"]["tolerations"][0]["key"], json!("a")),
        (&pod["spec"]["affinity"], json!({"nodeAffinity": {}})),
        (&pod["spec"]["securityContext"]["fsGroup"], json!(101)),
        (&pod["spec"]["volumes"][0]["configMap"]["name"], json!("acceptance")),
        (&objects.container()["volumeMounts"][0]["mountPath"], json!("/tests")),
        (&objects.container()["env"][0]["name"], json!("HTTPS_PROXY")),
        (&objects.container()["imagePullPolicy"], json!("Always")),
        (&objects.container()["resources"]["requests"]["cpu"], json!("10m")),
        (&objects.container()["securityContext"]["runAsUser"], json!(100)),
        (&account["annotations"]["release"], json!("flagger-loadtester")),
        (&objects.one("Role")["rules"][0]["verbs"], json!(["list", "get"])),
        (&objects.one("RoleBinding")["roleRef"]["kind"], json!("Role")),
        (&objects.one("Service")["spec"]["type"], json!("NodePort")),
        (&objects.one("Service")["spec"]["ports"][0]["port"], json!(8081)),
        (&objects.one("PodDisruptionBudget")["spec"]["minAvailable"], json!(1)),
        (&objects.one("VirtualService")["spec"]["http"][0]["route"][0]["destination"]["port"]["number"], json!(8081)),
        (&objects.one("Gateway")["spec"]["servers"][1]["tls"]["credentialName"], json!("flagger-loadtester")),
        (&objects.of("VirtualNode")[0]["spec"]["meshName"], json!("global")),
    ] {
        assert_eq!(*found, expected);
    }
    let flags = ["-log-level=debug", "-timeout=30m", "-namespace-regexp=^(test|prod)$"];
    assert_eq!(objects.command()[2..5], flags);
    let cluster = helm.render("a", "rbac: {create: true, scope: cluster, rules: []}");
    assert_eq!(cluster.one("ClusterRoleBinding")["roleRef"]["kind"], "ClusterRole");
    let own = helm.render("a", "serviceAccountName: mine\nrbac: {create: true, rules: []}");
    assert_eq!(own.one("Deployment")["spec"]["template"]["spec"]["serviceAccountName"], "mine");
    let open = helm.render("a", "securityContext: {enabled: false}\npodSecurityContext: {enabled: false}");
    assert_eq!(open.container()["securityContext"], Value::Null);
    assert_eq!(open.one("Deployment")["spec"]["template"]["spec"]["securityContext"], Value::Null);
    let extra =
        helm.render("a", "extraDeploy: [{kind: One, metadata: {name: \"{{ .Release.Name }}\"}}, \"kind: Two\"]");
    assert_eq!((&extra.one("One")["metadata"]["name"], extra.of("Two").len()), (&json!("a"), 1));
}

#[test]
fn every_value_of_its_own_becomes_a_flag_that_the_program_takes() {
    let Some(helm) = Helm::new() else { return };
    let objects = checked(helm.render("flagger-loadtester", OWN));
    let expected = [
        "--default-slo=success>=99%, p99<=500ms",
        "--shadow",
        "--state=/var/lib/tollgate/state",
        "--gate-ttl=12h",
        "--sticky-gates",
        "--token-file=/etc/tollgate/token/token",
        "--tls-cert=/etc/tollgate/tls/tls.crt",
        "--tls-key=/etc/tollgate/tls/tls.key",
        "--max-tasks=20",
        "--max-rate=500/s",
        "--max-connections=100",
        "--max-duration=10m",
        "--pace=50/s",
        r"--allow-target=.+-canary\..+:\d+",
        "--enable-exec=bash,helm",
        "--alert-labels=app,namespace",
        "--alert-ttl=20m",
        "--prometheus=http://prometheus.test:9090",
        "--prometheus-cacert=/etc/prometheus/ca.crt",
        "--prometheus-token-file=/etc/prometheus/token",
        "--notify-url=http://chat.test/hook",
        "--drain-delay=1s",
        "--drain-grace=5s",
        "--listen=::",
    ];
    assert_eq!(objects.command()[5..], expected);
    let deployment = objects.one("Deployment");
    assert_eq!(deployment["spec"]["strategy"], json!({"type": "Recreate"}), "one process uses the file");
    let claim = objects.one("PersistentVolumeClaim");
    let volumes = array(&deployment["spec"]["template"]["spec"]["volumes"]);
    assert_eq!(volumes[0]["persistentVolumeClaim"]["claimName"], claim["metadata"]["name"]);
    assert_eq!(claim["metadata"]["annotations"]["helm.sh/resource-policy"], "keep");
    assert_eq!(claim["spec"]["storageClassName"], "fast");
    assert_eq!(objects.one("ServiceMonitor")["spec"]["endpoints"][0]["scheme"], "https");
    let asking = &objects.one("NetworkPolicy")["spec"]["ingress"][0]["from"];
    assert_eq!(asking[0]["podSelector"]["matchLabels"], json!({"app.kubernetes.io/name": "flagger"}));
    for (values, source) in [
        ("state: {existingClaim: mine}", json!({"persistentVolumeClaim": {"claimName": "mine"}})),
        ("state: {volume: {hostPath: {path: /srv}}}", json!({"hostPath": {"path": "/srv"}})),
    ] {
        let objects = checked(helm.render("a", values));
        let mut volume = objects.one("Deployment")["spec"]["template"]["spec"]["volumes"][0].clone();
        volume.as_object_mut().unwrap().remove("name");
        assert_eq!((volume, objects.of("PersistentVolumeClaim").len()), (source, 0));
    }
    checked(helm.render("a", "exec: {programs: [concord]}"));
    let mutual = checked(helm.render("a", "tls: {secret: pair, clientCa: ca.crt}"));
    assert_eq!(mutual.container()["livenessProbe"]["tcpSocket"]["port"], "http", "the kubelet has no certificate");
}

#[test]
fn values_that_contradict_each_other_or_do_not_exist_are_refused_with_what_to_do() {
    let Some(helm) = Helm::new() else { return };
    for (values, said) in [
        ("replicaCount: 2", &["replicaCount: got 2, expected 1: gates and analyses belong to one process"][..]),
        (
            "state: {size: 1Gi, existingClaim: a}",
            &["state: got state.size and state.existingClaim, expected one of them"],
        ),
        ("state: {existingClaim: a, volume: {emptyDir: {}}}", &["got state.existingClaim and state.volume"]),
        ("state: {storageClass: fast}", &["state.storageClass: got 'fast', expected it beside state.size"]),
        ("tls: {secret: pair, key: ''}", &["tls.key: got nothing, expected the entry of Secret pair"]),
        ("tls: {secret: pair, cert: ''}", &["tls.cert: got nothing"]),
        ("tls: {clientCa: ca.crt}", &["tls.clientCa: got 'ca.crt', expected tls.secret beside it"]),
        ("token: {secret: a, key: ''}", &["token.key: got nothing"]),
        ("tls: {secret: pair}\nistio: {enabled: true}", &["istio.enabled: got true, expected no tls.secret beside it"]),
        ("podDisruptionBudget: {enabled: true, minAvailable: 0}", &["podDisruptionBudget.minAvailable: got 0"]),
        ("replicaCount: 3\ntls: {clientCa: a}", &["replicaCount: got 3", "tls.clientCa: got 'a'"]),
        ("sloo: p99<1s", &["'sloo' not allowed"]),
        ("budgets: {maxRate: 5}", &["/budgets/maxRate"]),
        ("budgets: {maxTask: 5}", &["'maxTask' not allowed"]),
        ("exec: {programs: [zsh]}", &["/exec/programs/0"]),
        ("gateTtl: soon", &["/gateTtl"]),
    ] {
        let refusal = helm.attempt("a", values).expect_err(values);
        for said in said {
            assert!(refusal.contains(said), "{values}: {refusal}");
        }
    }
}

#[test]
fn the_chart_is_of_this_version_and_its_schema_has_every_value() {
    let read = |name: &str| std::fs::read_to_string(repository("deploy/chart").join(name)).unwrap();
    let chart: Value = serde_saphyr::from_str(&read("Chart.yaml")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!((text(&chart["version"]), text(&chart["appVersion"])), (version, version));
    assert_eq!(chart["name"], "loadtester", "selectors follow from it");
    let values: Value = serde_saphyr::from_str(&read("values.yaml")).unwrap();
    let schema: Value = serde_json::from_str(&read("values.schema.json")).unwrap();
    assert!(jsonschema::is_valid(&schema, &values));
    let programs = schema["properties"]["exec"]["properties"]["programs"]["items"]["enum"].as_array().unwrap();
    let taken = |name: &Value| text(name).parse::<Allowed>().is_ok();
    let known = Program::ALL.map(Program::name).into_iter().chain(["concord"]);
    assert!(
        programs.iter().all(taken) && known.into_iter().all(|name| programs.contains(&json!(name))),
        "{programs:?}"
    );
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let described: Vec<String> = names(&schema["properties"]).into_iter().filter(|name| name != "global").collect();
    assert_eq!(described, names(&values));
    let used: String = ["deployment.yaml", "_helpers.tpl", "service.yaml", "state.yaml", "rbac.yaml", "pdb.yaml"]
        .into_iter()
        .chain(["networkpolicy.yaml", "servicemonitor.yaml", "istio.yaml", "appmesh.yaml", "extra.yaml"])
        .map(|file| read(Path::new("templates").join(file).to_str().unwrap()))
        .collect();
    for name in names(&values) {
        assert!(
            used.contains(&format!(".Values.{name}")) || used.contains(&format!("$v.{name}")),
            "{name} does nothing"
        );
    }
}

#[test]
fn every_flag_of_the_service_has_a_value_but_for_some() {
    // Addresses and names are the pod's own affair, the others do nothing; extraArgs takes them all the same.
    let without = ["listen", "resolve", "zap-encoding", "zap-replace-globals"];
    let page = std::fs::read_to_string(repository("docs/webhooks.md")).unwrap();
    let template = std::fs::read_to_string(repository("deploy/chart/templates/deployment.yaml")).unwrap();
    let flags = page.lines().filter_map(|line| line.strip_prefix("| `--")?.split([' ', '`']).next());
    let missing: Vec<&str> = flags.filter(|flag| !template.contains(&format!("-{flag}"))).collect();
    assert_eq!(missing, without);
}
