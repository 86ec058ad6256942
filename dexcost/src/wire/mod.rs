//! What an adapter tells about a request and its reply, in borrowed form.

mod peer;

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::text::Text;

pub use peer::Peer;

/// Header fields, looked up by lower-case name.
///
/// The core does not depend on the `http` crate; an adapter implements this in three lines. Where a
/// name occurs several times, answer with the values joined by a comma, or with the first.
///
/// ```
/// use dexcost::capture::Headers;
///
/// let headers = [("content-type", "application/json")];
/// assert_eq!(headers.get("content-type"), Some(&b"application/json"[..]));
/// assert_eq!(headers.get("x-request-id"), None);
/// ```
pub trait Headers {
    /// The value of a field; `name` is given in lower case.
    fn get(&self, name: &str) -> Option<&[u8]>;

    /// The value of the first of these fields that is there; names are given in lower case.
    fn first_of(&self, names: &[&str]) -> Option<&[u8]> {
        names.iter().find_map(|name| self.get(name))
    }

    /// How many bytes the fields take as HTTP/1.1 lines: name, colon, blank, value and line end
    /// each. 0 where the adapter does not know.
    fn wire_bytes(&self) -> u64 {
        0
    }
}

/// What a field takes on a line of its own beside name and value.
const LINE_BYTES: usize = ": \r\n".len();

