//! Giving up, failing and panicking at every place where a caller can wait: settled once, never twice.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::time::Duration;

use dexcost::{OperationStatus, TaskStatus};
use http_body_util::BodyExt;
use tower::{Layer, Service, ServiceExt};

use crate::kinds::{self, Kind};
use crate::script::{Answering, Place, Places, Script, Step};
use crate::server::Server;
use crate::{Bench, as_they_stand, now, once};

fn waiting_at(ready: Place, head: Place) -> Places {
    Places {
        ready,
        head,
        ..Places::default()
    }
}

/// Polls the whole of an exchange so many times, then drops it; whether it had come to its end.
fn given_up_after(bench: &Bench, kind: &Kind, polls: usize, is_inbound: bool) -> bool {
    let places = waiting_at(Place::Waits, Place::Waits);
    let answering = Answering::new(kind.head(), Script::of(&kind.pieces).hesitating()).at(places);
    let capture = bench.outbound().layer(answering);
    if is_inbound {
        let service = bench.inbound().layer(capture);
        let exchange = async { read(service.oneshot(kind.request()).await.unwrap()).await };
        return is_over_after(polls, exchange);
    }
    let exchange = async {
        let mut capture = capture;
        let ready = ServiceExt::<http::Request<http_body_util::Full<bytes::Bytes>>>::ready(&mut capture);
        let ready = ready.await.unwrap();
        let call = bench.task.run(|| ready.call(kind.request()));
        read(call.await.unwrap()).await;
    };
    is_over_after(polls, exchange)
}

async fn read<B: http_body::Body>(reply: http::Response<B>) {
    let mut body = pin!(reply.into_body());
    while let Some(Ok(_frame)) = body.frame().await {}
}

fn is_over_after(polls: usize, exchange: impl Future<Output = ()>) -> bool {
    let mut exchange = pin!(exchange);
    (0..polls).any(|_| once(&mut exchange).is_ready())
}

#[test]
fn a_call_that_is_given_up_anywhere_is_settled_once_or_was_never_made() {
    for kind in kinds::every() {
        for polls in 0.. {
            let bench = Bench::new();
            let is_over = given_up_after(&bench, &kind, polls, false);
            let case = format!("{} after {polls} polls", kind.name);
            let was_called = polls >= 2;
            assert_eq!(bench.settled(), u64::from(was_called), "{case}");
            let events = bench.sink.events();
            assert!(events.len() <= 1, "{case}");
            if kind.is_billed && kind.name.contains("priced") {
                assert!(!is_over || events.len() == 1, "{case}");
            } else if kind.is_billed {
                assert_eq!(events.len(), usize::from(was_called), "{case}");
            } else {
                assert!(events.is_empty(), "{case}");
            }
            if let (Some(event), 2) = (events.first(), polls) {
                assert_eq!(event.operation_status, OperationStatus::Cancelled, "{case}");
                assert!(event.usage.is_empty(), "{case}");
            }
            if is_over {
                break;
            }
        }
    }
}

#[test]
fn a_request_that_is_given_up_anywhere_ends_its_task_once() {
    for kind in kinds::every() {
        for polls in 0.. {
            let bench = Bench::new();
            let is_over = given_up_after(&bench, &kind, polls, true);
            let case = format!("{} after {polls} polls", kind.name);
            let ended = bench.sink.ended();
            assert_eq!(ended.len(), usize::from(polls >= 2), "{case}");
            if let [task] = &ended[..] {
                assert_eq!(task.totals.network_call_count, 1, "{case}");
                let reason = task.metadata.get("_ended_by").and_then(|reason| reason.as_str());
                if is_over {
                    assert_eq!(task.status, TaskStatus::Success, "{case}");
                } else {
                    assert_eq!(reason, Some("cancelled"), "{case}");
                }
            }
            if is_over {
                break;
            }
        }
    }
}

