//! What a real Prometheus makes of the metrics of loads, and what follows from its alerts. The queries are those of
//! `docs/metrics.md`, which are those that people ask their applications.

use std::collections::BTreeMap;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use ::tollgate::practice::Practice;
use ::tollgate::prometheus::{Answers, Prometheus as Asked};
use ::tollgate::server::Settings;
use ::tollgate::task::Kind;
use serde_json::json;

use super::monitoring::{Prometheus, alertmanager, until};
use super::practice::{practice, url};
use super::service::{Answer, Service, Wanted};
use super::together;
use super::tollgate::run as program;

/// The queries of the documentation, in its order.
fn documented() -> Vec<String> {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    let text = std::fs::read_to_string(file).unwrap();
    let (_, queries) = text.split_once("\n## Queries\n").unwrap();
    queries.split("```").skip(1).step_by(2).map(str::to_owned).collect()
}

/// The one that has all of these words, and asks of the release in service only if one of them does.
fn query(words: &[&str]) -> String {
    let compares = |text: &str| text.contains("primary");
    let wanted = words.iter().any(|word| compares(word));
    let fits = |query: &String| words.iter().all(|word| query.contains(word)) && compares(query) == wanted;
    let fitting: Vec<String> = documented().into_iter().filter(fits).collect();
    assert_eq!(fitting.len(), 1, "{words:?}: {fitting:?}");
    fitting.into_iter().next().unwrap()
}

/// A hook of the canary.
fn post(service: &Service, path: &str, metadata: &serde_json::Value) -> Answer {
    let hook = json!({"name": "web-app", "namespace": "shop", "phase": "Progressing", "checksum": "85d557f47b",
        "metadata": metadata});
    service.post(path, &hook.to_string())
}

/// A load of two hundred requests a second to what is called the canary alone.
fn cmd(canary: &Practice, seconds: u32) -> String {
    format!("hey -z {seconds}s -q 50 -c 4 -host web-app-canary {}", url(canary, "/"))
}

/// All counters of a page, histograms' parts among them, by name and labels.
fn counters(page: &str) -> BTreeMap<String, f64> {
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let grows: Vec<&str> =
        types.filter(|(_, kind)| matches!(*kind, "counter" | "histogram")).map(|(name, _)| name).collect();
    let samples = page.lines().filter(|line| grows.iter().any(|name| line.starts_with(name)));
    samples.filter_map(|line| line.rsplit_once(' ')).map(|(name, n)| (name.to_owned(), n.parse().unwrap())).collect()
}

/// Waits that long.
fn pause(time: Duration) {
    let (_never, pause) = mpsc::channel::<()>();
    let _ = pause.recv_timeout(time);
}

