//! What lands on a task's ledger: models, priced services, traffic, each exchange once.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use dexcost::testing::MemorySink;
use dexcost::{
    CostConfidence, CostTracker, Decimal, Event, EventType, PricingSource, ReceivedResponse, TaskOptions,
    TrackedTask, Unit, dec,
};

fn opened() -> (Arc<MemorySink>, CostTracker, TrackedTask) {
    let sink = MemorySink::new();
    let tracker = sink.tracker();
    let task = tracker.start_task_sync("ledger", TaskOptions::default()).unwrap();
    (sink, tracker, task)
}

fn get<'a>(url: &'a str, status: u16, body: &'a [u8]) -> ReceivedResponse<'a> {
    ReceivedResponse::new("", url, status, &(), body).method("GET")
}

fn post<'a>(url: &'a str, status: u16, body: &'a [u8]) -> ReceivedResponse<'a> {
    ReceivedResponse::new("", url, status, &(), body)
}

fn amount(event: &Event) -> (Option<Decimal>, CostConfidence, PricingSource) {
    (event.cost_usd, event.cost_confidence, event.pricing_source)
}

const CHAT: &str = "https://api.openai.com/v1/chat/completions";
const REPLY: &[u8] =
    br#"{"object":"chat.completion","model":"gpt-4o","usage":{"prompt_tokens":800,"completion_tokens":150,"total_tokens":950}}"#;
const SEARCH: &str = "https://api.tavily.com/search";

#[test]
fn a_priced_service_is_an_external_cost_with_its_quantity_and_lines() {
    let (_sink, _tracker, task) = opened();
    let body = br#"{"results":[],"usage":{"credits":2}}"#;
    let event = task.record_response(&post(SEARCH, 200, body)).unwrap();
    assert_eq!(event.event_type, EventType::ExternalCost);
    assert_eq!(event.service_name.as_deref(), Some("tavily_search"));
    assert_eq!(
        amount(&event),
        (
            Some(dec!(0.016)),
            CostConfidence::Computed,
            PricingSource::ServiceCatalog
        )
    );
    let lines = event.details.as_ref().unwrap().get("lines").unwrap();
    assert_eq!(lines[0]["quantity"], "2");
    assert_eq!(task.task().totals.external_cost_usd, dec!(0.016));
}

#[test]
fn a_registered_domain_rate_wins_and_a_failed_call_costs_nothing() {
    let (_sink, tracker, task) = opened();
    tracker
        .register_domain_rate("api.tavily.com", "0.01", "request")
        .unwrap();
    let event = task.record_response(&post(SEARCH, 200, b"{}")).unwrap();
    assert_eq!(event.cost_usd, Some(dec!(0.01)));
    assert_eq!(event.pricing_source, PricingSource::RateRegistry);
    let failed = task.record_response(&post(SEARCH, 500, b"{}")).unwrap();
    assert_eq!(failed.service_name, event.service_name);
    assert_eq!(
        amount(&failed),
        (
            Some(dec!(0)),
            CostConfidence::Computed,
            PricingSource::RateRegistry
        )
    );
    assert_eq!(task.task().totals.external_cost_usd, dec!(0.01));
}

