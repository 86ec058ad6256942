//! Request bodies that can be read without changing their type.
//!
//! Wrapping the request body would be the obvious way, but then the service beneath would have to
//! take another body type than the service above: `Client<C, Full<Bytes>>` could no longer be put
//! under the layer, nor anything whose type is written down somewhere. So the type stays as it is:
//! a body that lies in memory is looked at where it lies, a type-erased one is wrapped and erased
//! again, and any other goes unseen, which costs the requested model and the digest by which
//! retries are found, and no more. `Any` finds out which it is, at the price of comparing type ids.

use std::any::Any;
use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use http_body_util::{BodyExt, Full};
use pin_project_lite::pin_project;

use super::body::each_chunk;
use super::watch::{SharedExchange, Watch, lock};

type BoxError = Box<dyn Error + Send + Sync>;

/// Shows a request body to the watch, as far as its type allows.
pub(super) fn observe<B: 'static>(body: &mut B, watch: &mut Watch) {
    let body: &mut dyn Any = body;
    if in_memory(body, |bytes| watch.request(bytes)) {
        return;
    }
    let _observed = erased::<BoxBody<Bytes, BoxError>>(body, watch, BodyExt::boxed)
        || erased::<UnsyncBoxBody<Bytes, BoxError>>(body, watch, BodyExt::boxed_unsync);
    #[cfg(feature = "reqwest")]
    erased::<reqwest::Body>(body, watch, reqwest::Body::wrap);
    #[cfg(feature = "axum")]
    erased::<axum::body::Body>(body, watch, |tap| {
        // The new body wraps errors as the old one did; a caller finds them as deep as before.
        axum::body::Body::new(tap.map_err(axum::Error::into_inner))
    });
}

/// Looks at a body that lies in memory; false where it does not.
fn in_memory(body: &dyn Any, look: impl FnOnce(&[u8])) -> bool {
    if let Some(full) = body.downcast_ref::<Full<Bytes>>() {
        // A full body shows its data to nobody but its owner; a clone of it shares the bytes.
        look(&full.clone().into_inner().unwrap_or_default());
    } else if let Some(text) = body.downcast_ref::<String>() {
        look(text.as_bytes());
    } else if let Some(bytes) = body.downcast_ref::<Bytes>() {
        look(bytes);
    } else if let Some(bytes) = body.downcast_ref::<Vec<u8>>() {
        look(bytes);
    } else if let Some(full) = body.downcast_ref::<Full<&'static [u8]>>() {
        look(full.into_inner().unwrap_or_default());
    } else {
        #[cfg(feature = "reqwest")]
        if let Some(bytes) = body
            .downcast_ref::<reqwest::Body>()
            .and_then(reqwest::Body::as_bytes)
        {
            look(bytes);
            return true;
        }
        return false;
    }
    true
}

/// Puts a tap around a body whose type hides what is inside, and hides it again.
fn erased<B>(body: &mut dyn Any, watch: &mut Watch, erase: impl FnOnce(RequestTap<B>) -> B) -> bool
where
    B: Default + 'static,
{
    let Some(body) = body.downcast_mut::<B>() else {
        return false;
    };
    if let Some(exchange) = watch.share() {
        let inner = std::mem::take(body);
        *body = erase(RequestTap { inner, exchange });
    }
    true
}

/// Shows a piece of a request body that is being sent.
pub(super) fn show(exchange: &SharedExchange, bytes: &[u8]) {
    if let Some(exchange) = lock(exchange).as_mut()
        && exchange.wants_request()
    {
        exchange.request_data(bytes);
    }
}

pin_project! {
    /// A request body that is shown to the exchange while it is being sent.
    struct RequestTap<B> {
        #[pin]
        inner: B,
        exchange: SharedExchange,
    }
}

impl<B: Body> Body for RequestTap<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let frame = ready!(this.inner.poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            each_chunk(data, |chunk| show(this.exchange, chunk));
        }
        Poll::Ready(frame)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }
}
