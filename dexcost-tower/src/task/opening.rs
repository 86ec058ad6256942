//! What a request says about its task: type and attribution.

use dexcost::{TaskOptions, Text};
use http::{HeaderMap, HeaderName};

use super::layer::{RequestHead, Settings};
use super::route::NO_ROUTE;
#[cfg(feature = "axum")]
use super::route::task_type_of_route;

/// The longest attribution that is taken from a header field, in bytes.
const LONGEST: usize = 256;

/// Under which name a task's metadata lists the header fields that could not be used.
const REFUSED: &str = "_refused_headers";

impl Settings {
    /// The type of the request's task: the fixed one, else that of its route, else a constant.
    pub(super) fn task_type(&self, head: &RequestHead<'_>) -> Text {
        if let Some(fixed) = &self.task_type {
            return fixed.clone();
        }
        match head.route() {
            #[cfg(feature = "axum")]
            Some(template) => task_type_of_route(head.method.as_str(), template),
            _ => NO_ROUTE,
        }
    }

    /// Whom the request is for, as far as its header fields say so.
    pub(super) fn options(&self, headers: &HeaderMap) -> TaskOptions {
        let mut options = TaskOptions::default();
        let mut refused = Vec::new();
        let mut read = |name: &Option<HeaderName>| {
            let name = name.as_ref()?;
            match usable(headers.get(name)?.as_bytes()) {
                Ok(value) => value,
                Err(Unusable) => {
                    refused.push(name.as_str().into());
                    None
                }
            }
        };
        options.customer_id = read(&self.customer);
        options.project_id = read(&self.project);
        options.agent = read(&self.agent);
        if !refused.is_empty() {
            options
                .metadata
                .insert(REFUSED.to_owned(), serde_json::Value::Array(refused));
        }
        options
    }
}

struct Unusable;

/// The text of a header value; `None` where it is empty.
///
/// A value that is no UTF-8 or too long is refused as a whole: a part of it could be the name of
/// somebody else.
fn usable(value: &[u8]) -> Result<Option<String>, Unusable> {
    let text = std::str::from_utf8(value).map_err(|_| Unusable)?.trim();
    if text.len() > LONGEST {
        return Err(Unusable);
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}
