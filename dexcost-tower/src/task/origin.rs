//! Where a fact about a request comes from.

use std::fmt;
use std::sync::Arc;

use dexcost::Text;
use http::{HeaderMap, HeaderName};

use super::head::RequestHead;
use crate::w3c::baggage;

/// The longest fact that is taken from a request, in bytes.
const LONGEST: usize = 256;

/// Where a fact about a request comes from: whom it is for, what it belongs to.
///
/// Nothing is taken from anywhere that no origin names. Blanks around a fact are cut off, and an
/// empty one says nothing. One that is no UTF-8 or longer than 256 bytes is refused as a whole, since
/// a part of it could be the name of somebody else; the task's metadata then says where it stood,
/// under `_refused`.
///
/// ```
/// use dexcost_tower::{Origin, TaskLayer};
///
/// struct Tenant {
///     name: String,
/// }
///
/// let layer = TaskLayer::new()
///     .customer(Origin::extension(|tenant: &Tenant| Some(tenant.name.clone())))
///     .project(Origin::header("x-project-id"))
///     .agent(Origin::request(|request| Some(request.method.to_string())));
/// ```
#[derive(Clone)]
pub struct Origin(Place);

#[derive(Clone)]
enum Place {
    Nowhere,
    Header(HeaderName),
    Baggage(Text),
    Closure(Arc<Closure>),
}

type Closure = dyn for<'a> Fn(&RequestHead<'a>) -> Option<Text> + Send + Sync;

/// A fact that was there and could not be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused;

impl Origin {
    /// This header field of the request. It says what the client says: take a fact from one only
    /// where something in front of the service sets it.
    ///
    /// A field that is there twice with different values is refused: one of them could be the
    /// client's own. A `name` that is none of a header field matches nothing; debug builds refuse it.
    #[must_use]
    pub fn header(name: &str) -> Self {
        Self(field(name).map_or(Place::Nowhere, Place::Header))
    }

    /// The member of this key in the request's [`baggage`](https://www.w3.org/TR/baggage/): what the
    /// calling service says. Take a fact from it only where no stranger can call.
    ///
    /// A key that is there twice with different values is refused.
    #[must_use]
    pub fn baggage(key: impl Into<Text>) -> Self {
        Self(Place::Baggage(key.into()))
    }

    /// What an outer layer left in the request's extensions, of a type of the user's choice: an
    /// authenticated tenant, the claims of a token.
    #[must_use]
    pub fn extension<T, V>(read: impl Fn(&T) -> Option<V> + Send + Sync + 'static) -> Self
    where
        T: Send + Sync + 'static,
        V: Into<Text>,
    {
        Self::request(move |head| head.extensions.get::<T>().and_then(&read))
    }

    /// Whatever a closure finds in the head of the request.
    #[must_use]
    pub fn request<V: Into<Text>>(
        read: impl for<'a> Fn(&RequestHead<'a>) -> Option<V> + Send + Sync + 'static,
    ) -> Self {
        Self(Place::Closure(Arc::new(move |head: &RequestHead<'_>| {
            read(head).map(Into::into)
        })))
    }

    /// What stands there; `None` where nothing does.
    pub(super) fn read(&self, head: &RequestHead<'_>) -> Result<Option<String>, Refused> {
        match &self.0 {
            Place::Nowhere => Ok(None),
            Place::Header(name) => header(head.headers, name),
            Place::Baggage(key) => match baggage::get(head.headers, key) {
                Ok(Some(value)) => usable(value.as_bytes()),
                Ok(None) => Ok(None),
                Err(baggage::Unusable) => Err(Refused),
            },
            Place::Closure(read) => match read(head) {
                Some(value) => usable(value.as_bytes()),
                None => Ok(None),
            },
        }
    }

    /// What a refusal calls it: the header field where it is one.
    pub(super) fn name<'a>(&'a self, fact: &'a str) -> &'a str {
        match &self.0 {
            Place::Header(name) => name.as_str(),
            Place::Baggage(_) => "baggage",
            Place::Nowhere | Place::Closure(_) => fact,
        }
    }
}

pub(super) fn field(name: &str) -> Option<HeaderName> {
    let field = HeaderName::from_bytes(name.as_bytes()).ok();
    debug_assert!(field.is_some(), "`{name}` is no name of a header field");
    field
}

/// What a header field says. Where it is there twice with different values, either could be the
/// client's own.
fn header(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Refused> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.any(|other| other != value) {
        return Err(Refused);
    }
    usable(value.as_bytes())
}

/// The text of a value; `None` where it is empty.
fn usable(value: &[u8]) -> Result<Option<String>, Refused> {
    let text = std::str::from_utf8(value).map_err(|_| Refused)?.trim();
    if text.len() > LONGEST {
        return Err(Refused);
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Nowhere => f.write_str("nowhere"),
            Place::Header(name) => write!(f, "header {name}"),
            Place::Baggage(key) => write!(f, "baggage {key}"),
            Place::Closure(_) => f.write_str("closure"),
        }
    }
}
