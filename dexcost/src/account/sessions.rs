//! Tasks that dexcost opens itself, for costs that arise outside any task.
//!
//! One session per scope and attribution, so that two requests without a task never share one, and
//! what is done for one customer is never charged to another. A session ends as a success after a
//! while without a billable call, soon after its scope is gone, at a flush, at close, and with the last
//! handle of its tracker. A thread that sleeps until the next session is due is started with the first
//! session and ends with the last.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::account::context::{self, Context};
use crate::account::options::TaskOptions;
use crate::account::scope::{self, Place, Surroundings};
use crate::account::tracked_task::{TaskHandle, TrackedTask};
use crate::account::tracker::{CostTracker, Shared};
use crate::clock::Timestamp;
use crate::task::{Attribution, TaskStatus};
use crate::text::Text;

/// The type of a session where the context names no agent.
const SESSION_TYPE: Text = Text::from_static("agent_session");

/// From how many open sessions on it is worth to look for those of scopes that are gone.
const SWEEP_FROM: usize = 64;

/// Opens, finds and ends sessions.
#[derive(Debug)]
pub struct SessionManager {
    idle: Duration,
    open: Arc<Mutex<Open>>,
    changed: Arc<Condvar>,
}

#[derive(Debug, Default)]
struct Open {
    by_scope: HashMap<u64, Session>,
    watched: bool,
    /// At how many open sessions those of scopes that are gone are looked for.
    sweep_at: usize,
}

#[derive(Debug)]
struct Session {
    task: TrackedTask,
    place: Place,
    /// Whom it is for. Who works for somebody else now gets another session.
    whom: Attribution,
    last_used: Timestamp,
}

impl SessionManager {
    pub(super) fn new(idle: Duration) -> Self {
        Self {
            idle,
            open: Arc::default(),
            changed: Arc::default(),
        }
    }

    /// How many sessions are open.
    #[must_use]
    pub fn open_count(&self) -> usize {
        self.open.lock().by_scope.len()
    }

    /// The session of the scope at hand; opened where there is none, the last one is idle, or the
    /// scope's context names somebody else by now.
    pub(super) fn current(&self, tracker: &CostTracker) -> TaskHandle {
        self.of_context(tracker, context::get_context())
    }

    /// The session of the scope at hand for whom a context names.
    pub(super) fn of_context(&self, tracker: &CostTracker, context: Option<Context>) -> TaskHandle {
        let now = tracker.shared().clock.now();
        let place = scope::place();
        let key = place.id;
        let whom = context.as_ref().map(Context::attribution).unwrap_or_default();
        let mut open = self.open.lock();
        if let Some(session) = open.by_scope.get_mut(&key) {
            if session.whom == whom && now.since(session.last_used) < self.idle {
                session.last_used = now.max(session.last_used);
                return session.task.handle();
            }
            close(open.by_scope.remove(&key));
        }
        let task = open_session(tracker, whom.agent.clone(), context);
        let handle = task.handle();
        let session = Session {
            task,
            place,
            whom,
            last_used: now,
        };
        open.by_scope.insert(key, session);
        open.sweep();
        if !open.watched {
            open.watched = self.watch(Arc::downgrade(tracker.shared()));
        }
        handle
    }

    /// Ends every session as a success.
    pub fn close_all(&self) {
        let sessions = std::mem::take(&mut self.open.lock().by_scope);
        sessions.into_values().for_each(|session| close(Some(session)));
        self.changed.notify_all();
    }

    /// Ends the sessions that had no call for the idle time before `now`, and those of scopes that no
    /// code can be in any more.
    ///
    /// Done by itself in programs; a test with a clock of its own calls it.
    pub fn close_idle(&self, now: Timestamp) {
        let mut open = self.open.lock();
        let idle = open
            .by_scope
            .extract_if(|_, session| session.place.is_gone() || now.since(session.last_used) >= self.idle);
        let idle: Vec<_> = idle.collect();
        drop(open);
        idle.into_iter().for_each(|(_, session)| close(Some(session)));
    }

    /// Starts the thread that ends idle sessions. Without one they end at the next call or flush.
    fn watch(&self, tracker: Weak<Shared>) -> bool {
        let (open, changed, idle) = (Arc::clone(&self.open), Arc::clone(&self.changed), self.idle);
        let watcher = move || {
            let pause = (idle / 4).clamp(Duration::from_millis(50), Duration::from_secs(5));
            loop {
                let mut guard = open.lock();
                if guard.by_scope.is_empty() {
                    guard.watched = false;
                    return;
                }
                changed.wait_for(&mut guard, pause);
                drop(guard);
                let Some(tracker) = tracker.upgrade() else { return };
                let now = tracker.clock.now();
                tracker.sessions.close_idle(now);
            }
        };
        std::thread::Builder::new()
            .name("dexcost-sessions".to_owned())
            .spawn(watcher)
            .is_ok()
    }
}

impl Open {
    /// Ends the sessions of scopes that are gone, each time their number has doubled: so there are
    /// never many more of them than of those that somebody may still use.
    fn sweep(&mut self) {
        if self.by_scope.len() < self.sweep_at.max(SWEEP_FROM) {
            return;
        }
        let gone = self.by_scope.extract_if(|_, session| session.place.is_gone());
        gone.for_each(|(_, session)| close(Some(session)));
        self.sweep_at = self.by_scope.len() * 2;
    }
}

fn open_session(tracker: &CostTracker, agent: Option<Text>, context: Option<Context>) -> TrackedTask {
    let mut options = TaskOptions::default();
    options.metadata.insert("_session".to_owned(), true.into());
    let around = Surroundings {
        context,
        ..Surroundings::default()
    };
    tracker.open(agent.unwrap_or(SESSION_TYPE), options, &around)
}

fn close(session: Option<Session>) {
    if let Some(session) = session {
        let _ = session.task.finish(TaskStatus::Success);
    }
}
