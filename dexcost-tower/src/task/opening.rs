//! What a request says about its task: type, attribution, parent, trace.

use dexcost::{TaskOptions, Text};
use serde_json::{Value, json};

use super::grpc::GrpcCall;
use super::head::RequestHead;
use super::origin::{Origin, Refused};
use super::route::NO_ROUTE;
#[cfg(feature = "axum")]
use super::route::task_type_of_route;
use super::settings::{Facts, Settings, TaskType};
use crate::w3c::traceparent::TraceParent;
use crate::w3c::{TRACE_LINKS, TRACE_PARENT};

/// Under which name a task's metadata lists what stood in the request and could not be used.
const REFUSED: &str = "_refused";

impl Settings {
    /// The type of the request's task: the one that the settings say, else that of its gRPC method
    /// or route, else a constant.
    pub(super) fn task_type(&self, head: &RequestHead<'_>, grpc: Option<&mut GrpcCall>) -> Text {
        match &self.task_type {
            TaskType::Fixed(fixed) => return fixed.clone(),
            TaskType::Closure(name) => {
                if let Some(name) = name(head) {
                    return name;
                }
            }
            TaskType::Known => {}
        }
        if let Some(call) = grpc {
            let (name, unproven) = self.grpc_names.of(head.uri.path());
            call.unproven = unproven;
            return name;
        }
        match head.route() {
            #[cfg(feature = "axum")]
            Some(template) => task_type_of_route(head.method.as_str(), template),
            _ => NO_ROUTE,
        }
    }

    /// What the request says about its task, as far as the settings believe it.
    pub(super) fn options(&self, head: &RequestHead<'_>) -> TaskOptions {
        let mut options = TaskOptions::default();
        self.facts.read(head, &mut options);
        if !self.ignores_traces
            && let Some(parent) = TraceParent::of(head.headers)
        {
            let link = json!([{"provider": "w3c", "trace_id": parent.trace_id}]);
            options.metadata.insert(TRACE_LINKS.to_owned(), link);
            let parent = Value::from(parent.to_string());
            options.metadata.insert(TRACE_PARENT.to_owned(), parent);
        }
        options
    }
}

impl Facts {
    fn read(&self, head: &RequestHead<'_>, options: &mut TaskOptions) {
        let mut refused = Vec::new();
        let mut read = |fact: &str, origin: Option<&Origin>| {
            let origin = origin?;
            match origin.read(head) {
                Ok(value) => value,
                Err(Refused) => {
                    refused.push(Value::from(origin.name(fact)));
                    None
                }
            }
        };
        options.customer_id = read("customer", self.customer.as_ref());
        options.project_id = read("project", self.project.as_ref());
        options.agent = read("agent", self.agent.as_ref());
        options.experiment_id = read("experiment", self.experiment.as_ref());
        options.variant = read("variant", self.variant.as_ref());
        let parent = read("parent", self.parent.as_ref());
        for (name, origin) in &self.metadata {
            if let Some(value) = read(name, Some(origin)) {
                options.metadata.insert(name.to_string(), Value::from(value));
            }
        }
        if let Some(parent) = parent {
            options.parent_task_id = parent.parse().ok();
            if options.parent_task_id.is_none() {
                refused.push(Value::from("parent"));
            }
        }
        if options.experiment_id.is_none() && options.variant.take().is_some() {
            refused.push(Value::from("variant"));
        }
        if !refused.is_empty() {
            options.metadata.insert(REFUSED.to_owned(), Value::Array(refused));
        }
    }
}