#[test]
fn a_model_that_is_sold_as_a_service_costs_what_the_catalog_says() {
    let (_sink, _tracker, task) = opened();
    let heard = br#"{"metadata":{"request_id":"r","duration":120,"channels":2},"results":{"channels":[]}}"#;
    let listen = |query: &str| {
        let url = format!("https://api.deepgram.com/v1/listen?{query}");
        let event = task.record_response(&post(&url, 200, heard)).unwrap();
        assert_eq!(event.event_type, EventType::LlmCall);
        assert_eq!(event.usage.count(Unit::AudioSeconds), 120);
        (event.cost_usd, event.pricing_source)
    };
    let catalog = PricingSource::ServiceCatalog;
    assert_eq!(listen("model=nova-3"), (Some(dec!(0.0154)), catalog));
    assert_eq!(
        listen("model=nova-3&multichannel=true"),
        (Some(dec!(0.0308)), catalog)
    );
    // A row that leaves the price to the table of models has none of its own.
    assert_ne!(listen("model=nova-2").1, catalog);
    let spoken = ReceivedResponse::new(
        "",
        "https://api.deepgram.com/v1/speak?model=aura-2-thalia-en",
        200,
        &(),
        b"ID3",
    )
    .request_body(br#"{"text":"hello"}"#);
    let spoken = task.record_response(&spoken).unwrap();
    assert_eq!(
        (spoken.cost_usd, spoken.pricing_source),
        (Some(dec!(0.00015)), catalog)
    );
    assert_eq!(spoken.usage.count(Unit::InputCharacters), 5);
    let refused = task
        .record_response(&post(
            "https://api.deepgram.com/v1/listen?model=nova-3",
            402,
            b"{}",
        ))
        .unwrap();
    assert_eq!(refused.cost_usd, Some(Decimal::ZERO));
}

#[test]
fn a_price_of_the_users_own_comes_before_the_catalogs() {
    let (_sink, tracker, task) = opened();
    let own = "models: {nova-3: {prices: {input_second: 0.001}}}";
    tracker.pricing().set_overrides("own", own).unwrap();
    let heard = br#"{"metadata":{"request_id":"r","duration":120,"channels":1},"results":{"channels":[]}}"#;
    let url = "https://api.deepgram.com/v1/listen?model=nova-3";
    let event = task.record_response(&post(url, 200, heard)).unwrap();
    assert_eq!(
        (event.cost_usd, event.pricing_source),
        (Some(dec!(0.12)), PricingSource::Custom)
    );
}

#[test]
fn a_machine_that_is_billed_by_time_says_so_whatever_model_it_runs() {
    let (_sink, _tracker, task) = opened();
    let headers = [
        ("x-compute-time", "2.5"),
        ("x-prompt-tokens", "4"),
        ("x-generated-tokens", "9"),
    ];
    for url in [
        "https://router.huggingface.co/hf-inference/models/org/m",
        "https://mine.us-east-1.aws.endpoints.huggingface.cloud/",
    ] {
        let received = ReceivedResponse::new("", url, 200, &headers, br#"[{"generated_text":"x"}]"#);
        let event = task.record_response(&received).unwrap();
        assert_eq!(
            (event.event_type, event.cost_usd),
            (EventType::LlmCall, Some(dec!(0.0003))),
            "{url}"
        );
        assert_eq!(event.usage.count(Unit::OutputTokens), 9);
    }
    // What is no text generation is still the machine's time.
    let timed = [headers[0]];
    let scores = ReceivedResponse::new(
        "",
        "https://mine.us-east-1.aws.endpoints.huggingface.cloud/",
        200,
        &timed,
        br#"[{"label":"spam","score":0.9}]"#,
    );
    let event = task.record_response(&scores).unwrap();
    assert_eq!(
        (event.event_type, event.cost_usd),
        (EventType::ExternalCost, Some(dec!(0.0003)))
    );
}

#[test]
fn a_host_with_models_and_services_is_split_by_path() {
    let (_sink, _tracker, task) = opened();
    let search = task
        .record_response(&post("https://api.perplexity.ai/search", 200, b"{}"))
        .unwrap();
    assert_eq!(search.event_type, EventType::ExternalCost);
    let chat = task
        .record_response(&post(
            "https://api.perplexity.ai/chat/completions",
            200,
            br#"{"model":"sonar","usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,"cost":{"total_cost":0.006}}}"#,
        ))
        .unwrap();
    assert_eq!(chat.event_type, EventType::LlmCall);
    assert_eq!(chat.cost_usd, Some(dec!(0.006)));
}

#[test]
fn a_provider_that_is_switched_off_is_only_traffic() {
    let (sink, tracker, task) = opened();
    assert!(tracker.uninstrument("openai").unwrap());
    assert!(task.record_response(&post(CHAT, 200, REPLY)).is_none());
    assert_eq!(task.task().totals.network_call_count, 1);
    tracker.instrument("openai").unwrap();
    assert!(task.record_response(&post(CHAT, 200, REPLY)).is_some());
    assert_eq!(sink.events().len(), 1);
}

#[test]
fn without_track_http_only_models_are_seen() {
    let (_sink, tracker, task) = opened();
    tracker.set_track_http(false);
    assert!(task.record_response(&post(SEARCH, 200, b"{}")).is_none());
    assert!(task.record_response(&post(CHAT, 200, REPLY)).is_some());
    let totals = task.task().totals;
    assert_eq!(
        (totals.network_call_count, totals.external_cost_usd),
        (1, dec!(0))
    );
}

#[test]
fn a_large_or_failed_exchange_is_an_event_and_a_small_one_only_counts() {
    let (_sink, _tracker, task) = opened();
    let page = "https://example.com/page";
    assert!(task.record_response(&get(page, 200, b"small")).is_none());
    let large = vec![b'x'; 102_400];
    let event = task.record_response(&get(page, 200, &large)).unwrap();
    assert_eq!(event.event_type, EventType::Network);
    assert_eq!(event.service_name.as_deref(), Some("example.com"));
    assert!(event.usage.count(Unit::IngressBytes) > 102_400);
    assert!(event.usage.count(Unit::EgressBytes) > 20);
    assert_eq!(event.cost_usd, None, "nobody knows which cloud sends the bill");
    let missing = task.record_response(&get(page, 404, b"")).unwrap();
    assert_eq!(missing.details.as_ref().unwrap()["http_status"], 404);
    let totals = task.task().totals;
    assert_eq!(totals.network_call_count, 3);
    assert_eq!(totals.network_by_host["example.com"].calls, 3);
    assert_eq!(
        totals.network_bytes_in,
        totals.network_by_host["example.com"].bytes_in
    );
}

#[test]
fn what_stays_in_the_private_network_is_free() {
    let (_sink, _tracker, task) = opened();
    let event = task
        .record_response(&get("http://10.0.0.7:8000/x", 500, b""))
        .unwrap();
    assert_eq!(
        (event.cost_usd, event.cost_confidence),
        (Some(dec!(0)), CostConfidence::Computed)
    );
    assert_eq!(task.task().totals.unknown_cost_count, 0);
}

#[test]
fn traffic_alone_opens_no_session_and_a_priced_service_does() {
    let sink = MemorySink::new();
    let tracker = sink.tracker();
    let large = vec![b'x'; 200_000];
    assert!(
        tracker
            .record_response(&get("https://example.com/", 200, &large))
            .is_none()
    );
    assert_eq!(tracker.sessions().open_count(), 0);
    assert!(tracker.record_response(&post(SEARCH, 200, b"{}")).is_some());
    assert_eq!(tracker.sessions().open_count(), 1);
}

#[test]
fn a_job_that_is_polled_counts_once() {
    let (_sink, _tracker, task) = opened();
    let poll = "https://api.apify.com/v2/actor-runs/run1";
    let body = br#"{"data":{"id":"run1","status":"SUCCEEDED","finishedAt":"2026-11-01T00:00:00Z","usageTotalUsd":0.25}}"#;
    let first = task.record_response(&get(poll, 200, body)).unwrap();
    assert_eq!(first.cost_usd, Some(dec!(0.25)));
    assert!(task.record_response(&get(poll, 200, body)).is_none());
    assert_eq!(task.task().totals.external_cost_usd, dec!(0.25));
}

#[test]
fn hosts_beyond_the_largest_twenty_are_one() {
    let (_sink, _tracker, task) = opened();
    for host in 0..30 {
        let (url, body) = (format!("https://h{host:02}.example/"), vec![0; host]);
        task.record_response(&get(&url, 200, &body));
    }
    let totals = task.task().totals;
    assert_eq!(totals.network_by_host.len(), 21);
    assert_eq!(totals.network_by_host["_other"].calls, 10);
}

#[test]
fn egress_is_priced_when_the_task_ends_and_its_parts_equal_the_whole() {
    let (sink, tracker, task) = opened();
    tracker.set_egress_origin(Some(dexcost::capture::EgressOrigin {
        provider: "aws".into(),
        region: Some("us-east-1".into()),
    }));
    let upload = vec![b'x'; 1 << 20];
    let large = post("https://93.184.215.14/upload", 200, b"").request_body(&upload);
    let pending = task.record_response(&large).unwrap();
    assert_eq!((pending.event_type, pending.cost_usd), (EventType::Network, None));
    task.record_response(&post(CHAT, 200, REPLY).request_body(b"{}"));
    task.record_response(&post("http://10.1.1.1/", 200, b"").request_body(&upload));
    task.finish(dexcost::TaskStatus::Success).unwrap();

    let totals = task.task().totals;
    let priced = sink.events();
    let network: Vec<_> = priced
        .iter()
        .filter(|event| event.event_type == EventType::Network)
        .collect();
    let changed = |record| match record {
        dexcost::Record::EventChanged { after, .. } => Some(after),
        _ => None,
    };
    let upload = sink.records().into_iter().find_map(changed).unwrap();
    assert_eq!((upload.event_id, upload.revision), (pending.event_id, 2));
    assert_eq!(upload.pricing_source, PricingSource::EgressTable);
    let bytes = Decimal::from(upload.usage.count(Unit::EgressBytes));
    let usd = upload.cost_usd.unwrap();
    assert!((usd - bytes * dec!(0.09) / Decimal::from(1 << 30)).abs() < dec!(0.000000000001));
    assert_eq!(upload.cost_confidence, CostConfidence::Computed);
    let rest = network
        .iter()
        .find(|event| event.service_name.as_deref() == Some("_egress"))
        .unwrap();
    assert_eq!(
        rest.usage.count(Unit::Requests),
        1,
        "the model call; the private upload is free"
    );
    assert_eq!(
        rest.cost_confidence,
        CostConfidence::Estimated,
        "only its name is known"
    );
    assert_eq!(totals.network_cost_usd, usd + rest.cost_usd.unwrap());
    assert_eq!(totals.unknown_cost_count, 0);
}

#[test]
fn egress_after_the_end_is_priced_all_the_same() {
    let (sink, tracker, task) = opened();
    tracker.set_egress_origin(Some(dexcost::capture::EgressOrigin {
        provider: "gcp".into(),
        region: Some("us-central1".into()),
    }));
    let handle = task.handle();
    task.finish(dexcost::TaskStatus::Success).unwrap();
    handle.record_response(&post(CHAT, 200, REPLY));
    let summed = |event: &&Arc<Event>| event.service_name.as_deref() == Some("_egress");
    let events = sink.events();
    let late = events.iter().find(summed).unwrap();
    assert_eq!(handle.task().totals.network_cost_usd, late.cost_usd.unwrap());
}

#[test]
fn a_cloud_without_prices_leaves_egress_unknown() {
    let (_sink, tracker, task) = opened();
    tracker.set_egress_origin(Some(dexcost::capture::EgressOrigin {
        provider: "my-basement".into(),
        region: None,
    }));
    let event = task.record_response(&get("https://1.1.1.1/", 503, b"")).unwrap();
    task.finish(dexcost::TaskStatus::Success).unwrap();
    assert_eq!(event.cost_usd, None);
    let totals = task.task().totals;
    assert_eq!((totals.network_cost_usd, totals.unknown_cost_count), (dec!(0), 1));
}

mod refresh {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    /// Answers one request with these bytes, and gives back what was asked.
    fn once(reply: Vec<u8>) -> (String, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/catalog.json", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = Vec::new();
            let mut buffer = [0; 4096];
            while !asked.windows(4).any(|end| end == b"\r\n\r\n") {
                let read = stream.read(&mut buffer).unwrap();
                asked.extend_from_slice(&buffer[..read]);
            }
            let _ = stream.write_all(&reply);
            String::from_utf8(asked).unwrap()
        });
        (url, server)
    }

    fn ok(body: &str) -> Vec<u8> {
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }

    #[test]
    fn what_cannot_be_used_changes_nothing() {
        let tracker = MemorySink::new().tracker();
        let before = tracker.services().version();
        let replies = [
            ok("{}"),
            ok("not json"),
            ok(""),
            b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".to_vec(),
            b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n".to_vec(),
            b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"cut".to_vec(),
        ];
        for reply in replies {
            let said = String::from_utf8_lossy(&reply).into_owned();
            let (url, server) = once(reply);
            assert!(tracker.refresh_services(&url).is_err(), "{said}");
            let asked = server.join().unwrap().to_ascii_lowercase();
            assert!(asked.contains("dexcost-own-traffic") && !asked.contains("authorization"));
        }
        assert!(tracker.refresh_services("nonsense").is_err());
        assert_eq!(tracker.services().version(), before);
        assert!(tracker.services().is_bundled());
    }
}

