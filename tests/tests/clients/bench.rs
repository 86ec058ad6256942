//! A tracker in memory with one open task, and what the tests of all clients ask.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dexcost::testing::MemorySink;
use dexcost::{CostTracker, Event, TaskOptions, TaskStatus, Totals, TrackedTask, Unit};
use dexcost_tower::{CaptureLayer, CaptureService};
use tower::Layer;

use crate::wire::{Reply, Wire, chat};

pub(crate) const CHAT: &str = "/v1/chat/completions";
pub(crate) const ASK: &str = r#"{"model":"gpt-4o","messages":[{"role":"user","content":"?"}]}"#;

pub(crate) struct Bench {
    pub(crate) sink: Arc<MemorySink>,
    pub(crate) tracker: CostTracker,
    pub(crate) task: TrackedTask,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let sink = MemorySink::new();
        let tracker = sink.tracker();
        let task = tracker
            .start_task_sync("resolve_ticket", TaskOptions::default())
            .unwrap();
        Self { sink, tracker, task }
    }

    pub(crate) fn layer(&self) -> CaptureLayer {
        CaptureLayer::new().tracker(self.tracker.clone())
    }

    pub(crate) fn reqwest(&self, wire: &Wire) -> CaptureService<reqwest::Client> {
        self.layer().layer(client(wire))
    }

    /// The events there are; all must be on the task.
    pub(crate) fn events(&self) -> Vec<Arc<Event>> {
        let events = self.sink.events();
        assert!(events.iter().all(|event| event.task_id == self.task.task_id()));
        events
    }

    /// The one event there is.
    pub(crate) fn event(&self) -> Arc<Event> {
        let events = self.events();
        assert_eq!(events.len(), 1, "one call, one event");
        Arc::clone(&events[0])
    }

    /// Ends the task and gives its sums.
    pub(crate) fn ended(self) -> Totals {
        self.task.finish(TaskStatus::Success).unwrap();
        self.sink.ended()[0].totals.clone()
    }

    /// The one event there is, with so many tokens in and out.
    pub(crate) fn counted(&self, input: u64, output: u64) -> Arc<Event> {
        let event = self.event();
        assert_eq!(event.usage.count(Unit::InputTokens), input);
        assert_eq!(event.usage.count(Unit::OutputTokens), output);
        event
    }
}

/// The model that a call asked for, where that was seen.
pub(crate) fn requested(event: &Event) -> Option<&str> {
    event.call.as_ref()?.model_requested.as_deref()
}

/// A reqwest client for which OpenAI lives at the loopback server.
pub(crate) fn client(wire: &Wire) -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .resolve("api.openai.com", wire.addr)
        .build()
        .unwrap()
}

pub(crate) fn ask(wire: &Wire) -> reqwest::Request {
    let url = wire.url("api.openai.com", CHAT);
    let mut request = reqwest::Request::new(reqwest::Method::POST, url.parse().unwrap());
    *request.body_mut() = Some(ASK.into());
    request
}

pub(crate) const REFUSAL: &str =
    r#"{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}"#;

/// Refuses the first request, answers the next.
pub(crate) fn refusing_once() -> Wire {
    let tries = AtomicUsize::new(0);
    Wire::start(move |_| {
        Some(match tries.fetch_add(1, Ordering::Relaxed) {
            0 => Reply::json(429, REFUSAL),
            _ => Reply::json(200, &chat(48, 14)),
        })
    })
}

/// A port where nobody listens.
pub(crate) fn nobody() -> Wire {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    Wire {
        addr: listener.local_addr().unwrap(),
    }
}
