//! ureq, for programs without a runtime: nothing here runs in one.

use std::io::Read;
use std::time::Duration;

use dexcost::{ErrorType, OperationStatus};
use dexcost_tower::{CaptureLayer, Uncaptured};
use ureq::{Agent, Error};

use crate::bench::{ASK, Bench, CHAT, REFUSAL, nobody, refusing_once, requested};
use crate::wire::{After, Framing, Reply, Wire, chat, chat_stream, stream_reply};

fn agent(layer: CaptureLayer) -> Agent {
    Agent::config_builder()
        .proxy(None)
        .middleware(layer)
        .build()
        .new_agent()
}

fn url(wire: &Wire) -> String {
    wire.url("127.0.0.1", CHAT)
}

/// The agent that a program has without dexcost.
fn bare() -> Agent {
    Agent::config_builder().proxy(None).build().new_agent()
}

#[test]
fn a_reply_and_a_stream_are_counted_and_arrive_as_they_were_sent() {
    let (bench, wire) = (Bench::new(), Wire::always(Reply::json(200, &chat(48, 14))));
    let reply = bench.task.run(|| agent(bench.layer()).post(url(&wire)).send(ASK));
    let mut reply = reply.unwrap();
    assert!(bench.events().is_empty(), "not before the body has ended");
    assert_eq!(reply.body_mut().read_to_string().unwrap(), chat(48, 14));
    bench.counted(48, 14);

    let (bench, wire) = (Bench::new(), Wire::always(stream_reply(120, 30)));
    let reply = bench.task.run(|| agent(bench.layer()).post(url(&wire)).send(ASK));
    let mut reader = reply.unwrap().into_body().into_reader();
    let (mut seen, mut piece) = (Vec::new(), [0; 7]);
    loop {
        match reader.read(&mut piece).unwrap() {
            0 => break,
            count => seen.extend_from_slice(&piece[..count]),
        }
    }
    assert_eq!(String::from_utf8(seen).unwrap(), chat_stream(120, 30).concat());
    assert_eq!(
        bench.counted(120, 30).operation_status,
        OperationStatus::Succeeded
    );
}

#[test]
fn the_request_goes_out_as_without_the_layer() {
    let wire = Wire::start(|got| {
        let mut fields = got.headers.clone();
        fields.sort();
        let body = String::from_utf8_lossy(&got.body);
        let seen = format!("{} {} {fields:?} {body}", got.method, got.path);
        Some(Reply::json(200, &serde_json::json!(seen).to_string()))
    });
    let bench = Bench::new();
    let captured = agent(bench.layer());
    let asks: [fn(&Agent, &str) -> String; 5] = [
        |agent, url| read(agent.post(url).send(ASK)),
        |agent, url| read(agent.post(url).send_json(serde_json::json!({"model": "gpt-4o"}))),
        |agent, url| read(agent.post(url).header("content-length", "3").send("abc")),
        |agent, url| read(agent.post(url).header("transfer-encoding", "chunked").send(ASK)),
        |agent, url| {
            read(
                agent
                    .post(url)
                    .send(ureq::SendBody::from_reader(&mut ASK.as_bytes())),
            )
        },
    ];
    for ask in asks {
        let without = ask(&bare(), &url(&wire));
        assert!(without.contains("content-length") || without.contains("chunked"));
        assert_eq!(bench.task.run(|| ask(&captured, &url(&wire))), without);
    }
}

fn read(reply: Result<http::Response<ureq::Body>, Error>) -> String {
    reply.unwrap().body_mut().read_to_string().unwrap()
}

#[test]
fn a_request_that_says_how_it_is_framed_is_seen_and_its_retry_found() {
    let (bench, wire) = (Bench::new(), refusing_once());
    let agent = agent(bench.layer());
    let ask = || {
        let request = agent
            .post(url(&wire))
            .header("content-length", ASK.len().to_string());
        request.send(ASK)
    };
    bench.task.run(|| {
        assert!(matches!(ask(), Err(Error::StatusCode(429))));
        assert_eq!(read(ask()), chat(48, 14));
    });
    let events = bench.events();
    assert_eq!(events.len(), 2, "each attempt once");
    assert_eq!(events[0].error_type, Some(ErrorType::RateLimit));
    assert_eq!(events[1].retry_of, Some(events[0].event_id));
    assert_eq!(requested(&events[1]), Some("gpt-4o"));
}

