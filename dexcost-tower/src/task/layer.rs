//! The layer: what can be said to it.

use std::sync::Arc;

use dexcost::{CostTracker, Text};
use tower_layer::Layer;

use super::head::RequestHead;
use super::origin::{Origin, field};
use super::route::{NO_ROUTE, canonical};
use super::service::TaskService;
use super::settings::{Settings, TaskType};
use crate::w3c::{BAGGAGE_AGENT, BAGGAGE_CUSTOMER, BAGGAGE_PROJECT, BAGGAGE_TASK};

/// Opens a task for every request, in whose scope the handler runs.
///
/// ```
/// use dexcost_tower::TaskLayer;
///
/// let layer = TaskLayer::new()
///     .customer_header("x-customer-id")
///     .project_header("x-project-id")
///     .skip(["/healthz", "/assets/*"]);
/// ```
///
/// # Where it goes
/// Around any `Service<http::Request<_>>`: `Router::layer(layer)` of axum,
/// `Server::builder().layer(layer)` of tonic, `TowerToHyperService::new(layer.layer(service))` under
/// plain hyper. Code that authenticates goes around it where its word is an [`Origin`].
///
/// # How it ends
/// The task ends where the response *body* ends, so a streamed answer belongs to it whole. It fails
/// on a 5xx status, an error of the service or the body, a panic, and where the client hangs up; a
/// 4xx is the caller's doing and a success. Why it failed stands in its metadata: `http_status`,
/// `grpc_status`, or `_ended_by` with `service_error`, `body_error`, `panicked` or `cancelled`.
/// Nothing waits for the disk. What an upgraded connection does after its 101 is beyond the response;
/// costs recorded on a handle of the task still count there.
///
/// A gRPC call (a content type of gRPC, over HTTP/2) is judged by its `grpc-status`: what stands for
/// 5xx in HTTP is a failure (`UNKNOWN`, `DEADLINE_EXCEEDED`, `UNIMPLEMENTED`, `INTERNAL`,
/// `UNAVAILABLE`, `DATA_LOSS`, and none at all), `CANCELLED` is a client that hung up, and the rest is
/// the caller's doing.
///
/// # What it is called
/// With feature `axum` the task type is that of the route (`post_tickets_id_resolve`), which axum
/// knows once it has routed: put the layer on with `Router::layer` or `Router::route_layer`, not
/// around the router. With `Router::layer` requests that match no route become tasks of the type
/// `http_request`, with `route_layer` they become none. A gRPC call is named by its method
/// (`helloworld.greeter_sayhello`); made-up ones share `grpc_request`. Elsewhere say
/// [`task_type`](Self::task_type) or [`task_type_from`](Self::task_type_from).
///
/// # Whom it is for
/// Customer, project, agent and the rest come only from where the settings say so, each from one
/// [`Origin`]: a header field, an extension that an outer layer left, the baggage of the calling
/// service, a closure. What is only known further in is said there: by
/// [`dexcost::set_context`], which touches the request at hand alone, or with feature `axum` by the
/// extractor `Identified`.
///
/// # Where the handler finds it
/// [`dexcost::current_task`], with feature `axum` the extractor `CurrentTask`, and after
/// [`task_in_extensions`](Self::task_in_extensions) a [`TaskHandle`](dexcost::TaskHandle) among the
/// request's extensions.
#[derive(Clone, Debug, Default)]
#[must_use = "a layer does nothing until a service is put under it"]
pub struct TaskLayer {
    settings: Arc<Settings>,
}

impl TaskLayer {
    /// A layer that opens tasks on the default tracker, looked up at each request.
    ///
    /// While there is none, requests pass through and are [counted](crate::untracked_requests).
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens tasks on this tracker instead of the default one.
    pub fn tracker(self, tracker: CostTracker) -> Self {
        self.with(|settings| settings.tracker = Some(tracker))
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }
}

/// Which requests are tasks, and of which type.
impl TaskLayer {
    /// Gives every task this type, whatever the route; in the canonical form
    /// `^[a-z0-9][a-z0-9._-]{0,127}$`.
    pub fn task_type(self, task_type: impl Into<Text>) -> Self {
        let task_type = canonical(&[&task_type.into()]).unwrap_or(NO_ROUTE);
        self.with(|settings| settings.task_type = TaskType::Fixed(task_type))
    }

