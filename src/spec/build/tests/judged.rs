//! What a run is judged by, and beside whom.

use super::*;

#[test]
fn reports_to_compare_with_are_given_by_the_names_that_the_objective_uses() {
    let line = "p95<=last+10%, p50<=baseline(v 41)*1.2, errors<=baseline(v42)";
    let all = [(Id::Slo, line), (Id::Last, "l.json"), (Id::Baseline, "v 41=a=b.json"), (Id::Baseline, "v42=c.json")];
    let named = |name: &str| Reference::Baseline(name.to_owned());
    assert_eq!(
        spec(&all).references,
        [(Reference::Last, "l.json".into()), (named("v 41"), "a=b.json".into()), (named("v42"), "c.json".into())]
    );
    assert_eq!(
        mistakes(&[(Id::Slo, "p95<=last"), (Id::Baseline, "v41=a.json")]),
        ["--slo: got 'p95<=last', expected clauses on runs whose reports are given; give the report of last with \
          --last FILE"]
    );
    assert_eq!(
        mistakes(&[(Id::Slo, "p95<=baseline(x)")]),
        ["--slo: got 'p95<=baseline(x)', expected clauses on runs whose reports are given; give the report of \
          baseline(x) with --baseline x=FILE"]
    );
    assert_eq!(
        mistakes(&[(Id::Slo, "p95<=baseline(x)"), (Id::Baseline, "x=a"), (Id::Baseline, "x=b")]),
        ["--baseline: got 'x=b', expected each name once; baseline(x) is given twice"]
    );
    for wrong in ["a.json", "=a.json", "a(b)=c.json", "a="] {
        assert_eq!(mistakes(&[(Id::Baseline, wrong)]).len(), 1, "{wrong}");
    }
    let unused = spec(&[(Id::Slo, "p95<1s"), (Id::Last, "l.json")]);
    assert_eq!(unused.notes, ["the report of last has no effect: no clause compares with it"]);
    assert!(unused.references.is_empty());
    assert_eq!(
        mistakes(&[(Id::Slo, "p95<=primary, prom('up')>=1req")]),
        ["--slo: got 'p95<=primary, prom('up')>=1req', expected an objective such as 'success>=99%, p99<500ms'; \
          primary: say where the release in service is: --primary URL; prom('…'): there is no Prometheus to ask: \
          give --prometheus URL"]
    );
}

#[test]
fn queries_are_put_to_the_prometheus_that_is_named() {
    let here = (Id::Prometheus, "https://prometheus.test/prefix");
    assert_eq!(
        spec(&[here, (Id::Slo, "prom('up')>=1req")]).prometheus.map(|outside| outside.url).as_deref(),
        Some(here.1)
    );
    let unused = spec(&[here, (Id::Slo, "p95<1s")]);
    assert_eq!((unused.prometheus, unused.notes.len()), (None, 1), "{:?}", unused.notes);
    for wrong in ["prometheus:9090", "ftp://prometheus.test/", "prometheus", ""] {
        let said = mistakes(&[(Id::Prometheus, wrong)]);
        assert!(said.len() == 1 && said[0].contains("an address such as http://HOST"), "{said:?}");
    }
}

#[test]
fn who_is_judged_is_told_by_a_header_and_an_expression() {
    let identify = |text: &str| spec(&[(Id::Identify, text)]).plan.identify;
    let expected = Identify { header: "X-Version".into(), pattern: "^v2=?".into() };
    assert_eq!((identify("X-Version=^v2=?"), spec(&[]).plan.identify), (Some(expected), None));
    for (wrong, part) in [
        ("X-Version", "expected HEADER=REGEX"),
        ("a b=c", "a header's name"),
        ("a=", "an empty"),
        ("a=(", "cannot be read"),
    ] {
        let said = mistakes(&[(Id::Identify, wrong)]);
        assert!(said.len() == 1 && said[0].contains(part), "{said:?}");
    }
}

#[test]
fn a_primary_gets_the_same_load_at_its_own_address() {
    let beside = spec(&[(Id::Primary, "http://b.test:81/{{pick:1,2}}"), (Id::Slo, "p95<=primary"), (Id::Body, "x")]);
    let primary = beside.primary.expect("it was given");
    let target = &primary.targets[0];
    assert_eq!((target.origin.to_string().as_str(), target.request.authority.as_str()), ("b.test:81", "b.test:81"));
    assert!(target.drawn.is_some() && primary.seed == beside.plan.seed, "and draws the same");
    let same = Plan { targets: beside.plan.targets.clone(), ..primary.clone() };
    assert_eq!(same, beside.plan, "everything else is alike");
    let told = spec(&[(Id::Primary, "http://b.test/"), (Id::Slo, "p95<=primary"), (Id::Identify, "X-V=2")]);
    assert!(told.plan.identify.is_some() && told.primary.unwrap().identify.is_none(), "the header tells the canary's");
    assert_eq!(spec(&[]).primary, None);
    assert_eq!(
        mistakes(&[(Id::Slo, "p95<=primary")]),
        ["--slo: got 'p95<=primary', expected an objective such as 'success>=99%, p99<500ms'; primary: say where the \
             release in service is: --primary URL"]
    );
    let two = mistakes(&[(Id::Url, "http://c.test/"), (Id::Primary, "http://b.test/")]);
    assert_eq!(two, ["--primary: got 'http://b.test/', expected one URL beside --primary; compare one URL with one"]);
}

#[test]
fn a_clause_on_a_url_is_held_to_the_urls_of_the_run() {
    let other = (Id::Url, "http://podinfo.test/cart?a=1");
    let line = "p95{url=/cart?a=1}<1s, errors{url=http://podinfo.test/}<1%, p99<1s";
    let spec = spec(&[other, (Id::Slo, line)]);
    let meters = spec.objective.unwrap().line.measures(StatusSet::ok(), None).meters;
    let of = |meter: usize, class: u16| meters[meter].only.classes.map(|classes| classes.contains(class));
    assert_eq!((of(0, 0), of(0, 1)), (Some(false), Some(true)));
    assert_eq!((of(2, 0), of(2, 1), of(3, 0)), (Some(true), Some(false), None));
    let wrong = mistakes(&[other, (Id::Slo, "p95{url=/chart}<1s")]);
    assert_eq!(wrong.len(), 1);
    assert!(
        wrong[0].ends_with("; p95{url=/chart}<1s: no URL of this run is /chart; there are /, /cart?a=1"),
        "{wrong:?}"
    );
}

#[test]
fn an_objective_on_its_own_knows_no_urls_and_no_earlier_runs() {
    let refused = |text: &str| objective(text, Beside::default()).unwrap_err().advice.unwrap();
    assert_eq!(
        refused("p95{url=/}<1s, p50<=last"),
        "p95{url=/}<1s: no URL is known that this could be about: leave url= off; last: there is no report of it to \
         compare with"
    );
    assert!(objective("p95{status=2xx}<1s over=10s", Beside::default()).is_ok());
    let nobody = "prom('…'): there is no Prometheus to ask: give --prometheus URL";
    assert_eq!(refused("p95<1s, prom('up')>=1req"), nobody);
    assert!(objective("p95<1s, prom('up')>=1req", Beside { prometheus: true, primary: false }).is_ok());
    assert_eq!(refused("p95<=primary"), "primary: there is none to compare with: give primary");
    assert!(objective("p95<=primary", Beside { prometheus: false, primary: true }).is_ok());
}
