#[dexcost::task(kustomer = "acme")]
fn f() {}

fn main() {}
