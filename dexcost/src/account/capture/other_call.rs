//! A request that is no model call: perhaps to a priced service, in any case traffic.

use super::meter::Meter;
use crate::ending::Ending;
use crate::event::{CallFacts, ErrorType, OperationStatus};
use crate::observation::Observation;
use crate::text::Text;
use crate::usage::readers::from_status;
use crate::wire::{Headers, RequestFacts};

/// What is held of a request while it is on its way.
#[derive(Debug)]
pub(super) struct OtherCall {
    pub(super) meter: Meter,
    pub(super) status: Option<u16>,
    pub(super) noted: Option<ErrorType>,
    host: Text,
}

impl OtherCall {
    pub(super) fn new(request: &RequestFacts<'_>) -> Self {
        let host = request.host();
        Self {
            meter: Meter::of(request, &host),
            status: None,
            noted: None,
            host,
        }
    }

    pub(super) fn is_only_traffic(&self) -> bool {
        true
    }

    pub(super) fn request_data(&mut self, bytes: &[u8]) {
        self.meter.sent(bytes.len() as u64);
    }

    pub(super) fn response(&mut self, status: u16, headers: &dyn Headers) {
        self.status = Some(status);
        self.meter.answered(headers);
    }

    pub(super) fn data(&mut self, bytes: &[u8]) {
        self.meter.received(bytes.len() as u64);
    }

    pub(super) fn settle(self, ending: Ending) -> Observation {
        let (operation_status, error_type) = self.outcome(ending);
        Observation {
            operation_status,
            error_type,
            http_status: self.status,
            traffic: self.meter.traffic(),
            peer: self.meter.peer(),
            call: CallFacts {
                host: Some(self.host),
                ..CallFacts::default()
            },
            ..Observation::nothing(ending)
        }
    }

    fn outcome(&self, ending: Ending) -> (OperationStatus, Option<ErrorType>) {
        if let Some(error) = self.status.and_then(from_status) {
            return (OperationStatus::Failed, Some(error));
        }
        match ending {
            Ending::Failed => {
                let error = self.noted.unwrap_or(ErrorType::ConnectionError);
                (OperationStatus::Failed, Some(error))
            }
            Ending::Cancelled => (OperationStatus::Cancelled, None),
            Ending::Done if self.status.is_some() => (OperationStatus::Succeeded, None),
            Ending::Done | Ending::Truncated => (OperationStatus::Unknown, None),
        }
    }
}
