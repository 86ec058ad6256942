//! What an adapter tells about a request and its reply, in borrowed form.

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
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Headers for &[(N, V)] {
    fn get(&self, name: &str) -> Option<&[u8]> {
        self.iter()
            .find(|(n, _)| n.as_ref().eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_ref())
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>, const COUNT: usize> Headers for [(N, V); COUNT] {
    fn get(&self, name: &str) -> Option<&[u8]> {
        self.iter()
            .find(|(n, _)| n.as_ref().eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_ref())
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
