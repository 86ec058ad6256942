//! What a user reads: every verb over a small buffer, to the letter.
//!
//! `DEXCOST_BLESS=1` writes the expected files anew.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use dexcost::buffer::{Buffer, BufferOptions};
use dexcost::{
    Attribution, CallFacts, Clock, CostConfidence, Event, EventId, EventType, LossKind, LossReason,
    ManualClock, PricingEngine, PricingSource, Record, Sink, Task, TaskId, TaskStatus, Timestamp, Totals,
    Unit, Usage, dec,
};

const LONG: Duration = Duration::from_secs(60);

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("buffer.sqlite3")
    }

    fn run(&self, args: &[&str]) -> Output {
        command(&self.path()).args(args).output().unwrap()
    }

    /// What a command that succeeds prints, without what differs from machine to machine.
    fn read(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success(),
            "{args:?}: {text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = text.replace(&self.path().display().to_string(), "FILE");
        let text = text.replace(PricingEngine::new().pricing_version().as_str(), "VERSION");
        let lines = text.lines().map(|line| match line.split_once(" bytes, schema ") {
            Some((_, schema)) => format!("size       N bytes, schema {schema}"),
            None => line.trim_end().to_owned(),
        });
        lines.map(|line| line + "\n").collect()
    }

    fn failure(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        text.replace(&self.path().display().to_string(), "FILE")
    }
}

fn command(buffer: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dexcost"));
    command
        .env("DEXCOST_BUFFER", buffer)
        .env_remove("COLUMNS")
        .env("NO_COLOR", "1");
    command
}

fn at(millis: i64) -> Timestamp {
    // 2026-11-22T09:00:00Z.
    Timestamp::from_unix_micros(1_795_338_000_000_000 + millis * 1_000)
}

/// An id of version 7 with a number for its random part.
fn id(millis: i64, number: u8) -> [u8; 16] {
    let mut id = [0; 16];
    id[..6].copy_from_slice(&at(millis).unix_millis().to_be_bytes()[2..]);
    (id[6], id[8]) = (0x70, 0x80);
    (id[14], id[15]) = (0xAB, number);
    id
}

fn task(number: u8, millis: i64, task_type: &str, customer: Option<&str>) -> Task {
    Task {
        task_id: TaskId::from_bytes(id(millis, number)),
        task_type: task_type.into(),
        status: TaskStatus::Pending,
        started_at: at(millis),
        ended_at: None,
        attribution: Attribution {
            customer_id: customer.map(Into::into),
            project_id: Some("support".into()),
            ..Attribution::default()
        },
        parent_task_id: None,
        metadata: serde_json::Map::new(),
        totals: Totals::default(),
        revision: 1,
    }
}

fn blank(task: &Task, number: u8, millis: i64, event_type: EventType) -> Event {
    Event::new(
        EventId::from_bytes(id(millis, number)),
        task.task_id,
        event_type,
        at(millis),
    )
}

