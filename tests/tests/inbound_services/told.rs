//! What a task is called and whom it is for, from where the user says so.

use std::time::Duration;

use axum::Router;
use axum::extract::{FromRequestParts, Path};
use axum::routing::{any, get};
use dexcost::testing::MemorySink;
use dexcost::{Context, TaskHandle};
use dexcost_tower::{CurrentTask, Identified, Identify, Origin};
use http::request::Parts;
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use serde_json::json;
use tower::{Layer, ServiceExt};

use crate::{ended, layer, request};

#[tokio::test]
async fn a_closure_names_the_task_and_its_word_takes_the_canonical_form() {
    let cases = [
        ("/chat", "chat_turn"),
        ("/tickets/4711", "resolve.ticket-v2"),
        ("/odd", "http_request"),
        ("/other", "http_request"),
    ];
    for (path, expected) in cases {
        let sink = MemorySink::new();
        let named = layer(&sink).task_type_from(|request| match request.uri.path() {
            "/chat" => Some("Chat Turn!"),
            "/odd" => Some("¿?"),
            path => path.starts_with("/tickets/").then_some("resolve.ticket-v2"),
        });
        // Around the router, where no route is known.
        let app = named.layer(Router::new().fallback(any(|| async {})));
        app.oneshot(request("GET", path)).await.unwrap();
        assert_eq!(ended(&sink).task_type, expected, "{path}");
    }
}

#[tokio::test]
async fn the_route_names_what_the_closure_leaves_open() {
    let sink = MemorySink::new();
    let named = layer(&sink).task_type_from(|request| (request.method == Method::POST).then_some("write"));
    let inner = Router::new()
        .route("/{id}", get(|| async {}).post(|| async {}))
        .fallback(any(|| async {}));
    let app = Router::new().nest("/tickets", inner).layer(named);
    for (method, path) in [
        ("POST", "/tickets/7"),
        ("GET", "/tickets/7"),
        ("GET", "/tickets/7/no/such"),
        ("GET", "/elsewhere"),
    ] {
        app.clone().oneshot(request(method, path)).await.unwrap();
    }
    let types: Vec<_> = sink.ended().iter().map(|task| task.task_type.clone()).collect();
    // A path that matches no route never becomes a type.
    assert_eq!(types, ["write", "get_tickets_id", "http_request", "http_request"]);
}

#[tokio::test]
async fn a_fixed_type_takes_the_canonical_form_too() {
    let sink = MemorySink::new();
    let app = Router::new()
        .route("/", get(|| async {}))
        .layer(layer(&sink).task_type("Resolve Ticket"));
    app.oneshot(request("GET", "/")).await.unwrap();
    assert_eq!(ended(&sink).task_type, "resolve_ticket");
}

#[derive(Clone)]
struct Tenant {
    name: String,
    plan: Option<&'static str>,
}

