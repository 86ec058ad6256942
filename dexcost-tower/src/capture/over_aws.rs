//! The service over an HTTP client of the AWS SDK.
//!
//! The SDK asks its [`HttpClient`] for a connector, which sends one attempt at a time: retries,
//! signatures and credentials are settled above, timeouts above and below. So what is put around the
//! client sees each attempt as it goes over the wire.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use dexcost::Ending;
use dexcost::capture::{Headers, RequestFacts};
use http::{Method, StatusCode};
use http_body::Body;

use super::body::CaptureBody;
use super::layer::{CaptureLayer, CaptureService};
use super::watch::{Handed, Watch};
use super::{Uncaptured, trouble};
use crate::progress::{Progress, is_bodyless};

/// Prices the calls of an AWS SDK client, such as that of Bedrock's runtime.
///
/// ```
/// use aws_smithy_runtime_api::client::http::SharedHttpClient;
/// use dexcost_tower::{CaptureLayer, CaptureService};
/// use tower_layer::Layer;
///
/// // aws_sdk_bedrockruntime::Config::builder().http_client(captured(client))…
/// fn captured(client: SharedHttpClient) -> CaptureService<SharedHttpClient> {
///     CaptureLayer::new().layer(client)
/// }
/// ```
impl<C: HttpClient> HttpClient for CaptureService<C> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(CaptureService {
            inner: self.inner.http_connector(settings, components),
            settings: self.settings.clone(),
        })
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.inner.validate_base_client_config(components, config)
    }

    fn validate_final_config(
        &self,
        components: &RuntimeComponents,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.inner.validate_final_config(components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.inner.connector_metadata()
    }
}

/// Prices what goes through a connector; the response future is boxed, as the trait wants it.
impl HttpConnector for CaptureService<SharedHttpConnector> {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let Some(mut watch) = begin(&self.settings, &request) else {
            return self.inner.call(request);
        };
        if let Some(handed) = watch.handed() {
            request.add_extension(handed);
        }
        let method = Method::from_bytes(request.method().as_bytes()).unwrap_or_default();
        let scope = watch.scope();
        let future = scope.run(|| self.inner.call(request));
        let future = scope.attach(future);
        HttpConnectorFuture::new(async move {
            match future.await {
                Ok(response) => Ok(observed(response, &method, watch)),
                Err(error) => {
                    watch.fail(trouble::of(&error));
                    Err(error)
                }
            }
        })
    }
}

fn begin(settings: &CaptureLayer, request: &HttpRequest) -> Option<Watch> {
    if request.extension::<Uncaptured>().is_some() {
        return None;
    }
    let headers = SdkHeaders(request.headers());
    let facts = RequestFacts::to_url(request.method(), request.uri(), &headers);
    let mut watch = settings.begin(&facts, request.extension::<Handed>())?;
    if let Some(body) = request.body().bytes() {
        watch.request(body);
    }
    Some(watch)
}

/// The same response with its body observed. One that lies in memory is looked at where it lies.
fn observed(mut response: HttpResponse, method: &Method, mut watch: Watch) -> HttpResponse {
    let headers = SdkHeaders(response.headers());
    let status = response.status().as_u16();
    watch.response(status, &headers);
    if !watch.is_live() {
        return response;
    }
    if let Some(body) = response.body().bytes() {
        watch.data(body);
        watch.settle(Ending::Done);
        return response;
    }
    let stated = || {
        std::str::from_utf8(headers.get("content-length")?)
            .ok()?
            .parse()
            .ok()
    };
    let progress = if StatusCode::from_u16(status).is_ok_and(|status| is_bodyless(method, status)) {
        Progress::without_body()
    } else {
        let remaining = response.body().content_length().or_else(stated);
        Progress::new(remaining, response.body().is_end_stream())
    };
    let body = response.take_body();
    *response.body_mut() = SdkBody::from_body_1_x(CaptureBody::watched(body, watch, progress));
    response
}

struct SdkHeaders<'a>(&'a aws_smithy_runtime_api::http::Headers);

impl Headers for SdkHeaders<'_> {
    fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.get_bytes(name)
    }

    fn wire_bytes(&self) -> u64 {
        let line = |(name, value): (&str, &[u8])| name.len() + value.len() + ": \r\n".len();
        self.0.iter_bytes().map(|field| line(field) as u64).sum()
    }
}
