//! Downloads of the results of batches: each request is a call of its own.

use super::*;
use crate::dec;
use crate::event::{CallType, CostConfidence};
use crate::observation::BatchSight;
use crate::pricing::PricingEngine;
use crate::{Decimal, Timestamp};

const FILE: &str = "https://api.openai.com/v1/files/file-1/content";
const RESULTS: &str = "https://api.anthropic.com/v1/messages/batches/msgbatch_1/results";
const GEMINI: &str = "https://generativelanguage.googleapis.com/v1beta/batches/b1";

/// One of each outcome, as OpenAI and Mistral write them.
const LINES: &str = concat!(
    r#"{"id":"batch_req_1","custom_id":"a","response":{"status_code":200,"request_id":"r1","body":{"id":"chatcmpl-1","object":"chat.completion","model":"gpt-4o-2024-08-06","choices":[{"index":0,"finish_reason":"stop","message":{"content":"hi"}}],"usage":{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100},"service_tier":"default"}},"error":null}"#,
    "\n",
    r#"{"id":"batch_req_2","custom_id":"b","response":{"status_code":400,"request_id":"r2","body":{"error":{"type":"invalid_request_error","message":"no"}}},"error":null}"#,
    "\r\n\n",
    r#"{"id":"batch_req_3","custom_id":"c","response":null,"error":{"code":"batch_expired","message":"late"}}"#,
    "\n",
    r#"{"id":"batch_req_4","custom_id":"d","response":{"status_code":200,"body":{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1,0.2]}],"model":"text-embedding-3-small","usage":{"prompt_tokens":1000000,"total_tokens":1000000}}},"error":null}"#,
    "\n",
    r#"{"id":"batch_req_5","custom_id":"e","response":{"status_code":200,"body":{"id":"resp_1","object":"response","status":"completed","model":"gpt-4o-2024-08-06","output":[{"type":"message"}],"usage":{"input_tokens":1000,"output_tokens":100,"total_tokens":1100}}}}"#,
);

fn download(url: &str, headers: &[(&str, &str)], body: &[u8], chunk: usize) -> Observation {
    let mut exchange = Exchange::begin(&RequestFacts::to_url("GET", url, &()));
    exchange.response(200, &headers);
    let mut batch = BatchSight::default();
    for piece in body.chunks(chunk.max(1)) {
        exchange.data(piece);
        batch
            .requests
            .extend(exchange.take_batch().unwrap_or_default().requests);
    }
    let mut seen = exchange.settle(Ending::Done);
    let last = seen.batch.get_or_insert_default();
    batch.requests.append(&mut last.requests);
    last.requests = batch.requests;
    seen
}

fn requests(url: &str, body: &str) -> Vec<Observation> {
    let whole = download(url, &[], body.as_bytes(), usize::MAX);
    assert_eq!((whole.captured, whole.usage_scope), (false, UsageScope::None));
    assert!(whole.usage.is_empty());
    let whole = whole.batch.unwrap().requests;
    for chunk in [1, 7, 64] {
        let pieces = download(url, &[], body.as_bytes(), chunk).batch.unwrap().requests;
        assert_eq!(pieces, whole, "chunks of {chunk}");
    }
    whole
}

fn cost(request: &Observation) -> (Option<Decimal>, CostConfidence) {
    let cost = pricing_of(
        request,
        &PricingEngine::new(),
        Timestamp::from_unix_micros(1_790_000_000_000_000),
    );
    (cost.cost_usd, cost.cost_confidence)
}

fn id(request: &Observation) -> &str {
    request.call.batch_request_id.as_deref().unwrap()
}