/// Four tasks of two customers and nobody: a call, a paid API, a retry, an unknown model, a failure.
fn fill(place: &Place) {
    let clock = Arc::new(ManualClock::at(at(0)));
    let buffer = Buffer::open(BufferOptions::at(place.path()).clock(clock as Arc<dyn Clock>)).unwrap();
    let put = |record| buffer.put(record).unwrap();

    let mut acme = task(1, 0, "resolve_ticket", Some("acme-corp"));
    let mut call = blank(&acme, 0x11, 40, EventType::LlmCall);
    call.provider = Some("openai".into());
    call.model = Some("gpt-4o".into());
    call.usage = Usage::new()
        .with(Unit::InputTokens, 12_800_u32)
        .with(Unit::OutputTokens, 950_u32);
    call.cost_usd = Some(dec!(0.0415));
    call.cost_confidence = CostConfidence::Computed;
    call.pricing_source = PricingSource::Litellm;
    call.pricing_version = Some(PricingEngine::new().pricing_version());
    call.latency_ms = Some(812);
    let mut again = call.clone();
    again.event_id = EventId::from_bytes(id(900, 0x12));
    again.occurred_at = at(900);
    (again.is_retry, again.retry_reason) = (true, Some("rate_limit".into()));
    let mut paid = blank(&acme, 0x13, 1_000, EventType::ExternalCost);
    paid.service_name = Some("pdf_renderer".into());
    paid.cost_usd = Some(dec!(0.002));
    paid.cost_confidence = CostConfidence::Exact;
    paid.pricing_source = PricingSource::Manual;
    put(Record::TaskStarted(Arc::new(acme.clone())));
    for event in [call, again, paid] {
        acme.totals.add(&event);
        put(Record::Event(Arc::new(event)));
    }
    end(&mut acme, 1_234, TaskStatus::Success);
    put(Record::TaskEnded(Arc::new(acme)));

    let mut other = task(2, 2_000, "summarise", Some("\u{1b}[31mevil\u{7}, \"Inc\""));
    let mut unknown = blank(&other, 0x21, 2_010, EventType::LlmCall);
    unknown.provider = Some("mystery".into());
    unknown.model = Some("model-x".into());
    unknown.usage = Usage::new().with(Unit::InputTokens, 10_u32);
    unknown.call = Some(Box::new(CallFacts {
        unpriced: vec!["input_tokens".into()],
        ..CallFacts::default()
    }));
    other.totals.add(&unknown);
    put(Record::TaskStarted(Arc::new(other.clone())));
    put(Record::Event(Arc::new(unknown)));
    other.metadata.insert("_ended_by".into(), "cancelled".into());
    end(&mut other, 2_020, TaskStatus::Failed);
    put(Record::TaskEnded(Arc::new(other)));

    let mut nobody = task(3, 3_000, "agent_session", None);
    put(Record::TaskStarted(Arc::new(nobody.clone())));
    end(&mut nobody, 3_000, TaskStatus::Success);
    put(Record::TaskEnded(Arc::new(nobody)));
    buffer.note_loss(LossKind::Call, LossReason::NoTracker, 2);
    buffer.close(LONG).unwrap();
}

fn end(task: &mut Task, millis: i64, status: TaskStatus) {
    task.status = status;
    task.ended_at = Some(at(millis));
    task.revision += 1;
}

