//! Loads that are judged while they run.

use std::sync::Arc;

use ::tollgate::load::{Engine, Windows};
use ::tollgate::slo::{self, Decision, Line};
use ::tollgate::spec::{Id, SpecBuilder};
use ::tollgate::stats::{Detail, Measures, Reading, StatusSet, Summary, Tally};

use super::practice::{practice, url};
use super::together;

/// A load as the flags say, judged by a line, against a canary that behaves so; what `judge` makes of it while it runs,
/// and what the seconds of the whole load amount to when it is over.
fn loaded<T>(
    behaviour: &str,
    wishes: &[(Id, &str)],
    line: &str,
    judge: impl AsyncFnOnce(&Windows, &Arc<Measures>) -> T,
) -> (T, Summary) {
    let _load = together();
    let server = practice(behaviour);
    let mut builder = SpecBuilder::new();
    builder.give(Id::Url, url(&server, "/"));
    wishes.iter().for_each(|(id, text)| builder.give(*id, *text));
    let spec = builder.build(&|_| Err(std::io::ErrorKind::NotFound.into())).unwrap();
    let measures = Arc::new(parsed(line).measures(StatusSet::default(), spec.plan.schedule.total()));
    let engine = Engine::start(2).unwrap();
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let load = engine.run(&Arc::new(spec.plan), &measures, Detail::Window).unwrap();
        let windows = load.windows().expect("it keeps windows");
        let meanwhile = judge(&windows, &measures).await;
        load.finish().await;
        (meanwhile, windows.look(&measures, 0..600).await)
    })
}

fn parsed(line: &str) -> Line {
    slo::parse(line).unwrap()
}

fn tally(summary: &Summary, meter: usize) -> Tally {
    match summary.readings.get(meter) {
        Some(Reading::Tally(tally)) => *tally,
        other => panic!("no counter: {other:?}"),
    }
}

#[test]
fn every_request_is_in_exactly_one_second_and_none_is_left_over() {
    let wishes = [(Id::Rate, "200/s"), (Id::Duration, "3s"), (Id::Warmup, "1s")];
    let ((), whole) = loaded("errors 10%", &wishes, "success>=95%, p99<2s", async |_, _| {});
    assert_eq!((whole.finished, whole.generator.scheduled), (600, 600), "the warm-up is left out: {whole:?}");
    let success = tally(&whole, 0);
    assert_eq!((success.n, success.pending), (600, 0));
    assert_eq!(whole.succeeded, success.k);
    assert!((539..=541).contains(&success.k), "every tenth of eight hundred failed, warm-up included: {success:?}");
    assert_eq!(slo::judge(&parsed("success>=95%, p99<2s"), &(&whole).into()).decision, Decision::Fail);
}

#[test]
fn a_canary_that_hangs_fails_before_any_of_its_requests_is_finished() {
    let line = "success>=99%, p99<20ms";
    let wishes = [(Id::Rate, "200/s"), (Id::Duration, "3s"), (Id::Timeout, "1s")];
    let (seen, whole) = loaded("hang 100%", &wishes, line, async |windows, measures| {
        // Ten times the bound of 20 ms is enough to call a request failed; a hundred must have waited so long.
        loop {
            let now = windows.look(measures, 0..600).await;
            if tally(&now, 0).pending >= 120 || now.finished > 0 {
                return now;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    });
    assert_eq!((seen.finished, tally(&seen, 0).n, tally(&seen, 1).n), (0, 0, 0), "nothing was answered: {seen:?}");
    assert!(tally(&seen, 1).pending >= tally(&seen, 0).pending, "and what failed was too slow before");
    let verdict = slo::judge(&parsed(line), &(&seen).into());
    assert_eq!(verdict.decision, Decision::Fail, "{verdict:?}");
    assert_eq!((whole.finished, whole.succeeded, tally(&whole, 0).pending), (600, 0, 0), "in the end all timed out");
}

#[test]
fn measures_that_come_later_count_from_then_on() {
    let wishes = [(Id::Rate, "100/s"), (Id::Duration, "3s")];
    let (later, whole) = loaded("", &wishes, "success>=99%", async |windows, measures| {
        while windows.look(measures, 0..600).await.finished < 50 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let later = Arc::new(parsed("p50<1s").measures(StatusSet::default(), None));
        windows.count(&later);
        while windows.look(measures, 0..600).await.finished < 250 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        windows.look(&later, 0..600).await
    });
    let counted = tally(&later, 0);
    assert_eq!(counted.n, later.finished, "one meter, all its own: {later:?}");
    assert!((150..=200).contains(&counted.n), "the first fifty and a few more came before it: {counted:?}");
    assert_eq!(whole.finished, 300);
}