#[test]
fn a_model_that_runs_at_somebody_elses_expense_is_still_a_model() {
    let (_sink, _tracker, task) = opened();
    let url = "https://me--vllm.modal.run/v1/chat/completions";
    let event = task.record_response(&post(url, 200, REPLY)).unwrap();
    assert_eq!(event.event_type, EventType::LlmCall);
    assert_eq!(event.input_tokens(), Some(800));
}

#[test]
fn a_registered_rate_replaces_the_price_on_a_host_of_models_and_not_the_call() {
    let (_sink, tracker, task) = opened();
    tracker
        .register_domain_rate("api.deepgram.com", "0.01", "request")
        .unwrap();
    let event = task
        .record_response(&post(
            "https://api.deepgram.com/v1/listen?model=nova-3",
            200,
            b"{}",
        ))
        .unwrap();
    assert_eq!(event.event_type, EventType::LlmCall);
    assert_eq!(event.provider.as_deref(), Some("deepgram"));
    assert_eq!(event.cost_usd, Some(dec!(0.01)));
}

#[test]
fn polls_of_a_job_that_was_counted_open_no_sessions() {
    let sink = MemorySink::new();
    let tracker = sink.tracker();
    let poll = "https://api.apify.com/v2/actor-runs/run2";
    let body = br#"{"data":{"id":"run2","finishedAt":"2026-11-01T00:00:00Z","usageTotalUsd":0.25}}"#;
    assert!(tracker.record_response(&get(poll, 200, body)).is_some());
    tracker.sessions().close_all();
    assert!(tracker.record_response(&get(poll, 200, body)).is_none());
    assert_eq!(tracker.sessions().open_count(), 0);
}

