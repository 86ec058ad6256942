#[dexcost::task(customer = , type = "x")]
fn f() {}

fn main() {}
