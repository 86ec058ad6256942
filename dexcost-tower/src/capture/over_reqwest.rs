//! The service over `reqwest::Request`.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use dexcost::capture::RequestFacts;
use http::Method;
use pin_project_lite::pin_project;
use reqwest::{Request, Response, ResponseBuilderExt};
use tower_service::Service;

use super::body::CaptureBody;
use super::fields::Fields;
use super::layer::{CaptureLayer, CaptureService};
use super::over_http::Attempt;
use super::watch::{Handed, Watch};
use super::{peek, trouble};
use crate::progress::{Progress, is_bodyless};

impl<S> Service<Request> for CaptureService<S>
where
    S: Service<Request, Response = Response>,
    S::Error: 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = ReqwestCaptureFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let Some(watch) = begin(&self.settings, &mut request, None) else {
            return ReqwestCaptureFuture {
                attempt: Attempt::Passing {
                    future: self.inner.call(request),
                },
                method: None,
                watch: None,
            };
        };
        let method = request.method().clone();
        let scope = watch.scope();
        let future = scope.run(|| self.inner.call(request));
        ReqwestCaptureFuture {
            attempt: Attempt::Watched {
                future: scope.attach(future),
            },
            method: Some(method),
            watch: Some(watch),
        }
    }
}

/// Starts watching a request. A body in memory is looked at where it lies; any other, such as a form
/// with a file, while it is being sent. Such a body cannot be cloned in either case.
pub(super) fn begin(
    settings: &CaptureLayer,
    request: &mut Request,
    handed: Option<&Handed>,
) -> Option<Watch> {
    let headers = Fields::of(request.headers());
    let facts = RequestFacts::to_url(request.method().as_str(), request.url().as_str(), &headers);
    let mut watch = settings.begin(&facts, handed)?;
    if let Some(body) = request.body_mut() {
        peek::observe(body, &mut watch);
    }
    Some(watch)
}

pin_project! {
    /// The response future of a [`CaptureService`] over `reqwest::Request`.
    ///
    /// Dropped before the response, the call counts as cancelled.
    #[must_use = "futures do nothing unless polled"]
    pub struct ReqwestCaptureFuture<F> {
        #[pin]
        attempt: Attempt<F>,
        method: Option<Method>,
        watch: Option<Watch>,
    }
}

impl<F, E> Future for ReqwestCaptureFuture<F>
where
    F: Future<Output = Result<Response, E>>,
    E: 'static,
{
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.attempt.poll(cx));
        let (Some(mut watch), Some(method)) = (this.watch.take(), this.method.take()) else {
            return Poll::Ready(result);
        };
        Poll::Ready(match result {
            Ok(response) => Ok(observed(response, &method, watch)),
            Err(error) => {
                watch.fail(trouble::of(&error));
                Err(error)
            }
        })
    }
}

/// The same response with its body observed.
///
/// The detour over `http::Response` keeps status, version, header fields and extensions, but drops
/// the URL, which reqwest keeps beside them; it is put back. A response that an inner layer counts
/// is left as it is.
pub(super) fn observed(response: Response, method: &Method, mut watch: Watch) -> Response {
    if let Some(address) = response.remote_addr() {
        watch.peer(address.ip());
    }
    watch.response(response.status().as_u16(), &Fields::of(response.headers()));
    if !watch.is_live() {
        return response;
    }
    let bodyless = is_bodyless(method, response.status());
    let url = http::response::Builder::new()
        .url(response.url().clone())
        .body(());
    let (mut parts, body) = http::Response::<reqwest::Body>::from(response).into_parts();
    if let Ok(url) = url {
        parts.extensions.extend(url.into_parts().0.extensions);
    }
    let progress = if bodyless {
        Progress::without_body()
    } else {
        Progress::of(&body, &parts.headers)
    };
    let body = reqwest::Body::wrap(CaptureBody::watched(body, watch, progress));
    Response::from(http::Response::from_parts(parts, body))
}

impl<F> std::fmt::Debug for ReqwestCaptureFuture<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReqwestCaptureFuture").finish_non_exhaustive()
    }
}
