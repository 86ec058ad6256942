//! When a call is the repetition of an earlier one.
//!
//! Two kinds of evidence. What the wire shows (the same request again after a transient failure)
//! is always used. The heuristic, which only looks at models and times, is opt-in.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::event::{ErrorType, Event, EventType};
use crate::id::EventId;
use crate::text::Text;

/// Settings of the retry heuristic.
///
/// A model call is flagged where the newest earlier call of the same model in the task failed with
/// a transient error within the window, and `weight × (1 − gap / window)` reaches the threshold.
/// The weights: `rate_limit` 1.0, `timeout` 0.9, server errors 0.85, other transient errors 0.8.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryHeuristics {
    /// How far to look back; 30 s by default.
    pub window: Duration,
    /// From which confidence on a call is flagged, 0.0 to 1.0; 0.8 by default.
    pub threshold: f64,
}

impl Default for RetryHeuristics {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(30),
            threshold: 0.8,
        }
    }
}

impl RetryHeuristics {
    /// How likely a call is a retry of one that failed with `error` so long ago: 0.0 to 1.0.
    ///
    /// ```
    /// use std::time::Duration;
    /// use dexcost::{ErrorType, RetryHeuristics};
    ///
    /// let heuristics = RetryHeuristics::default();
    /// assert_eq!(heuristics.confidence(ErrorType::RateLimit, Duration::ZERO), 1.0);
    /// assert_eq!(heuristics.confidence(ErrorType::RateLimit, Duration::from_secs(15)), 0.5);
    /// assert_eq!(heuristics.confidence(ErrorType::Auth, Duration::ZERO), 0.0);
    /// ```
    #[must_use]
    #[allow(clippy::float_arithmetic, reason = "a confidence is no money")]
    pub fn confidence(&self, error: ErrorType, gap: Duration) -> f64 {
        let weight = match error {
            ErrorType::RateLimit => 1.0,
            ErrorType::Timeout => 0.9,
            ErrorType::ServerError | ErrorType::Overloaded => 0.85,
            other if other.is_transient() => 0.8,
            _ => return 0.0,
        };
        if gap > self.window || self.window.is_zero() {
            return 0.0;
        }
        weight * (1.0 - gap.as_secs_f64() / self.window.as_secs_f64())
    }
}

/// How many earlier calls of a task are remembered; older ones are beyond any sensible window.
const REMEMBERED: usize = 64;

/// What a task remembers of its earlier calls.
#[derive(Debug, Default)]
pub(super) struct RetryMemory {
    by_model: VecDeque<ModelCall>,
    by_digest: VecDeque<WireCall>,
}

#[derive(Debug)]
struct ModelCall {
    model: Text,
    event_id: EventId,
    at: Timestamp,
    error: Option<ErrorType>,
}

#[derive(Debug)]
struct WireCall {
    digest: u64,
    event_id: EventId,
    attempt: u32,
    error: ErrorType,
}

impl RetryMemory {
    /// Flags the event where the heuristic holds it for a retry, and remembers it.
    pub(super) fn apply_heuristic(&mut self, heuristics: RetryHeuristics, event: &mut Event) {
        let (EventType::LlmCall, Some(model)) = (event.event_type, event.model.clone()) else {
            return;
        };
        let earlier = self.by_model.iter().position(|call| call.model == model);
        if let Some(call) = earlier.and_then(|at| self.by_model.remove(at))
            && let Some(error) = call.error
            && !event.is_retry
            && heuristics.confidence(error, event.occurred_at.since(call.at)) >= heuristics.threshold
        {
            flag(event, error, call.event_id);
        }
        let call = ModelCall {
            model,
            event_id: event.event_id,
            at: event.occurred_at,
            error: event.error_type,
        };
        remember(&mut self.by_model, call);
    }

    /// Flags the event where the same request went out before and failed for a passing reason, and
    /// remembers it where it failed so itself.
    pub(super) fn apply_wire(&mut self, digest: u64, event: &mut Event) {
        let earlier = self.by_digest.iter().position(|call| call.digest == digest);
        let earlier = earlier.and_then(|at| self.by_digest.remove(at));
        let attempt = earlier.as_ref().map_or(1, |call| call.attempt.saturating_add(1));
        if let Some(call) = earlier {
            flag(event, call.error, call.event_id);
            event.call.get_or_insert_default().attempt = Some(attempt);
        }
        if let Some(error) = event.error_type.filter(|error| error.is_transient()) {
            remember(
                &mut self.by_digest,
                WireCall {
                    digest,
                    event_id: event.event_id,
                    attempt,
                    error,
                },
            );
        }
    }
}

fn flag(event: &mut Event, error: ErrorType, earlier: EventId) {
    event.is_retry = true;
    event.retry_reason = Some(Text::from_static(error.as_str()));
    event.retry_of = Some(earlier);
}

fn remember<T>(calls: &mut VecDeque<T>, call: T) {
    if calls.len() == REMEMBERED {
        calls.pop_back();
    }
    calls.push_front(call);
}
