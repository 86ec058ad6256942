//! Canonical error types from what providers say.

use crate::event::ErrorType;
use crate::usage::framing::{Json, Keep};
use crate::wire::Headers;

/// What is kept of an error object: words and numbers, no message.
pub(super) const KEEP_ERROR: Keep = Keep::Fields(&[
    ("type", Keep::All),
    ("code", Keep::All),
    ("status", Keep::All),
    ("status_code", Keep::All),
]);

/// Words in an error's type, code or status, the telling ones first: several name a generic type
/// beside a precise code.
#[rustfmt::skip]
const WORDS: &[(&str, ErrorType)] = &[
    ("content_filter", ErrorType::ContentFilter),
    ("content_policy", ErrorType::ContentFilter),
    ("responsibleai", ErrorType::ContentFilter),
    ("insufficient_quota", ErrorType::Quota),
    ("quota", ErrorType::Quota),
    ("billing", ErrorType::Quota),
    ("insufficient", ErrorType::Quota),
    ("credit", ErrorType::Quota),
    ("rate_limit", ErrorType::RateLimit),
    ("ratelimit", ErrorType::RateLimit),
    ("too_many_requests", ErrorType::RateLimit),
    ("throttl", ErrorType::RateLimit),
    ("resource_exhausted", ErrorType::RateLimit),
    ("overload", ErrorType::Overloaded),
    ("capacity", ErrorType::Overloaded),
    ("unavailable", ErrorType::Overloaded),
    ("timeout", ErrorType::Timeout),
    ("timed_out", ErrorType::Timeout),
    ("deadline", ErrorType::Timeout),
    ("api_key", ErrorType::Auth),
    ("authentication", ErrorType::Auth),
    ("unauthorized", ErrorType::Auth),
    ("unauthenticated", ErrorType::Auth),
    ("permission", ErrorType::Auth),
    ("forbidden", ErrorType::Auth),
    ("access_denied", ErrorType::Auth),
    // Amazon's names are in camel case.
    ("accessdenied", ErrorType::Auth),
    ("expiredtoken", ErrorType::Auth),
    ("unrecognizedclient", ErrorType::Auth),
    ("signature", ErrorType::Auth),
    ("notready", ErrorType::Overloaded),
    ("modelerror", ErrorType::ServerError),
    ("modelstreamerror", ErrorType::ServerError),
    ("badgateway", ErrorType::ServerError),
    ("dependencyfailed", ErrorType::ServerError),
    ("not_found", ErrorType::NotFound),
    ("notfound", ErrorType::NotFound),
    ("invalid_model", ErrorType::NotFound),
    ("server_error", ErrorType::ServerError),
    ("internal", ErrorType::ServerError),
    ("api_error", ErrorType::ServerError),
    ("invalid", ErrorType::InvalidRequest),
    ("validation", ErrorType::InvalidRequest),
    ("bad request", ErrorType::InvalidRequest),
    ("bad_request", ErrorType::InvalidRequest),
    ("too_large", ErrorType::InvalidRequest),
    ("context_length", ErrorType::InvalidRequest),
    ("unsupported", ErrorType::InvalidRequest),
    ("precondition", ErrorType::InvalidRequest),
    ("out_of_range", ErrorType::InvalidRequest),
];

/// The error type of an HTTP status; `None` below 400.
pub(crate) fn from_status(status: u16) -> Option<ErrorType> {
    Some(match status {
        ..400 => return None,
        401 | 403 => ErrorType::Auth,
        402 => ErrorType::Quota,
        404 | 410 => ErrorType::NotFound,
        408 | 504 | 524 => ErrorType::Timeout,
        429 => ErrorType::RateLimit,
        503 | 529 => ErrorType::Overloaded,
        400..500 => ErrorType::InvalidRequest,
        500.. => ErrorType::ServerError,
    })
}

/// The error type of what stands in an `error` field; `None` where that denies an error, as `false`
/// and empty things do.
pub(super) fn of_field(error: Json<'_>) -> Option<ErrorType> {
    (!error.is_nothing()).then(|| of_object(error))
}

/// The error type of an object that describes an error.
pub(super) fn of_object(error: Json<'_>) -> ErrorType {
    judge(error).unwrap_or(ErrorType::Other)
}

/// The error type that a name in words stands for: `throttlingException`, `RESOURCE_EXHAUSTED`.
pub(crate) fn of_word(name: &str) -> ErrorType {
    place(name)
        .and_then(|at| WORDS.get(at))
        .map_or(ErrorType::Other, |(_, error)| *error)
}

/// The error type in the header field where Amazon's services name it:
/// `ThrottlingException:http://internal.amazon.com/…`.
pub(super) fn of_amazon_header(headers: &dyn Headers) -> Option<ErrorType> {
    let value = headers.get("x-amzn-errortype")?;
    let name = value.split(|byte| *byte == b':').next()?;
    Some(of_word(std::str::from_utf8(name).ok()?))
}

/// Where the first of the [`WORDS`] stands that a name contains.
fn place(name: &str) -> Option<usize> {
    let name = name.to_ascii_lowercase();
    WORDS.iter().position(|(sign, _)| name.contains(sign))
}

/// The type of an error object; precise codes before generic types, words before numbers.
fn judge(error: Json<'_>) -> Option<ErrorType> {
    let signs = ["code", "type", "status", "status_code"].map(|name| error.get(name));
    let words = signs.iter().flatten().filter_map(|sign| sign.text());
    let mut best: Option<usize> = None;
    for word in words {
        best = match (best, place(&word)) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
    if let Some((_, error)) = best.and_then(|at| WORDS.get(at)) {
        return Some(*error);
    }
    signs.iter().flatten().find_map(|sign| {
        let number: u16 = sign.amount()?.try_into().ok()?;
        from_status(number)
    })
}
