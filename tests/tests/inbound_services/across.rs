//! Tasks across services: `traceparent`, baggage, and who is told.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::get;
use dexcost::testing::MemorySink;
use dexcost::{TaskOptions, TaskStatus, TrackedTask};
use dexcost_tower::{BAGGAGE_TASK, Origin, PropagateLayer};
use http::{HeaderMap, Request};
use serde_json::json;
use tower::{Layer, Service, ServiceExt};

use crate::{ended, eventually, fact, layer, request, serve};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn caller(sink: &Arc<MemorySink>) -> TrackedTask {
    let options = TaskOptions {
        customer_id: Some("Müller & Söhne".into()),
        agent: Some("helper".into()),
        ..Default::default()
    };
    sink.tracker().start_task_sync("caller", options).unwrap()
}

#[tokio::test]
async fn a_traceparent_links_the_task_to_its_trace_and_decides_nothing_else() {
    let cases: [(&str, bool, bool); 5] = [
        (PARENT, true, true),
        (PARENT, false, false),
        (
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            true,
            false,
        ),
        ("nonsense", true, false),
        ("", true, false),
    ];
    for (value, is_read, is_linked) in cases {
        let sink = MemorySink::new();
        let layer = if is_read {
            layer(&sink)
        } else {
            layer(&sink).without_traces()
        };
        let app = Router::new().route("/", get(|| async {})).layer(layer);
        let mut asked = request("GET", "/");
        asked.headers_mut().insert("traceparent", value.parse().unwrap());
        app.oneshot(asked).await.unwrap();
        let task = ended(&sink);
        assert_eq!(task.parent_task_id, None);
        let link = json!([{"provider": "w3c", "trace_id": TRACE}]);
        assert_eq!(
            task.metadata.get("_trace_links"),
            is_linked.then_some(&link),
            "{value}"
        );
        assert_eq!(
            fact(&task, "_traceparent"),
            is_linked.then_some(PARENT),
            "{value}"
        );
    }
}

/// A service that keeps the header fields of what it is asked.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<HeaderMap>>>);

impl Seen {
    fn last(&self) -> HeaderMap {
        self.0.lock().unwrap().last().unwrap().clone()
    }

    fn baggage(&self) -> Option<String> {
        let last = self.last();
        Some(last.get("baggage")?.to_str().unwrap().to_owned())
    }
}

impl<B> Service<Request<B>> for Seen {
    type Response = ();
    type Error = ();
    type Future = std::future::Ready<Result<(), ()>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), ()>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.0.lock().unwrap().push(request.headers().clone());
        std::future::ready(Ok(()))
    }
}

fn get_of(uri: &str) -> Request<()> {
    Request::get(uri).header("baggage", "own=1").body(()).unwrap()
}

#[tokio::test]
async fn only_listed_hosts_learn_of_the_task() {
    let sink = MemorySink::new();
    let task = caller(&sink);
    let seen = Seen::default();
    let mut client = PropagateLayer::to(["billing.internal", "*.svc.local", "127.0.0.1:81"])
        .with_trace()
        .layer(seen.clone());
    for (uri, is_told) in [
        ("http://billing.internal/x", true),
        ("https://BILLING.internal:8443/x", true),
        ("http://a.svc.local/x", true),
        ("http://127.0.0.1:81/x", true),
        ("http://127.0.0.1/x", false),
        ("http://api.openai.com/v1/chat/completions", false),
        ("http://billing.internal.evil.example/", false),
        ("http://billing.internal@evil.example/", false),
        ("/x", false),
    ] {
        task.run(|| client.call(get_of(uri))).await.unwrap();
        let told = seen.last();
        assert_eq!(told.contains_key("traceparent"), is_told, "{uri}");
        let expected = if is_told {
            format!("own=1,{BAGGAGE_TASK}={}", task.task_id())
        } else {
            "own=1".to_owned()
        };
        assert_eq!(seen.baggage(), Some(expected), "{uri}");
    }
    // A `Host` field is what a request says of itself.
    let mut forged = get_of("/x");
    forged
        .headers_mut()
        .insert("host", "billing.internal".parse().unwrap());
    task.run(|| client.call(forged)).await.unwrap();
    assert_eq!(seen.baggage().as_deref(), Some("own=1"));
    // And nobody learns anything where there is no task.
    client.call(get_of("http://billing.internal/x")).await.unwrap();
    assert_eq!(seen.baggage().as_deref(), Some("own=1"));
    task.finish(TaskStatus::Success).unwrap();
}

#[tokio::test]
async fn customer_and_trace_travel_only_where_that_was_asked_for() {
    let sink = MemorySink::new();
    let task = caller(&sink);
    let seen = Seen::default();
    let plain = PropagateLayer::to(["a.internal"]);
    let uri = || Request::get("http://a.internal/").body(()).unwrap();
    task.run(|| plain.clone().layer(seen.clone()).call(uri()))
        .await
        .unwrap();
    assert_eq!(seen.baggage(), Some(format!("{BAGGAGE_TASK}={}", task.task_id())));
    assert!(!seen.last().contains_key("traceparent"));
    let mut all = plain.with_attribution().with_trace().layer(seen.clone());
    task.run(|| all.call(uri())).await.unwrap();
    assert_eq!(
        seen.baggage(),
        Some(format!(
            "{BAGGAGE_TASK}={},dexcost.customer_id=M%C3%BCller%20%26%20S%C3%B6hne,dexcost.agent=helper",
            task.task_id()
        ))
    );
    let begun = seen.last()["traceparent"].to_str().unwrap().to_owned();
    let hex = task.task_id().to_string().replace('-', "");
    assert_eq!(begun, format!("00-{hex}-{}-00", &hex[16..]));
    // What the request has already, from a tracing layer say, is left alone.
    let mut traced = uri();
    traced
        .headers_mut()
        .insert("traceparent", PARENT.parse().unwrap());
    task.run(|| all.call(traced)).await.unwrap();
    assert_eq!(seen.last()["traceparent"], PARENT);
    task.finish(TaskStatus::Success).unwrap();
}