#[test]
fn a_poll_that_broke_off_leaves_the_job_to_the_next() {
    let (_sink, _tracker, task) = opened();
    let url = "https://api.assemblyai.com/v2/transcript/t7";
    let whole = br#"{"id":"t7","status":"completed","audio_duration":60}"#;
    let cut = get(url, 200, &whole[..30]).ending(dexcost::Ending::Cancelled);
    assert!(task.record_response(&cut).is_none());
    let event = task.record_response(&get(url, 200, whole)).unwrap();
    assert_eq!(event.usage.get(Unit::AudioSeconds), Some(dec!(60)));
}

#[test]
fn the_egress_of_ever_more_failures_goes_into_the_summary() {
    let (_sink, tracker, task) = opened();
    tracker.set_egress_origin(Some(dexcost::capture::EgressOrigin {
        provider: "aws".into(),
        region: Some("us-east-1".into()),
    }));
    let mut last = None;
    for _ in 0..1_100 {
        last = task.record_response(&get("https://1.1.1.1/x", 404, b""));
    }
    let last = last.unwrap();
    assert_eq!(last.cost_usd, None, "no silent zero");
    assert_eq!(last.details.as_ref().unwrap()["priced_in"], "_egress");
    task.finish(dexcost::TaskStatus::Success).unwrap();
    let totals = task.task().totals;
    assert_eq!((totals.network_call_count, totals.unknown_cost_count), (1_100, 0));
    let bytes = Decimal::from(totals.network_bytes_out);
    let whole = bytes * dec!(0.09) / Decimal::from(1 << 30);
    assert!((totals.network_cost_usd - whole).abs() < dec!(0.000000001));
}

