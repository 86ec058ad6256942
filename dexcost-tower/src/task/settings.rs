//! What the clones of a layer and its services share.

use std::fmt;
use std::sync::Arc;

use dexcost::{CostTracker, Text};

use super::grpc::Names;
use super::head::RequestHead;
use super::origin::Origin;
use super::reply::Reply;

/// Everything that was said to the layer. What was not said costs a request a branch.
#[derive(Clone, Default)]
pub(super) struct Settings {
    pub(super) tracker: Option<CostTracker>,
    pub(super) task_type: TaskType,
    pub(super) facts: Facts,
    pub(super) skipped: Vec<Text>,
    pub(super) filter: Option<Arc<Filter>>,
    pub(super) ignores_traces: bool,
    pub(super) hands_out_task: bool,
    pub(super) reply: Option<Arc<Reply>>,
    pub(super) grpc_names: Arc<Names>,
}

pub(super) type Filter = dyn Fn(&RequestHead<'_>) -> bool + Send + Sync;

/// What decides on the type of a request's task.
#[derive(Clone, Default)]
pub(super) enum TaskType {
    /// Its route, or its gRPC method.
    #[default]
    Known,
    Fixed(Text),
    Closure(Arc<Naming>),
}

pub(super) type Naming = dyn Fn(&RequestHead<'_>) -> Option<Text> + Send + Sync;

/// Where the facts about a task come from.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) customer: Option<Origin>,
    pub(super) project: Option<Origin>,
    pub(super) agent: Option<Origin>,
    pub(super) experiment: Option<Origin>,
    pub(super) variant: Option<Origin>,
    pub(super) parent: Option<Origin>,
    pub(super) metadata: Vec<(Text, Origin)>,
}

impl Settings {
    /// Whether the request is to be a task.
    pub(super) fn wants(&self, head: &RequestHead<'_>) -> bool {
        let is_skipped = self.skipped.iter().any(|skipped| {
            let is_at = |path: &str| match skipped.strip_suffix('*') {
                Some(prefix) => path.starts_with(prefix),
                None => path == skipped.as_str(),
            };
            is_at(head.uri.path()) || head.route().is_some_and(is_at)
        });
        !is_skipped && self.filter.as_ref().is_none_or(|filter| filter(head))
    }

    pub(super) fn reply_mut(&mut self) -> &mut Reply {
        Arc::make_mut(self.reply.get_or_insert_default())
    }
}

impl fmt::Debug for TaskType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known => f.write_str("known"),
            Self::Fixed(text) => fmt::Debug::fmt(text, f),
            Self::Closure(_) => f.write_str("closure"),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("task_type", &self.task_type)
            .field("facts", &self.facts)
            .field("skipped", &self.skipped)
            .field("reply", &self.reply)
            .finish_non_exhaustive()
    }
}
