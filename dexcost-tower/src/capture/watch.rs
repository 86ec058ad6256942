//! What must be settled exactly once, and onto whom.
//!
//! A [`Watch`] moves from the call to the future to the body. Whoever sees the end settles it; if
//! nobody does, its drop does. Settling hands a record over and returns: no waiting, no runtime, so
//! it may run inside `Drop`, on a foreign thread, during unwinding.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use dexcost::capture::{Exchange, Headers};
use dexcost::{BatchSight, Claim, CostTracker, Ending, ErrorType, Observation, Scope, TaskHandle};

/// Onto whom a call is recorded; fixed where the call is made, since buffers and spawns leave the
/// scope before the body is polled.
#[derive(Clone, Debug)]
pub(crate) struct Payer {
    tracker: CostTracker,
    account: Account,
}

#[derive(Clone, Debug)]
enum Account {
    Task(TaskHandle),
    /// The session of this scope, opened only if the call turns out to be billable.
    Session(Scope),
}

impl Payer {
    /// The current task, else that of the layer around, else the session of the scope at hand.
    pub(super) fn current(tracker: CostTracker, handed: Option<&Handed>) -> Self {
        if let Some(task) = tracker.current_task() {
            return Self {
                tracker,
                account: Account::Task(task),
            };
        }
        match handed {
            Some(handed) if handed.payer.tracker.is_same(&tracker) => handed.payer.clone(),
            _ => Self {
                tracker,
                account: Account::Session(Scope::current()),
            },
        }
    }
}

impl Payer {
    fn record(self, seen: Observation, latency_ms: Option<u64>) {
        let tracker = self.tracker;
        match self.account {
            Account::Task(task) => tracker.record_observation(Some(&task), seen, latency_ms),
            Account::Session(scope) => scope.run(|| tracker.record_observation(None, seen, latency_ms)),
        };
    }

    fn record_batch(&self, batch: BatchSight) {
        match &self.account {
            Account::Task(task) => self.tracker.record_batch(Some(task), batch),
            Account::Session(scope) => scope.clone().run(|| self.tracker.record_batch(None, batch)),
        };
    }

    /// Whether there is a task already.
    pub(super) const fn is_task(&self) -> bool {
        matches!(self.account, Account::Task(_))
    }
}

/// What an outer layer leaves in the request's extensions for an inner one: the way to say that it
/// counts, and for whom. It survives where the scope does not, such as in a `Buffer`, and what bears it
/// is the outer layer's request, wherever it was rewritten to.
#[derive(Clone, Debug)]
pub(crate) struct Handed {
    pub(super) claim: Claim,
    payer: Payer,
}

/// One call under observation.
pub(crate) struct Watch(Option<Live>);

struct Live {
    exchange: Tap,
    payer: Payer,
    claim: Claim,
    started: Instant,
}

/// The exchange, shared only where a request body is observed while it is being sent.
enum Tap {
    Own(Exchange),
    Shared(SharedExchange),
}

/// An exchange that the request body and the response are fed into from two sides.
pub(super) type SharedExchange = Arc<Mutex<Option<Exchange>>>;

impl Watch {
    /// A watch over the request that the claim is for.
    pub(super) fn new(exchange: Exchange, payer: Payer, claim: Claim) -> Self {
        Self(Some(Live {
            exchange: Tap::Own(exchange),
            payer,
            claim,
            started: Instant::now(),
        }))
    }

    /// What to leave in the request for an inner layer.
    pub(super) fn handed(&self) -> Option<Handed> {
        self.0.as_ref().map(|live| Handed {
            claim: live.claim.clone(),
            payer: live.payer.clone(),
        })
    }

    /// The scope that the inner service is to run in.
    pub(super) fn scope(&self) -> Scope {
        match &self.0 {
            Some(live) => Scope::with_claim(live.claim.clone()),
            None => Scope::current(),
        }
    }

