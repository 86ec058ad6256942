//! What is different about gRPC: calls are named by their path, and how they went stands in
//! trailers.
//!
//! Page (read 2026-11): <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>.
//!
//! | file | thought |
//! |---|---|
//! | `names` | which paths are task types, though anybody may call any |
//! | `status` | from `grpc-status` to success or failure |

mod names;
mod status;

use http::{HeaderValue, Version, header};

use super::head::RequestHead;

pub(super) use names::{Names, Unproven};
pub(super) use status::GrpcStatus;

/// What is known of a request that is a gRPC call.
#[derive(Debug, Default)]
pub(super) struct GrpcCall {
    /// The name that it bears without having shown that there is such a method.
    pub(super) unproven: Option<Unproven>,
    /// How it went, as far as anybody has said.
    pub(super) status: Option<GrpcStatus>,
}

/// Whether a request is a gRPC call: a content type of gRPC, over HTTP/2.
///
/// gRPC-Web is not: it hides its trailers in the body. A layer beneath the one that translates it
/// sees gRPC.
pub(super) fn is_call(head: &RequestHead<'_>) -> bool {
    head.version >= Version::HTTP_2
        && head
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(is_content_type)
}

fn is_content_type(value: &HeaderValue) -> bool {
    let rest = value.as_bytes().strip_prefix(b"application/grpc");
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}
