//! rig's transport over a captured reqwest client.

use bytes::Bytes;
use dexcost_tower::CaptureService;
use http::{HeaderValue, Request, Response, header::CONTENT_TYPE};
use http_body_util::BodyExt;
use rig_core::http_client::{BoxedStream, Error, HttpClientExt, LazyBody, MultipartForm as Form, Result};
use tower::Service;

pub(crate) struct Captured(pub(crate) CaptureService<reqwest::Client>);

type Sent<T> = Result<Response<T>>;

impl Captured {
    fn call(&self, request: Request<Bytes>) -> impl Future<Output = Sent<reqwest::Body>> + Send + use<> {
        let request = reqwest::Request::try_from(request);
        let calling = request.map(|request| self.0.clone().call(request));
        async {
            Ok(calling
                .map_err(Error::instance)?
                .await
                .map_err(Error::instance)?
                .into())
        }
    }
}

impl HttpClientExt for Captured {
    fn send<T: Into<Bytes> + Send, U: From<Bytes> + Send + 'static>(
        &self,
        request: Request<T>,
    ) -> impl Future<Output = Sent<LazyBody<U>>> + Send + 'static {
        let reply = self.call(request.map(Into::into));
        let whole =
            async |body: reqwest::Body| Ok(body.collect().await.map_err(Error::instance)?.to_bytes().into());
        async move { Ok(reply.await?.map(|body| -> LazyBody<U> { Box::pin(whole(body)) })) }
    }
    fn send_multipart<U: From<Bytes> + Send + 'static>(
        &self,
        request: Request<Form>,
    ) -> impl Future<Output = Sent<LazyBody<U>>> + Send + 'static {
        let (mut head, form) = request.into_parts();
        let (boundary, body) = form.encode();
        let kind = HeaderValue::try_from(format!("multipart/form-data; boundary={boundary}"));
        head.headers.extend(kind.ok().map(|kind| (CONTENT_TYPE, kind)));
        self.send(Request::from_parts(head, body))
    }
    async fn send_streaming<T: Into<Bytes> + Send>(&self, request: Request<T>) -> Sent<BoxedStream> {
        let reply = self.call(request.map(Into::into)).await?;
        Ok(reply.map(|body| -> BoxedStream { Box::pin(body.map_err(Error::instance).into_data_stream()) }))
    }
}
