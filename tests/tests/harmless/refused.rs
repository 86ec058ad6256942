//! A ledger that takes nothing: what is lost is counted, and the caller does not notice.

use dexcost::Refusal;
use http_body_util::BodyExt;
use tower::{Layer, Service};

use crate::script::{Answering, Script};
use crate::{Bench, kinds, now};

#[test]
fn a_sink_that_refuses_everything_costs_the_caller_nothing() {
    for refusal in [Refusal::QueueFull, Refusal::Closed, Refusal::Forked] {
        for kind in kinds::every() {
            let bench = Bench::new();
            bench.sink.refuse(Some(refusal));
            let answering = Answering::new(kind.head(), Script::of(&kind.pieces));
            let mut both = bench.inbound().layer(bench.outbound().layer(answering));
            let mut body = now(both.call(kind.request())).unwrap().into_body();
            let mut heard = Vec::new();
            while let Some(frame) = now(body.frame()) {
                heard.push(frame.unwrap().into_data().unwrap());
            }
            assert_eq!(heard, kind.pieces, "{}", kind.name);
            let lost = |kind: &str| {
                let losses = bench.tracker.losses();
                let of_kind = losses.iter().filter(|loss| loss.kind == kind);
                of_kind.map(|loss| loss.count).sum::<u64>()
            };
            assert_eq!(lost("event"), u64::from(kind.is_billed), "{}", kind.name);
            assert_eq!(
                (lost("task_started"), lost("task_ended")),
                (1, 1),
                "{}",
                kind.name
            );
            let reasons = bench.tracker.losses();
            assert!(reasons.iter().all(|loss| loss.reason == refusal.as_str()));
        }
    }
}

#[test]
fn without_a_tracker_every_kind_passes_and_calls_of_models_are_counted() {
    for kind in kinds::every() {
        let before = dexcost_tower::untracked_calls();
        let answering = Answering::new(kind.head(), Script::of(&kind.pieces));
        let mut both =
            dexcost_tower::TaskLayer::new().layer(dexcost_tower::CaptureLayer::new().layer(answering));
        let body = now(both.call(kind.request())).unwrap().into_body();
        assert_eq!(
            now(body.collect()).unwrap().to_bytes(),
            kind.whole(),
            "{}",
            kind.name
        );
        assert!(dexcost_tower::untracked_calls() >= before);
    }
}
