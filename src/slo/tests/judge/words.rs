//! What a verdict says of the failures besides their number.

use super::*;

#[test]
fn failed_grpc_calls_say_with_what_and_in_whose_words() {
    let grpc = |n, status| times(n, request(Outcome { code: Code::Grpc(status), fault: None }, 1.0, 1.0));
    let samples = [grpc(180, 0), grpc(3, 5), grpc(20, 14)].concat();
    let note = |words: &str| {
        let said = |s: &mut Summary| s.said.first(14, || words.to_owned());
        let verdict = verdict_on("success>=99%, p99<1s", &samples, said);
        (verdict.findings[0].note.clone().unwrap(), verdict.reason)
    };
    assert_eq!(note("").0, "most often UNAVAILABLE", "without a word");
    let (note_of_few, reason) = note("no healthy upstream");
    assert_eq!(note_of_few, "most often UNAVAILABLE: no healthy upstream");
    assert!(reason.contains("n=203); most often UNAVAILABLE: no healthy upstream; p99<1s ok "), "{reason}");
    let (note_of_many, reason) = note(&"x".repeat(150));
    assert_eq!(note_of_many, format!("most often UNAVAILABLE: {}…", "x".repeat(79)));
    assert!(reason.contains("p99<1s ok"), "long words leave room for the other clause: {reason}");
    let hung = [grpc(180, 0), grpc(3, 14), times(17, failed(Fault::Timeout))].concat();
    assert_eq!(verdict_on("success>=99%", &hung, |_| {}).findings[0].note, None, "most of them said nothing");
    let none = verdict_on("success>=99%", &[grpc(200, 0), times(9, failed(Fault::Reset))].concat(), |_| {});
    assert_eq!(none.findings[0].note, None, "no call failed by its status");
}

#[test]
fn a_run_of_4xx_says_how_to_allow_them() {
    let note = |samples: &[Sample]| verdict("success>=99%", samples).findings[0].note.clone();
    let missing = times(1200, answered(404, 1.0));
    assert_eq!(note(&missing).as_deref(), Some("all 1200 answered 404; if that is right, set success: non-5xx"));
    let reason = verdict("success>=99%", &missing).reason;
    assert!(reason.ends_with("; all 1200 answered 404; if that is right, set success: non-5xx"), "{reason}");
    let some = [times(200, answered(200, 1.0)), times(30, answered(404, 1.0)), times(9, answered(403, 1.0))].concat();
    assert_eq!(note(&some).as_deref(), Some("all 39 failures answered 4xx; if that is right, set success: non-5xx"));
    assert_eq!(note(&[times(100, answered(404, 1.0)), times(1, answered(500, 1.0))].concat()), None);
    assert_eq!(note(&[times(100, answered(404, 1.0)), times(1, failed(Fault::Reset))].concat()), None);
    assert_eq!(verdict("5xx==0", &missing).decision, Decision::Pass);
}
