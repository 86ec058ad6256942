#[dexcost::task(customer = "acme", customer = "other")]
fn f() {}

fn main() {}