#[tokio::test]
async fn identity_comes_from_an_extension_a_header_or_a_closure_and_from_nowhere_else() {
    let sink = MemorySink::new();
    let told = layer(&sink)
        .customer(Origin::extension(|tenant: &Tenant| Some(tenant.name.clone())))
        .metadata("plan", Origin::extension(|tenant: &Tenant| tenant.plan))
        .metadata("region", Origin::header("x-region"))
        .project(Origin::request(|request| {
            request.uri.path().split('/').nth(1).map(str::to_owned)
        }))
        .experiment(Origin::header("x-experiment"))
        .variant(Origin::header("x-variant"));
    let app = Router::new().route("/{project}/x", get(|| async {})).layer(told);
    let mut asked = request("GET", "/apollo/x");
    asked.extensions_mut().insert(Tenant {
        name: "acme".to_owned(),
        plan: Some("gold"),
    });
    for (name, value) in [
        ("x-customer-id", "somebody-else"),
        ("x-agent", "somebody"),
        (
            "baggage",
            "dexcost.customer_id=somebody,dexcost.task_id=01936a5e-7c00-7000-8000-000000000001",
        ),
        ("x-experiment", "e1"),
        ("x-variant", "b"),
    ] {
        asked.headers_mut().insert(name, value.parse().unwrap());
    }
    app.oneshot(asked).await.unwrap();
    let task = ended(&sink);
    assert_eq!(task.attribution.customer_id.as_deref(), Some("acme"));
    assert_eq!(task.attribution.project_id.as_deref(), Some("apollo"));
    assert_eq!(task.attribution.agent, None);
    assert_eq!(task.attribution.experiment_id.as_deref(), Some("e1"));
    assert_eq!(task.attribution.variant.as_deref(), Some("b"));
    assert_eq!(task.parent_task_id, None);
    assert_eq!(task.metadata.get("plan"), Some(&json!("gold")));
    assert_eq!(task.metadata.get("region"), None);
    assert_eq!(task.metadata.get("_refused"), None);
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_whole_and_the_request_is_a_task_all_the_same() {
    let sink = MemorySink::new();
    let told = layer(&sink)
        .customer(Origin::request(|_| Some("x".repeat(257))))
        .project(Origin::request(|_| Some("  ")))
        .agent(Origin::baggage("agent"))
        .parent(Origin::header("x-parent"))
        .metadata("tier", Origin::header("x-tier"))
        .variant(Origin::request(|_| Some("b")));
    let app = Router::new().route("/", get(|| async {})).layer(told);
    let mut asked = request("GET", "/");
    for value in ["gold", "silver"] {
        asked.headers_mut().append("x-tier", value.parse().unwrap());
    }
    asked.headers_mut().insert("x-parent", "4711".parse().unwrap());
    asked
        .headers_mut()
        .insert("baggage", "agent=%zz".parse().unwrap());
    app.oneshot(asked).await.unwrap();
    let task = ended(&sink);
    assert_eq!(task.attribution, dexcost::Attribution::default());
    assert_eq!(task.parent_task_id, None);
    assert_eq!(
        task.metadata.get("_refused"),
        Some(&json!(["customer", "baggage", "x-tier", "parent", "variant"]))
    );
}

#[tokio::test]
async fn what_a_handler_says_touches_its_request_alone() {
    let sink = MemorySink::new();
    let gate = std::sync::Arc::new(tokio::sync::Barrier::new(2));
    let handler = move |Path(customer): Path<String>| {
        let gate = std::sync::Arc::clone(&gate);
        async move {
            // Both handlers are inside before either says anything, and again afterwards.
            gate.wait().await;
            let context = Context {
                customer_id: Some(customer.as_str().into()),
                ..Context::default()
            };
            dexcost::set_context(context).unwrap();
            gate.wait().await;
            tokio::time::sleep(Duration::from_millis(1)).await;
            dexcost::record_cost("pdf", "0.001").unwrap();
            dexcost::get_context().unwrap().customer_id.unwrap().to_string()
        }
    };
    let app = Router::new()
        .route("/{customer}", get(handler))
        .layer(layer(&sink));
    let ask = |path: &'static str| {
        let app = app.clone();
        tokio::spawn(async move {
            let reply = app.oneshot(request("GET", path)).await.unwrap();
            reply.into_body().collect().await.unwrap().to_bytes()
        })
    };
    let (acme, globex) = (ask("/acme"), ask("/globex"));
    assert_eq!(acme.await.unwrap(), "acme");
    assert_eq!(globex.await.unwrap(), "globex");
    let mut customers: Vec<_> = sink
        .ended()
        .iter()
        .map(|task| task.attribution.customer_id.clone().unwrap())
        .collect();
    customers.sort();
    assert_eq!(customers, ["acme", "globex"]);
    assert_eq!(dexcost::get_context(), None, "nothing is left outside");
}