#[test]
fn a_failed_exchange_is_no_repetition_of_another() {
    let (_sink, _tracker, task) = opened();
    let messages = "https://api.unknown.example/v1/messages";
    for _ in 0..2 {
        let event = task
            .record_response(&post(messages, 503, b"").request_body(b"{}"))
            .unwrap();
        assert_eq!((event.event_type, event.is_retry), (EventType::Network, false));
    }
}

#[tokio::test]
async fn a_typed_helper_over_a_captured_client_counts_once() {
    let (sink, tracker, task) = opened();
    let client = dexcost::TrackedOpenAI::new(()).tracker(tracker.clone());
    let reply = serde_json::from_slice::<serde_json::Value>(REPLY).unwrap();
    let seen = reply.clone();
    let captured = async {
        dexcost::Claim::take_enclosing();
        Ok::<_, std::convert::Infallible>(seen)
    };
    client.call(captured).await.unwrap();
    assert!(sink.events().is_empty(), "the layer beneath counts it");
    let scope = dexcost::Scope::with_task(&task);
    let call = async { Ok::<_, std::convert::Infallible>(reply) };
    scope.attach(client.call(call)).await.unwrap();
    assert_eq!(sink.events()[0].cost_usd, Some(dec!(0.0035)));
}

mod tools {
    use super::*;

