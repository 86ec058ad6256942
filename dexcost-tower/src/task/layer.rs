//! The layer with its settings.

use std::fmt;
use std::sync::Arc;

use dexcost::{CostTracker, Text};
use http::{Extensions, HeaderMap, HeaderName, Method, Uri};
use tower_layer::Layer;

use super::service::TaskService;

/// Opens a task for every request, in whose scope the handler runs.
///
/// The task ends where the response *body* ends, so a streamed answer belongs to it whole. It fails
/// on a 5xx status, an error of the service or the body, a panic, and where the client hangs up; a
/// 4xx is the caller's doing and a success. Why it failed stands in its metadata: `http_status`, or
/// `_ended_by` with `service_error`, `body_error`, `panicked` or `cancelled`. Nothing waits for the
/// disk.
///
/// With feature `axum` the task type is that of the route (`post_tickets_id_resolve`), which axum
/// knows once it has routed: put the layer on with `Router::layer` or `Router::route_layer`, not
/// around the router. With `Router::layer` requests that match no route become tasks of the type
/// `http_request`, with `route_layer` they become none. Without the feature, say
/// [`task_type`](Self::task_type).
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
/// A header field says what the client says. Take the customer from one only where something in
/// front of the service sets it; else call [`dexcost::set_context`] once the caller is known.
#[derive(Clone, Debug, Default)]
#[must_use = "a layer does nothing until a service is put under it"]
pub struct TaskLayer {
    settings: Arc<Settings>,
}

/// What the clones of a layer and its services share.
#[derive(Clone, Default)]
pub(super) struct Settings {
    pub(super) tracker: Option<CostTracker>,
    pub(super) task_type: Option<Text>,
    pub(super) customer: Option<HeaderName>,
    pub(super) project: Option<HeaderName>,
    pub(super) agent: Option<HeaderName>,
    skipped: Vec<Text>,
    filter: Option<Arc<Filter>>,
}

type Filter = dyn Fn(&RequestHead<'_>) -> bool + Send + Sync;

/// What a filter sees of a request.
#[derive(Debug)]
pub struct RequestHead<'a> {
    /// The method.
    pub method: &'a Method,
    /// The URI.
    pub uri: &'a Uri,
    /// The header fields.
    pub headers: &'a HeaderMap,
    /// What outer layers left in the request.
    pub extensions: &'a Extensions,
}

impl<'a> RequestHead<'a> {
    pub(super) fn of<B>(request: &'a http::Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }

    /// The template of the route that was matched; `None` where there is none (yet).
    #[must_use]
    pub fn route(&self) -> Option<&'a str> {
        #[cfg(feature = "axum")]
        return self
            .extensions
            .get::<axum::extract::MatchedPath>()
            .map(axum::extract::MatchedPath::as_str);
        #[cfg(not(feature = "axum"))]
        None
    }
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

    /// Takes the customer from this header field.
    ///
    /// An empty value says nothing. One that is no UTF-8 or longer than 256 bytes is not used, and
    /// the task's metadata names the field under `_refused_headers`.
    ///
    /// A `name` that is none of a header field matches nothing; debug builds refuse it.
    pub fn customer_header(self, name: &str) -> Self {
        self.with(|settings| settings.customer = field(name))
    }

    /// Takes the project from this header field, by the rules of
    /// [`customer_header`](Self::customer_header).
    pub fn project_header(self, name: &str) -> Self {
        self.with(|settings| settings.project = field(name))
    }

    /// Takes the agent from this header field, by the rules of
    /// [`customer_header`](Self::customer_header).
    pub fn agent_header(self, name: &str) -> Self {
        self.with(|settings| settings.agent = field(name))
    }

    /// Gives every task this type, whatever the route.
    pub fn task_type(self, task_type: impl Into<Text>) -> Self {
        let task_type = task_type.into();
        self.with(|settings| settings.task_type = Some(task_type))
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

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }
}

fn field(name: &str) -> Option<HeaderName> {
    let field = HeaderName::from_bytes(name.as_bytes()).ok();
    debug_assert!(field.is_some(), "`{name}` is no name of a header field");
    field
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

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("task_type", &self.task_type)
            .field("customer", &self.customer)
            .field("project", &self.project)
            .field("agent", &self.agent)
            .field("skipped", &self.skipped)
            .finish_non_exhaustive()
    }
}
