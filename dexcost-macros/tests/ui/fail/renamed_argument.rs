#[dexcost::task(customer_id = "acme")]
fn f() {}

fn main() {}
