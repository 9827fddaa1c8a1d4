//! Clauses on some requests of a run.

use super::practice::{practice, url};
use super::report::measure_with;

#[test]
fn a_clause_on_one_url_or_status_is_judged_on_its_requests_alone() {
    let server = practice("");
    let slo = "errors{url=/}<1%, errors{url=/status/503}<1% warn, max{url=/status/503,status=503}<60s, 5xx<=120req, \
               p50{status=404}<1s warn";
    let other = url(&server, "/status/503");
    let report = measure_with("-n 240 -c 4 --weights 1,1", &["--slo", slo, &other], &url(&server, "/"));
    let findings = report.json()["verdict"]["findings"].as_array().unwrap();
    let told: Vec<_> = findings
        .iter()
        .map(|f| (f["decision"].as_str().unwrap(), f["value"].as_f64().filter(|v| v.fract() == 0.0), f["n"].as_u64()))
        .collect();
    assert_eq!(told[1], ("fail", Some(1.0), Some(120)), "{report}");
    assert_eq!((told[2].0, told[2].2), ("pass", Some(120)), "{report}");
    assert_eq!((told[4].0, told[4].2), ("insufficient", Some(0)), "{report}");
    assert_eq!(told[0], ("pass", Some(0.0), Some(120)), "{report}");
    assert_eq!(told[3], ("pass", Some(120.0), Some(240)), "{report}");
}
