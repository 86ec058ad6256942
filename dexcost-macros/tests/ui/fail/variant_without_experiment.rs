#[dexcost::task(variant = "b")]
fn f() {}

fn main() {}