    const ASK: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"lookup","arguments":{"q":"secret"}}}"#;
    const ANSWER: &[u8] =
        br#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"secret"}],"isError":false}}"#;

    fn call(task: &TrackedTask, status: u16, answer: &[u8]) -> Arc<Event> {
        let headers = [("mcp-protocol-version", "2025-11-25")];
        let received = ReceivedResponse::new("", "https://tools.example/mcp", status, &(), answer)
            .request_headers(&headers)
            .request_body(ASK);
        task.record_response(&received).unwrap()
    }

    #[test]
    fn a_tool_costs_its_rate_else_the_service_it_stands_for_else_nobody_knows() {
        let (_sink, tracker, task) = opened();
        let unknown = call(&task, 200, ANSWER);
        assert_eq!(unknown.event_type, EventType::ExternalCost);
        assert_eq!(unknown.service_name.as_deref(), Some("mcp:lookup"));
        assert_eq!(
            amount(&unknown),
            (None, CostConfidence::Unknown, PricingSource::Unknown)
        );
        assert!(tracker.map_tool("lookup", "no_such_service").is_err());
        tracker.map_tool("lookup", "perplexity_search").unwrap();
        assert_eq!(call(&task, 200, ANSWER).cost_usd, Some(dec!(0.005)));
        tracker.register_rate("mcp:lookup", "call", "0.02").unwrap();
        assert_eq!(
            amount(&call(&task, 200, ANSWER)),
            (
                Some(dec!(0.02)),
                CostConfidence::Computed,
                PricingSource::RateRegistry
            )
        );
        assert_eq!(call(&task, 503, b"").cost_usd, Some(dec!(0)));
        assert_eq!(call(&task, 200, b"").cost_usd, None);
        let no_such_tool = br#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}"#;
        assert_eq!(call(&task, 200, no_such_tool).cost_usd, Some(dec!(0)));
        assert_eq!(task.task().totals.external_cost_usd, dec!(0.025));
        assert!(!format!("{unknown:?}").contains("secret"));
    }
}

#[test]
fn a_service_whose_path_looks_like_a_models_is_still_a_service() {
    let (_sink, _tracker, task) = opened();
    let url = "https://external.api.recraft.ai/v1/images/generations";
    let request = br#"{"prompt":"p","model":"recraftv3"}"#;
    let reply = br#"{"data":[{"url":"u"}]}"#;
    let image = post(url, 200, reply).request_body(request);
    let event = task.record_response(&image).unwrap();
    assert_eq!(event.event_type, EventType::ExternalCost);
    assert_eq!(event.service_name.as_deref(), Some("recraft"));
    assert_eq!(event.cost_usd, Some(dec!(0.04)));
}