#[test]
fn counters_grow_over_the_ends_of_loads_and_analyses_and_come_to_what_the_target_served() {
    let _load = together();
    let (service, canary) = (Service::start(Wanted::default()), practice("latency 2ms, errors 10%"));
    let metadata =
        json!({"cmd": cmd(&canary, 2), "slo": "success>=50%", "wait": "0s", "warmup": "0s", "ready-wait": "0s"});
    let idle = r#"tollgate_loads{namespace="shop",name="web-app"} 0"#;
    let mut before = BTreeMap::new();
    let mut scrape = || {
        let page = service.get("/metrics").body;
        let now = counters(&page);
        for (name, n) in &before {
            assert!(now.get(name).is_some_and(|now| now >= n), "{name} went back from {n}: {:?}", now.get(name));
        }
        before = now;
        page
    };
    let sent = |page: &str, labels: &str| -> f64 {
        let own = counters(page).into_iter().filter(|(name, _)| name.starts_with("tollgate_load_requests_total"));
        own.filter(|(name, _)| name.contains(labels)).map(|(_, n)| n).sum()
    };
    for round in 1..=3 {
        let answer = post(&service, "/rollout", &metadata);
        assert!([200, 202, 425].contains(&answer.status), "{answer:?}");
        if round == 2 {
            // In the middle of a load.
            pause(Duration::from_millis(700));
            post(&service, "/post-rollout", &json!({}));
        }
        // What was under way when a load was stopped is not counted.
        let given_up = if round == 1 { 0 } else { 8 };
        until("the load is over and counted", || {
            let page = scrape();
            let over = page.lines().any(|line| line == idle);
            (over && sent(&page, "") as u64 + given_up >= canary.truth().received).then_some(())
        });
        let (page, truth) = (scrape(), canary.truth());
        let [counted, failed] = ["", r#"status="5xx""#].map(|labels| sent(&page, labels) as u64);
        assert!(counted <= truth.received && failed <= truth.statuses[&500], "round {round}: {truth:?}");
        assert!(failed + given_up >= truth.statuses[&500], "round {round}: {failed} of {truth:?}");
        assert_eq!(sent(&page, r#"outcome="success""#) as u64, counted - failed, "round {round}");
        let latencies =
            counters(&page)[r#"tollgate_load_latency_seconds_count{namespace="shop",name="web-app",version="canary"}"#];
        assert_eq!(latencies as u64, counted - failed, "failures are in no latency");
        let lags =
            counters(&page)[r#"tollgate_load_lag_seconds_count{namespace="shop",name="web-app",version="canary"}"#];
        assert!(lags as u64 >= counted, "each was noticed");
    }
}

#[test]
fn a_prometheus_answers_what_it_is_asked_of_applications() {
    let _load = together();
    let (service, canary) = (Service::start(Wanted::default()), practice("latency 30ms, errors 10%"));
    let stable = practice("errors 5%");
    let Some(prometheus) = Prometheus::start(service.addr, "", None) else { return };
    // The first scrape shows no load yet.
    until("it scrapes", || prometheus.number("up").filter(|up| *up == 1.0));
    let metadata = json!({"cmd": cmd(&canary, 15), "primary": url(&stable, "/"), "wait": "3s",
        "slo": "success>=50%, p95<500ms, errors<=primary+20pp", "warmup": "0s", "ready-wait": "0s"});
    let answer = post(&service, "/rollout", &metadata);
    assert!([200, 202].contains(&answer.status), "{answer:?}");

    let share = query(&["/ sum", r#"status=~"5..""#, r#"version="canary""#]);
    until("the share of 5xx", || prometheus.number(&share).filter(|share| (0.08..0.12).contains(share)));
    let failed = query(&["/ sum", r#"outcome="failure""#]);
    until("the share of failures", || prometheus.number(&failed).filter(|share| (0.08..0.12).contains(share)));
    let p95 = query(&["histogram_quantile(0.95", "tollgate_load_latency"]);
    // Its step ends at 50 ms; a machine that is busy may reach into the next.
    until("the 95th percentile", || prometheus.number(&p95).filter(|p95| (0.025..0.1).contains(p95)));

    let beside = query(&["/ sum", r#"status=~"5..""#, r#"version="primary""#]);
    until("how much worse it is", || prometheus.number(&beside).filter(|times| (1.6..2.4).contains(times)));

    let labels = |query: &str| -> Vec<BTreeMap<String, String>> {
        prometheus.query(query).into_iter().map(|(labels, _)| labels).collect()
    };
    assert_eq!(
        labels(&share),
        [[("namespace", "shop"), ("name", "web-app")].map(|(k, v)| (k.to_owned(), v.to_owned())).into()]
    );
    let bound = r#"tollgate_clause_bound{namespace="shop",name="web-app",hook="/rollout",clause="p95<500ms"}"#;
    until("the clause's bound", || prometheus.number(bound).filter(|bound| *bound == 0.5));
    let value = bound.replace("bound", "value");
    let value = until("its value", || prometheus.number(&value));
    assert!((0.03..0.5).contains(&value), "{value}");
    let success = r#"tollgate_clause_value{clause="success>=50%"}"#;
    let success = until("the share of successes", || prometheus.number(success));
    assert!((0.85..0.95).contains(&success), "{success}");
}

#[test]
fn an_alert_that_prometheus_fires_and_alertmanager_tells_gives_the_release_up() {
    let _load = together();
    let (service, canary) = (Service::start(Wanted::default()), practice("latency 2ms, errors 5%"));
    let Some(alertmanager) = alertmanager(&format!("http://{}/alertmanager", service.addr)) else { return };
    let share =
        query(&["/ sum", r#"status=~"5..""#, r#"version="canary""#]).replace("[5m]", "[10s]").replace('\n', " ");
    let rules = format!(
        "groups:\n  - name: canary\n    rules:\n      - alert: CanaryHighErrorRate\n        expr: '{share} > 0.01'\n        \
         for: 2s\n        labels: {{canary: '{{{{ $labels.name }}}}', severity: critical}}\n"
    );
    let Some(prometheus) = Prometheus::start(service.addr, &rules, Some(alertmanager.addr)) else { return };
    until("it scrapes", || prometheus.number("up").filter(|up| *up == 1.0));
    let metadata = json!({"cmd": cmd(&canary, 60), "slo": "success>=50%", "wait": "0s", "warmup": "0s"});
    post(&service, "/rollout", &metadata);
    let before = post(&service, "/rollback", &json!({}));
    assert!([412, 425].contains(&before.status), "nothing speaks for giving it up so far: {before:?}");
    let given_up = until("the alert arrives", || {
        let answer = post(&service, "/rollback", &json!({}));
        assert!([200, 412, 425].contains(&answer.status), "{answer:?}");
        (answer.status == 200).then_some(answer)
    });
    assert!(
        given_up.body.starts_with("ROLLBACK web-app.shop: alert CanaryHighErrorRate is firing since "),
        "not by what it measured itself: {given_up:?}"
    );
    let page = service.get("/metrics").body;
    let told = r#"tollgate_verdicts_total{namespace="shop",name="web-app",hook="/rollback",verdict="roll-back"} 1"#;
    assert!(page.lines().any(|line| line == told), "{told} is not in\n{page}");
}

/// Clauses, what they come to beside a good release, and what is said of them.
const NUMBERS: [(&str, Kind, &str, i32); 6] = [
    ("prom('vector(0.002)')<1%", Kind::Pass, "ok 0.2%", 0),
    ("prom('vector(0.02)')<1%", Kind::Fail, "prom('vector(0.02)')<1% was 2%", 1),
    ("prom('scalar(vector(0.25))')<300ms", Kind::Pass, "ok 250ms", 0),
    ("prom('vector(0) / vector(0)')<1%", Kind::NotYet, "there was no traffic to divide by", 3),
    ("prom('no_such_metric')<1%", Kind::NotYet, "the query finds no series", 3),
    ("prom('sum(')<1%", Kind::NotYet, "Prometheus refuses the query", 3),
];

#[test]
fn numbers_of_a_prometheus_decide_for_hooks_and_for_runs_and_none_is_no_zero() {
    let _load = together();
    let canary = practice("latency 2ms");
    let Some(prometheus) = Prometheus::start(canary.addr(), "", None) else { return };
    let answers = Answers::of(Arc::new(Asked::new(&prometheus.url(), None, None).unwrap()));
    let mut settings = Settings::default();
    settings.runs.outside = Some(answers);
    settings.hook.prometheus = true;
    let service = Service::start(Wanted { settings, ..Wanted::default() });
    for (number, (clause, kind, said, code)) in NUMBERS.into_iter().enumerate() {
        let metadata =
            json!({"cmd": cmd(&canary, 20), "slo": clause, "wait": "1s", "warmup": "0s", "ready-wait": "0s"});
        let hook = json!({"name": format!("web-{number}"), "namespace": "shop", "phase": "Progressing", "checksum": "1",
            "metadata": metadata});
        let answer = service.post("/rollout", &hook.to_string());
        let status = match kind {
            Kind::Pass => 200,
            Kind::Fail => 412,
            // The first call lets go on once.
            _ => 202,
        };
        assert_eq!(answer.status, status, "{clause}: {answer:?}");
        assert!(answer.body.contains(said), "{clause}: {answer:?}");
        service.post("/post-rollout", &hook.to_string());

        let url = url(&canary, "/");
        let ended = program(["run", "-n", "20", "-c", "2", "--prometheus", &prometheus.url(), "--slo", clause, &url]);
        assert_eq!(ended.code, Some(code), "{clause}: {}{}", ended.stdout, ended.stderr);
        let verdict = ended.stdout.lines().last().unwrap_or_default().to_owned();
        assert!(verdict.contains(said), "{clause}: {verdict}");
    }
    drop(prometheus);
    let gone = json!({"cmd": cmd(&canary, 20), "slo": "prom('vector(0)')<1%", "wait": "1s", "warmup": "0s", "ready-wait": "0s"});
    let answer = post(&service, "/rollout", &gone);
    assert_eq!(answer.status, 202, "{answer:?}");
    assert!(answer.body.contains("cannot be reached"), "a Prometheus that is gone is no zero: {answer:?}");
}