#[test]
fn what_a_response_carries_survives() {
    let wire = Wire::always(Reply::json(200, &chat(48, 14)).header("x-mine", "yes"));
    let bench = Bench::new();
    let without = bare().post(url(&wire)).send(ASK).unwrap();
    let with = agent(bench.layer()).post(url(&wire)).send(ASK).unwrap();
    assert_eq!(with.status(), without.status());
    assert_eq!(with.version(), without.version());
    assert_eq!(with.headers(), without.headers());
    assert_eq!(with.extensions().len(), without.extensions().len());
    assert_eq!(with.body().mime_type(), without.body().mime_type());
    assert_eq!(with.body().charset(), without.body().charset());
    use ureq::ResponseExt;
    assert_eq!(with.get_uri(), without.get_uri());
}

#[test]
fn what_is_no_reply_of_a_model_and_what_is_media_can_be_sent_on_as_it_is() {
    let wire = Wire::start(|got| {
        Some(match got.path.as_str() {
            "/stored" => Reply::json(200, &serde_json::json!(got.body.len()).to_string()),
            "/v1/audio/speech" => Reply::new(200, "audio/mpeg", &[&[7; 9_000]]),
            _ => Reply::json(200, &serde_json::json!("x".repeat(5_000)).to_string()),
        })
    });
    let bench = Bench::new();
    let agent = agent(bench.layer());
    let at = |path| wire.url("127.0.0.1", path);
    let copied = |path| {
        let found = agent
            .post(at(path))
            .send(r#"{"model":"tts-1","input":"Hello"}"#)
            .unwrap();
        assert!(found.body().content_length().is_some());
        read(agent.put(at("/stored")).send(found))
    };
    bench.task.run(|| {
        assert_eq!(copied("/v1/audio/speech"), "9000");
        assert_eq!(copied("/file"), "5002");
    });
    let totals = bench.ended();
    assert_eq!(totals.network_call_count, 4);
    assert!(totals.network_bytes_in > 14_000);
}

#[test]
fn a_reply_of_a_model_is_sent_on_through_its_reader() {
    let wire = Wire::start(|got| {
        Some(match got.path.as_str() {
            "/stored" => Reply::json(200, &serde_json::json!(got.body.len()).to_string()),
            _ => Reply::json(200, &chat(48, 14)),
        })
    });
    let bench = Bench::new();
    let agent = agent(bench.layer());
    bench.task.run(|| {
        let reply = agent.post(url(&wire)).send(ASK).unwrap();
        let body = ureq::SendBody::from_owned_reader(reply.into_body().into_reader());
        let stored = agent.put(wire.url("127.0.0.1", "/stored")).send(body);
        assert_eq!(read(stored), chat(48, 14).len().to_string());
    });
    bench.counted(48, 14);
}

#[test]
fn a_coded_body_is_decoded_once_by_ureq_and_counted() {
    use std::io::Write;
    let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    coder.write_all(chat(48, 14).as_bytes()).unwrap();
    let coded = coder.finish().unwrap();
    let reply = Reply::new(200, "application/json", &[&coded]).header("content-encoding", "gzip");
    let (bench, wire) = (Bench::new(), Wire::always(reply));
    let reply = bench.task.run(|| agent(bench.layer()).post(url(&wire)).send(ASK));
    assert_eq!(read(reply), chat(48, 14));
    bench.counted(48, 14);
}

#[test]
fn a_text_in_another_charset_is_left_alone() {
    // To a browser, and so to ureq, US-ASCII is a name for a charset that has an é.
    for charset in ["iso-8859-1", "us-ascii"] {
        let kind = format!("text/plain; charset={charset}");
        let wire = Wire::always(Reply::new(200, &kind, &[b"caf\xe9".as_slice()]));
        let bench = Bench::new();
        let without = read(bare().post(url(&wire)).send(ASK));
        assert_eq!(without, "caf\u{e9}");
        let with = bench.task.run(|| agent(bench.layer()).post(url(&wire)).send(ASK));
        assert_eq!(read(with), without);
    }
}

#[test]
fn errors_are_the_callers_own_and_failed_events() {
    let (bench, wire) = (Bench::new(), Wire::always(Reply::json(429, REFUSAL)));
    let error = bench.task.run(|| agent(bench.layer()).post(url(&wire)).send(ASK));
    assert!(matches!(error, Err(Error::StatusCode(429))));
    assert_eq!(bench.event().error_type, Some(ErrorType::RateLimit));

    let (bench, wire) = (Bench::new(), Wire::always(Reply::json(429, REFUSAL)));
    let agent_of_replies = Agent::config_builder()
        .proxy(None)
        .http_status_as_error(false)
        .middleware(bench.layer())
        .build()
        .new_agent();
    let reply = bench.task.run(|| agent_of_replies.post(url(&wire)).send(ASK));
    assert_eq!(read(reply), REFUSAL);
    assert_eq!(bench.event().error_type, Some(ErrorType::RateLimit));

    let (bench, wire) = (Bench::new(), Wire::start(|_| None));
    let hurried = Agent::config_builder()
        .proxy(None)
        .timeout_global(Some(Duration::from_millis(100)))
        .middleware(bench.layer())
        .build()
        .new_agent();
    let url_of_known = "http://api.openai.com/v1/chat/completions";
    let via = ureq::Proxy::new(&format!("http://{}", wire.addr)).unwrap();
    let request = hurried.post(url_of_known).config().proxy(Some(via)).build();
    let error = bench.task.run(|| request.send(ASK));
    assert!(matches!(error, Err(Error::Timeout(_))), "{error:?}");
    assert_eq!(bench.event().error_type, Some(ErrorType::Timeout));

    let bench = Bench::new();
    let error = bench
        .task
        .run(|| agent(bench.layer()).post(url(&nobody())).send(ASK));
    assert!(matches!(error, Err(Error::Io(_))));
}

#[test]
fn a_body_that_breaks_off_fails_and_one_that_is_dropped_is_cancelled() {
    let events = chat_stream(48, 14);
    let begun = |after| {
        let reply = Reply::sse(&[&events[0], &events[1], &events[4]]);
        Wire::always(reply.framing(Framing::Chunked).after(after))
    };
    let (bench, wire) = (Bench::new(), begun(After::Cut));
    let reply = bench.task.run(|| agent(bench.layer()).post(url(&wire)).send(ASK));
    let with = reply.unwrap().body_mut().read_to_string().unwrap_err();
    let without = bare().post(url(&wire)).send(ASK);
    let without = without.unwrap().body_mut().read_to_string().unwrap_err();
    assert_eq!(with.to_string(), without.to_string());
    assert_eq!(bench.event().operation_status, OperationStatus::Failed);

    let (bench, wire) = (Bench::new(), begun(After::Hang));
    let reply = bench.task.run(|| agent(bench.layer()).post(url(&wire)).send(ASK));
    let mut reader = reply.unwrap().into_body().into_reader();
    let mut first = vec![0; events[0].len()];
    reader.read_exact(&mut first).unwrap();
    drop(reader);
    assert_eq!(bench.event().operation_status, OperationStatus::Cancelled);
}

#[test]
fn a_drop_after_the_last_byte_is_a_finished_body() {
    let (bench, wire) = (Bench::new(), Wire::always(Reply::json(200, &chat(48, 14))));
    let reply = bench.task.run(|| agent(bench.layer()).post(url(&wire)).send(ASK));
    let mut body = vec![0; chat(48, 14).len()];
    let mut reader = reply.unwrap().into_body().into_reader();
    reader.read_exact(&mut body).unwrap();
    drop(reader);
    assert_eq!(bench.counted(48, 14).operation_status, OperationStatus::Succeeded);
}

#[test]
fn nested_it_counts_once_and_a_marked_request_not_at_all() {
    let (bench, wire) = (Bench::new(), Wire::always(Reply::json(200, &chat(48, 14))));
    let twice = Agent::config_builder()
        .proxy(None)
        .middleware(bench.layer())
        .middleware(bench.layer())
        .build()
        .new_agent();
    assert_eq!(
        read(bench.task.run(|| twice.post(url(&wire)).send(ASK))),
        chat(48, 14)
    );
    bench.counted(48, 14);

    let request = http::Request::post(url(&wire))
        .extension(Uncaptured)
        .body(ASK)
        .unwrap();
    let bench = Bench::new();
    let marked = agent(bench.layer());
    assert_eq!(read(bench.task.run(|| marked.run(request))), chat(48, 14));
    assert!(bench.events().is_empty());
}

#[test]
fn the_task_is_the_one_that_is_current_where_the_call_is_made() {
    let (bench, wire) = (Bench::new(), Wire::always(Reply::json(200, &chat(48, 14))));
    let reply = {
        let _within = dexcost::Scope::with_task(&bench.task.handle()).enter();
        agent(bench.layer()).post(url(&wire)).send(ASK).unwrap()
    };
    std::thread::spawn(move || read(Ok(reply))).join().unwrap();
    bench.counted(48, 14);
}
