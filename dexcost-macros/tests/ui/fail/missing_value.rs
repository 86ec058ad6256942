#[dexcost::task(customer)]
fn f() {}

fn main() {}