/// Compares with a file, or writes it.
fn expect(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli").join(name);
    if std::env::var_os("DEXCOST_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "{name}: DEXCOST_BLESS=1 writes it anew");
}

#[test]
fn what_a_user_reads_is_what_stands_in_the_expected_files() {
    let place = Place::new();
    fill(&place);
    let first = TaskId::from_bytes(id(0, 1)).to_string();
    let event = |millis, number| EventId::from_bytes(id(millis, number)).to_string();
    let cases: &[(&str, &[&str])] = &[
        ("report.txt", &["report"]),
        ("report-by-model.txt", &["report", "--by", "model"]),
        ("report-by-day.txt", &["report", "--by", "day"]),
        ("report-top.txt", &["report", "--top", "1"]),
        ("report-nothing.txt", &["report", "--until", "2026-11-01"]),
        ("report.csv", &["report", "--csv"]),
        ("report.jsonl", &["report", "--by", "project", "--json"]),
        ("tasks.txt", &["tasks"]),
        (
            "tasks-failed.txt",
            &["tasks", "--status", "failed", "--since", "2026-11-22"],
        ),
        ("tasks.csv", &["tasks", "--csv"]),
        ("tasks.jsonl", &["tasks", "--json"]),
        ("show-unknown.jsonl", &["show", "ab02", "--json"]),
        ("show.txt", &["show", &first]),
        ("show-unknown.txt", &["show", "ab02"]),
        ("explain.txt", &["explain", &event(40, 0x11)]),
        ("explain.json", &["explain", &event(40, 0x11), "--json"]),
        ("explain-manual.txt", &["explain", &event(1_000, 0x13)]),
        ("explain-unknown.txt", &["explain", "AB-21"]),
        ("status.txt", &["status", "--check"]),
    ];
    for (name, args) in cases {
        expect(name, &place.read(args));
    }
}

#[test]
fn what_the_catalog_knows_about_a_url_is_shown_with_its_sources() {
    let place = Place::new();
    let catalog = dexcost::ServiceCatalog::new();
    let text = place.read(&["services", "lookup", "https://api.e2b.dev/sandboxes/x"]);
    let text = text.replace(&*catalog.version(), "VERSION");
    let text = text.replace(&format!("{} rows", catalog.len()), "N rows");
    expect("services.txt", &text);
    let unknown = place.run(&["services", "lookup", "https://example.com/", "--json"]);
    assert_eq!((unknown.status.code(), unknown.stdout.len()), (Some(1), 0));
}

#[test]
fn a_buffer_without_a_task_is_read_by_every_verb() {
    let place = Place::new();
    drop(Buffer::open(BufferOptions::at(place.path())).unwrap());
    assert!(place.read(&["status"]).contains("losses     none"));
    for verb in ["report", "tasks"] {
        assert!(!place.read(&[verb]).is_empty());
        assert_eq!(place.read(&[verb, "--json"]), "");
        assert_eq!(place.read(&[verb, "--csv"]).lines().count(), 1);
    }
}

#[test]
fn what_is_wrong_is_said_with_what_to_do_and_ends_with_2() {
    let place = Place::new();
    assert!(
        place
            .failure(&["report"])
            .contains("nothing is recorded in FILE yet")
    );
    std::fs::write(place.path(), "").unwrap();
    assert!(place.failure(&["tasks"]).contains("it is empty"));
    std::fs::write(
        place.path(),
        "no database, but longer than a header of one hundred bytes ".repeat(9),
    )
    .unwrap();
    assert_eq!(
        place.failure(&["status"]),
        "dexcost: buffer FILE: file is not a database\n"
    );
    std::fs::remove_file(place.path()).unwrap();
    std::fs::create_dir(place.path()).unwrap();
    assert!(place.failure(&["status"]).contains("it is a folder"));
    std::fs::remove_dir(place.path()).unwrap();
    fill(&place);
    for bad in [
        &["report", "--by", "nonsense"][..],
        &["report", "--since", "2026-13-01"],
        &["report", "--json", "--csv"],
        &["tasks", "--status", "odd"],
        &["tasks", "--limit", "-1"],
        &["show"],
        &["rates", "no-such-file"],
    ] {
        assert!(!place.failure(bad).is_empty());
    }
    assert!(
        place
            .failure(&["show", "zz"])
            .contains("`zz` is not a task or event id")
    );
    assert!(
        place
            .failure(&["show", "ffff"])
            .contains("no task has an id that begins or ends with ffff")
    );
    let ambiguous = place.failure(&["show", "01"]);
    assert!(
        ambiguous.contains("the last digits tell them apart"),
        "{ambiguous}"
    );
    assert_eq!(ambiguous.matches("\n  ").count(), 3, "{ambiguous}");
}

#[test]
fn a_reader_that_goes_away_ends_the_command_without_a_word() {
    let place = Place::new();
    fill(&place);
    for args in [
        &["tasks", "--json"][..],
        &["tasks", "--csv"],
        &["report"],
        &["show", "ab01"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command(&place.path())
            .args(args)
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(output.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn on_a_narrow_terminal_ids_and_amounts_stay_whole() {
    let place = Place::new();
    fill(&place);
    let output = command(&place.path())
        .arg("tasks")
        .env("COLUMNS", "60")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let id = TaskId::from_bytes(id(0, 1)).to_string();
    assert!(output.status.success());
    assert!(text.contains(&id) && text.contains("$0.085"), "{text}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_path_that_is_no_utf8_is_as_good_as_any() {
    use std::os::unix::ffi::OsStringExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder
        .path()
        .join(std::ffi::OsString::from_vec(b"b\xFFuf fer#?%.sqlite3".to_vec()));
    let buffer = Buffer::open(BufferOptions::at(&path)).unwrap();
    buffer.commit().wait(LONG).unwrap();
    for open in [true, false] {
        let output = command(&path).arg("status").output().unwrap();
        assert!(
            output.status.success(),
            "{open} {}",
            String::from_utf8_lossy(&output.stderr)
        );
        buffer.close(LONG).unwrap();
    }
}

/// A recording of a download of three results of a batch.
fn download(folder: &Path) -> PathBuf {
    let line = |n: u32| {
        let message = format!(
            r#"{{"id":"msg_{n}","type":"message","model":"claude-haiku-4-5","usage":{{"input_tokens":1000,"output_tokens":100}}}}"#
        );
        format!(r#"{{"custom_id":"{n}","result":{{"type":"succeeded","message":{message}}}}}"#) + "\n"
    };
    let body: String = (0..3).map(line).collect();
    let har = serde_json::json!({"log": {"entries": [{
        "startedDateTime": "2026-11-22T09:00:00Z",
        "request": {"method": "GET", "url": "https://api.anthropic.com/v1/messages/batches/b/results"},
        "response": {"status": 200, "content": {"text": body}},
    }]}});
    let file = folder.join("download.har");
    std::fs::write(&file, har.to_string()).unwrap();
    file
}

#[test]
fn results_of_a_batch_that_two_processes_fetch_at_once_are_on_the_ledger_once() {
    let place = Place::new();
    let file = download(place.folder.path());
    let file = file.to_str().unwrap();
    let one = place.read(&["replay", file, "--json"]);
    let one: serde_json::Value = serde_json::from_str(&one).unwrap();
    assert_eq!(
        (&one["usage_scope"], one["cost_usd"].is_null()),
        (&"none".into(), true)
    );
    let ids: Vec<_> = (0..3).map(|n| one["batch"][n]["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["msg_0", "msg_1", "msg_2"]);
    // Half of 1 and of 5 US dollars per million tokens.
    assert_eq!(one["batch"][0]["cost_usd"], "0.00075");
    let keep = || {
        let mut replay = command(&place.path());
        replay.args(["replay", file, "--buffer"]).arg(place.path());
        replay.stdout(Stdio::null()).spawn().unwrap()
    };
    for mut process in [keep(), keep(), keep()] {
        assert!(process.wait().unwrap().success());
    }
    let report = place.read(&["report", "--json", "--by", "model"]);
    let row = report
        .lines()
        .find(|line| line.contains("claude-haiku-4-5"))
        .unwrap();
    let row: serde_json::Value = serde_json::from_str(row).unwrap();
    assert_eq!(
        (&row["events"], &row["total_cost_usd"]),
        (&3.into(), &"0.00225".into())
    );
}

/// A recording of one exchange, for `replay --buffer`.
fn exchange(
    url: &str,
    request: &str,
    status: u16,
    headers: &[(&str, &str)],
    reply: &str,
) -> serde_json::Value {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| serde_json::json!({"name": name, "value": value}))
        .collect();
    serde_json::json!({
        "startedDateTime": "2026-11-22T09:00:00Z",
        "request": {"method": "POST", "url": url, "postData": {"text": request}},
        "response": {"status": status, "headers": headers, "content": {"text": reply}},
    })
}

/// URL, request, status and reply, the addends as `what quantity unit_usd`, and a remark.
type Kind = (
    &'static str,
    &'static str,
    u16,
    &'static str,
    &'static [&'static str],
    &'static str,
);

/// Every kind of line.
#[rustfmt::skip]
const KINDS: &[Kind] = &[
    (
        "https://api.openai.com/v1/chat/completions", r#"{"model":"gpt-4o"}"#, 200,
        r#"{"model":"gpt-4o","choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100,"prompt_tokens_details":{"cached_tokens":200}}}"#,
        &["input_tokens 800 0.0000025", "cache_read_tokens 200 0.00000125", "output_tokens 100 0.00001"], "",
    ),
    (
        "https://api.openai.com/v1/images/generations", r#"{"model":"gpt-image-1.5"}"#, 200,
        r#"{"data":[{"b64_json":"a"}],"usage":{"input_tokens":10,"output_tokens":1000,"total_tokens":1010}}"#,
        &["input_tokens 10 0.000005", "output_image_tokens 1000 0.000032"], "",
    ),
    (
        "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent", "{}", 200,
        r#"{"candidates":[{"finishReason":"STOP","groundingMetadata":{"webSearchQueries":["a"]}}],"usageMetadata":{"promptTokenCount":100,"toolUsePromptTokenCount":50,"candidatesTokenCount":10,"totalTokenCount":160},"modelVersion":"gemini-2.5-flash"}"#,
        &["input_tokens 100 0.0000003", "output_tokens 10 0.0000025", "web_search_requests 1 0.035"], "",
    ),
    (
        "https://openrouter.ai/api/v1/chat/completions", r#"{"model":"openai/gpt-4o"}"#, 200,
        r#"{"model":"openai/gpt-4o","choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100,"cost":0.0021}}"#,
        &["stated 1 0.0021"], "The provider stated this amount; that beats any table.",
    ),
    (
        "https://openrouter.ai/api/v1/chat/completions", r#"{"model":"openai/gpt-4o"}"#, 200,
        r#"{"model":"openai/gpt-4o","choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100,"cost":0.0001,"is_byok":true}}"#,
        &["input_tokens 1000 0.0000025", "output_tokens 100 0.00001", "gateway_fee 1 0.0001"],
        "The gateway's fee of 0.0001 USD for the use of the caller's own key comes on top.",
    ),
    (
        "https://api.openai.com/v1/chat/completions", r#"{"model":"gpt-4o"}"#, 429, r#"{"error":{"code":"rate_limit_exceeded"}}"#,
        &["amount 1 0"], "The provider refused the call and bills nothing for it.",
    ),
    (
        "https://api.search.brave.com/res/v1/web/search?q=a", "", 200, "{}", &["request 1 0.005"],
        "The price of 0.005 is recalled, as of 2025, and was not read again: brave.com/search/api (recalled).",
    ),
    (
        "https://api.tavily.com/search", r#"{"query":"a"}"#, 200, r#"{"usage":{"credits":2}}"#, &["credit 2 0.008"],
        "The price of 0.008 is that of 2026-10-06, from docs.tavily.com (credits page).",
    ),
    (
        "https://api.exa.ai/search", r#"{"query":"a"}"#, 200, r#"{"costDollars":{"total":0.88}}"#, &["usd 0.88 1"],
        "The provider stated this amount; that beats any table.",
    ),
];

#[test]
fn every_kind_of_cost_is_explained_by_addends_that_make_it_up() {
    for (url, request, status, reply, addends, remark) in KINDS {
        let place = Place::new();
        let method = if url.contains("brave") { "GET" } else { "POST" };
        let mut entry = exchange(url, request, *status, &[], reply);
        entry["request"]["method"] = method.into();
        let har = serde_json::json!({"log": {"entries": [entry]}});
        let file = place.folder.path().join("one.har");
        std::fs::write(&file, har.to_string()).unwrap();
        place.read(&[
            "replay",
            file.to_str().unwrap(),
            "--buffer",
            place.path().to_str().unwrap(),
        ]);
        let task: serde_json::Value = serde_json::from_str(place.read(&["tasks", "--json"]).trim()).unwrap();
        let shown = place.read(&["show", task["task_id"].as_str().unwrap(), "--json"]);
        let event: serde_json::Value =
            serde_json::from_str(shown.lines().nth(1).unwrap_or_else(|| panic!("{url}"))).unwrap();
        let id = event["event_id"].as_str().unwrap();
        let explained = place.read(&["explain", id, "--json"]);
        let explained: serde_json::Value = serde_json::from_str(&explained).unwrap();
        assert_eq!(explained["adds_up"], true, "{explained}");
        assert_eq!(explained["total_usd"], event["cost_usd"], "{explained}");
        let bill = explained["bill"].as_array().unwrap();
        let field = |line: &serde_json::Value, name: &str| line[name].as_str().unwrap_or("?").to_owned();
        let bill: Vec<_> = bill
            .iter()
            .map(|line| {
                ["what", "quantity", "unit_usd"]
                    .map(|name| field(line, name))
                    .join(" ")
            })
            .collect();
        assert_eq!(&bill, addends, "{url}");
        let text = place.read(&["explain", id]);
        assert!(text.contains(remark), "{text}");
    }
}

#[test]
fn a_parent_of_a_task_whose_cost_is_unknown_shows_it_and_so_does_a_report_of_a_crash() {
    let place = Place::new();
    let buffer = Buffer::open(BufferOptions::at(place.path()).keep(None)).unwrap();
    let mut parent = task(1, 0, "answer", Some("acme"));
    let mut child = task(2, 10, "search", Some("acme"));
    child.parent_task_id = Some(parent.task_id);
    let mut grandchild = task(3, 20, "fetch", Some("acme"));
    grandchild.parent_task_id = Some(child.task_id);
    let mut unknown = blank(&grandchild, 0x31, 30, EventType::LlmCall);
    unknown.usage = Usage::new().with(Unit::InputTokens, 10_u32);
    grandchild.totals.add(&unknown);
    buffer.put(Record::Event(Arc::new(unknown))).unwrap();
    let mut paid = blank(&child, 0x21, 25, EventType::ExternalCost);
    (paid.cost_usd, paid.cost_confidence) = (Some(dec!(0.25)), CostConfidence::Exact);
    child.totals.add(&paid);
    buffer.put(Record::Event(Arc::new(paid))).unwrap();
    let mut crashed = task(4, 40, "crash", Some("initech"));
    crashed.metadata.insert("_ended_by".into(), "interrupted".into());
    for task in [&mut grandchild, &mut child, &mut parent, &mut crashed] {
        end(task, 50, TaskStatus::Success);
        buffer.put(Record::TaskEnded(Arc::new(task.clone()))).unwrap();
    }
    buffer.close(LONG).unwrap();

    let listed = place.read(&["tasks", "--json"]);
    let tasks: Vec<serde_json::Value> = listed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |kind: &str| tasks.iter().find(|task| task["task_type"] == kind).unwrap();
    assert_eq!(
        (&of("answer")["incomplete"], &of("answer")["sub_tasks"]),
        (&true.into(), &2.into())
    );
    assert_eq!(of("answer")["incomplete_sub_tasks"], 1);
    assert_eq!(
        (&of("fetch")["incomplete"], &of("fetch")["sub_tasks"]),
        (&true.into(), &0.into())
    );
    let shown = place.read(&["show", &parent.task_id.to_string()]);
    assert!(
        shown.contains("of 2 tasks below it, 1 may have cost more than is known"),
        "{shown}"
    );
    assert!(shown.contains("total $0.00 + ?"), "{shown}");
    assert!(shown.contains("with sub-tasks $0.25 + ?"), "{shown}");
    assert!(
        shown.contains(&format!("  {}", grandchild.task_id)),
        "under its parent: {shown}"
    );
    assert_eq!(of("answer")["subtree_cost_usd"], "0.25");
    assert_eq!(
        (&of("answer")["total_cost_usd"], &of("fetch")["subtree_cost_usd"]),
        (&"0".into(), &serde_json::Value::Null)
    );
    let roots = place.read(&["tasks", "--roots", "--json"]);
    assert_eq!(roots.lines().count(), 2, "{roots}");

    let report = place.read(&["report", "--json"]);
    let rows: Vec<serde_json::Value> = report
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let initech = rows.iter().find(|row| row["name"] == "initech").unwrap();
    assert_eq!(
        (&initech["interrupted_tasks"], &initech["incomplete"]),
        (&1.into(), &true.into())
    );
    let text = place.read(&["report"]);
    assert!(text.contains("1 task was cut short by a crash"), "{text}");
}

/// Hosts that the registry knows, hosts that nobody knows, and hosts inside of a network.
fn hosts() -> Vec<String> {
    let known = include_str!("../src/provider/known_hosts.txt").lines();
    let known = known.filter(|line| !line.starts_with('#'));
    let known = known
        .filter_map(|line| line.split_once(' '))
        .map(|(host, _)| host);
    let others = [
        "llm.example.com",
        "gateway",
        "localhost",
        "127.0.0.1",
        "10.1.2.3",
        "192.168.7.7",
        "llm.acme.internal",
        "llm.acme.local",
        "llm.default.svc.cluster.local",
        "own.acme.internal",
    ];
    known.chain(others).map(str::to_owned).collect()
}

#[test]
fn replay_price_resolve_and_explain_agree_at_every_host() {
    let place = Place::new();
    let file = |name: &str, text: String| {
        let path = place.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let rates = file("rates.yaml", "hosts: {own.acme.internal: mistral}\n".to_owned());
    let (mut entries, mut lines) = (Vec::new(), String::new());
    for host in hosts() {
        for model in [
            "gpt-4o",
            "mistral-large-latest",
            "claude-sonnet-4-5",
            "no-such-model",
        ] {
            let usage = r#"{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100}"#;
            entries.push(exchange(
                &format!("https://{host}/v1/chat/completions"),
                &format!(r#"{{"model":"{model}"}}"#),
                200,
                &[],
                &format!(r#"{{"object":"chat.completion","model":"{model}","choices":[{{"finish_reason":"stop"}}],"usage":{usage}}}"#),
            ));
            let line = serde_json::json!({
                "id": format!("{host} {model}"), "host": host, "model": model, "response_model": model,
                "usage": {"input_tokens": 1000, "output_tokens": 100},
                "options": {"billed_at": "2026-11-22T09:00:00Z"},
            });
            lines += &format!("{line}\n");
        }
    }
    let count = entries.len();
    let har = file(
        "all.har",
        serde_json::json!({"log": {"entries": entries}}).to_string(),
    );
    let lines = file("lines.jsonl", lines);
    let buffer = place.path().display().to_string();
    let read = |args: &[&str]| -> Vec<serde_json::Value> {
        let text = place.read(args);
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let replayed = read(&["replay", &har, "--json", "--rates", &rates, "--buffer", &buffer]);
    let priced = read(&["price", "--jsonl", &lines, "--json", "--rates", &rates]);
    let resolved = read(&["resolve", "--jsonl", &lines, "--json", "--rates", &rates]);
    assert_eq!(
        (replayed.len(), priced.len(), resolved.len()),
        (count, count, count)
    );
    for ((replayed, priced), resolved) in replayed.iter().zip(&priced).zip(&resolved) {
        let at = &priced["id"];
        assert_eq!(replayed["captured"], true, "{at}");
        for field in ["cost_usd", "cost_confidence", "pricing_source"] {
            assert_eq!(replayed[field], priced[field], "{field} at {at}");
        }
        assert_eq!(
            (&resolved["rung"], &resolved["key"]),
            (&priced["rung"], &priced["matched"]),
            "{at}"
        );
    }
    let task = read(&["tasks", "--json"]).remove(0);
    let events = read(&["show", task["task_id"].as_str().unwrap(), "--json"]).split_off(1);
    assert_eq!(events.len(), count);
    for (event, priced) in events.iter().zip(&priced).step_by(3) {
        let explained = read(&["explain", event["event_id"].as_str().unwrap(), "--json"]).remove(0);
        assert_eq!(
            (&explained["total_usd"], &explained["adds_up"]),
            (&priced["cost_usd"], &true.into()),
            "{}",
            priced["id"]
        );
    }
}

#[test]
fn replay_price_and_resolve_agree_on_every_provider_by_its_name() {
    let names = include_str!("../src/provider/known_names.txt").lines();
    let names: Vec<&str> = names.filter(|line| !line.starts_with('#')).collect();
    let place = Place::new();
    let file = |name: &str, text: String| {
        let path = place.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    // Each answers at a host of its own inside of the network.
    let host = |at: usize| format!("p{at}.acme.internal");
    let hosts: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(at, name)| format!("  \"{}\": \"{name}\"\n", host(at)))
        .collect();
    let rates = file("rates.yaml", format!("hosts:\n{}", hosts.concat()));
    let (mut entries, mut by_host, mut by_name) = (Vec::new(), String::new(), String::new());
    for (at, name) in names.iter().enumerate() {
        for model in ["gpt-4o", "claude-sonnet-4-5", "mistral-large-latest"] {
            let usage = r#"{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100}"#;
            entries.push(exchange(
                &format!("https://{}/v1/chat/completions", host(at)),
                &format!(r#"{{"model":"{model}"}}"#),
                200,
                &[],
                &format!(r#"{{"object":"chat.completion","model":"{model}","choices":[{{"finish_reason":"stop"}}],"usage":{usage}}}"#),
            ));
            let line = |field: &str, value: &str| {
                serde_json::json!({
                    "id": name, field: value, "model": model, "response_model": model,
                    "usage": {"input_tokens": 1000, "output_tokens": 100},
                    "options": {"billed_at": "2026-11-22T09:00:00Z"},
                })
                .to_string()
                    + "\n"
            };
            by_host += &line("host", &host(at));
            by_name += &line("provider", &name.to_uppercase());
        }
    }
    let har = file(
        "all.har",
        serde_json::json!({"log": {"entries": entries}}).to_string(),
    );
    let by_host = file("by_host.jsonl", by_host);
    let by_name = file("by_name.jsonl", by_name);
    let read = |args: &[&str]| -> Vec<serde_json::Value> {
        let text = place.read(&[args, &["--json", "--rates", &rates]].concat());
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let replayed = read(&["replay", &har]);
    let (hosted, named) = (
        read(&["price", "--jsonl", &by_host]),
        read(&["price", "--jsonl", &by_name]),
    );
    let resolved = read(&["resolve", "--jsonl", &by_name]);
    assert!(replayed.len() > 400 && replayed.len() == named.len());
    for (((replayed, hosted), named), resolved) in replayed.iter().zip(&hosted).zip(&named).zip(&resolved) {
        let name = &named["id"];
        for field in ["cost_usd", "cost_confidence", "pricing_source"] {
            assert_eq!(replayed[field], hosted[field], "{field} of {name} at its host");
            assert_eq!(hosted[field], named[field], "{field} of {name} by its name");
        }
        assert_eq!(
            (&resolved["rung"], &resolved["key"]),
            (&named["rung"], &named["matched"]),
            "{name}"
        );
    }
}

#[test]
fn no_name_from_elsewhere_reaches_a_terminal_or_a_spreadsheet_as_more_than_text() {
    let place = Place::new();
    let evil = "=1+2\u{1b}[31m\u{202e}\u{200b}\u{7f}x";
    let buffer = Buffer::open(BufferOptions::at(place.path()).keep(None)).unwrap();
    let mut task = task(1, 0, "=cmd", Some(evil));
    let mut call = blank(&task, 0x11, 1, EventType::LlmCall);
    (call.provider, call.model) = (Some("openai".into()), Some(evil.into()));
    call.usage = Usage::new().with(Unit::InputTokens, 1_u32);
    task.totals.add(&call);
    let event = call.event_id.to_string();
    buffer.put(Record::Event(Arc::new(call))).unwrap();
    end(&mut task, 2, TaskStatus::Success);
    let id = task.task_id.to_string();
    buffer.put(Record::TaskEnded(Arc::new(task))).unwrap();
    buffer.close(LONG).unwrap();
    let commands: &[&[&str]] = &[
        &["report"],
        &["report", "--json"],
        &["report", "--csv"],
        &["report", "--by", "model", "--json"],
        &["tasks"],
        &["tasks", "--json"],
        &["tasks", "--csv"],
        &["show", &id],
        &["show", &id, "--json"],
        &["explain", &event],
        &["explain", &event, "--json"],
        &["price", evil],
        &["price", evil, "--json"],
        &["resolve", evil],
        &["resolve", evil, "--json"],
        &["show", evil],
        &["rates", evil],
    ];
    for args in commands {
        let output = place.run(args);
        for said in [output.stdout, output.stderr] {
            let said = String::from_utf8(said).unwrap();
            let is_sound = |c: char| c == '\n' || dexcost::display::is_plain(c);
            assert!(said.chars().all(is_sound), "{args:?}: {said:?}");
            let is_formula = |cell: &str| cell.trim_start_matches('"').starts_with(['=', '+', '@']);
            let cells = said.lines().flat_map(|line| line.split(','));
            assert!(
                !args.contains(&"--csv") || !cells.into_iter().any(is_formula),
                "{said}"
            );
        }
    }
    let json = place.read(&["report", "--json"]);
    let row: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(row["name"], evil, "programs read the name as it is");
}

#[test]
fn results_that_come_at_once_and_are_too_many_are_counted() {
    let place = Place::new();
    let line = |n: u32| format!("{{\"custom_id\":\"{n}\",\"result\":{{\"type\":\"expired\"}}}}\n");
    let body: String = (0..16_400).map(line).collect();
    let url = "https://api.anthropic.com/v1/messages/batches/b/results";
    let mut entry = exchange(url, "", 200, &[], &body);
    entry["request"]["method"] = "GET".into();
    let har = serde_json::json!({"log": {"entries": [entry]}});
    let file = place.folder.path().join("many.har");
    std::fs::write(&file, har.to_string()).unwrap();
    let (file, buffer) = (file.to_str().unwrap(), place.path().display().to_string());
    place.read(&["replay", file, "--chunk", "100000000", "--buffer", &buffer]);
    let status = place.read(&["status"]);
    assert!(status.contains("16 call (too_many)"), "{status}");
    place.read(&["replay", file, "--buffer", &buffer]);
    let report = place.read(&["report", "--by", "provider", "--json"]);
    let row = report.lines().find(|line| line.contains("anthropic")).unwrap();
    let row: serde_json::Value = serde_json::from_str(row).unwrap();
    assert_eq!(row["events"], 16_400, "in pieces all of them are kept, each once");
}
