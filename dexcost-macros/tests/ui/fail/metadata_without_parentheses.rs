#[dexcost::task(metadata = "x")]
fn f() {}

fn main() {}
