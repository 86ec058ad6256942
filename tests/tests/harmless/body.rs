//! A body under a layer is, step by step, the body that it is.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tower::{Layer, Service};

use crate::kinds::{self, Kind};
use crate::script::{Answering, Script, Step};
use crate::{Bench, now};

/// The shapes that a body of the same bytes may have.
fn shapes(kind: &Kind) -> Vec<(&'static str, Script)> {
    let script = || Script::of(&kind.pieces);
    let mut fields = HeaderMap::new();
    fields.append("x-sum", HeaderValue::from_static("1"));
    fields.append("x-sum", HeaderValue::from_bytes(b"\xff").unwrap());
    let gaps = |piece: &Bytes| [Step::Data(Bytes::new()), Step::Data(piece.clone())];
    vec![
        ("of unknown length", script()),
        ("of known length", script().sized()),
        ("that tells its end", script().sized().telling_its_end()),
        ("that hesitates", script().hesitating()),
        (
            "that hesitates and tells its end",
            script().hesitating().telling_its_end(),
        ),
        (
            "with trailers",
            script().telling_its_end().then(Step::Trailers(fields)),
        ),
        ("that breaks off", script().then(Step::Fail("reset"))),
        (
            "with empty pieces",
            Script::new(kind.pieces.iter().flat_map(gaps)),
        ),
        ("of nothing", Script::default()),
        (
            "of nothing that says so",
            Script::default().sized().telling_its_end(),
        ),
    ]
}

/// What can be seen of a body between two polls.
fn outside<B: Body>(body: &B) -> (u64, Option<u64>, bool) {
    let hint = body.size_hint();
    (hint.lower(), hint.upper(), body.is_end_stream())
}

/// What a poll shows; data by its place in memory, so that a copy of it would be seen.
fn shown<E: std::fmt::Debug>(
    poll: Poll<Option<Result<Frame<Bytes>, E>>>,
) -> Poll<Option<Result<Result<(*const u8, usize), HeaderMap>, String>>> {
    poll.map(|frame| {
        frame.map(|frame| match frame.map(Frame::into_data) {
            Ok(Ok(data)) => Ok(Ok((data.as_ptr(), data.len()))),
            Ok(Err(frame)) => Ok(Err(frame.into_trailers().unwrap())),
            Err(error) => Err(root_cause(&format!("{error:?}"))),
        })
    })
}

/// What an error says at the bottom: reqwest wraps an error of a body once more for each body around it.
fn root_cause(error: &str) -> String {
    let cause = error.rsplit("source: ").next().unwrap_or(error);
    cause.trim_end_matches([' ', '}']).to_owned()
}

/// Polls both bodies to their end, and compares them before, at and after each poll.
fn in_step<A, B>(case: &str, bare: A, layered: B)
where
    A: Body<Data = Bytes>,
    A::Error: std::fmt::Debug,
    B: Body<Data = Bytes>,
    B::Error: std::fmt::Debug,
{
    let (mut bare, mut layered) = (pin!(bare), pin!(layered));
    let mut context = Context::from_waker(Waker::noop());
    for step in 0.. {
        // After the last frame the size of nothing may be known better than the body knew it.
        if step > 0 && bare.is_end_stream() {
            assert!(layered.is_end_stream(), "{case}, before step {step}");
        } else {
            assert_eq!(outside(&*layered), outside(&*bare), "{case}, before step {step}");
        }
        let expected = shown(bare.as_mut().poll_frame(&mut context));
        let found = shown(layered.as_mut().poll_frame(&mut context));
        assert_eq!(found, expected, "{case}, step {step}");
        if matches!(expected, Poll::Ready(None | Some(Err(_)))) {
            return;
        }
    }
}

#[test]
fn every_frame_of_every_kind_passes_outbound_as_it_is_and_when_it_is() {
    for kind in kinds::every() {
        for (shape, script) in shapes(&kind) {
            let bench = Bench::new();
            let mut client = bench
                .outbound()
                .layer(Answering::new(kind.head(), script.clone()));
            let reply = now(bench.task.run(|| client.call(kind.request()))).unwrap();
            in_step(&format!("{} {shape}", kind.name), script, reply.into_body());
            assert_eq!(bench.settled(), 1, "{} {shape}", kind.name);
        }
    }
}

#[test]
fn every_frame_of_every_kind_passes_inbound_as_it_is_and_when_it_is() {
    for kind in kinds::every() {
        for (shape, script) in shapes(&kind) {
            let bench = Bench::new();
            let mut service = bench.inbound().layer(Answering::new(kind.head(), script.clone()));
            let reply = now(service.call(kind.request())).unwrap();
            in_step(&format!("{} {shape}", kind.name), script, reply.into_body());
            assert_eq!(bench.sink.ended().len(), 1, "{} {shape}", kind.name);
        }
    }
}

#[test]
fn both_layers_around_each_other_change_nothing_either() {
    for kind in kinds::every() {
        for (shape, script) in shapes(&kind) {
            let bench = Bench::new();
            let answering = Answering::new(kind.head(), script.clone());
            let mut both = bench.inbound().layer(bench.outbound().layer(answering));
            let reply = now(both.call(kind.request())).unwrap();
            in_step(&format!("{} {shape}", kind.name), script, reply.into_body());
            let ended = bench.sink.ended();
            assert_eq!(ended.len(), 1, "{} {shape}", kind.name);
            assert_eq!(ended[0].totals.network_call_count, 1, "{} {shape}", kind.name);
        }
    }
}

