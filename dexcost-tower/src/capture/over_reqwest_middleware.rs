//! The layer as a middleware of `reqwest-middleware`.

use async_trait::async_trait;
use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{Middleware, Next, Result};

use super::layer::CaptureLayer;
use super::over_reqwest::{begin, observed};
use super::{Uncaptured, trouble};

/// Prices the calls of a `reqwest_middleware::ClientWithMiddleware`.
///
/// Middlewares run in the order in which they are attached. Attached after a retry middleware, the
/// layer sees every attempt; attached before it, the operation with its last answer.
///
/// ```
/// use dexcost_tower::CaptureLayer;
/// use reqwest_middleware::ClientBuilder;
///
/// let client = ClientBuilder::new(reqwest::Client::new()).with(CaptureLayer::new()).build();
/// # let _ = client;
/// ```
///
/// [`Uncaptured`] among the request's extensions (`RequestBuilder::with_extension`) leaves a call out.
#[async_trait]
impl Middleware for CaptureLayer {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let watch = match extensions.get::<Uncaptured>() {
            Some(Uncaptured) => None,
            None => begin(self, &request),
        };
        let Some(mut watch) = watch else {
            return next.run(request, extensions).await;
        };
        let method = request.method().clone();
        let scope = watch.scope();
        let running = scope.run(|| next.run(request, extensions));
        match scope.attach(running).await {
            Ok(response) => Ok(observed(response, &method, watch)),
            Err(error) => {
                watch.fail(trouble::of(&error));
                Err(error)
            }
        }
    }
}
