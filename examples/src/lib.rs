//! Examples of dexcost.
