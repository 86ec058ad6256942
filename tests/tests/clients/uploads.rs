//! Request bodies that reqwest does not hold in memory.

use dexcost::TaskFutureExt;
use reqwest::multipart::{Form, Part};
use reqwest_middleware::ClientBuilder;
use tower::Service;

use crate::bench::{ASK, Bench, ask, client, requested};
use crate::wire::{Reply, Wire, chat};

const TRANSCRIPT: &str = r#"{"text":"hello","usage":{"type":"tokens","total_tokens":45,"input_tokens":14,"input_token_details":{"text_tokens":0,"audio_tokens":14},"output_tokens":31}}"#;
const AUDIO: usize = 40_000;

fn upload(url: String) -> reqwest::Request {
    let form = Form::new()
        .text("model", "gpt-4o-transcribe")
        .part("file", Part::bytes(vec![7; AUDIO]).file_name("speech.mp3"));
    let request = reqwest::Client::new().post(url).multipart(form);
    request.build().unwrap()
}

/// Answers a form that came whole and with its length stated.
fn transcriber() -> Wire {
    Wire::start(|got| {
        let stated = got.header("content-length").unwrap();
        assert_eq!(stated, got.body.len().to_string());
        assert!(got.body.len() > AUDIO);
        Some(Reply::json(200, TRANSCRIPT))
    })
}

#[tokio::test]
async fn a_form_with_a_file_is_read_while_it_is_sent() {
    for is_middleware in [false, true] {
        let (bench, wire) = (Bench::new(), transcriber());
        let request = upload(wire.url("api.openai.com", "/v1/audio/transcriptions"));
        assert!(request.body().unwrap().as_bytes().is_none());
        let call = async {
            let reply = if is_middleware {
                let client = ClientBuilder::new(client(&wire)).with(bench.layer()).build();
                client.execute(request).await.unwrap()
            } else {
                bench.reqwest(&wire).call(request).await.unwrap()
            };
            assert_eq!(reply.text().await.unwrap(), TRANSCRIPT);
        };
        call.in_task(&bench.task).await;
        let event = bench.counted(14, 31);
        assert_eq!(requested(&event), Some("gpt-4o-transcribe"));
        assert!(bench.ended().network_bytes_out > AUDIO as u64);
    }
}

#[tokio::test]
async fn a_body_that_is_streamed_is_read_while_it_is_sent() {
    let wire = Wire::start(|got| {
        assert_eq!(got.body, ASK.as_bytes());
        Some(Reply::json(200, &chat(48, 14)))
    });
    let bench = Bench::new();
    let mut request = ask(&wire);
    let pieces = [&ASK[..9], &ASK[9..]].map(Ok::<_, std::io::Error>);
    *request.body_mut() = Some(reqwest::Body::wrap_stream(futures_util::stream::iter(pieces)));
    assert!(request.try_clone().is_none());
    let call = async { bench.reqwest(&wire).call(request).await.unwrap().bytes().await };
    call.in_task(&bench.task).await.unwrap();
    assert_eq!(requested(&bench.counted(48, 14)), Some("gpt-4o"));
}
