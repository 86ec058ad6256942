//! Nobody is asked for anything before the caller asks: readiness, requests, bodies.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tower::{Layer, Service};

use crate::script::{Answering, Place, Places, Script, Step};
use crate::{Bench, kinds, now, once};

#[test]
fn a_body_that_nobody_polls_is_not_read_ahead() {
    for kind in kinds::every() {
        let bench = Bench::new();
        let script = Script::of(&kind.pieces);
        let polls = script.polls();
        let answering = Answering::new(kind.head(), script);
        let mut both = bench.inbound().layer(bench.outbound().layer(answering));
        let mut body = now(both.call(kind.request())).unwrap().into_body();
        assert_eq!(
            polls.load(Ordering::Relaxed),
            0,
            "{}: before the first poll",
            kind.name
        );
        for asked in 1..=kind.pieces.len() {
            now(body.frame()).unwrap().unwrap();
            assert_eq!(polls.load(Ordering::Relaxed), asked, "{}", kind.name);
        }
        assert!(now(body.frame()).is_none());
        assert_eq!(
            polls.load(Ordering::Relaxed),
            kind.pieces.len() + 1,
            "{}",
            kind.name
        );
    }
}

#[test]
fn the_first_piece_is_there_in_the_same_poll_however_long_the_rest_takes() {
    for kind in kinds::every() {
        let bench = Bench::new();
        let script = Script::new([Step::Data(kind.pieces[0].clone()), Step::Wait, Step::Wait]);
        let answering = Answering::new(kind.head(), script);
        let mut both = bench.inbound().layer(bench.outbound().layer(answering));
        let mut body = now(both.call(kind.request())).unwrap().into_body();
        let first = now(body.frame()).unwrap().unwrap().into_data().unwrap();
        assert_eq!(first, kind.pieces[0], "{}", kind.name);
        assert!(once(&mut pin!(body.frame())).is_pending(), "{}", kind.name);
    }
}

#[test]
fn readiness_is_that_of_the_service_beneath() {
    let kind = kinds::chat();
    for place in [Place::Goes, Place::Waits, Place::Fails] {
        let places = Places {
            ready: place,
            ..Places::default()
        };
        let bench = Bench::new();
        let answering = Answering::new(kind.head(), Script::default()).at(places);
        let (asked, called) = (Arc::clone(&answering.asked), Arc::clone(&answering.called));
        let mut both = bench.inbound().layer(bench.outbound().layer(answering));
        let mut ask = || {
            let mut context = Context::from_waker(Waker::noop());
            Service::<Request<()>>::poll_ready(&mut both, &mut context)
        };
        match place {
            Place::Fails => assert_eq!(ask(), Poll::Ready(Err("the service's own trouble"))),
            Place::Waits => {
                assert!(ask().is_pending());
                assert_eq!(ask(), Poll::Ready(Ok(())));
            }
            _ => assert_eq!(ask(), Poll::Ready(Ok(()))),
        }
        let expected = if place == Place::Waits { 2 } else { 1 };
        assert_eq!(asked.load(Ordering::Relaxed), expected, "each question once");
        assert_eq!(called.load(Ordering::Relaxed), 0);
        assert_eq!((bench.settled(), bench.sink.ended().len()), (0, 0));
    }
}

#[test]
fn a_call_without_readiness_is_passed_on_as_one() {
    let kind = kinds::chat();
    let bench = Bench::new();
    let answering = Answering::new(kind.head(), Script::default());
    let (asked, called) = (Arc::clone(&answering.asked), Arc::clone(&answering.called));
    let mut both = bench.inbound().layer(bench.outbound().layer(answering));
    drop(both.call(kind.request()));
    assert_eq!(
        asked.load(Ordering::Relaxed),
        0,
        "the layers do not ask by themselves"
    );
    assert_eq!(called.load(Ordering::Relaxed), 1);
}

#[test]
fn the_waker_of_the_caller_reaches_the_service_and_the_body() {
    struct Counts(AtomicUsize);
    impl std::task::Wake for Counts {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    /// Wakes whoever polls it, and waits.
    struct Wakes;
    impl Body for Wakes {
        type Data = Bytes;
        type Error = &'static str;
        fn poll_frame(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    }
    let counts = Arc::new(Counts(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&counts));
    let mut context = Context::from_waker(&waker);
    let answer = |_request| {
        let mut polls = 0;
        std::future::poll_fn(move |cx| {
            polls += 1;
            cx.waker().wake_by_ref();
            match polls {
                1 => Poll::Pending,
                _ => Poll::Ready(Ok::<_, &'static str>(Response::new(Wakes))),
            }
        })
    };
    let bench = Bench::new();
    let mut both = bench
        .inbound()
        .layer(bench.outbound().layer(tower::service_fn(answer)));
    let mut call = pin!(both.call(kinds::chat().request()));
    assert!(call.as_mut().poll(&mut context).is_pending());
    assert_eq!(counts.0.load(Ordering::Relaxed), 1);
    let Poll::Ready(Ok(reply)) = call.as_mut().poll(&mut context) else {
        panic!("not ready");
    };
    let mut body = pin!(reply.into_body());
    assert!(body.as_mut().poll_frame(&mut context).is_pending());
    assert_eq!(counts.0.load(Ordering::Relaxed), 3);
}

#[test]
fn a_request_body_is_sent_when_the_client_asks_for_it_and_not_before() {
    type BoxError = Box<dyn std::error::Error + Send + Sync>;
    type Boxed = http_body_util::combinators::UnsyncBoxBody<Bytes, BoxError>;
    let script = Script::of(&kinds::cut(kinds::chat().request.as_bytes(), 9)).sized();
    let polls = script.polls();
    let expected = http_body::Body::size_hint(&script).exact();
    let bench = Bench::new();
    let seen = Arc::clone(&polls);
    let answer = move |request: Request<Boxed>| {
        let seen = Arc::clone(&seen);
        assert_eq!(seen.load(Ordering::Relaxed), 0, "read before it was sent");
        assert_eq!(request.body().size_hint().exact(), expected);
        async move {
            let mut body = request.into_body();
            for asked in 1..=4 {
                now(body.frame()).unwrap().unwrap();
                assert_eq!(seen.load(Ordering::Relaxed), asked);
            }
            Ok::<_, &'static str>(Response::new(Script::of(&kinds::chat().pieces)))
        }
    };
    let mut client = bench.outbound().layer(tower::service_fn(answer));
    let body = script.map_err(BoxError::from).boxed_unsync();
    let request = kinds::chat().request().map(|_| body);
    let reply = now(bench.task.run(|| client.call(request))).unwrap();
    now(reply.into_body().collect()).unwrap();
    let event = bench.event();
    let call = event.call.as_ref().unwrap();
    assert_eq!(call.model_requested.as_deref(), Some("gpt-4o"));
}
