//! The service over `http::Request<B>`.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use dexcost::InScope;
use dexcost::capture::RequestFacts;
use http::{Method, Request, Response, header};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::body::CaptureBody;
use super::fields::Fields;
use super::layer::{CaptureLayer, CaptureService};
use super::watch::{Handed, Watch};
use super::{Uncaptured, peek, trouble};
use crate::progress::{Progress, is_bodyless};

impl<S, B, R> Service<Request<B>> for CaptureService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: 'static,
    B: 'static,
    R: Body,
    R::Error: 'static,
{
    type Response = Response<CaptureBody<R>>;
    type Error = S::Error;
    type Future = CaptureFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let Some(mut watch) = begin(&self.settings, &request) else {
            return CaptureFuture {
                attempt: Attempt::Passing {
                    future: self.inner.call(request),
                },
                method: None,
                watch: None,
            };
        };
        peek::observe(request.body_mut(), &mut watch);
        if let Some(handed) = watch.handed() {
            request.extensions_mut().insert(handed);
        }
        let method = request.method().clone();
        let scope = watch.scope();
        let future = scope.run(|| self.inner.call(request));
        CaptureFuture {
            attempt: Attempt::Watched {
                future: scope.attach(future),
            },
            method: Some(method),
            watch: Some(watch),
        }
    }
}

/// Starts watching a request; its body is not looked at.
pub(super) fn begin<B>(settings: &CaptureLayer, request: &Request<B>) -> Option<Watch> {
    let extensions = request.extensions();
    let headers = Fields::of(request.headers());
    let facts = RequestFacts {
        method: request.method().as_str(),
        authority: authority(request),
        path: request.uri().path(),
        query: request.uri().query().unwrap_or_default(),
        headers: &headers,
    };
    if extensions.get::<Uncaptured>().is_some() {
        return None;
    }
    settings.begin(&facts, extensions.get::<Handed>())
}

/// Host and port: from the URI, or, where that is only a path, from the `Host` field.
fn authority<B>(request: &Request<B>) -> &str {
    let host = || request.headers().get(header::HOST)?.to_str().ok();
    let authority = match request.uri().authority() {
        Some(authority) => authority.as_str(),
        None => host().unwrap_or_default(),
    };
    let user_info = authority.bytes().rposition(|byte| byte == b'@');
    user_info.map_or(authority, |at| authority.get(at + 1..).unwrap_or_default())
}

pin_project! {
    /// The call of the inner service, in the scope that claims it where it is watched.
    #[project = AttemptProjection]
    pub(super) enum Attempt<F> {
        Passing { #[pin] future: F },
        Watched { #[pin] future: InScope<F> },
    }
}

impl<F: Future> Future for Attempt<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.project() {
            AttemptProjection::Passing { future } => future.poll(cx),
            AttemptProjection::Watched { future } => future.poll(cx),
        }
    }
}

pin_project! {
    /// The response future of a [`CaptureService`] over `http::Request<B>`.
    ///
    /// Dropped before the response, the call counts as cancelled.
    #[must_use = "futures do nothing unless polled"]
    pub struct CaptureFuture<F> {
        #[pin]
        attempt: Attempt<F>,
        method: Option<Method>,
        watch: Option<Watch>,
    }
}

impl<F, R, E> Future for CaptureFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: 'static,
    R: Body,
{
    type Output = Result<Response<CaptureBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.attempt.poll(cx));
        let (Some(mut watch), Some(method)) = (this.watch.take(), this.method.take()) else {
            return Poll::Ready(result.map(|response| response.map(CaptureBody::passing)));
        };
        Poll::Ready(match result {
            Ok(response) => {
                watch.response(response.status().as_u16(), &Fields::of(response.headers()));
                let progress = if is_bodyless(&method, response.status()) {
                    Progress::without_body()
                } else {
                    Progress::of(response.body(), response.headers())
                };
                Ok(response.map(|body| CaptureBody::watched(body, watch, progress)))
            }
            Err(error) => {
                watch.fail(trouble::of(&error));
                Err(error)
            }
        })
    }
}

impl<F> std::fmt::Debug for CaptureFuture<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CaptureFuture").finish_non_exhaustive()
    }
}