#[tokio::test]
async fn parent_customer_and_trace_cross_two_real_services() {
    let (front_sink, back_sink) = (MemorySink::new(), MemorySink::new());
    let back = Router::new()
        .route(
            "/price",
            get(|| async {
                dexcost::record_cost("maps", "0.01").unwrap();
            }),
        )
        .layer(layer(&back_sink).trust_baggage());
    let back = serve(back).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let client = PropagateLayer::to([back.to_string()])
        .with_attribution()
        .with_trace()
        .layer(client);
    let handler = move || {
        let mut client = client.clone();
        async move {
            let url = format!("http://{back}/price").parse().unwrap();
            let asked = client.call(reqwest::Request::new(reqwest::Method::GET, url));
            asked.await.unwrap().status().to_string()
        }
    };
    let front = Router::new()
        .route("/", get(handler))
        .layer(layer(&front_sink).customer_header("x-customer-id"));
    let mut asked = request("GET", "/");
    asked.headers_mut().insert("traceparent", PARENT.parse().unwrap());
    asked
        .headers_mut()
        .insert("x-customer-id", "acme".parse().unwrap());
    let reply = front.oneshot(asked).await.unwrap();
    http_body_util::BodyExt::collect(reply.into_body()).await.unwrap();
    eventually("the task ends", || !back_sink.ended().is_empty()).await;
    let (called, calling) = (ended(&back_sink), ended(&front_sink));
    assert_eq!(called.parent_task_id, Some(calling.task_id));
    assert_eq!(called.attribution.customer_id.as_deref(), Some("acme"));
    assert_eq!(fact(&called, "_traceparent"), Some(PARENT));
    assert_eq!(called.totals.external_cost_usd, dexcost::dec!(0.01));
    assert_eq!(calling.totals.external_cost_usd, dexcost::dec!(0));
}

#[tokio::test]
async fn baggage_is_believed_only_as_far_as_it_is_asked_for_and_well_formed() {
    let id = "01936a5e-7c00-7000-8000-000000000001";
    let said = format!("{BAGGAGE_TASK}={id},dexcost.customer_id=acme");
    let cases = [
        (said.as_str(), Some(id), None),
        (
            "dexcost.task_id=no-id,dexcost.customer_id=acme",
            None,
            Some("parent"),
        ),
        ("dexcost.task_id=%FF", None, Some("baggage")),
        ("dexcost.customer_id=acme", None, None),
        (",;==%%%", None, None),
    ];
    for (value, parent, refused) in cases {
        let sink = MemorySink::new();
        let app = Router::new()
            .route("/", get(|| async {}))
            .layer(layer(&sink).parent(Origin::baggage(BAGGAGE_TASK)));
        let mut asked = request("GET", "/");
        asked.headers_mut().insert("baggage", value.parse().unwrap());
        app.oneshot(asked).await.unwrap();
        let task = ended(&sink);
        assert_eq!(
            task.parent_task_id,
            parent.map(|id| id.parse().unwrap()),
            "{value}"
        );
        assert_eq!(task.attribution.customer_id, None, "{value}");
        let expected = refused.map(|name| json!([name]));
        assert_eq!(task.metadata.get("_refused"), expected.as_ref(), "{value}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(512))]

    /// Whatever bytes a stranger sends, the request is one task, and no more is believed than that.
    #[test]
    fn no_header_field_breaks_anything(
        traceparent in "[ -~\\x80-\\xff]{0,80}|0[0-9a-f]-[0-9a-f]{30,33}-[0-9a-f]{15,17}-0[01]",
        baggage in "[ -~]{0,60}|(dexcost[.](task_id|agent|customer_id)( ?= ?)([%0-9a-fA-F;,\"-]){0,40},?){0,4}",
    ) {
        let sink = MemorySink::new();
        let service = tower::service_fn(|_: Request<()>| {
            std::future::ready(Ok::<_, std::convert::Infallible>(http::Response::new(String::new())))
        });
        let mut service = layer(&sink).trust_baggage().layer(service);
        let mut asked = Request::new(());
        for (name, value) in [("traceparent", &traceparent), ("baggage", &baggage)] {
            if let Ok(value) = http::HeaderValue::from_bytes(value.as_bytes()) {
                asked.headers_mut().insert(name, value);
            }
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(service.call(asked)).unwrap();
        let task = ended(&sink);
        proptest::prop_assert_eq!(task.status, TaskStatus::Success);
        let customer = task.attribution.customer_id.as_deref().unwrap_or("-");
        proptest::prop_assert!(!customer.is_empty() && customer.len() <= 256);
    }
}
