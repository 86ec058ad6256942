//! Calls that are made within a call, and one call that is seen on several levels.

use dexcost::TaskFutureExt;
use dexcost_tower::CaptureService;
use http::Extensions;
use reqwest_middleware::{ClientBuilder, Middleware, Next};
use tower::{Layer, Service};

use crate::bench::{Bench, ask, client};
use crate::wire::{Reply, Wire, chat};

/// Fetches a token from another host, through a captured client of its own, before each call.
struct Auth {
    client: CaptureService<reqwest::Client>,
    url: String,
}

#[async_trait::async_trait]
impl Middleware for Auth {
    async fn handle(
        &self,
        request: reqwest::Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        let fetch = reqwest::Request::new(reqwest::Method::POST, self.url.parse().unwrap());
        let token = self.client.clone().call(fetch).await?;
        token.bytes().await?;
        next.run(request, extensions).await
    }
}

#[tokio::test]
async fn a_token_that_is_fetched_within_a_call_counts_beside_it() {
    let (bench, wire) = (Bench::new(), Wire::always(Reply::json(200, &chat(48, 14))));
    let login = Wire::always(Reply::json(200, r#"{"access_token":"t"}"#));
    bench.tracker.set_track_http(true);
    let auth = Auth {
        client: bench.reqwest(&login),
        url: login.url("127.0.0.1", "/token"),
    };
    let client = ClientBuilder::new(client(&wire))
        .with(bench.layer())
        .with(auth)
        .build();
    let call = async { client.execute(ask(&wire)).await.unwrap().bytes().await.unwrap() };
    call.in_task(&bench.task).await;
    bench.counted(48, 14);
    assert_eq!(bench.ended().network_call_count, 2, "token and model call");
}

/// Sends a call through a gateway: to its host, below a path of its own.
struct Gateway {
    url: String,
}

#[async_trait::async_trait]
impl Middleware for Gateway {
    async fn handle(
        &self,
        mut request: reqwest::Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        *request.url_mut() = self.url.parse().unwrap();
        next.run(request, extensions).await
    }
}

#[tokio::test]
async fn a_call_that_is_sent_through_a_gateway_between_two_layers_counts_once() {
    for path in ["/v1/chat/completions", "/gateway/v1/chat/completions"] {
        let (bench, wire) = (Bench::new(), Wire::always(Reply::json(200, &chat(48, 14))));
        let gateway = Gateway {
            url: wire.url("127.0.0.1", path),
        };
        let client = ClientBuilder::new(client(&wire))
            .with(bench.layer())
            .with(gateway)
            .with(bench.layer())
            .build();
        let mut extensions = Extensions::new();
        let call = client.execute_with_extensions(ask(&wire), &mut extensions);
        let reply = call.in_task(&bench.task).await.unwrap();
        assert!(extensions.is_empty(), "nothing is left for another call");
        reply.bytes().await.unwrap();
        bench.counted(48, 14);
    }
}

#[tokio::test]
async fn a_layer_under_a_service_that_changes_the_host_counts_the_call_once() {
    let (bench, wire) = (Bench::new(), Wire::always(Reply::json(200, &chat(48, 14))));
    let target = wire.url("127.0.0.1", "/v1/chat/completions");
    let inner = tower::util::MapRequest::new(bench.reqwest(&wire), move |mut request: reqwest::Request| {
        *request.url_mut() = target.parse().unwrap();
        request
    });
    let mut outer = bench.layer().layer(inner);
    let reply = bench.task.run(|| outer.call(ask(&wire))).await.unwrap();
    reply.bytes().await.unwrap();
    bench.counted(48, 14);
}