    /// Takes the type of a task from the head of its request, for routers other than axum's.
    ///
    /// What the closure gives is brought into the canonical form; where it gives nothing, the type
    /// is the one that the request would have without it. Types are few: never give a path with
    /// identifiers in it.
    ///
    /// ```
    /// use dexcost_tower::TaskLayer;
    ///
    /// let layer = TaskLayer::new().task_type_from(|request| match request.uri.path() {
    ///     "/chat" => Some("chat turn"), // becomes `chat_turn`
    ///     path if path.starts_with("/tickets/") => Some("resolve_ticket"),
    ///     _ => None,
    /// });
    /// ```
    pub fn task_type_from<V: Into<Text>>(
        self,
        name: impl Fn(&RequestHead<'_>) -> Option<V> + Send + Sync + 'static,
    ) -> Self {
        let name = move |head: &RequestHead<'_>| canonical(&[&name(head)?.into()]);
        self.with(|settings| settings.task_type = TaskType::Closure(Arc::new(name)))
    }

    /// Opens no task for these paths: health checks, metrics, assets.
    ///
    /// A path is compared with that of the request and with the template of its route; one that
    /// ends in `*` stands for all that begin so. Calls add up.
    pub fn skip<P: Into<Text>>(self, paths: impl IntoIterator<Item = P>) -> Self {
        self.with(|settings| settings.skipped.extend(paths.into_iter().map(Into::into)))
    }

    /// Opens a task only where this says so.
    ///
    /// ```
    /// use dexcost_tower::TaskLayer;
    ///
    /// let layer = TaskLayer::new().filter(|request| request.method != http::Method::OPTIONS);
    /// ```
    pub fn filter(self, filter: impl Fn(&RequestHead<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.with(|settings| settings.filter = Some(Arc::new(filter)))
    }
}

/// Whom a task is for and what it belongs to. Of each, the last call counts.
impl TaskLayer {
    /// Takes the customer from this header field: [`customer`](Self::customer) of
    /// [`Origin::header`].
    pub fn customer_header(self, name: &str) -> Self {
        self.customer(Origin::header(name))
    }

    /// Takes the project from this header field: [`project`](Self::project) of [`Origin::header`].
    pub fn project_header(self, name: &str) -> Self {
        self.project(Origin::header(name))
    }

    /// Takes the agent from this header field: [`agent`](Self::agent) of [`Origin::header`].
    pub fn agent_header(self, name: &str) -> Self {
        self.agent(Origin::header(name))
    }

    /// Takes the customer from here.
    pub fn customer(self, origin: Origin) -> Self {
        self.with(|settings| settings.facts.customer = Some(origin))
    }

    /// Takes the project from here.
    pub fn project(self, origin: Origin) -> Self {
        self.with(|settings| settings.facts.project = Some(origin))
    }

    /// Takes the agent from here.
    pub fn agent(self, origin: Origin) -> Self {
        self.with(|settings| settings.facts.agent = Some(origin))
    }

    /// Takes the experiment from here.
    pub fn experiment(self, origin: Origin) -> Self {
        self.with(|settings| settings.facts.experiment = Some(origin))
    }

    /// Takes the variant of the experiment from here; one without an experiment is refused.
    pub fn variant(self, origin: Origin) -> Self {
        self.with(|settings| settings.facts.variant = Some(origin))
    }

    /// Takes a fact of the task's metadata from here, as text. Calls add up.
    pub fn metadata(self, name: impl Into<Text>, origin: Origin) -> Self {
        self.with(|settings| settings.facts.metadata.push((name.into(), origin)))
    }

    /// Takes the task that it is a part of from here: the text of a [`TaskId`](dexcost::TaskId).
    /// What is none is refused; whether there is such a task is not looked at.
    pub fn parent(self, origin: Origin) -> Self {
        self.with(|settings| settings.facts.parent = Some(origin))
    }

    /// Takes parent task, customer, project and agent from the request's baggage, from where a
    /// [`PropagateLayer`](crate::PropagateLayer) of the calling service puts them.
    ///
    /// Only for services that no stranger can call: baggage says what the caller says.
    pub fn trust_baggage(self) -> Self {
        self.parent(Origin::baggage(BAGGAGE_TASK))
            .customer(Origin::baggage(BAGGAGE_CUSTOMER))
            .project(Origin::baggage(BAGGAGE_PROJECT))
            .agent(Origin::baggage(BAGGAGE_AGENT))
    }

    /// Leaves `traceparent` fields alone.
    ///
    /// Without this, a request that has a valid one is linked to its trace: the trace id is a
    /// [trace link](dexcost::TaskHandle::trace_links) of the provider `w3c`, and the whole value stands
    /// in the metadata under `_traceparent`. It decides nothing about whom the task is for.
    pub fn without_traces(self) -> Self {
        self.with(|settings| settings.ignores_traces = true)
    }
}

/// Who learns of the task.
impl TaskLayer {
    /// Puts a [`TaskHandle`](dexcost::TaskHandle) of the task into the extensions of the request,
    /// for code that runs outside the scope of the handler.
    pub fn task_in_extensions(self) -> Self {
        self.with(|settings| settings.hands_out_task = true)
    }

    /// Tells the client the id of the task, in this field of the response (`x-dexcost-task-id`, say).
    ///
    /// A `name` that is none of a header field tells nothing; debug builds refuse it.
    pub fn task_id_header(self, name: &str) -> Self {
        self.with(|settings| settings.reply_mut().task_id = field(name))
    }

    /// Tells the client what the task has cost when the response begins:
    /// `Server-Timing: dexcost;desc="0.00135"`, exact and in US dollars.
    ///
    /// Where something had no known price, the number of such events stands beside the known part:
    /// `desc="0.00135; unknown=1"`.
    pub fn cost_in_server_timing(self) -> Self {
        self.with(|settings| settings.reply_mut().is_timed = true)
    }

    /// Tells the client what the task has cost in all, once the body has ended: in this field of the
    /// trailers (`x-dexcost-cost-usd`, say), in the form of
    /// [`cost_in_server_timing`](Self::cost_in_server_timing).
    ///
    /// There are trailers over HTTP/2 and later; over HTTP/1.1 where the request says
    /// `TE: trailers` and the length of the body is not stated beforehand. Elsewhere nothing is
    /// told. A response without any body tells it in its head.
    ///
    /// A `name` that is none of a header field tells nothing; debug builds refuse it.
    pub fn cost_trailer(self, name: &str) -> Self {
        self.with(|settings| settings.reply_mut().cost_trailer = field(name))
    }
}

impl<S> Layer<S> for TaskLayer {
    type Service = TaskService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        TaskService {
            inner,
            settings: Arc::clone(&self.settings),
        }
    }
}