fn line_bytes<N: AsRef<str>, V: AsRef<[u8]>>(fields: &[(N, V)]) -> u64 {
    let bytes = |(name, value): &(N, V)| name.as_ref().len() + value.as_ref().len() + LINE_BYTES;
    fields.iter().map(|field| bytes(field) as u64).sum()
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Headers for &[(N, V)] {
    fn get(&self, name: &str) -> Option<&[u8]> {
        self.iter()
            .find(|(n, _)| n.as_ref().eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_ref())
    }

    fn wire_bytes(&self) -> u64 {
        line_bytes(self)
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>, const COUNT: usize> Headers for [(N, V); COUNT] {
    fn get(&self, name: &str) -> Option<&[u8]> {
        self.iter()
            .find(|(n, _)| n.as_ref().eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_ref())
    }

    fn wire_bytes(&self) -> u64 {
        line_bytes(self)
    }
}

/// No header fields at all.
impl Headers for () {
    fn get(&self, _name: &str) -> Option<&[u8]> {
        None
    }
}

/// The line and the header fields of a request.
pub struct RequestFacts<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// Host and, where there is one, port: `api.openai.com`, `localhost:8080`.
    pub authority: &'a str,
    /// The path, percent-encoded as sent, without the query.
    pub path: &'a str,
    /// The query as sent, without the question mark; empty where there is none.
    pub query: &'a str,
    /// The header fields.
    pub headers: &'a dyn Headers,
}

impl<'a> RequestFacts<'a> {
    /// The facts of a request to an absolute URL. User info and fragment are left out.
    ///
    /// ```
    /// use dexcost::capture::RequestFacts;
    ///
    /// let facts = RequestFacts::to_url("POST", "https://me:pw@api.x.ai/v1/chat/completions?a=1#b", &());
    /// assert_eq!((facts.authority, facts.path), ("api.x.ai", "/v1/chat/completions"));
    /// assert_eq!(facts.query, "a=1");
    /// ```
    #[must_use]
    pub fn to_url(method: &'a str, url: &'a str, headers: &'a dyn Headers) -> Self {
        let after = |text: &'a str, at: usize| text.get(at..).unwrap_or_default();
        let is_scheme = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
        let scheme = url.bytes().position(|b| !is_scheme(b)).unwrap_or(url.len());
        let rest = after(url, scheme).strip_prefix("://").unwrap_or(url);
        let end = rest.bytes().position(|b| matches!(b, b'/' | b'?' | b'#'));
        let (authority, path) = rest.split_at(end.unwrap_or(rest.len()));
        let at = memchr::memrchr(b'@', authority.as_bytes()).map_or(0, |at| at + 1);
        let authority = after(authority, at);
        let end = memchr::memchr(b'#', path.as_bytes()).unwrap_or(path.len());
        let target = path.get(..end).unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = if path.is_empty() { "/" } else { path };
        Self {
            method,
            authority,
            path,
            query,
            headers,
        }
    }
}

impl RequestFacts<'_> {
    /// The host in lower case, without its port.
    ///
    /// ```
    /// use dexcost::capture::RequestFacts;
    ///
    /// assert_eq!(RequestFacts::to_url("GET", "https://API.x.ai:443/", &()).host(), "api.x.ai");
    /// assert_eq!(RequestFacts::to_url("GET", "http://[::1]:80/", &()).host(), "[::1]");
    /// ```
    #[must_use]
    pub fn host(&self) -> Text {
        let (host, _) = split_port(self.authority);
        if host.bytes().any(|b| b.is_ascii_uppercase()) {
            Text::from(host.to_ascii_lowercase())
        } else {
            Text::from(host)
        }
    }

    /// Which request it is, for telling it from another that is made on its way: see
    /// [`Claim`](crate::Claim). Stable within a process, and no more.
    ///
    /// It is made of the method and the path, not of the host: a middleware that sends a call through a
    /// gateway changes the host and leaves the rest, and the call must not count twice. So two calls
    /// of one path, one made within the other, are one. The query is left out, for keys are put there.
    ///
    /// ```
    /// use dexcost::capture::RequestFacts;
    ///
    /// let identity = |method, url| RequestFacts::to_url(method, url, &()).identity();
    /// let chat = identity("POST", "https://api.openai.com/v1/chat/completions");
    /// assert_eq!(chat, identity("POST", "https://gateway.example/v1/chat/completions?key=1"));
    /// assert_ne!(chat, identity("GET", "https://api.openai.com/v1/chat/completions"));
    /// assert_ne!(chat, identity("POST", "https://login.example/token"));
    /// ```
    #[must_use]
    pub fn identity(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.method, self.path).hash(&mut hasher);
        hasher.finish()
    }

    /// How many bytes the request line and the header fields take as an HTTP/1.1 message, the `Host`
    /// field included where the client has still to add it.
    ///
    /// ```
    /// use dexcost::capture::RequestFacts;
    ///
    /// let headers = [("accept", "*")];
    /// let facts = RequestFacts::to_url("GET", "https://h/a?b", &headers);
    /// assert_eq!(facts.wire_bytes(), "GET /a?b HTTP/1.1\r\nhost: h\r\naccept: *\r\n\r\n".len() as u64);
    /// ```
    #[must_use]
    pub fn wire_bytes(&self) -> u64 {
        let query = if self.query.is_empty() {
            0
        } else {
            1 + self.query.len()
        };
        let line = self.method.len() + 1 + self.path.len() + query + " HTTP/1.1\r\n".len();
        let host = match self.headers.get("host") {
            Some(_) => 0,
            None => "host".len() + LINE_BYTES + self.authority.len(),
        };
        (line + host) as u64 + self.headers.wire_bytes() + 2
    }
}

/// Host and port of an authority; the colons of a bare IPv6 address part nothing.
pub(crate) fn split_port(authority: &str) -> (&str, Option<&str>) {
    let colon = authority.bytes().rposition(|byte| byte == b':');
    match colon.and_then(|colon| Some((authority.get(..colon)?, authority.get(colon + 1..)?))) {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !host.ends_with(':') => {
            (host, Some(port))
        }
        _ => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_without_path_asks_for_the_root() {
        for url in [
            "https://host",
            "https://host?x=1",
            "host#frag",
            "https://a@b@host",
            "host?to=https://other/path",
        ] {
            let facts = RequestFacts::to_url("GET", url, &());
            assert_eq!((facts.authority, facts.path), ("host", "/"), "{url}");
        }
    }
}
