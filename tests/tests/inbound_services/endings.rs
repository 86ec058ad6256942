//! Every point at which a caller may stop: the task ends once, and what went through is untouched.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use dexcost::TaskStatus;
use dexcost::testing::MemorySink;
use dexcost_tower::TaskLayer;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Version};
use http_body::{Body, Frame, SizeHint};
use tower::{Layer, Service};

use crate::{ended, fact, layer};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Wait,
    Data(&'static str),
    Trailers,
}

/// A body by script. What it says of itself is exact: how long it is, and when it is over.
struct Script {
    steps: Vec<Step>,
    at: usize,
    is_outspoken: bool,
}

impl Script {
    fn left(&self) -> &[Step] {
        &self.steps[self.at..]
    }
}

fn own_trailers() -> HeaderMap {
    [(HeaderName::from_static("x-own"), HeaderValue::from_static("1"))]
        .into_iter()
        .collect()
}

impl Body for Script {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let step = self.left().first().copied();
        self.at += usize::from(step.is_some());
        match step {
            None => Poll::Ready(None),
            Some(Step::Wait) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Step::Data(text)) => Poll::Ready(Some(Ok(Frame::data(Bytes::from(text))))),
            Some(Step::Trailers) => Poll::Ready(Some(Ok(Frame::trailers(own_trailers())))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.is_outspoken && self.left().is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let lengths = self.left().iter().map(|step| match step {
            Step::Data(text) => text.len() as u64,
            Step::Wait | Step::Trailers => 0,
        });
        if self.is_outspoken {
            SizeHint::with_exact(lengths.sum())
        } else {
            SizeHint::default()
        }
    }
}

/// What a caller saw before it stopped.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    data: String,
    trailers: Option<HeaderMap>,
    is_over: bool,
}

/// Polls the future and then the body `polls` times in all, and drops what is left.
fn go(layer: &TaskLayer, steps: &[Step], is_outspoken: bool, polls: usize) -> Seen {
    let script = Script {
        steps: steps.to_vec(),
        at: 0,
        is_outspoken,
    };
    let mut script = Some(script);
    let service = tower::service_fn(move |_: Request<()>| {
        let script = script.take().unwrap();
        async {
            tokio::task::yield_now().await;
            Ok::<_, Infallible>(Response::new(script))
        }
    });
    let mut asked = Request::new(());
    *asked.version_mut() = Version::HTTP_2;
    let mut calling = Box::pin(layer.layer(service).call(asked));
    let mut cx = Context::from_waker(Waker::noop());
    let mut seen = Seen::default();
    let mut left = polls;
    let mut body = loop {
        if left == 0 {
            return seen;
        }
        left -= 1;
        if let Poll::Ready(reply) = calling.as_mut().poll(&mut cx) {
            break reply.unwrap().into_body();
        }
    };
    while left > 0 && !seen.is_over {
        left -= 1;
        let was_end = body.is_end_stream();
        let before = body.size_hint();
        let Poll::Ready(frame) = Pin::new(&mut body).poll_frame(&mut cx) else {
            assert!(!was_end, "an end that is told is one");
            continue;
        };
        let Some(Ok(frame)) = frame else {
            seen.is_over = true;
            continue;
        };
        assert!(!was_end, "an end that is told is one");
        match frame.into_data() {
            Ok(data) => {
                assert!(before.upper().is_none_or(|most| most >= data.len() as u64));
                seen.data.push_str(std::str::from_utf8(&data).unwrap());
            }
            Err(frame) => seen.trailers = frame.into_trailers().ok(),
        }
    }
    seen
}

#[tokio::test]
async fn wherever_the_caller_stops_the_task_ends_once_and_nothing_is_changed() {
    use Step::{Data, Trailers, Wait};
    let scripts: [&[Step]; 4] = [
        &[],
        &[Wait, Data("one"), Wait, Data("two")],
        &[Data("one"), Wait, Trailers],
        &[Wait, Data("one"), Data(""), Data("two"), Wait],
    ];
    for steps in scripts {
        for is_outspoken in [false, true] {
            for is_telling in [false, true] {
                for polls in 0..=steps.len() + 6 {
                    let sink = MemorySink::new();
                    let mut under = layer(&sink);
                    if is_telling {
                        under = under.cost_trailer("x-cost");
                    }
                    let seen = go(&under, steps, is_outspoken, polls);
                    let case = format!("{} steps, {is_outspoken}, {is_telling}, {polls}", steps.len());
                    check(&sink, steps, is_telling, &seen, &case);
                }
            }
        }
    }
}

fn check(sink: &MemorySink, steps: &[Step], is_telling: bool, seen: &Seen, case: &str) {
    let whole: String = steps
        .iter()
        .filter_map(|step| match step {
            Step::Data(text) => Some(*text),
            Step::Wait | Step::Trailers => None,
        })
        .collect();
    assert!(whole.starts_with(&seen.data), "{case}");
    let task = ended(sink);
    if seen.is_over {
        assert_eq!(task.status, TaskStatus::Success, "{case}");
        assert_eq!(seen.data, whole, "{case}");
        let trailers = seen.trailers.clone().unwrap_or_default();
        let has_own = steps.contains(&Step::Trailers);
        assert_eq!(trailers.contains_key("x-own"), has_own, "{case}");
        assert!(is_telling || trailers.len() == usize::from(has_own), "{case}");
    }
    if task.status == TaskStatus::Failed {
        assert_eq!(fact(&task, "_ended_by"), Some("cancelled"), "{case}");
        assert!(!seen.is_over, "{case}");
    } else {
        assert_eq!(seen.data, whole, "{case}");
    }
}