struct User(&'static str);

impl<S: Sync> FromRequestParts<S> for User {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, StatusCode> {
        match parts.headers.get("authorization").map(|token| token.as_bytes()) {
            Some(b"Bearer one") => Ok(Self("acme")),
            _ => Err(StatusCode::UNAUTHORIZED),
        }
    }
}

impl Identify for User {
    fn context(&self) -> Context {
        Context {
            customer_id: Some(self.0.into()),
            metadata: [("tenant_tier".to_owned(), json!(1))].into_iter().collect(),
            ..Context::default()
        }
    }
}

#[tokio::test]
async fn an_extractor_of_the_users_choice_says_whom_the_task_is_for() {
    let sink = MemorySink::new();
    let handler = |Identified(User(name)): Identified<User>, task: CurrentTask| async move {
        let child = task
            .tracker()
            .start_task_sync("child", Default::default())
            .unwrap();
        child.finish(dexcost::TaskStatus::Success).unwrap();
        name
    };
    let app = Router::new().route("/", get(handler)).layer(layer(&sink));
    let mut asked = request("GET", "/");
    asked
        .headers_mut()
        .insert("authorization", "Bearer one".parse().unwrap());
    let reply = app.clone().oneshot(asked).await.unwrap();
    assert_eq!(reply.into_body().collect().await.unwrap().to_bytes(), "acme");
    let tasks = sink.ended();
    assert_eq!(tasks.len(), 2);
    for task in &tasks {
        assert_eq!(
            task.attribution.customer_id.as_deref(),
            Some("acme"),
            "{}",
            task.task_type
        );
    }
    assert_eq!(tasks[0].metadata.get("tenant_tier"), Some(&json!(1)));
    assert_eq!(tasks[0].parent_task_id, Some(tasks[1].task_id));
    // Its refusal is that of the extractor within.
    let reply = app.oneshot(request("GET", "/")).await.unwrap();
    assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(sink.ended()[2].attribution.customer_id, None);
}

#[tokio::test]
async fn handlers_find_their_task_as_an_argument() {
    let sink = MemorySink::new();
    let certain = |task: CurrentTask| async move { task.task_id().to_string() };
    let maybe = |task: Option<CurrentTask>| async move { task.is_some().to_string() };
    let app = Router::new()
        .route("/certain", get(certain))
        .route("/maybe", get(maybe))
        .route("/skipped/certain", get(certain))
        .route("/skipped/maybe", get(maybe))
        .layer(layer(&sink).skip(["/skipped/*"]));
    let ask = async |path: &str| {
        let reply = app.clone().oneshot(request("GET", path)).await.unwrap();
        let status = reply.status();
        let body = reply.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    };
    assert_eq!(ask("/skipped/maybe").await, (StatusCode::OK, "false".to_owned()));
    assert_eq!(ask("/skipped/certain").await.0, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(sink.ended().is_empty());
    assert_eq!(ask("/maybe").await, (StatusCode::OK, "true".to_owned()));
    let (_, told) = ask("/certain").await;
    assert_eq!(told, sink.ended()[1].task_id.to_string());
}

#[tokio::test]
async fn the_handle_lies_in_the_extensions_only_where_that_was_asked_for() {
    for is_asked in [false, true] {
        let sink = MemorySink::new();
        let mut outer = layer(&sink);
        if is_asked {
            outer = outer.task_in_extensions();
        }
        let inner = tower::service_fn(move |request: http::Request<axum::body::Body>| async move {
            let handle = request.extensions().get::<TaskHandle>().cloned();
            assert_eq!(handle.is_some(), is_asked);
            // Spawned code is outside the scope; the handle goes anywhere.
            if let Some(task) = handle {
                let spawned = tokio::spawn(async move {
                    assert!(dexcost::current_task().is_none());
                    task.record_cost("pdf", "0.25").unwrap();
                });
                spawned.await.unwrap();
            }
            Ok::<_, std::convert::Infallible>(http::Response::new(axum::body::Body::empty()))
        });
        let reply = outer.layer(inner).oneshot(request("GET", "/")).await.unwrap();
        reply.into_body().collect().await.unwrap();
        let expected = if is_asked { "0.25" } else { "0" };
        let cost = ended(&sink).totals.total_cost_usd();
        assert_eq!(dexcost::money::plain(cost), expected);
    }
}

#[tokio::test]
async fn an_argument_is_found_beneath_a_buffer_and_beneath_a_spawn_that_was_reckoned_with() {
    let handler = |task: CurrentTask| async move { task.task_id().to_string() };
    let app = || {
        Router::new()
            .route("/", get(handler))
            .into_service::<axum::body::Body>()
    };
    let sink = MemorySink::new();
    let buffered = layer(&sink).layer(tower::buffer::Buffer::new(app(), 1));
    let reply = buffered.oneshot(request("GET", "/")).await.unwrap();
    let told = reply.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(told, ended(&sink).task_id.to_string());
    let spawned = tower::service_fn(move |request| {
        let calling = tokio::spawn(app().oneshot(request));
        async move { calling.await.unwrap() }
    });
    for (is_asked, expected) in [(false, StatusCode::INTERNAL_SERVER_ERROR), (true, StatusCode::OK)] {
        let mut outer = layer(&sink);
        if is_asked {
            outer = outer.task_in_extensions();
        }
        let reply = outer.layer(spawned).oneshot(request("GET", "/")).await;
        assert_eq!(reply.unwrap().status(), expected);
    }
}