#[test]
fn what_a_stream_reported_before_it_was_given_up_stays() {
    let mut kind = kinds::every().swap_remove(1);
    kind.pieces.pop();
    let bench = Bench::new();
    let script = Script::of(&kind.pieces).then(Step::Wait);
    let mut client = bench.outbound().layer(Answering::new(kind.head(), script));
    let mut body = now(bench.task.run(|| client.call(kind.request())))
        .unwrap()
        .into_body();
    for _ in &kind.pieces {
        now(body.frame()).unwrap().unwrap();
    }
    assert!(once(&mut pin!(body.frame())).is_pending());
    drop(body);
    assert_eq!(bench.event().usage.count(dexcost::Unit::OutputTokens), 14);
}

#[test]
fn an_error_of_the_service_is_the_callers_and_is_settled_once() {
    for kind in kinds::every() {
        let bench = Bench::new();
        let answering = Answering::new(kind.head(), Script::default());
        let failing = answering.at(waiting_at(Place::Goes, Place::Fails));
        let mut both = bench.inbound().layer(bench.outbound().layer(failing));
        let error = now(both.call(kind.request())).unwrap_err();
        assert_eq!(error, "the service's own trouble");
        let ended = bench.sink.ended();
        assert_eq!(ended.len(), 1, "{}", kind.name);
        assert_eq!(ended[0].status, TaskStatus::Failed);
        assert_eq!(ended[0].totals.network_call_count, 1);
        assert!(ended[0].totals.event_count <= 1);
    }
}

#[test]
fn a_panic_beneath_is_the_callers_and_is_settled_once() {
    let panicking = [
        (waiting_at(Place::Panics, Place::Goes), 0),
        (
            Places {
                call: Place::Panics,
                ..Places::default()
            },
            1,
        ),
        (waiting_at(Place::Goes, Place::Panics), 1),
        (Places::default(), 1),
    ];
    for kind in kinds::every() {
        for (places, calls) in &panicking {
            let bench = Bench::new();
            let script = Script::of(&kind.pieces[..1]).then(Step::Panic);
            let answering = Answering::new(kind.head(), script).at(places.clone());
            let mut both = bench.inbound().layer(bench.outbound().layer(answering));
            let exchange = AssertUnwindSafe(|| {
                now(ServiceExt::<http::Request<http_body_util::Full<bytes::Bytes>>>::ready(&mut both))
                    .unwrap();
                let mut body = now(both.call(kind.request())).unwrap().into_body();
                while let Some(frame) = now(body.frame()) {
                    frame.unwrap();
                }
            });
            let payload = catch_unwind(exchange).unwrap_err();
            let words = payload.downcast_ref::<&str>().unwrap();
            assert!(words.ends_with("own trouble"), "{words}");
            // A panic ends the task at once; the call beneath may be dropped, and settled, after it.
            let ended = as_they_stand(&bench.sink);
            assert_eq!(ended.len(), *calls, "{} {places:?}", kind.name);
            for task in ended {
                assert_eq!(task.totals.network_call_count, 1, "{} {places:?}", kind.name);
                assert!(task.totals.event_count <= 1, "{} {places:?}", kind.name);
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_stalls_is_left_when_the_consumer_has_had_enough() {
    let events = kinds::chat_events();
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut said = head.to_vec();
    for event in &events[..2] {
        said.extend_from_slice(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes());
    }
    let server = Server::that_stalls_after(&said).await;
    let bench = Bench::new();
    let mut client = bench.outbound().layer(server.reqwest());
    let reply = bench.task.run(|| client.call(server.ask()));
    let mut reply = reply.await.unwrap();
    let mut heard = Vec::new();
    let waited = tokio::time::timeout(Duration::from_millis(200), async {
        while let Some(piece) = reply.chunk().await.unwrap() {
            heard.extend_from_slice(&piece);
        }
    });
    assert!(waited.await.is_err(), "the caller's own deadline holds");
    assert_eq!(heard, events[..2].concat().as_bytes());
    drop(reply);
    assert_eq!(bench.event().operation_status, OperationStatus::Cancelled);
}
