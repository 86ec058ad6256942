//! The layer as a middleware of `reqwest-middleware`.

use async_trait::async_trait;
use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{Middleware, Next, Result};

use super::layer::CaptureLayer;
use super::over_reqwest::{begin, observed};
use super::watch::Handed;
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
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let watch = match extensions.get::<Uncaptured>() {
            Some(Uncaptured) => None,
            None => begin(self, &mut request, extensions.get::<Handed>()),
        };
        let Some(mut watch) = watch else {
            return next.run(request, extensions).await;
        };
        let method = request.method().clone();
        let scope = watch.scope();
        let lent = Lent::put(extensions, watch.handed());
        let running = scope.run(|| next.run(request, &mut *lent.extensions));
        match scope.attach(running).await {
            Ok(response) => Ok(observed(response, &method, watch)),
            Err(error) => {
                watch.fail(trouble::of(&error));
                Err(error)
            }
        }
    }
}

/// The extensions of a call with what is for the layers inside. The caller may use them for another
/// call, so they are as before once this one is over, given up or not.
struct Lent<'a> {
    extensions: &'a mut Extensions,
    before: Option<Handed>,
}

impl<'a> Lent<'a> {
    fn put(extensions: &'a mut Extensions, handed: Option<Handed>) -> Self {
        let before = handed.and_then(|handed| extensions.insert(handed));
        Self { extensions, before }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        match self.before.take() {
            Some(before) => self.extensions.insert(before),
            None => self.extensions.remove(),
        };
    }
}
