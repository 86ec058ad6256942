//! The dev console: a line on stderr for every task that ends.
//!
//! Asked for by `environment = "development"`; the one place where this library writes to stderr.
//! Lines are written by a thread of their own, so that a slow terminal slows nobody.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use crate::display::{self, dollars};
use crate::error::Error;
use crate::event::CostFamily;
use crate::loss::{Loss, LossKind, LossReason};
use crate::sink::{Commit, Record, Refusal, Sink};
use crate::task::{Task, TaskStatus};
use parking_lot::Mutex;

/// How many summaries may wait for a slow terminal; further ones are left out.
const WAITING: usize = 1_024;

/// A sink that hands everything on and shows tasks that end.
#[derive(Debug)]
pub(crate) struct ConsoleSink {
    inner: Arc<dyn Sink>,
    console: Mutex<Option<Console>>,
}

#[derive(Debug)]
struct Console {
    tasks: SyncSender<Arc<Task>>,
    /// Hangs up when the last line is written.
    written: Receiver<()>,
}

impl ConsoleSink {
    /// Shows the tasks that end on stderr; in colour where that is a terminal.
    pub(crate) fn to_stderr(inner: Arc<dyn Sink>) -> Self {
        let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self::over(inner, std::io::stderr(), colour)
    }

    fn over(inner: Arc<dyn Sink>, out: impl Write + Send + 'static, colour: bool) -> Self {
        let (tasks, shown) = sync_channel(WAITING);
        let (writing, written) = sync_channel(1);
        let thread = std::thread::Builder::new().name("dexcost-console".to_owned());
        let show = move || {
            show_all(&shown, out, colour);
            drop(writing);
        };
        let console = thread.spawn(show).ok().map(|_| Console { tasks, written });
        Self {
            inner,
            console: Mutex::new(console),
        }
    }
}

fn show_all(tasks: &Receiver<Arc<Task>>, mut out: impl Write, colour: bool) {
    while let Ok(task) = tasks.recv() {
        let _ = out.write_all(summary(&task, colour).as_bytes());
        let _ = out.flush();
    }
}

impl Sink for ConsoleSink {
    fn put(&self, record: Record) -> Result<(), Refusal> {
        if let Record::TaskEnded(task) = &record
            && let Some(console) = &*self.console.lock()
        {
            let _ = console.tasks.try_send(Arc::clone(task));
        }
        self.inner.put(record)
    }

    fn commit(&self) -> Commit {
        self.inner.commit()
    }

    /// The ledger first: what is left of the time is for the terminal.
    fn close(&self, within: Duration) -> Result<(), Error> {
        let begun = Instant::now();
        let outcome = self.inner.close(within);
        let console = self.console.lock().take();
        if let Some(console) = console {
            drop(console.tasks);
            let left = within.saturating_sub(begun.elapsed());
            let _: Result<(), _> = console.written.recv_timeout(left);
        }
        outcome
    }

    fn note_loss(&self, kind: LossKind, reason: LossReason, count: u64) {
        self.inner.note_loss(kind, reason, count);
    }

    fn losses(&self) -> Vec<Loss> {
        self.inner.losses()
    }
}

/// One line about a task; a second one where something has no known price.
fn summary(task: &Task, colour: bool) -> String {
    let paint = |code: &str, text: &str| match colour {
        true => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        false => text.to_owned(),
    };
    let totals = &task.totals;
    let mark = if task.status == TaskStatus::Success {
        paint("32", "ok    ")
    } else {
        paint("31", "failed")
    };
    let cost = dollars(totals.total_cost_usd());
    let mut line = format!(
        "dexcost {mark} {} {}",
        paint("1", &display::name(&task.task_type)),
        paint("1;36", &cost)
    );
    if let Some(customer) = &task.attribution.customer_id {
        let _ = write!(line, "  {}", display::name(customer));
    }
    let parts: Vec<_> = CostFamily::ALL
        .iter()
        .filter(|family| !totals.family(**family).is_zero())
        .collect();
    if parts.len() > 1 {
        let part = |family: &&CostFamily| format!("{family} {}", dollars(totals.family(**family)));
        let _ = write!(
            line,
            "  ({})",
            parts.iter().map(part).collect::<Vec<_>>().join(" + ")
        );
    }
    if totals.total_input_tokens + totals.total_output_tokens > 0 {
        let tokens = format!(
            "{} in, {} out",
            totals.total_input_tokens, totals.total_output_tokens
        );
        let _ = write!(line, "  {}", paint("2", &format!("{tokens} tokens")));
    }
    let _ = write!(
        line,
        "  {}",
        paint("2", &format!("{} ms", task.duration_ms().unwrap_or(0)))
    );
    if totals.retry_count > 0 {
        let _ = write!(
            line,
            "  {}",
            paint("33", &format!("{} retries", totals.retry_count))
        );
    }
    if totals.unknown_cost_count > 0 {
        let unknown = format!(
            "{} of {} events without a known price",
            totals.unknown_cost_count, totals.event_count
        );
        let _ = write!(line, "\n               {}", paint("33", &unknown));
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::MemorySink;
    use crate::{CostTracker, LlmCall, TaskOptions, dec};

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_task_that_ends_is_shown_in_one_line() {
        let page = Page::default();
        let mut parts = MemorySink::new().parts(Arc::new(crate::ManualClock::default()));
        parts.sink = Arc::new(ConsoleSink::over(parts.sink, page.clone(), false));
        let tracker = CostTracker::from_parts(parts);
        let options = TaskOptions {
            customer_id: Some("acme".into()),
            ..Default::default()
        };
        let task = tracker.start_task_sync("resolve_ticket", options).unwrap();
        task.record_llm_call(LlmCall::new("a", "b", 10, 5).cost_usd(dec!(0.0100)))
            .unwrap();
        task.record_cost("pdf", dec!(0.002)).unwrap();
        task.end_blocking(TaskStatus::Success).unwrap();
        tracker.close(Duration::from_secs(1)).unwrap();
        let text = String::from_utf8(page.0.lock().clone()).unwrap();
        let expected = "dexcost ok     resolve_ticket $0.012  acme  (llm $0.01 + external $0.002)  \
                        10 in, 5 out tokens  0 ms\n";
        assert_eq!(text, expected);
    }
}