#[test]
fn each_line_of_a_file_is_a_call_at_the_price_of_the_batch_interface() {
    let all = requests(FILE, LINES);
    let ids: Vec<_> = all.iter().map(id).collect();
    assert_eq!(
        ids,
        [
            "batch_req_1",
            "batch_req_2",
            "batch_req_3",
            "batch_req_4",
            "batch_req_5"
        ]
    );
    // Half of 2.50 and of 10 US dollars per million tokens, and of 0.02.
    let costs: Vec<_> = all.iter().map(|request| cost(request).0).collect();
    let chat = Some(dec!(0.00175));
    assert_eq!(
        costs,
        [chat, Some(dec!(0)), Some(dec!(0)), Some(dec!(0.01)), chat]
    );
    assert!(
        all.iter()
            .all(|request| cost(request).1 == CostConfidence::Computed)
    );
    let types: Vec<_> = all.iter().map(|request| request.call.call_type).collect();
    assert_eq!(types[0], CallType::Batch);
    assert_eq!((types[3], types[4]), (CallType::Embedding, CallType::Batch));
    assert_eq!(all[1].error_type, Some(ErrorType::InvalidRequest));
    assert_eq!(all[2].error_type, Some(ErrorType::Timeout));
    assert_eq!(all[0].operation_status, OperationStatus::Succeeded);
}

#[test]
fn anthropic_says_what_became_of_each_request() {
    let body = concat!(
        r#"{"custom_id":"a","result":{"type":"succeeded","message":{"id":"msg_1","type":"message","model":"claude-haiku-4-5","content":[],"stop_reason":"end_turn","usage":{"input_tokens":1000,"output_tokens":100,"service_tier":"batch"}}}}"#,
        "\n",
        r#"{"custom_id":"b","result":{"type":"errored","error":{"type":"error","error":{"type":"overloaded_error","message":"m"}}}}"#,
        "\n",
        r#"{"custom_id":"c","result":{"type":"canceled"}}"#,
        "\n",
        r#"{"custom_id":"d","result":{"type":"expired"}}"#,
        "\n",
        r#"{"custom_id":"e","result":{"type":"succeeded","message":{"id":"msg_2","type":"message","model":"claude-haiku-4-5"}}}"#,
    );
    let all = requests(RESULTS, body);
    let ids: Vec<_> = all.iter().map(id).collect();
    assert_eq!(
        ids,
        ["msg_1", "msgbatch_1/b", "msgbatch_1/c", "msgbatch_1/d", "msg_2"]
    );
    let costs: Vec<_> = all.iter().map(|request| cost(request).0).collect();
    let free = Some(Decimal::ZERO);
    assert_eq!(costs, [Some(dec!(0.00075)), free, free, free, None]);
    assert_eq!(all[1].error_type, Some(ErrorType::Overloaded));
    assert_eq!(all[2].operation_status, OperationStatus::Cancelled);
}