#[test]
fn status_version_fields_and_extensions_are_those_of_the_reply() {
    #[derive(Clone, Debug, PartialEq)]
    struct Mine(u8);
    let answer = |_request: http::Request<()>| async {
        let mut reply = http::Response::new(Script::default());
        *reply.status_mut() = http::StatusCode::IM_A_TEAPOT;
        *reply.version_mut() = http::Version::HTTP_3;
        reply
            .headers_mut()
            .append("x-twice", HeaderValue::from_static("1"));
        reply
            .headers_mut()
            .append("x-twice", HeaderValue::from_static("2"));
        reply.extensions_mut().insert(Mine(7));
        Ok::<_, &'static str>(reply)
    };
    let bench = Bench::new();
    let inner = tower::service_fn(answer);
    let mut both = bench.inbound().layer(bench.outbound().layer(inner));
    let request = http::Request::post(kinds::chat().url).body(()).unwrap();
    let (parts, _body) = now(both.call(request)).unwrap().into_parts();
    assert_eq!(parts.status, http::StatusCode::IM_A_TEAPOT);
    assert_eq!(parts.version, http::Version::HTTP_3);
    let twice: Vec<_> = parts.headers.get_all("x-twice").iter().collect();
    assert_eq!(twice, ["1", "2"]);
    assert_eq!(parts.headers.len(), 2);
    assert_eq!(parts.extensions.get(), Some(&Mine(7)));
}

#[test]
fn data_that_is_no_single_piece_of_memory_is_passed_on_unread() {
    use bytes::Buf;
    let kind = kinds::chat();
    let (first, second) = (kind.pieces[0].clone(), Bytes::from(kind.pieces[1..].concat()));
    let answer = |_request| {
        let data = first.clone().chain(second.clone());
        let body = http_body_util::Full::new(data);
        async { Ok::<_, &'static str>(http::Response::new(body)) }
    };
    let bench = Bench::new();
    let mut client = bench.outbound().layer(tower::service_fn(answer));
    let reply = now(bench.task.run(|| client.call(kind.request()))).unwrap();
    let data = now(reply.into_body().frame())
        .unwrap()
        .unwrap()
        .into_data()
        .unwrap();
    assert_eq!(data.first_ref().as_ptr(), first.as_ptr());
    assert_eq!(data.last_ref().as_ptr(), second.as_ptr());
    assert_eq!(data.remaining(), kind.whole().len());
    assert_eq!(bench.event().usage.count(dexcost::Unit::InputTokens), 48);
}

#[test]
fn a_call_without_a_task_changes_nothing_either() {
    for kind in kinds::every() {
        for (shape, script) in shapes(&kind) {
            let bench = Bench::new();
            let answering = Answering::new(kind.head(), script.clone());
            let mut client = bench.outbound().layer(answering);
            let reply = now(client.call(kind.request())).unwrap();
            in_step(&format!("{} {shape}", kind.name), script, reply.into_body());
            let sessions = usize::from(kind.is_billed);
            assert!(
                bench.tracker.sessions().open_count() <= sessions,
                "{} {shape}",
                kind.name
            );
        }
    }
}

#[test]
fn a_reply_of_reqwest_is_the_same_frame_by_frame() {
    for kind in kinds::every() {
        for (shape, script) in shapes(&kind) {
            let bench = Bench::new();
            let answered = script.clone();
            let head = kind.head();
            let answer = |_request: reqwest::Request| {
                let reply = head.clone().map(|()| reqwest::Body::wrap(answered.clone()));
                async { Ok::<_, &'static str>(reqwest::Response::from(reply)) }
            };
            let mut client = bench.outbound().layer(tower::service_fn(answer));
            let method = kind.method.parse().unwrap();
            let request = reqwest::Request::new(method, kind.url.parse().unwrap());
            let reply = now(bench.task.run(|| client.call(request))).unwrap();
            let found = http::Response::<reqwest::Body>::from(reply).into_body();
            let bare = http::Response::<reqwest::Body>::from(reqwest::Response::from(http::Response::new(
                reqwest::Body::wrap(script),
            )));
            in_step(&format!("{} {shape}", kind.name), bare.into_body(), found);
            assert_eq!(bench.settled(), 1, "{} {shape}", kind.name);
        }
    }
}

#[test]
fn a_request_body_that_is_seen_in_passing_is_the_same_frame_by_frame() {
    type BoxError = Box<dyn std::error::Error + Send + Sync>;
    type Boxed = http_body_util::combinators::BoxBody<Bytes, BoxError>;
    let boxed = |script: Script| script.map_err(BoxError::from).boxed();
    for kind in kinds::every() {
        for (shape, script) in shapes(&kind) {
            let bench = Bench::new();
            let (case, bare) = (format!("{} {shape}", kind.name), script.clone());
            let answer = |request: http::Request<Boxed>| {
                in_step(&case, boxed(bare.clone()), request.into_body());
                async { Ok::<_, &'static str>(http::Response::new(Script::default())) }
            };
            let mut client = bench.outbound().layer(tower::service_fn(answer));
            let request = kind.request().map(|_| boxed(script.clone()));
            now(bench.task.run(|| client.call(request))).unwrap();
            let axum = axum::body::Body::new(boxed(script.clone()));
            let answer = |request: http::Request<axum::body::Body>| {
                let bare = axum::body::Body::new(boxed(bare.clone()));
                in_step(&case, bare, request.into_body());
                async { Ok::<_, &'static str>(http::Response::new(Script::default())) }
            };
            let mut client = bench.outbound().layer(tower::service_fn(answer));
            now(bench.task.run(|| client.call(kind.request().map(|_| axum)))).unwrap();
        }
    }
}
