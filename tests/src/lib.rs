//! Cross-crate tests of dexcost; everything stands in `tests/`.
