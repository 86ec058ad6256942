//! The layer, its settings, its service.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::{HeaderMap, Request};
use tower_layer::Layer;
use tower_service::Service;

use super::hosts::Hosts;
use super::tell::{What, tell};
use crate::w3c::baggage;

/// Tells called services which task calls them, so that their tasks become parts of it.
///
/// The current task travels as [`baggage`](https://www.w3.org/TR/baggage/) under
/// [`dexcost.task_id`](crate::BAGGAGE_TASK), and only to the hosts that the user lists. Members under a name of
/// ours that a request brings along, as one that is forwarded does, are taken out, wherever it goes. Other
/// baggage of the request stays; where there is no room beside it, nothing is told.
///
/// The called service believes it after [`TaskLayer::trust_baggage`](crate::TaskLayer::trust_baggage).
///
/// Which host a request goes to is what its URI says; one that is only a path tells nobody. (A tonic
/// channel adds its origin beneath the layer: make the client `with_origin`.)
///
/// It goes over any `Service<http::Request<B>>` and, with feature `reqwest`, over any
/// `Service<reqwest::Request>`, inside or outside of a [`CaptureLayer`](crate::CaptureLayer). A client
/// that follows redirects takes the fields along, beneath the layer, to wherever a reply sends it; reqwest
/// does so unless told otherwise, and takes nothing out of the baggage. Let it follow none:
///
/// ```
/// # #[cfg(feature = "reqwest")]
/// # fn client() -> Result<(), reqwest::Error> {
/// use dexcost_tower::PropagateLayer;
/// use tower_layer::Layer;
///
/// let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
/// let client = PropagateLayer::to(["billing.internal"]).layer(client);
/// # let _ = client;
/// # Ok(())
/// # }
/// # #[cfg(feature = "reqwest")]
/// # client().unwrap();
/// ```
///
/// ```
/// use dexcost_tower::PropagateLayer;
///
/// let layer = PropagateLayer::to(["billing.internal", "*.svc.cluster.local", "localhost:8080"])
///     .with_attribution();
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until a service is put under it"]
pub struct PropagateLayer {
    hosts: Arc<Hosts>,
    what: What,
}

impl PropagateLayer {
    /// A layer that tells these hosts and nobody else.
    ///
    /// `name` stands for a host at any port, `name:port` for it at that port, and `*.name` for all
    /// hosts below the name. The port is the one that the URI states, or that its scheme implies.
    /// What is no host matches nothing; debug builds refuse it.
    pub fn to<H: AsRef<str>>(hosts: impl IntoIterator<Item = H>) -> Self {
        let mut listed = Hosts::default();
        for host in hosts {
            listed.add(host.as_ref());
        }
        Self {
            hosts: Arc::new(listed),
            what: What::default(),
        }
    }

    /// Tells them also whom the task is for: customer, project and agent.
    ///
    /// They travel as they are recorded: hashed, where identities are hashed. A service that hashes
    /// what it is told would hash them once more.
    pub fn with_attribution(mut self) -> Self {
        self.what.attribution = true;
        self
    }

    /// Tells them also the trace, as `traceparent`, where the request has none.
    ///
    /// It is the one that the current task's own request came with, passed on as it was. A task
    /// without one, or one that was opened within a request's task, begins one that bears its id and
    /// asks nobody to record it. Where a tracing layer adds the field, put this one inside of it.
    pub fn with_trace(mut self) -> Self {
        self.what.trace = true;
        self
    }

    /// Tells a host that is listed the current task, where there is one. What the request itself brought under
    /// our names goes to nobody.
    fn tell(&self, is_listed: bool, headers: &mut HeaderMap) {
        match dexcost::current_task().filter(|_| is_listed) {
            Some(task) => tell(&task.task(), self.what, headers),
            None => baggage::put(headers, &[]),
        }
    }
}

impl<S> Layer<S> for PropagateLayer {
    type Service = PropagateService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        PropagateService {
            inner,
            layer: self.clone(),
        }
    }
}

/// The service of a [`PropagateLayer`].
#[derive(Clone, Debug)]
pub struct PropagateService<S> {
    inner: S,
    layer: PropagateLayer,
}

impl<S> PropagateService<S> {
    /// The service beneath.
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The service beneath, for changing.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The service beneath, alone.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for PropagateService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        // Only the URI says where a request goes; a `Host` field says what it claims to be for.
        let uri = request.uri();
        let port = || uri.port_u16().or_else(|| implied_port(uri.scheme_str()?));
        let is_listed = uri
            .host()
            .is_some_and(|host| self.layer.hosts.contain(host, port()));
        self.layer.tell(is_listed, request.headers_mut());
        self.inner.call(request)
    }
}

fn implied_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

#[cfg(feature = "reqwest")]
impl<S: Service<reqwest::Request>> Service<reqwest::Request> for PropagateService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: reqwest::Request) -> S::Future {
        let url = request.url();
        let port = url.port_or_known_default();
        let is_listed = url
            .host_str()
            .is_some_and(|host| self.layer.hosts.contain(host, port));
        self.layer.tell(is_listed, request.headers_mut());
        self.inner.call(request)
    }
}
