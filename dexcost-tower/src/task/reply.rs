//! What the client is told about the task: its id, and what it cost.

use std::fmt::Write;
use std::sync::Arc;

use dexcost::{TaskHandle, money};
use http::{HeaderMap, HeaderName, HeaderValue, Version, header};

use super::head::RequestHead;

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// What the client is to be told.
#[derive(Clone, Debug, Default)]
pub(super) struct Reply {
    pub(super) task_id: Option<HeaderName>,
    pub(super) is_timed: bool,
    pub(super) cost_trailer: Option<HeaderName>,
}

/// The same for one request.
#[derive(Debug)]
pub(super) struct Telling {
    reply: Arc<Reply>,
    trailers: Trailers,
}

/// Whether there is a way for trailers to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trailers {
    Always,
    /// HTTP/1.1: only after a body whose length is not stated beforehand.
    AfterChunks,
    Never,
}

impl Reply {
    /// Puts what the task has cost into its field.
    pub(super) fn tell_cost(&self, task: &TaskHandle, fields: &mut HeaderMap) {
        if let Some(name) = &self.cost_trailer
            && let Ok(value) = HeaderValue::try_from(cost(task))
        {
            fields.insert(name.clone(), value);
        }
    }
}

impl Telling {
    pub(super) fn to(reply: &Arc<Reply>, head: &RequestHead<'_>) -> Self {
        Self {
            reply: Arc::clone(reply),
            trailers: match &reply.cost_trailer {
                Some(_) => Trailers::to(head),
                None => Trailers::Never,
            },
        }
    }

    /// Puts what is known by now into the head of the response. What comes back has to be told in a
    /// trailer once the body has ended.
    ///
    /// `is_over` says that there will be no body: then what the task cost is final, and needs no
    /// trailer to be told.
    pub(super) fn head(
        &self,
        task: &TaskHandle,
        headers: &mut HeaderMap,
        is_over: bool,
        is_exact: bool,
    ) -> Option<Arc<Reply>> {
        if let Some(name) = &self.reply.task_id
            && let Ok(id) = HeaderValue::try_from(task.task_id().to_string())
        {
            headers.insert(name.clone(), id);
        }
        if self.reply.is_timed
            && let Ok(entry) = HeaderValue::try_from(format!("dexcost;desc=\"{}\"", cost(task)))
        {
            headers.append(SERVER_TIMING, entry);
        }
        let name = self.reply.cost_trailer.as_ref()?;
        if is_over {
            self.reply.tell_cost(task, headers);
            return None;
        }
        let is_possible = match self.trailers {
            Trailers::Always => true,
            Trailers::AfterChunks => !is_exact && !headers.contains_key(header::CONTENT_LENGTH),
            Trailers::Never => false,
        };
        (is_possible && announce(name, headers)).then(|| Arc::clone(&self.reply))
    }
}

impl Trailers {
    fn to(head: &RequestHead<'_>) -> Self {
        if head.version >= Version::HTTP_2 {
            return Self::Always;
        }
        let mut wanted = head.headers.get_all(header::TE).iter();
        let is_wanted = wanted.any(|field| {
            field.to_str().is_ok_and(|codings| {
                let mut codings = codings.split(',').map(str::trim);
                codings.any(|coding| coding.eq_ignore_ascii_case("trailers"))
            })
        });
        if head.version == Version::HTTP_11 && is_wanted {
            Self::AfterChunks
        } else {
            Self::Never
        }
    }
}

/// Adds a name to those that the response announces for its trailers. HTTP/1.1 servers send no others.
fn announce(name: &HeaderName, headers: &mut HeaderMap) -> bool {
    let mut names = String::new();
    for field in headers.get_all(header::TRAILER) {
        let Ok(field) = field.to_str() else { return false };
        names.push_str(field);
        names.push_str(", ");
    }
    names.push_str(name.as_str());
    let Ok(names) = HeaderValue::try_from(names) else {
        return false;
    };
    headers.insert(header::TRAILER, names);
    true
}

/// What the task has cost by now, as exact decimal text in US dollars; with the number of events
/// beside it of which something could not be priced, where there are any.
fn cost(task: &TaskHandle) -> String {
    let totals = task.task().totals;
    let Some(cost) = totals.checked_total_cost_usd() else {
        return "unknown".to_owned();
    };
    let mut text = money::plain(cost);
    if totals.unknown_cost_count > 0 {
        // Writing to a string cannot fail.
        write!(text, "; unknown={}", totals.unknown_cost_count).unwrap_or_default();
    }
    text
}
