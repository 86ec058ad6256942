//! rig over a captured client: its transport is a trait of three functions.

use dexcost_tower::{CaptureLayer, CaptureService};
use examples::stage::Stage;
use http::{HeaderValue, Request, Response, header::CONTENT_TYPE};
use http_body_util::BodyExt;
use rig_core::completion::CompletionRequest;
use rig_core::http_client::{BoxedStream, Error, HttpClientExt, LazyBody, MultipartForm, Result};
use rig_core::providers::openai::OpenAIConfig;
use tower::{Layer, Service};

pub(crate) struct Captured(pub(crate) CaptureService<reqwest::Client>);

impl Captured {
    fn call(
        &self,
        request: Request<bytes::Bytes>,
    ) -> impl Future<Output = Result<Response<reqwest::Body>>> + Send + use<> {
        let request = reqwest::Request::try_from(request).map_err(Error::instance);
        let reply = request.map(|request| self.0.clone().call(request));
        async move { Ok(reply?.await.map_err(Error::instance)?.into()) }
    }
}

impl HttpClientExt for Captured {
    fn send<T: Into<bytes::Bytes> + Send, U: From<bytes::Bytes> + Send + 'static>(
        &self,
        request: Request<T>,
    ) -> impl Future<Output = Result<Response<LazyBody<U>>>> + Send + 'static {
        let reply = self.call(request.map(Into::into));
        let whole =
            async |body: reqwest::Body| Ok(body.collect().await.map_err(Error::instance)?.to_bytes().into());
        async move { Ok(reply.await?.map(|body| Box::pin(whole(body)) as LazyBody<U>)) }
    }

    fn send_multipart<U: From<bytes::Bytes> + Send + 'static>(
        &self,
        request: Request<MultipartForm>,
    ) -> impl Future<Output = Result<Response<LazyBody<U>>>> + Send + 'static {
        let (mut head, form) = request.into_parts();
        let (boundary, body) = form.encode();
        let kind = HeaderValue::try_from(format!("multipart/form-data; boundary={boundary}"));
        head.headers.extend(kind.ok().map(|kind| (CONTENT_TYPE, kind)));
        self.send(Request::from_parts(head, body))
    }

    async fn send_streaming<T: Into<bytes::Bytes> + Send>(
        &self,
        request: Request<T>,
    ) -> Result<Response<BoxedStream>> {
        let reply = self.call(request.map(Into::into)).await?;
        Ok(reply.map(|body| Box::pin(body.map_err(Error::instance).into_data_stream()) as BoxedStream))
    }
}

#[tokio::main]
async fn main() -> std::result::Result<(), examples::Error> {
    let stage = Stage::set("rig")?;
    let openai = OpenAIConfig::new("no key").connect(Captured(CaptureLayer::new().layer(stage.http()?)));
    openai
        .chat("gpt-4.1-mini")
        .call(CompletionRequest::new("Where is parcel 7?"))
        .await?;
    stage.end()
}
