//! From `grpc-status` to success or failure.

use http::{HeaderMap, HeaderName};

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// How a gRPC call went, in the numbers of gRPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::task) struct GrpcStatus(u32);

/// The names of the numbers from 0 on.
const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

impl GrpcStatus {
    pub(in crate::task) const OK: Self = Self(0);
    pub(in crate::task) const CANCELLED: Self = Self(1);
    /// What a client takes a missing or unreadable status for.
    pub(in crate::task) const UNKNOWN: Self = Self(2);

    /// The status in trailers, or in the head of a response that is nothing but trailers.
    pub(in crate::task) fn of(fields: &HeaderMap) -> Option<Self> {
        let number = fields.get(GRPC_STATUS)?.to_str().ok()?.parse().ok();
        Some(number.map_or(Self::UNKNOWN, Self))
    }

    /// Whether it is the server's fault: the statuses that stand for 5xx where gRPC is translated
    /// to HTTP, and any number that gRPC does not know. All others are the caller's doing.
    pub(in crate::task) const fn is_failure(self) -> bool {
        matches!(self.0, 2 | 4 | 12..=15 | 17..)
    }

    pub(in crate::task) fn name(self) -> &'static str {
        let known = usize::try_from(self.0).ok().and_then(|number| NAMES.get(number));
        known.copied().unwrap_or("UNKNOWN")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_faults_are_failures_and_the_callers_doing_is_not() {
        let failures: Vec<_> = (0..20).map(GrpcStatus).filter(|s| s.is_failure()).collect();
        let names: Vec<_> = failures.iter().map(|status| status.name()).collect();
        assert_eq!(
            names,
            [
                "UNKNOWN",
                "DEADLINE_EXCEEDED",
                "UNIMPLEMENTED",
                "INTERNAL",
                "UNAVAILABLE",
                "DATA_LOSS",
                "UNKNOWN",
                "UNKNOWN",
                "UNKNOWN"
            ]
        );
    }

    #[test]
    fn a_status_that_is_no_number_is_unknown() {
        let of = |value: &str| {
            let fields = [(GRPC_STATUS, value.parse().unwrap())].into_iter().collect();
            GrpcStatus::of(&fields)
        };
        assert_eq!(of("0"), Some(GrpcStatus::OK));
        assert_eq!(of("13").map(GrpcStatus::name), Some("INTERNAL"));
        assert_eq!(of("fine"), Some(GrpcStatus::UNKNOWN));
        assert_eq!(GrpcStatus::of(&HeaderMap::new()), None);
    }
}
