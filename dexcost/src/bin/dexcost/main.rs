//! The dexcost command.

fn main() {}
