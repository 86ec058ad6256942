//! The layer as a middleware of ureq 3, for programs without a runtime.

use std::io::{self, Read};

use dexcost::Ending;
use http::{Method, Request, Response, header};
use ureq::middleware::{Middleware, MiddlewareNext};
use ureq::{Body, Error, SendBody};

use super::fields::Fields;
use super::layer::CaptureLayer;
use super::over_http::begin;
use super::peek::show;
use super::trouble;
use super::watch::{SharedExchange, Watch};
use crate::progress::{Progress, is_bodyless};

/// Prices the calls of a `ureq::Agent`.
///
/// ```
/// use dexcost_tower::CaptureLayer;
///
/// let agent = ureq::Agent::config_builder().middleware(CaptureLayer::new()).build().new_agent();
/// # let _ = agent;
/// ```
///
/// What ureq shows of a call has three limits:
///
/// - A request body is only seen where the request itself says how it is framed, by `content-length`
///   or `transfer-encoding`; looking at any other would make ureq send it in chunks. Without it the
///   requested model stays unknown, a retry is not found to be one, and the body is not in the traffic.
/// - Where ureq turns a status of 400 and above into an error, the reply to such a call is never
///   read, and its request id stays unknown. `http_status_as_error(false)` shows it.
/// - The body of a reply that is read here, JSON or text from a model or a priced service, has no
///   `Body::content_length` any more (the field `content-length` is there), and ureq would send it on
///   as the body of another request *empty*: send on its reader, with `SendBody::from_owned_reader`.
///   Any other body, media included, stays the one that ureq made, and so does a text in another
///   charset than UTF-8, which ureq would decode twice; only their announced length is counted.
impl Middleware for CaptureLayer {
    fn handle(&self, mut request: Request<SendBody>, next: MiddlewareNext) -> Result<Response<Body>, Error> {
        let Some(mut watch) = begin(self, &request) else {
            return next.handle(request);
        };
        if let Some(handed) = watch.handed() {
            request.extensions_mut().insert(handed);
        }
        let method = request.method().clone();
        let scope = watch.scope();
        let result = scope.run(|| send(request, &mut watch, next));
        match result {
            Ok(response) => Ok(observed(response, &method, watch)),
            Err(error) => {
                failed(&error, watch);
                Err(error)
            }
        }
    }
}

/// Sends the request, its body shown to the watch where that changes nothing on the wire.
fn send(
    request: Request<SendBody>,
    watch: &mut Watch,
    next: MiddlewareNext,
) -> Result<Response<Body>, Error> {
    let is_framed = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING]
        .iter()
        .any(|name| request.headers().contains_key(name));
    if !is_framed {
        return next.handle(request);
    }
    let Some(exchange) = watch.share() else {
        return next.handle(request);
    };
    let (head, body) = request.into_parts();
    let mut reader = RequestReader {
        inner: body.into_reader(),
        exchange,
    };
    next.handle(Request::from_parts(head, SendBody::from_reader(&mut reader)))
}

fn failed(error: &Error, mut watch: Watch) {
    match error {
        Error::StatusCode(status) => {
            watch.response(*status, &Fields::of(&http::HeaderMap::new()));
            watch.settle(Ending::Done);
        }
        error => watch.fail(trouble::of_ureq(error)),
    }
}

/// The same response with its body observed.
fn observed(response: Response<Body>, method: &Method, mut watch: Watch) -> Response<Body> {
    watch.response(response.status().as_u16(), &Fields::of(response.headers()));
    if !watch.is_live() {
        return response;
    }
    let progress = progress(&response, method);
    let length = response.body().content_length();
    if progress.is_over() || watch.is_only_traffic() || !is_readable(response.body()) {
        watch.leave(length, Ending::Done);
        return response;
    }
    if is_decoded_again(response.body()) {
        watch.leave(length, Ending::Truncated);
        return response;
    }
    response.map(|body| {
        let mut built = Body::builder();
        if let Some(kind) = body.mime_type() {
            built = built.mime_type(kind);
        }
        if let Some(charset) = body.charset() {
            built = built.charset(charset);
        }
        built.reader(ResponseReader {
            inner: body.into_reader(),
            watch,
            progress,
        })
    })
}

/// Whether a body is of a kind that tells what a call took; media never does.
fn is_readable(body: &Body) -> bool {
    let is_text = |kind: &str| kind.starts_with("text/") || kind.contains("json");
    body.mime_type().is_none_or(is_text)
}

/// Whether a body that is read from this one would be put through a charset once more.
fn is_decoded_again(body: &Body) -> bool {
    let is_text = body.mime_type().is_some_and(|kind| kind.starts_with("text/"));
    let is_utf8 = |charset: &str| {
        ["utf-8", "utf8"]
            .iter()
            .any(|name| charset.eq_ignore_ascii_case(name))
    };
    is_text && body.charset().is_some_and(|charset| !is_utf8(charset))
}

fn progress(response: &Response<Body>, method: &Method) -> Progress {
    if is_bodyless(method, response.status()) {
        return Progress::without_body();
    }
    Progress::new(response.body().content_length(), false)
}

/// A request body that is shown to the exchange while it is being sent.
struct RequestReader<R> {
    inner: R,
    exchange: SharedExchange,
}

impl<R: Read> Read for RequestReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        show(&self.exchange, buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

/// A response body that is shown to the watch while it is being read.
struct ResponseReader<R> {
    inner: R,
    watch: Watch,
    progress: Progress,
}

impl<R: Read> Read for ResponseReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.inner.read(buffer);
        match &result {
            Ok(0) if !buffer.is_empty() => self.watch.settle(Ending::Done),
            Ok(count) => {
                self.progress.passed(*count);
                self.watch.data(buffer.get(..*count).unwrap_or_default());
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => self.watch.fail(trouble::of_io(error)),
        }
        result
    }
}

impl<R> Drop for ResponseReader<R> {
    /// After the last byte that was announced, nobody needs to ask for more.
    fn drop(&mut self) {
        if self.progress.is_over() {
            self.watch.settle(Ending::Done);
        }
    }
}
