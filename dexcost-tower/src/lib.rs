//! Tower layers of dexcost.