    /// The exchange for feeding the request body into while it is being sent.
    pub(super) fn share(&mut self) -> Option<SharedExchange> {
        let live = self.0.take()?;
        let shared = match live.exchange {
            Tap::Own(exchange) => Arc::new(Mutex::new(Some(exchange))),
            Tap::Shared(shared) => shared,
        };
        self.0 = Some(Live {
            exchange: Tap::Shared(Arc::clone(&shared)),
            ..live
        });
        Some(shared)
    }

    /// Whether there is still something to see.
    pub(super) const fn is_live(&self) -> bool {
        self.0.is_some()
    }

    /// The whole request body, where it is at hand.
    pub(super) fn request(&mut self, body: &[u8]) {
        self.look(|exchange| {
            if exchange.wants_request() {
                exchange.request_data(body);
            }
        });
    }

    /// The head of the response. Where an inner layer counts the call, watching ends here.
    pub(super) fn response(&mut self, status: u16, headers: &dyn Headers) {
        if self.0.as_ref().is_some_and(|live| live.claim.is_taken()) {
            self.0 = None;
        }
        self.look(|exchange| exchange.response(status, headers));
    }

    /// The address at the other end.
    #[cfg(feature = "reqwest")]
    pub(super) fn peer(&mut self, address: std::net::IpAddr) {
        self.look(|exchange| exchange.peer(address));
    }

    /// Ends watching a response whose body is left alone, of which so much is known.
    #[cfg(feature = "ureq")]
    pub(super) fn leave(&mut self, bytes: Option<u64>, ending: Ending) {
        self.look(|exchange| exchange.response_bytes(bytes.unwrap_or(0)));
        self.settle(ending);
    }

    /// Whether nothing but its bytes is of interest.
    #[cfg(feature = "ureq")]
    pub(super) fn is_only_traffic(&mut self) -> bool {
        let mut is_only_traffic = true;
        self.look(|exchange| is_only_traffic = exchange.is_only_traffic());
        is_only_traffic
    }

    /// A piece of the response body. What it shows of a batch is recorded at once: a download of results may
    /// be long.
    pub(super) fn data(&mut self, bytes: &[u8]) {
        let mut batch = None;
        self.look(|exchange| {
            if exchange.wants_response() {
                exchange.data(bytes);
                batch = exchange.take_batch();
            }
        });
        if let (Some(batch), Some(live)) = (batch, &self.0)
            && !live.claim.is_taken()
        {
            live.payer.record_batch(batch);
        }
    }

    /// Settles a call that failed for a reason that the bytes do not show.
    pub(super) fn fail(&mut self, error: ErrorType) {
        self.look(|exchange| exchange.note_error(error));
        self.settle(Ending::Failed);
    }

    /// Settles the call, if nobody has.
    pub(super) fn settle(&mut self, ending: Ending) {
        let Some(live) = self.0.take() else { return };
        if live.claim.is_taken() {
            return;
        }
        let exchange = match live.exchange {
            Tap::Own(exchange) => Some(exchange),
            Tap::Shared(shared) => lock(&shared).take(),
        };
        let Some(mut exchange) = exchange else { return };
        let latency = u64::try_from(live.started.elapsed().as_millis()).ok();
        if let Some(latency) = latency {
            exchange.took(latency);
        }
        let seen = exchange.settle(ending);
        live.payer.record(seen, latency);
    }

    fn look(&mut self, look: impl FnOnce(&mut Exchange)) {
        match self.0.as_mut().map(|live| &mut live.exchange) {
            Some(Tap::Own(exchange)) => look(exchange),
            Some(Tap::Shared(shared)) => {
                if let Some(exchange) = lock(shared).as_mut() {
                    look(exchange);
                }
            }
            None => {}
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.settle(Ending::Cancelled);
    }
}

/// Held only to feed bytes past the exchange, which never panics, so a poisoned one is whole.
pub(super) fn lock(shared: &SharedExchange) -> std::sync::MutexGuard<'_, Option<Exchange>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
