//! What a call of a tool costs, over the Model Context Protocol.
//!
//! The first that exists: the rate that is registered as `mcp:<tool>`, the price per request of the
//! service that the tool was mapped to, nothing that is known.

use std::collections::HashMap;

use parking_lot::RwLock;
use rust_decimal::Decimal;

use crate::account::tracker::{CostTracker, Shared};
use crate::error::Error;
use crate::event::{CostConfidence, ErrorType, OperationStatus, PricingSource};
use crate::observation::{Observation, ServiceUse};
use crate::pricing::ServiceFee;
use crate::text::Text;
use crate::usage::Unit;

/// What the services of tools are called: this, then the tool's name.
const PREFIX: &str = "mcp:";

/// Which tools stand for which service's price.
#[derive(Debug, Default)]
pub(super) struct Tools(RwLock<HashMap<Text, ServiceFee>>);

impl CostTracker {
    /// Prices a tool of the Model Context Protocol as one request to a service of the catalog, unless a
    /// rate is registered for `mcp:<tool>`. The price is that of now; it stays when the catalog is
    /// refreshed.
    ///
    /// # Errors
    ///
    /// [`Error::UnregisteredService`] where the catalog has no price per request for the service.
    pub fn map_tool(&self, tool: &str, service: &str) -> Result<(), Error> {
        let fee = self.services().fee_of(service);
        let fee = fee.ok_or_else(|| Error::UnregisteredService {
            service: service.chars().take(200).collect(),
        })?;
        let tool = Text::from(tool.strip_prefix(PREFIX).unwrap_or(tool));
        self.shared().tools.0.write().insert(tool, fee);
        Ok(())
    }
}

impl Tools {
    /// Prices the use of a tool; of any other service nothing changes. A call that the server refused
    /// costs nothing, one that a tool ran and failed costs the same as any, and what one costs that
    /// got no answer is not known.
    pub(super) fn price(&self, tracker: &Shared, used: &mut ServiceUse, seen: &Observation) {
        let Some(tool) = used.service.strip_prefix(PREFIX) else {
            return;
        };
        used.usage.set(Unit::Requests, 1);
        let Some(status) = seen.http_status.filter(|_| is_answered(seen)) else {
            return;
        };
        let is_refused = matches!(
            seen.error_type,
            Some(ErrorType::NotFound | ErrorType::InvalidRequest | ErrorType::Auth)
        );
        if is_refused || !(200..300).contains(&status) {
            used.cost_usd = Some(Decimal::ZERO);
            used.cost_confidence = CostConfidence::Computed;
        } else if let Ok((rate, version)) = tracker.rates.lookup(&used.service) {
            used.cost_usd = rate.cost(Decimal::ONE);
            used.cost_confidence = CostConfidence::Computed;
            used.pricing_source = PricingSource::RateRegistry;
            used.pricing_version = version;
        } else if let Some(fee) = self.0.read().get(tool) {
            used.cost_usd = Some(fee.usd_per_request);
            used.cost_confidence = fee.confidence;
            used.pricing_source = PricingSource::ServiceCatalog;
            used.pricing_version = fee.version.clone();
        }
    }
}

/// Whether the server said what became of the call.
fn is_answered(seen: &Observation) -> bool {
    !matches!(
        seen.operation_status,
        OperationStatus::Unknown | OperationStatus::Cancelled
    )
}
