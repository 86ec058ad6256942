//! Attribute macros of dexcost.