#[test]
fn a_service_that_is_priced_by_model_takes_its_price_from_the_table_of_models() {
    let (_sink, _tracker, task) = opened();
    let url = "https://api.stability.ai/v2beta/stable-image/generate/ultra";
    let image = post(url, 200, br#"{"image":"aGk="}"#);
    let event = task.record_response(&image).unwrap();
    assert_eq!(event.service_name.as_deref(), Some("stability_ai"));
    assert_eq!(
        amount(&event),
        (Some(dec!(0.08)), CostConfidence::Computed, PricingSource::Litellm)
    );
    assert_eq!(event.model.as_deref(), Some("stable-image-ultra"));
}

#[test]
fn what_a_provider_reports_without_a_price_is_recorded_as_unpriced_usage() {
    let (_sink, _tracker, task) = opened();
    let url = "https://api.eu.assemblyai.com/v2/transcript/t1";
    let body = br#"{"id":"t1","status":"completed","audio_duration":90,"speech_model_used":"universal-2","speaker_labels":true}"#;
    let event = task.record_response(&get(url, 200, body)).unwrap();
    assert_eq!(
        (event.cost_usd, event.cost_confidence),
        (None, CostConfidence::Unknown)
    );
    assert_eq!(event.usage.get(Unit::AudioSeconds), Some(dec!(90)));
    let observed = event.details.as_ref().unwrap().get("observed").unwrap();
    let services: Vec<&str> = observed
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["service"].as_str())
        .collect();
    assert_eq!(
        services,
        ["assemblyai_transcription", "assemblyai_speaker_diarization"]
    );
    assert!(
        task.record_response(&get(url, 200, body)).is_none(),
        "a poll counts once"
    );
}

/// A call of a paid search, answered so.
fn search(
    task: &dexcost::TrackedTask,
    tracker: &CostTracker,
    query: &str,
    status: u16,
    reply: &str,
) -> Arc<Event> {
    use dexcost::capture::RequestFacts;
    let request = RequestFacts::to_url("POST", "https://api.tavily.com/search", &());
    let mut exchange = tracker.begin_exchange(&request);
    exchange.request_data(query.as_bytes());
    exchange.response(status, &());
    exchange.data(reply.as_bytes());
    task.record_observation(exchange.settle(dexcost::Ending::Done), Some(1))
        .unwrap()
}

#[test]
fn a_refusal_of_a_paid_service_stands_under_its_name_and_the_repetition_is_flagged() {
    let tracker = MemorySink::new().tracker();
    let task = tracker
        .start_task_sync("research", TaskOptions::default())
        .unwrap();
    let (ask, paid) = (r#"{"query":"a"}"#, r#"{"usage":{"credits":2}}"#);
    let refused = search(&task, &tracker, ask, 429, r#"{"detail":"slow down"}"#);
    assert_eq!(refused.event_type, EventType::ExternalCost);
    assert_eq!(refused.service_name.as_deref(), Some("tavily_search"));
    assert_eq!(
        (refused.cost_usd, refused.cost_confidence),
        (Some(Decimal::ZERO), CostConfidence::Computed)
    );
    assert_eq!(refused.error_type, Some(dexcost::ErrorType::RateLimit));
    let other = search(&task, &tracker, r#"{"query":"b"}"#, 200, paid);
    assert!(!other.is_retry);
    let again = search(&task, &tracker, ask, 200, paid);
    assert_eq!((again.is_retry, again.retry_of), (true, Some(refused.event_id)));
    assert_eq!(again.retry_reason.as_deref(), Some("rate_limit"));
    assert_eq!(again.call.as_ref().unwrap().attempt, Some(2));
    let totals = task.task().totals;
    assert_eq!((totals.retry_count, totals.retry_cost_usd), (1, dec!(0.016)));
    assert_eq!(totals.external_cost_usd, dec!(0.032));
    let once_more = search(&task, &tracker, ask, 200, paid);
    assert!(!once_more.is_retry, "nothing had failed");
}
