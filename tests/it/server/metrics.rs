//! The metrics: those that the documentation lists and no others, with values that are true.

use std::collections::BTreeSet;

use crate::service::{Service, Wanted, ask};
use crate::source::root;

const WHO: &str = r#"{"name":"podinfo","namespace":"test"}"#;

/// Name, type and labels.
type Row = (String, String, Vec<String>);

/// Names of labels in a sample such as `name{path="/",status="200"} 1`.
fn labels(sample: &str) -> BTreeSet<String> {
    let inside = sample.split_once('{').and_then(|(_, rest)| rest.rsplit_once('}')).map_or("", |(inside, _)| inside);
    let names = inside.split("\",").filter_map(|label| label.split_once('=').map(|(name, _)| name.to_owned()));
    names.filter(|name| name != "le").collect()
}

fn scraped(page: &str) -> BTreeSet<Row> {
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let rows = types.map(|(name, kind)| {
        let name = match kind {
            "counter" => format!("{name}_total"),
            "info" => format!("{name}_info"),
            _ => name.to_owned(),
        };
        let own = page.lines().filter(|line| line.starts_with(&name));
        let labels: BTreeSet<String> = own.flat_map(labels).collect();
        (name, kind.to_owned(), labels.into_iter().collect())
    });
    rows.collect()
}

fn documented() -> BTreeSet<Row> {
    let text = std::fs::read_to_string(root().join("docs/metrics.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `tollgate_"));
    let rows = rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let mut labels: Vec<String> = cells[3].split('`').skip(1).step_by(2).map(str::to_owned).collect();
        labels.sort();
        (cells[1].trim_matches('`').to_owned(), cells[2].to_owned(), labels)
    });
    rows.collect()
}

/// Waits until a load has counted its first request that was not answered.
fn until_counted(service: &Service) {
    let refused = r#"outcome="failure",status="none",fault="refused"} "#;
    while !service.get("/metrics").body.contains(refused) {
        std::thread::park_timeout(std::time::Duration::from_millis(50));
    }
}

#[test]
fn the_documentation_lists_every_metric_and_no_other() {
    let service = Service::start(Wanted::default());
    service.post("/gate/open", WHO);
    service.post("/event", r#"{"metadata":{"eventType":"Warning","eventMessage":"Halt"}}"#);
    // A load that is judged at once, and fails; a command that fails. Nothing listens there.
    let who = r#""name":"podinfo","namespace":"test","phase":"Progressing","checksum":"1""#;
    let load = r#"{"cmd":"hey -z 1m -q 10 -c 1 http://127.0.0.1:9","wait":"0s","ready-wait":"0s","warmup":"0s"}"#;
    service.post("/rollout", &format!("{{{who},\"metadata\":{load}}}"));
    let command = r#"{"type":"bash","cmd":"curl http://127.0.0.1:9"}"#;
    assert_eq!(service.post("/", &format!("{{{who},\"metadata\":{command}}}")).status, 412);
    until_counted(&service);
    service.post("/rollout", &format!("{{{who},\"metadata\":{load}}}"));
    let answer = service.get("/metrics");
    let kind = answer.headers.iter().find(|(name, _)| name == "Content-Type").unwrap();
    assert_eq!(kind.1, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(answer.body.ends_with("# EOF\n"));
    assert_eq!(scraped(&answer.body), documented());
}

#[test]
fn what_is_counted_is_what_was_asked() {
    let service = Service::start(Wanted::default());
    for _ in 0..3 {
        service.post("/gate/check", WHO);
    }
    service.post("/gate/open", WHO);
    service.post("/gate/check", WHO);
    service.post("/rollback/open", WHO);
    service.post("/rollback/close", WHO);
    service.post("/no/such/path", WHO);
    service.get("/api/v1/gates/test/podinfo");
    ask(service.addr, "POST", "/event", &[], br#"{"metadata":{"eventType":"Normal"}}"#);
    let load = |cmd: &str, slo: &str| {
        let metadata = format!(r#"{{"cmd":"{cmd}","slo":"{slo}","wait":"0s","ready-wait":"1m"}}"#);
        let who = r#""name":"podinfo","namespace":"test","phase":"Progressing","checksum":"1""#;
        service.post("/rollout", &format!("{{{who},\"metadata\":{metadata}}}")).status
    };
    // Nothing listens there: it is asked again and again, for a minute.
    let cmd = "hey -z 1m -q 1 -c 1 http://127.0.0.1:9";
    assert_eq!([load(cmd, "p99<1s"), load(cmd, "p99<1s"), load(cmd, "p99<2s")], [425; 3]);
    let command = |cmd: &str| {
        let metadata = format!(r#"{{"type":"bash","cmd":"{cmd}"}}"#);
        let who = r#""name":"podinfo","namespace":"test""#;
        service.post("/", &format!("{{{who},\"metadata\":{metadata}}}")).status
    };
    let healthz = format!("curl -s http://{}/healthz", service.addr);
    assert_eq!(
        [command(&healthz), command("curl http://127.0.0.1:9"), command("curl http://127.0.0.1:9")],
        [200, 412, 412]
    );
    let page = service.get("/metrics").body;
    for line in [
        r#"tollgate_verdicts_total{namespace="test",name="podinfo",hook="/rollout",verdict="not-yet"} 3"#,
        r#"tollgate_loads{namespace="test",name="podinfo"} 1"#,
        r#"tollgate_hook_requests_total{path="/gate/check",status="403"} 3"#,
        r#"tollgate_hook_requests_total{path="/gate/check",status="200"} 1"#,
        r#"tollgate_hook_requests_total{path="/gate/open",status="202"} 1"#,
        r#"tollgate_hook_requests_total{path="other",status="404"} 1"#,
        r#"tollgate_hook_requests_total{path="/api/v1/gates/{namespace}/{name}",status="200"} 1"#,
        r#"tollgate_hook_duration_seconds_count{path="/gate/check"} 4"#,
        r#"tollgate_flagger_events_total{type="Normal"} 1"#,
        r#"tollgate_gate_open{kind="confirm",namespace="test",name="podinfo"} 1"#,
        r#"tollgate_gate_open{kind="rollback",namespace="test",name="podinfo"} 0"#,
        r#"tollgate_commands_total{namespace="test",name="podinfo",type="bash",result="failed"} 2"#,
        r#"tollgate_commands_total{namespace="test",name="podinfo",type="bash",result="succeeded"} 1"#,
        "tollgate_panics_total 0",
    ] {
        assert!(page.lines().any(|had| had == line), "{line} is not in\n{page}");
    }
}