#[test]
fn an_array_inside_of_a_document_is_read_in_its_elements() {
    let answer = r#""candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":13,"candidatesTokenCount":7,"totalTokenCount":20},"modelVersion":"gemini-2.5-flash","responseId":"R""#;
    let rows = format!(
        r#"{{"inlinedResponses":{{"inlinedResponses":[{{"response":{{{answer}1"}},"metadata":{{"key":"a"}}}},{{"error":{{"code":8,"status":"RESOURCE_EXHAUSTED"}},"metadata":{{"key":"b"}}}}]}}}}"#
    )
    .replace("R\"1", "R1");
    let body =
        format!(r#"{{"name":"batches/b1","metadata":{{"output":{rows}}},"done":true,"response":{rows}}}"#);
    let all = requests(GEMINI, &body);
    let ids: Vec<_> = all.iter().map(id).collect();
    assert_eq!(ids, ["R1", "b1/b"]);
    assert_eq!(all[0].usage.get(Unit::InputTokens), Some(dec!(13)));
    assert_eq!(all[1].error_type, Some(ErrorType::RateLimit));
    assert_eq!(cost(&all[1]).0, Some(Decimal::ZERO));
    // xAI states what it charges.
    let body = r#"{"results":[{"batch_request_id":"0","batch_result":{"response":{"chat_get_completion":{"id":"x1","object":"chat.completion","model":"grok-4","choices":[],"usage":{"prompt_tokens":2,"completion_tokens":1,"total_tokens":3,"cost_in_usd_ticks":2087200}}}}},{"batch_request_id":"1","batch_result":{"error":{"code":"rate_limited"}}}],"pagination_token":null}"#;
    let all = requests("https://api.x.ai/v1/batches/b1/results?limit=100", body);
    assert_eq!(cost(&all[0]), (Some(dec!(0.00020872)), CostConfidence::Exact));
    assert_eq!((id(&all[0]), id(&all[1])), ("x1", "b1/1"));
}

#[test]
fn a_long_document_is_read_whatever_its_length() {
    let row = |n: usize| {
        let text = "x".repeat(20_000 * (n % 3));
        format!(
            r#"{{"response":{{"candidates":[{{"content":{{"parts":[{{"text":"{text}"}}]}},"finishReason":"STOP"}}],"usageMetadata":{{"promptTokenCount":1,"candidatesTokenCount":{n}}},"responseId":"r{n}"}}}}"#
        )
    };
    let rows: Vec<_> = (0..200).map(row).collect();
    let body = format!(r#"{{"response":{{"inlinedResponses":[{}]}}}}"#, rows.join(","));
    let seen = download(GEMINI, &[], body.as_bytes(), 4_096);
    assert_eq!(seen.body_trouble, None);
    let all = seen.batch.unwrap().requests;
    assert_eq!(all.len(), 200);
    for (n, request) in all.iter().enumerate() {
        assert_eq!(request.usage.get(Unit::OutputTokens), Some(n.into()), "{n}");
    }
}

#[test]
fn a_download_that_breaks_off_shows_the_requests_that_came_whole() {
    for cut in 0..LINES.len() {
        let seen = download(FILE, &[], &LINES.as_bytes()[..cut], usize::MAX);
        let lines = LINES[..cut].matches('\n').count();
        let count = seen.batch.unwrap().requests.len();
        // A blank line shows nothing; a line may be whole before its end has come.
        let whole = [0, 1, 2, 2, 3, 4, 5];
        assert!(
            count == whole[lines] || count == whole[lines + 1],
            "{cut}: {count}"
        );
    }
}

#[test]
fn other_files_and_other_hosts_show_no_requests() {
    let training = "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}\n{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":{\"model\":\"gpt-4o\"}}\n";
    for body in [
        training,
        "plain text",
        "\u{1}\u{2}",
        "[1,2]",
        "{\"custom_id\":",
        "{}",
        "",
    ] {
        let seen = download(FILE, &[], body.as_bytes(), 5);
        assert!(seen.batch.unwrap().requests.is_empty(), "{body:?}");
        assert!(!seen.captured);
    }
    let moderation = r#"{"id":"b","custom_id":"a","response":{"status_code":200,"body":{"id":"modr-1","model":"omni-moderation-latest","results":[{"flagged":false}]}}}"#;
    assert!(
        requests(FILE, moderation).is_empty(),
        "what checks content is free"
    );
    let request = RequestFacts::to_url("GET", "https://files.example.com/files/f/content", &());
    assert!(!Exchange::begin(&request).is_watching());
}

#[test]
fn a_refused_download_shows_nothing() {
    let mut exchange = Exchange::begin(&RequestFacts::to_url("GET", FILE, &()));
    exchange.response(404, &());
    exchange.data(LINES.as_bytes());
    assert_eq!(exchange.settle(Ending::Done).batch, None);
}

#[test]
fn what_nobody_takes_is_held_up_to_a_limit_and_counted_beyond() {
    let line = |n: usize| format!("{{\"custom_id\":\"{n}\",\"result\":{{\"type\":\"expired\"}}}}\n");
    let body: String = (0..16_400).map(line).collect();
    let mut exchange = Exchange::begin(&RequestFacts::to_url("GET", RESULTS, &()));
    exchange.response(200, &());
    exchange.data(body.as_bytes());
    let batch = exchange.settle(Ending::Done).batch.unwrap();
    assert_eq!((batch.requests.len(), batch.unrecorded), (16_384, 16));
}

#[test]
fn a_name_that_is_too_long_is_one_and_the_file_is_no_model() {
    let body = format!(
        r#"{{"key":"{}","response":{{"candidates":[],"usageMetadata":{{"promptTokenCount":5,"candidatesTokenCount":2}}}}}}"#,
        "a".repeat(50_000)
    );
    let url = "https://generativelanguage.googleapis.com/v1beta/files/f:download?alt=media";
    let all = requests(url, &body);
    assert_eq!((all.len(), id(&all[0])), (1, "f/#0"));
    assert_eq!(all[0].call.model_requested, None);
    assert!(requests(FILE, r#"{"custom_id":"a","response":[[]]}"#).is_empty());
}
