//! Extractors for axum handlers: the task of the request, and whom it is for.

use std::ops::Deref;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Response};
use dexcost::{Context, TaskHandle};
use http::StatusCode;
use http::request::Parts;

/// The task of the request, as an argument of a handler.
///
/// Beneath a layer that spawns the handler it is only found after
/// [`task_in_extensions`](crate::TaskLayer::task_in_extensions).
///
/// Where the request has none (it was skipped, there is no [`TaskLayer`](crate::TaskLayer), or no
/// tracker), it answers for the handler with 500; `Option<CurrentTask>` is `None` there.
///
/// ```
/// use axum::{Router, routing::get};
/// use dexcost_tower::{CurrentTask, TaskLayer};
///
/// async fn answer(task: CurrentTask) -> String {
///     task.set_metadata("rows", 3);
///     task.task_id().to_string()
/// }
///
/// let app: Router = Router::new().route("/", get(answer)).layer(TaskLayer::new());
/// # drop(app);
/// ```
#[derive(Clone, Debug)]
pub struct CurrentTask(pub TaskHandle);

impl CurrentTask {
    /// The scope is the nearest word; code between the layer and the handler may have left it.
    fn of(parts: &Parts) -> Option<Self> {
        let handed_out = || parts.extensions.get::<TaskHandle>().cloned();
        dexcost::current_task().or_else(handed_out).map(Self)
    }
}

impl Deref for CurrentTask {
    type Target = TaskHandle;

    fn deref(&self) -> &TaskHandle {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for CurrentTask {
    type Rejection = NoCurrentTask;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, NoCurrentTask> {
        Self::of(parts).ok_or(NoCurrentTask)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for CurrentTask {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(Self::of(parts))
    }
}

/// A handler wanted the task of a request that has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoCurrentTask;

impl std::fmt::Display for NoCurrentTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the request is no task: is there a TaskLayer on the route, and a tracker?")
    }
}

impl std::error::Error for NoCurrentTask {}

impl IntoResponse for NoCurrentTask {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, self.to_string()).into_response()
    }
}

/// Says whom a request is for, once an extractor has found out.
pub trait Identify {
    /// Whom it is for; what is left open stays as it is.
    fn context(&self) -> Context;
}

/// An extractor of the user's choice that also says whom the task is for.
///
/// It sets the [context](dexcost::set_context) of the request it is used in: gaps in the attribution
/// of the request's task are filled, and what the handler opens or calls from then on inherits it.
/// What the layer has set on the task stays.
///
/// ```
/// use axum::extract::FromRequestParts;
/// use axum::http::{StatusCode, request::Parts};
/// use dexcost_tower::{Identified, Identify};
///
/// struct Tenant(String);
///
/// impl<S: Sync> FromRequestParts<S> for Tenant {
///     type Rejection = StatusCode;
///
///     async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
///         // … after the token was checked
///         parts.uri.host().map(|host| Self(host.to_owned())).ok_or(StatusCode::UNAUTHORIZED)
///     }
/// }
///
/// impl Identify for Tenant {
///     fn context(&self) -> dexcost::Context {
///         dexcost::Context { customer_id: Some(self.0.as_str().into()), ..Default::default() }
///     }
/// }
///
/// async fn handler(Identified(tenant): Identified<Tenant>) -> String {
///     tenant.0
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Identified<T>(pub T);

impl<T, S> FromRequestParts<S> for Identified<T>
where
    T: FromRequestParts<S> + Identify,
    S: Send + Sync,
{
    type Rejection = T::Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, T::Rejection> {
        let found = T::from_request_parts(parts, state).await?;
        let said = found.context();
        let before = dexcost::get_context().unwrap_or_default();
        let mut metadata = before.metadata;
        metadata.extend(said.metadata);
        // Outside any scope there is no task to be for anybody.
        let _ = dexcost::set_context(Context {
            customer_id: said.customer_id.or(before.customer_id),
            project_id: said.project_id.or(before.project_id),
            agent: said.agent.or(before.agent),
            metadata,
        });
        Ok(Self(found))
    }
}
