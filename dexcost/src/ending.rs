//! How an exchange or a task came to its end.

use serde::{Deserialize, Serialize};

/// How an exchange or a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// It ran to its natural end.
    Done,
    /// It ended with an error: transport, provider or the task's own.
    Failed,
    /// The consumer dropped it before its end.
    Cancelled,
    /// We stopped watching because a cap of ours was hit; the exchange itself may have gone on.
    Truncated,
}
